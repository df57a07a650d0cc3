"""What is known of people and groups, with its age."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from tests.contract.ledger.ledger_world import World, redis_world, worlds
from workflows.core import keys
from workflows.core.identity import AccountRecord, Address, AddressRecord, AddressSpan, Identity, Suspension, Why
from workflows.core.people import Account, Membership, PersonFacts, PersonId, is_fresh, learnt, person_id
from workflows.core.policy import Group, Policy
from workflows.core.records.person import PersonRecord

ADA, BOB = person_id("ada@example.com"), person_id("bob@example.com")
POLICY = Policy(
    hash="0" * 64,
    timezone="UTC",
    email_domains=("example.com",),
    connections={},
    receipts_channels=("#receipts",),
    groups={
        "leads": Group("leads", members=frozenset({ADA})),
        "nobody": Group("nobody", members=frozenset()),
        "oncall": Group("oncall", slack_usergroup="S0ONCALL"),
        "security": Group("security", identity_center_group="Security", connection="main"),
    },
    environments={},
)


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def facts(world: World, user: str = "U1", address: str | None = "ada@example.com", **rest: object) -> PersonFacts:
    at = Address(address) if address else None
    return replace(learnt(Account("slack", "T1", user), "Åsa", world.ledger.now(), at), **rest)


def bind(world: World, user: str, person: PersonId, address: str = "ada@example.com", **rest: object) -> AccountRecord:
    """As the ledger has it after the account acted."""
    account = AccountRecord(
        Account("slack", "T1", user).id, Account("slack", "T1", user), "Åsa", person, Address(address)
    )
    account = replace(account, **rest)
    known = world.ledger.read(keys.identity(person)).get(keys.identity(person), Identity)
    accounts = (*(known.accounts if known else ()), account.account)
    identity = Identity(person, "Åsa", accounts, (AddressSpan(Address(address), world.ledger.now()),))
    world.put(keys.account(account.account), account)
    world.put(keys.identity(person), identity)
    return account


# ---------------------------------------------------------------- accounts and people


def test_an_account_that_was_never_looked_up_is_not_known(world: World) -> None:
    assert world.directory.person(Account("slack", "T1", "U1")) is None
    assert world.directory.by_address(Address(ADA)) is None
    assert world.directory.of_people([]) == {}


def test_a_person_is_found_by_account_by_address_and_by_person(world: World) -> None:
    known = facts(world, time_zone="Europe/Berlin")
    world.directory.put_person(known)
    bind(world, "U1", ADA)
    assert world.directory.person(Account("slack", "T1", "U1")) == known
    assert world.directory.by_address(Address(ADA)) == world.directory.of_person(ADA) == known
    assert world.directory.person(Account("slack", "T2", "U1")) is None
    assert world.directory.of_people([BOB, ADA]) == {ADA: known}


def test_facts_of_an_account_that_is_bound_to_nobody_lead_from_no_address_to_it(world: World) -> None:
    world.directory.put_person(facts(world))
    assert world.directory.by_address(Address(ADA)) is None
    seen = world.directory.person(Account("slack", "T1", "U1"))
    assert seen
    assert seen.id == ADA, "whoever it would be, if it acted"


def test_whoever_comes_last_under_an_address_is_not_whoever_has_it(world: World) -> None:
    world.directory.put_person(facts(world, "U1"))
    bind(world, "U1", ADA)
    world.directory.put_person(facts(world, "U2"))
    found = world.directory.by_address(Address(ADA))
    assert found
    assert found.slack.user == "U1"
    newcomer = world.directory.person(Account("slack", "T1", "U2"))
    assert newcomer
    assert newcomer.id not in (ADA, BOB)
    assert newcomer.suspended
    assert newcomer.suspended.claims == ADA


def test_an_account_is_whose_it_was_bound_to_whatever_address_it_has_now(world: World) -> None:
    world.directory.put_person(facts(world, address="bob@example.com"))
    bind(world, "U1", ADA)
    seen = world.directory.person(Account("slack", "T1", "U1"))
    assert seen
    assert (seen.id, seen.address) == (ADA, "bob@example.com")
    assert world.directory.by_address(Address(BOB)) is None


def test_an_address_that_moved_leads_to_whoever_has_it_now(world: World) -> None:
    world.directory.put_person(facts(world, "U1"))
    bind(world, "U1", ADA)
    second = PersonId("ada@example.com~2")
    world.directory.put_person(facts(world, "U2"))
    bind(world, "U2", second)
    world.put(keys.address(Address(ADA)), AddressRecord(Address(ADA), second))
    found = world.directory.by_address(Address(ADA))
    assert found
    assert (found.slack.user, found.id) == ("U2", second)
    leads = world.directory.groups(POLICY, ["leads"])
    assert leads.members(("leads",)) == {second}, "a list of addresses means whoever has them"


def test_what_an_earlier_version_bound_is_bound(world: World) -> None:
    world.directory.put_person(facts(world))
    world.put(keys.person(ADA), PersonRecord(ADA, "Åsa", (Account("slack", "T1", "U1"),)))
    found = world.directory.by_address(Address(ADA))
    assert found
    assert (found.slack.user, found.id) == ("U1", ADA)


def test_an_account_of_which_an_earlier_version_alone_wrote_down_how_the_chat_names_it(world: World) -> None:
    """Its own record is not there; the person has a newer one."""
    known = facts(world)
    world.directory.put_person(known)
    world.put(keys.identity(ADA), Identity(ADA, "Åsa", (known.account,), (AddressSpan(Address(ADA), known.as_of),)))
    assert world.directory.of_person(ADA) is None
    world.put(keys.person(ADA), PersonRecord(ADA, "Åsa", (known.slack,)))
    assert world.directory.of_person(ADA) == world.directory.by_address(Address(ADA)) == known


def test_of_two_accounts_of_one_person_the_one_that_can_act_is_found(world: World) -> None:
    world.directory.put_person(facts(world, "U1", standing_problem="person_deactivated"))
    world.directory.put_person(facts(world, "U2"))
    bind(world, "U1", ADA)
    bind(world, "U2", ADA)
    found = world.directory.of_person(ADA)
    assert found
    assert found.slack.user == "U2"


def test_an_account_of_an_organisation_is_one_in_all_its_workspaces(world: World) -> None:
    bound = bind(world, "U1", ADA)
    moved = replace(bound, account=Account("slack", "E1", "U1").id)
    world.put(keys.account(moved.account), moved)
    world.put(keys.account(bound.account), replace(bound, person=None, moved=moved.account))
    for team in ("T1", "T2"):
        world.directory.put_person(facts(world, tenant="E1", slack=Account("slack", team, "U1")))
        seen = world.directory.person(Account("slack", team, "U1"))
        assert seen
        assert seen.id == ADA


def test_old_facts_are_returned_with_their_age(world: World) -> None:
    known = facts(world)
    world.directory.put_person(known)
    world.advance(3600)
    assert world.directory.person(known.slack) == known


def test_what_a_version_without_addresses_wrote_counts_as_never_looked_up(world: World) -> None:
    world.directory.put_person(facts(world, address=None))
    assert world.directory.person(Account("slack", "T1", "U1")) is None


# ---------------------------------------------------------------- groups


def test_a_member_who_can_do_nothing_is_named_as_one_and_counts_for_none(world: World) -> None:
    now = world.ledger.now()
    world.directory.put_person(facts(world, standing_problem="person_deactivated"))
    bind(world, "U1", ADA)
    account = bind(world, "U2", BOB, "bob@example.com", suspended=Suspension(Why.ADDRESS_CHANGED, now))
    world.directory.put_person(facts(world, "U2", "bob@example.com"))
    users = frozenset({Account("slack", "T1", "U1"), account.slack, Account("slack", "T1", "U3")})
    world.directory.put_members("slack:S0ONCALL", Membership(as_of=now, accounts=users))
    found = world.directory.groups(POLICY, ["oncall", "leads"])
    assert found.members(("oncall", "leads")) == frozenset()
    oncall = found.by_name["oncall"]
    assert (oncall.members, oncall.unusable) == ({ADA, BOB}, {ADA, BOB})
    assert oncall.unresolved == {Account("slack", "T1", "U3")}
    assert found.by_name["leads"].unusable == {ADA}


def test_of_an_address_that_nobody_has_nobody_is_counted_on_for_a_while(world: World) -> None:
    world.directory.put_nobody(Address(ADA))
    leads = world.directory.groups(POLICY, ["leads"])
    assert (leads.members(("leads",)), leads.by_name["leads"].unusable) == (frozenset(), {ADA})
    world.advance(3601)
    assert world.directory.groups(POLICY, ["leads"]).members(("leads",)) == {ADA}


def test_who_is_bound_has_an_address_whatever_was_said_before(world: World) -> None:
    world.directory.put_nobody(Address(ADA))
    world.directory.put_person(facts(world))
    bind(world, "U1", ADA)
    assert world.directory.groups(POLICY, ["leads"]).members(("leads",)) == {ADA}


def test_a_stranger_with_a_members_address_is_no_member(world: World) -> None:
    now = world.ledger.now()
    world.directory.put_person(facts(world, "U1"))
    bind(world, "U1", ADA)
    world.directory.put_person(facts(world, "U2"))
    world.directory.put_members(
        "slack:S0ONCALL", Membership(as_of=now, accounts=frozenset({Account("slack", "T1", "U2")}))
    )
    assert world.directory.groups(POLICY, ["oncall"]).by_name["oncall"].members == frozenset()


def test_a_group_that_the_policy_lists_is_always_fresh(world: World) -> None:
    now = world.ledger.now()
    found = world.directory.groups(POLICY, ["leads", "nobody"])
    assert found.members(("leads",)) == {ADA}
    assert found.stale(("leads", "nobody"), now) == ()


def test_a_group_that_was_never_looked_up_is_stale_and_empty(world: World) -> None:
    found = world.directory.groups(POLICY, ["oncall"])
    assert found.stale(("oncall",), world.ledger.now()) == ("oncall",)
    assert found.members(("oncall",)) == frozenset()


def test_a_group_that_the_policy_does_not_have_is_empty_and_says_so(world: World) -> None:
    found = world.directory.groups(POLICY, ["onkall"])
    assert found.members(("onkall",)) == frozenset()
    assert found.problems(("onkall",)) == (("onkall", "the policy has no such group"),)


def test_members_are_kept_by_source_and_found_by_the_policys_name(world: World) -> None:
    now = world.ledger.now()
    known = Membership(frozenset({ADA, BOB}), as_of=now)
    world.directory.put_members("slack:S0ONCALL", known)
    broken = Membership(as_of=now, problem="Identity Center did not answer")
    world.directory.put_members("identity-center:main:Security", broken)
    found = world.directory.groups(POLICY, ["oncall", "security", "leads"])
    assert found.by_name["oncall"] == known == world.directory.members("slack:S0ONCALL")
    assert found.problems(("oncall", "security")) == (("security", "Identity Center did not answer"),)
    assert world.directory.members("slack:S0OTHER") is None


def test_old_members_are_returned_with_their_age(world: World) -> None:
    then = world.ledger.now() - timedelta(seconds=61)
    world.directory.put_members("slack:S0ONCALL", Membership(frozenset({BOB}), as_of=then))
    found = world.directory.groups(POLICY, ["oncall"])
    assert found.members(("oncall",)) == {BOB}
    assert found.stale(("oncall",), world.ledger.now()) == ("oncall",)


def test_facts_are_forgotten_after_a_week(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    world.directory.put_person(facts(world))
    world.directory.put_members("slack:S0ONCALL", Membership())
    world.advance(7 * 24 * 3600 + 1)
    assert redis_client.keys("prodaccess:*") == []


def test_an_account_without_an_address_is_known_by_its_account_only(world: World) -> None:
    nobody = facts(world, address=None, standing_problem="person_no_address")
    world.directory.put_person(nobody)
    assert world.directory.person(nobody.slack) == nobody
    assert world.directory.of_person(nobody.id) is None


def test_an_answer_that_was_overtaken_overwrites_nothing_and_says_what_stands(world: World) -> None:
    left = facts(world, standing_problem="person_deactivated")
    before = replace(facts(world), as_of=left.as_of - timedelta(seconds=2))
    assert world.directory.put_person(left) == left
    assert world.directory.put_person(before) == left
    assert world.directory.person(left.slack) == left


def test_news_of_an_account_make_it_stale_until_it_was_asked_about_anew(world: World) -> None:
    known = world.directory.put_person(facts(world))
    world.directory.mark_stale(known.slack, world.ledger.now() + timedelta(seconds=1))
    stale = world.directory.person(known.slack)
    assert stale is not None
    assert not is_fresh(stale.as_of, world.ledger.now())
    assert stale.name == known.name
    # Asked before the news came: it stays stale.
    assert not is_fresh(world.directory.put_person(known).as_of, world.ledger.now())
    anew = replace(known, as_of=world.ledger.now() + timedelta(seconds=1))
    assert is_fresh(world.directory.put_person(anew).as_of, world.ledger.now())


def test_news_of_somebody_who_is_not_known_are_nothing(world: World) -> None:
    world.directory.mark_stale(Account("slack", "T1", "U9"), world.ledger.now())
    assert world.directory.person(Account("slack", "T1", "U9")) is None


def test_a_chats_own_list_is_resolved_by_account_and_the_unknown_are_kept_apart(world: World) -> None:
    known = world.directory.put_person(facts(world))
    gone = world.directory.put_person(facts(world, "U2", "bob@example.com", standing_problem="person_deactivated"))
    stranger = Account("slack", "T1", "U3")
    accounts = frozenset({known.slack, gone.slack, stranger})
    world.directory.put_members("slack:S0ONCALL", Membership(as_of=world.ledger.now(), accounts=accounts))
    found = world.directory.groups(POLICY, ["oncall"])
    assert found.members(("oncall",)) == {ADA}
    assert found.unresolved(("oncall",)) == {stranger}
    assert found.by_name["oncall"].unusable == {BOB}


# ---------------------------------------------------------------- the chat in which somebody was seen last


HERE, THERE = Account("slack", "T1", "U1"), Account("teams", "tenant", "aad-1")


def _in_two_chats(world: World) -> None:
    """Ada, bound in Slack first, and in Teams."""
    world.directory.put_person(facts(world))
    bind(world, "U1", ADA)
    world.directory.put_person(replace(facts(world), slack=THERE))
    known = world.ledger.read(keys.identity(ADA)).get(keys.identity(ADA), Identity)
    assert known
    world.put(keys.account(THERE.id), AccountRecord(THERE.id, THERE, "Åsa", ADA, Address("ada@example.com")))
    world.put(keys.identity(ADA), replace(known, accounts=(*known.accounts, THERE.id)))


def _places(world: World) -> tuple[Account, ...]:
    found = world.directory.of_person(ADA)
    assert found
    return (found.slack, *found.elsewhere)


def test_somebody_is_told_in_the_chat_in_which_they_acted_last(world: World) -> None:
    world.directory.several_chats = True  # type: ignore[attr-defined]  # as the wiring says it
    _in_two_chats(world)
    assert _places(world) == (HERE, THERE), "who was never seen: in the chat in which they were known first"
    world.directory.saw(THERE)
    assert _places(world) == (THERE, HERE)
    world.advance(1)
    world.directory.saw(HERE)
    assert _places(world) == (HERE, THERE)


def test_newer_facts_of_one_chat_do_not_move_anybody_there(world: World) -> None:
    """They are learnt anew in the background, all the time."""
    world.directory.several_chats = True  # type: ignore[attr-defined]  # as the wiring says it
    _in_two_chats(world)
    world.directory.put_person(replace(facts(world), slack=THERE, as_of=world.ledger.now() + timedelta(seconds=30)))
    assert _places(world) == (HERE, THERE)


@pytest.mark.parametrize("why", ["on hold", "deactivated"])
def test_an_account_that_can_do_nothing_is_no_place_to_tell_anybody(world: World, why: str) -> None:
    world.directory.several_chats = True  # type: ignore[attr-defined]  # as the wiring says it
    _in_two_chats(world)
    world.directory.saw(THERE)
    if why == "on hold":
        held = AccountRecord(THERE.id, THERE, "Åsa", ADA, Address("ada@example.com"), suspended=_hold(world))
        world.put(keys.account(THERE.id), held)
    else:
        later = world.ledger.now() + timedelta(seconds=1)
        gone = replace(facts(world), slack=THERE, as_of=later, standing_problem="person_deactivated")
        world.directory.put_person(gone)
    assert _places(world) == (HERE,)


def test_where_there_is_one_chat_nothing_is_written_down(world: World) -> None:
    _in_two_chats(world)
    world.directory.saw(THERE)
    assert _places(world) == (HERE, THERE)


def _hold(world: World) -> Suspension:
    return Suspension(Why.NEW_ACCOUNT, world.ledger.now())


def test_who_is_forgotten_was_never_looked_up(world: World) -> None:
    facts, other = (learnt(Account("slack", "T1", user), user, world.ledger.now(), None) for user in ("UDANA", "UOLU"))
    for one in facts, other:
        world.directory.put_person(replace(one, standing_problem="person_guest"))
    world.directory.forget([facts.slack], [Address("dana@example.com")])
    world.directory.forget([], [])
    assert world.directory.person(facts.slack) is None
    assert world.directory.person(other.slack) is not None
