"""Decisions by rules and by people, in memory: limits of rules, several approvers, less than was asked, freezes, tickets."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot.chat.views.read_model import Reader
from bot.chat.views.state_lines import reduced_words, state_line
from bot.chat.wording.labels import flatten
from bot.chat.wording.refusals import refusal
from tests.support.build import (
    DANA,
    HOUR,
    MINUTE,
    NIA,
    NOW,
    OLU,
    PAT,
    SUE,
    auto,
    entitlement,
    environment,
    policy,
    request,
)
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.policy import BreakGlass, Freeze, Hours, Risk, Ticket
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin, RequestState, Slot
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import next_change, not_now
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.shared.context import Outcome

ADMIN_SET = AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="AdministratorAccess")
ADMIN = entitlement("admin", risk=Risk.ADMIN, approve={"owners": 1, "security": 1}, target=ADMIN_SET)
BOTH = (entitlement(), ADMIN)


def code(answer) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def world_with(*roles, **place) -> World:
    return World(policy(environment(*roles, **place)))


def change_policy(world: World, *roles, **place) -> None:
    changed = policy(environment(*roles, **place))
    world.policy.policy = replace(changed, hash=f"{world.press_id():f>64}"[-64:])
    world.activate()


def less(world: World, id_: str, who=OLU, role=None, duration=None, terms=None) -> Outcome | Refused:
    world.knows(who)
    return approve_reduced(world.ctx, id_, account(who), role, duration, world.press_id(), terms)


def line(world: World, id_: str) -> str:
    seen = Reader(world.ctx).one(id_, world.policy.policy)
    assert seen is not None
    return flatten(state_line(seen.view), lambda moment: f"{moment:%d %b %H:%M}")


def told(world: World, id_: str) -> str:
    seen = Reader(world.ctx).one(id_, world.policy.policy)
    assert seen is not None
    return reduced_words(seen.view)


# ---------------------------------------------------------------- rules


LIMITED = entitlement(auto_approve=(auto("developers read", max_uses_per_day=2),))


def used(world: World, times: int) -> None:
    for _ in range(times):
        id_ = world.active()
        world.end(id_)
        world.work()


def test_a_rule_approves_as_often_as_it_may_and_then_people_are_asked():
    world = world_with(LIMITED)
    used(world, 2)
    id_ = world.asked()
    assert (world.request(id_).state, world.request(id_).used_up) == (RequestState.PENDING, (("developers read", 2),))
    assert "the rule 'developers read' has been used 2 times today" in line(world, id_)
    assert world.approve(id_).outcome == "approved"
    assert "used 2 times" not in line(world, id_)


def test_a_use_is_forgotten_after_a_day():
    world = world_with(LIMITED)
    used(world, 2)
    world.advance(24 * 3600, step_s=3600)
    assert world.request(world.asked()).decision is not None


def test_uses_are_counted_for_each_person():
    world = world_with(LIMITED)
    used(world, 2)
    assert world.request(world.asked(NIA)).decision is not None


def test_an_approval_by_people_is_no_use_of_the_rule():
    world = world_with(LIMITED)
    used(world, 2)
    id_ = world.active()
    world.end(id_)
    world.work()
    assert world.request(world.asked()).used_up == (("developers read", 2),)


def test_two_uses_at_once_do_not_exceed_the_limit():
    """Another worker takes the last use between the read and the commit of this one: the commit is lost, and it reads again."""
    once = auto("once a day", max_uses_per_day=1)
    world = World(policy(environment(entitlement(auto_approve=(once,)), replace(ADMIN, auto_approve=(once,)))))
    first = world.ask()
    assert isinstance(first, Outcome)
    commit, raced = world.ledger.commit, []

    def race(change):
        if change.commit_id.startswith("resolve:") and not raced:
            raced.append(change)
            item = keys.rule_uses("payments-prod", "read-only", "once a day", DANA)
            uses = change.puts[item]
            snapshot = world.ledger.read(item)
            commit(replace(change, commit_id="other", reads=snapshot.versions(), puts={item: uses}, due={}, index=()))
        return commit(change)

    world.ledger.commit = race
    world.work()
    assert raced
    assert world.request(first.id).state is RequestState.PENDING
    assert world.request(first.id).used_up == (("once a day", 1),)


def test_the_record_says_which_rule_approved_and_what_it_rested_on():
    rule = auto("on call reads", in_incident_channel=True, max_uses_per_day=3)
    world = world_with(entitlement(auto_approve=(rule,)))
    id_ = world.asked(origin=Origin("T1", "C0INC", "inc-42", incident=True))
    (entry,) = [entry for entry in world.ledger.entries_of(id_) if entry.event.value == "request.auto_approved"]
    facts = {name: entry.facts[name] for name in ("rule", "incident_channel", "creator_proven", "local_time", "use")}
    assert facts == {
        "rule": "on call reads",
        "incident_channel": "C0INC",
        "creator_proven": "true",
        "local_time": "Sat 04:00 Europe/Berlin",
        "use": "1",
    }
    world.work()
    shown = line(world, id_)
    assert "approved automatically by the rule 'on call reads'" in shown
    assert "asked in #inc-42, an incident's channel · use 1 of 3 today" in shown


def test_the_worker_gives_what_a_rule_approved_though_that_was_its_last_use():
    world = world_with(entitlement(auto_approve=(auto(max_uses_per_day=1),)))
    assert world.has_access(world.active())


def test_an_owner_ends_what_a_rule_approved():
    world = world_with(LIMITED)
    id_ = world.active()
    assert world.end(id_, OLU).outcome == "revoked"
    world.work()
    assert world.grant(id_).state is GrantState.REVOKED


# ---------------------------------------------------------------- two must agree


def test_one_person_in_both_groups_counts_once_and_a_second_press_changes_nothing():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    assert world.approve(id_, PAT).outcome == "agreed"
    assert code(world.approve(id_, PAT)) is Code.ALREADY_VOTED
    assert world.request(id_).decision is None
    assert world.events(id_).count("request.agreed") == 1


@pytest.mark.parametrize("second", [OLU, SUE])
def test_who_speaks_for_both_groups_gives_way_to_a_person_of_either(second):
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    world.approve(id_, PAT)
    assert "1 of 2: Pat agreed, one more of platform or security missing" in line(world, id_)
    assert world.approve(id_, second).outcome == "approved"
    world.work()
    assert world.has_access(id_)


def test_the_card_says_who_agreed_for_what_and_who_is_missing():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    world.approve(id_, OLU)
    assert "1 of 2: platform agreed (Olu), one of security missing" in line(world, id_)


def test_two_of_one_group_are_told_by_name():
    world = world_with(entitlement(approve={"owners": 2}))
    id_ = world.asked()
    world.approve(id_, OLU)
    assert "1 of 2: platform agreed (Olu), one more of platform missing" in line(world, id_)


@pytest.mark.parametrize("who", [OLU, PAT, SUE])
def test_a_denial_by_anyone_who_may_approve_ends_it_although_another_agreed(who):
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    world.approve(id_, OLU if who is not OLU else SUE)
    assert world.deny(id_, who).outcome == "denied"
    assert code(world.approve(id_, PAT)) is Code.DECIDED


# ---------------------------------------------------------------- less


def test_a_shorter_time_is_approved_and_given():
    world = world_with(*BOTH)
    id_ = world.asked()
    asked = world.request(id_).terms
    assert less(world, id_, duration=MINUTE).outcome == "approved"
    world.work()
    request, grant = world.request(id_), world.grant(id_)
    assert (request.asked_terms, request.terms.duration, grant.terms) == (asked, MINUTE, request.terms)
    assert world.has_access(id_)
    assert told(world, id_) == "Asked for read-only for 1 h; approved for less: read-only for 1 min by Olu"
    assert world.events(id_)[2:4] == ["request.lessened", "request.approved"]
    world.advance(61)
    assert not world.has_access(id_)


def test_who_agreed_to_more_time_agreed_to_less_of_it():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    assert world.approve(id_, OLU).outcome == "agreed"
    assert less(world, id_, SUE, duration=MINUTE).outcome == "approved"
    world.work()
    assert world.has_access(id_), "the worker's recheck finds both votes on the terms that are given"
    assert world.grant(id_).terms.duration == MINUTE


def test_the_next_approver_agrees_to_the_lesser_terms_and_to_no_others():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    before = world.request(id_).terms.hash
    assert less(world, id_, OLU, duration=MINUTE).outcome == "agreed"
    assert code(world.approve(id_, SUE, terms=before)) is Code.TERMS_CHANGED
    assert world.approve(id_, SUE, terms=world.request(id_).terms.hash).outcome == "approved"
    assert world.grant(id_).terms.duration == MINUTE


def test_who_has_agreed_may_still_cut_and_counts_once():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    world.approve(id_, PAT)
    assert less(world, id_, PAT, duration=MINUTE).outcome == "agreed"
    assert [vote.by for vote in world.request(id_).votes] == [PAT]


def test_another_role_is_resolved_anew_and_given_without_another_press():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    assert less(world, id_, role="read-only", duration=20 * MINUTE).outcome == "lessened"
    assert world.request(id_).resource is None
    world.work()
    request = world.request(id_)
    assert request.resource is not None
    assert request.resource.target.permission_set == "ReadOnlyAccess"
    assert (world.grant(id_).terms.role, world.grant(id_).terms.duration) == ("read-only", 20 * MINUTE)
    assert world.has_access(id_)
    assert told(world, id_) == "Asked for admin for 1 h; approved for less: read-only for 20 min by Olu"
    assert world.events(id_)[2:5] == ["request.lessened", "request.approved", "grant.active"]
    assert request.decision is not None
    assert request.decision.by == (OLU,)


def test_earlier_votes_for_the_asked_role_are_void():
    lesser = entitlement(approve={"owners": 1, "security": 1})
    world = world_with(lesser, ADMIN)
    id_ = world.asked(role="admin")
    world.approve(id_, OLU)
    assert less(world, id_, SUE, role="read-only").outcome == "lessened"
    world.work()
    assert ([vote.by for vote in world.request(id_).votes], world.request(id_).decision) == ([SUE], None)
    assert world.approve(id_, OLU).outcome == "approved"


def test_the_place_moves_to_the_lesser_role():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    old = keys.slot(world.request(id_).slot)
    less(world, id_, role="read-only")
    new = keys.slot(world.request(id_).slot)
    snapshot = world.ledger.read(old, new)
    assert snapshot.get(old, Slot) is None
    assert snapshot.get(new, Slot) == Slot(world.request(id_).slot, id_)
    world.work()
    world.end(id_)
    world.advance(90)
    assert world.ledger.read(new).get(new, Slot) is None
    assert isinstance(world.ask(role="admin"), Outcome)


def test_a_role_that_the_holder_has_already_is_not_given_again():
    world = world_with(*BOTH)
    there, id_ = world.asked(), world.asked(role="admin")
    answer = less(world, id_, role="read-only")
    assert code(answer) is Code.LESS_TAKEN
    assert there in refusal(answer)
    assert world.request(id_).terms.role == "admin"


@pytest.mark.parametrize("who", [DANA, OLU])
def test_nobody_approves_their_own_request_for_less(who):
    world = world_with(*BOTH)
    id_ = world.asked(who, role="admin")
    assert code(less(world, id_, who, duration=MINUTE)) is (Code.OWN_REQUEST)
    assert code(less(world, id_, who, role="read-only")) is Code.OWN_REQUEST
    assert world.request(id_).votes == ()


def test_a_ticket_rule_of_the_lesser_role_does_not_block():
    world = world_with(entitlement(ticket=Ticket("CHG-[0-9]+")), ADMIN)
    id_ = world.asked(role="admin")
    assert less(world, id_, role="read-only").outcome == "lessened"


def test_less_of_what_is_decided_changes_nothing():
    world = world_with(*BOTH)
    id_ = world.active()
    assert code(less(world, id_, duration=MINUTE)) is Code.DECIDED
    assert world.grant(id_).terms.duration == HOUR


def test_the_same_press_of_less_twice_is_done_once():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    world.knows(OLU)
    press = world.press_id()
    first, again = (approve_reduced(world.ctx, id_, account(OLU), None, MINUTE, press) for _ in range(2))
    assert (first.outcome, again.outcome) == ("agreed", "agreed")
    assert world.events(id_).count("request.lessened") == 1


def test_an_approver_who_left_before_the_names_were_known_gives_nothing():
    world = world_with(*BOTH)
    id_ = world.asked(role="admin")
    less(world, id_, role="read-only")
    change_policy(world, replace(BOTH[0], owners=("security",)), ADMIN)
    world.work()
    assert world.request(id_).decision is None
    assert not world.has_access(id_)


# ---------------------------------------------------------------- freezes and hours


FREEZE = Freeze(NOW + 10 * MINUTE, NOW + 9 * HOUR, "Year-end freeze")


def frozen(**more) -> tuple[World, str]:
    """A freeze begins while a request waits."""
    world = world_with(*BOTH, freezes=(FREEZE,), **more)
    id_ = world.asked()
    world.advance(660, step_s=60)
    return world, id_


def test_a_freeze_that_begins_while_a_request_waits_stops_the_approval():
    world, id_ = frozen()
    for answer in (world.approve(id_), less(world, id_, duration=MINUTE)):
        assert code(answer) is Code.FREEZE
        assert f"{id_} cannot be approved before 21 Nov 2026 12:00 (UTC): Year-end freeze." in refusal(answer)
    assert "Year-end freeze until 21 Nov 12:00: cannot be approved before" in line(world, id_)
    assert world.request(id_).state is RequestState.PENDING


def test_the_card_is_drawn_again_when_a_freeze_begins_and_when_it_is_over():
    world = world_with(*BOTH, freezes=(replace(FREEZE, until=NOW + 20 * MINUTE),))
    id_ = world.asked()
    # A reminder would have it drawn as well.
    world.ledger.due.pop(keys.chase_due(id_))
    for minutes in (10, 20):
        world.ledger.due.pop(keys.chat(id_), None)
        world.advance((NOW + minutes * MINUTE - world.clock.now()).total_seconds() - 5, step_s=60)
        assert keys.chat(id_) not in world.ledger.due
        world.advance(10)
        assert keys.chat(id_) in world.ledger.due
    assert world.approve(id_).outcome == "approved"


def test_denying_and_withdrawing_work_in_a_freeze():
    world, id_ = frozen()
    assert world.deny(id_).outcome == "denied"
    world, id_ = frozen()
    assert world.withdraw(id_).outcome == "withdrawn"


def test_a_request_that_a_freeze_stops_expires_as_always():
    world, id_ = frozen()
    world.advance(3600, step_s=60)
    assert world.request(id_).state is RequestState.EXPIRED


def test_no_rule_approves_in_a_freeze():
    world = world_with(LIMITED, freezes=(replace(FREEZE, start=NOW + timedelta(seconds=30)),))
    asked = world.ask()
    assert isinstance(asked, Outcome)
    world.clock.advance(31)
    world.work()
    assert world.request(asked.id).state is RequestState.PENDING


def test_what_was_approved_before_a_freeze_began_is_given():
    world = world_with(*BOTH, freezes=(replace(FREEZE, start=NOW + timedelta(seconds=30)),))
    id_ = world.asked()
    assert world.approve(id_).outcome == "approved"
    world.clock.advance(31)
    world.work()
    assert world.has_access(id_)


def test_who_may_break_glass_is_told_that_it_stays_possible():
    break_glass = BreakGlass(("platform",), ("read-only",), HOUR)
    world, id_ = frozen(break_glass=break_glass)
    assert "`/prodaccess break-glass payments-prod read-only REASON`" in refusal(world.approve(id_))
    assert "break-glass" not in refusal(world.ask(NIA))
    world, id_ = frozen(break_glass=replace(break_glass, who=("security",)))
    assert "break-glass" not in refusal(world.approve(id_))


def test_outside_the_hours_of_its_role_a_request_waits():
    """It is Saturday, four in the morning; the role is given until five."""
    weekend = Hours(frozenset({5, 6}), time(3), time(5))
    world = world_with(entitlement(hours=weekend, expires_after=24 * HOUR))
    id_ = world.asked()
    world.advance(3600, step_s=600)
    answer = world.approve(id_)
    assert code(answer) is Code.OUTSIDE_HOURS
    assert f"Approve {id_} then" in refusal(answer)
    told = "given Sat and Sun 03:00 to 05:00 (Europe/Berlin) only: cannot be approved before 22 Nov 02:00"
    assert told in line(world, id_)
    world.advance(22 * 3600, step_s=1800)
    assert world.approve(id_).outcome == "approved"


@pytest.mark.parametrize("which", ["freeze", "hours"])
def test_what_keeps_a_request_from_being_approved_changes_when_it_was_said_to(which):
    """`next_change` is never later than the change itself: a card would tell yesterday's state."""
    freezes = (Freeze(NOW + 5 * HOUR, NOW + 30 * HOUR, "Freeze"),) if which == "freeze" else ()
    hours = Hours(frozenset({0, 5, 6}), time(22), time(6)) if which == "hours" else None
    pol = policy(environment(entitlement(hours=hours), freezes=freezes))
    asked, now, changes = request(), NOW, 0
    while now < NOW + 96 * HOUR:
        then = next_change(pol, asked, now) or NOW + 96 * HOUR
        states = [not_now(pol, asked, moment) for moment in (now, now + (then - now) / 2, then - timedelta(seconds=1))]
        assert all((state is None) == (states[0] is None) for state in states)
        changes += (not_now(pol, asked, then) is None) != (states[0] is None)
        now = then
    assert changes >= 2


def test_votes_that_a_freeze_kept_waiting_count_at_the_next_press():
    world = world_with(*BOTH, freezes=(replace(FREEZE, start=NOW + timedelta(seconds=30), until=NOW + HOUR / 2),))
    id_ = world.asked(role="admin")
    assert less(world, id_, role="read-only").outcome == "lessened"
    world.clock.advance(31)
    world.work()
    assert world.request(id_).decision is None
    world.advance(1800, step_s=60)
    assert world.request(id_).decision is None, "nobody is surprised by access at the end of a freeze"
    assert world.approve(id_).outcome == "approved"
    assert len(world.request(id_).votes) == 1


# ---------------------------------------------------------------- tickets


TWICE = entitlement(ticket=Ticket("INC-[0-9]+", max_requests=2))
FREELY = replace(ADMIN, ticket=Ticket("INC-[0-9]+"))


def test_one_ticket_carries_so_many_requests_of_all_people_and_roles():
    world = world_with(TWICE, FREELY)
    first, second = world.asked(role="admin"), world.asked(NIA)
    answer = world.ask()
    assert code(answer) is Code.TICKET_USED
    assert refusal(answer).startswith(f"INC-42 stands behind {first} and {second} already, and 2 is the maximum")
    assert isinstance(world.ask(reason="INC-43 something else"), Outcome)
    assert isinstance(world.ask(NIA, role="admin"), Outcome), "a role without a limit is not held up"


def test_a_ticket_is_free_again_when_its_request_was_denied_withdrawn_or_expired():
    world = world_with(replace(TWICE, ticket=Ticket("INC-[0-9]+", max_requests=1)))
    for over in (lambda id_: world.deny(id_), lambda id_: world.withdraw(id_), lambda _: world.advance(3601, 60)):
        id_ = world.asked()
        assert code(world.ask(NIA)) is Code.TICKET_USED
        over(id_)
    assert isinstance(world.ask(NIA), Outcome)


def test_an_approved_request_carries_its_ticket_for_good():
    world = world_with(replace(TWICE, ticket=Ticket("INC-[0-9]+", max_requests=1)))
    id_ = world.active()
    world.end(id_)
    world.advance(90)
    assert "one is the maximum" in refusal(world.ask())


def test_two_asks_at_once_do_not_exceed_a_tickets_limit():
    """Nia's ask is committed between the read and the commit of Dana's, which is lost and made again."""
    world = world_with(replace(TWICE, ticket=Ticket("INC-[0-9]+", max_requests=1)))
    world.knows(NIA)
    commit, raced = world.ledger.commit, []

    def race(change):
        if not raced and any(item.startswith("request:") for item in change.puts):
            raced.append(change)
            assert isinstance(world.ask(NIA), Outcome)
        return commit(change)

    world.ledger.commit = race
    assert code(world.ask()) is Code.TICKET_USED
    assert raced
