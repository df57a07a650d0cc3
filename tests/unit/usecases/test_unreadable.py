"""A record that cannot be read harms itself alone: what rests on it is refused, and access that it stands for ends on time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat.messages import lists
from bot.chat.messages.digest import digest as digest_of
from bot.chat.plain_text import as_text
from bot.chat.views.home_reader import HomeReader
from bot.chat.views.read_model import Reader
from tests.support import build
from tests.support.build import DANA, HOUR, NIA, OLU, PAT, SUE
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.policy import Policy
from workflows.core.records.grant import CLOSED, GrantState
from workflows.ports import Change, Committed, CorruptRecord
from workflows.usecases.fulfilment.converge import converge
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.delegations import with_delegations
from workflows.usecases.shared.due_items import end_what_is_overdue, overdue_holdings
from workflows.usecases.upkeep.mend_indexes import make_again
from workflows.usecases.upkeep.tell_unreadable import SUBJECT, look_again, tell


def rules() -> Policy:
    break_glass = build.environment(build.entitlement(), build.entitlement("admin"))
    return build.policy(break_glass)


@pytest.fixture
def world() -> World:
    return World(rules())


def ends(world: World) -> None:
    """As the clock and the workers' own look do it, whatever fails."""
    for _ in range(3):
        world.clock.advance(10)
        end_what_is_overdue(world.ctx, lambda holding, grant: converge(world.ctx, holding, grant))


@pytest.mark.parametrize("versioned", [True, False])
@pytest.mark.parametrize("what", ["grant", "holding", "request", "person", "slot"])
def test_access_behind_an_unreadable_record_ends_on_time_and_others_do_not_notice(
    world: World, what: str, versioned: bool
) -> None:
    mine, other = world.active(DANA, duration=HOUR / 2), world.active(NIA, duration=HOUR / 2)
    grant = world.grant(mine)
    slot = world.request(mine).slot
    spoilt = {
        "grant": keys.grant(mine),
        "holding": keys.holding(grant.holding),
        "request": keys.request(mine),
        "person": keys.person(DANA),
        "slot": keys.slot(slot),
    }[what]
    world.ledger.spoil(spoilt, version=versioned)
    assert world.target().has(grant.resource)
    world.clock.advance(30 * 60 + 10)
    ends(world)
    assert not world.target().has(grant.resource)
    assert not world.has_access(other)
    assert world.grant(mine).state is GrantState.ENDED
    assert world.grant(other).state is GrantState.ENDED
    assert not overdue_holdings(world.ctx)


@pytest.mark.parametrize("versioned", [True, False])
def test_access_ends_on_time_where_neither_its_grant_nor_its_request_can_be_read(world: World, versioned: bool) -> None:
    """What is known then: the holding, and until when the index of what is live has it."""
    mine = world.active(DANA, duration=HOUR / 2)
    resource, holding = world.grant(mine).resource, world.grant(mine).holding
    assert keys.holding(holding) in world.ledger.due
    for key in (keys.grant(mine), keys.request(mine)):
        world.ledger.spoil(key, version=versioned)
    world.clock.advance(29 * 60)
    with pytest.raises(CorruptRecord):
        converge(world.ctx, holding)
    assert world.target().has(resource)
    world.clock.advance(70)
    converge(world.ctx, holding)
    assert not world.target().has(resource)


def test_what_cannot_be_read_and_is_over_takes_nothing_from_another_grant_of_the_same_access(world: World) -> None:
    mine, longer = world.active(DANA, duration=HOUR / 2), world.active(DANA, role="admin", duration=HOUR)
    resource, holding = world.grant(mine).resource, world.grant(mine).holding
    assert world.grant(longer).holding == holding
    for key in (keys.grant(mine), keys.request(mine)):
        world.ledger.spoil(key)
    world.clock.advance(31 * 60)
    converge(world.ctx, holding)
    assert world.target().has(resource)
    world.clock.advance(30 * 60)
    ends(world)
    assert not world.target().has(resource)


def test_nothing_is_given_back_by_a_record_that_was_put_together(world: World) -> None:
    """Olu took it back, and the grant's record broke while that was under way: nobody gives it again."""
    id_ = world.active(DANA)
    resource = world.grant(id_).resource
    assert isinstance(world.end(id_, OLU), Outcome)
    world.work()
    assert not world.target().has(resource)
    grant = world.grant(id_)
    world.ledger.spoil(keys.grant(id_))
    for _ in range(5):
        world.advance(30)
        converge(world.ctx, grant.holding, id_)
    assert not world.target().has(resource)


def test_what_was_lost_is_not_given_again_on_a_record_that_was_put_together(world: World) -> None:
    """An earlier removal came late and took the access with it: a grant that can be read is given again, this one ends."""
    id_, other = world.active(DANA), world.active(NIA)
    for one in (id_, other):
        world.target().revoke(world.grant(one).resource, lambda: None)
        held = world.holding(one)
        assert held is not None
        item = keys.holding(held.id)
        snapshot = world.ledger.read(item)
        lost = Change(f"lost-{one}", snapshot.now, snapshot.versions(), puts={item: replace(held, lost=True)})
        assert isinstance(world.ledger.commit(lost), Committed)
    resource, holding = world.grant(id_).resource, world.grant(id_).holding
    world.ledger.spoil(keys.grant(id_))
    converge(world.ctx, holding, id_)
    converge(world.ctx, world.grant(other).holding, other)
    world.advance(10)
    assert not world.target().has(resource)
    assert world.grant(id_).state is GrantState.REVOKED
    assert world.has_access(other)


def test_an_owner_takes_back_what_cannot_be_read(world: World) -> None:
    id_ = world.active(DANA)
    resource = world.grant(id_).resource
    world.ledger.spoil(keys.grant(id_))
    assert isinstance(world.end(id_, OLU, "take it back"), Outcome)
    world.work()
    assert (world.grant(id_).state, world.target().has(resource)) == (GrantState.REVOKED, False)


@pytest.mark.parametrize("what", ["grant", "request"])
def test_the_panic_switch_takes_back_what_cannot_be_read(world: World, what: str) -> None:
    id_ = world.active(DANA)
    resource = world.grant(id_).resource
    world.ledger.spoil({"grant": keys.grant, "request": keys.request}[what](id_))
    world.knows(SUE)
    press = revoke_all(world.ctx, RevocationScope(DANA, "Dana"), account(SUE), "stolen laptop", "panic")
    assert isinstance(press, Outcome)
    world.advance(10)
    assert not world.target().has(resource)
    assert world.grant(id_).state in CLOSED


def test_a_decision_that_rests_on_it_is_refused(world: World) -> None:
    id_ = world.asked(DANA)
    world.ledger.spoil(keys.request(id_))
    with pytest.raises(CorruptRecord, match=id_):
        world.approve(id_)
    world.ledger.spoil(keys.person(NIA))
    with pytest.raises(CorruptRecord, match="person"):
        world.ask(NIA)


def test_lists_digest_and_home_leave_it_out_and_show_the_others(world: World) -> None:
    mine, other = world.active(DANA), world.active(NIA)
    waits, also = world.asked(DANA, role="admin"), world.asked(NIA, role="admin")
    reader, policy = Reader(world.ctx), world.policy.policy
    for key in (keys.request(mine), keys.request(waits)):
        world.ledger.spoil(key)
    assert [view.id for view in reader.live(policy).views] == [other]
    assert [view.id for view in reader.pending(policy).views] == [also]
    digest = reader.digest(policy, None)
    assert {view.id for place in digest.places for view in place.views} == {other}
    owner = build.facts(OLU, as_of=world.clock.now())
    assert [view.id for view in HomeReader(world.ctx, reader).home(policy, owner, build.groups()).waiting_on_me] == [
        also
    ]
    for said in (lists.active_list(*shown(reader, policy)), digest_of(digest)):
        assert f"{mine} may be open: its record cannot be read" in as_text(said)
    met = world.ctx.unreadable.take()
    assert {f"record:{keys.request(mine)}", f"record:{keys.request(waits)}"} <= met.keys()


def test_nobody_is_told_that_nothing_is_open_where_something_cannot_be_read(world: World) -> None:
    reader, policy = Reader(world.ctx), world.policy.policy
    assert "Nobody has access just now" in as_text(lists.active_list(*shown(reader, policy)))
    assert "Nothing active" in as_text(digest_of(reader.digest(policy, None)))
    mine = world.active(DANA)
    world.ledger.spoil(keys.grant(mine))
    listed, digested = (
        as_text(lists.active_list(*shown(reader, policy))),
        as_text(digest_of(reader.digest(policy, None))),
    )
    assert "Nobody has access" not in listed
    assert "Nothing active" not in digested
    assert f"{mine} may be open" in listed
    assert f"{mine} may be open" in digested
    assert "Nothing needs a hand" not in digested


def shown(reader: Reader, policy: Policy) -> tuple[Any, ...]:
    page = reader.live(policy)
    return page.views, None, page.more, (), page.unread


def test_who_delegated_and_cannot_be_read_is_spoken_for_by_nobody_and_stops_nobody(world: World) -> None:
    world.knows(OLU, SUE)
    until = world.clock.now() + timedelta(days=1)
    assert isinstance(delegate(world.ctx, account(OLU), build.facts(SUE), until, "away"), Outcome)
    world.ledger.spoil(keys.person(OLU))
    assert not with_delegations(world.ctx, build.groups()).delegations
    id_ = world.asked(DANA)
    assert isinstance(world.approve(id_, PAT), Outcome)


def test_it_is_told_once_and_leaves_the_list_when_it_is_well_again(world: World) -> None:
    id_ = world.active(DANA)
    key = keys.grant(id_)
    kept = world.ledger._records[key]
    world.ledger.spoil(key)
    for _ in range(3):
        world.clock.advance(3600)
        world.ledger.read(key)
        tell(world.ctx, world.ctx.unreadable.take())
        look_again(world.ctx)
    told = world.ledger.entries_of(SUBJECT)
    assert [(entry.event, entry.facts["kind"]) for entry in told] == [(Event.LEDGER_UNREADABLE, "record:grant")]
    assert world.ledger.members(keys.UNREADABLE) == [f"record:{key}"]
    assert keys.chat(SUBJECT) in world.ledger.due
    world.ledger._records[key] = kept
    look_again(world.ctx)
    assert world.ledger.members(keys.UNREADABLE) == []


# ---------------------------------------------------------------- what follows from the records


def test_the_indexes_and_the_due_items_that_are_made_again_are_those_that_were(world: World) -> None:
    ended = world.active(NIA, duration=HOUR / 2)
    world.advance(31 * 60, step_s=60)
    assert world.grant(ended).state is GrantState.ENDED
    live, waits = world.active(DANA), world.asked(DANA, role="admin")
    world.knows(OLU, SUE)
    delegate(world.ctx, account(OLU), build.facts(SUE), world.clock.now() + timedelta(days=1), "away")
    before = {name: dict(members) for name, members in world.ledger._indexes.items() if members}
    due = dict(world.ledger.due)
    assert {keys.end_due(live), keys.request(waits)} <= due.keys()
    world.ledger._indexes.clear()
    world.ledger.due.clear()
    make_again(world.ctx)
    assert {name: dict(members) for name, members in world.ledger._indexes.items() if members} == before
    lost = {item for item in due if item not in world.ledger.due and not item.startswith(("chat:", "digest:"))}
    assert not lost
    assert world.ledger.due[keys.end_due(live)] == pytest.approx(due[keys.end_due(live)])
