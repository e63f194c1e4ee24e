"""Which of several results counts: the newest, those of the same time, and those that may be newer (C3, C6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, Protocol, TypeVar

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.known import Known


class Measured(Protocol):
    """A result as far as choosing among results is concerned."""

    @property
    def measured(self) -> ClinicalTime:
        """When it was measured."""

    @property
    def standing(self) -> Standing:
        """What it may be used for."""

    @property
    def is_correction(self) -> bool:
        """Whether it replaces an earlier report of the same measurement."""

    @property
    def order_key(self) -> tuple[str, str]:
        """What decides between two results of one time."""


Result = TypeVar("Result", bound=Measured)


@dataclass(frozen=True, slots=True)
class Newest(Generic[Result]):
    """The newest accepted result, or several of one time; those before it, newest first; and those that may only
    alarm and may be as new.
    """

    accepted: tuple[Result, ...]
    earlier: tuple[Result, ...]
    provisional: tuple[Result, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is no result at all that says anything."""
        return not self.accepted and not self.provisional


def newest_of(results: Iterable[Result], known: Known) -> Newest[Result]:
    """The newest of these results. Results without information are left out."""
    told = [result for result in results if result.standing is not Standing.NO_INFORMATION]
    usable = sorted((result for result in told if _may_satisfy(result)), key=newness, reverse=True)
    group = at_one_time(usable, known)
    corrections = [result for result in group if result.is_correction]
    accepted = tuple(corrections) if len(corrections) == 1 else group
    others = [result for result in told if not _may_satisfy(result)]
    provisional = tuple(r for r in others if not accepted or may_be_as_new(r.measured, accepted[0].measured))
    return Newest(accepted, tuple(usable[len(group) :]), tuple(sorted(provisional, key=newness, reverse=True)))


def _may_satisfy(result: Measured) -> bool:
    return result.standing is Standing.ACCEPTED and result.measured.may_satisfy


def newness(result: Measured) -> tuple[date, float, tuple[str, str]]:
    """What sorts results by time, then release, then last change."""
    return (result.measured.day or date.min, result.measured.seconds, result.order_key)


def at_one_time(newest_first: Sequence[Result], known: Known) -> tuple[Result, ...]:
    """The newest and all that may be of the same time; a result without an hour may be of any hour."""
    if not newest_first:
        return ()
    day = newest_first[0].measured.day
    same_day = [result for result in newest_first if result.measured.day == day]
    if any(result.measured.instant is None for result in same_day):
        return tuple(same_day)
    allowance = timedelta(minutes=known.policy.whole("observation.same_time_minutes"))
    newest = newest_first[0].measured.instant
    assert newest is not None
    # Across midnight too: five minutes are five minutes.
    return tuple(r for r in newest_first if r.measured.instant and newest - r.measured.instant <= allowance)


def may_be_as_new(time: ClinicalTime, reference: ClinicalTime) -> bool:
    """Whether a time may be that of the reference or later, a month or year counting as its end.

    One that is not stated, or cannot be read, may be any.
    """
    assert reference.day is not None
    if time.day is None:
        return time.latest is None or time.latest >= reference.day
    if time.instant and reference.instant:
        return time.instant >= reference.instant
    return time.day >= reference.day
