"""What somebody did in a chat, as one small value that can be stored and carried out later by a worker."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from workflows.core.identity import SLACK, Account
from workflows.core.records.request import TERMINAL, Origin
from workflows.core.records.signed import SignedAct

COMMAND, PRESS, FORM, DENY, END, LESS = "command", "press", "form", "deny_form", "end_form", "less_form"
BREAK_GLASS_FORM, FLAG = "glass_form", "flag_form"
GATE_GLASS = "gate_glass_form"
DENY_ALL, ACKNOWLEDGE = "deny_all_form", "acknowledge_form"
EXTEND = "extend_form"
LIFT, CONFIRM = "lift_form", "confirm_form"
CERTIFY = "certify_form"
# Forms in which something is asked for.
_ASKING = frozenset({FORM, BREAK_GLASS_FORM, EXTEND})
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Interaction:
    """`id` names this one act, so that a repeated delivery is the same act. `who` comes from the signed payload.

    `text`: what was typed after the command. `action`, `value`: the button's. `fields`: of a form, by name.
    `response_url`: where an answer may be sent later; it is a secret of this act.
    """

    id: str
    kind: str
    who: Account
    text: str = ""
    action: str = ""
    value: str = ""
    fields: dict[str, str] | None = None
    channel: str = ""
    channel_name: str = ""
    thread_ts: str | None = None
    response_url: str = ""
    # A worker has looked up everybody whom it names: who is not known now is not known.
    looked: bool = False
    # The answer to what is asked for is a message for good, like a form's: the sender keeps it current.
    kept: bool = False
    # What the chat signed of it, where it came over HTTP and is a vote.
    signed: SignedAct | None = None
    # Not typed in a chat, although it is of an account there: no channel, and nothing is answered there. Never packed.
    terminal: bool = False

    def __post_init__(self) -> None:
        """A chat that cuts text may cut an emoji in two, and half of one can be stored nowhere."""
        for name in ("text", "value"):
            object.__setattr__(self, name, _whole(getattr(self, name)))
        if self.fields:
            object.__setattr__(self, "fields", {name: _whole(text) for name, text in self.fields.items()})

    @property
    def origin(self) -> Origin:
        return Origin(
            self.who.tenant,
            self.channel,
            self.channel_name,
            self.thread_ts,
            by_form=self.kept or self.kind in _ASKING,
            surface=TERMINAL if self.terminal else self.who.surface,
        )

    def packed(self) -> str:
        """As JSON, which the version before reads while a release rolls out."""
        fields = asdict(self)
        who = fields.pop("who")
        # Which stands beside it, see `deferred`.
        del fields["signed"], fields["terminal"]
        if not self.kept:
            # Which the version before does not know.
            del fields["kept"]
        return json.dumps(fields | _stored(who))


def unpacked(text: str) -> Interaction:
    """What `packed` made of it, in this version or the one before."""
    found: dict[str, Any] = json.loads(text)
    who = Account(found.pop("surface", SLACK), found.pop("team"), found.pop("user"))
    return Interaction(who=who, **found)


def _whole(text: str) -> str:
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def _stored(who: dict[str, str]) -> dict[str, str]:
    """As in records, see `workflows.ledger.codec`."""
    chat = {} if who["surface"] == SLACK else {"surface": who["surface"]}
    return chat | {"team": who["tenant"], "user": who["user"]}
