"""What the memory counts, for whoever exports it: plain numbers that only grow."""

from __future__ import annotations

from threading import Lock

# Reviews written, not taken up because too many were waiting, and lost because the database failed; findings kept
# quiet; calls for which nothing could be read and therefore nothing kept quiet; feedback items stored and refused.
NAMES = ("written", "dropped", "failed", "kept_quiet", "unread", "feedback_stored", "feedback_unstored")


class StoreCounters:
    """Counts by name, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = dict.fromkeys(NAMES, 0)

    def add(self, name: str, number: int = 1) -> None:
        """Count so many more. Raises KeyError for a name that is not in NAMES."""
        with self._lock:
            self._counts[name] += number

    def values(self) -> dict[str, int]:
        """All counts so far, by name."""
        with self._lock:
            return dict(self._counts)
