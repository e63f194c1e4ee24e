"""Pages of registered EHRs may call from a browser, others may not; and what every answer says to a browser."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from hook_calls import SIGN, a_call, about_another_drug, post
from tokens import Bench, good
from werkzeug.test import TestResponse

from cds_service.hooks import Evaluator
from cds_service.hooks.call_rates import CallRates
from cds_service.store.shared_state import open_shared_state

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("production")
OURS = [
    "https://ehr.example.org", "https://EHR.example.org", "https://north.example.org:8443", "https://[2001:db8::1]:8443",
]  # fmt: skip
FOREIGN = [
    "https://evil.example.org",
    "http://ehr.example.org",
    "https://ehr.example.org:443",
    "https://ehr.example.org.evil.org",
    "https://ehrXexample.org",
    "https://north.example.org",
    "https://sub.ehr.example.org",
    "https://d",
    "http://127.0.0.1:8000",
    "http://localhost",
    "null",
    "*",
]
FEEDBACK = f"{SIGN}/feedback"
URLS = ["/cds-services", SIGN, f"{SIGN}/", FEEDBACK, "/CodeSystem/rules"]


def preflight(bench: Bench, url: str, origin: str) -> TestResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET" if url.startswith("/CodeSystem") else "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    return bench.client.options(url, headers=headers)


def allowed(response: TestResponse) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.lower().startswith("access-control-allow")}


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


@pytest.mark.spec("R-190")
@pytest.mark.spec("R-191")
@pytest.mark.parametrize("origin", OURS)
@pytest.mark.parametrize("url", URLS)
def test_a_page_of_a_registered_ehr_passes_the_preflight_without_a_token(bench: Bench, url: str, origin: str) -> None:
    response = preflight(bench, url, origin)
    assert response.status_code in (200, 204)
    assert response.headers.getlist("Access-Control-Allow-Origin") == [origin]
    assert words(response.headers["Access-Control-Allow-Methods"]) >= {"get", "post", "options"}
    assert words(response.headers["Access-Control-Allow-Headers"]) == {"authorization", "content-type"}
    assert response.headers.getlist("Vary") == ["Origin"]


@pytest.mark.spec("R-192")
@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_gets_no_cors_header(bench: Bench, origin: str) -> None:
    for response in (
        *(preflight(bench, url, origin) for url in URLS),
        bench.client.get("/cds-services", headers={"Origin": origin}),
        bench.post(good(), Origin=origin),
        bench.post(None, Origin=origin),
    ):
        assert allowed(response) == {}
        assert response.headers.getlist("Vary") == ["Origin"]


def test_without_an_origin_no_page_is_named(bench: Bench) -> None:
    for response in (bench.client.get("/cds-services"), bench.post(good()), bench.client.options(SIGN)):
        assert allowed(response) == {}
        assert response.headers.getlist("Vary") == ["Origin"]


@pytest.mark.spec("R-192")
def test_credentials_are_never_allowed(bench: Bench) -> None:
    for response in (preflight(bench, SIGN, OURS[0]), bench.post(good(), Origin=OURS[0])):
        assert "Access-Control-Allow-Credentials" not in response.headers


def fail(*_: object) -> None:
    raise ValueError


@pytest.mark.spec("R-193")
def test_every_error_carries_the_cors_headers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Origin": OURS[0]}
    answers = [
        bench.post(good(), a_call(), **headers),
        bench.post(good(), b"{", **headers),
        bench.post(None, **headers),
        bench.client.get(SIGN, headers=headers),
        bench.client.get("/cds-services/nowhere/at/all", headers=headers),
        bench.post(good(), a_call(prefetch={}), **headers),
    ]
    answers += [
        bench.post(token, feedback, FEEDBACK, **headers)
        for token, feedback in ((good(), {"feedback": []}), (good(), {"feedback": 1}), (None, {"feedback": []}))
    ]
    monkeypatch.setattr(Evaluator, "answer", fail)
    answers.append(bench.post(good(), **headers))
    counts = open_shared_state("memory://").call_counts
    counts.add("client", "static", 1)
    bench.begin(rates=CallRates(counts, 1))
    answers.append(bench.post(good(), **headers))
    assert {answer.status_code for answer in answers} == {200, 400, 401, 404, 405, 412, 429, 500}
    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in answers} == {OURS[0]}


# --- what every answer says


def every_answer(bench: Bench) -> list[TestResponse]:
    return [
        bench.client.get("/cds-services"),
        bench.client.get("/CodeSystem/rules"),
        bench.client.options(SIGN),
        bench.client.get("/nowhere"),
        bench.post(good(), a_call()),
        bench.post(good(), b"{"),
        bench.post(None),
    ]


def test_every_answer_is_data_for_the_caller_alone(bench: Bench) -> None:
    for response in every_answer(bench):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "Set-Cookie" not in response.headers


def test_demo_mode_says_the_same(client: FlaskClient) -> None:
    response = post(client, about_another_drug())
    assert (response.headers["X-Content-Type-Options"], response.headers["Cache-Control"]) == ("nosniff", "no-store")
