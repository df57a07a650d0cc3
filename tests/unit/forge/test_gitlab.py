"""A protected environment of GitLab waits until owners have agreed: who is asked, what GitLab is told, and that once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.chat.views.gate_lines import run_page
from bot.chat.wording.events import event_words
from bot.chat.wording.labels import flatten
from bot.chat.wording.troubles import what_fails
from bot.forge.build import keeper, look_at_gitlab
from bot.forge.calls import GITLAB, Calls
from bot.forge.comments import GitHubComments
from bot.forge.gitlab import GitLab as Api
from bot.forge.gitlab_login import TokenLogin
from bot.forge.gitlab_waiting import GitLabWaiting
from bot.settings import Settings
from bot.settings.secret import Secret
from bot.wiring.web import _unheard
from tests.support import build, gitlab
from tests.support.gates import COMMIT, Gates, gate, gated
from tests.support.http_stand_in import Fails
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import Forge
from workflows.core.policy import Group, Policy, UnknownStarter
from workflows.core.records.forge import ForgeAnswer, ForgeWait
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.ports import Change, ForgeSilent
from workflows.usecases.gates.forge_see_to import see_to
from workflows.usecases.gates.forge_wait import remember
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.troubles import standing as troubles

IDS: Mapping[Address, Mapping[str, int]] = {
    Address(build.DANA): {"gitlab": 71},
    Address(build.OLU): {"gitlab": 77},
    # A number of GitHub's says nothing of GitLab's.
    Address(build.PAT): {"github": 71, "gitlab": 73},
}


def ruled(issuer: str, **changes: Any) -> Policy:
    """A policy by which GitLab's production waits at the gate of payments-prod."""
    events = ("push", "web", "schedule", "trigger")
    rule = Pipeline(
        "orders",
        Forge.GITLAB,
        issuer,
        str(gitlab.PROJECT),
        str(gitlab.NAMESPACE),
        events,
        "refs/heads/main",
        environment="production",
        environments=("payments-prod",),
        rule="deploy",
    )
    owners = Group("platform", members=frozenset(Address(who) for who in (build.OLU, build.PAT, build.NIA)))
    groups = {**build.policy().groups, owners.name: owners}
    return gated(**{"pipelines": (rule,), "forge_ids": IDS, "groups": groups, **changes})


class Held(Gates):
    def __init__(self, there: gitlab.GitLab, **changes: Any) -> None:
        super().__init__(ruled(there.url, **changes))
        self.gitlab = there
        self.token = Secret("GITLAB_TOKEN", [gitlab.TOKEN], monotonic=self.clock.monotonic)
        url = f"{there.url}/api/v4"
        ask = TokenLogin(Calls(url, self.clock.now, GITLAB), self.token)
        self.api = Api(ask)
        self.waiting = GitLabWaiting(ask, url, self.clock.now, partial(remember, self.ctx))
        self.forge = lambda ctx, id_: see_to(ctx, self.api, GitHubComments("/prodaccess"), id_)

    def looks(self) -> int:
        """A worker looks at GitLab, and sees to what is new."""
        found = self.waiting.look(self.policy.current().pipelines)
        self.work()
        return found

    def waits_there(self, **changes: Any) -> gitlab.Job:
        job = self.gitlab.waits(**changes)
        assert self.looks() == 1
        return job

    @property
    def held(self) -> list[ForgeWait]:
        names = sorted(self.ledger.records("forge"))
        found = self.ledger.read(*names)
        return [one for name in names if (one := found.get(name, ForgeWait)) is not None]

    def ask_of(self, job: gitlab.Job) -> str:
        (wait,) = (one for one in self.held if one.deployment == str(job.id))
        assert wait.request is not None, wait
        return wait.request

    def agreed(self, job: gitlab.Job, *people: object) -> str:
        """Two, because GitLab does not tell who pushed."""
        id_ = self.ask_of(job)
        for who in people or (build.OLU, build.PAT):
            answer = self.approve(id_, who)  # type: ignore[arg-type]  # handed through
            assert isinstance(answer, Outcome), answer
        self.work()
        return id_

    def reviews(self) -> list[tuple[str, str]]:
        return [(status, comment) for _, status, comment in self.gitlab.reviews]

    def pending(self) -> list[str]:
        return list(self.ledger.members(keys.PENDING))

    def posted(self) -> int:
        return sum(one.startswith("POST") for one in self.gitlab.asked)

    @property
    def gone(self) -> bool:
        return not self.held and not any(item.startswith("forge:") for item in self.ledger.due)

    def gate_of(self, id_: str) -> Any:
        return self.request(id_).gate


@pytest.fixture
def world() -> Iterator[Held]:
    with gitlab.running() as there:
        yield Held(there)


def test_a_deployment_waits_who_began_it_is_refused_and_owners_let_it_on_once(world: Held) -> None:
    job = world.waits_there(user=gitlab.OLU)
    id_ = world.ask_of(job)
    own = world.approve(id_, build.OLU)
    assert isinstance(own, Refused)
    assert own.code is Code.OWN_REQUEST
    world.agreed(job, build.PAT, build.NIA)
    assert world.reviews() == [("approved", f"Approved ({id_}).")]
    found = world.gate_of(id_)
    assert found.let_on_at == world.clock.now()
    assert (found.run.commit, found.run.run, found.run.job) == (COMMIT, str(job.pipeline), f"deployment-{job.id}")
    assert (found.run.repository, found.run.server) == (gitlab.NAME, world.gitlab.url)
    assert world.events(id_) == ["gate.asked", "gate.agreed", "gate.approved", "gate.redeemed", "gate.let_on"]
    assert world.gone
    # GitLab calls it blocked until somebody runs its job.
    for _ in range(5):
        assert world.looks() == 0
    world.advance(600, step_s=30)
    assert (len(world.reviews()), world.posted()) == (1, 1)


def test_one_who_approves_is_not_enough_because_nobody_tells_who_pushed(world: Held) -> None:
    job = world.waits_there()
    first = world.approve(world.ask_of(job), build.OLU)
    assert isinstance(first, Outcome)
    assert first.outcome == "agreed"
    parts = {(one.part.value, one.number) for one in world.gate_of(world.ask_of(job)).starters}
    assert parts == {("started", 71), ("pushed", None)}
    assert world.reviews() == []


def test_whoever_executes_the_job_is_barred_too(world: Held) -> None:
    job = world.waits_there(by=gitlab.PAT)
    parts = {(one.part.value, one.number) for one in world.gate_of(world.ask_of(job)).starters}
    assert parts == {("started", 71), ("pushed", None), ("re-ran", 73)}
    assert isinstance(world.approve(world.ask_of(job), build.PAT), Refused)


@pytest.mark.parametrize(
    ("user", "source"), [(gitlab.BOT, "push"), (gitlab.DANA, "schedule"), (gitlab.DANA, "trigger")]
)
def test_where_the_policy_wants_to_know_all_it_is_turned_away(user: dict[str, Any], source: str) -> None:
    with gitlab.running() as there:
        world = Held(there, found=gate(unknown_starter=UnknownStarter.REFUSE))
        world.waits_there(user=user, source=source)
        ((status, comment),) = world.reviews()
        assert (status, "Nobody knows who" in comment) == ("rejected", True)


def test_a_bot_is_nobody(world: Held) -> None:
    job = world.waits_there(user=gitlab.BOT)
    assert {one.number for one in world.gate_of(world.ask_of(job)).starters} == {None}


def test_a_denial_is_told_with_its_reason(world: Held) -> None:
    job = world.waits_there()
    id_ = world.ask_of(job)
    world.deny(id_, build.PAT, "not before the fix")
    world.advance(2)
    assert world.reviews() == [("rejected", f"Denied by Pat ({id_}): not before the fix")]
    assert (job.status, world.gone) == ("failed", True)


def test_what_nobody_decides_is_turned_away(world: Held) -> None:
    job = world.waits_there()
    id_ = world.ask_of(job)
    world.advance(31 * 60, step_s=30)
    assert world.reviews() == [("rejected", f"Nobody approved it in time ({id_}).")]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source": "merge_request_event"}, "started by 'merge_request_event'"),
        ({"source": "parent_pipeline"}, "started by 'parent_pipeline'"),
        ({"ref": "feature"}, "not on a branch 'feature'"),
        ({"ref": "main", "tag": True}, "not on a branch 'refs/tags/main'"),
        ({"commit": "e" * 40}, "not on a branch 'main'"),
        ({"pipeline_commit": "e" * 40}, "another commit"),
        ({"home": 31337}, "stands in a fork"),
    ],
)
def test_what_the_policy_does_not_let_ask_is_turned_away(world: Held, changes: dict[str, Any], why: str) -> None:
    world.waits_there(**changes)
    ((status, comment),) = world.reviews()
    assert (status, why in comment) == ("rejected", True), comment
    assert world.pending() == []
    assert any(one.event.value == "gate.refused" for one in world.all_entries())
    assert world.gone


def test_a_branch_that_nobody_protects_and_a_project_that_was_moved_are_turned_away(world: Held) -> None:
    world.gitlab.branches["main"] = (COMMIT, False)
    world.waits_there()
    world.gitlab.branches["main"] = (COMMIT, True)
    world.gitlab.namespace = 31337
    world.waits_there()
    first, second = world.reviews()
    assert (first[0], "is not protected" in first[1]) == ("rejected", True)
    assert (second[0], "of another repository" in second[1]) == ("rejected", True)


def test_a_commit_that_the_branch_has_gone_on_from_is_on_it(world: Held) -> None:
    tip = "f" * 40
    world.gitlab.branches["main"] = (tip, True)
    world.gitlab.behind[tip] = {COMMIT}
    world.agreed(world.waits_there())
    assert [status for status, _ in world.reviews()] == ["approved"]


# ---------------------------------------------------------------- what is heard


def test_only_what_waits_in_the_environment_of_the_rule_is_heard_and_each_once(world: Held) -> None:
    world.gitlab.waits(environment="staging")
    world.gitlab.waits(status="success")
    world.gitlab.waits(odd={"deployable": None})
    world.gitlab.waits(odd={"sha": 7})
    world.gitlab.waits(odd={"pending_approval_count": 0})
    assert world.looks() == 0
    world.gitlab.page = 2
    for _ in range(5):
        world.gitlab.waits()
    assert world.looks() == 5
    assert world.looks() == 0
    assert len(world.pending()) == 5


def test_a_job_that_is_run_again_asks_anew(world: Held) -> None:
    job = world.waits_there()
    first = world.agreed(job)
    again = world.waits_there(pipeline=job.pipeline)
    assert world.ask_of(again) != first
    assert [status for status, _ in world.reviews()] == ["approved"]
    world.agreed(again)
    assert [status for status, _ in world.reviews()] == ["approved", "approved"]


def test_a_server_of_another_issuer_is_never_asked(world: Held) -> None:
    (rule,) = world.policy.current().pipelines
    with pytest.raises(ForgeSilent, match="another server than the issuer of the pipeline orders"):
        world.waiting.look([replace(rule, issuer="https://gitlab.example.com")])
    assert world.gitlab.asked == []
    assert world.waiting.look([replace(rule, rule="")]) == 0
    assert world.gitlab.asked == [], "nothing waits by the policy"


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        (Fails("deployments", 500), "GitLab answered with an error (500)"),
        (Fails("deployments", 401), "GitLab does not believe GITLAB_TOKEN"),
        (Fails("deployments", 403), "GitLab refuses GITLAB_TOKEN"),
        (Fails("deployments", 404), "GitLab shows GITLAB_TOKEN no project 4242"),
        (Fails("deployments", 429, {"Retry-After": "7"}), "left alone"),
        (Fails("deployments", 302, {"Location": "https://evil.example.com/"}), "an error (302)"),
        (Fails("deployments", 200, body={"id": 1}), "an error (200)"),
        (Fails("deployments", 200, body=b"<html>"), "an error (200)"),
    ],
)
def test_what_cannot_be_heard_is_told_and_heard_later(world: Held, failing: Fails, words: str) -> None:
    world.gitlab.waits()
    world.gitlab.fails = [failing]
    with pytest.raises(ForgeSilent) as problem:
        world.looks()
    assert words in str(problem.value)
    assert gitlab.TOKEN not in str(problem.value)
    if failing.heads.get("Retry-After"):
        assert world.looks() == 0, "it is left alone"
    world.clock.advance(8)
    assert world.looks() == 1


# ---------------------------------------------------------------- GitLab is silent, refuses, forgets


@pytest.mark.parametrize(
    "failing",
    [
        Fails("GET .*pipelines", 500),
        Fails("GET .*pipelines", 404),
        Fails("GET .*pipelines", 429, {"Retry-After": "7"}),
        Fails("GET .*branches", 403),
        Fails("GET .*branches", 200, body={"name": "main", "commit": {"id": COMMIT}, "protected": "yes"}),
        Fails("GET .*branches", 200, body={"name": "other", "commit": {"id": COMMIT}, "protected": True}),
        Fails("GET .*projects/4242$", 404),
        Fails("GET .*projects/4242$", 200, body=[]),
        Fails(r"GET .*deployments/\d", 200, body={"id": 1}),
    ],
)
def test_what_gitlab_does_not_say_is_neither_yes_nor_no(world: Held, failing: Fails) -> None:
    world.gitlab.fails = [failing]
    job = world.waits_there()
    assert (world.pending(), world.reviews(), len(world.held)) == ([], [], 1)
    world.advance(90)
    world.agreed(job)
    assert [status for status, _ in world.reviews()] == ["approved"]


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422, 429, 500, 502])
def test_an_answer_that_gitlab_does_not_take_is_given_later_and_the_card_says_why(world: Held, status: int) -> None:
    job = world.waits_there()
    world.gitlab.fails = [Fails("POST", status)]
    id_ = world.agreed(job)
    assert world.gate_of(id_).is_being_told
    assert world.gate_of(id_).held_up.startswith("GitLab ")
    assert "gate.let_on" not in world.events(id_)
    world.advance(120)
    assert world.events(id_)[-1] == "gate.let_on"
    assert len(world.reviews()) == 1


def test_a_token_whose_user_no_rule_names_lets_nobody_on_and_is_told(world: Held) -> None:
    world.gitlab.names = False
    job = world.waits_there()
    id_ = world.agreed(job)
    world.advance(120)
    assert "name this user in one approval rule" in world.gate_of(id_).held_up
    assert (world.reviews(), world.gate_of(id_).let_on_at) == ([], None)
    world.advance(35 * 60, step_s=15)
    world.gitlab.names = True
    world.advance(600, step_s=15)
    assert world.reviews() == [("rejected", "Approved, but it could not be told in time.")]
    assert world.gate_of(id_).let_on_at is None


@pytest.mark.parametrize("rules", [True, False])
@pytest.mark.parametrize("needs", [1, 2])
def test_an_answer_that_was_lost_is_not_given_twice_and_is_not_lost(world: Held, rules: bool, needs: int) -> None:
    world.gitlab.rules = rules
    job = world.waits_there(needs=needs)
    world.gitlab.fails = [Fails("POST", 504, done=True)]
    id_ = world.agreed(job)
    assert [status for status, _ in world.reviews()] == ["approved"]
    assert "gate.let_on" not in world.events(id_), "nobody knows yet"
    world.advance(30)
    assert world.events(id_)[-1] == "gate.let_on"
    assert len(world.reviews()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"user": gitlab.US, "status": "rejected"},
        {"user": gitlab.PAT, "status": "approved"},
        {"status": "approved"},
        [],
    ],
)
def test_an_answer_to_another_question_is_no_proof(world: Held, body: Any) -> None:
    job = world.waits_there()
    world.gitlab.fails = [Fails("POST", 201, body=body or b"[]")]
    id_ = world.agreed(job)
    assert world.gate_of(id_).held_up == "GitLab answered something that cannot be read"
    assert world.gate_of(id_).let_on_at is None
    world.advance(30)
    assert world.events(id_)[-1] == "gate.let_on"


def test_an_approval_of_somebody_else_there_is_not_ours(world: Held) -> None:
    """The answer never came there, and another let it on at GitLab."""
    job = world.waits_there()
    world.gitlab.fails = [Fails("POST", 504)]
    id_ = world.agreed(job)
    job.answers.append((gitlab.PAT, "approved", ""))
    world.advance(30)
    assert world.gate_of(id_).let_on_at is None
    assert world.events(id_)[-1] == "gate.not_taken"


def test_an_approval_of_somebody_else_does_not_stand_for_ours_where_more_are_awaited(world: Held) -> None:
    job = world.waits_there(needs=2)
    job.answers.append((gitlab.PAT, "approved", ""))
    world.gitlab.names = False
    id_ = world.agreed(job)
    assert (world.gate_of(id_).let_on_at, world.gate_of(id_).is_being_told) == (None, True)


def test_a_project_that_is_hidden_just_then_is_no_word_that_nothing_waits(world: Held) -> None:
    world.waits_there()
    (wait,) = world.held
    with pytest.raises(ForgeSilent, match="no project 4242"):
        world.api.answer(wait, approved=True, comment="", before_send=lambda: setattr(world.gitlab, "sees", False))


def test_a_deployment_of_another_pipeline_than_was_seen_is_turned_away(world: Held) -> None:
    job = world.gitlab.waits()
    assert world.waiting.look(world.policy.current().pipelines) == 1
    said = world.gitlab.said(job)["deployable"]
    job.odd = {"deployable": said | {"pipeline": said["pipeline"] | {"id": 1}}}
    world.work()
    assert ([status for status, _ in world.reviews()], world.pending()) == (["rejected"], [])


def test_whoever_made_the_deployment_is_barred_too_by_the_number_at_gitlab(world: Held) -> None:
    job = world.waits_there(odd={"user": gitlab.PAT})
    assert ("started", 73) in {(one.part.value, one.number) for one in world.gate_of(world.ask_of(job)).starters}
    assert isinstance(world.approve(world.ask_of(job), build.PAT), Refused)


@pytest.mark.parametrize(
    "how", [{"status": "canceled"}, {"status": "success"}, {"environment": "renamed"}, {"needs": 0}]
)
def test_what_waits_no_more_takes_its_ask_back(world: Held, how: dict[str, Any]) -> None:
    job = world.waits_there()
    id_ = world.ask_of(job)
    for name, value in how.items():
        setattr(job, name, value)
    world.advance(6 * 60, step_s=10)
    assert (world.request(id_).state, world.reviews(), world.gone) == (RequestState.WITHDRAWN, [], True)


def test_a_deployment_that_is_deleted_takes_its_ask_back_and_one_that_is_hidden_does_not(world: Held) -> None:
    job = world.waits_there()
    id_ = world.ask_of(job)
    world.gitlab.sees = False
    world.advance(6 * 60, step_s=10)
    assert (world.request(id_).state, len(world.held)) == (RequestState.PENDING, 1)
    assert "shows GITLAB_TOKEN no project 4242" in troubles(world.ctx)[0].words
    world.gitlab.sees = True
    world.gitlab.jobs.clear()
    world.advance(15 * 60, step_s=10)
    assert (world.request(id_).state, world.gone) == (RequestState.WITHDRAWN, True)


def test_a_pipeline_that_is_cancelled_just_before_is_not_said_to_have_gone_on(world: Held) -> None:
    job = world.waits_there()
    world.gitlab.fails = [Fails("POST", 502)]
    id_ = world.agreed(job)
    job.status = "canceled"
    world.advance(10)
    found = world.gate_of(id_)
    assert (found.let_on_at, found.not_taken) == (None, "the run is over, or waits for nothing any more")


def test_a_rule_that_left_the_policy_or_went_to_another_server_lets_nobody_on(world: Held) -> None:
    changes: list[dict[str, Any]] = [{"rule": ""}, {"issuer": "https://gitlab.example.com"}]
    for change in changes:
        job = world.waits_there()
        world.gitlab.fails = [Fails("POST", 502)]
        id_ = world.agreed(job)
        (rule,) = world.policy.current().pipelines
        world.policy.policy = ruled(world.gitlab.url, pipelines=(replace(rule, **change),))
        world.activate()
        world.advance(30)
        assert (job.status, world.gate_of(id_).let_on_at) == ("failed", None)
        world.policy.policy = ruled(world.gitlab.url)
        world.activate()


def test_an_answer_written_into_the_record_by_hand_lets_nobody_on(world: Held) -> None:
    job = world.waits_there()
    (wait,) = world.held
    run, now = world.gate_of(world.ask_of(job)).run, world.clock.now()
    by_hand = ForgeAnswer(True, "Approved.", run.key, now, now + timedelta(hours=1))
    item = keys.forge(wait.id)
    reads = world.ledger.read(item).versions()
    world.ledger.commit(Change("by-hand", now, reads, puts={item: replace(wait, answer=by_hand)}, due={item: now}))
    world.work()
    assert world.reviews() == [("rejected", "Approved, but the record has no approval of it.")]


def test_while_a_token_is_exchanged_either_does_and_its_user_may_be_another(world: Held) -> None:
    job = world.waits_there()
    world.token.change(["glpat-not-yet-valid", gitlab.TOKEN])
    world.agreed(job)
    assert world.token.newest_is_refused()
    world.gitlab.token, world.gitlab.us = "glpat-not-yet-valid", gitlab.user(950, "prodaccess-two")
    world.agreed(world.waits_there())
    assert [status for status, _ in world.reviews()] == ["approved", "approved"]


def test_a_long_reason_is_cut_to_what_gitlab_takes(world: Held) -> None:
    job = world.waits_there()
    world.deny(world.ask_of(job), build.PAT, "not before the fix " * 20)
    world.advance(2)
    ((status, comment),) = world.reviews()
    assert (status, len(comment), comment[-1]) == ("rejected", 255, "…")


# ---------------------------------------------------------------- as a worker is wired


def settings(world: Held, token: str | None = gitlab.TOKEN) -> Settings:
    return Settings(gitlab_token=token, gitlab_api_url=f"{world.gitlab.url}/api/v4")


def test_a_worker_looks_sees_to_it_and_notes_what_it_cannot_see(world: Held) -> None:
    look, world.forge = look_at_gitlab(settings(world), world.ctx), lambda ctx, id_: keeper(settings(world), ctx)(id_)
    world.gitlab.sees = False
    job = world.gitlab.waits()
    look()
    (trouble,) = troubles(world.ctx)
    assert (trouble.item, "shows GITLAB_TOKEN no project 4242" in trouble.words) == ("process:gitlab", True)
    assert what_fails(trouble) == "asking GitLab which deployments wait"
    world.gitlab.sees = True
    look()
    world.work()
    world.agreed(job)
    assert [status for status, _ in world.reviews()] == ["approved"]


def test_a_worker_without_the_token_tells_nobody_anything(world: Held) -> None:
    job = world.waits_there()
    world.forge = lambda ctx, id_: keeper(settings(world, None), ctx)(id_)
    world.deny(world.ask_of(job), build.PAT, "no")
    world.advance(5)
    assert (world.reviews(), len(world.held)) == ([], 1)
    (trouble,) = troubles(world.ctx)
    assert "GITLAB_TOKEN is not set for a worker" in trouble.words


def test_web_does_not_want_github_s_secret_for_what_waits_at_gitlab(world: Held) -> None:
    assert _unheard(Settings(), world.ctx) == []


def test_links_lead_to_the_pipeline(world: Held) -> None:
    job = world.waits_there()
    run = world.gate_of(world.ask_of(job)).run
    assert run_page(run) == f"{world.gitlab.url}/acme/orders/-/pipelines/{job.pipeline}"


def test_the_record_says_that_it_is_gitlab(world: Held) -> None:
    job = world.waits_there()
    id_ = world.agreed(job)
    other = world.waits_there()
    world.gitlab.fails = [Fails("POST", 504)]
    lost = world.agreed(other)
    other.status = "canceled"
    world.advance(30)
    said = {flatten(event_words(one, {}), str) for one in world.all_entries() if one.subject in (id_, lost)}
    assert "GitLab was told, and lets the job be run" in said
    assert f"the run {job.pipeline} may go on, which GitLab is told; this approval is used up" in said
    assert "GitLab did not take the approval: the run is over, or waits for nothing any more" in said
    assert not [one for one in said if "GitHub" in one]
