"""The scan finds what was planted, wherever it was planted, and takes nothing of ours for it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from inspect import unwrap
from pathlib import Path
from typing import Any

import given_texts
import kept_run
import pytest
import scan_for_patient_data
import structlog
from databases import KINDS, a_database, engine_for
from scan_for_patient_data import scan
from sqlalchemy import text

NAME, TOKEN, VALUE = ("name", "Zephyrine"), ("token", "eyJhbGciOiJub25lIn0"), ("value", "3.27")
PLANTED = [NAME, TOKEN, VALUE]
LINE = {"timestamp": "2026-03-02T09:00:00.000001Z", "level": "info", "event": "access", "cards": 3, "status": 200}
ROW = {"id": 3, "shown_at": "2026-03-02 09:00:00", "patient_hash": "0123456789abcdef" * 4, "client": "example-ehr"}


def kept(folder: Path, given: Iterable[tuple[str, str]], line: Any = LINE, row: Any = ROW, file: bytes = b"") -> Path:
    """A kept run with one line, one row and one file."""
    contents = {
        "given/1.jsonl": "".join(json.dumps(each) + "\n" for each in given),
        "log/1-service.log": line if isinstance(line, str) else json.dumps(line),
        "rows/1-postgresql.jsonl": json.dumps({"table": "reviews", "row": row}),
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    (folder / "sqlite").mkdir()
    (folder / "sqlite" / "1.sqlite3-wal").write_bytes(file)
    return folder


def places(folder: Path) -> list[tuple[str, str, str]]:
    return sorted(scan(folder).matches)


@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_planted_in_a_field_of_a_line_is_found_there(tmp_path: Path, planted: tuple[str, str]) -> None:
    kept(tmp_path, PLANTED, {**LINE, "reason": f"about {planted[1]}, it seems"})
    assert places(tmp_path) == [("log access", "reason", planted[0])]


@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_planted_in_a_line_that_is_none_of_ours_is_found(tmp_path: Path, planted: tuple[str, str]) -> None:
    kept(tmp_path, PLANTED, f"Traceback\nValueError: {planted[1]}\n")
    assert places(tmp_path) == [("log", "a line that is no JSON object", planted[0])]


@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_planted_in_a_column_is_found_there(tmp_path: Path, planted: tuple[str, str]) -> None:
    kept(tmp_path, PLANTED, row={**ROW, "rule_id": planted[1].upper()})
    assert places(tmp_path) == [("postgresql reviews", "rule_id", planted[0])]


@pytest.mark.parametrize("planted", [NAME, TOKEN])
def test_what_was_planted_in_a_file_of_a_database_is_found(tmp_path: Path, planted: tuple[str, str]) -> None:
    kept(tmp_path, PLANTED, file=b"\x00\xff0123456789abcdefweight" + planted[1].encode() + b"stale\x00")
    assert places(tmp_path) == [("files of sqlite-wal", "bytes", planted[0])]


@pytest.mark.parametrize("name", ["event", "level", "outcome", "client", "fault", "library", "host", "sent", "lists"])
def test_every_field_that_holds_a_text_is_searched(tmp_path: Path, name: str) -> None:
    kept(tmp_path, [NAME], {**LINE, name: {"one": ["two", NAME[1]]}})
    assert [(field, kind) for _, field, kind in places(tmp_path)] == [(name, "name")]


@pytest.mark.parametrize(
    ("written", "is_found"),
    [("2.6", True), ("about 2.6 kg", True), ("12.6", False), ("2.61", False), ("x2.6", False), ("2_6", False)],
)
def test_a_short_text_matches_as_a_whole_only(tmp_path: Path, written: str, is_found: bool) -> None:
    kept(tmp_path, [("value", "2.6")], {**LINE, "reason": written})
    assert bool(places(tmp_path)) is is_found


@pytest.mark.parametrize(("given", "is_found"), [("abcdef", True), ("abcde", False)])
def test_a_text_of_six_characters_matches_within_another(tmp_path: Path, given: str, is_found: bool) -> None:
    kept(tmp_path, [("name", given)], {**LINE, "reason": "xxabcdefxx"})
    assert bool(places(tmp_path)) is is_found


def test_what_only_we_can_have_written_is_left_out_and_counted(tmp_path: Path) -> None:
    given = [("value", "3"), ("value", "200"), ("date", "2026-03-02"), ("text", "access"), ("identifier", "456789")]
    kept(tmp_path, given)
    found = scan(tmp_path)
    assert not found.matches
    assert found.left_out["cards, a whole number that the service counted, measured or was started with"] == 1
    assert found.left_out["shown_at, our own clock"] == 1


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("client", "example-ehr"),
        ("system", "http://127.0.0.1:8000/CodeSystem/override-reasons"),
        ("hook_instance", "call 34"),
        ("rule_id", "weight-stale"),
    ],
)
def test_what_the_tests_configured_and_words_of_ours_are_no_match(tmp_path: Path, name: str, written: str) -> None:
    kept(
        tmp_path, [("resource id", "example"), ("value", "1"), ("value", "34"), ("text", "weight")], row={name: written}
    )
    assert places(tmp_path) == []


def test_the_domain_that_is_reserved_for_examples_is_no_match_and_what_stands_before_it_is(tmp_path: Path) -> None:
    kept(tmp_path, [("resource id", "example"), NAME], {**LINE, "told": "https://Zephyrine.example.org"})
    assert places(tmp_path) == [("log access", "told", "name")]


def test_a_whole_digest_or_uuid_is_still_looked_for_in_itself(tmp_path: Path) -> None:
    kept(tmp_path, [("patient id", ROW["patient_hash"])])
    assert places(tmp_path) == [("postgresql reviews", "patient_hash", "patient id")]


def test_part_of_a_word_of_ours_in_a_file_is_no_match_and_the_same_elsewhere_is(tmp_path: Path) -> None:
    kept(tmp_path, [("text", "eight-st")], file=b"\x01weight-stale\x02")
    assert places(tmp_path) == []
    (tmp_path / "sqlite" / "2.sqlite3").write_bytes(b"\x01all eight-star\x02")
    assert places(tmp_path) == [("files of sqlite", "bytes", "text")]


@pytest.mark.parametrize(("reason", "code"), [("words", 0), ("Zephyrine", 1)])
def test_a_match_is_an_exit_code_and_a_place_and_never_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reason: str, code: int
) -> None:
    assert scan_for_patient_data.main(kept(tmp_path, PLANTED, {**LINE, "reason": reason})) == code
    said = capsys.readouterr().out
    assert f"matches: {code}" in said
    assert "Zephyrine" not in said


def test_a_folder_with_nothing_in_it_proves_nothing(tmp_path: Path) -> None:
    assert scan_for_patient_data.main(tmp_path) == 2


# --- what is kept


def test_everything_that_tells_of_a_patient_or_a_caller_is_taken_from_a_call() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"use": "official", "family": "Zephyrine", "given": ["Mia"]}],
        "birthDate": "2025-12-24",
        "identifier": [{"system": "urn:mrn", "value": "MRN 12"}],
        "telecom": [{"system": "phone", "value": "555-0101"}],
        "gender": "female",
    }
    weight = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Weight"},
        "subject": {"reference": "Patient/p1"},
        "valueQuantity": {"value": 3.2, "unit": "kg"},
        "note": [{"text": "after feeding"}],
    }
    call = {
        "hook": "order-sign",
        "hookInstance": "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e",
        "context": {"patientId": "p1", "userId": "Practitioner/dr-1"},
        "prefetch": {"patient": patient, "observations": {"resourceType": "Bundle", "entry": [{"resource": weight}]}},
        "fhirAuthorization": {"access_token": "head1.body1", "subject": "onasemnogene-cds"},
    }
    assert set(given_texts.in_body(json.dumps(call).encode())) == {
        *(("token", part) for part in ("head1.body1", "head1", "body1")),
        *(("patient id", "p1"), ("user id", "Practitioner/dr-1"), ("user id", "dr-1")),
        *(("resource id", "p1"), ("resource id", "Patient/p1")),
        *(("name", "Zephyrine"), ("name", "Mia"), ("date", "2025-12-24"), ("identifier", "MRN 12")),
        *(
            ("address", "555-0101"),
            ("code", "29463-7"),
            ("text", "Weight"),
            ("value", "3.2"),
            ("text", "after feeding"),
        ),
    }


def test_a_token_and_what_is_asked_for_are_taken_from_a_head() -> None:
    head = (
        b"GET /fhir/Observation?patient=p1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a1.b2\r\nX-Id: MRN 12\r\n\r\n"
    )
    assert set(given_texts.in_head(head)) == {
        ("address part", "p1"),
        *(("token", part) for part in ("a1.b2", "a1", "b2")),
        ("header", "MRN 12"),
    }


def test_a_body_that_is_no_json_gives_what_stands_in_quotes() -> None:
    body = b'{"hook": "order-sign", "name": "Zephyrine", "given": ["Mia"'
    assert list(given_texts.in_body(body)) == [("broken body", "Zephyrine"), ("broken body", "Mia")]
    assert list(given_texts.in_body(b"Zephyrine")) == [("broken body", "Zephyrine")]


@pytest.mark.parametrize(("token", "is_taken"), [("a" * 12_288, False), ("x", False), ("1", True), ("aab", True)])
def test_a_filling_and_a_letter_are_not_looked_for_as_nobody_could_tell_them_apart(token: str, is_taken: bool) -> None:
    assert bool(list(given_texts.in_head(f"GET / HTTP/1.1\r\nAuthorization: Bearer {token}".encode()))) is is_taken


@pytest.fixture
def kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that is kept."""
    monkeypatch.setenv("TEST_KEEP", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_of_a_test_database_is_kept_before_it_goes(
    kind: str, kept_in: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("database")
    with a_database(kind, folder) as url, engine_for(url) as engine, engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (said TEXT)"))
        connection.execute(text("INSERT INTO notes VALUES ('Zephyrine')"))
    kept_run.keep_sqlite_files(folder)
    kept_run.keep_given([NAME])
    found = {(place, name) for place, name, _ in places(kept_in)}
    files = {("files of sqlite", "bytes")} if kind == "sqlite" else set()
    assert found == {(f"{kind} notes", "said"), *files}


def test_what_any_logger_of_the_service_writes_is_kept(kept_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for logger in (structlog.WriteLogger, structlog.PrintLogger):
        monkeypatch.setattr(logger, "__init__", kept_run._with_sink(unwrap(logger.__init__)))
        written = io.StringIO()
        logger(written).msg(f"{logger.__name__} says Zephyrine")
        assert written.getvalue() == f"{logger.__name__} says Zephyrine\n"
    (log,) = (kept_in / "log").glob("*-service.log")
    assert log.read_text("utf-8") == "WriteLogger says Zephyrine\nPrintLogger says Zephyrine\n"


def test_nothing_is_kept_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEEP", raising=False)
    monkeypatch.chdir(tmp_path)
    kept_run.keep_given([NAME])
    kept_run.keep_log("line", "service")
    assert list(tmp_path.iterdir()) == []
