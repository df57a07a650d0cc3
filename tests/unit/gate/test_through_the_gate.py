"""A pipeline at the real door, on the real record: it waits, who pushed is refused, an owner agrees, it goes on, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.gate import app as gate_app
from bot.gate import issuers
from bot.gate.door import Door
from bot.gate.record import RecordAsks
from bot.runtime.operations import app_of
from bot.settings import Settings
from tests.support import build
from tests.support import issuer as by
from tests.support.gate_door import Client
from tests.support.gates import Gates, gate, gated, role_target
from tests.support.issuer import AUDIENCE, KID
from tests.support.pipelines import GITHUB_ISSUER
from workflows.core.records.grant import GrantState
from workflows.core.refusal import Code, Refused
from workflows.ports import PolicyUnavailable
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Refuse
from workflows.usecases.shared.context import Outcome


class Job:
    """A job of a pipeline, which Olu pushed unless its claims say otherwise."""

    def __init__(self, world: Gates, client: Client, **claims: Any) -> None:
        self._world, self._client = world, client
        self._claims = {"actor": "olu-gh", "actor_id": "1002", **claims}
        self._number = 0
        self.id = self.ticket = ""

    def token(self) -> str:
        return by.token(by.dated(GITHUB_ISSUER, self._world.clock.now().timestamp(), **self._claims))

    def asks(self, token: str = "", **changed: str) -> httpx.Response:
        body = {"environment": "payments-prod", "change": "Faster checkout", "nonce": self.nonce(), **changed}
        answer = self._client.post("/gate/v1/asks", headers=_bearer(token or self.token()), json=body)
        if answer.status_code == 201:
            self.id, self.ticket = answer.json()["id"], answer.json()["ticket"]
            self._world.work()
        return answer

    def sees(self) -> dict[str, Any]:
        self._world.work()
        answer = self._client.get(f"/gate/v1/asks/{self.id}", headers=_bearer(self.ticket))
        return answer.json()  # type: ignore[no-any-return]  # an object

    def takes(self, nonce: str = "") -> httpx.Response:
        return self._does("redeem", nonce)

    def gives_up(self) -> httpx.Response:
        return self._does("withdraw", "")

    def nonce(self) -> str:
        self._number += 1
        return f"{self._number:043d}"

    def _does(self, what: str, nonce: str) -> httpx.Response:
        url, body = f"/gate/v1/asks/{self.id}/{what}", {"nonce": nonce or self.nonce()}
        return self._client.post(url, headers=_bearer(self.ticket), json=body)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def world() -> Gates:
    return Gates(gated())


@pytest.fixture
def client(world: Gates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    def get(url: str) -> Any:
        keys = {"keys": [by.jwk(KID)]}
        return {"issuer": GITHUB_ISSUER, "jwks_uri": f"{GITHUB_ISSUER}/jwks"} if "openid" in url else keys

    monkeypatch.setattr(issuers, "fetch", get)
    # The clock of this world moves by itself between two looks.
    monkeypatch.setattr(gate_app, "LOOK_EVERY_S", 0.0)
    settings = Settings(url=AUDIENCE)
    door = Door(settings, lambda: True, lambda: RecordAsks(world.ctx, "/prodaccess"))
    with Client(app_of(door.routes(), None)) as found:
        yield found
    door.close()


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_a_pipeline_waits_the_pusher_is_refused_an_owner_agrees_and_the_job_goes_on_once(
    world: Gates, client: Client
) -> None:
    job = Job(world, client)

    asked = job.asks(commit="a1b2c3d")
    assert asked.json()["card"] == "Needs approval from 1 of owners of Payments."
    assert job.sees()["state"] == "waiting"
    assert error(job.takes()) == (409, "not_approved")
    own = world.approve(job.id, build.OLU)
    assert isinstance(own, Refused)
    assert own.code is Code.OWN_REQUEST
    assert isinstance(world.approve(job.id, build.PAT), Outcome)
    seen = job.sees()
    assert (seen["state"], seen["by"]) == ("approved", "Pat")
    assert job.takes("r" * 43).json() == {"state": "redeemed"}
    # An answer that was lost is asked for again; the same approval does not let a second job on.
    assert job.takes("r" * 43).status_code == 200
    assert error(job.takes()) == (409, "refused")
    assert job.sees()["state"] == "used"
    assert world.events(job.id) == ["gate.asked", "gate.approved", "gate.redeemed", "gate.refused"]


def test_another_commit_asks_for_a_decision_of_its_own(world: Gates, client: Client) -> None:
    first = Job(world, client)
    first.asks()
    world.approve(first.id, build.PAT)
    world.work()
    again = Job(world, client, sha="b" * 40)
    again.asks()

    assert again.id != first.id
    assert again.sees()["state"] == "waiting"
    again.id, first.id = first.id, again.id
    assert error(again.takes()) == (404, "unknown")
    assert error(first.takes()) == (404, "unknown")


def test_a_token_is_taken_once_on_the_record(world: Gates, client: Client) -> None:
    job = Job(world, client)
    token = job.token()
    assert job.asks(token).status_code == 201

    assert error(job.asks(token)) == (409, "used")
    assert job.sees()["state"] == "waiting"


def test_an_ask_that_is_sent_again_is_one_and_has_one_ticket(world: Gates, client: Client) -> None:
    job = Job(world, client)
    token = job.token()

    first, second = job.asks(token, nonce="s" * 43), job.asks(token, nonce="s" * 43)

    assert (first.json()["id"], first.json()["ticket"]) == (second.json()["id"], second.json()["ticket"])
    assert world.events(job.id) == ["gate.asked"]


def test_a_job_that_is_started_again_in_its_run_has_the_newest_ticket_alone(world: Gates, client: Client) -> None:
    job = Job(world, client)
    job.asks()
    id_, old = job.id, job.ticket

    job.asks()

    assert job.id == id_
    assert job.sees()["state"] == "waiting"
    job.ticket = old
    assert job.sees()["error"] == "unknown"


def test_a_denial_reaches_the_job_with_its_reason(world: Gates, client: Client) -> None:
    job = Job(world, client)
    job.asks()
    world.deny(job.id, build.PAT)

    seen = job.sees()
    assert (seen["state"], seen["by"]) == ("denied", "Pat")
    assert seen["reason"]
    assert error(job.takes()) == (409, "refused")


def test_a_job_that_was_cancelled_waits_for_nobody(world: Gates, client: Client) -> None:
    job = Job(world, client)
    job.asks()

    assert job.gives_up().json() == {"state": "withdrawn"}
    assert job.sees()["state"] == "withdrawn"
    assert isinstance(world.approve(job.id, build.PAT), Refused)


def test_a_wait_ticket_is_worth_nothing_ten_minutes_after_the_end(world: Gates, client: Client) -> None:
    job = Job(world, client)
    job.asks()
    world.advance(31 * 60)
    assert job.sees()["state"] == "expired"
    world.advance(10 * 60)

    assert job.sees()["error"] == "unknown"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"environment": "payments-prd"}, "payments-prod"),
        ({"gate": "deplyo"}, "There is no gate `deplyo` in payments-prod."),
    ],
)
def test_what_there_is_not_is_told_in_a_sentence(
    world: Gates, client: Client, words: dict[str, str], said: str
) -> None:
    answer = Job(world, client).asks(**words)

    assert error(answer) == (409, "refused")
    assert said in answer.json()["sentence"]


def test_who_may_not_ask_is_on_the_record_where_the_policy_names_the_repository(world: Gates, client: Client) -> None:
    stranger = Job(world, client, repository_id="7", repository="eve/orders").asks()
    assert error(stranger) == (403, "not_allowed")
    assert _of_gates(world) == []

    pull = Job(world, client, event_name="pull_request").asks()

    assert error(pull) == (403, "not_allowed")
    assert "'pull_request'" in pull.json()["sentence"]
    assert _of_gates(world) == ["gate.refused"]


def _of_gates(world: Gates) -> list[str]:
    return [entry.event.value for entry in world.all_entries() if entry.event.value.startswith("gate.")]


def test_without_a_policy_nothing_is_decided_and_the_job_comes_again(
    world: Gates, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Any:
        raise PolicyUnavailable("the policy folder is not valid")

    job = Job(world, client)
    token = job.token()
    monkeypatch.setattr(type(world.ctx.policy), "current", lambda _: gone())

    assert error(job.asks(token)) == (503, "later")


# ---------------------------------------------------------------- a gate that gives the pipeline's role something


def test_the_job_goes_on_when_its_role_has_it_and_gives_it_back(world: Gates, client: Client) -> None:
    world.policy.policy = gated(gate(gives=role_target()))
    job = Job(world, client)
    job.asks()
    world.approve(job.id, build.PAT)
    assert job.sees()["state"] == "approved"
    assert error(job.takes()) == (409, "looked_at_again")
    assert job.sees()["state"] == "approved"
    taken = job.takes().json()
    assert taken["state"] == "redeemed"
    assert taken["what"] == "prodaccess-PA-1 on orders-deploy"
    assert taken["until"] == world.grant(job.id).deadline.isoformat()
    assert job.sees()["state"] == "used"
    assert job.gives_up().json() == {"state": "withdrawn"}
    world.work()
    assert world.grant(job.id).state is GrantState.ENDED
    assert error(job.gives_up())[0] == 409


def test_a_job_whose_role_can_be_given_nothing_is_told_why(world: Gates, client: Client) -> None:
    world.policy.policy = gated(gate(gives=role_target()))
    job = Job(world, client)
    job.asks()
    world.approve(job.id, build.PAT)
    job.sees()
    world.targets[AwsKind.IAM_ROLE_POLICY].next("grant", Refuse("AWS does not let the worker do this."))
    job.takes()
    seen = job.sees()
    assert seen["state"] == "not_given"
    assert "AWS does not let the worker do this" in seen["reason"]
