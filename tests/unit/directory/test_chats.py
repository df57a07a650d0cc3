"""Each account is asked about in its own chat, each group where it is kept; a chat that says nothing says nothing for another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import pytest

from bot.directory.chats import ChatDirectories, of_one_chat
from bot.directory.other_groups import OtherGroups
from tests.support import build
from tests.support.build import DANA, OLU
from tests.support.world import World, account
from workflows.core.identity import TEAMS, Account, Address
from workflows.core.people import GroupFacts, Listed, PersonFacts, PersonId
from workflows.core.policy import Group, Policy
from workflows.core.rules.leaving import Looked
from workflows.ports import DirectoryUnreachable

IN_TEAMS = Account(TEAMS, "tenant", "aad-olu")
GROUPS = {
    "in-slack": Group("in-slack", slack_usergroup="S0ONCALL"),
    "in-entra": Group("in-entra", entra_group="e-1"),
    "paged": Group("paged", pagerduty_schedule="P1"),
    "listed": Group("listed", members=frozenset({DANA})),
}
POLICY = build.policy(groups=GROUPS)


class Says:
    """One chat: it notes what it is asked. `silent`: it does not answer."""

    def __init__(self, world: World, *accounts: Account) -> None:
        self.world, self.accounts = world, accounts
        self.asked: list[object] = []
        self.silent = False
        self.problem: str | None = None
        self.away = self

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts:
        self.asked.append(who)
        return replace(build.facts(OLU), slack=who)

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        self.asked.append(address)
        if self.silent:
            raise DirectoryUnreachable("it does not answer")
        found = replace(build.facts(OLU), slack=self.accounts[0]) if self.accounts else None
        return replace(found, standing_problem=self.problem) if found is not None else None

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        self.asked.append(sorted(names))
        return self.world.directory.groups(policy, names)

    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        self.asked.append(sorted(accounts, key=lambda who: who.id))
        return Looked(silent={"slack": "it does not answer"}, after_s=3.0) if self.silent else Looked()

    def reads_people(self) -> None:
        if self.silent:
            raise DirectoryUnreachable("it does not answer")

    def introduce(self, accounts: Iterable[Account], policy: Policy) -> None:
        self.asked.append(list(accounts))

    def is_due(self) -> bool:
        return not self.silent

    def refresh(self, people: Collection[PersonFacts]) -> None:
        self.asked.append([one.slack for one in people])

    def among(self, people: Collection[PersonFacts]) -> frozenset[PersonId]:
        return frozenset(one.id for one in people)


Make = Callable[..., ChatDirectories]


@pytest.fixture
def world() -> World:
    return World(POLICY)


@pytest.fixture
def make(world: World) -> Make:
    def one(**chats: Says) -> ChatDirectories:
        others = OtherGroups(
            world.directory, world.clock.now, lambda *_: Listed(frozenset()), lambda _: frozenset({Address(str(OLU))})
        )
        return ChatDirectories(chats, world.directory, others)

    return one


def test_an_account_is_asked_about_in_its_own_chat(world: World, make: Make) -> None:
    slack, teams = Says(world), Says(world)
    both = make(slack=slack, teams=teams)
    both.refresh_person(IN_TEAMS, POLICY)
    both.refresh_person(account(OLU), POLICY)
    assert (slack.asked, teams.asked) == ([account(OLU)], [IN_TEAMS])
    both.introduce([account(OLU), IN_TEAMS], POLICY)
    assert (slack.asked[-1], teams.asked[-1]) == ([account(OLU)], [IN_TEAMS])


def test_of_a_chat_that_is_not_set_up_nothing_is_known(world: World, make: Make) -> None:
    slack = Says(world)
    with pytest.raises(DirectoryUnreachable, match="Teams is not set up here"):
        make(slack=slack).refresh_person(IN_TEAMS, POLICY)
    assert slack.asked == [], "another chat knows nothing of it"


def test_an_address_is_looked_for_in_one_chat_after_the_other(world: World, make: Make) -> None:
    slack, teams = Says(world, account(OLU)), Says(world, IN_TEAMS)
    both, olu = make(slack=slack, teams=teams), Address(str(OLU))
    found = both.find(olu, POLICY)
    assert found is not None
    assert (found.slack, teams.asked) == (account(OLU), [])
    slack.accounts = ()
    found = both.find(olu, POLICY)
    assert found is not None
    assert found.slack == IN_TEAMS
    teams.accounts = ()
    assert both.find(olu, POLICY) is None


def test_who_is_not_found_is_not_known_while_one_chat_does_not_answer(world: World, make: Make) -> None:
    slack, teams = Says(world), Says(world, IN_TEAMS)
    slack.silent = True
    both = make(slack=slack, teams=teams)
    assert both.find(Address(str(OLU)), POLICY) is not None
    teams.accounts = ()
    with pytest.raises(DirectoryUnreachable):
        both.find(Address(str(OLU)), POLICY)


def test_a_group_is_asked_for_where_it_is_kept(world: World, make: Make) -> None:
    slack, teams = Says(world), Says(world)
    make(slack=slack, teams=teams).refresh_groups(POLICY, ["in-slack", "in-entra", "paged"])
    assert (slack.asked, teams.asked) == ([["in-slack", "paged"]], [["in-entra"]])


def test_with_one_chat_nothing_is_read_beside_what_that_chat_reads(world: World, make: Make) -> None:
    slack = Says(world)
    alone = make(slack=slack)
    alone.refresh_groups(POLICY, ["in-slack", "paged", "listed"])
    assert slack.asked == [["in-slack", "listed", "paged"]]
    assert alone.away is slack.away


def test_a_group_of_a_chat_that_is_not_set_up_is_not_known_and_says_why(world: World, make: Make) -> None:
    teams = Says(world)
    found = make(teams=teams).refresh_groups(POLICY, list(GROUPS))
    assert teams.asked == [["in-entra", "listed", "paged"]]
    assert found.by_name["in-slack"].problem == "Slack, which keeps it, is not set up here"
    assert found.by_name["in-slack"].members == frozenset()


def test_who_is_away_is_said_by_the_chat_of_their_account(world: World, make: Make) -> None:
    slack, teams = Says(world), Says(world)
    away = make(slack=slack, teams=teams).away
    people = [build.facts(DANA), replace(build.facts(OLU), slack=IN_TEAMS)]
    assert away.is_due()
    away.refresh(people)
    assert (slack.asked, teams.asked) == ([[account(DANA)]], [[IN_TEAMS]])
    assert away.among(people) == {DANA, OLU}
    slack.silent = teams.silent = True
    assert not away.is_due()


# ---------------------------------------------------------------- nobody


def test_who_can_act_in_one_chat_alone_is_found_there(make: Make, world: World) -> None:
    left = Says(world, account(OLU))
    left.problem = "person_deactivated"
    found = make(slack=left, teams=Says(world, IN_TEAMS)).find(Address(str(OLU)), POLICY)
    assert found is not None
    assert found.slack == IN_TEAMS
    gone = make(slack=left).find(Address(str(OLU)), POLICY)
    assert gone is not None
    assert gone.standing_problem == "person_deactivated"


def test_that_nobody_has_an_address_is_what_all_chats_say(make: Make, world: World) -> None:
    slack, teams = Says(world), Says(world)
    both = make(slack=slack, teams=teams)
    address = Address("new@example.com")
    own = of_one_chat(world.directory)
    own.put_nobody(address)
    assert list(world.directory._nobodies([address])) == [], "one of them says it"
    teams.silent = True
    with pytest.raises(DirectoryUnreachable):
        both.find(address, POLICY)
    assert list(world.directory._nobodies([address])) == [], "one of them does not answer"
    teams.silent = False
    assert both.find(address, POLICY) is None
    assert list(world.directory._nobodies([address])) == [address]
    assert own.person(account(OLU)) is None, "all else is the store's"
