"""The five simulated children as fixtures: one of their days, moved so that it is the fixtures' fixed day."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from resource_parts import TODAY
from simulated_children import CHILDREN, INFUSED, day

Json = dict[str, Any]
_ISO_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T.*)?")
_BORN = INFUSED - timedelta(days=59)
_SAID_BY_THE_CALL = ("moment", "today")
# What these children weigh: 3.2 kg on the day before the infusion, then 10 g more a day, up to 3.5 kg: 3.2 mg a day stay
# within what the site accepts as 1 mg/kg.
_AT_INFUSION, _GAIN, _HEAVIEST = Decimal("3.2"), Decimal("0.01"), Decimal("3.5")


def words_on(name: str, number: int) -> Json:
    """What the record of a simulated child holds so many days after its infusion, in the words of tests/builders.py.

    All days are moved so that this one is the fixed day. What happened on it has no hour, for demo mode moves days to
    today, and an hour could then lie ahead.
    """
    child = next(child for child in CHILDREN if child.name == name)
    words = {word: value for word, value in child.on(number).items() if word not in _SAID_BY_THE_CALL}
    for word in ("panels", "counts"):
        words[word] = [
            {**item, "at": "none"} if item["on"] == day(number).isoformat() else item for item in words[word]
        ]
    moved: Json = _moved({**words, "born": _BORN.isoformat()}, TODAY - day(number))
    return {**moved, "weights": _weights(number), "gestational_age": [{"text": "39w2d", "when": _first_day(number)}]}


def _weights(number: int) -> list[Json]:
    now = min(_HEAVIEST, _AT_INFUSION + _GAIN * number).quantize(Decimal("0.1"))
    before = TODAY - timedelta(days=number + 1)
    at_infusion = {"weight": f"{_AT_INFUSION} kg", "when": f"{before}T08:00:00Z"}
    return [{"weight": f"{now} kg", "days_ago": 1}, at_infusion]


def _first_day(number: int) -> str:
    return (_BORN + timedelta(days=1) + (TODAY - day(number))).isoformat()


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {word: _moved(item, by) for word, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, by) for item in value]
    match = _ISO_DAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    moved = date.fromisoformat(match[1]) + by
    return moved.isoformat() if moved == TODAY else f"{moved}{match[2] or ''}"
