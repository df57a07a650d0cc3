"""GitHub holds a deployment back until an owner has agreed: who is asked, what GitHub is told, and that it is told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import build, github
from tests.support.forge import RULE, Held, holding, ruled
from tests.support.gates import COMMIT, PIPELINE, gate, gated, role_target
from tests.support.http_stand_in import Fails
from tests.support.world import account
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.pipelines.identity import Part
from workflows.core.policy import Freeze, Group, UnknownStarter
from workflows.core.records.forge import ForgeAnswer
from workflows.core.records.grant import GrantState
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.ports import Change, ForgeSilent
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Refuse
from workflows.usecases.gates.redeem import redeem
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.troubles import standing as troubles


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Held]:
    with holding(tmp_path) as found:
        yield found


def agreed(world: Held, run: github.Run, *people: object) -> str:
    id_ = world.ask_of(run)
    for who in people or (build.OLU,):
        answer = world.approve(id_, who)  # type: ignore[arg-type]  # handed through
        assert isinstance(answer, Outcome), answer
    world.work()
    return id_


def gone(world: Held) -> bool:
    return not world.held and not any(item.startswith("forge:") for item in world.ledger.due)


def test_a_run_waits_who_pushed_is_refused_and_an_owner_lets_it_on_once(world: Held) -> None:
    run = world.waits_there(actor=github.OLU)
    id_ = world.ask_of(run)
    own = world.approve(id_, build.OLU)
    assert isinstance(own, Refused)
    assert own.code is Code.OWN_REQUEST
    assert world.reviews() == []
    agreed(world, run, build.PAT)
    assert world.reviews() == [("approved", f"Approved ({id_}).")]
    request = world.request(id_)
    assert request.gate is not None
    assert request.gate.let_on_at == world.clock.now()
    assert (request.gate.run.commit, request.gate.run.attempt) == (COMMIT, "1")
    assert request.reason == "Faster checkout"
    assert gone(world)
    assert world.events(id_) == ["gate.asked", "gate.approved", "gate.redeemed", "gate.let_on"]
    world.advance(600, step_s=30)
    assert len(world.reviews()) == 1


def test_nobody_else_can_take_the_approval_by_the_gate_s_door(world: Held) -> None:
    run = world.waits_there()
    request = world.request(world.ask_of(run))
    assert request.gate is not None
    # The hash that would be of a ticket is a random number of its own: nobody has what it would be a hash of.
    assert request.gate.wait_ticket == world.held[0].ticket
    assert len(set(request.gate.wait_ticket)) >= 1


def test_a_denial_is_told_with_its_reason(world: Held) -> None:
    run = world.waits_there()
    id_ = world.ask_of(run)
    world.deny(id_, build.PAT, "not before the fix")
    world.advance(2)
    assert world.reviews() == [("rejected", f"Denied by Pat ({id_}): not before the fix")]
    assert gone(world)


def test_what_nobody_decides_is_turned_away(world: Held) -> None:
    run = world.waits_there()
    id_ = world.ask_of(run)
    world.advance(31 * 60, step_s=30)
    assert world.reviews() == [("rejected", f"Nobody approved it in time ({id_}).")]
    assert gone(world)


def test_the_panic_switch_turns_it_away(world: Held) -> None:
    run = world.waits_there()
    world.knows(build.SUE, build.NIA)
    answer = revoke_all(world.ctx, RevocationScope(None, "", "payments-prod"), account(build.SUE), "attack", "p1")
    assert isinstance(answer, Outcome), answer
    world.advance(5)
    assert [state for state, _ in world.reviews()] == ["rejected"]
    assert run.conclusion == "failure"


# ---------------------------------------------------------------- who began it


def starters(world: Held, run: github.Run) -> dict[tuple[str, int | None], bool]:
    request = world.request(world.ask_of(run))
    assert request.gate is not None
    return {(one.part.value, one.number): one.person is not None for one in request.gate.starters}


def test_of_a_push_the_one_who_pushed_is_known(world: Held) -> None:
    run = world.waits_there()
    assert starters(world, run) == {("started", 1001): True, ("pushed", 1001): True}


def test_who_ran_it_again_is_known_and_does_not_approve(world: Held) -> None:
    run = world.waits_there(attempt=2, again_by=github.OLU)
    assert starters(world, run)[(Part.RE_RAN.value, 1002)]
    answer = world.approve(world.ask_of(run), build.OLU)
    assert isinstance(answer, Refused)
    assert answer.code is Code.OWN_REQUEST


def test_of_a_run_by_hand_the_author_is_barred_and_who_pushed_stays_unknown(world: Held) -> None:
    """Whoever pushes can write any author's address into a commit."""
    owners = Group("platform", members=frozenset({Address(who) for who in (build.OLU, build.PAT, build.NIA)}))
    groups = {**world.policy.policy.groups, owners.name: owners}
    world.policy.policy = ruled(groups=groups)
    world.github.authors[COMMIT] = (github.OLU, github.user(19864447, "web-flow"))
    run = world.waits_there(event="workflow_dispatch")
    assert starters(world, run) == {("started", 1001): True, ("pushed", None): False, ("pushed", 1002): True}
    id_ = world.ask_of(run)
    assert isinstance(world.approve(id_, build.OLU), Refused)
    first = world.approve(id_, build.PAT)
    assert isinstance(first, Outcome)
    assert first.outcome == "agreed", "one more has to"


def test_whoever_sent_the_message_or_made_the_deployment_is_barred_too(world: Held) -> None:
    run = world.github.waits()
    message = world.github.message(run, sender=github.OLU)
    assert world.hears(message).status_code == 202
    world.work()
    assert ("started", 1002) in starters(world, run)
    assert isinstance(world.approve(world.ask_of(run), build.OLU), Refused)


def test_a_bot_is_nobody_and_one_more_has_to_agree(world: Held) -> None:
    run = world.waits_there(actor=github.BOT)
    first = world.approve(world.ask_of(run), build.OLU)
    assert isinstance(first, Outcome)
    assert first.outcome == "agreed"


def test_where_the_policy_wants_to_know_all_it_is_turned_away(tmp_path: Path) -> None:
    with holding(tmp_path, ruled(found=gate(unknown_starter=UnknownStarter.REFUSE))) as world:
        world.waits_there(actor=github.BOT)
        ((state, comment),) = world.reviews()
        assert state == "rejected"
        assert "Nobody knows who" in comment
        assert gone(world)


# ---------------------------------------------------------------- what is never let on


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"event": "pull_request"}, "started by 'pull_request'"),
        ({"branch": "feature"}, "not on a branch 'feature'"),
        ({"path": ".github/workflows/other.yml"}, "is defined by"),
        ({"home_id": 99}, "a fork"),
        ({"owner_id": 99}, "another repository"),
    ],
)
def test_a_run_that_the_policy_does_not_let_ask_is_turned_away(
    world: Held, changes: dict[str, object], why: str
) -> None:
    run = world.github.waits()
    message = world.github.message(run)
    for name, value in changes.items():
        setattr(run, name, value)
    assert world.hears(message).status_code == 202
    world.work()
    ((state, comment),) = world.reviews()
    assert state == "rejected"
    assert why in comment
    assert world.pending() == []
    assert gone(world)


def test_an_environment_that_the_policy_does_not_know_is_turned_away_with_the_reason(world: Held) -> None:
    world.waits_there("staging")
    ((state, comment),) = world.reviews()
    assert state == "rejected"
    assert "names no gate for the environment staging of acme/orders, whose id is 1296269" in comment


def test_a_repository_of_the_same_name_with_another_id_is_turned_away(world: Held) -> None:
    run = world.github.waits(repository_id=31337)
    world.github.installed.add(31337)
    world.hears(world.github.message(run))
    world.work()
    assert world.pending() == []
    assert not [one for one in world.reviews() if one[0] == "approved"]


def test_a_message_whose_run_is_of_another_repository_is_turned_away(world: Held) -> None:
    """It is signed, and names our repository; the run of that number is not ours."""
    run = world.github.waits()
    message = world.github.message(run)
    run.repository_id = 31337
    world.hears(message)
    world.work()
    ((state, comment),) = world.reviews()
    assert (state, "of another repository" in comment) == ("rejected", True)
    assert any(one.event.value == "gate.refused" for one in world.all_entries())


def test_a_branch_that_nobody_protects_is_turned_away(world: Held) -> None:
    world.github.branches["main"] = (COMMIT, False)
    world.waits_there()
    ((state, comment),) = world.reviews()
    assert (state, "is not protected" in comment) == ("rejected", True)


def test_a_tag_of_the_branch_s_name_does_not_deploy_what_is_not_on_it(world: Held) -> None:
    evil = "e" * 40
    world.github.authors[evil] = (github.DANA, github.DANA)
    world.waits_there(commit=evil)
    ((state, comment),) = world.reviews()
    assert (state, "is not on a branch 'main'" in comment) == ("rejected", True)


def test_a_commit_that_the_branch_has_gone_on_from_is_on_it(world: Held) -> None:
    tip = "f" * 40
    world.github.branches["main"] = (tip, True)
    world.github.behind[tip] = {COMMIT}
    agreed(world, world.waits_there())
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_a_deployment_with_another_commit_than_its_run_is_turned_away(world: Held) -> None:
    run = world.github.waits()
    message = world.github.message(run)
    message["deployment"]["sha"] = "d" * 40
    world.hears(message)
    world.work()
    assert [state for state, _ in world.reviews()] == ["rejected"]


def test_a_freeze_turns_it_away(world: Held) -> None:
    now = world.clock.now()
    world.policy.policy = ruled(place={"freezes": (Freeze(now, now + timedelta(hours=1), "Year-end freeze"),)})
    world.activate()
    world.waits_there()
    ((state, comment),) = world.reviews()
    assert (state, "Year-end freeze" in comment) == ("rejected", True)


# ---------------------------------------------------------------- run again, cancelled, said twice


def test_what_was_approved_is_not_for_the_run_that_was_run_again_meanwhile(world: Held) -> None:
    run = world.waits_there()
    first = world.ask_of(run)
    assert isinstance(world.approve(first), Outcome)
    # Before a worker has told GitHub.
    world.github.run_again(run, github.DANA)
    world.work()
    assert world.reviews() == []
    assert world.request(first).state is RequestState.WITHDRAWN
    assert world.hears(world.github.message(run)).status_code == 202
    world.work()
    second = world.ask_of(run)
    assert second != first
    agreed(world, run, build.PAT)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_an_answer_that_waits_to_be_told_is_not_told_to_another_attempt(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 502)]
    id_ = agreed(world, run)
    assert world.reviews() == []
    world.github.run_again(run, github.OLU)
    world.advance(30)
    assert world.reviews() == []
    request = world.request(id_)
    assert request.gate is not None
    assert "run again" in request.gate.not_taken
    assert world.events(id_)[-1] == "gate.not_taken"


def test_a_run_that_is_cancelled_takes_its_ask_back(world: Held) -> None:
    run = world.waits_there()
    id_ = world.ask_of(run)
    world.github.cancel(run)
    world.advance(6 * 60, step_s=10)
    assert world.request(id_).state is RequestState.WITHDRAWN
    assert world.reviews() == []
    assert gone(world)


def test_a_run_that_is_cancelled_just_before_is_not_said_to_have_gone_on(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 502)]
    id_ = agreed(world, run)
    world.github.cancel(run)
    world.advance(10)
    request = world.request(id_)
    assert request.gate is not None
    assert (request.gate.let_on_at, request.gate.not_taken) == (None, "the run is over, or waits for nothing any more")


def test_each_message_is_taken_once_whatever_its_delivery_is_called(world: Held) -> None:
    run = world.github.waits()
    body = github.written(world.github.message(run))
    assert world.hears(body, **{"X-GitHub-Delivery": "d-1"}).status_code == 202
    assert world.hears(body, **{"X-GitHub-Delivery": "d-1"}).status_code == 204
    assert world.hears(body, **{"X-GitHub-Delivery": "d-2"}).status_code == 204
    other = github.written(world.github.message(run, event="push", pull_requests=None))
    assert world.hears(other, **{"X-GitHub-Delivery": "d-1"}).status_code == 204
    assert world.hears(other, **{"X-GitHub-Delivery": "d-3"}).status_code == 204, "it is the same deployment"
    world.work()
    assert len(world.pending()) == 1
    agreed(world, run)
    assert world.hears(body, **{"X-GitHub-Delivery": "d-9"}).status_code == 204
    world.advance(60)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_a_message_that_comes_late_finds_a_run_that_is_over(world: Held) -> None:
    run = world.github.waits()
    message = world.github.message(run)
    world.github.cancel(run)
    world.hears(message)
    world.work()
    assert (world.pending(), world.reviews()) == ([], [])
    assert gone(world)


def test_two_jobs_of_one_run_are_asked_for_one_by_one(world: Held) -> None:
    run = world.waits_there()
    agreed(world, run)
    world.github.waits("production", run)
    assert world.hears(world.github.message(run)).status_code == 202
    world.work()
    agreed(world, run, build.PAT)
    assert [state for state, _ in world.reviews()] == ["approved", "approved"]


# ---------------------------------------------------------------- GitHub is silent, refuses, forgets


@pytest.mark.parametrize(
    "failing",
    [
        Fails("GET .*runs", 500),
        Fails("GET .*runs", 403),
        Fails("GET .*runs", 429, {"Retry-After": "7"}),
        Fails(
            "GET .*runs", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{build.NOW.timestamp() + 20:.0f}"}
        ),
        Fails("GET .*branches", 503),
        Fails("POST .*access_tokens", 401),
        Fails("POST .*access_tokens", 422),
        Fails("GET .*runs", 200, {}, {"id": 1}),
        Fails("GET .*runs", 200, {}, []),
    ],
)
def test_what_github_does_not_say_is_neither_yes_nor_no(world: Held, failing: Fails) -> None:
    world.github.fails = [failing]
    run = world.waits_there()
    assert (world.pending(), world.reviews()) == ([], [])
    assert len(world.held) == 1
    world.advance(90)
    agreed(world, run)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_an_answer_that_was_lost_is_not_given_twice_and_is_not_lost(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 504, done=True)]
    id_ = agreed(world, run)
    assert [state for state, _ in world.reviews()] == ["approved"]
    assert "gate.let_on" not in world.events(id_), "nobody knows yet"
    world.advance(30)
    assert world.events(id_)[-1] == "gate.let_on"
    assert len(world.reviews()) == 1


def test_an_answer_that_was_lost_and_a_run_that_ended_since(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 504, done=True)]
    id_ = agreed(world, run)
    run.status, run.conclusion = "completed", "success"
    world.advance(30)
    assert world.events(id_)[-1] == "gate.let_on"


def test_while_it_cannot_be_told_the_card_says_why_and_operators_are_alarmed(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 502) for _ in range(10)]
    id_ = agreed(world, run)
    request = world.request(id_)
    assert request.gate is not None
    assert request.gate.is_being_told
    assert request.gate.held_up == "GitHub answered with an error (502)"
    world.advance(120)
    (trouble,) = troubles(world.ctx)
    assert (trouble.item.partition(":")[0], trouble.about, trouble.failures >= 3) == ("forge", id_, True)
    world.advance(600)
    assert [state for state, _ in world.reviews()] == ["approved"]
    request = world.request(id_)
    assert request.gate is not None
    assert (request.gate.held_up, request.gate.let_on_at is not None) == ("", True)


def test_an_approval_that_could_not_be_told_in_time_lets_nobody_on(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 502) for _ in range(60)]
    id_ = agreed(world, run)
    world.advance(35 * 60, step_s=15)
    world.github.fails = []
    world.advance(120)
    assert world.reviews() == [("rejected", "Approved, but it could not be told in time.")]
    request = world.request(id_)
    assert request.gate is not None
    assert (request.gate.let_on_at, request.gate.not_taken) == (None, "it could not be told in time")


def test_a_rule_that_left_the_policy_lets_nobody_on(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 502)]
    agreed(world, run)
    world.policy.policy = ruled(pipelines=(PIPELINE,))
    world.activate()
    world.advance(30)
    assert [state for state, _ in world.reviews()] == ["rejected"]


def test_an_approval_that_stands_no_more_when_it_is_told_lets_nobody_on(world: Held) -> None:
    run = world.waits_there()
    world.github.fails = [Fails("POST .*protection_rule", 502)]
    id_ = agreed(world, run)
    others = Group("platform", members=frozenset({Address(build.PAT), Address(build.NIA)}))
    world.policy.policy = ruled(groups={**world.policy.policy.groups, others.name: others})
    world.advance(30)
    assert world.reviews() == [("rejected", "Approved, but the approval does not stand any more.")]
    assert world.events(id_)[-1] == "gate.not_taken"


def test_an_answer_written_into_the_record_by_hand_lets_nobody_on(world: Held) -> None:
    run = world.waits_there()
    (wait,) = world.held
    request, now = world.request(world.ask_of(run)), world.clock.now()
    assert request.gate is not None
    by_hand = ForgeAnswer(True, "Approved.", request.gate.run.key, now, now + timedelta(hours=1))
    item = keys.forge(wait.id)
    reads = world.ledger.read(item).versions()
    world.ledger.commit(Change("by-hand", now, reads, puts={item: replace(wait, answer=by_hand)}, due={item: now}))
    world.work()
    assert world.reviews() == [("rejected", "Approved, but the record has no approval of it.")]


def test_what_may_not_be_on_disk_is_told_nobody(world: Held) -> None:
    run = world.waits_there()
    durable, world.ledger.make_durable = world.ledger.make_durable, lambda _="": False  # type: ignore[method-assign]
    id_ = agreed(world, run)
    world.advance(20)
    assert (world.request(id_).state, world.reviews()) == (RequestState.APPROVED, [])
    world.ledger.make_durable = durable  # type: ignore[method-assign]
    world.advance(10)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_what_waits_for_longer_than_github_lets_it_is_forgotten(world: Held) -> None:
    world.github.suspended = True
    run = world.github.waits()
    world.hears(world.github.message(run))
    world.work()
    assert len(world.held) == 1
    world.clock.advance(30 * 24 * 3600)
    world.advance(2)
    assert gone(world)


def test_an_approval_of_another_run_lets_nobody_on(world: Held) -> None:
    """Somebody has written it into the record by hand."""
    other = agreed(world, world.waits_there())
    run = world.waits_there()
    (wait,), now = world.held, world.clock.now()
    request = world.request(world.ask_of(run))
    assert request.gate is not None
    forged = ForgeAnswer(True, "Approved.", request.gate.run.key, now, now + timedelta(hours=1))
    item = keys.forge(wait.id)
    reads = world.ledger.read(item).versions()
    anew = replace(wait, request=other, answer=forged)
    world.ledger.commit(Change("by-hand", now, reads, puts={item: anew}, due={item: now}))
    world.work()
    assert world.reviews()[1:] == [("rejected", "Approved, but the record has no approval of it.")]


def test_an_account_that_github_calls_no_user_is_nobody(world: Held) -> None:
    run = world.waits_there(actor=github.user(1002, "olu-gh", "Bot"))
    assert starters(world, run) == {("started", None): False, ("pushed", None): False}


def test_what_github_did_not_take_is_not_said_to_have_gone_on(world: Held) -> None:
    run = world.waits_there()
    run.waits.clear()
    id_ = agreed(world, run)
    assert world.events(id_)[-1] == "gate.not_taken"
    assert gone(world)


def test_what_github_takes_no_second_time_has_gone_on_once_its_deployment_has_begun(world: Held) -> None:
    run = world.waits_there()
    deployment = run.waits["production"]
    world.github.fails = [Fails("POST .*protection_rule", 504)]
    id_ = agreed(world, run)
    run.waits.clear()
    world.advance(60)
    request = world.request(id_)
    assert request.gate is not None
    assert (request.gate.let_on_at, request.gate.not_taken) == (None, ""), "nobody can tell"
    assert request.gate.held_up == "GitHub does not say yet whether it has the answer"
    world.github.statuses[deployment].append("in_progress")
    world.advance(90)
    assert world.events(id_)[-1] == "gate.let_on"


def test_a_token_that_github_forgot_is_made_anew(world: Held) -> None:
    run = world.waits_there()
    world.github.forget_tokens()
    agreed(world, run)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_a_worker_that_dies_after_the_answer_is_on_record_is_followed_by_another(
    world: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = world.waits_there()

    class Killed(BaseException):
        pass

    def dies(*_: object, **__: object) -> bool:
        raise Killed

    monkeypatch.setattr(world.api, "answer", dies)
    with pytest.raises(Killed):
        agreed(world, run)
    monkeypatch.undo()
    assert world.held[0].answer is not None
    world.advance(10)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_a_worker_whose_lease_is_over_says_nothing(world: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    run = world.waits_there()
    id_ = world.ask_of(run)
    assert isinstance(world.approve(id_), Outcome)
    before = world.login.token

    def slow(wait: object) -> str:
        """The first try is on record already."""
        answer = world.held[0].answer
        if answer is not None and answer.tried_at is not None:
            world.clock.advance(30)
        return before(wait)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(world.login, "token", slow)
    world.run(f"request:{id_}")
    world.run(f"forge:{world.held[0].id}")
    assert world.reviews() == []
    monkeypatch.undo()
    world.advance(5)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_the_app_asks_for_one_repository_and_what_it_needs(world: Held) -> None:
    world.waits_there()
    ((repositories, permissions, _),) = world.github._tokens.values()
    assert repositories == {github.REPOSITORY_ID}
    assert permissions == {"actions": "read", "contents": "read", "deployments": "write"}


def test_another_key_than_the_app_s_is_not_believed(tmp_path: Path) -> None:
    with holding(tmp_path) as world:
        github.write_app_key(tmp_path / "app.pem", "another")
        world.waits_there()
        (trouble,) = troubles(world.ctx)
        assert "does not believe the App" in trouble.words
        github.write_app_key(tmp_path / "app.pem")
        world.advance(60)
        assert len(world.pending()) == 1


@pytest.mark.parametrize(("content", "why"), [("nonsense", "no private key"), (None, "cannot be read")])
def test_a_key_file_that_holds_none_is_told_without_a_word_of_it(tmp_path: Path, content: str | None, why: str) -> None:
    with holding(tmp_path) as world:
        file = tmp_path / "app.pem"
        file.unlink() if content is None else file.write_text(content)
        with pytest.raises(ForgeSilent, match=why):
            world.login.app_token()


def test_the_record_is_as_it_was_after_all_of_it(world: Held) -> None:
    run = world.waits_there()
    id_ = agreed(world, run)
    taken = redeem(world.ctx, id_, None, "again")
    assert isinstance(taken, Refused)
    assert taken.code is Code.GATE_USED
    assert world.ledger.read(keys.grant(id_)).items[keys.grant(id_)].is_absent
    assert RULE.rule == "deploy"
    assert replace(RULE, rule="") != RULE


# ---------------------------------------------------------------- a gate that gives the pipeline's role something


def test_github_is_told_when_the_pipelines_role_has_what_the_gate_gives(world: Held) -> None:
    world.policy.policy = gated(gate(gives=role_target()), pipelines=(RULE,))
    run = world.waits_there()
    id_ = world.ask_of(run)
    target = world.targets[AwsKind.IAM_ROLE_POLICY]
    target.next("observe", *[Lose()] * 3)
    assert isinstance(world.approve(id_, build.OLU), Outcome)
    world.work()
    assert world.reviews() == [], "not before it is there, and was read back"
    world.advance(60, step_s=2)
    assert [state for state, _ in world.reviews()] == ["approved"]
    assert world.grant(id_).state is GrantState.ACTIVE
    world.advance(31 * 60, step_s=30)
    assert world.grant(id_).state is GrantState.ENDED
    assert len(world.reviews()) == 1


def test_what_a_gate_cannot_give_is_turned_away_there(world: Held) -> None:
    world.policy.policy = gated(gate(gives=role_target()), pipelines=(RULE,))
    run = world.waits_there()
    id_ = world.ask_of(run)
    world.targets[AwsKind.IAM_ROLE_POLICY].next("grant", Refuse("no"))
    assert isinstance(world.approve(id_, build.OLU), Outcome)
    world.work()
    world.advance(30, step_s=2)
    assert [state for state, _ in world.reviews()] == ["rejected"]
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED
    assert gone(world)


@pytest.mark.parametrize("when", ["before it was asked for", "before GitHub was told"])
def test_a_repository_that_was_renamed_meanwhile_is_the_same_by_its_id(world: Held, when: str) -> None:
    if when == "before it was asked for":
        world.github.name = "acme/shop"
        run = world.waits_there()
        agreed(world, run)
    else:
        run = world.waits_there()
        assert isinstance(world.approve(world.ask_of(run), build.OLU), Outcome)
        world.github.name = "acme/shop"
        world.work()
    assert [state for state, _ in world.reviews()] == ["approved"]
    assert not [path for path in world.github.asked if "elsewhere" in path or "stolen" in path]
