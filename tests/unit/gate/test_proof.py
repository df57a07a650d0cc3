"""Each line of the list of forged, foreign, late and broken tokens: what is refused, and that nothing was fetched for it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.directory.http_json import NotFetched
from bot.gate.codes import Problem
from bot.gate.issuers import Issuers
from bot.gate.own_token import UnusableKey, signed
from bot.gate.proof import LEEWAY, Proved, Prover, Unproved
from tests.support import issuer as by
from tests.support.issuer import AUDIENCE, KID
from tests.support.pipelines import COMMIT, GITHUB_ISSUER, github_pipeline
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import Forge

NOW = datetime(2026, 11, 27, 3, 20, tzinfo=UTC)
NOW_S = NOW.timestamp()
PIPELINES = (github_pipeline(),)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
JENKINS = Pipeline("jenkins", Forge.KEY, repository_id=f"key:{RAW[:16]}", ref_protected=False, key=RAW)


class World:
    """A prover, and the addresses that were asked for it."""

    def __init__(self, *keys: dict[str, Any], aws_is_real: bool = True, **configuration: Any) -> None:
        self.asked: list[str] = []
        self.now_s = 1000.0
        self.keys = list(keys) or [by.jwk(KID)]
        self.configuration = {
            "issuer": GITHUB_ISSUER,
            "jwks_uri": f"{GITHUB_ISSUER}/.well-known/jwks",
            **configuration,
        }
        self.prover = Prover(Issuers(lambda: self.now_s, self._get), AUDIENCE, aws_is_real=aws_is_real)

    def _get(self, url: str) -> Any:
        self.asked.append(url)
        return self.configuration if url.endswith("openid-configuration") else {"keys": self.keys}

    def verdict(self, token: str, pipelines: tuple[Pipeline, ...] = PIPELINES, now: datetime = NOW) -> Proved | Problem:
        found = self.prover.proved(token, pipelines, now)
        if isinstance(found, Unproved):
            assert found.sentence.endswith(".")
            assert not any(piece in found.sentence for piece in token.split(".") if len(piece) > 8)
            return found.problem
        return found


def claims(**changed: Any) -> dict[str, Any]:
    return by.dated(GITHUB_ISSUER, NOW_S, **changed)


def test_a_token_of_the_issuer_proves_the_run() -> None:
    world = World()

    found = world.verdict(by.token(claims(jti="j-1")))

    assert isinstance(found, Proved)
    assert (found.run.repository, found.run.commit, found.run.job) == ("acme/orders", COMMIT, "90000001")
    assert found.once.startswith("jti:")
    assert "j-1" not in found.once
    assert found.until == NOW + timedelta(seconds=600) + LEEWAY
    assert world.asked == [f"{GITHUB_ISSUER}/.well-known/openid-configuration", f"{GITHUB_ISSUER}/.well-known/jwks"]


def test_the_keys_are_fetched_once() -> None:
    world = World()

    for _ in range(3):
        assert isinstance(world.verdict(by.token(claims())), Proved)

    assert len(world.asked) == 2


def test_one_token_has_one_name_and_another_one_another() -> None:
    world = World()
    found = [world.verdict(by.token(claims(jti=jti))) for jti in ("a", "a", "b")]

    names = [one.once for one in found if isinstance(one, Proved)]
    assert names[0] == names[1] != names[2]


def test_a_key_of_a_curve_signs_with_the_curve() -> None:
    world = World(by.jwk("ec", by.ec_key()))

    assert isinstance(world.verdict(by.token(claims(), "ec", by.ec_key(), "ES256")), Proved)


# ---------------------------------------------------------------- before anything is fetched


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", Problem.TOKEN),
        ("a.b", Problem.TOKEN),
        ("a" * 20_000, Problem.TOKEN),
        (by.by_hand({"alg": "RS256", "kid": KID}, "[]"), Problem.TOKEN),
        (by.by_hand({"alg": "RS256", "kid": KID}, '{"iss": NaN}'), Problem.TOKEN),
        (by.by_hand({"alg": "RS256", "kid": KID}, "[" * 9000), Problem.TOKEN),
        (by.by_hand('{"alg": "none", "alg": "RS256", "kid": "key-1"}', claims()), Problem.TOKEN),
        (
            by.by_hand({"alg": "RS256", "kid": KID}, f'{{"iss": "https://a.example", "iss": "{GITHUB_ISSUER}"}}'),
            Problem.TOKEN,
        ),
        (by.by_hand({"alg": "RS256", "kid": KID, "crit": ["exp"], "exp": 1}, claims()), Problem.TOKEN),
        (by.by_hand({"alg": "RS256", "kid": KID, "b64": False}, claims()), Problem.TOKEN),
        (by.by_hand({"alg": "none", "kid": KID}, claims(), "x"), Problem.ALGORITHM),
        (by.by_hand({"kid": KID}, claims()), Problem.ALGORITHM),
        (by.by_hand({"alg": ["RS256"], "kid": KID}, claims()), Problem.ALGORITHM),
        (by.by_hand({"alg": "HS256", "kid": KID}, claims()), Problem.ALGORITHM),
        (by.by_hand({"alg": "RS512", "kid": KID}, claims()), Problem.ALGORITHM),
        (by.by_hand({"alg": "PS256", "kid": KID}, claims()), Problem.ALGORITHM),
        (by.by_hand({"alg": "RS256", "kid": KID}, claims(iss="https://evil.example.com")), Problem.ISSUER),
        (by.by_hand({"alg": "RS256", "kid": KID}, claims(iss=f"{GITHUB_ISSUER}/")), Problem.ISSUER),
        (by.by_hand({"alg": "RS256", "kid": KID}, claims(iss=[GITHUB_ISSUER])), Problem.ISSUER),
        (by.by_hand({"alg": "RS256", "kid": KID}, claims(iss=None)), Problem.ISSUER),
        (by.by_hand({"alg": "RS256"}, claims()), Problem.KEY),
        (by.by_hand({"alg": "RS256", "kid": ["key-1"]}, claims()), Problem.KEY),
        (by.by_hand({"alg": "RS256", "kid": "k" * 300}, claims()), Problem.KEY),
        (by.by_hand({"alg": "EdDSA", "kid": "key:0000000000000000"}, claims()), Problem.KEY),
    ],
)
def test_what_is_odd_is_refused_before_anything_is_fetched(token: str, problem: Problem) -> None:
    world = World()

    assert world.verdict(token) is problem
    assert world.asked == []


def test_the_last_part_must_be_there() -> None:
    assert World().verdict(by.token(claims()).rpartition(".")[0] + ".") is Problem.TOKEN


# ---------------------------------------------------------------- forged


def test_a_token_that_somebody_else_signed_is_refused() -> None:
    world = World()

    assert world.verdict(by.token(claims(), KID, by.rsa_key("other"))) is Problem.SIGNATURE
    head, _, signature = by.token(claims()).split(".")
    other = by.token(claims(repository_id="5")).split(".")[1]
    assert world.verdict(f"{head}.{other}.{signature}") is Problem.SIGNATURE


def test_the_public_key_is_no_shared_secret() -> None:
    from cryptography.hazmat.primitives import hashes, hmac

    pem = by.rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = by.by_hand({"alg": "HS256", "kid": KID}, claims()).rpartition(".")[0]
    mac = hmac.HMAC(pem, hashes.SHA256())
    mac.update(unsigned.encode())
    signature = base64.urlsafe_b64encode(mac.finalize()).rstrip(b"=").decode()

    assert World().verdict(f"{unsigned}.{signature}") is Problem.ALGORITHM


def test_a_key_signs_by_its_own_algorithm_alone() -> None:
    both = (by.jwk(KID), by.jwk("ec", by.ec_key()))

    assert World(*both).verdict(by.token(claims(), "ec")) is Problem.KEY
    assert World(*both).verdict(by.token(claims(), KID, by.ec_key(), "ES256")) is Problem.KEY


def test_a_token_brings_no_key_of_its_own() -> None:
    mine = by.jwk("mine", by.rsa_key("mine"))
    world = World()

    found = world.verdict(by.token(claims(), KID, by.rsa_key("mine"), jwk=mine, jku="https://evil.example.com/jwks"))

    assert found is Problem.SIGNATURE
    assert all(url.startswith(GITHUB_ISSUER) for url in world.asked)


@pytest.mark.parametrize("kid", ["../key-1", "key-1\x00", "KEY-1", "https://evil.example.com/key", "' OR 1=1"])
def test_a_name_of_a_key_is_only_looked_up(kid: str) -> None:
    world = World()

    assert world.verdict(by.token(claims(), kid, by.rsa_key())) is Problem.KEY
    assert all(url.startswith(GITHUB_ISSUER) for url in world.asked)


@pytest.mark.parametrize(
    "bad",
    [
        by.jwk(KID, by.rsa_key("weak", 1024)),
        by.jwk(KID, use="enc"),
        by.jwk(KID, alg="RS512"),
        by.jwk(KID, by.ec_key("p384", "P-384")),
        {"kty": "oct", "kid": KID, "k": "c2VjcmV0"},
        {"kid": KID},
    ],
    ids=["too short", "of encryption", "of another algorithm", "another curve", "a secret", "nothing"],
)
def test_a_list_with_a_key_that_cannot_be_believed(bad: dict[str, Any]) -> None:
    world = World(bad, by.jwk("good", by.rsa_key("good")))

    assert world.verdict(by.token(claims())) is Problem.KEY
    assert isinstance(world.verdict(by.token(claims(), "good", by.rsa_key("good"))), Proved)


# ---------------------------------------------------------------- whom it is for, and when


@pytest.mark.parametrize(
    "audience",
    ["https://other.example.com", [AUDIENCE], [AUDIENCE, "x"], f"{AUDIENCE}/", AUDIENCE.upper(), None, 7, ""],
)
def test_a_token_for_others_is_refused(audience: object) -> None:
    assert World().verdict(by.token(claims(aud=audience))) is Problem.AUDIENCE


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"exp": int(NOW_S) - 31}, Problem.EXPIRED),
        ({"exp": int(NOW_S) - 29}, None),
        ({"nbf": int(NOW_S) + 31}, Problem.EARLY),
        ({"nbf": int(NOW_S) + 29}, None),
        ({"iat": int(NOW_S) + 31}, Problem.EARLY),
        ({"exp": None}, Problem.CLAIMS),
        ({"iat": None}, Problem.CLAIMS),
        ({"nbf": None}, None),
        ({"exp": True}, Problem.CLAIMS),
        ({"exp": "soon"}, Problem.CLAIMS),
        ({"exp": 1e300}, Problem.CLAIMS),
        ({"exp": 2**70}, Problem.CLAIMS),
        ({"exp": -5}, Problem.CLAIMS),
        ({"exp": int(NOW_S) + 25 * 3600}, Problem.CLAIMS),
        ({"jti": None}, Problem.CLAIMS),
        ({"jti": "j" * 300}, Problem.CLAIMS),
        ({"jti": 5}, Problem.CLAIMS),
        ({"repository_id": None}, Problem.CLAIMS),
    ],
)
def test_when_it_is_valid_and_what_it_must_have(changed: dict[str, Any], problem: Problem | None) -> None:
    found = World().verdict(by.token(claims(**changed)))

    assert found is problem if problem else isinstance(found, Proved)


# ---------------------------------------------------------------- keys that change, issuers that do odd things


def test_a_new_key_is_found_by_one_more_look_and_no_more() -> None:
    world = World()
    assert isinstance(world.verdict(by.token(claims())), Proved)
    new = by.token(claims(), "key-2", by.rsa_key("key-2"))
    # So soon after the last look nobody can be asked, and what is not on the list is certainly not.
    assert world.verdict(new) is Problem.KEY
    world.keys, world.now_s = [by.jwk("key-2")], world.now_s + 31

    assert isinstance(world.verdict(new), Proved)
    assert [world.verdict(by.token(claims(), f"no-{n}", by.rsa_key())) for n in range(9)] == [Problem.KEY] * 9
    assert len(world.asked) == 4


def test_a_key_that_was_taken_back_is_believed_for_an_hour_at_most() -> None:
    world = World()
    old = by.token(claims())
    assert isinstance(world.verdict(old), Proved)
    world.keys, world.now_s = [by.jwk("key-2")], world.now_s + 3601

    # Also by the first who comes after that, however long nobody came.
    assert world.verdict(old) in (Problem.KEY, Problem.KEYS)
    world.prover._issuers._lists[GITHUB_ISSUER].fetch_now()

    assert world.verdict(old) is Problem.KEY


def test_keys_that_nobody_can_look_at_again_are_believed_for_an_hour_and_whoever_runs_it_is_told() -> None:
    world, reached = World(), True

    def get(url: str) -> Any:
        if not reached:
            raise NotFetched("could not be reached")
        return world._get(url)

    prover = Prover(Issuers(lambda: world.now_s, get), AUDIENCE, aws_is_real=True)
    keys = prover._issuers._list(GITHUB_ISSUER, frozenset({GITHUB_ISSUER}))
    token = by.token(claims())
    keys.fetch_now()
    reached, world.now_s = False, world.now_s + 3500
    keys.fetch_now()
    assert isinstance(prover.proved(token, PIPELINES, NOW), Proved)
    assert prover.attention() == []
    world.now_s += 200

    found = prover.proved(token, PIPELINES, NOW)

    assert isinstance(found, Unproved)
    assert found.problem is Problem.KEYS
    (said,) = prover.attention()
    assert "could not be reached" in said
    reached = True
    keys.fetch_now()
    assert isinstance(prover.proved(token, PIPELINES, NOW), Proved)
    assert prover.attention() == []


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://evil.example.com"},
        {"issuer": None},
        {"jwks_uri": "https://evil.example.com/jwks"},
        {"jwks_uri": "http://token.actions.githubusercontent.com/.well-known/jwks"},
        {"jwks_uri": "https://token.actions.githubusercontent.com:8443/jwks"},
        {"jwks_uri": "https://token.actions.githubusercontent.com@evil.example.com/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://[oops/jwks"},
        {"jwks_uri": None},
    ],
)
def test_keys_come_from_the_issuers_own_address_alone(configuration: dict[str, Any]) -> None:
    world = World(**configuration)

    assert world.verdict(by.token(claims())) is Problem.KEYS
    assert world.asked == [f"{GITHUB_ISSUER}/.well-known/openid-configuration"]
    (said,) = world.prover.attention()
    assert said.startswith("The keys of token.actions.githubusercontent.com are not there: it ")
    assert "evil" not in said


def test_an_issuer_that_does_not_answer_is_not_known() -> None:
    def fails(_url: str) -> Any:
        raise NotFetched("could not be reached")

    prover = Prover(Issuers(lambda: 1.0, fails), AUDIENCE, aws_is_real=True)
    found = prover.proved(by.token(claims()), PIPELINES, NOW)

    assert isinstance(found, Unproved)
    assert found.problem is Problem.KEYS


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8000", "https://localhost:8000"])
def test_an_issuer_on_this_machine_proves_nothing_beside_a_real_cloud(issuer: str) -> None:
    pipelines = (github_pipeline(issuer=issuer),)
    token = by.token(by.dated(issuer, NOW_S))

    real, played = World(), World(aws_is_real=False, issuer=issuer, jwks_uri=f"{issuer}/.well-known/jwks")

    assert real.verdict(token, pipelines) is Problem.ISSUER
    assert real.asked == []
    assert isinstance(played.verdict(token, pipelines), Proved)


def test_an_issuer_that_left_the_policy_proves_nothing() -> None:
    world = World()
    assert isinstance(world.verdict(by.token(claims())), Proved)

    assert world.verdict(by.token(claims()), ()) is Problem.ISSUER


# ---------------------------------------------------------------- a key of its own


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "gate.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def own(key_file: Path, jti: str = "j") -> str:
    return signed(key_file, AUDIENCE, COMMIT, "r-1", jti, NOW)


def test_who_signs_with_a_key_of_the_policy_is_that_pipeline(key_file: Path) -> None:
    world = World()

    found = world.verdict(own(key_file), (*PIPELINES, JENKINS))

    assert isinstance(found, Proved)
    assert (found.run.forge, found.run.repository, found.run.commit) == (Forge.KEY, "jenkins", COMMIT)
    assert found.once != getattr(world.verdict(own(key_file, "k"), (JENKINS,)), "once", found.once)
    assert world.asked == []


def test_a_key_that_the_policy_does_not_list_is_nobodys(key_file: Path) -> None:
    assert World().verdict(own(key_file)) is Problem.KEY


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, None),
        ({"exp": int(NOW_S) + 601}, Problem.CLAIMS),
        ({"exp": int(NOW_S) - 31, "iat": int(NOW_S) - 60}, Problem.EXPIRED),
        ({"aud": "https://other.example.com"}, Problem.AUDIENCE),
        ({"iss": GITHUB_ISSUER}, Problem.SIGNATURE),
        ({"commit": "main"}, Problem.CLAIMS),
        ({"run": None}, Problem.CLAIMS),
    ],
)
def test_its_token_lives_ten_minutes_and_is_for_us(changed: dict[str, Any], problem: Problem | None) -> None:
    name = JENKINS.repository_id
    said = {"iss": name, "aud": AUDIENCE, "iat": int(NOW_S), "exp": int(NOW_S) + 600, "jti": "j"}
    said |= {"commit": COMMIT, "run": "r"} | changed
    kept = {key: value for key, value in said.items() if value is not None}
    token = jwt.encode(kept, KEY, "EdDSA", headers={"kid": name})

    found = World().verdict(token, (JENKINS,))

    assert found is problem if problem else isinstance(found, Proved)


def test_another_key_under_its_name_is_a_forgery() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    said = {"iss": JENKINS.repository_id, "aud": AUDIENCE, "iat": int(NOW_S), "exp": int(NOW_S) + 60, "jti": "j"}
    token = jwt.encode({**said, "commit": COMMIT, "run": "r"}, other, "EdDSA", headers={"kid": JENKINS.repository_id})

    assert World().verdict(token, (JENKINS,)) is Problem.SIGNATURE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"no key", "holds no private key in PEM without a password"),
        (by.ec_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "holds another kind of key"),
    ],
)
def test_a_file_that_is_no_key_is_told(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UnusableKey, match=words.replace("(", r"\(").replace(")", r"\)")):
        own(path)


def test_the_claims_are_the_ones_that_were_signed() -> None:
    """What is read by hand and what PyJWT reads are one."""
    text = by.token(claims())
    assert jwt.decode(text, options={"verify_signature": False}) == json.loads(
        base64.urlsafe_b64decode(text.split(".")[1] + "==")
    )
