"""The EHR's FHIR server takes questions and answers none: calls that need it wait in places of their own number."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from loopback_servers import http_answer, raw_server
from production_services import in_production
from registered_ehr import SIGN, RegisteredEhr, call_of_today
from running_services import PATIENCE, RunningService, wait_until

pytestmark = pytest.mark.xdist_group("fhir-server-hangs")
THREADS, PLACES = 8, 6
NO_ENTRIES = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'


@dataclass
class HangingServer:
    """A FHIR server that answers nothing until it may, and says then that there is nothing."""

    address: str = ""
    asked_with: set[str] = field(default_factory=set)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def attend(self, connection: socket.socket, head: bytes) -> None:
        self.asked_with |= set(re.findall(r"opaque-[0-9]+", head.decode()))
        self.may_answer.wait(PATIENCE)
        connection.sendall(http_answer(NO_ENTRIES))


@pytest.fixture(scope="module")
def fhir_server() -> Iterator[HangingServer]:
    server = HangingServer()
    with raw_server(server.attend) as server.address:
        yield server
        server.may_answer.set()


@pytest.fixture(scope="module")
def ehr(fhir_server: HangingServer) -> RegisteredEhr:
    """An EHR with this FHIR server."""
    more = f'fhir_base_urls = ["{fhir_server.address}"]\nallow_insecure_loopback = true\n'
    return RegisteredEhr("hanging-ehr", more)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, ehr: RegisteredEhr) -> Iterator[RunningService]:
    """One worker, which waits for the FHIR server longer than this test takes."""
    folder = tmp_path_factory.mktemp("service")
    patience = {"CDS_BUDGET_MS": str(PATIENCE * 1000), "WEB_THREADS": str(THREADS)}
    with in_production(folder, ehr, database=f"sqlite:///{folder}/cds.sqlite3", workers=1, **patience) as service:
        yield service


def that_has_to_ask(server: HangingServer, number: int) -> bytes:
    """A call without the list of observations, with an access token of its own."""
    access: dict[str, Any] = {
        "access_token": f"opaque-{number}",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.read",
        "subject": "onasemnogene-cds",
    }
    body = call_of_today(SIGN, fhirServer=server.address, fhirAuthorization=access)
    return body.replace(b'"observations":', b'"notObservations":')


@pytest.mark.hazard("H49")
def test_calls_that_wait_for_it_leave_room_and_what_is_too_much_is_refused_at_once(
    service: RunningService, ehr: RegisteredEhr, fhir_server: HangingServer
) -> None:
    answers: list[requests.Response] = []

    def begin_a_call(number: int) -> threading.Thread:
        call = that_has_to_ask(fhir_server, number)
        thread = threading.Thread(target=lambda: answers.append(ehr.post(service.address, SIGN, call)), daemon=True)
        thread.start()
        return thread

    waiting = [begin_a_call(number) for number in range(PLACES - 1)]
    wait_until(lambda: len(fhir_server.asked_with) == PLACES - 1, "all of them wait for the FHIR server")
    # Meanwhile whoever brings the whole record is answered in the last place.
    assert ehr.ask(service.address, SIGN, call_of_today(SIGN))
    waiting.append(begin_a_call(PLACES))
    wait_until(lambda: len(fhir_server.asked_with) == PLACES, "no place is left")
    refused = ehr.post(service.address, SIGN, call_of_today(SIGN))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert refused.json()["issue"][0]["code"] == "transient"
    assert requests.get(f"{service.address}/health/live", timeout=PATIENCE).status_code == 200
    fhir_server.may_answer.set()
    for thread in waiting:
        thread.join(PATIENCE)
    assert [(answer.status_code, bool(answer.json()["cards"])) for answer in answers] == [(200, True)] * PLACES
    assert ehr.ask(service.address, SIGN, call_of_today(SIGN))
