"""References in one spelling, `Type/id`, whatever a sender writes: absolute, versioned, contained or relative."""

from __future__ import annotations

import re

from cds_service.fhir.json_shapes import JsonObject, an_object, objects, text

_NOTHING: tuple[object, ...] = (None, "", {}, [])
# Without a limit of length: production servers have ids of more than the 64 characters that FHIR allows.
_ID = re.compile(r"[A-Za-z0-9.-]+")
_TYPED = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([^/?#]+)(?:/_history/[^/]+)?/?$")


def plain_reference(written: object) -> str:
    """`Type/id` without base address and version; a contained (`#…`) or `urn:` reference as it is; else "".

    One that stands in a list of its own, as one large EHR writes single values, is read as if it stood without.
    """
    reference = text(written[0]) if isinstance(written, list) and len(written) == 1 else text(written)
    if reference.startswith(("#", "urn:")):
        return reference
    match = _TYPED.search(reference)
    return f"{match[1]}/{match[2]}" if match else ""


def own_reference(resource: JsonObject) -> str:
    """The reference under which a resource is known: `Type/id`, or only its type where it has no id."""
    return reference_as(text(resource.get("resourceType")), resource)


def reference_as(kind: str, resource: JsonObject) -> str:
    """The same where the resource's type has been read already."""
    identity = text(resource.get("id"))
    return f"{kind}/{identity}" if identity else kind


def is_an_id(written: str) -> bool:
    """Whether a text holds only what the id of a resource may, so that a reference can name it."""
    return _ID.fullmatch(written) is not None


def referenced(element: object) -> str:
    """The plain reference inside a FHIR Reference element, or ""."""
    return plain_reference(an_object(element).get("reference"))


def is_about(resource: JsonObject, patient: str) -> bool | None:
    """Whether a resource's subject is this patient; None only where it states no subject at all.

    A subject that cannot be resolved (a display, an identifier, an odd shape) is somebody else's.
    """
    stated = [subject for name in ("subject", "patient") if (subject := resource.get(name)) not in _NOTHING]
    if not stated:
        return None
    return all([isinstance(subject, dict) and _refers_to(subject, patient) for subject in stated])


def _refers_to(element: JsonObject, patient: str) -> bool:
    written = element.get("reference")
    # Every resource of a chart passes here, and nearly all write it so.
    if written == patient and not ("?" in patient or "#" in patient):
        return True
    return plain_reference(written) == patient


def identifiers(resource: JsonObject) -> frozenset[str]:
    """A resource's business identifiers as `system|value`; one without a system identifies nothing."""
    return frozenset(
        f"{text(item.get('system'))}|{text(item.get('value'))}"
        for item in objects(resource.get("identifier"))
        if text(item.get("system")) and text(item.get("value"))
    )
