"""Each line of the list of forged, foreign, late and broken activities: what is refused, and how."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

from bot.teams.guard import Activity, Refusal, is_listed
from bot.teams.incoming.keys import Keys, KeysUnavailable
from bot.teams.incoming.verify import Verifier
from tests.support import teams as t


def verifier(*names: str, **more: Any) -> Verifier:
    keys = Keys(t.OPENID, time.monotonic, lambda url: answers(url, *(names or (t.KID,)), **more))
    keys.warm()
    return Verifier(t.EXPECTED, keys)


def answers(url: str, *names: str, **more: Any) -> Any:
    if url == t.OPENID:
        return {"issuer": t.ISSUER, "jwks_uri": t.KEYS}
    return {"keys": [t.jwk(name, **more) for name in names]}


def verdict(activity: Any, headers: dict[str, str] | None = None, **more: Any) -> int | Activity:
    """The status of the refusal, or the activity."""
    body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
    found = verifier(**more).verified(t.signed() if headers is None else headers, body)
    return found.status if isinstance(found, Refusal) else found


def unsigned(alg: str) -> dict[str, str]:
    parts = [json.dumps({"alg": alg, "kid": t.KID, "typ": "JWT"}), json.dumps(t.claims())]
    head, said = (base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)
    return {"authorization": f"Bearer {head}.{said}."}


def by_secret() -> dict[str, str]:
    """Signed with the public key as if it were a secret that both sides share."""
    return {"authorization": "Bearer " + jwt.encode(t.claims(), "x" * 64, "HS256", headers={"kid": t.KID})}


# ---------------------------------------------------------------- who sent it


def test_what_teams_sends_is_taken() -> None:
    found = verdict(t.message("hello"))
    assert isinstance(found, Activity)
    assert (found.user, found.user_address, found.tenant) == (t.DANA, "29:1dana", t.TENANT)
    assert (found.text, found.kind, found.conversation) == ("hello", "personal", t.PERSONAL)
    assert isinstance(verdict(t.pressed("press", {"action": "approve"})), Activity)
    assert isinstance(verdict(t.in_channel("hello")), Activity)


SOON, LONG_AGO = 400, -360
# Numbers are seconds from now.
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": LONG_AGO},
    "without exp": {"exp": None},
    "exp that is no number": {"exp": "tomorrow"},
    "not yet": {"nbf": SOON},
    "issued in the future": {"iat": SOON},
    "for another app": {"aud": "99999999-2222-3333-4444-555555555555"},
    "without aud": {"aud": None},
    "for api://": {"aud": f"api://{t.APP}"},
    "for api://botid": {"aud": f"api://botid-{t.APP}"},
    "for several": {"aud": [t.APP, "another"]},
    "of another issuer": {"iss": "https://sts.windows.net/x/"},
    "without iss": {"iss": None},
    "without serviceurl": {"serviceurl": None},
    "for another serviceUrl": {"serviceurl": "https://smba.trafficmanager.net/amer/"},
    "serviceurl that is no text": {"serviceurl": [t.SERVICE]},
}


@pytest.mark.parametrize("which", BAD_CLAIMS)
def test_a_token_that_says_something_else_is_refused(which: str) -> None:
    now = int(time.time())
    said = {name: now + value if isinstance(value, int) else value for name, value in BAD_CLAIMS[which].items()}
    assert verdict(t.message(), t.signed(t.claims(**said))) == 401


def test_clocks_may_differ_by_five_minutes() -> None:
    now = int(time.time())
    late = t.claims(exp=now - 240, nbf=now + 240, iat=now + 240)
    assert isinstance(verdict(t.message(), t.signed(late)), Activity)


GOOD = t.signed()["authorization"]
BAD_HEADERS: dict[str, dict[str, str]] = {
    "no header": {},
    "lower case": {"authorization": GOOD.replace("Bearer", "bearer")},
    "upper case": {"authorization": GOOD.replace("Bearer", "BEARER")},
    "two blanks": {"authorization": GOOD.replace("Bearer ", "Bearer  ")},
    "another scheme": {"authorization": "Basic dXNlcjpwYXNz"},
    "no token": {"authorization": "Bearer "},
    "garbage": {"authorization": "Bearer a.b.c"},
    "long garbage": {"authorization": "Bearer " + "a" * 20_000 + ".b.c"},
    "not ascii": {"authorization": "Bearer é.b.c"},
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "no alg": unsigned(""),
    "a shared secret": by_secret(),
    "another key with our kid": t.signed(name="another", kid=t.KID),
    "unknown kid": t.signed(name="another"),
    "cut": {"authorization": GOOD[:-20]},
}


@pytest.mark.parametrize("which", BAD_HEADERS)
def test_what_teams_has_not_signed_is_refused(which: str) -> None:
    assert verdict(t.message(), BAD_HEADERS[which]) == 401


@pytest.mark.parametrize("endorsements", [[], ["webchat"], "msteams", None])
def test_a_key_signs_for_teams_or_for_nothing(endorsements: Any) -> None:
    assert verdict(t.message(), endorsements=endorsements) == 401


# ---------------------------------------------------------------- what it says


BAD_BODIES: dict[str, tuple[Any, int]] = {
    "3 MB": (b'{"x":"' + b"a" * 3_000_000 + b'"}', 413),
    "a list": ([t.message()], 400),
    "a word": ("hello", 400),
    "broken": (b'{"type":"mess', 400),
    "empty": (b"", 400),
    "not utf-8": (b"\xff\xfe{", 400),
    "deep": (b"[" * 100_000, 400),
    "a number without an end": (b"1" * 10_000, 400),
    "no serviceUrl": (t.changed(t.message(), "serviceUrl", None), 403),
    "serviceUrl in snake case": (t.message(service_url=t.SERVICE), 403),
    "snake case alone": (t.changed(t.message(service_url=t.SERVICE), "serviceUrl", None), 403),
    "serviceUrl that is no text": (t.message(serviceUrl={"a": 1}), 403),
    "serviceUrl elsewhere": (t.message(serviceUrl="https://evil.example/emea/"), 403),
    "webchat": (t.message(channelId="webchat"), 403),
    "emulator": (t.message(channelId="emulator"), 403),
    "no channel": (t.changed(t.message(), "channelId", None), 403),
    "no tenant": (t.changed(t.message(), "channelData.tenant", None), 403),
    "another tenant": (t.changed(t.message(), "channelData.tenant.id", "00000000-0000-0000-0000-000000000000"), 403),
    "tenants that differ": (
        t.changed(t.message(), "conversation.tenantId", "00000000-0000-0000-0000-000000000000"),
        403,
    ),
    "no tenant of the conversation": (t.changed(t.message(), "conversation.tenantId", None), 403),
    "no channelData": (t.message(channelData=None), 403),
    "no from": (t.changed(t.message(), "from", None), 400),
    "no from.id": (t.changed(t.message(), "from.id", None), 400),
    "no object id": (t.changed(t.message(), "from.aadObjectId", None), 400),
    "an object id that is none": (t.changed(t.message(), "from.aadObjectId", "29:1dana"), 400),
    "no id": (t.changed(t.message(), "id", None), 400),
    "an id with blanks": (t.message(id="a b\nc"), 400),
    "no conversation": (t.changed(t.message(), "conversation.id", None), 400),
    "a press without id": (t.changed(t.pressed("press", {}), "id", None), 400),
}


@pytest.mark.parametrize("which", BAD_BODIES)
def test_what_is_no_activity_of_our_teams_is_refused(which: str) -> None:
    body, status = BAD_BODIES[which]
    assert verdict(body) == status


@pytest.mark.parametrize(
    "activity",
    [
        t.message(type="handoff"),
        t.message(type=["message"]),
        t.changed(t.message(), "type", None),
        t.pressed("press", {}, name="task/fetch"),
        t.pressed("press", {}, name="composeExtension/query"),
        t.changed(t.pressed("press", {}), "name", None),
    ],
)
def test_what_nobody_here_knows_is_answered_and_nothing_is_done(activity: dict[str, Any]) -> None:
    assert verdict(activity) == 200
    assert verdict(activity, BAD_HEADERS["unknown kid"]) == 401


@pytest.mark.parametrize("tenant", [t.TENANT, None])
def test_news_of_a_channel_may_name_the_tenant_once(tenant: str | None) -> None:
    news = t.changed(t.in_channel("", type="conversationUpdate"), "conversation.tenantId", tenant)
    assert isinstance(verdict(t.changed(news, "from.aadObjectId", None)), Activity)
    assert verdict(t.changed(news, "channelData.tenant.id", "another")) == 403


@pytest.mark.parametrize("odd", [None, 5, "x", [], ["a", 1, None], {"a": {"b": []}}, True])
@pytest.mark.parametrize(
    "name", ["entities", "value", "recipient", "membersAdded", "membersRemoved", "text", "replyToId"]
)
def test_odd_values_are_no_error(name: str, odd: Any) -> None:
    assert isinstance(verdict(t.message(**{name: odd})), Activity)


def test_ids_of_the_directory_are_kept_in_lower_case() -> None:
    found = verdict(t.changed(t.message(), "from.aadObjectId", t.DANA.upper()))
    assert isinstance(found, Activity)
    assert found.user == t.DANA


def test_a_thread_is_no_part_of_the_channels_id() -> None:
    found = verdict(t.in_channel("hello", thread="1700"))
    assert isinstance(found, Activity)
    assert (found.conversation, found.thread, found.kind) == (t.CHANNEL, "1700", "channel")


# ---------------------------------------------------------------- where our token may be sent


LISTED = ("https://smba.trafficmanager.net/", "https://gov.example:8443/teams/", "http://127.0.0.1:4000/teams/")


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/",
        "https://smba.trafficmanager.net",
        "https://SMBA.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net:443/emea",
        "https://gov.example:8443/teams/",
        "https://gov.example:8443/teams",
        "https://gov.example:8443/teams/emea",
        "http://127.0.0.1:4000/teams/",
    ],
)
def test_it_is_on_the_list(url: str) -> None:
    assert is_listed(url, LISTED)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "smba.trafficmanager.net",
        "http://smba.trafficmanager.net/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://evil.example/smba.trafficmanager.net/",
        "https://user@smba.trafficmanager.net/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://evil.example\\@smba.trafficmanager.net/",
        "https://smba.trafficmanager.net:8443/",
        "https://gov.example/teams/",
        "https://gov.example:8443/",
        "https://gov.example:8443/teamsters/",
        "https://gov.example:8443/teams/../other/",
        "https://gov.example:8443/teams/%2e%2e/other/",
        "https://gov.example:8443/teams/..",
        "https://smba.trafficmanager.net/?to=x",
        "https://smba.trafficmanager.net/#x",
        "https://smba.trafficmanager.net/a b",
        "https://smba.trafficmanager.net:x/",
        "https://[::1/",
        "ftp://smba.trafficmanager.net/",
        "http://127.0.0.1:4001/teams/",
        "https://127.0.0.1:4000/teams/",
        "http://localhost:4000/teams/",
    ],
)
def test_it_is_not_on_the_list(url: str) -> None:
    assert not is_listed(url, LISTED)


def test_plain_http_is_for_this_machine_alone() -> None:
    assert not is_listed("http://gov.example/teams/", ("http://gov.example/teams/",))


# ---------------------------------------------------------------- the keys


class Server:
    """A key server whose answers a test chooses."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.fetched = 0
        self.answer: Any = None

    def __call__(self, url: str) -> Any:
        self.fetched += url == t.KEYS
        if isinstance(self.answer, Exception):
            raise self.answer
        return answers(url, *self.names) if self.answer is None else self.answer


class Clock:
    s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settled(keys: Keys) -> None:
    """The look that is under way, if any, is over."""
    under_way = keys._under_way
    assert under_way is None or under_way.wait(5)


def unavailable(keys: Keys, kid: str) -> bool:
    try:
        keys.find(kid)
    except KeysUnavailable:
        return True
    return False


def test_unknown_keys_are_asked_for_once_in_half_a_minute(clock: Clock) -> None:
    server = Server("one")
    keys = Keys(t.OPENID, clock, server)
    assert keys.find("one") is not None
    assert [keys.find(f"made-up-{number}") for number in range(20)] == [None] * 20
    assert server.fetched == 1
    server.names = ("one", "two")
    clock.s += 31
    assert keys.find("two") is not None
    assert server.fetched == 2


def test_known_keys_are_looked_at_again_after_a_day_and_nobody_waits(clock: Clock) -> None:
    server = Server("one")
    keys = Keys(t.OPENID, clock, server)
    keys.warm()
    settled(keys)
    clock.s += 24 * 3600
    server.names = ("two",)
    assert keys.find("one") is not None
    settled(keys)
    assert server.fetched == 2
    assert keys.find("one") is None


@pytest.mark.parametrize("answer", [OSError("down"), {}, [], "x", 5, {"keys": []}, {"issuer": 5, "jwks_uri": "x"}])
def test_a_server_that_answers_nonsense_takes_nothing_from_those_who_are_known(clock: Clock, answer: Any) -> None:
    server = Server("one")
    keys = Keys(t.OPENID, clock, server)
    keys.warm()
    settled(keys)
    server.answer = answer
    clock.s += 24 * 3600
    assert keys.find("one") is not None
    settled(keys)
    assert unavailable(keys, "two")
    assert keys.find("one") is not None
    assert keys.problems() == []


def test_that_they_are_old_is_said(clock: Clock) -> None:
    server = Server("one")
    keys = Keys(t.OPENID, clock, server)
    keys.warm()
    settled(keys)
    server.answer = OSError("down")
    clock.s += 24 * 3600
    for words in (0, 1):
        assert keys.find("one") is not None
        settled(keys)
        assert len(keys.attention()) == words
        clock.s += 24 * 3600
    (said,) = keys.attention()
    assert "are 3 days old: login.botframework.com" in said
    server.answer = None
    assert keys.find("one") is not None
    settled(keys)
    assert keys.attention() == []


def test_without_keys_teams_is_told_to_come_again_and_operators_why(clock: Clock) -> None:
    server = Server("one")
    server.answer = OSError("down")
    keys = Keys(t.OPENID, clock, server)
    body = json.dumps(t.message()).encode()
    found = Verifier(t.EXPECTED, keys).verified(t.signed(), body)
    assert isinstance(found, Refusal)
    assert found.status == 503
    (words,) = keys.problems()
    assert "login.botframework.com" in words
    server.answer, server.names = None, (t.KID,)
    clock.s += 31
    keys.problems()
    settled(keys)
    assert keys.problems() == []
    assert isinstance(Verifier(t.EXPECTED, keys).verified(t.signed(), body), Activity)


def test_one_bad_entry_takes_the_others_from_nobody(clock: Clock) -> None:
    bad = [5, {}, {"kty": "RSA", "kid": "x"}, {"kty": "RSA", "kid": "y", "n": "!", "e": "!"}, {"kty": "EC", "kid": "z"}]
    keys = Keys(t.OPENID, clock, lambda url: answers(url) if url == t.OPENID else {"keys": [*bad, t.jwk("one")]})
    assert keys.find("one") is not None
    assert keys.find("x") is None


def test_a_slow_server_holds_up_nobody_whose_key_is_known(clock: Clock) -> None:
    import threading

    gate, server = threading.Event(), Server("one")
    keys = Keys(t.OPENID, clock, lambda url: server(url) if server.fetched < 1 or gate.wait(30) else None)
    keys.warm()
    settled(keys)
    clock.s += 24 * 3600
    assert keys.find("one") is not None
    # It hangs now, and is waited for by nobody for longer than a second; of many at once most are told at once.
    assert keys.find("one") is not None
    began = time.monotonic()
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(unavailable(keys, "two"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate.set()
    assert results == [True] * 12
    assert time.monotonic() - began < 20
    settled(keys)
