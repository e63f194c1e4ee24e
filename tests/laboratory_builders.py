"""Results of the laboratory and the tests that are ordered: labs, antibody titres, tests for infections, smears.

labs        results by test; one the case does not state is unremarkable, two days before the call or the infusion
panels      a follow-up of one day each: `on` an ISO day, and perhaps `at` and `status` for all of it; ALT, AST, total
            bilirubin, PT and INR, unremarkable unless named; every other test of `labs` where it is named
counts      the same for a blood count: platelets, unremarkable unless named, and what else is named
smears      looks for schistocytes: `result` is a text or a code, or `string`, yesterday unless it says when

In a panel or count, a test is a value, a mapping with the words of `labs`, or none; its id is that of the panel with
the test, such as panel-1-alt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from resource_parts import (
    TERMINOLOGY,
    Json,
    authored,
    concept,
    effective,
    is_none,
    issued,
    quantity,
    refuse_unknown_words,
    subject,
    unit,
    written_time,
)

# Test → LOINC, the default child's value, the default range in the unit of that value.
TESTS: dict[str, tuple[str, str, tuple[str, str] | None]] = {
    "alt": ("1742-6", "20 U/L", ("0", "40")),
    "ast": ("1920-8", "25 U/L", ("0", "40")),
    "total_bilirubin": ("1975-2", "0.4 mg/dL", ("0.1", "1.0")),
    "albumin": ("1751-7", "4.0 g/dL", ("3.5", "5.0")),
    "prothrombin_time": ("5902-2", "12.0 s", ("11.0", "13.5")),
    "partial_thromboplastin_time": ("14979-9", "30 s", ("25", "40")),
    "inr": ("6301-6", "1.0 {INR}", ("0.9", "1.1")),
    "creatinine": ("2160-0", "0.3 mg/dL", ("0.2", "0.5")),
    "hemoglobin": ("718-7", "12.0 g/dL", ("10.0", "14.0")),
    "platelets": ("777-3", "300 10*3/uL", ("150", "450")),
    "direct_bilirubin": ("1968-7", "0 mg/dL", None),
    "platelet_estimate": ("49497-1", "0 10*3/uL", None),
    "ldh": ("14804-9", "0 U/L", None),
    "haptoglobin": ("4542-7", "0 mg/dL", None),
    "troponin_i": ("10839-9", "0 ng/mL", None),
    "troponin_t": ("6598-7", "0 ng/mL", None),
}
WITHOUT_DEFAULT = (
    "direct_bilirubin", "platelet_estimate", "ldh", "haptoglobin", "troponin_i", "troponin_t",
)  # fmt: skip
LIVER_PANEL = ("alt", "ast", "total_bilirubin", "prothrombin_time", "inr")
UCUM_LABS = (
    "U/L", "[IU]/L", "ukat/L", "nkat/L", "mg/dL", "umol/L", "g/dL", "g/L", "mmol/L", "s", "%", "{INR}", "{ratio}", "1",
    "10*3/uL", "10*9/L", "/uL", "{titer}", "[IU]/mL", "{copies}/mL",
    "ng/mL", "ng/L", "pg/mL", "ug/L",
)  # fmt: skip
LAB_WORDS = (
    "value string concept absent days_ago at when issued_days_ago status range range_unit ranges flag code display "
    "subject id"
)
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
TITER_WORDS = "text ratio quantity concept absent days_ago at when issued_days_ago status method name code subject id"
INFECTION_TEST_WORDS = "code name result value days_ago at when status subject id"
SMEAR_WORDS = "result string flag code days_ago at when status subject id"
REQUEST_WORDS = "code text status intent days_ago written wanted subject id"


def laboratory_resources(given: Mapping[str, Any], today: date, baseline: date) -> list[Json]:
    """Every result of the record, and the tests ordered there. What the case does not state lies before `baseline`."""
    made = list(_labs(given.get("labs", {}), today, baseline))
    for word, tests in (("panels", LIVER_PANEL), ("counts", ("platelets",))):
        for n, item in enumerate(given.get(word, []), start=1):
            made += _panel(f"{word.removesuffix('s')}-{n}", item, tests, today)
    titers = given.get("titers", [{"text": "1:25", "when": f"{baseline - timedelta(days=10)}T08:00:00Z"}])
    made += [titer(item, n, today) for n, item in enumerate(titers, start=1)]
    made += [_smear(item, n, today) for n, item in enumerate(given.get("smears", []), start=1)]
    made += [_infection_test(item, n, today) for n, item in enumerate(given.get("infection_tests", []), start=1)]
    made += [
        request({"id": f"request-{n}", "days_ago": 1, **item}, today, "active")
        for n, item in enumerate(given.get("requests", []), start=1)
    ]
    return made


def _labs(stated: Any, today: date, baseline: date) -> Iterator[Json]:
    if is_none(stated):
        return
    foreign = set(stated) - set(TESTS)
    assert not foreign, f"unknown tests in labs: {sorted(foreign)}"
    for test in TESTS:
        results = stated.get(test, "none" if test in WITHOUT_DEFAULT else {})
        if is_none(results):
            continue
        for number, item in enumerate(results if isinstance(results, list) else [results], start=1):
            item = item if isinstance(item, Mapping) else {"value": item}
            day = today if test in stated else baseline
            yield lab_result(test, {"id": f"lab-{test.replace('_', '-')}-{number}", **item}, day)


def _panel(name: str, item: Mapping[str, Any], tests: Iterable[str], today: date) -> list[Json]:
    """What was measured on one day: these tests and those the item names, except where it says none. `at` is an hour.

    YAML reads the word `on` without quotes as true.
    """
    item = {"on" if word is True else word: value for word, value in item.items()}
    own = {word: item[word] for word in ("status", "subject") if word in item}
    at = item.get("at", "08:00")
    own["when"] = str(item["on"]) if is_none(at) else f"{item['on']}T{at}:00Z"
    foreign = set(item) - {"on", "at", "status", "subject"} - set(TESTS)
    assert not foreign, f"unknown words in {name}: {sorted(foreign)}"
    made = []
    for test in dict.fromkeys((*tests, *(word for word in item if word in TESTS))):
        stated = item.get(test, {})
        if is_none(stated):
            continue
        result = stated if isinstance(stated, Mapping) else {"value": stated}
        made.append(lab_result(test, {"id": f"{name}-{test.replace('_', '-')}", **own, **result}, today))
    return made


def _smear(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, SMEAR_WORDS, "smears")
    made: Json = {
        "resourceType": "Observation",
        "id": item.get("id", f"smear-{number}"),
        "status": item.get("status", "final"),
        "code": concept(str(item.get("code", "800-3")), default_system="LOINC"),
        **subject(item),
        **effective({"days_ago": 1, **item}, today),
    }
    if "flag" in item:
        made["interpretation"] = [interpretation(item["flag"])]
    if "string" in item:
        return {**made, "valueString": str(item["string"])}
    result = item.get("result", "Present")
    return made if is_none(result) else {**made, "valueCodeableConcept": concept(str(result))}


def interpretation(flag: object) -> Json:
    """What the laboratory says of a result by one of its flags."""
    return {"coding": [{"system": f"{TERMINOLOGY}/v3-ObservationInterpretation", "code": str(flag)}]}


def lab_result(test: str, item: Mapping[str, Any], today: date) -> Json:
    """One result; what the item does not say is that of the default child."""
    refuse_unknown_words(item, LAB_WORDS, f"labs: {test}")
    assert _says_otherwise(item) or "value" in item or test not in WITHOUT_DEFAULT, f"labs: {test} has no default value"
    code, value, _ = TESTS[test]
    code = str(item.get("code", code))
    named = {} if code == "none" else concept(code, default_system="LOINC")
    if "display" in item and code != "none":
        named["coding"][0]["display"] = item["display"]
    elif "display" in item:
        named["text"] = item["display"]
    made: Json = {
        "resourceType": "Observation",
        "id": item["id"],
        "status": item.get("status", "final"),
        "code": named or {"text": test},
        **subject(item),
        **effective({"days_ago": 2, **item}, today),
        **issued(item, today),
        **_value({"value": value, **item} if not _says_otherwise(item) else item),
    }
    if "flag" in item:
        made["interpretation"] = [interpretation(item["flag"])]
    ranges = _ranges(test, item)
    return {**made, "referenceRange": ranges} if ranges else made


def _says_otherwise(item: Mapping[str, Any]) -> bool:
    """Whether the result is anything but a number."""
    return any(name in item for name in ("string", "concept", "absent"))


def _value(item: Mapping[str, Any]) -> Json:
    """A result in the one shape the item names: a number with its unit, a text, a concept, or none."""
    if item.get("absent"):
        reason = "unknown" if item["absent"] is True else str(item["absent"])
        return {"dataAbsentReason": {"coding": [{"system": f"{TERMINOLOGY}/data-absent-reason", "code": reason}]}}
    if "concept" in item:
        return {"valueCodeableConcept": concept(str(item["concept"]))}
    if "string" in item:
        return {"valueString": str(item["string"])}
    return {} if is_none(item["value"]) else {"valueQuantity": quantity(str(item["value"]), UCUM_LABS)}


def _ranges(test: str, item: Mapping[str, Any]) -> list[Json]:
    """The reference ranges. A range that is written without a unit of its own is in the unit of the value."""
    if "ranges" in item:
        return list(item["ranges"])
    _, default_value, default_range = TESTS[test]
    stated = item.get("range", default_range)
    if is_none(stated):
        return []
    if isinstance(stated, str):
        return [{"text": stated}]
    value = item.get("value", default_value) if "range" in item else default_value
    own_unit = quantity(str(default_value if is_none(value) else value)).get("unit", "")
    range_unit = item.get("range_unit", own_unit)
    written = "" if is_none(range_unit) else str(range_unit)
    made = {
        name: quantity(str(limit)) | unit(written, UCUM_LABS)
        for name, limit in zip(("low", "high"), stated, strict=True)
        if not is_none(limit)
    }
    return [made]


def titer(item: Any, number: int, today: date) -> Json:
    """One anti-AAV9 antibody result."""
    assert isinstance(item, (str, Mapping)), f"put the titre in quotes: {item}"
    item = item if isinstance(item, Mapping) else {"text": item}
    refuse_unknown_words(item, TITER_WORDS, "titers")
    code: Json = {"coding": concept(str(item["code"]))["coding"]} if "code" in item else {}
    name = item.get("name", "Anti-AAV9 antibody titer")
    made: Json = {
        "resourceType": "Observation",
        "id": item.get("id", f"titer-{number}"),
        "status": item.get("status", "final"),
        # A result without a code is found among all laboratory results, and nowhere else.
        "category": [{"coding": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]}],
        "code": code if is_none(name) else {**code, "text": name},
        **subject(item),
        **effective({"days_ago": 10, **item}, today),
        **issued(item, today),
    }
    if "method" in item:
        made["method"] = {"text": item["method"]}
    if "ratio" in item:
        numerator, denominator = (quantity(str(part)) for part in item["ratio"])
        return {**made, "valueRatio": {"numerator": numerator, "denominator": denominator}}
    renamed = {"quantity": "value", "text": "string"}
    return {**made, **_value({"value": "none", **{renamed.get(word, word): item[word] for word in item}})}


def _infection_test(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, INFECTION_TEST_WORDS, "infection_tests")
    code = concept(str(item["code"]), default_system="LOINC") if "code" in item else {}
    made: Json = {
        "resourceType": "Observation",
        "id": item.get("id", f"infection-test-{number}"),
        "status": item.get("status", "final"),
        "code": {**code, "text": item["name"]} if "name" in item else code,
        **subject(item),
        **effective({"days_ago": 2, **item}, today),
    }
    if "value" in item:
        return {**made, "valueQuantity": quantity(str(item["value"]), UCUM_LABS)}
    return {**made, "valueCodeableConcept": concept(str(item.get("result", "Detected")))}


def request(item: Mapping[str, Any], today: date, status: str) -> Json:
    """One ServiceRequest, such as an ordered test or a diet."""
    refuse_unknown_words(item, REQUEST_WORDS, "requests")
    code = concept(str(item["code"]), default_system="LOINC") if "code" in item else {}
    made: Json = {
        "resourceType": "ServiceRequest",
        "id": item["id"],
        "status": item.get("status", status),
        "intent": item.get("intent", "order"),
        "code": {**code, "text": item["text"]} if "text" in item else code,
        **subject(item),
        **authored(item, today),
    }
    if "wanted" in item:
        made["occurrenceDateTime"] = written_time(item["wanted"])
    return made
