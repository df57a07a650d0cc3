"""A certification: what is asked, who may answer what, what stands on the record, who is chased, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support import build
from tests.support.build import DANA, NIA, OLU, PAT, SUE
from tests.support.certification import DAY, all_said, begun, cards, due, items, number, run_of, said
from tests.support.drift import by_hand, passed, settle
from tests.support.world import World
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import AccountRecord
from workflows.core.people import PersonId
from workflows.core.policy import Gate, Group, gate_role
from workflows.core.records.certification import Against, ItemKind, Verdict
from workflows.core.refusal import Code, Refused
from workflows.ports import Change
from workflows.usecases.certification.close import close
from workflows.usecases.certification.see_to import see_to
from workflows.usecases.certification.standing import all_of
from workflows.usecases.certification.start import Wanted, start
from workflows.usecases.shared.context import Outcome

QUICK = build.entitlement("quick", allows="Restart one service")


def world_of() -> World:
    world = World(build.policy(build.environment(build.entitlement(), QUICK)))
    world.knows(DANA, NIA, OLU, PAT)
    return world


def told(world: World, event: Event) -> list[AuditEntry]:
    return [entry for entry in world.all_entries() if entry.event is event]


def refusal(answer: Outcome | Refused) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def outcome(answer: Outcome | Refused) -> str:
    assert isinstance(answer, Outcome), answer
    return answer.outcome


# ---------------------------------------------------------------- what is asked


def test_each_role_is_asked_about_with_what_it_allows_and_how_often_it_was_used() -> None:
    world = world_of()
    for who in (DANA, DANA, NIA):
        world.end(world.active(who), who)
        settle(world)
    begun(world)
    used, unused = (item for item in items(world) if item.kind is ItemKind.ROLE)
    assert (used.name, used.about, used.times, used.people) == ("read-only", "Read logs and metrics", 3, 2)
    assert used.last is not None
    assert used.against == ()
    assert (unused.name, unused.times, unused.last, unused.against) == ("quick", 0, None, (Against.UNUSED,))


def test_what_was_used_before_the_window_does_not_count() -> None:
    world = world_of()
    world.end(world.active())
    settle(world)
    world.clock.advance(91 * DAY.total_seconds())
    begun(world)
    assert items(world)[0].against == (Against.UNUSED,)


def test_where_the_record_is_younger_than_the_window_uses_are_counted_from_its_begin() -> None:
    world = world_of()
    world.active()
    world.clock.advance(3 * DAY.total_seconds())
    begun(world)
    first = world.all_entries()[0]
    assert run_of(world).since == first.at
    world.clock.advance(100 * DAY.total_seconds())
    close(world.ctx, "1", "Ada", "next", "c")
    begun(world)
    assert run_of(world, "2").since == run_of(world, "2").at - 90 * DAY


def test_each_person_is_asked_about_once_with_all_by_which_they_may_do_something() -> None:
    world = world_of()
    begun(world)
    people = {item.person: item for item in items(world) if item.kind is ItemKind.PERSON}
    assert set(people) == {DANA, NIA, OLU, PAT}
    assert (people[DANA].asks, people[DANA].owns) == (("developers",), ())
    assert (people[OLU].asks, people[OLU].owns, people[OLU].approves) == (("platform",), ("platform",), ("platform",))


def test_whoever_may_let_a_pipeline_through_a_gate_is_asked_about_too() -> None:
    gate = Gate("deploy", build.entitlement(gate_role("deploy"), approve={"security": 1}, requesters=()))
    world = World(build.policy(build.environment(gates={"deploy": gate})))
    begun(world)
    (sue,) = (item for item in items(world) if item.person == SUE)
    assert sue.approves == ("security",)


def test_standing_access_is_asked_about_with_since_when_it_is_known() -> None:
    world = world_of()
    by_hand(world, NIA)
    passed(world)
    begun(world)
    (one,) = (item for item in items(world) if item.kind is ItemKind.STANDING)
    assert one.person == NIA
    assert one.against == (Against.STANDING,)
    assert one.since is not None
    assert "read-only" in one.roles


def test_whoever_is_gone_from_the_chat_wants_a_reason_to_stay() -> None:
    world = world_of()
    world.knows(NIA)
    world.chat.people[build.facts(NIA).slack] = build.facts(NIA, standing_problem="person_deactivated")
    world.chat.refresh_person(build.facts(NIA).slack, world.policy.policy)
    begun(world)
    (nia,) = (item for item in items(world) if item.person == NIA)
    assert nia.against == (Against.GONE,)


def test_a_group_of_which_nobody_knows_who_is_in_it_is_said_and_not_taken_for_empty() -> None:
    world = world_of()
    groups = {**world.policy.policy.groups, "developers": Group("developers", slack_usergroup="S0DEV", trusted=True)}
    world.policy.policy = replace(world.policy.policy, groups=groups)
    passed(world)
    begun(world)
    assert cards(world)[0].notes == ("Who is in developers is not known.",)


def test_without_a_whole_comparison_nobody_is_told_that_there_is_no_standing_access() -> None:
    world = world_of()
    begun(world)
    (note,) = cards(world)[0].notes
    assert note.startswith("Whether anybody has access for good is not known")
    close(world.ctx, "1", "Ada", "again", "c")
    passed(world)
    begun(world)
    assert cards(world, "2")[0].notes == ()


ALONE = (
    "Nobody else may say whether Olu stays. Ask whoever keeps the policy's folder for a second owner, or for people in its"
    " panic_group."
)


@pytest.mark.parametrize(
    ("platform", "security", "notes"),
    [
        ({OLU}, None, (ALONE,)),
        ({OLU}, {OLU}, (ALONE,)),
        ({OLU}, {OLU, SUE}, ()),
        ({OLU, PAT}, None, ()),
        ({OLU}, {SUE}, ()),
    ],
    ids=["no panic group", "the same person is all of it", "somebody else in it", "two owners", "a panic group"],
)
def test_where_one_person_alone_may_answer_it_is_said_whom_to_ask_about_them(
    platform: set[PersonId], security: set[PersonId] | None, notes: tuple[str, ...]
) -> None:
    world = world_of()
    changed = {"platform": Group("platform", members=frozenset(platform))}
    if security is not None:
        changed["security"] = Group("security", members=frozenset(security))
    policy = world.policy.policy
    panic = "security" if security is not None else None
    world.policy.policy = replace(policy, groups={**policy.groups, **changed}, panic_group=panic)
    passed(world)
    begun(world)
    assert cards(world)[0].notes == notes


def test_a_group_that_nobody_knows_may_have_somebody_else_who_answers() -> None:
    world = world_of()
    groups = {
        **world.policy.policy.groups,
        "platform": Group("platform", members=frozenset({OLU})),
        "security": Group("security", slack_usergroup="S0SEC", trusted=True),
    }
    world.policy.policy = replace(world.policy.policy, groups=groups)
    passed(world)
    begun(world)
    assert not [note for note in cards(world)[0].notes if "Nobody else" in note]


def test_many_people_stand_on_several_cards_and_numbers_go_on() -> None:
    crowd = frozenset(PersonId(f"p{number:02}@example.com") for number in range(60))
    world = World(build.policy(groups={**build.policy().groups, "developers": Group("developers", members=crowd)}))  # type: ignore[arg-type]  # addresses, as every id here
    begun(world)
    parts = cards(world)
    assert [(part.id, part.page, part.pages, len(part.items)) for part in parts] == [
        ("1-1", 1, 3, 25),
        ("1-2", 2, 3, 25),
        ("1-3", 3, 3, 13),
    ]
    assert [item.number for item in items(world)] == list(range(1, 64))


def test_what_was_cut_off_in_the_middle_is_gone_on_with() -> None:
    """A worker that died between two environments: the other one is asked about, and neither twice."""
    books = build.environment(build.entitlement(environment="books-prod"), name="books-prod", title="Books")
    world = World(build.policy(build.environment(), books))
    answer = start(world.ctx, Wanted("Ada Audit", "the quarter"), world.press_id())
    assert isinstance(answer, Outcome)
    commit, count = world.ledger.commit, [0]

    def dies(change: Change) -> object:
        count[0] += change.commit_id.startswith("certify-ask:")
        if count[0] == 2:
            raise KeyboardInterrupt
        return commit(change)

    world.ledger.commit = dies  # type: ignore[method-assign,assignment]  # a process that is killed
    with pytest.raises(KeyboardInterrupt):
        see_to(world.ctx, "1")
    world.ledger.commit = commit  # type: ignore[method-assign]
    assert len(cards(world)) == 1
    world.work()
    assert [part.environment for part in cards(world)] == ["payments-prod", "books-prod"]
    assert len(told(world, Event.CERTIFICATION_ASKED)) == 2


# ---------------------------------------------------------------- beginning


def test_it_is_on_the_record_who_began_it_and_why() -> None:
    world = world_of()
    begun(world, "payments-prod")
    (entry,) = told(world, Event.CERTIFICATION_STARTED)
    assert entry.private == {"actor_name": "Ada Audit", "reason": "the fourth quarter"}
    assert entry.facts["environments"] == "payments-prod"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Wanted("Ada", "quarter", ("nowhere",)), Code.ENVIRONMENT_UNKNOWN),
        (Wanted("", "quarter"), Code.REASON_MISSING),
        (Wanted("Ada", " "), Code.REASON_MISSING),
        (Wanted("Ada", "quarter", within=timedelta(0)), Code.DURATION_ZERO),
        (Wanted("Ada", "quarter", within=91 * DAY), Code.DURATION_TOO_LONG),
    ],
)
def test_what_cannot_be_begun_is_refused(wanted: Wanted, code: Code) -> None:
    world = world_of()
    assert refusal(start(world.ctx, wanted, "one")) is code
    assert all_of(world.ledger) == ()


def test_an_environment_is_in_one_open_certification_at_a_time_and_the_same_start_is_the_same_one() -> None:
    world = world_of()
    first = start(world.ctx, Wanted("Ada", "quarter"), "same")
    again = start(world.ctx, Wanted("Ada", "quarter"), "other")
    assert outcome(first) == "started"
    assert refusal(again) is Code.CERTIFICATION_OPEN
    close(world.ctx, "1", "Ada", "wrong day", "c")
    assert outcome(start(world.ctx, Wanted("Ada", "quarter"), "third")) == "started"
    assert [one.id for one in all_of(world.ledger)] == ["1", "2"]


# ---------------------------------------------------------------- answering


def test_an_answer_is_one_commit_with_an_entry_for_each_item() -> None:
    world = world_of()
    world.end(world.active())
    settle(world)
    begun(world)
    role, dana = number(world, ItemKind.ROLE, "read-only"), number(world, ItemKind.PERSON, "Dana")
    assert outcome(said(world, OLU, Verdict.KEEP, role, dana)) == "kept"
    entries = told(world, Event.CERTIFICATION_ANSWERED)
    assert [(entry.facts["kind"], entry.facts["said"], entry.private["item"]) for entry in entries] == [
        ("role", "keep", "read-only"),
        ("person", "keep", "Dana"),
    ]
    assert {entry.private["actor"] for entry in entries} == {OLU}


def test_the_same_press_twice_and_the_same_word_twice_change_nothing() -> None:
    world = world_of()
    begun(world)
    dana = number(world, ItemKind.PERSON, "Dana")
    said(world, OLU, Verdict.KEEP, dana, press="one")
    before = world.ledger.head()
    assert outcome(said(world, OLU, Verdict.KEEP, dana, press="one")) == "kept"
    assert outcome(said(world, OLU, Verdict.KEEP, dana, press="two")) == "said"
    assert world.ledger.head() == before


def test_an_answer_can_be_changed_and_both_stand_on_the_record() -> None:
    world = world_of()
    begun(world)
    dana = number(world, ItemKind.PERSON, "Dana")
    said(world, OLU, Verdict.KEEP, dana)
    assert outcome(said(world, PAT, Verdict.REMOVE, dana, reason="moved to Books")) == "removed"
    first, second = told(world, Event.CERTIFICATION_ANSWERED)
    assert (first.facts["said"], first.facts["before"]) == ("keep", "")
    assert (second.facts["said"], second.facts["before"]) == ("remove", "keep")
    (answer,) = (item.answer for item in items(world) if item.number == dana)
    assert answer is not None
    assert (answer.verdict, answer.by, answer.reason) == (Verdict.REMOVE, PAT, "moved to Books")


@pytest.mark.parametrize(("verdict", "name"), [(Verdict.KEEP, "quick"), (Verdict.REMOVE, "Dana")])
def test_a_reason_is_owed_for_what_goes_and_for_what_stays_unused(verdict: Verdict, name: str) -> None:
    world = world_of()
    begun(world)
    one = next(item.number for item in items(world) if item.name == name)
    assert refusal(said(world, OLU, verdict, one)) is Code.REASON_MISSING
    assert outcome(said(world, OLU, verdict, one, reason="for the year's end")) in ("kept", "removed")


def test_nobody_answers_for_themselves_and_another_owner_does() -> None:
    world = world_of()
    begun(world)
    olu = number(world, ItemKind.PERSON, "Olu")
    assert refusal(said(world, OLU, Verdict.KEEP, olu)) is Code.OWN_CERTIFICATION
    assert outcome(said(world, PAT, Verdict.KEEP, olu)) == "kept"


def test_nobody_answers_for_another_account_of_theirs() -> None:
    """Whoever may be the same person as the one that is asked about counts as them."""
    world = world_of()
    world.knows(OLU, NIA)
    begun(world)
    olga = replace(build.facts(OLU), slack=build.facts(NIA).slack)
    world.chat.people[olga.slack] = replace(build.facts(NIA), address=build.facts(OLU).address)
    answer = said(world, NIA, Verdict.KEEP, number(world, ItemKind.PERSON, "Olu"))
    assert isinstance(answer, Refused)


def test_standing_access_of_ones_own_is_somebody_elses_to_answer_for() -> None:
    world = world_of()
    by_hand(world, OLU)
    passed(world)
    begun(world)
    (one,) = (item.number for item in items(world) if item.kind is ItemKind.STANDING)
    assert refusal(said(world, OLU, Verdict.KEEP, one, reason="mine")) is Code.OWN_CERTIFICATION
    assert outcome(said(world, SUE, Verdict.REMOVE, one, reason="ask for it")) == "removed"


def test_owners_and_the_panic_group_answer_and_nobody_else() -> None:
    world = world_of()
    begun(world)
    nia = number(world, ItemKind.PERSON, "Nia")
    assert refusal(said(world, DANA, Verdict.KEEP, nia)) is Code.NOT_A_CERTIFIER
    assert outcome(said(world, SUE, Verdict.KEEP, nia)) == "kept"


def test_whoever_owned_it_when_it_was_asked_and_no_longer_does_may_not_answer() -> None:
    """What holds is the policy at the moment of the press."""
    world = world_of()
    begun(world)
    groups = {**world.policy.policy.groups, "platform": Group("platform", members=frozenset({PAT}))}  # type: ignore[arg-type]
    world.policy.policy = replace(world.policy.policy, groups=groups)
    nia = number(world, ItemKind.PERSON, "Nia")
    assert refusal(said(world, OLU, Verdict.KEEP, nia)) is Code.NOT_A_CERTIFIER
    assert outcome(said(world, PAT, Verdict.KEEP, nia)) == "kept"


def test_an_environment_that_the_policy_no_longer_has_is_answered_for_by_the_panic_group() -> None:
    world = world_of()
    begun(world)
    books = build.environment(build.entitlement(environment="books-prod"), name="books-prod", title="Books")
    world.policy.policy = replace(world.policy.policy, environments={"books-prod": books})
    nia = number(world, ItemKind.PERSON, "Nia")
    assert refusal(said(world, OLU, Verdict.KEEP, nia)) is Code.NOT_A_CERTIFIER
    assert outcome(said(world, SUE, Verdict.KEEP, nia)) == "kept"


def test_whoever_has_left_or_is_on_hold_says_nothing() -> None:
    world = world_of()
    begun(world)
    nia = number(world, ItemKind.PERSON, "Nia")
    world.chat.people[build.facts(OLU).slack] = build.facts(OLU, standing_problem="person_deactivated")
    assert refusal(said(world, OLU, Verdict.KEEP, nia)) is Code.PERSON_DEACTIVATED


def test_an_account_that_becomes_somebody_elses_before_the_commit_says_nothing() -> None:
    world = world_of()
    begun(world)
    world.knows(OLU)
    item = keys.account(build.facts(OLU).account)
    commit, between = world.ledger.commit, [True]

    def races(change: Change) -> object:
        if between and change.commit_id == "mine":
            between.clear()
            snapshot = world.ledger.read(item)
            record = snapshot.get(item, AccountRecord)
            assert record is not None
            commit(Change("other", snapshot.now, snapshot.versions(), puts={item: replace(record, person=PAT)}))
        return commit(change)

    world.ledger.commit = races  # type: ignore[method-assign,assignment]  # somebody is faster
    answer = said(world, OLU, Verdict.KEEP, number(world, ItemKind.PERSON, "Dana"), press="mine")
    assert refusal(answer) is Code.FACTS_STALE
    assert told(world, Event.CERTIFICATION_ANSWERED) == []


@pytest.mark.parametrize(
    ("numbers", "part", "code"),
    [
        ((99,), "1-1", Code.CERTIFICATION_ITEMS),
        ((), "1-1", Code.CERTIFICATION_ITEMS),
        ((1,), "9-9", Code.CERTIFICATION_OVER),
    ],
)
def test_what_is_not_asked_cannot_be_answered(numbers: tuple[int, ...], part: str, code: Code) -> None:
    world = world_of()
    begun(world)
    assert refusal(said(world, OLU, Verdict.KEEP, *numbers, reason="x y", part=part)) is code


def test_answers_of_two_owners_at_once_both_stand() -> None:
    world = world_of()
    begun(world)
    dana, nia = (number(world, ItemKind.PERSON, name) for name in ("Dana", "Nia"))
    world.knows(OLU, PAT)
    commit, between = world.ledger.commit, [True]

    def races(change: Change) -> object:
        if between and change.commit_id == "mine":
            between.clear()
            said(world, PAT, Verdict.KEEP, nia)
        return commit(change)

    world.ledger.commit = races  # type: ignore[method-assign,assignment]  # somebody is faster
    assert outcome(said(world, OLU, Verdict.KEEP, dana, press="mine")) == "kept"
    assert {item.name for item in items(world) if item.answer is not None} == {"Dana", "Nia"}


def test_a_removal_changes_no_policy_and_takes_nothing_away() -> None:
    world = world_of()
    id_ = world.active()
    begun(world)
    before = world.policy.policy
    said(world, OLU, Verdict.REMOVE, number(world, ItemKind.PERSON, "Dana"), reason="moved")
    world.work()
    assert world.policy.policy is before
    assert world.has_access(id_)


# ---------------------------------------------------------------- chasing, and the end


def test_whoever_does_not_answer_is_reminded_and_after_the_time_the_panic_group_is_called() -> None:
    world = world_of()
    begun(world, within=8 * DAY)
    for days in (4, 2, 2, 1):
        world.clock.advance(days * DAY.total_seconds())
        world.work()
        world.work()
    entries = told(world, Event.CERTIFICATION_CHASED)
    assert [(entry.facts["times"], entry.facts["escalated"]) for entry in entries] == [
        ("1", "false"),
        ("2", "false"),
        ("3", "true"),
        ("4", "false"),
    ]
    assert entries[0].facts["environments"] == "payments-prod"
    assert run_of(world).escalated_at == entries[2].at
    assert due(world) == pytest.approx(DAY.total_seconds(), abs=5)


def test_after_days_without_a_worker_there_is_one_reminder_and_not_several() -> None:
    world = world_of()
    begun(world, within=8 * DAY)
    world.clock.advance(20 * DAY.total_seconds())
    world.work()
    (entry,) = told(world, Event.CERTIFICATION_CHASED)
    assert entry.facts["escalated"] == "true"


def test_nobody_is_chased_where_everything_is_answered() -> None:
    world = world_of()
    begun(world, within=8 * DAY)
    all_said(world)
    world.clock.advance(4 * DAY.total_seconds())
    world.work()
    assert told(world, Event.CERTIFICATION_CHASED) == []


def test_it_closes_by_itself_when_its_time_is_over_and_all_is_answered_and_not_before() -> None:
    world = world_of()
    begun(world, within=8 * DAY)
    all_said(world)
    for _ in range(2):
        world.work()
        world.run(keys.certification("1"))
        assert run_of(world).is_open
        world.clock.advance(4 * DAY.total_seconds())
    world.work()
    assert not run_of(world).is_open
    (entry,) = told(world, Event.CERTIFICATION_CLOSED)
    assert (entry.facts["kept"], entry.facts["removed"], entry.facts["open"]) == ("6", "0", "0")
    assert keys.certification("1") not in world.ledger.due


def test_one_that_is_overdue_closes_with_the_last_answer() -> None:
    world = world_of()
    begun(world, within=8 * DAY)
    world.clock.advance(9 * DAY.total_seconds())
    world.work()
    assert run_of(world).is_open
    all_said(world)
    world.work()
    assert not run_of(world).is_open


def test_one_that_is_closed_takes_no_answer_and_is_kept() -> None:
    world = world_of()
    begun(world)
    assert outcome(close(world.ctx, "1", "Ada Audit", "begun by mistake", "c")) == "closed"
    assert refusal(said(world, OLU, Verdict.KEEP, 1, reason="x y")) is Code.CERTIFICATION_OVER
    assert refusal(close(world.ctx, "1", "Ada Audit", "again", "d")) is Code.CERTIFICATION_OVER
    assert outcome(close(world.ctx, "1", "Ada Audit", "begun by mistake", "c")) == "closed"
    assert [one.closed_by for one in all_of(world.ledger)] == ["Ada Audit"]
    assert len(items(world)) == 6


def test_an_answer_between_reading_and_closing_is_not_lost() -> None:
    world = world_of()
    begun(world)
    dana = number(world, ItemKind.PERSON, "Dana")
    commit, between = world.ledger.commit, [True]

    def races(change: Change) -> object:
        if between and change.commit_id == "c":
            between.clear()
            said(world, PAT, Verdict.KEEP, dana)
        return commit(change)

    world.ledger.commit = races  # type: ignore[method-assign,assignment]  # somebody is faster
    close(world.ctx, "1", "Ada Audit", "the day is over", "c")
    (entry,) = told(world, Event.CERTIFICATION_CLOSED)
    assert entry.facts["kept"] == "1"
