"""How often somebody may call, and how many at once: below, on and above the limit, and for whom it holds."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from hook_calls import SELECT, SIGN, a_call, about_another_drug, cards_of, post
from tokens import BASE, SHARED, Bench, claims, good, signed
from werkzeug.test import TestResponse

from cds_service.hooks import Evaluator
from cds_service.hooks.admission import Places
from cds_service.hooks.call_rates import CallRates
from cds_service.store.shared_state import open_shared_state

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("production")
PEER, OTHER_PEER = "192.0.2.1", "192.0.2.2"


def allow(bench: Bench, per_minute: int) -> None:
    """Begin anew with so many calls a minute."""
    bench.begin(rates=CallRates(open_shared_state("memory://").call_counts, per_minute))


def call(bench: Bench, token: str | None = None, peer: str = PEER) -> TestResponse:
    """A call with this token, a good one unless told otherwise, from this address."""
    headers = {"Authorization": f"Bearer {good() if token is None else token}"}
    return post(bench.client, about_another_drug(), headers=headers, environ_overrides={"REMOTE_ADDR": peer})


def statuses(bench: Bench, times: int, token: Callable[[], str] = good, peer: str = PEER) -> list[int]:
    return [call(bench, token(), peer).status_code for _ in range(times)]


def north() -> str:
    return signed(claims(iss=SHARED, tenant="north"))


def south() -> str:
    return signed(claims(iss=SHARED, tenant="south"))


def bad() -> str:
    return signed(claims(), "rsa-remote", kid="rsa")


# --- clients


@pytest.mark.spec("R-201")
def test_a_client_may_send_as_many_calls_as_agreed_and_no_more(bench: Bench) -> None:
    allow(bench, 3)
    assert statuses(bench, 5) == [200, 200, 200, 429, 429]


@pytest.mark.spec("R-201")
def test_who_sends_too_many_is_told_when_to_come_again(bench: Bench) -> None:
    allow(bench, 1)
    call(bench)
    response = call(bench)
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert response.json["issue"][0]["code"] == "throttled"


def test_each_client_has_its_own_limit_wherever_it_calls_from(bench: Bench) -> None:
    allow(bench, 2)
    assert statuses(bench, 2, north) == [200, 200]
    assert statuses(bench, 1, north, OTHER_PEER) == [429]
    assert statuses(bench, 2, south) == [200, 200]


def test_all_services_count_together(bench: Bench) -> None:
    allow(bench, 1)
    assert bench.post(good()).status_code == 200
    token = good(aud=BASE + SELECT)
    assert bench.post(token, about_another_drug("order-select"), SELECT).status_code == 429


def test_a_token_that_met_the_limit_is_not_spent(bench: Bench) -> None:
    allow(bench, 1)
    token = good()
    assert [call(bench).status_code, call(bench, token).status_code] == [200, 429]
    bench.begin(spent_tokens=bench.admission.spent_tokens)
    assert bench.post(token, a_call()).status_code == 200


def test_0_means_any_number(bench: Bench) -> None:
    allow(bench, 0)
    assert set(statuses(bench, 20)) == {200}
    assert set(statuses(bench, 20, bad)) == {401}


def test_demo_mode_has_no_limit(client: FlaskClient) -> None:
    assert {post(client, about_another_drug()).status_code for _ in range(601)} == {200}


# --- strangers


def test_an_address_may_fail_as_often_as_a_client_may_call(bench: Bench) -> None:
    allow(bench, 3)
    assert statuses(bench, 5, bad) == [401, 401, 401, 429, 429]


def test_who_guesses_too_often_is_told_when_to_come_again(bench: Bench) -> None:
    allow(bench, 1)
    call(bench, bad())
    response = call(bench, bad())
    assert 1 <= int(response.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("before", [0, 1], ids=["no client has called yet", "a client has called before"])
def test_strangers_behind_the_same_proxy_never_lock_a_client_out(bench: Bench, before: int) -> None:
    allow(bench, 3)
    assert statuses(bench, before) == [200] * before
    assert statuses(bench, 5, bad) == [401, 401, 401, 429, 429]
    assert call(bench, good()).status_code == 200


def test_strangers_do_not_use_up_what_a_client_may_send(bench: Bench) -> None:
    allow(bench, 2)
    statuses(bench, 5, bad, OTHER_PEER)
    assert statuses(bench, 2) == [200, 200]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", 429),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", 401),
        ("192.0.2.1", "192.0.2.2", 401),
        ("", "", 429),
    ],
)
def test_an_owner_of_many_addresses_of_ipv6_counts_once(bench: Bench, first: str, second: str, status: int) -> None:
    allow(bench, 1)
    assert statuses(bench, 1, bad, first) == [401]
    assert statuses(bench, 1, bad, second) == [status]


# --- too many at once


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 1), (4, 3), (8, 6), (64, 48)])
def test_three_quarters_of_the_threads_answer_calls(threads: int, places: int) -> None:
    room = Places(threads)
    for _ in range(places):
        room.take()
    with pytest.raises(Exception, match="too many calls at once"):
        room.take()
    room.leave()
    room.take()


@pytest.fixture
def busy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """A service with three places, all taken; called, it lets the three go and gives their statuses."""
    bench.begin(places=Places(4))
    inside, go, found = threading.Barrier(4), threading.Event(), list[int]()

    def answer(*_: object) -> dict[str, list[object]]:
        inside.wait(10)
        go.wait(10)
        return {"cards": []}

    monkeypatch.setattr(Evaluator, "answer", answer)
    threads = [threading.Thread(target=lambda: found.append(bench.post(good()).status_code)) for _ in range(3)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    monkeypatch.undo()

    def release() -> list[int]:
        go.set()
        for thread in threads:
            thread.join(10)
        return found

    return release


@pytest.mark.spec("R-201")
def test_a_call_too_many_is_refused_at_once_and_told_when_to_come_again(
    bench: Bench, busy: Callable[[], list[int]], log: io.StringIO
) -> None:
    response = bench.post(good(), Origin="https://ehr.example.org")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert response.headers["Access-Control-Allow-Origin"] == "https://ehr.example.org"
    assert response.json["issue"][0]["code"] == "transient"
    assert "Overloaded" in log.getvalue()
    assert busy() == [200, 200, 200]
    assert cards_of(bench.post(good(), a_call()))


def test_discovery_preflights_and_code_systems_are_answered_under_load(
    bench: Bench, busy: Callable[[], list[int]]
) -> None:
    assert bench.client.get("/cds-services").status_code == 200
    assert bench.client.options(SIGN).status_code == 200
    assert bench.client.get("/CodeSystem/rules").status_code == 200
    busy()


def fail(*_: object) -> None:
    raise ValueError


@pytest.mark.parametrize("how", ["refused", "failed", "not JSON"])
def test_a_place_is_free_again_however_a_call_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    bench.begin(places=Places(1))
    with monkeypatch.context() as failing:
        if how == "failed":
            failing.setattr(Evaluator, "answer", fail)
        for _ in range(3):
            response = bench.post(bad() if how == "refused" else good(), b"{" if how == "not JSON" else None)
            assert response.status_code == {"refused": 401, "failed": 500, "not JSON": 400}[how]
    assert bench.post(good()).status_code == 200
