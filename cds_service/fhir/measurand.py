"""Observation.code → what an Observation is a result of."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_service.fhir.json_shapes import JsonObject, objects
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.titer import ANTI_AAV9, is_titer, may_name_titer


@dataclass(frozen=True, slots=True)
class Measurand:
    """The concepts a code stands for, and whether it is the test for the antibody to AAV9, also by its name alone."""

    concepts: frozenset[str]
    is_titer: bool

    @property
    def is_known(self) -> bool:
        """Whether it is anything that this service knows; most of what a hospital measures is not."""
        return self.is_titer or bool(self.concepts)


_NOTHING = Measurand(frozenset(), False)


@dataclass(frozen=True, slots=True)
class MeasurandReader:
    """Reads the codes of one call's Observations.

    `_names` are the names that came and whether the antibody test may be meant. A chart has thousands of results of
    some dozen tests, and each name is looked through once; nothing of it outlives the call.
    """

    recognition: Recognition
    _names: dict[str, bool] = field(default_factory=dict, init=False, repr=False)

    def of(self, resource: JsonObject) -> Measurand:
        """What an Observation, or a part of one, is a result of."""
        code = resource.get("code")
        concepts = self.recognition.concept_of(code)
        may_be_titer = ANTI_AAV9 in concepts or self._may_name_titer(code)
        if not (may_be_titer or concepts):
            return _NOTHING
        return Measurand(concepts, may_be_titer and is_titer(resource, concepts, self.recognition))

    def _may_name_titer(self, code: object) -> bool:
        for item in objects(code):
            names = [item.get("text"), *[coding.get("display") for coding in objects(item.get("coding"))]]
            if any([self._is_name_of_titer(name) for name in names if isinstance(name, str)]):
                return True
        return False

    def _is_name_of_titer(self, name: str) -> bool:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = may_name_titer(name, self.recognition)
        return known
