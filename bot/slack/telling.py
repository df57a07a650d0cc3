"""An answer to one person, who acted and waits for it: at the act's response_url, else as a direct message, else for their
eyes alone in the channel where they acted. What Slack does not take as it is goes as plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.client import HTTPException

import structlog
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from bot.chat.interaction import Interaction
from bot.chat.message import Message, plain
from bot.chat.surface import NO_ANSWER, Means, NotDone
from bot.chat.untold import UNTOLD
from bot.slack.answers import MEANS, ask, not_done
from bot.slack.render import blocks_of, text_of
from bot.slack.tls import tls_for
from workflows.core.calls import timed
from workflows.core.destination import is_channel

log = structlog.get_logger()

RESPONSE_S_MAX = 4

Send = Callable[[Message], None]


class Teller:
    """Never raises: whoever answers has done what there was to do."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def answer(self, act: Interaction, message: Message) -> bool:
        """To the actor alone. False where no way was open; the log says which were tried and Slack's words."""
        return self._first_that_takes(act, message, list(self._ways(act)))

    def answer_in_place(self, act: Interaction, message: Message) -> bool:
        """In place of the message whose button was pressed; where that cannot be had, as an answer of its own."""
        if not act.response_url:
            return False

        def replace(instead: Message) -> None:
            respond(act.response_url, instead, replace_original=True)

        return self._first_that_takes(act, message, [("replace", replace), *self._ways(act)])

    def _ways(self, act: Interaction) -> Iterator[tuple[str, Send]]:
        if act.response_url:
            yield "response_url", lambda answer: respond(act.response_url, answer)
        yield "direct", lambda answer: self._direct(act.who.user, answer)
        if is_channel(act.channel):
            yield "ephemeral", lambda answer: self._beside(act, answer)

    def _direct(self, user: str, answer: Message) -> None:
        ask(self._client.chat_postMessage, channel=user, text=text_of(answer), blocks=blocks_of(answer))

    def _beside(self, act: Interaction, answer: Message) -> None:
        ask(
            self._client.chat_postEphemeral,
            channel=act.channel,
            user=act.who.user,
            text=text_of(answer),
            blocks=blocks_of(answer),
        )

    def _first_that_takes(self, act: Interaction, message: Message, ways: list[tuple[str, Send]]) -> bool:
        words = []
        for name, send in ways:
            for answer in (message, plain(message)):
                try:
                    send(answer)
                    return True
                except NotDone as problem:
                    words.append(f"{name}: {problem.word}")
                    if problem.means is not Means.FORM:
                        break
        UNTOLD.inc()
        log.error("somebody was told nothing", act=act.kind, user=act.who.user, tried=words)
        return False


def respond(url: str, message: Message, *, replace_original: bool = False) -> None:
    """Answer at a response_url, to the actor alone, unless it replaces the message that was pressed. Raises NotDone."""
    try:
        with timed("slack", "response_url") as call:
            answer = WebhookClient(url, timeout=RESPONSE_S_MAX, ssl=tls_for(url)).send(
                text=text_of(message),
                blocks=blocks_of(message),
                response_type="ephemeral",
                replace_original=replace_original,
            )
            call.error = "" if answer.status_code == HTTPStatus.OK else f"http_{answer.status_code}"
    except (OSError, HTTPException, ValueError) as problem:
        raise not_done(NO_ANSWER) from problem
    if answer.status_code != HTTPStatus.OK:
        word = str(answer.body or "").strip()
        raise not_done(word if word in MEANS else f"http_{answer.status_code}")
