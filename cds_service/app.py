"""create_app(): puts the parts together. The only module besides cli.py that knows them all."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from flask import Flask, Response, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cds_service.config import Settings
from cds_service.content_folders import CARDS, FHIR_FIXTURES
from cds_service.errors import CdsError, StoreUnavailable
from cds_service.fhir import FhirClient
from cds_service.hooks import Evaluator
from cds_service.hooks.clients import Client
from cds_service.hooks.clients_file import load_clients
from cds_service.hooks.code_systems import CODE_SYSTEM_BODIES, code_system_bodies, code_systems
from cds_service.hooks.errors import operation_outcome, outcome_of, outcome_of_status
from cds_service.hooks.feedback import FeedbackReader
from cds_service.hooks.json_body import write_json
from cds_service.hooks.services import discovery
from cds_service.hooks.suggestions import created_order_names
from cds_service.hooks.views import (
    CLIENTS,
    DISCOVERY,
    EVALUATOR,
    FEEDBACK_READER,
    MAX_BODY,
    STORE,
    hooks,
    json_response,
)
from cds_service.presentation import Catalogue, load_catalogue
from cds_service.presentation.site_files import load_site_codes, load_site_policy
from cds_service.store import DEFAULT_URL, Store, create_temporary_url, open_store
from cds_service.web.fixture_records import FixtureRecords
from cds_service.web.fixture_requests import load_fixture_requests
from cds_service.web.views import FIXTURES, RECORDS, TODAY, demo

# The database is asked again this many seconds after it failed; clients are told to wait as long.
_RETRY_AFTER_SECONDS = 5
_LOOPBACK_ORIGINS = r"^http://(127\.0\.0\.1|localhost)(:\d+)?$"
log = structlog.get_logger("service")


def create_app(settings: Settings) -> Flask:
    """The service as a WSGI application.

    Raises SettingsProblem, ContentProblem or StoreUnavailable where it must not start.
    """
    set_up_logging(settings.log_level)
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    store = create_store(settings)
    evaluator = create_evaluator(settings, store)
    app.extensions[STORE] = store
    app.extensions[EVALUATOR] = evaluator
    app.extensions[FEEDBACK_READER] = create_feedback_reader(settings, evaluator.catalogue)
    app.extensions[CLIENTS] = create_clients(settings, evaluator.catalogue)
    app.extensions[DISCOVERY] = write_json(discovery(evaluator.catalogue, settings.spec_profile))
    app.extensions[MAX_BODY] = settings.max_body_bytes
    app.extensions[CODE_SYSTEM_BODIES] = code_system_bodies(evaluator.catalogue, settings.base_url)
    app.register_blueprint(hooks)
    app.register_blueprint(code_systems)
    if settings.mode == "demo":
        app.extensions[FIXTURES] = load_fixture_requests(FHIR_FIXTURES)
        app.extensions[RECORDS] = FixtureRecords(FHIR_FIXTURES, app.extensions[FIXTURES])
        app.extensions[TODAY] = lambda: evaluator.now().astimezone(evaluator.zone).date()
        app.register_blueprint(demo)
        _allow_loopback_pages(app)
    app.register_error_handler(CdsError, _own_fault)
    app.register_error_handler(HTTPException, _http_fault)
    app.register_error_handler(Exception, _unexpected_fault)
    return app


def create_evaluator(settings: Settings, store: Store | None = None) -> Evaluator:
    """Everything a hook call needs, read and checked once; without a store nothing is remembered."""
    # Where requests, the library, looks for a hospital's own certificate authorities.
    fhir_client = FhirClient.pooled(settings.max_body_bytes, os.environ.get("REQUESTS_CA_BUNDLE"))
    return Evaluator.of(
        create_catalogue(settings),
        settings.zone,
        _clock(settings),
        settings.base_url,
        fhir_client,
        settings.budget_ms / 1000,
        store,
    )


def create_store(settings: Settings) -> Store:
    """The memory: in demo mode a temporary file, brought to the current schema whatever it had, if none is named."""
    is_demo = settings.mode == "demo"
    if is_demo and settings.database_url is None:
        url, remove = create_temporary_url()
        return open_store(url, migrates=True, on_close=remove)
    return open_store(settings.database_url or DEFAULT_URL, migrates=is_demo)


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


def _clock(settings: Settings) -> Callable[[], datetime]:
    fixed = settings.now
    return (lambda: fixed) if fixed is not None else (lambda: datetime.now(UTC))


def _allow_loopback_pages(app: Flask) -> None:
    """CORS as demo mode needs it: pages on this machine, on every endpoint, errors included (R-190 to R-193)."""
    CORS(
        app,
        resources={r"/(cds-services|CodeSystem|demo).*": {"origins": _LOOPBACK_ORIGINS}},
        methods=["GET", "POST", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type"],
        vary_header=True,
    )


def _own_fault(error: CdsError) -> Response:
    status, body = outcome_of(error)
    log.info("refused", status=status, reason=type(error).__name__)
    response = json_response(write_json(body), status)
    if isinstance(error, StoreUnavailable):
        response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response


def _http_fault(error: HTTPException) -> Response:
    status = error.code or 500
    response = json_response(write_json(outcome_of_status(status, f"{error.name.lower()}: {request.method}")), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _unexpected_fault(error: Exception) -> Response:
    """A fault of ours: the log says where, never what was being read; the caller learns only that it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"
    log.error("failed", fault=type(error).__name__, where=where)
    return json_response(write_json(operation_outcome("exception", "the service failed; see its log")), 500)


def set_up_logging(level: str) -> None:
    """One JSON line for each event on standard error; only named fields, no patient data."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
