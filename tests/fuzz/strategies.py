"""Wholly generated requests: a call of each hook about a child whose record is made up, in our codes and in others."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cds_service.hooks.services import SERVICES

from .odd_values import CODES, DATES, NUMBERS, STATUSES, SYSTEMS, TEXTS, UNITS
from .places import LISTS, Json

CHILD = "generated-child"
_OUR_CODES = (
    ("http://loinc.org", "29463-7"), ("http://loinc.org", "1742-6"), ("http://loinc.org", "1920-8"), ("http://loinc.org", "1975-2"),
    ("http://loinc.org", "777-3"), ("http://loinc.org", "6301-6"), ("http://loinc.org", "5902-2"), ("http://loinc.org", "76516-4"),
    ("http://loinc.org", "111768-8"), ("http://loinc.org", "2160-0"), ("http://loinc.org", "718-7"), ("http://loinc.org", "8310-5"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "2170231"), ("http://www.nlm.nih.gov/research/umls/rxnorm", "8638"),
    ("http://hl7.org/fhir/sid/ndc", "71894-121-03"), ("http://hl7.org/fhir/sid/icd-10-cm", "G12.0"),
)  # fmt: skip
_KINDS = {
    "observations": "Observation",
    "medicationRequests": "MedicationRequest",
    "medicationAdministrations": "MedicationAdministration",
    "conditions": "Condition",
    "immunizations": "Immunization",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
    "diagnosticReports": "DiagnosticReport",
}
_texts = st.sampled_from([text for text in TEXTS if not text.startswith("‹") and len(text) < 1_000]) | st.text(
    max_size=20
)
_numbers = st.one_of(
    st.decimals(min_value=0, max_value=200, places=1),
    st.integers(-5, 10**6),
    st.sampled_from([n for n in NUMBERS if not isinstance(n, float) and not str(n).startswith("‹")]),
)
_days = st.dates().map(str) | st.datetimes().map(lambda at: f"{at.isoformat()}Z") | st.sampled_from(DATES)
_near = st.integers(0, 28).map(lambda day: f"2026-02-{day + 1:02}T08:00:00Z")
_times = _near | _days
_statuses = st.sampled_from(("final", "active", "completed", "draft")) | st.sampled_from(STATUSES)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


def _some(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(required, optional=optional)


def _or_anything(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly this; one time in ten JSON of any shape."""
    return st.integers(0, 9).flatmap(lambda number: strategy if number else _json)


_codings = st.builds(
    lambda pair, more: {"system": pair[0], "code": pair[1], **more},
    st.sampled_from(_OUR_CODES) | st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(CODES)),
    _some({}, {"display": _texts}),
)
_concepts = _some({}, {"coding": _or_anything(st.lists(_codings, max_size=2)), "text": _texts | st.just("Zolgensma")})
_quantities = _some(
    {"value": _numbers},
    {
        "unit": st.sampled_from(UNITS),
        "system": st.sampled_from(SYSTEMS),
        "code": st.sampled_from(UNITS),
        "comparator": st.sampled_from(("<", ">", "?")),
    },
)
_subjects = st.just({"reference": f"Patient/{CHILD}"}) | _some({}, {"reference": _texts, "display": _texts})
_instructions = _some(
    {},
    {
        "text": _texts,
        "route": _concepts,
        "doseAndRate": st.lists(_some({}, {"doseQuantity": _quantities, "rateQuantity": _quantities}), max_size=2),
        "timing": _some(
            {},
            {
                "event": st.lists(_times, max_size=2),
                "repeat": _some(
                    {},
                    {
                        "frequency": _numbers,
                        "period": _numbers,
                        "periodUnit": st.sampled_from(UNITS),
                        "count": _numbers,
                    },
                ),
            },
        ),
    },
)
_optional: dict[str, Any] = {
    "status": _statuses,
    "intent": st.sampled_from(("order", "plan", "proposal")),
    "code": _concepts,
    "medicationCodeableConcept": _concepts,
    "vaccineCode": _concepts,
    "valueQuantity": _quantities,
    "valueString": _texts,
    "valueCodeableConcept": _concepts,
    "referenceRange": st.lists(_some({}, {"low": _quantities, "high": _quantities, "text": _texts}), max_size=2),
    "effectiveDateTime": _times,
    "occurrenceDateTime": _times,
    "performedDateTime": _times,
    "onsetDateTime": _times,
    "authoredOn": _times,
    "issued": _times,
    "dosageInstruction": st.lists(_instructions, max_size=2),
    "dosage": _some({}, {"dose": _quantities, "route": _concepts}),
    "dispenseRequest": _some({}, {"quantity": _quantities, "numberOfRepeatsAllowed": _numbers}),
    "clinicalStatus": _concepts,
    "verificationStatus": _concepts,
    "interpretation": st.lists(_concepts, max_size=1),
    "dataAbsentReason": _concepts,
    "component": st.lists(_some({}, {"code": _concepts, "valueQuantity": _quantities}), max_size=2),
    "meta": _some({}, {"lastUpdated": _times, "versionId": _texts}),
}  # fmt: skip


def _resources(kind: str) -> st.SearchStrategy[Json]:
    required = {"resourceType": st.just(kind), "id": st.uuids().map(str), "subject": _subjects}
    return _some(required, {name: _or_anything(strategy) for name, strategy in _optional.items()})


def _lists(key: str) -> st.SearchStrategy[Any]:
    entries = st.lists(
        _or_anything(st.fixed_dictionaries({"resource": _or_anything(_resources(_KINDS[key]))})), max_size=4
    )
    bundle = _some(
        {"resourceType": st.just("Bundle"), "entry": _or_anything(entries)},
        {"total": _numbers, "type": st.just("searchset")},
    )
    return _or_anything(bundle | st.none())


_patients = _some(
    {"resourceType": st.just("Patient"), "id": st.just(CHILD)},
    {
        "birthDate": st.dates().map(str) | st.sampled_from(("2025-12-20", "2024-03-05")),
        "deceasedBoolean": st.booleans(),
        "active": st.booleans(),
        "name": _json,
    },
)
_drafts = _some(
    {"resourceType": st.just("Bundle")},
    {"entry": _or_anything(st.lists(st.fixed_dictionaries({"resource": _resources("MedicationRequest")}), max_size=3))},
)
_contexts = _some(
    {"patientId": st.just(CHILD) | _texts, "userId": st.just("Practitioner/generated") | _texts},
    {
        "encounterId": _texts,
        "draftOrders": _or_anything(_drafts),
        "selections": _or_anything(st.lists(_texts, max_size=2)),
        "dispatchedOrders": _or_anything(st.lists(_texts, max_size=2)),
        "performer": _texts,
        "fulfillmentTasks": _json,
        "appointments": _or_anything(_drafts),
    },
)
_access = _some(
    {},
    {
        "access_token": _texts,
        "token_type": st.just("Bearer"),
        "expires_in": _numbers,
        "scope": _texts,
        "subject": _texts,
        "patient": _texts,
    },
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Json]:
    """The id of a service, and a request for it: mostly of the right hook."""
    service = draw(st.sampled_from(SERVICES))
    document: Json = {
        "hook": draw(_or_anything(st.just(service.hook))),
        "hookInstance": draw(st.uuids().map(str) | _texts),
        "context": draw(_or_anything(_contexts)),
        "prefetch": {"patient": draw(_or_anything(_patients)), **{key: draw(_lists(key)) for key in LISTS}},
    }
    if draw(st.integers(0, 9)) == 0:
        document |= {"fhirServer": draw(_json), "fhirAuthorization": draw(_or_anything(_access))}
    return service.service_id, document
