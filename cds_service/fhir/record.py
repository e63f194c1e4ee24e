"""What came about a patient: the prefetch the EHR sent, and what was asked for beside it. Nothing is read yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cds_service.domain.facts import Hindrance, Source
from cds_service.fhir.json_shapes import JsonObject
from cds_service.fhir.references import own_reference

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
    """The raw JSON of a patient's record. `beside` are resources of no list, such as Medications.

    `wanted` are the references of single resources that were to be read, whatever became of it.
    """

    prefetch: Mapping[str, object]
    fetched: Mapping[Source, FetchedList] = field(default_factory=dict)
    beside: tuple[JsonObject, ...] = ()
    wanted: frozenset[str] = frozenset()

    @classmethod
    def sent(cls, prefetch: Mapping[str, object] | None) -> Record:
        """The record as the EHR sent it."""
        return cls(prefetch if prefetch is not None else NO_PREFETCH)

    def with_lists(self, fetched: Mapping[Source, FetchedList]) -> Record:
        """The same with further lists asked for."""
        return replace(self, fetched={**self.fetched, **fetched})

    def with_resources(self, resources: tuple[JsonObject, ...], wanted: frozenset[str] = frozenset()) -> Record:
        """The same with further resources beside the lists, and with the references they were wanted for."""
        return replace(self, beside=(*self.beside, *resources), wanted=self.wanted | wanted)

    @property
    def unread(self) -> frozenset[str]:
        """The references of single resources that were wanted and did not come."""
        return self.wanted - {own_reference(resource) for resource in self.beside}

    @property
    def values(self) -> Mapping[str, object]:
        """Everything that came, as prefetch values under names nobody relies on."""
        if not self.fetched and not self.beside:
            return self.prefetch
        pages = (page for fetched in self.fetched.values() for page in fetched.pages)
        every = (*self.prefetch.values(), *pages, *self.beside)
        return {str(number): value for number, value in enumerate(every)}
