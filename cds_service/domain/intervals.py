"""A number known only within bounds: `<5` proves "below 80" and cannot prove "above 3" (clinical-rules C4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.domain.certainty import Certainty
from cds_service.domain.quantities import exact_product, exact_quotient


@dataclass(frozen=True, slots=True)
class Interval:
    """All values a reported number may have. A bound of None is open; `…_included` says whether it belongs."""

    low: Decimal | None
    high: Decimal | None
    low_included: bool = True
    high_included: bool = True

    @classmethod
    def exactly(cls, value: Decimal) -> Interval:
        """Just this value."""
        return cls(value, value)

    @classmethod
    def of(cls, comparator: str, value: Decimal) -> Interval | None:
        """What `comparator value` says, such as `<` and 5; None for a comparator that FHIR does not have."""
        match comparator:
            case "":
                return cls.exactly(value)
            case "<":
                return cls(None, value, high_included=False)
            case "<=":
                return cls(None, value)
            case ">":
                return cls(value, None, low_included=False)
            case ">=":
                return cls(value, None)
        return None

    @property
    def exact(self) -> Decimal | None:
        """The value, where there is only one."""
        return self.low if self.low is not None and self.low == self.high else None

    def times(self, factor: Decimal) -> Interval:
        """Every value multiplied by a positive factor."""
        low = None if self.low is None else exact_product(self.low, factor)
        if self.high is self.low:
            return Interval(low, low, self.low_included, self.high_included)
        high = None if self.high is None else exact_product(self.high, factor)
        return Interval(low, high, self.low_included, self.high_included)

    def divided_by(self, divisor: Decimal) -> Interval:
        """Every value divided by a positive divisor."""
        low = None if self.low is None else exact_quotient(self.low, divisor)
        is_exact = self.low is self.high
        high = low if is_exact else None if self.high is None else exact_quotient(self.high, divisor)
        return Interval(low, high, self.low_included, self.high_included)

    def is_above(self, limit: Decimal) -> Certainty:
        """Whether the value is greater than the limit; the limit itself is not."""
        if self.low is not None and (self.low > limit or (self.low == limit and not self.low_included)):
            return Certainty.TRUE
        return Certainty.FALSE if self.high is not None and self.high <= limit else Certainty.UNKNOWN

    def is_below(self, limit: Decimal) -> Certainty:
        """Whether the value is less than the limit; the limit itself is not."""
        if self.high is not None and (self.high < limit or (self.high == limit and not self.high_included)):
            return Certainty.TRUE
        return Certainty.FALSE if self.low is not None and self.low >= limit else Certainty.UNKNOWN
