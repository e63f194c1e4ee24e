"""The fixture records as stores of the demo's FHIR server: of all patients, and of each scenario its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from threading import Lock

from cds_service.fhir.json_shapes import JsonObject, an_object, objects
from cds_service.web.fhir_search import FhirRefused
from cds_service.web.fhir_server import read_json
from cds_service.web.fhir_store import FhirStore
from cds_service.web.fixture_requests import moved_to

_ALL_PATIENTS = ""


class FixtureRecords:
    """Stores with their dates moved to a day; each is made when it is first asked for, and kept for that day."""

    def __init__(self, folder: Path, requests: Mapping[str, str]) -> None:
        self._folder = folder
        self._requests = requests
        self._day = date.min
        self._stores: dict[str, FhirStore] = {}
        self._lock = Lock()

    def of_all_patients(self, today: date) -> FhirStore:
        """The records of all fixture patients."""
        return self._kept(_ALL_PATIENTS, today, lambda: FhirStore.of(self._of_every_patient(today)))

    def of_scenario(self, name: str, today: date) -> FhirStore:
        """What the prefetch of the scenario `service/name` holds. Raises FhirRefused (404) where there is none."""
        request = self.request_of(name)
        return self._kept(name, today, lambda: FhirStore.of(_in_prefetch(moved_to(today, request))))

    def request_of(self, name: str) -> str:
        """The call of the scenario as it is written. Raises FhirRefused (404) where there is none."""
        request = self._requests.get(name)
        if request is None:
            raise FhirRefused(404, "not-found", "no scenario has this name; GET /demo/hook_requests lists them")
        return request

    def _kept(self, name: str, today: date, make: Callable[[], FhirStore]) -> FhirStore:
        with self._lock:
            if today != self._day:
                self._day, self._stores = today, {}
            if name not in self._stores:
                self._stores[name] = make()
            return self._stores[name]

    def _of_every_patient(self, today: date) -> Iterator[JsonObject]:
        for path in sorted(self._folder.glob("patients/*/*.json")):
            yield from _resources_in(read_json(moved_to(today, path.read_text(encoding="utf-8"))))


def _in_prefetch(request_text: str) -> Iterator[JsonObject]:
    for value in an_object(read_json(request_text).get("prefetch")).values():
        yield from _resources_in(value)


def _resources_in(value: object) -> Iterator[JsonObject]:
    """The resources of a Bundle, or a resource itself; null, text and other shapes hold none."""
    resource = an_object(value)
    if resource.get("resourceType") == "Bundle":
        yield from (an_object(entry.get("resource")) for entry in objects(resource.get("entry")))
    else:
        yield resource
