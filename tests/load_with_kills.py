"""Clients that call and give feedback while one worker after the other is killed: what they saw, and what was stored.

`python -m tests.load_with_kills [--seconds 60] [--database URL]` prints it, with exit code 1 where something is wrong;
tests/faults/test_worker_killed.py holds a short run. Without an address the database is SQLite in a temporary folder.
Redis is one of the run's own.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import click
import requests

try:
    from databases import rows_of
except ModuleNotFoundError:  # started as a module, from the repository's root; the helpers import one another by name
    sys.path.append(str(Path(__file__).parent))
    from databases import rows_of
from production_services import in_production, workers_started
from registered_ehr import TREATED, VIEW, RegisteredEhr, call_of_today, overriding
from resource_parts import PATIENT_ID
from running_services import PATIENCE, RunningService, wait_until
from running_stores import own_redis

WORKERS: Final = 2
CLIENTS: Final = 8
FEEDBACK: Final = f"{VIEW}/feedback"
_INSTANCE: Final = "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"


@dataclass(frozen=True, slots=True)
class FeedbackPost:
    """Feedback on these cards, sent once, and whether the service said that it has it."""

    cards: tuple[str, ...]
    is_acknowledged: bool


@dataclass(slots=True)
class Seen:
    """What the clients saw. Lists and counters are added to by several threads, one item at a time."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    # Without an answer, or with one that broke off: the client knows that it has none.
    without_answer: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Whole by its length and all the same no answer of this service. There must be none.
    half_answers: int = 0
    seconds: list[float] = field(default_factory=list)
    posts: list[FeedbackPost] = field(default_factory=list)
    reviews_answered: int = 0
    killed: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database has of it afterwards."""

    acknowledged: int
    stored: int
    lost: int
    half_stored: int
    reviews: int

    @classmethod
    def of(cls, seen: Seen, url: str) -> Kept:
        """Compare item by item: each was about a card of its own."""
        rows = Counter(str(row["card_uuid"]) for row in rows_of(url, "feedback"))
        acknowledged = [card for post in seen.posts if post.is_acknowledged for card in post.cards]
        kept_of = [sum(card in rows for card in post.cards) for post in seen.posts]
        return cls(
            acknowledged=len(acknowledged),
            stored=sum(kept_of),
            lost=sum(card not in rows for card in acknowledged),
            half_stored=sum(0 < kept < len(post.cards) for kept, post in zip(kept_of, seen.posts, strict=True)),
            reviews=len(rows_of(url, "reviews")),
        )


class Client(threading.Thread):
    """Calls for one child after the other, and answers every card that it is shown."""

    def __init__(self, service: RunningService, ehr: RegisteredEhr, seen: Seen, is_over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._service, self._ehr, self._seen, self._is_over = service, ehr, seen, is_over
        self._session = requests.Session()
        self._call = call_of_today(VIEW, TREATED)

    def run(self) -> None:
        """Until it is over."""
        while not self._is_over.is_set():
            self._feed_back(self._cards() or (str(uuid4()), str(uuid4())))

    def _cards(self) -> tuple[str, ...]:
        """The cards for a child that nobody has asked about before."""
        call = self._call.replace(PATIENT_ID.encode(), f"synthetic-{uuid4().hex}".encode())
        response = self._send(VIEW, call.replace(_INSTANCE.encode(), str(uuid4()).encode()))
        if response is None or response.status_code != 200:
            return ()
        try:
            cards = tuple(card["uuid"] for card in response.json()["cards"])
        except (ValueError, LookupError):
            cards = ()
        with self._seen.lock:
            self._seen.half_answers += not cards
            self._seen.reviews_answered += 1
        return cards

    def _feed_back(self, cards: tuple[str, ...]) -> None:
        response = self._send(FEEDBACK, overriding(*cards))
        is_acknowledged = response is not None and response.status_code == 200
        with self._seen.lock:
            self._seen.posts.append(FeedbackPost(cards, is_acknowledged))

    def _send(self, path: str, body: bytes) -> requests.Response | None:
        """The whole answer, or None where the connection broke."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._ehr.token(path)}"}
        kind = "feedback" if path == FEEDBACK else "hook call"
        begun = time.monotonic()
        try:
            response = self._session.post(f"{self._service.address}{path}", body, headers=headers, timeout=PATIENCE)
        except requests.RequestException as error:
            with self._seen.lock:
                self._seen.without_answer[kind, type(error).__name__] += 1
            return None
        with self._seen.lock:
            self._seen.seconds.append(time.monotonic() - begun)
            self._seen.statuses[kind, response.status_code] += 1
        return response


def load(service: RunningService, ehr: RegisteredEhr, seconds: float, seconds_between_kills: float) -> Seen:
    """Let the clients call for so long, and kill a worker every so often."""
    seen, is_over = Seen(), threading.Event()
    clients = [Client(service, ehr, seen, is_over) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    first = workers_started(service)
    for number in range(int(seconds / seconds_between_kills)):
        time.sleep(seconds_between_kills)
        wait_until(lambda number=number: workers_started(service) == first + number, "the last one is replaced")
        worker = random.choice(sorted(service.workers()))
        os.kill(worker, signal.SIGKILL)
        seen.killed.append(worker)
    is_over.set()
    for client in clients:
        client.join(PATIENCE)
    return seen


def print_run(seen: Seen, kept: Kept, replaced: int) -> None:
    """Print what came of a run."""
    in_order = sorted(seen.seconds)
    told = {
        **{f"{kind}: {status}": number for (kind, status), number in sorted(seen.statuses.items())},
        **{f"{kind}: no answer ({fault})": number for (kind, fault), number in sorted(seen.without_answer.items())},
        "answers that were only half there": seen.half_answers,
        "workers killed": len(seen.killed),
        "workers replaced": replaced,
        "feedback items acknowledged": kept.acknowledged,
        "feedback items stored": kept.stored,
        "acknowledged and not stored": kept.lost,
        "posts of which only a part is stored": kept.half_stored,
        "answers with cards": seen.reviews_answered,
        "reviews stored": kept.reviews,
        **{f"milliseconds, p{p}": round(in_order[len(in_order) * p // 100] * 1000) for p in (50, 95, 99)},
        "milliseconds, longest": round(in_order[-1] * 1000),
    }
    for name, number in told.items():
        click.echo(f"{name:<45}{number:>8}")


def main() -> int:
    """One run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=5, help="seconds between two kills")
    parser.add_argument("--database", metavar="URL", default="")
    given = parser.parse_args()
    ehr = RegisteredEhr()
    with tempfile.TemporaryDirectory() as name, own_redis() as redis:
        folder = Path(name)
        url = given.database or f"sqlite:///{folder}/cds.sqlite3"
        stores = {"database": url, "shared_state": redis.url}
        with in_production(folder, ehr, **stores, workers=WORKERS, CDS_RATE_LIMIT="0") as service:
            seen = load(service, ehr, given.seconds, given.every)
            wait_until(lambda: workers_started(service) == WORKERS + len(seen.killed), "all workers are replaced")
            replaced = workers_started(service) - WORKERS
            code = service.stop()
        kept = Kept.of(seen, url)
        kind, how_long = url.partition(":")[0], f"{given.seconds:g} s, a kill every {given.every:g} s"
        click.echo(f"{kind}, {WORKERS} workers, {CLIENTS} clients, {how_long}")
        print_run(seen, kept, replaced)
    return int(bool(code or kept.lost or kept.half_stored or seen.half_answers))


if __name__ == "__main__":
    sys.exit(main())
