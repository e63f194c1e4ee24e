"""Looks for everything a run of the tests was given in everything it logged and stored.

    CDS_TEST_KEEP=FOLDER .venv/bin/python -m pytest
    .venv/bin/python -m tests.scan_for_patient_data FOLDER

The first keeps both (tests/kept_run.py); the second prints what was searched, what was left out and why, and each
match with its place, never its text. Exit code 1 where there is a match, 2 where there was nothing to search.

A text of six and more characters matches wherever it stands, a shorter one as a whole between characters that are no
letters and digits. Capitals make no difference.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cds_service import __version__
from cds_service.content_folders import CARDS
from cds_service.operations.log_fields import FIELDS

PACKAGE = Path(__file__).resolve().parents[1] / "cds_service"
_SHORT, _LONG = 6, 16

# Left out by the name of the field or column, which no text of a caller can reach.
_CLOCK = "our own clock"
_COUNT = "a whole number that the service counted, measured or was started with"
_ROW = "a number that the database gave the row"
LEFT_OUT_OF_LOGS = {
    "timestamp": _CLOCK,
    "where": "a file and line of the code",
    "signal": "the name of a signal, as the server calls it",
    # of the proxy
    "time": _CLOCK, "seconds": _CLOCK, "upstream_seconds": _CLOCK, "upstream": "the address of a replica",
    **{name: _COUNT for name, has_shape in FIELDS.items() if has_shape(1)},
}  # fmt: skip
LEFT_OUT_OF_ROWS = {
    "shown_at": _CLOCK, "received_at": _CLOCK, "created_at": _CLOCK,
    "outcome_at": "when a card was answered, which is kept on purpose and is no clinical value",
    "label_revision": "which label we know", "rule_set": "our own version", "version_num": "the step of the schema",
    "id": _ROW, "review_id": _ROW, "card_id": _ROW, "feedback_id": _ROW,
    "is_ours": "yes or no",
}  # fmt: skip
# By column or field and kind: what may stand there.
ON_PURPOSE = {
    ("comment", "comment"): "a comment, where the site says that they are kept",
    ("path", "address part"): "a path, which the proxy logs; no path of CDS Hooks names a patient",
}
# nginx's own lines are no JSON: their clock, addresses and numbers of connections look like short texts.
PROXY = "log of the proxy"
# What stands there by configuration of the tests: clients, and code systems of reasons.
CONFIGURED = frozenset(
    {
        "example-ehr",
        "other-ehr",
        "urn:example:reasons",
        "http://127.0.0.1:8000/CodeSystem/override-reasons",
        "https://cds.example.org/CodeSystem/override-reasons",
        # Tests of the store put these in place of a service and of a digest.
        "another service",
        "another slot",
    }
)
# Reserved for examples (RFC 2606), so it stands in all addresses of the tests, and is an id in those of the standard.
# The paths of our own services and what a proxy says of a connection hold words that stand in fixtures, too.
_RESERVED = re.compile(
    r"\bexample\.(org|com|net)\b|/cds-services(/onasemnogene-[a-z-]+)?(/feedback)?|Connection refused", re.IGNORECASE
)
# What EHRs call their reasons and calls is kept on purpose (ADR 0023), some of it short numbers, as values are; so is
# what a token says of its own life (`told`), and parts of addresses that the clients file leads to look like values. Tests of the store put short words in place of digests and uuids.
ONLY_LONG = frozenset({"system", "code", "hook_instance", "evidence_digest", "slot_digest", "told", "host", "address"})
# In the files of a database our own clock looks like any date; in its rows dates are looked for column by column.
NOT_IN_BYTES = frozenset({"date"})
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# What the scan's own tests have it print.
_OF_THIS_SCAN = re.compile(r"(matches: |looked for )\d+( texts: )?")
_LONGEST_OWN = 64
# Random or keyed digits hold short texts by accident, so only those of 16 and more characters are looked for in them.
_RANDOM = re.compile(r"[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RANDOM_BYTES = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}")


@dataclass(frozen=True, slots=True)
class Written:
    """One text that was written, and where: the file's kind, the event or table, and the field or column."""

    place: str
    name: str
    text: str


@dataclass(slots=True)
class Found:
    """What a scan looked at, left out, and found."""

    given: Counter[str] = field(default_factory=Counter)
    searched: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    matches: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def main(folder: Path) -> int:
    """Scan a folder and print what was found; the exit code."""
    found = scan(folder)
    sys.stdout.writelines(f"{line}\n" for line in report(found))
    if not found.given or not found.searched:
        return 2
    return 1 if found.matches else 0


def scan(folder: Path) -> Found:
    """Everything given, looked for in everything written."""
    found, given, own = Found(), read_given(folder), own_words()
    found.given.update(kind for kind, _ in given)
    needles = Needles.of(given)
    written = [*_logged(folder, found), *_stored(folder, found)]
    for each in _searched(written, own, found):
        for kind in needles.kinds_in(each.text, _shortest(each)):
            if why := ON_PURPOSE.get((each.name, kind)):
                found.left_out[why] += 1
            else:
                found.matches[each.place, each.name, kind] += 1
    in_bytes = Needles.of((kind, text) for kind, text in given if kind not in NOT_IN_BYTES and not _DAY.fullmatch(text))
    for place, content in _files(folder, found):
        found.matches.update((place, "bytes", kind) for kind in in_bytes.kinds_in_bytes(content, own | CONFIGURED))
    return found


def report(found: Found) -> Iterator[str]:
    """What was found, line by line."""
    yield f"looked for {sum(found.given.values())} texts: " + _listed(found.given)
    for place, size in sorted(found.searched.items()):
        yield f"searched {place}: {size} bytes"
    if found.unread:
        yield f"databases whose rows could not be read, because a test had broken them: {found.unread}"
    for why, number in found.left_out.most_common():
        yield f"left out {number}: {why}"
    yield f"matches: {sum(found.matches.values())}"
    for (place, name, kind), number in sorted(found.matches.items()):
        yield f"  {place}, {name}: {kind} ({number} times)"


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counted.items()))


def read_given(folder: Path) -> set[tuple[str, str]]:
    """What must not be found, each text with its kind."""
    lines = (line for path in folder.glob("given/*") for line in path.read_text("utf-8").splitlines())
    return {(kind, text) for kind, text in map(json.loads, lines)}


@dataclass(frozen=True, slots=True)
class Needles:
    """The texts to look for, by what they begin with; `kinds` of each."""

    kinds: dict[str, set[str]]
    long: dict[str, list[str]]
    short: list[tuple[str, re.Pattern[str]]]

    @classmethod
    def of(cls, given: Iterable[tuple[str, str]]) -> Needles:
        """The texts, without a difference of capitals."""
        kinds: dict[str, set[str]] = defaultdict(set)
        for kind, text in given:
            kinds[text.casefold()].add(kind)
        long: dict[str, list[str]] = defaultdict(list)
        for text in kinds:
            if len(text) >= _SHORT:
                long[text[:_SHORT]].append(text)
        short = [(text, _whole(text)) for text in kinds if len(text) < _SHORT]
        return cls(kinds, long, short)

    def kinds_in(self, text: str, at_least: int = 0) -> set[str]:
        """The kinds of what stands in a text; `at_least` so many characters."""
        lowered = _RESERVED.sub("", text).casefold()
        found = {needle for _, needle in self._long_in(lowered) if len(needle) >= at_least}
        if not at_least:
            found |= {needle for needle, whole in self.short if needle in lowered and whole.search(lowered)}
        return set().union(*(self.kinds[needle] for needle in found))

    def kinds_in_bytes(self, content: bytes, own: Iterable[str]) -> set[str]:
        """The kinds of what stands in a file that is no text, but as part of a word of our own.

        Short texts would be found in it by accident, and in random digits those that are not long.
        """
        bare = _RANDOM_BYTES.sub(lambda match: b" " * len(match[0]), content).decode("utf-8", "replace").casefold()
        all_of_it = content.decode("utf-8", "replace").casefold()
        found = set()
        for text, shortest in ((all_of_it, _LONG), (bare, _SHORT)):
            reserved = _RESERVED.sub(lambda match: " " * len(match[0]), text)
            for at, needle in self._long_in(reserved):
                if len(needle) >= shortest and needle not in found and not _is_part_of_own(text, at, needle, own):
                    found.add(needle)
        return set().union(*(self.kinds[needle] for needle in found))

    def _long_in(self, text: str) -> Iterator[tuple[int, str]]:
        for at in range(len(text) - _SHORT + 1):
            for needle in self.long.get(text[at : at + _SHORT], ()):
                if text.startswith(needle, at):
                    yield at, needle


def _shortest(written: Written) -> int:
    """How long a text has to be to be looked for in this one; 0 for all."""
    if _RANDOM.fullmatch(written.text):
        return _LONG
    return _SHORT if written.name in ONLY_LONG or written.place == PROXY else 0


def _is_part_of_own(text: str, at: int, needle: str, own: Iterable[str]) -> bool:
    """Whether what stands at this place belongs to a whole word of ours."""
    around = text[max(0, at - _LONGEST_OWN) : at + _LONGEST_OWN]
    begins = at - max(0, at - _LONGEST_OWN)
    for word in own:
        offset = word.casefold().find(needle) if len(word) <= _LONGEST_OWN else -1
        if offset >= 0 and around.startswith(word.casefold(), begins - offset):
            return True
    return False


def _whole(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])")


def _searched(written: Iterable[Written], own: frozenset[str], found: Found) -> set[Written]:
    """Each different text once, without those that are provably ours."""
    kept = set()
    for each in written:
        left_out = LEFT_OUT_OF_LOGS if each.place.startswith("log") else LEFT_OUT_OF_ROWS
        if each.name in left_out:
            found.left_out[f"{each.name}, {left_out[each.name]}"] += 1
        elif each.text in CONFIGURED:
            found.left_out["a client or code system that the tests configured"] += 1
        elif each.text in own:
            found.left_out["a fixed word of our own, as it stands in cds_service/ or cards/"] += 1
        else:
            kept.add(each)
    return kept


@cache
def own_words() -> frozenset[str]:
    """Every text and name that stands in the source, and the names of all cards."""
    words = {path.stem for path in CARDS.rglob("*.md")} | {__version__}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.ClassDef):
                words.add(node.name)
    return frozenset(words)


def _logged(folder: Path, found: Found) -> Iterator[Written]:
    for path in sorted(folder.glob("log/*")):
        content = path.read_text("utf-8", "replace")
        found.searched["logs"] += len(content.encode())
        for line in content.splitlines():
            yield from _in_line(line, PROXY if path.name.endswith("proxy.log") else "log")


def _in_line(line: str, place: str) -> Iterator[Written]:
    """The fields of a line, or the line where it is not one of ours."""
    try:
        document = json.loads(line)
    except ValueError:
        document = None
    if isinstance(document, dict):
        for name, value in document.items():
            yield from (
                Written(f"{place} {document.get('event', '')}".strip(), name, text) for text in _texts_in(value)
            )
    elif line.strip() and not _OF_THIS_SCAN.fullmatch(line):
        yield Written(place, "a line that is no JSON object", line)


def _stored(folder: Path, found: Found) -> Iterator[Written]:
    for path in sorted(folder.glob("rows/*")):
        dialect = path.stem.rpartition("-")[2]
        found.searched[f"rows of {dialect}"] += path.stat().st_size
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            found.unread += "unread" in row
            for name, value in row.get("row", {}).items():
                yield from (Written(f"{dialect} {row['table']}", name, text) for text in _texts_in(value))


def _files(folder: Path, found: Found) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob("sqlite/*")):
        content = path.read_bytes()
        place = f"files of sqlite{path.suffix.removeprefix('.sqlite3')}"
        found.searched[place] += len(content)
        yield place, content


def _texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, names of members and numbers included."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _texts_in(name)
            yield from _texts_in(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts_in(child)
    elif value is not None:
        yield str(value)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
