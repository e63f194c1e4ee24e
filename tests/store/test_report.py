"""The report: cards shown, accepted, overridden, why, and when, by topic and rule."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from databases import a_database
from kept_things import NOW, SERVICE, a_card, a_finding, a_reason, a_review, accepted, overridden

from cds_service.errors import SettingsProblem
from cds_service.report_printing import report_as_csv, report_as_json
from cds_service.store import FeedbackEvent, FeedbackReport, QuietFinding, ShownReview, Store, read_report
from cds_service.store.report import Figures

REASONS = ("specialist-decision", "done-elsewhere", "already-infused", "record-wrong", "other")


def report_on(store: Store, url: str, *kept: ShownReview | FeedbackEvent, zone: str = "UTC") -> FeedbackReport:
    for item in kept:
        if isinstance(item, ShownReview):
            store.remember(item)
        else:
            store.save_feedback([item], NOW, SERVICE, "example-ehr")
    assert store.flush(30)
    return read_report(url, ZoneInfo(zone))


def totals(figures: Figures) -> tuple[int, int, int]:
    return figures.total.shown, figures.total.accepted, figures.total.overridden


def three_cards() -> list[ShownReview | FeedbackEvent]:
    """One dose card accepted, one overridden, one ignored; a liver card overridden a week later."""
    later = NOW + timedelta(days=7)
    liver = a_card("liver", a_finding("liver-worsening"), a_finding("liver-monitor-due", "info"), topic="liver")
    return [
        *(a_review(a_card(name), hook_instance=name) for name in ("one", "two", "three")),
        a_review(liver, shown_at=later),
        accepted("one"),
        overridden("two", a_reason("record-wrong")),
        overridden("liver", a_reason("done-elsewhere")),
    ]


@pytest.mark.spec("R-157")
def test_an_ignored_card_is_neither_accepted_nor_overridden(store: Store, url: str) -> None:
    report = report_on(store, url, *three_cards())
    assert totals(report.topics["dose"]) == (3, 1, 1)
    assert totals(report.topics["liver"]) == (1, 0, 1)


def test_every_rule_of_a_card_has_the_cards_figures(store: Store, url: str) -> None:
    report = report_on(store, url, *three_cards())
    assert {name: totals(figures) for name, figures in report.rules.items()} == {
        "liver-monitor-due": (1, 0, 1),
        "liver-worsening": (1, 0, 1),
        "weight-stale": (3, 1, 1),
    }


def test_the_trend_is_by_iso_week_of_the_showing(store: Store, url: str) -> None:
    report = report_on(store, url, *three_cards())
    assert {name: asdict(counts) for name, counts in report.topics["dose"].weeks.items()} == {
        "2026-W10": {"shown": 3, "accepted": 1, "overridden": 1, "kept_quiet": 0}
    }
    assert list(report.topics["liver"].weeks) == ["2026-W11"]


@pytest.mark.parametrize(
    ("zone", "week"), [("UTC", "2026-W53"), ("America/New_York", "2026-W53"), ("Asia/Tokyo", "2027-W01")]
)
def test_a_week_begins_on_the_sites_monday(store: Store, url: str, zone: str, week: str) -> None:
    shown = a_review(shown_at=datetime(2027, 1, 3, 23, 0, tzinfo=UTC))
    assert list(report_on(store, url, shown, zone=zone).topics["dose"].weeks) == [week]


def test_weeks_are_in_order(store: Store, url: str) -> None:
    shown = (a_review(a_card(str(n)), shown_at=NOW + timedelta(weeks=n)) for n in (2, 0, 1))
    assert list(report_on(store, url, *shown).topics["dose"].weeks) == ["2026-W10", "2026-W11", "2026-W12"]


def test_the_same_call_repeated_is_one_card(store: Store, url: str) -> None:
    again = a_review(shown_at=NOW + timedelta(days=7))
    report = report_on(store, url, a_review(), again)
    assert totals(report.topics["dose"]) == (1, 0, 0)
    assert list(report.topics["dose"].weeks) == ["2026-W10"]


@pytest.mark.spec("R-156")
def test_the_same_feedback_sent_twice_counts_once(store: Store, url: str) -> None:
    report = report_on(store, url, a_review(), overridden(), overridden())
    assert totals(report.topics["dose"]) == (1, 0, 1)
    assert report.topics["dose"].reasons == {"specialist-decision": 1}


def test_a_card_may_be_accepted_in_part_and_overridden(store: Store, url: str) -> None:
    assert totals(report_on(store, url, a_review(), accepted(), overridden()).topics["dose"]) == (1, 1, 1)


def test_reasons_of_others_are_counted_without_their_words(store: Store, url: str) -> None:
    foreign = overridden("card", a_reason("words of an EHR", is_ours=False))
    assert report_on(store, url, a_review(), foreign).topics["dose"].reasons == {"foreign-reason": 1}


def test_an_override_without_a_reason_is_counted_as_such(store: Store, url: str) -> None:
    silent = FeedbackEvent(overridden().card_uuid, "overridden", NOW)
    assert report_on(store, url, a_review(), silent).topics["dose"].reasons == {"no-reason": 1}


def test_findings_that_were_kept_quiet_are_counted(store: Store, url: str) -> None:
    quiet = QuietFinding("liver", "liver-worsening", "warning")
    report = report_on(store, url, a_review(kept_quiet=(quiet,)))
    assert report.topics["liver"].total.kept_quiet == 1
    assert report.rules["liver-worsening"].weeks["2026-W10"].kept_quiet == 1
    assert totals(report.rules["liver-worsening"]) == (0, 0, 0)


def test_feedback_on_unknown_cards_is_counted_apart(store: Store, url: str) -> None:
    report = report_on(store, url, a_review(), overridden("never shown"), overridden("never shown"))
    assert report.items_on_unknown_cards == 2
    assert totals(report.topics["dose"]) == (1, 0, 0)


def test_without_any_rows_the_report_is_empty(store: Store, url: str) -> None:
    assert report_on(store, url) == FeedbackReport({}, {}, 0)


def test_the_report_of_an_empty_database_names_the_command(empty_url: str) -> None:
    with pytest.raises(SettingsProblem, match="run `cds-service migrate` first"):
        read_report(empty_url, ZoneInfo("UTC"))


def test_a_report_creates_no_tables(empty_url: str) -> None:
    with pytest.raises(SettingsProblem):
        read_report(empty_url, ZoneInfo("UTC"))
    with pytest.raises(SettingsProblem, match="the database is empty"):
        read_report(empty_url, ZoneInfo("UTC"))


def test_json_holds_every_figure(store: Store, url: str) -> None:
    document = json.loads(report_as_json(report_on(store, url, *three_cards())))
    assert document["topics"][0] == {
        "topic": "dose", "shown": 3, "accepted": 1, "overridden": 1, "keptQuiet": 0,
        "reasons": {"record-wrong": 1},
        "weeks": [{"week": "2026-W10", "shown": 3, "accepted": 1, "overridden": 1, "keptQuiet": 0}],
    }  # fmt: skip
    assert [each["rule"] for each in document["rules"]] == ["liver-monitor-due", "liver-worsening", "weight-stale"]
    assert document["itemsOnUnknownCards"] == 0


def test_csv_has_one_line_in_all_and_one_for_each_week(store: Store, url: str) -> None:
    lines = list(csv.DictReader(io.StringIO(report_as_csv(report_on(store, url, *three_cards()), REASONS))))
    assert [(line["kind"], line["name"], line["week"]) for line in lines[:3]] == [
        ("topic", "dose", ""), ("topic", "dose", "2026-W10"), ("topic", "liver", ""),
    ]  # fmt: skip
    assert (lines[0]["shown"], lines[0]["record-wrong"], lines[0]["no-reason"]) == ("3", "1", "0")
    assert lines[1]["record-wrong"] == ""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_reading_the_report_leaves_no_connection_open(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with a_database(kind, tmp_path_factory.mktemp("database")) as url, pytest.raises(SettingsProblem):
        read_report(url, ZoneInfo("UTC"))
