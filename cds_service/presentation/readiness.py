"""The readiness card: every line of the checklist, worst first; complete at signing, short while choosing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cds_service.domain.answers import Answer
from cds_service.presentation.catalogue import URGENCIES, Catalogue
from cds_service.presentation.markdown import bullets, short_evidence
from cds_service.presentation.render import MOST_EVIDENCE, Finding
from cds_service.presentation.words import OurWords, first_upper

STATES = ("action-needed", "not-checkable", "attest", "verified")
# More on one line of a list nobody reads; the finding itself holds them all.
MOST_ON_A_LINE = 6
SHORT_HOOKS = frozenset({"order-select", "appointment-book"})


def readiness_findings(
    lines: Iterable[Answer], findings: Sequence[Finding], hook: str, catalogue: Catalogue
) -> list[Finding]:
    """One finding for each line. A line that needs action takes the level of its worst rule on this hook."""
    made = [_finding(line, findings, hook, catalogue) for line in lines]
    return sorted(made, key=lambda item: (-URGENCIES.index(item.urgency), STATES.index(item.values["state"])))


def _finding(line: Answer, findings: Sequence[Finding], hook: str, catalogue: Catalogue) -> Finding:
    check, state = str(line.shown["check"]), str(line.shown["state"])
    text = catalogue.checklist[check]
    card = catalogue.cards[line.rule_id]
    behind = [finding for finding in findings if _is_behind(finding, check, catalogue)]
    behind.sort(key=lambda item: -URGENCIES.index(item.urgency))
    urgency = card.grades[state].urgency
    if behind and state in ("action-needed", "not-checkable"):
        urgency = (
            behind[0].urgency if state == "action-needed" else max(urgency, behind[0].urgency, key=URGENCIES.index)
        )
    said = text.says[state].plain.render(line.shown) if state in text.says else ""
    if state == "not-checkable" and not behind:
        said = said or _lacks(line, catalogue)
    parts = [*(_said(finding, check, catalogue) for finding in behind), said]
    shown = {
        **line.shown,
        "title": OurWords(text.title),
        "state_text": OurWords(catalogue.phrases.states[state]),
        "says": "; ".join(dict.fromkeys(part.rstrip(".") for part in parts if part)),
    }
    return Finding(
        rule_id=line.rule_id,
        topic=card.topic,
        urgency=urgency,
        section=text.section,
        basis=card.grades[state].basis,
        headline=text.title,
        message=" ".join(card.message.plain.render(shown).split()),
        values={"check": check, "state": state, **_because(line)},
        evidence=line.evidence[:MOST_EVIDENCE],
        paragraphs={"What the record shows": (" ".join(card.message.markdown.render(shown).split()),)},
        explained_policy=(),
        other_policy=(),
        changes=(),
    )


def _is_behind(finding: Finding, check: str, catalogue: Catalogue) -> bool:
    """Whether a finding is by one of the line's rules, and about the line's analyte where it is about one."""
    analyte = catalogue.checklist[check].analyte
    is_about = not analyte or finding.values.get("analyte", analyte) == analyte
    return is_about and finding.rule_id in catalogue.checked_by[check]


def _said(finding: Finding, check: str, catalogue: Catalogue) -> str:
    """What a finding says on the line: its headline, or on an analyte's own line its message without the name."""
    analyte = catalogue.checklist[check].analyte
    if not analyte or not finding.values.get("analyte"):
        return finding.headline
    name = first_upper(catalogue.phrases.analytes[analyte])
    return first_upper(finding.message.removeprefix(f"{name}: "))


def _lacks(line: Answer, catalogue: Catalogue) -> str:
    """What the check lacked, in words; "" for a line that this release cannot check at all."""
    missing = [name for name in str(line.shown["because"]).split(", ") if name]
    words = ", ".join(catalogue.phrases.missing[name] for name in missing)
    return catalogue.phrases.texts["lacks"].plain.render(words=OurWords(words)) if words else ""


def _because(line: Answer) -> dict[str, str]:
    because = str(line.shown["because"])
    return {"because": because} if because else {}


def readiness_summary(checklist: Sequence[Finding], catalogue: Catalogue) -> str:
    """The card's headline: the worst state and how many lines are in it."""
    return catalogue.phrases.texts["readiness_headline"].plain.render(_counts(checklist))


def _counts(checklist: Sequence[Finding]) -> dict[str, int]:
    states = [_counted_as(finding) for finding in checklist]
    counts = {state.replace("-", "_"): states.count(state) for state in STATES}
    counts["to_attest"] = counts.pop("attest")
    return counts


def _counted_as(finding: Finding) -> str:
    """A check that cannot be made and is critical for it is one to act on."""
    is_urgent = finding.urgency == "critical" and finding.values["state"] == "not-checkable"
    return "action-needed" if is_urgent else finding.values["state"]


def readiness_detail(checklist: Sequence[Finding], hook: str, today_is_stale: bool, catalogue: Catalogue) -> str:
    """The checklist as Markdown. While choosing, verified lines are counted instead of listed."""
    unbuilt = [f for f in checklist if _is_unbuilt(f, catalogue)]
    verified = [f for f in checklist if f.values["state"] == "verified"]
    is_short = hook in SHORT_HOOKS
    listed = [f for f in checklist if f not in unbuilt and not (is_short and f in verified)]
    lines = []
    for finding in listed:
        proof = "; ".join(short_evidence(finding.evidence[:MOST_ON_A_LINE], catalogue.phrases.evidence))
        proof += "; …" if len(finding.evidence) > MOST_ON_A_LINE else ""
        lines.append(finding.paragraphs["What the record shows"][0] + (f" — {proof}" if proof else ""))
    texts = catalogue.phrases.texts
    if unbuilt:
        titles = OurWords(", ".join(finding.headline for finding in unbuilt))
        lines.append(texts["not_built"].markdown.render(titles=titles))
    parts = [texts["readiness_counts"].markdown.render(_counts(checklist)), bullets(lines)]
    if is_short and verified:
        parts.append(texts["readiness_count"].markdown.render(verified=len(verified)))
    if today_is_stale:
        checked_on = catalogue.identity.rules_checked_on
        parts.append(texts["rules_are_old"].markdown.render(checked_on=checked_on))
    return "\n\n".join(parts)


def _is_unbuilt(finding: Finding, catalogue: Catalogue) -> bool:
    is_open = finding.values["state"] == "not-checkable"
    return is_open and not catalogue.checked_by[finding.values["check"]]
