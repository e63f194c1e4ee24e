"""Observation → body temperatures, tests for infectious agents, blood smears (clinical-rules C1, C4, groups E, I)."""

from __future__ import annotations

from decimal import Decimal

from cds_service.domain.certainty import Certainty
from cds_service.domain.evidence import Standing
from cds_service.domain.quantities import Quantity, UnitTable, plain
from cds_service.domain.results import BloodSmear, InfectionTest, Temperature
from cds_service.fhir.clinical_time import SiteClock, effective_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    codings,
    concept_texts,
    first_text,
    number,
    only_object,
    text,
)
from cds_service.fhir.laboratory import quantity_interval, result_evidence, result_standing
from cds_service.fhir.observed_value import READ_AS_QUANTITY, unread_value
from cds_service.fhir.quantity import as_written, at_least, read_measured
from cds_service.fhir.recognition import Recognition, clauses

CELSIUS, FAHRENHEIT = "body_temperature", "body_temperature_fahrenheit"
SCHISTOCYTES = "schistocytes"
# Tests whose number is an amount of the agent itself: any amount is a finding.
_AMOUNTS = frozenset({"hepatitis_b_surface_antigen_quantity", "hepatitis_b_dna", "hepatitis_c_rna"})
# For hepatitis A IgM no code is listed yet.
INFECTION_TESTS = _AMOUNTS | {"hepatitis_b_surface_antigen", "hepatitis_a_igm", "respiratory_pathogen_test"}
_READ = frozenset({"valueString", "valueCodeableConcept", "valueQuantity", "valueBoolean", "valueInteger"})
_POSITIVE_FLAGS, _NEGATIVE_FLAGS = frozenset({"POS"}), frozenset({"NEG"})
_ABNORMAL_FLAGS = _POSITIVE_FLAGS | {"A", "AA", "H", "HH"}


def read_temperature(resource: JsonObject, clock: SiteClock, units: UnitTable) -> Temperature | None:
    """A body temperature in `Cel` or `[degF]`, or None if it was entered in error.

    Without a number in one of the two its quantity is None; nothing is guessed from its size. `>38` is at least 38
    and may alarm only; `<38` is no temperature.
    """
    measured = effective_time(resource, clock)
    element = only_object(resource.get("valueQuantity"))
    written = as_written(element) or text(resource.get("valueString")) or unread_value(resource, READ_AS_QUANTITY)
    standing = result_standing(resource, measured, has_value=bool(written))
    if standing is None:
        return None
    floor = at_least(element)
    if floor is not None and standing is Standing.ACCEPTED:
        standing = Standing.PROVISIONAL
    quantity = _degrees(element if floor is None else floor, units)
    evidence = result_evidence(resource, "body_temperature", written, measured)
    return Temperature(quantity, measured, standing, evidence)


def _degrees(element: JsonObject, units: UnitTable) -> Quantity | None:
    """The temperature on the scale it is stated on; none where the code says one scale and the words another."""
    said = text(element.get("unit"))
    for concept, other in ((CELSIUS, FAHRENHEIT), (FAHRENHEIT, CELSIUS)):
        quantity = read_measured(element, concept, units)
        if quantity is not None:
            return None if units.spelled(other, said) else quantity
    return None


def read_infection_test(
    resource: JsonObject, concept: str, clock: SiteClock, recognition: Recognition
) -> InfectionTest | None:
    """A test of one of INFECTION_TESTS, or None if it was entered in error."""
    measured = effective_time(resource, clock)
    written = _written(resource)
    standing = result_standing(resource, measured, has_value=bool(written))
    if standing is None:
        return None
    is_positive = _is_positive(resource, concept, recognition)
    return InfectionTest(
        concept, is_positive, measured, standing, result_evidence(resource, concept, written, measured)
    )


def _is_positive(resource: JsonObject, concept: str, recognition: Recognition) -> bool | None:
    """What the report says in words, by flag or by yes and no, positive first; else what its number says."""
    said = _words(resource)
    flags = {text(coding.get("code")).upper() for coding in codings(resource.get("interpretation"))}
    answer = resource.get("valueBoolean")
    if recognition.says("test_positive", said) or flags & _POSITIVE_FLAGS or answer is True:
        return True
    if recognition.says("test_negative", said) or flags & _NEGATIVE_FLAGS or answer is False:
        return False
    if any(_affirms(words, recognition) for words in said):
        return True
    return _is_amount_above_zero(resource) if concept in _AMOUNTS else None


def read_blood_smear(resource: JsonObject, clock: SiteClock, recognition: Recognition) -> BloodSmear | None:
    """A look for schistocytes, or None if it was entered in error."""
    measured = effective_time(resource, clock)
    written = _written(resource)
    standing = result_standing(resource, measured, has_value=bool(written))
    if standing is None:
        return None
    found = _has_schistocytes(resource, recognition)
    if found is None and recognition.holds("no_result_yet", written):
        standing = Standing.NO_INFORMATION
    return BloodSmear(found, measured, standing, result_evidence(resource, SCHISTOCYTES, written, measured))


def _has_schistocytes(resource: JsonObject, recognition: Recognition) -> bool | None:
    """What the report says in words, by number or by flag, presence first; a longer text can only say that some are
    there.
    """
    said, answer = _words(resource), resource.get("valueBoolean")
    flags = {text(coding.get("code")).upper() for coding in codings(resource.get("interpretation"))}
    if any(recognition.says(name, said) for name in ("test_positive", "smear_present")) or answer is True:
        return True
    if any(recognition.says(name, said) for name in ("test_negative", "smear_absent")) or answer is False:
        return False
    if flags & _ABNORMAL_FLAGS or _is_counted(resource):
        return True
    if any(_tells_of_schistocytes(clause, recognition) for words in said for clause in clauses(words)):
        return True
    return False if flags & _NEGATIVE_FLAGS else None


def _is_counted(resource: JsonObject) -> bool:
    """Whether a number says that there are some."""
    whole = number(resource.get("valueInteger"))
    return (whole is not None and whole > 0) or _is_amount_above_zero(resource) is True


def _tells_of_schistocytes(clause: str, recognition: Recognition) -> bool:
    """Whether a clause names them, or says how many there are, and denies nothing."""
    is_told = recognition.holds("smear_finding", clause) or recognition.holds("smear_present", clause)
    return is_told and not any(recognition.holds(name, clause) for name in ("denial", "test_negative"))


def _affirms(words: str, recognition: Recognition) -> bool:
    """Whether a longer text says that something was found, and denies nothing: it can only alarm."""
    denies = recognition.holds("test_negative", words) or recognition.holds("denial", words)
    return recognition.holds("test_positive", words) and not denies


def _is_amount_above_zero(resource: JsonObject) -> bool | None:
    """Whether there is surely some of the agent: `<20` is neither some nor none."""
    amount = quantity_interval(only_object(resource.get("valueQuantity")))
    certainty = Certainty.UNKNOWN if amount is None else amount.is_above(Decimal(0))
    return None if certainty is Certainty.UNKNOWN else certainty is Certainty.TRUE


def _words(resource: JsonObject) -> list[str]:
    said = text(resource.get("valueString"))
    return [*([said] if said else []), *concept_texts(resource.get("valueCodeableConcept"))]


def _written(resource: JsonObject) -> str:
    """The result as the record writes it; a yes or no, and a flag without a value, in the record's own words."""
    answer, whole = resource.get("valueBoolean"), number(resource.get("valueInteger"))
    shown = (
        text(resource.get("valueString")),
        first_text(resource.get("valueCodeableConcept")),
        as_written(only_object(resource.get("valueQuantity"))),
        str(answer).lower() if isinstance(answer, bool) else "",
        "" if whole is None else plain(whole),
        first_text(resource.get("interpretation")),
        unread_value(resource, _READ),
    )
    return next((part for part in shown if part), "")
