"""The code systems that cards name in their codings, under the addresses they name them by."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from cds_service import __version__
from cds_service.fhir import OwnCode, OwnCodeSystem, code_system_resource
from cds_service.presentation import Catalogue, RuleCard
from cds_service.presentation.catalogue import CODE_SYSTEMS

CODE_SYSTEM_BODIES = "cds_code_system_bodies"
_NAMES = ",".join(f"'{name}'" for name in CODE_SYSTEMS)

code_systems = Blueprint("code_systems", __name__)


@code_systems.get(f"/CodeSystem/<any({_NAMES}):name>")
def code_system(name: str) -> Response:
    """One code system, written once at the start."""
    return Response(current_app.extensions[CODE_SYSTEM_BODIES][name], content_type="application/fhir+json")


def code_system_bodies(catalogue: Catalogue, base_url: str) -> dict[str, bytes]:
    """The code systems as FHIR JSON, by the last part of their address."""
    codes = {
        "card-topics": _topics(catalogue),
        "override-reasons": tuple(OwnCode(code, said) for code, said in catalogue.phrases.override_reasons),
        "rules": tuple(_rule(card, base_url) for card in catalogue.cards.values()),
    }
    return {name: _body(name, codes[name], catalogue, base_url) for name in CODE_SYSTEMS}


def _topics(catalogue: Catalogue) -> tuple[OwnCode, ...]:
    return tuple(OwnCode(code, text.display, text.definition) for code, text in catalogue.topics.items())


def _rule(card: RuleCard, base_url: str) -> OwnCode:
    topic = (_address(base_url, "card-topics"), card.topic)
    sections = {"label-section": card.section} if card.section else {}
    return OwnCode(card.rule_id, card.title, texts=sections, codings={"topic": topic})


def _body(name: str, codes: tuple[OwnCode, ...], catalogue: Catalogue, base_url: str) -> bytes:
    text = catalogue.code_systems[name]
    return code_system_resource(
        OwnCodeSystem(
            url=_address(base_url, name),
            version=__version__,
            name=text.name,
            title=text.title,
            description=text.description,
            purpose=text.purpose,
            properties=text.properties,
            codes=codes,
        )
    )


def _address(base_url: str, name: str) -> str:
    return f"{base_url}/CodeSystem/{name}"
