"""What Teams is given, in the same walk as what Slack is given. What differs in numbers alone stands there once, in all files."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from bot.chat.form import Form
from bot.chat.message import Message
from bot.teams.cards.form_view import form_card
from bot.teams.cards.render import card_of, summary_of
from bot.teams.client.traits import spelling
from tests.support.spoken import Said

_NUMBER = re.compile("[0-9]+")
_COMMAND = "/prodaccess"
T = TypeVar("T")


def here(said: T) -> T:
    """As Teams says it."""
    return spelling(_COMMAND).of(said)


class Files:
    """`said`: the lines of each file."""

    def __init__(self) -> None:
        self.said: dict[str, list[dict[str, Any]]] = {}
        self._heard: set[str] = set()
        self._drawn: set[str] = set()

    def hear(self, scene: str, step: int, said: Said) -> None:
        if isinstance(said.message, Message) and said.spelled not in self._drawn:
            self._drawn.add(said.spelled)
            self._keep(scene, {"step": step, "what": said.what}, said.message)

    def state(self, name: str, message: Message) -> None:
        self._keep("states", {"what": name}, message)

    def form(self, name: str, form: Form) -> None:
        self._add("forms", {"what": name}, {"card": form_card(here(form), zone="Europe/Vienna")})

    def _keep(self, file: str, where: dict[str, Any], message: Message) -> None:
        told = here(message)
        self._add(file, where, {"summary": summary_of(told), "card": card_of(told)})

    def _add(self, file: str, where: dict[str, Any], found: dict[str, Any]) -> None:
        key = _NUMBER.sub("0", json.dumps(found, sort_keys=True))
        if key not in self._heard:
            self._heard.add(key)
            self.said.setdefault(file, []).append({**where, **found})
