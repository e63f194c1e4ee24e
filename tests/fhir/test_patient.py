"""The patient's record: a birth date as an interval, twins, death, and whether the record is the current one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.domain.facts import IdentityFault
from cds_service.fhir.patient import has_died, read_birth_date, read_multiple_birth, record_problems

TODAY = date(2026, 3, 2)


@pytest.mark.hazard("H11")
@pytest.mark.parametrize(
    ("written", "earliest", "latest"),
    [
        ("2026-01-15", date(2026, 1, 15), date(2026, 1, 15)),
        ("2025-02", date(2025, 2, 1), date(2025, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025", date(2025, 1, 1), date(2025, 12, 31)),
        (" 2026-01-15 ", date(2026, 1, 15), date(2026, 1, 15)),
        ("2026-03-02", TODAY, TODAY),
    ],
)
def test_a_birth_date_is_every_day_it_may_be(written: str, earliest: date, latest: date) -> None:
    born = read_birth_date({"birthDate": written}, TODAY)
    assert born is not None
    assert (born.earliest, born.latest) == (earliest, latest)
    assert born.is_exact is (earliest == latest)


@pytest.mark.parametrize("written", ["2026", "2026-03"])
def test_a_birth_date_that_is_partly_in_the_future_begins_in_the_past(written: str) -> None:
    born = read_birth_date({"birthDate": written}, TODAY)
    assert born is not None
    assert born.earliest <= TODAY


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        2026,
        "2026-02-30",
        "2026-13",
        "2026-1-5",
        "15.01.2026",
        "2026-01-15T08:00:00Z",
        "unknown",
        "2026-03-03",
        "2027",
        "0000",
    ],
)
def test_an_unreadable_or_future_birth_date_is_none(written: Any) -> None:
    assert read_birth_date({"birthDate": written}, TODAY) is None


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        ({"multipleBirthBoolean": True}, True),
        ({"multipleBirthBoolean": False}, False),
        ({"multipleBirthInteger": 2}, True),
        ({"multipleBirthInteger": 1}, True),
        ({"multipleBirthInteger": 0}, False),
        ({"multipleBirthInteger": "2"}, True),
        ({"multipleBirthBoolean": "yes"}, None),
        ({"multipleBirthBoolean": "true"}, True),
        ({"multipleBirthBoolean": "false "}, False),
        ({}, None),
    ],
)
def test_one_of_several_or_not_or_unknown(record: dict[str, Any], answer: bool | None) -> None:
    assert read_multiple_birth(record) is answer


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedBoolean": "true "}, True),
        ({"deceasedDateTime": "2026-02-01"}, True),
        ({"deceasedDateTime": ""}, False),
        ({"deceasedDateTime": None}, False),
    ],
)
def test_whether_the_record_says_that_the_child_has_died(record: dict[str, Any], answer: bool) -> None:
    assert has_died(record) is answer


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(
    ("record", "faults"),
    [
        ({}, []),
        ({"active": True}, []),
        ({"active": False}, [IdentityFault.RECORD_INACTIVE]),
        ({"active": "False"}, [IdentityFault.RECORD_INACTIVE]),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/2"}}]}, [IdentityFault.RECORD_MERGED]),
        ({"link": {"type": "Replaced-By ", "other": {"reference": "Patient/2"}}}, [IdentityFault.RECORD_MERGED]),
        ({"link": [{"type": "replaces", "other": {"reference": "Patient/2"}}, {"type": "seealso"}, None]}, []),
    ],
)
def test_a_merged_or_inactive_record_is_told(record: dict[str, Any], faults: list[IdentityFault]) -> None:
    assert [
        problem.fault for problem in record_problems({"resourceType": "Patient", "id": "1", **record}, "1")
    ] == faults
