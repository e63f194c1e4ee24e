"""What is found by an input: the promises its answer breaks, and the reassurances it should not hold."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .asking import Reply, Service
from .bases import Base
from .inputs import Input
from .promises import broken_promises
from .reassurance import Told, new_reassurances, told_by


@dataclass(frozen=True, slots=True)
class Finding:
    """One input whose answer is not as promised, and in which ways."""

    given: Input
    faults: tuple[str, ...]


class Examiner:
    """Sends inputs to a service and says what is wrong with the answers; asks each unmutated request once."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._told: dict[str, Told | None] = {}

    def examine(self, given: Input) -> tuple[Reply, Finding | None]:
        """The answer to an input, and what is wrong with it, if anything is."""
        reply = self.service.ask(given.request)
        faults = broken_promises(given.request, reply)
        if given.is_damage and not faults and reply.status == 200:
            before = self.told(given.base)
            faults = [] if before is None else new_reassurances(before, told_by(json.loads(reply.body)))
        return reply, Finding(given, tuple(faults)) if faults else None

    def told(self, base: Base) -> Told | None:
        """What the answer to the unmutated request tells; None where it is a refusal."""
        if base.name not in self._told:
            reply = self.service.ask(base)
            self._told[base.name] = told_by(json.loads(reply.body)) if reply.status == 200 else None
        return self._told[base.name]
