"""The nginx example as a process on loopback, in front of services that run there."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kept_run import keep_body, keep_log, keep_request
from running_services import PATIENCE, ROOT, free_port, needed, wait_until

EXAMPLE = ROOT / "deploy" / "nginx.conf"


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
        """Status, headers and body of the answer to one request; a header that comes twice as a list."""
        keep_request(head.encode())
        keep_body(body)
        with self.connect() as connection:
            length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
            connection.sendall(f"{head}\r\nHost: x\r\nConnection: close\r\n{length}\r\n".encode() + body)
            told, _, answer = connection.makefile("rb").read().partition(b"\r\n\r\n")
        first, *rest = told.decode().split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(": ") for line in rest):
            headers[name.lower()] = ", ".join(filter(None, (headers.get(name.lower()), value)))
        return int(first.split()[1]), headers, answer


def certificate(folder: Path) -> Path:
    """A certificate of this test, with its key beside it."""
    made = folder / "cds.example.org.crt"
    name = ("-subj", "/CN=cds.example.org", "-addext", "subjectAltName=DNS:cds.example.org")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(made.with_suffix(".key")))
    command = [needed("openssl"), "req", "-x509", *key, *name, "-days", "2", "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


def on_this_machine(folder: Path, port: int, replicas: list[int], level: str) -> Path:
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
        "error_log stderr crit;": f"error_log {folder}/error.log {level};",
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
def in_front_of(folder: Path, replicas: list[int], level: str = "warn") -> Iterator[Proxy]:
    """nginx with the example, in front of these ports; it logs errors of this level and above."""
    proxy = Proxy(free_port(), certificate(folder), folder / "access.log")
    file = on_this_machine(folder, proxy.port, replicas, level)
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
