"""The synthetic hook requests, moved from the fixtures' fixed day to today so that ages and results stay true.

And without their prefetch, with access to a FHIR server in its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

from cds_service.domain.facts import Source
from cds_service.errors import BadRequest
from cds_service.web.fhir_server import DEMO_TOKEN, read_json, write_json

FIXTURE_DAY = date(2026, 3, 2)
_AUTHORIZATION = {
    "access_token": DEMO_TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/*.read",
    "subject": "onasemnogene-cds",
}
_ISO_DAY = re.compile(r'(?<![\w-])(\d{4}-\d{2}-\d{2})(?=[T"\s]|\\")')


def load_fixture_requests(folder: Path) -> dict[str, str]:
    """Every fixture request as JSON text, by `service/scenario`."""
    root = folder / "hook_requests"
    return {
        f"{path.parent.name}/{path.stem}": path.read_text(encoding="utf-8") for path in sorted(root.glob("*/*.json"))
    }


def moved_to(today: date, request_text: str) -> str:
    """The request with every day in it moved by as many days as `today` is after the fixtures' day."""
    by = today - FIXTURE_DAY
    return _ISO_DAY.sub(lambda match: _moved(match[1], by), request_text)


def _moved(written: str, by: timedelta) -> str:
    try:
        return (date.fromisoformat(written) + by).isoformat()
    except (ValueError, OverflowError):
        return written


def with_fhir_access(request_text: str, kept: str, fhir_server: str) -> bytes:
    """The request with only these prefetch keys, separated by commas, or `none`; and with access to a FHIR server.

    Raises BadRequest for a key that is none of the nine lists and not in the request.
    """
    document = read_json(request_text)
    prefetch = document.pop("prefetch", {})
    keys = [] if kept == "none" else kept.split(",")
    if not set(keys) <= {*prefetch, *(source.value for source in Source)}:
        names = ", ".join(source.value for source in Source)
        raise BadRequest(f"prefetch names an unknown key; write none, or some of {names}", "prefetch")
    access = {"fhirServer": fhir_server, "fhirAuthorization": _AUTHORIZATION}
    shown = {key: prefetch[key] for key in keys if key in prefetch}
    return write_json({**document, **access, **({"prefetch": shown} if shown else {})})


def index_of(
    requests: Mapping[str, str], base_url: str, patients: str, server_of_scenario: Callable[[str], str]
) -> bytes:
    """A list of the fixture requests with their addresses and FHIR servers, as JSON; `patients` has all patients."""
    entries = [
        {"scenario": name, "url": f"{base_url}/demo/hook_requests/{name}", "fhirServer": server_of_scenario(name)}
        for name in requests
    ]
    return json.dumps({"hook_requests": entries, "fhirServer": patients}, indent=1).encode()
