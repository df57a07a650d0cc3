"""Whoever has left loses what they hold, by a plain word of their own chat; so many at once wait for people."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.build import DANA, HOUR, NIA, OLU, PAT, SUE, entitlement, environment, policy
from tests.support.people import account_record, acts, joins_teams, new_account
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import AuditEntry
from workflows.core.identity import Account, AccountRecord, Identity, PersonId
from workflows.core.policy import BreakGlass
from workflows.core.records.grant import GrantState
from workflows.core.records.leavers import FindingState, Leavers
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.leaving import Looked
from workflows.ports import Change
from workflows.usecases.identity.holders import ask_for_a_look
from workflows.usecases.identity.leavers import EVERY, look_at_holders
from workflows.usecases.identity.leavers_vote import END, HERE, say
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.troubles import attempt
from workflows.usecases.shared.troubles import standing as troubles

DISABLED = "person_deactivated"


@pytest.fixture
def world() -> World:
    return World()


def code(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def leaves(world: World, *people: PersonId | Account, problem: str | None = DISABLED) -> None:
    for who in people:
        own = who if isinstance(who, Account) else account(who)
        world.chat.people[own] = replace(world.chat.people[own], standing_problem=problem)


def look(world: World) -> None:
    """Five minutes later."""
    world.clock.advance(EVERY.total_seconds() + 1)
    look_at_holders(world.ctx)
    world.work()


def said(world: World, event: str) -> list[AuditEntry]:
    return [entry for entry in world.all_entries() if entry.event.value == event]


def remembered(world: World) -> Leavers:
    return world.ledger.read(keys.LEAVERS).get(keys.LEAVERS, Leavers) or Leavers()


def crowd(world: World, people: int) -> list[PersonId]:
    """So many who hold access, each approved."""
    names = []
    for number in range(people):
        who = new_account(world, f"UC{number}", f"crowd{number}@example.com", f"Crowd {number}")
        person = PersonId(f"crowd{number}@example.com")
        world.targets.add_person(person)
        acts(world, who)
        names.append(person)
        members = {*(world.policy.policy.groups["developers"].members or ()), f"crowd{number}@example.com"}
        groups = {
            **world.policy.policy.groups,
            "developers": replace(world.policy.policy.groups["developers"], members=frozenset(members)),
        }
        world.policy.policy = replace(world.policy.policy, groups=groups)
        answer = ask_for_access(
            world.ctx, Ask("payments-prod", "read-only", HOUR, "INC-42 errors"), who, Origin(), f"c{number}"
        )
        assert isinstance(answer, Outcome), answer
        world.work()
        assert isinstance(world.approve(answer.id), Outcome)
        world.work()
    return names


def there(world: World, number: int) -> Account:
    return next(who for who in world.chat.people if who.user == f"UC{number}")


# ---------------------------------------------------------------- one leaves


def test_whoever_is_deactivated_loses_live_access_and_it_is_told_why(world: World):
    id_ = world.active()
    leaves(world, DANA)
    look(world)
    assert not world.has_access(id_)
    grant = world.grant(id_)
    assert grant.state is GrantState.REVOKED
    assert grant.end.code == "person_disabled"
    (entry,) = said(world, "person.left")
    assert entry.facts["open"] == id_
    assert entry.facts["code"] == "person_disabled"
    assert entry.private["actor"] == DANA
    order = [one.event.value for one in world.all_entries()]
    assert order.index("person.left") < order.index("grant.end_started") < order.index("grant.revoked")


def test_nobody_is_asked_about_while_nobody_holds_anything(world: World):
    asked = []
    world.chat.look_at = lambda accounts, _policy: asked.append(accounts) or Looked()
    ask_for_a_look(world.ctx)
    assert keys.LEAVERS not in world.ledger.due
    world.ledger.remind(keys.LEAVERS, 0)
    look_at_holders(world.ctx)
    assert keys.LEAVERS not in world.ledger.due
    assert asked == []


def test_while_somebody_holds_something_the_clock_asks_for_a_look_every_five_minutes(world: World):
    world.active()
    ask_for_a_look(world.ctx)
    assert world.ledger.due[keys.LEAVERS] - world.clock.now().timestamp() <= 240
    look_at_holders(world.ctx)
    assert world.ledger.due[keys.LEAVERS] - world.clock.now().timestamp() == pytest.approx(300)
    ask_for_a_look(world.ctx)
    assert world.ledger.due[keys.LEAVERS] - world.clock.now().timestamp() <= 240


@pytest.mark.parametrize("problem", [None, "person_guest", "person_foreign", "person_odd", "person_no_address"])
def test_whatever_else_is_said_of_an_account_ends_nothing(world: World, problem: str | None):
    id_ = world.active()
    leaves(world, DANA, problem=problem)
    look(world)
    assert world.has_access(id_)
    assert not said(world, "person.left")


def test_what_waits_is_closed_and_what_begins_later_is_cancelled():
    world = World(policy(environment(entitlement(), entitlement("deploy"))))
    start = world.clock.now() + timedelta(hours=2)
    later, waits = world.asked(start_at=start), world.asked(role="deploy")
    assert isinstance(world.approve(later), Outcome)
    world.work()
    assert world.request(later).state is RequestState.SCHEDULED
    leaves(world, DANA)
    look(world)
    for id_ in (later, waits):
        assert world.request(id_).state is RequestState.DENIED
        assert world.request(id_).closing.code == "person_disabled"
    (entry,) = said(world, "person.left")
    assert entry.facts["waiting"] == ", ".join(sorted((later, waits)))
    world.advance(3 * 3600, step_s=600)
    assert not world.has_access(later)


def test_what_somebody_else_holds_for_whom_they_asked_stays(world: World):
    world.knows(DANA, NIA)
    asked = Ask("payments-prod", "read-only", HOUR, "INC-42 errors", holder=NIA)
    id_ = ask_for_access(world.ctx, asked, account(DANA), Origin(), "for nia").id
    world.work()
    assert isinstance(world.approve(id_), Outcome)
    world.work()
    mine = world.active(DANA)
    leaves(world, DANA)
    look(world)
    assert world.has_access(id_)
    assert not world.has_access(mine)


def test_what_begins_later_for_somebody_else_goes_on_without_who_asked(world: World):
    world.knows(DANA, NIA)
    start = world.clock.now() + timedelta(hours=2)
    asked = Ask("payments-prod", "read-only", HOUR, "INC-42 errors", holder=NIA, start_at=start)
    id_ = ask_for_access(world.ctx, asked, account(DANA), Origin(), "for nia").id
    world.work()
    assert isinstance(world.approve(id_), Outcome)
    world.work()
    leaves(world, DANA)
    look(world)
    assert world.request(id_).state is RequestState.SCHEDULED


def test_their_delegations_end_both_ways(world: World):
    world.knows(OLU, NIA, SUE)
    until = world.clock.now() + timedelta(days=1)
    assert isinstance(delegate(world.ctx, account(OLU), world.chat.people[account(NIA)], until, "d1"), Outcome)
    world.active(NIA)
    leaves(world, NIA)
    look(world)
    record = world.ledger.read(keys.person(OLU)).get(keys.person(OLU), PersonRecord)
    assert record.delegation is None
    assert world.ledger.members(keys.DELEGATIONS) == []
    (entry,) = said(world, "delegation.ended")
    assert entry.facts["code"] == "person_disabled"


def test_a_break_glass_ends_its_review_stays_and_nobody_is_barred():
    world = World(policy(environment(break_glass=BreakGlass(("developers",), ("read-only",), HOUR))))
    world.knows(DANA)
    asked = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")
    id_ = break_glass(world.ctx, asked, account(DANA), Origin(), "glass").id
    world.work()
    assert world.has_access(id_)
    leaves(world, DANA)
    look(world)
    assert not world.has_access(id_)
    review = world.ledger.read(keys.review(id_)).get(keys.review(id_), Review)
    assert review.state is ReviewState.OWED
    assert not said(world, "person.barred")


def test_news_of_an_account_bring_the_look_forward(world: World):
    id_ = world.active()
    leaves(world, DANA)
    world.run(keys.whois(account(DANA)))
    assert world.ledger.due[keys.LEAVERS] <= world.clock.now().timestamp()
    world.work()
    assert not world.has_access(id_)


def test_a_look_that_runs_twice_tells_once(world: World):
    world.active()
    leaves(world, DANA)
    look_at_holders(world.ctx)
    look_at_holders(world.ctx)
    world.work()
    look(world)
    assert len(said(world, "person.left")) == 1
    assert len(said(world, "grant.end_started")) == 1


def test_a_crash_after_it_was_put_on_record_is_made_good(world: World, monkeypatch: pytest.MonkeyPatch):
    id_ = world.active()
    leaves(world, DANA)

    def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("workflows.usecases.identity.leaving._take", dies)
        with pytest.raises(RuntimeError):
            look_at_holders(world.ctx)
    assert world.has_access(id_)
    look(world)
    assert not world.has_access(id_)
    assert len(said(world, "person.left")) == 1


def test_a_worker_that_dies_over_the_first_of_several_costs_the_others_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """The next ordinary look is five minutes away by then."""
    id_ = world.active()
    leaves(world, DANA)

    class Died(BaseException):
        """Nothing is tidied up, and nothing is noted."""

    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("workflows.usecases.identity.leaving._take", dies)
        with pytest.raises(Died):
            look_at_holders(world.ctx)
    world.advance(20, step_s=5)
    assert not world.has_access(id_)


def test_who_could_not_be_looked_at_right_before_the_end_is_looked_at_again_within_seconds(world: World):
    """The look at all has found them; the chat says nothing when they are looked at once more."""
    id_ = world.active()
    leaves(world, DANA)
    looks = []
    real = world.chat.look_at

    def second_is_silent(accounts, policy_):
        looks.append(accounts)
        return Looked() if len(looks) == 2 else real(accounts, policy_)

    world.chat.look_at = second_is_silent
    look_at_holders(world.ctx)
    assert world.has_access(id_)
    world.advance(10, step_s=5)
    assert not world.has_access(id_)


# ---------------------------------------------------------------- races


def test_whoever_is_enabled_again_between_look_and_commit_keeps_their_access(world: World):
    id_ = world.active()
    leaves(world, DANA)
    looks = []
    real = world.chat.look_at

    def second_is_other(accounts, policy_):
        if looks:
            leaves(world, DANA, problem=None)
        looks.append(accounts)
        return real(accounts, policy_)

    world.chat.look_at = second_is_other
    look(world)
    assert len(looks) == 2
    assert world.has_access(id_)
    assert not said(world, "person.left")


def test_news_that_came_after_the_last_look_keep_their_access(world: World):
    id_ = world.active()
    leaves(world, DANA)
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id.startswith("left:"):
            world.ledger.commit = commit
            who = world.ledger.read(keys.account(account(DANA).id))
            record = account_record(world, account(DANA))
            renamed = replace(record, name="Dana again")
            world.ledger.commit(Change("news", who.now, who.versions(), puts={keys.account(record.account): renamed}))
            world.directory.mark_stale(account(DANA), world.clock.now() + timedelta(seconds=1))
        return commit(change)

    world.ledger.commit = between
    look(world)
    assert world.has_access(id_)
    assert not said(world, "person.left")


def test_facts_older_than_a_minute_end_nothing(world: World):
    id_ = world.active()
    leaves(world, DANA)
    real = world.chat.look_at

    def slow(accounts, policy_):
        found = real(accounts, policy_)
        world.clock.advance(61)
        return found

    world.chat.look_at = slow
    look_at_holders(world.ctx)
    world.work()
    assert world.has_access(id_)


def test_a_commit_that_comes_a_minute_later_ends_nothing(world: World):
    """Its first try lost a race; by the second one what was seen is too old."""
    id_ = world.active()
    leaves(world, DANA)
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id.startswith("left:"):
            world.ledger.commit = commit
            record = account_record(world, account(DANA))
            who = world.ledger.read(keys.account(record.account))
            puts = {keys.account(record.account): replace(record, name="Dana D.")}
            world.ledger.commit(Change("race", who.now, who.versions(), puts=puts))
            world.clock.advance(61)
        return commit(change)

    world.ledger.commit = between
    look_at_holders(world.ctx)
    assert world.has_access(id_)
    assert not said(world, "person.left")


def test_an_account_that_was_bound_meanwhile_keeps_their_access(world: World):
    id_ = world.active()
    leaves(world, DANA)
    real = world.chat.look_at
    looks = []

    def bound_between(accounts, policy_):
        looks.append(accounts)
        found = real(accounts, policy_)
        if len(looks) == 2:
            bind(world, Account("teams", "t", "new"), DANA)
        return found

    world.chat.look_at = bound_between
    look(world)
    assert world.has_access(id_)


def test_another_process_that_ends_the_same_grant_is_no_fault(world: World):
    id_ = world.active()
    leaves(world, DANA)
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id == f"left:{id_}":
            world.ledger.commit = commit
            assert isinstance(world.end(id_, OLU, "enough"), Outcome)
        return commit(change)

    world.ledger.commit = between
    look(world)
    assert not world.has_access(id_)
    assert world.faults == []
    assert len(said(world, "grant.end_started")) == 1


def test_whoever_leaves_while_more_time_is_asked_for_loses_both(world: World):
    id_ = world.active()
    more = world.more_asked(id_)
    leaves(world, DANA)
    look(world)
    assert not world.has_access(id_)
    assert world.request(more).state is RequestState.DENIED


# ---------------------------------------------------------------- two chats


def bind(world: World, who: Account, person: PersonId) -> None:
    """As if they had said that it is theirs."""

    item = keys.identity(person)
    names = (item, keys.account(who.id))
    snapshot = world.ledger.read(*names)
    identity = snapshot.get(item, Identity)
    puts = {
        item: replace(identity, accounts=(*identity.accounts, who.id)),
        keys.account(who.id): AccountRecord(who.id, who, "Dana", person),
    }
    world.ledger.commit(Change(f"bind:{who.id}:{world.press_id()}", snapshot.now, snapshot.versions(), puts=puts))


def test_one_account_gone_while_another_lives_is_told_and_not_ended(world: World):
    id_ = world.active()
    there_ = joins_teams(world, DANA)
    leaves(world, DANA)
    look(world)
    look(world)
    assert world.has_access(id_)
    (entry,) = said(world, "person.left")
    assert entry.facts["became"] == "told"
    assert entry.facts["open"] == id_
    leaves(world, there_)
    look(world)
    assert not world.has_access(id_)
    assert [one.facts["became"] for one in said(world, "person.left")] == ["told", "ended"]


def test_one_account_gone_while_another_is_not_known_ends_nothing(world: World):
    id_ = world.active()
    bind(world, Account("teams", "t", "not-asked"), DANA)
    leaves(world, DANA)
    look(world)
    assert world.has_access(id_)


def test_whoever_is_back_and_leaves_again_is_told_again(world: World):
    world.active()
    joins_teams(world, DANA)
    for _ in range(2):
        leaves(world, DANA)
        look(world)
        leaves(world, DANA, problem=None)
        look(world)
    assert len(said(world, "person.left")) == 2


# ---------------------------------------------------------------- nobody can tell


def test_a_directory_that_is_silent_ends_nothing_and_alarms_after_three_looks(world: World):
    id_ = world.active(duration=timedelta(hours=1))
    leaves(world, DANA)
    world.chat.unreachable = True
    for _ in range(2):
        look(world)
        assert not [one for one in troubles(world.ctx) if one.failures >= 3]
    look(world)
    (trouble,) = troubles(world.ctx)
    assert (trouble.item, trouble.failures) == (keys.LEAVERS, 3)
    assert world.has_access(id_)
    world.chat.unreachable = False
    look(world)
    assert not troubles(world.ctx)
    assert not world.has_access(id_)


def test_a_list_that_goes_on_is_asked_on_and_is_no_trouble(world: World):
    world.active()
    world.chat.look_at = lambda *_: Looked(silent={"slack": "so many questions"}, after_s=12.0, goes_on=True)
    for _ in range(3):
        look(world)
    assert not troubles(world.ctx)
    assert world.ledger.due[keys.LEAVERS] - world.clock.now().timestamp() <= 12


def test_a_fault_of_our_own_ends_nothing_and_is_a_trouble(world: World):
    id_ = world.active()
    leaves(world, DANA)

    def fails(*_: object) -> Looked:
        raise KeyError("a hole in it")

    world.chat.look_at = fails
    assert not attempt(world.ctx, keys.LEAVERS, lambda: look_at_holders(world.ctx))
    assert world.has_access(id_)
    assert [one.item for one in troubles(world.ctx)] == [keys.LEAVERS]
    assert len(world.faults) == 1


# ---------------------------------------------------------------- so many at once


@pytest.fixture
def full() -> tuple[World, list[PersonId]]:
    world = World()
    world.knows(SUE, OLU, PAT)
    return world, crowd(world, 5)


def live(world: World) -> list[str]:
    return [id_ for id_ in world.ledger.members(keys.LIVE) if world.has_access(id_)]


def test_more_than_three_and_a_tenth_at_once_end_nothing_and_are_told_once(full: tuple[World, list[PersonId]]):
    world, people = full
    leaves(world, *(there(world, number) for number in range(4)))
    for _ in range(4):
        look(world)
    assert len(live(world)) == 5
    (entry,) = said(world, "leavers.held")
    assert entry.facts["people"] == "4"
    assert entry.facts["holders"] == "5"
    assert re.search(r"^Crowd 2: read-only in payments-prod \(PA-\d+\)$", entry.private["names"], re.MULTILINE)
    assert not said(world, "person.left")
    assert remembered(world).finding.state is FindingState.WAITING
    assert set(remembered(world).finding.people) == set(people[:4])


def test_while_a_chat_answers_in_part_those_of_whom_nothing_is_known_count_as_well(
    full: tuple[World, list[PersonId]],
):
    """It takes only so many questions: three of four are seen to be gone, and the fourth is seen later."""
    world, _ = full
    leaves(world, *(there(world, number) for number in range(4)))
    real, late = world.chat.look_at, there(world, 3)

    def partly(accounts, policy_):
        found = real([one for one in accounts if one != late], policy_)
        return replace(found, silent={"slack": "so many questions"}, after_s=2.0)

    world.chat.look_at = partly
    look(world)
    assert len(live(world)) == 5
    assert world.ledger.due[keys.LEAVERS] - world.clock.now().timestamp() <= 15
    del world.chat.look_at
    look(world)
    assert len(live(world)) == 5
    assert len(said(world, "leavers.held")) == 1


def test_what_another_look_finds_meanwhile_stops_this_one(full: tuple[World, list[PersonId]]):
    world, _ = full
    leaves(world, *(there(world, number) for number in range(3)))
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id.startswith("left:"):
            world.ledger.commit = commit
            leaves(world, there(world, 3))
            look_at_holders(world.ctx)
        return commit(change)

    world.ledger.commit = between
    look(world)
    assert len(live(world)) == 5
    assert len(said(world, "leavers.held")) == 1


def test_three_end_at_once(full: tuple[World, list[PersonId]]):
    world, _ = full
    leaves(world, *(there(world, number) for number in range(3)))
    look(world)
    assert len(live(world)) == 2


def test_one_by_one_within_minutes_is_at_once_as_well(full: tuple[World, list[PersonId]]):
    world, _ = full
    for number in range(4):
        leaves(world, there(world, number))
        world.run(keys.whois(there(world, number)))
        world.work()
        world.advance(30, step_s=30)
    assert len(live(world)) == 2
    assert len(said(world, "leavers.held")) == 1


def test_the_panic_group_says_end_all_and_it_ends(full: tuple[World, list[PersonId]]):
    world, _ = full
    leaves(world, *(there(world, number) for number in range(4)))
    look(world)
    named = remembered(world).finding.named
    world.knows(OLU, SUE)
    assert code(say(world.ctx, named, END, account(OLU), "p1")) is Code.NOT_SECURITY
    # One of them is back by then: they keep what they have.
    leaves(world, there(world, 0), problem=None)
    assert isinstance(say(world.ctx, named, END, account(SUE), "p2"), Outcome)
    assert isinstance(say(world.ctx, named, END, account(SUE), "p2"), Outcome), "the same press"
    assert code(say(world.ctx, named, HERE, account(SUE), "p3")) is Code.LEAVERS_OVER
    world.work()
    assert len(live(world)) == 2
    assert len(said(world, "person.left")) == 3
    (entry,) = said(world, "leavers.decided")
    assert (entry.facts["said"], entry.private["actor"]) == ("end", SUE)
    look(world)
    assert remembered(world).finding is None


def test_the_panic_group_says_that_they_are_here_and_nobody_asks_again(full: tuple[World, list[PersonId]]):
    world, people = full
    leaves(world, *(there(world, number) for number in range(4)))
    look(world)
    world.knows(SUE)
    assert isinstance(say(world.ctx, remembered(world).finding.named, HERE, account(SUE), "p1"), Outcome)
    world.work()
    look(world)
    look(world)
    assert len(live(world)) == 5
    assert len(said(world, "leavers.held")) == 1
    assert set(remembered(world).here) == set(people[:4])
    # Once a chat shows somebody again, that they leave is news again.
    leaves(world, there(world, 0), problem=None)
    look(world)
    leaves(world, there(world, 0))
    look(world)
    assert len(live(world)) == 4


def test_who_leaves_meanwhile_is_named_too_and_an_old_card_decides_nothing(full: tuple[World, list[PersonId]]):
    world, _ = full
    leaves(world, *(there(world, number) for number in range(4)))
    look(world)
    before = remembered(world).finding.named
    leaves(world, there(world, 4))
    look(world)
    assert len(said(world, "leavers.held")) == 2
    assert len({entry.subject for entry in said(world, "leavers.held")}) == 1, "one card, drawn again"
    world.knows(SUE)
    assert code(say(world.ctx, before, END, account(SUE), "p1")) is Code.LEAVERS_CHANGED
    assert isinstance(say(world.ctx, remembered(world).finding.named, END, account(SUE), "p2"), Outcome)
    world.work()
    assert live(world) == []


def test_a_mistake_that_passes_is_over_by_itself(full: tuple[World, list[PersonId]]):
    world, _ = full
    leaves(world, *(there(world, number) for number in range(4)))
    look(world)
    leaves(world, *(there(world, number) for number in range(4)), problem=None)
    look(world)
    assert len(live(world)) == 5
    (entry,) = said(world, "leavers.decided")
    assert entry.facts["said"] == "over"
    assert remembered(world).finding is None


def test_nobody_says_of_themselves_that_they_are_here(full: tuple[World, list[PersonId]]):
    world, people = full
    leaves(world, *(there(world, number) for number in range(4)))
    look(world)
    group = {**world.policy.policy.groups}
    group["security"] = replace(group["security"], members=frozenset({"crowd0@example.com"}))
    world.policy.policy = replace(world.policy.policy, groups=group)
    leaves(world, there(world, 0), problem=None)
    acts(world, there(world, 0))
    answer = say(world.ctx, remembered(world).finding.named, HERE, there(world, 0), "mine")
    assert code(answer) is Code.OWN_ACCOUNT
    assert people[0] in remembered(world).finding.people


def test_a_press_is_carried_out_though_the_chat_is_silent_for_a_while(full: tuple[World, list[PersonId]]):
    world, _ = full
    leaves(world, *(there(world, number) for number in range(4)))
    look(world)
    world.knows(SUE)
    assert isinstance(say(world.ctx, remembered(world).finding.named, END, account(SUE), "p1"), Outcome)
    world.chat.look_at = lambda *_: Looked(silent={"slack": "it does not answer"})
    world.work()
    assert len(live(world)) == 5
    del world.chat.look_at
    # Nobody waits five minutes for the next look.
    world.advance(16)
    assert len(live(world)) == 1
