"""Reading the words of the timeline; every name that the domain can give has to have its words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cds_service.domain.calendar_days import PartStatus
from cds_service.domain.known import Known
from cds_service.domain.monitoring_calendar import Series, SlotKind
from cds_service.domain.result_series import HINDRANCES, SERIES, Scale
from cds_service.domain.steroid_states import CourseState
from cds_service.domain.steroid_timeline import PLANNED_DAYS, DoseSource, Phase
from cds_service.domain.treatment_course import InfusionState
from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.catalogue import CourseLine, CourseWords, SectionedText
from cds_service.presentation.words import words_in
from cds_service.presentation.yaml_files import load_mapping

_TEXTS = (
    "concerns_nothing", "has_died", "not_reviewed", "state", "no_state", "phase", "steroid_day", "slot", "gap",
    "platelets_section", "series_of_test", "point", "no_result_seen",
)  # fmt: skip
_SUMMARY = (
    "title", "next_test", "overdue_tests", "unknown_tests", "more_liver_tests", "no_test", "over", "no_calendar",
    "windows", "steroid_today", "steroid_state", "steroid_plan", "steroid_rule", "steroid_missing", "diapers",
    "sections",
)  # fmt: skip
_NAMED: Mapping[str, Collection[str]] = {
    "state_codes": [state.value for state in CourseState],
    "phases": [phase.value for phase in Phase],
    "dose_sources": [source.value for source in DoseSource],
    "slot_kinds": [kind.value for kind in SlotKind],
    "slot_sections": [kind.value for kind in SlotKind],
    "parts": [series.value for series in Series],
    "slot_states": [status.value for status in PartStatus],
    "series": SERIES,
    "unknown": HINDRANCES,
}


def load_course(path: Path, known: Known) -> CourseWords:
    """The words of the timeline. Raises ContentProblem where one is missing, foreign, or no text."""
    needed = (*_TEXTS, *_NAMED, "infusion", "plan", "lines", "own_limit", "summary", "page")
    given = checks.require_fields(path, load_mapping(path), needed)
    where = f"{path}: summary"
    summary = checks.require_fields(where, given["summary"], (*_SUMMARY, "when_to_call"))
    texts = {name: given[name] for name in _TEXTS} | {name: summary[name] for name in _SUMMARY}
    calls = checks.require_list(f"{where}: when_to_call", summary["when_to_call"])
    plan = checks.require_fields(f"{path}: plan", given["plan"], PLANNED_DAYS)
    lines = checks.require_list(f"{path}: lines", given["lines"])
    return CourseWords(
        texts={
            name: words_in(f"{path}: {name}", checks.require_text(path, name, said)) for name, said in texts.items()
        },
        infusion=_infusion(path, given["infusion"]),
        plan={name: _sectioned(f"{path}: plan: {name}", said) for name, said in plan.items()},
        lines=(*(_line(f"{path}: lines", line, known) for line in lines), _own_limit(path, given["own_limit"])),
        when_to_call=tuple(_sectioned(f"{where}: when_to_call", said) for said in calls),
        page=_named(f"{path}: page", given["page"], given["page"]),
        **{name: _named(f"{path}: {name}", given[name], names) for name, names in _NAMED.items()},
    )


def _named(where: str, given: object, names: Collection[str]) -> dict[str, str]:
    """One text for each of these names, and for no other."""
    said = checks.require_fields(where, checks.require_mapping(where, given), names)
    return {name: checks.require_text(where, name, text) for name, text in said.items()}


def _infusion(path: Path, given: object) -> dict[str, Any]:
    where = f"{path}: infusion"
    said = _named(where, given, [state.value for state in InfusionState])
    return {name: words_in(where, text) for name, text in said.items()}


def _sectioned(where: str, given: object) -> SectionedText:
    said = checks.require_fields(where, given, ("words", "section"))
    section = checks.require_quoted_section(where, said["section"])
    return SectionedText(checks.require_text(where, "words", said["words"]), section)


def _line(where: str, given: object, known: Known) -> CourseLine:
    """A line at a number that is named as `label.name`, `policy.name` or `outside.name`."""
    said = checks.require_fields(where, given, ("series", "scale", "number", "words"), ("is_above",))
    kind, _, name = str(said["number"]).partition(".")
    numbers = {"label": known.label, "policy": known.policy, "outside": known.outside}.get(kind)
    if numbers is None or name not in numbers:
        raise ContentProblem(f"{where}: {said['number']} is no number of the card files; correct its name")
    number = numbers.described(name)
    return CourseLine(
        series=_series_of(where, said["series"]),
        scale=checks.require_one_of(where, "scale", said["scale"], [scale.value for scale in Scale]),
        number=number,
        section=number.section,
        is_above=said.get("is_above") is True,
        words=words_in(where, checks.require_text(where, "words", said["words"])),
    )


def _own_limit(path: Path, given: object) -> CourseLine:
    where = f"{path}: own_limit"
    said = checks.require_fields(where, given, ("series", "section", "words"))
    return CourseLine(
        series=_series_of(where, said["series"]),
        scale=Scale.TIMES_ULN.value,
        number=None,
        section=checks.require_quoted_section(where, said["section"]),
        is_above=False,
        words=words_in(where, checks.require_text(where, "words", said["words"])),
    )


def _series_of(where: str, given: object) -> tuple[str, ...]:
    return tuple(checks.require_one_of(where, "series", name, SERIES) for name in checks.require_texts(where, given))
