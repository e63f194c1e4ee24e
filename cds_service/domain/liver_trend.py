"""The results of one liver test over time, each against its own upper limit (label 2.1, 5.1; rules C3, C5, 4G).

Only results that can be relied on clear anything: accepted, with a number, a unit and an upper limit, and not
contradicted by another of the same time. All others may alarm as long as they may be as new (C6). Nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import islice

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.evidence import Evidence, Standing, distinct
from cds_service.domain.exposure import infusion_day
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import LIVER_PANEL, is_after_infusion, is_measured, is_unremarkable
from cds_service.domain.newest import Newest, at_one_time, newest_of, newness
from cds_service.domain.quantities import exact_product, plain, to_significant_digits
from cds_service.domain.reference_range import flag_contradicts, times_uln, why_unclassified, written_multiple
from cds_service.domain.results import LabResult
from cds_service.domain.steroid_dose import steroid_on
from cds_service.domain.steroid_states import CourseStatus

PROTHROMBIN_TIME, INR = "prothrombin_time", "inr"
CLOTTING = (PROTHROMBIN_TIME, INR)
ONCE = Decimal(1)
# More lines than these nobody reads; all results still stand in the evidence.
_LINES_SHOWN = 8
CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Trend:
    """The results of one test. `newest` are those after the infusion, only the reliable ones as accepted.

    `reliable` are the reliable ones of any day, the baseline included, newest first and one group for each time.
    `unclear` are those of the newest whose height nobody can tell, `conflicting` the results that contradict another
    one of the same time, `every` all that say anything, oldest first.
    """

    analyte: str
    newest: Newest[LabResult]
    reliable: tuple[tuple[LabResult, ...], ...]
    unclear: tuple[LabResult, ...]
    conflicting: tuple[LabResult, ...]
    every: tuple[LabResult, ...]

    @property
    def told(self) -> tuple[LabResult, ...]:
        """The results that may alarm today: the newest reliable one, and all that may be as new."""
        return (*self.newest.accepted, *self.newest.provisional)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What is told, newest first, and what was reliably measured before it."""
        before = (item for group in self.reliable for item in group)
        return distinct(item.evidence for item in (*self.told, *before))

    def why_unclear(self, result: LabResult) -> str:
        """Why the height of a result cannot be told: one word."""
        if result in self.conflicting:
            return CONFLICT
        return "unit" if is_on_another_scale(result) else why_unclassified(result)

    def before(self, result: LabResult) -> tuple[tuple[LabResult, ...], ...]:
        """The reliable results of an earlier time, newest first; all where the result's own day is not known."""
        return tuple(group for group in self.reliable if _is_before(group[0], result) and result not in group)


def trends_of(facts: PatientFacts, known: Known) -> Mapping[str, Trend]:
    """The trends of the five liver tests by name."""
    return facts.once(_trends_of, known)


def _trends_of(facts: PatientFacts, known: Known) -> Mapping[str, Trend]:
    return {analyte: trend_of(analyte, facts, known) for analyte in LIVER_PANEL}


def trend_of(analyte: str, facts: PatientFacts, known: Known) -> Trend:
    """All results of a test that say anything, sorted out by what they may do."""
    told = [item for item in facts.results_of(analyte) if item.standing is not Standing.NO_INFORMATION]
    reliable, conflicting, doubtful = _sorted_out([item for item in told if _is_usable(item)], known)
    doubtful += [_as_doubtful(item) for item in told if not _is_usable(item)]
    sure = [item for group in reliable for item in group]
    after = [item for item in (*sure, *conflicting, *doubtful) if is_after_infusion(item, facts)]
    newest = newest_of(after, known)
    # Nobody can tell which of them counts, so only the last ones are looked at one by one.
    provisional = {id(item) for item in newest.provisional}
    recent = tuple(item for item in conflicting if id(item) in provisional)
    unclear = {id(item) for item in (*recent, *(r for r in newest.provisional if not is_classified(r, known)))}
    return Trend(
        analyte=analyte,
        newest=newest,
        reliable=reliable,
        unclear=tuple(item for item in newest.provisional if id(item) in unclear),
        conflicting=recent,
        every=tuple(sorted(told, key=_oldest_first)),
    )


def _is_usable(item: LabResult) -> bool:
    return item.standing is Standing.ACCEPTED and item.measured.may_satisfy


def _sorted_out(
    usable: list[LabResult], known: Known
) -> tuple[tuple[tuple[LabResult, ...], ...], list[LabResult], list[LabResult]]:
    """Accepted results by time: the reliable ones, those that contradict each other, and those of unclear height."""
    rest = sorted(sorted(usable, key=lambda item: item.evidence.reference), key=newness, reverse=True)
    reliable: list[tuple[LabResult, ...]] = []
    conflicting: list[LabResult] = []
    doubtful: list[LabResult] = []
    begin = 0
    while begin < len(rest):
        group = at_one_time(_of_these_days(rest, begin), known)
        begin += len(group)
        corrections = tuple(item for item in group if item.is_correction)
        group = corrections if len(corrections) == 1 else group
        sure = tuple(item for item in group if is_reliable(item, known))
        if len({_compared(item) for item in group}) > 1:
            conflicting += [_as_doubtful(item) for item in group]
        elif sure:
            reliable.append(sure)
        else:
            doubtful += [_as_doubtful(item) for item in group]
    return tuple(reliable), conflicting, doubtful


def _of_these_days(newest_first: Sequence[LabResult], begin: int) -> list[LabResult]:
    """The results of one day and of the one before: further back nothing is of one time with them."""
    first = newest_first[begin].measured.day
    assert first is not None
    found = []
    for item in islice(newest_first, begin, None):
        if item.measured.day is None or days_from(item.measured.day, first) > 1:
            break
        found.append(item)
    return found


def _as_doubtful(item: LabResult) -> LabResult:
    return replace(item, standing=Standing.PROVISIONAL)


def _compared(item: LabResult) -> Interval | str | None:
    """What tells two results of one time apart: the amount, else the number as reported, else the words."""
    return item.amount or (item.limits.number if item.limits else item.written)


def _oldest_first(item: LabResult) -> tuple[date, float, tuple[str, str], str]:
    return (*newness(item), item.evidence.reference)


def _is_before(earlier: LabResult, later: LabResult) -> bool:
    if later.measured.day is None or earlier.measured.day is None:
        return later.measured.day is None
    if earlier.measured.instant is not None and later.measured.instant is not None:
        return earlier.measured.seconds < later.measured.seconds
    return earlier.measured.day < later.measured.day


# --- one result


def is_on_another_scale(result: LabResult) -> bool:
    """Whether a prothrombin time is not in seconds but in per cent or as a ratio, where a multiple means nothing."""
    is_in_no_seconds = result.analyte == PROTHROMBIN_TIME and result.number is not None and result.amount is None
    return is_in_no_seconds and (result.limits is None or result.limits.is_unit_known)


def multiple_of(result: LabResult) -> Interval | None:
    """The multiple of the result's own upper limit; None where there is none, or it would mean nothing."""
    return None if is_on_another_scale(result) else times_uln(result)


def is_classified(result: LabResult, known: Known) -> bool:
    """Whether number, unit and upper limit are there and fit together, or the laboratory's own "normal" suffices."""
    if result.number is None or is_on_another_scale(result) or flag_contradicts(result):
        return False
    verdict = is_unremarkable(result, known)
    if verdict is Certainty.UNKNOWN:
        return False
    if result.limits is None or result.limits.high is None:
        return verdict is Certainty.TRUE
    return result.limits.is_unit_known


def is_reliable(result: LabResult, known: Known) -> bool:
    """Whether a result is accepted and says surely how high it is against its own limit."""
    return is_measured(result) and is_classified(result, known)


def is_at_least(value: Interval | None, limit: Decimal) -> bool:
    """Whether a value surely reaches the limit; the limit itself does."""
    return value is not None and value.is_below(limit) is Certainty.FALSE


def is_more_than(value: Interval | None, limit: Decimal) -> bool:
    """Whether a value is surely greater than the limit; the limit itself is not."""
    return value is not None and value.is_above(limit) is Certainty.TRUE


def reaches(result: LabResult, multiple: Decimal) -> bool:
    """Whether a result is surely so many times its own upper limit, or more."""
    return is_at_least(multiple_of(result), multiple)


def is_above_own_limit(result: LabResult) -> bool:
    """Whether a result is surely above its own upper limit."""
    return is_more_than(multiple_of(result), ONCE)


def worst_of(results: Iterable[LabResult]) -> LabResult | None:
    """The highest of these results against its own limit; of a conflict that one alarms (C3)."""
    return max(results, key=_height, default=None)


def _height(result: LabResult) -> tuple[Decimal, Decimal, str]:
    multiple, amount = multiple_of(result), result.amount
    return (_low(multiple), _low(amount), result.evidence.reference)


def _low(value: Interval | None) -> Decimal:
    return value.low if value is not None and value.low is not None else Decimal(0)


# --- worsening


@dataclass(frozen=True, slots=True)
class Worsening:
    """A result that is worse than one before. `crossed` is the highest multiple of the upper limit that it reaches
    for the first time, None where it reaches none; `previous` the result it is compared with, None without any.
    """

    result: LabResult
    crossed: Decimal | None
    has_risen: bool
    previous: LabResult | None


def worsening_of(trend: Trend, known: Known) -> Worsening | None:
    """The worst of the newest results that is worse than the one before, by the site's policy (ruling 48).

    A result that is no lower than the one before it, which was worse than those before, is still a worsening: the
    same sample reported twice, or a slow further rise, ends no alarm.
    """
    found = [item for result in trend.told if (item := _worsening(result, trend, known)) is not None]
    return max(found, key=lambda item: _height(item.result), default=None)


def _worsening(result: LabResult, trend: Trend, known: Known) -> Worsening | None:
    before = trend.before(result)
    reached = [(limit, _last_index_reaching(limit, before)) for limit in _limits(known) if reaches(result, limit)]
    may_have_risen = bool(before) and _is_high(result, known)
    if not reached and not may_have_risen:
        return None
    for number in range(max(len(before), 1)):
        crossed = next((limit for limit, index in reached if index < number), None)
        has_risen = may_have_risen and _has_risen(result, before[number], known)
        if crossed is not None or has_risen:
            return Worsening(result, crossed, has_risen, before[number][0] if before else None)
        if not before or _is_surely_lower(result, before[number]):
            return None
    return None


def _limits(known: Known) -> tuple[Decimal, ...]:
    """The site's multiples of the upper limit, the highest first."""
    names = ("liver.worsening.high_times_uln", "liver.worsening.middle_times_uln", "liver.worsening.times_uln")
    return tuple(known.policy[name] for name in names)


def _last_index_reaching(limit: Decimal, groups: Sequence[tuple[LabResult, ...]]) -> int:
    """The place of the oldest result that reaches the multiple already; -1 where none does."""
    found = (index for index, group in enumerate(groups) if all(reaches(item, limit) for item in group))
    return max(found, default=-1)


def _is_high(result: LabResult, known: Known) -> bool:
    """Whether a rise counts: of ALT, AST and bilirubin from the site's multiple of the upper limit on, of PT and INR
    where they are above their own limit (ruling 48).
    """
    if result.analyte in CLOTTING:
        return is_above_own_limit(result)
    return reaches(result, known.policy["liver.worsening.times_uln"])


def _has_risen(result: LabResult, group: Iterable[LabResult], known: Known) -> bool:
    """Whether a result rose by the site's ratio (ruling 48)."""
    ratio = known.policy["liver.worsening.ratio"]
    return any(_is_so_many_times(result, item, ratio) for item in group)


def _is_so_many_times(result: LabResult, earlier: LabResult, ratio: Decimal) -> bool:
    """Compared as multiples of the own upper limits; as amounts where one of them has none."""
    now, then = _comparable(result, earlier)
    return then is not None and then.high is not None and is_at_least(now, exact_product(then.high, ratio))


def _comparable(result: LabResult, earlier: LabResult) -> tuple[Interval | None, Interval | None]:
    multiples = multiple_of(result), multiple_of(earlier)
    return (result.amount, earlier.amount) if None in multiples else multiples


def _is_surely_lower(result: LabResult, group: Iterable[LabResult]) -> bool:
    return all(_is_lower(*_comparable(result, item)) for item in group)


def _is_lower(now: Interval | None, then: Interval | None) -> bool:
    if now is None or then is None or now.high is None or then.low is None:
        return False
    return now.high < then.low or (now.high == then.low and not (now.high_included and then.low_included))


def newly_above_limit(trend: Trend) -> LabResult | None:
    """The worst of the newest results that is above its own upper limit, where the one before it was not."""
    found = []
    for result in trend.told:
        if not is_above_own_limit(result):
            continue
        before = trend.before(result)
        if not before or not all(is_above_own_limit(item) for item in before[0]):
            found.append(result)
    return worst_of(found)


# --- for showing


def written_times(result: LabResult | None) -> str:
    """The multiple of the upper limit for showing; "" where it would mean nothing."""
    return "" if result is None or is_on_another_scale(result) else written_multiple(result)


def trend_lines(
    trend: Trend, facts: PatientFacts, known: Known, status: CourseStatus | None, since: date | None = None
) -> str:
    """The last results, oldest first, separated by semicolons: value, range, multiple, day, corticosteroid, id.

    With `since` only those of that day or later.
    """
    told = [item for item in trend.every if since is None or (item.measured.day or since) >= since]
    return "; ".join(_line(item, facts, known, status) for item in told[-_LINES_SHOWN:])


def _line(result: LabResult, facts: PatientFacts, known: Known, status: CourseStatus | None) -> str:
    parts = [_plain_part(result.written)]
    if result.limits is not None:
        parts.append(f"range {_plain_part(result.limits.written)}")
    if times := written_times(result):
        parts.append(f"{times} x ULN")
    parts += [part for part in (result.evidence.day, result.evidence.status) if part]
    parts += _days_of(result, facts, known, status)
    return ", ".join([*parts, result.evidence.reference])


def _plain_part(text: str) -> str:
    """Text of the record without what separates the lines."""
    return text.replace(";", ",")


def _days_of(result: LabResult, facts: PatientFacts, known: Known, status: CourseStatus | None) -> list[str]:
    """The day after the infusion, and the corticosteroid of that day."""
    infusion, day = infusion_day(facts), result.measured.day
    if infusion is None or day is None:
        return []
    said = [f"day {days_from(infusion, day)}"]
    if status is None or status.first_day is None or day < status.first_day:
        return said
    steroid = steroid_on(day, facts, known)
    if steroid.cover is Certainty.FALSE:
        return said
    said.append(f"steroid day {days_from(status.first_day, day) + 1}")
    if steroid.mg is not None:
        digits = known.outside.whole("shown_significant_digits")
        said.append(f"{plain(to_significant_digits(steroid.mg, digits))} mg")
    if status.taper_begins is not None and status.taper_begins <= day:
        said.append(f"taper day {days_from(status.taper_begins, day) + 1}")
    return said
