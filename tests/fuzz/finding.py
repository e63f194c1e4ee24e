"""What is found by an input: the promises its answer breaks, and the reassurances it should not hold."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .asking import Reply, Service
from .bases import Base
from .inputs import Input
from .lost_values import is_of_an_older_result, loses_a_result
from .product_names import may_hold_a_dose, names_product_less
from .promises import broken_promises
from .reassurance import Told, new_reassurances, told_by

_NO_EARLIER_DOSE = "line prior-exposure is verified, and was None"


@dataclass(frozen=True, slots=True)
class Finding:
    """One input whose answer is not as promised, and in which ways."""

    given: Input
    faults: tuple[str, ...]


class Examiner:
    """Sends inputs to a service and says what is wrong with the answers; asks each unmutated fixture once."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._told: dict[str, Told | None] = {}

    def examine(self, given: Input) -> tuple[Reply, Finding | None]:
        """The answer to an input, and what is wrong with it, if anything is."""
        if given.base.name not in self._told and given.is_damage:
            self._told[given.base.name] = self.told(given.base)
        before = self._told[given.base.name] if given.is_damage else None
        reply = self.service.ask(given.request)
        faults = faults_of(reply, given.request, given.base, before)
        return reply, Finding(given, tuple(faults)) if faults else None

    def told(self, request: Base) -> Told | None:
        """What the answer to a request tells; None where it is a refusal."""
        reply = self.service.ask(request)
        return told_by(json.loads(reply.body)) if reply.status == 200 else None


def faults_of(reply: Reply, request: Base, base: Base, before: Told | None) -> list[str]:
    """What is wrong with an answer; with `before`, of an answer to a request that was only damaged."""
    faults = broken_promises(request, reply)
    if faults or before is None or reply.status != 200:
        return faults
    after = told_by(json.loads(reply.body))
    found = new_reassurances(before, after)
    if found and loses_a_result(base, request):
        found = [fault for fault in found if not is_of_an_older_result(fault)]
    if not may_hold_a_dose(base):
        # The checklist is new because the day of the visit is, and what it says of earlier doses was true before.
        found = [fault for fault in found if fault != _NO_EARLIER_DOSE]
    if not found or not names_product_less(base, request):
        return found
    # A delivery that nobody can tell to be the product's is no receipt of its kit.
    return [] if after.is_silent else [fault for fault in found if not fault.startswith("kit-use-by")]


def new_faults(examiner: Examiner, request: Base, base: Base | None = None) -> list[str]:
    """What is wrong with the answer to a request that is no fixture's; with `base`, also against the answer to that."""
    before = None if base is None else examiner.told(base)
    return faults_of(examiner.service.ask(request), request, base or request, before)
