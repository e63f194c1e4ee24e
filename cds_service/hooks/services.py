"""One row for each CDS Service that works. What is not in this table is not offered."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.errors import UnknownService
from cds_service.fhir import ScopeSyntax, prefetch_templates, scopes_for_queries
from cds_service.presentation import Catalogue

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class CdsService:
    """A service as discovery shows it; its title and description stand in the card files."""

    service_id: str
    hook: str
    hook_version: str


SERVICES = (
    CdsService("onasemnogene-order-select", "order-select", "1.0"),
    CdsService("onasemnogene-order-sign", "order-sign", "1.0"),
    CdsService("onasemnogene-order-dispatch", "order-dispatch", "1.1"),
    CdsService("onasemnogene-patient-view", "patient-view", "1.0"),
    CdsService("onasemnogene-encounter-start", "encounter-start", "1.0"),
    CdsService("onasemnogene-encounter-discharge", "encounter-discharge", "1.0"),
    CdsService("onasemnogene-appointment-book", "appointment-book", "1.0"),
)
_BY_ID = {service.service_id: service for service in SERVICES}


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs between the versions of CDS Hooks we speak; a version "" is not told in discovery (R-026)."""

    spec_version: str
    scope_syntax: ScopeSyntax


PROFILES = {"2.0": Profile("", ScopeSyntax.SMART_1), "3.0": Profile("3.0.0", ScopeSyntax.SMART_2)}


def service_by_id(service_id: str) -> CdsService:
    """The service with this id. Raises UnknownService where there is none."""
    try:
        return _BY_ID[service_id]
    except KeyError as unknown:
        raise UnknownService("no CDS Service has this id; GET /cds-services lists them") from unknown


def discovery(catalogue: Catalogue, spec_profile: str) -> Json:
    """The discovery document (R-016 to R-037). The 3.0 profile adds the versions, and writes scopes as SMART 2 does.

    Both profiles understand both ways of writing a scope that was granted (R-051).
    """
    templates = prefetch_templates(catalogue.codes)
    return {"services": [_entry(service, templates, catalogue, PROFILES[spec_profile]) for service in SERVICES]}


def _entry(service: CdsService, templates: dict[str, str], catalogue: Catalogue, profile: Profile) -> Json:
    texts = catalogue.phrases.texts
    scopes = scopes_for_queries(profile.scope_syntax)
    entry: Json = {
        "hook": service.hook,
        "id": service.service_id,
        "title": texts[f"title_{service.hook}"].plain.render(),
        "description": texts[f"description_{service.hook}"].plain.render(),
        "usageRequirements": texts["usage_requirements"].plain.render(scopes=scopes),
        "prefetch": templates,
    }
    if profile.spec_version:
        entry |= {"version": profile.spec_version, "hookVersion": service.hook_version}
    return entry
