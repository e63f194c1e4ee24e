"""Reading the words of the published code systems and of the topics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.catalogue import CODE_SYSTEMS, TOPICS, CodeSystemText, TopicText
from cds_service.presentation.words import words_in
from cds_service.presentation.yaml_files import load_mapping

_TEXTS = ("name", "title", "description", "purpose")


def load_code_systems(path: Path, revision: str) -> tuple[dict[str, TopicText], dict[str, CodeSystemText]]:
    """The topics and the code systems by their codes, exactly those there are; `revision` is that of the label.

    Raises ContentProblem with the file, the fault and the remedy.
    """
    given = checks.require_fields(path, load_mapping(path), ("code_systems", "topics"))
    topics = checks.require_fields(f"{path}: topics", given["topics"], TOPICS)
    systems = checks.require_fields(f"{path}: code_systems", given["code_systems"], CODE_SYSTEMS)
    return (
        {code: _topic(f"{path}: {code}", topics[code]) for code in TOPICS},
        {code: _code_system(f"{path}: {code}", systems[code], revision) for code in CODE_SYSTEMS},
    )


def _topic(where: str, entry: Any) -> TopicText:
    given = checks.require_fields(where, entry, ("display", "definition"))
    return TopicText(**{name: checks.require_text(where, name, given[name]) for name in given})


def _code_system(where: str, entry: Any, revision: str) -> CodeSystemText:
    given = checks.require_fields(where, entry, _TEXTS, ("properties",))
    properties = checks.require_mapping(f"{where}: properties", given.get("properties", {}))
    texts = {name: checks.require_text(where, name, given[name]) for name in _TEXTS}
    texts["description"] = _with_revision(where, texts["description"], revision)
    return CodeSystemText(
        **texts, properties={name: checks.require_text(where, name, said) for name, said in properties.items()}
    )


def _with_revision(where: str, text: str, revision: str) -> str:
    try:
        return words_in(where, text).plain.render(revision=revision)
    except UndefinedError as error:
        raise ContentProblem(f"{where}: description: {error.message}; write no name but {{{{ revision }}}}") from error
