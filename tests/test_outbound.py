"""Connections to the outside lead where the site meant: no other host, no address inside that is not listed."""

from __future__ import annotations

import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from loopback_servers import http_answer, raw_server

from cds_service.domain.facts import Hindrance
from cds_service.fhir.client import Deadline, FhirClient, Hindered
from cds_service.hooks.clients import Client, destinations_of
from cds_service.outbound import AddressRefused, Destinations, Exchange, literal_address, outbound_session

EHR = Client(name="ehr", issuer="i", jwks_url="https://keys.test/jwks", fhir_base_urls=("https://ehr.test/fhir",))
PUBLIC = "93.184.215.14"
Lead = Callable[..., list[str]]


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Lead:
    """Lets every name lead to these addresses, and gives the names that are looked up from then on."""
    looked_up: list[str] = []

    def to(*addresses: str) -> list[str]:
        def getaddrinfo(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
            looked_up.append(host)
            found = [host] if literal_address(host) else list(addresses)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr("cds_service.outbound.getaddrinfo", getaddrinfo)
        return looked_up

    return to


def may_go(client: Client, host: str = "ehr.test") -> bool:
    try:
        destinations_of((client,)).addresses_of(host, 443)
    except AddressRefused:
        return False
    return True


# --- which hosts


@pytest.mark.spec("R-097")
@pytest.mark.parametrize(
    ("host", "is_fine"),
    [
        ("ehr.test", True),
        ("EHR.Test", True),
        ("keys.test", True),
        ("other.test", False),
        ("sub.ehr.test", False),
        ("ehr.test.evil.test", False),
        (PUBLIC, False),
        ("localhost", False),
        ("", False),
    ],
)
def test_only_the_hosts_of_the_clients_file_are_asked(lead: Lead, host: str, is_fine: bool) -> None:
    looked_up = lead(PUBLIC)
    assert may_go(EHR, host) is is_fine
    assert bool(looked_up) is is_fine


def test_without_clients_nobody_is_asked(lead: Lead) -> None:
    lead(PUBLIC)
    with pytest.raises(AddressRefused):
        destinations_of(()).addresses_of("ehr.test", 443)


# --- which addresses

INSIDE = [
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "198.18.0.1",
]  # fmt: skip
NEVER = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0::1",
    "::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::a00:1", "fd20:ce::254", "fec0::1", "5f00::1", "4000::1", "100::1",
]  # fmt: skip


@pytest.mark.parametrize("address", [PUBLIC, "172.32.0.1", "172.15.255.255", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_a_name_may_lead_to_the_public_internet(lead: Lead, address: str) -> None:
    lead(address)
    assert may_go(EHR)


@pytest.mark.parametrize("address", [*INSIDE, *NEVER])
def test_a_name_does_not_lead_inside_unless_the_site_says_so(lead: Lead, address: str) -> None:
    lead(address)
    assert not may_go(EHR)


@pytest.mark.parametrize("addresses", [(PUBLIC, "10.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, PUBLIC, "127.0.0.1")])
def test_one_address_inside_refuses_them_all(lead: Lead, addresses: tuple[str, ...]) -> None:
    lead(*addresses)
    assert not may_go(EHR)


@pytest.mark.parametrize(
    ("address", "is_fine"),
    [
        ("10.20.0.0", True),
        ("10.20.255.255", True),
        ("10.19.255.255", False),
        ("10.21.0.0", False),
        ("192.168.0.1", False),
        (PUBLIC, True),
    ],
)
def test_a_name_may_lead_into_a_network_that_the_site_lists(lead: Lead, address: str, is_fine: bool) -> None:
    lead(address)
    assert may_go(replace(EHR, private_networks=(ip_network("10.20.0.0/16"),))) is is_fine


def test_a_network_of_one_client_opens_nothing_for_another(lead: Lead) -> None:
    lead("10.20.0.1")
    other = Client(
        name="o", issuer="o", fhir_base_urls=("https://o.test/r4",), private_networks=(ip_network("10.20.0.0/16"),)
    )
    destinations = destinations_of((EHR, other))
    assert destinations.addresses_of("o.test", 443) == ("10.20.0.1",)
    with pytest.raises(AddressRefused):
        destinations.addresses_of("ehr.test", 443)


@pytest.mark.parametrize(
    ("base", "host"), [("https://10.1.2.3/fhir", "10.1.2.3"), ("https://[fd12::1]:8443/fhir", "fd12::1")]
)
def test_an_address_that_the_site_writes_itself_is_listed_by_that(lead: Lead, base: str, host: str) -> None:
    lead()
    client = replace(EHR, fhir_base_urls=(base,))
    assert may_go(client, host)
    assert may_go(client, f"[{host}]" if ":" in host else host)
    assert not may_go(client, "10.1.2.4")


def test_a_test_bench_reaches_this_machine_and_the_others_do_not(lead: Lead) -> None:
    lead("127.0.0.1", "::1")
    bench = replace(EHR, allow_insecure_loopback=True)
    assert may_go(bench)
    assert not may_go(EHR)


def test_the_log_names_the_host_and_where_it_leads(lead: Lead, log: io.StringIO) -> None:
    lead("10.0.0.1")
    assert not may_go(EHR)
    for said in ("ehr.test", "private-address", "10.0.0.1"):
        assert said in log.getvalue()


# --- connections


def asked(session: requests.Session, url: str) -> int:
    with session.get(url, timeout=5, allow_redirects=False) as response:
        return response.status_code


def bench_at(address: str) -> tuple[Destinations, str]:
    """Where a test bench may go whose FHIR server has a name, and its address with that name."""
    url = address.replace("127.0.0.1", "ehr.test")
    client = replace(EHR, jwks_url="", fhir_base_urls=(url,), allow_insecure_loopback=True)
    return destinations_of((client,)), url


def test_the_connection_goes_to_the_checked_address_and_the_host_header_keeps_the_name(lead: Lead) -> None:
    heads: list[bytes] = []
    looked_up = lead("127.0.0.1")

    def answer(to: socket.socket, head: bytes) -> None:
        heads.append(head)
        to.sendall(http_answer(b"{}"))

    with raw_server(answer) as address:
        destinations, url = bench_at(address)
        session = outbound_session(destinations)
        assert asked(session, f"{url}/Patient/1") == 200
        assert asked(session, f"{url}/Patient/1") == 200
        session.close()
    assert looked_up == ["ehr.test"]
    assert all(f"Host: {url.removeprefix('http://')}".encode() in head for head in heads)


def test_the_next_address_is_tried_where_the_first_does_not_answer(lead: Lead) -> None:
    lead("127.0.0.2", "127.0.0.1")
    with raw_server(lambda to, _: to.sendall(http_answer(b"{}"))) as address:
        destinations, url = bench_at(address)
        session = outbound_session(destinations)
        assert asked(session, url) == 200
        session.close()


def test_a_name_that_leads_inside_is_never_connected_to(lead: Lead) -> None:
    heads: list[bytes] = []
    lead("127.0.0.1")
    with raw_server(lambda to, head: heads.append(head)) as address:
        _, url = bench_at(address)
        client = replace(EHR, jwks_url="", fhir_base_urls=(url,))
        session = outbound_session(destinations_of((client,)))
        with pytest.raises(AddressRefused):
            asked(session, url)
        session.close()
    assert heads == []


def test_a_refused_address_is_told_to_the_clinician_as_a_server_that_is_not_listed(lead: Lead) -> None:
    lead("10.0.0.1")
    client = FhirClient.pooled(1000, destinations=destinations_of((EHR,)))
    with pytest.raises(Hindered) as hindered:
        client.get("https://ehr.test/fhir/Patient/1", "token", Deadline.after(5), Exchange())
    client.session.close()
    assert hindered.value.hindrance is Hindrance.SERVER_NOT_LISTED


# --- TLS


def certificate(folder: Path, name: str) -> Path:
    """A certificate for this name that vouches for itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            subject, subject, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def secure_server(certified: Path) -> Iterator[tuple[int, list[str | None]]]:
    """A TLS server on loopback: its port, and the names that clients say they want."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(http_answer(b"{}"))
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1], names
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


def test_the_certificate_is_that_of_the_name_and_the_name_is_asked_for(lead: Lead, tmp_path: Path) -> None:
    lead("127.0.0.1")
    certified = certificate(tmp_path, "ehr.test")
    with secure_server(certified) as (port, names):
        destinations, url = bench_at(f"https://127.0.0.1:{port}")
        session = outbound_session(destinations, str(certified))
        assert asked(session, url) == 200
        session.close()
    assert names == ["ehr.test"]


def test_a_certificate_for_another_name_is_refused(lead: Lead, tmp_path: Path) -> None:
    lead("127.0.0.1")
    certified = certificate(tmp_path, "other.test")
    with secure_server(certified) as (port, _):
        destinations, url = bench_at(f"https://127.0.0.1:{port}")
        session = outbound_session(destinations, str(certified))
        with pytest.raises(requests.exceptions.SSLError):
            asked(session, url)
        session.close()
