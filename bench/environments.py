"""What has to be installed for each subject: packages and megabytes, counted from what the distributions list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

from bench.servers import ROOT
from bench.subjects import PEERS_PYTHON

_LOCKED = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==")
# Beside its packages the service is these folders.
_OWN_FOLDERS = ("cds_service", "cards", "fhir_fixtures")


@dataclass(frozen=True, slots=True)
class Installed:
    """How many packages, and how many megabytes their files have."""

    packages: int
    megabytes: float


def installed() -> dict[str, Installed]:
    """By subject: the service with everything in requirements.lock, the others with what they require."""
    own = _named(distributions())
    peers = _named(
        distributions(path=[str(path) for path in PEERS_PYTHON.parents[1].glob("lib/python*/site-packages")])
    )
    locked = _LOCKED.findall((ROOT / "requirements.lock").read_text("utf-8"))
    service = _sum_of([own[name] for name in map(_plain, locked) if name in own])
    return {
        "service": Installed(service.packages, service.megabytes + _own_megabytes()),
        "bare function": _sum_of(_closure(["gunicorn", "msgspec", "pyjwt[crypto]"], own)),
        "Flask view": _sum_of(_closure(["gunicorn", "flask"], own)),
        "HealthChain": _sum_of(_closure(["healthchain"], peers)),
    }


def version_of(name: str) -> str:
    """The version of an installed package, of the peers' where ours has it not."""
    own, peers = (
        distributions(name=name),
        distributions(
            name=name, path=[str(path) for path in PEERS_PYTHON.parents[1].glob("lib/python*/site-packages")]
        ),
    )
    return next((found.version for found in (*own, *peers)), "not installed")


def _named(found: Iterable[Distribution]) -> dict[str, Distribution]:
    return {_plain(each.name): each for each in found}


def _plain(name: str) -> str:
    """The name of a package as all its spellings have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(wanted: Iterable[str], found: Mapping[str, Distribution]) -> list[Distribution]:
    """These packages, and whatever they require here, each once."""
    seen: dict[str, Distribution] = {}
    open_ = [Requirement(name) for name in wanted]
    done: set[tuple[str, str]] = set()
    while open_:
        requirement = open_.pop()
        name = _plain(requirement.name)
        for extra in requirement.extras or {""}:
            if (name, extra) in done or name not in found:
                continue
            done.add((name, extra))
            seen[name] = found[name]
            parsed = [Requirement(line) for line in found[name].requires or ()]
            open_ += [each for each in parsed if _is_wanted(each, extra)]
    return list(seen.values())


def _is_wanted(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": name}) for name in {extra, ""})


def _sum_of(found: Iterable[Distribution]) -> Installed:
    counted = list(found)
    files = {file.locate() for each in counted for file in each.files or ()}
    size = sum(Path(file).stat().st_size for file in files if Path(file).is_file())
    return Installed(len(counted), size / 1e6)


def _own_megabytes() -> float:
    files = (path for folder in _OWN_FOLDERS for path in (ROOT / folder).rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file() and "node_modules" not in path.parts) / 1e6
