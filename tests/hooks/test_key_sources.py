"""The keys of clients: fetched from configured addresses only, in bounded time, once for all who wait, kept for a day."""

from __future__ import annotations

import gzip
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from loopback_servers import http_answer
from tokens import (
    REMOTE,
    Bench,
    KeyServer,
    claims,
    good,
    jwk,
    jwks,
    key_server,
    segment,
    signed,
    static_keys,
    wait_until,
)

from cds_service.errors import SettingsProblem
from cds_service.hooks.clients import Client
from cds_service.hooks.key_sources import KeysUnavailable, RemoteKeys, client_keys, fetch_signing_keys, read_key_file
from cds_service.hooks.signing_keys import LARGEST_SET, SigningKeys, read_signing_keys
from cds_service.outbound import outbound_session

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("production")
SESSION = outbound_session()
OLD, NEW = jwks(jwk("rsa", "old")), jwks(jwk("rsa", "old"), jwk("ec", "new"))
MINUTE, HOUR = 60, 60 * 60


@dataclass
class Source:
    """A source of keys with a clock and an address that a test moves."""

    now: float = 0
    body: bytes = OLD
    is_down: bool = False
    asked: int = 0
    brought: int = 0
    held: threading.Event | None = None
    keys: RemoteKeys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = RemoteKeys("example-ehr", self.fetch, lambda: self.now)

    def fetch(self) -> SigningKeys:
        self.asked += 1
        try:
            return self._brought()
        finally:
            self.brought += 1

    def _brought(self) -> SigningKeys:
        if self.held is not None:
            self.held.wait(10)
        if self.is_down:
            raise KeysUnavailable("down")
        return read_signing_keys(self.body)

    def finds(self, kid: str) -> bool:
        return bool(self.keys.with_id(kid))

    def renewed(self, times: int) -> None:
        """Wait until so many fetches are over, and what they brought is in use."""
        wait_until(lambda: self.brought >= times and not self.keys.is_fetching)
        assert self.asked == times


@pytest.fixture
def source() -> Source:
    return Source()


# --- fresh, stale, gone


def test_the_first_question_fetches_and_the_next_ones_do_not(source: Source) -> None:
    assert source.finds("old")
    assert source.finds("old")
    assert source.asked == 1


@pytest.mark.spec("R-203")
def test_keys_are_fetched_before_the_first_call(source: Source) -> None:
    source.keys.prepare()
    source.renewed(1)
    assert source.finds("old")
    assert source.asked == 1


@pytest.mark.parametrize(("age", "times"), [(299, 1), (300, 1), (301, 2)])
def test_after_five_minutes_keys_are_renewed_beside_the_call(source: Source, age: int, times: int) -> None:
    assert source.finds("old")
    source.now = age
    source.body = NEW
    source.held = threading.Event()
    assert source.finds("old")
    source.held.set()
    source.renewed(times)


def test_a_key_that_is_taken_back_is_refused_once_the_set_is_renewed(source: Source) -> None:
    assert source.finds("old")
    source.body = jwks(jwk("ec", "new"))
    source.now = 6 * MINUTE
    assert source.finds("old")
    source.renewed(2)
    assert not source.finds("old")


@pytest.mark.parametrize(("age", "is_found"), [(24 * HOUR - 1, True), (24 * HOUR, True), (24 * HOUR + 1, False)])
def test_keys_are_used_for_a_day_while_their_address_is_down(source: Source, age: int, is_found: bool) -> None:
    assert source.finds("old")
    source.is_down = True
    source.now = age
    if is_found:
        assert source.finds("old")
    else:
        with pytest.raises(KeysUnavailable):
            source.finds("old")


def test_an_address_that_comes_back_is_noticed(source: Source) -> None:
    assert source.finds("old")
    source.is_down, source.now = True, 48 * HOUR
    with pytest.raises(KeysUnavailable):
        source.finds("old")
    source.is_down = False
    source.now += 5
    assert source.finds("old")


@pytest.mark.parametrize(("pause", "times"), [(4, 1), (5, 2)])
def test_after_a_failure_nobody_asks_again_for_five_seconds(source: Source, pause: int, times: int) -> None:
    source.is_down = True
    for moment in (0, pause):
        source.now = moment
        with pytest.raises(KeysUnavailable):
            source.finds("old")
    assert source.asked == times


# --- unknown ids


@pytest.mark.spec("R-170")
def test_an_unknown_id_asks_once_more_and_finds_a_new_key(source: Source) -> None:
    assert source.finds("old")
    source.body = NEW
    assert source.finds("new")
    assert source.asked == 2


@pytest.mark.spec("R-170")
@pytest.mark.parametrize(("pause", "times"), [(29, 2), (30, 3)])
def test_further_unknown_ids_ask_again_after_half_a_minute(source: Source, pause: int, times: int) -> None:
    assert source.finds("old")
    for number in range(20):
        assert not source.finds(f"guessed-{number}")
    assert source.asked == 2
    source.now = pause
    assert not source.finds("guessed")
    assert source.asked == times


def test_ids_are_compared_letter_by_letter(source: Source) -> None:
    source.body = jwks(jwk("rsa", "a+b/c=="))
    assert source.finds("a+b/c==")
    assert not source.finds("a%2Bb/c==")
    assert not source.finds("A+B/C==")


# --- many callers


def together(source: Source, callers: int, kid: str) -> list[bool | None]:
    """What so many simultaneous callers find; None for who is told that there are no keys."""
    found: list[bool | None] = []
    asked, ready = source.asked, threading.Barrier(callers + 1)

    def call() -> None:
        ready.wait(10)
        try:
            found.append(source.finds(kid))
        except KeysUnavailable:
            found.append(None)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    ready.wait(10)
    wait_until(lambda: source.asked > asked)
    time.sleep(0.05)  # so that the others are waiting too
    assert source.held is not None
    source.held.set()
    for thread in threads:
        thread.join(10)
    return found


def test_eight_callers_at_once_share_the_first_fetch(source: Source) -> None:
    source.held = threading.Event()
    assert together(source, 8, "old") == [True] * 8
    assert source.asked == 1


def test_eight_callers_with_a_new_key_share_one_fetch(source: Source) -> None:
    assert source.finds("old")
    source.body, source.held = NEW, threading.Event()
    assert together(source, 8, "new") == [True] * 8
    assert source.asked == 2


def test_callers_of_an_address_that_fails_do_not_wait_for_one_another(source: Source) -> None:
    source.is_down, source.held = True, threading.Event()
    assert together(source, 8, "old") == [None] * 8
    assert source.asked == 1


def test_a_fetch_that_never_comes_back_is_begun_anew_and_what_it_brings_later_is_thrown_away(source: Source) -> None:
    lost = source.held = threading.Event()
    source.body = jwks()
    source.keys.prepare()
    wait_until(lambda: source.asked == 1)
    source.now, source.held, source.body = 5, None, OLD
    assert source.finds("old")
    source.body = jwks()
    lost.set()
    wait_until(lambda: source.brought == 2)
    assert source.finds("old")


# --- one fetch


@pytest.fixture
def server() -> Iterator[tuple[KeyServer, str]]:
    with key_server(OLD) as found:
        yield found


def why_not(url: str) -> str:
    with pytest.raises(KeysUnavailable) as unavailable:
        fetch_signing_keys(SESSION, url)
    assert url not in str(unavailable.value)
    return f"{unavailable.value.reason} {unavailable.value.status or ''}".strip()


def test_a_key_set_is_fetched(server: tuple[KeyServer, str]) -> None:
    assert [key.key_id for key in fetch_signing_keys(SESSION, server[1]).keys] == ["old"]


def test_a_packed_key_set_is_fetched(server: tuple[KeyServer, str]) -> None:
    packed = http_answer(gzip.compress(OLD), headers="Content-Encoding: gzip\r\n")
    server[0].answer = lambda to: to.sendall(packed)
    assert len(fetch_signing_keys(SESSION, server[1]).keys) == 1


def filled_to(size: int) -> bytes:
    empty = json.dumps({"keys": [], "filling": ""})
    return empty.replace('""', '"' + "x" * (size - len(empty)) + '"').encode()


@pytest.mark.spec("R-186")
@pytest.mark.parametrize(("size", "is_read"), [(LARGEST_SET - 1, True), (LARGEST_SET, True), (LARGEST_SET + 1, False)])
def test_a_key_set_has_64_kilobytes_at_most(server: tuple[KeyServer, str], size: int, is_read: bool) -> None:
    server[0].body = filled_to(size)
    if is_read:
        assert fetch_signing_keys(SESSION, server[1]).keys == ()
    else:
        assert why_not(server[1]) == "too-large"


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(server: tuple[KeyServer, str]) -> None:
    packed = http_answer(gzip.compress(filled_to(5_000_000)), headers="Content-Encoding: gzip\r\n")
    server[0].answer = lambda to: to.sendall(packed)
    assert why_not(server[1]) == "too-large"


@pytest.mark.spec("R-186")
@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary", "401 No", "404 No", "500 No", "204 Empty"]
)
def test_any_status_but_200_is_no_answer(server: tuple[KeyServer, str], status: str) -> None:
    server[0].answer = lambda to: to.sendall(http_answer(OLD, status=status))
    assert why_not(server[1]) == f"status {status[:3]}"


@pytest.mark.spec("R-186")
def test_a_redirect_is_not_followed(server: tuple[KeyServer, str]) -> None:
    with key_server(OLD) as (elsewhere, address):
        moved = http_answer(b"", status="302 Found", headers=f"Location: {address}\r\n")
        server[0].answer = lambda to: to.sendall(moved)
        assert why_not(server[1]) == "status 302"
        assert elsewhere.asked == 0


NO_SETS = {
    "a web page": b"<html>Sign in</html>",
    "an array": b"[]",
    "no keys": b"{}",
    "keys that are an object": b'{"keys": {}}',
    "nothing": b"",
    "nesting without end": b'{"keys":' + b"[" * 200 + b"]" * 200 + b"}",
}


@pytest.mark.parametrize("what", NO_SETS)
def test_what_is_no_key_set_is_no_answer(server: tuple[KeyServer, str], what: str) -> None:
    server[0].body = NO_SETS[what]
    assert why_not(server[1]) in ("no-json", "no-list-of-keys")


def drip(to: socket.socket, what: bytes) -> None:
    to.sendall(what)
    while True:
        to.sendall(b" ")
        time.sleep(0.02)


SLOW: dict[str, Callable[[socket.socket], None]] = {
    "says nothing": lambda to: time.sleep(5),
    "drips its head": lambda to: drip(to, b"HTTP/1.1 200 OK\r\nX-Slow:"),
    "drips its body": lambda to: drip(to, b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"),
}


@pytest.mark.spec("R-186")
@pytest.mark.parametrize("how", SLOW)
def test_an_address_that_is_slow_is_given_up(
    server: tuple[KeyServer, str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("cds_service.hooks.key_sources._SECONDS_TO_ANSWER", 0.3)
    server[0].answer = SLOW[how]
    assert why_not(server[1]) in ("too-late", "ReadTimeout")


def test_an_address_where_nobody_listens_is_no_answer() -> None:
    assert why_not("http://127.0.0.1:1/jwks") == "ConnectionError"


def test_no_proxy_and_no_cookie_is_used(server: tuple[KeyServer, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server[0].answer = lambda to: to.sendall(http_answer(OLD, headers="Set-Cookie: a=b\r\n"))
    fetch_signing_keys(SESSION, server[1])
    assert not SESSION.cookies


# --- which keys are taken


def test_keys_that_cannot_verify_are_left_out_and_spoil_nothing() -> None:
    kept = {key.key_id for key in read_signing_keys(static_keys()).keys}
    assert {"rsa", "unlabelled", "ec", "p256"} <= kept
    assert not kept & {"for-encryption", "for-wrapping", "secret", "ed25519", "broken"}


def test_of_a_private_key_only_its_public_half_is_taken() -> None:
    private = {**jwk("rsa", "leaked"), "d": "AQAB", "p": "AQAB"}
    (key,) = read_signing_keys(jwks(private)).keys
    assert not hasattr(key.public, "private_numbers")


@pytest.mark.spec("R-169")
@pytest.mark.parametrize(("bits", "fits"), [(2047, False), (2048, True), (8192, True), (8193, False)])
def test_an_rsa_key_is_neither_weak_nor_so_long_that_checking_takes_long(bits: int, fits: bool) -> None:
    modulus = ((1 << (bits - 1)) | 1).to_bytes((bits + 7) // 8, "big")
    (key,) = read_signing_keys(jwks({"kty": "RSA", "kid": "k", "n": segment(modulus), "e": "AQAB"})).keys
    assert key.fits("RS384") is fits


# --- files


def refusal(path: Path) -> str:
    with pytest.raises(SettingsProblem) as refused:
        read_key_file("CDS_CLIENTS_FILE: clients.toml: client x", path)
    message = str(refused.value)
    assert message.startswith("CDS_CLIENTS_FILE: clients.toml: client x: jwks_file: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "is no JWK Set (no-json); correct it"),
        (b"{}", "is no JWK Set (no-list-of-keys); correct it"),
        (b'{"keys": []}', "holds no usable public key; add one of RSA or EC with a kid"),
        (jwks(jwk("rsa", None)), "holds no usable public key"),
    ],
)
def test_a_file_without_usable_keys_stops_the_start(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "keys.json").write_bytes(content)
    assert said in refusal(tmp_path / "keys.json")


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


def test_clients_with_one_address_share_what_is_fetched() -> None:
    one = Client(name="one", issuer="i", jwks_url="https://ehr.example.org/jwks")
    other = Client(name="other", issuer="j", jwks_url="https://ehr.example.org/jwks")
    third = Client(name="third", issuer="k", jwks_url="https://other.example.org/jwks")
    keys = client_keys("clients.toml", (one, other, third), SESSION)
    assert keys["one"] is keys["other"]
    assert keys["one"] is not keys["third"]


# --- through the service


@pytest.mark.spec("R-174")
def test_no_address_in_a_token_is_ever_asked(bench: Bench) -> None:
    with key_server(jwks(jwk("rsa-remote", "first"))) as (elsewhere, address):
        for token in (
            signed(claims(iss=REMOTE), "rsa-remote", kid="first", jku=address),
            signed(claims(iss=address), "rsa-remote", kid="first", jku=address),
            good(jku=address, x5u=address),
            signed(claims(), "rsa-remote", kid="x", jku=address, x5u=address),
        ):
            bench.post(token)
        assert elsewhere.asked == 0


@pytest.mark.spec("R-174")
def test_a_token_of_an_unknown_issuer_or_with_another_jku_asks_nobody(bench: Bench) -> None:
    bench.post(signed(claims(iss="https://evil.example.org"), "rsa-remote", kid="first"))
    bench.post(signed(claims(iss=REMOTE), "rsa-remote", kid="first", jku="https://evil.example.org/jwks"))
    assert bench.key_server.asked == 0


def test_a_client_whose_keys_cannot_be_had_is_refused_and_the_log_says_why(bench: Bench, log: io.StringIO) -> None:
    bench.key_server.answer = lambda to: to.sendall(http_answer(b"", status="503 Busy"))
    assert bench.post(signed(claims(iss=REMOTE), "rsa-remote", kid="first")).status_code == 401
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {"client": "remote", "reason": "status", "status": 503}.items() <= lines[0].items()
    assert lines[1]["reason"] == "keys-unavailable"
    assert bench.post(good()).status_code == 200
