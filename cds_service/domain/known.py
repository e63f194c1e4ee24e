"""The numbers a rule may use, by provenance: the label's, the site's policy, and those from outside the label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from cds_service.domain.dose_table import DoseTable
from cds_service.domain.quantities import UnitTable


class Provenance(Enum):
    """Where a number comes from. A card never shows one kind as another."""

    LABEL = "label"
    POLICY = "policy"
    OUTSIDE = "outside-label"


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """One number with its unit, where it comes from, and the words or the reason that stand behind it.

    Of site policy also the built-in value, and who decided on that.
    """

    name: str
    value: Decimal
    unit: str
    provenance: Provenance
    section: str
    because: str
    default: Decimal | None = None
    decided_by: str = ""


class Numbers(Mapping[str, Decimal]):
    """Numbers of one provenance, read by name as exact decimals. `on_use` hears of every name that is read."""

    def __init__(self, numbers: Mapping[str, KnownNumber], on_use: Callable[[str], None] | None = None) -> None:
        self._numbers = dict(numbers)
        self._on_use = on_use

    def __getitem__(self, name: str) -> Decimal:
        """The number of this name. Raises KeyError if the card files have none."""
        if self._on_use is not None:
            self._on_use(name)
        return self._numbers[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a number; asking is not using it."""
        return name in self._numbers

    def described(self, name: str) -> KnownNumber:
        """The number with its unit, section and reason."""
        return self._numbers[name]

    def whole(self, name: str) -> int:
        """The number as a whole count of days, weeks or months."""
        return int(self[name])


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One line of the readiness checklist: what is checked, and the rules that check it.

    A line without rules is one this release cannot check, unless it `is_attested` by a person. `analyte` narrows
    rules that answer for several analytes to one of them.
    """

    check: str
    rules: tuple[str, ...]
    is_attested: bool
    analyte: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Everything a rule may use beside the facts; where it is read shows where it comes from. Compared by identity.

    `panels` maps a panel's concept to the analytes it measures, `test_for` an analyte to the test that is offered,
    `single_test_for` to the one that measures nothing else, and `covered_by` a test to all that it measures.
    """

    label: Numbers
    policy: Numbers
    outside: Numbers
    doses: DoseTable
    units: UnitTable
    checklist: tuple[ChecklistLine, ...]
    panels: Mapping[str, frozenset[str]]
    test_for: Mapping[str, str]
    single_test_for: Mapping[str, str]
    covered_by: Mapping[str, frozenset[str]]
