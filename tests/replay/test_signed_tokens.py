"""Tokens that replay signs by itself: what they say, which keys can sign them, and a production service that takes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import time

import jwt
import pytest
import responses
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from replay_services import FIXTURE_NOW, serving

from cds_service.app import create_app
from cds_service.cli import main
from cds_service.config import load_settings
from cds_service.errors import SettingsProblem
from cds_service.hooks.views import EVALUATOR
from cds_service.operations import RESOURCES
from cds_service.replay import RunningService, TokenSigner, read_signer

NOW = datetime.fromisoformat(FIXTURE_NOW)
ISSUER = "https://replay.hospital.example.org"
URL = "https://cds.example.org/cds-services/onasemnogene-order-sign"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P384 = ec.generate_private_key(ec.SECP384R1())
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    """A private key as PEM."""
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **members: str) -> dict[str, str]:
    """A private key as JWK."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(key, as_dict=True), **members}


def written(folder: Path, content: bytes | dict[str, str]) -> Path:
    """A file with a key."""
    path = folder / "key"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


# --- the token


def test_a_token_says_who_calls_which_address_and_for_how_long() -> None:
    before = int(time())
    token = TokenSigner(ISSUER, "first", "RS384", RSA).token_for(URL)
    claims = jwt.decode(token, RSA.public_key(), algorithms=["RS384"], audience=URL, issuer=ISSUER)
    assert jwt.get_unverified_header(token) == {"alg": "RS384", "typ": "JWT", "kid": "first"}
    assert set(claims) == {"iss", "aud", "iat", "exp", "jti"}
    assert before <= claims["iat"] <= time()
    assert claims["exp"] == claims["iat"] + 300


def test_each_call_brings_a_token_of_its_own_for_its_own_address() -> None:
    service = RunningService.at("https://cds.example.org/", signer=TokenSigner(ISSUER, "first", "ES384", P384))
    with responses.RequestsMock() as network:
        network.post(URL, json={"cards": []})
        service.call("onasemnogene-order-sign", b"{}")
        service.call("onasemnogene-order-sign", b"{}")
        tokens = [call.request.headers["Authorization"].removeprefix("Bearer ") for call in network.calls]
    first, second = (jwt.decode(each, P384.public_key(), algorithms=["ES384"], audience=URL) for each in tokens)
    assert first["jti"] != second["jti"]


def test_the_key_is_not_in_what_is_said_of_a_service() -> None:
    signer = TokenSigner(ISSUER, "first", "RS384", RSA)
    assert "key=" not in repr(RunningService.at("https://cds.example.org", signer=signer))


# --- the key file


@pytest.mark.parametrize(
    ("content", "key_id", "algorithm"),
    [
        (jwk(RSA, kid="own"), "own", "RS384"),
        (jwk(P384, kid="own"), "own", "ES384"),
        (jwk(RSA, kid="own", alg="RS256"), "own", "RS384"),
        (pem(RSA), "given", "RS384"),
        (pem(P384), "given", "ES384"),
        (jwk(P384, kid="own"), "given", "ES384"),
    ],
)
def test_a_key_is_read_as_jwk_or_pem(
    tmp_path: Path, content: bytes | dict[str, str], key_id: str, algorithm: str
) -> None:
    signer = read_signer(written(tmp_path, content), ISSUER, key_id if key_id == "given" else "")
    assert (signer.issuer, signer.key_id, signer.algorithm) == (ISSUER, key_id, algorithm)


PUBLIC = P384.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"no key",
        b"[]",
        PUBLIC,
        pem(RSA, b"synthetic-word"),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        {name: value for name, value in jwk(RSA, kid="own").items() if name in ("kty", "n", "e", "kid")},
        {"kty": "oct", "kid": "secret", "k": "c3ludGhldGlj"},
        jwk(P384, kid="own", crv="P-256"),
        jwk(RSA, kid="own", d="!"),
    ],
    ids=lambda content: "jwk" if isinstance(content, dict) else content.splitlines()[0] if content else "empty",
)
def test_what_holds_no_private_key_that_fits_is_refused_and_not_repeated(
    tmp_path: Path, content: bytes | dict[str, str]
) -> None:
    with pytest.raises(SettingsProblem, match="holds no private key for RS384 or ES384") as refused:
        read_signer(written(tmp_path, content), ISSUER, "given")
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("content", [pem(RSA), jwk(RSA), jwk(RSA, kid="")])
def test_without_any_key_id_the_remedy_is_named(tmp_path: Path, content: bytes | dict[str, str]) -> None:
    with pytest.raises(SettingsProblem, match="names no key id; give the kid of its public key with --key-id"):
        read_signer(written(tmp_path, content), ISSUER)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--key-file", "/nowhere/key", "--issuer", ISSUER], "cannot be read (No such file or directory)"),
        (["--key-file", "/nowhere/key"], "--issuer is missing"),
        (["--key-file", "/nowhere/key", "--issuer", ""], "--issuer is missing"),
        (["--issuer", ISSUER], "--issuer and --key-id belong to --key-file"),
        (["--key-id", "first"], "--issuer and --key-id belong to --key-file"),
        (["--key-file", "k", "--issuer", ISSUER, "--token-file", "t"], "--token-file and --key-file are both given"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(words: list[str], says: str) -> None:
    result = CliRunner().invoke(main, ["replay", "https://cds.example.org", *words])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert says in result.stderr


# --- a production service


@dataclass
class TestBench:
    """A production service at an address of this machine, and the private key of its one client."""

    __test__ = False
    address: str
    key_file: Path

    def replay(self, *words: str) -> Result:
        """Replay against it with this key, or with others where `words` name them."""
        usual = ["--key-file", str(self.key_file), "--issuer", ISSUER]
        return CliRunner().invoke(main, ["replay", self.address, *(words or usual)])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[TestBench]:
    """Its clock is the fixtures', which a setting cannot do: production refuses CDS_NOW. Tokens go by the real one."""
    public = {name: value for name, value in jwk(RSA, kid="own").items() if name in ("kty", "n", "e", "kid")}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [public]}), "utf-8")
    (tmp_path / "clients.toml").write_text(
        f'[[client]]\nname = "replay"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\nallow_insecure_loopback = true\n',
        "utf-8",
    )
    with serving() as (address, serve):
        settings = {
            "CDS_MODE": "production",
            "CDS_PUBLIC_BASE_URL": address,
            "CDS_TIMEZONE": "UTC",
            "CDS_CLIENTS_FILE": str(tmp_path / "clients.toml"),
            "CDS_DATABASE_URL": f"sqlite:///{tmp_path}/memory.sqlite3",
            "CDS_LOG_LEVEL": "error",
        }
        app = create_app(load_settings(settings))
        app.extensions[EVALUATOR] = replace(app.extensions[EVALUATOR], now=lambda: NOW)
        serve(app)
        yield TestBench(address, written(tmp_path, jwk(RSA, kid="own")))
        app.extensions[RESOURCES].close()


def test_a_production_service_answers_every_fixture_as_expected(bench: TestBench) -> None:
    result = bench.replay()
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert " scenarios, 0 differ (" in result.stdout.splitlines()[-1]


def test_one_token_for_every_call_is_not_enough_there(bench: TestBench, tmp_path: Path) -> None:
    signer = read_signer(bench.key_file, ISSUER)
    token = tmp_path / "token"
    token.write_text(signer.token_for(f"{bench.address}/cds-services/onasemnogene-order-sign"), "utf-8")
    result = bench.replay("--token-file", str(token))
    assert result.exit_code == 1
    assert "answers 401 Unauthorized (X-Correlation-Id " in result.stderr
    assert "where each token is taken once, give --key-file" in result.stderr


def test_a_wrong_key_is_one_line_that_names_401_and_where_the_reason_stands(bench: TestBench, tmp_path: Path) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    result = bench.replay("--key-file", str(written(tmp_path, jwk(other, kid="own"))), "--issuer", ISSUER)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "answers 401 Unauthorized (X-Correlation-Id " in result.stderr
    assert "its log says why" in result.stderr
