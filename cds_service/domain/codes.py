"""Codes and the concepts they stand for: exact pairs of system and code, looked up in one prepared dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Code:
    """One code of one system, by the system's short name, with its name and how sure the list is of it.

    `form` and the strengths stand at medicines only: oral, injection, systemic, or any where the code leaves the
    route open; strength per mL, or per tablet, portion or vial.
    """

    system: str
    code: str
    name: str
    confidence: str
    kit_ndc: str = ""
    completed_weeks: int | None = None
    form: str = ""
    mg_per_ml: Decimal | None = None
    mg_per_unit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CodeBook:
    """Which concept a code stands for. `by_code` maps (system address, code) → (concept, Code)."""

    concepts: Mapping[str, tuple[Code, ...]]
    addresses: Mapping[str, tuple[str, ...]]
    by_code: Mapping[tuple[str, str], tuple[str, Code]]

    @classmethod
    def of(cls, concepts: Mapping[str, tuple[Code, ...]], addresses: Mapping[str, tuple[str, ...]]) -> CodeBook:
        """The book over these concepts; `addresses` gives each system's short name its accepted addresses."""
        by_code = {
            (address, normal_code(item.system, item.code)): (concept, item)
            for concept, codes in concepts.items()
            for item in codes
            for address in addresses.get(item.system, (item.system,))
        }
        return cls(concepts, addresses, by_code)

    def look_up(self, address: object, code: object) -> tuple[str, Code] | None:
        """The concept and entry behind a code of this system address, or None if the list has no such pair."""
        if not isinstance(address, str) or not isinstance(code, str):
            return None
        address, code = address.strip(), code.strip()
        found = self.by_code.get((address, code))
        if found is None and "." in code:
            found = self.by_code.get((address, code.replace(".", "")))
        if found is None and len(code) == 1 and address in self.addresses.get("CVX", ()):
            found = self.by_code.get((address, normal_code("CVX", code)))
        return found

    def is_system(self, address: object, system: str) -> bool:
        """Whether an address is one of the accepted addresses of a system's short name."""
        return isinstance(address, str) and address.strip() in self.addresses[system]


def normal_code(system: str, code: str) -> str:
    """A code in the spelling it is compared in: ICD-10-CM without dots, CVX with two digits or more, others as is."""
    if system == "CVX":
        return code.zfill(2)
    return code.replace(".", "") if system == "ICD10CM" else code
