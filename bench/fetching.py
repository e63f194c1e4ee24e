"""What fetching a chart costs where each answer of the FHIR server takes 200 ms more: `python -m bench.fetching`.

The demo's FHIR server stands in for the EHR's. Printed: the call with no prefetch, the same questions one after the
other, and the call with everything prefetched.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import requests
from flask import Flask

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from compose_fixtures import compose_request, scenarios
from web.conftest import served

from bench.charts import NOW
from cds_service.app import create_app, create_catalogue
from cds_service.config import load_settings
from cds_service.fhir import prefetch_templates
from cds_service.hooks.json_body import write_json

DELAY_MS, ROUNDS = 200, 7
SCENARIO, HOOK = "unremarkable", "order-sign"
SERVICE = f"onasemnogene-{HOOK}"
TOKEN = "synthetic-demo-token"


def main() -> None:
    """Print the three times."""
    settings = load_settings({"CDS_MODE": "demo", "CDS_NOW": NOW.isoformat(), "CDS_LOG_LEVEL": "error"})
    app = create_app(settings)
    templates = prefetch_templates(create_catalogue(settings).codes)
    scope = " ".join(
        f"user/{kind}.read" for kind in {path.partition("?")[0].partition("/")[0] for path in templates.values()}
    )
    request = compose_request(scenarios()[SCENARIO], HOOK)
    with served(app, threads=32) as ehr:
        base = f"{ehr}/demo/faulty/slow-{DELAY_MS}/{SERVICE}/{SCENARIO}/fhir"
        granted = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": scope, "subject": "x"}
        bare = {**request, "prefetch": {}, "fhirServer": base, "fhirAuthorization": granted}
        print(f"{len(templates)} keys, {DELAY_MS} ms added to each answer, {ROUNDS} rounds, medians:")
        print(f"  call without prefetch, asked side by side: {_time_of(app, bare):.0f} ms")
        print(f"  the same questions one after the other:    {_one_by_one(base, templates, request):.0f} ms")
        print(f"  call with everything prefetched:           {_time_of(app, request):.0f} ms")


def _time_of(app: Flask, request: dict[str, Any]) -> float:
    client, body = app.test_client(), write_json(request)
    times = []
    for _ in range(ROUNDS):
        started = perf_counter()
        reply = client.post(f"/cds-services/{SERVICE}", data=body, content_type="application/json")
        times.append((perf_counter() - started) * 1000)
        assert b"data-unavailable" not in reply.data
    return median(times)


def _one_by_one(base: str, templates: dict[str, str], request: dict[str, Any]) -> float:
    patient = request["context"]["patientId"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    times = []
    for _ in range(ROUNDS):
        started = perf_counter()
        for template in templates.values():
            session.get(f"{base}/{template.replace('{{context.patientId}}', patient)}").raise_for_status()
        times.append((perf_counter() - started) * 1000)
    return median(times)


if __name__ == "__main__":
    main()
