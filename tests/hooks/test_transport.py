"""HTTP and JSON: media types, what counts as JSON, sizes, depth, methods, CORS."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import JSON, SELECT, SIGN, a_call, about_another_drug, cards_of, path_of, post
from waitress import wasyncore
from waitress.server import create_server
from werkzeug.test import TestResponse

from cds_service.hooks import Evaluator
from cds_service.hooks.json_body import write_json
from cds_service.hooks.views import MAX_BODY

DISCOVERY = "/cds-services"
LIMIT = 100_000


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def strictly(text: str) -> Any:
    return json.loads(text, parse_constant=refuse_constant)


ANSWERS: dict[str, Callable[[FlaskClient], TestResponse]] = {
    "discovery": lambda client: client.get(DISCOVERY),
    "cards": lambda client: post(client, a_call()),
    "no cards": lambda client: post(client, about_another_drug()),
    "400": lambda client: post(client, b"{", SIGN),
    "404": lambda client: post(client, {}, "/cds-services/nowhere"),
    "404 outside": lambda client: client.get("/nowhere"),
    "405": lambda client: client.get(SIGN),
    "412": lambda client: post(client, a_call(prefetch={})),
    "415": lambda client: post(client, a_call(), content_type="text/plain"),
}


@pytest.mark.spec("R-001")
@pytest.mark.spec("R-010")
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_every_answer_is_strict_json_in_utf_8_and_says_so(
    client: FlaskClient, answer: Callable[[FlaskClient], TestResponse]
) -> None:
    response = answer(client)
    assert response.mimetype == JSON
    assert isinstance(strictly(response.data.decode("utf-8")), dict)


@pytest.mark.spec("R-011")
@pytest.mark.parametrize(
    "declared",
    [
        JSON,
        "application/json; charset=utf-8",
        "application/JSON",
        "application/fhir+json",
        "application/fhir+json; fhirVersion=4.0",
    ],
)
def test_json_is_accepted_with_any_parameters(client: FlaskClient, declared: str) -> None:
    assert cards_of(post(client, a_call(), content_type=declared))


@pytest.mark.spec("R-011")
@pytest.mark.parametrize(
    "declared", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonp", None]
)
def test_another_media_type_is_refused(client: FlaskClient, declared: str | None) -> None:
    assert post(client, a_call(), content_type=declared).status_code == 415


def test_a_compressed_body_is_refused(client: FlaskClient) -> None:
    assert post(client, a_call(), headers={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.spec("R-011")
@pytest.mark.parametrize("accept", [None, "*/*", JSON, "application/fhir+json", "text/html"])
def test_no_accept_header_is_demanded(client: FlaskClient, accept: str | None) -> None:
    headers = {"Accept": accept} if accept else {}
    assert cards_of(post(client, a_call(), headers=headers))


@pytest.mark.spec("R-012")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"   ", id="blanks"),
        pytest.param(b"{", id="unfinished"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b'"x"', id="a string"),
        pytest.param(b"1", id="a number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"true", id="true"),
        pytest.param(b"{}{}", id="two documents"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b"{a: 1}", id="an unquoted name"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": Infinity}', id="Infinity"),
        pytest.param(b'{"a": 01}', id="a leading zero"),
        pytest.param(b'{"a": .5}', id="no digit before the point"),
        pytest.param(b'{"a": 5.}', id="no digit after the point"),
        pytest.param(b'{"a": +5}', id="a plus sign"),
        pytest.param(b'{"a": 0x1}', id="a hexadecimal number"),
        pytest.param(b'{"a": "\x01"}', id="a control character"),
        pytest.param(b'{"a": "\\x"}', id="an unknown escape"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="a byte order mark"),
        pytest.param(b'{"a": "\xff"}', id="no UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"a": "\\ud800"}', id="half a surrogate pair"),
        pytest.param(b"<html><body>502 Bad Gateway</body></html>", id="HTML"),
    ],
)
def test_what_is_no_json_object_is_refused(client: FlaskClient, body: bytes) -> None:
    assert post(client, body, SIGN).status_code == 400


@pytest.mark.spec("R-008")
@pytest.mark.parametrize(
    "body", [b'{"a": 1,}', b'{"a": [1,]}', b'{"a": 1 /* why */}', b'{"a": 1} // why', b'# why\n{"a": 1}']
)
def test_comments_and_trailing_commas_are_refused(client: FlaskClient, body: bytes) -> None:
    assert post(client, body, SIGN).status_code == 400


@pytest.mark.spec("R-012")
@pytest.mark.parametrize(
    "number", ["1e999999", "-1e999999", "1e-999999", "9" * 5000, "0." + "3" * 5000, "1e9999999999999999999"]
)
def test_an_absurd_number_never_makes_the_service_fail(client: FlaskClient, number: str) -> None:
    body = write_json(a_call(extension={"n": "NUMBER"})).replace(b'"NUMBER"', number.encode())
    assert post(client, body, SIGN).status_code in (200, 400)


def nested(levels: int) -> bytes:
    """A call whose body nests exactly so many levels, the body itself being the first."""
    deep = "[" * (levels - 1) + "]" * (levels - 1)
    return write_json(about_another_drug(extension="DEEP")).replace(b'"DEEP"', deep.encode())


@pytest.mark.spec("R-014")
def test_a_hundred_levels_are_read(client: FlaskClient) -> None:
    assert cards_of(post(client, nested(100), SIGN)) == []


@pytest.mark.spec("R-014")
@pytest.mark.parametrize("levels", [101, 150, 900])
def test_more_levels_are_refused_and_the_path_is_named(client: FlaskClient, levels: int) -> None:
    response = post(client, nested(levels), SIGN)
    assert response.status_code == 400
    assert path_of(response).split(".")[0] == "extension"


@pytest.mark.spec("R-014")
def test_depth_is_found_among_many_shallow_members(client: FlaskClient) -> None:
    body = nested(101).replace(b'"hook":', b'"wide": [' + b"[]," * 500 + b'[]], "hook":')
    assert path_of(post(client, body, SIGN)).split(".")[0] == "extension"


@pytest.mark.spec("R-014")
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_depth_without_end_is_refused_too(client: FlaskClient, opening: bytes) -> None:
    assert post(client, b'{"a":' + opening * 200_000, SIGN).status_code == 400


@pytest.fixture
def small(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The service with a limit of 100 000 bytes."""
    monkeypatch.setitem(app.extensions, MAX_BODY, LIMIT)
    return app.test_client()


def filled_to(size: int) -> bytes:
    empty = write_json(about_another_drug(extension={"filling": ""}))
    return empty.replace(b'"filling":""', b'"filling":"' + b"x" * (size - len(empty)) + b'"')


def in_chunks(client: FlaskClient, body: bytes) -> TestResponse:
    overrides = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    return client.post(SIGN, input_stream=io.BytesIO(body), content_type=JSON, environ_overrides=overrides)


@pytest.mark.spec("R-014")
def test_a_body_of_exactly_the_limit_is_read(small: FlaskClient) -> None:
    assert cards_of(post(small, filled_to(LIMIT), SIGN)) == []


@pytest.mark.spec("R-014")
def test_a_larger_body_is_refused(small: FlaskClient) -> None:
    assert post(small, filled_to(LIMIT + 1), SIGN).status_code == 413


@pytest.mark.spec("R-014")
def test_a_length_announced_too_large_is_refused_before_anything_is_read(small: FlaskClient) -> None:
    response = small.post(SIGN, data=b"{}", content_type=JSON, environ_overrides={"CONTENT_LENGTH": str(10**12)})
    assert response.status_code == 413


@pytest.mark.spec("R-014")
def test_a_body_in_chunks_is_read_up_to_the_limit(small: FlaskClient) -> None:
    assert cards_of(in_chunks(small, filled_to(LIMIT))) == []
    assert in_chunks(small, filled_to(LIMIT + 1)).status_code == 413


@pytest.fixture
def address(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """The service behind its real server, on a port of this machine, with the small limit."""
    monkeypatch.setitem(app.extensions, MAX_BODY, LIMIT)
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=1)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            wasyncore.loop(timeout=0.02, map=sockets, count=1)

    thread = threading.Thread(target=serve)
    thread.start()
    yield "127.0.0.1", server.effective_port
    stop.set()
    thread.join()
    server.task_dispatcher.shutdown()
    for channel in list(sockets.values()):
        channel.close()


@pytest.mark.spec("R-014")
@pytest.mark.parametrize(("size", "status"), [(LIMIT, b"200"), (LIMIT + 1, b"413"), (LIMIT * 20, b"413")])
def test_a_real_server_applies_the_limit_to_chunks(address: tuple[str, int], size: int, status: bytes) -> None:
    body = filled_to(size)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(
            f"POST {SIGN} HTTP/1.1\r\nHost: {address[0]}\r\nContent-Type: {JSON}\r\n"
            "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        for start in range(0, len(body), 50_000):
            part = body[start : start + 50_000]
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.split(b" ", 2)[1] == status
    strictly(answer.partition(b"\r\n\r\n")[2].decode())


@pytest.mark.spec("R-035")
@pytest.mark.parametrize("url", [DISCOVERY, f"{DISCOVERY}/"])
def test_discovery_answers_with_and_without_a_final_slash(client: FlaskClient, url: str) -> None:
    assert client.get(url).status_code == 200


@pytest.mark.spec("R-035")
def test_a_call_is_answered_with_a_final_slash_and_without_a_redirect(client: FlaskClient) -> None:
    assert cards_of(post(client, a_call(), f"{SIGN}/")) == cards_of(post(client, a_call(), SIGN))


@pytest.mark.spec("R-035")
def test_head_answers_like_get_without_a_body(client: FlaskClient) -> None:
    response = client.head(DISCOVERY)
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_length == client.get(DISCOVERY).content_length


@pytest.mark.spec("R-035")
@pytest.mark.parametrize(("url", "method"), [(DISCOVERY, "GET"), (SIGN, "POST")])
def test_options_names_the_methods(client: FlaskClient, url: str, method: str) -> None:
    response = client.options(url)
    assert response.status_code in (200, 204)
    assert method in response.headers["Allow"]


@pytest.mark.spec("R-035")
@pytest.mark.spec("R-039")
@pytest.mark.parametrize(
    ("method", "url", "allowed"),
    [
        *((method, DISCOVERY, {"GET", "HEAD", "OPTIONS"}) for method in ("POST", "PUT", "PATCH", "DELETE")),
        *((method, SIGN, {"POST", "OPTIONS"}) for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE")),
    ],
)
def test_another_method_is_refused_and_the_right_ones_are_named(
    client: FlaskClient, method: str, url: str, allowed: set[str]
) -> None:
    response = client.open(url, method=method)
    assert response.status_code == 405
    assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed


LOOPBACK = ["http://127.0.0.1:8000", "http://localhost:3000", "http://localhost", "http://127.0.0.1"]
FOREIGN = [
    "https://ehr.example.org",
    "http://localhost.example.org",
    "http://127.0.0.1.example.org:80",
    "http://example.org/localhost",
    "http://localhost:80.example.org",
    "https://evil.example#http://localhost",
    "null",
]


def preflight(client: FlaskClient, url: str, origin: str, method: str = "POST") -> TestResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    return client.options(url, headers=headers)


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


@pytest.mark.spec("R-190")
@pytest.mark.spec("R-191")
@pytest.mark.parametrize("origin", LOOPBACK)
@pytest.mark.parametrize("url", [DISCOVERY, f"{DISCOVERY}/", SIGN, SELECT])
def test_a_page_on_this_machine_passes_the_preflight_without_a_token(
    client: FlaskClient, url: str, origin: str
) -> None:
    response = preflight(client, url, origin)
    assert response.status_code in (200, 204)
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert names(response.headers["Access-Control-Allow-Methods"]) >= {"get", "post", "options"}
    assert names(response.headers["Access-Control-Allow-Headers"]) >= {"authorization", "content-type"}
    assert "origin" in names(response.headers["Vary"])


@pytest.mark.spec("R-192")
@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_gets_no_cors_header(client: FlaskClient, origin: str) -> None:
    for response in (
        preflight(client, SIGN, origin),
        client.get(DISCOVERY, headers={"Origin": origin}),
        post(client, a_call(), headers={"Origin": origin}),
    ):
        assert not [name for name, _ in response.headers if name.lower().startswith("access-control-allow")]


@pytest.mark.spec("R-192")
def test_credentials_are_never_allowed_and_no_origin_is_a_star(client: FlaskClient) -> None:
    for response in (preflight(client, SIGN, LOOPBACK[0]), post(client, a_call(), headers={"Origin": LOOPBACK[0]})):
        assert response.headers["Access-Control-Allow-Origin"] == LOOPBACK[0]
        assert "Access-Control-Allow-Credentials" not in response.headers


def fail(*_: object) -> None:
    raise ValueError


@pytest.mark.spec("R-193")
def test_every_error_carries_the_cors_headers(small: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Origin": LOOPBACK[0]}
    found = {
        response.status_code: response.headers.get("Access-Control-Allow-Origin")
        for response in (
            small.get(DISCOVERY, headers=headers),
            post(small, a_call(), headers=headers),
            post(small, b"{", SIGN, headers=headers),
            post(small, {}, "/cds-services/nowhere", headers=headers),
            small.get(SIGN, headers=headers),
            post(small, a_call(prefetch={}), headers=headers),
            post(small, filled_to(LIMIT + 1), SIGN, headers=headers),
            post(small, a_call(), content_type="text/plain", headers=headers),
        )
    }
    monkeypatch.setattr(Evaluator, "answer", fail)
    failed = post(small, a_call(), headers=headers)
    found[failed.status_code] = failed.headers.get("Access-Control-Allow-Origin")
    assert found == dict.fromkeys((200, 400, 404, 405, 412, 413, 415, 500), LOOPBACK[0])
