"""create_app(): puts the parts together. The only module besides cli.py that knows them all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cds_service import __version__
from cds_service.config import Settings, require_production_ready
from cds_service.content_folders import CARDS, FHIR_FIXTURES
from cds_service.errors import CdsError, ContentProblem
from cds_service.fhir import FhirClient, ScopeSyntax, prefetch_templates, scopes_for_queries
from cds_service.hooks import Evaluator
from cds_service.hooks.admission import Admission, Places
from cds_service.hooks.audit import account_for_calls, count_refusal
from cds_service.hooks.authenticate import Authentication
from cds_service.hooks.call_rates import CallRates
from cds_service.hooks.clients import DEMO_CLIENT, Client, destinations_of, smart_client_id_at
from cds_service.hooks.clients_file import load_clients
from cds_service.hooks.code_systems import CODE_SYSTEM_BODIES, code_system_bodies, code_systems
from cds_service.hooks.course import course
from cds_service.hooks.errors import headers_of, operation_outcome, outcome_of, outcome_of_status
from cds_service.hooks.feedback import FeedbackReader
from cds_service.hooks.json_body import write_json
from cds_service.hooks.kept_key_set import KeptKeySet, room_for_key_sets
from cds_service.hooks.key_sources import KeySource, client_keys
from cds_service.hooks.openapi.document import Installation, openapi_body
from cds_service.hooks.openapi.views import OPENAPI_BODY, openapi
from cds_service.hooks.services import discovery
from cds_service.hooks.suggestions import created_order_names
from cds_service.hooks.views import (
    ADMISSION,
    DISCOVERY,
    EVALUATOR,
    FEEDBACK_READER,
    MAX_BODY,
    SHARED_STATE,
    STORE,
    hooks,
    json_response,
)
from cds_service.operations import METRICS, READINESS, RESOURCES
from cds_service.operations.log import place_of, set_up_logging
from cds_service.operations.metrics import Metrics
from cds_service.operations.readiness import Readiness
from cds_service.operations.resources import Resources
from cds_service.outbound import Destinations, outbound_session
from cds_service.presentation import Catalogue, load_catalogue
from cds_service.presentation.about_page import about_page
from cds_service.presentation.load_cases import load_cases
from cds_service.presentation.rule_page import rule_pages
from cds_service.presentation.rule_set import rule_set_digest
from cds_service.presentation.site_files import load_site_codes, load_site_policy
from cds_service.store import DEFAULT_URL, Database, Store, prepare_database, prepare_temporary_database
from cds_service.store.shared_state import SharedState, open_shared_state
from cds_service.web.fixture_records import FixtureRecords
from cds_service.web.fixture_requests import load_fixture_requests
from cds_service.web.layout import Layout
from cds_service.web.operations import operations
from cds_service.web.page_headers import demo_page_headers, production_page_headers
from cds_service.web.pages import register_pages
from cds_service.web.sandbox import SANDBOX, load_sandbox, sandbox
from cds_service.web.smart_views import prepare_demo_authorization, smart
from cds_service.web.timeline import SMART_APP, ChartServer, SmartApp, timeline
from cds_service.web.views import FIXTURES, RECORDS, TODAY, demo

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LOOPBACK_ORIGINS = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d+)?\Z")
# What the answers hold is for the caller alone, and no browser has to make more of it than the data it is.
_HEADERS_OF_ALL = (
    ("Vary", "Origin"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
log = structlog.get_logger("service")


class _Service(Flask):
    """Flask without coroutines, of which we have none: to ask eight functions a call for it takes time."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read from the card files and the site's own files, the database to remember in, and room for keys."""

    catalogue: Catalogue
    clients: tuple[Client, ...]
    database: Database
    key_sets: Mapping[str, KeptKeySet]


def load_files(settings: Settings) -> Loaded:
    """Every file, read and checked, and the database, prepared.

    Raises SettingsProblem, ContentProblem or StoreUnavailable, one line that names the file or the variable.
    """
    catalogue = create_catalogue(settings)
    clients = create_clients(settings, catalogue)
    # Asked here as well, so that a server refuses to start before it has made any process.
    create_admission(settings, clients, open_shared_state(settings.shared_state_url), server_threads=1)
    return Loaded(catalogue, clients, create_database(settings), room_for_key_sets(clients))


def create_app(settings: Settings, loaded: Loaded | None = None, server_threads: int = 64) -> Flask:
    """The service as a WSGI application, for a server with so many threads.

    With `loaded` no card, policy, code or clients file is read again, so that several processes answer alike, and the
    database need not be there. Raises SettingsProblem, ContentProblem or StoreUnavailable where it must not start.
    """
    loaded = loaded or load_files(settings)
    catalogue, clients = loaded.catalogue, loaded.clients
    metrics = Metrics()
    set_up_logging(settings.log_level, metrics.log_fields_dropped)
    app = _Service(__name__, static_folder=None)
    app.extensions[METRICS] = metrics
    app.extensions[READINESS] = Readiness(metrics.dependency)
    app.extensions[RESOURCES] = Resources()
    account_for_calls(app)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    store = loaded.database.open(metrics.store)
    app.extensions[RESOURCES].register("database", store.close)
    evaluator = create_evaluator(settings, catalogue, clients, store)
    app.extensions[STORE] = store
    app.extensions[FEEDBACK_READER] = create_feedback_reader(settings, catalogue)
    app.extensions[EVALUATOR] = evaluator
    app.extensions[SHARED_STATE] = open_shared_state(settings.shared_state_url)
    app.extensions[ADMISSION] = create_admission(
        settings, clients, app.extensions[SHARED_STATE], server_threads, loaded.key_sets
    )
    app.extensions[ADMISSION].prepare()
    app.extensions[DISCOVERY] = write_json(discovery(catalogue, settings.spec_profile))
    app.extensions[MAX_BODY] = settings.max_body_bytes
    app.extensions[CODE_SYSTEM_BODIES] = code_system_bodies(catalogue, settings.base_url)
    app.extensions[OPENAPI_BODY] = openapi_body(catalogue, _installation(settings))
    app.register_blueprint(hooks)
    app.register_blueprint(course)
    app.register_blueprint(code_systems)
    app.register_blueprint(openapi)
    app.register_blueprint(operations)
    app.extensions[SMART_APP] = _smart_app(settings, catalogue, clients)
    app.register_blueprint(timeline)
    register_pages(
        app,
        _layout(settings, catalogue, clients),
        rule_pages(catalogue, load_cases(CARDS)),
        catalogue.page_words,
        about_page(catalogue, rule_set_digest(CARDS)),
    )
    _register_dependencies(app)
    if settings.mode == "demo":
        app.extensions[FIXTURES] = load_fixture_requests(FHIR_FIXTURES)
        app.extensions[RECORDS] = FixtureRecords(FHIR_FIXTURES, app.extensions[FIXTURES])
        app.extensions[TODAY] = lambda: evaluator.now().astimezone(evaluator.zone).date()
        app.extensions[SANDBOX] = load_sandbox(FHIR_FIXTURES, app.extensions[FIXTURES])
        app.register_blueprint(demo)
        prepare_demo_authorization(app)
        app.register_blueprint(smart)
        app.register_blueprint(sandbox)
    _allow_pages(app, [_LOOPBACK_ORIGINS] if settings.mode == "demo" else _origins_of(clients))
    # Put around the application: the framework's own way takes a twentieth of a call that concerns nobody.
    app.wsgi_app = _with_security_headers(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.register_error_handler(CdsError, _own_fault)
    app.register_error_handler(HTTPException, _http_fault)
    app.register_error_handler(Exception, _unexpected_fault)
    return app


def _installation(settings: Settings) -> Installation:
    """What the description of the service says of this installation."""
    is_production = settings.mode == "production"
    return Installation(
        mode=settings.mode,
        asks_for_tokens=is_production,
        discovery_asks_for_tokens=is_production and settings.discovery_auth,
        base_url=settings.base_url,
        max_body_bytes=settings.max_body_bytes,
    )


def _layout(settings: Settings, catalogue: Catalogue, clients: tuple[Client, ...]) -> Layout:
    """The frame of all pages, with what a browser may do there: as the clients file says, in demo mode on loopback."""
    is_demo = settings.mode == "demo"
    origins = [origin for client in clients for origin in client.origins]
    chart_servers = [url for client in clients for url in (*client.fhir_base_urls, *client.authorization_servers)]
    return Layout(
        root=urlsplit(settings.base_url).path,
        is_demo=is_demo,
        product=catalogue.identity.product,
        label_revision=catalogue.identity.revision,
        rule_set=__version__,
        not_reviewed=catalogue.phrases.texts["page_not_reviewed"].plain.render(),
        headers=demo_page_headers() if is_demo else production_page_headers(origins, chart_servers),
    )


def _smart_app(settings: Settings, catalogue: Catalogue, clients: tuple[Client, ...]) -> SmartApp:
    """Where the timeline may be launched: at the FHIR servers of the clients file, in demo mode on loopback as well."""
    is_demo = settings.mode == "demo"
    known = (*clients, DEMO_CLIENT) if is_demo else clients
    return SmartApp(
        client_id_at=partial(smart_client_id_at, known),
        servers=tuple(ChartServer(client.name, url) for client in clients for url in client.fhir_base_urls),
        scopes=scopes_for_queries(ScopeSyntax.SMART_2, "patient"),
        queries=prefetch_templates(catalogue.codes),
        is_demo=is_demo,
    )


def create_evaluator(
    settings: Settings, catalogue: Catalogue, clients: tuple[Client, ...], store: Store | None = None
) -> Evaluator:
    """Everything a hook call needs, read and checked once; without a store nothing is remembered."""
    certificates, destinations = _outbound(settings, clients)
    fhir_client = FhirClient.pooled(settings.max_body_bytes, certificates, destinations)
    return Evaluator.of(
        catalogue,
        settings.zone,
        _clock(settings),
        settings.base_url,
        fhir_client,
        settings.budget_ms / 1000,
        store,
    )


def create_admission(
    settings: Settings,
    clients: tuple[Client, ...],
    shared: SharedState,
    server_threads: int,
    key_sets: Mapping[str, KeptKeySet] | None = None,
) -> Admission:
    """Who is let in, how often, and how many at once. Raises SettingsProblem where production must not start."""
    require_production_ready(settings, is_test_bench=all(client.allow_insecure_loopback for client in clients))
    is_production = settings.mode == "production"
    return Admission(
        clients=clients,
        authentication=Authentication(clients, _keys(settings, clients, key_sets), time) if is_production else None,
        spent_tokens=shared.spent_tokens,
        rates=CallRates(shared.call_counts, settings.rate_limit),
        places=Places(server_threads),
        base_url=settings.base_url,
        is_discovery_open=not (is_production and settings.discovery_auth),
    )


def _keys(
    settings: Settings, clients: tuple[Client, ...], key_sets: Mapping[str, KeptKeySet] | None
) -> dict[str, KeySource]:
    certificates, destinations = _outbound(settings, clients)
    session = outbound_session(destinations, certificates)
    return client_keys(f"CDS_CLIENTS_FILE: {settings.clients_file}", clients, session, key_sets)


def _outbound(settings: Settings, clients: tuple[Client, ...]) -> tuple[str | None, Destinations | None]:
    """The hospital's own certificate authorities, and where connections may go; in demo mode anywhere."""
    # Where requests, the library, looks for them.
    certificates = os.environ.get("REQUESTS_CA_BUNDLE")
    return certificates, destinations_of(clients) if settings.mode == "production" else None


def create_database(settings: Settings) -> Database:
    """The memory's database: in demo mode a temporary file, brought to the current schema, if none is named."""
    is_demo = settings.mode == "demo"
    if is_demo and settings.database_url is None:
        return prepare_temporary_database()
    return prepare_database(settings.database_url or DEFAULT_URL, migrates=is_demo)


def create_feedback_reader(settings: Settings, catalogue: Catalogue) -> FeedbackReader:
    """What reads feedback: it knows our reasons, and whether this site keeps comments."""
    system = f"{settings.base_url}/CodeSystem/override-reasons"
    codes = frozenset(code for code, _ in catalogue.phrases.override_reasons)
    return FeedbackReader(system, codes, catalogue.known.policy.whole("feedback.store_comments") == 1)


def create_catalogue(settings: Settings) -> Catalogue:
    """The card files with the site's own policy and codes put over them."""
    return load_catalogue(CARDS, load_site_policy(settings.policy_file), load_site_codes(settings.codes_file))


def create_clients(settings: Settings, catalogue: Catalogue) -> tuple[Client, ...]:
    """The clients of the clients file, checked against what the cards offer."""
    return load_clients(settings.clients_file, created_order_names(catalogue))


def _register_dependencies(app: Flask) -> None:
    """What readiness asks. Cards are given without database and shared state, so a replica stays in service then."""
    readiness: Readiness = app.extensions[READINESS]
    readiness.register("cards", lambda: _require_cards(app.extensions[EVALUATOR].catalogue))
    readiness.register("database", app.extensions[STORE].require_usable, is_needed=False)
    readiness.register("shared-state", app.extensions[SHARED_STATE].require_reachable, is_needed=False)


def _require_cards(catalogue: Catalogue) -> None:
    """Raise ContentProblem where there is no card to answer with."""
    if not catalogue.cards:
        raise ContentProblem("no cards are loaded; start the service again")


def _clock(settings: Settings) -> Callable[[], datetime]:
    fixed = settings.now
    return (lambda: fixed) if fixed is not None else (lambda: datetime.now(UTC))


def _origins_of(clients: tuple[Client, ...]) -> list[re.Pattern[str]]:
    """The origins of all clients as patterns: an address of IPv6 as text would be taken for one."""
    origins = dict.fromkeys(origin for client in clients for origin in client.origins)
    return [re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE) for origin in origins]


def _allow_pages(app: Flask, origins: Sequence[re.Pattern[str]]) -> None:
    """CORS for the pages of these origins, on every endpoint, errors included, without cookies (R-190 to R-193)."""
    CORS(
        app,
        resources={r"/(cds-services|CodeSystem|openapi\.json|demo).*": {"origins": list(origins)}},
        methods=["GET", "POST", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type"],
        always_send=False,
        vary_header=False,
    )
    # The library looks at every answer, which takes a twentieth of a call that no page has sent and gives nothing then.
    answer_page = app.after_request_funcs[None].pop()
    app.after_request(lambda response: answer_page(response) if request.origin else response)


def _with_security_headers(answer: WSGIApplication) -> WSGIApplication:
    """The application, whose every answer has the headers that it does not set itself, and varies by origin."""

    def answer_with_headers(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *fault: Any) -> Callable[[bytes], object]:
            return start_response(status, _completed(headers), *fault)

        return answer(environ, start)

    return answer_with_headers


def _completed(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    present = {name.lower() for name, _ in headers}
    if "vary" in present:
        headers = [(name, f"{value}, Origin" if name.lower() == "vary" else value) for name, value in headers]
    return [*headers, *(item for item in _HEADERS_OF_ALL if item[0].lower() not in present)]


def _own_fault(error: CdsError) -> Response:
    status, body = outcome_of(error)
    count_refusal(error, status)
    log.info("refused", status=status, reason=type(error).__name__)
    response = json_response(write_json(body), status)
    response.headers.update(headers_of(error))
    return response


def _http_fault(error: HTTPException) -> Response:
    status = error.code or 500
    response = json_response(write_json(outcome_of_status(status, error.name.lower())), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _unexpected_fault(error: Exception) -> Response:
    """A fault of ours: the log says where, never what was being read; the caller learns only that it happened."""
    current_app.extensions[METRICS].fault()
    log.error("failed", fault=type(error).__name__, where=place_of(error))
    return json_response(write_json(operation_outcome("exception", "the service failed; see its log")), 500)
