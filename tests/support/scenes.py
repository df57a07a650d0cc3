"""All that can become of a request, step by step: scenes for whoever listens to what is said of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NIA, NOW, OLU, PAT, SUE, auto, entitlement, environment
from tests.support.spoken import Listener
from tests.support.world import account
from workflows.core.audit import Event
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass, Escalation, Freeze, Hours, Policy, Risk, Ticket, Visibility
from workflows.core.records.request import Origin
from workflows.core.rules.eligibility import Ask
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Refuse
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.decisions.approve import decline
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.oversight.delegate import delegate, end_delegation
from workflows.usecases.oversight.unblock import lift
from workflows.usecases.requests.batch import ask_for_several
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome

# ---------------------------------------------------------------- the situations

Scene = Callable[[Listener], Iterator[tuple[str, ...]]]
SCENES: dict[str, Scene] = {}


STEPS: dict[str, int] = {}


def scene(walk: Scene) -> Scene:
    """It yields the ids that there are to look at, at each step."""
    SCENES[walk.__name__] = walk
    STEPS[walk.__name__] = inspect.getsource(walk).count("    yield ")
    return walk


def rules(**changes: Any) -> Policy:
    roles = (
        entitlement(),
        entitlement("admin", risk=Risk.ADMIN, danger="can delete orders", approve={"owners": 1, "security": 1}),
        entitlement("quick", approve={"owners": 1}, auto_approve=(auto("the team", ("developers",)),)),
        entitlement("office", hours=Hours(frozenset(range(5)), time(8), time(18)), ticket=Ticket("INC-[0-9]+")),
    )
    glass_ = BreakGlass(("oncall",), ("read-only", "admin"), 30 * MINUTE, max_per_day=2, review_within=24 * HOUR)
    place = environment(
        *roles, break_glass=glass_, escalate=Escalation(10 * MINUTE, ("security",), may_approve=True), **changes
    )
    hidden = replace(
        environment(entitlement(environment="books-prod", owners=("security",)), name="books-prod", title="Books"),
        owners=("security",),
        approvals_channels=(),
        visibility=Visibility.MEMBERS,
    )
    return build.policy(place, hidden)


def done(answer: object) -> str:
    assert isinstance(answer, Outcome), answer
    return answer.id


@scene
def a_life(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    id_ = w.asked()
    yield (id_,)
    done(w.approve(id_))
    yield (id_,)
    w.work()
    yield (id_,)
    w.advance(56 * 60, step_s=60)
    w.run(f"warn:{id_}")
    yield (id_,)
    w.advance(5 * 60, step_s=30)
    yield (id_,)


@scene
def seconds_of_it(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked(duration=timedelta(seconds=20))
    done(t.world.approve(id_))
    t.world.work()
    yield (id_,)
    t.world.advance(22)
    yield (id_,)


@scene
def two_have_to_agree(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked(role="admin", origin=Origin(by_form=True))
    yield (id_,)
    done(t.world.approve(id_, OLU))
    yield (id_,)
    done(t.world.approve(id_, SUE))
    t.world.work()
    yield (id_,)


@scene
def an_owner_asks(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked(PAT, role="admin")
    yield (id_,)
    done(t.world.deny(id_, OLU))
    yield (id_,)


@scene
def owners_who_are_not_there(t: Listener) -> Iterator[tuple[str, ...]]:
    """The policy lists two, and neither has ever been in the chat, or is there no more."""
    for who in (OLU, PAT):
        facts = t.world.chat.people[account(who)]
        t.world.chat.people[account(who)] = replace(facts, standing_problem="person_deactivated")
    id_ = t.world.asked()
    yield (id_,)
    done(t.world.withdraw(id_))
    yield (id_,)


@scene
def taken_back(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.posted(id_)
    done(t.world.withdraw(id_))
    yield (id_,)


@scene
def nobody_answers(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    t.posted(id_)
    w.advance(11 * 60, step_s=30)
    yield (id_,)
    w.advance(50 * 60, step_s=60)
    yield (id_,)


@scene
def one_of_two_answers(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked(role="admin")
    t.posted(id_)
    done(w.approve(id_, OLU))
    w.advance(11 * 60, step_s=60)
    yield (id_,)
    w.advance(50 * 60, step_s=120)
    yield (id_,)


@scene
def aws_takes_its_time(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    t.posted(id_)
    w.target().slow_s = 600
    done(w.end(id_))
    w.advance(200, step_s=5)
    yield (id_,)


@scene
def revoked(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.active()
    t.posted(id_)
    done(t.world.end(id_, OLU, "wrong account"))
    yield (id_,)
    t.world.work()
    yield (id_,)


@scene
def revoked_before_it_was_given(t: Listener) -> Iterator[tuple[str, ...]]:
    """Nothing was tried yet, so nothing is taken away, and nobody looks whether it is gone."""
    w, id_ = t.world, t.world.asked()
    t.posted(id_)
    done(w.approve(id_))
    done(w.end(id_, OLU, "wrong account"))
    w.work()
    yield (id_,)


def ending_sessions() -> Policy:
    template = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
    inline = AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=template, policy_path="policies/x.json")
    roles = entitlement(end_sessions=True), entitlement("state-write", target=inline, end_sessions=True)
    return build.policy(environment(*roles), hash="e" * 64)


@scene
def revoked_with_its_sessions(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.policy.policy = ending_sessions()
    w.activate()
    target = w.targets[AwsKind.IAM_POLICY]
    for role, trouble in (("read-only", ()), ("state-write", ()), ("state-write", (Refuse("AWS does not let us."),))):
        id_ = w.active(role=role)
        t.posted(id_)
        target.next("deny_sessions", *trouble)
        done(w.end(id_, OLU, "the laptop is gone"))
        w.work()
        yield (id_,)


@scene
def given_back(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.active()
    t.world.advance(20)
    done(t.world.end(id_))
    t.world.work()
    yield (id_,)


def for_nia(t: Listener, who: PersonId = DANA) -> str:
    w = t.world
    w.knows(who, NIA)
    ask = Ask("payments-prod", "read-only", HOUR, "INC-42 needs her", holder=NIA)
    id_ = done(ask_for_access(w.ctx, ask, account(who), Origin(), w.press_id()))
    w.work()
    return id_


@scene
def for_somebody_else(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = for_nia(t)
    yield (id_,)
    done(t.world.approve(id_))
    t.world.work()
    yield (id_,)
    done(t.world.end(id_, NIA))
    t.world.work()
    yield (id_,)


@scene
def declined(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, for_nia(t, PAT)
    yield (id_,)
    done(decline(w.ctx, id_, account(NIA), w.press_id()))
    yield (id_,)


@scene
def more_time(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    more = w.more_asked(id_)
    yield id_, more
    done(w.approve(more))
    w.work()
    yield id_, more
    w.advance(2 * 3600, step_s=120)
    yield id_, more


@scene
def no_more_time(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.active()
    more = t.world.more_asked(id_)
    done(t.world.end(id_))
    t.world.work()
    yield id_, more


@scene
def later(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    id_ = w.asked(start_at=NOW + 30 * MINUTE)
    yield (id_,)
    done(w.approve(id_))
    yield (id_,)
    w.advance(31 * 60, step_s=30)
    yield (id_,)


@scene
def not_begun(t: Listener) -> Iterator[tuple[str, ...]]:
    """The role was changed between the approval and the start."""
    w = t.world
    id_ = w.asked(start_at=NOW + 30 * MINUTE)
    done(w.approve(id_))
    t.posted(id_)
    place = w.policy.policy.environments["payments-prod"]
    other = replace(place.roles["read-only"], account="999988887777")
    w.policy.policy = build.policy(replace(place, roles={**place.roles, "read-only": other}))
    w.advance(31 * 60, step_s=30)
    yield (id_,)


@scene
def cannot_be_removed(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    w.target().next("revoke", *[Refuse()] * 9)
    w.advance(3600 + 40, step_s=10)
    yield (id_,)
    w.advance(300, step_s=10)
    yield (id_,)


@scene
def not_given(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.posted(id_)
    t.world.target().next("grant", Refuse("AWS does not let the worker do this."))
    done(t.world.approve(id_))
    t.world.work()
    yield (id_,)


@scene
def the_approval_stands_no_more(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    t.posted(id_)
    done(w.approve(id_))
    w.chat.people[account(OLU)] = replace(w.chat.people[account(OLU)], standing_problem="person_deactivated")
    w.knows(OLU)
    w.work()
    yield (id_,)


@scene
def there_already(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    first = w.asked()
    resource = w.request(first).resource
    assert resource is not None
    w.withdraw(first)
    w.target().put(resource)
    yield first, w.asked()


@scene
def unknown_at_aws(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.target().people.clear()
    yield (t.world.asked(),)


def broken(t: Listener) -> str:
    w = t.world
    w.knows(NIA)
    ask = Ask("payments-prod", "read-only", None, "everything is down")
    id_ = done(break_glass(w.ctx, ask, account(NIA), Origin(), w.press_id()))
    w.work()
    return id_


@scene
def break_glass_acknowledged(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, broken(t)
    yield (id_,)
    w.advance(40 * 60, step_s=60)
    yield (id_,)
    w.advance(6 * 3600, step_s=600)
    yield (id_,)
    w.knows(OLU)
    done(acknowledge(w.ctx, id_, account(OLU), w.press_id()))
    yield (id_,)


@scene
def break_glass_flagged(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, broken(t)
    w.knows(OLU)
    done(flag(w.ctx, id_, account(OLU), "not needed", w.press_id()))
    yield (id_,)


@scene
def break_glass_taken_back(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = broken(t)
    t.posted(id_)
    done(t.world.end(id_, SUE, "not needed now"))
    t.world.work()
    yield (id_,)


@scene
def in_anothers_place(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    t.posted(id_)
    w.knows(OLU, NIA)
    done(delegate(w.ctx, account(OLU), build.facts(NIA), NOW + timedelta(days=2), w.press_id()))
    yield id_, f"delegation-{account(NIA).user}-{OLU}"
    done(w.approve(id_, NIA))
    w.work()
    yield (id_,)
    w.knows(OLU)
    done(end_delegation(w.ctx, account(OLU), w.press_id()))
    yield id_, f"delegation-{account(NIA).user}-{OLU}"


@scene
def frozen(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    freeze = Freeze(NOW - HOUR, NOW + 48 * HOUR, "Year-end freeze")
    t.world.policy.policy = rules(freezes=(freeze,))
    yield (id_,)


@scene
def less(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked(role="admin")
    w.knows(OLU)
    done(approve_reduced(w.ctx, id_, account(OLU), "read-only", 30 * MINUTE, w.press_id()))
    t.posted(id_)
    w.work()
    yield (id_,)


@scene
def by_a_rule(t: Listener) -> Iterator[tuple[str, ...]]:
    yield (t.world.active(role="quick"),)


@scene
def several_at_once(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.knows(DANA)
    asks = [Ask("payments-prod", role, HOUR, "INC-42 both") for role in ("read-only", "admin")]
    first = done(ask_for_several(w.ctx, asks, account(DANA), Origin(by_form=True), w.press_id()))
    w.work()
    ids = w.request(first).batch
    yield ids
    w.advance(5)
    done(w.approve(ids[0]))
    w.work()
    yield ids
    w.advance(55 * 60, step_s=60)
    w.run(f"warn:{ids[0]}")
    yield ids
    done(w.withdraw(ids[1]))
    done(w.end(ids[0], OLU, "enough"))
    w.work()
    yield ids


@scene
def in_a_hidden_place(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked(environment="books-prod")
    yield (id_,)
    done(t.world.approve(id_, SUE))
    t.world.work()
    yield (id_,)


@scene
def two_of_the_same(t: Listener) -> Iterator[tuple[str, ...]]:
    """Two roles that are one access at AWS: the first to end leaves it to the other."""
    w, one = t.world, t.world.active(duration=30 * MINUTE)
    two = w.active(role="quick", duration=2 * HOUR)
    w.advance(31 * 60, step_s=30)
    yield one, two


@scene
def came_back(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    t.posted(id_)
    done(w.end(id_))
    w.work()
    resource = w.grant(id_).resource
    w.target().put(resource)
    w.advance(20)
    yield (id_,)


@scene
def no_channel_was_told(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, broken(t)
    w.advance(150, step_s=10)
    yield (id_,)


@scene
def everything_of_somebody(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    waits = w.asked(role="admin")
    t.posted(id_, waits)
    w.knows(SUE, DANA)
    sweep = done(revoke_all(w.ctx, RevocationScope(DANA, "Dana"), account(SUE), "laptop stolen", w.press_id()))
    w.advance(5)
    yield id_, waits, f"sweepout-{sweep}"
    w.knows(SUE)
    done(lift(w.ctx, DANA, account(SUE), "it was found", w.press_id()))
    lifted = next(entry.subject for entry in w.all_entries() if entry.event is Event.PERSON_LIFTED)
    yield id_, waits, lifted


@scene
def the_role_has_changed(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    t.posted(id_)
    place = w.policy.policy.environments["payments-prod"]
    other = replace(place.roles["read-only"], allows="Read more than before")
    w.policy.policy = build.policy(replace(place, roles={**place.roles, "read-only": other}))
    done(w.approve(id_))
    w.work()
    yield (id_,)
