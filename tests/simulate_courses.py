"""Print the course of five synthetic children, day by day: `python -m tests.simulate_courses [child]`.

One line for each day on which something changes, and the full cards of the days each child names.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from cds_service.app import create_catalogue
from cds_service.config import load_settings
from cds_service.fhir import FhirClient
from cds_service.hooks.evaluation import Evaluator
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import read_hook_call
from cds_service.hooks.services import service_by_id

try:
    from builders import hook_request
    from simulated_children import CHILDREN, DAYS, SimulatedChild, day
except ModuleNotFoundError:  # started as a module, from the repository's root
    sys.path.append(str(Path(__file__).parent))
    from builders import hook_request
    from simulated_children import CHILDREN, DAYS, SimulatedChild, day

FINDINGS = "onasemnogene-cds.findings"
Cards = list[dict[str, Any]]


class Simulation:
    """Asks the service about a child on any of its days, with the clock at noon of that day."""

    def __init__(self) -> None:
        settings = load_settings({"CDS_MODE": "demo"})
        self._now = datetime(2026, 3, 2, tzinfo=UTC)
        # Nobody is asked: every chart comes whole.
        nobody = FhirClient.pooled(settings.max_body_bytes)
        self._evaluator = Evaluator.of(
            create_catalogue(settings), settings.zone, lambda: self._now, settings.base_url, nobody, 1
        )

    def cards(self, child: SimulatedChild, number: int, moment: str = "chart") -> Cards:
        """The cards of one call."""
        self._now = datetime.combine(day(number), time(12), UTC)
        request = read_json_object(write_json(hook_request(child.on(number, moment))))
        call = read_hook_call(request, service_by_id(f"onasemnogene-{request['hook']}"))
        found: Cards = self._evaluator.answer(call)["cards"]
        return found


def findings_of(cards: Cards) -> set[tuple[str, str, str]]:
    """Rule, level and message of every finding."""
    return {
        (finding["rule"], finding["indicator"], finding["message"])
        for card in cards
        for finding in card.get("extension", {}).get(FINDINGS, [])
    }


def levels_of(cards: Cards) -> dict[str, str]:
    """The worst level of each rule that speaks."""
    rank = ("info", "warning", "critical")
    worst: dict[str, str] = {}
    for rule, level, _ in findings_of(cards):
        worst[rule] = max(worst.get(rule, "info"), level, key=rank.index)
    return worst


def changes(simulation: Simulation, child: SimulatedChild) -> Iterator[str]:
    """One line for each day on which the cards differ from those of the day before."""
    before: tuple[str, dict[str, str]] = ("", {})
    for number in range(DAYS + 1):
        cards = simulation.cards(child, number)
        worst = levels_of(cards)
        first = cards[0]["summary"] if cards else "no cards"
        is_outlook = len(cards) == 1 and cards[0]["source"]["topic"]["code"] == "followup"
        now = (re.sub(r"[Dd]ay [0-9]+", "", first) if is_outlook or not cards else "", worst)
        if now != before:
            spoken = ", ".join(f"{rule} {level}" for rule, level in sorted(worst.items()))
            yield f"D+{number:<3} {day(number)}  {first}" + (f"\n        [{spoken}]" if spoken else "")
        before = now


def main(names: list[str]) -> None:
    """Print all children, or those named."""
    simulation = Simulation()
    for child in CHILDREN:
        if names and child.name not in names:
            continue
        print(f"\n=== {child.name}: {child.story}\n")
        for line in changes(simulation, child):
            print(line)
        moments = [(number, "chart") for number in child.shown_on]
        if child.discharged_on is not None:
            moments[0] = (child.discharged_on, "discharge")
        for number, moment in moments:
            print(f"\n--- {child.name}, D+{number}, {moment}\n")
            for card in simulation.cards(child, number, moment):
                print(f"[{card['indicator']}] {card['summary']}\n\n{card['detail']}\n")
                for suggestion in card.get("suggestions", []):
                    print(f"  ( ) {suggestion['label']}: {len(suggestion['actions'])} action(s)")
                print()


if __name__ == "__main__":
    main(sys.argv[1:])
