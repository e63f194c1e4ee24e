"""Where a client's keys come from: a file, read at the start, or a configured address, asked again now and then.

Only addresses of the clients file are asked, never one from a token (R-174, R-186).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

import requests
import structlog

from cds_service.errors import SettingsProblem
from cds_service.hooks.clients import Client
from cds_service.hooks.kept_key_set import KeptKeySet
from cds_service.hooks.signing_keys import LARGEST_SET, NotAKeySet, SigningKey, SigningKeys, read_signing_keys
from cds_service.outbound import LIBRARY_FAULTS, Exchange, cuttable

_SECONDS_TO_ANSWER: Final = 2.0
# A fetch that has not come back by then never will: its thread hangs, or was lost when the process was forked.
_SECONDS_TO_GIVE_UP: Final = 5.0
_SECONDS_FRESH: Final = 5 * 60
_SECONDS_USABLE: Final = 24 * 60 * 60
_SECONDS_AFTER_FAILURE: Final = 5
_SECONDS_BETWEEN_UNKNOWN_IDS: Final = 30
_PIECE: Final = 16 * 1024

log = structlog.get_logger("authentication")


class KeysUnavailable(Exception):
    """The keys of a client cannot be had: the reason in a word, and the status of the answer where that is it."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class KeySource(Protocol):
    """Finds a client's keys."""

    def with_id(self, key_id: str) -> tuple[SigningKey, ...]:
        """The keys with this id. Raises KeysUnavailable."""

    def prepare(self) -> None:
        """Begin to fetch what has to be fetched."""


def client_keys(
    where: str,
    clients: Iterable[Client],
    session: requests.Session,
    kept: Mapping[str, KeptKeySet] | None = None,
) -> dict[str, KeySource]:
    """The keys of each client by its name. Clients with the same address share what is fetched from it.

    `kept` has, by address, room for what this server's processes share. Raises SettingsProblem for a file without
    usable keys; `where` names the clients file.
    """
    sources: dict[str, KeySource] = {}
    remote: dict[str, RemoteKeys] = {}
    for client in clients:
        if client.jwks_file is not None:
            sources[client.name] = read_key_file(f"{where}: client {client.name}", client.jwks_file)
            continue
        url = client.jwks_url
        room = (kept or {}).get(url) or KeptKeySet()
        fetch = partial(fetch_signing_keys, session, url, room)
        remote[url] = remote.get(url) or RemoteKeys(client.name, fetch, kept=room)
        sources[client.name] = remote[url]
    return sources


def read_key_file(where: str, path: Path) -> SigningKeys:
    """The keys of a local file. Raises SettingsProblem; `where` names the clients file and the client."""
    try:
        keys = read_signing_keys(path.read_bytes())
    except OSError as error:
        raise SettingsProblem(f"{where}: jwks_file: {path} cannot be read ({error.strerror})") from error
    except NotAKeySet as error:
        raise SettingsProblem(f"{where}: jwks_file: {path} is no JWK Set ({error}); correct it") from error
    if not keys.keys:
        raise SettingsProblem(f"{where}: jwks_file: {path} holds no usable public key; add one of RSA or EC with a kid")
    return keys


def fetch_signing_keys(session: requests.Session, url: str, room: KeptKeySet | None = None) -> SigningKeys:
    """The keys at a configured address, in two seconds all in all, kept in `room`. Raises KeysUnavailable."""
    exchange = Exchange()
    alarm = threading.Timer(_SECONDS_TO_ANSWER, exchange.cut)
    alarm.daemon = True
    alarm.start()
    why = ""
    try:
        with cuttable(exchange):
            written = _fetched(session, url)
    except LIBRARY_FAULTS as error:
        why = type(error).__name__
    finally:
        alarm.cancel()
    # Raised out here, so that it brings nothing of the library's own, whose texts hold the address.
    if exchange.is_cut:
        raise KeysUnavailable("too-late")
    if why:
        raise KeysUnavailable(why)
    try:
        keys = read_signing_keys(written)
    except NotAKeySet as error:
        raise KeysUnavailable(str(error)) from None
    if room is not None:
        room.keep(written)
    return keys


def _fetched(session: requests.Session, url: str) -> bytes:
    headers = {"Accept": "application/json"}
    with session.get(url, headers=headers, stream=True, allow_redirects=False, timeout=_SECONDS_TO_ANSWER) as response:
        if response.status_code != requests.codes.ok:
            raise KeysUnavailable("status", response.status_code)
        written = b""
        for piece in response.iter_content(_PIECE):
            written += piece
            if len(written) > LARGEST_SET:
                raise KeysUnavailable("too-large")
        return written


class RemoteKeys:
    """The keys at an address: fresh for five minutes, then renewed beside the calls, used for a day at most.

    One thread fetches at a time; whoever needs its outcome waits for it, two seconds at most. `name` is the client's,
    for the log. It begins with what another process of this server has left in `kept`, as old as that is.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[], SigningKeys],
        clock: Callable[[], float] = monotonic,
        kept: KeptKeySet | None = None,
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: SigningKeys | None = None
        self._came_at = 0.0
        if kept is not None and (last := kept.last()) is not None:
            self._keys, self._came_at = read_signing_keys(last[0]), last[1]
        self._under_way: threading.Event | None = None
        self._begun_at = 0.0
        self._not_before = clock()
        self._next_unknown_id = clock()

    def with_id(self, key_id: str) -> tuple[SigningKey, ...]:
        """The keys with this id; where there is none, the address is asked once more, every half minute at most."""
        found = self._usable().with_id(key_id)
        if found:
            return found
        self._wait_for(self._look_for_new_ids())
        return self._usable().with_id(key_id)

    def prepare(self) -> None:
        """Begin to fetch, unless that is under way, or has failed a moment ago."""
        self._load()

    @property
    def is_fetching(self) -> bool:
        """Whether the address is being asked."""
        with self._lock:
            return self._is_under_way()

    def _load(self) -> threading.Event | None:
        with self._lock:
            return self._begin()

    def _usable(self) -> SigningKeys:
        age = self._age()
        if age > _SECONDS_USABLE:
            self._wait_for(self._load())
        elif age > _SECONDS_FRESH:
            self._load()
        keys = self._keys
        if keys is None or self._age() > _SECONDS_USABLE:
            raise KeysUnavailable("none")
        return keys

    def _age(self) -> float:
        return self._clock() - self._came_at if self._keys is not None else float("inf")

    def _look_for_new_ids(self) -> threading.Event | None:
        with self._lock:
            if self._is_under_way():
                return self._under_way
            if self._clock() < self._next_unknown_id:
                return None
            self._next_unknown_id = self._clock() + _SECONDS_BETWEEN_UNKNOWN_IDS
            return self._begin()

    def _is_under_way(self) -> bool:
        return self._under_way is not None and self._clock() - self._begun_at < _SECONDS_TO_GIVE_UP

    def _begin(self) -> threading.Event | None:
        """The event that ends the fetch under way or begun now; None too soon after a failure. Holds the lock."""
        if self._is_under_way():
            return self._under_way
        if self._clock() < self._not_before:
            return None
        self._under_way, self._begun_at = threading.Event(), self._clock()
        threading.Thread(target=self._run, args=(self._under_way,), name="keys", daemon=True).start()
        return self._under_way

    def _run(self, over: threading.Event) -> None:
        keys = None
        try:
            keys = self._fetch()
        except KeysUnavailable as fault:
            log.warning("keys_not_fetched", client=self._name, reason=fault.reason, status=fault.status)
        finally:
            self._settle(over, keys)

    def _settle(self, over: threading.Event, keys: SigningKeys | None) -> None:
        with self._lock:
            if self._under_way is over:
                self._under_way = None
                if keys is None:
                    self._not_before = self._clock() + _SECONDS_AFTER_FAILURE
                else:
                    self._keys, self._came_at = keys, self._clock()
        if keys is not None:
            log.info("keys_fetched", client=self._name, items=len(keys.keys))
        over.set()

    @staticmethod
    def _wait_for(over: threading.Event | None) -> None:
        if over is not None:
            over.wait(_SECONDS_TO_ANSWER)
