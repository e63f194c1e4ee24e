"""What is asked of the service beside what schemathesis makes up and checks by itself.

Importing this adds the checks to those of schemathesis, in this process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import schemathesis
from compose_fixtures import FHIR_FIXTURES, NOW, ORDINARY, service_of
from flask import Flask
from registered_ehr import BASE, RegisteredEhr
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.store import open_store

Json = dict[str, Any]


# --- checks


@schemathesis.check
def refusals_are_operation_outcomes(ctx: CheckContext, response: Response, case: Case) -> None:
    """Whatever is refused, at whatever method, is refused in JSON, and never with a page (R-209)."""
    if response.status_code < 400 or case.operation.path == "/health/ready":
        return
    assert response.headers["content-type"] == ["application/json"], "the refusal is not JSON"
    assert response.request.method == "HEAD" or response.json()["resourceType"] == "OperationOutcome"


@schemathesis.check
def no_answer_without_a_fresh_token(ctx: CheckContext, response: Response, case: Case) -> None:
    """Where a token is asked for, nothing is answered without one, nor with one that was used for another call."""
    sent = response.request
    if "security" not in case.operation.definition.raw or response.status_code >= 400:
        return
    client, token = case.operation.app.test_client(), sent.headers["Authorization"]
    kind = {"content_type": sent.headers["Content-Type"]} if sent.body is not None else {}
    bare = client.open(case.operation.path, method=sent.method, data=sent.body, **kind)
    assert bare.status_code == 401, f"{bare.status_code} without a token"
    if sent.body is not None:
        again = client.open(
            case.operation.path, method=sent.method, data=b"{}", headers={"Authorization": token}, **kind
        )
        assert again.status_code == 401, f"{again.status_code} with a token that was used"


# --- calls about a child


def ordinary_calls() -> Mapping[str, Json]:
    """A call about a child of whom everything can be verified, for each path that takes one."""
    of_services = {
        f"/cds-services/{service_of(hook)}": json.loads(
            (FHIR_FIXTURES / "hook_requests" / service_of(hook) / f"{scenario}.json").read_text("utf-8")
        )
        for hook, scenario in ORDINARY.items()
    }
    return of_services | {"/app/course": of_services[f"/cds-services/{service_of('patient-view')}"]}


def put_about_a_child(case: Case, ordinary: Mapping[str, Json]) -> None:
    """Put a child's record and order around what was made up, so that the call gets further than the first question."""
    call = ordinary.get(case.operation.path)
    is_whole = isinstance(case.body, dict) and isinstance(case.body.get("context"), dict)
    if call is None or not is_whole or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    made_up = case.body
    context = {**made_up["context"], **call["context"]}
    if "draftOrders" in context:
        drafts = [bundle.get("entry") or [] for bundle in (call["context"]["draftOrders"], _drafts(made_up))]
        context["draftOrders"] = {**_drafts(made_up), "entry": [entry for entries in drafts for entry in entries]}
    prefetch = {**(made_up.get("prefetch") or {}), **call["prefetch"]}
    case.body = {**made_up, "context": context, "prefetch": prefetch}


def _drafts(call: Json) -> Json:
    drafts = call["context"].get("draftOrders")
    return drafts if isinstance(drafts, dict) else {"resourceType": "Bundle"}


def every_other_call_is_about_a_child() -> None:
    """From now on every other well-formed hook call concerns the service."""
    ordinary, sent = ordinary_calls(), Counter[str]()

    @schemathesis.hook
    def before_call(context: Any, case: Case, kwargs: Any) -> None:
        sent[case.operation.path] += 1
        if sent[case.operation.path] % 2:
            put_about_a_child(case, ordinary)


# --- the service


@contextmanager
def service(mode: str) -> Iterator[Flask]:
    """The service in demo mode, at the fixtures' moment; or in production mode, where a client calls with fresh tokens."""
    if mode == "demo":
        yield create_app(load_settings({"CDS_MODE": "demo", "CDS_NOW": NOW}))
        return
    with TemporaryDirectory() as folder:
        ehr, clients = RegisteredEhr(), Path(folder) / "clients.toml"
        clients.write_text(ehr.entry(Path(folder)), encoding="utf-8")
        open_store(database := f"sqlite:///{folder}/cds.sqlite3", migrates=True).close()
        settings = {
            "CDS_MODE": "production",
            "CDS_PUBLIC_BASE_URL": BASE,
            "CDS_TIMEZONE": "UTC",
            "CDS_CLIENTS_FILE": str(clients),
            "CDS_DATABASE_URL": database,
            "CDS_DISCOVERY_AUTH": "true",
            "CDS_RATE_LIMIT": "0",
        }
        bring_a_token_with_every_call(ehr)
        yield create_app(load_settings(settings))


def bring_a_token_with_every_call(ehr: RegisteredEhr) -> None:
    """From now on each call where a token is asked for brings one of its own: a token counts once."""

    @schemathesis.auth(refresh_interval=None)
    class FreshToken:
        def get(self, case: Case, context: Any) -> str:
            return ehr.token(case.operation.path)

        def set(self, case: Case, token: str, context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {token}"
