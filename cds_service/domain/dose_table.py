"""The label's two printed tables, joined: weight band, dose volume and kit name each other (label Tables 1 and 3)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class DoseBand:
    """One row of Table 1 with its kit of Table 3, as printed. Weights in kg, volumes in mL."""

    from_kg: Decimal
    to_kg: Decimal
    volume_ml: Decimal
    small_vials: int
    large_vials: int
    total_vials: int
    kit_ndc: str


@dataclass(frozen=True, slots=True)
class DoseTable:
    """All bands, lightest first. A band is looked up, never derived from the weight by a formula."""

    bands: tuple[DoseBand, ...]
    upper_edges: tuple[Decimal, ...]
    by_volume: dict[Decimal, DoseBand]
    by_kit: dict[str, DoseBand]

    @classmethod
    def of(cls, bands: tuple[DoseBand, ...]) -> DoseTable:
        """The table over these bands, which must come lightest first."""
        return cls(
            bands=bands,
            upper_edges=tuple(band.to_kg for band in bands),
            by_volume={band.volume_ml: band for band in bands},
            by_kit={band.kit_ndc: band for band in bands},
        )

    @property
    def lightest_kg(self) -> Decimal:
        """The smallest weight the table has a dose for."""
        return self.bands[0].from_kg

    @property
    def heaviest_kg(self) -> Decimal:
        """The largest weight the table has a dose for."""
        return self.bands[-1].to_kg

    def for_weight(self, rounded_kg: Decimal) -> DoseBand | None:
        """The band that prints this weight, or None outside the table. `rounded_kg` has the table's one decimal."""
        index = bisect_left(self.upper_edges, rounded_kg)
        if index == len(self.bands) or rounded_kg < self.bands[index].from_kg:
            return None
        return self.bands[index]

    def for_volume(self, volume_ml: Decimal) -> DoseBand | None:
        """The band with exactly this dose volume, or None."""
        return self.by_volume.get(volume_ml)

    def for_kit(self, kit_ndc: str) -> DoseBand | None:
        """The band whose kit this is (package code 5-3-2), or None."""
        return self.by_kit.get(kit_ndc)

    def around(self, raw_kg: Decimal) -> tuple[DoseBand, DoseBand] | None:
        """The two bands that a weight lies strictly between, or None where a band prints it or the table ends."""
        index = bisect_left(self.upper_edges, raw_kg)
        if index == 0 or index == len(self.bands) or raw_kg >= self.bands[index].from_kg:
            return None
        return self.bands[index - 1], self.bands[index]
