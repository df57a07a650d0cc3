"""Tells the people who run this what cannot be read: on the record, on a list, in chat. One alarm is enough for each, however
many processes meet it how often.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.ports import Change, IndexEntry
from workflows.usecases.shared.context import SOON, Context, event
from workflows.usecases.shared.unreadable import KEPT_MAX

SUBJECT = "unreadable"
# What nobody has met for so long is not there any more: it was written anew, or taken away.
FORGET_AFTER = timedelta(minutes=10)
_RECORD = "record:"


def tell(ctx: Context, met: Mapping[str, str]) -> None:
    """Put it on the record and on the list, and let chat say it. What is on the list already is only seen once more."""
    for what, why in met.items():
        snapshot = ctx.ledger.read()
        listed = ctx.ledger.score(keys.UNREADABLE, what) is not None
        entry = event(
            ctx, Event.LEDGER_UNREADABLE, SUBJECT, snapshot, {"kind": kind_of(what)}, {"what": what, "why": why}
        )
        chat = keys.chat(SUBJECT)
        ctx.ledger.commit(
            Change(
                commit_id=f"unreadable:{what}:{ctx.chance.hex(12) if listed else _hour(snapshot.now)}",
                at=snapshot.now,
                reads={},
                due={} if listed else {chat: snapshot.now + SOON},
                index=(IndexEntry(keys.UNREADABLE, what, snapshot.now.timestamp()),),
                audit=() if listed else (entry,),
                # Nothing is removed by it, but a full memory is no reason to keep it secret.
                removes_access=True,
            )
        )


def look_again(ctx: Context) -> None:
    """Take off the list what can be read by now, and what nobody has met for a while."""
    listed = ctx.ledger.members(keys.UNREADABLE, limit=KEPT_MAX)
    if not listed:
        return
    records = [what.removeprefix(_RECORD) for what in listed if what.startswith(_RECORD)]
    snapshot = ctx.ledger.read(*(key for key in records if ":" in key))
    fine = [_RECORD + key for key, item in snapshot.items.items() if not item.problem]
    old = ctx.ledger.members(keys.UNREADABLE, high=(snapshot.now - FORGET_AFTER).timestamp(), limit=KEPT_MAX)
    gone = {*fine, *(what for what in old if not what.startswith(_RECORD))}
    if gone:
        out = tuple(IndexEntry(keys.UNREADABLE, what, None) for what in sorted(gone))
        ctx.ledger.commit(Change(f"readable:{ctx.chance.hex(16)}", snapshot.now, {}, index=out, removes_access=True))


def kind_of(what: str) -> str:
    """What it is, without whose it is: `record:grant` of `record:grant:PA-7`."""
    parts = what.split(":")
    return ":".join(parts[:2]) if parts[0] in ("record", "index") else parts[0]


def _hour(now: datetime) -> str:
    """Told again within the hour, by whichever process, is told once."""
    return f"{now:%Y-%m-%dT%H}"
