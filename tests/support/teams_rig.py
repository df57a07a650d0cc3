"""Our side of Teams, built against the stand-in; and what its cards say, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox.teams.server import TeamsServer
from bot.settings import Settings, load_settings
from bot.teams import build
from bot.teams.surface import Teams
from tests.support.teams import MemoryShelf


def settings_for(teams: TeamsServer, **more: str) -> Settings:
    # Addresses on this machine are refused beside a cloud that is real.
    found = load_settings({**teams.environment(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9", **more})
    assert isinstance(found, Settings), found
    return found


def teams_surface(teams: TeamsServer, shelf: MemoryShelf | None = None, timeout_s: float = 8.0) -> Teams:
    return build._messenger(settings_for(teams), shelf or MemoryShelf(), timeout_s)


def elements(part: Any, kind: str) -> Iterator[dict[str, Any]]:
    """All of this type in a card, in their order."""
    if isinstance(part, dict):
        if part.get("type") == kind:
            yield part
        for each in part.values():
            yield from elements(each, kind)
    elif isinstance(part, list):
        for each in part:
            yield from elements(each, kind)


def card_text(card: dict[str, Any]) -> str:
    """What is read in it, without its buttons and inputs; a block on each line."""
    return "\n".join(_lines(card.get("body", [])))


def _lines(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _lines(each)
    elif isinstance(part, dict) and part.get("type") == "TextBlock":
        yield part["text"]
    elif isinstance(part, dict) and part.get("type") == "RichTextBlock":
        yield "".join(run if isinstance(run, str) else run["text"] for run in part["inlines"])
    elif isinstance(part, dict) and not str(part.get("type")).startswith("Action"):
        for name in ("items", "columns", "body", "rows", "cells"):
            yield from _lines(part.get(name))


def buttons(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Title -> Action.Execute."""
    return {action["title"]: action for action in elements(card, "Action.Execute")}


def button_data(card: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(elements(card, "Action.Execute")))["data"]
    return found
