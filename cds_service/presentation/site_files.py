"""The two files a site may put over ours: its policy numbers, and its local codes and unit spellings (TOML)."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from cds_service.domain.codes import Code
from cds_service.errors import ContentProblem, SettingsProblem

WHOLE_UNITS = ("days", "weeks", "months", "month", "min", "hours", "switch")
POLICY_FILE, CODES_FILE = "CDS_POLICY_FILE", "CDS_CODES_FILE"


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """The site's own values for policy numbers, by dotted name."""

    file: str = ""
    values: Mapping[str, Decimal] = field(default_factory=dict)

    def value_of(self, name: str, default: Decimal, unit: str, at_least: object, at_most: object) -> Decimal:
        """The site's value, else the default. Raises SettingsProblem outside the allowed range."""
        value = self.values.get(name, default)
        refuse = self._refuse if name in self.values else _refuse_ours
        if unit in WHOLE_UNITS and value != value.to_integral_value():
            refuse(f"{name} is {value}; {unit} are counted whole")
        lower = Decimal(str(at_least)) if at_least is not None else Decimal(0)
        if value < lower or (at_most is not None and value > Decimal(str(at_most))):
            upper = f" to {at_most}" if at_most is not None else " or more"
            refuse(f"{name} is {value}; it must be {lower}{upper}")
        return value

    def _refuse(self, what: str) -> NoReturn:
        raise SettingsProblem(f"{self.file}: {what}")

    def refuse_names_not_in(self, known: Collection[str]) -> None:
        """Raise SettingsProblem for a name that is no policy number."""
        for name in self.values:
            if name not in known:
                raise SettingsProblem(f"{self.file}: {name} is no policy; `cds-service policy` lists them all")


@dataclass(frozen=True, slots=True)
class SiteCodes:
    """The site's local codes by concept, and its unit spellings by concept."""

    file: str = ""
    codes: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    spellings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def added_to(self, concepts: Mapping[str, tuple[Code, ...]]) -> dict[str, tuple[Code, ...]]:
        """The concepts with the site's codes added. Raises SettingsProblem for an unknown concept."""
        for concept in self.codes:
            if concept not in concepts:
                raise SettingsProblem(f"{self.file}: concept {concept} is unknown; use one of the files in codes/")
        return {concept: codes + self.codes.get(concept, ()) for concept, codes in concepts.items()}

    def spellings_of(self, concept: str, units: Collection[str]) -> dict[str, str]:
        """The site's spellings of this concept's units. Raises SettingsProblem for a unit it does not have."""
        for spelling, unit in self.spellings.get(concept, {}).items():
            if unit not in units:
                raise SettingsProblem(f"{self.file}: {spelling} means {unit}, which is no unit of {concept}")
        return dict(self.spellings.get(concept, {}))

    def refuse_unit_concepts_not_in(self, known: Collection[str]) -> None:
        """Raise SettingsProblem for spellings of a concept that has no units."""
        for concept in self.spellings:
            if concept not in known:
                raise SettingsProblem(f"{self.file}: concept {concept} has no units; see outside/units.yaml")


def _refuse_ours(what: str) -> NoReturn:
    raise ContentProblem(f"policy/site_policy.yaml: {what}")


def load_site_policy(path: Path | None) -> SitePolicy:
    """The site's policy file, or an empty one. Raises SettingsProblem where it cannot be read."""
    if path is None:
        return SitePolicy()
    where = f"{POLICY_FILE}: {path}"
    values = dict(_flat(read_toml(where, path), ""))
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not Decimal(value).is_finite():
            raise SettingsProblem(f"{where}: {name} is not a number; write digits")
    return SitePolicy(where, {name: Decimal(value) for name, value in values.items()})


def load_site_codes(path: Path | None) -> SiteCodes:
    """The site's codes file, or an empty one. Raises SettingsProblem where it cannot be read."""
    if path is None:
        return SiteCodes()
    where = f"{CODES_FILE}: {path}"
    content = read_toml(where, path)
    foreign = set(content) - {"code", "unit"}
    if foreign:
        raise SettingsProblem(f"{where}: {min(foreign)} is unknown; use [[code]] and [[unit]] tables")
    codes: dict[str, tuple[Code, ...]] = {}
    for entry in _tables(where, content, "code", ("concept", "system", "code", "name")):
        local = Code(entry["system"], entry["code"], entry["name"], "site")
        codes[entry["concept"]] = (*codes.get(entry["concept"], ()), local)
    spellings: dict[str, dict[str, str]] = {}
    for entry in _tables(where, content, "unit", ("concept", "spelling", "means")):
        spellings.setdefault(entry["concept"], {})[entry["spelling"]] = entry["means"]
    return SiteCodes(where, codes, spellings)


def _tables(where: str, content: Mapping[str, Any], name: str, fields: tuple[str, ...]) -> list[dict[str, str]]:
    tables = content.get(name, [])
    if not isinstance(tables, list):
        raise SettingsProblem(f"{where}: {name} is no list of tables; write [[{name}]]")
    for number, entry in enumerate(tables, start=1):
        if not isinstance(entry, dict) or set(entry) != set(fields) or not all(map(_is_text, entry.values())):
            raise SettingsProblem(f"{where}: [[{name}]] number {number} must have exactly {', '.join(fields)} as text")
    return list(tables)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def read_toml(where: str, path: Path) -> dict[str, Any]:
    """The content of a TOML file, numbers with a fraction as Decimal.

    Raises SettingsProblem that begins with `where`, which names the variable and the file.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise SettingsProblem(f"{where}: cannot be read ({error.strerror}); correct the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsProblem(f"{where}: is not TOML ({error}); correct it") from error


def _flat(content: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in content.items():
        flat += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return flat
