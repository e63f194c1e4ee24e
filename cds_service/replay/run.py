"""The replay itself: learn the service's clock, send every request, compare every answer, say what differs.

No feedback is sent, so a replay keeps no finding quiet for the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from cds_service.errors import NoUsableAnswer
from cds_service.replay.answers import Json, Told, differences, told_in
from cds_service.replay.left_out import LeftOut
from cds_service.replay.running_service import RunningService, status_in_words
from cds_service.replay.scenarios import Scenario
from cds_service.replay.service_clock import ServiceClock
from cds_service.web.fixture_requests import FIXTURE_DAY, moved_to

# A weight of the future makes the service say its clock: from this day it is in the future of any service.
_CLOCK_SCENARIO = "onasemnogene-order-sign/future-dated-weight"
_CLOCK_RULE = "data-future-dated"
_FAR_DAY = date(2126, 3, 2)
_TOO_MANY_CALLS = 429
_MOST_ON_A_LINE = 6


def replay(
    service: RunningService, scenarios: Sequence[Scenario], left_out: Sequence[LeftOut], say: Callable[[str], None]
) -> int:
    """How many scenarios a service answers otherwise than expected; `say` gets a line for each, and a last one.

    Raises NoUsableAnswer where the service cannot be compared at all.
    """
    started = perf_counter()
    clock = _clock_of(service, scenarios)
    reasons = () if clock.is_that_of_the_fixtures else tuple(left_out)
    by = (clock.today - FIXTURE_DAY).days
    say(f"{service.base_url}: its clock says {clock.now:%Y-%m-%d %H:%M} ({clock.zone.key}), days are moved by {by}")
    not_compared: Counter[int] = Counter()
    differing = 0
    for scenario in scenarios:
        wrong, touched = _compared(service, scenario, clock, reasons)
        not_compared.update(reasons.index(reason) for reason in touched)
        if wrong:
            differing += 1
            say(f"{scenario.path}: {_in_one_line(wrong)}")
    if differing and _clock_of(service, scenarios).today != clock.today:
        raise NoUsableAnswer(f"{service.base_url}: midnight passed there during the replay; start it again")
    for number, times in sorted(not_compared.items()):
        reason = reasons[number]
        say(f"not compared in {times} {'scenario' if times == 1 else 'scenarios'}: {reason.what} ({reason.because})")
    say(f"{len(scenarios)} scenarios, {differing} differ ({perf_counter() - started:.1f} s)")
    return differing


def _in_one_line(wrong: Sequence[str]) -> str:
    more = f"; and {len(wrong) - _MOST_ON_A_LINE} more" if len(wrong) > _MOST_ON_A_LINE else ""
    return "; ".join(wrong[:_MOST_ON_A_LINE]) + more


def _clock_of(service: RunningService, scenarios: Sequence[Scenario]) -> ServiceClock:
    """The clock of the service, by its own word."""
    asking = next(scenario for scenario in scenarios if scenario.path == _CLOCK_SCENARIO)
    status, body = service.call(asking.service_id, moved_to(_FAR_DAY, asking.request).encode())
    _require_cards(service, status, body)
    told = _told(body) or Counter()
    values = next((dict(item.values) for item in told if item.rule == _CLOCK_RULE), {})
    try:
        now = datetime.strptime(values["serverTime"], "%Y-%m-%dT%H:%M%z")
        return ServiceClock(now, ZoneInfo(values["zone"]))
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise NoUsableAnswer(
            f"{service.base_url}: no card says the service's clock; is it the same version as this command?"
        ) from error


def _require_cards(service: RunningService, status: int, body: Json | None) -> None:
    """Raise NoUsableAnswer with what can be done, where the first answer of a service is none at all."""
    if status != 200 or body is None or "cards" not in body:
        raise NoUsableAnswer(
            f"{service.base_url} answers {status_in_words(status)} without cards; "
            "BASE_URL is what stands before /cds-services, and redirects are not followed"
        )


def _compared(
    service: RunningService, scenario: Scenario, clock: ServiceClock, left_out: Sequence[LeftOut]
) -> tuple[list[str], list[LeftOut]]:
    """What differs in the answer to a scenario, and the reasons for which something was not compared."""
    status, body = service.call(scenario.service_id, clock.moved_request(scenario.request))
    if status == _TOO_MANY_CALLS:
        raise NoUsableAnswer(
            f"{service.base_url} answers {status_in_words(status)} at {scenario.path}; wait a minute and start again, "
            "or let it allow more (CDS_RATE_LIMIT)"
        )
    if status != scenario.status:
        return [f"status {scenario.status} expected, got {status}"], []
    if status != 200:
        return [], []
    got = _told(body)
    if got is None:
        return ["cards expected, got an answer that holds none that can be read"], []
    expected = Counter({clock.moved_told(told): times for told, times in scenario.told.items()})
    touched = []
    for reason in (reason for reason in left_out if reason.concerns(scenario.name, clock)):
        rest = reason.rest_of(expected), reason.rest_of(got)
        if rest != (expected, got):
            touched.append(reason)
        expected, got = rest
    return differences(expected, got), touched


def _told(body: Json | None) -> Counter[Told] | None:
    """What an answer says; None where it has no readable cards."""
    try:
        return None if body is None else Counter(told_in(body["cards"]))
    except (KeyError, TypeError, AttributeError):
        return None
