"""The access review, in exact numbers: pure, over rows; then read from a ledger; then in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.chat.wording import access_review as w
from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NIA, NOW, OLU, PAT
from tests.support.world import World
from workflows.core.access_review.compile import review
from workflows.core.access_review.model import CouldBeRule, CouldBeSmaller, CouldGo, Report
from workflows.core.access_review.rows import Agreed, Row, RowOutcome
from workflows.core.people import PersonId
from workflows.core.policy import AutoApproval, BreakGlass, Policy, Risk, Tier
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.refusal import Code, Refused
from workflows.usecases.oversight.access_review import PAGE, access_report
from workflows.usecases.oversight.refusals import record_refusal

DAY = timedelta(days=1)
SINCE = NOW - 90 * DAY
SECOND = timedelta(seconds=1)


def policy(**changes: object) -> Policy:
    roles = (build.entitlement(), build.entitlement("admin", risk=Risk.ADMIN))
    return build.policy(build.environment(*roles, **changes))


def row(number: int = 1, who: PersonId = DANA, at: datetime = NOW - 10 * DAY, **changes: object) -> Row:
    """Approved by Olu after 40 s, and held for an hour."""
    own = Row(
        id=f"PA-{number}",
        holder=who,
        holder_name=build.facts(who).name,
        environment="payments-prod",
        role="read-only",
        tier=Tier.PRODUCTION,
        risk=Risk.READ,
        at=at,
        outcome=RowOutcome.APPROVED,
        waited=40 * SECOND,
        votes=(Agreed(OLU, "Olu", 40 * SECOND),),
        began=at + MINUTE,
        ended=at + MINUTE + HOUR,
    )
    return replace(own, **changes)


def not_given(outcome: RowOutcome, number: int = 1, **changes: object) -> Row:
    own = {"waited": None, "votes": (), "began": None, "ended": None}
    return row(number, outcome=outcome, **(own | changes))


def reviewed(rows: list[Row], **changes: object) -> Report:
    return review(rows, changes.pop("policy", None) or policy(), SINCE, NOW, **changes)


# ---------------------------------------------------------------- who had what


def test_one_person_and_role_is_one_line_with_times_length_days_and_approvers():
    rows = [
        row(1, at=NOW - 10 * DAY),
        row(2, at=NOW - 10 * DAY + 2 * HOUR, votes=(Agreed(PAT, "Pat", 20 * SECOND),), waited=20 * SECOND),
        row(3, at=NOW - 5 * DAY, waited=30 * SECOND),
    ]
    (found,) = reviewed(rows).access
    assert (found.name, found.times, found.held, found.days) == ("Dana", 3, 3 * HOUR, 2)
    assert (found.approvers, found.answered_in) == ((("Olu", 2), ("Pat", 1)), 30 * SECOND)
    assert (found.last, found.now) == (NOW - 5 * DAY + MINUTE + HOUR, False)


def test_only_what_was_open_within_the_period_counts_as_held():
    before = row(1, at=SINCE - 2 * HOUR, began=SINCE - HOUR, ended=SINCE + HOUR)
    open_ = row(2, at=NOW - HOUR, began=NOW - HOUR, ended=None)
    long_over = row(3, at=SINCE - 3 * HOUR, ended=SINCE - HOUR)
    found = reviewed([before, open_, long_over])
    assert found.sums.held == 2 * HOUR
    assert (found.access[0].times, found.access[0].now, found.access[0].last) == (2, True, NOW)
    assert found.sums.asked == 1, "what was asked for before the period is not counted as asked in it"


def test_a_grant_over_several_days_counts_each_of_them():
    (found,) = reviewed([row(at=NOW - 10 * DAY, began=NOW - 10 * DAY, ended=NOW - 7 * DAY)]).access
    assert found.days == 3


def test_the_sums_tell_what_became_of_each_ask():
    outcomes = (RowOutcome.DENIED, RowOutcome.WITHDRAWN, RowOutcome.EXPIRED, RowOutcome.IMPOSSIBLE, RowOutcome.WAITING)
    rows = [row(1), row(2, NIA, outcome=RowOutcome.BREAK_GLASS, votes=()), row(3, outcome=RowOutcome.BY_RULE, rule="r")]
    rows += [not_given(outcome, number) for number, outcome in enumerate(outcomes, start=4)]
    sums = reviewed(rows, refused=7).sums
    assert (sums.asked, sums.approved, sums.by_rule, sums.break_glass, sums.refused) == (8, 1, 1, 1, 7)
    assert (sums.denied, sums.withdrawn, sums.expired, sums.impossible, sums.waiting) == (1, 1, 1, 1, 1)
    assert (sums.people, sums.held) == (2, 3 * HOUR)


def test_rules_and_break_glass_stand_where_approvers_do():
    rows = [
        row(1, outcome=RowOutcome.BY_RULE, rule="own staging", votes=()),
        row(2, outcome=RowOutcome.BREAK_GLASS, votes=()),
    ]
    (found,) = reviewed(rows).access
    assert found.approvers == (("break-glass", 1), ("rule 'own staging'", 1))
    assert (found.break_glass, found.answered_in) == (1, None)


def test_who_gave_more_time_approved_it_too_and_it_is_no_access_of_its_own():
    pat = (Agreed(PAT, "Pat", 20 * SECOND),)
    rows = [row(1, ended=NOW), row(2, at=NOW - 9 * DAY, extends="PA-1", votes=pat, began=None, ended=None)]
    (found,) = reviewed(rows).access
    assert (found.times, found.approvers) == (1, (("Olu", 1), ("Pat", 1)))


def test_other_environments_are_left_out_where_one_is_asked_for():
    found = reviewed([row(1), row(2, environment="other")], environments=("other",))
    assert ([item.environment for item in found.access], found.sums.asked, found.unused) == (["other"], 1, ())


# ---------------------------------------------------------------- what to look at


def test_a_break_glass_stands_there_with_its_review():
    own = Review("PA-1", "payments-prod", NIA, ReviewState.OWED, NOW - 2 * DAY, NOW - DAY)
    done = replace(own, state=ReviewState.FLAGGED, by=OLU, by_name="Olu", at=NOW - 2 * DAY + HOUR, note="not needed")
    rows = [
        row(number, NIA, at=NOW - 2 * DAY + number * MINUTE, outcome=RowOutcome.BREAK_GLASS, votes=(), review=item)
        for number, item in ((1, own), (2, done), (3, replace(own, due_at=NOW + HOUR)))
    ]
    late, flagged, owed = reviewed(rows).break_glass
    assert [late.overdue, flagged.overdue, owed.overdue] == [True, False, False]
    assert (flagged.reviewer, flagged.reviewed_in, flagged.note) == ("Olu", HOUR, "not needed")
    told = w.to_look_at(reviewed(rows))
    assert [line.partition("; ")[2] for line in told] == [
        "the review is overdue",
        "flagged by Olu after 1 h: not needed",
    ]


def test_roles_without_a_grant_are_never_used_and_say_whether_somebody_asked():
    used = reviewed([row(1), not_given(RowOutcome.DENIED, 2, role="admin")])
    assert [(item.role, item.asked, item.spare) for item in used.unused] == [("admin", 1, False)]
    assert used.suggestions == (), "what people ask for in vain is not to be taken out"


def test_a_role_that_failed_to_be_given_was_not_used():
    found = reviewed([row(1, began=None, ended=NOW)])
    assert ("payments-prod", "read-only") in [(item.environment, item.role) for item in found.unused]


def quick_votes(count: int, seconds: float, by: PersonId = OLU) -> list[Row]:
    after = timedelta(seconds=seconds)
    return [row(n, votes=(Agreed(by, "Olu", after),), waited=after) for n in range(count)]


def test_who_approves_everything_within_seconds_is_named():
    (found,) = reviewed(quick_votes(10, 4)).quick
    assert (found.who, found.decisions, found.median) == (OLU, 10, 4 * SECOND)
    assert w.quick_words(found).startswith("Olu approved all of 10, in 4 s at the median, and never denied anything")


@pytest.mark.parametrize(
    "rows",
    [
        quick_votes(9, 4),
        quick_votes(10, 10),
        [*quick_votes(10, 4), not_given(RowOutcome.DENIED, 99, denied_by=OLU)],
        [replace(item, at=SINCE - DAY) for item in quick_votes(10, 4)],
    ],
    ids=["too few", "slow enough to read", "denied once", "before the period"],
)
def test_who_may_have_read_what_they_agreed_to_is_not_named(rows: list[Row]):
    assert reviewed(rows).quick == ()


# ---------------------------------------------------------------- suggestions


def asks(count: int = 14, **changes: object) -> list[Row]:
    people = ((OLU, "Olu"), (PAT, "Pat"), (NIA, "Nia"))
    return [row(n, votes=(Agreed(*people[n % 3], 40 * SECOND),), **changes) for n in range(count)]


def rules_proposed(rows: list[Row], **changes: object) -> list[CouldBeRule]:
    role = build.entitlement(**changes)
    found = reviewed(rows, policy=build.policy(build.environment(role)))
    return [item for item in found.suggestions if isinstance(item, CouldBeRule)]


def test_what_was_always_approved_soon_could_be_a_rule():
    (found,) = rules_proposed(asks())
    assert found == CouldBeRule("payments-prod", "read-only", 14, 3, 40 * SECOND)
    assert w.suggestion_words(found) == (
        "read-only in payments-prod was always approved (14 of 14, by 3 people, in 40 s at the median): "
        "a rule could approve it"
    )


@pytest.mark.parametrize(
    "rows",
    [
        asks(9),
        [*asks(), not_given(RowOutcome.DENIED, 99)],
        [*asks(), not_given(RowOutcome.EXPIRED, 99)],
        [*asks(), row(99, lessened=True)],
        asks(waited=6 * MINUTE),
        [row(n, votes=(Agreed(*((PAT, "Pat"), (OLU, "Olu"))[n % 15 < 8], 40 * SECOND),)) for n in range(15)],
        [row(n, votes=(Agreed(*((PAT, "Pat"), (OLU, "Olu"))[n % 2], (9 - n % 2) * SECOND),)) for n in range(14)],
    ],
    ids=[
        *("too few", "denied once", "nobody answered once", "less was given once", "it took people minutes"),
        *("one gave over half of the answers", "within seconds"),
    ],
)
def test_what_people_thought_about_is_not_proposed_as_a_rule(rows: list[Row]):
    assert rules_proposed(rows) == []


@pytest.mark.parametrize(
    "changes",
    [{"risk": Risk.ADMIN}, {"risk": Risk.CHANGE}, {"danger": "loses data"}, {"approve": {"owners": 1, "security": 1}}],
)
def test_what_can_do_harm_is_not_proposed_as_a_rule(changes: dict[str, object]):
    assert rules_proposed(asks(), **changes) == []


def test_withdrawn_asks_extensions_and_rules_do_not_stand_against_a_rule():
    rows = [
        *asks(10),
        not_given(RowOutcome.DENIED, 97, extends="PA-1"),
        not_given(RowOutcome.WITHDRAWN, 98),
        row(99, outcome=RowOutcome.BY_RULE, rule="r", votes=()),
    ]
    assert [item.asked for item in rules_proposed(rows)] == [10]


def test_what_nobody_used_could_go_unless_it_is_kept_for_emergencies():
    (found,) = [item for item in reviewed([row()]).suggestions if isinstance(item, CouldGo)]
    assert found == CouldGo("payments-prod", "admin", 90)
    assert w.suggestion_words(found) == "nobody used admin in payments-prod for 90 days: take the role out"
    break_glass = BreakGlass(("oncall",), ("admin",), HOUR)
    assert reviewed([row()], policy=policy(break_glass=break_glass)).suggestions == ()


def test_a_young_record_takes_no_role_out():
    assert review([], policy(), NOW - 29 * DAY, NOW).suggestions == ()
    assert len(review([], policy(), NOW - 30 * DAY, NOW).suggestions) == 2


def admin_on(days: int, **changes: object) -> list[object]:
    own = {"role": "admin", "risk": Risk.ADMIN} | changes
    rows = [row(number, at=SINCE + number * DAY + HOUR, **own) for number in range(days)]
    return [item for item in reviewed(rows).suggestions if isinstance(item, CouldBeSmaller)]


def test_admin_on_every_third_day_is_asked_about():
    (found,) = admin_on(40)
    assert found == CouldBeSmaller("Dana", "payments-prod", "admin", 40, 90)
    assert w.suggestion_words(found) == (
        "Dana had admin in payments-prod on 40 of 90 days: ask whether a smaller role would do"
    )
    assert len(admin_on(30)) == 1
    assert admin_on(29) == []
    assert admin_on(40, risk=Risk.READ) == []
    assert admin_on(40, risk=Risk.CHANGE, tier=Tier.STAGING) == []


# ---------------------------------------------------------------- from the ledger


def own_rule() -> AutoApproval:
    return build.auto("own staging", ("developers",), max_duration=30 * MINUTE)


def test_it_is_read_from_the_record():
    world = World(build.policy(build.environment(build.entitlement(auto_approve=(own_rule(),)))))
    first = world.asked()
    world.advance(40, 20)
    world.approve(first)
    world.work()
    world.advance(3700, 300)
    world.active(duration=30 * MINUTE)
    world.deny(world.asked(NIA), OLU)
    world.withdraw(world.asked(PAT), PAT)
    world.advance(60, 60)
    found = access_report(world.ctx, 90 * DAY)
    (access,) = found.access
    assert (access.name, access.times, access.now) == ("Dana", 2, True)
    assert access.approvers == (("Olu", 1), ("rule 'own staging'", 1))
    assert access.answered_in == 40 * SECOND
    sums = found.sums
    assert (sums.asked, sums.approved, sums.by_rule, sums.denied, sums.withdrawn) == (4, 1, 1, 1, 1)


def test_it_begins_with_the_record_where_that_is_younger():
    world = World()
    world.active()
    began = world.all_entries()[0].at
    world.advance(7200, 600)
    found = access_report(world.ctx, 90 * DAY)
    assert (found.since, found.until) == (began, world.clock.now())


def test_what_it_reads_grows_with_the_period_and_not_with_the_past(monkeypatch: pytest.MonkeyPatch):
    world = World()
    for number in range(6):
        world.clock.advance(DAY.total_seconds())
        world.withdraw(world.asked(reason=f"INC-{number} checkout errors"))
    read: list[str] = []
    entries: list[int] = []
    read_all, entries_all = world.ledger.read, world.ledger.entries
    monkeypatch.setattr(world.ledger, "read", lambda *names, **more: read.extend(names) or read_all(*names, **more))
    monkeypatch.setattr(
        world.ledger,
        "entries",
        lambda **more: entries.append(len(found := entries_all(**more))) or found,
    )
    found = access_report(world.ctx, DAY / 2)
    assert found.sums.asked == 1
    assert read == ["request:PA-6", "grant:PA-6", "review:PA-6"]
    assert sum(entries) < len(entries_all(limit=1000))


def test_many_requests_are_read_in_pages_and_each_once(monkeypatch: pytest.MonkeyPatch):
    world = World()
    monkeypatch.setattr("workflows.usecases.oversight.access_review.PAGE", 2)
    for _ in range(5):
        world.withdraw(world.asked())
    assert (PAGE, access_report(world.ctx, DAY).sums.withdrawn) == (200, 5)


def test_refusals_are_counted_from_the_log():
    world = World()
    id_ = world.asked()
    assert access_report(world.ctx, DAY).sums.refused == 0
    for number in range(4):
        record_refusal(world.ctx, DANA, id_, Refused(Code.OWN_REQUEST), f"press-{number}-x")
    world.advance(61)
    assert access_report(world.ctx, DAY).sums.refused == 4
