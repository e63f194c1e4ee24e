"""Feedback over HTTP: what is taken, what is refused and where, and what is kept before anybody is told so."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from remembering_service import OUR_SYSTEM, RememberingService, an_item
from werkzeug.test import TestResponse

from cds_service.app import create_app, create_feedback_reader
from cds_service.config import load_settings
from cds_service.errors import StoreUnavailable
from cds_service.hooks.feedback import FeedbackReader
from cds_service.hooks.views import FEEDBACK_READER, MAX_BODY, STORE
from cds_service.presentation import Catalogue
from cds_service.store import Store

OTHER = "11111111-2222-4333-8444-555555555555"
SUGGESTION = "5a5f8b56-0f3b-4a6f-8d0e-1c2b7a9e4d10"
NOT_TEXT: list[Any] = [1, 1.5, True, [], {}, ["x"], "", "  "]
NOT_AN_OBJECT: list[Any] = [[], "x", 1, True]


def refused_at(path: str, response: TestResponse, remembering: RememberingService) -> None:
    """Refused with an OperationOutcome that says where, and nothing was kept."""
    assert response.status_code == 400, response.text
    assert response.json["resourceType"] == "OperationOutcome"
    (issue,) = response.json["issue"]
    assert (issue["severity"], issue["code"], issue["expression"]) == ("error", "invalid", [path])
    assert remembering.rows("feedback") == []


def taken(response: TestResponse) -> None:
    assert (response.status_code, response.data) == (200, b""), response.text


def post(remembering: RememberingService, *items: Any) -> TestResponse:
    return remembering.feedback({"feedback": list(items)})


# --- the post


@pytest.mark.spec("R-146")
@pytest.mark.spec("R-147")
@pytest.mark.spec("R-160")
def test_feedback_is_answered_with_200_and_an_empty_body(remembering: RememberingService) -> None:
    response = post(remembering, an_item())
    taken(response)
    assert "Content-Type" not in response.headers
    assert len(remembering.rows("feedback")) == 1


@pytest.mark.spec("R-147")
def test_a_final_slash_makes_no_difference(remembering: RememberingService) -> None:
    url = "/cds-services/onasemnogene-order-sign/feedback/"
    taken(remembering.app.test_client().post(url, json={"feedback": [an_item()]}))


@pytest.mark.spec("R-147")
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_another_method_is_refused(remembering: RememberingService, method: str) -> None:
    path = "/cds-services/onasemnogene-order-sign/feedback"
    response = getattr(remembering.app.test_client(), method)(path)
    assert response.status_code == 405
    assert response.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.spec("R-160")
@pytest.mark.parametrize("body", [{"feedback": [an_item()]}, {}, b"{"])
def test_feedback_for_an_unknown_service_is_not_found(remembering: RememberingService, body: Any) -> None:
    response = remembering.feedback(body, "onasemnogene-medication-refill")
    assert response.status_code == 404
    assert response.json["issue"][0]["code"] == "not-found"
    assert remembering.rows("feedback") == []


@pytest.mark.spec("R-148")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(remembering: RememberingService, body: bytes) -> None:
    response = remembering.feedback(body)
    assert response.status_code == 400
    assert response.json["resourceType"] == "OperationOutcome"


def test_a_body_that_nests_too_deep_is_refused(remembering: RememberingService) -> None:
    assert remembering.feedback(b'{"feedback":' + b"[" * 120 + b"]" * 120 + b"}").status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_declared_as_json_is_refused(remembering: RememberingService, content_type: str) -> None:
    response = remembering.feedback({"feedback": [an_item()]}, content_type=content_type)
    assert response.status_code == 415
    assert remembering.rows("feedback") == []


def test_a_compressed_body_is_refused(remembering: RememberingService) -> None:
    assert remembering.feedback({"feedback": []}, headers={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize(("room", "status"), [(-1, 413), (0, 200), (1, 200)])
def test_the_limit_of_the_body_is_that_of_a_hook_call(
    remembering: RememberingService, monkeypatch: pytest.MonkeyPatch, room: int, status: int
) -> None:
    body = b'{"feedback": []}'
    monkeypatch.setitem(remembering.app.extensions, MAX_BODY, len(body) + room)
    assert remembering.feedback(body).status_code == status


def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(
    remembering: RememberingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(remembering.app.extensions, MAX_BODY, 16)
    response = remembering.app.test_client().post(
        "/cds-services/onasemnogene-order-sign/feedback",
        input_stream=io.BytesIO(b'{"feedback": []}' + b" " * 100),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == 413


@pytest.mark.spec("R-191")
def test_a_page_on_this_machine_may_send_feedback_in_demo_mode(remembering: RememberingService) -> None:
    response = remembering.app.test_client().options(
        "/cds-services/onasemnogene-order-sign/feedback",
        headers={"Origin": "http://127.0.0.1:3000", "Access-Control-Request-Method": "POST"},
    )
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:3000"


# --- its form


@pytest.mark.spec("R-148")
def test_a_bare_feedback_object_is_refused(remembering: RememberingService) -> None:
    refused_at("feedback", remembering.feedback(an_item()), remembering)


@pytest.mark.spec("R-148")
@pytest.mark.parametrize("value", [None, {}, "x", 1, an_item()])
def test_feedback_that_is_no_array_is_refused(remembering: RememberingService, value: Any) -> None:
    refused_at("feedback", remembering.feedback({"feedback": value}), remembering)


@pytest.mark.spec("R-148")
def test_an_empty_array_is_nothing_to_keep(remembering: RememberingService) -> None:
    taken(post(remembering))
    assert remembering.rows("feedback") == []


@pytest.mark.parametrize("item", [*NOT_AN_OBJECT, None])
def test_an_item_that_is_no_object_is_refused(remembering: RememberingService, item: Any) -> None:
    refused_at("feedback[1]", post(remembering, an_item(), item), remembering)


@pytest.mark.spec("R-149")
@pytest.mark.spec("R-150")
@pytest.mark.spec("R-155")
@pytest.mark.parametrize("name", ["card", "outcome", "outcomeTimestamp"])
@pytest.mark.parametrize("value", [None, *NOT_TEXT])
def test_a_required_member_that_is_missing_or_no_text_is_refused(
    remembering: RememberingService, name: str, value: Any
) -> None:
    refused_at(f"feedback[0].{name}", post(remembering, an_item(**{name: value})), remembering)


def test_null_is_as_good_as_missing(remembering: RememberingService) -> None:
    refused_at("feedback[0].card", post(remembering, {**an_item(), "card": None}), remembering)
    taken(post(remembering, {**an_item(), "overrideReason": None, "acceptedSuggestions": None}))


@pytest.mark.spec("R-150")
@pytest.mark.parametrize("outcome", ["ignored", "Accepted", "OVERRIDDEN", "accepted "])
def test_an_unknown_outcome_is_refused(remembering: RememberingService, outcome: str) -> None:
    refused_at("feedback[0].outcome", post(remembering, an_item(outcome=outcome)), remembering)


@pytest.mark.spec("R-013")
def test_unknown_members_are_ignored(remembering: RememberingService) -> None:
    taken(remembering.feedback({"feedback": [an_item(foo=1, extension={"org.example.x": 1})], "bar": []}))


@pytest.mark.spec("R-161")
@pytest.mark.parametrize("bad", [an_item(card=None), an_item(outcome="ignored"), an_item(outcomeTimestamp="now"), 1])
def test_one_bad_item_refuses_all_of_them(remembering: RememberingService, bad: Any) -> None:
    assert post(remembering, an_item(), an_item(OTHER), bad).status_code == 400
    assert remembering.rows("feedback") == []


@pytest.mark.parametrize(("entries", "status"), [(9, 200), (10, 200), (11, 413)])
def test_more_than_can_be_kept_at_once_is_refused_as_a_whole(
    remembering: RememberingService, monkeypatch: pytest.MonkeyPatch, entries: int, status: int
) -> None:
    monkeypatch.setattr("cds_service.hooks.feedback.MOST_ENTRIES", 10)
    items = [an_item(overrideReason={"reason": REASON}), accepted(), *(an_item() for _ in range(entries - 4))]
    response = post(remembering, *items)
    assert response.status_code == status
    assert len(remembering.rows("feedback")) == (entries - 2 if status == 200 else 0)


def test_ten_thousand_items_with_their_reasons_are_taken_at_once() -> None:
    reader = FeedbackReader(OUR_SYSTEM, {"other"}, keeps_comments=False)
    item = an_item(overrideReason={"reason": {"code": "other"}})
    assert len(reader.read({"feedback": [item] * 10_000})) == 10_000


# --- accepted


def accepted(**changes: Any) -> dict[str, Any]:
    return an_item(**{"outcome": "accepted", "acceptedSuggestions": [{"id": SUGGESTION}], **changes})


@pytest.mark.spec("R-151")
def test_an_accepted_suggestion_is_kept(remembering: RememberingService) -> None:
    taken(post(remembering, accepted()))
    assert [row["suggestion_uuid"] for row in remembering.rows("accepted_suggestions")] == [SUGGESTION]


@pytest.mark.spec("R-151")
@pytest.mark.parametrize("value", [None, [], {}, "x", SUGGESTION])
def test_accepting_without_a_suggestion_is_refused(remembering: RememberingService, value: Any) -> None:
    refused_at("feedback[0].acceptedSuggestions", post(remembering, accepted(acceptedSuggestions=value)), remembering)


@pytest.mark.spec("R-151")
def test_suggestions_as_texts_are_refused(remembering: RememberingService) -> None:
    response = post(remembering, accepted(acceptedSuggestions=[{"id": SUGGESTION}, SUGGESTION]))
    refused_at("feedback[0].acceptedSuggestions[1]", response, remembering)


@pytest.mark.spec("R-151")
@pytest.mark.parametrize("suggestion", [{}, {"id": 1}, {"id": ""}, {"uuid": SUGGESTION}])
def test_a_suggestion_without_its_id_is_refused(remembering: RememberingService, suggestion: Any) -> None:
    response = post(remembering, accepted(acceptedSuggestions=[suggestion]))
    refused_at("feedback[0].acceptedSuggestions[0].id", response, remembering)


def test_suggestions_and_reasons_count_only_with_their_own_outcome(remembering: RememberingService) -> None:
    taken(post(remembering, accepted(overrideReason="odd"), an_item(acceptedSuggestions="odd")))
    assert remembering.rows("override_reasons") == []
    assert len(remembering.rows("accepted_suggestions")) == 1


# --- overridden


def reasons_of(remembering: RememberingService) -> list[tuple[object, object, object]]:
    return [(row["system"], row["code"], bool(row["is_ours"])) for row in remembering.rows("override_reasons")]


REASON = {"code": "record-wrong", "system": OUR_SYSTEM, "display": "Data in the record wrong, being corrected"}


@pytest.mark.spec("R-152")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, []),
        ({"overrideReason": {"reason": REASON}}, [(OUR_SYSTEM, "record-wrong", True)]),
        ({"overrideReason": {"userComment": "synthetic"}}, []),
        ({"overrideReason": {"reason": REASON, "userComment": "synthetic"}}, [(OUR_SYSTEM, "record-wrong", True)]),
    ],
    ids=["neither", "a reason", "a comment", "both"],
)
def test_reason_and_comment_may_each_be_absent(
    remembering: RememberingService, given: dict[str, Any], kept: list[Any]
) -> None:
    taken(post(remembering, an_item(**given)))
    assert reasons_of(remembering) == kept


@pytest.mark.spec("R-153")
@pytest.mark.parametrize("name", ["overrideReason", "overrideReasons"])
def test_an_empty_reason_is_taken_and_logged(remembering: RememberingService, log: io.StringIO, name: str) -> None:
    taken(post(remembering, an_item(**{name: {}})))
    assert reasons_of(remembering) == []
    assert "override_reason_is_empty" in log.getvalue()


@pytest.mark.parametrize("value", ["x", 1, True])
def test_a_reason_that_is_no_object_is_refused(remembering: RememberingService, value: Any) -> None:
    refused_at("feedback[0].overrideReason", post(remembering, an_item(overrideReason=value)), remembering)


@pytest.mark.parametrize("value", NOT_AN_OBJECT)
def test_a_coding_that_is_no_object_is_refused(remembering: RememberingService, value: Any) -> None:
    response = post(remembering, an_item(overrideReason={"reason": value}))
    refused_at("feedback[0].overrideReason.reason", response, remembering)


@pytest.mark.parametrize("value", [None, *NOT_TEXT])
def test_a_coding_without_a_code_is_refused(remembering: RememberingService, value: Any) -> None:
    response = post(remembering, an_item(overrideReason={"reason": {**REASON, "code": value}}))
    refused_at("feedback[0].overrideReason.reason.code", response, remembering)


@pytest.mark.parametrize("value", [1, [], {}])
def test_a_system_that_is_no_text_is_refused(remembering: RememberingService, value: Any) -> None:
    response = post(remembering, an_item(overrideReason={"reason": {**REASON, "system": value}}))
    refused_at("feedback[0].overrideReason.reason.system", response, remembering)


@pytest.mark.parametrize("value", [1, [], {}, True])
def test_a_comment_that_is_no_text_is_refused(remembering: RememberingService, value: Any) -> None:
    response = post(remembering, an_item(overrideReason={"userComment": value}))
    refused_at("feedback[0].overrideReason.userComment", response, remembering)


@pytest.mark.spec("R-154")
@pytest.mark.parametrize(
    ("coding", "kept"),
    [
        ({"code": "record-wrong", "system": OUR_SYSTEM}, (OUR_SYSTEM, "record-wrong", True)),
        ({"code": "record-wrong"}, ("", "record-wrong", True)),
        ({"code": "record-wrong", "system": ""}, ("", "record-wrong", True)),
        ({"code": "record-wrong", "system": "urn:example:reasons"}, ("urn:example:reasons", "record-wrong", False)),
        ({"code": "contraindicated", "system": OUR_SYSTEM}, (OUR_SYSTEM, "contraindicated", False)),
        ({"code": "contraindicated"}, ("", "contraindicated", False)),
        ({"code": "x", "system": "urn:example:reasons", "display": "Theirs"}, ("urn:example:reasons", "x", False)),
    ],
)
def test_a_reason_is_ours_by_code_and_system_and_any_other_is_kept(
    remembering: RememberingService, coding: dict[str, str], kept: tuple[str, str, bool]
) -> None:
    taken(post(remembering, an_item(overrideReason={"reason": coding})))
    assert reasons_of(remembering) == [kept]


EXTENSION = "com.epic.cdshooks.feedback.overrideReason.reasonCategory"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"reason": REASON, "userComment": "synthetic"}, [(OUR_SYSTEM, "record-wrong", True)]),
        ({"extension": {EXTENSION: "45", "org.example.title": "Synthetic"}}, [(EXTENSION, "45", False)]),
        ({"extension": {"org.example.title": "Synthetic"}}, [(EXTENSION, "", False)]),
        ({"extension": {EXTENSION: 45}}, [(EXTENSION, "", False)]),
        ({"extension": "odd"}, []),
        ({"code": "other"}, [("", "other", True)]),
        ([{"reason": REASON}], [(OUR_SYSTEM, "record-wrong", True)]),
        ([REASON, {"code": "other"}], [(OUR_SYSTEM, "record-wrong", True), ("", "other", True)]),
        ([REASON, REASON], [(OUR_SYSTEM, "record-wrong", True)]),
        ([], []),
    ],
)
def test_the_plural_form_of_one_large_ehr_is_understood(
    remembering: RememberingService, given: Any, kept: list[Any]
) -> None:
    taken(post(remembering, an_item(overrideReasons=given)))
    assert reasons_of(remembering) == kept


def test_a_fault_in_the_plural_form_is_told_with_its_place(remembering: RememberingService) -> None:
    refused_at("feedback[0].overrideReasons[1]", post(remembering, an_item(overrideReasons=[REASON, 1])), remembering)
    response = post(remembering, an_item(overrideReasons=[{"reason": {"code": 1}}]))
    refused_at("feedback[0].overrideReasons[0].reason.code", response, remembering)


# --- when


@pytest.mark.spec("R-155")
@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2020-12-11T00:00:00Z", datetime(2020, 12, 11, tzinfo=UTC)),
        ("2020-12-11t00:00:00z", datetime(2020, 12, 11, tzinfo=UTC)),
        ("2020-12-11T00:00:00+00:00", datetime(2020, 12, 11, tzinfo=UTC)),
        ("2020-12-11T00:00:00-00:00", datetime(2020, 12, 11, tzinfo=UTC)),
        ("2020-12-11T00:00:00.5Z", datetime(2020, 12, 11, 0, 0, 0, 500000, tzinfo=UTC)),
        ("2020-12-11T00:00:00.1234567890Z", datetime(2020, 12, 11, 0, 0, 0, 123456, tzinfo=UTC)),
        ("2020-12-11T01:30:00+01:30", datetime(2020, 12, 11, tzinfo=UTC)),
        ("2020-12-10T19:00:00-05:00", datetime(2020, 12, 11, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_kept_in_utc(remembering: RememberingService, written: str, instant: datetime) -> None:
    taken(post(remembering, an_item(outcomeTimestamp=written)))
    assert remembering.rows("feedback")[0]["outcome_at"] == instant


@pytest.mark.spec("R-155")
@pytest.mark.parametrize(
    "written",
    [
        "2020-12-11T00:00:00Z UTC", "2020-12-11T00:00:00", "2020-12-11", "2020-12-11 00:00:00Z", "20201211T000000Z",
        "2020-12-11T00:00Z", "2020-13-11T00:00:00Z", "2020-02-30T00:00:00Z", "2020-12-11T24:00:00Z",
        "2020-12-11T00:00:61Z", "2020-12-11T00:00:00.Z", "2020-12-11T00:00:00+24:00", "2020-12-11T00:00:00+0100",
        "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:60Z", " 2020-12-11T00:00:00Z", "\u0662020-12-11T00:00:00Z",
        "1607644800", "now",
    ],
)  # fmt: skip
def test_anything_else_is_no_instant(remembering: RememberingService, written: str) -> None:
    response = post(remembering, an_item(outcomeTimestamp=written))
    refused_at("feedback[0].outcomeTimestamp", response, remembering)


@pytest.mark.spec("R-155")
@pytest.mark.parametrize(
    ("written", "is_logged"), [("2020-12-11T01:00:00+01:00", True), ("2020-12-11T00:00:00Z", False)]
)
def test_another_offset_than_utc_is_logged(
    remembering: RememberingService, log: io.StringIO, written: str, is_logged: bool
) -> None:
    taken(post(remembering, an_item(outcomeTimestamp=written)))
    assert ("outcome_timestamp_is_not_utc" in log.getvalue()) is is_logged


def test_when_it_came_is_the_services_own_time(remembering: RememberingService) -> None:
    taken(post(remembering, an_item(outcomeTimestamp="2020-12-11T00:00:00Z")))
    assert remembering.rows("feedback")[0]["received_at"] == remembering.now


# --- which card


@pytest.mark.spec("R-156")
def test_the_same_body_twice_is_two_rows(remembering: RememberingService) -> None:
    taken(post(remembering, an_item(), an_item()))
    taken(post(remembering, an_item(), an_item()))
    assert len(remembering.rows("feedback")) == 4


@pytest.mark.spec("R-156")
def test_a_batch_may_be_about_several_cards(remembering: RememberingService) -> None:
    taken(post(remembering, an_item(), accepted(card=OTHER)))
    assert [row["outcome"] for row in remembering.rows("feedback")] == ["overridden", "accepted"]


@pytest.mark.spec("R-161")
def test_an_unknown_card_is_taken_and_logged_by_number(remembering: RememberingService, log: io.StringIO) -> None:
    taken(post(remembering, an_item(OTHER)))
    assert '"unknown_cards": 1' in log.getvalue()
    assert OTHER not in log.getvalue()


@pytest.mark.parametrize("written", [OTHER.upper(), f" {OTHER} ", f"urn:uuid:{OTHER}"])
def test_a_uuid_is_kept_in_one_form(remembering: RememberingService, written: str) -> None:
    taken(post(remembering, an_item(written)))
    assert remembering.rows("feedback")[0]["card_uuid"] == OTHER


@pytest.mark.spec("R-161")
def test_a_card_that_is_no_uuid_is_taken_and_its_text_is_not_kept(remembering: RememberingService) -> None:
    taken(post(remembering, an_item("Synthetic Patient Name")))
    assert remembering.rows("feedback")[0]["card_uuid"] == ""


# --- comments


@pytest.fixture
def _keeping_comments(started: RememberingService, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = started.app.extensions[FEEDBACK_READER]
    monkeypatch.setitem(
        started.app.extensions, FEEDBACK_READER, type(reader)(reader.system, reader.codes, keeps_comments=True)
    )


@pytest.mark.spec("R-162")
def test_comments_are_kept_nowhere_unless_the_site_says_so(remembering: RememberingService, log: io.StringIO) -> None:
    taken(post(remembering, an_item(overrideReason={"userComment": "synthetic comment"})))
    assert remembering.rows("feedback")[0]["comment"] is None
    assert "synthetic comment" not in log.getvalue()


@pytest.mark.spec("R-162")
@pytest.mark.usefixtures("_keeping_comments")
def test_a_site_may_keep_comments_up_to_a_length(remembering: RememberingService, log: io.StringIO) -> None:
    taken(post(remembering, an_item(overrideReason={"userComment": "k" * 2000})))
    assert remembering.rows("feedback")[0]["comment"] == "k" * 1000
    assert "kkk" not in log.getvalue()


@pytest.mark.parametrize(("line", "keeps"), [("store_comments = 0", False), ("store_comments = 1", True)])
def test_the_site_says_so_in_its_policy_file(tmp_path: Any, line: str, keeps: bool) -> None:
    (tmp_path / "policy.toml").write_text(f"[feedback]\n{line}\n", "utf-8")
    settings = load_settings({"CDS_MODE": "demo", "CDS_POLICY_FILE": str(tmp_path / "policy.toml")})
    from cds_service.app import create_catalogue

    assert create_feedback_reader(settings, create_catalogue(settings)).keeps_comments is keeps


# --- a database that fails


class FailingStore:
    """A store whose database is away."""

    def save_feedback(self, *_: Any) -> None:
        raise StoreUnavailable("the database cannot be used now (Synthetic); try again later")


def test_a_database_that_is_away_is_503_and_says_when_to_try_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, STORE, FailingStore())
    response = app.test_client().post("/cds-services/onasemnogene-order-sign/feedback", json={"feedback": [an_item()]})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert response.json["resourceType"] == "OperationOutcome"
    assert response.json["issue"][0]["code"] == "transient"


def test_a_bad_post_is_refused_also_while_the_database_is_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, STORE, FailingStore())
    response = app.test_client().post("/cds-services/onasemnogene-order-sign/feedback", json={"feedback": {}})
    assert response.status_code == 400


def test_a_service_in_demo_mode_has_a_temporary_memory_of_its_own(app: Flask) -> None:
    store: Store = app.extensions[STORE]
    assert store.where.startswith("sqlite:////")
    other = create_app(load_settings({"CDS_MODE": "demo"})).extensions[STORE]
    assert other.where != store.where
    other.close()
