"""The arithmetic of measuring: percentiles, medians with their spread, ratios round by round, and sensible digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from statistics import median

NO_FIGURE = "–"


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the smallest and the largest value of its rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """The spread of the values of all rounds; None where there are none."""
        return cls(median(values), min(values), max(values)) if values else None


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of all are no larger than (nearest rank). Raises ValueError for no values."""
    if not values:
        raise ValueError("no values, so no percentile of them")
    rank = max(1, ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """What ours is to theirs, round by round: both were measured one after the other, under the same conditions."""
    return [one / other for one, other in zip(ours, theirs, strict=False) if other > 0]


def written(value: float) -> str:
    """Three digits that count, thousands set apart, no zeros that say nothing."""
    if value == 0:
        return "0"
    digits = max(0, 2 - floor(log10(abs(value))))
    rounded = round(value, 2 - floor(log10(abs(value))))
    return f"{rounded:,.{digits}f}"


def shown(spread: Spread | None) -> str:
    """Median with its range; only the median where the rounds do not differ."""
    if spread is None:
        return NO_FIGURE
    if written(spread.low) == written(spread.high):
        return written(spread.median)
    return f"{written(spread.median)} ({written(spread.low)}–{written(spread.high)})"


def shown_as_times(spread: Spread | None) -> str:
    """A ratio."""
    return NO_FIGURE if spread is None else f"{shown(spread)} x"
