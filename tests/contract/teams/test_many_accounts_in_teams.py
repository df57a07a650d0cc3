"""Who of many has left, on the stand-in for Graph: in few questions, and only by our own tenant's plain word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.sandbox.teams.errors import Refused
from bot.sandbox.teams.people import OTHER_TENANT, TENANT, Person, guid
from bot.sandbox.teams.server import TeamsServer
from bot.teams.people.directory import TeamsRefresher
from bot.teams.people.graph import IDS_AT_ONCE, Graph
from bot.teams.people.roll import FEW
from tests.support.build import HOUR
from tests.support.world import World
from workflows.core.identity import Account
from workflows.core.people import Listed
from workflows.core.rules.leaving import Looked, Standing, standing
from workflows.ledger.memory import MemoryBuckets

THROWN_AWAY = "thrown away"


async def _deleted(request: Request) -> JSONResponse:
    id_ = request.path_params["user"]
    return JSONResponse({"id": id_}) if id_ == guid(THROWN_AWAY) else JSONResponse({}, 404)


class Tokens:
    def __init__(self, teams: TeamsServer) -> None:
        self._teams = teams

    def graph(self) -> str:
        return self._teams.login.issue("https://graph.microsoft.com")

    def forget(self) -> None:
        pass


class Rig:
    def __init__(self, teams: TeamsServer) -> None:
        self.teams, self.world = teams, World()
        graph = Graph(f"{teams.base_url}/graph/v1.0", Tokens(teams), MemoryBuckets(self.world.clock))
        self.directory = TeamsRefresher(
            graph,
            lambda _who: None,
            TENANT,
            self.world.directory,
            self.world.clock.now,
            lambda *_: Listed(frozenset()),
        )
        self.people = [self.add(f"P{number}") for number in range(4)]

    def add(self, name: str, **said: Any) -> Person:
        person = Person(name, guid(name), f"{name.lower().replace(' ', '.')}@example.com", **said)
        self.teams.world.people[person.aad] = person
        return person

    def look(self, *names: str, tenant: str = TENANT) -> Looked:
        accounts = [Account("teams", tenant, guid(name)) for name in names]
        return self.directory.look_at(accounts, self.world.policy.policy)

    def says(self, found: Looked, name: str, tenant: str = TENANT) -> Standing:
        return standing(found.facts.get(Account("teams", tenant, guid(name))), self.world.clock.now(), HOUR)


@pytest.fixture(scope="module")
def server() -> Iterator[TeamsServer]:
    teams = TeamsServer()
    teams.more_routes.append(Route("/graph/v1.0/directory/deletedItems/{user}", _deleted))
    with teams:
        yield teams


@pytest.fixture
def rig(server: TeamsServer) -> Iterator[Rig]:
    people, permissions = dict(server.world.people), set(server.graph.permissions)
    yield Rig(server)
    server.faults.clear()
    server.world.people.clear()
    server.world.people.update(people)
    server.graph.permissions = permissions


def test_whoever_is_disabled_has_left_and_nobody_else(rig: Rig) -> None:
    rig.people[1].enabled = False
    rig.people[2].user_type = "Guest"
    found = rig.look("P0", "P1", "P2")
    assert [rig.says(found, name) for name in ("P0", "P1", "P2")] == [Standing.HERE, Standing.GONE, Standing.HERE]
    assert not found.silent


def test_whoever_is_in_the_bin_has_left(rig: Rig) -> None:
    assert rig.says(rig.look(THROWN_AWAY, "P0"), THROWN_AWAY) is Standing.GONE


def test_whoever_is_gone_from_the_list_of_everybody_has_left(rig: Rig) -> None:
    found = rig.look("never there", "P0")
    assert rig.says(found, "never there") is Standing.GONE
    assert rig.says(found, "P0") is Standing.HERE


def test_of_another_tenant_ours_says_nothing(rig: Rig) -> None:
    found = rig.look("never there", "P0", tenant=OTHER_TENANT)
    assert not found.facts
    assert not found.silent


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_a_list_that_is_not_answered_says_nothing_of_anybody(rig: Rig, status: int) -> None:
    rig.people[1].enabled = False
    rig.teams.faults.add("users", status=status)
    found = rig.look("P0", "P1")
    assert not found.facts
    assert found.silent


def test_a_list_of_everybody_that_breaks_off_makes_nobody_leave(rig: Rig) -> None:
    """The first question, by id, is answered; a later page of the list is not."""
    real = rig.teams.graph.users

    def users(query: Any, base: str = "") -> Any:
        answer = real(query, base)
        if "$skiptoken" in query:
            raise Refused(503, "ServiceUnavailable", "later")
        return answer

    rig.teams.graph.users = users  # type: ignore[method-assign]  # as a tenant has a bad moment
    try:
        found = rig.look("never there", "P0")
    finally:
        rig.teams.graph.users = real  # type: ignore[method-assign]  # as above
    assert rig.says(found, "never there") is Standing.UNKNOWN
    assert rig.says(found, "P0") is Standing.HERE
    assert found.silent
    rig.world.clock.advance(61)
    assert rig.says(rig.look("never there"), "never there") is Standing.GONE


@pytest.mark.parametrize("field", ["enabled", "user_type"])
def test_a_field_that_is_not_said_is_not_known_and_hides_nobody_else(rig: Rig, field: str) -> None:
    setattr(rig.people[0], field, None)
    rig.people[1].enabled = False
    found = rig.look("P0", "P1")
    assert rig.says(found, "P0") is Standing.UNKNOWN
    assert rig.says(found, "P1") is Standing.GONE
    assert found.silent


def test_many_are_asked_about_fifteen_at_a_time_and_very_many_by_the_list(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"Crowd {number}" for number in range(FEW + 1)]
    for name in names:
        rig.add(name)
    begun = len(rig.teams.faults.calls)
    assert len(rig.look(*names[: 2 * IDS_AT_ONCE]).facts) == 2 * IDS_AT_ONCE
    assert len(rig.teams.faults.calls) - begun == 2
    rig.world.clock.advance(60)
    monkeypatch.setattr("bot.sandbox.teams.graph.PAGE", 500)
    begun = len(rig.teams.faults.calls)
    assert len(rig.look(*names).facts) == FEW + 1
    assert len(rig.teams.faults.calls) - begun == 1
