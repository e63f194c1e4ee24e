"""The command line. Exit codes: 0 done, 1 the work failed, 2 wrong use or bad input; errors are one line."""

from __future__ import annotations

import os
import re
import signal
import sys
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cds_service import __version__
from cds_service.config import Settings, load_settings
from cds_service.errors import CdsError, NoUsableAnswer, SettingsProblem, StoreUnavailable

if TYPE_CHECKING:
    from cds_service.hooks.clients import Client
    from cds_service.presentation.catalogue import Grade

_WORK_FAILED, _BAD_INPUT = 1, 2
# A hook call holds one thread while it asks this same server, the demo's FHIR server, about ten questions at once.
_THREADS = 64
# Several such calls together need more than waitress's 100 connections, or each waits for the others to end.
_CONNECTIONS = 512
# Characters that steer a terminal or turn its text around; in JSON they are as well written as escapes.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class _OneLineErrors(click.Group):
    """A command group whose errors are one line on standard error, with a traceback only on request."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; one of our own faults becomes one line and exit code 2."""
        try:
            return super().invoke(ctx)
        except CdsError as error:
            if ctx.params.get("debug"):
                raise
            _fail(str(error), _WORK_FAILED if isinstance(error, StoreUnavailable) else _BAD_INPUT)
        except (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
            if ctx.params.get("debug"):
                raise
            _fail(f"the work failed ({type(error).__name__}); run with --debug to see where", _WORK_FAILED)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    raise SystemExit(code)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cds-service")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Decision support for orders of onasemnogene abeparvovec, as CDS Hooks services."""


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on 127.0.0.1.")
def demo(port: int) -> None:
    """Serve on loopback with synthetic patients and without authentication."""
    settings = load_settings(os.environ, mode="demo", public_base_url=f"http://127.0.0.1:{port}")
    if settings.mode != "demo":
        raise SettingsProblem("CDS_MODE is production; unset it to run the demo")
    _serve_demo(settings, "127.0.0.1", port)


@main.command()
def serve() -> None:
    """Serve on HOST and PORT; what the Procfile runs."""
    host, port = os.environ.get("HOST", "127.0.0.1"), _port(os.environ.get("PORT", "8000"))
    settings = load_settings(os.environ)
    if settings.mode == "demo":
        settings = load_settings(os.environ, public_base_url=f"http://{host}:{port}")
    _serve_in_processes(settings, host, port)


def _serve_in_processes(settings: Settings, host: str, port: int) -> None:
    if settings.mode == "demo":
        _require_loopback(host)
    from cds_service.app import create_app, load_files
    from cds_service.operations.log import set_up_logging
    from cds_service.server import listen, run_server, server_size

    size = server_size(
        os.environ,
        is_state_shared=settings.shared_state_url != "memory://",
        is_production=settings.mode == "production",
    )
    loaded = load_files(settings)
    try:
        listening = listen(host, port)
    except OSError as error:
        _fail(f"cannot listen on {host} port {port} ({error.strerror}); choose another HOST or PORT", _WORK_FAILED)
    set_up_logging(settings.log_level)
    run_server(lambda: create_app(settings, loaded, size.threads), listening, size)


def _port(written: str) -> int:
    if not written.isdecimal() or not 0 < int(written) < 65536:
        raise SettingsProblem(f"PORT is {written}; use a number from 1 to 65535")
    return int(written)


def _serve_demo(settings: Settings, host: str, port: int) -> None:
    from waitress.server import create_server

    from cds_service.app import create_app
    from cds_service.hooks.views import STORE
    from cds_service.operations import RESOURCES
    from cds_service.operations.garbage_collection import leave_what_stays
    from cds_service.operations.interpreter_lines import route_interpreter_lines

    app = create_app(settings, server_threads=_THREADS)
    leave_what_stays()
    route_interpreter_lines()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    address = f"http://{host}:{port}"
    # Twice the limit is still received, so that the refusal is ours; all of it stays in memory, off the disk.
    received = 2 * settings.max_body_bytes
    try:
        server = create_server(
            app,
            host=host,
            port=port,
            threads=_THREADS,
            connection_limit=_CONNECTIONS,
            ident=None,
            max_request_body_size=received,
            inbuf_overflow=received + 1,
            outbuf_overflow=received + 1,
        )
    except OSError as error:
        _fail(f"cannot listen on {address} ({error.strerror}); choose another port", _WORK_FAILED)
    temporary = " (temporary)" if settings.database_url is None else ""
    click.echo(f"Serving synthetic data on {address} (advisory only, not clinically reviewed). Ctrl-C stops it.")
    click.echo(f"Services: {address}/cds-services   Requests to try: {address}/demo/hook_requests")
    click.echo(f"Database: {_masked(app.extensions[STORE].where)}{temporary}")
    try:
        server.run()
    finally:
        app.extensions[RESOURCES].close()


def _require_loopback(host: str) -> None:
    if not _is_loopback(host):
        raise SettingsProblem(f"HOST is {host}; demo mode serves on loopback only, use 127.0.0.1")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@main.command()
@click.argument("request_file", metavar="REQUEST.json")
@click.option("--now", metavar="ISO", help="The moment of the call, instead of the real one.")
@click.option("--json", "as_json", is_flag=True, help="Print the response for machines.")
def evaluate(request_file: str, now: str | None, as_json: bool) -> None:
    """Evaluate one CDS Hooks request from a file, or from standard input with "-"."""
    settings = load_settings(os.environ, mode="demo")
    if now is not None:
        settings = settings.model_copy(update={"now": _moment(now, settings)})
    body = _read(request_file)
    from cds_service.app import create_catalogue, create_clients, create_evaluator
    from cds_service.hooks.clients import client_of
    from cds_service.hooks.json_body import write_json
    from cds_service.hooks.reading import read_call_of_any_service
    from cds_service.operations.log import set_up_logging

    set_up_logging(settings.log_level)
    catalogue = create_catalogue(settings)
    clients = create_clients(settings, catalogue)
    evaluator = create_evaluator(settings, catalogue, clients)
    call = read_call_of_any_service(body)
    answer = evaluator.answer(call, client_of(clients, call.fhir_server))
    if as_json:
        click.echo(_UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", write_json(answer).decode()))
        return
    from cds_service.card_printing import print_cards

    print_cards(answer["cards"])


def _moment(written: str, settings: Settings) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise SettingsProblem(f"--now is {written}; write it like 2026-03-02T09:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=settings.zone)


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise SettingsProblem(f"{name}: cannot be read ({error.strerror}); name a request file") from error


@main.command("replay")
@click.argument("base_url", metavar="BASE_URL")
@click.option("--token-file", metavar="F", help="A file with one token, which the service has to accept on every call.")
@click.option(
    "--key-file", metavar="F", help="A file with a private key (JWK or PEM) that signs a token for each call."
)
@click.option("--issuer", metavar="ISS", help="With --key-file: the issuer of the tokens, as the service knows it.")
@click.option("--key-id", metavar="KID", help="With --key-file: the id of the key, unless the JWK names it.")
def replay_fixtures(
    base_url: str, token_file: str | None, key_file: str | None, issuer: str | None, key_id: str | None
) -> None:
    """Send every fixture request to a running service and compare the answers with the expected ones."""
    from cds_service.content_folders import FHIR_FIXTURES
    from cds_service.replay import RunningService, load_left_out, load_scenarios, read_signer, read_token, replay

    _require_one_kind_of_token(token_file, key_file, issuer, key_id)
    token = read_token(Path(token_file)) if token_file is not None else ""
    signer = read_signer(Path(key_file), issuer, key_id or "") if key_file is not None and issuer else None
    service = RunningService.at(base_url, token, signer)
    left_out = load_left_out(FHIR_FIXTURES / "calendar.yaml")
    try:
        differing = replay(service, load_scenarios(FHIR_FIXTURES), left_out, click.echo)
    except NoUsableAnswer as error:
        _fail(str(error), _WORK_FAILED)
    raise SystemExit(_WORK_FAILED if differing else 0)


def _require_one_kind_of_token(
    token_file: str | None, key_file: str | None, issuer: str | None, key_id: str | None
) -> None:
    if token_file is not None and key_file is not None:
        raise SettingsProblem("--token-file and --key-file are both given; use one of them")
    if key_file is None and (issuer is not None or key_id is not None):
        raise SettingsProblem("--issuer and --key-id belong to --key-file; name the file with the private key as well")
    if key_file is not None and not issuer:
        raise SettingsProblem("--issuer is missing; with --key-file name the issuer that the service knows")


@main.command("migrate")
def migrate_schema() -> None:
    """Bring the database to the current schema."""
    settings = load_settings(os.environ)
    from cds_service.store import migrate_database

    where = migrate_database(_database_of(settings, creates=True))
    click.echo(f"{_masked(where)}: at the current schema")


@main.command()
@click.option("--csv", "as_csv", is_flag=True, help="Print lines for a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="Print the report for machines.")
def report(as_csv: bool, as_json: bool) -> None:
    """Print per topic and rule: cards shown, accepted, overridden, the reasons, and the trend by week."""
    if as_csv and as_json:
        raise SettingsProblem("--csv and --json are both given; use one of them")
    settings = load_settings(os.environ)
    from cds_service.store import read_report

    read = read_report(_database_of(settings, creates=False), settings.zone)
    from cds_service import report_printing

    if as_csv:
        from cds_service.app import create_catalogue

        reasons = [code for code, _ in create_catalogue(settings).phrases.override_reasons]
        click.echo(report_printing.report_as_csv(read, reasons), nl=False)
    elif as_json:
        click.echo(report_printing.report_as_json(read))
    else:
        report_printing.print_report(read)


def _database_of(settings: Settings, *, creates: bool) -> str:
    """The address of the database. Raises SettingsProblem for one that is not there and is not to be created."""
    from cds_service.store import DEFAULT_URL, database_url

    if settings.mode == "demo" and settings.database_url is None:
        raise SettingsProblem("CDS_DATABASE_URL is not set; in demo mode nothing is kept without it")
    written = settings.database_url or DEFAULT_URL
    url = database_url(written)
    if not creates and url.drivername == "sqlite" and not Path(url.database or "").is_file():
        raise SettingsProblem(f"CDS_DATABASE_URL: there is no file {url.database}; nothing has been kept there yet")
    return written


@main.command("check-config")
def check_config() -> None:
    """Validate every configuration file and print the effective values."""
    settings = load_settings(os.environ)
    from cds_service.app import create_admission, create_catalogue, create_clients
    from cds_service.store import database_url
    from cds_service.store.shared_state import open_shared_state

    catalogue = create_catalogue(settings)
    clients = create_clients(settings, catalogue)
    if settings.database_url is not None:
        database_url(settings.database_url)
    shared = open_shared_state(settings.shared_state_url)
    for name in Settings.model_fields:
        click.echo(f"CDS_{name.upper()}={_masked(getattr(settings, name))}")
    changed = [n for n in catalogue.known.policy if _is_changed(catalogue.known.policy.described(n))]
    click.echo(f"cards: {len(catalogue.cards)} rules; site policy changed: {', '.join(changed) or 'nothing'}")
    for client in clients:
        click.echo(_described(client))
    create_admission(settings, clients, shared, server_threads=1)


def _described(client: Client) -> str:
    """One client on one line: who it is, its FHIR servers, and how it differs from the specification."""
    quirks = ", ".join(f"{name}={_shown(value)}" for name, value in client.quirks.differing().items())
    fhir = ", ".join(client.fhir_base_urls)
    inside = ", ".join(str(network) for network in client.private_networks)
    return (
        f"client {client.name}: issuer {_masked(client.issuer)}; FHIR {fhir or 'none'}; "
        f"{f'private networks {inside}; ' if inside else ''}quirks {quirks or 'none'}"
    )


def _shown(quirk: object) -> str:
    if isinstance(quirk, tuple):
        return "+".join(str(getattr(item, "order", item)) for item in quirk)
    return str(quirk).lower()


def _masked(value: object) -> str:
    """The value, with the user, password and parameters inside an address hidden."""
    written = "" if value is None else str(value)
    scheme, found, rest = written.partition("://")
    if not found:
        return written
    credentials, at, place = rest.rpartition("@")
    if "?" in credentials:
        return f"{scheme}://***"  # the @ may belong to a password or to a parameter
    shown, asked, _ = place.partition("?")
    return f"{scheme}://{'***@' if at else ''}{shown}{'?***' if asked else ''}"


def _is_changed(number: object) -> bool:
    return getattr(number, "value", None) != getattr(number, "default", None)


@main.command()
def policy() -> None:
    """Print every site-policy parameter: value, unit, default, why it exists, label section."""
    from cds_service.app import create_catalogue
    from cds_service.domain.quantities import plain

    numbers = create_catalogue(load_settings(os.environ, mode="demo")).known.policy
    for name in numbers:
        number = numbers.described(name)
        default = plain(number.default) if number.default is not None else ""
        click.echo(f"{name} = {plain(number.value)} {number.unit}   (default {default})")
        click.echo(f"    why: {number.because}")
        click.echo(f"    label section: {number.section or 'none, the label is silent'}")


@main.command()
def cards() -> None:
    """Print the index of rules, and stop at the first problem in the card files."""
    from cds_service.app import create_catalogue

    catalogue = create_catalogue(load_settings(os.environ, mode="demo"))
    for card in catalogue.cards.values():
        grades = ", ".join(f"{name} {_levels(grade)}" for name, grade in card.grades.items())
        click.echo(f"{card.topic}/{card.rule_id}  section {card.section or '-'}  {card.phase}")
        click.echo(f"    hooks: {', '.join(sorted(card.hooks))}")
        click.echo(f"    grades: {grades}")
        used = ", ".join(name for names in card.uses.values() for name in names)
        click.echo(f"    numbers: {used or '-'}   reviewed: {card.reviewed}")


def _levels(grade: Grade) -> str:
    """A grade's urgency, with the hooks where it is another one."""
    exceptions = ", ".join(f"{hook} {urgency}" for hook, urgency in grade.on_hook.items())
    return f"{grade.urgency} ({exceptions})" if exceptions else grade.urgency


if __name__ == "__main__":
    main()
