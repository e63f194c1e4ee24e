"""The score: how many mutants were caught, which survived, and which of these change nothing that anybody could see."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from code_mutants import Mutant

LISTED = Path(__file__).with_name("equivalent.yaml")
LEAST = 95



def listed_as_equivalent(path: Path = LISTED) -> dict[str, str]:
    """The reason why a mutant is equivalent, by its name."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return {
        " | ".join((entry["module"], entry["function"], entry["line"], change, str(ordinal))): entry["reason"]
        for entry in entries
        for change, ordinal in _changes_of(entry)
    }


def _changes_of(entry: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    for change in entry["changes"]:
        for ordinal in entry.get("ordinals", [1]):
            yield change, ordinal


@dataclass(frozen=True, slots=True)
class Judged:
    """Mutants by what became of them, with what is wrong in the list of equivalent ones."""

    by_module: Mapping[str, Counter[str]]
    survivors: tuple[Mutant, ...]
    stale: tuple[str, ...]
    reasons: Mapping[str, str]

    @property
    def total(self) -> Counter[str]:
        """Of all modules together."""
        return sum(self.by_module.values(), Counter())

    @property
    def is_good_enough(self) -> bool:
        """Whether enough were caught, and the list is right."""
        return score(self.total) >= LEAST and not self.stale

    def show(self) -> None:
        """Print the score of each module and what survived."""
        print(f"\n{'module':44}{'mutants':>9}{'caught':>9}{'timeout':>9}{'listed':>9}{'survive':>9}{'score':>9}")
        for module, counts in [*sorted(self.by_module.items()), ("all", self.total)]:
            shown = [counts.total(), counts["caught"], counts["timed out"], counts["listed"], counts["survived"]]
            print(f"{module.removeprefix('cds_service.'):44}" + "".join(f"{n:9}" for n in shown) + f"{score(counts):8.1f}%")
        for mutant in self.survivors:
            print(f"survived: {mutant.name} (line {mutant.lines.start})")
        for name in self.stale:
            print(f"stale: {name} is listed as equivalent, but is caught or does not exist")


def score(counts: Counter[str]) -> float:
    """Of a hundred mutants that are not equivalent, how many were caught."""
    tried = counts["caught"] + counts["timed out"] + counts["survived"]
    return 100 * (counts["caught"] + counts["timed out"]) / tried if tried else 100.0


def judge(mutants: Iterable[Mutant], results: Mapping[str, Mapping[str, Any]]) -> Judged:
    """What became of these mutants. One that no check reaches has survived."""
    mutants = list(mutants)
    reasons = listed_as_equivalent()
    by_module: dict[str, Counter[str]] = defaultdict(Counter)
    survivors = []
    stale = set(reasons) & {name for name in reasons if name.split(" | ")[0] in {m.module for m in mutants}}
    for mutant in mutants:
        became = results.get(mutant.name, {}).get("became", "untried")
        if became in ("survived", "not reached"):
            became = "listed" if mutant.name in reasons else "survived"
        if became == "survived":
            survivors.append(mutant)
        if became in ("listed", "untried"):
            stale.discard(mutant.name)
        by_module[mutant.module][became] += 1
    return Judged(by_module, tuple(survivors), tuple(sorted(stale)), reasons)
