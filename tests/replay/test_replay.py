"""`cds-service replay`: the whole set against a real server, and what is said where a service differs."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from click.testing import CliRunner, Result
from compose_fixtures import FHIR_FIXTURES
from flask.testing import FlaskClient
from replay_services import PastMidnight, ServiceInProcess, WithoutCards, asks_for_the_clock
from requests import PreparedRequest

from cds_service.cli import main
from cds_service.errors import NoUsableAnswer
from cds_service.replay import replay
from cds_service.replay.left_out import LeftOut
from cds_service.replay.scenarios import Scenario

Json = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
BASE = "https://cds.example.org"
TOKEN = "synthetic.token-of_a.test"
CLOCK = "onasemnogene-order-sign/future-dated-weight"
FEW = (CLOCK, "onasemnogene-order-sign/dose-by-formula", "onasemnogene-patient-view/on-track")


def command(*words: str) -> Result:
    return CliRunner().invoke(main, ["replay", *words])


def failed(result: Result) -> str:
    """The one line on standard error of a replay that could not be done."""
    assert result.exit_code == 1, result.output
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    return result.stderr


# --- the whole set


def test_the_service_answers_every_fixture_as_expected(address: str) -> None:
    result = command(address)
    first, last = result.stdout.splitlines()
    assert result.exit_code == 0, result.output
    assert first == f"{address}: its clock says 2026-03-02 09:00 (UTC), days are moved by 0"
    every = len(list((FHIR_FIXTURES / "hook_requests").rglob("*.json")))
    assert re.fullmatch(rf"{every} scenarios, 0 differ \(\d+\.\d s\)", last)


OTHER_MOMENTS = [
    ("2026-11-22T00:10:00Z", "UTC"),
    ("2027-08-03T04:59:00Z", "America/New_York"),  # still the day before there
    ("2026-11-01T14:00:00Z", "America/Los_Angeles"),  # the clocks are put back
    ("2028-03-11T20:20:00Z", "Pacific/Auckland"),  # two years with a 29 February, and already the next day there
]


@pytest.mark.parametrize(("now", "zone"), OTHER_MOMENTS)
def test_it_does_so_on_other_days_at_any_hour_and_in_other_zones(
    every_scenario: tuple[Scenario, ...], every_reason: tuple[LeftOut, ...], now: str, zone: str
) -> None:
    said: list[str] = []
    assert replay(ServiceInProcess(now, zone), every_scenario, every_reason, said.append) == 0, said
    told, last = said[1:-1], said[-1]
    assert last.startswith(f"{len(every_scenario)} scenarios, 0 differ")
    assert told
    assert all(re.fullmatch(r"not compared in \d+ scenarios?: .+ \(.+\)", line) for line in told)


NEEDED_AT = [
    ("2026-04-09T12:00:00Z", "UTC", 7),
    ("2026-02-20T12:00:00Z", "UTC", 2),
    ("2026-11-01T14:00:00Z", "America/New_York", 1),
]


def test_what_is_left_out_would_differ(every_scenario: tuple[Scenario, ...], every_reason: tuple[LeftOut, ...]) -> None:
    """Each reason is needed at one of these moments: without it the replay differs there."""
    needed: set[str] = set()
    for now, zone, most in NEEDED_AT:
        service = ServiceInProcess(now, zone)
        for reason in every_reason:
            others = [item for item in every_reason if item is not reason]
            concerned = [scenario for scenario in every_scenario if is_concerned(scenario, reason)]
            if replay(service, concerned, others, lambda _: None):
                needed.add(reason.because)
        assert len(needed) >= most
    assert needed == {reason.because for reason in every_reason}


def is_concerned(scenario: Scenario, reason: LeftOut) -> bool:
    """Whether a reason may matter in a scenario; the one that tells the clock is always needed."""
    speaks_of_it = not reason.scenarios and any(told.rule in reason.rules for told in scenario.told)
    return scenario.path == CLOCK or scenario.name in reason.scenarios or speaks_of_it


# --- a service that differs


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, every_scenario: tuple[Scenario, ...]) -> None:
    """Only a few of the scenarios."""
    chosen = tuple(scenario for scenario in every_scenario if scenario.path in FEW)
    monkeypatch.setattr("cds_service.replay.load_scenarios", lambda _: chosen)


@pytest.fixture
def answers(client: FlaskClient, few: None) -> Iterator[dict[str, Answer]]:
    """The service at another address: it answers by itself, or as a test says, by service."""
    said: dict[str, Answer] = {}

    def answer(request: PreparedRequest) -> Answer:
        service_id = str(request.url).rpartition("/")[2]
        reply = client.post(f"/cds-services/{service_id}", data=request.body, content_type="application/json")
        if service_id in said and not asks_for_the_clock(bytes(request.body or b"")):
            return said[service_id]
        return reply.status_code, {}, reply.data

    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        network.add_callback("POST", re.compile(f"{BASE}/cds-services/.*"), answer)
        yield said


def test_a_service_elsewhere_is_replayed_likewise(answers: dict[str, Answer]) -> None:
    result = command(BASE)
    assert (result.exit_code, result.stdout.splitlines()[-1][:21]) == (0, "3 scenarios, 0 differ")


def changed(client: FlaskClient, scenario: str, change: Callable[[str], str]) -> Answer:
    """The service's answer to a scenario, with its text changed."""
    request = (FHIR_FIXTURES / "hook_requests" / f"{scenario}.json").read_bytes()
    service_id = scenario.partition("/")[0]
    reply = client.post(f"/cds-services/{service_id}", data=request, content_type="application/json")
    text = reply.data.decode()
    assert change(text) != text
    return 200, {}, change(text).encode()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"rule":"vector-shedding"',
            '"rule":"vector-care"',
            "vector-shedding (info) is expected and did not come; vector-care (info) came and is not expected",
        ),
        ('"dayNumber":"17"', '"dayNumber":"18"', "vector-shedding: dayNumber 17 expected, got 18"),
        ('"code":"followup"', '"code":"liver"', "vector-shedding: topic followup expected, got liver"),
        (
            '"rule":"vector-shedding","indicator":"info"',
            '"rule":"vector-shedding","indicator":"critical"',
            "vector-shedding: indicator info expected, got critical",
        ),
    ],
)
def test_each_difference_is_one_line_with_what_is_expected_and_what_came(
    client: FlaskClient, answers: dict[str, Answer], old: str, new: str, says: str
) -> None:
    answers["onasemnogene-patient-view"] = changed(client, FEW[2], lambda text: text.replace(old, new))
    result = command(BASE)
    assert result.exit_code == 1
    _, difference, last = result.stdout.splitlines()
    assert difference == f"{FEW[2]}: {says}"
    assert last.startswith("3 scenarios, 1 differ (")
    assert result.stderr == ""


def test_a_line_of_the_checklist_in_another_state_is_a_difference(
    client: FlaskClient, answers: dict[str, Answer], every_scenario: tuple[Scenario, ...]
) -> None:
    open_weight = ('"check":"weight","state":"verified"', '"check":"weight","state":"not-checkable"')
    answers["onasemnogene-order-sign"] = changed(client, FEW[1], lambda text: text.replace(*open_weight))
    lines = command(BASE).stdout.splitlines()
    assert f"{FEW[1]}: baseline-readiness weight: state verified expected, got not-checkable" in lines


def test_words_may_be_others(client: FlaskClient, answers: dict[str, Answer]) -> None:
    def reworded(text: str) -> str:
        body = json.loads(text)
        for card in body["cards"]:
            card |= {"summary": "In other words", "detail": "In other words", "uuid": "another"}
        return json.dumps(body)

    answers["onasemnogene-patient-view"] = changed(client, FEW[2], reworded)
    assert command(BASE).exit_code == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((500, {}, b'{"resourceType": "OperationOutcome"}'), "status 200 expected, got 500"),
        ((502, {}, b"<html>Bad Gateway</html>"), "status 200 expected, got 502"),
        ((307, {"Location": "https://elsewhere.example.org/"}, b""), "status 200 expected, got 307"),
        ((503, {}, b"{}"), "status 200 expected, got 503"),
        ((200, {}, b"<html>Please log in</html>"), "cards expected, got an answer that holds none that can be read"),
        ((200, {}, b'{"cards": [{}]}'), "cards expected, got an answer that holds none that can be read"),
        ((200, {}, b'{"cards": 5}'), "cards expected, got an answer that holds none that can be read"),
        ((200, {}, b'{"cards": []}'), "vector-shedding (info) is expected and did not come"),
    ],
)
def test_another_status_or_no_cards_is_a_difference(answers: dict[str, Answer], answer: Answer, says: str) -> None:
    answers["onasemnogene-patient-view"] = answer
    result = command(BASE)
    assert result.exit_code == 1
    assert f"{FEW[2]}: {says}" in result.stdout.splitlines()


def test_an_error_is_compared_by_its_status(every_scenario: tuple[Scenario, ...]) -> None:
    refused = [scenario for scenario in every_scenario if scenario.status == 412 or scenario.path == CLOCK]
    assert len(refused) > 1
    assert replay(ServiceInProcess("2026-03-02T09:00:00Z"), refused, (), lambda _: None) == 0


def test_many_differences_of_one_scenario_are_counted(every_scenario: tuple[Scenario, ...]) -> None:
    said: list[str] = []
    chosen = [scenario for scenario in every_scenario if scenario.path in FEW[:2]]
    assert replay(WithoutCards(), chosen, (), said.append) == 2
    assert all(re.search(r"; and \d+ more$", line) for line in said[1:3])


# --- a service that cannot be compared


def test_a_service_that_is_not_there_is_one_line_and_exit_1() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert failed(command(address)).startswith(f"error: {address}: cannot be reached")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (
            401,
            '{"resourceType": "OperationOutcome"}',
            "answers 401 Unauthorized; give a token that is accepted with --token-file, or a key",
        ),
        (403, "<html></html>", "answers 403 Forbidden; give a token"),
        (404, "<html></html>", "answers 404 Not Found without cards; BASE_URL is what stands before /cds-services"),
        (302, "", "answers 302 Found without cards"),
        (599, "", "answers 599 without cards"),
        (200, "<html>Please log in</html>", "answers 200 OK without cards"),
        (200, '{"services": []}', "answers 200 OK without cards"),
        (200, '{"cards": []}', "no card says the service's clock; is it the same version as this command?"),
        (200, '{"cards": null}', "no card says the service's clock"),
    ],
)
def test_a_first_answer_that_is_none_ends_the_replay(few: None, status: int, body: str, says: str) -> None:
    with responses.RequestsMock() as network:
        network.post(f"{BASE}/cds-services/onasemnogene-order-sign", status=status, body=body)
        assert says in failed(command(BASE))
        assert len(network.calls) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"zone":"UTC"', '"zone":"Nowhere/Land"'),
        ('"zone":"UTC"', '"zone":""'),
        ('"zone":"UTC"', '"zone":"../../etc/passwd"'),
        ('"zone":"UTC"', '"zone":5'),
        ("T09:00+00:00", "T09:00"),
        ('"2026-03-02T09:00+00:00"', "5"),
    ],
)
def test_a_clock_or_zone_that_is_none_ends_the_replay(client: FlaskClient, few: None, old: str, new: str) -> None:
    _, _, body = changed(client, CLOCK, lambda text: text.replace(old, new))
    with responses.RequestsMock() as network:
        network.post(f"{BASE}/cds-services/onasemnogene-order-sign", body=body)
        assert "no card says the service's clock" in failed(command(BASE))


def test_a_token_that_is_accepted_only_once_is_explained(answers: dict[str, Answer], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, "utf-8")
    answers["onasemnogene-order-sign"] = (401, {}, b"{}")
    result = command(BASE, "--token-file", str(tmp_path / "token"))
    said = result.stderr
    assert result.exit_code == 1
    assert (
        "/onasemnogene-order-sign answers 401 Unauthorized; the token of --token-file is sent with every call" in said
    )
    assert TOKEN not in result.output


def test_too_many_calls_are_no_difference(answers: dict[str, Answer]) -> None:
    answers["onasemnogene-order-sign"] = (429, {"Retry-After": "60"}, b"{}")
    assert "answers 429 Too Many Requests at onasemnogene-order-sign/dose-by-formula; wait a minute" in failed(
        command(BASE)
    )


def test_only_an_id_of_our_kind_is_repeated_from_a_refusal(few: None) -> None:
    for told, is_shown in (("5ccf5ba2d1e84bd0a1a5e0c7c7a7c1f2", True), ("synthetic word", False)):
        with responses.RequestsMock() as network:
            url = f"{BASE}/cds-services/onasemnogene-order-sign"
            network.post(url, status=401, body="{}", headers={"X-Correlation-Id": told})
            assert (f"(X-Correlation-Id {told})" in failed(command(BASE))) == is_shown


def test_midnight_during_the_replay_is_said(every_scenario: tuple[Scenario, ...]) -> None:
    chosen = [scenario for scenario in every_scenario if scenario.path in FEW]
    with pytest.raises(NoUsableAnswer, match="midnight passed there during the replay; start it again"):
        replay(PastMidnight(), chosen, (), lambda _: None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["cds.example.org"], "BASE_URL is no address of a service"),
        (["https://user:word@cds.example.org"], "holds a user or password"),
        ([BASE, "--token-file", "/nowhere/token"], "cannot be read"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(words: list[str], says: str) -> None:
    result = command(*words)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert says in result.stderr
