"""Who is called in which chat, and in which they are told: an id of one chat never stands in another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chat.outbox.plans.calls import Calls, CallsByChat
from bot.chat.outbox.recipients import DIRECT_MESSAGES_MAX, Recipients, WhomToAsk
from bot.chat.places import direct_to
from bot.chat.rich import Called, Named, Text, call
from bot.chat.wording.labels import Asked
from tests.support import build
from tests.support.build import OLU, PAT
from tests.support.people import joins_teams
from tests.support.world import World, account
from workflows.core.identity import Address
from workflows.core.people import PersonId
from workflows.core.policy import Escalation, Group, Policy

IN_SLACK, IN_TEAMS = "C0PAYMENTS", "teams:channel:19:cards@thread.tacv2"
OLU_THERE = "teams:person:olu-aad"


class Nobody:
    """Nobody is away."""

    def among(self, people: object) -> frozenset[PersonId]:
        return frozenset()


class TwoChats(World):
    def __init__(self, *channels: str, **changes: object) -> None:
        place = build.environment(build.entitlement(), **{"approvals_channels": channels, **changes})
        super().__init__(build.policy(place))
        self.directory.several_chats = True
        self.knows(*build.GROUPS["platform"], build.DANA, build.SUE)

    def whom(self, id_: str) -> WhomToAsk:
        policy: Policy = self.policy.policy
        request = self.request(id_)
        environment = policy.environments[request.terms.environment]
        return Recipients(self.ctx, Nobody()).whom_to_ask(policy, environment, request)


def test_each_chat_calls_its_own_accounts_and_names_who_has_none_there() -> None:
    world = TwoChats(IN_TEAMS)
    joins_teams(world, OLU)
    whom = world.whom(world.asked())
    assert whom.calls.at(IN_TEAMS).mentions["platform"] == (OLU_THERE, Named("Pat"))
    assert whom.calls.at("C0OTHER").mentions["platform"] == (direct_to(account(OLU)), direct_to(account(PAT)))
    assert whom.names[OLU_THERE] == "Olu"


def test_of_cards_in_two_chats_each_is_called_in_the_one_in_which_they_were_seen_last() -> None:
    world = TwoChats(IN_SLACK, IN_TEAMS)
    there = joins_teams(world, OLU)
    id_ = world.asked()
    world.directory.saw(there)
    whom = world.whom(id_)
    assert whom.calls.at(IN_SLACK).mentions["platform"] == (Named("Olu"), direct_to(account(PAT)))
    assert whom.calls.at(IN_TEAMS).mentions["platform"] == (OLU_THERE, Named("Pat"))
    assert whom.calls.at(IN_TEAMS).reminded == (OLU_THERE, Named("Pat"))
    world.clock.advance(1)
    world.directory.saw(account(OLU))
    whom = world.whom(id_)
    assert whom.calls.at(IN_SLACK).mentions["platform"] == (direct_to(account(OLU)), direct_to(account(PAT)))
    assert whom.calls.at(IN_TEAMS).mentions["platform"] == (Named("Olu"), Named("Pat"))


def test_a_card_without_a_channel_goes_to_the_chat_in_which_they_were_seen_last() -> None:
    world = TwoChats()
    there = joins_teams(world, OLU)
    id_ = world.asked()
    assert set(world.whom(id_).ids) == {direct_to(account(OLU)), direct_to(account(PAT))}
    world.directory.saw(there)
    whom = world.whom(id_)
    assert set(whom.ids) == {OLU_THERE, direct_to(account(PAT))}
    assert whom.reminded >= {OLU_THERE, direct_to(account(OLU))}, "whichever of their cards it is about"


def test_a_user_group_of_slack_is_called_in_slack_alone() -> None:
    world = TwoChats(IN_SLACK, IN_TEAMS, escalate=Escalation(build.MINUTE, ("oncall",)))
    groups = {**world.policy.policy.groups, "platform": Group("platform", slack_usergroup="S0PLATFORM", trusted=True)}
    world.policy.policy = replace(world.policy.policy, groups=groups)
    world.directory.put_members("slack:S0PLATFORM", build.groups().by_name["platform"])
    joins_teams(world, OLU)
    whom = world.whom(world.asked())
    assert whom.calls.at(IN_SLACK).mentions["platform"] == ("S0PLATFORM",)
    assert "S0PLATFORM" not in whom.calls.at(IN_TEAMS).mentions["platform"]


@pytest.mark.parametrize("place", [IN_SLACK, IN_TEAMS, OLU_THERE, "UOLU", "webhook:channel:audit"])
def test_an_id_of_another_chat_is_left_out_whoever_put_it_there(place: str) -> None:
    everything = ("UOLU", "S0PLATFORM", OLU_THERE, Named("Pat"))
    calls = CallsByChat(
        {chat: Calls({"g": everything}, everything, everything) for chat in ("slack", "teams", "webhook")}
    )
    expected = {"slack": ("UOLU", "S0PLATFORM", Named("Pat")), "teams": (OLU_THERE, Named("Pat"))}
    surface = place.partition(":")[0] if ":" in place else "slack"
    mine = expected.get(surface, (Named("Pat"),))
    at = calls.at(place)
    assert (at.mentions["g"], at.reminded, at.called) == (mine, mine, mine)


def test_who_is_not_called_stands_there_by_name() -> None:
    said = call(Asked(("platform",)), {"platform": (OLU_THERE, Named("Pat *Owner*"))}, names={OLU_THERE: "Olu"})
    assert said == (Called(OLU_THERE, "Olu"), Text(" or ", ours=True), Text("Pat *Owner*"))


def test_fifty_owners_are_looked_at_in_one_go_and_those_who_are_known_are_not_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = TwoChats(IN_SLACK)
    owners = [PersonId(f"owner{number:02}@example.com") for number in range(50)]
    for who in owners:
        world.chat.people[account(who)] = build.facts(who)
    world.knows(*owners)
    group = Group("platform", members=frozenset(map(Address, owners)))
    world.policy.policy = replace(world.policy.policy, groups={**world.policy.policy.groups, "platform": group})
    id_ = world.asked()
    looked_at: list[int] = []
    of_people = world.directory.of_people
    monkeypatch.setattr(world.directory, "of_people", lambda people: looked_at.append(len(people)) or of_people(people))
    monkeypatch.setattr(world.directory, "of_person", lambda who: pytest.fail(f"{who} was looked at alone"))
    monkeypatch.setattr(world.chat, "refresh_person", lambda who, _policy: pytest.fail(f"{who} was looked up"))
    whom = world.whom(id_)
    assert len(whom.ids) == DIRECT_MESSAGES_MAX
    assert looked_at == [DIRECT_MESSAGES_MAX]
