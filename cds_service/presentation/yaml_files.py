"""Reading our own YAML: decimals instead of floats, no key twice, every problem named with its file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from cds_service.errors import ContentProblem

try:  # the same loader in C, several times faster, where the library was built with it
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]


class _StrictLoader(SafeLoader):
    """Safe YAML whose numbers are exact and whose keys are unique."""


def _decimal(loader: _StrictLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)).replace("_", ""))


def _unique_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands twice", node.start_mark)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
_StrictLoader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


def load_yaml(path: Path) -> Any:
    """The content of a YAML file. Raises ContentProblem where it is missing or not acceptable YAML."""
    return load_yaml_text(read_text(path), path)


def load_yaml_text(text: str, path: Path) -> Any:
    """The content of YAML text that stands in this file. Raises ContentProblem where it is not acceptable."""
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ContentProblem(f"{path}: {' '.join(str(error).split())}") from error


def load_mapping(path: Path) -> dict[str, Any]:
    """The entries of a YAML file by name. Raises ContentProblem where it holds anything else."""
    content = load_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise ContentProblem(f"{path}: must hold entries by name; write `name:` lines")
    return content


def read_text(path: Path) -> str:
    """The text of one of our files. Raises ContentProblem where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ContentProblem(f"{path}: cannot be read ({error.strerror}); restore the file") from error
    except UnicodeDecodeError as error:
        raise ContentProblem(f"{path}: is not UTF-8 at byte {error.start}; save it as UTF-8") from error
