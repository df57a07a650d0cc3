"""Requests as Slack makes and signs them, for votes that a worker looks at again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from slack_bolt import BoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.chat.message import value_of
from bot.settings import Secret
from bot.slack.signed import SlackSignatures, packed
from tests.support.build import OLU
from tests.support.world import World, account
from workflows.core.identity import Account
from workflows.core.people import PersonId
from workflows.core.records.signed import SignedAct

SECRET, OLDER = "e" * 32, "f" * 32


def signed_act(body: str, at: datetime, secret: str = SECRET) -> SignedAct:
    timestamp = str(int(at.timestamp()))
    made = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    assert made is not None
    return SignedAct(timestamp, made, packed(body))


def delivered(body: str, at: datetime) -> BoltRequest:
    act = signed_act(body, at)
    headers = {"X-Slack-Request-Timestamp": act.timestamp, "X-Slack-Signature": act.signature}
    return BoltRequest(body=body, headers=headers | {"content-type": "application/x-www-form-urlencoded"})


def _payload(who: Account, **more: Any) -> str:
    own = {"user": {"id": who.user, "team_id": who.tenant}, "team": {"id": who.tenant}, "trigger_id": "1.2.x"}
    return urlencode({"payload": json.dumps(own | more)})


def press(who: Account, value: str, action: str = "approve") -> str:
    """As Slack sends a press: with the card on which the button stood."""
    card = {"ts": "1.1", "text": "Dana asks", "blocks": [{"type": "section", "text": "INC-42 checkout errors"}] * 20}
    pressed = {"action_id": action, "action_ts": "1.1", "value": value, "type": "button"}
    return _payload(who, type="block_actions", actions=[pressed], message=card, channel={"id": "C0PAYMENTS"})


def typed(who: Account, text: str) -> str:
    return urlencode(
        {"command": "/prodaccess", "user_id": who.user, "team_id": who.tenant, "text": text, "trigger_id": "1"}
    )


def lessened(who: Account, value: str, role: str, seconds: int) -> str:
    chosen = {"role": {"role": {"selected_option": {"value": role}}}}
    chosen |= {"duration": {"duration": {"selected_option": {"value": str(seconds)}}}}
    view = {"id": "V1", "callback_id": "less_form", "private_metadata": value, "state": {"values": chosen}}
    return _payload(who, type="view_submission", view=view)


def checking(world: World, *secrets: str) -> World:
    """The same world with a worker that checks what Slack signed."""
    found = SlackSignatures(Secret("SLACK_SIGNING_SECRET", secrets or (SECRET,)))
    world.ctx = replace(world.ctx, signatures=found)
    return world


def button(world: World, id_: str) -> str:
    return value_of(id_, world.request(id_).terms.hash)


def pressed(world: World, id_: str, who: PersonId = OLU, **changes: Any) -> SignedAct:
    """A press of Approve on this request as it stands, signed now."""
    at = changes.pop("at", world.clock.now())
    return signed_act(press(account(who), changes.pop("value", button(world, id_))), at, **changes)
