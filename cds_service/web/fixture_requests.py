"""The synthetic hook requests, moved from the fixtures' fixed day to today so that ages and results stay true."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

FIXTURE_DAY = date(2026, 3, 2)
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


def index_of(requests: Mapping[str, str], base_url: str) -> bytes:
    """A list of the fixture requests with their addresses, as JSON."""
    entries = [{"scenario": name, "url": f"{base_url}/demo/hook_requests/{name}"} for name in requests]
    return json.dumps({"hook_requests": entries}, indent=1).encode()
