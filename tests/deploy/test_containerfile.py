"""The container recipe: no root, packages by hash, and all that the service needs to run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (ROOT / "deploy" / "Containerfile").read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    """Every instruction with its arguments, on one line each."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n", "", RECIPE))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    begins = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    return found[begins:]


def values(name: str) -> list[str]:
    return [rest for instruction, rest in last_stage() if instruction == name]


def test_it_runs_as_a_user_who_is_not_root() -> None:
    (user,) = values("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert "RUN" not in [name for name, _ in last_stage()]


def test_packages_are_installed_by_hash_and_none_runs_code_to_be_installed() -> None:
    (install,) = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]
    assert "--require-hashes --only-binary :all: --requirement /build/requirements.lock" in install


def test_the_base_image_is_chosen_in_one_place() -> None:
    bases = [rest.split(" AS ")[0] for name, rest in instructions() if name == "FROM"]
    assert bases == ["${PYTHON}", "${PYTHON}"]
    (chosen,) = [rest for name, rest in instructions() if name == "ARG"]
    assert re.fullmatch(r"PYTHON=docker\.io/library/python:3\.\d+-slim-[a-z]+", chosen)


def test_its_health_check_asks_a_path_that_the_service_has(app: Flask) -> None:
    (check,) = values("HEALTHCHECK")
    (path,) = set(re.findall(r"/health/[a-z]+", check))
    assert path in {rule.rule for rule in app.url_map.iter_rules()}
    command = json.loads(check.partition("CMD ")[2])
    compile(command[2], "health check", "exec")


def test_it_ends_by_the_signal_that_lets_calls_finish() -> None:
    assert values("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(values("ENTRYPOINT")[0])[1:] == ["-m", "cds_service"]
    assert json.loads(values("CMD")[0]) == ["serve"]


def test_what_is_copied_is_enough_to_run_from_a_folder_that_is_read_only(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in [part for kind, rest in instructions() if kind == "COPY" for part in rest.split()[:-1]]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif not name.startswith(("--from", "/")):
            shutil.copy(source, tmp_path / name)
    usual = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    environment = usual | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    before = set(tmp_path.rglob("*"))
    environment["CDS_DATABASE_URL"] = f"sqlite:///{tmp_path_factory.mktemp('elsewhere')}/memory.sqlite3"
    for words in (["cards"], ["--version"], ["policy"], ["migrate"], ["report"]):
        done = subprocess.run(
            [sys.executable, "-m", "cds_service", *words], env=environment, cwd="/", capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b""), words
    assert set(tmp_path.rglob("*")) == before


def test_the_client_libraries_of_postgresql_and_redis_are_in_it() -> None:
    (locked,) = [rest for kind, rest in instructions() if kind == "COPY" and "requirements.lock" in rest]
    lock = (ROOT / locked.split()[0]).read_text("utf-8")
    assert re.search(r"(?m)^psycopg\[binary\]==", lock)
    assert re.search(r"(?m)^redis==", lock)
