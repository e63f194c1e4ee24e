"""The feedback report for a person at a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from cds_service.store import FeedbackReport
from cds_service.store.report import FOREIGN_REASON, NO_REASON, Counts, Figures

_COUNTS = ("shown", "accepted", "overridden", "kept_quiet")
# The longest rule and the longest reason fit; in a narrower terminal, or a pipe, nothing of a name is cut.
_NARROWEST = 104
_HEADINGS = ("shown", "accepted", "overridden", "kept quiet")


def print_report(report: FeedbackReport) -> None:
    """Three tables: topics, rules, and the trend of each topic by week."""
    console = Console()
    console.width = max(console.width, _NARROWEST)
    if not report.topics:
        console.print("No card has been shown yet.")
    else:
        console.print(_totals("Topic", report.topics))
        console.print(_totals("Rule", report.rules))
        console.print(_trend(report.topics))
    console.print(f"Feedback about cards that are not known here: {report.items_on_unknown_cards}")


def _totals(kind: str, figures: Mapping[str, Figures]) -> Table:
    table = Table(_whole(kind), *_HEADINGS, _whole("reasons"))
    for name, each in figures.items():
        reasons = ", ".join(f"{reason} {number}" for reason, number in each.reasons.items())
        table.add_row(name, *_written(each.total), reasons)
    return table


def _trend(figures: Mapping[str, Figures]) -> Table:
    table = Table(_whole("Topic"), "week", *_HEADINGS)
    for name, each in figures.items():
        for week, counts in each.weeks.items():
            table.add_row(name, week, *_written(counts))
    return table


def _whole(heading: str) -> Column:
    """A column whose names go on in the next line where it is too narrow; cut off, two rules would look like one."""
    return Column(heading, overflow="fold")


def _written(counts: Counts) -> list[str]:
    return [str(getattr(counts, name)) for name in _COUNTS]


def report_as_json(report: FeedbackReport) -> str:
    """The whole report as one JSON object."""
    document: dict[str, Any] = {
        "topics": [_object("topic", name, each) for name, each in report.topics.items()],
        "rules": [_object("rule", name, each) for name, each in report.rules.items()],
        "itemsOnUnknownCards": report.items_on_unknown_cards,
    }
    return json.dumps(document, indent=2)


def _object(kind: str, name: str, figures: Figures) -> dict[str, Any]:
    return {
        kind: name,
        **_counts(figures.total),
        "reasons": dict(figures.reasons),
        "weeks": [{"week": week, **_counts(counts)} for week, counts in figures.weeks.items()],
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {"keptQuiet" if name == "kept_quiet" else name: number for name, number in asdict(counts).items()}


def report_as_csv(report: FeedbackReport, reasons: Iterable[str]) -> str:
    """One line for each topic and rule in all, with an empty week, and for each of its weeks.

    `reasons` are the codes of our override reasons; how often each was given stands in the lines without a week.
    """
    columns = (*reasons, FOREIGN_REASON, NO_REASON)
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(("kind", "name", "week", *_COUNTS, *columns))
    for kind, figures in (("topic", report.topics), ("rule", report.rules)):
        for name, each in figures.items():
            given = [str(each.reasons.get(reason, 0)) for reason in columns]
            lines.writerow((kind, name, "", *_written(each.total), *given))
            for week, counts in each.weeks.items():
                lines.writerow((kind, name, week, *_written(counts), *("" for _ in columns)))
    return written.getvalue()
