"""A pipeline waits for an environment's owner: what stands in chat meanwhile, and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.forge.comments import GitHubComments
from tests.support.build import MINUTE, NIA, NOW, OLU, PAT, SUE
from tests.support.gates import COMMIT, FORGE_IDS, PIPELINE, gate, pipeline_run, role_target, starter, waits, wants
from tests.support.scenes import done, rules, scene
from tests.support.spoken import Listener
from tests.support.world import account
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.people import PersonId
from workflows.core.pipelines.identity import Forge, Part
from workflows.core.policy import Freeze, Gate, Policy, UnknownStarter
from workflows.core.records.forge import ForgeWait
from workflows.core.refusal import Code, Refused
from workflows.core.rules.forge_run import Account as ForgeAccount
from workflows.core.rules.forge_run import BranchSeen, RunSeen
from workflows.ports import BeforeSend, ForgeSilent
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Refuse
from workflows.usecases.gates.break_open import break_open
from workflows.usecases.gates.forge_see_to import see_to
from workflows.usecases.gates.forge_wait import remember
from workflows.usecases.gates.redeem import Redeemed, redeem
from workflows.usecases.gates.withdraw import withdraw
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all

# GitHub's own message, and what it says of the run.
RULE = replace(PIPELINE, environments=("payments-prod",), rule="deploy")
WAITS = ForgeWait("f" * 40, "", "acme/orders", "1296269", "583231", "7", "production", "9", COMMIT, "5", (), NOW)
SEEN = RunSeen(
    repository="acme/orders",
    repository_id="1296269",
    owner_id="583231",
    home_id="1296269",
    branch="main",
    commit=COMMIT,
    run="5",
    attempt="1",
    workflow=".github/workflows/deploy.yml",
    event="push",
    actor=ForgeAccount(1001, "dana-gh"),
    again_by=ForgeAccount(1001, "dana-gh"),
    title="Faster checkout",
    over=False,
)
BOT = pipeline_run(starters=(starter(None, "release[bot]"), starter(None, "release[bot]", Part.PUSHED)))
NIGHTLY = pipeline_run(starters=(starter(None, "dana-gh"), starter(None, "", Part.PUSHED)), event="schedule", run="2")


def with_gate(found: Gate | None = None, **changes: Any) -> Policy:
    """The rules of the other scenes, with a gate in payments-prod."""
    one = found or gate()
    policy = rules(**changes)
    place = replace(policy.environments["payments-prod"], gates={one.name: one})
    places = {**policy.environments, place.name: place}
    return replace(policy, environments=places, pipelines=(PIPELINE,), forge_ids=FORGE_IDS)


def gated(t: Listener, found: Gate | None = None, **changes: Any) -> None:
    t.world.policy.policy = with_gate(found, **changes)
    t.world.knows(*t.cast)


@scene
def a_pipeline_goes_on(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world)
    yield (id_,)
    done(t.world.approve(id_, OLU))
    t.world.work()
    yield (id_,)
    assert isinstance(redeem(t.world.ctx, id_, None, "r1"), Redeemed)
    assert isinstance(redeem(t.world.ctx, id_, None, "r2"), Refused)
    yield (id_,)


@scene
def a_pipeline_is_stopped(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world, url="https://example.com/notes?a=<b>")
    t.posted(id_)
    done(t.world.deny(id_, PAT, "not before the fix"))
    yield (id_,)


@scene
def a_pipeline_that_a_bot_began(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world, run=BOT)
    yield (id_,)
    done(t.world.approve(id_, OLU))
    yield (id_,)
    t.world.advance(31 * 60, step_s=30)
    yield (id_,)


@scene
def a_pipeline_of_a_schedule(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    yield (waits(t.world, run=NIGHTLY),)


@scene
def a_pipeline_that_an_owner_pushed(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    starters = (starter(1002, "olu-gh"), starter(1002, "olu-gh", Part.PUSHED))
    id_ = waits(t.world, run=pipeline_run(starters=starters))
    yield (id_,)
    done(t.world.deny(id_, PAT, "not today"))
    again = pipeline_run(starters=(*starters, starter(None, "", Part.RE_RAN)), attempt="2")
    other = waits(t.world, run=again)
    yield id_, other


@scene
def a_pipeline_that_nobody_answers(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world)
    t.posted(id_)
    t.world.advance(11 * 60, step_s=30)
    yield (id_,)
    t.world.advance(20 * 60, step_s=30)
    yield (id_,)


@scene
def a_pipeline_that_does_not_come_back(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world)
    done(t.world.approve(id_, OLU))
    t.world.work()
    t.posted(id_)
    t.world.advance(31 * 60, step_s=60)
    yield (id_,)


@scene
def a_gate_without_a_channel(t: Listener) -> Iterator[tuple[str, ...]]:
    """Each who may decide is written to, and nobody who pushed."""
    gated(t, approvals_channels=())
    starters = (starter(1002, "olu-gh"), starter(1002, "olu-gh", Part.PUSHED))
    id_ = waits(t.world, run=pipeline_run(starters=starters))
    yield (id_,)
    done(t.world.approve(id_, PAT))
    t.world.work()
    assert isinstance(redeem(t.world.ctx, id_, None, "r1"), Redeemed)
    yield (id_,)


@scene
def a_job_is_cancelled(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world)
    t.posted(id_)
    done(withdraw(t.world.ctx, id_, "w1"))
    yield (id_,)


@scene
def a_gate_that_is_shut_by_now(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world)
    now = t.world.clock.now()
    t.world.policy.policy = with_gate(freezes=(Freeze(now, now + 20 * MINUTE, "Year-end freeze"),))
    t.world.run(f"request:{id_}")
    yield (id_,)


@scene
def a_gate_that_changed(t: Listener) -> Iterator[tuple[str, ...]]:
    """Nobody knew who had pushed; now it is known, and it was Olu, who had agreed."""
    gated(t)
    t.world.policy.policy = replace(t.world.policy.policy, forge_ids={})
    id_ = waits(t.world, run=pipeline_run(starters=(starter(1002, "olu-gh"),)))
    t.posted(id_)
    done(t.world.approve(id_, OLU))
    t.world.policy.policy = with_gate()
    done(t.world.approve(id_, PAT))
    t.world.work()
    yield (id_,)


@scene
def an_approval_of_a_gate_that_stands_no_more(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    t.world.policy.policy = replace(t.world.policy.policy, forge_ids={})
    id_ = waits(t.world, run=pipeline_run(starters=(starter(1002, "olu-gh"),)))
    done(t.world.approve(id_, OLU))
    done(t.world.approve(id_, PAT))
    t.world.policy.policy = with_gate()
    t.world.work()
    yield (id_,)


@scene
def a_gate_without_people(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t, gate(approve={"owners": 2}))
    id_ = waits(t.world, run=pipeline_run(starters=(starter(1002, "olu-gh"),)))
    yield (id_,)


@scene
def a_gate_that_is_gone(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world)
    t.posted(id_)
    t.world.policy.policy = replace(with_gate(), environments=rules().environments)
    yield (id_,)


@scene
def a_gate_and_the_panic_switch(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    id_ = waits(t.world)
    t.posted(id_)
    t.world.advance(1)
    t.world.knows(SUE, NIA)
    done(revoke_all(t.world.ctx, RevocationScope(None, "", "payments-prod"), account(SUE), "attack", "p1"))
    t.world.work()
    yield (id_,)


@scene
def a_gate_of_a_place_that_hides_itself(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    books = t.world.policy.policy.environments["books-prod"]
    one = gate(environment=books.name, owners=books.owners)
    places = {**t.world.policy.policy.environments, books.name: replace(books, gates={one.name: one})}
    t.world.policy.policy = replace(t.world.policy.policy, environments=places)
    id_ = waits(t.world, environment=books.name)
    yield (id_,)


@scene
def a_starter_whom_nobody_knows_is_refused(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t, gate(unknown_starter=UnknownStarter.REFUSE))
    assert isinstance(wants(t.world, run=BOT), Refused)
    id_ = waits(t.world)
    yield (id_,)


def opened(t: Listener, who: PersonId = NIA, found: Gate | None = None, **changes: Any) -> str:
    """A pipeline waits at a gate that can be opened in an emergency, in a freeze."""
    now = t.world.clock.now()
    changes = {"freezes": (Freeze(now, now + 20 * MINUTE, "Year-end freeze"),), **changes}
    gated(t, replace(found or gate(), break_glass=True), **changes)
    id_ = waits(t.world)
    t.posted(id_)
    t.world.knows(who)
    done(break_open(t.world.ctx, id_, account(who), "checkout is down", t.world.press_id()))
    t.world.work()
    return id_


@scene
def a_gate_that_can_be_opened_in_an_emergency(t: Listener) -> Iterator[tuple[str, ...]]:
    """It waits in a freeze, in which nobody can approve it."""
    now = t.world.clock.now()
    gated(t, replace(gate(), break_glass=True), freezes=(Freeze(now, now + 20 * MINUTE, "Year-end freeze"),))
    yield (waits(t.world),)


@scene
def a_gate_is_opened_in_an_emergency(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = opened(t)
    yield (id_,)
    assert isinstance(redeem(t.world.ctx, id_, None, "r1"), Redeemed)
    yield (id_,)
    t.world.advance(7 * 3600, step_s=600)
    yield (id_,)
    t.world.knows(OLU)
    done(flag(t.world.ctx, id_, account(OLU), "it could have waited", "f1"))
    yield (id_,)


@scene
def a_gate_that_who_pushed_opens(t: Listener) -> Iterator[tuple[str, ...]]:
    """Nia pushed it, and is on call; no owner's channel takes the card."""
    found = (starter(1003, "nia-gh"), starter(1003, "nia-gh", Part.PUSHED))
    gated(t, replace(gate(), break_glass=True), approvals_channels=())
    t.world.policy.policy = replace(t.world.policy.policy, forge_ids={**FORGE_IDS, Address(NIA): {"github": 1003}})
    id_ = waits(t.world, run=pipeline_run(starters=found))
    t.world.knows(NIA)
    done(break_open(t.world.ctx, id_, account(NIA), "checkout is down", "b1"))
    t.world.work()
    yield (id_,)
    t.world.knows(OLU)
    done(acknowledge(t.world.ctx, id_, account(OLU), "a1", "well done"))
    yield (id_,)


@scene
def an_opened_gate_is_called_off(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = opened(t)
    done(t.world.deny(id_, OLU, "that is no emergency"))
    yield (id_,)


@scene
def an_opened_gate_gives_the_pipelines_role_something(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = opened(t, found=gate(gives=role_target()))
    redeem(t.world.ctx, id_, None, "r1")
    t.world.work()
    assert isinstance(redeem(t.world.ctx, id_, None, "r1"), Redeemed)
    yield (id_,)
    t.world.knows(OLU)
    done(end(t.world.ctx, id_, account(OLU), "that is enough", "e1"))
    t.world.work()
    yield (id_,)


class SaidForge:
    """A `Forge` that knows one run. `takes`: what it makes of an answer; None: it is silent."""

    takes: bool | None = True

    def run(self, _wait: ForgeWait) -> RunSeen:
        return SEEN

    def branch(self, _wait: ForgeWait, _seen: RunSeen) -> BranchSeen:
        return BranchSeen(protected=True, holds=True)

    def authors(self, _wait: ForgeWait, _seen: RunSeen) -> frozenset[int]:
        return frozenset()

    def went_on(self, _wait: ForgeWait) -> bool:
        return False

    def answer(self, _wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:
        before_send()
        if self.takes is None:
            raise ForgeSilent("GitHub did not answer in time")
        return self.takes


def held(t: Listener, forge: SaidForge, wait: ForgeWait = WAITS, **changes: Any) -> str:
    """A forge holds a run back until an owner agrees. Returns the id of the ask."""
    gated(t)
    t.world.policy.policy = replace(t.world.policy.policy, **{"pipelines": (RULE,), **changes})
    t.world.forge = lambda ctx, id_: see_to(ctx, forge, GitHubComments("/prodaccess"), id_)
    assert remember(t.world.ctx, wait, "github", ("d-1",))
    t.world.work()
    found = t.world.ledger.read(keys.forge(WAITS.id)).get(keys.forge(WAITS.id), ForgeWait)
    assert found is not None
    assert found.request is not None
    return found.request


@scene
def a_run_that_github_holds_back(t: Listener) -> Iterator[tuple[str, ...]]:
    forge = SaidForge()
    id_ = held(t, forge)
    yield (id_,)
    forge.takes = None
    done(t.world.approve(id_, OLU))
    t.world.work()
    yield (id_,)
    forge.takes = True
    t.world.advance(10)
    yield (id_,)


@scene
def a_deployment_that_gitlab_holds_back(t: Listener) -> Iterator[tuple[str, ...]]:
    """Who pushed nobody tells, so two agree."""
    gitlab = "https://gitlab.com"
    rule = replace(RULE, forge=Forge.GITLAB, issuer=gitlab)
    ids = {address: {"gitlab": found["github"]} for address, found in FORGE_IDS.items()}
    id_ = held(t, SaidForge(), replace(WAITS, gitlab=gitlab, installation=""), pipelines=(rule,), forge_ids=ids)
    yield (id_,)
    done(t.world.approve(id_, OLU))
    done(t.world.approve(id_, PAT))
    t.world.work()
    yield (id_,)


@scene
def a_run_that_waits_for_no_approval_any_more(t: Listener) -> Iterator[tuple[str, ...]]:
    forge = SaidForge()
    id_ = held(t, forge)
    t.posted(id_)
    forge.takes = False
    done(t.world.approve(id_, OLU))
    t.world.work()
    yield (id_,)


# ---------------------------------------------------------------- a gate that gives the pipeline's role something


def taken(t: Listener, environment: str = "payments-prod") -> str:
    """Asked, agreed to, and taken by its run; nothing is given yet."""
    if environment == "payments-prod":
        gated(t, gate(gives=role_target()))
    id_ = waits(t.world, environment=environment)
    t.posted(id_)
    done(t.world.approve(id_, OLU if environment == "payments-prod" else SUE))
    t.world.work()
    assert isinstance(redeem(t.world.ctx, id_, None, "r1"), Refused)
    return id_


def given(t: Listener) -> str:
    id_ = taken(t)
    t.world.work()
    assert isinstance(redeem(t.world.ctx, id_, None, "r2"), Redeemed)
    t.posted(id_)
    return id_


@scene
def a_pipelines_role_is_given_something(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t, gate(gives=role_target()))
    id_ = waits(t.world)
    yield (id_,)
    done(t.world.approve(id_, OLU))
    t.world.work()
    yield (id_,)
    assert isinstance(redeem(t.world.ctx, id_, None, "r1"), Refused)
    t.world.work()
    yield (id_,)
    assert isinstance(redeem(t.world.ctx, id_, None, "r2"), Redeemed)
    yield (id_,)
    done(withdraw(t.world.ctx, id_, "w1"))
    t.world.work()
    yield (id_,)


@scene
def a_pipelines_role_whose_time_is_over(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = given(t)
    t.world.advance(31 * 60, step_s=30)
    yield (id_,)


@scene
def a_pipelines_role_that_cannot_be_given_it(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = taken(t)
    t.world.targets[AwsKind.IAM_ROLE_POLICY].next("grant", Refuse("AWS does not let the worker do this."))
    t.world.work()
    yield (id_,)


@scene
def a_pipelines_role_that_is_slow_to_be_given_it(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = taken(t)
    t.world.targets[AwsKind.IAM_ROLE_POLICY].next("observe", *[Lose()] * 400)
    t.world.advance(45, step_s=5)
    yield (id_,)


@scene
def a_pipelines_role_from_which_it_cannot_be_taken(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = given(t)
    t.world.targets[AwsKind.IAM_ROLE_POLICY].next("revoke", *[Refuse("AWS does not let the worker do this.")] * 100)
    t.world.advance(34 * 60, step_s=20)
    yield (id_,)


@scene
def a_pipelines_role_from_which_an_owner_takes_it(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = given(t)
    done(end(t.world.ctx, id_, account(PAT), "the release is wrong", "e1"))
    yield (id_,)
    t.world.work()
    yield (id_,)


@scene
def a_pipelines_role_that_is_none(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t, gate(gives=role_target()))
    words = (
        "People may take on orders-deploy: its trust policy names everybody. A gate gives to a pipeline's role alone."
    )
    t.world.targets[AwsKind.IAM_ROLE_POLICY].refusal = Refused(Code.TARGET_REFUSED, {"words": words})
    id_ = waits(t.world)
    yield (id_,)


@scene
def a_pipelines_role_of_a_place_that_hides_itself(t: Listener) -> Iterator[tuple[str, ...]]:
    gated(t)
    books = t.world.policy.policy.environments["books-prod"]
    one = gate(environment=books.name, owners=books.owners, gives=role_target())
    places = {**t.world.policy.policy.environments, books.name: replace(books, gates={one.name: one})}
    t.world.policy.policy = replace(t.world.policy.policy, environments=places)
    t.world.knows(SUE)
    id_ = taken(t, books.name)
    yield (id_,)
    t.world.work()
    yield (id_,)
    t.world.advance(31 * 60, step_s=60)
    yield (id_,)
