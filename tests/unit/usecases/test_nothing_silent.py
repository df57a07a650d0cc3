"""An exception that nobody expected, at every call of the outside, one at a time: the person is told, and access ends in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache

import pytest

from tests.support import build
from tests.support.build import DANA, MINUTE, NIA, OLU, SUE
from tests.support.outside import Outside, methods_of, no_jobs_left
from tests.support.world import account
from workflows.core import keys
from workflows.core.policy import BreakGlass, Group, Policy
from workflows.core.records.grant import CLOSED, Grant, GrantState
from workflows.core.records.request import Origin
from workflows.core.rules.eligibility import Ask
from workflows.ports import Directory, DirectoryRefresher, LeaseRenewer, PolicySource, Target, Targets, Wake
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.troubles import standing

LIFE = 2 * MINUTE
PLATFORM = "S0PLATFORM"
# How long the longest stage takes.
FAILS_FOR = timedelta(seconds=170)


@pytest.fixture(autouse=True)
def _jobs() -> Iterator[None]:
    with no_jobs_left():
        yield


def rules() -> Policy:
    glass = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, max_per_day=5)
    groups = {name: Group(name, members=people) for name, people in build.GROUPS.items()}
    groups["platform"] = Group("platform", slack_usergroup=PLATFORM, trusted=True)
    return build.policy(build.environment(break_glass=glass), groups=groups)


def installation() -> Outside:
    """Whose owners are a Slack group, and whose target takes a moment."""
    world = Outside(rules())
    world.target().slow_s = 1.0
    world.learns_from_chat({f"slack:{PLATFORM}": build.GROUPS["platform"]})
    return world


# ---------------------------------------------------------------- lives: each stage is named before it begins


def asked_and_ended(world: Outside) -> str:
    world.enter("ask")
    id_ = world.acts(lambda: world.ask(duration=LIFE)).id
    world.enter("resolve")
    world.lives(20)
    world.enter("press")
    if world.request(id_).resource is not None and world.request(id_).decision is None:
        world.acts(lambda: world.approve(id_))
    world.enter("give")
    world.lives(40)
    world.enter("end")
    world.lives(FAILS_FOR.total_seconds())
    world.enter("after")
    world.lives(90)
    return id_


def given_back(world: Outside) -> str:
    world.enter("ask")
    id_ = world.acts(lambda: world.ask(duration=LIFE)).id
    world.lives(10)
    world.acts(lambda: world.approve(id_))
    world.lives(10)
    world.enter("more time")
    world.acts(lambda: world.extend(id_, duration=MINUTE))
    world.lives(20)
    world.enter("return")
    if world.grant(id_).state is GrantState.ACTIVE:
        world.acts(lambda: world.end(id_))
    world.lives(200)
    return id_


def broken_in(world: Outside) -> str:
    world.enter("break")
    world.acts(lambda: world.knows(NIA))
    ask = Ask("payments-prod", "read-only", LIFE, "everything is down")
    press = world.press_id()
    id_ = world.acts(lambda: break_glass(world.ctx, ask, account(NIA), Origin(), press)).id
    # The queue is slow: facts and groups are old when a worker looks.
    world.tick(70)
    world.lives(60)
    world.enter("end")
    world.lives(180)
    return id_


def all_taken_back(world: Outside) -> str:
    world.enter("delegate")
    world.knows(OLU, NIA)
    stands_in = build.facts(NIA)
    press = world.press_id()
    until = world.clock.now() + timedelta(days=1)
    world.acts(lambda: delegate(world.ctx, account(OLU), stands_in, until, press))
    world.enter("ask")
    id_ = world.acts(lambda: world.ask(duration=LIFE)).id
    world.lives(10)
    world.acts(lambda: world.approve(id_))
    world.lives(10)
    world.enter("panic")
    world.acts(lambda: world.knows(SUE))
    press = world.press_id()
    scope = RevocationScope(DANA, "Dana", None)
    world.acts(lambda: revoke_all(world.ctx, scope, account(SUE), "stolen laptop", press))
    world.lives(200)
    return id_


LIVES: dict[str, Callable[[Outside], str]] = {
    "asked and ended": asked_and_ended,
    "given back": given_back,
    "broken in": broken_in,
    "all taken back": all_taken_back,
}


def grants(world: Outside) -> list[Grant]:
    found = (world.ledger.read(keys.grant(f"PA-{n}")).get(keys.grant(f"PA-{n}"), Grant) for n in range(1, 4))
    return [grant for grant in found if grant is not None]


def wrong_with(world: Outside, id_: str, late: timedelta = MINUTE) -> str:
    """What is not as it should be when a life is over and nothing fails any more. `late`: how late it may have ended."""
    for grant in grants(world):
        if world.target(grant.resource.kind).has(grant.resource):
            return "access is open"
        if grant.state not in CLOSED or grant.closed_at is None:
            return f"the grant is {grant.state}"
        if grant.closed_at > grant.deadline + late:
            return f"it ended {grant.closed_at - grant.deadline} late"
    who = "UNIA" if world.request(id_).break_glass else "UDANA"
    if not world.slack.told(who) and not world.answers:
        return "the person was told nothing"
    left = [item for item in world.ledger.due if item.startswith("chat:")]
    return f"chat is behind: {left}" if left else ""


# ---------------------------------------------------------------- once

FIRST = "asked and ended"
# A read is a read in every life; commits and calls of others are different ones.
PLAIN = (
    "ledger.read",
    "ledger.acquire",
    "ledger.release",
    "ledger.now",
    "ledger.members",
    "directory",
    "due",
    "keeper",
)


@cache
def plain_calls() -> frozenset[str]:
    """Those that the first life has met at each of its stages."""
    world = installation()
    LIVES[FIRST](world)
    return frozenset(call for _, call in world.met.calls if call.startswith(PLAIN))


@pytest.mark.parametrize("life", LIVES)
def test_one_exception_anywhere_is_made_good(life: str) -> None:
    clean = installation()
    assert wrong_with(clean, LIVES[life](clean)) == ""
    assert clean.faults == []
    wrong = {}
    for stage, call in dict.fromkeys(clean.met.calls):
        if life != FIRST and call in plain_calls():
            continue
        world = installation()
        world.met.fails = lambda at, what, w=world, s=stage, c=call: (at, what) == (s, c) and not w.met.raised
        try:
            wrong[(stage, call)] = wrong_with(world, LIVES[life](world))
        except Exception as problem:
            wrong[(stage, call)] = repr(problem)
        if not world.faults and not world.answers:
            wrong[(stage, call)] = wrong[(stage, call)] or "the exception vanished"
        assert world.met.raised == 1, (stage, call)
    assert {place: why for place, why in wrong.items() if why} == {}


# ---------------------------------------------------------------- for a while


def came_to(world: Outside, id_: str) -> tuple[object, ...]:
    request = world.request(id_)
    return request.resource is not None, request.state, *(grant.state for grant in grants(world))


def said(world: Outside) -> bool:
    """Whether a person, or a channel, has read an error number; where nothing can be posted, whether `/readyz` lists it."""
    texts = [*world.answers, *(text for _, text in world.slack.posts.values())]
    return any("error E-" in text for text in texts) or any(
        trouble.failures >= 3 for trouble in standing(world.unhurt())
    )


# Where nothing can be noted either: the log has it, and all is made good when it is over.
UNNOTED = ("ledger", "due", "keeper")


@pytest.mark.parametrize("stage", ["resolve", "give", "end"])
def test_what_fails_for_a_while_is_told_and_made_good(stage: str) -> None:
    clean, seen = installation(), {}
    clean.on_leave = lambda at: seen.update({at: came_to(clean, "PA-1")} if at not in ("", "ask") else {})
    asked_and_ended(clean)
    wrong = {}
    for call in dict.fromkeys(what for at, what in clean.met.calls if at == stage):
        world, held_up = installation(), []
        world.met.fails = lambda at, what, c=call: (at, what) == (stage, c)

        def leave(at: str, world: Outside = world, held_up: list[bool] = held_up) -> None:
            if at == stage and came_to(world, "PA-1") != seen[stage]:
                held_up.append(said(world))

        world.on_leave = leave
        wrong[call] = wrong_with(world, asked_and_ended(world), late=FAILS_FOR + MINUTE)
        if not all(held_up) and not call.startswith(UNNOTED):
            wrong[call] = wrong[call] or "nobody was told"
        if not world.faults:
            wrong[call] = wrong[call] or "the exception vanished"
    assert {call: why for call, why in wrong.items() if why} == {}


# ---------------------------------------------------------------- all of it


PORTS = {
    "target": Target,
    "targets": Targets,
    "refresher": DirectoryRefresher,
    "policy": PolicySource,
    "wake": Wake,
    "directory": Directory,
    "keeper": LeaseRenewer,
}
# What no life of these calls, each for a reason: a new method of a port has to be lived through, or to be named here. The
# ledger is left out: what lives do not call of it is for reports and checks of the record.
NEVER_CALLED = {
    "refresher.look_at": "those who hold access are looked at every five minutes; see tests/unit/usecases/test_leavers.py",
    "target.list_managed": "drift is looked for once an hour, and has tests of its own: test_drift",
    "target.whose": "as above",
    "target.activity": "somebody asks, or the policy does; see tests/unit/usecases/test_activity.py",
    "target.deny_sessions": "no role here ends sessions; see tests/unit/usecases/test_ended_sessions.py",
    "refresher.find": "everybody here has acted before; whom a list names and who never did is looked up to be written to",
    "directory.by_address": "nobody here types an address",
    "directory.owner_of": "as above",
    "directory.of_person": "nobody here asks for somebody else; those who are told are looked at together",
    "directory.saw": "where an act comes in; see tests/unit/chat/test_told_in_two_chats.py",
}


def test_every_method_of_a_port_is_met() -> None:
    met = set()
    for life in LIVES.values():
        world = installation()
        life(world)
        met |= {call.partition(":")[0] for _, call in world.met.calls}
    all_of_them = {f"{name}.{method}" for name, port in PORTS.items() for method in methods_of(port)}
    assert all_of_them - met <= set(NEVER_CALLED)
