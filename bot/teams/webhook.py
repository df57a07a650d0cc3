"""Receipts and digests into Teams by an address that takes a card: one way, without an app, without anybody's account.

Behind the address stands a Workflow of somebody's ("When a Teams webhook request is received"), which posts the card. What it
takes and answers: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook, and
support.microsoft.com on webhooks with Workflows. 28 KB a message, four a second.

**The address is a secret**: whoever has it can post. It stands in no log, error, `repr` or chain of exceptions: what `requests`
raises carries it in its text, so an error of ours is raised after theirs is gone, and says one word.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pymsteams
import requests

from bot.chat.message import Button, Buttons, Line, Message, Part, buttons, found
from bot.chat.surface import NO_ANSWER, Abilities, Limits, Means, NotDone, Posted, Rate, Traits
from bot.cloud_credentials import is_loopback
from bot.teams.cards.render import card_of
from workflows.core.calls import timed
from workflows.core.destination import Destination
from workflows.core.identity import WEBHOOK

TIMEOUT_S = 8
# Of 28 KB for the whole message; others have measured 21 to 27 for the card in it.
CARD_BYTES_MAX = 21_000
# As it travels, where a letter of another alphabet takes six bytes; the envelope round it is small.
BODY_BYTES_MAX = 27_000
RETRY_AFTER_S_MAX = 3600.0
# People have seen a Workflow fail to show what says 1.5 (MicrosoftDocs/AdaptiveCards 550). Nothing in it is newer than this
# but a button's tooltip, which is left out then.
CARD_VERSION = "1.4"
# Nothing was posted then, and an address that is rotated may have another value.
_OF_THE_ADDRESS = frozenset({"no_address", "redirected", "not_allowed", "gone"})
# After so many times in a row without a good answer the address is taken to be dead, and only looked at now and then.
UNREACHABLE_AFTER = 5

_WORDS: Mapping[Means, str] = {
    # The card as it is drawn.
    Means.FORM: "bad_request too_big",
    # The address, or the Workflow behind it: until somebody has mended it.
    Means.PLACE: "no_address redirected not_allowed gone refused unreachable",
    Means.LATER: f"rate_limited not_taken {NO_ANSWER}",
    # It can do nothing but post.
    Means.MESSAGE: "no_edits",
}
MEANS: Mapping[str, Means] = {word: means for means, words in _WORDS.items() for word in words.split()}
_REMEDIES = {
    "no_address": "Put an https:// address into the variable that the policy names for it, where the worker runs",
    "redirected": "Its address leads elsewhere: copy the address of the Workflow again",
    "not_allowed": "Let anyone trigger the Workflow, and copy its address again",
    "gone": "The Workflow is gone, perhaps with the account that owned it: make it anew, and put the new address in place",
    "refused": "Look at the runs of the Workflow: it may be switched off, or post to a channel that is gone",
    "unreachable": "Look at the runs of the Workflow, and whether the worker can reach its address",
}
_OTHERWISE = "Look at the runs of the Workflow"

TRAITS = Traits(
    surface=WEBHOOK,
    title="The webhook",
    # More than four requests in a second are throttled: two at once and two a second are four in any second.
    limits=Limits(
        posts=Rate("webhook:posts", 2.0, 2.0),
        edits=Rate("webhook:edits", 1.0, 1.0),
        searches="webhook:searches",
        text_length_max=4000,
    ),
    abilities=Abilities(threads=False, whispers=False, home=False, search=False, edits=False),
    means=MEANS,
    remedy=lambda word: _REMEDIES.get(word, _OTHERWISE),
    forms_wait="there are no forms here",
)


class Webhooks:
    """Messages to webhooks, by name. `address`: of this name, read each time; None where there is none. `refused`: is told that
    it was refused, and says whether there is another one now.

    Holds no address.
    """

    traits = TRAITS

    def __init__(
        self, address: Callable[[str], str | None], refused: Callable[[str], bool] = lambda _name: False
    ) -> None:
        self._address = address
        self._refused = refused
        self._silence = _Silence()
        self._in_a_row: dict[str, int] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        """There is no token that all of them share."""

    def post(self, to: Destination, message: Message, *, nonce: str = "", under: Posted | None = None) -> Posted:
        """Raises NotDone. What was taken has no id of its own: it has the nonce's."""
        del under
        word, after_s = self._posted(to.id, message)
        while word in _OF_THE_ADDRESS and self._refused(to.id):
            word, after_s = self._posted(to.id, message)
        if word == "no_address":
            raise _not_done(word)
        if word in ("bad_request", "too_big") and not message.parts:
            # Plain words are no odd card: it is the Workflow that does not want them.
            word = "refused"
        if word := self._in_the_long_run(to.id, word):
            raise _not_done(word, after_s)
        return Posted(to, nonce or "posted")

    def _posted(self, name: str, message: Message) -> tuple[str, float]:
        address = self._address(name)
        if address is None or not usable(address):
            return "no_address", 0.0
        card = _card(message)
        with self._silence, timed(WEBHOOK, "post") as call:
            word, after_s = _sent(address, card)
            call.error = word
        return word, after_s

    def edit(self, posted: Posted, message: Message) -> None:
        del posted, message
        raise _not_done("no_edits")

    def find_by_nonce(
        self, to: Destination, nonce: str, since: datetime, *, under: Posted | None = None
    ) -> Posted | None:
        """Nothing can be read there: what may have been posted is posted again."""
        del to, nonce, since, under
        return None

    def whisper(self, to: Destination, beside: Destination, message: Message) -> None:
        del to, beside, message
        raise _not_done("no_edits")

    def _in_the_long_run(self, name: str, word: str) -> str:
        """The word; where it has been like that for long, the one that closes the place."""
        with self._lock:
            if word not in (NO_ANSWER, "not_taken"):
                self._in_a_row.pop(name, None)
                return word
            self._in_a_row[name] = self._in_a_row.get(name, 0) + 1
            return "unreachable" if self._in_a_row[name] >= UNREACHABLE_AFTER else word


def usable(address: str) -> bool:
    """Plain http reaches this machine alone."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(address))
    return bool(host) and port != 0 and safe and not re.search(r"\s", address)


def _not_done(word: str, after_s: float = 0.0) -> NotDone:
    perhaps = word in (NO_ANSWER, "unreachable")
    return NotDone(word, MEANS[word], after_s, perhaps_done=perhaps)


def _card(whole: Message) -> Mapping[str, Any]:
    """The fullest that the address takes."""
    told, bytes_max = _inert(whole), CARD_BYTES_MAX
    card = card_of(told, bytes_max=bytes_max)
    while len(json.dumps(card)) > BODY_BYTES_MAX and bytes_max > CARD_BYTES_MAX / 8:
        bytes_max //= 2
        card = card_of(told, bytes_max=bytes_max)
    return {**card, "version": CARD_VERSION}


def _inert(whole: Message) -> Message:
    """Without what can be pressed: nobody hears of a press there. What only leads somewhere stays."""
    versions = [found(map(_unpressed, parts)) for parts in (whole.parts, *whole.shorter)]
    return replace(whole, parts=versions[0], shorter=tuple(versions[1:]))


def _unpressed(part: Part) -> Part | None:
    if isinstance(part, Buttons):
        return buttons(*(each for each in part.elements if isinstance(each, Button) and each.url))
    if isinstance(part, Line) and part.button is not None and not part.button.url:
        return replace(part, button=None)
    return part


# ---------------------------------------------------------------- one request


def _sent(address: str, card: Mapping[str, Any]) -> tuple[str, float]:
    """One word for what came of it, empty where it was taken, and for how many seconds it wants to be left alone.

    Never raises what `requests` raised, and lets nothing of it out.
    """
    hook = pymsteams.connectorcard(address, http_timeout=TIMEOUT_S)
    hook.payload = {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        ],
    }
    # The first is an answer like any other, read below; the others are none.
    with suppress(pymsteams.TeamsWebhookException, requests.RequestException, OSError, ValueError):
        hook.send()
    answer: requests.Response | None = hook.last_http_response
    return (NO_ANSWER, 0.0) if answer is None else _read(answer)


def _read(answer: requests.Response) -> tuple[str, float]:
    """202, or 200 with nothing or `1` in it, is success; with an error's text in it, 200 is none."""
    status, text = answer.status_code, answer.text.strip()
    if answer.history or answer.is_redirect:
        return "redirected", 0.0
    if status == HTTPStatus.ACCEPTED or (status == HTTPStatus.OK and text in ("", "1")):
        return "", 0.0
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.OK and "HTTP error 429" in text):
        return "rate_limited", _after_s(answer.headers)
    return _FINAL.get(status) or ("not_taken" if answer.ok else NO_ANSWER), 0.0


_FINAL: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_big",
    HTTPStatus.UNAUTHORIZED: "not_allowed",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.NOT_FOUND: "gone",
    HTTPStatus.GONE: "gone",
    HTTPStatus.METHOD_NOT_ALLOWED: "gone",
}


def _after_s(headers: Mapping[str, str]) -> float:
    """`Retry-After` in seconds, or as a date (RFC 9110, section 10.2.3), which is held against the answer's own; 0.0 where it
    says nothing, for growing pauses.
    """
    text = headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), RETRY_AFTER_S_MAX)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return 0.0
    return min(max(wait.total_seconds(), 0.0), RETRY_AFTER_S_MAX)


class _Silence(logging.Filter):
    """While an address is used, what the library below writes of it in this thread is dropped: its warnings name the address."""

    def __init__(self) -> None:
        super().__init__()
        self._here = threading.local()
        for name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry", "requests.packages.urllib3"):
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return not getattr(self._here, "on", False)

    def __enter__(self) -> None:
        self._here.on = True

    def __exit__(self, *_: object) -> None:
        self._here.on = False
