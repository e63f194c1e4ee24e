"""No reassurance that the unmutated request did not have: what damage may do to an answer, and what it must not.

Reassurance is, as in tests/test_no_false_reassurance.py, a line of the checklist that is *verified*; and beyond it a
test of the timeline that is *done*, a card that says *on track*, the laboratory part for a taper that is *met*, a course
of corticosteroid that is said to be finished or ready for its taper, a draft that is offered another volume, and
silence: a finding that is gone while nothing says that something is unknown.

It is held for damage alone (tests/fuzz/damage.py). There the data is there and cannot be relied on, so that the answer
may only lose certainty. A finding may lose what it rests on, because a high ALT that cannot be read is no high ALT;
but then the answer has to say so: in a line that is no longer verified, in a finding about the record, in one of the
same subject that is new or says anew that something cannot be told, in a value that a card of the same subject newly
calls not known, in the parts that a plan for home calls not visible, or in the words of the card with the next dates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cds_service.content_folders import CARDS
from cds_service.presentation.yaml_files import load_yaml
from cds_service.replay.answers import findings_on

from .places import Json

CHECKLIST_RULE = "baseline-readiness"
_ON_TRACK = re.compile(r"\bOn track\b")
_NOT_CHECKED = "not everything could be checked"
_LACKS = "Could not be checked"
_NOT_KNOWN = "not known"
_CANNOT_BE_TOLD = re.compile(r"\b(?:cannot|could not) be\b|\bcannot tell\b")
_PLAN = "discharge-plan"
# What a plan for home counts from the day of the infusion; without that day it has none of these.
_COUNTED_FROM_INFUSION = frozenset({"steroid", "liver", "platelets"})
_RECORD = "record"
_READY_STATES = frozenset({"may-taper", "finished"})
_LOUD = ("warning", "critical")
_WRONG_PATIENT = "data-wrong-patient"
_OF_THE_DRAFT = ("dose-volume", "route-and-rate")
# Asked alone on a chart whose follow-up is over: silence there is a decision.
_ASKED_ALONE = frozenset({"tumor-report"})
_PROVEN_BY_ONE_ENTRY = frozenset({"gestational-age", "smn1-biallelic"})
_ALWAYS_HELD = frozenset({"prior-exposure"})
# Rules of one topic that rest on the facts of another, so that a finding of that one tells of what they lack.
_RESTS_ON = {"vaccines": {"steroid"}, "dose": {"eligibility"}, "platelets": {"liver"}, "liver": {"steroid"}}
# The route can name another product; that it cannot be read, its own line says.
_TOLD_BY_LINE = {"wrong-product": "route-and-rate"}
# A finding that asks for more at once than another one: that one may go while it speaks as loudly.
_ASKS_FOR_MORE = {"tma-evaluate": "tma-consult"}
# States of a line that say that something is open; an attested line is one that a person confirms anyway.
_OPEN = frozenset({"action-needed", "not-checkable"})


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says, in the terms of this file.

    `findings` are rule and subject with the urgency and topic of each; `untold` the messages of those that say that
    something cannot be told; `not_known` how often the cards of a topic call a value so; `not_visible` the topics of which a plan for home says that it cannot see them.
    `is_silent`: it has no card, or no course.
    """

    lines: dict[str, str]
    findings: dict[tuple[str, str], tuple[str, str]]
    untold: dict[tuple[str, str], str]
    not_known: Counter[str]
    not_visible: frozenset[str]
    record: Counter[str]
    done: frozenset[str]
    parts: frozenset[str]
    course_state: str
    is_on_track: bool
    says_unknown: bool
    volumes: frozenset[str]
    table_volumes: frozenset[str]
    is_silent: bool

    @property
    def rules(self) -> frozenset[str]:
        """The rules that speak."""
        return frozenset(rule for rule, _ in self.findings)


def told_by(answer: Json) -> Told:
    """What an answer of status 200 tells, of a service or of the timeline."""
    cards = answer.get("cards", [])
    found = [(card, finding) for card in cards for finding in findings_on(card)]
    others = [(card, finding) for card, finding in found if finding["rule"] != CHECKLIST_RULE]
    lines = {f["values"]["check"]: f["values"]["state"] for _, f in found if f["rule"] == CHECKLIST_RULE}
    texts = [f"{card['summary']}\n{card.get('detail', '')}" for card in cards]
    parts = [(f"{slot['id']} of {slot['target']}", part) for slot in answer.get("slots", []) for part in slot["parts"]]
    return Told(
        lines=lines,
        findings={(f["rule"], _subject(f)): (f["indicator"], _topic(card, f)) for card, f in others},
        untold={
            (f["rule"], _subject(f)): words
            for card, f in others
            if _CANNOT_BE_TOLD.search(words := f"{card['summary']} {f['message']}")
        },
        not_known=_not_known(cards),
        not_visible=frozenset(topic for _, f in others for topic in _not_visible(f)),
        record=Counter(f"{f['rule']} {sorted(f.get('values', {}).items())}" for card, f in others if _is_of_record(f)),
        parts=frozenset(f"{slot} {part['part']}" for slot, part in parts),
        done=frozenset(f"{slot} {part['part']}" for slot, part in parts if part["status"] == "done"),
        course_state=answer.get("steroid", {}).get("state", {}).get("name", ""),
        is_on_track=any(_ON_TRACK.search(card["summary"]) for card in cards),
        says_unknown=any(_NOT_CHECKED in text or _LACKS in text for text in texts)
        or any(part["status"] == "unknown" for _, part in parts),
        volumes=frozenset(_offered_volumes(cards)),
        table_volumes=frozenset(
            f["values"]["expectedVolumeMl"] for _, f in found if "expectedVolumeMl" in f.get("values", {})
        ),
        is_silent=not cards and not parts,
    )


def _not_known(cards: list[Json]) -> Counter[str]:
    """How often the cards with findings of each topic call a value not known."""
    found: Counter[str] = Counter()
    for card in cards:
        for topic in {_topic(card, finding) for finding in findings_on(card)}:
            found[topic] += card.get("detail", "").count(_NOT_KNOWN)
    return found


def _subject(finding: Json) -> str:
    values = finding.get("values", {})
    return str(values.get("analyte", ""))


def _not_visible(finding: Json) -> frozenset[str]:
    """The topics of which a plan for home says that it cannot see what is ordered."""
    if finding["rule"] != _PLAN:
        return frozenset()
    values = finding.get("values", {})
    return frozenset(values.get("notVisible", "").split(", ")) if "infusionDate" in values else _COUNTED_FROM_INFUSION


def _is_of_record(finding: Json) -> bool:
    return finding["rule"].startswith("data-") or finding["rule"] in ("infusion-date-unknown", "multiple-birth-check")


def _topic(card: Json, finding: Json) -> str:
    return (
        _RECORD if _is_of_record(finding) else topics_of_rules().get(finding["rule"], card["source"]["topic"]["code"])
    )


@cache
def topics_of_rules() -> dict[str, str]:
    """The topic of each rule: the folder of its card."""
    return {path.stem: path.parent.name for path in CARDS.glob("*/*.md")}


@cache
def lines_of_rules() -> dict[str, frozenset[str]]:
    """The lines of the checklist that each rule checks."""
    checklist: list[Any] = load_yaml(CARDS / "readiness" / "checklist.yaml")
    rules = {rule for line in checklist for rule in line.get("rules", [])}
    return {r: frozenset(line["check"] for line in checklist if r in line.get("rules", [])) for r in rules}


def _offered_volumes(cards: list[Json]) -> Iterator[str]:
    for card in cards:
        for suggestion in card.get("suggestions", []):
            if match := re.search(r"to ([0-9.]+) mL", suggestion["label"]):
                yield match[1]


def new_reassurances(before: Told, after: Told) -> list[str]:
    """Every reassurance that the answer to a damaged request has and that to the unmutated one had not."""
    return [*_new(before, after), *_gone(before, after)]


def _new(before: Told, after: Told) -> Iterator[str]:
    # Without a checklist before, as after an earlier dose, its lines are new; this one must not be.
    held = set(after.lines) if before.lines else after.lines.keys() & _ALWAYS_HELD
    # A doubt about whose record it is goes with the entry that raised it.
    is_record_doubted = _WRONG_PATIENT in before.rules - after.rules
    # Of three that disagree, one that cannot be read any more disagrees no more: its own line says so.
    if any(before.lines.get(check) != after.lines.get(check) == "not-checkable" for check in _OF_THE_DRAFT):
        held = held - {"kit"}
    # One entry proves these; that another cannot be read is told by itself.
    if after.record - before.record:
        held = held - _PROVEN_BY_ONE_ENTRY
    for check in sorted(held):
        if after.lines[check] == "verified" and before.lines.get(check) != "verified" and not is_record_doubted:
            yield f"line {check} is verified, and was {before.lines.get(check)}"
    yield from (f"{part} is done" for part in sorted((after.done - before.done) & before.parts))
    if after.is_on_track and not before.is_on_track:
        yield "on track"
    eligible = ("steroid-taper-eligible", "")
    if eligible in after.findings and eligible not in before.findings:
        yield "the laboratory part for the taper is met"
    if after.course_state in _READY_STATES and before.course_state != after.course_state:
        yield f"the course is {after.course_state}, and was {before.course_state}"
    if after.lines.get("weight", "verified") == "verified":
        known = before.volumes | before.table_volumes
        yield from (f"a change to {volume} mL is offered" for volume in sorted(after.volumes - known) if known)


def _gone(before: Told, after: Told) -> Iterator[str]:
    """Findings that went without a word."""
    loud = {rule for (rule, _), (urgency, _) in before.findings.items() if urgency in _LOUD}
    if after.is_silent and not before.is_silent and loud and not loud <= _ASKED_ALONE:
        yield "silence in the place of findings"
    if after.is_silent:
        return
    tells_more = bool(after.record - before.record) or (after.says_unknown and not before.says_unknown)
    for (rule, subject), (urgency, topic) in before.findings.items():
        if urgency not in _LOUD or (rule, subject) in after.findings or topic == _RECORD:
            continue
        lines = {*lines_of_rules().get(rule, frozenset()), _TOLD_BY_LINE.get(rule, "")}
        is_open = any(after.lines.get(line) in _OPEN for line in lines)
        topics = {topic, _RECORD, *_RESTS_ON.get(topic, ())}
        is_replaced = any(key not in before.findings and found in topics for key, (_, found) in after.findings.items())
        is_untold = (
            topic in after.not_visible - before.not_visible
            or any(after.not_known[each] > before.not_known[each] for each in topics)
            or any(
                after.findings[key][1] in topics and words != before.untold.get(key)
                for key, words in after.untold.items()
            )
        )
        more = after.findings.get((_ASKS_FOR_MORE.get(rule, ""), subject))
        is_outdone = more is not None and more[0] == urgency
        if not (tells_more or is_open or is_replaced or is_untold or is_outdone):
            yield f"{rule} {subject}".strip() + f" ({urgency}) is gone without a word"
