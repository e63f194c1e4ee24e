"""The HAPI FHIR validator with R4's own definitions: fetched by pinned coordinates, checked, started once for many resources.

It needs a JDK, and Maven with a package index for the first time; what Maven brought stays in build/hapi/.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = Path(__file__).parent / "hapi" / "ValidateResources.java"
COORDINATES = PROGRAM.with_name("pom.xml")
CHECKSUMS = PROGRAM.with_name("jars.sha256")
JARS = ROOT / "build" / "hapi"
JAVA = "17"
FETCH = ("mvn", "--batch-mode", "--no-transfer-progress", "--quiet", "-Dstyle.color=never", "--file", str(COORDINATES))
# A package index that fails once goes on where it stopped: Maven keeps what it has.
TRIES = 3
# One short run beside other tests: a compiler that starts quickly, and no threads for collecting garbage.
SHORT_RUN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class ValidatorUnavailable(Exception):
    """The validator cannot be started here; the message is one line that says what to install."""


class UntrustedJars(Exception):
    """A jar is not the one that was pinned; the message is one line that says which."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing the validator says of a resource: `severity` is error, warning or information; where, and what."""

    severity: str
    path: str
    message: str


def validate(resources: Sequence[bytes]) -> list[tuple[Issue, ...]]:
    """What the validator says of each resource, in their order; each is one line of JSON.

    Raises ValidatorUnavailable where Java or Maven is missing or Maven brings nothing, and UntrustedJars.
    """
    class_path = os.pathsep.join(str(jar) for jar in trusted_jars())
    command = ["java", *SHORT_RUN, "-Dslf4j.internal.verbosity=ERROR", "--source", JAVA, "-cp", class_path]
    done = subprocess.run([*command, str(PROGRAM)], input=b"\n".join(resources), capture_output=True, check=False)
    assert done.returncode == 0, f"the validator ended with {done.returncode}: {done.stderr.decode()[-2000:]}"
    outcomes = done.stdout.splitlines()
    assert len(outcomes) == len(resources), f"{len(outcomes)} answers to {len(resources)} resources"
    return [_issues(outcome) for outcome in outcomes]


def trusted_jars() -> list[Path]:
    """The validator's jars, each with the checksum that was pinned; fetched with Maven where they are not there yet."""
    if shutil.which("javac") is None:
        raise ValidatorUnavailable(
            f"no JDK found; install one of Java {JAVA} or newer, on Debian: default-jdk-headless"
        )
    pinned = pinned_checksums()
    if not all((JARS / name).is_file() for name in pinned):
        _fetch()
    wrong = [name for name, checksum in pinned.items() if _checksum(JARS / name) != checksum]
    if wrong:
        raise UntrustedJars(f"{JARS / wrong[0]} is not the jar of {CHECKSUMS.name}; delete build/hapi and try again")
    return [JARS / name for name in pinned]


def pinned_checksums() -> dict[str, str]:
    """Every jar by name with its SHA-256, as `sha256sum` writes them."""
    lines = CHECKSUMS.read_text(encoding="ascii").splitlines()
    return {name: checksum for checksum, name in (line.split() for line in lines)}


def _fetch() -> None:
    if shutil.which("mvn") is None:
        raise ValidatorUnavailable("no Maven found to fetch the HAPI FHIR validator with; install maven")
    for _ in range(TRIES):
        done = subprocess.run([*FETCH, "dependency:copy-dependencies"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    said = [line for line in done.stdout.splitlines() if line.removeprefix("[ERROR]").strip()] or ["no word of Maven's"]
    raise ValidatorUnavailable(f"Maven could not fetch the HAPI FHIR validator: {said[0]}")


def _checksum(jar: Path) -> str:
    return hashlib.sha256(jar.read_bytes()).hexdigest() if jar.is_file() else "missing"


def _issues(outcome: bytes) -> tuple[Issue, ...]:
    found = json.loads(outcome)["issue"]
    return tuple(Issue(item["severity"], *item.get("expression", [""])[:1], item["diagnostics"]) for item in found)
