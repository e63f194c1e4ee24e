"""Who is calling: where a token is asked for, what is looked at first, and what stays out of the log."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hook_calls import AUTHORIZATION, JSON, SELECT, SIGN, a_call, cards_of, post
from hypothesis import given
from hypothesis import strategies as st
from tokens import BASE, ISSUER, NOW, SHARED, SPEC_EXAMPLE, Bench, claims, good, production_bench, segment, signed

from cds_service.hooks.admission import Places
from cds_service.hooks.authenticate import Authentication, audiences_of
from cds_service.hooks.bearer_token import Refused
from cds_service.hooks.clients import Client
from cds_service.hooks.json_body import write_json
from cds_service.hooks.signing_keys import read_signing_keys

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("production")
DISCOVERY = "/cds-services"
CARDS = {"Content-Type": JSON}


# --- the example of the specification

EXAMPLE = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "spec" / "jwt-known-answer.json").read_text("utf-8")
)
EXAMPLE_TOKENS = {item["spec"]: item["jwt"] for item in EXAMPLE["tokens"]}
EXAMPLE_KEYS = read_signing_keys(json.dumps(EXAMPLE["jwks"]).encode())
ISSUED, EXPIRES = 1311280970, 1422568860
EXAMPLE_CLIENT = Client(
    name="example",
    issuer=SPEC_EXAMPLE,
    jwks_url="https://fhir-ehr.example.com/jwk_uri",
    tenants=("2ddd6c3a-8e9a-44c6-a305-52111ad302a2",),
    max_token_seconds=EXPIRES - ISSUED,
)


def accepts_example(token: str, now: float, client: Client = EXAMPLE_CLIENT) -> bool:
    authentication = Authentication((client,), {"example": EXAMPLE_KEYS}, lambda: now)
    try:
        authentication.caller(f"Bearer {token}", audiences_of(BASE, "/cds-services/some-service"))
    except Refused:
        return False
    return True


@pytest.mark.spec("R-187")
@pytest.mark.parametrize("token", EXAMPLE_TOKENS.values(), ids=EXAMPLE_TOKENS)
@pytest.mark.parametrize(
    ("now", "is_let_in"), [(ISSUED - 61, False), (ISSUED - 60, True), (EXPIRES + 59, True), (EXPIRES + 60, False)]
)
def test_the_specifications_own_token_is_accepted_in_its_time(token: str, now: float, is_let_in: bool) -> None:
    assert accepts_example(token, now) is is_let_in


@pytest.mark.spec("R-182")
def test_the_specifications_own_token_lives_too_long_for_us() -> None:
    usual = replace(EXAMPLE_CLIENT, max_token_seconds=3600)
    assert not accepts_example(next(iter(EXAMPLE_TOKENS.values())), ISSUED + 1, usual)


# --- where a token is asked for


@pytest.mark.spec("R-163")
def test_discovery_needs_no_token_unless_the_site_says_so(bench: Bench) -> None:
    assert bench.client.get(DISCOVERY).status_code == 200
    bench.begin(is_discovery_open=False)
    assert bench.client.get(DISCOVERY).status_code == 401
    assert bench.client.head(DISCOVERY).status_code == 401


@pytest.mark.spec("R-164")
@pytest.mark.parametrize(("aud", "status"), [(DISCOVERY, 200), (f"{DISCOVERY}/", 200), (SIGN, 401)])
def test_a_token_for_discovery_names_discovery(bench: Bench, aud: str, status: int) -> None:
    bench.begin(is_discovery_open=False)
    headers = {"Authorization": f"Bearer {good(aud=BASE + aud)}"}
    assert bench.client.get(DISCOVERY, headers=headers).status_code == status


@pytest.mark.spec("R-033")
def test_a_site_closes_discovery_by_a_setting(tmp_path: Path) -> None:
    with production_bench(tmp_path, CDS_DISCOVERY_AUTH="true") as bench:
        assert bench.client.get(DISCOVERY).status_code == 401


@pytest.mark.parametrize("url", ["/CodeSystem/card-topics", "/CodeSystem/rules"])
def test_code_systems_are_open_to_everybody(bench: Bench, url: str) -> None:
    assert bench.client.get(url).status_code == 200


@pytest.mark.parametrize("url", ["/demo/hook_requests", "/demo/fhir/metadata", "/"])
def test_production_serves_nothing_of_the_demo(bench: Bench, url: str) -> None:
    assert bench.client.get(url).status_code == 404


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic dXNlcjp3b3Jk", f"Bearer {'x' * 20_000}"])
def test_demo_mode_asks_for_no_token_and_ignores_one(client: FlaskClient, authorization: str) -> None:
    assert cards_of(post(client, a_call(), headers={"Authorization": authorization}))


# --- what is looked at first


def test_a_call_that_concerns_us_gets_its_cards(bench: Bench) -> None:
    assert cards_of(bench.post(good(), a_call()))


REFUSED_ANYWAY = {
    "no JSON": (b"{", {"content_type": JSON}),
    "another media type": (b"{}", {"content_type": "text/plain"}),
    "packed": (b"{}", {"content_type": JSON, "headers": {"Content-Encoding": "gzip"}}),
    "far too large": (b"{}", {"content_type": JSON, "environ_overrides": {"CONTENT_LENGTH": str(10**12)}}),
}


@pytest.mark.parametrize("what", REFUSED_ANYWAY)
def test_nobody_learns_more_than_that_the_token_is_missing(bench: Bench, what: str) -> None:
    body, options = REFUSED_ANYWAY[what]
    for url in (SIGN, "/cds-services/nowhere"):
        assert bench.client.post(url, data=body, **options).status_code == 401


def test_an_unknown_service_is_404_for_a_client_only(bench: Bench) -> None:
    url = "/cds-services/nowhere"
    assert bench.post(good(aud=BASE + url), url=url).status_code == 404


@pytest.mark.spec("R-185")
def test_a_token_that_is_refused_is_not_remembered_as_used(bench: Bench) -> None:
    jti = "the-same-each-time"
    assert bench.post(good(jti=jti, exp=NOW - 100)).status_code == 401
    assert bench.post(good(jti=jti, aud="elsewhere")).status_code == 401
    assert bench.post(signed(claims(jti=jti), "rsa-remote", kid="rsa")).status_code == 401
    assert bench.post(good(jti=jti), a_call()).status_code == 200


@pytest.mark.spec("R-179")
def test_two_issuers_may_use_the_same_token_id(bench: Bench) -> None:
    assert bench.post(good(jti="1")).status_code == 200
    assert bench.post(signed(claims(iss=SHARED, tenant="north", jti="1")), a_call()).status_code == 200


@pytest.mark.spec("R-179")
def test_a_token_is_refused_again_until_it_has_expired(bench: Bench) -> None:
    token = good(exp=NOW + 300)
    assert bench.post(token).status_code == 200
    for later in (300, 359):
        bench.now = NOW + later
        assert bench.post(token).status_code == 401


@pytest.mark.spec("R-179")
def test_of_fifty_calls_at_once_with_one_token_one_is_answered(bench: Bench) -> None:
    token, ready, statuses = good(), threading.Barrier(50), list[int]()
    headers = {"Authorization": f"Bearer {token}"}

    def call(number: int) -> None:
        body = write_json(a_call(hookInstance=f"call-{number}"))
        ready.wait(30)
        statuses.append(bench.app.test_client().post(SIGN, data=body, content_type=JSON, headers=headers).status_code)

    bench.begin(places=Places(200))
    threads = [threading.Thread(target=call, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200] + [401] * 49


@pytest.mark.spec("R-198")
def test_a_repeated_call_with_its_token_gets_the_same_cards(bench: Bench) -> None:
    token, call = good(), a_call()
    assert bench.post(token, call).data == bench.post(token, call).data


@pytest.mark.spec("R-184")
def test_neither_the_clients_token_nor_the_one_in_the_body_is_logged(bench: Bench, log: io.StringIO) -> None:
    token = good()
    call = a_call(fhirServer="https://ehr.example.org/fhir", fhirAuthorization={**AUTHORIZATION, "expires_in": 0})
    assert cards_of(bench.post(token, call))
    bench.post(token, {**call, "hookInstance": "again"})
    written = log.getvalue()
    assert "jti-replayed" in written
    for secret in (*token.split("."), str(AUTHORIZATION["access_token"]), str(call["context"]["patientId"])):
        assert secret not in written


def test_what_a_verified_token_names_instead_is_logged_for_whoever_sets_it_up(bench: Bench, log: io.StringIO) -> None:
    bench.post(good(aud="https://cds.example.org/typed-by-hand"))
    assert '"told": "https://cds.example.org/typed-by-hand"' in log.getvalue()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"aud": "sand_man"}, "sand_man"),
        ({"aud": ["https://cds.example.org:8443/cds-services/", "other"]}, "https://cds.example.org:8443/cds-services/,other"),
        ({"aud": []}, ""),
        ({"exp": NOW + 5400}, "5400 seconds"),
        ({"iss": SHARED, "tenant": "elsewhere"}, "elsewhere"),
    ],
)  # fmt: skip
def test_an_address_a_word_and_a_time_of_a_verified_token_are_told(
    bench: Bench, log: io.StringIO, said: Mapping[str, object], told: str
) -> None:
    bench.post(good(**said))
    assert refused_line(log).get("told", "") == told


@pytest.mark.parametrize(
    "written",
    [
        "Synthetic Child", "Child, Synthetic", "MRN 0012345", "0012345", "2025-12-24", "Patient/abc",
        "https://ehr.example.org/Patient/7f3", "https://ehr.example.org/cds?patient=abc", "eyJhbGciOi.e30.x",
        "a\nb", "\x1b[31mred", "x" * 3000, {"Synthetic": "Child"}, [["Synthetic"]], ["sand_man", "Synthetic Child"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("claim", ["aud", "tenant"])
def test_nothing_else_of_a_verified_token_is_told(bench: Bench, log: io.StringIO, claim: str, written: object) -> None:
    bench.post(good(**{"iss": SHARED, claim: written}))
    line = refused_line(log)
    assert line["reason"] == claim
    assert "told" not in line
    assert "dropped" not in line  # that would call for a report of a defect


def refused_line(log: io.StringIO) -> dict[str, object]:
    (line,) = [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == "not_authenticated"]
    return line


def test_what_an_unverified_token_says_is_not_logged(bench: Bench, log: io.StringIO) -> None:
    bench.post(signed(claims(iss="https://evil.example.org/Synthetic-Name", aud="Synthetic-Name"), "rsa-remote"))
    bench.post(signed(claims(aud="Synthetic-Name", tenant="Synthetic-Name"), "rsa-remote", kid="rsa"))
    assert "not_authenticated" in log.getvalue()
    assert "Synthetic-Name" not in log.getvalue()


# --- whatever is sent

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
members = st.sampled_from(
    ["alg", "typ", "kid", "jku", "crit", "b64", "iss", "aud", "exp", "iat", "nbf", "jti", "tenant"]
)


@given(header=st.dictionaries(members, json_values, max_size=3), said=st.dictionaries(members, json_values, max_size=3))
def test_a_signed_token_with_anything_in_it_is_let_in_or_refused_and_nothing_else(
    header: Mapping[str, object], said: Mapping[str, object]
) -> None:
    authentication = Authentication((Client(name="one", issuer=ISSUER),), {"one": EXAMPLE_KEYS}, lambda: NOW)
    head = {"alg": "ES384", "typ": "JWT", "kid": "example-kid", **header}
    token = f"{segment(write_json(head))}.{segment(write_json({**claims(), **said}))}.{segment(b'x' * 96)}"
    with pytest.raises(Refused):
        authentication.caller(f"Bearer {token}", audiences_of(BASE, SIGN))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=200))
def test_any_text_in_the_header_is_refused(written: str) -> None:
    authentication = Authentication((), {}, lambda: NOW)
    with pytest.raises(Refused):
        authentication.caller(written, ())


@pytest.mark.parametrize("path", [SELECT, f"{SELECT}/"])
def test_the_accepted_addresses_have_one_slash_at_most(path: str) -> None:
    assert audiences_of(BASE, path) == (BASE + SELECT, f"{BASE}{SELECT}/")


def test_feedback_may_name_the_service_too() -> None:
    named = audiences_of(BASE, f"{SELECT}/feedback")
    assert set(named) == {BASE + SELECT + end for end in ("", "/", "/feedback", "/feedback/")}
