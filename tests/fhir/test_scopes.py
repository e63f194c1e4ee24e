"""Which resource types a token opens, in each of the ways EHRs write it."""

from __future__ import annotations

import pytest

from cds_service.fhir.scopes import Coverage, read_scopes

ALL, PART, NONE = Coverage.ALL, Coverage.PART, Coverage.NONE
# scope, resource type, what a search may see, what a read by id may see
ROWS = [
    ("user/Observation.read", "Observation", ALL, ALL),
    ("patient/Observation.read", "Observation", ALL, ALL),
    ("system/Observation.read", "Observation", ALL, ALL),
    ("user/*.read", "Condition", ALL, ALL),
    ("user/*.*", "Condition", ALL, ALL),
    ("user/Observation.*", "Observation", ALL, ALL),
    ("user/Observation.write", "Observation", NONE, NONE),
    ("user/Observation.read", "Condition", NONE, NONE),
    ("user/Observation.rs", "Observation", ALL, ALL),
    ("user/Observation.cruds", "Observation", ALL, ALL),
    ("user/Observation.r", "Observation", NONE, ALL),
    ("user/Observation.s", "Observation", ALL, NONE),
    ("user/Observation.cud", "Observation", NONE, NONE),
    ("user/Observation.sr", "Observation", NONE, NONE),
    ("patient/Observation.rs?category=laboratory", "Observation", PART, PART),
    ("patient/Observation.rs?category=laboratory patient/Observation.rs", "Observation", ALL, ALL),
    ("patient/Observation.rs patient/Observation.rs?category=laboratory", "Observation", ALL, ALL),
    ("user/*.rs?x=y user/Observation.s", "Observation", ALL, PART),
    ("user/Observation.Read", "Observation", ALL, ALL),
    ("Observation.Read (R4)", "Observation", ALL, ALL),
    ("Observation.Read (Labs) (R4)", "Observation", PART, PART),
    ("Observation.Search (Vital Signs) (R4)", "Observation", PART, NONE),
    ("Observation.Read (Labs) (STU3)", "Observation", NONE, NONE),
    ("Observation.Read (DSTU2)", "Observation", NONE, NONE),
    ("PATIENT.READ", "Patient", ALL, ALL),
    ("Condition.Read (Problems)(R4) Observation.Read (R4)", "Observation", ALL, ALL),
    ("launch openid fhirUser offline_access", "Patient", NONE, NONE),
    ("urn:example-com:Patient.read", "Patient", NONE, NONE),
    ("user/Patient.", "Patient", NONE, NONE),
    ("user/PatientX.read", "Patient", NONE, NONE),
    ("", "Patient", NONE, NONE),
]


@pytest.mark.spec("R-051")
@pytest.mark.parametrize(("scope", "resource_type", "search", "read"), ROWS)
def test_a_scope_opens_what_it_names_and_nothing_else(
    scope: str, resource_type: str, search: Coverage, read: Coverage
) -> None:
    scopes = read_scopes(scope)
    assert (scopes.coverage(resource_type, "search"), scopes.coverage(resource_type, "read")) == (search, read)
