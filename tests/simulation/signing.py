"""A chat that signs what it sends, as Slack does over HTTP; and somebody who can write to Redis, and cannot sign."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.chat.actions.voted import said
from bot.chat.interaction import Interaction, unpacked
from workflows.core.identity import SLACK
from workflows.core.records.signed import SignedAct
from workflows.core.rules.signed_votes import Said


class ToySignatures:
    """A `ports.Signatures`. `now`: by the chat's own clock, which nobody sets."""

    surface = SLACK

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def sign(self, act: Interaction) -> Interaction:
        at, body = self._now().isoformat(), act.packed()
        return replace(act, signed=SignedAct(at, _signature(at, body), body))

    def read(self, act: SignedAct) -> Said | None:
        if act.signature != _signature(act.timestamp, act.body):
            return None
        return said(unpacked(act.body), datetime.fromisoformat(act.timestamp))


def _signature(at: str, body: str) -> str:
    """What only the chat can make."""
    return hashlib.sha256(f"only the chat knows: {at} {body}".encode()).hexdigest()
