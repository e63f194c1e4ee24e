"""Which check reaches which line of the domain, recorded once; a mutant needs only the checks that reach it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from time import process_time

from coverage import Coverage

DOMAIN = Path(__file__).resolve().parents[2] / "cds_service" / "domain"
LOADING, READING = "loading ", "reading "


def sources() -> dict[str, list[str]]:
    """The lines of every module of the domain."""
    return {module_of(path): path.read_text(encoding="utf-8").splitlines() for path in sorted(DOMAIN.rglob("*.py"))}


@dataclass(slots=True)
class Reach:
    """For every line of a module the checks that run it, and what each check takes in seconds.

    A check's name stands behind `reading ` where only the reading of its record runs the line.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=lambda: defaultdict(dict))

    def of(self, module: str, lines: Iterable[int]) -> set[str]:
        """The names of everything that runs one of these lines."""
        known = self.lines.get(module, {})
        return {name for line in lines for name in known.get(line, ())}

    def add(self, other: Reach) -> None:
        """Take in what was recorded later."""
        self.seconds |= other.seconds
        for module, lines in other.lines.items():
            mine = self.lines.setdefault(module, {})
            for line, names in lines.items():
                mine[line] = sorted({*mine.get(line, ()), *names})

    def save(self, path: Path) -> None:
        """Write it down for the next run."""
        names = sorted({name for lines in self.lines.values() for found in lines.values() for name in found})
        number = {name: at for at, name in enumerate(names)}
        lines = {
            module: {line: [number[name] for name in found] for line, found in by_line.items()}
            for module, by_line in self.lines.items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"sources": sources(), "seconds": self.seconds, "names": names, "lines": lines}
        path.write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Reach:
        """What was recorded. Where a module was changed since, its lines are found again, and a new one takes over what
        reached the line before it: too few checks may then be asked, never wrong ones.
        """
        if not path.exists():
            return cls()
        content = json.loads(path.read_text(encoding="utf-8"))
        names, now = content["names"], sources()
        reach = cls(content["seconds"])
        for module, by_line in content["lines"].items():
            if module in now:
                by_number = {int(line): [names[at] for at in found] for line, found in by_line.items()}
                reach.lines[module] = _found_again(by_number, content["sources"][module], now[module])
        return reach


def _found_again(by_line: dict[int, list[str]], before: list[str], after: list[str]) -> dict[int, list[str]]:
    if before == after:
        return by_line
    found: dict[int, list[str]] = {}
    for old, new, size in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        found |= {new + at + 1: by_line[old + at + 1] for at in range(size) if old + at + 1 in by_line}
    for number in range(2, len(after) + 1):
        if number not in found and number - 1 in found:
            found[number] = found[number - 1]
    return found


class Recorder:
    """Records which lines are run under which name. Everything before the first name belongs to none."""

    def __init__(self) -> None:
        self._coverage = Coverage(data_file=None, include=[f"{DOMAIN}/*"], config_file=False, branch=False)
        self._seconds: dict[str, float] = {}
        self._name = ""
        self._begun = 0.0
        self._left_out: set[str] = set()

    def __enter__(self) -> Recorder:
        self._coverage.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._coverage.stop()

    def begin(self, name: str) -> None:
        """What is run from now on is run by this check."""
        self.end()
        self._name, self._begun = name, process_time()
        self._coverage.switch_context(name)

    def end(self) -> None:
        """What is run from now on is nobody's."""
        if self._name:
            self._seconds[self._name] = round(process_time() - self._begun, 5)
        self._name = ""
        self._coverage.switch_context("")

    def leave_out(self, name: str) -> None:
        """Forget a check that fails by itself: it says nothing about mutants."""
        self._left_out.add(name)

    def reach(self) -> Reach:
        """All that was recorded."""
        data = self._coverage.get_data()
        reach = Reach(self._seconds)
        for file in data.measured_files():
            module = module_of(Path(file))
            for line, names in data.contexts_by_lineno(file).items():
                reach.lines.setdefault(module, {})[line] = sorted(set(names) - self._left_out - {""})
        return reach


def module_of(path: Path) -> str:
    """The name of the module in a file of the domain."""
    parts = path.relative_to(DOMAIN.parents[1]).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
