"""An issuer of job tokens as GitHub is one: it signs with keys of its own, lists them, and answers a job's request for a token.

Strict: discovery and keys at their own paths alone; a token only for whoever brings the request's bearer, with an audience.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from bot.sandbox.made_once import made_once
from tests.support.pipelines import github_claims

AUDIENCE = "https://prodaccess.example.com"
KID = "key-1"
BEARER = "request-bearer"
REQUEST_PATH = "/_apis/pipelines/1/runs/22259804324/job/idtoken"


@made_once
def rsa_key(name: str = KID, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One for each name, made once."""
    del name
    return rsa.generate_private_key(65537, bits)


@made_once
def ec_key(name: str = "ec", curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    del name
    return ec.generate_private_key(ec.SECP256R1() if curve == "P-256" else ec.SECP384R1())


def jwk(kid: str, key: Any = None, **more: Any) -> dict[str, Any]:
    key = rsa_key(kid) if key is None else key
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def token(claims: Mapping[str, Any], kid: str | None = KID, key: Any = None, alg: str = "RS256", **head: Any) -> str:
    return jwt.encode(
        dict(claims), rsa_key(kid or KID) if key is None else key, alg, headers={"kid": kid, **head} if kid else head
    )


def by_hand(head: Any, claims: Any, signature: str = "c2ln") -> str:
    """A token whose parts are as they are given: text stays text."""
    parts = [part if isinstance(part, str) else json.dumps(part) for part in (head, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts), signature])


def dated(issuer: str, now_s: float, **changed: Any) -> dict[str, Any]:
    """Claims of a push to main in a token that was issued just now; what is changed to None is not there."""
    own = {
        "iss": issuer,
        "aud": AUDIENCE,
        "jti": str(uuid.uuid4()),
        "iat": int(now_s),
        "nbf": int(now_s) - 300,
        "exp": int(now_s) + 600,
    }
    return {name: value for name, value in (github_claims() | own | changed).items() if value is not None}


class Issuer:
    """`claims`: of the next tokens. `keys`: what it lists. `asked`: the paths that were asked for."""

    def __init__(self, server: ThreadingHTTPServer, now_s: Any) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.now_s = now_s
        self.keys: list[dict[str, Any]] = [jwk(KID)]
        self.claims: dict[str, Any] = {}
        self.configuration: dict[str, Any] = {"issuer": self.url, "jwks_uri": f"{self.url}/.well-known/jwks"}
        self.redirect_to = ""
        self.asked: list[str] = []
        self.refuses_tokens = 0

    @property
    def request_url(self) -> str:
        """As ACTIONS_ID_TOKEN_REQUEST_URL has it: a query stands there already."""
        return f"{self.url}{REQUEST_PATH}?api-version=2.0"

    def token(self, **changed: Any) -> str:
        return token(dated(self.url, self.now_s(), **(self.claims | changed)))

    def answer(self, path: str, query: Mapping[str, list[str]], bearer: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, self.configuration
        if path == "/.well-known/jwks":
            return 200, {"keys": self.keys}
        if path != REQUEST_PATH or query.get("api-version") != ["2.0"]:
            return 404, {"message": "Not Found"}
        if bearer != f"bearer {BEARER}" or "audience" not in query:
            return 401, {"message": "Bad credentials"}
        if self.refuses_tokens > 0:
            self.refuses_tokens -= 1
            return 503, {"message": "busy"}
        return 200, {"count": 1, "value": self.token(aud=query["audience"][0])}


@contextmanager
def issuing(now_s: Any) -> Iterator[Issuer]:
    """On a free port of this machine. `now_s`: what time it is there, in seconds since the epoch."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    found = Issuer(server, now_s)
    _Handler.of[server.server_address[1]] = found
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: dict[int, Issuer] = {}  # noqa: RUF012 - by port

    def do_GET(self) -> None:
        issuer = self.of[self.server.server_address[1]]  # type: ignore[index]  # of TCP, so address and port
        parts = urlsplit(self.path)
        issuer.asked.append(parts.path)
        if issuer.redirect_to:
            self.send_response(302)
            self.send_header("Location", issuer.redirect_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status, said = issuer.answer(parts.path, parse_qs(parts.query), self.headers.get("Authorization", ""))
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
