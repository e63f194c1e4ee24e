"""The served OpenAPI description: valid, whole, and true of what the service takes and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from builders import hook_request
from compose_fixtures import FHIR_FIXTURES, ask
from described_api import DescribedApi
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import JSON, a_call, post
from openapi_spec_validator import OpenAPIV31SpecValidator
from remembering_service import an_item
from simulated_children import CHILDREN, day
from tokens import Bench

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks.errors import _CODE_OF_STATUS, _STATUS_AND_CODE
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.services import SERVICES
from cds_service.hooks.views import STORE

Json = dict[str, Any]
COURSE = "/app/course"
PATHS = [f"/cds-services/{service.service_id}" for service in SERVICES]
HOOK_OF = {f"/cds-services/{service.service_id}": service.hook for service in SERVICES}
# Not for clients: the files of the pages, and what exists in demo mode only.
NOT_DESCRIBED = re.compile(r"/static/|/demo/|/\Z")
# What the specification requires, and the service can do without: such a call gets no cards.
DONE_WITHOUT = {"draftOrders"}
# Fixture requests that are odd on purpose, and how; EHRs send such, and they are understood all the same.
ODD = {
    "onasemnogene-order-select/bare-selection": "a selection without its type",
    "onasemnogene-order-select/stripped": "neither selections nor drafts",
    "onasemnogene-order-select/prefetch-in-trouble": "lists that are arrays",
    "onasemnogene-order-sign/stripped": "no drafts",
    "onasemnogene-order-sign/prefetch-in-trouble": "lists that are arrays",
    "onasemnogene-order-sign/essential-lists-in-trouble": "lists that are arrays",
}


@pytest.fixture(scope="module")
def api(app: Flask) -> DescribedApi:
    return DescribedApi.served_by(app.test_client())


@pytest.fixture
def api_in_production(bench: Bench) -> DescribedApi:
    return DescribedApi.served_by(bench.client)


def fixture_requests(path: str) -> Iterator[tuple[str, bytes]]:
    """Every fixture request of a service, by name."""
    for file in sorted((FHIR_FIXTURES / "hook_requests" / Path(path).name).glob("*.json")):
        yield f"{file.parent.name}/{file.stem}", file.read_bytes()


# --- valid


def test_it_is_valid_openapi_3_1(api: DescribedApi) -> None:
    assert api.document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(api.document).iter_errors()] == []


@pytest.mark.xdist_group("production")
def test_it_is_valid_in_production_mode(api_in_production: DescribedApi) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(api_in_production.document).iter_errors()] == []


def test_every_part_is_referred_to_and_every_reference_leads_somewhere(api: DescribedApi) -> None:
    written = json.dumps(api.document)
    named = set(re.findall(r'"#/components/(\w+/[\w-]+)"', written))
    parts = {f"{kind}/{name}" for kind, found in api.document["components"].items() for name in found}
    assert named == parts - {name for name in parts if name.startswith("securitySchemes/")}
    assert "${" not in written


# --- whole


def described_rules(app: Flask, api: DescribedApi) -> set[tuple[str, str]]:
    """The routes of the application that the described addresses lead to, with their methods."""
    adapter = app.url_map.bind("127.0.0.1")
    found = set()
    for method, path in api.operations:
        address = path.replace("{name}", "rules").replace("{ruleId}", "any")
        rule, _ = adapter.match(address, method=method.upper(), return_rule=True)
        found.add((rule.rule, method.upper()))
    return found


def offered_rules(app: Flask) -> set[tuple[str, str]]:
    """The routes of the application for clients, with their methods."""
    return {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not NOT_DESCRIBED.match(rule.rule)
    }


def test_every_route_is_described_and_no_other(app: Flask, api: DescribedApi) -> None:
    assert described_rules(app, api) == offered_rules(app)


@pytest.mark.xdist_group("production")
def test_in_production_mode_every_route_is_described_and_no_other(bench: Bench) -> None:
    assert described_rules(bench.app, DescribedApi.served_by(bench.client)) == offered_rules(bench.app)


def test_the_services_of_discovery_are_described_in_its_words(client: FlaskClient, api: DescribedApi) -> None:
    offered = client.get("/cds-services").json["services"]
    calls = {path: operation for (_, path), operation in api.operations.items() if path.startswith("/cds-services/")}
    told = {f"/cds-services/{entry['id']}": (entry["title"], entry["description"]) for entry in offered}
    assert {path: (said["summary"], said["description"]) for path, said in calls.items() if path in told} == told
    assert set(calls) == set(told) | {f"{path}/feedback" for path in told}
    keys = set(api.resolved({"$ref": "#/components/schemas/Prefetch"})["properties"])
    assert keys == set(offered[0]["prefetch"])


@pytest.mark.xdist_group("production")
def test_every_status_of_a_refusal_is_described(api_in_production: DescribedApi) -> None:
    described = {int(status) for said in api_in_production.operations.values() for status in said["responses"]}
    assert described == {200, 500} | {status for _, status, _ in _STATUS_AND_CODE}
    outcome = api_in_production.document["components"]["schemas"]["OperationOutcome"]
    codes = outcome["properties"]["issue"]["items"]["properties"]["code"]["enum"]
    assert set(codes) == {"exception", *_CODE_OF_STATUS.values(), *(code for _, _, code in _STATUS_AND_CODE)}


# --- true of what is sent


@pytest.mark.spec("R-204")
@pytest.mark.parametrize("path", PATHS)
def test_every_fixture_request_and_its_answer_conform(client: FlaskClient, api: DescribedApi, path: str) -> None:
    asked = api.request_schema(path)
    breaches: dict[str, list[str]] = {}
    for name, body in fixture_requests(path):
        if found := api.breaches(asked, json.loads(body)):
            breaches[name] = found
        status, answer = ask(client, HOOK_OF[path], body)
        assert api.breaches(api.answer_schema("post", path, status), answer) == [], name
    assert set(breaches) == {name for name in ODD if name.startswith(f"{Path(path).name}/")}, breaches


def members_of(api: DescribedApi, schema: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where the members stand that a call must have, those of its context included."""
    schema = api.resolved(schema)
    for name in schema.get("required", []):
        yield (*path, name)
    if "context" in schema.get("properties", {}):
        yield from members_of(api, schema["properties"]["context"], (*path, "context"))


@pytest.mark.parametrize("path", PATHS)
def test_a_call_without_a_required_member_is_refused_and_the_member_named(
    client: FlaskClient, api: DescribedApi, path: str
) -> None:
    for member in members_of(api, api.request_schema(path)):
        call = deepcopy(a_call(HOOK_OF[path]))
        del (call["context"] if len(member) > 1 else call)[member[-1]]
        response = post(client, call, path)
        if member[-1] in DONE_WITHOUT:
            assert response.json == {"cards": []}
        else:
            assert (response.status_code, response.json["issue"][0]["expression"]) == (400, [".".join(member)])


@pytest.mark.parametrize("outcome", ["accepted", "overridden"])
def test_feedback_conforms_and_without_a_required_member_is_refused(
    client: FlaskClient, api: DescribedApi, outcome: str
) -> None:
    path = f"{PATHS[0]}/feedback"
    accepted = {"acceptedSuggestions": [{"id": "a-suggestion"}]}
    item = {**an_item("a-card"), "outcome": outcome, **(accepted if outcome == "accepted" else {})}
    assert api.breaches(api.request_schema(path), {"feedback": [item]}) == []
    assert post(client, {"feedback": [item]}, path).status_code == 200
    for name in api.document["components"]["schemas"][f"{outcome.capitalize()}Card"]["required"]:
        lacking = {key: value for key, value in item.items() if key != name}
        assert api.breaches(api.request_schema(path), {"feedback": [lacking]})
        assert post(client, {"feedback": [lacking]}, path).status_code == 400, name


# --- true of what is answered


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.name)
def test_the_course_of_a_simulated_child_conforms_before_and_after_the_infusion(api: DescribedApi, child: Any) -> None:
    for number in (-2, 0, 8, 28, 46, 62, 95):
        now = datetime.combine(day(number), time(12), UTC).isoformat()
        app = create_app(load_settings({"CDS_MODE": "demo", "CDS_NOW": now}))
        call = write_json(hook_request(child.on(number)))
        answer = app.test_client().post(COURSE, data=call, content_type=JSON)
        app.extensions[STORE].close()
        assert api.breaches(api.request_schema(COURSE), read_json_object(call)) == []
        assert api.breaches(api.answer_schema("post", COURSE, 200), answer.json) == [], number


def test_every_chart_of_the_fixtures_gives_a_course_that_conforms(client: FlaskClient, api: DescribedApi) -> None:
    for name, body in fixture_requests("/cds-services/onasemnogene-patient-view"):
        answer = client.post(COURSE, data=body, content_type=JSON)
        assert api.breaches(api.answer_schema("post", COURSE, answer.status_code), answer.json) == [], name


@pytest.mark.parametrize(
    "path", ["/cds-services", "/about", "/rules", "/health/live", "/health/ready", "/openapi.json"]
)
def test_what_is_asked_with_get_conforms(client: FlaskClient, api: DescribedApi, path: str) -> None:
    answer = client.get(path, headers={"Accept": JSON})
    assert api.breaches(api.answer_schema("get", path, 200), answer.json) == []


def test_every_rule_and_code_system_conforms(client: FlaskClient, api: DescribedApi) -> None:
    rule, codes = api.answer_schema("get", "/rules/{ruleId}", 200), "application/fhir+json"
    for rule_id in api.document["components"]["schemas"]["RuleId"]["enum"]:
        assert api.breaches(rule, client.get(f"/rules/{rule_id}", headers={"Accept": JSON}).json) == []
    for name in api.document["components"]["schemas"]["CodeSystemName"]["enum"]:
        body = json.loads(client.get(f"/CodeSystem/{name}").data)
        assert api.breaches(api.answer_schema("get", "/CodeSystem/{name}", 200, codes), body) == []


def test_a_card_with_a_member_that_nobody_described_does_not_conform(client: FlaskClient, api: DescribedApi) -> None:
    schema = api.answer_schema("post", PATHS[1], 200)
    answer = post(client, a_call("order-sign")).json
    assert answer["cards"]
    assert api.breaches(schema, answer) == []
    for part in (answer, answer["cards"][0], answer["cards"][0]["extension"]["onasemnogene-cds.findings"][0]):
        part["surplus"] = "text"
        assert api.breaches(schema, answer)
        del part["surplus"]


# --- where it is served


@pytest.mark.xdist_group("production")
def test_production_serves_it_without_a_token_and_asks_for_one_where_it_says_so(bench: Bench) -> None:
    api = DescribedApi.served_by(bench.client)
    asking = {path for (_, path), operation in api.operations.items() if "security" in operation}
    assert asking == {*PATHS, *(f"{path}/feedback" for path in PATHS)}
    for path in asking:
        refused = bench.client.post(path, data=b"{}", content_type=JSON)
        assert refused.status_code == 401
        assert api.breaches(api.answer_schema("post", path, 401), refused.json) == []
    assert api.document["servers"] == [{"url": bench.admission.base_url}]


def test_demo_mode_says_that_no_token_is_asked(api: DescribedApi) -> None:
    assert [operation for operation in api.operations.values() if "security" in operation] == []
    assert "401" not in {status for operation in api.operations.values() for status in operation["responses"]}


def test_a_page_of_this_machine_may_read_it_in_demo_mode(client: FlaskClient) -> None:
    answer = client.get("/openapi.json", headers={"Origin": "http://localhost:3000"})
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_names_the_limits_of_the_installation() -> None:
    app = create_app(load_settings({"CDS_MODE": "demo", "CDS_MAX_BODY_MB": "3"}))
    api = DescribedApi.served_by(app.test_client())
    app.extensions[STORE].close()
    assert "3145728 bytes" in api.document["components"]["responses"]["TooLarge"]["description"]
