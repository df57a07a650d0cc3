"""What Slack signed of a vote: kept as it came, and read again by the worker with the signing secret.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from bot.chat.actions.sent_forms import SENT, Sent
from bot.chat.actions.voted import said
from bot.chat.interaction import Interaction
from bot.settings import Secret
from bot.slack import acts
from bot.slack.form_input import filled
from bot.slack.signature import is_signed_at
from workflows.core.identity import SLACK
from workflows.core.records.signed import SignedAct
from workflows.core.rules.signed_votes import Said

if TYPE_CHECKING:
    from slack_bolt import BoltRequest

# Our largest card is a tenth of it as Slack sends it back. A vote with more is not kept, and counts for nothing in production.
BODY_BYTES_MAX = 256 * 1024
_TIMESTAMP, _SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"


def signed(act: Interaction, request: BoltRequest) -> Interaction:
    """The act with what Slack signed of it. In Socket Mode nothing is signed: the connection itself is proved."""
    if request.mode != "http" or len(request.raw_body.encode()) > BODY_BYTES_MAX:
        return act
    timestamp, signature = _first(request.headers, _TIMESTAMP), _first(request.headers, _SIGNATURE)
    return replace(act, signed=SignedAct(timestamp, signature, packed(request.raw_body)))


def _first(headers: Mapping[str, Any], name: str) -> str:
    return next(iter(headers.get(name) or ()), "")


def packed(body: str) -> str:
    """Deflated, because a card is sent back whole: about a fifth of it is left."""
    return base64.b64encode(zlib.compress(body.encode(), 9)).decode()


def unpacked(text: str) -> str:
    """Raises ValueError for what `packed` has not made, or what is larger than it makes."""
    try:
        inflating = zlib.decompressobj()
        body = inflating.decompress(base64.b64decode(text, validate=True), BODY_BYTES_MAX)
    except (binascii.Error, zlib.error) as problem:
        raise ValueError("not packed by us") from problem
    if not inflating.eof or inflating.unused_data:
        raise ValueError("not whole, or too large")
    return body.decode()


class SlackSignatures:
    """A `ports.Signatures`. Any value of the secret proves, as at the door."""

    surface = SLACK

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def read(self, act: SignedAct) -> Said | None:
        """Whoever wrote there by hand may have written anything: what cannot be read says nothing."""
        try:
            body = unpacked(act.body)
            if not is_signed_at(self._secret.values, body, act.timestamp, act.signature):
                return None
            found = _act_of(body)
            return said(found, datetime.fromtimestamp(int(act.timestamp), UTC)) if found is not None else None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError, OSError):
            return None


def _act_of(body: str) -> Interaction | None:
    """As the listeners in `app` read it."""
    form = dict(parse_qsl(body, keep_blank_values=True))
    if "payload" not in form:
        return acts.typed(form)
    payload = json.loads(form["payload"])
    if payload["type"] == "block_actions":
        return acts.pressed(payload)
    view = payload["view"]
    sent_form = SENT[str(view["callback_id"])]
    found = sent_form.read(filled(view)) if payload["type"] == "view_submission" else None
    return acts.sent(payload, sent_form.act, found.fields, found.where) if isinstance(found, Sent) else None
