"""Reports of the anti-AAV9 antibody become reciprocals: 1:100 is higher than 1:50, and what is unclear stays so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import SYSTEMS, UCUM

from cds_service.domain.certainty import Certainty
from cds_service.domain.evidence import Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.results import TiterReading, TiterResult
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.titer import is_titer, read_titer

Resource = dict[str, Any]
Read = Callable[[Resource], TiterResult]
RECIPROCAL, NEGATIVE = TiterReading.RECIPROCAL, TiterReading.NEGATIVE
NOT_INTERPRETABLE, NO_RESULT = TiterReading.NOT_INTERPRETABLE, TiterReading.NO_RESULT
PLAIN_NAME = {"text": "AAV9 antibody"}


@pytest.fixture
def read(clock: SiteClock, recognition: Recognition) -> Read:
    """A report that was not entered in error."""

    def result(resource: Resource) -> TiterResult:
        found = read_titer(resource, clock, recognition)
        assert found is not None
        return found

    return result


def report(**members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"text": "Anti-AAV9 antibody titer"},
        "subject": {"reference": "Patient/synthetic-1"},
        "effectiveDateTime": "2026-02-20T08:00:00Z",
        **members,
    }


def exactly(value: str) -> Interval:
    return Interval.exactly(Decimal(value))


def below(value: int) -> Interval | None:
    return Interval.of("<", Decimal(value))


# --- the table, row by row: printed titres


@pytest.mark.hazard("H14")
@pytest.mark.parametrize(
    ("said", "reciprocal", "is_above_50"),
    [
        ("1:50", exactly("50"), Certainty.FALSE),
        ("1/50", exactly("50"), Certainty.FALSE),
        ("1 in 50", exactly("50"), Certainty.FALSE),
        ("1 : 50", exactly("50"), Certainty.FALSE),
        ("<1:50", below(50), Certainty.FALSE),
        ("< 1:50", below(50), Certainty.FALSE),
        ("≤1:50", Interval.of("<=", Decimal(50)), Certainty.FALSE),
        ("<=1:50", Interval.of("<=", Decimal(50)), Certainty.FALSE),
        ("<1:25", below(25), Certainty.FALSE),
        ("1:25", exactly("25"), Certainty.FALSE),
        ("1:12.5", exactly("12.5"), Certainty.FALSE),
        ("1:1", exactly("1"), Certainty.FALSE),
        ("1:51", exactly("51"), Certainty.TRUE),
        ("1:50.1", exactly("50.1"), Certainty.TRUE),
        ("1:100", exactly("100"), Certainty.TRUE),
        ("1:102,400", exactly("102400"), Certainty.TRUE),
        ("1:1,024,000", exactly("1024000"), Certainty.TRUE),
        (">1:50", Interval.of(">", Decimal(50)), Certainty.TRUE),
        ("> 1:50", Interval.of(">", Decimal(50)), Certainty.TRUE),
        ("≥1:50", Interval.of(">=", Decimal(50)), Certainty.UNKNOWN),
        (">=1:50", Interval.of(">=", Decimal(50)), Certainty.UNKNOWN),
        ("<1:100", below(100), Certainty.UNKNOWN),
    ],
)
def test_a_printed_titre_is_its_reciprocal(read: Read, said: str, reciprocal: Interval, is_above_50: Certainty) -> None:
    result = read(report(valueString=said))
    assert (result.reading, result.reciprocal, result.written) == (RECIPROCAL, reciprocal, said)
    assert reciprocal.is_above(Decimal(50)) is is_above_50


@pytest.mark.parametrize(
    "said",
    [
        "1\u223650",
        "\uff11\uff1a\uff15\uff10",
        "1\uff0f50",
        "1\u204450",
        "1\u00a0:\u202f50",
        "\u200b1:50\ufeff",
    ],
)
def test_look_alikes_of_signs_and_blanks_are_made_plain(read: Read, said: str) -> None:
    result = read(report(valueString=said))
    assert (result.reading, result.reciprocal) == (RECIPROCAL, exactly("50"))


def test_a_full_width_comparator_is_not_lost(read: Read) -> None:
    assert read(report(valueString="\uff1e\uff11\uff1a\uff15\uff10")).reciprocal == Interval.of(">", Decimal(50))


@pytest.mark.parametrize(
    "said",
    [
        "1:25-1:100",
        "1:25–1:100",
        "1:50-1:100",
        "50:1",
        "50/1",
        "0.02",
        "1:0.02",
        "1:0",
        "2:100",
        "1:12,5",
        "1:1,02",
        "1:50,",
        "1:102 400",
        "1:10²",
        "1:2⁵",
        "½",
        "1:\u0665\u0660",
        "1:5e1",
        "1:-50",
        "=<1:50",
        "1:<50",
        "1:50 (H)",
        "titer 1:50",
        "approximately 1:50",
        "1:50 IgG, 1:25 IgM",
        "negative at 1:50",
        "positive",
        "Detected",
        "POSITIVE, see comment",
        "not detected, see comment",
        "1:50 hemolyzed",
        "low",
        "1:" + "9" * 40,
    ],
)
def test_whatever_is_not_in_the_table_is_shown_and_not_interpreted(read: Read, said: str) -> None:
    result = read(report(valueString=said))
    assert (result.reading, result.reciprocal, result.written) == (NOT_INTERPRETABLE, None, said)
    assert result.standing is Standing.ACCEPTED


@pytest.mark.parametrize(
    "said", ["negative", "Negative.", "NEG", "not detected", "none detected", "Non-reactive", "NOT\u00a0DETECTED"]
)
def test_a_negative_in_words_is_a_qualitative_negative(read: Read, said: str) -> None:
    result = read(report(valueString=said))
    assert (result.reading, result.reciprocal) == (NEGATIVE, None)


@pytest.mark.parametrize(
    "said", ["pending", "PENDING.", "QNS", "hemolyzed", "Specimen hemolyzed", "see comment", "Result to follow"]
)
def test_words_for_no_result_are_none(read: Read, said: str) -> None:
    result = read(report(valueString=said))
    assert (result.reading, result.standing, result.written) == (NO_RESULT, Standing.NO_INFORMATION, said)


@pytest.mark.parametrize("value", [{}, {"valueString": ""}, {"valueQuantity": {"unit": "{titer}"}}, {"valueRatio": {}}])
@pytest.mark.parametrize("reason", [None, {"text": "pending"}])
def test_without_a_value_there_is_no_result(read: Read, value: Resource, reason: Any) -> None:
    result = read(report(**value, dataAbsentReason=reason))
    assert (result.reading, result.standing, result.written) == (NO_RESULT, Standing.NO_INFORMATION, "")


# --- ratios


def ratio(numerator: Any, denominator: Any, **members: Any) -> Resource:
    return report(
        valueRatio={
            "numerator": numerator if isinstance(numerator, dict) else {"value": numerator},
            "denominator": denominator if isinstance(denominator, dict) else {"value": denominator},
        },
        **members,
    )


@pytest.mark.parametrize(
    ("denominator", "reciprocal"), [(50, "50"), (25, "25"), (100, "100"), (Decimal("12.5"), "12.5"), (1, "1")]
)
def test_a_ratio_of_one_to_many_is_a_titre(read: Read, denominator: Any, reciprocal: str) -> None:
    result = read(ratio(1, denominator))
    assert (result.reading, result.reciprocal) == (RECIPROCAL, exactly(reciprocal))
    assert result.written == f"1:{denominator}"


@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [
        (50, 1),
        (2, 100),
        (1, 0),
        (1, Decimal("0.02")),
        (1, None),
        (None, 50),
        (1, {"value": 50, "unit": "EU/mL"}),
        ({"value": 1, "unit": "mL"}, 50),
    ],
)
def test_any_other_ratio_is_not_interpreted(read: Read, numerator: Any, denominator: Any) -> None:
    assert read(ratio(numerator, denominator)).reading is NOT_INTERPRETABLE


def test_a_ratio_may_name_the_titres_unit(read: Read) -> None:
    assert read(ratio(1, {"value": 50, "code": "{titer}"})).reciprocal == exactly("50")


LESS = {"value": 1, "comparator": "<"}


def narrative(said: str) -> Resource:
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>Anti-AAV9: {said}</p></div>'}


@pytest.mark.parametrize(
    ("numerator", "denominator", "beside", "reciprocal"),
    [
        (LESS, 50, {"valueString": "<1:50"}, below(50)),
        (LESS, 50, {"text": narrative("&lt;1:50")}, below(50)),
        (LESS, 50, {"text": narrative("&lt; 1/50")}, below(50)),
        (1, {"value": 50, "comparator": "<"}, {"text": narrative("&lt;1:50")}, below(50)),
        ({"value": 1, "comparator": ">"}, 50, {"text": narrative("&gt;1:50")}, Interval.of(">", Decimal(50))),
    ],
)
def test_a_comparator_in_a_ratio_counts_as_the_report_prints_it(
    read: Read, numerator: Any, denominator: Any, beside: Resource, reciprocal: Interval
) -> None:
    result = read(ratio(numerator, denominator, **beside))
    assert (result.reading, result.reciprocal) == (RECIPROCAL, reciprocal)


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"text": {"div": ""}},
        {"text": narrative("1:50")},
        {"text": narrative("&gt;1:50")},
        {"text": narrative("&lt;1:500")},
        {"text": narrative("&lt;1:50 or 1:100")},
        {"valueString": ">1:50"},
    ],
)
def test_a_comparator_that_the_print_does_not_repeat_is_not_interpreted(read: Read, beside: Resource) -> None:
    assert read(ratio(LESS, 50, **beside)).reading is NOT_INTERPRETABLE


def test_comparators_on_both_parts_are_not_interpreted(read: Read) -> None:
    both = ratio(LESS, {"value": 50, "comparator": "<"}, text=narrative("&lt;1:50"))
    assert read(both).reading is NOT_INTERPRETABLE


# --- quantities and whole numbers


def counted(value: Any, unit: str = "", comparator: str = "", **members: Any) -> Resource:
    coded = {"unit": unit, "system": UCUM, "code": unit} if unit else {}
    compared = {"comparator": comparator} if comparator else {}
    return report(valueQuantity={"value": value, **coded, **compared}, **members)


@pytest.mark.parametrize(
    ("resource", "reciprocal"),
    [
        (counted(50, "{titer}"), exactly("50")),
        (counted(50, "{titer}", code=PLAIN_NAME), exactly("50")),
        (counted(Decimal("12.5"), "{titer}"), exactly("12.5")),
        (counted(50, "{titer}", "<"), below(50)),
        (counted(50, "1"), exactly("50")),
        (counted(50, "1", code={"text": "AAV9 Ab [Titre]"}), exactly("50")),
        (counted(50), exactly("50")),
        (report(valueInteger=50), exactly("50")),
        (report(valueString="50"), exactly("50")),
        (report(valueString="<50"), below(50)),
    ],
)
def test_a_number_is_a_reciprocal_by_its_unit_or_under_the_name_of_a_titre(
    read: Read, resource: Resource, reciprocal: Interval
) -> None:
    result = read(resource)
    assert (result.reading, result.reciprocal) == (RECIPROCAL, reciprocal)


@pytest.mark.parametrize(
    "resource",
    [
        counted(50, "1", code=PLAIN_NAME),
        counted(50, code=PLAIN_NAME),
        report(valueInteger=50, code=PLAIN_NAME),
        report(valueString="50", code=PLAIN_NAME),
        counted(Decimal("0.02"), "1"),
        counted(Decimal("0.02"), "{titer}"),
        counted(Decimal("0.02")),
        counted(Decimal("1.2"), "1"),
        report(valueString="1.2"),
        counted(50, "EU/mL"),
        counted(50, "U/mL"),
        counted(50, "ng/mL"),
        counted(50, "{index}"),
        counted(50, "{titer}", "="),
        counted(-50, "{titer}"),
        counted("many", "{titer}"),
        report(valueQuantity={"value": 50, "code": "{titer}", "unit": "EU/mL"}),
        report(valueInteger=0),
        report(valueInteger=-50),
        report(valueRange={"low": {"value": 25}, "high": {"value": 100}}),
        report(valueBoolean=False),
    ],
)
def test_a_number_on_another_scale_is_not_interpreted(read: Read, resource: Resource) -> None:
    result = read(resource)
    assert (result.reading, result.reciprocal) == (NOT_INTERPRETABLE, None)
    assert result.written != ""


def test_two_values_that_agree_are_one(read: Read) -> None:
    assert read(ratio(1, 50, valueString="1:50")).reciprocal == exactly("50")


def test_two_values_that_differ_are_not_interpreted(read: Read) -> None:
    result = read(ratio(1, 50, valueString="1:500"))
    assert (result.reading, result.written) == (NOT_INTERPRETABLE, "1:500 | 1:50")


# --- coded answers


@pytest.mark.parametrize(
    "members",
    [
        {"valueQuantity": "1:25"},
        {"valueString": ["1:25"]},
        {"valueRatio": [{"numerator": {"value": 1}, "denominator": {"value": many}} for many in (25, 100)]},
        {"valueInteger": "1:25"},
        {"component": [{"code": {"text": "Result"}, "valueString": "1:25"}]},
        {"component": {"code": {"text": "Result"}, "valueInteger": 25}},
    ],
)
def test_a_report_in_another_shape_is_a_report_that_was_not_read(read: Read, members: Resource) -> None:
    found = read(report(**members))
    assert (found.reading, found.standing) == (NOT_INTERPRETABLE, Standing.ACCEPTED)


def test_components_beside_a_value_are_left_alone(read: Read) -> None:
    found = read(report(valueString="1:25", component=[{"code": {"text": "Index"}, "valueString": "0.3"}]))
    assert (found.reading, found.written) == (RECIPROCAL, "1:25")


def answer(*codings: Resource, text: str = "") -> Resource:
    return report(valueCodeableConcept={"coding": list(codings)} | ({"text": text} if text else {}))


def snomed(code: str, display: str = "") -> Resource:
    return {"system": SYSTEMS["SNOMED"], "code": code} | ({"display": display} if display else {})


@pytest.mark.parametrize(
    ("resource", "reading"),
    [
        (answer(snomed("260385009")), NEGATIVE),
        (answer(snomed("260415000", "Not detected (qualifier value)")), NEGATIVE),
        (answer(snomed("260385009"), text="Negative"), NEGATIVE),
        (answer(text="negative"), NEGATIVE),
        (answer({"system": "urn:local", "code": "N", "display": "Not detected"}), NEGATIVE),
        (answer(text="1:50"), RECIPROCAL),
        (answer(text="positive"), NOT_INTERPRETABLE),
        (answer(text="pending"), NO_RESULT),
        (answer(snomed("10828004", "Positive")), NOT_INTERPRETABLE),
        (answer({"system": "urn:local", "code": "260385009"}), NOT_INTERPRETABLE),
        (answer(snomed("260385009"), text="1:200"), NOT_INTERPRETABLE),
        (answer(snomed("260385009"), text="positive"), NOT_INTERPRETABLE),
        (answer(snomed("260385009"), text="see comment"), NOT_INTERPRETABLE),
        (answer({"system": "urn:local", "code": "X7"}), NOT_INTERPRETABLE),
    ],
)
def test_a_coded_answer_is_read_by_its_code_and_its_words_together(
    read: Read, resource: Resource, reading: TiterReading
) -> None:
    assert read(resource).reading is reading


# --- beside the value


def test_a_report_is_read_with_its_time_and_its_place(read: Read) -> None:
    result = read(report(valueString="1:25", issued="2026-02-21T08:00:00Z"))
    assert (result.measured.day, result.standing, result.is_correction) == (
        date(2026, 2, 20),
        Standing.ACCEPTED,
        False,
    )
    assert (result.evidence.name, result.evidence.value) == ("Anti-AAV9 antibody titer", "1:25")
    assert result.order_key[0].startswith("2026-02-21")


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("corrected", Standing.ACCEPTED),
        ("preliminary", Standing.PROVISIONAL),
        ("registered", Standing.NO_INFORMATION),
    ],
)
def test_the_status_decides_what_a_titre_may_do(read: Read, status: str, standing: Standing) -> None:
    assert read(report(valueString="1:25", status=status)).standing is standing


def test_a_titre_entered_in_error_is_not_there(clock: SiteClock, recognition: Recognition) -> None:
    assert read_titer(report(valueString="1:25", status="entered-in-error "), clock, recognition) is None


MOTHERS_SPECIMEN = {"resourceType": "Specimen", "id": "s1", "subject": {"reference": "Patient/mother"}}
OWN_SPECIMEN = {"resourceType": "Specimen", "id": "s1", "subject": {"reference": "Patient/synthetic-1"}}


@pytest.mark.parametrize(
    "doubt",
    [
        {"focus": [{"reference": "RelatedPerson/mother"}]},
        {"specimen": {"reference": "#s1"}, "contained": [MOTHERS_SPECIMEN]},
        {"specimen": {"display": "Maternal serum"}},
        {"specimen": {"reference": "#s1"}, "contained": [OWN_SPECIMEN | {"type": {"text": "mother's blood"}}]},
        {"code": {"text": "Maternal anti-AAV9 titer"}},
        {"dataAbsentReason": {"text": "masked"}},
        {"effectiveDateTime": "2026-02-20T08:00:00"},
    ],
)
def test_a_sample_that_may_be_the_mothers_or_of_no_sure_time_proves_nothing(read: Read, doubt: Resource) -> None:
    result = read(report(valueString="1:25") | doubt)
    assert (result.standing, result.reciprocal) == (Standing.PROVISIONAL, exactly("25"))


@pytest.mark.parametrize(
    "members",
    [
        {"specimen": {"reference": "Specimen/s1"}},
        {"specimen": {"reference": "#s1"}, "contained": [OWN_SPECIMEN]},
        {"contained": [MOTHERS_SPECIMEN]},
    ],
)
def test_the_childs_own_sample_counts(read: Read, members: Resource) -> None:
    assert read(report(valueString="1:25") | members).standing is Standing.ACCEPTED


@pytest.mark.parametrize(
    ("method", "is_other"),
    [
        (None, False),
        ("ELISA", False),
        ("Enzyme-linked immunosorbent assay", False),
        ("EIA", False),
        ("Immunoassay", False),
        ("Neutralization assay", True),
        ("cell-based transduction inhibition", True),
        ("Cell-based immunoassay", True),
        ("PCR", True),
    ],
)
def test_a_method_other_than_an_immunoassay_is_marked(read: Read, method: str | None, is_other: bool) -> None:
    members = {"method": {"text": method}} if method else {}
    result = read(report(valueString="1:25", **members))
    assert (result.method, result.is_other_method) == (method or "", is_other)


def test_a_neutralising_test_by_name_is_another_method(read: Read) -> None:
    assert read(report(valueString="1:25", code={"text": "AAV9 neutralizing antibody titer"})).is_other_method


# --- recognising the test


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ({"coding": [{"system": SYSTEMS["LOCAL"], "code": "1181"}]}, True),
        ({"text": "Anti-AAV9 antibody"}, True),
        ({"text": "AAV9Ab"}, True),
        ({"text": "\uff21\uff21\uff36\uff19 antibody"}, True),
        ({"coding": [{"system": "urn:local", "code": "7", "display": "Adeno-associated virus 9 IgG"}]}, True),
        ({"text": "Adenovirus antibody"}, False),
        ({"text": "AAV9 and adenovirus panel"}, False),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "23950-9", "display": "AAV9"}]}, False),
        ({"text": "Varicella antibody titer"}, False),
        ({"text": "AAV2 antibody"}, False),
        ({}, False),
    ],
)
def test_the_test_is_known_by_its_code_or_its_name(recognition: Recognition, code: Resource, expected: bool) -> None:
    assert is_titer({"code": code}, recognition.concept_of(code), recognition) is expected
