"""A valid folder that loosens production, while the policy in force has people asked first: what stands on record of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, WaitingPolicy, WaitingState
from workflows.core.records.record import Record
from workflows.ports import Change, Snapshot
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, event

SUBJECT = "change-"
# So many lines of what is looser stand on the entry, and so on the card.
LINES_MAX = 40
_BEFORE_LENGTH = 16


def subject_of_change(policy_hash: str) -> str:
    """What its messages belong to."""
    return f"{SUBJECT}{policy_hash[:12]}"


def named(waiting: WaitingPolicy) -> str:
    """What a button stands for: this folder, against this policy in force."""
    return f"{waiting.hash}:{waiting.before[:_BEFORE_LENGTH]}"


def words_of(asks: Mapping[str, int]) -> str:
    """`1 of security, 2 of platform`."""
    return ", ".join(f"{count} of {name}" for name, count in asks.items())


@dataclass(frozen=True, slots=True)
class Part:
    """What is added to a change that settles, as well, what has been waiting."""

    puts: Mapping[str, Record] = field(default_factory=dict)
    audit: tuple[AuditEvent, ...] = ()
    due: Mapping[str, datetime | None] = field(default_factory=dict)
    wake: tuple[str, ...] = ()


def held_back(snapshot: Snapshot) -> WaitingPolicy | None:
    """What waits, or was denied and is still in the folder."""
    found = snapshot.readable(keys.POLICY_WAITING, WaitingPolicy)
    return found if found is not None and found.holds else None


def replaced(ctx: Context, snapshot: Snapshot, by: str) -> Part:
    """The folder is another one by now: `by`, its hash. Nothing where nothing waits."""
    waiting = held_back(snapshot)
    if waiting is None:
        return Part()
    subject = subject_of_change(waiting.hash)
    entry = event(ctx, Event.POLICY_REPLACED, subject, snapshot, {"policy": waiting.hash, "by": by})
    chat = keys.chat(subject)
    return Part(
        {keys.POLICY_WAITING: replace(waiting, state=WaitingState.OVER)},
        (entry,),
        {chat: snapshot.now + timedelta(seconds=1)},
        (chat,),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What has to wait. `lines`: what it makes looser; `difference`: all that it changes."""

    hash: str
    files: PolicyFiles
    asks: Mapping[str, int]
    lines: Sequence[str]
    difference: Sequence[str]
    commit_sha: str | None = None


def wait(ctx: Context, snapshot: Snapshot, before: ActivePolicy, held: Held) -> CommitAttempt:
    """Keep it, and have people asked. What waited before it waits no more. `Outcome.outcome`: `waiting`."""
    subject = subject_of_change(held.hash)
    old = held_back(snapshot)
    part = replaced(ctx, snapshot, held.hash) if old is not None and old.hash != held.hash else Part()
    waiting = WaitingPolicy(held.hash, before.hash, snapshot.now, dict(held.asks), held.commit_sha)
    facts = {"policy": held.hash, "before": before.hash, "commit": held.commit_sha or "", "asks": words_of(held.asks)}
    facts["change"] = named(waiting)
    private = {"looser": "\n".join(held.lines[:LINES_MAX]), "difference": "\n".join(held.difference[:LINES_MAX])}
    entry = event(ctx, Event.POLICY_WAITS, subject, snapshot, facts, private)
    done, chat = Outcome(held.hash, WaitingState.WAITING.value), keys.chat(subject)
    change = Change(
        commit_id=f"policy-waits:{held.hash}:{snapshot.items[keys.POLICY_WAITING].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.POLICY_WAITING: waiting, keys.POLICY_WAITING_FILES: held.files},
        due={**part.due, chat: snapshot.now + timedelta(seconds=1)},
        audit=(*part.audit, entry),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(chat, *part.wake))
