"""A child who was infused on 2 February 2026 and weighs 3.2 kg: days by number, and the label's corticosteroid course."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

INFUSED = date(2026, 2, 2)
HALF, QUARTER = "1.6 mg", "0.8 mg"


def day(number: int) -> date:
    """The calendar day so many days after the infusion."""
    return INFUSED + timedelta(days=number)


def order(first: int, last: int | None, dose: str = "3.2 mg", **words: Any) -> dict[str, Any]:
    """An order for a corticosteroid from one day to another, without an end where `last` is None."""
    end = "none" if last is None else day(last).isoformat()
    return {"start": day(first).isoformat(), "end": end, "dose": dose, **words}


COURSE = order(-1, 28)
STEPS = [order(29, 42, HALF), order(43, 56, QUARTER)]
