"""The corticosteroid course around the infusion: its first day S and its end E (clinical-rules 4F; label 2.1).

The label asks for 30 days, beginning one day before the infusion on day D: S = D-1, and day 30 is D+28.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.domain.certainty import Certainty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.steroid_dose import DAY, steroid_on

# How far around the infusion a course is looked for; longer than any course that begins before it.
LOOK_BACK, _LOOK_AHEAD = timedelta(days=60), timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Course:
    """The uninterrupted run of days with a corticosteroid that holds, or follows, the day before the infusion.

    `required_end` is E, the last of the 30 days. `last_day` is the run's last day; `is_open_ended`: no end in sight.
    `is_sure` is False where it is not sure of some day that it is covered.
    """

    first_day: date
    last_day: date
    required_end: date
    is_open_ended: bool
    is_sure: bool


def required_start(infusion: date) -> date:
    """The day before the infusion, on which the course has to begin at the latest."""
    return infusion - DAY


def required_end(first_day: date, infusion: date, known: Known) -> date:
    """E: thirty days counted from the first day, and never before the thirtieth from the day before the infusion."""
    days = timedelta(days=known.label.whole("steroid_days")) - DAY
    return max(first_day, required_start(infusion)) + days


def course_around(infusion: date, facts: PatientFacts, known: Known, *, within_supply: bool = False) -> Course | None:
    """The course around an infusion day, planned or past; None where no day is covered (ruling 37)."""
    return facts.once(_course_around, known, infusion, within_supply)


def _course_around(facts: PatientFacts, known: Known, infusion: date, within_supply: bool) -> Course | None:
    first = _first_day(infusion, facts, known, within_supply)
    if first is None:
        return None
    horizon = max(infusion, facts.today) + _LOOK_AHEAD
    last = _last_day(first, horizon, facts, known, within_supply)
    days = [first + DAY * n for n in range((last - first).days + 1)]
    return Course(
        first_day=first,
        last_day=last,
        required_end=required_end(first, infusion, known),
        is_open_ended=last == horizon,
        is_sure=all(_cover(day, facts, known, within_supply) is not Certainty.UNKNOWN for day in days),
    )


def _first_day(infusion: date, facts: PatientFacts, known: Known, within_supply: bool) -> date | None:
    start, gap = required_start(infusion), known.policy.whole("steroid.gap_days")
    if _is_covered(start, facts, known, within_supply):
        first, uncovered, day = start, 0, start
        while uncovered < gap and infusion - day < LOOK_BACK:
            day -= DAY
            uncovered = 0 if _is_covered(day, facts, known, within_supply) else uncovered + 1
            first = first if uncovered else day
        return first
    day = start
    while day <= infusion + _LOOK_AHEAD:
        if _is_covered(day, facts, known, within_supply):
            return day
        day += DAY
    return None


def _last_day(first: date, horizon: date, facts: PatientFacts, known: Known, within_supply: bool) -> date:
    gap = known.policy.whole("steroid.gap_days")
    last, uncovered, day = first, 0, first
    while uncovered < gap and day < horizon:
        day += DAY
        uncovered = 0 if _is_covered(day, facts, known, within_supply) else uncovered + 1
        last = last if uncovered else day
    return last


def _cover(day: date, facts: PatientFacts, known: Known, within_supply: bool) -> Certainty:
    return steroid_on(day, facts, known, within_supply=within_supply).cover


def _is_covered(day: date, facts: PatientFacts, known: Known, within_supply: bool) -> bool:
    return _cover(day, facts, known, within_supply) is not Certainty.FALSE
