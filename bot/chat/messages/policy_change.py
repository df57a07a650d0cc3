"""The card of a change of the policy that loosens production and waits for people. Drawn from the audit log alone."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.message import Button, Confirm, Line, Listing, Message, Small, buttons, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import NOTHING, Rich, Time, join, ours, say, short
from workflows.core.audit import AuditEntry, Event

AGREE, REFUSE = "agree_policy", "refuse_policy"
OF_CHANGE = frozenset({Event.POLICY_WAITS, Event.POLICY_AGREED, Event.POLICY_REFUSED, Event.POLICY_REPLACED})


def is_open(entries: Sequence[AuditEntry]) -> bool:
    """Whether people are still asked. `entries`: the one that says that it waits, and what came after it."""
    return _end_of(entries) is None


def policy_change(entries: Sequence[AuditEntry], called: Rich = NOTHING, reader: str = "") -> Message:
    """`called`: who is asked, in the chat where it stands. `reader`: the id of the only one who reads it."""
    waits, end = entries[0], _end_of(entries)
    return _over(waits, end, entries) if end is not None else _open(waits, entries, called, reader)


def _end_of(entries: Sequence[AuditEntry]) -> AuditEntry | None:
    """What ended the wait: the last agreement that was needed, a no, or another folder."""
    return next((entry for entry in entries[1:] if entry.event is not Event.POLICY_AGREED or _is_last(entry)), None)


def _is_last(entry: AuditEntry) -> bool:
    return not entry.facts.get("missing")


def _open(waits: AuditEntry, entries: Sequence[AuditEntry], called: Rich, reader: str) -> Message:
    line = say("✋ Policy {} is not in force yet", _policy(waits))
    missing = _missing(entries)
    whom = say("{}: please look at it.", called) if called else ours("Please look at it.")
    asks = say("*It makes production looser, and waits for {}.* {}", short(missing, 300), whom)
    return message(
        say("{}: it waits for {}", line, short(missing, 300)),
        Line(line),
        Line(asks),
        _listing(waits.private.get("looser", ""), room=4000),
        Line(ours("All changes:")),
        _listing(waits.private.get("difference", ""), room=6000),
        _agreed(entries),
        buttons(*_choices(waits)[_has_agreed(entries, reader) :]),
        Small(_proof(waits)),
    )


def _has_agreed(entries: Sequence[AuditEntry], reader: str) -> bool:
    said = (entry.private.get("actor") for entry in entries if entry.event is Event.POLICY_AGREED)
    return bool(reader) and reader in said


def _choices(waits: AuditEntry) -> tuple[Button, Button]:
    name, change = waits.facts["policy"][:12], waits.facts["change"]
    return (
        Button(
            "Approve",
            AGREE,
            change,
            said=f"Approve policy {name}",
            style="primary",
            confirm=Confirm(
                "Approve this change?",
                "Once enough people have, it decides who gets into production. Your name stands on the record.",
                "Approve",
                "Go back",
            ),
        ),
        Button(
            "Deny",
            REFUSE,
            change,
            said=f"Deny policy {name}",
            style="danger",
            confirm=Confirm(
                "Deny this change?",
                "The policy in force stays until the folder changes again.",
                "Deny",
                "Go back",
                dangerous=True,
            ),
        ),
    )


def _over(waits: AuditEntry, end: AuditEntry, entries: Sequence[AuditEntry]) -> Message:
    policy, stays = _policy(waits), short(waits.facts.get("before", "")[:12])
    if end.event is Event.POLICY_AGREED:
        line = say("✅ Policy {} is in force: agreed to by {}", policy, _names(entries))
    elif end.event is Event.POLICY_REFUSED:
        who = short(end.private.get("actor_name", ""), 100) or "somebody"
        line = say("⛔ Policy {} was denied by {}. Policy {} stays until the folder changes again.", policy, who, stays)
    else:
        by = short(end.facts.get("by", "")[:12])
        line = say("↪️ Policy {} waits no more: the folder has changed again, to policy {}.", policy, by)
    return message(line, Line(line), Small(_proof(end)))


def _policy(waits: AuditEntry) -> Rich:
    commit = waits.facts.get("commit", "")[:12]
    name = short(waits.facts.get("policy", "")[:12])
    return say("{} (commit {})", name, short(commit)) if commit else say("{}", name)


def _missing(entries: Sequence[AuditEntry]) -> str:
    said = [entry.facts.get("missing", "") for entry in entries if entry.event is Event.POLICY_AGREED]
    return said[-1] if said else entries[0].facts.get("asks", "")


def _agreed(entries: Sequence[AuditEntry]) -> Line | None:
    names = _names(entries)
    return Line(say("👍 Agreed so far: {}", names)) if names else None


def _names(entries: Sequence[AuditEntry]) -> Rich:
    said = (entry.private.get("actor_name", "") for entry in entries if entry.event is Event.POLICY_AGREED)
    return join([short(name or "somebody", 100) for name in dict.fromkeys(said)], ", ")


def _listing(text: str, *, room: int) -> Listing:
    found = [say("• {}", short(line, 300)) for line in text.splitlines() if line.strip()]
    return Listing(found or [ours("Nothing that decides anything.")], room=room)


def _proof(entry: AuditEntry) -> Rich:
    when, proof = Time(entry.at, entry.at), mark(entry.number, entry.digest)
    if entry.event is not Event.POLICY_WAITS:
        return say("{} · {}", when, proof)
    stays = short(entry.facts.get("before", "")[:12])
    return say("{} · {} · Policy {} stays until then. I do not know who merged the change.", when, proof, stays)
