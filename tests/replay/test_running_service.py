"""A service as it is called: its address, the token, and what is no answer."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
import responses

from cds_service.errors import NoUsableAnswer, SettingsProblem
from cds_service.replay import RunningService, read_token

BASE = "https://cds.example.org/zolgensma"
SIGN = "onasemnogene-order-sign"
URL = f"{BASE}/cds-services/{SIGN}"
TOKEN = "synthetic.token-of_a.test"


@pytest.fixture
def elsewhere() -> responses.RequestsMock:
    """The network, as far as a test says what answers in it."""
    with responses.RequestsMock() as network:
        yield network


def test_a_call_is_sent_as_a_client_sends_it(elsewhere: responses.RequestsMock) -> None:
    elsewhere.post(URL, json={"cards": []})
    assert RunningService.at(f"{BASE}/", TOKEN).call(SIGN, b'{"hook": 1}') == (200, {"cards": []})
    sent = elsewhere.calls[0].request
    assert (sent.body, sent.headers["Content-Type"]) == (b'{"hook": 1}', "application/json")
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"


def test_without_a_token_none_is_sent_not_even_one_of_this_machine(
    elsewhere: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine cds.example.org login synthetic password synthetic\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    elsewhere.post(URL, json={"cards": []})
    RunningService.at(BASE).call(SIGN, b"{}")
    assert "Authorization" not in elsewhere.calls[0].request.headers


def test_the_token_is_not_in_what_is_said_of_a_service() -> None:
    assert TOKEN not in repr(RunningService.at(BASE, TOKEN))


def test_a_redirect_is_an_answer_and_is_not_followed(elsewhere: responses.RequestsMock) -> None:
    elsewhere.post(URL, status=307, headers={"Location": "https://elsewhere.example.org/"})
    assert RunningService.at(BASE, TOKEN).call(SIGN, b"{}") == (307, None)
    assert len(elsewhere.calls) == 1


@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"", b"[]", b"\xff", b'{"cards": [}'])
def test_what_is_no_json_object_is_nothing(elsewhere: responses.RequestsMock, body: bytes) -> None:
    elsewhere.post(URL, body=body, status=502)
    assert RunningService.at(BASE).call(SIGN, b"{}") == (502, None)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (requests.ConnectionError("Max retries exceeded"), "cannot be reached"),
        (requests.exceptions.SSLError("certificate verify failed"), "its certificate is not accepted here"),
        (requests.ReadTimeout("read timed out"), "no answer within 30 seconds"),
        (requests.ConnectTimeout("connect timed out"), "no answer within 30 seconds"),
        (requests.exceptions.ChunkedEncodingError("broken"), "no usable answer (ChunkedEncodingError)"),
    ],
)
def test_no_answer_is_said_in_one_line(elsewhere: responses.RequestsMock, fault: Exception, said: str) -> None:
    elsewhere.post(URL, body=fault)
    with pytest.raises(NoUsableAnswer) as refused:
        RunningService.at(BASE, TOKEN).call(SIGN, b"{}")
    assert str(refused.value).startswith(f"{BASE}: {said}")
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "cds.example.org",
        "127.0.0.1:8000",
        "ftp://cds.example.org",
        "file:///etc/passwd",
        "http://",
        "http://:8000",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://[::1",
        "https://cds.example.org/?tenant=1",
        "https://cds.example.org/#top",
    ],
)
def test_what_is_no_address_of_a_service_is_refused(written: str) -> None:
    with pytest.raises(SettingsProblem, match="BASE_URL is no address of a service"):
        RunningService.at(written)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsProblem, match="holds a user or password") as refused:
        RunningService.at("https://user:synthetic-word@cds.example.org")
    assert "synthetic-word" not in str(refused.value)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://localhost", "https://[2001:db8::1]:8443", BASE])
def test_an_address_is_taken_with_and_without_a_final_slash(base: str) -> None:
    assert RunningService.at(base).base_url == RunningService.at(f"{base}/").base_url == base


@pytest.mark.parametrize("written", [TOKEN, f"{TOKEN}\n", f"  {TOKEN}\r\n", f"{TOKEN}=="])
def test_a_token_is_read_without_blanks_around_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "token").write_text(written, "utf-8")
    assert read_token(tmp_path / "token") == written.strip()


@pytest.mark.parametrize("written", ["", "\n", f"{TOKEN}\n{TOKEN}\n", f"Bearer {TOKEN}", "tökén", f"{TOKEN}\x00"])
def test_what_is_no_token_is_refused_and_not_repeated(tmp_path: Path, written: str) -> None:
    (tmp_path / "token").write_text(written, "utf-8")
    with pytest.raises(SettingsProblem, match="holds no token; write one token and nothing else") as refused:
        read_token(tmp_path / "token")
    assert TOKEN not in str(refused.value)


def test_a_token_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"cannot be read \(No such file or directory\)"):
        read_token(tmp_path / "nowhere")
