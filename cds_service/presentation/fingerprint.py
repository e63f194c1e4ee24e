"""When two findings are the same: rule, level, values and evidence agree, apart from the days that merely go by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from cds_service.domain.answers import Answer, Shown
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import Source

# Values that only count the days since, or until, something that the finding holds as well.
COUNTED_FROM_TODAY = frozenset(
    {
        "age_days",
        "day_number",
        "days_left",
        "days_overdue",
        "days_since",
        "steroid_day",
        "taper_day",
        "weight_age_days",
    }
)
# Values of single rules that follow the day of the call: what comes next in the calendar, the day that is looked at.
FOLLOWING_TODAY = {
    "liver-monitor-due": frozenset({"next_date"}),
    "liver-monitor-overdue": frozenset({"next_date"}),
    "platelet-monitor-due": frozenset({"next_date", "extra_dates"}),
    "platelet-monitor-overdue": frozenset({"next_date", "extra_dates"}),
    "steroid-dose-low": frozenset({"on_date"}),
    "steroid-dose-high": frozenset({"on_date"}),
}


def fingerprint_of(answer: Answer, urgency: str, label_revision: str) -> str:
    """The same text for the same finding, on any day; "" where nobody can say that nothing has changed.

    That is so where a list of the record could not be had. Errs towards another text: whatever else differs, the
    order of the evidence too, makes a finding a new one.
    """
    if any(isinstance(item, Source) for item in answer.missing):
        return ""
    parts = [
        answer.rule_id,
        answer.grade,
        urgency,
        label_revision,
        answer.order_id,
        sorted(map(str, answer.missing)),
        sorted(_lasting(answer.shown, answer.rule_id).items()),
        [_written(item) for item in answer.evidence],
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()


def _lasting(shown: Mapping[str, Shown], rule_id: str) -> dict[str, str]:
    """The values; of one that merely goes with the day only whether there is one."""
    passing = COUNTED_FROM_TODAY | FOLLOWING_TODAY.get(rule_id, frozenset())
    return {name: "given" if name in passing and value != "" else str(value) for name, value in shown.items()}


def _written(item: Evidence) -> list[str]:
    return [item.reference, item.name, item.value, item.day, item.status]
