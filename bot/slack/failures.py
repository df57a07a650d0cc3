"""What people are told when something in here fails while they act: one sentence with a number, at the place where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt import BoltResponse

from bot.chat.interaction import PRESS, Interaction
from bot.chat.messages.fault import fault_words
from workflows.core.identity import SLACK, Account

Body = Mapping[str, Any]

# Slack shows no more beside a field.
_BESIDE_A_FIELD_MAX = 1000


def acknowledged(body: Body, number: str) -> BoltResponse:
    """What Slack gets in place of the listener's own answer, so that it neither shows an error of its own nor asks again."""
    sentence = fault_words(number)
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
    field = _first_field(body)
    if body.get("type") == "view_submission" and field:
        # The form stays open, with all that was typed.
        return BoltResponse(
            status=200, body={"response_action": "errors", "errors": {field: sentence[:_BESIDE_A_FIELD_MAX]}}
        )
    if body.get("type") == "block_suggestion":
        return BoltResponse(status=200, body={"options": []})
    return BoltResponse(status=200, body="")


def to_be_told(body: Body) -> Interaction | None:
    """Who acted, where the acknowledgement cannot tell them: they get a message of their own."""
    user = (body.get("user") or {}).get("id")
    if (
        not user
        or body.get("type") == "block_suggestion"
        or (body.get("type") == "view_submission" and _first_field(body))
    ):
        return None
    return Interaction(
        id="", kind=PRESS, who=Account(SLACK, "", str(user)), response_url=str(body.get("response_url") or "")
    )


def kind_of(body: Body) -> str:
    """What it was, in one of Slack's own words."""
    if "command" in body:
        return "command"
    event = body.get("event") or {}
    return str(body.get("type") if not event else event.get("type")) or "unknown"


def _first_field(body: Body) -> str | None:
    blocks = (body.get("view") or {}).get("blocks") or []
    return next((str(block.get("block_id")) for block in blocks if block.get("type") == "input"), None)
