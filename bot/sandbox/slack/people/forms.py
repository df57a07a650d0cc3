"""A modal or an App Home in front of somebody."""

import re
from typing import Any

from bot.sandbox.slack.blockkit.values import empty, held_as
from bot.sandbox.slack.errors import CannotDo
from bot.sandbox.slack.model import Json, User, View
from bot.sandbox.slack.people.client import Client, Delivered, action_value
from bot.sandbox.slack.people.reading import element

_INCOMPLETE = "Please complete this required field."
_SHAPES = {
    "email_text_input": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "url_text_input": re.compile(r"https?://\S+"),
    "number_input": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
}


class Surface:
    """What modals and homes have in common. Live: it shows what the view is now, not what it was."""

    def __init__(self, client: Client, user: User, view: View) -> None:
        self._client = client
        self._user = user
        self.view = view

    @property
    def blocks(self) -> list[Json]:
        return self.view.blocks

    @property
    def state(self) -> dict[str, Json]:
        """As `view.state.values`: block id -> action id -> value."""
        return self.view.state

    def press(
        self, action_id: str, value: str | None = None, *, block_id: str | None = None, confirm: bool = True
    ) -> Delivered:
        """Press a button. Raise CannotDo where no such button is shown, or more than one."""
        self._must_be_open()
        block, found = element(self.blocks, action_id, value, block_id)
        if found["type"] != "button":
            raise CannotDo(f"{action_id!r} is no button but {found['type']}")
        return self._act(block, found, None, confirm)

    def choose(
        self,
        action_id: str,
        choice: Any,
        *,
        query: str | None = None,
        block_id: str | None = None,
        confirm: bool = True,
    ) -> Delivered:
        """Choose from a menu, tick, pick a date; always sends. `query` is what is typed into a type-ahead menu."""
        self._must_be_open()
        block, found = element(self.blocks, action_id, None, block_id)
        value = self._client.value(self._user, self.view, block, found, choice, query)
        return self._act(block, found, value, confirm)

    def _act(self, block: Json, found: Json, value: Json | None, confirm: bool) -> Delivered:
        dialog = found.get("confirm")
        if dialog and not confirm:
            return Delivered(error="cancelled", confirmed=None)
        if value is not None and found["type"] != "overflow":
            with self._client.ws.lock:
                self.state.setdefault(block["block_id"], {})[found["action_id"]] = value
        outcome = self._client.act(self._user, self.view, block, found, action_value(found, value))
        return Delivered(outcome.error, outcome.shown, outcome.detail, outcome.delivery, dialog)

    def _must_be_open(self) -> None:
        if self.view not in self._client.ws.views.everything():
            raise CannotDo("this view is closed")


class Home(Surface):
    """Somebody's App Home."""


class Form(Surface):
    """An open modal."""

    @property
    def title(self) -> str:
        return str(self.view.body["title"]["text"])

    @property
    def callback_id(self) -> str:
        return str(self.view.body["callback_id"])

    @property
    def errors(self) -> dict[str, str]:
        """What stands in red under the inputs: block id -> sentence."""
        return dict(self.view.errors)

    @property
    def trouble(self) -> str | None:
        """The banner after a submission that failed: `We had some trouble connecting. Try again?`"""
        return self.view.trouble

    @property
    def is_open(self) -> bool:
        return self.view in self._client.ws.views.everything()

    def fill(self, block_id: str, value: Any, *, query: str | None = None) -> Delivered:
        """Put a value into an input block: text, an option's value or words, a list of those, an id, a date.

        None empties it. Sends `block_actions` if the block has `dispatch_action`. Raise CannotDo where there is no
        such input or no such option.
        """
        self._on_top()
        block = self._input(block_id)
        found = block["element"]
        held = self._client.value(self._user, self.view, block, found, None if value == "" else value, query)
        if block.get("dispatch_action"):
            return self._act(block, found, held, confirm=True)
        with self._client.ws.lock:
            self.state.setdefault(block_id, {})[found["action_id"]] = held
            self.view.errors.pop(block_id, None)
        return Delivered()

    def submit(self) -> Delivered:
        """Press the submit button. Nothing is sent (`incomplete`) while the client finds fields to complain of."""
        self._on_top()
        if self.view.body["submit"] is None:
            raise CannotDo("this modal has nothing to submit")
        complaints = self._complaints()
        if complaints:
            with self._client.ws.lock:
                self.view.errors = complaints
            return Delivered(error="incomplete", shown=_INCOMPLETE, detail=str(complaints))
        return self._client.submit(self._user, self.view)

    def close(self, *, everything: bool = False) -> Delivered:
        """Press Cancel or Back; with `everything` the cross, which closes all that are stacked."""
        self._on_top()
        return self._client.close(self._user, self.view, everything=everything)

    def _on_top(self) -> None:
        stack = self._client.ws.views.stack(self._user.id)
        if not stack or stack[-1] is not self.view:
            raise CannotDo("this modal is not the one in front")

    def _input(self, block_id: str) -> Json:
        for block in self.blocks:
            if block["block_id"] == block_id and block["type"] == "input":
                return block
        raise CannotDo(f"no input {block_id!r} among {[b['block_id'] for b in self.blocks if b['type'] == 'input']}")

    def _complaints(self) -> dict[str, str]:
        found = {block["block_id"]: self._complaint(block) for block in self.blocks if block["type"] == "input"}
        return {block_id: sentence for block_id, sentence in found.items() if sentence}

    def _complaint(self, block: Json) -> str | None:
        """What the client itself says of one input, before anything is sent."""
        field = block["element"]
        value = self.state[block["block_id"]][field["action_id"]]
        if empty(value):
            return None if block.get("optional") else _INCOMPLETE
        held = value[held_as(field["type"])]
        if field["type"] == "plain_text_input":
            return _length_complaint(field, held)
        shape = _SHAPES.get(field["type"])
        return None if shape is None or shape.fullmatch(held) else "Please enter a valid value."


def _length_complaint(field: Json, text: str) -> str | None:
    least, most = field.get("min_length", 0), field.get("max_length", 3000)
    if len(text) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter at most {most} characters." if len(text) > most else None
