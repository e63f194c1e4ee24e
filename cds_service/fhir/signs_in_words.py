"""Signs that a record names in words only: whoever writes them may raise an alarm and prove nothing (C1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.fhir.recognition import Recognition, clauses

# Concept → the list of its words.
_LISTS: Mapping[str, str] = {
    "encephalopathy": "sign_encephalopathy",
    "decreased_alertness": "sign_decreased_alertness",
    "deterioration": "sign_deterioration",
    "bruising": "sign_bruising",
    "jaundice": "sign_jaundice",
    "seizure": "sign_seizure",
    "oliguria": "sign_oliguria",
}
SIGNS = frozenset(_LISTS)


_NOT_HERE = ("denial", "not_about_now")


def signs_in(texts: Iterable[str], recognition: Recognition) -> frozenset[str]:
    """The signs that these texts name as present: not denied, nobody else's, not only feared, not over."""
    return _signs(
        (clause for said in texts for clause in clauses(said) if not _is_over(clause, recognition)), recognition
    )


def past_signs_in(texts: Iterable[str], recognition: Recognition) -> frozenset[str]:
    """The signs that these texts name as over."""
    return _signs((clause for said in texts for clause in clauses(said) if _is_over(clause, recognition)), recognition)


def _signs(parts: Iterable[str], recognition: Recognition) -> frozenset[str]:
    return frozenset(
        concept
        for clause in parts
        for concept, list_name in _LISTS.items()
        if recognition.affirms(list_name, clause, _NOT_HERE)
    )


def _is_over(clause: str, recognition: Recognition) -> bool:
    return recognition.begins_with("past_event", clause)
