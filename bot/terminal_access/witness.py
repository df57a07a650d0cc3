"""A vote from a terminal is proved once: AWS forgets a signed call within minutes. So the worker that has seen the proof writes
down what it has seen, under a key that it has from the chat's signing secret, and the worker that gives reads it again.

It shows a vote that somebody has written into Redis by hand, as what Slack has signed does: see docs/adr/0057 and 0069.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

from bot.chat.actions.voted import said
from bot.chat.interaction import COMMAND, Interaction
from bot.settings import Secret
from workflows.core.identity import Account, account_named
from workflows.core.records.signed import SignedAct
from workflows.core.rules.signed_votes import Said
from workflows.ports import Signatures

_MARK = "terminal="
_PURPOSE = b"prodaccess: a vote from a terminal"


def witnessed(secret: Secret, who: Account, line: str, at: datetime) -> SignedAct:
    """`line`: what was typed after the command's name, as it was proved. `who`: the voter's account."""
    body = json.dumps({"who": who.id, "line": line})
    timestamp = str(int(at.timestamp()))
    return SignedAct(timestamp, _MARK + _code(secret.newest, timestamp, body), body)


class WithTerminal:
    """A `ports.Signatures`: a chat's, and those of workers beside."""

    def __init__(self, chats: Signatures, secret: Secret) -> None:
        self._chats = chats
        self._secret = secret

    @property
    def surface(self) -> str:
        return self._chats.surface

    def read(self, act: SignedAct) -> Said | None:
        if not act.signature.startswith(_MARK):
            return self._chats.read(act)
        try:
            fits = any(
                hmac.compare_digest(_MARK + _code(value, act.timestamp, act.body), act.signature)
                for value in self._secret.values
            )
            return _said(act) if fits else None
        except (ValueError, LookupError, TypeError, OverflowError, OSError):
            return None


def _said(act: SignedAct) -> Said | None:
    body = json.loads(act.body)
    typed = Interaction("", COMMAND, account_named(body["who"]), text=body["line"])
    return said(typed, datetime.fromtimestamp(int(act.timestamp), UTC))


def _code(secret: str, timestamp: str, body: str) -> str:
    key = hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest()
    return hmac.new(key, f"{timestamp}\0{body}".encode(), hashlib.sha256).hexdigest()
