"""`/gate/v1`: who may ask, what is answered, and that a wait ticket is of one ask alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.gate import app as gate_app
from bot.gate.asked import ticket_hash
from bot.gate.asks import State
from bot.gate.door import Door
from bot.runtime.front import PROVED
from bot.runtime.operations import app_of
from tests.support import issuer as by
from tests.support.gate_door import NOW, Client, MemoryAsks, door_of
from tests.support.issuer import KID
from tests.support.pipelines import COMMIT, GITHUB_ISSUER, WORKFLOW, github_pipeline

NONCE = "n" * 43
ASK = {"environment": "orders-prod", "change": "Release 42", "nonce": NONCE}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(url: str) -> Any:
        assert url.startswith(f"{GITHUB_ISSUER}/"), "nothing else is fetched"
        return (
            {"issuer": GITHUB_ISSUER, "jwks_uri": f"{GITHUB_ISSUER}/k"} if "openid" in url else {"keys": [by.jwk(KID)]}
        )

    monkeypatch.setattr("bot.gate.issuers.fetch", get)
    monkeypatch.setattr(gate_app, "LOOK_EVERY_S", 0.01)


@pytest.fixture
def asks() -> MemoryAsks:
    return MemoryAsks((github_pipeline(environments=("orders-prod",), environment="production"),))


@pytest.fixture
def door(asks: MemoryAsks) -> Iterator[Door]:
    found = door_of(asks)
    yield found
    found.close()


@pytest.fixture
def client(door: Door) -> Iterator[Client]:
    with Client(app_of(door.routes(), None)) as found:
        yield found


def job_token(**changed: Any) -> str:
    return by.token(by.dated(GITHUB_ISSUER, NOW.timestamp(), **changed))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(client: Client, token: str | None = None, **changed: Any) -> httpx.Response:
    body = {key: value for key, value in (ASK | changed).items() if value is not None}
    return client.post("/gate/v1/asks", headers=bearer(token or job_token()), json=body)


def refused(response: httpx.Response) -> tuple[int, str]:
    said = response.json()
    assert set(said) == {"error", "sentence"}
    assert said["sentence"].endswith(".")
    return response.status_code, said["error"]


# ---------------------------------------------------------------- one life


def test_a_pipeline_asks_waits_and_takes_its_decision_once(client: Client, asks: MemoryAsks) -> None:
    asked = ask(client, url="https://ci.example.com/1", ticket="INC-42")
    said = asked.json()
    path, mine = f"/gate/v1/asks/{said['id']}", bearer(said["ticket"])

    assert asked.status_code == 201
    assert asked.headers["Cache-Control"] == "no-store"
    assert said["expires_at"] == "2026-11-27T04:20:00+00:00"
    assert said["card"] == "It needs approval from 1 of platform."
    run, words = asks.asked["PA-1"]
    assert (run.commit, run.run, run.attempt) == (COMMIT, "22259804324", "1")
    assert (words.environment, words.gate, words.change, words.ticket) == (
        "orders-prod",
        "deploy",
        "Release 42",
        "INC-42",
    )
    assert client.get(path, headers=mine).json() == {"state": "waiting", "by": "", "reason": "", "at": None}
    asks.decide("PA-1", State.APPROVED)
    assert client.get(path, headers=mine, params={"wait_s": "20"}).json()["by"] == "Olu Owner"
    assert client.post(f"{path}/redeem", headers=mine, json={"nonce": NONCE}).json() == {"state": "redeemed"}
    # Sent twice it is one; another one is another one.
    assert client.post(f"{path}/redeem", headers=mine, json={"nonce": NONCE}).status_code == 200
    assert refused(client.post(f"{path}/redeem", headers=mine, json={"nonce": "o" * 43})) == (409, "refused")


def test_the_record_holds_the_wait_tickets_digest_alone(client: Client, asks: MemoryAsks) -> None:
    ticket = ask(client).json()["ticket"]

    assert asks.standings["PA-1"].ticket_hash == ticket_hash(ticket)
    assert ticket not in repr(asks)
    assert len(ticket) == 43


def test_an_ask_that_is_sent_again_is_the_same_ask(client: Client, asks: MemoryAsks) -> None:
    token = job_token()

    assert ask(client, token).json() == ask(client, token).json()
    assert len(asks.asked) == 1


def test_a_token_asks_once(client: Client) -> None:
    token = job_token()
    ask(client, token)

    assert refused(ask(client, token, nonce="o" * 43)) == (409, "used")


def test_a_wait_ticket_is_of_its_ask_alone(client: Client, asks: MemoryAsks) -> None:
    first, second = (ask(client, nonce=letter * 43).json() for letter in "ab")
    asks.decide("PA-2", State.APPROVED)

    wrong = [
        client.get("/gate/v1/asks/PA-2", headers=bearer(first["ticket"])),
        client.get("/gate/v1/asks/PA-9", headers=bearer(first["ticket"])),
        client.get("/gate/v1/asks/PA-2"),
        client.get("/gate/v1/asks/PA-2", headers={"Authorization": f"Basic {second['ticket']}"}),
        client.get("/gate/v1/asks/PA-2", headers=bearer(ticket_hash(second["ticket"]))),
        client.get("/gate/v1/asks/PA-2%0a", headers=bearer(second["ticket"])),
        client.post("/gate/v1/asks/PA-2/redeem", headers=bearer(first["ticket"]), json={"nonce": NONCE}),
        client.post("/gate/v1/asks/PA-2/withdraw", headers=bearer(first["ticket"]), json={"nonce": NONCE}),
        client.post("/gate/v1/asks/PA-2/redeem", headers=bearer(job_token()), json={"nonce": NONCE}),
    ]

    assert {refused(each) for each in wrong} == {(404, "unknown")}
    assert len({each.text for each in wrong}) == 1
    assert asks.standings["PA-2"].state is State.APPROVED


def test_a_job_that_is_cancelled_takes_its_ask_back(client: Client, asks: MemoryAsks) -> None:
    said = ask(client).json()

    found = client.post("/gate/v1/asks/PA-1/withdraw", headers=bearer(said["ticket"]), json={"nonce": NONCE})

    assert found.json() == {"state": "withdrawn"}
    assert asks.standings["PA-1"].state is State.WITHDRAWN


# ---------------------------------------------------------------- who may not


def other_keys_token() -> str:
    return by.token(by.dated(GITHUB_ISSUER, NOW.timestamp()), KID, by.rsa_key("other"))


@pytest.mark.parametrize(
    ("token", "answer"),
    [
        (other_keys_token, (401, "signature")),
        (lambda: job_token(iss="https://evil.example.com"), (401, "issuer")),
        (lambda: job_token(exp=int(NOW.timestamp()) - 60), (401, "expired")),
        (lambda: job_token(aud="https://other.example.com"), (401, "audience")),
        (lambda: by.by_hand({"alg": "none", "kid": KID}, by.dated(GITHUB_ISSUER, 1)), (401, "algorithm")),
        (lambda: "no.token", (401, "token")),
        (lambda: job_token(repository_id="5"), (403, "not_allowed")),
        (lambda: job_token(repository_id="777", repository="dana/orders"), (403, "not_allowed")),
        (lambda: job_token(repository_owner_id="5"), (403, "not_allowed")),
        (lambda: job_token(event_name="pull_request"), (403, "not_allowed")),
        (lambda: job_token(event_name="pull_request_target"), (403, "not_allowed")),
        (lambda: job_token(ref_protected="false"), (403, "not_allowed")),
        (lambda: job_token(ref="refs/heads/feature"), (403, "not_allowed")),
        (lambda: job_token(job_workflow_ref=WORKFLOW.replace("deploy", "other")), (403, "not_allowed")),
        (lambda: job_token(environment="staging"), (403, "not_allowed")),
    ],
    ids=[
        "forged",
        "foreign",
        "expired",
        "wrong audience",
        "unsigned",
        "no token",
        "wrong repository id",
        "fork",
        "wrong owner",
        "pull request",
        "pull request target",
        "unprotected ref",
        "other ref",
        "other workflow",
        "other environment of the forge",
    ],
)
def test_whoever_is_not_exactly_that_pipeline_is_refused_and_leaves_nothing(
    client: Client, asks: MemoryAsks, token: Any, answer: tuple[int, str]
) -> None:
    assert refused(ask(client, token())) == answer
    assert asks.asked == {}
    assert asks.used == {}


def test_a_token_that_was_used_is_used(client: Client) -> None:
    token = job_token()
    assert ask(client, token).status_code == 201

    assert refused(ask(client, token, nonce="x" * 43)) == (409, "used")


def test_it_asks_for_its_own_environments_alone(client: Client) -> None:
    assert refused(ask(client, environment="payments-prod")) == (403, "not_allowed")


def test_another_commit_than_the_tokens_is_refused(client: Client, asks: MemoryAsks) -> None:
    assert refused(ask(client, commit="b" * 40)) == (409, "commit")
    assert asks.asked == {}
    assert ask(client, commit=COMMIT[:8].upper()).status_code == 201


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"environment": None}, "'environment' must be the name of one."),
        ({"environment": "orders prod"}, "'environment' must be"),
        ({"gate": "Deploy!"}, "'gate' must be the name of one."),
        ({"change": " \n"}, "'change' must say what changes"),
        ({"change": "x" * 501}, "'change' must say what changes, in at most 500"),
        ({"url": "javascript:alert(1)"}, "'url' must be a web address"),
        ({"url": "https://a b"}, "'url' must be a web address"),
        ({"commit": "main"}, "'commit' must be the commit's whole id"),
        ({"nonce": "short"}, "'nonce' must be 43 random characters"),
        ({"nonce": None}, "'nonce' must be 43 random characters"),
        ({"change": 7}, "'change' must be text."),
        ({"approve": "yes"}, "Nobody here knows the key 'approve'."),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(client: Client, changed: dict[str, Any], words: str) -> None:
    found = ask(client, **changed)

    assert refused(found) == (400, "request")
    assert found.json()["sentence"].startswith(words)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"change": 1, "change": 2}', b'{"a": NaN}', b"[" * 9000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    assert refused(client.post("/gate/v1/asks", headers=bearer(job_token()), content=body)) == (400, "request")


def test_what_is_too_large_is_not_read(client: Client) -> None:
    body = json.dumps(ASK | {"change": "x" * 20_000})

    assert refused(client.post("/gate/v1/asks", headers=bearer(job_token()), content=body)) == (413, "too_large")
    assert refused(ask(client, "x" * 20_000)) == (401, "token")


def test_what_was_typed_is_shown_on_one_line(client: Client, asks: MemoryAsks) -> None:
    ask(client, change="Release 42\n\u202e<!channel>\x1b[31m")

    assert asks.asked["PA-1"][1].change == "Release 42 <!channel> [31m"


# ---------------------------------------------------------------- bad days


def test_where_the_policy_names_no_pipeline_there_is_nothing(client: Client, asks: MemoryAsks) -> None:
    asks.named = ()

    assert refused(ask(client)) == (404, "off")


def test_without_an_address_of_its_own_nobody_can_ask_and_whoever_runs_it_is_told(asks: MemoryAsks) -> None:
    door = door_of(asks, None)
    with Client(app_of(door.routes(), None)) as client:
        assert refused(ask(client)) == (404, "off")
    (said,) = door.attention()
    assert said.startswith("The policy names pipelines, and PRODACCESS_URL is not set for web")
    asks.named = ()
    assert door.attention() == []


def test_a_record_that_does_not_answer_is_told_and_asked_again(client: Client, asks: MemoryAsks) -> None:
    said = ask(client).json()
    asks.goes_away()

    found = ask(client, nonce="o" * 43)

    assert refused(found) == (503, "later")
    assert found.headers["Retry-After"] == "2"
    assert refused(client.get("/gate/v1/asks/PA-7", headers=bearer(said["ticket"]))) == (503, "later")


def test_a_fault_of_ours_has_a_number_and_no_details(client: Client, asks: MemoryAsks) -> None:
    asks.breaks = RuntimeError("secret detail")

    found = ask(client)

    assert refused(found) == (500, "broken")
    assert "secret" not in found.text
    assert "Traceback" not in found.text


def test_whoever_has_proved_who_they_are_is_no_stranger(door: Door) -> None:
    scopes: list[dict[str, Any]] = []
    inner = app_of(door.routes(), None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await inner(scope, receive, send)

    with Client(app) as client:
        said = ask(client).json()
        client.get("/gate/v1/asks/PA-1", headers=bearer(said["ticket"]))
        ask(client, "no.to.ken")
        client.get("/gate/v1/asks/PA-1", headers=bearer("x"))

    assert [bool(scope.get(PROVED)) for scope in scopes if scope["type"] == "http"] == [True, True, False, False]


# ---------------------------------------------------------------- waiting


def test_many_jobs_wait_and_none_holds_a_thread(door: Door, asks: MemoryAsks) -> None:
    asyncio.run(_many_wait(door, asks))


async def _many_wait(door: Door, asks: MemoryAsks) -> None:
    transport = httpx.ASGITransport(app=app_of(door.routes(), None))
    async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
        said = (await client.post("/gate/v1/asks", headers=bearer(job_token()), json=ASK)).json()
        path = f"/gate/v1/asks/{said['id']}?wait_s=20"
        waiting = [asyncio.create_task(client.get(path, headers=bearer(said["ticket"]))) for _ in range(40)]
        looked = asks.looked
        while asks.looked < looked + 3:
            await asyncio.sleep(0)
        # Threads are free for others, although ten times as many wait.
        assert (await client.get("/gate/v1/asks/PA-7", headers=bearer("x"))).status_code == 404
        assert not any(each.done() for each in waiting)
        asks.decide("PA-1", State.DENIED, reason="not today")
        answers = [each.json() for each in await asyncio.gather(*waiting)]
    assert {(each["state"], each["by"], each["reason"]) for each in answers} == {("denied", "Olu Owner", "not today")}


@pytest.mark.parametrize("said", ["-1", "x", "1e9", "nan", "", "99999"])
def test_an_odd_time_to_wait_waits_not_at_all(client: Client, said: str) -> None:
    found = ask(client).json()

    answer = client.get("/gate/v1/asks/PA-1", headers=bearer(found["ticket"]), params={"wait_s": said})

    assert answer.json()["state"] == "waiting"


def test_nobody_waits_beside_too_many_others(client: Client, asks: MemoryAsks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_app, "WAITERS_MAX", 0)
    found = ask(client).json()

    answer = client.get("/gate/v1/asks/PA-1", headers=bearer(found["ticket"]), params={"wait_s": "20"})

    assert answer.json()["state"] == "waiting"
    assert asks.looked == 1


def test_the_audience_is_the_address_of_web(client: Client, asks: MemoryAsks) -> None:
    assert ask(client).status_code == 201
    with Client(app_of(door_of(asks, "https://elsewhere.example.com").routes(), None)) as other:
        assert refused(ask(other))[0] in (401, 403)
