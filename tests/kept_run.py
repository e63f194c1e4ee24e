"""What a run of the tests logged, stored and was given, kept in the folder that CDS_TEST_KEEP names.

`python -m tests.scan_for_patient_data FOLDER` then looks for all that was given in all that was written. Without the
variable nothing is kept. Each process of the tests has files of its own:

- `log/`       lines of the service in this process, what it wrote to its standard streams, logs of other processes
- `rows/`      every row of every test database, before it is emptied or dropped, with table and dialect
- `sqlite/`    the files of SQLite databases as they are, with their write-ahead logs
- `given/`     what requests, tokens and FHIR servers brought
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import types
from collections.abc import Callable, Iterable
from functools import cache, wraps
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import given_texts
import pytest
import structlog
from given_texts import Given

from cds_service.operations.log import set_up_logging

# As tests/conftest.py renames CDS_TEST_KEEP.
_FOLDER = "TEST_KEEP"


def is_kept() -> bool:
    """Whether this run is kept at all."""
    return bool(os.environ.get(_FOLDER))


def keep_log(written: str | bytes, source: str) -> None:
    """Keep what was logged; `source` is one word."""
    if is_kept() and written:
        content = written.encode("utf-8", "replace") if isinstance(written, str) else written
        with _file("log", f"{source}.log").open("ab") as file:
            file.write(content)


def keep_given(given: Iterable[Given]) -> None:
    """Keep what must not be found again in anything written."""
    if not is_kept():
        return
    kept = _kept(os.environ[_FOLDER])
    new = [each for each in dict.fromkeys(given) if each not in kept]
    kept.update(new)
    with _file("given", "given.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in new)


def keep_body(body: bytes) -> None:
    """Keep what a request body or the answer of a FHIR server holds."""
    if is_kept():
        keep_given(given_texts.in_body(body))


def keep_request(head: bytes) -> None:
    """Keep what the head of a request holds that was written byte by byte."""
    if is_kept():
        keep_given(given_texts.in_head(head))


def keep_rows(url: str) -> None:
    """Keep every row of the database at this address, as far as it can be read."""
    if not is_kept():
        return
    from databases import engine_for
    from sqlalchemy import inspect, text
    from sqlalchemy.exc import SQLAlchemyError

    rows = []
    try:
        with engine_for(url) as engine, engine.connect() as connection:
            for table in inspect(connection).get_table_names():
                found = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
                rows += [{"table": table, "row": dict(row)} for row in found]
    except SQLAlchemyError as error:  # some tests break their database on purpose; the scan counts them
        rows.append({"unread": type(error).__name__})
    with _file("rows", f"{url.partition(':')[0]}.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, default=str) + "\n" for row in rows)


def keep_sqlite_files(folder: Path) -> None:
    """Keep the rows and the very bytes of each SQLite database below this folder."""
    if not is_kept():
        return
    for found in folder.rglob("*.sqlite3"):
        if not found.is_file():
            continue
        name = uuid4().hex
        # The bytes first: reading the rows may move the write-ahead log into the file.
        for part in (found, found.with_name(f"{found.name}-wal")):
            if part.is_file():
                shutil.copyfile(part, _file("sqlite", f"{name}{part.suffix}"))
        keep_rows(f"sqlite:///{found}")


def begin() -> None:
    """Keep from here on what this process logs and receives."""
    if not is_kept():
        return
    os.environ[_FOLDER] = str(Path(os.environ[_FOLDER]).resolve())  # tests change the working directory
    _watch_log()
    set_up_logging("info")
    _watch_documents()
    _watch_calls()
    _watch_temporary_databases()


def end(config: pytest.Config) -> None:
    """Keep the databases that are still there at the end of the tests."""
    factory = getattr(config, "_tmp_path_factory", None)
    if is_kept() and factory is not None:
        keep_sqlite_files(factory.getbasetemp())
        keep_sqlite_files(Path("var"))  # where the service puts its database if nobody says where


def keep_streams(report: pytest.TestReport) -> None:
    """Keep what a test, with all that ran in it, wrote to the standard streams of this process."""
    keep_log(report.capstdout + report.capstderr, "streams")


@cache
def _kept(_folder: str) -> set[Given]:
    """What this process has kept in a folder already; each text is written once."""
    return set()


def _file(folder: str, name: str) -> Path:
    """A file of this process's own in the folder of the run."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    place = Path(os.environ[_FOLDER]) / folder
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{worker}-{os.getpid()}-{name}"


class _Sink:
    """A stream whose lines are kept before they go where they went before."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        keep_log(text, "service")
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


@cache
def _sink(stream: TextIO) -> _Sink:
    """One for each stream: structlog keeps a lock for each that it has seen."""
    return _Sink(stream)


def _watch_log() -> None:
    """Every line goes out through one of these two, whatever is configured."""
    for logger in (structlog.WriteLogger, structlog.PrintLogger):
        logger.__init__ = _with_sink(logger.__init__)


def _with_sink(begin: Callable[..., None]) -> Callable[..., None]:
    @wraps(begin)
    def begin_with_sink(self: Any, file: TextIO | None = None) -> None:
        begin(self, _sink(file or sys.stdout))

    return begin_with_sink


def _watch_documents() -> None:
    """Every JSON document from outside is read by one decoder: bodies, and what FHIR servers answer."""
    from cds_service.fhir import json_document

    decoder = json_document._decoder

    def decode(written: bytes) -> Any:
        document = decoder.decode(written)
        keep_given(given_texts.in_document(document))
        return document

    json_document._decoder = types.SimpleNamespace(decode=decode)


def _watch_calls() -> None:
    """Every call to the application in this process, and every one that goes out, to the service or to an EHR."""
    import requests
    import werkzeug.test

    run, send = werkzeug.test.Client.run_wsgi_app, requests.Session.send

    def run_and_keep(self: Any, environ: dict[str, Any], buffered: bool = False) -> Any:
        keep_given(given_texts.in_environ(environ))
        return run(self, environ, buffered)

    def send_and_keep(self: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        keep_given(given_texts.in_prepared(request))
        return send(self, request, **options)

    werkzeug.test.Client.run_wsgi_app = run_and_keep
    requests.Session.send = send_and_keep


def _watch_temporary_databases() -> None:
    """The demo's own database goes with its folder."""
    from cds_service.store import open_store

    def keep_and_remove(folder: Path, **options: Any) -> None:
        keep_sqlite_files(Path(folder))
        shutil.rmtree(folder, **options)

    open_store.shutil = types.SimpleNamespace(rmtree=keep_and_remove)
