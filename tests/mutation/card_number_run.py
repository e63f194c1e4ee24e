"""Change each number under `cards/` by its smallest step and see what notices: python -m tests.mutation.card_number_run.

Each mutant is a fork of one process that has read everything once. In a copy of the tree one file of `cards/` is
changed; then the start, the example patients of the rules that use the number, and tests look at it, until one
objects. `--sample N --seed S` takes some mutants by chance; `--file PART` those of some files; `--again` forgets
results of an earlier run. Prints for each file its numbers, mutants, what caught them, and the survivors. Exit 1 where
fewer than 95 of 100 are caught, or one survives that card_number_survivors.yaml does not explain, or one that it
explains is caught or gone.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from .card_number_trial import Outcome, Trials
from .card_numbers import Mutant, mutants_of, numbers_in

ROOT = Path(__file__).resolve().parents[2]
SURVIVORS = Path(__file__).with_name("card_number_survivors.yaml")
LEAST_CAUGHT = 0.95
MANY = 60  # mutants, for which it pays to read all example patients beforehand
CATCHERS = ("behaviour", "transcription", "start")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants, print what came of them, and answer with the exit status."""
    asked = _asked(arguments)
    chosen = _chosen(mutants_of(numbers_in(ROOT / "cards")), asked)
    known = equivalents()
    trials = Trials(ROOT, asked.folder, is_new=asked.again, is_quick=asked.quick, is_long=len(chosen) > MANY)
    outcomes = {}
    for number, mutant in enumerate(chosen, start=1):
        outcomes[mutant] = trials.outcome_of(mutant)
        if asked.verbose:
            print(f"{number}/{len(chosen)} {mutant.key}: {outcomes[mutant].how} {outcomes[mutant].by}", flush=True)
    faults = faults_of(outcomes, known, is_whole=not (asked.sample or asked.file))
    print("\n".join([*table_of(outcomes, known), "", *faults]))
    return 1 if faults else 0


def equivalents() -> dict[str, str]:
    """The mutants that nothing can notice, each with the reason why."""
    listed = yaml.safe_load(SURVIVORS.read_text(encoding="utf-8")) or []
    return {mutant: entry["because"] for entry in listed for mutant in entry["mutants"]}


def faults_of(outcomes: dict[Mutant, Outcome], known: dict[str, str], *, is_whole: bool) -> list[str]:
    """Why the run fails, one line each; empty if it does not."""
    survivors = {mutant.key for mutant, outcome in outcomes.items() if outcome.is_survivor}
    caught = {mutant.key for mutant in outcomes} - survivors
    faults = [f"survives and is not explained: {key}" for key in sorted(survivors - set(known))]
    faults += [f"is explained as a survivor and is caught: {key}" for key in sorted(caught & set(known))]
    if is_whole:
        gone = set(known) - survivors - caught
        faults += [f"is explained as a survivor and no longer exists: {key}" for key in sorted(gone)]
    if outcomes and len(caught) < LEAST_CAUGHT * len(outcomes):
        faults.append(f"only {len(caught)} of {len(outcomes)} mutants are caught")
    return faults


def table_of(outcomes: dict[Mutant, Outcome], known: dict[str, str]) -> list[str]:
    """For each file its numbers, its mutants, and how many the start, a behaviour or a second copy has caught."""
    by_file: dict[str, list[Mutant]] = {}
    for mutant in outcomes:
        file = mutant.number.file
        by_file.setdefault("the cards' own files" if file.endswith(".md") else file, []).append(mutant)
    lines = [_row("file", ("numbers", "mutants", *CATCHERS, "survive", "explained"))]
    for file, mutants in by_file.items():
        lines.append(_row(file, _counts(mutants, outcomes, known)))
    return [*lines, _row("all", _counts(list(outcomes), outcomes, known))]


def _counts(mutants: list[Mutant], outcomes: dict[Mutant, Outcome], known: dict[str, str]) -> tuple[object, ...]:
    how = Counter(outcomes[mutant].how for mutant in mutants)
    numbers = {(mutant.number.file, mutant.number.place) for mutant in mutants}
    survivors = [mutant.key for mutant in mutants if outcomes[mutant].is_survivor]
    explained = sum(key in known for key in survivors)
    return (len(numbers), len(mutants), *(how[kind] for kind in CATCHERS), len(survivors), explained)


def _row(name: str, cells: Iterable[object]) -> str:
    return f"{name:<32}" + "".join(f"{cell!s:>14}" for cell in cells)


def _chosen(mutants: list[Mutant], asked: argparse.Namespace) -> list[Mutant]:
    if asked.file:
        mutants = [mutant for mutant in mutants if asked.file in mutant.number.file]
    if asked.kind:
        mutants = [mutant for mutant in mutants if asked.kind == mutant.number.kind]
    if asked.sample:
        mutants = sorted(random.Random(asked.seed).sample(mutants, asked.sample), key=lambda mutant: mutant.key)
    return mutants


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.card_number_run", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many mutants, chosen by chance")
    parser.add_argument("--seed", type=int, default=1, help="of that chance")
    parser.add_argument("--file", default="", help="only files with this in their path under cards/")
    parser.add_argument("--kind", default="", help="only numbers of this kind, such as bound or words")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "card-mutants", help="of the results")
    parser.add_argument("--again", action="store_true", help="forget the results of earlier runs")
    parser.add_argument("--quick", action="store_true", help="ask example patients and short tests only")
    parser.add_argument("--verbose", action="store_true", help="a line for each mutant")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
