"""Whether what the service depends on can be used; each dependency is asked in a thread, for a limited time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import structlog

from cds_service.operations.log import place_of

SECONDS: Final = 1.0
log: Final = structlog.get_logger("operations")

OnState = Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class DependencyState:
    """What one dependency said: `up`, `down`, or `no-answer` within the time; `fault` is the type of what it raised."""

    status: str
    is_needed: bool
    fault: str = ""

    @property
    def is_up(self) -> bool:
        """Whether it can be used."""
        return self.status == "up"


@dataclass(slots=True)
class _Question:
    """One dependency being asked; whoever asks meanwhile waits for the same answer."""

    is_over: threading.Event = field(default_factory=threading.Event)
    fault: str = ""
    where: str = ""


class _Dependency:
    def __init__(self, name: str, check: Callable[[], object], is_needed: bool) -> None:
        self.name, self.is_needed = name, is_needed
        self._check = check
        self._lock = threading.Lock()
        self._question: _Question | None = None
        self._was_up = True

    def ask(self) -> _Question:
        """The question under way, or a new one: one that hangs is never asked a second time."""
        with self._lock:
            if self._question is None or self._question.is_over.is_set():
                self._question = _Question()
                threading.Thread(target=self._answer, args=(self._question,), daemon=True).start()
            return self._question

    def _answer(self, question: _Question) -> None:
        try:
            self._check()
        except Exception as error:
            question.fault, question.where = type(error).__name__, place_of(error)
        finally:
            question.is_over.set()

    def state(self, question: _Question, seconds: float) -> DependencyState:
        """What the answer says, waited for so long; a change is logged."""
        if question.is_over.wait(max(seconds, 0)):
            found = DependencyState("down" if question.fault else "up", self.is_needed, question.fault)
        else:
            found = DependencyState("no-answer", self.is_needed)
        if found.is_up != self._was_up:
            self._was_up = found.is_up
            self._tell(found, question)
        return found

    def _tell(self, found: DependencyState, question: _Question) -> None:
        if found.is_up:
            log.info("dependency_up", dependency=self.name)
        elif question.fault:
            log.error("dependency_down", dependency=self.name, fault=question.fault, where=question.where)
        else:
            log.error("dependency_down", dependency=self.name, reason=found.status)


class Readiness:
    """The dependencies by name. Threads start only when somebody asks, so a process may be forked before that."""

    def __init__(self, on_state: OnState = lambda name, is_up: None, seconds: float = SECONDS) -> None:
        self._dependencies: dict[str, _Dependency] = {}
        self._on_state = on_state
        self._seconds = seconds

    def register(self, name: str, check: Callable[[], object], *, is_needed: bool = True) -> None:
        """Ask `check` whenever readiness is asked for; it returns where the dependency can be used, and raises else.

        `name` is one word. Without a needed one the service is not ready; without another it is, and says so.
        """
        self._dependencies[name] = _Dependency(name, check, is_needed)

    def states(self) -> dict[str, DependencyState]:
        """All dependencies, asked side by side; this takes no longer than one of them may."""
        deadline = monotonic() + self._seconds
        asked = [(dependency, dependency.ask()) for dependency in self._dependencies.values()]
        states = {d.name: d.state(question, deadline - monotonic()) for d, question in asked}
        for name, state in states.items():
            self._on_state(name, state.is_up)
        return states
