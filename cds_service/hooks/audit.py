"""One line about every hook call, and its numbers: who looked at which lists, when, and with what outcome (R-196).

Nothing here tells who the patient is.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

import structlog
from flask import Flask, Response, current_app, g

from cds_service.errors import CdsError, NotAuthenticated, Overloaded, StoreUnavailable, TooManyCalls
from cds_service.hooks.call_account import CallAccount
from cds_service.operations import METRICS
from cds_service.operations.log import audit_log, begin_correlation, correlation_id, end_correlation, place_of
from cds_service.operations.metrics import Metrics

CORRELATION_HEADER = "X-Correlation-Id"
log = structlog.get_logger("hooks")


def begin_account(service: str) -> CallAccount:
    """The account of the hook call that is being answered; it is told when the response goes out."""
    g.call_account = CallAccount(service)
    return g.call_account  # type: ignore[no-any-return]  # flask's g holds anything


def account_for_calls(app: Flask) -> None:
    """Give every request a correlation id, and tell of every hook call that reached its service."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_over)


def count_feedback(service: str, outcomes: Iterable[str]) -> None:
    """These outcomes were reported and are kept."""
    for outcome in outcomes:
        _metrics().feedback(service, outcome)


def count_refusal(error: CdsError, status: int) -> None:
    """A call was refused, or failed, with this status."""
    metrics = _metrics()
    match error:
        case NotAuthenticated():
            metrics.auth_failed(error.reason)
        case TooManyCalls():
            metrics.rate_limited(error.client)
        case Overloaded():
            metrics.overloaded()
        case StoreUnavailable():
            pass  # the store counts what it could not keep
        case _ if status >= 500:
            metrics.fault()


def _begin() -> None:
    begin_correlation()
    g.began = monotonic()
    _metrics().call_began()


def _end(response: Response) -> Response:
    response.headers[CORRELATION_HEADER] = correlation_id()
    account: CallAccount | None = g.get("call_account")
    if account is not None:
        try:
            _tell(account, response.status_code, monotonic() - g.began)
        except Exception as error:  # a clinician's answer never waits for, or falls with, what is told about it
            log.error("not_accounted_for", fault=type(error).__name__, where=place_of(error))
    return response


def _over(_fault: BaseException | None) -> None:
    if g.pop("began", None) is not None:
        _metrics().call_ended()
        end_correlation()


def _tell(account: CallAccount, status: int, seconds: float) -> None:
    outcome = _outcome(status, account)
    audit_log.info(
        "access",
        service=account.service,
        client=account.client,
        sent=account.sent,
        lists=account.fetched,
        status=status,
        outcome=outcome,
        cards=len(account.cards),
        milliseconds=round(seconds * 1000),
    )
    metrics = _metrics()
    metrics.hook_call(account.service, outcome, status, seconds)
    metrics.cards(account.cards)
    metrics.unknowns(account.unknown)
    metrics.fetched(account.fetched)


def _outcome(status: int, account: CallAccount) -> str:
    if status < 400:
        return "cards" if account.cards else "no-cards"
    return "refused" if status < 500 else "failed"


def _metrics() -> Metrics:
    metrics: Metrics = current_app.extensions[METRICS]
    return metrics
