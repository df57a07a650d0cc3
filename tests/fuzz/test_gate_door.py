"""What strangers send to the door for pipelines, nearly right: it is answered, and nothing is believed that nobody signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import jwt
from hypothesis import example, given
from hypothesis import strategies as st

from bot.gate.asked import CHANGE_LENGTH_MAX, Sent, read
from bot.gate.asks import No
from bot.gate.issuers import Issuers
from bot.gate.proof import Proved, Prover, Unproved
from tests.support import issuer as by
from tests.support.fuzz import as_json, few, nearly, quickly
from tests.support.issuer import AUDIENCE, KID
from tests.support.pipelines import GITHUB_ISSUER, github_pipeline
from workflows.core.pipelines.judge import judge

NOW = datetime(2026, 11, 27, 3, 20, tzinfo=UTC)
HEAD = {"alg": "RS256", "kid": KID, "typ": "JWT"}
CLAIMS = by.dated(GITHUB_ISSUER, NOW.timestamp(), jti="j-1")
BODY = {"environment": "orders-prod", "gate": "deploy", "change": "Release 42", "url": "https://ci.example.com/1"}
BODY |= {"commit": "a1b2c3d", "ticket": "INC-42", "nonce": "n" * 43}
PIPELINES = (github_pipeline(),)


def _listed(url: str) -> Any:
    assert url.startswith(GITHUB_ISSUER), "nobody else is asked"
    return {"issuer": GITHUB_ISSUER, "jwks_uri": f"{GITHUB_ISSUER}/k"} if "openid" in url else {"keys": [by.jwk(KID)]}


PROVER = Prover(Issuers(lambda: 1.0, _listed), AUDIENCE, aws_is_real=True)


def verdict(token: str) -> Proved | Unproved:
    found = PROVER.proved(token, PIPELINES, NOW)
    assert isinstance(found, Proved | Unproved)
    return found


@few(30)
@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
@example("..")
@example("e30.e30.e30")
def test_any_text_as_a_token(text: str) -> None:
    with quickly():
        assert isinstance(verdict(text), Unproved)


@few(30)
@given(nearly(HEAD), nearly(CLAIMS))
def test_any_head_and_claims_that_nobody_signed(head: Any, claims: Any) -> None:
    with quickly():
        assert isinstance(verdict(by.by_hand(as_json(head), as_json(claims))), Unproved)


@few(30)
@given(nearly(CLAIMS))
@example({**CLAIMS, "jti": "\ud83d"})
def test_any_claims_that_the_issuer_signed(claims: Any) -> None:
    """What is proved may still be refused; it is never taken for what it does not say."""
    try:
        token = jwt.encode(claims, by.rsa_key(), "RS256", headers={"kid": KID})
    except (TypeError, ValueError):
        return  # no issuer can write this
    with quickly():
        found = verdict(token)
        if isinstance(found, Proved):
            judge(PIPELINES, found.run, "orders-prod")
            assert (found.run.repository_id, found.run.commit) == (claims["repository_id"], claims["sha"])


@few(30)
@given(nearly(BODY))
def test_any_body(body: Any) -> None:
    with quickly():
        found = read(as_json(body).encode())
        assert isinstance(found, Sent | No)
        if isinstance(found, Sent):
            assert 0 < len(found.words.change) <= CHANGE_LENGTH_MAX
            assert (found.words.change + found.words.url + found.words.ticket).isprintable()
        else:
            found.sentence.encode()
