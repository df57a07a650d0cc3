"""The roster of where somebody acted last: of which tenant they are, and in what role they are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.teams.people import DANA, FAY, GUS, OLU, TENANT, Person, channel_id, personal_chat_id
from bot.sandbox.teams.server import TeamsServer
from bot.teams.build import build_directory
from bot.teams.client.conversations import Conversation
from bot.teams.client.surface import Teams
from bot.teams.people.directory import TeamsRefresher
from bot.teams.people.roster import Roster
from tests.support.teams_rig import settings_for, teams_surface
from tests.support.world import World
from workflows.core.identity import Account
from workflows.core.people import Listed
from workflows.core.refusal import Code
from workflows.ledger.memory import MemoryBuckets
from workflows.ports import DirectoryUnreachable

OPS = channel_id("Orders ops")


@pytest.fixture(scope="module")
def server() -> Iterator[TeamsServer]:
    with TeamsServer() as found:
        yield found


@pytest.fixture
def teams(server: TeamsServer) -> Iterator[TeamsServer]:
    server.rates.enforced = False
    yield server
    server.faults.clear()
    server.world.conversations[OPS].bot = True


@pytest.fixture
def surface(teams: TeamsServer) -> Teams:
    return teams_surface(teams)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def roster(surface: Teams, world: World) -> Roster:
    return Roster(surface.connector, surface.conversations, MemoryBuckets(world.clock))


@pytest.fixture
def directory(teams: TeamsServer, surface: Teams, world: World) -> TeamsRefresher:
    buckets = MemoryBuckets(world.clock)
    return build_directory(settings_for(teams), surface, buckets, world.directory, world.clock.now, _nobody)


def _nobody(*_: object) -> Listed:
    return Listed(frozenset())


def there(person: Person) -> Account:
    return Account("teams", TENANT, person.aad)


def seen(surface: Teams, teams: TeamsServer, person: Person, conversation: str = OPS) -> None:
    """As an activity of theirs there tells it."""
    where = Conversation(conversation, teams.courier.service_url, "channel", TENANT)
    surface.conversations._write(f"person-in:{person.aad}", where)


def test_it_says_of_which_tenant_and_in_what_role_somebody_acts(roster: Roster, surface: Teams, teams: TeamsServer):
    seen(surface, teams, DANA)
    found = roster(there(DANA))
    assert found is not None
    assert (found["tenantId"], found["userRole"], found["objectId"]) == (TENANT, "user", DANA.aad)


def test_of_whom_nothing_was_seen_it_says_nothing_and_asks_nobody(roster: Roster, teams: TeamsServer):
    before = teams.faults.counts("member")
    assert roster(there(DANA)) is None
    assert teams.faults.counts("member") == before


def test_who_has_only_a_personal_chat_is_looked_up_there(roster: Roster, surface: Teams, teams: TeamsServer):
    chat = personal_chat_id(OLU.aad)
    surface.conversations.keep(Conversation(chat, teams.courier.service_url, "personal", TENANT, OLU.aad))
    found = roster(there(OLU))
    assert found is not None
    assert found["userRole"] == "user"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 404, "code": "MemberNotFoundInConversation"},
        {"status": 403, "code": "BotNotInConversationRoster"},
        {"status": 404, "code": "ConversationNotFound"},
    ],
)
def test_where_they_are_no_longer_it_says_nothing(
    roster: Roster, surface: Teams, teams: TeamsServer, fault: dict[str, Any]
):
    seen(surface, teams, DANA)
    teams.faults.add("member", **fault)
    assert roster(there(DANA)) is None


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429, "retry_after_s": 9}, {"drop": "before"}])
def test_what_does_not_come_is_not_known(roster: Roster, surface: Teams, teams: TeamsServer, fault: dict[str, Any]):
    seen(surface, teams, DANA)
    teams.faults.add("member", **fault)
    with pytest.raises(DirectoryUnreachable) as caught:
        roster(there(DANA))
    assert caught.value.after_s == fault.get("retry_after_s", 0)


def test_it_asks_no_more_than_teams_takes(roster: Roster, surface: Teams, teams: TeamsServer):
    teams.rates.enforced = True
    seen(surface, teams, DANA)
    for _ in range(12):
        assert roster(there(DANA)) is not None
    with pytest.raises(DirectoryUnreachable) as caught:
        roster(there(DANA))
    assert 0 < caught.value.after_s < 1


def test_roster_and_graph_together_say_who_it_is(
    directory: TeamsRefresher, surface: Teams, teams: TeamsServer, world: World
):
    for person in (DANA, GUS, FAY):
        seen(surface, teams, person)
    teams.world.conversations[OPS].members.append(FAY.aad)
    policy = world.policy.policy
    found = [directory.refresh_person(there(person), policy).standing_problem for person in (DANA, GUS, FAY)]
    assert found == [None, Code.PERSON_GUEST.value, Code.PERSON_FOREIGN.value]
    teams.world.conversations[OPS].members.remove(FAY.aad)
