"""The authorization server of demo mode lets an app in only by the whole of SMART App Launch, PKCE included."""

from __future__ import annotations

import jwt
import pytest
from fhir_calls import TOKEN, issue_of
from flask.testing import FlaskClient
from smart_calls import (
    HOST,
    OF_ALL,
    OF_SCENARIO,
    PATIENT,
    SCENARIO,
    SCOPES,
    VERIFIER,
    ask,
    challenge_of,
    exchange,
    sent_back,
    token,
)

from cds_service.web.smart_authorization import (
    CODE_SECONDS,
    AuthorizationCodes,
    AuthorizationRequest,
    OAuthRefused,
    granted_scope,
)

BASES = (OF_ALL, OF_SCENARIO, f"/demo/faulty/status-500/{SCENARIO}/fhir")


@pytest.mark.parametrize("base", BASES)
def test_every_fhir_server_says_how_it_authorizes(client: FlaskClient, base: str) -> None:
    said = client.get(f"{base}/.well-known/smart-configuration").get_json()
    assert said["authorization_endpoint"] == f"{HOST}{base}/auth/authorize"
    assert said["token_endpoint"] == f"{HOST}{base}/auth/token"
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert {"launch-ehr", "launch-standalone", "client-public", "permission-v2"} <= set(said["capabilities"])


@pytest.mark.parametrize("base", BASES[:2])
def test_the_capability_statement_names_the_same_addresses(client: FlaskClient, base: str) -> None:
    (security,) = [rest["security"] for rest in client.get(f"{base}/metadata").get_json()["rest"]]
    (addresses,) = security["extension"]
    assert {item["url"]: item["valueUri"] for item in addresses["extension"]} == {
        "authorize": f"{HOST}{base}/auth/authorize",
        "token": f"{HOST}{base}/auth/token",
    }


@pytest.mark.parametrize("path", [".well-known/smart-configuration", "auth/authorize", "auth/keys"])
def test_a_scenario_that_is_not_there_has_no_authorization_server(client: FlaskClient, path: str) -> None:
    assert issue_of(client.get(f"/demo/scenarios/onasemnogene-patient-view/nowhere/fhir/{path}"))[0] == 404


def test_pages_of_this_machine_may_read_the_configuration(client: FlaskClient) -> None:
    headers = {"Origin": "http://127.0.0.1:5000"}
    answer = client.get(f"{OF_ALL}/.well-known/smart-configuration", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:5000"


def test_a_launch_from_the_chart_ends_in_a_token_for_its_patient(client: FlaskClient) -> None:
    back = sent_back(ask(client))
    assert back["state"] == "state-of-this-launch"
    granted = exchange(client, back["code"]).get_json()
    assert (granted["token_type"], granted["patient"], granted["scope"]) == ("Bearer", PATIENT, SCOPES)
    chart = {"Authorization": f"Bearer {granted['access_token']}"}
    assert client.get(f"{OF_SCENARIO}/Patient/{PATIENT}", headers=chart).status_code == 200


def test_who_is_signed_in_is_told_and_signed(client: FlaskClient) -> None:
    id_token = token(client, nonce="once")["id_token"]
    keys = client.get(f"{OF_SCENARIO}/auth/keys").get_json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(id_token)["kid"]]
    said = jwt.decode(id_token, key, algorithms=["ES384"], audience="onasemnogene-cds", issuer=f"{HOST}{OF_SCENARIO}")
    assert said["fhirUser"] == f"{HOST}{OF_SCENARIO}/Practitioner/synthetic-prescriber"
    assert said["nonce"] == "once"


def test_without_openid_nobody_is_told_who_is_signed_in(client: FlaskClient) -> None:
    assert "id_token" not in token(client, scope="launch patient/Patient.rs")


def test_without_a_launch_scope_no_patient_is_told(client: FlaskClient) -> None:
    assert "patient" not in token(client, scope="patient/Patient.rs")


def test_only_known_scopes_are_granted() -> None:
    asked = "launch/patient openid offline_access patient/Observation.rs patient/Observation.cruds system/*.rs openid"
    assert granted_scope(asked) == "launch/patient openid patient/Observation.rs"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": f"{HOST}{OF_ALL}"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
    ],
)
def test_an_incomplete_request_is_sent_back_with_the_reason(
    client: FlaskClient, changes: dict[str, str | None], error: str
) -> None:
    back = sent_back(ask(client, **changes))
    assert (back["error"], "code" in back) == (error, False)
    assert back.get("state") == (None if "state" in changes else "state-of-this-launch")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://elsewhere.example.org/app/"},
        {"redirect_uri": f"{HOST}/app/launch"},
        {"redirect_uri": "http://127.0.0.1.example.org/app/"},
        {"redirect_uri": "http://127.0.0.1:8000@example.org/app/"},
        {"redirect_uri": None},
        {"client_id": None},
    ],
)
def test_nobody_is_ever_sent_to_a_page_that_is_not_ours(client: FlaskClient, changes: dict[str, str | None]) -> None:
    answer = ask(client, **changes)
    assert (answer.status_code, answer.headers.get("Location")) == (400, None)
    assert answer.get_json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"code": ""}, 400, "invalid_request"),
        ({"code": "guessed"}, 400, "invalid_grant"),
        ({"client_id": "another-app"}, 401, "invalid_client"),
        ({"redirect_uri": f"{HOST}/app"}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"code_verifier": VERIFIER + "x"}, 400, "invalid_grant"),
        ({"code_verifier": "too-short"}, 400, "invalid_grant"),
    ],
)
def test_a_code_is_exchanged_only_by_who_asked_for_it(
    client: FlaskClient, changes: dict[str, str], status: int, error: str
) -> None:
    code = sent_back(ask(client))["code"]
    answer = exchange(client, **{"code": code, **changes})  # type: ignore[arg-type]
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)
    assert "access_token" not in answer.get_json()


def test_a_code_is_good_once(client: FlaskClient) -> None:
    code = sent_back(ask(client))["code"]
    assert exchange(client, code).status_code == 200
    assert exchange(client, code).get_json()["error"] == "invalid_grant"


def test_a_code_is_spent_even_where_the_exchange_fails(client: FlaskClient) -> None:
    code = sent_back(ask(client))["code"]
    exchange(client, code, code_verifier="x" * 43)
    assert exchange(client, code).get_json()["error"] == "invalid_grant"


def test_a_code_of_one_server_is_no_good_at_another(client: FlaskClient) -> None:
    code = sent_back(ask(client))["code"]
    assert exchange(client, code, OF_ALL).get_json()["error"] == "invalid_grant"


REQUEST = AuthorizationRequest("base", "app", "page", "state", "launch", challenge_of(VERIFIER), "", "")
FORM = {
    "grant_type": "authorization_code",
    "client_id": "app",
    "redirect_uri": "page",
    "code_verifier": VERIFIER,
}


@pytest.mark.parametrize(("later", "is_good"), [(CODE_SECONDS, True), (CODE_SECONDS + 0.1, False)])
def test_a_code_is_good_for_a_minute(later: float, is_good: bool) -> None:
    now = [0.0]
    codes = AuthorizationCodes(lambda: now[0])
    code = codes.issue(REQUEST, "patient", "Practitioner/one")
    now[0] = later
    if is_good:
        assert codes.redeem({**FORM, "code": code}, "base").patient == "patient"
    else:
        with pytest.raises(OAuthRefused, match="too old"):
            codes.redeem({**FORM, "code": code}, "base")


def test_no_more_than_a_thousand_codes_are_kept() -> None:
    codes = AuthorizationCodes(lambda: 0)
    first = codes.issue(REQUEST, "", "Practitioner/one")
    last = [codes.issue(REQUEST, "", "Practitioner/one") for _ in range(1000)][-1]
    assert codes.redeem({**FORM, "code": last}, "base").user == "Practitioner/one"
    with pytest.raises(OAuthRefused):
        codes.redeem({**FORM, "code": first}, "base")


def test_the_server_of_all_patients_lets_the_user_choose(client: FlaskClient) -> None:
    page = ask(client, OF_ALL, launch=None, scope="launch/patient patient/Patient.rs")
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    patients = client.get(f"{OF_ALL}/Patient?_count=200", headers=TOKEN).get_json()["total"]
    assert page.text.count("&amp;patient=synthetic-") == patients


def test_the_patient_who_was_chosen_is_the_one_of_the_token(client: FlaskClient) -> None:
    granted = token(client, OF_ALL, launch=None, scope="launch/patient patient/Patient.rs", patient="synthetic-day-28")
    assert granted["patient"] == "synthetic-day-28"


def test_a_launch_may_name_a_patient_of_the_server_and_nobody_else(client: FlaskClient) -> None:
    assert token(client, OF_ALL, launch="synthetic-day-28")["patient"] == "synthetic-day-28"
    assert sent_back(ask(client, OF_ALL, launch="nobody"))["error"] == "invalid_request"


def test_what_is_written_into_the_address_stays_text(client: FlaskClient) -> None:
    page = ask(client, OF_ALL, launch=None, state='"><script>alert(1)</script>')
    assert "<script>" not in page.text
