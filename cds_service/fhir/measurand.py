"""Observation.code → what an Observation is a result of."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_service.fhir.json_document import as_one_text
from cds_service.fhir.json_shapes import JsonObject
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.titer import is_titer


@dataclass(frozen=True, slots=True)
class Measurand:
    """The concepts a code stands for, and whether it is the test for the antibody to AAV9, known by its name alone too.

    `is_known`: it is one of either; most of what a hospital measures is not, and is read no further.
    """

    concepts: frozenset[str]
    is_titer: bool
    is_known: bool


@dataclass(frozen=True, slots=True)
class MeasurandReader:
    """Reads the codes of one call's Observations.

    `_read` is what codes mean, as they are written. A chart has thousands of results of some dozen tests, and to look
    at each code once takes a quarter of the time. Nothing of it outlives the call.
    """

    recognition: Recognition
    _read: dict[bytes, Measurand] = field(default_factory=dict, init=False, repr=False)

    def of(self, resource: JsonObject) -> Measurand:
        """What an Observation, or a part of one, is a result of."""
        code = resource.get("code")
        written = as_one_text(code)
        read = self._read.get(written)
        if read is None:
            concepts = self.recognition.concept_of(code)
            is_a_titer = is_titer(resource, concepts, self.recognition)
            read = self._read[written] = Measurand(concepts, is_a_titer, bool(concepts) or is_a_titer)
        return read
