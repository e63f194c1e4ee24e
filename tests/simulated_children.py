"""Five synthetic children over the 120 days after the infusion: what their record holds on each day.

Day 0 is Monday 2026-03-02. A record grows: on a day it holds what is dated that day or earlier, and the orders that were
written by then. `turning_points` were worked out by hand from the label and the site's default policy, before the
service was asked: on this day this rule speaks on the opened chart, on this level, or is silent (None).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

INFUSED = date(2026, 3, 2)
DAYS = 120
Json = dict[str, Any]


def day(number: int) -> date:
    """The calendar day so many days after the infusion."""
    return INFUSED + timedelta(days=number)


@dataclass(frozen=True)
class SimulatedChild:
    """One child: panels, counts and further words of the record by the day they are known from."""

    name: str
    story: str
    panels: Mapping[int, Json] = field(default_factory=dict)
    counts: Mapping[int, Json] = field(default_factory=dict)
    steroids: Mapping[int, list[Json]] = field(default_factory=dict)
    other: Mapping[int, Json] = field(default_factory=dict)
    shown_on: tuple[int, ...] = ()
    discharged_on: int | None = None
    turning_points: tuple[tuple[int, str, str | None], ...] = ()

    def on(self, number: int, moment: str = "chart") -> Json:
        """What the record holds on a day, in the words of cases.yaml."""
        given: Json = {"moment": moment, "today": day(number).isoformat(), "infused": INFUSED.isoformat()}
        given["panels"] = [{"on": day(n).isoformat(), **panel} for n, panel in self.panels.items() if n <= number]
        given["counts"] = [{"on": day(n).isoformat(), **count} for n, count in self.counts.items() if n <= number]
        known = [n for n in self.steroids if n <= number]
        if known:
            given["steroids"] = self.steroids[max(known)]
        for known_from, words in self.other.items():
            if known_from <= number:
                for word, items in words.items():
                    given[word] = [*given.get(word, []), *items] if isinstance(items, list) else items
        return given


def course(first: int, last: int, mg: str = "3.2 mg", **words: Any) -> Json:
    """A corticosteroid order from one day to another."""
    return {"start": day(first).isoformat(), "end": day(last).isoformat(), "dose": mg, **words}


FULL = course(-1, 28, id="steroid-full")
SUPPLIED = course(-1, 33, id="steroid-full")
ECG = {"cardiac": [{"when": f"{day(1).isoformat()}T12:00:00Z"}]}
HALF, QUARTER = "1.6 mg", "0.8 mg"
FINE: Json = {}
WEEKS = (7, 14, 21, 28, 35, 42, 49, 56)
LATER = (70, 84, 92)
COUNTS = dict.fromkeys((7, 14, 21, 28, 42, 56, 70, 84), FINE)

UNEVENTFUL = SimulatedChild(
    "uneventful",
    "Every test on its day and unremarkable; full dose, supplied for 35 days, and on day 28 a taper of 28 days is ordered.",
    panels=dict.fromkeys((*WEEKS, *LATER), FINE),
    counts=COUNTS,
    steroids={-1: [SUPPLIED], 28: [FULL, course(29, 42, HALF, id="taper-1"), course(43, 56, QUARTER, id="taper-2")]},
    other={1: ECG},
    shown_on=(12, 28, 92),
    turning_points=(
        (3, "liver-monitor-due", None),
        (4, "liver-monitor-due", "info"),
        (6, "platelet-monitor-due", "info"),
        (7, "liver-monitor-due", None),
        (24, "steroid-end-check-due", None),
        (25, "steroid-end-check-due", "info"),
        (27, "steroid-taper-eligible", None),
        (28, "steroid-end-check-due", None),
        (28, "steroid-taper-eligible", "info"),
        (29, "steroid-taper-eligible", None),
        (29, "steroid-taper-unsupported", None),
        (29, "steroid-taper-too-early", None),
        (57, "steroid-taper-abrupt", None),
        (57, "steroid-gap", None),
        (64, "liver-monitor-due", None),
        (65, "liver-monitor-due", "info"),
        (85, "liver-followup-3mo", "info"),
        (92, "liver-followup-3mo", None),
    ),
)

LIVER_RISE = SimulatedChild(
    "liver-rise",
    "ALT rises to four times its limit in week 3 and falls slowly; full dose for nine weeks, then a taper of 28 days.",
    panels={
        7: FINE,
        14: FINE,
        21: {"alt": "160 U/L", "ast": "120 U/L"},
        28: {"alt": "140 U/L", "ast": "100 U/L"},
        35: {"alt": "120 U/L", "ast": "90 U/L"},
        42: {"alt": "100 U/L", "ast": "80 U/L"},
        49: {"alt": "85 U/L", "ast": "60 U/L"},
        56: {"alt": "80 U/L", "ast": "50 U/L"},
        63: {"alt": "70 U/L", "ast": "45 U/L"},
        **dict.fromkeys((70, 77, 84, 91, 105, 119), FINE),
    },
    counts=COUNTS,
    steroids={
        -1: [SUPPLIED],
        27: [FULL, course(29, 70, id="steroid-on")],
        64: [FULL, course(29, 63, id="steroid-on"), course(64, 77, HALF, id="t-1"), course(78, 91, QUARTER, id="t-2")],
    },
    other={
        1: ECG,
        30: {"consults": [{"with": "Pediatric hepatology", "when": f"{day(30).isoformat()}T12:00:00Z"}]},
    },
    shown_on=(21, 29, 63),
    turning_points=(
        (20, "liver-worsening", None),
        (21, "liver-worsening", "warning"),
        (28, "liver-consult-persist", None),
        (29, "liver-consult-persist", "warning"),
        (31, "liver-consult-persist", "info"),
        (29, "steroid-continue", "info"),
        (32, "liver-monitor-due", "info"),
        (56, "steroid-taper-eligible", None),
        (63, "steroid-taper-eligible", "info"),
        (64, "steroid-taper-unsupported", None),
        (92, "liver-followup-3mo", None),
    ),
)

MICROANGIOPATHY = SimulatedChild(
    "microangiopathy",
    "On day 7 platelets 40, haemoglobin down by 3 g/dL, LDH high, schistocytes, creatinine doubled; recovers by week 4.",
    panels=dict.fromkeys((*WEEKS, *LATER), FINE),
    counts={
        3: {"platelets": "180 10*3/uL"},
        7: {
            "platelets": "40 10*3/uL",
            "hemoglobin": "9.0 g/dL",
            "creatinine": "0.6 mg/dL",
            "ldh": {"value": "900 U/L", "range": ["120", "300"]},
        },
        9: {"platelets": "60 10*3/uL", "hemoglobin": "9.2 g/dL", "creatinine": "0.5 mg/dL"},
        14: {"platelets": "110 10*3/uL", "hemoglobin": "10.0 g/dL", "creatinine": "0.3 mg/dL"},
        **dict.fromkeys((21, 28, 42, 56, 70, 84), FINE),
    },
    steroids=UNEVENTFUL.steroids,
    other={
        1: ECG,
        7: {"smears": [{"result": "Present", "when": f"{day(7).isoformat()}T08:00:00Z", "id": "smear-day-7"}]},
        8: {
            "consults": [
                {"with": "Pediatric hematology", "when": f"{day(8).isoformat()}T08:30:00Z", "id": "hematology"},
            ]
        },
    },
    shown_on=(7, 8, 14),
    turning_points=(
        (6, "tma-consult", None),
        (7, "tma-consult", "critical"),
        (7, "platelet-low", "critical"),
        (8, "tma-consult", "info"),
        (8, "platelet-low", "critical"),
        (9, "platelet-low", "warning"),
        (21, "platelet-low", None),
    ),
)

MISSED = SimulatedChild(
    "missed-visits",
    "Discharged on day 2 with corticosteroid for 14 days; no blood test until day 24; no dose after day 12.",
    panels={24: {"alt": "90 U/L"}, 28: FINE, 35: FINE},
    counts={24: FINE, 28: FINE},
    steroids={-1: [course(-1, 12, id="steroid-short")]},
    shown_on=(2, 13, 17),
    discharged_on=2,
    turning_points=(
        (9, "liver-monitor-overdue", None),
        (10, "liver-monitor-overdue", "warning"),
        (10, "platelet-monitor-overdue", "warning"),
        (7, "steroid-gap", None),
        (8, "steroid-gap", "warning"),
        (13, "steroid-taper-abrupt", "critical"),
        (14, "steroid-gap", "warning"),
        (15, "steroid-gap", "critical"),
        (17, "liver-monitor-overdue", "critical"),
        (24, "liver-worsening", "warning"),
    ),
)

REBOUND = SimulatedChild(
    "rebound",
    "A taper of 42 days; ALT passes twice its limit on day 42, the dose is raised, and tapered again from day 64.",
    panels={
        **dict.fromkeys((7, 14, 21, 28, 35), FINE),
        42: {"alt": "100 U/L"},
        45: {"alt": "130 U/L"},
        49: {"alt": "90 U/L"},
        56: {"alt": "70 U/L"},
        **dict.fromkeys((63, 70, 77, 84, 91, 98, 105, 119), FINE),
    },
    counts=COUNTS,
    steroids={
        -1: [SUPPLIED],
        28: [FULL, course(29, 49, HALF, id="t-1"), course(50, 70, QUARTER, id="t-2")],
        45: [FULL, course(29, 45, HALF, id="t-1"), course(46, 70, id="raised")],
        64: [
            FULL,
            course(29, 45, HALF, id="t-1"),
            course(46, 63, id="raised"),
            course(64, 77, HALF, id="t-3"),
            course(78, 91, QUARTER, id="t-4"),
        ],
    },
    other={1: ECG},
    shown_on=(42, 46, 64),
    turning_points=(
        (41, "liver-rise-on-taper", None),
        (42, "liver-rise-on-taper", "warning"),
        (42, "liver-worsening", "warning"),
        (64, "steroid-taper-unsupported", None),
        (64, "steroid-taper-short", None),
        (92, "steroid-gap", None),
    ),
)

CHILDREN = (UNEVENTFUL, LIVER_RISE, MICROANGIOPATHY, MISSED, REBOUND)
