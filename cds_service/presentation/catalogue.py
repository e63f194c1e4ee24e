"""Everything the card files say, read once and checked: what a request looks things up in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from jinja2 import Template

from cds_service.domain.codes import CodeBook
from cds_service.domain.known import Known, KnownNumber
from cds_service.domain.registry import Registry
from cds_service.domain.relevance import Concern

URGENCIES = ("info", "warning", "critical")
HOOKS = (
    "patient-view",
    "order-select",
    "order-sign",
    "order-dispatch",
    "encounter-start",
    "encounter-discharge",
    "appointment-book",
)
HEADINGS = (
    "What the record shows",
    "What is missing",
    "What the label says",
    "Site policy",
    "Outside the label",
    "What to consider",
)
MILDER_HOOKS = frozenset({"order-select", "appointment-book"})
# What a steroid, a vaccine or a later visit is looked at for, where the product itself is not being ordered.
BEFORE_THE_INFUSION = frozenset({"readiness", "eligibility", "dose", "baseline"})
BESIDE_THE_PRODUCT = frozenset({"record", "vaccines", "steroid", "liver", "platelets"})
BESIDE_A_VACCINATION = frozenset({"record", "vaccines", "steroid"})
# What may still be said of a child whose follow-up is over (clinical-rules C9).
LONG_TERM_RULES = frozenset({"tumor-report"})
# The code systems of the codes that cards use, by the last part of their address (interfaces section 3).
CODE_SYSTEMS = ("card-topics", "override-reasons", "rules")
TOPICS = (
    "readiness",
    "record",
    "eligibility",
    "dose",
    "baseline",
    "infection",
    "vaccines",
    "steroid",
    "liver",
    "platelets",
    "heart",
    "infusion",
    "followup",
)


@dataclass(frozen=True, slots=True)
class LabelIdentity:
    """Which label this is, which copy of it was read, and when the rules were last checked against it."""

    product: str
    proper_name: str
    revision: str
    url: str
    copy_sha256: str
    rules_checked_on: date


@dataclass(frozen=True, slots=True)
class Grade:
    """How urgent one grade of a rule is, on what basis; `on_hook` are levels that hold for one hook only."""

    urgency: str
    basis: str
    on_hook: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """One text of a card file: plain for one-line fields, escaped for Markdown, and as it is written there."""

    plain: Template
    markdown: Template
    source: str


@dataclass(frozen=True, slots=True)
class RuleCard:
    """One rule's card file: its header, its headline, its message, and its paragraphs by sub-heading."""

    rule_id: str
    title: str
    topic: str
    section: str
    phase: str
    hooks: frozenset[str]
    grades: Mapping[str, Grade]
    is_never_milder: bool
    is_reminder: bool
    leads: bool
    uses: Mapping[str, tuple[str, ...]]
    explains: tuple[str, ...]
    never_unknown: str
    reviewed: str
    headline: Words
    message: Words
    paragraphs: Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class OrderText:
    """A suggested order as the card files word it: what is ordered, and why. `covers` are the analytes it measures."""

    name: str
    code: tuple[str, str, str] | None
    text: str
    reason: str
    offer: Words
    is_laboratory: bool
    covers: tuple[str, ...]
    priority: str = ""


@dataclass(frozen=True, slots=True)
class ChecklistText:
    """One line of the readiness checklist as it is worded; `says` are extra words for one of its states."""

    check: str
    title: str
    section: str
    analyte: str
    says: Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words shared by all cards: headings, states, suggestions, the closing lines."""

    headings: Mapping[str, str]
    evidence: Mapping[str, str]
    missing: Mapping[str, str]
    states: Mapping[str, str]
    course_states: Mapping[str, str]
    list_states: Mapping[str, str]
    texts: Mapping[str, Words]
    analytes: Mapping[str, str]
    override_reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A line that is drawn across series: at a number of the card files, None for the own upper limit of each result.

    `is_above`: the words speak of what lies above it.
    """

    series: tuple[str, ...]
    scale: str
    number: KnownNumber | None
    section: str
    is_above: bool
    words: Words


@dataclass(frozen=True, slots=True)
class SectionedText:
    """A sentence with the label section it rests on, "" for none."""

    words: str
    section: str


@dataclass(frozen=True, slots=True)
class CourseWords:
    """All words of the timeline. `texts` and `infusion` are templates; the other mappings name one thing each."""

    texts: Mapping[str, Words]
    infusion: Mapping[str, Words]
    state_codes: Mapping[str, str]
    phases: Mapping[str, str]
    dose_sources: Mapping[str, str]
    plan: Mapping[str, SectionedText]
    slot_kinds: Mapping[str, str]
    slot_sections: Mapping[str, str]
    parts: Mapping[str, str]
    slot_states: Mapping[str, str]
    series: Mapping[str, str]
    unknown: Mapping[str, str]
    lines: tuple[CourseLine, ...]
    when_to_call: tuple[SectionedText, ...]
    page: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicText:
    """One topic of cards as it is published: its name, and what its cards are about."""

    display: str
    definition: str


@dataclass(frozen=True, slots=True)
class CodeSystemText:
    """One code system as it is published. `name` is for machines; `properties` say what is told of each code."""

    name: str
    title: str
    description: str
    purpose: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PageWords:
    """The words of the pages about rules: phases of treatment, what a finding rests on, kinds of numbers, by code."""

    phases: Mapping[str, str]
    bases: Mapping[str, str]
    numbers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that users are told about this decision support, and where US certification asks for it."""

    code: str
    title: str
    asked_in: tuple[str, ...]
    says: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Demographic:
    """Whether one demographic item of a patient is used, and for what."""

    code: str
    title: str
    asked_in: tuple[str, ...]
    is_used: bool
    says: Words


@dataclass(frozen=True, slots=True)
class About:
    """What this decision support is, in the order in which it is told."""

    attributes: tuple[Attribute, ...]
    demographics: tuple[Demographic, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The card files, complete and checked. `asked` are the rules that a hook asks, by what the call is to us."""

    identity: LabelIdentity
    known: Known
    codes: CodeBook
    names: Mapping[str, tuple[str, ...]]
    rules: Registry
    cards: Mapping[str, RuleCard]
    orders: Mapping[str, OrderText]
    checklist: Mapping[str, ChecklistText]
    checked_by: Mapping[str, tuple[str, ...]]
    phrases: Phrases
    course: CourseWords
    topics: Mapping[str, TopicText]
    code_systems: Mapping[str, CodeSystemText]
    page_words: PageWords
    about: About
    asked: Mapping[Concern, Mapping[str, Registry]]
