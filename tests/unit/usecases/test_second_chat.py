"""One person in two chats: the first account in the second one is theirs when the bound one in the first says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import build
from tests.support.build import DANA, GUS, HOUR, OLU, PAT, SUE
from tests.support.people import TENANT, account_record, acts, gets_address, identity, in_teams
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import Account, Address, Suspension, Why
from workflows.core.people import Membership, PersonId
from workflows.core.policy import BreakGlass, Group
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.identification import QUESTIONS_A_DAY
from workflows.ledger.codec import decode, encode
from workflows.ports import Change
from workflows.usecases.decisions.approve import approve, deny
from workflows.usecases.identity.confirm_account import Saying, confirm, confirm_by_hand, held_account
from workflows.usecases.identity.second_chat import Answer, answer
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import RevocationScope, aim_at, revoke_all
from workflows.usecases.shared.actor import bound_to
from workflows.usecases.shared.context import Outcome

ASK = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")


@pytest.fixture
def world() -> World:
    return World()


def code(said: object) -> Code | None:
    return said.code if isinstance(said, Refused) else None


def first_act(world: World, who: PersonId = OLU, user: str = "aad-1") -> Account:
    """The person is bound in Slack, and somebody with their address acts in Teams."""
    world.knows(who)
    there = in_teams(world, user, str(who))
    acts(world, there)
    return there


def says(world: World, by: Account, about: Account, *, mine: bool = True, press: str = "") -> Outcome | Refused:
    """Pressed under the question as it stands now."""
    held = held_account(world.ctx, about.id)
    hash_ = held.hash if held is not None else ""
    world.chat.refresh_person(by, world.policy.policy)
    return answer(world.ctx, Answer(about.id, mine, hash_), by, press or world.press_id())


def entries(world: World, event: Event) -> list[AuditEntry]:
    return [entry for entry in world.ledger.entries(limit=1000) if entry.event is event]


def questions(world: World) -> list[AuditEntry]:
    return [one for one in entries(world, Event.PERSON_BINDING_CHANGED) if one.facts["why"] == "second_chat"]


# ---------------------------------------------------------------- asked, and answered


def test_a_persons_first_account_ever_is_bound_in_whatever_chat(world: World):
    there = in_teams(world, "aad-1", "olu@example.com")
    assert acts(world, there).id == OLU
    assert account_record(world, there).suspended is None


def test_under_the_address_of_somebody_in_another_chat_it_gives_nothing_and_they_are_asked(world: World):
    id_ = world.asked()
    there = first_act(world)
    hold = account_record(world, there).suspended
    assert hold is not None
    assert (hold.why, hold.asked_in, hold.word, hold.claims) == (Why.NEW_ACCOUNT, ("slack",), "second_chat", OLU)
    (asked,) = questions(world)
    assert (asked.private["account"], asked.private["claims"], asked.facts["asked_in"]) == (there.id, OLU, "slack")
    for refused in (
        approve(world.ctx, id_, there, world.press_id()),
        ask_for_access(world.ctx, ASK, there, Origin(), world.press_id()),
        # It is nobody's yet: there is nothing of its own that it could take back, and it speaks for nobody who may say no.
        deny(world.ctx, id_, there, "no", world.press_id()),
        revoke_all(world.ctx, RevocationScope(DANA, "Dana"), there, "mischief", world.press_id()),
    ):
        assert code(refused) is Code.PERSON_SUSPENDED
        assert refused.params["asked_in"] == "slack"
    assert isinstance(world.approve(id_, OLU), Outcome), "who was there first goes on"
    assert world.directory.of_person(OLU).slack == account(OLU)


def test_whoever_was_in_teams_first_is_asked_there(world: World):
    there = in_teams(world, "aad-1", "olu@example.com")
    acts(world, there)
    world.knows(OLU)
    hold = account_record(world, account(OLU)).suspended
    assert (hold.asked_in, hold.claims) == (("teams",), OLU)
    assert isinstance(says(world, there, account(OLU)), Outcome)
    assert acts(world, account(OLU)).id == OLU


def test_yes_makes_it_theirs_on_record_with_both_accounts(world: World):
    there = first_act(world)
    assert says(world, account(OLU), there).outcome == "confirmed"
    assert acts(world, there).id == OLU
    assert account_record(world, there).suspended is None
    assert identity(world, OLU).accounts == (account(OLU).id, there.id)
    assert set(bound_to(world.ctx, OLU)) == {account(OLU), there}
    (entry,) = entries(world, Event.PERSON_CONFIRMED)
    assert (entry.private["account"], entry.private["by_account"]) == (there.id, account(OLU).id)
    assert (entry.private["before_accounts"], entry.facts["by"]) == (account(OLU).id, "own_account")
    assert there.id not in world.ledger.members(keys.ON_HOLD, limit=10)


def test_no_leaves_it_to_security_for_good(world: World):
    there = first_act(world)
    before = held_account(world.ctx, there.id)
    assert says(world, account(OLU), there, mine=False).outcome == "disowned"
    (entry,) = entries(world, Event.PERSON_DISOWNED)
    assert (entry.private["actor"], entry.private["account"]) == (OLU, there.id)
    for _ in range(3):
        world.advance(3600, step_s=3600)
        hold = acts(world, there).suspended
        assert (hold.word, hold.asked_in) == ("disowned", ())
    assert len(entries(world, Event.PERSON_BINDING_CHANGED)) == 1, "they are not asked again"
    # A button that was left somewhere gives nothing either.
    world.knows(OLU)
    late = answer(world.ctx, Answer(there.id, mine=True, hash=before.hash), account(OLU), world.press_id())
    assert (code(late), late.params) == (Code.NOTHING_TO_CONFIRM, {"asked": "over"})
    assert isinstance(confirm_by_hand(world.ctx, Saying(there.id, True, "met her"), "Ada", "cli"), Outcome)
    assert acts(world, there).id == OLU


def test_only_the_bound_account_says_it(world: World):
    there = first_act(world)
    world.knows(PAT, SUE)
    stranger = in_teams(world, "aad-9", "pat@example.com", "Pat")
    acts(world, stranger)
    assert code(says(world, account(PAT), there)) is Code.NOT_ASKED
    assert code(says(world, account(SUE), there)) is Code.NOT_ASKED, "security has its own way"
    assert code(says(world, there, there)) is Code.PERSON_SUSPENDED
    assert code(says(world, stranger, there)) is Code.PERSON_SUSPENDED, "its own owner is bound, in the other chat"
    assert code(says(world, account(GUS), there, mine=False)) is Code.NOT_ASKED
    assert account_record(world, there).person is None
    assert isinstance(says(world, account(OLU), there), Outcome)


def test_who_is_on_hold_themselves_or_gone_is_not_asked_and_cannot_say_it(world: World):
    there = first_act(world)
    gets_address(world, OLU, "olu.o@example.com")
    assert code(says(world, account(OLU), there)) is Code.PERSON_SUSPENDED
    assert acts(world, there).suspended.asked_in == ()
    assert entries(world, Event.PERSON_BINDING_CHANGED)[-1].facts["why"] == "new_account", "security hears of it now"
    gets_address(world, OLU, "olu@example.com")
    acts(world, account(OLU))
    facts = world.chat.people[account(OLU)]
    world.chat.people[account(OLU)] = replace(facts, standing_problem=Code.PERSON_DEACTIVATED.value)
    world.chat.refresh_person(account(OLU), world.policy.policy)
    assert acts(world, there).suspended.asked_in == ()
    assert code(says(world, account(OLU), there)) is Code.PERSON_DEACTIVATED


def test_security_says_it_as_ever_and_two_of_them_for_an_owner(world: World):
    there = first_act(world)
    world.knows(SUE, PAT)
    held = held_account(world.ctx, there.id)
    saying = Saying(there.id, same=True, reason="met him", hash=held.hash)
    world.chat.refresh_person(there, world.policy.policy)
    assert confirm(world.ctx, saying, account(SUE), "sue").outcome == "second_needed"
    assert code(confirm(world.ctx, saying, account(OLU), "olu")) in (Code.NOT_SECURITY, Code.OWN_ACCOUNT)
    assert confirm(world.ctx, saying, account(PAT), "pat").outcome == "confirmed"
    assert acts(world, there).id == OLU


def test_yes_after_security_has_said_that_it_is_somebody_else(world: World):
    there = first_act(world)
    held = held_account(world.ctx, there.id)
    assert isinstance(confirm_by_hand(world.ctx, Saying(there.id, False, "a namesake"), "Ada", "cli"), Outcome)
    world.chat.refresh_person(account(OLU), world.policy.policy)
    late = answer(world.ctx, Answer(there.id, mine=True, hash=held.hash), account(OLU), world.press_id())
    assert isinstance(late, Refused)
    assert acts(world, there).id not in (OLU, "")
    assert there.id not in identity(world, OLU).accounts


def test_twice_and_by_two_processes_at_once_it_is_said_once(world: World):
    there = first_act(world)
    held = held_account(world.ctx, there.id)
    said = Answer(there.id, mine=True, hash=held.hash)
    world.chat.refresh_person(account(OLU), world.policy.policy)
    commit, inner = world.ledger.commit, []

    def between(change: Change):
        if change.commit_id == "one":
            world.ledger.commit = commit
            inner.append(answer(world.ctx, said, account(OLU), "other"))
        return commit(change)

    world.ledger.commit = between
    first = answer(world.ctx, said, account(OLU), "one")
    assert inner[0].outcome == "confirmed"
    assert (code(first), first.params) == (Code.NOTHING_TO_CONFIRM, {"asked": "yes"})
    assert answer(world.ctx, said, account(OLU), "other").outcome == "confirmed", "sent again, it is answered as before"
    assert len(entries(world, Event.PERSON_CONFIRMED)) == 1


def test_what_was_said_of_another_hold_is_said_of_none(world: World):
    there = first_act(world)
    world.knows(OLU)
    late = answer(world.ctx, Answer(there.id, mine=True, hash="of another one"), account(OLU), world.press_id())
    assert (code(late), late.params) == (Code.HOLD_CHANGED, {"asked": "yes"})
    assert account_record(world, there).person is None


def test_who_is_put_on_hold_while_they_answer_has_not_answered(world: World):
    there = first_act(world)
    held = held_account(world.ctx, there.id)
    world.knows(OLU)
    read = world.ledger.read

    def changed(*names: str, commit_id: str | None = None):
        if commit_id == "yes":
            world.ledger.read = read
            gets_address(world, OLU, "olu.o@example.com")
            acts(world, account(OLU))
        return read(*names, commit_id=commit_id)

    world.ledger.read = changed
    assert (
        code(answer(world.ctx, Answer(there.id, mine=True, hash=held.hash), account(OLU), "yes"))
        is Code.PERSON_SUSPENDED
    )
    assert account_record(world, there).person is None


# ---------------------------------------------------------------- what changes while it waits


def test_two_accounts_that_claim_the_same_person_are_two_questions(world: World):
    one = first_act(world)
    other = in_teams(world, "aad-2", "olu@example.com", "Olu")
    acts(world, other)
    assert [entry.private["account"] for entry in questions(world)] == [one.id, other.id]
    assert isinstance(says(world, account(OLU), one), Outcome)
    assert account_record(world, other).person is None
    assert isinstance(says(world, account(OLU), other, mine=False), Outcome)
    assert (acts(world, one).id, acts(world, other).suspended.word) == (OLU, "disowned")
    assert code(says(world, one, other)) is Code.NOT_ASKED, "an account of the same chat is not asked"


def test_an_address_that_changes_while_the_question_waits_is_another_question(world: World):
    there = first_act(world)
    world.knows(PAT)
    held = held_account(world.ctx, there.id)
    world.chat.people[there] = replace(world.chat.people[there], address=Address("pat@example.com"))
    # The chat is asked about the account before anything is said of it.
    world.chat.refresh_person(account(OLU), world.policy.policy)
    world.clock.advance(61)
    world.knows(OLU)
    stale = answer(world.ctx, Answer(there.id, mine=True, hash=held.hash), account(OLU), world.press_id())
    assert code(stale) is Code.NOT_ASKED
    assert [entry.private["claims"] for entry in questions(world)] == [OLU, PAT]
    assert isinstance(says(world, account(PAT), there), Outcome)
    assert acts(world, there).id == PAT


def test_an_account_that_may_do_nothing_by_now_is_nobodys(world: World):
    there = first_act(world)
    world.chat.people[there] = replace(world.chat.people[there], standing_problem=Code.PERSON_GUEST.value)
    world.clock.advance(61)
    refused = says(world, account(OLU), there)
    assert (code(refused), refused.params["why"]) == (Code.HELD_UNFIT, "person_guest")


def test_nobody_is_flooded_with_questions(world: World):
    world.knows(OLU)
    for number in range(QUESTIONS_A_DAY + 3):
        acts(world, in_teams(world, f"aad-{number}", "olu@example.com"))
    assert len(questions(world)) == QUESTIONS_A_DAY
    last = account_record(world, Account("teams", TENANT, f"aad-{QUESTIONS_A_DAY}"))
    assert last.suspended.word == "new_account", "security says whose it is"
    for _ in range(5):
        acts(world, Account("teams", TENANT, "aad-0"))
    assert len(questions(world)) == QUESTIONS_A_DAY, "an account that comes back asks nothing new"
    assert account_record(world, Account("teams", TENANT, "aad-0")).suspended.word == "second_chat"


def test_a_name_to_and_fro_asks_nobody_for_ever(world: World):
    there = first_act(world)
    world.knows(PAT)
    for address in ("pat@example.com", "olu@example.com") * 10:
        world.chat.people[there] = replace(world.chat.people[there], address=Address(address))
        acts(world, there)
    asked = [entry.private["claims"] for entry in questions(world)]
    assert (asked.count(OLU), asked.count(PAT)) == (QUESTIONS_A_DAY, QUESTIONS_A_DAY)


def test_an_older_process_reads_such_a_hold_and_leaves_it_to_security(world: World):
    record = account_record(world, first_act(world))
    stored = encode(f"account:{record.account}", record).decode()
    assert '"why":"new_account"' in stored
    without = stored.replace(',"asked_in":["slack"],"disowned_at":null', "")
    assert without != stored
    hold = decode(f"account:{record.account}", without).suspended
    assert hold == Suspension(Why.NEW_ACCOUNT, hold.since, Address("olu@example.com"), OLU)


# ---------------------------------------------------------------- persons count, whatever they press in


def both(world: World, who: PersonId, user: str) -> Account:
    there = first_act(world, who, user)
    assert isinstance(says(world, account(who), there), Outcome)
    acts(world, there)
    return there


def test_who_asks_in_one_chat_and_presses_in_the_other_decides_on_their_own(world: World):
    there = both(world, OLU, "aad-olu")
    id_ = world.asked(OLU)
    assert code(approve(world.ctx, id_, there, world.press_id())) is Code.OWN_REQUEST
    again = ask_for_access(world.ctx, ASK, there, Origin(), world.press_id())
    assert (again.id, again.outcome) == (id_, "have_it"), "what waits already is the same person's"
    assert world.request(id_).decision is None


def test_what_was_asked_in_the_second_chat_is_as_much_their_own_in_the_first(world: World):
    there = both(world, OLU, "aad-olu")
    asked = ask_for_access(world.ctx, ASK, there, Origin(), world.press_id())
    assert isinstance(asked, Outcome)
    world.work()
    assert code(world.approve(asked.id, OLU)) is Code.OWN_REQUEST
    assert isinstance(world.withdraw(asked.id, OLU), Outcome)


def test_fifty_presses_from_both_chats_give_one_grant(world: World):
    there = both(world, OLU, "aad-olu")
    id_ = world.asked()
    done = [approve(world.ctx, id_, (account(OLU), there)[n % 2], f"press {n}") for n in range(50)]
    assert sum(isinstance(one, Outcome) for one in done) == 1
    world.work()
    assert world.request(id_).decision is not None
    assert [vote.by for vote in world.request(id_).votes] == [OLU]
    assert len(entries(world, Event.GRANT_ACTIVE)) == 1


def test_an_owner_by_a_group_of_slack_decides_in_teams_and_a_newcomer_there_does_not():
    own = build.policy()
    owners = Group("platform", slack_usergroup="S0PLATFORM", trusted=True)
    world = World(replace(own, groups={**own.groups, "platform": owners}))
    world.directory.put_members("slack:S0PLATFORM", Membership(as_of=build.NOW, accounts=frozenset({account(OLU)})))
    there = first_act(world, OLU, "aad-olu")
    id_ = world.asked()
    assert code(approve(world.ctx, id_, there, world.press_id())) is Code.PERSON_SUSPENDED
    says(world, account(OLU), there)
    acts(world, there)
    assert isinstance(approve(world.ctx, id_, there, world.press_id()), Outcome)


def test_a_rule_counts_a_persons_uses_in_both_chats():
    rule = build.auto("on call reads", max_uses_per_day=1)
    world = World(build.policy(build.environment(build.entitlement(auto_approve=(rule,)))))
    there = both(world, DANA, "aad-dana")
    first = world.asked(DANA)
    assert world.request(first).decision is not None
    assert isinstance(world.end(first, DANA), Outcome)
    world.work()
    world.advance(3)
    second = ask_for_access(world.ctx, ASK, there, Origin(), world.press_id())
    assert isinstance(second, Outcome)
    world.work()
    assert world.request(second.id).decision is None, "it is used up"


def test_who_is_barred_from_break_glass_is_so_in_both_chats():
    glass = build.environment(break_glass=BreakGlass(("platform",), ("read-only",), HOUR))
    world = World(build.policy(glass))
    there = both(world, OLU, "aad-olu")
    item = keys.person(OLU)
    snapshot = world.ledger.read(item)
    record = replace(snapshot.get(item, PersonRecord), break_glass_barred="flagged")
    world.ledger.commit(Change("bar", snapshot.now, snapshot.versions(), puts={item: record}))
    for who in (account(OLU), there):
        acts(world, who)
        assert code(break_glass(world.ctx, ASK, who, Origin(), world.press_id())) is Code.BREAK_GLASS_BARRED


def test_one_person_has_one_vote_in_two_chats():
    role = build.entitlement(approve={"owners": 2})
    world = World(build.policy(build.environment(role)))
    there = both(world, OLU, "aad-olu")
    id_ = world.asked()
    assert isinstance(world.approve(id_, OLU), Outcome)
    assert code(approve(world.ctx, id_, there, world.press_id())) is Code.ALREADY_VOTED
    assert world.request(id_).decision is None
    assert isinstance(world.approve(id_, PAT), Outcome)
    assert world.request(id_).decision is not None


def test_the_panic_switch_in_one_chat_takes_back_what_was_asked_in_the_other(world: World):
    there = both(world, DANA, "aad-dana")
    id_ = world.active(DANA)
    sue = both(world, SUE, "aad-sue")
    # In Teams security names her by her account there.
    scope = aim_at(world.ctx, world.directory.person(there))
    assert scope.person == DANA
    assert isinstance(revoke_all(world.ctx, scope, sue, "stolen laptop", world.press_id()), Outcome)
    world.work()
    world.advance(3)
    assert not world.has_access(id_)
    world.knows(DANA)
    blocked = ask_for_access(world.ctx, ASK, account(DANA), Origin(), world.press_id())
    assert code(blocked) is Code.PERSON_BLOCKED
    acts(world, there)
    assert code(ask_for_access(world.ctx, ASK, there, Origin(), world.press_id())) is Code.PERSON_BLOCKED


def test_the_panic_switch_means_whom_an_account_claims_that_is_nobodys_yet(world: World):
    id_ = world.active(DANA)
    there = first_act(world, DANA, "aad-dana")
    world.knows(SUE)
    scope = aim_at(world.ctx, world.directory.person(there))
    assert isinstance(revoke_all(world.ctx, scope, account(SUE), "stolen laptop", world.press_id()), Outcome)
    world.work()
    world.advance(3)
    assert not world.has_access(id_)


def test_asked_in_one_chat_it_is_ended_in_the_other(world: World):
    there = both(world, DANA, "aad-dana")
    id_ = world.active(DANA)
    assert isinstance(end(world.ctx, id_, there, "", world.press_id()), Outcome)
