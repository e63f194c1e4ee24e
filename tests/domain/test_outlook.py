"""What the outlook of a treated child says of its next tests, and when nobody is on track (label 2.1, 2.3, 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.domain.answers import Answer, silent, unknown
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.outlook import Outlook, outlook_of
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
CHILD: dict[str, Any] = {"moment": "chart", "infused": "2026-02-02", "today": "2026-02-10"}


@pytest.fixture(scope="module")
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


def seen(facts_of: FactsOf, known: Known, *answers: Answer, **said: Any) -> Outlook:
    found = outlook_of(facts_of({**CHILD, **said}), answers, known)
    assert found is not None
    return found


def test_what_a_rule_could_not_answer_keeps_a_child_off_track(facts_of: FactsOf, known: Known) -> None:
    assert seen(facts_of, known, silent()).is_on_track
    found = seen(facts_of, known, silent(), unknown("steroid-dose"), unknown("steroid-dose"))
    assert found.not_checked == ("steroid-dose",)
    assert not found.is_on_track
    # What an answer about the record itself names as lacking is told by its own card.
    assert seen(facts_of, known, replace(silent(), missing=("record",))).not_checked == ()


def test_a_newest_count_without_a_number_keeps_a_child_off_track(facts_of: FactsOf, known: Known) -> None:
    comment = {"on": "2026-02-09", "platelets": {"string": "giant platelets"}}
    assert seen(facts_of, known, counts=[{"on": "2026-02-08"}, comment]).not_checked == ("result-interpretable",)
    beside = [{"on": "2026-02-09"}, {**comment, "at": "08:02"}]
    assert seen(facts_of, known, counts=beside).not_checked == ("result-interpretable",)
    assert seen(facts_of, known, counts=[comment, {"on": "2026-02-10"}]).not_checked == ()


@pytest.mark.parametrize(
    "spoiled",
    [{"platelets": {"string": "clumped"}}, {"platelets": {"absent": "error"}}, {"alt": {"string": "hemolyzed"}}],
)
def test_a_newest_sample_that_gave_no_result_keeps_a_child_off_track(
    facts_of: FactsOf, known: Known, spoiled: Mapping[str, Any]
) -> None:
    word = "counts" if "platelets" in spoiled else "panels"
    before, after = {"on": "2026-02-09"}, {"on": "2026-02-10", **spoiled}
    assert seen(facts_of, known, **{word: [before, after]}).not_checked == ("sample-with-result",)
    assert seen(facts_of, known, **{word: [{**after, "on": "2026-02-08"}, before]}).not_checked == ()


def test_a_panel_after_the_taper_that_cannot_be_judged_keeps_a_child_off_track(facts_of: FactsOf, known: Known) -> None:
    taper = {"start": "2026-03-03", "end": "2026-03-30", "dose": "1.6 mg"}
    steroids = [{"start": "2026-02-01", "end": "2026-03-02", "dose": "3.2 mg"}, taper]
    weekly = [{"on": f"2026-{day}"} for day in ("02-09", "02-16", "02-23", "03-02", "03-09", "03-16", "03-23")]
    said = {"today": "2026-04-08", "steroids": steroids}
    spoiled = {"on": "2026-03-30", "alt": {"string": "twenty or so"}}
    panels = [*weekly, spoiled, {"on": "2026-04-06"}]
    assert seen(facts_of, known, panels=panels, **said).not_checked == ("panel-after-taper",)
    assert seen(facts_of, known, panels=[*weekly, {"on": "2026-03-30"}, panels[-1]], **said).not_checked == ()


def test_a_count_that_is_awaited_keeps_nobody_off_track(facts_of: FactsOf, known: Known) -> None:
    awaited = {"on": "2026-02-10", "platelets": {"string": "pending"}}
    assert seen(facts_of, known, counts=[{"on": "2026-02-09"}, awaited]).not_checked == ()


def test_one_low_count_among_the_newest_is_abnormal(facts_of: FactsOf, known: Known) -> None:
    low = {"on": "2026-02-09", "at": "08:02", "platelets": "149 10*3/uL"}
    assert seen(facts_of, known, counts=[{"on": "2026-02-09"}, low]).abnormal == ("platelets",)
    assert seen(facts_of, known, counts=[{"on": "2026-02-09"}]).abnormal == ()


@pytest.mark.parametrize(("end", "course_ends"), [("2026-02-20", date(2026, 2, 20)), ("2026-03-20", date(2026, 3, 20))])
def test_the_course_ends_on_the_last_day_that_is_ordered(
    facts_of: FactsOf, known: Known, end: str, course_ends: date
) -> None:
    assert seen(facts_of, known, steroids=[{"end": end}]).course_ends == course_ends


@pytest.mark.parametrize(("today", "is_due"), [("2026-02-05", False), ("2026-02-06", True), ("2026-02-11", True)])
def test_the_next_panel_is_due_from_the_first_day_of_its_window(
    facts_of: FactsOf, known: Known, today: str, is_due: bool
) -> None:
    """W1 is of 2026-02-09; what is booked for its window is still due."""
    visit = {"for": "visit", "start": "2026-02-11T09:00:00Z"}
    for appointments in ([], [visit]):
        following = seen(facts_of, known, today=today, appointments=appointments).liver
        assert following is not None
        assert (following.target, following.is_due) == (date(2026, 2, 9), is_due)
        assert following.is_booked is bool(appointments)
