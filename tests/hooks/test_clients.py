"""Which FHIR servers a client may be asked about, and who is calling where nobody has to prove it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.hooks.clients import DEMO_CLIENT, Client, Quirks, client_of, is_loopback

BASE = "https://ehr.example.org/fhir/R4"
EHR = Client(name="example-ehr", issuer="https://ehr.example.org", fhir_base_urls=(BASE,))
OTHER = Client(name="other-ehr", issuer="https://other.example.org", fhir_base_urls=("https://other.example.org/r4",))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "http://127.0.0.1/",
        "https://127.0.0.1:8443/fhir/r4",
        "http://127.255.255.255:65535/fhir",
        "http://localhost:8000/demo/fhir",
        "HTTP://LocalHost:8000",
        "http://[::1]:8080/fhir/",
        "http://127.0.0.1/a%20b/c;d=e,f",
    ],
)
def test_an_address_that_surely_leads_to_this_machine_is_loopback(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "//localhost/fhir",
        "ftp://127.0.0.1/fhir",
        "file:///etc/passwd",
        "http://128.0.0.1",
        "http://126.255.255.255",
        "http://127.0.0.256",
        "http://127.0.0.01",
        "http://127.0.1",
        "http://127.1",
        "http://2130706433",
        "http://0.0.0.0",
        "http://0x7f000001",
        "http://[::]",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://example.org/localhost",
        "http://localhost@example.org",
        "http://127.0.0.1:80@example.org/",
        "http://user@127.0.0.1/",
        "http://user:word@localhost/",
        "http://127.0.0.1\\@example.org/",
        "http://127.0.0.1/\\example.org",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:/",
        "http://127.0.0.1:80a/",
        "http://127.0.0.1?x=http://example.org",
        "http://127.0.0.1/fhir?x=1",
        "http://127.0.0.1/fhir#x",
        "http://127.0.0.1/@example.org",
        " http://127.0.0.1",
        "http://127.0.0.1 ",
        "http://127.0.0.1\n",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\tx",
        "http://127.0.0.1/\x00",
        "http://\uff11\uff12\uff17.0.0.1",
        "http://\u0661\u0662\u0667.0.0.1",
        "http\u017f://localhost",
        "http://loca\u212bhost",
        "http://localhost\u3002example.org",
    ],
)
def test_anything_odd_is_not_loopback(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    "url", [BASE, f"{BASE}/", "HTTPS://EHR.Example.ORG/fhir/R4", "https://ehr.EXAMPLE.org/fhir/R4/"]
)
def test_a_client_may_be_asked_about_its_own_fhir_base(url: str) -> None:
    assert EHR.may_fetch_from(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"{BASE}//",
        f"{BASE}/x",
        f"{BASE}x",
        f"{BASE}?x=1",
        f"{BASE}#",
        f" {BASE}",
        "https://ehr.example.org",
        "https://ehr.example.org/fhir",
        "https://ehr.example.org/fhir/r4",
        "https://ehr.example.org:443/fhir/R4",
        "http://ehr.example.org/fhir/R4",
        "https://user@ehr.example.org/fhir/R4",
        "https://ehr.example.org./fhir/R4",
        "https://other.example.org/fhir/R4",
        "https://ehr.example.org\\fhir/R4",
        "https://ehr.example.org/fhir/R4\u212a",
        "http://127.0.0.1/fhir",
    ],
)
def test_no_other_address_is_asked(url: str) -> None:
    assert not EHR.may_fetch_from(url)


def test_a_letter_that_only_becomes_ascii_in_lower_case_is_another_host() -> None:
    kiosk = replace(EHR, fhir_base_urls=("https://kiosk.example.org/r4",))
    assert "\u212a".lower() == "k"
    assert not kiosk.may_fetch_from("https://\u212aiosk.example.org/r4")


def test_a_client_without_fhir_bases_is_asked_nothing() -> None:
    assert not replace(EHR, fhir_base_urls=()).may_fetch_from("")


def test_the_demo_client_may_be_asked_about_this_machine_only() -> None:
    assert (DEMO_CLIENT.name, DEMO_CLIENT.quirks) == ("demo", Quirks())
    assert DEMO_CLIENT.may_fetch_from("http://127.0.0.1:8000/demo/fhir")
    assert not DEMO_CLIENT.may_fetch_from(BASE)


def test_outside_demo_mode_this_machine_needs_to_be_listed() -> None:
    bench = replace(EHR, fhir_base_urls=("http://127.0.0.1:9000/fhir",), allow_insecure_loopback=True)
    assert bench.may_fetch_from("http://127.0.0.1:9000/fhir/")
    assert not bench.may_fetch_from("http://127.0.0.1:9001/fhir")


# --- who is calling, in demo mode


def named(clients: tuple[Client, ...], fhir_server: str) -> str:
    return client_of(clients, fhir_server).name


@pytest.mark.parametrize("fhir_server", [BASE, f"{BASE}/", "https://EHR.example.org/fhir/R4"])
def test_the_client_is_told_by_the_fhir_server_of_the_call(fhir_server: str) -> None:
    assert named((OTHER, EHR), fhir_server) == "example-ehr"


@pytest.mark.parametrize("fhir_server", ["", "https://unknown.example.org/r4", "http://127.0.0.1:8000/demo/fhir"])
def test_an_only_client_is_the_caller_whatever_the_call_names(fhir_server: str) -> None:
    assert named((EHR,), fhir_server) == "example-ehr"


@pytest.mark.parametrize("clients", [(), (EHR, OTHER)])
@pytest.mark.parametrize("fhir_server", ["", "https://unknown.example.org/r4", "http://127.0.0.1:8000/demo/fhir"])
def test_a_call_that_tells_none_of_several_clients_is_the_demo_clients(
    clients: tuple[Client, ...], fhir_server: str
) -> None:
    assert client_of(clients, fhir_server) == DEMO_CLIENT


def test_of_two_clients_with_one_fhir_server_the_first_is_the_caller() -> None:
    assert named((EHR, replace(OTHER, fhir_base_urls=(BASE,))), BASE) == "example-ehr"


@pytest.mark.parametrize("fhir_server", [BASE, ""])
def test_in_demo_mode_every_client_may_also_be_asked_about_this_machine(fhir_server: str) -> None:
    client = client_of((EHR,), fhir_server)
    assert client.may_fetch_from("http://localhost:8000/demo/fhir")
    assert client.may_fetch_from(BASE)
    assert not client.may_fetch_from("https://other.example.org/r4")
    assert not EHR.may_fetch_from("http://localhost:8000/demo/fhir")
