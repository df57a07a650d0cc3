"""What is known of people and groups, with its age."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from tests.contract.ledger_world import World, redis_world, worlds
from workflows.core.people import Membership, PersonFacts, PersonId, SlackUser, is_fresh, person_id
from workflows.core.policy import Group, Policy

ADA, BOB = person_id("ada@example.com"), person_id("bob@example.com")
POLICY = Policy(
    hash="0" * 64,
    timezone="UTC",
    email_domains=("example.com",),
    connections={},
    receipts_channel="#receipts",
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


def facts(world: World, user: str = "U1", address: PersonId = ADA, **rest: str) -> PersonFacts:
    return PersonFacts(id=address, name="Åsa", slack=SlackUser("T1", user), as_of=world.ledger.now(), **rest)


def test_an_account_that_was_never_looked_up_is_not_known(world: World) -> None:
    assert world.directory.person(SlackUser("T1", "U1")) is None
    assert world.directory.by_address(ADA) is None


def test_a_person_is_found_by_account_and_by_address(world: World) -> None:
    known = facts(world, time_zone="Europe/Berlin")
    world.directory.put_person(known)
    assert world.directory.person(SlackUser("T1", "U1")) == known
    assert world.directory.by_address(ADA) == known
    assert world.directory.person(SlackUser("T2", "U1")) is None


def test_many_are_found_at_once_and_the_unknown_are_left_out(world: World) -> None:
    known = facts(world)
    world.directory.put_person(known)
    assert world.directory.by_addresses([BOB, ADA]) == {ADA: known}
    assert world.directory.by_addresses([]) == {}


def test_an_address_that_was_given_up_leads_to_nobody_among_many(world: World) -> None:
    world.directory.put_person(facts(world, address=ADA))
    world.directory.put_person(facts(world, address=BOB))
    assert set(world.directory.by_addresses([ADA, BOB])) == {BOB}


def test_old_facts_are_returned_with_their_age(world: World) -> None:
    known = facts(world)
    world.directory.put_person(known)
    world.advance(3600)
    assert world.directory.person(known.slack) == known


def test_an_address_that_an_account_gave_up_does_not_lead_to_it(world: World) -> None:
    world.directory.put_person(facts(world))
    world.directory.put_person(facts(world, address=BOB))
    assert world.directory.by_address(ADA) is None
    assert world.directory.by_address(BOB) == world.directory.person(SlackUser("T1", "U1"))


def test_a_deactivated_account_does_not_take_the_address_from_one_that_works(world: World) -> None:
    world.directory.put_person(facts(world, "U1"))
    world.directory.put_person(facts(world, "U2", standing_problem="person_deactivated"))
    found = world.directory.by_address(ADA)
    assert found
    assert found.slack.user == "U1"


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
    nobody = replace(facts(world), id=PersonId(""), standing_problem="person_no_address")
    world.directory.put_person(nobody)
    assert world.directory.person(nobody.slack) == nobody
    assert world.directory.by_address(PersonId("")) is None


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
    world.directory.mark_stale(SlackUser("T1", "U9"), world.ledger.now())
    assert world.directory.person(SlackUser("T1", "U9")) is None


def test_a_chats_own_list_is_resolved_by_account_and_the_unknown_are_kept_apart(world: World) -> None:
    known = world.directory.put_person(facts(world))
    gone = world.directory.put_person(facts(world, "U2", BOB, standing_problem="person_deactivated"))
    stranger = SlackUser("T1", "U3")
    accounts = frozenset({known.slack, gone.slack, stranger})
    world.directory.put_members("slack:S0ONCALL", Membership(as_of=world.ledger.now(), accounts=accounts))
    found = world.directory.groups(POLICY, ["oncall"])
    assert found.members(("oncall",)) == {ADA}
    assert found.unresolved(("oncall",)) == {stranger}
    assert found.by_name["oncall"].unusable == {BOB}
