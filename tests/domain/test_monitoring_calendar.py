"""The monitoring calendar as the label and clinical-rules 6 have it, on every boundary (label 2.1, 2.3, 5.1, 5.3).

Days are numbers relative to the infusion, as in the table of 6.1; D is Monday 2026-03-02 as in the example of 6.5.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import add_months
from cds_service.domain.evidence import Evidence
from cds_service.domain.liver_panel import LIVER_PANEL, PLATELETS
from cds_service.domain.monitoring_calendar import (
    Booking,
    Gap,
    MonitoringCalendar,
    MonitoringSlot,
    Sample,
    Series,
    SlotKind,
    SlotStatus,
    SteroidPlan,
    SteroidSpan,
    monitoring_calendar,
)
from cds_service.presentation import Catalogue

CalendarOn = Callable[..., MonitoringCalendar]
INFUSED = date(2026, 3, 2)
FINE, BAD, UNPROVEN = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN
UPCOMING, DUE, BOOKED = SlotStatus.UPCOMING, SlotStatus.DUE, SlotStatus.BOOKED
DONE, OVERDUE, MISSED = SlotStatus.DONE, SlotStatus.OVERDUE, SlotStatus.MISSED
LIVER, COUNTS = Series.LIVER, Series.PLATELETS
# The whole unremarkable course, and of it what is done on a day.
WEEKS = tuple(range(7, 57, 7))


def day(number: int, infusion: date = INFUSED) -> date:
    return infusion + timedelta(days=number)


def number_of(when: date | None, infusion: date = INFUSED) -> int | None:
    return None if when is None else (when - infusion).days


def panel(number: int, *analytes: str, fine: Certainty = FINE, **other: Certainty) -> list[Sample]:
    """One day's liver tests, all five unless named; `other` says how single ones came out."""
    when = day(number)
    return [
        Sample(a, when, other.get(a, fine), Evidence(f"Observation/{a}-{when}", a)) for a in analytes or LIVER_PANEL
    ]


def panels(*numbers: int) -> list[Sample]:
    return [sample for number in numbers for sample in panel(number)]


def count(number: int, fine: Certainty = FINE) -> Sample:
    return Sample(PLATELETS, day(number), fine, Evidence(f"Observation/platelets-{number}-{fine.value}", "platelets"))


def ordered(number: int, *analytes: str) -> Booking:
    return Booking(day(number), frozenset(analytes), Evidence(f"ServiceRequest/{number}", "order"))


def visit(number: int) -> Booking:
    return Booking(day(number), None, Evidence(f"Appointment/{number}", "visit"))


def course(last: int, first: int = -1) -> SteroidSpan:
    return SteroidSpan(day(first), day(last))


@pytest.fixture
def calendar_on(catalogue: Catalogue) -> CalendarOn:
    """The calendar on a day after the infusion; the course ends on D+56 unless `ends` or `spans` say otherwise."""

    def calendar(
        today: int,
        samples: Iterable[Sample] = (),
        bookings: Iterable[Booking] = (),
        *,
        ends: int = 56,
        spans: tuple[SteroidSpan, ...] = (),
        is_end_known: bool = True,
        second_infusion: int = 0,
    ) -> MonitoringCalendar:
        spans = spans or (course(ends),)
        is_projected = is_end_known and spans[-1].last_day >= day(today)
        return monitoring_calendar(
            infusion=INFUSED,
            follow_up_from=day(second_infusion),
            today=day(today),
            steroid=SteroidPlan(spans, is_end_known=is_end_known, is_projected=is_projected),
            samples=tuple(samples),
            bookings=tuple(bookings),
            known=catalogue.known,
        )

    return calendar


def slot_of(calendar: MonitoringCalendar, name: str, series: Series = LIVER) -> MonitoringSlot:
    return next(slot for slot in calendar.of(series) if slot.name == name)


def targets(calendar: MonitoringCalendar, series: Series = LIVER) -> dict[str, int]:
    return {slot.name: (slot.target - calendar.infusion).days for slot in calendar.of(series)}


def statuses(calendar: MonitoringCalendar, series: Series = LIVER) -> dict[str, SlotStatus]:
    return {slot.name: slot.status for slot in calendar.of(series)}


# --- 6.1, the unremarkable course

LIVER_SLOTS = [
    # name, target, opens, closes, due from, overdue from
    ("W1", 7, 4, 10, 4, 10),
    ("W2", 14, 11, 17, 11, 17),
    ("W3", 21, 18, 24, 18, 24),
    ("W4", 28, 25, 31, 25, 31),
    ("W5", 35, 32, 38, 32, 38),
    ("W6", 42, 39, 45, 39, 45),
    ("W7", 49, 46, 52, 46, 52),
    ("W8", 56, 53, 59, 53, 59),
    ("O1", 70, 65, 75, 65, 74),
    ("O2", 84, 79, 89, 79, 88),
    ("M3", 92, 92, 106, 85, 100),
]
PLATELET_SLOTS = [
    ("x1", 3, 2, 4, 2, None),
    ("W1", 7, 4, 10, 4, 10),
    ("x2", 10, 9, 12, 9, None),
    ("W2", 14, 11, 17, 11, 17),
    ("W3", 21, 18, 24, 18, 24),
    ("W4", 28, 25, 31, 25, 31),
    ("W6", 42, 37, 47, 37, 46),
    ("W8", 56, 51, 61, 51, 60),
    ("W10", 70, 65, 75, 65, 74),
    ("W12", 84, 79, 89, 79, 88),
    ("M3", 92, 92, 106, 85, 100),
]


@pytest.mark.parametrize(("series", "expected"), [(LIVER, LIVER_SLOTS), (COUNTS, PLATELET_SLOTS)])
def test_the_unremarkable_course(calendar_on: CalendarOn, series: Series, expected: Any) -> None:
    found = [
        (s.name, *map(number_of, (s.target, s.opens, s.closes, s.due_from, s.overdue_from)))
        for s in calendar_on(0).of(series)
    ]
    assert found == expected


def test_what_each_slot_asks_for(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(0)
    assert {slot.required for slot in calendar.of(LIVER)} == {LIVER_PANEL}
    assert {slot.required for slot in calendar.of(COUNTS)} == {(PLATELETS,)}
    kinds = {slot.name: slot.kind for slot in calendar.of(COUNTS)}
    assert [name for name, kind in kinds.items() if kind is SlotKind.EXTRA] == ["x1", "x2"]
    assert slot_of(calendar, "O1").kind is SlotKind.EVERY_OTHER_WEEK
    assert slot_of(calendar, "M3").kind is SlotKind.LAST


def test_the_worked_example_date_by_date(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(0)
    assert {slot.name: slot.target.isoformat() for slot in calendar.of(LIVER)} == {
        "W1": "2026-03-09",
        "W2": "2026-03-16",
        "W3": "2026-03-23",
        "W4": "2026-03-30",
        "W5": "2026-04-06",
        "W6": "2026-04-13",
        "W7": "2026-04-20",
        "W8": "2026-04-27",
        "O1": "2026-05-11",
        "O2": "2026-05-25",
        "M3": "2026-06-02",
    }
    assert calendar.taper_ended == date(2026, 4, 27)
    assert calendar.three_months == calendar.liver_ends == date(2026, 6, 2)
    assert add_months(date(2026, 4, 27), 1) == date(2026, 5, 27)


def test_only_what_depends_on_the_course_to_come_is_assumed(calendar_on: CalendarOn) -> None:
    def assumed(today: int) -> list[str]:
        return [slot.name for slot in calendar_on(today, panels(*WEEKS)).of(LIVER) if slot.is_assumed]

    assert assumed(0) == ["W5", "W6", "W7", "W8", "O1", "O2", "M3"]
    assert assumed(35) == ["W6", "W7", "W8", "O1", "O2", "M3"]
    assert assumed(57) == []
    assert not any(slot.is_assumed for slot in calendar_on(0).of(COUNTS))


@pytest.mark.parametrize(
    ("infusion", "three_months"),
    [
        ("2025-11-30", "2026-02-28"),
        ("2025-12-31", "2026-03-31"),
        ("2026-01-31", "2026-04-30"),
        ("2026-02-28", "2026-05-28"),
        ("2023-11-29", "2024-02-29"),
        ("2023-11-30", "2024-02-29"),
        ("2024-02-29", "2024-05-29"),
        ("2024-11-30", "2025-02-28"),
        ("2026-10-25", "2027-01-25"),
    ],
)
def test_months_end_on_their_last_day(catalogue: Catalogue, infusion: str, three_months: str) -> None:
    calendar = on_schedule(date.fromisoformat(infusion), catalogue)
    assert calendar.liver_ends == slot_of(calendar, "M3").target == date.fromisoformat(three_months)
    assert slot_of(calendar, "M3", COUNTS).target == date.fromisoformat(three_months)


def on_schedule(infusion: date, catalogue: Catalogue) -> MonitoringCalendar:
    span = SteroidSpan(day(-1, infusion), day(56, infusion))
    return monitoring_calendar(
        infusion, infusion, infusion, SteroidPlan((span,), True, is_projected=True), (), (), catalogue.known
    )


@pytest.mark.hazard("H33")
def test_on_whatever_day_of_eight_years_the_labels_calendar_ends_too_early(catalogue: Catalogue) -> None:
    """The panels of another month end 2 to 6 days before three months, so the last one is always asked for."""
    first = date(2024, 1, 1)
    for offset in range(0, 8 * 365 + 2):
        infusion = first + timedelta(days=offset)
        calendar = on_schedule(infusion, catalogue)
        another_month = add_months(day(56, infusion), 1)
        assert 84 <= (another_month - infusion).days <= 87
        assert 89 <= (calendar.three_months - infusion).days <= 92
        assert 2 <= (calendar.three_months - another_month).days <= 6
        assert list(targets(calendar).values())[:-1] == [*WEEKS, 70, 84]


# --- 6.2, where a slot stands


@pytest.mark.parametrize(
    ("name", "today", "status"),
    [
        ("W1", 3, UPCOMING),
        ("W1", 4, DUE),
        ("W1", 7, DUE),
        ("W1", 9, DUE),
        ("W1", 10, OVERDUE),
        ("W1", 11, OVERDUE),
        ("W8", 52, UPCOMING),
        ("W8", 53, DUE),
        ("W8", 56, DUE),
    ],
)
def test_a_weekly_slot_without_results(calendar_on: CalendarOn, name: str, today: int, status: SlotStatus) -> None:
    assert slot_of(calendar_on(today), name).status is status


@pytest.mark.parametrize(
    ("name", "today", "status"),
    [
        ("O1", 64, UPCOMING),
        ("O1", 65, DUE),
        ("O1", 73, DUE),
        ("O1", 74, OVERDUE),
        ("M3", 84, UPCOMING),
        ("M3", 85, DUE),
        ("M3", 99, DUE),
        ("M3", 100, OVERDUE),
        ("M3", 150, OVERDUE),
    ],
)
def test_a_slot_after_the_taper_without_results(
    calendar_on: CalendarOn, name: str, today: int, status: SlotStatus
) -> None:
    assert slot_of(calendar_on(today, panels(*WEEKS)), name).status is status


@pytest.mark.parametrize(
    ("name", "today", "status"),
    [
        ("W4", 24, UPCOMING),
        ("W4", 25, DUE),
        ("W4", 30, DUE),
        ("W4", 31, OVERDUE),
        ("W6", 36, UPCOMING),
        ("W6", 37, DUE),
        ("W6", 45, DUE),
        ("W6", 46, OVERDUE),
        ("M3", 84, UPCOMING),
        ("M3", 85, DUE),
        ("M3", 99, DUE),
        ("M3", 100, OVERDUE),
        ("x1", 2, UPCOMING),
        ("x1", 4, UPCOMING),
        ("x1", 5, MISSED),
        ("x2", 12, UPCOMING),
        ("x2", 13, MISSED),
    ],
)
def test_a_platelet_slot_without_counts(calendar_on: CalendarOn, name: str, today: int, status: SlotStatus) -> None:
    assert slot_of(calendar_on(today), name, COUNTS).status is status


@pytest.mark.parametrize(
    ("sampled", "done"),
    [
        (3, []),
        (4, ["W1"]),
        (10, ["W1"]),
        (11, ["W2"]),
        (17, ["W2"]),
        (25, ["W4"]),
        (31, ["W4"]),
        (32, ["W5"]),
        (59, ["W8"]),
        (60, []),
        (64, []),
        (65, ["O1"]),
        (75, ["O1"]),
        (76, []),
        (89, ["O2"]),
        (90, []),
        (91, []),
        (92, ["M3"]),
        (106, ["M3"]),
    ],
)
def test_which_slot_a_panel_belongs_to(calendar_on: CalendarOn, sampled: int, done: list[str]) -> None:
    samples = [*panel(56), *panel(sampled, fine=UNPROVEN)] if sampled > 59 else panel(sampled)
    found = statuses(calendar_on(max(sampled, 57), samples))
    assert [name for name, status in found.items() if status is DONE and (name != "W8" or sampled <= 59)] == done


@pytest.mark.parametrize(
    ("sampled", "done"),
    [
        (1, []),
        (2, ["x1"]),
        (4, ["x1", "W1"]),
        (8, ["W1"]),
        (9, ["W1", "x2"]),
        (12, ["x2", "W2"]),
        (36, []),
        (37, ["W6"]),
        (47, ["W6"]),
        (48, []),
        (51, ["W8"]),
        (61, ["W8"]),
        (62, []),
        (91, []),
        (92, ["M3"]),
        (100, ["M3"]),
        (101, ["P1"]),
    ],
)
def test_which_slot_a_count_belongs_to(calendar_on: CalendarOn, sampled: int, done: list[str]) -> None:
    found = statuses(calendar_on(sampled, [count(sampled, BAD)]), COUNTS)
    assert [name for name, status in found.items() if status is DONE] == done


def test_an_extra_count_takes_none_from_a_week_and_makes_no_week_history(calendar_on: CalendarOn) -> None:
    found = statuses(calendar_on(13, [count(3), count(9)]), COUNTS)
    assert (found["x1"], found["W1"], found["x2"], found["W2"]) == (DONE, DONE, DONE, DUE)
    assert statuses(calendar_on(12, [count(12)]), COUNTS)["W1"] is MISSED
    alone = statuses(calendar_on(10, [count(3)]), COUNTS)
    assert (alone["x1"], alone["W1"]) == (DONE, OVERDUE)


def test_a_result_fills_its_slot_also_when_it_was_overdue(calendar_on: CalendarOn) -> None:
    assert slot_of(calendar_on(10, panel(10)), "W1").status is DONE
    assert slot_of(calendar_on(40, panel(9)), "W1").status is DONE


def test_a_slot_is_history_once_a_later_one_is_done(calendar_on: CalendarOn) -> None:
    assert statuses(calendar_on(14, panel(14)))["W1"] is MISSED
    assert statuses(calendar_on(14, panel(14, "alt", "ast")))["W1"] is OVERDUE
    assert statuses(calendar_on(14, [count(14)]))["W1"] is OVERDUE
    assert statuses(calendar_on(21, panel(7)))["W2"] is OVERDUE


@pytest.mark.hazard("H32")
def test_a_slot_with_part_of_the_tests(calendar_on: CalendarOn) -> None:
    slot = slot_of(calendar_on(8, panel(7, "alt", "ast", "total_bilirubin")), "W1")
    assert slot.present == ("alt", "ast", "total_bilirubin")
    assert slot.missing == ("prothrombin_time", "inr")
    assert (slot.status, slot.is_partial, slot.is_complete) == (DUE, True, False)
    assert [item.name for item in slot.evidence] == ["alt", "ast", "total_bilirubin"]


def test_the_tests_of_a_slot_need_not_be_of_one_day(calendar_on: CalendarOn) -> None:
    samples = [*panel(4, "alt", "ast", "total_bilirubin"), *panel(10, "prothrombin_time", "inr")]
    assert slot_of(calendar_on(10, samples), "W1").status is DONE
    late = [*panel(4, "alt", "ast", "total_bilirubin"), *panel(11, "prothrombin_time", "inr")]
    assert slot_of(calendar_on(11, late), "W1").status is OVERDUE


def test_a_slot_that_is_empty_or_whole_is_not_partial(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(11, panel(7))
    assert [slot_of(calendar, name).is_partial for name in ("W1", "W2")] == [False, False]
    assert [slot_of(calendar, name).is_open for name in ("W1", "W2", "W3")] == [False, True, False]
    assert slot_of(calendar_on(10), "W1").is_open


def test_what_is_still_ahead(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(18, panel(7))
    assert [slot.name for slot in calendar.ahead(LIVER)][:3] == ["W2", "W3", "W4"]
    following = calendar.next_slot(LIVER)
    assert following is not None
    assert following.name == "W3"
    counts = calendar_on(0)
    assert [slot.name for slot in counts.ahead(COUNTS)][:2] == ["W1", "W2"]
    everything = [*panels(*WEEKS, 70, 84, 92), *(count(n) for n in (7, 14, 21, 28, 42, 56, 70, 84))]
    assert calendar_on(93, everything).next_slot(LIVER) is None
    assert calendar_on(93, everything).next_slot(COUNTS) is None


def test_the_order_of_the_results_changes_nothing(calendar_on: CalendarOn) -> None:
    samples = [*panels(7, 9, 13, 21, 28, 29), *panel(16, "inr", fine=BAD), count(7), count(9), count(28)]
    expected = calendar_on(30, samples)
    for seed in range(5):
        shuffled = list(samples)
        random.Random(seed).shuffle(shuffled)
        assert calendar_on(30, shuffled) == expected


# --- bookings


@pytest.mark.parametrize(
    ("bookings", "status"),
    [
        ([visit(3)], DUE),
        ([visit(4)], BOOKED),
        ([visit(10)], BOOKED),
        ([visit(11)], DUE),
        ([ordered(7, *LIVER_PANEL)], BOOKED),
        ([ordered(7, *LIVER_PANEL[:4])], DUE),
        ([ordered(6, *LIVER_PANEL[:3]), ordered(8, *LIVER_PANEL[3:])], BOOKED),
        ([ordered(6, *LIVER_PANEL[:3]), ordered(11, *LIVER_PANEL[3:])], DUE),
        ([], DUE),
    ],
)
def test_what_is_booked_in_the_window_is_not_due(
    calendar_on: CalendarOn, bookings: list[Booking], status: SlotStatus
) -> None:
    slot = slot_of(calendar_on(7, (), bookings), "W1")
    assert slot.status is status
    assert bool(slot.booked) is (status is BOOKED)


def test_only_what_is_missing_has_to_be_booked(calendar_on: CalendarOn) -> None:
    slot = slot_of(calendar_on(8, panel(7, *LIVER_PANEL[:4]), [ordered(9, "inr")]), "W1")
    assert (slot.status, slot.is_partial) == (BOOKED, True)


def test_what_is_overdue_or_still_ahead_stays_so_though_it_is_booked(calendar_on: CalendarOn) -> None:
    overdue = slot_of(calendar_on(10, (), [visit(10)]), "W1")
    assert overdue.status is OVERDUE
    assert [item.reference for item in overdue.booked] == ["Appointment/10"]
    ahead = slot_of(calendar_on(0, (), [visit(7)]), "W1")
    assert ahead.status is UPCOMING
    assert ahead.booked


def test_a_visit_before_the_last_panels_day_is_not_one_for_it(calendar_on: CalendarOn) -> None:
    """A sample from before the three months does not fill it, so a visit then does not book it."""
    early = calendar_on(86, panels(*WEEKS, 70), [visit(88)])
    assert (slot_of(early, "O2").status, slot_of(early, "M3").status) == (BOOKED, DUE)
    assert slot_of(calendar_on(86, panels(*WEEKS), [visit(91)]), "M3").status is DUE
    assert slot_of(calendar_on(86, panels(*WEEKS), [visit(92)]), "M3").status is BOOKED


# --- the gap rule (ruling 46)


@pytest.mark.hazard("H34")
@pytest.mark.parametrize(
    ("today", "gap"),
    [(16, None), (17, Gap(LIVER, day(7), 10, 10)), (18, Gap(LIVER, day(7), 11, 10))],
)
def test_ten_days_are_too_long_while_tests_are_weekly(calendar_on: CalendarOn, today: int, gap: Gap | None) -> None:
    gaps = calendar_on(today, panel(7)).gaps
    assert gaps == (() if gap is None else (gap,))


@pytest.mark.hazard("H34")
def test_d_plus_4_and_then_d_plus_17_does_not_pass(calendar_on: CalendarOn) -> None:
    assert calendar_on(13, panel(4)).gaps == ()
    found = calendar_on(14, panel(4))
    assert [(gap.days, gap.allowed) for gap in found.gaps] == [(10, 10)]
    assert statuses(found)["W2"] is DUE
    assert calendar_on(17, panels(4, 17)).gaps == ()


@pytest.mark.parametrize(("today", "days"), [(73, None), (74, 18), (75, 19)])
def test_eighteen_days_are_too_long_while_they_are_every_other_week(
    calendar_on: CalendarOn, today: int, days: int | None
) -> None:
    gaps = calendar_on(today, panels(*WEEKS)).gaps
    assert [(gap.series, gap.days, gap.allowed) for gap in gaps] == ([] if days is None else [(LIVER, days, 18)])


def test_the_last_taper_day_is_still_in_the_weekly_phase(calendar_on: CalendarOn) -> None:
    assert [gap.allowed for gap in calendar_on(56, panel(46)).gaps] == [10]
    assert calendar_on(57, panel(47)).gaps == ()
    assert [gap.allowed for gap in calendar_on(60, panel(50)).gaps] == [10]


@pytest.mark.parametrize(
    ("sampled", "today", "allowed"),
    [(19, 28, None), (18, 28, 10), (18, 29, None), (28, 45, None), (28, 46, 18), (92, 109, None), (92, 110, 18)],
)
def test_the_gap_between_counts(calendar_on: CalendarOn, sampled: int, today: int, allowed: int | None) -> None:
    gaps = [gap for gap in calendar_on(today, [count(sampled, BAD)]).gaps if gap.series is COUNTS]
    assert [gap.allowed for gap in gaps] == ([] if allowed is None else [allowed])


def test_before_the_first_panel_the_slots_alone_speak(calendar_on: CalendarOn) -> None:
    assert calendar_on(30).gaps == ()
    assert calendar_on(30).last_panel is None
    assert calendar_on(30).last_count is None


def test_a_panel_counts_from_its_test_that_is_longest_ago(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(18, [*panel(7), *panel(14, "alt", "ast", "total_bilirubin", "prothrombin_time")])
    assert calendar.last_panel == day(7)
    assert [gap.days for gap in calendar.gaps] == [11]
    assert calendar_on(18, panel(14, "alt", "ast")).last_panel is None


def test_after_the_end_no_gap_is_too_long(calendar_on: CalendarOn) -> None:
    over = calendar_on(150, [*panels(*WEEKS, 70, 84, 92), count(92)])
    assert (over.liver_over_on, over.platelets_back_on, over.gaps) == (day(92), day(92), ())


def test_counts_that_are_back_may_be_rare_only_after_three_months(calendar_on: CalendarOn) -> None:
    assert [gap.days for gap in calendar_on(92, [count(42)]).gaps] == [50]
    assert calendar_on(93, [count(42)]).gaps == ()


# --- 6.3, the course is not the label's


@pytest.mark.parametrize(
    ("today", "names"),
    [
        (28, ["W1", "W2", "W3", "W4", "W5"]),
        (31, ["W1", "W2", "W3", "W4", "W5"]),
        (34, ["W1", "W2", "W3", "W4", "W5"]),
        (35, ["W1", "W2", "W3", "W4", "W5", "W6"]),
        (41, ["W1", "W2", "W3", "W4", "W5", "W6"]),
    ],
)
def test_while_the_dose_cannot_be_reduced_only_the_next_week_is_shown(
    calendar_on: CalendarOn, today: int, names: list[str]
) -> None:
    calendar = calendar_on(today, ends=28, is_end_known=False)
    assert list(targets(calendar)) == names
    assert list(targets(calendar).values()) == [7 * n for n in range(1, len(names) + 1)]
    assert (calendar.liver_ends, calendar.liver_over_on, calendar.taper_ended) == (None, None, None)


def test_an_unknown_course_in_the_first_month_leaves_the_labels_weeks(calendar_on: CalendarOn) -> None:
    assert targets(calendar_on(10, ends=10, is_end_known=False)) == {"W1": 7, "W2": 14, "W3": 21, "W4": 28, "W5": 35}


def test_weekly_while_no_end_is_known_whatever_the_results(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(130, panels(*range(7, 127, 7)), ends=128, is_end_known=False)
    assert list(targets(calendar).values()) == list(range(7, 134, 7))
    assert calendar.gaps == ()
    assert [gap.allowed for gap in calendar_on(136, panel(126), ends=126, is_end_known=False).gaps] == [10]


def test_a_course_prolonged_by_five_weeks(calendar_on: CalendarOn) -> None:
    """Full dose to D+63, taper D+64 to D+91: thirteen weeks, then another month, which is the later end."""
    weeks = range(7, 92, 7)
    expected = {f"W{n}": 7 * n for n in range(1, 14)} | {"O1": 105, "O2": 119, "M3": 121}
    for today in (64, 95):
        calendar = calendar_on(today, panels(*(n for n in weeks if n <= today)), ends=91)
        assert targets(calendar) == expected
        assert calendar.taper_ended == day(91)
        assert calendar.liver_ends == date(2026, 7, 1)
        assert calendar.three_months == date(2026, 6, 2)


def test_a_panel_at_the_end_of_a_prolonged_follow_up_serves_the_last_slot(calendar_on: CalendarOn) -> None:
    found = calendar_on(122, panels(*range(7, 92, 7), 105, 121), ends=91)
    assert (statuses(found)["O2"], statuses(found)["M3"], found.liver_over_on) == (MISSED, DONE, day(121))


def test_a_taper_of_42_days(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(30, panels(7, 14, 21, 28), ends=70)
    assert targets(calendar) == {f"W{n}": 7 * n for n in range(1, 11)} | {"O1": 84, "O2": 98, "M3": 101}
    assert calendar.liver_ends == date(2026, 6, 11)


@pytest.mark.parametrize("last", [0, 3, 20, 28, 40, 55])
def test_a_course_that_broke_off_or_never_was_is_watched_like_the_labels(calendar_on: CalendarOn, last: int) -> None:
    """What a plan for them says is in the tests of the follow-up: it ends with the label's own taper."""
    assert targets(calendar_on(last, ends=56)) == {name: target for name, target, *_ in LIVER_SLOTS}


@pytest.mark.parametrize(
    ("ends", "weeks"), [(56, 8), (57, 8), (58, 8), (59, 8), (60, 9), (62, 9), (63, 9), (66, 9), (67, 10)]
)
def test_one_week_always_holds_the_last_day_of_the_taper(calendar_on: CalendarOn, ends: int, weeks: int) -> None:
    """The label asks for the findings at the end of the taper, on whatever weekday it ends."""
    calendar = calendar_on(30, panels(7, 14, 21, 28), ends=ends)
    last = slot_of(calendar, f"W{weeks}")
    assert [slot.name for slot in calendar.of(LIVER) if slot.kind is SlotKind.WEEKLY][-1] == last.name
    assert last.opens <= day(ends) <= last.closes
    assert targets(calendar)["O1"] == ends + 14


def test_a_restart_after_the_taper_brings_the_weeks_back(calendar_on: CalendarOn) -> None:
    spans = (course(56), course(135, first=80))
    calendar = calendar_on(82, panels(*WEEKS, 70), spans=spans)
    assert targets(calendar) == {f"W{n}": 7 * n for n in [*range(1, 9), *range(12, 20)]} | {
        "O1": 149,
        "O2": 163,
        "M3": 166,
    }
    assert [(gap.days, gap.allowed) for gap in calendar.gaps] == [(12, 10)]


@pytest.mark.parametrize(("ends", "weeks"), [(59, 8), (60, 9), (61, 9), (63, 9), (66, 9), (67, 10)])
def test_a_restart_takes_away_no_check_at_the_end_of_the_taper_before_it(
    calendar_on: CalendarOn, ends: int, weeks: int
) -> None:
    spans = (course(ends), course(120, first=ends + 12))
    calendar = calendar_on(ends + 2, panels(*WEEKS), spans=spans)
    before = [number for number in targets(calendar).values() if number < ends + 12]
    assert before == [7 * number for number in range(1, weeks + 1)]


@pytest.mark.parametrize(("today", "name", "target"), [(80, "W12", 84), (84, "W13", 91), (90, "W13", 91)])
def test_a_restart_at_an_unknown_end_shows_the_next_week_from_today(
    calendar_on: CalendarOn, today: int, name: str, target: int
) -> None:
    spans = (course(56), course(today, first=80))
    calendar = calendar_on(today, panels(*WEEKS, 70), spans=spans, is_end_known=False)
    last = calendar.of(LIVER)[-1]
    assert (last.name, number_of(last.target)) == (name, target)
    assert not {"W9", "W10", "W11"} & set(targets(calendar))
    overdue = {name for name, status in statuses(calendar).items() if status is OVERDUE}
    assert overdue == ({"W12"} if today == 90 else set())


# --- the findings at the end of the taper


@pytest.mark.parametrize(
    ("samples", "until"),
    [
        (panel(52), None),
        (panel(53), 56),
        (panel(56), 56),
        (panel(57), 57),
        (panel(56, fine=UNPROVEN), None),
        (panel(56, fine=BAD), None),
        (panel(56, inr=BAD), None),
        (panel(56, "alt", "ast", "total_bilirubin", "prothrombin_time"), None),
        ([*panel(53), *panel(56, "alt", fine=BAD)], None),
        ([*panel(53), *panel(56, "alt", fine=UNPROVEN)], None),
        ([*panel(53, fine=BAD), *panel(56)], 56),
        ([*panel(56), *panel(56, "alt", fine=BAD)], None),
        ([*panel(56, fine=BAD), *panel(60)], 60),
        ([*panel(53, "alt", "ast"), *panel(59, "total_bilirubin", "prothrombin_time", "inr")], 59),
        ([*panel(53, "alt", "ast"), *panel(60, "total_bilirubin", "prothrombin_time", "inr")], None),
    ],
)
def test_only_unremarkable_findings_at_the_end_of_the_taper_make_the_tests_rarer(
    calendar_on: CalendarOn, samples: list[Sample], until: int | None
) -> None:
    calendar = calendar_on(64, [*panels(*WEEKS[:-1]), *samples])
    if until is None:
        assert "O1" not in targets(calendar)
        assert list(targets(calendar).values()) == [*range(7, 71, 7)]
        assert calendar.liver_ends is None
    else:
        assert (targets(calendar)["O1"], targets(calendar)["O2"]) == (until + 14, until + 28)
        assert calendar.liver_ends == max(add_months(day(until), 1), date(2026, 6, 2))


@pytest.mark.parametrize(("today", "stays_weekly"), [(56, False), (57, False), (59, False), (60, True), (90, True)])
def test_without_a_panel_at_the_end_of_the_taper_the_weeks_go_on(
    calendar_on: CalendarOn, today: int, stays_weekly: bool
) -> None:
    calendar = calendar_on(today, panels(*WEEKS[:-1]))
    assert ("O1" not in targets(calendar)) is stays_weekly
    assert statuses(calendar)["W8"] is (OVERDUE if today >= 59 else DUE)
    assert calendar.taper_ended == day(56)


def test_in_a_week_after_the_taper_without_proof_the_next_test_is_due(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(60, panels(*WEEKS[:-1]))
    assert (statuses(calendar)["W9"], number_of(slot_of(calendar, "W9").target)) == (DUE, 63)
    assert statuses(calendar_on(66, panels(*WEEKS[:-1])))["W9"] is OVERDUE


@pytest.mark.parametrize(("fine", "is_weekly"), [(BAD, True), (UNPROVEN, False), (FINE, False)])
def test_an_abnormal_end_of_the_taper_keeps_the_weeks_at_once(
    calendar_on: CalendarOn, fine: Certainty, is_weekly: bool
) -> None:
    calendar = calendar_on(57, [*panels(*WEEKS[:-1]), *panel(56, alt=fine)])
    assert ("O1" not in targets(calendar)) is is_weekly
    assert (list(targets(calendar))[-1] == "W9") is is_weekly


def test_a_late_unremarkable_panel_begins_the_other_month(calendar_on: CalendarOn) -> None:
    """Abnormal at the end of the taper and for three weeks: the month of rarer tests begins with the first fine one."""
    bad = [sample for number in (56, 63, 70) for sample in panel(number, alt=BAD)]
    calendar = calendar_on(78, [*panels(*WEEKS[:-1]), *bad, *panel(77)])
    assert targets(calendar) == {f"W{n}": 7 * n for n in range(1, 12)} | {"O1": 91, "O2": 105, "M3": 108}
    assert calendar.liver_ends == date(2026, 6, 18)


# --- the last panel


@pytest.mark.parametrize(
    ("sampled", "over_on", "status"),
    [(91, None, OVERDUE), (92, 92, DONE), (106, 106, DONE), (107, 107, DONE), (115, 115, DONE)],
)
def test_the_first_unremarkable_panel_from_the_end_on_is_the_last(
    calendar_on: CalendarOn, sampled: int, over_on: int | None, status: SlotStatus
) -> None:
    calendar = calendar_on(120, panels(*WEEKS, 70, 84, sampled))
    assert number_of(calendar.liver_over_on) == over_on
    assert statuses(calendar)["M3"] is status
    assert not [name for name in targets(calendar) if name.startswith("R")]


@pytest.mark.parametrize("fine", [BAD, UNPROVEN])
def test_after_a_last_panel_that_is_not_unremarkable_the_weeks_come_back(
    calendar_on: CalendarOn, fine: Certainty
) -> None:
    samples = [*panels(*WEEKS, 70, 84), *panel(92, alt=fine)]
    calendar = calendar_on(100, samples)
    assert {name: number for name, number in targets(calendar).items() if number > 90} == {
        "M3": 92,
        "R1": 99,
        "R2": 106,
    }
    assert (statuses(calendar)["M3"], statuses(calendar)["R1"]) == (DONE, DUE)
    assert statuses(calendar_on(102, samples))["R1"] is OVERDUE
    later = calendar_on(114, [*samples, *panel(99, alt=fine), *panel(113)])
    assert (later.liver_over_on, "R1" in targets(later)) == (day(113), False)
    assert statuses(later)["M3"] is DONE


def test_one_abnormal_test_is_enough_to_go_on_weekly(calendar_on: CalendarOn) -> None:
    samples = [*panels(*WEEKS, 70, 84), *panel(93, "alt", fine=BAD)]
    calendar = calendar_on(94, samples)
    assert (statuses(calendar)["M3"], targets(calendar)["R1"]) == (DUE, 100)


def test_a_last_panel_that_is_only_incomplete_stays_one_alarm(calendar_on: CalendarOn) -> None:
    samples = [*panels(*WEEKS, 70, 84), *panel(92, "alt", "ast", "total_bilirubin")]
    calendar = calendar_on(103, samples)
    assert (statuses(calendar)["M3"], "R1" in targets(calendar)) == (OVERDUE, False)
    assert calendar_on(103, [*samples, *panel(98, "inr", "prothrombin_time")]).liver_over_on == day(98)
    # All five, and never within one week: nothing is proven.
    apart = calendar_on(103, [*samples, *panel(99, "inr", "prothrombin_time")])
    assert (apart.liver_over_on, statuses(apart)["M3"], targets(apart)["R1"]) == (None, DONE, 106)


def test_a_later_abnormal_result_does_not_undo_the_end(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(100, [*panels(*WEEKS, 70, 84, 92), *panel(99, alt=BAD)])
    assert calendar.liver_over_on == day(92)


@pytest.mark.parametrize(
    ("infusion", "ends", "last"),
    [
        (date(2025, 11, 1), 91, ["O1", "M3"]),
        (date(2025, 11, 3), 91, ["O1", "M3"]),
        (date(2025, 10, 20), 91, ["O1", "O2", "M3"]),
        (date(2023, 11, 3), 91, ["O1", "O2", "M3"]),
    ],
)
def test_where_another_month_has_28_days_one_panel_is_both(
    catalogue: Catalogue, infusion: date, ends: int, last: list[str]
) -> None:
    """Te of 31 January or in February: one month on is the day of the second panel, outside leap years."""
    span = SteroidSpan(day(-1, infusion), day(ends, infusion))
    calendar = monitoring_calendar(
        infusion, infusion, infusion, SteroidPlan((span,), True, is_projected=True), (), (), catalogue.known
    )
    after = [slot for slot in calendar.of(LIVER) if slot.kind is not SlotKind.WEEKLY]
    assert [slot.name for slot in after] == last
    assert len({slot.target for slot in after}) == len(after)


# --- platelets, 6.4

NOT_BACK = [count(number, BAD) for number in (7, 14, 21, 28, 42, 56, 70, 84)]


@pytest.mark.parametrize(
    ("today", "beyond"),
    [
        (77, ["M3"]),
        (91, ["M3"]),
        (92, ["M3", "P1"]),
        (105, ["M3", "P1"]),
        (106, ["M3", "P1", "P2"]),
        (120, ["M3", "P1", "P2", "P3"]),
    ],
)
def test_counts_that_are_not_back_at_three_months_go_on(calendar_on: CalendarOn, today: int, beyond: list[str]) -> None:
    found = targets(calendar_on(today, NOT_BACK), COUNTS)
    assert {name: n for name, n in found.items() if n > 90} == {name: 92 + 14 * i for i, name in enumerate(beyond)}


def test_beyond_three_months_a_count_is_due_and_overdue_like_before(calendar_on: CalendarOn) -> None:
    taken = [*NOT_BACK, count(92, BAD)]
    found = [statuses(calendar_on(today, taken), COUNTS)["P1"] for today in (100, 101, 109, 110)]
    assert found == [UPCOMING, DUE, DUE, OVERDUE]
    assert statuses(calendar_on(106, [*taken, count(106, BAD)]), COUNTS)["P1"] is DONE


@pytest.mark.parametrize(
    ("sampled", "back_on", "beyond"),
    [
        (28, None, ["M3", "P1"]),
        (29, 29, []),
        (84, 84, []),
        (91, 91, []),
        (92, 92, ["M3"]),
        (100, 100, ["M3"]),
    ],
)
def test_once_a_count_after_the_first_month_is_back_nothing_is_asked_beyond_three_months(
    calendar_on: CalendarOn, sampled: int, back_on: int | None, beyond: list[str]
) -> None:
    calendar = calendar_on(101, [count(sampled)])
    assert number_of(calendar.platelets_back_on) == back_on
    found = statuses(calendar, COUNTS)
    assert [name for name in found if name in ("M3", "P1", "P2")] == beyond


def test_once_back_no_count_beyond_three_months_stays_overdue(calendar_on: CalendarOn) -> None:
    """Neither where the count fell between two windows, nor where one was left out before it."""
    for sampled in (107, 112, 118, 130):
        calendar = calendar_on(140, [*NOT_BACK, count(sampled)])
        assert calendar.platelets_back_on == day(sampled)
        assert OVERDUE not in statuses(calendar, COUNTS).values()
    late = calendar_on(140, [*NOT_BACK, count(92, BAD), count(118)])
    assert {name: status for name, status in statuses(late, COUNTS).items() if name in ("M3", "P1", "P2", "P3")} == {
        "M3": DONE,
        "P2": DONE,
    }


def test_counts_of_one_day_that_disagree_are_not_back(calendar_on: CalendarOn) -> None:
    assert calendar_on(60, [count(42), count(42, BAD)]).platelets_back_on is None
    assert calendar_on(60, [count(42), count(42, UNPROVEN), count(56)]).platelets_back_on == day(56)
    assert calendar_on(60, [count(42, UNPROVEN)]).platelets_back_on is None


def test_a_count_that_is_low_again_does_not_undo_that_they_were_back(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(100, [count(42), count(84, BAD)])
    assert (calendar.platelets_back_on, calendar.last_count) == (day(42), day(84))


# --- two days of infusion, and records without end


def test_of_two_infusion_days_the_first_makes_due_and_the_second_ends(calendar_on: CalendarOn) -> None:
    calendar = calendar_on(10, second_infusion=1)
    assert targets(calendar)["W1"] == 7
    assert statuses(calendar)["W1"] is OVERDUE
    assert calendar.three_months == calendar.liver_ends == slot_of(calendar, "M3").target == date(2026, 6, 3)
    early = calendar_on(94, panels(*WEEKS, 70, 84, 92), second_infusion=1)
    assert early.liver_over_on is None
    assert calendar_on(94, panels(*WEEKS, 70, 84, 93), second_infusion=1).liver_over_on == day(93)


def test_the_calendar_of_a_record_that_never_ends_has_an_end(calendar_on: CalendarOn) -> None:
    years = calendar_on(1200, ends=1200, is_end_known=False)
    assert len(years.of(LIVER)) < 120
    assert len(years.of(COUNTS)) < 80
    beyond = calendar_on(1200, [*panels(*WEEKS, 70, 84), *panel(92, alt=BAD)])
    assert len([name for name in targets(beyond) if name.startswith("R")]) < 120


def test_slots_stand_in_the_order_of_their_days(calendar_on: CalendarOn) -> None:
    slots = calendar_on(20).slots
    assert list(slots) == sorted(slots, key=lambda slot: slot.target)


def test_the_sites_windows_are_read_and_not_known_by_heart(catalogue: Catalogue) -> None:
    known = catalogue.known
    names = {"monitoring.weekly.grace_days": 2, "monitoring.weekly.overdue_days": 1}

    class Changed:
        """The site's numbers, two of them changed."""

        def whole(self, name: str) -> int:
            return names.get(name, known.policy.whole(name))

    changed: Any = replace(known, policy=Changed())  # type: ignore[arg-type]
    plan = SteroidPlan((course(56),), True, is_projected=True)
    slot = monitoring_calendar(INFUSED, INFUSED, INFUSED, plan, (), (), changed).of(LIVER)[0]
    assert (number_of(slot.opens), number_of(slot.closes), number_of(slot.overdue_from)) == (5, 9, 8)


# --- where the calendar turns


def test_after_a_course_without_a_taper_two_more_panels_and_the_last_one_are_asked_for(calendar_on: CalendarOn) -> None:
    assert targets(calendar_on(0, ends=28)) == {
        "W1": 7, "W2": 14, "W3": 21, "W4": 28, "O1": 42, "O2": 56, "M3": 92,
    }  # fmt: skip


def test_a_low_count_after_the_last_panel_makes_no_liver_tests_due(calendar_on: CalendarOn) -> None:
    names = targets(calendar_on(100, [*panels(*WEEKS, 70, 84), count(95, BAD)]))
    assert not any(name.startswith("R") for name in names)


@pytest.mark.parametrize(("abnormal_on", "goes_on"), [(49, False), (52, False), (53, True), (56, True)])
def test_weekly_tests_go_on_where_the_last_around_the_end_is_abnormal(
    calendar_on: CalendarOn, abnormal_on: int, goes_on: bool
) -> None:
    """The course ended on D+56; two days later nothing is overdue yet."""
    calendar = calendar_on(58, [*panels(7, 14, 21, 28, 35, 42), *panel(abnormal_on, alt=BAD)])
    assert (calendar.liver_ends is None) is goes_on


def test_a_course_that_never_ends_has_weekly_tests_of_two_years(calendar_on: CalendarOn) -> None:
    names = targets(calendar_on(800, is_end_known=False))
    assert names["W104"] == 728
    assert "W105" not in names


def test_weekly_tests_begin_again_on_the_first_day_of_a_second_course(calendar_on: CalendarOn) -> None:
    names = targets(calendar_on(90, spans=(course(56), course(120, first=84))))
    assert names["W12"] == 84
    assert "W11" not in names


def test_after_an_abnormal_last_panel_weeks_are_counted_from_the_first_of_the_abnormal_ones(
    calendar_on: CalendarOn,
) -> None:
    before = panels(*WEEKS, 70, 84)
    names = targets(calendar_on(100, [*before, *panel(92, alt=BAD), *panel(99, alt=BAD)]))
    assert (names["R1"], names["R2"]) == (99, 106)
    others = [analyte for analyte in LIVER_PANEL if analyte != "alt"]
    pieces = [*panel(93, "alt"), *panel(101, *others), *panel(111, "alt")]
    assert targets(calendar_on(112, [*before, *pieces]))["R1"] == 108


def test_platelets_are_back_on_the_first_of_several_fine_days(calendar_on: CalendarOn) -> None:
    assert number_of(calendar_on(60, [count(42), count(56)]).platelets_back_on) == 42


def test_a_count_on_the_last_day_of_a_window_keeps_its_slot_when_platelets_are_back(calendar_on: CalendarOn) -> None:
    assert "P1" in targets(calendar_on(112, [count(111)]), COUNTS)
    assert "P1" not in targets(calendar_on(113, [count(112)]), COUNTS)


def test_a_visit_books_the_whole_panel_although_one_test_is_ordered_beside_it(calendar_on: CalendarOn) -> None:
    assert slot_of(calendar_on(5, bookings=[visit(7), ordered(7, "alt")]), "W1").status is BOOKED
    assert slot_of(calendar_on(5, bookings=[ordered(7, "alt")]), "W1").status is DUE


@pytest.mark.parametrize(("today", "has_gap"), [(55, False), (56, True), (57, False)])
def test_ten_days_are_too_long_through_the_last_day_of_the_weekly_tests(
    calendar_on: CalendarOn, today: int, has_gap: bool
) -> None:
    gaps = calendar_on(today, panels(7, 14, 21, 28, 35, 46)).gaps
    assert any(gap.series is LIVER for gap in gaps) is has_gap
