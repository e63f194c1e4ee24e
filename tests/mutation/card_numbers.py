"""Every number under `cards/`, and each of its smallest steps: which mutants there are.

A number is a value, a bound, a factor, a cell of a table, or a number written into words. None are codes, dates,
names with digits in them (AAV9, Table 1), the numbers of the label's sections, and telephone numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What holds numbers or words that are shown. names.yaml and the names of codes hold what others write.
FILES = (
    "label/values.yaml",
    "label/table_1_dose.csv",
    "label/table_3_kits.csv",
    "policy/site_policy.yaml",
    "outside/values.yaml",
    "outside/units.yaml",
    "outside/codes/conditions.yaml",
    "outside/codes/steroids.yaml",
    "readiness/checklist.yaml",
    "shared/about.yaml",
    "shared/course.yaml",
    "shared/orders.yaml",
    "shared/pages.yaml",
    "shared/phrases.yaml",
)
# Fields whose text is a name, a reference or a code.
_NO_WORDS = {
    "section", "unit", "own_unit", "spellings", "also_written", "code", "name", "system", "confidence", "asked_in",
    "form", "uses", "explains", "hooks", "phase", "reviewed", "grades", "series", "number", "decided_by",
    "state_codes", "slot_sections", "platelets_section", "covers", "priority", "rules", "check", "analyte", "phases",
}  # fmt: skip
_NUMBER = re.compile(
    r"""(?<![\w.*^–-])(?<!\d/)                            # not the rest of a name, a unit or a version
        (?:\d{1,3}(?:[, ]\d{3})+|\d+(?:\.\d+)?)
        (?![\w^*]|\.\d|-\w|/\d)""",
    re.VERBOSE,
)
_EXPONENT = re.compile(r"(?<=× 10\^)\d+")
_NO_NUMBERS = re.compile(
    r"""\{\{.*?\}\}                                      # a value of the child
      | (?<=\()\d+(?:\.\d+)?(?:,\s\d+(?:\.\d+)?)*(?=[):])  # sections of the label: (2.1, 5.2)
      | (?<=[:,]\s)\d+\.\d(?=[,);])|(?<=kg\sin\s)\d\.\d|(?<=Highlights,\s)6
      | (?i:\bsections?\s+|\blabel\s+|\btables?\s+|(?-i:\bStudy\s+)|\bgrades?\s+|\bexons?\s+)\d+(?:\.\d+)*(?:(?:,|\sand)\s\d+(?:\.\d+)*)*
      | \b\d-\d{3}-[\dA-Z]{3}-\d{4}\b                     # telephone
      | \b(?:19|20)\d\d\b                                 # years
      | \b\d+\sCFR\s[\d.]+
      | \[\d+\]                                           # the first of a list
      | \b10\*\d/uL | Apache\sLicense\s2\.0""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A number as it stands in a file under `cards/`: `written` from character `start` on.

    `kind` is value, bound, factor, strength, cell, words or condition; `place` names it in its file.
    """

    file: str
    place: str
    kind: str
    written: str
    start: int


@dataclass(frozen=True, slots=True)
class Mutant:
    """One number one step up or down. `twin` is the same number in the quote that proves it, if that goes along."""

    number: CardNumber
    becomes: str
    twin: CardNumber | None = None

    @property
    def key(self) -> str:
        """What names it in results and in the list of survivors."""
        along = ", quote too" if self.twin else ""
        return f"{self.number.file}: {self.number.place}: {self.number.written} → {self.becomes}{along}"

    def changed(self, text: str) -> str:
        """The text of the file with the number changed."""
        for number in sorted(filter(None, (self.number, self.twin)), key=lambda each: -each.start):
            end = number.start + len(number.written)
            assert text[number.start : end] == number.written, self.key
            text = text[: number.start] + self.becomes + text[end:]
        return text


def numbers_in(cards: Path) -> list[CardNumber]:
    """All numbers under this folder, in the order of its files."""
    topics = sorted(str(path.relative_to(cards)) for path in cards.glob("*/*.md") if path.parent.name != "label")
    found = []
    for file in (*FILES, *topics):
        text = (cards / file).read_text(encoding="utf-8")
        seen: dict[str, int] = {}
        for number in _read(file, text):
            seen[number.place] = seen.get(number.place, 0) + 1
            place = number.place if seen[number.place] == 1 else f"{number.place} #{seen[number.place]}"
            found.append(CardNumber(file, place, number.kind, number.written, number.start))
    return found


def mutants_of(numbers: list[CardNumber]) -> list[Mutant]:
    """Each number by its smallest step, up and down; nothing below 0.

    The label's values are changed alone, and once more together with the quote that proves them: the first is
    refused at the start, so that only the second shows whether anything else would notice.
    """
    quoted = {number.place: number for number in numbers if number.kind == "quote"}
    mutants = []
    for number in numbers:
        if number.kind == "quote":
            continue
        twin = quoted.get(f"{number.place.removesuffix('.value')}.quote")
        for becomes in steps_of(number.written):
            mutants.append(Mutant(number, becomes))
            if twin is not None and number.file == "label/values.yaml":
                mutants.append(Mutant(number, becomes, twin))
    return mutants


def steps_of(written: str) -> list[str]:
    """One step of the last written place down and up, written in the same way: 1.25 → 1.24, 1.26."""
    digits, mark, exponent = written.partition("e")
    between = next((sign for sign in ", " if sign in digits), "")
    value = Decimal(digits.replace(between, ""))
    step = Decimal(1).scaleb(value.as_tuple().exponent)  # type: ignore[arg-type]
    width = len(digits) if digits.startswith("0") and "." not in digits else 0
    changed = [each for each in (value - step, value + step) if each >= 0]
    texts = [f"{each:,f}".replace(",", between) if between else f"{each:f}" for each in changed]
    return [text.rjust(width, "0") + mark + exponent for text in texts]


def _read(file: str, text: str) -> Iterator[CardNumber]:
    if file.endswith(".csv"):
        yield from _cells(file, text)
    elif file.endswith(".md"):
        header, _, body = text.removeprefix("---\n").partition("\n---\n")
        yield from _of_yaml(file, header, 4)
        yield from _in_body(file, body, len(text) - len(body))
    else:
        yield from _of_yaml(file, text, 0)


def _cells(file: str, text: str) -> Iterator[CardNumber]:
    start = 0
    columns: list[str] = []
    for line in text.splitlines(keepends=True):
        cells = line.rstrip("\r\n").split(",")
        if not columns:
            columns = cells
        else:
            at = start
            for column, cell in zip(columns, cells, strict=True):
                place = f"{cells[0]} kg.{column}"
                if column == "ndc":  # the product and the package; the first part names the company
                    company, product, package = cell.split("-")
                    yield CardNumber(file, f"{place} product", "cell", product, at + len(company) + 1)
                    yield CardNumber(file, f"{place} package", "cell", package, at + len(cell) - len(package))
                else:
                    yield CardNumber(file, place, "cell", cell, at)
                at += len(cell) + 1
        start += len(line)


def _of_yaml(file: str, text: str, offset: int) -> Iterator[CardNumber]:
    seen: set[int] = set()
    yield from _of_node(file, yaml.compose(text, _Loader), (), text, offset, seen)


def _of_node(
    file: str, node: yaml.Node | None, path: tuple[str, ...], text: str, offset: int, seen: set[int]
) -> Iterator[CardNumber]:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        named = next((value.value for key, value in node.value if key.value in ("code", "check", "title")), "")
        for key, value in node.value:
            if (key.value not in _NO_WORDS or file.endswith("phrases.yaml")) and not key.value.endswith("_section"):
                inside = (*path[:-1], str(named)) if path and path[-1].isdigit() and isinstance(named, str) else path
                yield from _of_node(file, value, (*inside, key.value), text, offset, seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value, start=1):
            yield from _of_node(file, value, (*path, str(number)), text, offset, seen)
    elif isinstance(node, yaml.ScalarNode):
        start, end = node.start_mark.index, node.end_mark.index
        written = text[start:end]
        if node.tag.endswith((":int", ":float")):
            yield CardNumber(file, ".".join(path), _kind_of(path), written, start + offset)
        elif node.tag.endswith(":str"):
            kind = "quote" if path[-1] == "quote" else "words"
            for number in _in_words(file, ".".join(path), written, start + offset):
                is_proof = kind == "quote"
                yield CardNumber(file, number.place, "quote" if is_proof else number.kind, number.written, number.start)


def _kind_of(path: tuple[str, ...]) -> str:
    if path[-1] in ("at_least", "at_most"):
        return "bound"
    if path[-1] in ("completed_weeks", "mg_per_ml", "mg_per_unit"):
        return "strength"
    return "factor" if "one_is" in path else "value"


def _in_body(file: str, body: str, offset: int) -> Iterator[CardNumber]:
    place, start = "headline", 0
    for line in body.splitlines(keepends=True):
        if line.startswith("## "):
            place = line[3:].strip()
        yield from _in_words(file, place, line, offset + start)
        if line.startswith("# "):
            place = "message"
        start += len(line)


def _in_words(file: str, place: str, text: str, offset: int) -> Iterator[CardNumber]:
    hidden = [match.span() for match in _NO_NUMBERS.finditer(text)]
    conditions = [match.span() for match in re.finditer(r"\{%.*?%\}", text, re.DOTALL)]
    found = [*_NUMBER.finditer(text), *_EXPONENT.finditer(text)]
    for match in sorted(found, key=lambda each: each.start()):
        if any(first <= match.start() < last for first, last in hidden):
            continue
        is_condition = any(first <= match.start() < last for first, last in conditions)
        yield CardNumber(file, place, "condition" if is_condition else "words", match[0], offset + match.start())
