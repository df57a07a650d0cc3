"""Forms as modals, and everybody's home. Who may open which is said in `bot.chat.actions`."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk import WebClient

from bot.chat.form import Form
from bot.chat.message import Part
from bot.chat.surface import NotDone, Shown
from bot.slack.answers import ask
from bot.slack.form_view import view_of
from bot.slack.render import home_of
from workflows.core.people import Account

# Another choice was faster, and its redraw is on the way; or the form was closed.
_OVERTAKEN = frozenset({"hash_conflict", "not_found"})


class Modals:
    """Each call raises NotDone."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def open_form(self, trigger: str, form: Form, *, on_top: bool = False) -> None:
        """Within three seconds of the act that the trigger came with."""
        opens = self._client.views_push if on_top else self._client.views_open
        ask(opens, "view", trigger_id=trigger, view=view_of(form))

    def redraw_form(self, shown: Shown, form: Form) -> None:
        try:
            ask(self._client.views_update, view_id=shown.id, hash=shown.version, view=view_of(form))
        except NotDone as problem:
            if problem.word not in _OVERTAKEN:
                raise

    def show_home(self, account: Account, page: Sequence[Part]) -> None:
        ask(self._client.views_publish, user_id=account.user, view=home_of(page))
