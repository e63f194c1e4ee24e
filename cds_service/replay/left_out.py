"""What hangs on the calendar or the clock, and cannot be compared at another moment than that of the fixtures."""

from __future__ import annotations

from calendar import isleap
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from cds_service.presentation.yaml_files import load_yaml
from cds_service.replay.answers import Told
from cds_service.replay.service_clock import ServiceClock

_EVERYTHING = "all"
# Of the two fixture children whose second birthday is near, seen from the day of the call.
_FIRST_BIRTH, _LAST_SECOND_BIRTHDAY = timedelta(days=-728), timedelta(days=9)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One reason, and what is not compared for it.

    `rules`: the values that are left out of a rule's findings, None for the whole findings. Without rules only the
    status of the answer is compared. `scenarios` is empty where it concerns all of them. `holds_on` says on which days.
    """

    because: str
    scenarios: frozenset[str]
    rules: Mapping[str, frozenset[str] | None]
    holds_on: Callable[[ServiceClock], bool]

    @property
    def what(self) -> str:
        """What is not compared: rules, or values of rules."""
        named = (f"{rule} {name}".strip() for rule, names in self.rules.items() for name in sorted(names or {""}))
        return ", ".join(named) or "everything but the status"

    def concerns(self, scenario: str, clock: ServiceClock) -> bool:
        """Whether a scenario is concerned by it, on the day of a clock."""
        return (not self.scenarios or scenario in self.scenarios) and self.holds_on(clock)

    def rest_of(self, told: Counter[Told]) -> Counter[Told]:
        """What is left to compare."""
        rest: Counter[Told] = Counter()
        for item, times in told.items():
            values = self.rules.get(item.rule, frozenset()) if self.rules else None
            if values is not None:
                kept = tuple(pair for pair in item.values if pair[0] not in values)
                rest[replace(item, values=kept)] += times
        return rest


def load_left_out(path: Path) -> tuple[LeftOut, ...]:
    """The reasons in a file. Raises ContentProblem where it cannot be read."""
    return tuple(_left_out(entry) for entry in load_yaml(path))


def _left_out(entry: Mapping[str, Any]) -> LeftOut:
    rules = entry.get("rules", {})
    return LeftOut(
        because=entry["because"],
        scenarios=frozenset(entry.get("scenarios", ())),
        rules={rule: None if values == _EVERYTHING else frozenset(values) for rule, values in rules.items()},
        holds_on=_DAYS[entry.get("only", "")],
    )


def _is_around_leap_day(clock: ServiceClock) -> bool:
    """Whether a 29 February lies within the first two years of a child that is almost two years old."""
    first, last = clock.today + _FIRST_BIRTH, clock.today + _LAST_SECOND_BIRTHDAY
    return any(isleap(year) and first <= date(year, 2, 29) <= last for year in range(first.year, last.year + 1))


def _is_clock_change(clock: ServiceClock) -> bool:
    """Whether the day is longer or shorter than others in its zone."""
    begin = datetime.combine(clock.today, time(), clock.zone)
    return begin.utcoffset() != (begin + timedelta(days=1)).utcoffset()


_DAYS: Mapping[str, Callable[[ServiceClock], bool]] = {
    "": lambda _: True,
    "leap_day": _is_around_leap_day,
    "clock_change": _is_clock_change,
}
