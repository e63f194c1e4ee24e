"""An EHR's key set cannot be had, or its clock is wrong: who is let in by the service that operators start."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from loopback_servers import http_answer, raw_server
from production_services import in_production, workers_started
from registered_ehr import SIGN, RegisteredEhr, call_of_today
from running_services import RunningService, wait_until

pytestmark = pytest.mark.xdist_group("keys-and-clocks")


@dataclass
class KeyServer:
    """Serves a key set, unless it is down."""

    body: bytes = b""
    is_down: bool = False
    address: str = ""
    asked: list[bool] = field(default_factory=list)

    def attend(self, connection: socket.socket, _: bytes) -> None:
        self.asked.append(self.is_down)
        if not self.is_down:
            connection.sendall(http_answer(self.body))
        connection.close()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Every question is cut off."""
        self.is_down = True
        try:
            yield
        finally:
            self.is_down = False


@pytest.fixture(scope="module")
def key_server() -> Iterator[KeyServer]:
    server = KeyServer()
    with raw_server(server.attend) as server.address:
        yield server


@pytest.fixture(scope="module")
def ehr(key_server: KeyServer) -> RegisteredEhr:
    """An EHR whose keys stand there."""
    ehr = RegisteredEhr("remote-ehr", f'jwks_url = "{key_server.address}/jwks"\nallow_insecure_loopback = true\n')
    key_server.body = json.dumps(ehr.key_set()).encode()
    return ehr


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, ehr: RegisteredEhr) -> Iterator[RunningService]:
    """One worker, which has the keys."""
    folder = tmp_path_factory.mktemp("service")
    with in_production(folder, ehr, database=f"sqlite:///{folder}/cds.sqlite3", workers=1) as service:
        wait_until(lambda: "keys_fetched" in service.events(), "the keys are there")
        yield service


def status(service: RunningService, ehr: RegisteredEhr, **claims: int) -> int:
    """The answer to a call with a token whose claims are moved by so many seconds."""
    now = int(time.time())
    usual = {"iat": now, "exp": now + 300}
    token = ehr.token(SIGN, **{name: usual[name] + seconds for name, seconds in claims.items()})
    return ehr.post(service.address, SIGN, call_of_today(SIGN), token).status_code


@pytest.mark.parametrize(("clock", "answer"), [(30, 200), (90, 401), (-30, 200), (-90, 200), (-330, 200), (-390, 401)])
def test_a_clock_may_be_off_by_a_minute(service: RunningService, ehr: RegisteredEhr, clock: int, answer: int) -> None:
    assert status(service, ehr, iat=clock, exp=clock) == answer


def test_while_the_key_set_is_down_calls_are_let_in_by_the_keys_that_are_known(
    service: RunningService, ehr: RegisteredEhr, key_server: KeyServer
) -> None:
    with key_server.down():
        assert [status(service, ehr) for _ in range(3)] == [200] * 3


def test_while_the_key_set_is_down_a_worker_that_is_replaced_lets_in_whom_the_others_did(
    service: RunningService, ehr: RegisteredEhr, key_server: KeyServer
) -> None:
    number = workers_started(service)
    with key_server.down():
        for worker in service.workers():
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: workers_started(service) == number + 1, "the worker is replaced")
        assert status(service, ehr) == 200
    wait_until(lambda: status(service, ehr) == 200, "the keys are had again")
