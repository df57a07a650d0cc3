"""Several asked for in one go: all or nothing when it is asked, and each by itself from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.commands.model import Ask as Typed
from bot.chat.commands.model import AskSeveral, OpenForm
from bot.chat.commands.parser import parse
from bot.chat.wording.refusals import refusal
from tests.support.build import DANA, HOUR, OLU, SUE, entitlement, environment, policy
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.policy import Risk, Ticket, Tier
from workflows.core.records.grant import GrantState
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.batch import panels, terms_of
from workflows.core.rules.eligibility import PENDING_MAX, Ask
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.requests.batch import approve_all, ask_for_several, batch_of, deny_all, withdraw_all
from workflows.usecases.shared.context import Outcome

PROD, STAGING, BOOKS = "payments-prod", "payments-staging", "books-prod"
ENVS = (PROD, STAGING)
READ = entitlement()
DEPLOY = entitlement(
    "deploy", risk=Risk.CHANGE, target=AwsSpec(AwsKind.IAM_GROUP, user="{local_part}", group="deployers")
)
ADMIN = entitlement(
    "admin", approve={"owners": 1, "security": 1}, target=AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="Admin")
)


def place(name: str, *roles, **changes):
    own = tuple(replace(role, environment=name, account=f"{len(name):012}", **changes) for role in roles)
    extra = {key: value for key, value in changes.items() if key in ("owners", "tier")}
    return environment(*own, name=name, title=name.title(), **extra)


def rules(**books):
    """Two environments of the same owners and one of others."""
    return policy(
        place(PROD, READ, DEPLOY, ADMIN),
        place(STAGING, READ, DEPLOY, tier=Tier.STAGING),
        replace(place(BOOKS, READ, owners=("security",)), approvals_channels=("C0BOOKS",)),
        **books,
    )


@pytest.fixture
def world() -> World:
    return World(rules())


def ask(world: World, *places: tuple[str, str], who=DANA, duration=HOUR, press: str | None = None):
    world.knows(who)
    asks = [Ask(env, role, duration, "INC-42 checkout errors") for env, role in places]
    return ask_for_several(world.ctx, asks, account(who), Origin(), press or world.press_id())


def asked(world: World, *places: tuple[str, str], **more) -> tuple[str, ...]:
    answer = ask(world, *places, **more)
    assert isinstance(answer, Outcome), answer
    world.work()
    return world.request(answer.id).batch


def approve(world: World, id_: str, who=OLU, press: str | None = None, terms: str | None = None):
    world.knows(who)
    batch = batch_of(world.ctx, id_)
    panel = next(panel for panel in panels(world.policy.policy, batch) if any(one.id == id_ for one in panel))
    return approve_all(world.ctx, panel[0].id, account(who), terms or terms_of(panel), press or world.press_id())


def outcomes(parts) -> list[str]:
    assert not isinstance(parts, Refused), parts
    return [one.answer.outcome if isinstance(one.answer, Outcome) else one.answer.code.value for one in parts]


def said(refused) -> str:
    assert isinstance(refused, Refused), refused
    return refusal(refused)


# ---------------------------------------------------------------- what is typed


@pytest.mark.parametrize(
    ("text", "places", "reason"),
    [
        (f"{PROD},{STAGING} read-only 1h INC-1 x", ((PROD, "read-only"), (STAGING, "read-only")), "INC-1 x"),
        (f"{PROD}, {STAGING} read-only 1h x", ((PROD, "read-only"), (STAGING, "read-only")), "x"),
        (f"request {PROD} read-only,deploy 1h x, y", ((PROD, "read-only"), (PROD, "deploy")), "x, y"),
        (f"{PROD} READ-ONLY , deploy for 1 h x", ((PROD, "read-only"), (PROD, "deploy")), "x"),
        (f"payments-prdo,{STAGING} read-only 1h x", (("payments-prdo", "read-only"), (STAGING, "read-only")), "x"),
    ],
)
def test_a_list_of_roles_or_of_environments_is_understood(text, places, reason) -> None:
    assert parse(text, ENVS) == AskSeveral(places, HOUR, reason)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (f"{PROD} read-only 1h first this, then that", Typed(PROD, "read-only", HOUR, "first this, then that")),
        (f"{PROD},{PROD} read-only 1h twice", Typed(PROD, "read-only", HOUR, "twice")),
        (f"{PROD} read-only because, well", Typed(PROD, "read-only", None, "because, well")),
        (f"{PROD},{STAGING}", OpenForm(PROD)),
    ],
)
def test_a_comma_elsewhere_makes_no_list(text, meant) -> None:
    assert parse(text, ENVS) == meant


def test_both_lists_at_once_are_refused_in_one_sentence() -> None:
    words = said(parse(f"{PROD},{STAGING} read-only,deploy 1h x", ENVS))
    assert words.count(".") == 1
    assert "not both at once" in words


# ---------------------------------------------------------------- asking


def test_each_is_a_request_of_its_own_made_in_one_commit(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    assert len(ids) == 2
    for id_, role in zip(ids, ("read-only", "deploy"), strict=True):
        request = world.request(id_)
        assert (request.batch, request.terms.role, request.state) == (ids, role, RequestState.PENDING)
        assert world.events(id_) == ["request.made", "request.resolved"]
    made = [entry for entry in world.all_entries() if entry.event.value == "request.made"]
    assert made[0].at == made[1].at
    record = world.ledger.read(keys.person(DANA)).get(keys.person(DANA), PersonRecord)
    assert record.pending == ids


def test_one_that_is_refused_is_named_and_none_is_made(world) -> None:
    refused = ask(world, (PROD, "read-only"), (PROD, "superuser"))
    assert refused.code is Code.ROLE_UNKNOWN
    assert said(refused).startswith("superuser in payments-prod: There is no role")
    assert said(refused).endswith("Nothing of it was asked for.")
    assert world.ledger.members(keys.PENDING) == []
    assert world.ledger.read(keys.person(DANA)).get(keys.person(DANA), PersonRecord).pending == ()


def test_a_press_that_is_repeated_asks_once(world) -> None:
    first = ask(world, (PROD, "read-only"), (PROD, "deploy"), press="same")
    again = ask(world, (PROD, "read-only"), (PROD, "deploy"), press="same")
    assert first.id == again.id
    assert len(world.ledger.members(keys.PENDING)) == 2


def test_what_one_has_already_is_left_out(world) -> None:
    there = world.asked(environment=PROD)
    answer = ask(world, (PROD, "read-only"), (PROD, "deploy"), (PROD, "admin"))
    ids = world.request(answer.id).batch
    assert [world.request(id_).terms.role for id_ in ids] == ["deploy", "admin"]
    assert there not in ids
    assert ask(world, (PROD, "read-only"), (PROD, "deploy")) == Outcome(there, "have_it")


def test_what_is_left_of_several_can_be_one_alone(world) -> None:
    world.asked(environment=PROD)
    answer = ask(world, (PROD, "read-only"), (PROD, "deploy"))
    assert world.request(answer.id).batch == ()


def test_the_same_thing_named_twice_is_asked_for_once(world) -> None:
    answer = ask(world, (PROD, "read-only"), (PROD.upper(), " Read-only"))
    assert world.ledger.members(keys.PENDING) == [answer.id]


def test_each_of_them_counts_among_the_open_asks() -> None:
    many = [entitlement(f"role-{number}") for number in range(PENDING_MAX + 1)]
    world = World(policy(environment(*many)))
    for number in range(3):
        world.ask(role=f"role-{number}")
    refused = ask(world, *((PROD, f"role-{number}") for number in range(3, 11)))
    assert refused.code is Code.TOO_MANY_PENDING
    assert said(refused).startswith("8 more would be 11 requests waiting, and 10 is the maximum.")
    assert len(world.ledger.members(keys.PENDING)) == 3
    assert isinstance(ask(world, *((PROD, f"role-{number}") for number in range(3, 10))), Outcome)


def test_more_than_ten_at_once_are_refused(world) -> None:
    refused = ask(world, *((PROD, f"role-{number}") for number in range(11)))
    assert refused.code is Code.SEVERAL_TOO_MANY
    assert "10 is the maximum" in said(refused)


def test_a_ticket_stands_behind_no_more_of_them_than_it_may() -> None:
    strict = Ticket("INC-[0-9]+", max_requests=2)
    roles = [replace(role, ticket=strict) for role in (READ, DEPLOY, ADMIN)]
    world = World(policy(environment(*roles)))
    refused = ask(world, (PROD, "read-only"), (PROD, "deploy"), (PROD, "admin"))
    assert refused.code is Code.TICKET_USED
    assert "would stand behind all of them" in said(refused)
    assert isinstance(ask(world, (PROD, "read-only"), (PROD, "deploy")), Outcome)
    assert ask(world, (PROD, "admin"), (PROD, "read-only")).code is Code.TICKET_USED


# ---------------------------------------------------------------- deciding


def test_one_decision_for_each_environments_owners(world) -> None:
    ids = asked(world, (PROD, "read-only"), (STAGING, "read-only"), (BOOKS, "read-only"))
    assert [[one.id for one in panel] for panel in panels(world.policy.policy, batch_of(world.ctx, ids[0]))] == [
        [ids[0], ids[1]],
        [ids[2]],
    ]
    assert outcomes(approve(world, ids[0])) == ["approved", "approved"]
    assert world.request(ids[2]).state is RequestState.PENDING
    assert approve(world, ids[2], OLU)[0].answer.code is Code.NOT_AN_APPROVER
    assert outcomes(approve(world, ids[2], SUE)) == ["approved"]


def test_roles_that_want_other_people_are_decided_apart(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "admin"))
    assert len(panels(world.policy.policy, batch_of(world.ctx, ids[0]))) == 2
    assert outcomes(approve(world, ids[0])) == ["approved"]
    assert world.request(ids[1]).votes == ()


def test_grants_end_each_by_itself(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    approve(world, ids[0])
    world.work()
    assert [world.grant(id_).state for id_ in ids] == [GrantState.ACTIVE] * 2
    world.end(ids[0])
    world.work()
    assert [world.grant(id_).state for id_ in ids] == [GrantState.ENDED, GrantState.ACTIVE]
    assert (world.has_access(ids[0]), world.has_access(ids[1])) == (False, True)
    world.advance(3600, step_s=60)
    assert world.grant(ids[1]).state is GrantState.ENDED
    assert not world.has_access(ids[1])


def test_nobody_approves_their_own_among_several() -> None:
    world = World(rules())
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"), who=OLU)
    assert outcomes(approve(world, ids[0], OLU)) == ["own_request", "own_request"]
    assert all(world.request(id_).votes == () for id_ in ids)


def test_a_repeated_press_decides_once(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    terms = terms_of(batch_of(world.ctx, ids[0]))
    first, again = approve(world, ids[0], press="same"), approve(world, ids[0], press="same", terms=terms)
    assert outcomes(first) == outcomes(again) == ["approved", "approved"]
    assert [world.events(id_).count("request.approved") for id_ in ids] == [1, 1]


def test_what_is_decided_already_stays_so_and_the_others_are_decided(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    world.deny(ids[0])
    parts = approve(world, ids[1])
    assert outcomes(parts) == ["decided", "approved"]
    assert [one.waited for one in parts] == [False, True]
    assert world.request(ids[0]).state is RequestState.DENIED


def test_changed_terms_of_one_void_the_press_for_all(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    old = terms_of(batch_of(world.ctx, ids[0]))
    wider = replace(DEPLOY, allows="Roll out, back and sideways")
    world.policy.policy = policy(place(PROD, READ, wider, ADMIN), hash="e" * 64)
    world.activate()
    refused = approve(world, ids[0], terms=old)
    assert refused.code is Code.TERMS_CHANGED
    assert all(world.request(id_).votes == () for id_ in ids)
    world.work()
    assert terms_of(batch_of(world.ctx, ids[0])) != old
    assert approve(world, ids[0], terms=old).code is Code.TERMS_CHANGED
    assert outcomes(approve(world, ids[0])) == ["approved", "approved"]


def test_deny_and_withdraw_are_for_all_of_them(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    world.knows(OLU, DANA)
    assert outcomes(deny_all(world.ctx, ids[0], account(OLU), "not now", "d")) == ["denied", "denied"]
    more = asked(world, (PROD, "read-only"), (BOOKS, "read-only"))
    assert outcomes(withdraw_all(world.ctx, more[1], account(DANA), "w")) == ["withdrawn", "withdrawn"]
    assert outcomes(withdraw_all(world.ctx, more[0], account(OLU), "x")) == ["not_yours"] * 2


def test_typed_with_an_id_it_acts_on_that_one_alone(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"), (PROD, "admin"))
    assert world.approve(ids[1]).outcome == "approved"
    assert world.deny(ids[2]).outcome == "denied"
    assert [world.request(id_).state.value for id_ in ids] == ["pending", "approved", "denied"]
    assert world.withdraw(ids[0]).outcome == "withdrawn"


def test_each_has_its_own_length_where_none_is_named() -> None:
    long = replace(DEPLOY, default_duration=timedelta(hours=4))
    world = World(policy(place(PROD, READ, long)))
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"), duration=None)
    assert [world.request(id_).terms.duration for id_ in ids] == [timedelta(minutes=30), timedelta(hours=4)]
