"""Where Slack comes over HTTP, a vote in production counts for what Slack has signed of it, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat.message import value_of
from tests.support import signed
from tests.support.build import (
    DANA,
    HOUR,
    MINUTE,
    NIA,
    NOW,
    OLU,
    PAT,
    auto,
    entitlement,
    environment,
    facts,
    policy,
    request,
)
from tests.support.signed import OLDER, SECRET, button, checking, lessened, press, pressed, signed_act, typed
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.policy import Risk, Tier
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Vote
from workflows.core.records.signed import SignedAct, SignedVote, SignedVotes
from workflows.core.refusal import Code
from workflows.core.rules.batch import terms_of
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.signed_votes import Said, why_not_proved
from workflows.ports import Change
from workflows.usecases.decisions.approve import approve
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.requests.batch import approve_all, ask_for_several, batch_of
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.signed_votes import Signed
from workflows.usecases.upkeep.forget_signed_votes import forget_signed_votes


def two_votes() -> World:
    return checking(World(policy(environment(entitlement(approve={"owners": 2}, risk=Risk.CHANGE)))))


def votes(world: World, id_: str, act: SignedAct | None, who: Any = OLU) -> None:
    world.knows(who)
    kept = Signed(act) if act else None
    answer = approve(world.ctx, id_, account(who), world.press_id(), world.request(id_).terms.hash, kept)
    assert isinstance(answer, Outcome), answer


def refused(world: World, id_: str) -> str:
    """Why nothing was given; empty where it was."""
    world.work()
    grant = world.grant(id_)
    given = world.has_access(id_)
    assert given == (grant.state is GrantState.ACTIVE)
    if given:
        return ""
    assert grant.state is GrantState.ACTIVATION_FAILED
    assert grant.end is not None
    assert grant.end.code == Code.VOTE_NOT_PROVED.value
    assert "vote.unproved" in world.events(id_)
    return grant.end.params["why"]


def test_a_vote_that_slack_signed_gives_access() -> None:
    world = checking(World())
    id_ = world.asked()
    votes(world, id_, pressed(world, id_))
    assert refused(world, id_) == ""
    assert "vote.unproved" not in world.events(id_)


Forging = Callable[[World, str], SignedAct | None]
FORGED: dict[str, tuple[str, Forging]] = {
    "nothing is kept": ("missing", lambda world, id_: None),
    "another secret": ("unsigned", lambda world, id_: pressed(world, id_, secret=OLDER)),
    "another body": (
        "unsigned",
        lambda world, id_: replace(pressed(world, id_), body=pressed(world, "PA-1").body + "="),
    ),
    "another time": ("unsigned", lambda world, id_: replace(pressed(world, id_), timestamp="1")),
    "no number": (
        "unsigned",
        lambda world, id_: replace(pressed(world, id_), timestamp="x", signature="v0=" + "0" * 64),
    ),
    "somebody else": ("account", lambda world, id_: pressed(world, id_, PAT)),
    "the requester": ("account", lambda world, id_: pressed(world, id_, DANA)),
    "another request": ("request", lambda world, id_: pressed(world, id_, value=value_of("PA-77", "0" * 16))),
    "other terms": ("terms", lambda world, id_: pressed(world, id_, value=value_of(id_, "0" * 16))),
    "no terms": ("unsigned", lambda world, id_: pressed(world, id_, value=id_)),
    "long ago": ("old", lambda world, id_: pressed(world, id_, at=world.clock.now() - timedelta(hours=2))),
    "a denial": ("unsigned", lambda world, id_: signed_act(typed(account(OLU), f"deny {id_} no"), world.clock.now())),
    "a look": ("unsigned", lambda world, id_: signed_act(typed(account(OLU), f"show {id_}"), world.clock.now())),
    "typed of another": (
        "request",
        lambda world, id_: signed_act(typed(account(OLU), "approve PA-77"), world.clock.now()),
    ),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_vote_that_slack_did_not_sign_gives_nothing_and_alarms(forged: str) -> None:
    why, make = FORGED[forged]
    world = checking(World())
    id_ = world.asked()
    votes(world, id_, make(world, id_))
    assert refused(world, id_) == why


def test_a_vote_written_into_redis_by_hand_gives_nothing() -> None:
    """All that an approval writes, in the name of an owner, by somebody who can write there and has no press of theirs."""
    world = checking(World())
    id_ = world.asked()
    answer = world.approve(id_)
    assert isinstance(answer, Outcome)
    assert refused(world, id_) == "missing"


@pytest.mark.parametrize("change", [{"account": None}, {"account": "slack:T1:UPAT"}])
def test_a_vote_of_no_account_or_of_another_gives_nothing(change: dict[str, Any]) -> None:
    world = two_votes()
    id_ = world.asked()
    votes(world, id_, pressed(world, id_))
    _rewrite(world, id_, lambda vote: replace(vote, **change))
    votes(world, id_, pressed(world, id_, PAT), PAT)
    world.work()
    assert not world.has_access(id_)


def _rewrite(world: World, id_: str, change: Callable[[Vote], Vote]) -> None:
    item = keys.request(id_)
    snapshot = world.ledger.read(item)
    request = world.request(id_)
    forged = replace(request, votes=tuple(map(change, request.votes)))
    world.ledger.commit(Change(world.press_id(), snapshot.now, snapshot.versions(), puts={item: forged}))


def test_each_of_several_votes_is_looked_at() -> None:
    world = two_votes()
    id_ = world.asked()
    votes(world, id_, pressed(world, id_))
    votes(world, id_, pressed(world, id_, OLU), PAT)
    assert refused(world, id_) == "account"
    world = two_votes()
    id_ = world.asked()
    votes(world, id_, pressed(world, id_))
    votes(world, id_, pressed(world, id_, PAT), PAT)
    assert refused(world, id_) == ""


def test_what_was_signed_before_the_secret_was_exchanged_counts_while_the_old_value_stands() -> None:
    for secrets, why in (((SECRET, OLDER), ""), ((OLDER, SECRET), ""), ((OLDER,), "unsigned")):
        world = checking(World(), *secrets)
        id_ = world.asked()
        votes(world, id_, pressed(world, id_))
        assert refused(world, id_) == why


def test_typed_it_is_proved_by_person_and_number() -> None:
    world = checking(World())
    id_ = world.asked()
    votes(world, id_, signed_act(typed(account(OLU), f" Approve  {id_.lower()}"), world.clock.now()))
    assert refused(world, id_) == ""


def test_elsewhere_than_in_production_nothing_is_kept_and_nothing_is_asked() -> None:
    staging = environment(entitlement(tier=Tier.STAGING), tier=Tier.STAGING)
    world = checking(World(policy(staging)))
    id_ = world.asked()
    votes(world, id_, pressed(world, id_))
    assert refused(world, id_) == ""
    assert not list(world.ledger.records("signed"))
    id_ = world.asked(NIA)
    votes(world, id_, None)
    assert refused(world, id_) == ""


def test_terms_that_say_staging_in_an_environment_of_production_are_production() -> None:
    world = checking(World(policy(environment(entitlement(tier=Tier.STAGING)))))
    id_ = world.asked()
    votes(world, id_, None)
    assert refused(world, id_) == "missing"


def test_without_the_secret_nothing_is_checked() -> None:
    world = World()
    id_ = world.asked()
    votes(world, id_, None)
    assert refused(world, id_) == ""


def test_votes_of_another_chat_and_rules_of_the_policy_need_no_signature() -> None:
    world = checking(World(policy(environment(entitlement(auto_approve=(auto(),))))))
    id_ = world.asked()
    assert refused(world, id_) == ""
    world = checking(World())
    world.ctx.signatures.surface = "teams"  # type: ignore[union-attr, misc]  # as if all votes were of the other chat
    id_ = world.asked()
    votes(world, id_, None)
    assert refused(world, id_) == ""


def test_a_press_of_long_ago_opens_nothing_though_the_record_says_that_the_vote_is_as_old() -> None:
    """Somebody who writes to Redis has kept an old press, and sets the record back to it."""
    when = NOW + 3 * HOUR
    told = request("PA-7")
    vote = Vote(OLU, "Olu", NOW, ("platform",), told.terms.hash, account=account(OLU).id)
    kept = SignedVote(account(OLU).id, SignedAct("", "", ""), told.terms)
    said = Said(account(OLU), NOW, "PA-7", told.terms.hash)
    here = policy()
    assert why_not_proved(here, told, vote, facts(OLU), kept, said, NOW + HOUR) == ""
    assert why_not_proved(here, told, vote, facts(OLU), kept, said, when) == "old"
    later = replace(told, start_at=NOW + 2 * HOUR)
    assert why_not_proved(here, later, vote, facts(OLU), kept, said, when) == ""
    never = replace(told, start_at=NOW + timedelta(days=90))
    assert why_not_proved(here, never, vote, facts(OLU), kept, said, NOW + timedelta(days=8)) == "old"


# ---------------------------------------------------------------- less, several, later, longer


def reduces(world: World, id_: str, body: str, role: str | None, minutes: int | None, who: Any = OLU) -> None:
    world.knows(who)
    act = Signed(signed_act(body, world.clock.now()))
    time = timedelta(minutes=minutes) if minutes else None
    answer = approve_reduced(world.ctx, id_, account(who), role, time, world.press_id(), None, act)
    assert isinstance(answer, Outcome), answer


def test_less_time_is_what_the_form_said_or_less() -> None:
    for seconds, why in ((1800, ""), (60, "terms")):
        world = checking(World())
        id_ = world.asked()
        reduces(world, id_, lessened(account(OLU), button(world, id_), "read-only", seconds), None, 30)
        assert refused(world, id_) == why


def test_another_role_is_the_one_that_the_form_said() -> None:
    roles = entitlement("admin", risk=Risk.ADMIN), entitlement()
    for role, why in (("read-only", ""), ("admin", "terms")):
        world = checking(World(policy(environment(*roles))))
        id_ = world.asked(role="admin")
        reduces(world, id_, lessened(account(OLU), button(world, id_), role, 3600), "read-only", 60)
        assert refused(world, id_) == why


def test_typed_less_is_held_to_what_was_typed() -> None:
    for text, why in (("30m", ""), ("1m", "terms")):
        world = checking(World())
        id_ = world.asked()
        reduces(world, id_, typed(account(OLU), f"less {id_} {text}"), None, 30)
        assert refused(world, id_) == why


def test_who_agreed_to_more_time_agreed_to_less_of_it() -> None:
    world = two_votes()
    id_ = world.asked()
    votes(world, id_, pressed(world, id_))
    form = lessened(account(PAT), button(world, id_), "read-only", 1800)
    reduces(world, id_, form, None, 30, PAT)
    assert refused(world, id_) == ""


def test_a_whole_card_is_proved_for_each_request_on_it() -> None:
    for drop, why in ((False, ""), (True, "request")):
        world = checking(World(policy(environment(entitlement(), entitlement("deploy")))))
        world.knows(DANA)
        asks = [Ask("payments-prod", role, HOUR, "INC-42 errors") for role in ("read-only", "deploy")]
        made = ask_for_several(world.ctx, asks, account(DANA), build_origin(), world.press_id())
        assert isinstance(made, Outcome)
        world.work()
        panel = batch_of(world.ctx, made.id)
        assert isinstance(panel, tuple)
        terms = terms_of(panel)
        body = press(account(OLU), value_of("PA-99" if drop else panel[0].id, terms), "approve_all")
        world.knows(OLU)
        parts = approve_all(
            world.ctx, panel[0].id, account(OLU), terms, world.press_id(), signed_act(body, world.clock.now())
        )
        assert isinstance(parts, tuple)
        assert [refused(world, one.id) for one in panel] == [why, why]


def build_origin() -> Any:
    from workflows.core.records.request import Origin

    return Origin()


def test_what_begins_later_is_checked_at_its_start() -> None:
    for honest in (True, False):
        world = checking(World())
        id_ = world.asked(start_at=world.clock.now() + 30 * MINUTE)
        votes(world, id_, pressed(world, id_) if honest else None)
        world.advance(31 * 60, 60)
        if honest:
            assert world.has_access(id_)
        else:
            closing = world.request(id_).closing
            assert closing is not None
            assert closing.code == Code.VOTE_NOT_PROVED.value
            assert "vote.unproved" in world.events(id_)


def test_more_time_wants_its_own_press() -> None:
    for honest in (True, False):
        world = checking(World())
        id_ = world.asked()
        votes(world, id_, pressed(world, id_))
        world.work()
        before = world.grant(id_).deadline
        more = world.more_asked(id_)
        votes(world, more, pressed(world, more) if honest else pressed(world, more, value=button(world, id_)))
        world.work()
        assert (world.grant(id_).deadline > before) == honest
        assert ("vote.unproved" in world.events(id_)) == (not honest)


# ---------------------------------------------------------------- how long it is kept, and how large it is


def test_it_is_small_and_is_forgotten_a_day_after_the_access_is_over() -> None:
    world = checking(World())
    id_ = world.asked()
    votes(world, id_, pressed(world, id_))
    world.work()
    kept = world.ledger.read(keys.signed(id_)).get(keys.signed(id_), SignedVotes)
    assert kept is not None
    assert len(kept.votes[0].act.body) < len(press(account(OLU), "x")) / 4
    world.advance(23 * 3600, 3600)
    forget_signed_votes(world.ctx)
    assert list(world.ledger.records("signed"))
    world.advance(2 * 3600, 3600)
    forget_signed_votes(world.ctx)
    assert not list(world.ledger.records("signed"))
    assert not world.ledger.members(keys.SIGNED)


def test_what_still_waits_for_its_start_is_kept() -> None:
    world = checking(World())
    id_ = world.asked(start_at=world.clock.now() + timedelta(days=3))
    votes(world, id_, pressed(world, id_))
    for _ in range(2):
        world.advance(25 * 3600, 3600)
        forget_signed_votes(world.ctx)
    assert list(world.ledger.records("signed")) == [keys.signed(id_)]


def test_what_stands_there_by_hand_and_unpacks_to_more_than_there_can_be_proves_nothing() -> None:
    world = checking(World())
    id_ = world.asked()
    bomb = signed.packed("x" * 50_000_000)
    votes(world, id_, replace(pressed(world, id_), body=bomb))
    assert refused(world, id_) == "unsigned"
