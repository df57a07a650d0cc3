"""Modals and App Homes: one stack of at most three modals for a person, and one home."""

import hashlib
import json
from collections.abc import Callable

from bot.sandbox.clock import Clock
from bot.sandbox.slack.blockkit.limits import VIEW_BYTES_MAX, check_view, completed, with_text_defaults
from bot.sandbox.slack.blockkit.values import initial_state
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Json, View
from bot.sandbox.slack.settings import AppSettings

STACK_MAX = 3
_DEFAULTS: Json = {"private_metadata": "", "callback_id": "", "external_id": ""}
_MODAL_DEFAULTS: Json = {"submit": None, "close": None, "clear_on_close": False, "notify_on_close": False}


class ViewStore:
    """Which views are open. The caller holds the workspace's lock."""

    def __init__(self, app: AppSettings, new_id: Callable[[str], str], clock: Clock) -> None:
        self._app = app
        self._new_id = new_id
        self._clock = clock
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def stack(self, user: str) -> list[View]:
        return self.stacks.setdefault(user, [])

    def open(self, user: str, body: Json) -> View:
        """A modal as the root of a new stack; what was open gives way to it."""
        view = self._made(user, body, "modal")
        self.stacks[user] = [view]
        return view

    def push(self, user: str, body: Json, root_view_id: str) -> View:
        """Raise `push_limit_reached`, or `not_found` when the modal has been closed meanwhile."""
        stack = self.stack(user)
        if not stack or stack[0].id != root_view_id:
            raise ApiError("not_found")
        if len(stack) >= STACK_MAX:
            raise ApiError("push_limit_reached")
        view = self._made(user, body, "modal")
        view.root_id, view.previous_id = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def update(self, view: View, body: Json, given_hash: str | None = None) -> View:
        """Show something else in a view. What was typed stays where block_id, action_id and type stay the same."""
        if given_hash is not None and given_hash != view.hash:
            raise ApiError("hash_conflict")
        self._check(body, view.type, replacing=view)
        view.body = self._completed(body)
        view.state = initial_state(view.blocks, view.state)
        view.errors, view.trouble = {}, None
        view.hash = self._hash(view.body)
        return view

    def publish(self, user: str, body: Json, given_hash: str | None = None) -> View:
        home = self.homes.get(user)
        if home is None:
            self.homes[user] = self._made(user, body, "home")
            return self.homes[user]
        return self.update(home, body, given_hash)

    def find(self, view_id: str | None, external_id: str | None) -> View:
        """Raise `not_found`."""
        for view in self.everything():
            if view.id == view_id or (external_id and view.body["external_id"] == external_id):
                return view
        raise ApiError("not_found")

    def everything(self) -> list[View]:
        return [*(view for stack in self.stacks.values() for view in stack), *self.homes.values()]

    def _made(self, user: str, body: Json, kind: str) -> View:
        self._check(body, kind, replacing=None)
        complete = self._completed(body)
        identity = self._new_id("V")
        app = self._app
        view = View(identity, user, complete, self._hash(complete), identity, app.team_id, app.app_id, app.bot_id)
        view.state = initial_state(view.blocks)
        return view

    def _check(self, body: Json, kind: str, replacing: View | None) -> None:
        check_view(body, kind)
        if len(json.dumps(body)) > VIEW_BYTES_MAX:
            raise ApiError("view_too_large")
        external = body.get("external_id")
        if external and any(v is not replacing and v.body["external_id"] == external for v in self.everything()):
            raise ApiError("duplicate_external_id")

    def _completed(self, body: Json) -> Json:
        blocks = completed(body["blocks"], lambda: self._new_id(""))
        defaults = _DEFAULTS | (_MODAL_DEFAULTS if body["type"] == "modal" else {})
        whole: Json = with_text_defaults(defaults | {key: body[key] for key in body if key != "blocks"})
        return whole | {"blocks": blocks}

    def _hash(self, body: Json) -> str:
        content = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:8]
        return f"{int(self._clock())}.{self._new_id('')}{content}"
