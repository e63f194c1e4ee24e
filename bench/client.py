"""The client: one process, keep-alive connections, requests made beforehand.

Closed loop: each connection sends its next request when it has its answer; this gives the most that a server does. Open
loop: requests leave by a timetable, whatever the server does, and a latency counts from the moment in the timetable, so
that waiting in line is counted.
"""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

from bench.connection import PATIENCE, Connection

# A selector wakes up to a millisecond late; so long before a departure the client waits awake, on a core of its own.
_AWAKE = 0.002
_LONGEST_WAIT = 1.0


@dataclass(slots=True)
class Load:
    """What a load saw: its seconds, the latency of each answer in seconds, and how many were no 200 or broke off."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


def closed_loop(
    port: int, requests: Iterator[bytes], connections: int, number: int, patience: float | None = None
) -> Load:
    """Send so many requests, as fast as the answers come, over so many connections. Raises WrongAnswer and OSError.

    With `patience` nothing is raised: it ends after so many seconds whatever has not come.
    """
    return _Loop(port, requests, connections, number, None, patience).run()


def open_loop(
    port: int, requests: Iterator[bytes], connections: int, number: int, rate: float, patience: float | None = None
) -> Load:
    """Send so many requests by a timetable of `rate` a second, over so many connections.

    `patience` and what is raised are as for a closed loop.
    """
    return _Loop(port, requests, connections, number, rate, patience).run()


class _Loop:
    """A departure that is due leaves as soon as a connection is free; without a rate each is due at once."""

    def __init__(
        self,
        port: int,
        requests: Iterator[bytes],
        connections: int,
        number: int,
        rate: float | None,
        patience: float | None,
    ) -> None:
        self._requests, self._number, self._rate = requests, number, rate
        self._is_strict, self._patience = patience is None, patience or PATIENCE
        self._all = [Connection(port) for _ in range(connections)]
        self._free, self._under_way, self._sent = list(self._all), 0, 0
        self._load, self._selector = Load(), selectors.DefaultSelector()

    def run(self) -> Load:
        """Everything, from the first departure to the last answer."""
        for connection in self._all:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        begun = perf_counter()
        try:
            while self._is_going_on(perf_counter() - begun):
                while self._is_due(begun):
                    self._let_leave(begun)
                for key, _ in self._selector.select(self._seconds_to_wait(begun)):
                    self._receive(key.data)
            self._load.seconds = perf_counter() - begun
        finally:
            self._selector.close()
            for connection in self._all:
                connection.close()
        return self._load

    def _is_going_on(self, seconds: float) -> bool:
        has_work = self._sent < self._number or self._under_way > 0
        return has_work and seconds < self._patience and bool(self._free or self._under_way)

    def _departure(self, begun: float) -> float:
        """When the next request is due."""
        return begun if self._rate is None else begun + self._sent / self._rate

    def _is_due(self, begun: float) -> bool:
        return bool(self._free) and self._sent < self._number and self._departure(begun) <= perf_counter()

    def _seconds_to_wait(self, begun: float) -> float:
        if not self._free or self._sent == self._number:
            return _LONGEST_WAIT
        return min(_LONGEST_WAIT, max(0.0, self._departure(begun) - perf_counter() - _AWAKE))

    def _let_leave(self, begun: float) -> None:
        connection, request = self._free.pop(), next(self._requests)
        since = perf_counter() if self._rate is None else self._departure(begun)
        self._sent += 1
        try:
            connection.send(request, since)
        except OSError:
            if self._is_strict:
                raise
            self._lose(connection)
        else:
            self._under_way += 1

    def _receive(self, connection: Connection) -> None:
        try:
            is_whole = connection.receive()
        except OSError:
            if self._is_strict:
                raise
            self._under_way -= 1
            self._lose(connection)
            return
        if is_whole:
            self._under_way -= 1
            self._free.append(connection)
            self._count(connection)

    def _count(self, connection: Connection) -> None:
        if self._is_strict:
            connection.require_ok()
        if connection.status == 200:
            self._load.latencies.append(perf_counter() - connection.since)
        else:
            self._load.refused += 1

    def _lose(self, connection: Connection) -> None:
        """A connection that the server has ended is used no more."""
        self._selector.unregister(connection.socket)
        self._load.refused += 1
