"""Whether a token proves which run of which pipeline brings it. See docs/adr/0063-who-a-pipeline-is.md.

The issuer must stand in the policy before anything is fetched for it. What a token says of algorithms and keys chooses among
those that are known to be its issuer's, and adds none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.cloud_credentials import may_be_this_machine
from bot.directory.key_list import KeysUnavailable
from bot.gate.codes import Problem
from bot.gate.issuers import ES256, RS256, Issuers
from bot.gate.strict_token import OddToken, Parts, parts_of
from workflows.core import keys
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.claims import run_of, run_of_key
from workflows.core.pipelines.identity import Forge, PipelineRun
from workflows.core.pipelines.judge import NotAllowed, issuers

EDDSA = "EdDSA"
# Of the clocks: Redis's, by which we judge, and the issuer's.
LEEWAY = timedelta(seconds=30)
# A job's token of GitLab lives as long as its job may run.
LIFE_MAX = timedelta(hours=24)
OWN_LIFE_MAX = timedelta(minutes=10)
_ID_LENGTH_MAX = 256
# A number beyond is no time that a clock shows.
_TIME_MAX = 2**40


@dataclass(frozen=True, slots=True)
class Proved:
    """`once`: stands for this one token; `until`: so long it must be remembered that it was used."""

    run: PipelineRun
    once: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Unproved:
    """`sentence`: for the log of the job. It holds nothing of the token."""

    problem: Problem
    sentence: str


class _No(Exception):
    def __init__(self, problem: Problem, sentence: str) -> None:
        super().__init__(sentence)
        self.unproved = Unproved(problem, sentence)


class Prover:
    """`audience`: PRODACCESS_URL. `aws_is_real`: whether what answers on this machine must not speak for anybody."""

    def __init__(self, issuers_: Issuers, audience: str, *, aws_is_real: bool) -> None:
        self._issuers = issuers_
        self._audience = audience
        self._aws_is_real = aws_is_real

    def proved(self, token: str, pipelines: Sequence[Pipeline], now: datetime) -> Proved | Unproved:
        """May wait for a second where a key is new, so not in an event loop. `now`: the ledger's."""
        try:
            found = parts_of(token)
            if found.head.get("alg") == EDDSA:
                return self._by_key(token, found, pipelines, now)
            return self._by_issuer(token, found, pipelines, now)
        except OddToken as odd:
            return Unproved(Problem.TOKEN, f"The token is not good: {odd}.")
        except _No as no:
            return no.unproved
        except KeysUnavailable:
            return Unproved(Problem.KEYS, "The keys of the token's issuer cannot be looked at just now: try again.")

    def attention(self) -> list[str]:
        return self._issuers.attention()

    def _by_issuer(self, token: str, found: Parts, pipelines: Sequence[Pipeline], now: datetime) -> Proved:
        issuer, kid, alg = found.claims.get("iss"), found.head.get("kid"), found.head.get("alg")
        if alg not in (RS256, ES256):
            raise _No(Problem.ALGORITHM, "The token is signed in a way that is not taken: RS256, ES256 or EdDSA.")
        named = frozenset(issuers(pipelines))
        if not isinstance(issuer, str) or issuer not in named:
            raise _No(Problem.ISSUER, "The policy names no pipeline of the issuer of this token.")
        if self._aws_is_real and may_be_this_machine(issuer):
            raise _No(Problem.ISSUER, "An issuer on this machine is not believed beside a real AWS endpoint.")
        if not isinstance(kid, str) or not 0 < len(kid) <= _ID_LENGTH_MAX:
            raise _No(Problem.KEY, "The token does not say by which key it is signed.")
        key = self._issuers.find(issuer, kid, named)
        if key is None or key.alg != alg:
            raise _No(Problem.KEY, "The token is signed by a key that its issuer does not list.")
        self._check(token, found, key.key, alg, issuer, LIFE_MAX, now)
        forge = next(one.forge for one in pipelines if one.issuer == issuer)
        return self._run(run_of(forge, issuer, found.claims), issuer, found)

    def _by_key(self, token: str, found: Parts, pipelines: Iterable[Pipeline], now: datetime) -> Proved:
        kid = found.head.get("kid")
        ours = next((one for one in pipelines if one.forge is Forge.KEY and one.repository_id == kid), None)
        if ours is None:
            raise _No(Problem.KEY, "The token is signed by a key that the policy does not list.")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(ours.key))
        self._check(token, found, key, EDDSA, ours.repository_id, OWN_LIFE_MAX, now)
        return self._run(run_of_key(ours.name, ours.repository_id, found.claims), ours.repository_id, found)

    def _run(self, run: PipelineRun | NotAllowed, issuer: str, found: Parts) -> Proved:
        if isinstance(run, NotAllowed):
            raise _No(Problem.CLAIMS, run.sentence)
        return Proved(run, keys.token_once(issuer, found.claims["jti"]), _time(found.claims, "exp") + LEEWAY)

    def _check(
        self, token: str, found: Parts, key: Any, alg: str, issuer: str, life_max: timedelta, now: datetime
    ) -> None:
        """Signature first. Times are judged by our own clock, so PyJWT is not asked for them."""
        claims = found.claims
        ours: Any = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_jti"), False)
        try:
            jwt.decode(token, key, algorithms=[alg], issuer=issuer, options=ours | {"require": ["iss"]})
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise _No(Problem.SIGNATURE, "The signature of the token is not its issuer's.") from None
        # One word, and nothing but it: a token that is for several is for others, too.
        if claims.get("aud") != self._audience:
            words = f"The token is for another audience: ask for one for {self._audience}, as PRODACCESS_URL is here."
            raise _No(Problem.AUDIENCE, words)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _ID_LENGTH_MAX or not (jti.isascii() and jti.isprintable()):
            raise _No(Problem.CLAIMS, "The token has no usable claim 'jti'.")
        _in_time(claims, life_max, now)


def _in_time(claims: dict[str, Any], life_max: timedelta, now: datetime) -> None:
    begins, ends = _time(claims, "iat"), _time(claims, "exp")
    not_before = _time(claims, "nbf") if "nbf" in claims else begins
    if now >= ends + LEEWAY:
        raise _No(Problem.EXPIRED, "The token has expired: ask the forge for a new one.")
    if max(begins, not_before) > now + LEEWAY:
        raise _No(Problem.EARLY, "The token is not valid yet: look at the clock of its issuer.")
    if ends - begins > life_max:
        raise _No(Problem.CLAIMS, f"The token is valid for longer than {life_max.total_seconds() / 60:g} minutes.")


def _time(claims: dict[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _TIME_MAX:
        raise _No(Problem.CLAIMS, f"The token has no usable claim {name!r}.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise _No(Problem.CLAIMS, f"The token has no usable claim {name!r}.") from None
