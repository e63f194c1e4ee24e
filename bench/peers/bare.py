"""The limit, and a minimal Flask view, on the very server of the service: `python -m bench.peers.bare KIND PORT`.

KIND is `msgspec` (the decoder that the service uses), `json` (the standard library's) or `flask`. They read the JSON of
a call, do nothing with it, and answer that there are no cards. With BENCH_KEYS, a JWK Set, `msgspec` and `json` check
the caller's token first, with keys held in memory.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import jwt
import msgspec
from flask import Flask, request

from bench.tokens import AUDIENCE, ISSUER
from cds_service.operations import METRICS, RESOURCES
from cds_service.server import ServerSize, listen, run_server

ANSWER = b'{"cards":[]}'
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Nothing:
    """Stands where the server looks for counters to set and resources to close."""

    def worker_started(self, threads: int) -> None:
        """Count nothing."""

    def close(self) -> None:
        """Close nothing."""


class BareApp:
    """A WSGI function in the shape in which the service's server takes an application."""

    def __init__(self, answer: Wsgi) -> None:
        self.wsgi_app = answer
        self.extensions = {METRICS: Nothing(), RESOURCES: Nothing()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        return self.wsgi_app(environ, start_response)


def bare_function(decode: Callable[[bytes], object], keys: dict[str, Any]) -> Wsgi:
    """A WSGI function that reads the body with `decode`; with `keys`, by key id, it checks the token before."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status = "200 OK"
        if keys and not _is_token_good(environ, keys):
            status = "401 Unauthorized"
        elif environ["REQUEST_METHOD"] == "POST":
            decode(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))]
        start_response(status, headers)
        return [ANSWER]

    return answer


def _is_token_good(environ: dict[str, Any], keys: dict[str, Any]) -> bool:
    """Whether signature, issuer, audience and moments are right. Discovery needs no token, as in the service."""
    if environ["REQUEST_METHOD"] == "GET":
        return True
    token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    try:
        header = jwt.get_unverified_header(token)
        jwt.decode(
            token,
            keys[header["kid"]],
            algorithms=[header["alg"]],
            audience=AUDIENCE + environ["PATH_INFO"],
            issuer=ISSUER,
            options={"require": ["iss", "aud", "exp", "iat", "jti"]},
        )
    except (jwt.InvalidTokenError, LookupError):
        return False
    return True


def flask_view() -> Flask:
    """The least that Flask needs to read JSON and answer in JSON."""
    app = Flask(__name__)
    app.extensions |= {METRICS: Nothing(), RESOURCES: Nothing()}

    @app.get("/cds-services")
    def discover() -> dict[str, object]:
        return {"services": []}

    @app.post("/cds-services/<path:_>")
    def answer(_: str) -> dict[str, object]:
        request.get_json()
        return {"cards": []}

    return app


def main() -> None:
    """Serve until told to stop."""
    kind, port = sys.argv[1], int(sys.argv[2])
    key_set = json.loads(os.environ.get("BENCH_KEYS", '{"keys": []}'))
    keys = {key["kid"]: jwt.PyJWK.from_dict(key).key for key in key_set["keys"]}
    decoders: dict[str, Callable[[bytes], object]] = {
        "msgspec": msgspec.json.Decoder(type=Any, float_hook=Decimal).decode,
        "json": json.loads,
    }
    app: Any = flask_view() if kind == "flask" else BareApp(bare_function(decoders[kind], keys))
    size = ServerSize(workers=1, threads=int(os.environ["WEB_THREADS"]))
    run_server(lambda: app, listen("127.0.0.1", port), size)


if __name__ == "__main__":
    main()
