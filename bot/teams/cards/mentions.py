"""Who is called in one card.

A mention is a tag in a TextBlock and an entry beside the card. Ids of Entra are taken as they are
(learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format#microsoft-azure-active-directory-azure-ad-object-id-and-upn-in-user-mention).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bot.chat.rich import Called
from bot.teams.cards import text as t
from workflows.core.destination import Kind, read_destination
from workflows.core.identity import TEAMS

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def account_in(called: Called) -> str | None:
    """The id of Entra; None for whoever has none here, such as an account of another chat: they stand by name."""
    to = read_destination(called.id)
    fits = to.surface == TEAMS and to.kind is Kind.PERSON and _GUID.fullmatch(to.id)
    return to.id if fits else None


class Mentions:
    """Each person is called once in a card, under a name that nobody else has in it: Teams finds people by their tags."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def tags(self, everybody: Iterable[Called]) -> list[str]:
        """Of those who are not called yet."""
        found = []
        for one in everybody:
            account = account_in(one)
            if account is not None and account not in self._names:
                self._names[account] = self._free(t.name_in_tag(one.name))
                found.append(_tag(self._names[account]))
        return found

    def entities(self) -> list[dict[str, Any]]:
        """For `msteams.entities`, in the order of their tags."""
        return [
            {"type": "mention", "text": _tag(name), "mentioned": {"id": account, "name": name}}
            for account, name in self._names.items()
        ]

    def _free(self, name: str) -> str:
        taken = set(self._names.values())
        numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
        return next(one for one in (name, *numbered) if one not in taken)


def _tag(name: str) -> str:
    return f"<at>{name}</at>"
