"""Who is measured: the service in its ways of running, the limit, and the peers, each with how it is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.calls import Call
from bench.servers import ROOT, Server
from bench.tokens import AUDIENCE, Issuer

THREADS = 16
RULES, READ = "rules", "read"
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
# Enough for 20,000 Observations, and no limit of calls that a measurement would run into, but counted all the same.
_ROOM = {"CDS_MAX_BODY_MB": "64", "CDS_RATE_LIMIT": "1000000000"}
_ORDERS = frozenset({"order-select", "order-select-record", "order-sign-200"})
_WITHOUT_LARGEST = _ORDERS | {"patient-view-200", "patient-view-2000", "discovery"}
_EVERYTHING = _WITHOUT_LARGEST | {"patient-view-20000", "feedback"}
_WITH_TOKENS = _ORDERS | {"patient-view-200", "feedback"}


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody who answers calls. `prefix` stands before the paths of hooks, `algorithm` signs the tokens it asks for.

    `settings` are environment variables; `discovery` is its own path of discovery; `calls` names what it is asked.
    `gives_cards` says when an answer has to hold a card: `RULES`, as the rules have it; `READ`, where something was
    prefetched; never without it.
    """

    name: str
    command: tuple[str, ...]
    calls: frozenset[str]
    settings: Mapping[str, str]
    prefix: str = ""
    algorithm: str = ""
    discovery: str = "/cds-services"
    gives_cards: str = ""

    def requests(self, call: Call, issuer: Issuer, number: int) -> Iterator[bytes]:
        """So many requests of this call, with a token each where it asks for tokens; all of them are signed here."""
        if not call.body:
            return islice(Call(call.name, self.discovery).requests("", None), number)
        signed = iter(list(issuer.tokens(call.path, self.algorithm, number))) if self.algorithm else None
        return islice(call.requests(self.prefix, signed), number)

    def is_right(self, call: Call, answer: bytes) -> bool:
        """Whether the answer holds cards exactly where it has to."""
        if call.cards is None:
            return True
        wanted = {RULES: call.cards, READ: b'"prefetch"' in call.body}.get(self.gives_cards, False)
        return bool(json.loads(answer)["cards"]) == wanted

    def start(self, folder: Path, core: int | None) -> Server:
        """A running server of it, with its log and its files in the folder. Raises DidNotStart."""
        (folder / self.name).mkdir(exist_ok=True)
        probe = next(Call("discovery", self.discovery).requests("", None))
        environment = {
            name: value.replace("{folder}", str(folder / self.name)) for name, value in self.settings.items()
        }
        return Server.start(self.command, environment, probe, core, folder / self.name / "server.log")


def all_subjects(issuer: Issuer, folder: Path, postgresql: str | None) -> dict[str, Subject]:
    """Every subject by its name; that on PostgreSQL only with the address of a database."""
    made = [*_services(issuer, folder, postgresql), *_bare_ones(issuer), *_peers(), *_other_servers()]
    return {subject.name: subject for subject in made}


def _services(issuer: Issuer, folder: Path, postgresql: str | None) -> list[Subject]:
    """The service under its own server: in demo mode, which asks for no tokens, and in production mode."""
    serve = (sys.executable, "-m", "cds_service", "serve")
    common = {"HOST": "127.0.0.1", "PORT": "{port}", "WEB_CONCURRENCY": "1", "WEB_THREADS": str(THREADS), **_ROOM}
    demo = {**common, "CDS_MODE": "demo", "CDS_DATABASE_URL": "sqlite:///{folder}/cds.sqlite3"}
    production = {
        **common,
        "CDS_MODE": "production",
        "CDS_PUBLIC_BASE_URL": AUDIENCE,
        "CDS_TIMEZONE": "UTC",
        "CDS_CLIENTS_FILE": str(issuer.write_clients_file(folder)),
        "CDS_DATABASE_URL": "sqlite:///{folder}/cds.sqlite3",
    }
    made = [
        Subject("service", serve, _EVERYTHING, demo, gives_cards=RULES),
        Subject("service, ES384", serve, _WITH_TOKENS, production, algorithm="ES384", gives_cards=RULES),
        Subject("service, RS384", serve, frozenset({"order-select"}), production, algorithm="RS384", gives_cards=RULES),
    ]
    if postgresql is not None:
        stored = {**demo, "CDS_DATABASE_URL": postgresql}
        made.append(Subject("service, PostgreSQL", serve, frozenset({"feedback"}), stored, gives_cards=RULES))
    return made


def _bare_ones(issuer: Issuer) -> list[Subject]:
    bare = (sys.executable, "-m", "bench.peers.bare")
    threads = {"WEB_THREADS": str(THREADS)}
    checking = {**threads, "BENCH_KEYS": json.dumps(issuer.key_set())}
    return [
        Subject("bare function", (*bare, "msgspec", "{port}"), _EVERYTHING, threads),
        Subject("bare function, ES384", (*bare, "msgspec", "{port}"), _WITH_TOKENS, checking, algorithm="ES384"),
        Subject(
            "bare function, RS384",
            (*bare, "msgspec", "{port}"),
            frozenset({"order-select"}),
            checking,
            algorithm="RS384",
        ),
        Subject("bare function, json", (*bare, "json", "{port}"), _EVERYTHING - {"discovery", "feedback"}, threads),
        Subject("Flask view", (*bare, "flask", "{port}"), _WITHOUT_LARGEST, threads),
    ]


def _peers() -> list[Subject]:
    """HealthChain, once as documented, and once with an own route that can see the draft orders as well."""
    uvicorn = (str(PEERS_PYTHON), "-m", "uvicorn", "bench.peers.healthchain_app:app", "--host", "127.0.0.1")
    command = (*uvicorn, "--port", "{port}")
    return [
        Subject(
            "HealthChain",
            command,
            _EVERYTHING - {"feedback"},
            {},
            "/cds",
            discovery="/cds/cds-discovery",
            gives_cards=READ,
        ),
        Subject(
            "HealthChain, drafts",
            command,
            _ORDERS,
            {},
            prefix="/orders",
            discovery="/cds/cds-discovery",
            gives_cards=READ,
        ),
    ]


def _other_servers() -> list[Subject]:
    """The service under other servers; they are compared beside a crowd only."""
    demo = {"CDS_MODE": "demo", "WEB_THREADS": str(THREADS), **_ROOM}
    packages = PEERS_PYTHON.parents[1] / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    granian = (sys.executable, "-m", "bench.peers.granian_server", "{port}", str(packages))
    waitress = (sys.executable, "-m", "bench.peers.waitress_server", "{port}")
    return [
        Subject("granian", granian, frozenset(), demo, gives_cards=RULES),
        Subject("waitress", waitress, frozenset(), demo, gives_cards=RULES),
    ]
