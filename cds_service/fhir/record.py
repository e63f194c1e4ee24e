"""What came about a patient: the prefetch the EHR sent, and what was asked for beside it. Nothing is read yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cds_service.domain.facts import Hindrance, Source
from cds_service.fhir.json_shapes import JsonObject

NO_PREFETCH: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class FetchedList:
    """The answers to our own queries for one list, each page by page, and what kept the rest away.

    `continues`: they are the pages that follow those the EHR sent.
    """

    answers: tuple[tuple[JsonObject, ...], ...] = ()
    hindrance: Hindrance | None = None
    continues: bool = False

    @property
    def pages(self) -> tuple[JsonObject, ...]:
        """The pages of all answers."""
        return tuple(page for pages in self.answers for page in pages)


@dataclass(frozen=True, slots=True)
class Record:
    """The raw JSON of a patient's record. `beside` are resources of no list, such as Medications."""

    prefetch: Mapping[str, object]
    fetched: Mapping[Source, FetchedList] = field(default_factory=dict)
    beside: tuple[JsonObject, ...] = ()

    @classmethod
    def sent(cls, prefetch: Mapping[str, object] | None) -> Record:
        """The record as the EHR sent it."""
        return cls(prefetch if prefetch is not None else NO_PREFETCH)

    def with_lists(self, fetched: Mapping[Source, FetchedList]) -> Record:
        """The same with further lists asked for."""
        return replace(self, fetched={**self.fetched, **fetched})

    def with_resources(self, resources: tuple[JsonObject, ...]) -> Record:
        """The same with further resources beside the lists."""
        return replace(self, beside=(*self.beside, *resources)) if resources else self

    @property
    def values(self) -> Mapping[str, object]:
        """Everything that came, as prefetch values under names nobody relies on."""
        if not self.fetched and not self.beside:
            return self.prefetch
        pages = {
            f"{source.value} {number}": page
            for source, fetched in self.fetched.items()
            for number, page in enumerate(fetched.pages)
        }
        return {**self.prefetch, **pages, **{f"beside {number}": r for number, r in enumerate(self.beside)}}
