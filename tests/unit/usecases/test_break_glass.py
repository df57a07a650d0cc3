"""Break-glass: at once, only by those and for as long as the policy says, with a review owed that outlives the access."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.wording.refusals import refusal
from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NIA, NOW, OLU, PAT, SUE
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass, Freeze, Group, Hours, Policy, Ticket
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.grant import GrantState
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import DecisionKind, Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import break_glass_suspended, longest_total, next_chase
from workflows.core.rules.eligibility import Ask
from workflows.ports import Change
from workflows.usecases.oversight.announcement_check import TRY_AGAIN_EVERY, check_announced
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.oversight.unblock import lift
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome

GLASS = BreakGlass(("oncall",), ("read-only", "admin"), 30 * MINUTE, max_per_day=2, review_within=24 * HOUR)


def policy(glass: BreakGlass | None = GLASS, **changes: object) -> Policy:
    roles = [build.entitlement(name) for name in ("read-only", "admin", "deploy")]
    return build.policy(build.environment(*roles, break_glass=glass, **changes))


class Emergency(World):
    def __init__(self, rules: Policy | None = None) -> None:
        super().__init__(rules or policy())

    def presses(
        self, who: PersonId = NIA, role: str = "read-only", duration: timedelta | None = None, press: str | None = None
    ) -> Outcome | Refused:
        self.knows(who)
        ask = Ask("payments-prod", role, duration, "everything is down")
        return break_glass(self.ctx, ask, account(who), Origin(), press or self.press_id())

    def breaks(self, who: PersonId = NIA, role: str = "read-only", duration: timedelta | None = None) -> str:
        answer = self.presses(who, role, duration)
        assert isinstance(answer, Outcome), answer
        self.work()
        return answer.id

    def refused(self, who: PersonId = NIA, role: str = "read-only", duration: timedelta | None = None) -> Code:
        """Why a break-glass is refused: at the press, or by the worker."""
        answer = self.presses(who, role, duration)
        assert isinstance(answer, Refused), answer
        return answer.code

    def review(self, id_: str) -> Review:
        found = self.ledger.read(keys.review(id_)).get(keys.review(id_), Review)
        assert found is not None
        return found

    def person(self, who: PersonId) -> PersonRecord:
        found = self.ledger.read(keys.person(who)).get(keys.person(who), PersonRecord)
        assert found is not None
        return found

    def uses(self, who: PersonId = NIA) -> int:
        item = keys.break_glass_uses("payments-prod", who)
        found = self.ledger.read(item).get(item, Uses)
        return len(found.times) if found else 0

    def acknowledges(self, id_: str, who: PersonId = OLU) -> Outcome | Refused:
        self.knows(who)
        return acknowledge(self.ctx, id_, account(who), self.press_id())

    def flags(self, id_: str, who: PersonId = OLU, note: str = "it could have waited") -> Outcome | Refused:
        self.knows(who)
        return flag(self.ctx, id_, account(who), note, self.press_id())

    def lifts(self, whom: PersonId = NIA, who: PersonId = SUE, reason: str = "talked it over") -> Outcome | Refused:
        self.knows(who)
        return lift(self.ctx, whom, account(who), reason, self.press_id())


def code(answer: Outcome | Refused) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


# ---------------------------------------------------------------- at once


def test_access_is_there_without_anybody_asked_and_ends_by_itself():
    world = Emergency()
    id_ = world.breaks()
    grant = world.grant(id_)
    assert (grant.state, grant.decision.kind) == (GrantState.ACTIVE, DecisionKind.BREAK_GLASS)
    assert world.has_access(id_)
    assert grant.deadline == grant.decision.at + 30 * MINUTE
    world.advance(30 * 60 + 5, step_s=60)
    assert not world.has_access(id_)
    assert world.grant(id_).state is GrantState.ENDED


def test_decision_grant_review_and_use_are_one_commit():
    world = Emergency()
    commits: list[Change] = []
    commit = world.ledger.commit
    world.ledger.commit = lambda change: (commits.append(change), commit(change))[1]  # type: ignore[method-assign]
    id_ = world.breaks()
    (decided,) = [
        change for change in commits if keys.grant(id_) in change.puts and change.commit_id.startswith("glass")
    ]
    assert {keys.request(id_), keys.review(id_), keys.break_glass_uses("payments-prod", NIA)} <= set(decided.puts)
    assert {keys.end_due(id_), keys.review(id_), keys.announced_due(id_)} <= set(decided.due)
    assert [entry.event.value for entry in decided.audit] == ["break_glass.used"]
    assert decided.gives_access


def test_freezes_hours_and_a_missing_ticket_stop_nobody_in_an_emergency():
    never = Hours(frozenset({0}), NOW.time(), (NOW + MINUTE).time())
    role = build.entitlement(hours=never, ticket=Ticket("INC-[0-9]+"))
    place = build.environment(role, break_glass=GLASS, freezes=(Freeze(NOW - HOUR, NOW + HOUR, "Black Friday"),))
    world = Emergency(build.policy(place))
    assert world.has_access(world.breaks())


def test_a_press_that_is_sent_twice_breaks_the_glass_once():
    world = Emergency()
    first, again = world.presses(press="p"), world.presses(press="p")
    world.work()
    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert (first.id, first.outcome) == (again.id, again.outcome)
    assert world.uses() == 1


def test_an_ask_that_is_agreed_to_for_later_is_no_obstacle_either():
    world = Emergency()
    later = world.ask(NIA, start_at=NOW + 3 * HOUR).id
    world.work()
    assert world.approve(later).outcome == "scheduled"
    broken = world.breaks()
    assert world.request(later).state is RequestState.WITHDRAWN
    assert not world.ledger.members(keys.SCHEDULED)
    assert world.grant(broken).state is GrantState.ACTIVE


def test_an_ask_that_still_waits_is_taken_back_by_the_break_glass():
    world = Emergency()
    waiting = world.asked(NIA)
    id_ = world.breaks()
    assert world.has_access(id_)
    assert world.request(waiting).state is RequestState.WITHDRAWN
    assert world.person(NIA).pending == ()


def test_whoever_has_the_access_already_is_shown_it():
    world = Emergency()
    id_ = world.breaks()
    assert world.presses() == Outcome(id_, "have_it")
    assert world.uses() == 1


# ---------------------------------------------------------------- only by those, only so far


def test_nobody_outside_the_policy_breaks_the_glass():
    world = Emergency()
    for who in (DANA, OLU, PAT, SUE):
        assert world.refused(who) is Code.BREAK_GLASS_NOT_ALLOWED
    assert world.refused(NIA, "deploy") is Code.BREAK_GLASS_OTHER_ROLE
    assert Emergency(policy(None)).refused(NIA) is Code.BREAK_GLASS_NOT_ALLOWED


def test_in_production_a_slack_group_that_anybody_may_edit_breaks_no_glass():
    rules = policy()
    slack = Group("oncall", slack_usergroup="S1")
    for trusted, allowed in ((False, False), (True, True)):
        world = Emergency(replace(rules, groups={**rules.groups, "oncall": replace(slack, trusted=trusted)}))
        world.directory.put_members("slack:S1", build.groups().by_name["oncall"])
        assert isinstance(world.presses(), Outcome) is allowed


@pytest.mark.parametrize(
    ("asked", "default", "given"),
    [(None, 10 * MINUTE, 10 * MINUTE), (None, 4 * HOUR, 30 * MINUTE), (20 * MINUTE, HOUR, 20 * MINUTE)],
)
def test_without_a_duration_it_is_the_roles_default_at_most_the_longest(asked, default, given):
    role = build.entitlement(default_duration=default)
    world = Emergency(build.policy(build.environment(role, break_glass=GLASS)))
    assert world.grant(world.breaks(duration=asked)).terms.duration == given


def test_longer_than_the_policy_allows_is_refused():
    assert Emergency().refused(duration=31 * MINUTE) is Code.DURATION_TOO_LONG
    short = Emergency(policy(replace(GLASS, max_total=15 * MINUTE)))
    assert short.refused(duration=16 * MINUTE) is Code.DURATION_TOO_LONG
    assert longest_total(short.policy.policy, short.grant(short.breaks())) == 15 * MINUTE


def test_rights_are_looked_at_again_before_anything_is_given():
    world = Emergency()
    answer = world.presses()
    assert isinstance(answer, Outcome)
    world.policy.policy = replace(policy(None), hash="e" * 64)
    world.activate()
    world.work()
    request = world.request(answer.id)
    assert request.state is RequestState.DENIED
    assert request.closing is not None
    assert request.closing.code == Code.BREAK_GLASS_NOT_ALLOWED


def test_a_decision_that_the_policy_no_longer_bears_gives_nothing():
    world = Emergency()
    answer = world.presses()
    assert isinstance(answer, Outcome)
    world.run(keys.request(answer.id))
    assert world.grant(answer.id).state is GrantState.ACTIVATING
    world.policy.policy = replace(policy(None), hash="e" * 64)
    world.activate()
    world.work()
    assert not world.has_access(answer.id)
    assert world.grant(answer.id).state is GrantState.ACTIVATION_FAILED


def test_so_many_uses_a_day_and_the_next_when_a_day_is_over():
    world = Emergency()
    for _ in range(2):
        world.end(world.breaks(), NIA)
        world.advance(90, 10)
    assert world.refused() is Code.BREAK_GLASS_TOO_OFTEN
    world.advance(24 * 3600 - 200, step_s=1200)
    # Its first review is overdue by then, which is a bar of its own.
    world.lifts()
    assert world.refused() is Code.BREAK_GLASS_TOO_OFTEN
    world.clock.advance(120)
    assert isinstance(world.presses(), Outcome)


def test_two_presses_at_once_cannot_exceed_the_limit():
    world = Emergency(policy(replace(GLASS, max_per_day=1)))
    answers = [world.presses(role=role) for role in ("read-only", "admin")]
    assert all(isinstance(answer, Outcome) for answer in answers), "both are recorded before either is decided"
    world.work()
    ids = [answer.id for answer in answers if isinstance(answer, Outcome)]
    states = sorted(world.request(id_).state for id_ in ids)
    assert states == [RequestState.APPROVED, RequestState.DENIED]
    assert world.uses() == 1


def test_the_use_is_part_of_what_the_decision_rests_on():
    world = Emergency(policy(replace(GLASS, max_per_day=1)))
    first = world.presses(role="admin")
    assert isinstance(first, Outcome)
    commit, item = world.ledger.commit, keys.break_glass_uses("payments-prod", NIA)

    def somebody_was_faster(change: Change) -> object:
        if change.commit_id.startswith("glass:"):
            world.ledger.commit = commit  # type: ignore[method-assign]
            commit(
                Change(
                    "faster",
                    world.clock.now(),
                    {item: 0},
                    puts={item: Uses(item.removeprefix("uses:"), (world.clock.now(),))},
                )
            )
        return commit(change)

    world.ledger.commit = somebody_was_faster  # type: ignore[method-assign,assignment]
    world.work()
    assert world.request(first.id).state is RequestState.DENIED


# ---------------------------------------------------------------- the review


def test_the_holder_cannot_review_their_own_even_as_an_owner():
    world = Emergency(policy(replace(GLASS, who=("owners",))))
    id_ = world.breaks(OLU)
    assert code(world.acknowledges(id_, OLU)) is Code.OWN_REVIEW
    assert code(world.flags(id_, OLU)) is Code.OWN_REVIEW
    assert world.review(id_).state is ReviewState.OWED
    assert isinstance(world.acknowledges(id_, PAT), Outcome)


def test_only_owners_and_security_review():
    world = Emergency()
    id_ = world.breaks()
    assert code(world.acknowledges(id_, DANA)) is Code.NOT_A_REVIEWER
    assert code(world.flags(id_, DANA)) is Code.NOT_A_REVIEWER
    assert world.acknowledges(id_, SUE) == Outcome(id_, "acknowledged", (world.ledger.head(),))


def test_the_review_outlives_the_grant_and_is_done_once():
    world = Emergency()
    id_ = world.breaks()
    world.end(id_, NIA)
    world.advance(90, 10)
    assert world.grant(id_).state is GrantState.ENDED
    assert isinstance(world.acknowledges(id_), Outcome)
    review = world.review(id_)
    assert (review.state, review.by) == (ReviewState.ACKNOWLEDGED, OLU)
    answer = world.flags(id_, PAT)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.params["by"]) == (Code.REVIEWED, "Olu")
    assert keys.review(id_) not in world.ledger.due
    assert world.ledger.count(keys.REVIEWS) == 0


def test_a_flag_needs_a_note():
    world = Emergency()
    id_ = world.breaks()
    assert code(world.flags(id_, note="  ")) is Code.REASON_MISSING
    assert world.review(id_).state is ReviewState.OWED


def test_a_review_is_chased_at_a_quarter_at_half_at_its_end_and_then_daily_once_each():
    world = Emergency()
    id_ = world.breaks()
    since = world.review(id_).since
    world.advance(4 * 24 * 3600, step_s=600)
    hours = [round((at - since) / HOUR, 2) for at in world.review(id_).chased_at]
    assert hours == [6, 12, 24, 48, 72, 96]
    assert world.events(id_).count("review.chased") == 6


def test_after_a_long_silence_the_owners_are_reminded_once_and_not_for_every_point_that_has_passed():
    world = Emergency()
    id_ = world.breaks()
    world.clock.advance(13 * 3600)
    world.run(keys.review(id_))
    world.run(keys.review(id_))
    assert len(world.review(id_).chased_at) == 1
    assert next_chase(world.review(id_)) == world.review(id_).due_at


def test_a_review_is_owed_within_a_day_where_the_policy_does_not_say():
    world = Emergency(policy(replace(GLASS, review_within=None)))
    review = world.review(world.breaks())
    assert review.due_at - review.since == 24 * HOUR


def test_nothing_is_chased_any_more_once_it_is_reviewed():
    world = Emergency()
    id_ = world.breaks()
    world.acknowledges(id_)
    world.advance(30 * 3600, step_s=600)
    assert world.review(id_).chased_at == ()


# ---------------------------------------------------------------- barred


def _flagged(world: Emergency) -> None:
    world.flags(world.breaks())


def _revoked(world: Emergency) -> None:
    world.end(world.breaks(), OLU, "not an emergency")


def _overdue(world: Emergency) -> None:
    world.breaks()
    world.advance(24 * 3600 + 60, step_s=600)


def _blocked(world: Emergency) -> None:
    world.knows(NIA)
    item = keys.person(NIA)
    record = PersonRecord(NIA, "Nia", (account(NIA),), blocked_until=NOW + HOUR)
    world.ledger.commit(Change("blocked", NOW, world.ledger.read(item).versions(), puts={item: record}))


@pytest.mark.parametrize("barring", [_flagged, _revoked, _overdue, _blocked])
def test_nobody_breaks_the_glass_again_before_security_has_lifted_it(barring):
    world = Emergency()
    barring(world)
    world.advance(120, 10)
    assert world.refused(role="admin") is Code.BREAK_GLASS_BARRED
    for who, why in ((OLU, Code.NOT_SECURITY), (NIA, Code.NOT_SECURITY)):
        assert code(world.lifts(who=who)) is why
    answer = world.lifts()
    assert isinstance(answer, Outcome)
    record = world.person(NIA)
    assert (record.break_glass_barred, record.blocked_until) == (None, None)
    assert world.events(answer.id) == ["person.lifted"]
    assert isinstance(world.presses(role="admin"), Outcome)


def test_who_may_not_ask_either_is_not_told_to_ask_as_usual():
    world = Emergency()
    _flagged(world)
    record = world.person(NIA)
    for until, told in ((None, True), (NOW - HOUR, True), (NOW + HOUR, False)):
        refused = break_glass_suspended(policy(), replace(record, blocked_until=until), NOW)
        assert refused is not None
        assert ("Until then, ask as usual" in refusal(refused)) is told
        assert "call one of the owners" in refusal(refused)


def test_what_security_has_lifted_is_not_barred_again_by_the_same_overdue_review():
    world = Emergency()
    _overdue(world)
    world.lifts()
    world.advance(2 * 24 * 3600, step_s=1200)
    assert world.person(NIA).break_glass_barred is None


def test_giving_it_back_bars_nobody():
    world = Emergency()
    world.end(world.breaks(), NIA)
    assert world.person(NIA).break_glass_barred is None


def test_nobody_lifts_their_own_bar_and_nothing_is_lifted_without_a_reason():
    world = Emergency()
    _flagged(world)
    assert code(world.lifts(SUE, SUE)) is Code.OWN_BAR
    assert code(world.lifts(reason=" ")) is Code.REASON_MISSING
    assert code(world.lifts(DANA)) is Code.NOTHING_TO_LIFT


def test_a_bar_that_comes_between_press_and_decision_counts():
    world = Emergency()
    answer = world.presses()
    assert isinstance(answer, Outcome)
    item = keys.person(NIA)
    snapshot = world.ledger.read(item)
    barred = replace(world.person(NIA), break_glass_barred="flagged")
    world.ledger.commit(Change("bar", snapshot.now, snapshot.versions(), puts={item: barred}))
    world.work()
    assert world.request(answer.id).state is RequestState.DENIED


# ---------------------------------------------------------------- announced


def _chat(world: Emergency, id_: str, **postings: Posting) -> None:
    item = keys.chat(id_)
    snapshot = world.ledger.read(item)
    named = {slot.replace("_", ":"): posting for slot, posting in postings.items()}
    change = Change(world.press_id(), snapshot.now, snapshot.versions(), puts={item: ChatRecord(id_, named)})
    world.ledger.commit(change)


def test_what_no_channel_was_told_of_within_two_minutes_is_an_alarm_once():
    world = Emergency()
    id_ = world.breaks()
    _chat(world, id_, glass_U0OLU=Posting("U0OLU", ts="1.0"), receipts_C0R=Posting("C0R", error="not_in_channel"))
    world.advance(119)
    assert "break_glass.unannounced" not in world.events(id_)
    world.advance(2)
    assert world.events(id_).count("break_glass.unannounced") == 1
    assert world.review(id_).unannounced_at is not None
    assert world.ledger.count(keys.UNANNOUNCED) == 1
    world.advance(600, 10)
    assert world.events(id_).count("break_glass.unannounced") == 1


def test_what_a_channel_was_told_of_is_no_alarm():
    world = Emergency()
    id_ = world.breaks()
    _chat(world, id_, card_C0PAYMENTS=Posting("C0PAYMENTS", ts="1.0"))
    world.advance(600, 10)
    assert "break_glass.unannounced" not in world.events(id_)
    assert keys.announced_due(id_) not in world.ledger.due


def test_after_the_alarm_a_channel_that_was_closed_is_tried_again():
    world = Emergency()
    id_ = world.breaks()
    world.advance(121)
    _chat(world, id_, alarm_C0R=Posting("C0R", error="is_archived"))
    world.clock.advance(TRY_AGAIN_EVERY.total_seconds())
    assert check_announced(world.ctx, id_) is False
    record = world.ledger.read(keys.chat(id_)).get(keys.chat(id_), ChatRecord)
    assert record is not None
    assert record.postings == {}


def test_the_panic_switch_bars_whoever_had_broken_the_glass():
    world = Emergency()
    id_ = world.breaks()
    world.knows(SUE)
    assert isinstance(revoke_all(world.ctx, RevocationScope(NIA, "Nia"), account(SUE), "wrong hands", "panic"), Outcome)
    world.work()
    world.advance(3)
    assert world.grant(id_).state is GrantState.REVOKED
    item = keys.person(NIA)
    record = world.ledger.read(item).get(item, PersonRecord)
    assert record is not None
    assert record.break_glass_barred
    assert "person.barred" in world.events(id_)
