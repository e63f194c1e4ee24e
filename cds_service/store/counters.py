"""What the memory counts: plain numbers that only grow, told to whoever exports them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

# Reviews written, not taken up because too many were waiting, and lost because the database failed; findings kept
# quiet; calls for which nothing could be read and therefore nothing kept quiet; feedback items stored and refused.
NAMES = ("written", "dropped", "failed", "kept_quiet", "unread", "feedback_stored", "feedback_unstored")


class StoreCounters:
    """Counts by name, safe to use from several threads. `on_count` hears of each, as name and number."""

    def __init__(self, on_count: Callable[[str, int], None] = lambda name, number: None) -> None:
        self._on_count = on_count
        self._lock = Lock()
        self._counts = dict.fromkeys(NAMES, 0)

    def add(self, name: str, number: int = 1) -> None:
        """Count so many more. Raises KeyError for a name that is not in NAMES."""
        with self._lock:
            self._counts[name] += number
        if number:
            self._on_count(name.replace("_", "-"), number)

    def values(self) -> dict[str, int]:
        """All counts so far, by name."""
        with self._lock:
            return dict(self._counts)
