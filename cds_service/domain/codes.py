"""Codes and the concepts they stand for: exact pairs of system and code, looked up in one prepared dictionary.

Of ICD-10-CM an entry may be the beginning of codes: `C` stands for every code of a malignant neoplasm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

# Only what has the shape of such a code is compared with the beginnings of codes.
_ICD10CM = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")


@dataclass(frozen=True, slots=True)
class Code:
    """One code of one system, by the system's short name, with its name and how sure the list is of it.

    `form` and the strengths stand at medicines only: oral, injection, systemic, or any where the code leaves the
    route open; strength per mL, or per tablet, portion or vial. `is_prefix`: it stands for all codes that begin so.
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
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class CodeBook:
    """Which concept a code stands for. `by_code` maps (system address, code) → (concept, Code).

    `by_prefix` maps the addresses of systems with such entries → the beginning of a code → (concept, Code).
    `listed_systems` are the addresses of all systems with entries.
    """

    concepts: Mapping[str, tuple[Code, ...]]
    addresses: Mapping[str, tuple[str, ...]]
    by_code: Mapping[tuple[str, str], tuple[str, Code]]
    by_prefix: Mapping[str, Mapping[str, tuple[str, Code]]]
    listed_systems: frozenset[str]

    @classmethod
    def of(cls, concepts: Mapping[str, tuple[Code, ...]], addresses: Mapping[str, tuple[str, ...]]) -> CodeBook:
        """The book over these concepts; `addresses` gives each system's short name its accepted addresses."""
        by_code: dict[tuple[str, str], tuple[str, Code]] = {}
        by_prefix: dict[str, dict[str, tuple[str, Code]]] = {}
        for concept, codes in concepts.items():
            for item in codes:
                code = normal_code(item.system, item.code)
                for address in addresses.get(item.system, (item.system,)):
                    if item.is_prefix:
                        by_prefix.setdefault(address, {})[code] = (concept, item)
                    else:
                        by_code[(address, code)] = (concept, item)
        return cls(
            concepts, addresses, by_code, by_prefix, frozenset({address for address, _ in by_code} | by_prefix.keys())
        )

    def look_up(self, address: object, code: object) -> tuple[str, Code] | None:
        """The concept and entry behind a code of this system address, or None if the list has no such pair."""
        if not isinstance(address, str) or not isinstance(code, str):
            return None
        address, code = address.strip(), code.strip()
        # Most codes of a chart are of the sender's own systems, and end here.
        if address not in self.listed_systems:
            return None
        found = self.by_code.get((address, code))
        if found is None and "." in code:
            found = self.by_code.get((address, code.replace(".", "")))
        if found is None and len(code) == 1 and address in self.addresses.get("CVX", ()):
            found = self.by_code.get((address, normal_code("CVX", code)))
        if found is None and address in self.by_prefix:
            found = self._by_beginning(address, code)
        return found

    def _by_beginning(self, address: str, code: str) -> tuple[str, Code] | None:
        """The entry with the longest beginning of this code."""
        plain = normal_code("ICD10CM", code)
        if _ICD10CM.fullmatch(plain) is None:
            return None
        beginnings = (plain[:length] for length in range(len(plain), 0, -1))
        return next((entry for part in beginnings if (entry := self.by_prefix[address].get(part))), None)

    def is_system(self, address: object, system: str) -> bool:
        """Whether an address is one of the accepted addresses of a system's short name."""
        return isinstance(address, str) and address.strip() in self.addresses[system]


def normal_code(system: str, code: str) -> str:
    """A code in the spelling it is compared in: ICD-10-CM without dots, CVX with two digits or more, others as is."""
    if system == "CVX":
        return code.zfill(2)
    return code.replace(".", "") if system == "ICD10CM" else code
