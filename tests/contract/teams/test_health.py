"""What `/readyz` says of Teams before anybody has tried anything."""

from __future__ import annotations

from bot.sandbox.teams.server import TeamsServer
from bot.teams.health import TeamsCheck
from tests.support.teams_rig import settings_for, teams_surface


def problems_of(teams: TeamsServer, **more: str) -> list[str]:
    return TeamsCheck(teams_surface(teams).tokens, settings_for(teams, **more).graph_api_url).problems()


def test_nothing_is_wrong_where_people_can_be_looked_up() -> None:
    with TeamsServer() as teams:
        assert problems_of(teams) == []


def test_a_consent_that_is_missing_is_said_with_what_to_do() -> None:
    with TeamsServer() as teams:
        teams.graph.permissions.clear()
        (said,) = problems_of(teams)
    assert "User.Read.All" in said
    assert "grant admin consent" in said


def test_a_graph_that_is_away_is_no_missing_consent() -> None:
    with TeamsServer() as teams:
        assert problems_of(teams, GRAPH_API_URL="http://127.0.0.1:9/v1.0") == []
