"""When two findings are the same: rule, level, values and evidence agree, apart from the days that merely go by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from cds_service import __version__
from cds_service.domain.answers import Answer, Shown
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import Source

# Values that count the days since, or until, a day: that day is what lasts.
COUNTED_FROM_TODAY = frozenset(
    {"day_number", "days_overdue", "days_since", "steroid_day", "taper_day", "weight_age_days"}
)
COUNTED_TO_A_DAY = frozenset({"days_left"})
# The same in single rules; elsewhere an age is that on another day, such as the planned one.
COUNTED_FROM_TODAY_IN = {
    "cbc-baseline-missing": frozenset({"age_days"}),
    "creatinine-baseline-missing": frozenset({"age_days"}),
    "liver-baseline-stale": frozenset({"age_days"}),
}
# A day that a rule looks at first: today, as long as what it finds goes on.
DAY_LOOKED_AT = {"steroid-dose-low": "on_date", "steroid-dose-high": "on_date"}
# What comes next in the calendar, whatever becomes of the slot that the finding is about.
COMING_NEXT = {
    "liver-monitor-due": frozenset({"next_date"}),
    "liver-monitor-overdue": frozenset({"next_date"}),
    "platelet-monitor-due": frozenset({"next_date", "extra_dates"}),
    "platelet-monitor-overdue": frozenset({"next_date", "extra_dates"}),
}


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """How much of the record a call could see: the lists that could not be had, and whether one came only in part."""

    away: tuple[str, ...] = ()
    is_in_part: bool = False


WHOLE_RECORD = RecordSeen()


def fingerprint_of(answer: Answer, urgency: str, label_revision: str, today: date) -> str:
    """The same text for the same finding, on any day; "" where nobody can say that nothing has changed.

    That is so where a list of the record could not be had. Errs towards another text: whatever else differs, the
    order of the evidence and the release of the rules too, makes a finding a new one.
    """
    if any(isinstance(item, Source) for item in answer.missing):
        return ""
    parts = [
        answer.rule_id,
        answer.grade,
        urgency,
        label_revision,
        __version__,
        answer.order_id,
        sorted(map(str, answer.missing)),
        sorted(_lasting(answer.shown, answer.rule_id, today).items()),
        [_written(item) for item in answer.evidence],
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()


def as_seen_in(fingerprint: str, record: RecordSeen) -> str:
    """The fingerprint of a finding, made with so much of the record in view; "" where a list came in part.

    What was answered with a list in view is not answered without it, nor the other way round. Of a list that came in
    part nobody can say whether the newest entry is in it.
    """
    if record.is_in_part or not fingerprint or not record.away:
        return "" if record.is_in_part else fingerprint
    return sha256("\n".join((fingerprint, *sorted(record.away))).encode()).hexdigest()


def _lasting(shown: Mapping[str, Shown], rule_id: str, today: date) -> dict[str, str]:
    """The values as they are on any day, for as long as the record is the same."""
    since = COUNTED_FROM_TODAY | COUNTED_FROM_TODAY_IN.get(rule_id, frozenset())
    coming = COMING_NEXT.get(rule_id, frozenset())
    looked_at = DAY_LOOKED_AT.get(rule_id)
    lasting = {}
    for name, value in shown.items():
        if name in coming and value != "":
            lasting[name] = "given"
        elif name in since and isinstance(value, int):
            lasting[name] = str(today.toordinal() - value)
        elif name in COUNTED_TO_A_DAY and isinstance(value, int):
            lasting[name] = str(today.toordinal() + value)
        else:
            lasting[name] = "today" if name == looked_at and value == today else str(value)
    return lasting


def _written(item: Evidence) -> list[str]:
    return [item.reference, item.name, item.value, item.day, item.status]
