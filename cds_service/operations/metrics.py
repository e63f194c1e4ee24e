"""What is counted, for Prometheus: plain calls that any part may make, and no label that could name a patient."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.operations.log_fields import FIELDS, Shape, is_cause, is_word

# Set by the server where several worker processes count together; the name is Prometheus's own.
SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
OTHER: Final = "other"
_MOST_CLIENTS: Final = 100
_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class Metrics:
    """The counters of this process; `exposition` adds those of the other workers of the same server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._calls = self._counter("cds_hook_calls", "Hook calls answered", "service", "outcome", "status")
        self._seconds = Histogram(
            "cds_hook_seconds",
            "Seconds from reading a hook call to its answer",
            ["service"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._cards = self._counter("cds_cards", "Cards shown", "topic", "indicator")
        self._unknowns = self._counter("cds_unknowns", "Answers of rules that were unknown, by what lacked", "cause")
        self._fetches = self._counter("cds_fhir_fetches", "Lists asked of a FHIR server", "list", "outcome")
        self._feedback = self._counter("cds_feedback", "Feedback received", "service", "outcome")
        self._store = self._counter("cds_store_events", "What the store did, could not do, or gave up", "event")
        self._auth_failures = self._counter("cds_auth_failures", "Calls refused with 401", "reason")
        self._rate_limited = self._counter("cds_rate_limited", "Calls refused with 429", "client")
        self._overloaded = self._counter("cds_overloaded", "Calls refused with 503")
        self._faults = self._counter("cds_faults", "Calls that ended in a fault of ours (500)")
        self._malformed = self._counter("cds_malformed_requests", "Requests that are no HTTP we accept", "status")
        self._dropped_fields = self._counter("cds_log_fields_dropped", "Log fields not on the allow-list")
        self._dependencies = self._gauge("cds_dependency_up", "1 where it can be used", "mostrecent", "dependency")
        self._under_way = self._gauge("cds_calls_under_way", "Calls being answered", "sum")
        self._threads = self._gauge("cds_threads", "Calls that can be answered at once", "sum")
        self._workers = self._counter("cds_workers_started", "Worker processes started, replacements included")
        self._clients: set[str] = set()
        self._lock = threading.Lock()
        # A worker continues the numbers of the one it replaces, which may have died in the middle of a call.
        self._under_way.set(0)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self._registry)

    def _gauge(self, name: str, says: str, across: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self._registry, multiprocess_mode=across)  # type: ignore[arg-type]

    def hook_call(self, service: str, outcome: str, status: int, seconds: float) -> None:
        """One hook call was answered: `outcome` in one word, the HTTP status, and how long it took."""
        name = _bounded(service, FIELDS["service"])
        self._calls.labels(name, _bounded(outcome), str(status)).inc()
        self._seconds.labels(name).observe(seconds)

    def cards(self, shown: Iterable[tuple[str, str]]) -> None:
        """These cards were shown, as topic and indicator."""
        for topic, indicator in shown:
            self._cards.labels(_bounded(topic), _bounded(indicator)).inc()

    def unknowns(self, causes: Iterable[str]) -> None:
        """Rules could not answer for lack of these, by the names of lists or reasons."""
        for cause in causes:
            self._unknowns.labels(_bounded(cause, is_cause)).inc()

    def fetched(self, lists: Mapping[str, str]) -> None:
        """These lists were asked of a FHIR server: `fetched`, or what kept them away."""
        for name, outcome in lists.items():
            self._fetches.labels(_bounded(name), _bounded(outcome)).inc()

    def feedback(self, service: str, outcome: str, items: int = 1) -> None:
        """So many items of feedback were received, `accepted` or `overridden`."""
        self._feedback.labels(_bounded(service, FIELDS["service"]), _bounded(outcome)).inc(items)

    def store(self, event: str, items: int = 1) -> None:
        """The store did, failed to do, or gave up so many items; `event` says which in one word."""
        self._store.labels(_bounded(event)).inc(items)

    def auth_failed(self, reason: str) -> None:
        """A call was refused with 401, for this reason in one word."""
        self._auth_failures.labels(_bounded(reason)).inc()

    def rate_limited(self, client: str) -> None:
        """A call of this client, named as in the clients file, was refused with 429."""
        name = _bounded(client, FIELDS["client"])
        with self._lock:
            is_counted = name in self._clients or len(self._clients) < _MOST_CLIENTS
            self._clients.update({name} if is_counted else ())
        self._rate_limited.labels(name if is_counted else OTHER).inc()

    def overloaded(self) -> None:
        """A call was refused with 503 because too many others were under way."""
        self._overloaded.inc()

    def fault(self) -> None:
        """A call ended in a fault of ours."""
        self._faults.inc()

    def malformed(self, status: int) -> None:
        """A request was refused by the server itself, before the application saw it."""
        self._malformed.labels(str(status)).inc()

    def log_fields_dropped(self, fields: int) -> None:
        """So many fields of a log line were not written."""
        self._dropped_fields.inc(fields)

    def dependency(self, name: str, is_up: bool) -> None:
        """Whether a dependency could be used when it was last asked."""
        self._dependencies.labels(_bounded(name)).set(int(is_up))

    def call_began(self) -> None:
        """A call is being answered."""
        self._under_way.inc()

    def call_ended(self) -> None:
        """It has been answered."""
        self._under_way.dec()

    def worker_started(self, threads: int) -> None:
        """This process begins to answer calls, so many at once."""
        self._workers.inc()
        self._threads.set(threads)

    def exposition(self) -> bytes:
        """Everything counted, in Prometheus's text format, over all worker processes of this server."""
        folder = os.environ.get(SHARED_FOLDER)
        if not folder:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def count_by_place(place: Callable[[], int]) -> None:
    """Let the numbers of this process go into the shared folder, under its place among the workers.

    By place and not by process id: the worker that takes a dead one's place continues its numbers, so that the folder
    never grows. To be called in a worker process before its Metrics are made.
    """
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(process_identifier=place)  # type: ignore[no-untyped-call]


def _bounded(value: str, shape: Shape = is_word) -> str:
    """A label's value, or `other` where it is not one of the names we give to things."""
    return value if shape(value) else OTHER
