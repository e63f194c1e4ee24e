"""Which mutants of the numbers in cards/ there are, what counts as a fault, and a sample of them on trial."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .card_number_run import ROOT, equivalents, faults_of, table_of
from .card_number_trial import Outcome
from .card_numbers import CardNumber, Mutant, mutants_of, numbers_in, steps_of
from .plain_tests import first_failing

CARDS = ROOT / "cards"
CAUGHT, SURVIVES = Outcome("behaviour", "case"), Outcome("survives")


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ("7", ["6", "8"]),
        ("0.1", ["0.0", "0.2"]),
        ("1.25", ["1.24", "1.26"]),
        ("0.50", ["0.49", "0.51"]),
        ("8.4", ["8.3", "8.5"]),
        ("0", ["1"]),
        ("1.1e+14", ["1.0e+14", "1.2e+14"]),
        ("50,000", ["49,999", "50,001"]),
        ("09", ["08", "10"]),
    ],
)
def test_a_number_takes_one_step_of_its_last_place_and_none_below_0(written: str, steps: list[str]) -> None:
    assert steps_of(written) == steps


def test_every_mutant_changes_one_number_and_has_a_name_of_its_own() -> None:
    mutants = mutants_of(numbers_in(CARDS))
    texts = {mutant.number.file: (CARDS / mutant.number.file).read_text(encoding="utf-8") for mutant in mutants}
    assert len({mutant.key for mutant in mutants}) == len(mutants) > 2000
    for mutant in mutants:
        text, changed = texts[mutant.number.file], mutant.changed(texts[mutant.number.file])
        assert changed != text, mutant.key
        assert changed.count("\n") == text.count("\n"), mutant.key


def test_every_row_of_both_tables_is_whole() -> None:
    cells = [number for number in numbers_in(CARDS) if number.kind == "cell"]
    assert len(cells) == 37 * 3 + 37 * 7  # the kit's code counts as two numbers: product and package


def test_codes_names_sections_and_telephone_numbers_are_no_numbers(tmp_path: Path) -> None:
    body = (
        "# AAV9 in Table 1 for SMN1\n\nSee (2.1, 5.2), section 5.3, 1-833-828-3947, 10*3/uL, {{ 7 }} and 60 minutes.\n"
    )
    assert words_of(tmp_path, body) == ["60"]


def test_a_number_in_a_condition_is_one(tmp_path: Path) -> None:
    assert words_of(tmp_path, "# Count\n\n{% if day_number <= 14 %}closely{% endif %} 1.1 × 10^14 vg/kg\n") == [
        "14", "1.1", "14",
    ]  # fmt: skip


def words_of(folder: Path, body: str) -> list[str]:
    """The numbers in a card of this text."""
    for number in numbers_in(CARDS):
        (folder / number.file).parent.mkdir(parents=True, exist_ok=True)
        if not number.file.endswith(".md"):
            (folder / number.file).write_text((CARDS / number.file).read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("shared/about.yaml", "shared/pages.yaml"):
        (folder / name).write_text("{}", encoding="utf-8")
    card = folder / "dose" / "a-card.md"
    card.write_text(f"---\ntitle: A card\n---\n{body}", encoding="utf-8")
    return [number.written for number in numbers_in(folder) if number.file == "dose/a-card.md"]


def a_mutant(becomes: str) -> Mutant:
    return Mutant(CardNumber("policy/site_policy.yaml", "a.number.value", "value", "7", 0), becomes)


def test_a_survivor_that_nobody_explains_is_a_fault() -> None:
    outcomes = {a_mutant("6"): CAUGHT, a_mutant("8"): SURVIVES}
    key = "policy/site_policy.yaml: a.number.value: 7 → 8"
    assert f"survives and is not explained: {key}" in faults_of(outcomes, {}, is_whole=True)
    assert faults_of({a_mutant("8"): SURVIVES}, {key: "why"}, is_whole=True) == ["only 0 of 1 mutants are caught"]


def test_an_explanation_of_what_is_caught_or_gone_is_a_fault() -> None:
    known = {a_mutant("6").key: "why", "gone": "why"}
    assert faults_of({a_mutant("6"): CAUGHT}, known, is_whole=True) == [
        f"is explained as a survivor and is caught: {a_mutant('6').key}",
        "is explained as a survivor and no longer exists: gone",
    ]
    assert len(faults_of({a_mutant("6"): CAUGHT}, known, is_whole=False)) == 1


def test_the_table_counts_numbers_and_what_caught_them() -> None:
    outcomes = {a_mutant("6"): CAUGHT, a_mutant("8"): SURVIVES}
    assert table_of(outcomes, {})[1].split() == ["policy/site_policy.yaml", "1", "2", "1", "0", "0", "1", "0"]


def test_a_test_called_as_a_function_fails_passes_or_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "test_of_three_kinds.py"
    file.write_text(
        "def test_that_lacks(tmp_path): assert False\ndef test_that_passes(): assert True\n", encoding="utf-8"
    )
    assert first_failing(str(file), {}) == ""
    with file.open("a", encoding="utf-8") as more:
        more.write("def test_with_the_catalogue(catalogue): assert catalogue == 1\n")
    assert first_failing(str(file), {"catalogue": 1}) == ""
    assert first_failing(str(file), {"catalogue": 2}) == f"{file}::test_with_the_catalogue"


def test_every_explained_survivor_is_a_mutant_and_has_a_reason() -> None:
    names = {mutant.key for mutant in mutants_of(numbers_in(CARDS))}
    assert set(equivalents()) <= names
    assert all(len(because) > 20 for because in equivalents().values())


def test_of_a_sample_of_mutants_each_is_caught_or_explained(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.mutation.card_number_run", "--folder", str(tmp_path)]
    command += ["--sample", "40", "--seed", "7"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
