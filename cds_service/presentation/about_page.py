"""What this decision support says of itself, rendered once: its identity, its attributes, what it reads of a person."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service import __version__
from cds_service.presentation.catalogue import Catalogue, LabelIdentity, Words
from cds_service.presentation.words import OurWords


@dataclass(frozen=True, slots=True)
class AttributeSaid:
    """One attribute in sentences, and the paragraphs of 45 CFR 170.315(b)(11)(iv) that ask for it."""

    code: str
    title: str
    asked_in: tuple[str, ...]
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemographicSaid:
    """Whether one demographic item is used, and for what."""

    code: str
    title: str
    asked_in: tuple[str, ...]
    is_used: bool
    says: str


@dataclass(frozen=True, slots=True)
class AboutPage:
    """Everything that is told. `rule_set_digest` is SHA-256 over the card files.

    `changed_policy` are the names of the site policy numbers that this site has changed.
    """

    label: LabelIdentity
    rule_set: str
    rule_set_digest: str
    rules: int
    changed_policy: tuple[str, ...]
    not_reviewed: str
    attributes: tuple[AttributeSaid, ...]
    demographics: tuple[DemographicSaid, ...]


def about_page(catalogue: Catalogue, digest: str) -> AboutPage:
    """The page of this catalogue, whose files have this digest."""
    shown = _shown(catalogue)
    policy = [catalogue.known.policy.described(name) for name in catalogue.known.policy]
    about = catalogue.about

    def say(words: Words) -> str:
        return words.plain.render(shown)

    return AboutPage(
        label=catalogue.identity,
        rule_set=__version__,
        rule_set_digest=digest,
        rules=len(catalogue.cards),
        changed_policy=tuple(number.name for number in policy if number.value != number.default),
        not_reviewed=catalogue.phrases.texts["page_not_reviewed"].plain.render(),
        attributes=tuple(AttributeSaid(a.code, a.title, a.asked_in, tuple(map(say, a.says))) for a in about.attributes),
        demographics=tuple(
            DemographicSaid(d.code, d.title, d.asked_in, d.is_used, say(d.says)) for d in about.demographics
        ),
    )


def _shown(catalogue: Catalogue) -> dict[str, object]:
    """What the sentences may name, complete; the label's address stays an address."""
    identity = catalogue.identity
    return {
        "product": identity.product,
        "proper_name": identity.proper_name,
        "revision": identity.revision,
        "label_url": OurWords(identity.url),
        "rule_set": __version__,
        "rules": len(catalogue.cards),
        "checked_on": identity.rules_checked_on,
        "recheck_months": catalogue.known.policy.whole("rule_set.recheck_months"),
    }
