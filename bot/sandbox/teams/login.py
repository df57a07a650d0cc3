"""Microsoft's login on this machine: the keys that sign what Teams sends to a bot, and the tokens a bot calls with."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox.clock import system_clock
from bot.sandbox.made_once import made_once
from bot.sandbox.teams.errors import Refused
from bot.sandbox.teams.people import Json
from bot.sandbox.teams.world import World

ISSUER = "https://api.botframework.com"
BOT_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
AUDIENCES = {BOT_SCOPE: "https://api.botframework.com", GRAPH_SCOPE: "https://graph.microsoft.com"}


@made_once
def key(_name: str) -> rsa.RSAPrivateKey:
    """One for each name and process: making one takes a tenth of a second."""
    return rsa.generate_private_key(65537, 2048)


def kid(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


class Keys:
    """What Teams signs with. `names`: the keys that are published, the newest last; `endorsements`: what for."""

    def __init__(self) -> None:
        self.names = ["teams key 1"]
        self.endorsements: dict[str, list[str]] = {}

    def published(self) -> Json:
        return {"keys": [self._as_jwk(name) for name in self.names]}

    def _as_jwk(self, name: str) -> Json:
        said: Json = jwt.algorithms.RSAAlgorithm.to_jwk(key(name).public_key(), as_dict=True)
        said.pop("key_ops", None)
        endorsed = self.endorsements.get(name, ["msteams"])
        return said | {"use": "sig", "kid": kid(name), "x5t": kid(name), "endorsements": endorsed}

    def rotate(self, name: str) -> None:
        """Sign with a new key from now on; the older ones stay published."""
        self.names.append(name)


def sign(claims: Mapping[str, Any], name: str, headers: Mapping[str, Any] | None = None) -> str:
    """A token over these claims. `headers`: beside or in place of `kid` and `alg`."""
    return jwt.encode(dict(claims), key(name), algorithm="RS256", headers={"kid": kid(name), **(headers or {})})


def openid(base: str) -> Json:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": "https://invalid.botframework.com",
        "jwks_uri": f"{base}/v1/.well-known/keys",
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }


class Login:
    """Client credentials for one app of one tenant. `password` can be changed: the older one is refused then."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.password = secrets.token_urlsafe(30)
        self.life_s = 3599
        self.since = 0.0
        """Tokens that were issued before this time are taken no more."""

    def discovery(self, base: str, tenant: str) -> Json:
        self._tenant(tenant)
        here = f"{base}/{tenant}"
        return {
            "issuer": f"{here}/v2.0",
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "jwks_uri": f"{here}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def token(self, tenant: str, form: Mapping[str, str]) -> Json:
        """Raise LoginRefused."""
        self._tenant(tenant)
        if form.get("grant_type") != "client_credentials":
            raise LoginRefused(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if form.get("client_id") != self._world.app_id:
            raise LoginRefused(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        if not secrets.compare_digest(form.get("client_secret", "").encode(), self.password.encode()):
            raise LoginRefused(401, "invalid_client", 7000215, "Invalid client secret provided.")
        wanted = [scope for scope in form.get("scope", "").split() if scope in AUDIENCES]
        if len(wanted) != 1:
            raise LoginRefused(400, "invalid_scope", 70011, "The provided value for scope is not valid.")
        return {
            "token_type": "Bearer",
            "expires_in": self.life_s,
            "ext_expires_in": self.life_s,
            "access_token": self.issue(AUDIENCES[wanted[0]]),
        }

    def issue(self, audience: str, **claims: Any) -> str:
        """A token for one of our own services."""
        now = system_clock()
        usual = {"aud": audience, "appid": self._world.app_id, "tid": self._world.tenant, "iat": now}
        said = usual | {"exp": int(now) + self.life_s, "jti": secrets.token_hex(8)} | claims
        return jwt.encode(said, key("login"), algorithm="RS256", headers={"kid": kid("login")})

    def check(self, header: str | None, audience: str) -> None:
        """Raise Refused 401 for a token that is missing, not ours, over, or for another service."""
        scheme, _, token = (header or "").partition(" ")
        try:
            if scheme != "Bearer":
                raise jwt.InvalidTokenError("no bearer token")
            claims = jwt.decode(
                token,
                key("login").public_key(),
                algorithms=["RS256"],
                audience=audience,
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "aud", "iat"]},
            )
            if claims["exp"] <= system_clock() or claims["iat"] < self.since:
                raise jwt.ExpiredSignatureError("over")
        except jwt.InvalidTokenError:
            raise Refused(401, *_UNAUTHORIZED[audience], {"WWW-Authenticate": "Bearer"}) from None

    def _tenant(self, tenant: str) -> None:
        if tenant != self._world.tenant:
            raise LoginRefused(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")


_UNAUTHORIZED = {
    AUDIENCES[BOT_SCOPE]: ("AuthorizationRequestDenied", "Authorization has been denied for this request."),
    AUDIENCES[GRAPH_SCOPE]: ("InvalidAuthenticationToken", "Access token is missing, malformed or has expired."),
}


class LoginRefused(Refused):
    """As the login says it: `{"error", "error_description", "error_codes"}`."""

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(status, error, f"AADSTS{number}: {message}")
        self.number = number

    def body(self) -> dict[str, Any]:
        return {"error": self.code, "error_description": self.message, "error_codes": [self.number]}
