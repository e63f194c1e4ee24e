"""Reading the numbers under `cards/`: the label's, the site's policy, those from outside, the tables, the units."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cds_service.domain.dose_table import DoseBand, DoseTable
from cds_service.domain.known import ChecklistLine, Known, KnownNumber, Numbers, Provenance
from cds_service.domain.quantities import UnitTable
from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.site_files import SiteCodes, SitePolicy
from cds_service.presentation.yaml_files import load_mapping, read_text


def load_known(
    folder: Path,
    site_policy: SitePolicy,
    site_codes: SiteCodes,
    checklist: tuple[ChecklistLine, ...],
    tests: Mapping[str, frozenset[str]],
) -> Known:
    """Everything a rule may use beside the facts. `tests`: what each test measures, first offered first.

    Raises ContentProblem or SettingsProblem.
    """
    return Known(
        label=Numbers(_label_numbers(folder / "label" / "values.yaml")),
        policy=Numbers(_policy_numbers(folder / "policy" / "site_policy.yaml", site_policy)),
        outside=Numbers(_outside_numbers(folder / "outside" / "values.yaml")),
        doses=_dose_table(folder / "label"),
        units=_units(folder / "outside" / "units.yaml", site_codes),
        checklist=checklist,
        panels=_panels(folder / "outside" / "panels.yaml"),
        test_for={analyte: test for test, covers in reversed(list(tests.items())) for analyte in covers},
        single_test_for={
            next(iter(covers)): test for test, covers in reversed(list(tests.items())) if len(covers) == 1
        },
        covered_by=tests,
    )


def _panels(path: Path) -> dict[str, frozenset[str]]:
    return {
        panel: frozenset(checks.require_texts(f"{path}: {panel}", analytes))
        for panel, analytes in load_mapping(path).items()
    }


def _label_numbers(path: Path) -> dict[str, KnownNumber]:
    numbers = {}
    for name, entry in load_mapping(path).items():
        where = f"{path}: {name}"
        given = checks.require_fields(where, entry, ("value", "unit", "section", "quote"))
        value = checks.require_number(where, given["value"])
        numbers[name] = KnownNumber(
            name,
            value,
            str(given["unit"]),
            Provenance.LABEL,
            checks.require_quoted_section(where, given["section"]),
            checks.require_proof(where, value, given["quote"]),
        )
    return numbers


def _policy_numbers(path: Path, site_policy: SitePolicy) -> dict[str, KnownNumber]:
    numbers = {}
    for name, entry in load_mapping(path).items():
        where = f"{path}: {name}"
        optional = ("section", "at_least", "at_most")
        given = checks.require_fields(where, entry, ("value", "unit", "because", "decided_by"), optional)
        default = checks.require_number(where, given["value"])
        numbers[name] = KnownNumber(
            name,
            site_policy.value_of(name, default, str(given["unit"]), given.get("at_least"), given.get("at_most")),
            str(given["unit"]),
            Provenance.POLICY,
            checks.require_quoted_section(where, given.get("section", "")),
            checks.require_text(where, "because", given["because"]),
            default,
            checks.require_text(where, "decided_by", given["decided_by"]),
        )
    site_policy.refuse_names_not_in(numbers)
    return numbers


def _outside_numbers(path: Path) -> dict[str, KnownNumber]:
    numbers = {}
    for name, entry in load_mapping(path).items():
        where = f"{path}: {name}"
        given = checks.require_fields(where, entry, ("value", "unit", "source"))
        value = checks.require_number(where, given["value"])
        source = checks.require_text(where, "source", given["source"])
        numbers[name] = KnownNumber(name, value, str(given["unit"]), Provenance.OUTSIDE, "", source)
    return numbers


def _dose_table(folder: Path) -> DoseTable:
    doses = _rows(folder / "table_1_dose.csv", ("weight_from_kg", "weight_to_kg", "volume_ml"))
    kits = _rows(
        folder / "table_3_kits.csv",
        ("weight_from_kg", "weight_to_kg", "vials_5_5_ml", "vials_8_3_ml", "total_vials", "ndc"),
    )
    edges = [(row["weight_from_kg"], row["weight_to_kg"]) for row in doses]
    if edges != [(row["weight_from_kg"], row["weight_to_kg"]) for row in kits]:
        raise ContentProblem(f"{folder}: tables 1 and 3 have different weight bands; correct one of them")
    try:
        return DoseTable.of(tuple(_band(dose, kit) for dose, kit in zip(doses, kits, strict=True)))
    except (InvalidOperation, ValueError) as error:
        raise ContentProblem(f"{folder}: a table holds something else than a number; correct it") from error


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(read_text(path)))
    if tuple(reader.fieldnames or ()) != columns:
        raise ContentProblem(f"{path}: its columns must be {','.join(columns)}; restore the header line")
    return list(reader)


def _band(dose: Mapping[str, str], kit: Mapping[str, str]) -> DoseBand:
    return DoseBand(
        from_kg=Decimal(dose["weight_from_kg"]),
        to_kg=Decimal(dose["weight_to_kg"]),
        volume_ml=Decimal(dose["volume_ml"]),
        small_vials=int(kit["vials_5_5_ml"]),
        large_vials=int(kit["vials_8_3_ml"]),
        total_vials=int(kit["total_vials"]),
        kit_ndc=kit["ndc"],
    )


def _units(path: Path, site_codes: SiteCodes) -> UnitTable:
    own_unit, factors, spellings, also_written = {}, {}, {}, {}
    for concept, entry in load_mapping(path).items():
        where = f"{path}: {concept}"
        given = checks.require_fields(where, entry, ("own_unit", "one_is", "source"), ("spellings", "also_written"))
        checks.require_fields(f"{where}: one_is", given["one_is"], (), given["one_is"])
        checks.require_fields(f"{where}: spellings", given.get("spellings", {}), (), given.get("spellings", {}))
        own_unit[concept] = str(given["own_unit"])
        factors[concept] = {
            str(unit): checks.require_number(f"{where}: {unit}", factor) for unit, factor in given["one_is"].items()
        }
        spellings[concept] = {str(s): str(u) for s, u in given.get("spellings", {}).items()}
        spellings[concept] |= site_codes.spellings_of(concept, factors[concept])
        checks.require_mapping(f"{where}: also_written", given.get("also_written", {}))
        also_written[concept] = {str(s): str(u) for s, u in given.get("also_written", {}).items()}
        foreign = set(spellings[concept].values()) - set(factors[concept])
        if foreign:
            raise ContentProblem(f"{where}: {min(foreign)} is no unit of it; add it under one_is")
    site_codes.refuse_unit_concepts_not_in(factors)
    return UnitTable(own_unit, factors, spellings, also_written)
