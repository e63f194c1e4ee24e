"""Whatever a caller, a FHIR server, a key set or a database says: not one word of it stands in the log."""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from databases import KINDS, a_database, engine_for
from flask.testing import FlaskClient
from hook_calls import AUTHORIZATION, JSON, SIGN, a_call
from loopback_servers import http_answer, raw_server
from remembering_service import OUR_SYSTEM, RememberingService, an_item
from tokens import ISSUER, REMOTE, Bench, good, wait_until

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks.json_body import write_json
from cds_service.hooks.views import STORE
from cds_service.operations.log import set_up_logging
from cds_service.store.tables import metadata

pytestmark = pytest.mark.xdist_group("production")
# A name and a number, so that no shape of a field lets it pass for a word.
MARK = "Zephyrine-0012345"


@pytest.fixture
def written(log: io.StringIO) -> Iterator[io.StringIO]:
    """What is logged, lines of libraries included, which are told of at level debug here."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    set_up_logging("debug")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(log))
    root.setLevel(logging.DEBUG)
    yield log
    root.handlers[:], root.level = handlers, level


def everywhere(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every text and number in a call."""
    if isinstance(value, (dict, list)):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from everywhere(child, (*path, step))
    else:
        yield path


def changed_at(path: tuple[Any, ...]) -> dict[str, Any]:
    """The default call with the mark at one place."""
    call = a_call(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=dict(AUTHORIZATION))
    parent: Any = call
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = MARK
    return call


@pytest.mark.hazard("H50")
def test_no_text_at_any_place_of_a_call_is_logged(bench: Bench, written: io.StringIO) -> None:
    call = a_call(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=dict(AUTHORIZATION))
    for path in everywhere(call):
        assert bench.post(good(), call=changed_at(path)).status_code in (200, 400, 412), path
    assert '"event": "access"' in written.getvalue()
    assert MARK not in written.getvalue()


HEADERS = [
    {"X-Correlation-Id": MARK},
    {"X-Forwarded-For": MARK, "X-Forwarded-Host": MARK, "Forwarded": f"for={MARK}"},
    {"Origin": f"https://{MARK}.example.org", "Referer": f"https://ehr.example.org/{MARK}"},
    {"User-Agent": MARK, "Cookie": f"patient={MARK}", "Accept": MARK},
    {"Content-Encoding": MARK},
    {"Host": f"{MARK}.example.org"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=" ".join)
def test_no_header_of_a_call_is_logged(bench: Bench, written: io.StringIO, headers: dict[str, str]) -> None:
    bench.post(good(), **headers)
    assert written.getvalue()
    assert MARK not in written.getvalue()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize(
    "address", [f"/cds-services/{MARK}", f"/cds-services/{MARK}/feedback", f"{SIGN}?patient={MARK}", f"/{MARK}"]
)
def test_no_address_that_is_called_is_logged(bench: Bench, written: io.StringIO, method: str, address: str) -> None:
    token = {"Authorization": f"Bearer {good()}"}
    bench.client.open(address, method=method, data=MARK, content_type=f"{JSON}; charset={MARK}", headers=token)
    assert MARK not in written.getvalue()


TOKENS = {
    "no JWT": MARK,
    "an issuer nobody knows": good(iss=f"https://{MARK}.example.org"),
    "other claims": good(sub=MARK, patient=MARK, jti=MARK),
    "an expiry that is no number": good(exp=MARK),
    "a signature of somebody else": good()[:-8] + MARK.replace("-", "_")[:8],
}


@pytest.mark.hazard("H50")
@pytest.mark.parametrize("case", TOKENS)
def test_no_token_and_no_part_of_one_is_logged(bench: Bench, written: io.StringIO, case: str) -> None:
    token = TOKENS[case]
    bench.post(token)
    assert written.getvalue()
    for part in (MARK, *(part for part in token.split(".") if len(part) > 8)):
        assert part not in written.getvalue()


# --- the servers that are asked

FAULTS = {
    "an error that quotes the question": http_answer(MARK.encode(), status=f"500 {MARK}"),
    "a refusal": http_answer(MARK.encode(), status="403 Forbidden", headers=f"WWW-Authenticate: {MARK}\r\n"),
    "a redirect": http_answer(b"", status="302 Found", headers=f"Location: http://127.0.0.1/{MARK}\r\n"),
    "no JSON": http_answer(MARK.encode()),
    "an answer that breaks off": http_answer(MARK.encode(), length=500),
    "headers that are none": http_answer(b"{}", headers=f"{MARK}\r\nX: {MARK}\x00\r\n"),
    "no HTTP": f"{MARK}\r\n\r\n".encode(),
    "packed, and it is not": http_answer(MARK.encode(), headers="Content-Encoding: gzip\r\n"),
    "a cookie for another day": http_answer(b"{}", headers=f"Set-Cookie: p={MARK}; expires={MARK}\r\n"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_a_fhir_server_tells_the_log_whom_was_asked_about(
    client: FlaskClient, written: io.StringIO, fault: str
) -> None:
    def answer(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(FAULTS[fault])
        connection.close()

    call = a_call()
    call["context"]["patientId"] = MARK
    with raw_server(answer) as address:
        access = {**AUTHORIZATION, "access_token": f"token-{MARK}", "scope": "user/*.read"}
        call |= {"prefetch": {}, "fhirServer": f"{address}/{MARK}", "fhirAuthorization": access}
        client.post(SIGN, data=write_json(call), content_type=JSON)
    assert '"event": "fetched"' in written.getvalue()
    assert MARK not in written.getvalue()


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_a_key_set_is_repeated(bench: Bench, written: io.StringIO, fault: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(FAULTS[fault])
        connection.close()

    bench.key_server.answer = answer
    bench.post(good(iss=REMOTE))
    wait_until(lambda: "keys_not_fetched" in written.getvalue() or "keys_fetched" in written.getvalue())
    assert MARK not in written.getvalue()
    assert ISSUER not in written.getvalue()


# --- the database


@pytest.fixture(params=KINDS)
def without_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    """A service whose tables were taken away, so that its driver quotes each statement in its faults."""
    with a_database(request.param, tmp_path) as url:
        app = create_app(
            load_settings({"CDS_MODE": "demo", "CDS_NOW": "2026-03-02T09:00:00Z", "CDS_DATABASE_URL": url})
        )
        with engine_for(url) as engine, engine.begin() as connection:
            metadata.drop_all(connection)
        yield app.test_client()
        app.extensions[STORE].close()


def test_no_fault_of_the_database_repeats_what_was_to_be_written(
    without_tables: FlaskClient, written: io.StringIO
) -> None:
    call = a_call(hookInstance=MARK)
    without_tables.post(SIGN, data=write_json(call), content_type=JSON)
    assert without_tables.application.extensions[STORE].flush(60)
    reason = {"reason": {"code": MARK, "system": OUR_SYSTEM}, "userComment": MARK}
    response = without_tables.post(f"{SIGN}/feedback", json={"feedback": [an_item(overrideReason=reason)]})
    assert response.status_code == 503
    assert "reviews_not_written" in written.getvalue()
    assert MARK not in written.getvalue() + response.text


@pytest.mark.parametrize(
    ("instance", "kept"),
    [
        ("5A3C1B52-4C8E-4F0E-9A2B-0F6A1D2C3B4E", "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"),
        ("urn:uuid:5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e", "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"),
        (MARK, ""),
        ("abc", ""),
    ],
)
def test_a_hook_instance_is_kept_as_a_uuid_or_not_at_all(
    remembering: RememberingService, instance: str, kept: str
) -> None:
    assert remembering.ask({}, "order-sign", hookInstance=instance)
    assert [row["hook_instance"] for row in remembering.rows("reviews")] == [kept]
