"""Our side of Teams, built against the stand-in; and what stands in its cards."""

from __future__ import annotations

from bot.sandbox.teams import cards
from bot.sandbox.teams.people import Json
from bot.sandbox.teams.server import TeamsServer
from bot.settings import Settings, load_settings
from bot.teams import build
from bot.teams.client.surface import Teams
from tests.support.teams import MemoryShelf


def settings_for(teams: TeamsServer, **more: str) -> Settings:
    # Addresses on this machine are refused beside a cloud that is real.
    found = load_settings({**teams.environment(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9", **more})
    assert isinstance(found, Settings), found
    return found


def teams_surface(teams: TeamsServer, shelf: MemoryShelf | None = None, timeout_s: float = 8.0) -> Teams:
    return build._messenger(settings_for(teams), shelf or MemoryShelf(), timeout_s)


def elements(card: Json | None, kind: str) -> list[Json]:
    """All of this type in a card, in their order."""
    return [node for node in cards.nodes(card or {}) if node.get("type") == kind]


def buttons(card: Json) -> dict[str, Json]:
    """Title -> Action.Execute."""
    return {action["title"]: action for action in elements(card, "Action.Execute")}


def button_data(card: Json) -> Json:
    found: Json = elements(card, "Action.Execute")[0]["data"]
    return found
