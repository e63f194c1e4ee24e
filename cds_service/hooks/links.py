"""The links on a card: why it says what it says, and the timeline of the child's course (R-130 to R-134, R-195).

A card is complete without them: one EHR takes out links that are not registered, another knows no context for an app.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cds_service.domain.facts import ExposureKind, Moment, PatientFacts
from cds_service.hooks.clients import Client, Quirks, host_of
from cds_service.hooks.json_body import write_json
from cds_service.outbound import plain_host
from cds_service.presentation import Card, Catalogue

Json = dict[str, Any]
# Where this is not so, no card leads to the app.
SMART_APP_IS_SERVED = True
# More on one card nobody follows; the findings name every rule.
MOST_RULES_LINKED = 5
_AROUND_THE_INFUSION = frozenset({Moment.VISIT, Moment.CHART, Moment.DISCHARGE})


@dataclass(frozen=True, slots=True)
class LinkWriter:
    """Writes the links of cards; knows the card files' words and the public address they lead to."""

    catalogue: Catalogue
    base_url: str

    def of_card(self, card: Card, facts: PatientFacts, client: Client) -> list[Json]:
        """The links of one card, as agreed with the client; none where our host is not on its list of hosts.

        First the timeline, where the child has a course to show and the app may read the client's charts, then the
        pages of the leading rules.
        """
        if not may_link(self.base_url, client.quirks):
            return []
        has_timeline = SMART_APP_IS_SERVED and client.has_charts and has_course(facts)
        timeline = [self._timeline(card.topic, client.quirks)] if has_timeline else []
        return [*timeline, *(self._rule(rule_id) for rule_id in leading_rules(card))]

    def _timeline(self, topic: str, quirks: Quirks) -> Json:
        """The app's launch address as it stands; the client adds `iss` and `launch` (R-134)."""
        link: Json = {"label": self._say("link_timeline"), "url": f"{self.base_url}/app/launch", "type": "smart"}
        return link | ({"appContext": write_json({"topic": topic}).decode()} if quirks.app_context else {})

    def _rule(self, rule_id: str) -> Json:
        label = self._say("link_rule", title=self.catalogue.cards[rule_id].title)
        return {"label": label, "url": f"{self.base_url}/rules/{quote(rule_id, safe='')}", "type": "absolute"}

    def _say(self, name: str, **shown: object) -> str:
        return self.catalogue.phrases.texts[name].plain.render(**shown)


def leading_rules(card: Card) -> list[str]:
    """The different rules of a card's findings, most urgent first, as many as are linked."""
    return list(dict.fromkeys(finding.rule_id for finding in card.findings))[:MOST_RULES_LINKED]


def may_link(url: str, quirks: Quirks) -> bool:
    """Whether the client shows links to this address; an empty list of hosts means all."""
    return not quirks.link_hosts or host_of(url) in map(plain_host, quirks.link_hosts)


def has_course(facts: PatientFacts) -> bool:
    """Whether the infusion was given, or this is the chart, a visit or a discharge around it."""
    is_given = any(item.kind is not ExposureKind.OTHER_PRODUCT for item in facts.exposures)
    return is_given or facts.moment in _AROUND_THE_INFUSION
