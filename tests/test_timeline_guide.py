"""What docs/timeline.md shows is what the service answers, and it names every field and every code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from builders import hook_request
from simulated_children import CHILDREN, UNEVENTFUL, SimulatedChild, day

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.domain.calendar_days import PartStatus
from cds_service.domain.result_series import HINDRANCES
from cds_service.domain.steroid_timeline import PLANNED_DAYS, DoseSource, Phase
from cds_service.domain.treatment_course import InfusionState
from cds_service.hooks.json_body import write_json
from cds_service.hooks.views import STORE

GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "timeline.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([A-Za-z0-9_.<>=-]+)`", GUIDE))
Json = dict[str, Any]


def answer(child: SimulatedChild, number: int) -> Json:
    """The course of a child on a day, asked at noon."""
    now = datetime.combine(day(number), time(12), UTC).isoformat()
    app = create_app(load_settings({"CDS_MODE": "demo", "CDS_NOW": now}))
    body = write_json(hook_request(child.on(number)))
    told: Json = app.test_client().post("/app/course", data=body, content_type="application/json").json
    app.extensions[STORE].close()
    return told


def shortened(value: Any) -> Any:
    """The same with one entry in each list."""
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    return [shortened(item) for item in value[:1]] if isinstance(value, list) else value


def test_the_example_is_what_the_service_answers() -> None:
    found = re.search(r"(?s)## An example.*?```json\n(.*?)```", GUIDE)
    assert found is not None
    told = answer(UNEVENTFUL, 12)
    expected = shortened(told)
    expected["steroid"]["days"] = [item for item in told["steroid"]["days"] if item["day"] == told["today"]]
    expected |= {"cards": [], "words": {"title": told["words"]["title"]}}
    assert json.loads(found[1]) == expected


def fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item)


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.name)
def test_every_field_is_explained(child: SimulatedChild) -> None:
    told = {name: item for name, item in answer(child, 30).items() if name not in ("cards", "words")}
    assert set(fields(told)) - NAMED == set()


@pytest.mark.parametrize(
    "codes",
    [
        [item.value for item in InfusionState],
        [item.value for item in DoseSource],
        [item.value for item in Phase],
        [item.value for item in PartStatus],
        PLANNED_DAYS,
        HINDRANCES,
    ],
)
def test_every_code_is_explained(codes: list[str]) -> None:
    assert set(codes) - NAMED == set()
