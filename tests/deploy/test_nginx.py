"""The nginx example: accepted by nginx, and in front of two replicas safe from slow clients."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from builders import hook_request
from kept_run import keep_body, keep_log, keep_request
from running_services import PATIENCE, RunningService, free_port, running, wait_until

from cds_service.config import load_settings
from cds_service.hooks.json_body import write_json

# All of these share servers, in one process of the tests.
pytestmark = pytest.mark.xdist_group("server")
EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
SIGN = "/cds-services/onasemnogene-order-sign"
# More than the replicas have threads, so that they would all be taken if nginx passed on what has not come whole.
SLOW_CLIENTS = 100


@dataclass(frozen=True, slots=True)
class Proxy:
    """nginx on a port of this machine, with a certificate that is trusted here."""

    port: int
    certificate: Path
    log_file: Path

    def connect(self) -> ssl.SSLSocket:
        """A connection of one client."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return context.wrap_socket(plain, server_hostname="cds.example.org")

    def exchange(self, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to one request."""
        keep_request(head.encode())
        keep_body(body)
        with self.connect() as connection:
            length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
            connection.sendall(f"{head}\r\nHost: x\r\nConnection: close\r\n{length}\r\n".encode() + body)
            told, _, answer = connection.makefile("rb").read().partition(b"\r\n\r\n")
        first, *rest = told.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        return int(first.split()[1]), headers, answer


def needed(program: str) -> str:
    """Where a program is; the test is skipped where it is not installed, but never in CI."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{program} is not installed; on Debian: apt-get install nginx-light openssl", pytrace=False)
    return found or pytest.skip(f"{program} is not installed")


def certificate(folder: Path) -> Path:
    """A certificate of this test, with its key beside it."""
    made = folder / "cds.example.org.crt"
    name = ("-subj", "/CN=cds.example.org", "-addext", "subjectAltName=DNS:cds.example.org")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(made.with_suffix(".key")))
    command = [needed("openssl"), "req", "-x509", *key, *name, "-days", "2", "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


def on_this_machine(folder: Path, port: int, replicas: list[int]) -> Path:
    """The example with what a site has to change, changed, and everything it writes in `folder`."""
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "192.0.2.11:8000": f"127.0.0.1:{replicas[0]}",
        "192.0.2.12:8000": f"127.0.0.1:{replicas[1]}",
        "/etc/nginx/tls/cds.example.org.crt": str(folder / "cds.example.org.crt"),
        "/etc/nginx/tls/cds.example.org.key": str(folder / "cds.example.org.key"),
        "/run/nginx.pid": str(folder / "nginx.pid"),
        "/dev/shm/nginx-body": str(folder / "body"),
        "/dev/shm/nginx-proxy": str(folder / "proxy"),
        "access_log /dev/stdout operations;": f"access_log {folder}/access.log operations;",
        "error_log stderr warn;": f"error_log {folder}/error.log warn;",
        "worker_processes auto;": "worker_processes 1;" + (" user root;" if os.geteuid() == 0 else ""),
    }
    written = EXAMPLE.read_text("utf-8")
    for before, after in changes.items():
        assert written.count(before) == 1, before
        written = written.replace(before, after)
    file = folder / "nginx.conf"
    file.write_text(written, "utf-8")
    return file


@contextmanager
def in_front_of(folder: Path, replicas: list[int]) -> Iterator[Proxy]:
    """nginx with the example, in front of these ports."""
    proxy = Proxy(free_port(), certificate(folder), folder / "access.log")
    file = on_this_machine(folder, proxy.port, replicas)
    command = [
        needed("nginx"),
        "-p",
        str(folder),
        "-c",
        str(file),
        "-e",
        str(folder / "error.log"),
        "-g",
        "daemon off;",
    ]
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: process.poll() is not None or is_listening(proxy.port), "nginx listens")
        assert process.poll() is None, (folder / "error.log").read_text("utf-8")
        yield proxy
    finally:
        process.terminate()
        process.wait(PATIENCE)
        for log_file in (proxy.log_file, proxy.log_file.with_name("error.log")):
            keep_log(log_file.read_bytes(), "proxy")


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningService]]:
    """Two replicas, with as many threads as they usually have."""
    with ExitStack() as started:
        folders = [tmp_path_factory.mktemp(f"replica-{number}") for number in (1, 2)]
        yield [started.enter_context(running(folder, WEB_CONCURRENCY="1")) for folder in folders]


@pytest.fixture(scope="module")
def proxy(replicas: list[RunningService], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx in front of both."""
    with in_front_of(tmp_path_factory.mktemp("nginx"), [replica.port for replica in replicas]) as proxy:
        yield proxy


def test_nginx_accepts_the_example(tmp_path: Path) -> None:
    certificate(tmp_path)
    file = on_this_machine(tmp_path, 8443, [8001, 8002])
    done = subprocess.run(
        [needed("nginx"), "-t", "-p", str(tmp_path), "-c", str(file), "-e", "stderr"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_the_limit_of_a_body_is_that_of_the_service_and_all_of_it_stays_in_memory() -> None:
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", EXAMPLE.read_text("utf-8"))
    (buffer,) = re.findall(r"client_body_buffer_size (\d+)m;", EXAMPLE.read_text("utf-8"))
    assert int(limit) == int(buffer) == load_settings({"CDS_MODE": "demo"}).max_body_mb


def test_nothing_is_served_without_tls() -> None:
    assert re.findall(r"listen [^;]*;", EXAMPLE.read_text("utf-8")) == ["listen 443 ssl;"]


def call(proxy: Proxy, **more: object) -> tuple[int, dict[str, str], bytes]:
    return proxy.exchange(f"POST {SIGN} HTTP/1.1", write_json(hook_request({}) | more))


def test_a_call_is_answered_through_the_proxy_with_its_correlation_id(proxy: Proxy) -> None:
    status, headers, body = call(proxy)
    assert status == 200
    assert json.loads(body)["cards"]
    wait_until(lambda: headers["x-correlation-id"] in proxy.log_file.read_text("utf-8"), "the proxy has logged it")


@pytest.mark.spec("R-202")
def test_an_answer_is_compressed_for_whoever_asks_for_it(proxy: Proxy) -> None:
    head = f"POST {SIGN} HTTP/1.1\r\nAccept-Encoding: gzip"
    _, headers, _ = proxy.exchange(head, write_json(hook_request({})))
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")


def test_the_proxy_logs_no_query_and_nothing_of_the_body(proxy: Proxy) -> None:
    head = f"POST {SIGN}?patient=synthetic-query HTTP/1.1\r\nAuthorization: Bearer synthetic-token"
    proxy.exchange(head, write_json(hook_request({"born": "2025-12-24"})))
    _, headers, _ = call(proxy)
    wait_until(lambda: headers["x-correlation-id"] in proxy.log_file.read_text("utf-8"), "the proxy has logged it")
    for secret in ("synthetic", "2025-12-24"):
        assert secret not in proxy.log_file.read_text("utf-8")
    assert all(json.loads(line) for line in proxy.log_file.read_text("utf-8").splitlines())


def test_a_token_of_12_kb_passes(proxy: Proxy) -> None:
    assert proxy.exchange(f"GET /cds-services HTTP/1.1\r\nAuthorization: Bearer {'a' * 12_288}")[0] == 200


@pytest.mark.spec("R-014")
def test_a_body_of_nearly_the_limit_passes_and_no_file_is_written(proxy: Proxy) -> None:
    status, _, _ = call(proxy, extension={"filling": "x" * (15 * 1024 * 1024)})
    assert status == 200
    assert "buffered to a temporary file" not in proxy.log_file.with_name("error.log").read_text("utf-8")


@pytest.mark.spec("R-211")
@pytest.mark.parametrize(
    ("head", "length", "status", "code"),
    [
        (f"POST {SIGN} HTTP/1.1\r\nContent-Type: application/json", 16 * 1024 * 1024 + 1, 413, "too-long"),
        (f"GET /cds-services?{'a' * 20_000} HTTP/1.1", 0, 414, "too-long"),
        (f"GET /cds-services HTTP/1.1\r\nAuthorization: {'a' * 20_000}", 0, 400, "invalid"),
    ],
)
def test_what_the_proxy_refuses_is_an_operation_outcome(
    proxy: Proxy, head: str, length: int, status: int, code: str
) -> None:
    announced = f"{head}\r\nContent-Length: {length}" if length else head
    found, headers, body = proxy.exchange(announced)
    assert (found, headers["content-type"]) == (status, "application/json")
    assert json.loads(body)["issue"][0]["code"] == code


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics/", "/health/ready", "//metrics", "/%6detrics", "/health/../metrics", "/health/ready/"],
)
def test_what_is_for_the_inside_cannot_be_asked_from_outside(proxy: Proxy, path: str) -> None:
    status, _, body = proxy.exchange(f"GET {path} HTTP/1.1")
    assert status == 404
    assert json.loads(body)["issue"][0]["code"] == "not-found"


def test_browsers_are_told_to_use_tls_only(proxy: Proxy) -> None:
    for path in ("/cds-services", "/metrics"):
        _, headers, _ = proxy.exchange(f"GET {path} HTTP/1.1")
        assert headers["strict-transport-security"] == "max-age=31536000"


def test_an_address_that_asks_without_end_is_told_to_wait(tmp_path: Path) -> None:
    request, last = (
        "GET /cds-services HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    with in_front_of(tmp_path, [free_port(), free_port()]) as proxy, proxy.connect() as connection:
        connection.sendall((request * 800 + last).encode())
        answers = connection.makefile("rb").read()
    assert b"HTTP/1.1 429 " in answers
    assert b'"code":"throttled"' in answers


def test_whether_it_lives_can_be_asked_from_outside(proxy: Proxy) -> None:
    assert proxy.exchange("GET /health/live HTTP/1.1")[0] == 200


def test_both_replicas_answer(proxy: Proxy, replicas: list[RunningService]) -> None:
    wait_until(lambda: call(proxy)[0] == 200 and all("access" in r.events() for r in replicas), "both have answered")


BEGINNINGS = {
    "a body": f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n{{",
    "a header": "GET /cds-services HTTP/1.1\r\nHost:",
}


@pytest.mark.parametrize("part", BEGINNINGS)
def test_of_slow_clients_no_replica_hears_anything_and_others_are_answered(
    proxy: Proxy, replicas: list[RunningService], part: str
) -> None:
    heard = [given_up(replica) for replica in replicas]
    with ExitStack() as opened:
        slow = [opened.enter_context(proxy.connect()) for _ in range(SLOW_CLIENTS)]
        for connection in slow:
            connection.sendall(BEGINNINGS[part].encode())
        assert proxy.exchange("GET /health/live HTTP/1.1")[0] == 200
        assert call(proxy)[0] == 200
        assert [under_way(replica) for replica in replicas] == [1, 1]
        assert [given_up(replica) for replica in replicas] == heard


def given_up(replica: RunningService) -> int:
    """The requests that reached a replica and never came whole."""
    return sum(line["event"] == "silent_client" or line.get("status") == 400 for line in replica.log())


def under_way(replica: RunningService) -> int:
    """The calls a replica is busy with, the one that asks for this included."""
    written = requests.get(f"{replica.address}/metrics", timeout=PATIENCE).text
    (number,) = re.findall(r"(?m)^cds_calls_under_way (\S+)$", written)
    return int(float(number))


def test_a_replica_that_is_gone_costs_no_call(tmp_path: Path) -> None:
    with running(tmp_path, WEB_CONCURRENCY="1") as replica, in_front_of(tmp_path, [free_port(), replica.port]) as proxy:
        assert [call(proxy)[0] for _ in range(6)] == [200] * 6


def test_without_any_replica_the_caller_is_told_when_to_come_again(tmp_path: Path) -> None:
    with in_front_of(tmp_path, [free_port(), free_port()]) as proxy:
        status, headers, body = call(proxy)
    assert (status, headers["retry-after"]) == (502, "1")
    assert json.loads(body)["issue"][0]["code"] == "transient"
