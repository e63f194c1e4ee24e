"""What was recorded of the lines of a module, and found again after it was changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import reach
from .reach import Reach

MODULE = "cds_service.domain.tiny"


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reach, "sources", lambda: {MODULE: ["def f(a):", "    b = a", "    return b"]})
    path = tmp_path / "reach.json"
    Reach({"one": 0.5}, {MODULE: {2: ["one"], 3: ["one", "two"]}}).save(path)
    return path


def test_what_was_recorded_is_read_again(recorded: Path) -> None:
    found = Reach.load(recorded)
    assert found.seconds == {"one": 0.5}
    assert (found.of(MODULE, [2]), found.of(MODULE, range(2, 4))) == ({"one"}, {"one", "two"})
    assert found.of(MODULE, [1]) == found.of("cds_service.domain.other", [2]) == set()


def test_a_line_that_has_moved_is_found_again_and_a_new_one_takes_over_from_the_one_before(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = ["X = 1", "", "def f(a):", "    b = a", "    b += X", "    return b"]
    monkeypatch.setattr(reach, "sources", lambda: {MODULE: changed})
    found = Reach.load(recorded)
    assert [found.of(MODULE, [line]) for line in (4, 5, 6)] == [{"one"}, {"one"}, {"one", "two"}]


def test_a_module_that_is_gone_is_forgotten(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "sources", dict)
    assert Reach.load(recorded).lines == {}


def test_what_is_recorded_later_is_added() -> None:
    first = Reach({"one": 1.0}, {MODULE: {2: ["one"]}})
    first.add(Reach({"two": 2.0}, {MODULE: {2: ["two"], 3: ["two"]}}))
    assert (first.seconds, first.lines) == ({"one": 1.0, "two": 2.0}, {MODULE: {2: ["one", "two"], 3: ["two"]}})


def test_saving_what_was_read_gives_the_same_file(recorded: Path) -> None:
    again = recorded.with_name("again.json")
    Reach.load(recorded).save(again)
    assert again.read_text(encoding="utf-8") == recorded.read_text(encoding="utf-8")
