"""An account is whose it was bound to. Nobody becomes somebody else, or stops somebody else, by an address."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.build import DANA, GUS, HOUR, NIA, NOW, OLU, PAT, SUE, auto, entitlement, environment, policy
from tests.support.people import account_record, acts, gets_address, identity, new_account
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.identity import Account, AccountRecord, Address, Suspension, Why, address_of
from workflows.core.people import Membership, PersonId
from workflows.core.policy import BreakGlass, Group, Policy
from workflows.core.records.grant import GrantState
from workflows.core.records.oversight import BulkRevocation
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.ledger.codec import decode
from workflows.ports import Change, DirectoryUnreachable, IndexEntry
from workflows.usecases.decisions.approve import approve, decline, deny, withdraw
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.identity.confirm_account import Saying, confirm, confirm_by_hand, holds, holds_about
from workflows.usecases.oversight.delegate import delegate, end_delegation
from workflows.usecases.oversight.unblock import lift
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import RevocationScope, aim_at, revoke_all
from workflows.usecases.shared.actor import bound_to
from workflows.usecases.shared.adopt_accounts import adopt
from workflows.usecases.shared.context import Context, Outcome
from workflows.usecases.upkeep.mend_indexes import make_again

ASK = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")


@pytest.fixture
def world() -> World:
    return World()


def code(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def owners_are_a_slack_group() -> Policy:
    """Requesters by address, owners by account: what the field tried."""
    own = policy()
    return replace(
        own, groups={**own.groups, "platform": Group("platform", slack_usergroup="S0PLATFORM", trusted=True)}
    )


# ---------------------------------------------------------------- nobody approves their own access


def test_nobody_approves_their_own_ask_after_changing_the_accounts_address():
    world = World(owners_are_a_slack_group())
    owners = Membership(as_of=NOW, accounts=frozenset({account(OLU), account(PAT)}))
    world.directory.put_members("slack:S0PLATFORM", owners)
    id_ = world.asked(OLU)
    gets_address(world, OLU, "olu.other@example.com")
    world.clock.advance(61)
    world.directory.put_members("slack:S0PLATFORM", replace(owners, as_of=world.clock.now()))
    assert code(world.approve(id_, OLU)) is Code.PERSON_SUSPENDED
    world.work()
    assert world.request(id_).decision is None
    assert world.directory.person(account(OLU)).id == OLU, "it is whose it was"


def test_nobody_approves_by_an_account_that_asked_whoever_it_belongs_to_by_now(world: World):
    """Security said, wrongly or not, that the account is another person's: then that person has no say in what it asked."""
    id_ = world.asked(OLU)
    gets_address(world, OLU, "pat@example.com")
    acts(world, account(OLU))
    saying = Saying(account(OLU).id, same=False, reason="looks like Pat")
    assert isinstance(confirm_by_hand(world.ctx, saying, "Ada", "cli"), Outcome)
    assert acts(world, account(OLU)).id == PAT
    assert code(world.approve(id_, OLU)) is Code.OWN_REQUEST


def test_whom_an_account_claims_to_be_decides_nothing_of_theirs(world: World):
    """Pat's own account is fine; but Olu's other account says that it is Pat."""
    world.knows(PAT)
    id_ = world.asked(OLU)
    gets_address(world, OLU, "pat@example.com")
    acts(world, account(OLU))
    assert identity(world, OLU).also == (PAT,)
    assert identity(world, PAT).also == (OLU,)
    assert code(world.approve(id_, PAT)) is Code.OWN_REQUEST
    gets_address(world, OLU, "olu@example.com")
    acts(world, account(OLU))
    assert (identity(world, OLU).also, identity(world, PAT).also) == ((), ())
    assert isinstance(world.approve(id_, PAT), Outcome)


# ---------------------------------------------------------------- another workspace, another account


@pytest.mark.parametrize("how", ["approve", "glass", "ask"])
def test_an_owners_user_id_from_another_workspace_is_not_the_owner(how: str):
    glass = environment(break_glass=BreakGlass(("platform",), ("read-only",), HOUR))
    world = World(policy(glass))
    world.knows(OLU)
    id_ = world.asked()
    there = new_account(world, "UOLU", "olu@example.com", "Olu", team="T9")
    world.chat.refresh_person(there, world.policy.policy)
    press = world.press_id()
    answer = {
        "approve": lambda: approve(world.ctx, id_, there, press),
        "glass": lambda: break_glass(world.ctx, ASK, there, Origin(), press),
        "ask": lambda: ask_for_access(world.ctx, ASK, there, Origin(), press),
    }[how]()
    assert code(answer) is Code.PERSON_SUSPENDED
    assert world.request(id_).decision is None
    assert identity(world, OLU).accounts == (account(OLU).id,), "it was not bound"


def test_an_account_under_an_owners_address_stops_nobody_and_is_nobody(world: World):
    world.knows(OLU)
    id_ = world.asked()
    there = new_account(world, "UNEW", "olu@example.com", "Olu")
    assert acts(world, there).suspended.why is Why.NEW_ACCOUNT
    assert code(approve(world.ctx, id_, there, "newcomer")) is Code.PERSON_SUSPENDED
    assert (
        code(revoke_all(world.ctx, RevocationScope(DANA, "Dana"), there, "mischief", "newcomer-2"))
        is Code.PERSON_SUSPENDED
    )
    # The owner's cards, the recheck and the panic switch go by the first account.
    assert world.directory.of_person(OLU).slack == account(OLU)
    assert isinstance(world.approve(id_, OLU), Outcome)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE
    assert isinstance(
        revoke_all(world.ctx, RevocationScope(DANA, "Dana"), account(OLU), "stolen laptop", "owner"), Outcome
    )


def test_the_recheck_goes_by_the_account_that_agreed(world: World):
    """The newcomer is fine, and is not who agreed; the owner is a guest by the time of giving."""
    world.knows(OLU)
    id_ = world.asked()
    assert isinstance(world.approve(id_, OLU), Outcome)
    acts(world, new_account(world, "UNEW", "olu@example.com", "Olu"))
    facts = world.chat.people[account(OLU)]
    world.chat.people[account(OLU)] = replace(facts, standing_problem="person_guest")
    world.chat.refresh_person(account(OLU), world.policy.policy)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED


def test_of_two_accounts_of_one_owner_the_one_that_agreed_is_looked_at(world: World):
    world.knows(OLU, PAT)
    second = new_account(world, "UOLU2", "olu@example.com", "Olu")
    acts(world, second)
    assert isinstance(confirm_by_hand(world.ctx, Saying(second.id, True, "his phone"), "Ada", "cli"), Outcome)
    assert acts(world, second).id == OLU
    id_ = world.asked()
    assert isinstance(approve(world.ctx, id_, second, "by the second"), Outcome)
    facts = world.chat.people[second]
    world.chat.people[second] = replace(facts, standing_problem="person_guest")
    world.chat.refresh_person(second, world.policy.policy)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED


def test_a_first_account_is_bound_and_the_second_of_two_at_once_is_not(world: World):
    first = new_account(world, "U1", "ana@example.com")
    second = new_account(world, "U2", "ana@example.com")
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id.startswith("whose:account:slack:T1:U1:"):
            world.ledger.commit = commit
            acts(world, second)
        return commit(change)

    adopt(world.ctx)
    world.ledger.commit = between
    found = acts(world, first)
    assert found.suspended is not None
    assert account_record(world, second).person == "ana@example.com"
    assert account_record(world, first).person is None


# ---------------------------------------------------------------- a changed address


def test_what_gives_is_refused_and_what_takes_back_is_not():
    roles = (entitlement(), entitlement("deploy"))
    world = World(policy(environment(*roles)))
    active, waiting, mine = world.active(), world.asked(role="deploy"), world.asked(OLU, role="deploy")
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    who, ctx, press = account(OLU), world.ctx, world.press_id
    until = world.clock.now() + timedelta(days=1)
    gives = (
        ask_for_access(ctx, ASK, who, Origin(), press()),
        approve(ctx, waiting, who, press()),
        approve_reduced(ctx, waiting, who, None, timedelta(minutes=30), press()),
        delegate(ctx, who, world.chat.people[account(NIA)], until, press()),
        lift(ctx, DANA, who, "why not", press()),
        confirm(ctx, Saying(who.id, same=True, reason="it is me"), who, press()),
    )
    assert [code(answer) for answer in gives] == [Code.PERSON_SUSPENDED] * 6
    takes = (
        withdraw(ctx, mine, who, press()),
        deny(ctx, waiting, who, "no", press()),
        end(ctx, active, who, "enough", press()),
        revoke_all(ctx, RevocationScope(environment="payments-prod"), who, "all of it", press()),
    )
    assert [code(answer) for answer in takes] in ([None] * 4, [None] * 3 + [Code.NOTHING_TO_REVOKE])
    assert code(end_delegation(ctx, who, press())) is Code.DELEGATE_NONE


def test_access_stays_found_returned_and_taken_back_whatever_the_address_is_now(world: World):
    id_ = world.active()
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    facts = world.directory.person(account(DANA))
    assert facts.id == DANA
    assert world.ledger.members(keys.of_person(keys.LIVE, facts.id)) == [id_]
    world.knows(SUE)
    answer = revoke_all(world.ctx, RevocationScope(facts.id, "Dana"), account(SUE), "stolen laptop", "panic")
    assert isinstance(answer, Outcome)
    world.work()
    world.advance(3)
    assert not world.has_access(id_)
    bulk_revocation = world.ledger.read(keys.bulk_revocation(answer.id)).get(
        keys.bulk_revocation(answer.id), BulkRevocation
    )
    assert bulk_revocation.taken == (id_,)
    record = world.ledger.read(keys.person(DANA)).get(keys.person(DANA), PersonRecord)
    assert record.blocked_until is not None


def test_whoever_holds_it_returns_it_with_another_address(world: World):
    id_ = world.active()
    gets_address(world, DANA, "dana.new@example.com")
    assert isinstance(world.end(id_, DANA), Outcome)


def test_the_address_that_was_bound_ends_the_hold_by_itself_and_on_record(world: World):
    world.knows(OLU)
    gets_address(world, OLU, "olu.o@example.com")
    assert acts(world, account(OLU)).suspended.address == "olu.o@example.com"
    gets_address(world, OLU, "olu@example.com")
    assert acts(world, account(OLU)).suspended is None
    told = [entry.event.value for entry in world.ledger.entries_of(keys.hold_subject(account(OLU).id))]
    assert told == ["person.bound", "person.binding_changed", "person.resumed"]
    assert holds(world.ctx) == ()


def test_a_renamed_domain_puts_nobody_on_hold(world: World):
    id_ = world.active()
    world.policy.policy = replace(
        world.policy.policy,
        hash="e" * 64,
        email_domains=("example.net",),
        former_domains={"example.com": "example.net"},
    )
    world.activate()
    gets_address(world, DANA, "dana@example.net")
    gets_address(world, OLU, "olu@example.net")
    assert acts(world, account(DANA)).suspended is None
    assert acts(world, account(OLU)).id == OLU
    assert identity(world, DANA).current == ("dana@example.net",)
    assert world.directory.by_address(Address("dana@example.net")).id == DANA
    assert isinstance(world.end(id_, DANA), Outcome)
    # Whoever has never acted is still whom the old list means, and one person.
    gets_address(world, NIA, "nia@example.net")
    waiting = world.asked(NIA)
    assert world.directory.groups(world.policy.policy, ("platform",)).members(("platform",)) == {OLU, "pat@example.net"}
    gets_address(world, PAT, "pat@example.net")
    assert isinstance(world.approve(waiting, PAT), Outcome)


def test_an_address_in_capitals_is_the_same_address_and_stops_nobody(world: World):
    world.knows(SUE)
    stranger = new_account(world, "U1", "SUE@Example.com".lower(), "Somebody")
    assert acts(world, stranger).suspended.claims == SUE
    assert world.directory.person(account(SUE)).suspended is None


# ---------------------------------------------------------------- a hold, and what was decided


def test_a_hold_between_read_and_commit_voids_the_approval(world: World):
    world.knows(OLU)
    id_ = world.asked()
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id == "race":
            world.ledger.commit = commit
            gets_address(world, OLU, "olu.o@example.com")
            acts(world, account(OLU))
        return commit(change)

    world.ledger.commit = between
    assert code(world.approve(id_, OLU, press="race")) is Code.PERSON_SUSPENDED
    assert world.request(id_).decision is None


@pytest.mark.parametrize("who", [DANA, OLU])
def test_a_hold_of_either_side_between_read_and_commit_voids_it(who: PersonId):
    """Of the requester, and of who agreed before."""
    world = World(policy(environment(entitlement(approve={"owners": 2}))))
    id_ = world.asked()
    assert world.approve(id_, OLU).outcome == "agreed"
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id == "race":
            world.ledger.commit = commit
            gets_address(world, who, "other@example.com")
            acts(world, account(who))
        return commit(change)

    world.ledger.commit = between
    answer = world.approve(id_, PAT, press="race")
    assert code(answer) is Code.PARTY_ON_HOLD if who == DANA else answer.outcome == "agreed"
    assert world.request(id_).decision is None


def test_what_was_decided_and_is_not_given_waits_until_the_hold_is_over(world: World):
    id_ = world.asked()
    assert isinstance(world.approve(id_, OLU), Outcome)
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    world.advance(30)
    assert world.grant(id_).state is GrantState.ACTIVATING
    assert not world.has_access(id_)
    gets_address(world, OLU, "olu@example.com")
    acts(world, account(OLU))
    world.advance(10)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_a_vote_of_an_account_on_hold_counts_again_when_that_is_over():
    world = World(policy(environment(entitlement(approve={"owners": 2}))))
    id_ = world.asked()
    assert world.approve(id_, OLU).outcome == "agreed"
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    assert world.approve(id_, PAT).outcome == "agreed", "one of two"
    gets_address(world, OLU, "olu@example.com")
    acts(world, account(OLU))
    assert world.approve(id_, OLU).outcome == "approved"


def test_an_open_grant_keeps_its_end_while_its_holder_is_on_hold(world: World):
    id_ = world.active()
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    world.advance(120, 10)
    assert world.grant(id_).state is GrantState.ACTIVE
    world.advance(3600, 60)
    assert world.grant(id_).state is GrantState.ENDED


def test_no_rule_gives_to_an_account_on_hold():
    rule = auto("quick", ("developers",))
    world = World(policy(environment(entitlement(auto_approve=(rule,)))))
    answer = world.ask()
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    world.work()
    assert world.request(answer.id).decision is None


# ---------------------------------------------------------------- everybody who has a part, under the id of now


def moves(world: World, who: PersonId, **changes: object) -> None:
    """Their workspace joins an organisation: the same account has another id."""
    facts = world.chat.people[account(who)]
    world.chat.people[account(who)] = replace(facts, tenant="E1", **changes)
    acts(world, account(who))


@pytest.mark.parametrize("who", [DANA, OLU])
def test_who_moved_into_an_organisation_and_is_on_hold_is_on_hold(who: PersonId):
    """Whoever asked, and whoever agreed before: nothing is refused that is not so."""
    world = World(policy(environment(entitlement(approve={"owners": 2}))))
    id_ = world.asked()
    assert world.approve(id_, OLU).outcome == "agreed"
    moves(world, who, address=Address("other@example.com"))
    answer = world.approve(id_, PAT)
    assert code(answer) is Code.PARTY_ON_HOLD if who == DANA else answer.outcome == "agreed"
    assert world.request(id_).decision is None
    gets_address(world, who, str(who))
    acts(world, account(who))
    last = PAT if who == DANA else OLU
    assert world.approve(id_, last).outcome == "approved"
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE


def test_what_was_decided_waits_for_who_moved_and_is_on_hold(world: World):
    id_ = world.asked()
    assert isinstance(world.approve(id_), Outcome)
    moves(world, DANA, address=Address("other@example.com"))
    world.advance(30)
    assert world.grant(id_).state is GrantState.ACTIVATING
    assert all(one.event != "grant.activation_failed" for one in world.ledger.entries_of(id_))


def test_the_vote_of_who_moved_counts(world: World):
    world.policy.policy = policy(environment(entitlement(approve={"owners": 2})))
    world.activate()
    id_ = world.asked()
    assert world.approve(id_, OLU).outcome == "agreed"
    moves(world, OLU)
    assert world.approve(id_, PAT).outcome == "approved"
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE


def second_account(world: World, who: PersonId, user: str) -> Account:
    """Another account of theirs, as somebody has confirmed."""
    world.knows(who)
    found = new_account(world, user, str(who), build_name(who))
    acts(world, found)
    said = confirm_by_hand(world.ctx, Saying(found.id, True, "saw the badge"), "ops", f"second {user}")
    assert isinstance(said, Outcome)
    acts(world, found)
    return found


def build_name(who: PersonId) -> str:
    return str(who).partition("@")[0].title()


def claims(world: World, who: Account, address: str) -> None:
    world.chat.people[who] = replace(world.chat.people[who], address=Address(address))
    acts(world, who)


@pytest.mark.parametrize(("first", "second"), [(OLU, PAT), (PAT, OLU)])
def test_two_of_whom_ones_account_claims_to_be_the_other_take_one_seat(first: PersonId, second: PersonId):
    world = World(policy(environment(entitlement(approve={"owners": 2}))))
    there = second_account(world, OLU, "UOLU2")
    id_ = world.asked()
    claims(world, there, "pat@example.com")
    assert world.approve(id_, first).outcome == "agreed"
    answer = world.approve(id_, second)
    assert code(answer) is Code.COUNTS_AS_VOTER
    assert answer.params["name"] == build_name(first)
    assert len(world.request(id_).votes) == 1, "what brings nothing is not written down as agreed"
    claims(world, there, "olu@example.com")
    assert world.approve(id_, second).outcome == "approved"


def test_a_claim_after_both_have_agreed_makes_what_was_decided_wait():
    world = World(policy(environment(entitlement(approve={"owners": 2}))))
    there = second_account(world, OLU, "UOLU2")
    id_ = world.asked()
    for who in (OLU, PAT):
        assert isinstance(world.approve(id_, who), Outcome)
    claims(world, there, "pat@example.com")
    world.advance(30)
    assert world.grant(id_).state is GrantState.ACTIVATING
    claims(world, there, "olu@example.com")
    world.advance(10)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_a_claim_between_read_and_commit_voids_the_second_seat():
    world = World(policy(environment(entitlement(approve={"owners": 2}))))
    there = second_account(world, OLU, "UOLU2")
    id_ = world.asked()
    assert world.approve(id_, OLU).outcome == "agreed"
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id == "race":
            world.ledger.commit = commit
            claims(world, there, "pat@example.com")
        return commit(change)

    world.ledger.commit = between  # type: ignore[method-assign]
    assert code(world.approve(id_, PAT, press="race")) is Code.COUNTS_AS_VOTER
    assert world.request(id_).decision is None


def test_nobody_makes_one_person_of_two_owners_by_claiming_to_be_both():
    """Gus's accounts claim Olu and Pat. Each counts as him, and they are still two."""
    world = World(policy(environment(entitlement(approve={"owners": 2}))))
    world.knows(OLU, PAT, GUS)
    there = second_account(world, GUS, "UGUS2")
    id_ = world.asked()
    claims(world, account(GUS), "olu@example.com")
    claims(world, there, "pat@example.com")
    assert set(identity(world, GUS).also) == {OLU, PAT}
    assert world.approve(id_, OLU).outcome == "agreed"
    assert world.approve(id_, PAT).outcome == "approved"


def test_another_account_of_somebody_that_is_on_hold_stops_nothing_of_theirs_and_gives_nobody_a_say(world: World):
    """Nobody stops a person by what a second account carries; whom that account claims to be is no independent approver."""
    there = second_account(world, DANA, "UDANA2")
    world.knows(OLU, PAT)
    claims(world, there, "olu@example.com")
    id_ = world.asked()
    assert code(world.approve(id_, OLU)) is Code.OWN_REQUEST
    assert world.approve(id_, PAT).outcome == "approved"
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE
    new = new_account(world, "UNEW", "dana@example.com", "Dana")
    acts(world, new)
    again = world.more_asked(id_)
    assert world.approve(again, PAT).outcome == "extended", "an account under her address stops her no more"


def away(world: World) -> str:
    """Two have to agree; Olu is away, and Gus decides in his place."""
    world.policy.policy = policy(environment(entitlement(approve={"owners": 2})))
    world.activate()
    world.knows(OLU, GUS)
    until = world.clock.now() + timedelta(days=2)
    assert isinstance(delegate(world.ctx, account(OLU), world.directory.person(account(GUS)), until, "away"), Outcome)
    return world.asked()


def test_a_hold_of_whose_place_is_taken_between_read_and_commit_voids_it(world: World):
    id_ = away(world)
    world.policy.policy = policy(environment(entitlement()))
    world.activate()
    commit = world.ledger.commit

    def between(change: Change):
        if change.commit_id == "race":
            world.ledger.commit = commit
            gets_address(world, OLU, "olu.o@example.com")
            acts(world, account(OLU))
        return commit(change)

    world.ledger.commit = between  # type: ignore[method-assign]
    assert code(world.approve(id_, GUS, press="race")) is Code.NOT_AN_APPROVER
    assert world.request(id_).decision is None


def test_a_vote_in_the_place_of_somebody_on_hold_waits_like_their_own(world: World):
    id_ = away(world)
    assert world.approve(id_, GUS).outcome == "agreed"
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    assert world.approve(id_, PAT).outcome == "agreed", "one of two"
    assert {vote.by for vote in world.request(id_).votes} == {GUS, PAT}
    gets_address(world, OLU, "olu@example.com")
    acts(world, account(OLU))
    assert world.approve(id_, PAT).outcome == "approved"
    assert {vote.by: vote.for_ for vote in world.request(id_).votes} == {GUS: (OLU,), PAT: ()}


def test_a_vote_in_the_place_of_somebody_who_left_does_not(world: World):
    id_ = away(world)
    assert world.approve(id_, GUS).outcome == "agreed"
    facts = world.chat.people[account(OLU)]
    world.chat.people[account(OLU)] = replace(facts, standing_problem="person_deactivated")
    world.chat.refresh_person(account(OLU), world.policy.policy)
    assert world.approve(id_, PAT).outcome == "agreed"
    assert [vote.by for vote in world.request(id_).votes] == [PAT]


def more_time_by_two(world: World) -> tuple[str, str]:
    """Access that the bot alone ends, and an ask for more to which Olu has agreed."""
    world.policy.policy = policy(environment(entitlement(approve={"owners": 2})))
    world.activate()
    id_ = world.asked()
    for who in (OLU, PAT):
        world.approve(id_, who)
    world.work()
    more = world.more_asked(id_)
    assert world.approve(more, OLU).outcome == "agreed"
    return id_, more


@pytest.mark.parametrize("how", ["left", "hold", "moved and hold"])
def test_more_time_is_not_given_on_the_vote_of_somebody_of_whom_nobody_has_heard_since(world: World, how: str):
    """The chat knows; no event of it came. Where the deadline alone moves a worker looks as well."""
    id_, more = more_time_by_two(world)
    before = world.grant(id_).deadline
    facts = world.chat.people[account(OLU)]
    changes = {
        "left": {"standing_problem": "person_deactivated"},
        "hold": {"address": Address("olu.o@example.com")},
        "moved and hold": {"tenant": "E1", "address": Address("olu.o@example.com")},
    }
    world.clock.advance(120)
    world.chat.people[account(OLU)] = replace(facts, **changes[how])
    assert world.approve(more, PAT).outcome == "extended"
    world.advance(10)
    assert world.grant(id_).deadline == before
    if how == "left":
        assert world.events(id_)[-1] == "grant.extension_failed"
        return
    world.chat.people[account(OLU)] = facts
    acts(world, account(OLU))
    world.advance(10)
    assert world.grant(id_).deadline == before + HOUR


def test_more_time_that_nobody_can_look_into_ends_at_the_old_end_and_says_why(world: World):
    id_, more = more_time_by_two(world)
    before = world.grant(id_).deadline
    world.clock.advance(120)
    world.knows(PAT)
    world.chat.unreachable = True
    assert isinstance(approve(world.ctx, more, account(PAT), "last"), Outcome)
    world.advance(61 * 60, 20)
    grant = world.grant(id_)
    assert (grant.state, grant.deadline) == (GrantState.ENDED, before)
    (failed,) = [one for one in world.ledger.entries_of(id_) if one.event == "grant.extension_failed"]
    assert failed.private["reason"] == "that the approval still stands could not be told in time"


# ---------------------------------------------------------------- whoever cannot act is no approver


@pytest.mark.parametrize("how", ["left", "hold"])
def test_an_ask_that_nobody_usable_could_approve_is_answered_at_once(how: str):
    world = World(
        policy(environment(), groups={**policy().groups, "platform": Group("platform", members=frozenset({OLU}))})
    )
    world.knows(OLU)
    if how == "left":
        facts = world.chat.people[account(OLU)]
        world.chat.people[account(OLU)] = replace(facts, standing_problem="person_deactivated")
        world.chat.refresh_person(account(OLU), world.policy.policy)
    else:
        gets_address(world, OLU, "olu.o@example.com")
        acts(world, account(OLU))
    assert code(world.ask()) is Code.NOBODY_CAN_APPROVE


def test_what_is_only_known_from_long_ago_refuses_nobody(world: World):
    """Owners who were deactivated a day ago may be back: a worker looks first."""
    for who in (OLU, PAT):
        world.knows(who)
        facts = world.chat.people[account(who)]
        gone = replace(facts, standing_problem="person_deactivated")
        world.chat.people[account(who)] = gone
        world.chat.refresh_person(account(who), world.policy.policy)
    world.clock.advance(24 * 3600)
    assert code(world.ask()) is Code.FACTS_STALE


# ---------------------------------------------------------------- who leaves


def test_who_leaves_with_open_access_is_told_of_once(world: World):
    id_ = world.active()
    facts = world.chat.people[account(DANA)]
    world.chat.people[account(DANA)] = replace(facts, standing_problem="person_deactivated")
    for _ in range(2):
        world.run(keys.whois(account(DANA)))
        world.run(keys.LEAVERS)
    subject = keys.hold_subject(account(DANA).id)
    (entry,) = [one for one in world.ledger.entries_of(subject) if one.event == "person.left"]
    assert entry.facts["open"] == id_
    assert keys.chat(subject) in world.ledger.due
    world.chat.people[account(DANA)] = facts
    world.run(keys.whois(account(DANA)))
    assert account_record(world, account(DANA)).left_at is None
    assert acts(world, account(DANA)).suspended is None, "back is back: the same account, the same binding"


def test_news_of_a_stranger_binds_nobody(world: World):
    stranger = new_account(world, "U1", "ana@example.com")
    world.run(keys.whois(stranger))
    assert world.ledger.read(keys.account(stranger.id)).items[keys.account(stranger.id)].record is None


def test_news_of_a_changed_address_put_the_account_on_hold_before_it_acts(world: World):
    world.knows(OLU)
    gets_address(world, OLU, "olu.o@example.com")
    world.run(keys.whois(account(OLU)))
    assert account_record(world, account(OLU)).suspended.why is Why.ADDRESS_CHANGED


# ---------------------------------------------------------------- an organisation


def test_a_workspace_that_joins_an_organisation_puts_nobody_on_hold(world: World):
    id_ = world.active()
    facts = world.chat.people[account(DANA)]
    world.chat.people[account(DANA)] = replace(facts, tenant="E1")
    found = acts(world, account(DANA))
    assert (found.id, found.suspended, found.account) == (DANA, None, "slack:E1:UDANA")
    assert isinstance(world.end(id_, DANA), Outcome)
    there = Account("slack", "T2", "UDANA")
    world.chat.people[there] = replace(facts, tenant="E1", slack=there)
    assert acts(world, there).id == DANA, "from another workspace of it, too"


def test_a_move_into_an_organisation_together_with_another_address_is_a_hold(world: World):
    world.knows(OLU)
    facts = world.chat.people[account(OLU)]
    world.chat.people[account(OLU)] = replace(facts, tenant="E1", address=Address("pat@example.com"))
    found = acts(world, account(OLU))
    assert (found.id, found.suspended.why) == (OLU, Why.ADDRESS_CHANGED)


# ---------------------------------------------------------------- people say whose it is


def say(world: World, who: PersonId, about: Account, *, same: bool) -> Outcome | Refused:
    world.knows(who)
    saying = Saying(world.chat.people[about].account, same, "saw the badge")
    return confirm(world.ctx, saying, account(who), world.press_id())


def test_security_says_that_it_is_the_same_person(world: World):
    id_ = world.active()
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    assert code(say(world, OLU, account(DANA), same=True)) is Code.NOT_SECURITY
    assert say(world, SUE, account(DANA), same=True).outcome == "confirmed"
    found = acts(world, account(DANA))
    assert (found.id, found.suspended) == (DANA, None)
    assert world.directory.by_address(Address("dana.new@example.com")).id == DANA
    assert world.directory.owner_of(Address("dana@example.com")) == DANA, "lists still mean her"
    assert isinstance(world.end(id_, DANA), Outcome)
    assert holds(world.ctx) == ()


def test_another_person_inherits_nothing_and_stops_nothing(world: World):
    id_ = world.active()
    facts = world.chat.people[account(DANA)]
    world.chat.people[account(DANA)] = replace(facts, standing_problem="person_deactivated")
    there = new_account(world, "UNEW", "dana@example.com", "Dana the Second")
    acts(world, there)
    assert say(world, SUE, there, same=False).outcome == "confirmed"
    second = acts(world, there)
    assert second.id not in (DANA, "")
    assert world.directory.by_address(Address("dana@example.com")).slack == there
    assert identity(world, DANA).closed_at is not None
    assert code(end(world.ctx, id_, there, "", "not hers")) is Code.NOT_YOURS
    world.advance(120, 10)
    assert world.grant(id_).state is GrantState.ACTIVE, "what is open keeps its end"
    # The old account comes back, and is nobody's again; what was theirs stays theirs to give back.
    world.chat.people[account(DANA)] = facts
    assert acts(world, account(DANA)).suspended.why is Why.CLOSED
    assert code(world.ask(DANA)) is Code.PERSON_SUSPENDED
    assert isinstance(world.end(id_, DANA), Outcome)
    assert code(say(world, SUE, account(DANA), same=True)) is Code.ADDRESS_GIVEN_AWAY
    # The list of developers names the address, and so whoever has it now.
    acts(world, there)
    assert isinstance(ask_for_access(world.ctx, ASK, there, Origin(), "second"), Outcome)


def test_nobody_speaks_in_the_place_of_somebody_who_was_closed(world: World):
    world.knows(OLU, GUS)
    until = world.clock.now() + timedelta(days=2)
    assert isinstance(delegate(world.ctx, account(OLU), world.directory.person(account(GUS)), until, "away"), Outcome)
    gets_address(world, OLU, "somebody@example.com")
    acts(world, account(OLU))
    for who in (SUE, PAT):
        assert isinstance(say(world, who, account(OLU), same=False), Outcome)
    assert identity(world, OLU).closed_at is not None
    assert bound_to(world.ctx, OLU) == (), "the account is somebody else's"
    assert code(world.approve(world.asked(), GUS)) is Code.NOT_AN_APPROVER
    assert OLU not in world.directory.groups(world.policy.policy, ("platform",)).members(("platform",))


def test_a_person_who_moved_on_is_not_closed_when_the_old_address_is_used_again(world: World):
    world.knows(DANA)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    assert say(world, SUE, account(DANA), same=True).outcome == "confirmed"
    there = new_account(world, "UNEW", "dana@example.com", "Another Dana")
    assert acts(world, there).suspended.claims == DANA
    assert say(world, SUE, there, same=False).outcome == "confirmed"
    assert identity(world, DANA).closed_at is None
    assert acts(world, account(DANA)).suspended is None
    assert acts(world, there).id not in (DANA, "")


def test_of_two_new_accounts_under_an_address_the_second_claims_whoever_the_first_became(world: World):
    world.knows(DANA)
    first, second = (new_account(world, user, "dana@example.com", "Somebody") for user in ("UONE", "UTWO"))
    acts(world, first)
    acts(world, second)
    assert say(world, SUE, first, same=False).outcome == "confirmed"
    became = account_record(world, first).person
    found = holds_about(world.ctx, None, Address("dana@example.com"))
    assert [one.people for one in found if one.account.account == second.id] == [(became,)]
    assert say(world, SUE, second, same=False).outcome == "confirmed"
    assert account_record(world, first).suspended.why is Why.CLOSED
    found = identity(world, account_record(world, second).person)
    assert (found.before, identity(world, became).before) == (became, DANA)


def test_it_takes_two_where_an_owner_of_production_or_security_is_meant(world: World):
    world.knows(OLU, PAT, SUE)
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    assert say(world, SUE, account(OLU), same=True).outcome == "second_needed"
    assert code(say(world, SUE, account(OLU), same=True)) is Code.CONFIRMED_ALREADY
    assert acts(world, account(OLU)).suspended is not None
    assert say(world, PAT, account(OLU), same=False).outcome == "second_needed", "they do not say the same"
    assert say(world, SUE, account(OLU), same=False).outcome == "confirmed"


def test_whoever_claims_to_be_an_owner_takes_two_as_well(world: World):
    world.knows(OLU, DANA)
    gets_address(world, DANA, "olu@example.com")
    acts(world, account(DANA))
    assert say(world, SUE, account(DANA), same=True).outcome == "second_needed"


def test_what_was_said_of_one_hold_is_not_said_of_the_next(world: World):
    world.knows(OLU)
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    (seen,) = holds_about(world.ctx, None, Address("olu.o@example.com"))
    assert say(world, SUE, account(OLU), same=True).outcome == "second_needed"
    gets_address(world, OLU, "dana@example.com")
    acts(world, account(OLU))
    assert account_record(world, account(OLU)).proposal is None
    old = Saying(account(OLU).id, True, "saw the badge", seen.hash)
    world.knows(PAT)
    assert code(confirm(world.ctx, old, account(PAT), "late")) is Code.HOLD_CHANGED


def test_nobody_says_it_of_themselves_by_any_account(world: World):
    world.knows(SUE, PAT)
    gets_address(world, SUE, "sue.s@example.com")
    acts(world, account(SUE))
    there = new_account(world, "UPAT2", "pat@example.com", "Pat")
    acts(world, there)
    assert code(say(world, PAT, there, same=True)) is Code.OWN_ACCOUNT
    assert code(say(world, SUE, account(SUE), same=True)) is Code.PERSON_SUSPENDED
    gets_address(world, GUS, "sue@example.com")
    assert acts(world, account(GUS)).suspended.claims == SUE
    gets_address(world, SUE, "sue@example.com")
    assert code(say(world, SUE, account(GUS), same=True)) is Code.OWN_ACCOUNT


def test_the_record_names_who_said_it_and_both_accounts(world: World):
    world.knows(DANA)
    there = new_account(world, "UNEW", "dana@example.com", "Dana")
    acts(world, there)
    say(world, SUE, there, same=False)
    (entry,) = [one for one in world.ledger.entries_of(keys.hold_subject(there.id)) if one.event == "person.confirmed"]
    assert (entry.facts["said"], entry.private["actor"], entry.private["account"]) == ("another", SUE, there.id)
    assert (entry.private["before"], entry.private["before_accounts"]) == (DANA, account(DANA).id)


def test_another_person_with_an_address_that_nobody_had_keeps_the_account(world: World):
    world.knows(DANA)
    gets_address(world, DANA, "dan@example.com")
    acts(world, account(DANA))
    assert say(world, SUE, account(DANA), same=False).outcome == "confirmed"
    found = acts(world, account(DANA))
    assert identity(world, found.id).accounts == (account(DANA).id,)
    assert acts(world, new_account(world, "UNEW", "dan@example.com")).suspended.claims == found.id


def test_whose_address_was_claimed_in_passing_counts_as_nobody_else_afterwards(world: World):
    world.knows(DANA, OLU, PAT)
    for address in ("olu@example.com", "pat@example.com", "dana@example.com"):
        gets_address(world, DANA, address)
        acts(world, account(DANA))
    assert [identity(world, who).also for who in (DANA, OLU, PAT)] == [(), (), ()]
    assert isinstance(world.approve(world.asked()), Outcome)


@pytest.mark.parametrize("how", ["hold", "left the group", "counts as the second", "is meant"])
def test_what_the_first_of_two_said_counts_only_while_they_could_say_it(world: World, how: str):
    world.knows(OLU, PAT, SUE)
    second = new_account(world, "UPAT2", "pat@example.com", "Pat")
    acts(world, second)
    confirm_by_hand(world.ctx, Saying(second.id, True, "saw the badge"), "ops", "second account")
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    assert say(world, SUE, account(OLU), same=True).outcome == "second_needed"
    if how == "hold":
        gets_address(world, SUE, "sue.s@example.com")
        acts(world, account(SUE))
    elif how == "left the group":
        own = world.policy.policy
        alone = {**own.groups, "security": Group("security", members=frozenset({PAT}))}
        world.policy.policy = replace(own, hash="e" * 64, groups=alone)
        world.activate()
    else:
        facts = world.chat.people[second]
        world.chat.people[second] = replace(facts, address=Address("sue@example.com"))
        if how == "counts as the second":
            acts(world, second)
        else:
            own = replace(identity(world, SUE), also=(OLU,))
            theirs = replace(identity(world, OLU), also=(SUE,))
            snapshot = world.ledger.read(keys.identity(SUE), keys.identity(OLU))
            puts = {keys.identity(SUE): own, keys.identity(OLU): theirs}
            world.ledger.commit(Change("alike", snapshot.now, snapshot.versions(), puts=puts))
    assert say(world, PAT, account(OLU), same=True).outcome == "second_needed"
    assert acts(world, account(OLU)).suspended is not None


def test_a_hold_of_the_first_between_read_and_commit_voids_what_they_said(world: World):
    world.knows(OLU, PAT, SUE)
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    assert say(world, SUE, account(OLU), same=True).outcome == "second_needed"
    commit, seen = world.ledger.commit, []

    def between(change: Change):
        if not seen:
            seen.append(change)
            gets_address(world, SUE, "sue.s@example.com")
            acts(world, account(SUE))
        return commit(change)

    world.knows(PAT)
    world.ledger.commit = between  # type: ignore[method-assign]
    saying = Saying(account(OLU).id, True, "saw the badge")
    assert confirm(world.ctx, saying, account(PAT), "second").outcome == "second_needed"


def test_nobody_lifts_a_bar_of_somebody_whom_they_count_as(world: World):
    world.knows(SUE, PAT)
    second = new_account(world, "UPAT2", "pat@example.com", "Pat")
    acts(world, second)
    confirm_by_hand(world.ctx, Saying(second.id, True, "saw the badge"), "ops", "second account")
    world.chat.people[second] = replace(world.chat.people[second], address=Address("sue@example.com"))
    acts(world, second)
    item = keys.person(SUE)
    snapshot = world.ledger.read(item)
    break_glass_suspended = replace(snapshot.get(item, PersonRecord), break_glass_barred="it was flagged")
    world.ledger.commit(Change("bar", snapshot.now, snapshot.versions(), puts={item: break_glass_suspended}))
    world.knows(PAT)
    assert code(lift(world.ctx, SUE, account(PAT), "it was me", "lift")) is Code.OWN_BAR


# ---------------------------------------------------------------- what is said is said of this hold, as it is now


def test_a_button_of_a_hold_that_is_over_says_nothing_of_a_later_one_like_it(world: World):
    world.knows(DANA)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    (seen,) = holds(world.ctx)
    gets_address(world, DANA, "dana@example.com")
    acts(world, account(DANA))
    assert holds(world.ctx) == ()
    world.clock.advance(600)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    world.knows(SUE)
    old = Saying(account(DANA).id, True, "saw the badge", seen.hash)
    assert code(confirm(world.ctx, old, account(SUE), "late")) is Code.HOLD_CHANGED
    (now,) = holds(world.ctx)
    assert isinstance(confirm(world.ctx, replace(old, hash=now.hash), account(SUE), "anew"), Outcome)


def test_what_the_first_of_two_said_stands_for_a_day(world: World):
    world.knows(OLU, PAT, SUE)
    gets_address(world, OLU, "olu.o@example.com")
    acts(world, account(OLU))
    assert say(world, SUE, account(OLU), same=True).outcome == "second_needed"
    world.clock.advance(24 * 3600 + 1)
    assert holds(world.ctx)[0].account.proposal is None, "nobody is asked to agree to it any more"
    assert say(world, PAT, account(OLU), same=True).outcome == "second_needed", "now Pat is the first"
    assert say(world, SUE, account(OLU), same=True).outcome == "confirmed"


@pytest.mark.parametrize("looks", ["worker", "web"])
@pytest.mark.parametrize("how", ["deactivated", "changed", "back", "unknown"])
def test_the_account_is_looked_at_before_anything_is_said_of_it(world: World, how: str, looks: str):
    """Nobody has heard of what the chat knows by now."""
    world.knows(DANA)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    (seen,) = holds(world.ctx)
    world.clock.advance(120)
    facts = world.chat.people[account(DANA)]
    changes = {
        "deactivated": {"standing_problem": "person_deactivated"},
        "changed": {"address": Address("pat@example.com")},
        "back": {"address": Address("dana@example.com")},
        "unknown": {},
    }
    world.chat.people[account(DANA)] = replace(facts, **changes[how])
    world.knows(SUE)
    world.chat.unreachable = how == "unknown"
    own = {name: getattr(world.ctx, name) for name in ("ledger", "directory", "policy", "wake", "chance", "fault")}
    ctx = world.ctx if looks == "worker" else Context(**own)
    saying = Saying(account(DANA).id, True, "saw the badge", seen.hash)

    def said() -> Outcome | Refused:
        return confirm(ctx, saying, account(SUE), "said")

    if looks == "web":
        assert code(said()) is Code.FACTS_STALE, "a worker asks"
    elif how == "unknown":
        with pytest.raises(DirectoryUnreachable):
            said()
    else:
        expected = {
            "deactivated": Code.HELD_UNFIT,
            "changed": Code.HOLD_CHANGED,
            "back": Code.NOTHING_TO_CONFIRM,
        }
        assert code(said()) is expected[how]
    found = account_record(world, account(DANA)).suspended
    assert (found is None) == (how == "back" and looks == "worker")


def test_nobody_who_may_not_say_it_makes_the_bot_ask(world: World):
    world.knows(DANA, OLU)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    world.clock.advance(120)
    world.knows(OLU)
    world.chat.unreachable = True
    saying = Saying(account(DANA).id, True, "saw the badge")
    assert code(confirm(world.ctx, saying, account(OLU), "said")) is Code.NOT_SECURITY


def test_closed_accounts_wait_for_nobody_and_are_found_where_somebody_names_them(world: World):
    world.knows(DANA)
    there = used_again(world, "dana@example.com")
    assert say(world, SUE, there, same=False).outcome == "confirmed"
    assert account_record(world, account(DANA)).suspended.why is Why.CLOSED
    assert holds(world.ctx) == ()
    own = replace(world.chat.people[account(DANA)], standing_problem=None)
    by_name = holds_about(world.ctx, own, None)
    by_address = holds_about(world.ctx, None, Address("dana@example.com"))
    for found in (by_name, by_address):
        assert [one.account.account for one in found] == [account(DANA).id]
    assert account_record(world, there).suspended is None


def test_no_number_of_old_holds_hides_a_new_one(world: World):
    """Also those that an earlier version kept in the same list."""
    world.knows(SUE)
    index, puts = [], {}
    for number in range(1200):
        user = Account("slack", "T1", f"UOLD{number}")
        hold = Suspension(Why.CLOSED, world.clock.now(), Address("old@example.com"))
        puts[keys.account(user.id)] = AccountRecord(user.id, user, "Old", DANA, suspended=hold)
        index.append(IndexEntry(keys.ON_HOLD, user.id, number))
    world.ledger.commit(Change("old", world.clock.now(), dict.fromkeys(puts, 0), puts=puts, index=tuple(index)))
    world.knows(DANA)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    assert [one.account.account for one in holds(world.ctx)] == [account(DANA).id]
    found = holds_about(world.ctx, None, Address("dana.new@example.com"))
    assert [one.account.account for one in found] == [account(DANA).id]
    assert say(world, SUE, account(DANA), same=True).outcome == "confirmed"


def test_the_list_of_holds_is_made_again_from_the_accounts(world: World):
    world.knows(DANA, PAT)
    assert say(world, SUE, used_again(world, "dana@example.com"), same=False).outcome == "confirmed"
    gets_address(world, PAT, "pat.p@example.com")
    acts(world, account(PAT))
    both = [IndexEntry(name, who.id, None) for name in (keys.ON_HOLD, keys.SHUT) for who in map(account, (PAT, DANA))]
    world.ledger.commit(Change("gone", world.clock.now(), {}, index=tuple(both)))
    assert holds(world.ctx) == ()
    make_again(world.ctx)
    assert [one.account.account for one in holds(world.ctx)] == [account(PAT).id]
    assert [one.account.account for one in holds_about(world.ctx, None, Address("dana@example.com"))] == [
        account(DANA).id
    ]


def test_a_hold_is_found_by_an_address_of_a_domain_that_was_renamed(world: World):
    world.knows(DANA)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    former = {"old.example": "example.com"}
    assert holds_about(world.ctx, None, address_of("dana.new@old.example", former), former)
    assert holds_about(world.ctx, None, address_of("dana@old.example", former), former)


# ---------------------------------------------------------------- the panic switch reaches all of it


def used_again(world: World, address: str) -> Account:
    """Dana has left, and a new account has her address."""
    facts = world.chat.people[account(DANA)]
    world.chat.people[account(DANA)] = replace(facts, standing_problem="person_deactivated")
    there = new_account(world, "UNEW", address, "Dana the Second")
    acts(world, there)
    return there


def test_everything_under_an_address_is_what_a_closed_person_left_open_as_well(world: World):
    id_ = world.active()
    there = used_again(world, "dana@example.com")
    assert say(world, SUE, there, same=False).outcome == "confirmed"
    scope = aim_at(world.ctx, acts(world, there))
    assert isinstance(revoke_all(world.ctx, scope, account(SUE), "INC-50 laptop stolen", "all of it"), Outcome)
    world.work()
    assert not world.has_access(id_)


def test_who_gets_an_address_gets_no_access_with_the_user_that_is_behind_it(world: World):
    id_ = world.active()
    there = used_again(world, "dana@example.com")
    assert say(world, SUE, there, same=False).outcome == "confirmed"
    acts(world, there)
    first = ask_for_access(world.ctx, ASK, there, Origin(), "first")
    world.work()
    why = world.request(first.id).closing
    assert (why.code, why.params["ids"]) == (Code.TARGET_PERSON_ELSES, id_)
    assert isinstance(world.end(id_, OLU), Outcome)
    world.work()
    acts(world, there)
    later = ask_for_access(world.ctx, ASK, there, Origin(), "later")
    world.work()
    assert isinstance(world.approve(later.id, OLU), Outcome)


def test_a_new_account_under_an_address_hides_nothing_of_whose_it_is(world: World):
    id_ = world.active()
    there = used_again(world, "dana@example.com")
    world.knows(SUE)
    scope = aim_at(world.ctx, acts(world, there))
    assert (scope.person, scope.person_name) == (DANA, "Dana")
    assert isinstance(revoke_all(world.ctx, scope, account(SUE), "INC-50 laptop stolen", "all of it"), Outcome)
    world.work()
    assert not world.has_access(id_)


# ---------------------------------------------------------------- domains that were renamed


def test_a_renamed_domain_gives_nobody_the_address_of_somebody_else(world: World):
    world.knows(OLU)
    there = new_account(world, "UOLU2", "olu@old.example", "Another Olu")
    assert acts(world, there).suspended is None
    renames = {"old.example": "example.com"}
    world.policy.policy = replace(world.policy.policy, former_domains=renames)
    world.chat.people[there] = replace(world.chat.people[there], address=Address("olu@example.com"))
    assert acts(world, there).suspended.claims == OLU
    assert world.directory.owner_of(Address("olu@example.com"), renames) == OLU
    assert acts(world, account(OLU)).suspended is None


# ---------------------------------------------------------------- what the version before this one stored


def stored(world: World, key: str, body: str) -> None:
    snapshot = world.ledger.read(key)
    change = Change(f"old:{key}", snapshot.now, snapshot.versions(), puts={key: decode(key, body)})
    world.ledger.commit(change)


OLD_OLU = """{"id":"olu@example.com","name":"Olu","slack":[{"team":"T1","user":"UOLU"}],"target_ids":{},"pending":[],
"suspended":null,"blocked_until":null,"blocked_why":null,"break_glass_barred":null,"delegation":null}"""


def test_who_was_bound_before_is_bound_and_an_address_that_changed_since_is_found(world: World):
    stored(world, "person:olu@example.com", OLD_OLU)
    gets_address(world, OLU, "olu.o@example.com")
    found = acts(world, account(OLU))
    assert (found.id, found.suspended.why) == (OLU, Why.ADDRESS_CHANGED)


def test_who_was_on_hold_before_stays_so_until_it_is_said_who_they_are(world: World):
    held = OLD_OLU.replace('"suspended":null', '"suspended":"the chat account behind this address has changed"')
    stored(world, "person:olu@example.com", held)
    assert acts(world, account(OLU)).suspended.why is Why.BEFORE
    assert [one.account.account for one in holds(world.ctx)] == [account(OLU).id]
    saying = Saying(account(OLU).id, same=True, reason="asked him")
    assert isinstance(confirm_by_hand(world.ctx, saying, "Ada", "cli"), Outcome)
    assert acts(world, account(OLU)).suspended is None


def test_what_is_said_of_a_hold_of_before_is_said_of_the_address_that_is_there_now(world: World):
    body = '{"id":"dana@example.com","name":"Dana","slack":[{"team":"T1","user":"UDANA"}],"suspended":"old"}'
    stored(world, "person:dana@example.com", body)
    world.knows(OLU)
    for address in ("olu@example.com", "dana@example.com"):
        gets_address(world, DANA, address)
        assert acts(world, account(DANA)).suspended.address == address
    for who in (SUE, PAT):
        assert isinstance(say(world, who, account(DANA), same=True), Outcome)
    assert acts(world, account(DANA)).suspended is None
    assert world.directory.owner_of(Address("olu@example.com")) == OLU


def test_an_account_that_stood_in_two_records_is_on_hold_and_is_both(world: World):
    stored(world, "person:olu@example.com", OLD_OLU)
    stored(world, "person:other@example.com", OLD_OLU.replace("olu@example.com", "other@example.com"))
    gets_address(world, OLU, "other@example.com")
    found = acts(world, account(OLU))
    assert found.suspended is not None
    assert {"other@example.com", OLU} == {found.id, *identity(world, found.id).also}


def test_a_request_and_a_vote_of_the_version_before_are_decided_and_given(world: World):
    """No accounts stand in them; the people are the same."""
    id_ = world.asked()
    world.approve(id_, OLU)
    item = keys.request(id_)
    request = world.request(id_)
    old = replace(
        request,
        accounts=(),
        holder_address=None,
        votes=tuple(replace(vote, account=None) for vote in request.votes),
    )
    snapshot = world.ledger.read(item)
    world.ledger.commit(Change("old", snapshot.now, snapshot.versions(), puts={item: old}))
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE


def test_who_an_older_process_bound_meanwhile_is_bound(world: World):
    adopt(world.ctx)
    stored(world, "person:olu@example.com", OLD_OLU)
    assert acts(world, account(OLU)).id == OLU
    newcomer = new_account(world, "UNEW", "olu@example.com")
    assert acts(world, newcomer).suspended is not None


def test_an_account_is_taken_over_once(world: World):
    stored(world, "person:olu@example.com", OLD_OLU)
    adopt(world.ctx)
    adopt(world.ctx)
    assert [entry.event.value for entry in world.all_entries()] == ["person.bindings_adopted"]
    item = keys.account(account(OLU).id)
    assert world.ledger.read(item).get(item, AccountRecord).person == OLU


def test_who_declines_with_another_address_is_still_the_holder(world: World):
    world.knows(DANA, OLU)
    ask = replace(ASK, holder=DANA)
    id_ = ask_for_access(world.ctx, ask, account(OLU), Origin(), "for").id
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    assert isinstance(decline(world.ctx, id_, account(DANA), "decline"), Outcome)
    assert world.request(id_).state is RequestState.WITHDRAWN
