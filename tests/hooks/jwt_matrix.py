"""What is sent as a token, and what the service answers: every row of the JWT section of the CDS Hooks checklist.

`python -m tests.hooks.jwt_matrix` prints the table; tests/hooks/test_jwt_matrix.py holds it.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from werkzeug.test import TestResponse

try:
    from hook_calls import SELECT, SIGN, about_another_drug
except ModuleNotFoundError:  # started as a module, from the repository's root
    sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    from hook_calls import SELECT, SIGN, about_another_drug
from tokens import (
    AGREED,
    BASE,
    ISSUER,
    NOW,
    ODD_KID,
    REMOTE,
    SHARED,
    SPLIT,
    Bench,
    claims,
    good,
    jwk,
    jwks,
    key,
    pem,
    production_bench,
    segment,
    signed,
    with_secret,
)

from cds_service.hooks.key_sources import RemoteKeys

FEEDBACK = f"{SIGN}/feedback"
EAST, WEST = "https://split.example.org/east", "https://split.example.org/west"
LONGEST = 16 * 1024
RS384_HEAD = b'{"alg":"RS384","typ":"JWT","kid":"rsa"'
TOO_MANY_DIGITS = "1" + "0" * 400


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is sent: where it is asked for, what it is, whether it is let in, and how it is sent."""

    requirement: str
    sent: str
    is_let_in: bool
    send: Callable[[Bench], TestResponse]


def token(requirement: str, sent: str, is_let_in: bool, make: Callable[[], str | None]) -> Row:
    """A call to order-sign with this token."""
    return Row(requirement, sent, is_let_in, lambda bench: bench.post(make()))


def claim(requirement: str, sent: str, is_let_in: bool, **changes: Any) -> Row:
    """The same with a good token in which these claims are changed."""
    return token(requirement, sent, is_let_in, lambda: good(**changes))


def header(requirement: str, sent: str, is_let_in: bool, **changes: Any) -> Row:
    """The same with a good token in whose header these members are changed."""
    return token(requirement, sent, is_let_in, lambda: signed(claims(), **changes))


def raw(requirement: str, sent: str, is_let_in: bool, authorization: Callable[[], str]) -> Row:
    """A call with this whole Authorization header."""
    return Row(requirement, sent, is_let_in, lambda bench: bench.post(None, Authorization=authorization()))


def other(issuer: str, kid: str = "rsa", algorithm: str = "RS384", key: str = "rsa", **changes: Any) -> str:
    """A token of another client."""
    return signed(claims(iss=issuer, **changes), key, algorithm, kid=kid)


def written_number(name: str, number: str) -> str:
    """A good token in which a claim is this number, written like this."""
    return signed(json.dumps(claims(**{name: "NUMBER"})).replace('"NUMBER"', number).encode())


def _again(bench: Bench, *, after: float, same_body: bool = True, url: str = SIGN) -> TestResponse:
    """A token that is sent twice; the second answer."""
    sent = good(aud=[BASE + SIGN, BASE + SELECT])
    assert bench.post(sent).status_code == 200
    bench.now += after
    call = about_another_drug("order-select") if url == SELECT else about_another_drug()
    return bench.post(sent, call if same_body else {**call, "hookInstance": "another"}, url)


def _feedback(aud: str | None) -> Callable[[Bench], TestResponse]:
    """Feedback without items, and with a token for this address; without a token for None."""
    return lambda bench: bench.post(good(aud=BASE + aud) if aud else None, {"feedback": []}, FEEDBACK)


def _discovery(bench: Bench) -> TestResponse:
    """Discovery without a token, where the site asks for one."""
    bench.begin(is_discovery_open=False)
    return bench.client.get("/cds-services")


def _call_then_feedback(bench: Bench) -> TestResponse:
    """Feedback with the token of a call, and with its very bytes."""
    sent = good()
    assert bench.post(sent, {"feedback": []}).status_code == 400
    return bench.post(sent, {"feedback": []}, FEEDBACK)


def _refused_first(bench: Bench) -> TestResponse:
    """A good token whose id was in one that was refused."""
    assert bench.post(good(jti="the-same", exp=NOW - 100, iat=NOW - 200)).status_code == 401
    return bench.post(good(jti="the-same"))


def of_length(characters: int) -> str:
    """A good token of so many characters."""
    for kid in ("rsa", "unlabelled", ODD_KID):
        usual = len(signed(claims(more=""), kid=kid))
        about = (characters - usual) * 3 // 4
        for filling in range(about - 8, about + 8):
            written = signed(claims(more="x" * filling), kid=kid)
            if len(written) == characters:
                return written
    raise AssertionError(f"no token has {characters} characters")


def by_hand(header: bytes) -> str:
    """A good token with exactly this header."""
    rs384 = jwt.get_algorithm_by_name("RS384")
    covered = f"{segment(header)}.{segment(json.dumps(claims()).encode())}"
    return f"{covered}.{segment(rs384.sign(covered.encode(), rs384.prepare_key(key('rsa'))))}"  # type: ignore[arg-type]


def _rotated(bench: Bench) -> TestResponse:
    """The client changes its key; the first call with the new one."""
    bench.key_server.body = jwks(jwk("rsa-remote", "first"), jwk("ec-remote", "second"))
    return bench.post(other(REMOTE, "second", "ES384", "ec-remote"))


def _with_keys_down(hours: int) -> Callable[[Bench], TestResponse]:
    """The client's keys were fetched so many hours ago, and their address is gone since then."""

    def send(bench: Bench) -> TestResponse:
        assert bench.post(other(REMOTE, "first", key="rsa-remote")).status_code == 200
        bench.key_server.answer = lambda to: to.close()
        assert bench.admission.authentication is not None
        source = bench.admission.authentication.keys["remote"]
        assert isinstance(source, RemoteKeys)
        source._came_at -= hours * 60 * 60
        return bench.post(other(REMOTE, "first", key="rsa-remote"))

    return send


def _with_keys_never_had(bench: Bench) -> TestResponse:
    """The address of the client's keys has not answered since the start."""
    bench.key_server.answer = lambda to: to.close()
    return bench.post(other(REMOTE, "first", key="rsa-remote"))


def _at_server(server: str | None) -> Callable[[Bench], TestResponse]:
    """A token of an issuer with two clients, and a call that names this FHIR server."""
    call = about_another_drug(**({"fhirServer": server} if server else {}))
    return lambda bench: bench.post(other(SPLIT), call)


def _remote(**members: Any) -> str:
    return signed(claims(iss=REMOTE), "rsa-remote", kid="first", **members)


ROWS: tuple[Row, ...] = (
    token("R-163", "RS384, every claim as it should be", True, good),
    Row("R-163", "discovery without a token", True, lambda bench: bench.client.get("/cds-services")),
    Row("R-163", "discovery without a token, where the site asks for one", False, _discovery),
    Row("R-164", "feedback without a token", False, _feedback(None)),
    token("R-164", "no Authorization header", False, lambda: None),
    raw("R-164", "an empty Authorization header", False, lambda: ""),
    raw("R-164", "Bearer without a token", False, lambda: "Bearer "),
    raw("R-164", "Basic", False, lambda: "Basic dXNlcjp3b3Jk"),
    raw("R-164", "the token without Bearer", False, good),
    raw("R-164", "bearer in small letters", True, lambda: f"bearer {good()}"),
    raw("R-164", "two tokens", False, lambda: f"Bearer {good()}, Bearer {good()}"),
    token("R-164", "no JWT but a word", False, lambda: "opaque"),
    token("R-164", "two parts", False, lambda: good().rpartition(".")[0]),
    token("R-164", "four parts", False, lambda: f"{good()}.x"),
    token("R-164", "an empty signature", False, lambda: good().rpartition(".")[0] + "."),
    token("R-164", "a header that is no JSON", False, lambda: f"{segment(b'{')}.{segment(b'{}')}.AAAA"),
    token("R-164", "claims that are an array", False, lambda: signed(b"[]")),
    token("R-164", "claims that nest 200 levels deep", False, lambda: signed(b'{"a":' * 200 + b"1" + b"}" * 200)),
    token("R-164", "a token of 12 kB", True, lambda: good(more="x" * 8_500)),
    *(
        token("R-164", f"a token of {length} characters", length <= LONGEST, lambda length=length: of_length(length))
        for length in (LONGEST - 1, LONGEST, LONGEST + 1, 20_000)
    ),
    header("R-165", "no alg", False, alg=None),
    header("R-165", "alg that is a number", False, alg=384),
    token("R-165", "alg twice, none after RS384", False, lambda: by_hand(RS384_HEAD + b',"alg":"none"}')),
    token("R-165", "alg twice, RS384 after none (the last one counts)", True, lambda: by_hand(b'{"alg":"none",' + RS384_HEAD[1:] + b"}")),
    *(header("R-166", f"alg {alg}, signed all the same", False, alg=alg) for alg in ("none", "None", "NONE", "")),
    token("R-166", "alg none, unsigned", False, lambda: signed(claims(), sign=lambda _: b"", alg="none")),
    *(
        token(
            "R-167", f"HS{size} keyed with the public RSA key", False,
            lambda size=size: signed(claims(), sign=with_secret(pem("rsa"), f"sha{size}"), alg=f"HS{size}"),
        )
        for size in (256, 384, 512)
    ),
    token(
        "R-167", "HS384 keyed with the public EC key", False,
        lambda: signed(claims(), sign=with_secret(pem("ec"), "sha384"), alg="HS384", kid="ec"),
    ),
    token(
        "R-167", "HS256 keyed with the shared secret in the set", False,
        lambda: signed(
            claims(), sign=with_secret(b"a secret that both sides would know", "sha256"), alg="HS256", kid="secret"
        ),
    ),
    token("R-168", "ES384", True, lambda: signed(claims(), "ec", "ES384")),
    *(
        token("R-168", f"{alg}, which was not agreed", False, lambda alg=alg: signed(claims(), "rsa", alg))
        for alg in ("RS256", "RS512", "PS384")
    ),
    token("R-168", "ES256, which was not agreed", False, lambda: signed(claims(), "p256", "ES256")),
    *(
        token(
            "R-168", f"{alg}, which was agreed", True,
            lambda key=key, alg=alg, kid=kid: signed(claims(iss=AGREED, aud="sand_man"), key, alg, kid=kid),
        )
        for key, alg, kid in (
            ("rsa", "RS256", "labelled-rs256"), ("rsa", "PS384", "unlabelled"), ("p256", "ES256", "p256"), ("p521", "ES512", "p521"),
        )
    ),
    header("R-169", "RS384, key without alg (ruling 2)", True, kid="unlabelled"),
    header("R-169", "RS384, key labelled RS256 (ruling 2)", True, kid="labelled-rs256"),
    header("R-169", "RS384, key labelled RS512", False, kid="labelled-rs512"),
    header("R-169", "RS384, key for encryption", False, kid="for-encryption"),
    header("R-169", "RS384, key for wrapping keys", False, kid="for-wrapping"),
    header("R-169", "RS384, kid of an EC key", False, kid="ec-unlabelled"),
    token("R-169", "ES384, kid of an RSA key", False, lambda: signed(claims(), "ec", "ES384", kid="unlabelled")),
    token(
        "R-169", "RS384, RSA key of 1024 bits", False, lambda: signed(claims(), "small", kid="small"),
    ),
    token(
        "R-169", "ES384 claimed, key on P-256", False,
        lambda: signed(claims(), "p256", "ES256", alg="ES384", kid="p256"),
    ),
    header("R-170", "no kid", False, kid=None),
    header("R-170", "kid that is a number", False, kid=1),
    header("R-170", "kid that is in no set", False, kid="nowhere"),
    header("R-170", "kid with + / and =", True, kid=ODD_KID),
    header("R-170", "the same kid, percent-encoded", False, kid=ODD_KID.replace("+", "%2B")),
    Row("R-170", "kid of a key that is new in the set", True, _rotated),
    *(
        header("R-171", f"typ {typ}", is_let_in, typ=typ)
        for typ, is_let_in in (("jwt", True), ("at+jwt", False), ("JOSE", False), (1, False))
    ),
    header("R-171", "no typ", False, typ=None),
    token("R-172", "keys at an address, no jku", True, _remote),
    token("R-172", "jku that is another address of the client's host", False, lambda: _remote(jku="http://127.0.0.1/jwks")),
    Row("R-172", "jku that is the client's address", True, lambda bench: bench.post(_remote(jku=_address(bench)))),
    token("R-172", "jku that is a number", False, lambda: _remote(jku=1)),
    token("R-172", "jku that is an object", False, lambda: _remote(jku={})),
    header("R-172", "keys in a file, any jku (ruling 3)", True, jku="https://evil.example.org/jwks"),
    claim("R-173", "no iss", False, iss=None),
    claim("R-173", "iss that is an array", False, iss=[ISSUER]),
    claim("R-174", "iss that is not listed", False, iss="https://evil.example.org"),
    claim("R-174", "iss with a slash more", False, iss=f"{ISSUER}/"),
    claim("R-174", "iss in capitals", False, iss=ISSUER.upper()),
    token("R-174", "iss of one client, key of another", False, lambda: signed(claims(), "rsa-remote", kid="first")),
    claim("R-175", "aud as an array", True, aud=[BASE + SIGN]),
    claim("R-175", "aud as an array with others", True, aud=["https://other.example.org", BASE + SIGN, 7]),
    claim("R-175", "aud as an empty array", False, aud=[]),
    claim("R-175", "no aud", False, aud=None),
    claim("R-175", "aud as an object", False, aud={"url": BASE + SIGN}),
    claim("R-175", "aud as an array in an array", False, aud=[[BASE + SIGN]]),
    claim("R-176", "aud with a slash at the end", True, aud=f"{BASE}{SIGN}/"),
    claim("R-176", "aud of another service", False, aud=BASE + SELECT),
    claim("R-176", "aud of discovery", False, aud=f"{BASE}/cds-services"),
    claim("R-176", "aud with the port written", False, aud=f"https://cds.example.org:443{SIGN}"),
    claim("R-176", "aud with the host in capitals", False, aud=f"https://CDS.example.org{SIGN}"),
    claim("R-176", "aud with a query", False, aud=f"{BASE}{SIGN}?x=1"),
    claim("R-176", "aud is the base", False, aud=BASE),
    claim("R-176", "aud with http", False, aud=f"http://cds.example.org{SIGN}"),
    Row(
        "R-176", "aud of another host, and that host in the Host header", False,
        lambda bench: bench.post(good(aud=f"https://evil.example.org{SIGN}"), Host="evil.example.org"),
    ),
    Row(
        "R-176", "the right aud behind a proxy that changes the host", True,
        lambda bench: bench.post(good(), Host="10.0.0.7:8000"),
    ),
    claim("R-176", "aud sand_man, which was not agreed", False, aud="sand_man"),
    token("R-176", "aud sand_man, which was agreed", True, lambda: other(AGREED, "labelled-rs256", "RS256", aud="sand_man")),
    token("R-176", "the address, where another aud was agreed", False, lambda: other(AGREED, "labelled-rs256", "RS256")),
    Row("R-159", "feedback: aud is the feedback address", True, _feedback(FEEDBACK)),
    Row("R-159", "feedback: aud is the service's address", True, _feedback(SIGN)),
    Row("R-159", "feedback: aud is another service's", False, _feedback(SELECT)),
    claim("R-159", "service: aud is the feedback address", False, aud=BASE + FEEDBACK),
    claim("R-177", "no exp", False, exp=None),
    claim("R-177", "expired 59 seconds ago", True, iat=NOW - 300, exp=NOW - 59),
    claim("R-177", "expired 60 seconds ago", False, iat=NOW - 300, exp=NOW - 60),
    claim("R-177", "expired 61 seconds ago", False, iat=NOW - 300, exp=NOW - 61),
    claim("R-177", "exp as text", False, exp=str(NOW + 300)),
    claim("R-177", "exp is true", False, exp=True),
    token("R-177", "exp with a fraction", True, lambda: written_number("exp", f"{NOW + 300}.5")),
    token("R-177", "exp with 400 digits", False, lambda: written_number("exp", TOO_MANY_DIGITS)),
    token("R-177", "exp of 1e999999", False, lambda: written_number("exp", "1e999999")),
    token("R-177", "exp is NaN", False, lambda: written_number("exp", "NaN")),
    claim("R-178", "no iat", False, iat=None),
    claim("R-178", "issued 30 seconds ahead", True, iat=NOW + 30),
    claim("R-178", "issued 60 seconds ahead", True, iat=NOW + 60),
    claim("R-178", "issued 61 seconds ahead", False, iat=NOW + 61),
    claim("R-178", "issued 90 seconds ahead", False, iat=NOW + 90),
    claim("R-178", "issued in an hour", False, iat=NOW + 3600, exp=NOW + 3700),
    claim("R-178", "iat as text", False, iat=str(NOW)),
    claim("R-179", "no jti", False, jti=None),
    claim("R-179", "jti that is empty", False, jti=""),
    claim("R-179", "jti that is a number", False, jti=7),
    Row("R-179", "the same token, the same call, at once (ruling 1)", True, lambda b: _again(b, after=0)),
    Row("R-179", "the same token, the same call, after 59 seconds", True, lambda b: _again(b, after=59)),
    Row("R-179", "the same token, the same call, after 60 seconds", True, lambda b: _again(b, after=60)),
    Row("R-179", "the same token, the same call, after 61 seconds", False, lambda b: _again(b, after=61)),
    Row("R-179", "the same token, another body", False, lambda b: _again(b, after=0, same_body=False)),
    Row("R-179", "the token and the body of a call, sent as feedback", False, _call_then_feedback),
    Row("R-185", "a token id that was in a refused token", True, _refused_first),
    Row("R-179", "the same token, another service", False, lambda b: _again(b, after=0, url=SELECT)),
    claim("R-180", "a tenant where none was agreed", True, tenant="anywhere"),
    token("R-180", "a tenant that was agreed", True, lambda: other(SHARED, tenant="north")),
    token("R-180", "a tenant that was not agreed", False, lambda: other(SHARED, tenant="elsewhere")),
    token("R-180", "a tenant in capitals", False, lambda: other(SHARED, tenant="NORTH")),
    token("R-180", "no tenant where one was agreed", False, lambda: other(SHARED)),
    token("R-180", "a tenant that is an array", False, lambda: other(SHARED, tenant=["north"])),
    Row("trap 10", "one issuer, two clients, FHIR server of one", True, _at_server(EAST)),
    Row("trap 10", "one issuer, two clients, FHIR server of neither", False, _at_server("https://split.example.org")),
    Row("trap 10", "one issuer, two clients, no FHIR server", False, _at_server(None)),
    claim("R-181", "no sub", True, sub=None),
    claim("R-181", "claims that nobody knows", True, sub="client", azp="x", deep={"a": [1]}),
    claim("R-181", "nbf 5 minutes before iat", True, nbf=NOW - 300),
    claim("R-181", "nbf 60 seconds ahead", True, nbf=NOW + 60),
    claim("R-181", "nbf 61 seconds ahead", False, nbf=NOW + 61),
    claim("R-181", "nbf as text", False, nbf="now"),
    claim("R-181", "nbf is true", False, nbf=True),
    claim("R-182", "lives an hour, as agreed", True, exp=NOW + 3600),
    claim("R-182", "lives an hour and a second", False, exp=NOW + 3601),
    claim("R-182", "expires when it is issued", False, iat=NOW + 30, exp=NOW + 30),
    token(
        "R-182", "lives 15 minutes, as agreed with this client", True,
        lambda: other(AGREED, "labelled-rs256", "RS256", aud="sand_man", exp=NOW + 900),
    ),
    token(
        "R-182", "lives 15 minutes and a second", False,
        lambda: other(AGREED, "labelled-rs256", "RS256", aud="sand_man", exp=NOW + 901),
    ),
    token("signature", "one letter of the claims changed", False, lambda: _tampered(good())),
    token("signature", "a signature with bits in its last letter that mean nothing", False, lambda: _written_otherwise(good())),
    token("signature", "a signature of which one letter is left in its last group", False, lambda: good()[:-1]),
    token("signature", "a signature of another key", False, lambda: signed(claims(), "rsa-remote", kid="rsa")),
    token("signature", "the signature of another token", False, lambda: good().rpartition(".")[0] + "." + good().rpartition(".")[2]),
    token(
        "R-187", "ES384 with a signature in DER", False,
        lambda: signed(claims(), "ec", sign=_in_der, alg="ES384", kid="ec"),
    ),
    header("R-186", "a key of its own in the header (jwk)", True, jwk=jwk("rsa-remote", "x")),
    token(
        "R-186", "signed with the key in the header (jwk)", False,
        lambda: signed(claims(), "rsa-remote", kid="rsa", jwk=jwk("rsa-remote", "rsa")),
    ),
    header("R-186", "x5u and x5c", True, x5u="https://evil.example.org/x", x5c=["AAAA"]),
    header("RFC 7515", "crit", False, crit=["exp"], exp=NOW),
    header("RFC 7797", "b64", False, b64=False, crit=["b64"]),
    Row("section 7", "keys at an address that is gone, fetched 23 hours ago", True, _with_keys_down(23)),
    Row("section 7", "keys at an address that is gone, fetched 25 hours ago", False, _with_keys_down(25)),
    Row("section 7", "keys at an address that never answered", False, _with_keys_never_had),
)  # fmt: skip


def _address(bench: Bench) -> str:
    (client,) = (client for client in bench.admission.clients if client.name == "remote")
    return client.jwks_url


def _written_otherwise(written: str) -> str:
    """The same octets: a signature of 256 ends in a letter of which four bits are not used."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return written[:-1] + letters[letters.index(written[-1]) + 1]


def _tampered(written: str) -> str:
    head, body, signature = written.split(".")
    return ".".join((head, body[:-2] + ("AA" if body[-2:] != "AA" else "BB"), signature))


def _in_der(covered: bytes) -> bytes:
    private = key("ec")
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.sign(covered, ec.ECDSA(SHA384()))


def main() -> None:
    """Print the table, without the log of the calls."""
    with (
        redirect_stderr(io.StringIO()),
        tempfile.TemporaryDirectory() as folder,
        production_bench(Path(folder)) as bench,
    ):
        print("| asked for by | sent | answer |\n|---|---|---|")
        for row in ROWS:
            bench.begin()
            answer = row.send(bench).status_code
            mark = "" if (answer == 200) == row.is_let_in else "  UNEXPECTED"
            print(f"| {row.requirement} | {row.sent} | {answer}{mark} |")


if __name__ == "__main__":
    main()
