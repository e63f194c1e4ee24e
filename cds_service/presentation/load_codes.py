"""Reading the code lists under `cards/outside/codes/`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.domain.codes import Code, CodeBook
from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.site_files import SiteCodes
from cds_service.presentation.yaml_files import load_mapping

_FORMS = ("oral", "injection", "systemic", "any")
_OPTIONAL = ("ndc", "completed_weeks", "form", "mg_per_ml", "mg_per_unit", "prefix")
# The only system whose codes that begin alike mean alike.
_WITH_PREFIXES = "ICD10CM"


def load_codes(folder: Path, site_codes: SiteCodes) -> CodeBook:
    """All concepts with their codes, the site's own added. Raises ContentProblem or SettingsProblem."""
    systems = folder / "systems.yaml"
    addresses = {
        name: tuple(checks.require_texts(f"{systems}: {name}", uris)) for name, uris in load_mapping(systems).items()
    }
    concepts: dict[str, tuple[Code, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == "systems.yaml":
            continue
        for concept, entries in load_mapping(path).items():
            listed = checks.require_list(f"{path}: {concept}", entries)
            concepts[concept] = tuple(_code(path, concept, entry, addresses) for entry in listed)
    return CodeBook.of(site_codes.added_to(concepts), addresses)


def _code(path: Path, concept: str, entry: Any, addresses: Mapping[str, object]) -> Code:
    where = f"{path}: {concept}"
    needed = ("system", "code", "name", "confidence")
    given = checks.require_fields(where, entry, needed, _OPTIONAL)
    checks.require_one_of(where, "confidence", given["confidence"], ("confirmed_1", "confirmed_2plus"))
    return Code(
        system=checks.require_one_of(where, "system", given["system"], addresses.keys()),
        code=checks.require_text(where, "code", given["code"]),
        name=checks.require_text(where, "name", given["name"]),
        confidence=given["confidence"],
        kit_ndc=given.get("ndc", ""),
        completed_weeks=given.get("completed_weeks"),
        form=checks.require_one_of(where, "form", given["form"], _FORMS) if "form" in given else "",
        mg_per_ml=_strength(where, given, "mg_per_ml"),
        mg_per_unit=_strength(where, given, "mg_per_unit"),
        is_prefix=_is_prefix(where, given),
    )


def _is_prefix(where: str, given: Mapping[str, Any]) -> bool:
    if "prefix" not in given:
        return False
    if given["prefix"] is not True or given["system"] != _WITH_PREFIXES:
        raise ContentProblem(f"{where}: {given['code']}: prefix is true or left out, and of {_WITH_PREFIXES} only")
    return True


def _strength(where: str, given: Mapping[str, Any], field: str) -> Decimal | None:
    if field not in given:
        return None
    strength = checks.require_number(f"{where}: {given['code']}: {field}", given[field])
    if strength <= 0:
        raise ContentProblem(f"{where}: {given['code']}: {field} is {strength}; a strength is above 0")
    return strength
