"""The production server as a process: what it accepts, how its workers count together, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from builders import hook_request
from kept_run import keep_request
from loopback_servers import http_answer, raw_server
from prometheus_client.parser import text_string_to_metric_families
from running_services import PATIENCE, ROOT, RunningService, free_port, running, wait_until

from cds_service.errors import SettingsProblem
from cds_service.hooks.json_body import write_json
from cds_service.server import ServerSize, server_size

# All of these share one server, in one process of the tests.
pytestmark = pytest.mark.xdist_group("server")
SIGN = "/cds-services/onasemnogene-order-sign"
SECRET = "synthetic-secret-value"
ACCESS = {
    "access_token": "opaque-token-of-this-test",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/*.read",
    "subject": "onasemnogene-cds",
}
NOT_OURS = hook_request({"draft": "none"})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A server with two workers and a limit of one megabyte."""
    with running(tmp_path_factory.mktemp("server"), CDS_MAX_BODY_MB="1", WEB_CONCURRENCY="2") as service:
        wait_until(lambda: service.events().count("worker_started") == 2, "both workers are there")
        yield service


def exchange(service: RunningService, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to these bytes, after which the connection ends."""
    keep_request(request)
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split()[1]), headers, body


def get(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def counted(service: RunningService, name: str) -> float:
    """The sum of the samples of this name."""
    families = text_string_to_metric_families(requests.get(f"{service.address}/metrics", timeout=PATIENCE).text)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def post(service: RunningService, call: Any, **options: Any) -> requests.Response:
    body = call if isinstance(call, bytes) else write_json(call)
    headers = {"Content-Type": "application/json", **options.pop("headers", {})}
    return requests.post(f"{service.address}{SIGN}", data=body, headers=headers, timeout=PATIENCE, **options)


# --- what it accepts


def test_a_hook_call_is_answered(service: RunningService) -> None:
    response = post(service, hook_request({}))
    assert response.status_code == 200
    assert response.json()["cards"]


def test_the_demo_takes_the_longest_query_that_the_service_itself_asks(service: RunningService) -> None:
    chart = next(
        each
        for each in requests.get(f"{service.address}/cds-services", timeout=PATIENCE).json()["services"]
        if each["hook"] == "patient-view"
    )
    query = chart["prefetch"]["observations"].replace("{{context.patientId}}", "synthetic-term-infant")
    token = {"Authorization": "Bearer synthetic-demo-token"}
    answer = requests.get(f"{service.address}/demo/fhir/{query}", headers=token, timeout=PATIENCE)
    assert answer.status_code == 200
    assert len(query) > 4094  # what gunicorn takes without being told


def test_a_token_of_12_kb_is_accepted(service: RunningService) -> None:
    assert exchange(service, get("/cds-services", f"Authorization: Bearer {'a' * 12_288}"))[0] == 200


MALFORMED = {
    "no HTTP": (f"{SECRET}\r\n\r\n".encode(), 400),
    "a header without a colon": (get("/cds-services", SECRET), 400),
    "a header name with a space": (get("/cds-services", f"X {SECRET}: 1"), 400),
    "a header of 17 kB": (get("/cds-services", f"Authorization: {SECRET}{'a' * 17_000}"), 431),
    "an address of 9 kB": (get(f"/cds-services?{SECRET}{'a' * 9_000}"), 414),
    "a length and chunks": (
        f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
        400,
    ),
    "chunks that are none": (
        f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n".encode(),
        400,
    ),
    "an unknown transfer coding": (
        f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x{SECRET}\r\n\r\n".encode(),
        501,
    ),
    "an expectation we do not know": (get("/cds-services", f"Expect: {SECRET}"), 417),
}


@pytest.mark.spec("R-211")
@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_no_http_we_accept_is_refused_as_json_that_repeats_nothing(service: RunningService, case: str) -> None:
    request, expected = MALFORMED[case]
    status, headers, body = exchange(service, request)
    assert (status, headers["content-type"]) == (expected, "application/json")
    assert json.loads(body)["resourceType"] == "OperationOutcome"
    assert SECRET.encode() not in body
    assert SECRET not in service.log_file.read_text("utf-8")


def test_a_refusal_of_the_servers_own_is_counted_and_logged(service: RunningService) -> None:
    before = counted(service, "cds_malformed_requests_total")
    exchange(service, MALFORMED["a header of 17 kB"][0])
    assert counted(service, "cds_malformed_requests_total") == before + 1
    line = [line for line in service.log() if line["event"] == "malformed_request"][-1]
    assert (line["status"], line["fault"]) == (431, "LimitRequestHeaders")


@pytest.mark.spec("R-014")
@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_a_body_in_chunks_is_read_up_to_the_limit(service: RunningService, more: int, status: int) -> None:
    empty = write_json(NOT_OURS | {"extension": {"filling": ""}})
    body = empty.replace(b'"filling":""', b'"filling":"' + b"x" * (1024 * 1024 + more - len(empty)) + b'"')
    parts = (body[start : start + 50_000] for start in range(0, len(body), 50_000))
    response = requests.post(
        f"{service.address}{SIGN}", data=parts, headers={"Content-Type": "application/json"}, timeout=PATIENCE
    )
    assert response.status_code == status


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example.org", "Forwarded: host=evil.example.org;proto=https"],
)
def test_what_a_caller_says_about_a_proxy_is_not_believed(service: RunningService, header: str) -> None:
    _, _, body = exchange(service, get("/demo/hook_requests", header))
    assert b"evil.example.org" not in body
    assert b"https://127" not in body


@pytest.mark.parametrize("header", ["Script-Name: /evil", "Script_Name: /evil", "Path-Info: /metrics"])
def test_a_caller_does_not_choose_another_path_by_a_header(service: RunningService, header: str) -> None:
    status, _, body = exchange(service, get("/cds-services", header))
    assert (status, b'"services"' in body) == (200, True)


BEGINNINGS = {
    "a body": f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{",
    "a header": "GET /cds-services HTTP/1.1\r\nHost:",
}


@pytest.mark.parametrize("part", BEGINNINGS)
def test_clients_that_fall_silent_are_given_up_and_hold_up_nobody_for_ever(tmp_path: Path, part: str) -> None:
    with running(tmp_path, WEB_CONCURRENCY="1", WEB_THREADS="2") as service, ExitStack() as opened:
        place = ("127.0.0.1", service.port)
        silent = [opened.enter_context(socket.create_connection(place, timeout=PATIENCE)) for _ in range(4)]
        for connection in silent:
            connection.sendall(BEGINNINGS[part].encode())
        assert requests.get(f"{service.address}/health/live", timeout=PATIENCE).status_code == 200
        told = {connection.recv(20).split(b"\r")[0] for connection in silent}
        # One of the two threads may wait for a body; who comes to the other meanwhile is refused (503).
        assert told == ({b"HTTP/1.1 400 BAD REQ", b"HTTP/1.1 503 SERVICE"} if part == "a body" else {b""})


def test_nothing_is_written_but_lines_of_our_own(service: RunningService) -> None:
    post(service, hook_request({}))
    assert set(service.events()) <= {"serving", "worker_started", "access", "refused", "malformed_request"}


# --- workers


def test_the_workers_count_together(service: RunningService) -> None:
    before = counted(service, "cds_hook_calls_total")
    threads = [threading.Thread(target=post, args=(service, NOT_OURS)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [counted(service, "cds_hook_calls_total") - before for _ in range(6)] == [12] * 6


def test_the_size_of_the_server_is_counted(service: RunningService) -> None:
    assert counted(service, "cds_threads") == 32


def test_a_reload_is_not_taken_because_one_that_fails_would_stop_the_service(service: RunningService) -> None:
    workers = service.workers()
    for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU):
        service.process.send_signal(number)
    assert post(service, hook_request({})).status_code == 200
    assert service.workers() == workers


def test_a_worker_that_is_killed_is_replaced_and_its_numbers_go_on(tmp_path: Path) -> None:
    with running(tmp_path, WEB_CONCURRENCY="2") as service:
        wait_until(lambda: service.events().count("worker_started") == 2, "both workers are there")
        for _ in range(4):
            post(service, NOT_OURS)
        before = service.workers()
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: service.events().count("worker_started") == 4, "both workers are replaced")
        assert service.workers().isdisjoint(before)
        post(service, NOT_OURS)
        assert counted(service, "cds_hook_calls_total") == 5
        assert counted(service, "cds_threads") == 32
        assert counted(service, "cds_workers_started_total") == 4
        killed = [line for line in service.log() if line["event"] == "worker_killed"]
        assert {(line["pid"], line["signal"]) for line in killed} == {(worker, "SIGKILL") for worker in before}
        assert service.stop() == 0


def test_a_file_that_was_broken_meanwhile_stops_no_worker_and_changes_no_answer(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[weight.freshness]\nunder_6_months_days = 5\n", "utf-8")
    with running(tmp_path, WEB_CONCURRENCY="1", CDS_POLICY_FILE=str(policy)) as service:
        before = post(service, hook_request({})).json()
        policy.write_text("broken", "utf-8")
        for worker in service.workers():
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: service.events().count("worker_started") == 2, "the worker is replaced")
        assert post(service, hook_request({})).json() == before


WITH_A_DATABASE = """
import sys
from pathlib import Path
from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.operations.log import set_up_logging
from cds_service.server import ServerSize, listen, run_server

def make():
    if Path("database-is-away").exists():
        raise ConnectionError("database")
    return create_app(settings)

settings = load_settings({"CDS_MODE": "demo"})
set_up_logging("info")
run_server(make, listen("127.0.0.1", int(sys.argv[1])), ServerSize(workers=2))
"""


def test_a_worker_that_cannot_be_replaced_yet_is_tried_again_while_the_other_answers(tmp_path: Path) -> None:
    program, is_away = tmp_path / "program.py", tmp_path / "database-is-away"
    program.write_text(WITH_A_DATABASE, "utf-8")
    with running(tmp_path, program) as service:
        wait_until(lambda: service.events().count("worker_started") == 2, "both workers are there")
        is_away.touch()
        os.kill(next(iter(service.workers())), signal.SIGKILL)
        wait_until(lambda: service.events().count("worker_not_started") == 2, "it was tried twice in vain")
        assert post(service, hook_request({})).status_code == 200
        is_away.unlink()
        wait_until(lambda: service.events().count("worker_started") == 3, "the worker is replaced")


def test_a_server_whose_first_workers_cannot_start_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "database-is-away").touch()
    program = tmp_path / "program.py"
    program.write_text(WITH_A_DATABASE, "utf-8")
    command = [sys.executable, str(program), str(free_port())]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["fault"] for line in lines if line["event"] == "worker_ended"] == ["ConnectionError"] * 2


ENDS_MEANWHILE = WITH_A_DATABASE.replace(
    "def make", "from cds_service.server import Worker\nWorker.murder_keepalived = lambda _: 1 / 0\n\ndef make"
)


def test_a_worker_that_ends_with_a_fault_tells_which_and_not_what_it_says(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(ENDS_MEANWHILE, "utf-8")
    with running(tmp_path, program) as service:
        wait_until(lambda: "worker_ended" in service.events(), "a worker has ended")
        lines = [line for line in service.log() if line["event"] == "worker_ended"]
        assert {line["fault"] for line in lines} == {"ZeroDivisionError"}


# --- how it ends


def test_a_call_under_way_is_answered_before_the_service_ends_with_0(tmp_path: Path) -> None:
    asked, release, answers = threading.Event(), threading.Event(), []
    bundle = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'

    def answer_late(connection: socket.socket, _head: bytes) -> None:
        asked.set()
        release.wait(PATIENCE)
        connection.sendall(http_answer(bundle))

    with raw_server(answer_late) as fhir_server, running(tmp_path, CDS_BUDGET_MS="60000") as service:
        call = hook_request({}) | {"fhirServer": fhir_server, "fhirAuthorization": ACCESS}
        del call["prefetch"]["observations"]
        caller = threading.Thread(target=lambda: answers.append(post(service, call)))
        caller.start()
        assert asked.wait(PATIENCE)
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "signal" in service.events(), "the service has heard")
        release.set()
        caller.join(PATIENCE)
        assert service.process.wait(PATIENCE) == 0
        assert [(answer.status_code, bool(answer.json()["cards"])) for answer in answers] == [(200, True)]
        assert service.events()[-1] == "worker_stopped"
        assert "access" in service.events()


WITH_A_RESOURCE = """
import sys
from pathlib import Path
from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.operations import RESOURCES
from cds_service.operations.log import set_up_logging
from cds_service.server import ServerSize, listen, run_server

def make():
    app = create_app(settings)
    app.extensions[RESOURCES].register("store", lambda: Path("closed").write_text("closed"))
    return app

settings = load_settings({"CDS_MODE": "demo"})
set_up_logging("info")
run_server(make, listen("127.0.0.1", int(sys.argv[1])), ServerSize(workers=1))
"""


def test_what_was_opened_is_closed_and_the_shared_folder_is_gone(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(WITH_A_RESOURCE, "utf-8")
    with running(tmp_path, program) as service:
        shared = service.shared_folder()
        assert shared.is_dir()
        assert service.stop() == 0
    assert (tmp_path / "closed").read_text("utf-8") == "closed"
    assert not shared.exists()


# --- its size


def size(*, is_state_shared: bool = True, is_production: bool = True, **environment: str) -> ServerSize:
    return server_size(environment, is_state_shared=is_state_shared, is_production=is_production)


def test_without_a_word_about_it_the_server_has_two_workers_of_sixteen_threads() -> None:
    assert size() == ServerSize(workers=2, threads=16)


@pytest.mark.parametrize("is_production", [True, False])
def test_where_processes_share_no_state_there_is_one(is_production: bool) -> None:
    assert size(is_state_shared=False, is_production=is_production).workers == 1


def test_several_processes_that_share_no_state_are_refused_in_production_only() -> None:
    with pytest.raises(SettingsProblem, match="WEB_CONCURRENCY is 2 and CDS_SHARED_STATE_URL memory://"):
        size(is_state_shared=False, WEB_CONCURRENCY="2")
    assert size(is_state_shared=False, WEB_CONCURRENCY="1").workers == 1
    assert size(is_state_shared=False, is_production=False, WEB_CONCURRENCY="2").workers == 2


@pytest.mark.parametrize(("name", "most"), [("WEB_CONCURRENCY", 64), ("WEB_THREADS", 256)])
def test_the_size_can_be_chosen_within_limits(name: str, most: int) -> None:
    for number in (1, most):
        chosen = size(**{name: str(number)})
        assert number == (chosen.workers if name == "WEB_CONCURRENCY" else chosen.threads)
    for written in ("0", str(most + 1), "two", "-1", "1.5", "²"):
        with pytest.raises(SettingsProblem, match=f"{name} is {written}; use a number from 1 to {most}"):
            size(**{name: written})
