"""The newest results that can be judged, and those that may only alarm beside them (clinical-rules C3, C6).

A result without a usable unit or range, one that is not final, and two of one time that differ take no alarm back: the
last reliable result before them still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cds_service.domain.certainty import Certainty
from cds_service.domain.evidence import Standing
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import undisputed
from cds_service.domain.newest import Newest, may_be_as_new, newest_of, newness
from cds_service.domain.results import LabResult

Judge = Callable[[LabResult], Certainty]


def reliable_results(results: Iterable[LabResult], judge: Judge, known: Known) -> list[LabResult]:
    """The accepted results of one analyte that can be judged and are not contradicted."""
    return [item for item in undisputed(results, known) if judge(item) is not Certainty.UNKNOWN]


def newest_reliable(results: Iterable[LabResult], judge: Judge, known: Known) -> Newest[LabResult]:
    """The newest reliable results; `provisional` are all others that are not surely older."""
    told = [item for item in results if item.standing is not Standing.NO_INFORMATION]
    sure = reliable_results(told, judge, known)
    newest = newest_of(sure, known)
    among_sure = {id(item) for item in sure}
    others = [item for item in told if id(item) not in among_sure]
    as_new = [
        item for item in others if not newest.accepted or may_be_as_new(item.measured, newest.accepted[0].measured)
    ]
    return Newest(newest.accepted, newest.earlier, tuple(sorted(as_new, key=newness, reverse=True)))


def written_result(item: LabResult) -> str:
    """A result with its range, day and, where it is not final, status."""
    parts = [item.written]
    if item.limits is not None:
        parts.append(f"range {item.limits.written}")
    parts += [item.evidence.day] if item.evidence.day else []
    parts += [item.evidence.status] if item.standing is not Standing.ACCEPTED and item.evidence.status else []
    return ", ".join(parts)
