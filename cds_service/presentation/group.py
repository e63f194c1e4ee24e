"""Findings → cards: one per topic, most urgent first, at most six, nothing dropped (interfaces section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cds_service import __version__
from cds_service.domain.answers import OrderMonitoring, RequestTest
from cds_service.domain.evidence import Evidence, distinct
from cds_service.domain.outlook import Outlook
from cds_service.domain.registry import Answers
from cds_service.presentation.acknowledgement import NOTHING_ACKNOWLEDGED, Acknowledged
from cds_service.presentation.catalogue import HEADINGS, TOPICS, URGENCIES, Catalogue
from cds_service.presentation.fingerprint import WHOLE_RECORD, RecordSeen, as_seen_in
from cds_service.presentation.markdown import bullets, evidence_lines
from cds_service.presentation.policy import policy_lines
from cds_service.presentation.readiness import readiness_detail, readiness_findings, readiness_summary
from cds_service.presentation.render import Card, Finding, Suggestion, finding_for, fitted
from cds_service.presentation.words import OurWords, for_markdown, short

READINESS = "readiness"
CHECKLIST_RULE = "baseline-readiness"
MOST_CARDS = 6
# Where a treated child's course is looked at as a whole.
TRACKED_HOOKS = frozenset({"patient-view", "encounter-start"})
FOLLOW_UP = "followup"
ORDERING_HOOKS = frozenset({"order-select", "order-sign", "order-dispatch"})


@dataclass(frozen=True, slots=True)
class Grouping:
    """The cards of one call, and the findings that are on none of them because they were answered before."""

    cards: tuple[Card, ...]
    kept_quiet: tuple[Finding, ...] = ()


def group_findings(
    answers: Answers,
    hook: str,
    today: date,
    today_is_stale: bool,
    catalogue: Catalogue,
    outlook: Outlook | None = None,
    acknowledged: Acknowledged = NOTHING_ACKNOWLEDGED,
    seen: RecordSeen = WHOLE_RECORD,
) -> Grouping:
    """The cards for one call. `today_is_stale`: the rule set was not compared with the label for too long.

    Where nothing is wrong with a treated child, the `outlook` makes one card of everything there is to say. What
    was answered before is still wrong: it only is not said again, and the checklist shows it all the same.
    """
    said = [answer for answer in answers if answer.is_finding]
    rendered = [finding_for(answer, hook, today, catalogue) for answer in said if answer.rule_id != CHECKLIST_RULE]
    every = [replace(finding, fingerprint=as_seen_in(finding.fingerprint, seen)) for finding in rendered]
    lines = [answer for answer in said if answer.rule_id == CHECKLIST_RULE]
    has_checklist = hook in catalogue.cards[CHECKLIST_RULE].hooks
    checklist = readiness_findings(lines, every, hook, catalogue) if has_checklist else []
    findings = [finding for finding in every if _is_on(hook, finding, catalogue)]
    is_on_track = outlook is not None and hook in TRACKED_HOOKS and all(f.urgency == "info" for f in findings)
    loud, quiet = _apart(findings, hook, acknowledged, has_checklist=bool(checklist))
    if outlook is not None and is_on_track:
        return Grouping((_on_track(outlook, loud, catalogue),), quiet)
    loud.sort(key=lambda finding: not catalogue.cards[finding.rule_id].leads)
    by_topic = _by_topic([*checklist, *loud], hook, has_checklist=bool(checklist))
    groups = _at_most_six(sorted(by_topic, key=_rank))
    cards = [_card(topic, group, hook, today_is_stale, catalogue) for topic, group in groups]
    return Grouping(_each_change_once(_tests_on_checklist(cards, quiet, catalogue)), quiet)


def _apart(
    findings: Sequence[Finding], hook: str, acknowledged: Acknowledged, *, has_checklist: bool
) -> tuple[list[Finding], tuple[Finding, ...]]:
    """What is shown, and what keeps quiet. Nothing keeps quiet that stands on the checklist card."""
    loud: list[Finding] = []
    quiet: list[Finding] = []
    for finding in findings:
        is_quiet = not _is_for_checklist(finding, hook, has_checklist) and acknowledged.keeps_quiet(finding)
        (quiet if is_quiet else loud).append(finding)
    return loud, tuple(quiet)


def _is_on(hook: str, finding: Finding, catalogue: Catalogue) -> bool:
    """Whether a finding is shown on this hook; one that is about another only beside it."""
    rules = (finding.rule_id, finding.values.get("about", finding.rule_id))
    return all(hook in catalogue.cards[rule].hooks for rule in rules)


def _by_topic(findings: Sequence[Finding], hook: str, *, has_checklist: bool) -> list[tuple[str, list[Finding]]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        to_readiness = _is_for_checklist(finding, hook, has_checklist)
        groups.setdefault(READINESS if to_readiness else finding.topic, []).append(finding)
    return [(topic, sorted(group, key=_urgency_rank)) for topic, group in groups.items()]


def _is_for_checklist(finding: Finding, hook: str, has_checklist: bool) -> bool:
    """Whether a finding stands on the checklist card: while ordering, what is for information only."""
    return has_checklist and finding.urgency == "info" and hook in ORDERING_HOOKS


def _urgency_rank(finding: Finding) -> int:
    """Most urgent first; the order of the rules otherwise."""
    return -URGENCIES.index(finding.urgency)


def _rank(group: tuple[str, list[Finding]]) -> tuple[int, int]:
    topic, findings = group
    return (min(_urgency_rank(finding) for finding in findings), TOPICS.index(topic))


def _at_most_six(groups: list[tuple[str, list[Finding]]]) -> list[tuple[str, list[Finding]]]:
    """The five most urgent topics by themselves and the rest as one; readiness always by itself."""
    if len(groups) <= MOST_CARDS:
        return groups
    own = groups[: MOST_CARDS - 1]
    if READINESS in [topic for topic, _ in groups[MOST_CARDS - 1 :]]:
        own = [*groups[: MOST_CARDS - 2], *(group for group in groups if group[0] == READINESS)][: MOST_CARDS - 1]
    rest = [group for group in groups if group not in own]
    merged = sorted((finding for _, findings in rest for finding in findings), key=_urgency_rank)
    return sorted([*own, (rest[0][0], merged)], key=_rank)


def _card(topic: str, findings: list[Finding], hook: str, today_is_stale: bool, catalogue: Catalogue) -> Card:
    checklist = [finding for finding in findings if finding.rule_id == CHECKLIST_RULE]
    others = [finding for finding in findings if finding.rule_id != CHECKLIST_RULE]
    parts = []
    if checklist:
        parts.append(readiness_detail(checklist, hook, today_is_stale, catalogue))
    if others:
        parts.append(_detail(others, catalogue, is_beside_checklist=bool(checklist)))
    parts.append(_footer(catalogue))
    sections = dict.fromkeys(part for f in findings for part in f.section.split(", ") if part)
    return Card(
        topic=topic,
        urgency=findings[0].urgency,
        summary=_summary(topic, findings, checklist, catalogue),
        detail="\n\n".join(parts),
        sections=tuple(sections),
        findings=tuple(findings),
        suggestions=tuple(Suggestion(change) for change in dict.fromkeys(c for f in findings for c in f.changes)),
    )


def _on_track(outlook: Outlook, findings: list[Finding], catalogue: Catalogue) -> Card:
    """One card with the next dates, in place of a reminder for each of them; everything else for information."""
    texts = catalogue.phrases.texts
    lacking = (item if isinstance(item, str) else item.value for item in outlook.not_checked)
    first = next((f for f in findings if not catalogue.cards[f.rule_id].is_reminder), None)
    shown = {
        "outlook": outlook,
        "told": OurWords(first.headline) if first else "",
        "course": OurWords(catalogue.phrases.course_states[outlook.course_state]),
        "abnormal": OurWords(", ".join(catalogue.phrases.analytes[name] for name in outlook.abnormal)),
        "not_checked": OurWords(", ".join(catalogue.phrases.missing[name] for name in lacking)),
    }
    parts = [texts["on_track_detail"].markdown.render(shown).strip()]
    if findings:
        parts.append(_detail(findings, catalogue, is_beside_checklist=True))
    sections = dict.fromkeys(part for f in findings for part in f.section.split(", ") if part)
    return Card(
        topic=FOLLOW_UP,
        urgency="info",
        summary=fitted(*(" ".join(texts[name].plain.render(shown).split()) for name in ("on_track", "next_dates"))),
        detail="\n\n".join([*parts, _footer(catalogue)]),
        sections=tuple(sections) or (texts["on_track_section"].plain.render(),),
        findings=tuple(findings),
        suggestions=tuple(Suggestion(change) for change in dict.fromkeys(c for f in findings for c in f.changes)),
    )


def _summary(topic: str, findings: list[Finding], checklist: list[Finding], catalogue: Catalogue) -> str:
    if topic == READINESS and checklist:
        return fitted(readiness_summary(checklist, catalogue))
    headline = findings[0].headline
    foreign = {finding.topic for finding in findings} - {findings[0].topic}
    if foreign:
        return fitted(headline, catalogue.phrases.texts["more_topics"].plain.render(more=len(foreign)))
    more = len({finding.headline for finding in findings if "about" not in finding.values}) - 1
    if more < 1:
        return fitted(headline)
    return fitted(headline, catalogue.phrases.texts["more_findings"].plain.render(more=more))


def _detail(findings: Iterable[Finding], catalogue: Catalogue, *, is_beside_checklist: bool) -> str:
    findings = list(findings)
    parts = [f"**{catalogue.phrases.texts['for_information'].plain.render()}**"] if is_beside_checklist else []
    for heading in HEADINGS:
        lines = list(dict.fromkeys(line for f in findings for line in f.paragraphs.get(heading, ())))
        if heading == "What the record shows":
            used = distinct(item for f in findings for item in f.evidence)
            lines += _not_told(evidence_lines(used, catalogue.phrases.evidence), used, lines)
        if heading == "Site policy":
            lines += policy_lines(findings, catalogue)
        if lines:
            parts.append(f"**{catalogue.phrases.headings[heading]}**\n\n" + bullets(lines))
    return "\n\n".join(parts)


def _not_told(written: list[str], evidence: Sequence[Evidence], lines: list[str]) -> list[str]:
    """The lines of evidence without those that the findings have told: same place in the record, same value."""
    told = "\n".join(lines)
    return [
        line
        for line, item in zip(written, evidence, strict=True)
        if not item.value or any(str(for_markdown(part)) not in told for part in (short(item.reference), item.value))
    ]


def _footer(catalogue: Catalogue) -> str:
    template = catalogue.phrases.texts["footer"].markdown
    return template.render(revision=catalogue.identity.revision, rule_set=__version__)


def _tests_on_checklist(cards: list[Card], quiet: Iterable[Finding], catalogue: Catalogue) -> list[Card]:
    """All laboratory tests that any card offers stand on the checklist card, so that one click orders them all.

    Those of findings that keep quiet too: the checklist is the same with and without them.
    """
    checklist = next((card for card in cards if card.topic == READINESS), None)
    if checklist is None:
        return cards
    offered = [item for card in cards for item in card.suggestions]
    offered += [Suggestion(change) for finding in quiet for change in finding.changes]
    tests = [item for item in offered if _is_laboratory(item, catalogue)]
    others = _without(checklist.suggestions, tests)
    gathered = replace(checklist, suggestions=(*dict.fromkeys(tests), *others))
    return [
        gathered if card is checklist else replace(card, suggestions=_without(card.suggestions, tests))
        for card in cards
    ]


def _is_laboratory(item: Suggestion, catalogue: Catalogue) -> bool:
    return isinstance(item.change, RequestTest) and catalogue.orders[item.change.test].is_laboratory


def _without(items: Iterable[Suggestion], taken: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    return tuple(item for item in items if item not in taken)


def _each_change_once(cards: list[Card]) -> tuple[Card, ...]:
    """A change that several cards carry stays on the first of them, the most urgent one.

    A follow-up test that is part of the rest of the calendar is offered with that only.
    """
    calendars = [i.change for card in cards for i in card.suggestions if isinstance(i.change, OrderMonitoring)]
    offered: set[object] = {test for calendar in calendars for test in calendar.tests}
    offered |= {replace(test, on=None) for calendar in calendars for test in calendar.tests}
    kept = []
    for card in cards:
        new = tuple(item for item in card.suggestions if item.change not in offered)
        offered.update(item.change for item in new)
        kept.append(Card(card.topic, card.urgency, card.summary, card.detail, card.sections, card.findings, new))
    return tuple(kept)
