"""The checklist before the infusion (clinical-rules group D): the only place that may say a check is verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cds_service.domain.answers import Answer, Assurance, Verdict, fires, silent
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import ChecklistLine, Known
from cds_service.domain.registry import Answers, summary_rule

VERIFIED, ACTION_NEEDED = "verified", "action-needed"
NOT_CHECKABLE, ATTEST = "not-checkable", "attest"


@summary_rule
def baseline_readiness(facts: PatientFacts, answers: Answers, known: Known) -> Answers:
    """One answer for each line of the checklist, while an infusion is planned and none has been given."""
    if facts.is_treated or not (facts.planned_orders or facts.proposed_infusions):
        return (silent(),)
    about = _by_check(answers, known)
    return tuple(_line(line, facts, about[line.check]) for line in known.checklist)


def _by_check(answers: Answers, known: Known) -> Mapping[str, Sequence[Answer]]:
    """The answers about each line of the checklist, in their order."""
    lines: dict[str, list[ChecklistLine]] = {}
    for line in known.checklist:
        for rule_id in frozenset(line.rules):
            lines.setdefault(rule_id, []).append(line)
    about: dict[str, list[Answer]] = {line.check: [] for line in known.checklist}
    for answer in answers:
        for line in lines.get(answer.rule_id, ()):
            if _is_about(answer, line):
                about[line.check].append(answer)
    return about


def _line(line: ChecklistLine, facts: PatientFacts, about: Sequence[Answer]) -> Answer:
    state = _state(line, about, facts)
    return fires(
        state,
        (item for answer in about for item in answer.evidence),
        check=line.check,
        state=state,
        is_built=bool(line.rules) or line.is_attested,
        because=", ".join(_reasons(about)),
        **_expected_kit(about),
        **_notes(about),
    )


def _is_about(answer: Answer, line: ChecklistLine) -> bool:
    """Whether an answer is about the line's analyte; one that names no analyte is about all."""
    return not line.analyte or answer.shown.get("analyte", line.analyte) == line.analyte


def _state(line: ChecklistLine, about: Sequence[Answer], facts: PatientFacts) -> str:
    """Worst first: what fires needs action, what is unknown is not checkable, and only proof verifies.

    A rule that is silent without proof says nothing either way: it neither verifies a line nor keeps it open.
    Nothing is verified on a call that brought data of somebody else (C7).
    """
    if any(answer.verdict is Verdict.FIRES and answer.assurance is Assurance.NONE for answer in about):
        return ACTION_NEEDED
    is_open = any(answer.verdict is Verdict.UNKNOWN for answer in about)
    if line.is_attested:
        return NOT_CHECKABLE if is_open else ATTEST
    if not about or is_open or facts.identity_problems:
        return NOT_CHECKABLE
    assurances = [answer.assurance for answer in about]
    if Assurance.ATTEST in assurances:
        return ATTEST
    return VERIFIED if Assurance.VERIFIED in assurances else NOT_CHECKABLE


def _reasons(about: Sequence[Answer]) -> list[str]:
    """What the unknown answers lacked, by name."""
    missing = (item for a in about if a.verdict is Verdict.UNKNOWN for item in a.missing)
    return list(dict.fromkeys(item if isinstance(item, str) else item.value for item in missing))


def _expected_kit(about: Sequence[Answer]) -> dict[str, str]:
    kits = [str(answer.shown["expected_ndc"]) for answer in about if answer.shown.get("expected_ndc")]
    return {"expected_ndc": kits[0] if kits else ""}


def _notes(about: Sequence[Answer]) -> dict[str, str]:
    """What the answers say beside the verdict, for the words of the line."""
    return {name: next((str(a.shown[name]) for a in about if a.shown.get(name)), "") for name in ("pending_since",)}
