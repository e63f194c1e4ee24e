"""The score: how many mutants were caught, which survived, and which of these change nothing that anybody could see."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .code_mutants import Mutant

SURVIVORS = Path(__file__).with_name("domain_survivors.yaml")
# One name a line: survivors that nobody has looked at yet. They count against the score.
OPEN = Path(__file__).with_name("domain_open.txt")
NOT_LOOKED_AT = "Not looked at yet."
LEAST = 95
PREFIX = "cds_service.domain."
SURVIVED = ("survived", "not reached")
COLUMNS = ("mutants", "caught", "timed out", "equivalent", "survived", "untried")


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list says of a surviving mutant: why nobody could notice it, or why no test does yet."""

    name: str
    reason: str
    is_equivalent: bool


def listed_survivors(path: Path = SURVIVORS, left_open: Path = OPEN) -> dict[str, Listed]:
    """Every listed mutant by its name. An entry with `open: true` is no equivalent mutant, only a known one."""
    names = left_open.read_text(encoding="utf-8").splitlines() if left_open.exists() else []
    found = {name: Listed(name, NOT_LOOKED_AT, False) for name in names}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
        for change in entry["changes"]:
            text, _, ordinal = change.partition(" #")
            parts = (PREFIX + entry["module"], entry["function"], entry["line"], text, ordinal or "1")
            name = " | ".join(parts)
            found[name] = Listed(name, " ".join(entry["reason"].split()), not entry.get("open", False))
    return found


def keep_open(score: Score, listed: Mapping[str, Listed], path: Path = OPEN) -> None:
    """Write down the survivors that the other list does not name, so that a new one is told from them."""
    named = {name for name, entry in listed.items() if entry.reason != NOT_LOOKED_AT}
    left = [mutant.name for mutant in score.survivors if mutant.name not in named]
    path.write_text("".join(f"{name}\n" for name in left), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Score:
    """Mutants by what became of them, and what is wrong in the list of survivors."""

    by_module: Mapping[str, Counter[str]]
    survivors: tuple[Mutant, ...]
    unlisted: tuple[Mutant, ...]
    stale: tuple[str, ...]

    @property
    def total(self) -> Counter[str]:
        """Of all modules together."""
        return sum(self.by_module.values(), Counter())

    @property
    def is_good_enough(self) -> bool:
        """Whether enough were caught, and the list of survivors is right."""
        return per_cent_caught(self.total) >= LEAST and not self.stale

    def lines(self) -> Iterator[str]:
        """The score of each module, and what survived without being equivalent, to be printed."""
        yield f"{'module':36}" + "".join(f"{name:>12}" for name in (*COLUMNS, "score %"))
        for module, counts in [*sorted(self.by_module.items()), ("all", self.total)]:
            shown = "".join(f"{number:12}" for number in numbers_of(counts))
            yield f"{module.removeprefix(PREFIX):36}{shown}{per_cent_caught(counts):12.1f}"
        every = self.total
        found = every["caught"] + every["timed out"]
        tried = found + every["survived"] + every["equivalent"]
        yield f"caught: {found} of {tried}; {per_cent_caught(every):.2f} % of those that are not equivalent"
        yield from (f"survived: line {mutant.lines.start}: {mutant.name}" for mutant in self.survivors)
        yield from (
            f"listed, but caught or gone; take it out of {SURVIVORS.name} or {OPEN.name}: {name}" for name in self.stale
        )


def numbers_of(counts: Counter[str]) -> list[int]:
    """All mutants, and what became of them, as in COLUMNS."""
    return [counts.total(), *(counts[name] for name in COLUMNS[1:])]


def per_cent_caught(counts: Counter[str]) -> float:
    """Of a hundred mutants that were tried and are not equivalent, how many were caught."""
    found = counts["caught"] + counts["timed out"]
    return 100 * found / (found + counts["survived"]) if found + counts["survived"] else 100.0


def score_of(
    mutants: Iterable[Mutant], results: Mapping[str, Mapping[str, Any]], listed: Mapping[str, Listed]
) -> Score:
    """What became of these mutants. One that no check reaches has survived."""
    mutants = list(mutants)
    modules = {mutant.module for mutant in mutants}
    stale = {name for name in listed if name.split(" | ")[0] in modules}
    by_module: dict[str, Counter[str]] = defaultdict(Counter)
    survivors, unlisted = [], []
    for mutant in mutants:
        became = results.get(mutant.name, {}).get("became", "untried")
        if became == "untried":
            stale.discard(mutant.name)
        if became in SURVIVED:
            stale.discard(mutant.name)
            entry = listed.get(mutant.name)
            became = "equivalent" if entry and entry.is_equivalent else "survived"
            if became == "survived":
                survivors.append(mutant)
            if entry is None:
                unlisted.append(mutant)
        by_module[mutant.module][became] += 1
    return Score(by_module, tuple(survivors), tuple(unlisted), tuple(sorted(stale)))
