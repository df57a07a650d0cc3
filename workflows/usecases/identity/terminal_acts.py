"""What is asked from a terminal, on the record: a challenge, the proof that takes it once, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.canonical_json import digest
from workflows.core.identity import PersonId
from workflows.core.records.terminal import TerminalAct, Vouched
from workflows.core.terminal.caller import Caller
from workflows.core.terminal.proof import Proof
from workflows.ports import Change, Committed, IndexEntry
from workflows.usecases.shared.context import SOON, Context

# A challenge is signed at once, by a program.
CHALLENGE_FOR = timedelta(seconds=60)
# An answer can be fetched for so long.
ANSWER_FOR = timedelta(minutes=10)
# So many challenges and acts at once: strangers can ask for challenges.
ACTS_MAX = 2000
# So many wait for a worker at once: nobody knows yet who sent them, and what gives and takes away has the same threads.
WAITING_MAX = 40
_FORGOTTEN_AT_ONCE = 50
# Others may forget the same ones at the same time.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """What a terminal sends with a challenge. `line`: what was typed after the command's name. `ticket_hash`: 64 hex digits."""

    challenge: str
    line: str
    proof: Proof
    ticket_hash: str


class TooManyWait(Exception):
    """For a worker. It passes."""


def id_of(challenge: str) -> str:
    return digest(["terminal", challenge])[:24]


def issue(ctx: Context, challenge: str, audience: str) -> bool:
    """Put a challenge on the record. `challenge`: 256 random bits. False where there are too many of them."""
    return any(_issued(ctx, challenge, audience) for _ in range(_ATTEMPTS))


def _issued(ctx: Context, challenge: str, audience: str) -> bool:
    old = ctx.ledger.members(keys.TERMINAL, high=ctx.ledger.now().timestamp(), limit=_FORGOTTEN_AT_ONCE)
    if ctx.ledger.count(keys.TERMINAL) - len(old) >= ACTS_MAX:
        return False
    id_ = id_of(challenge)
    gone = {one: keys.terminal(one) for one in old}
    snapshot = ctx.ledger.read(keys.terminal(id_), *gone.values())
    act = TerminalAct(id_, challenge, audience, snapshot.now + CHALLENGE_FOR)
    # What waits for a worker stays until one has looked.
    over = {one: item for one, item in gone.items() if not _waits(snapshot.readable(item, TerminalAct))}
    change = Change(
        commit_id=f"challenge:{id_}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.terminal(id_): act},
        deletes=frozenset(item for item in over.values() if not snapshot.items[item].is_absent),
        index=(_entry(act), *(IndexEntry(keys.TERMINAL, one, None) for one in over)),
    )
    return isinstance(ctx.ledger.commit(change), Committed)


def _waits(act: TerminalAct | None) -> bool:
    return act is not None and bool(act.line) and act.answer is None


def take(ctx: Context, sent: Sent) -> str | None:
    """Use a challenge up, once, and have a worker decide what was asked. Its id; None where there is none to use.

    Sent twice with the same proof it is the same act. Raises TooManyWait.
    """
    id_ = id_of(sent.challenge)
    item = keys.terminal(id_)
    snapshot = ctx.ledger.read(item)
    act = snapshot.readable(item, TerminalAct)
    if act is None or act.challenge != sent.challenge:
        return None
    if act.line:
        same = (act.line, act.ticket_hash) == (sent.line, sent.ticket_hash) and act.proof in (sent.proof, None)
        return id_ if same else None
    if snapshot.now >= act.until:
        return None
    if ctx.ledger.count(keys.TERMINAL_WAITING) >= WAITING_MAX:
        raise TooManyWait
    taken = replace(
        act,
        until=snapshot.now + ANSWER_FOR,
        line=sent.line,
        proof=sent.proof,
        ticket_hash=sent.ticket_hash,
        at=snapshot.now,
    )
    change = Change(
        commit_id=f"terminal:{id_}:{digest([sent.line, sent.ticket_hash, sent.proof.signature])}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: taken},
        due={item: snapshot.now + SOON},
        index=(_entry(taken), IndexEntry(keys.TERMINAL_WAITING, id_, snapshot.now.timestamp())),
    )
    if not isinstance(ctx.ledger.commit(change), Committed):
        return None
    ctx.wake(item)
    return id_


def read(ctx: Context, id_: str) -> TerminalAct | None:
    item = keys.terminal(id_)
    return ctx.ledger.read(item).readable(item, TerminalAct)


def answer(ctx: Context, act: TerminalAct, text: str, *, refused: bool) -> None:
    """The end of it. The proof goes: nobody needs it any more."""
    item = keys.terminal(act.id)
    snapshot = ctx.ledger.read(item)
    found = snapshot.readable(item, TerminalAct)
    done = replace(found or act, answer=text, refused=refused, proof=None, until=snapshot.now + ANSWER_FOR)
    change = Change(
        commit_id=f"answer:{item}:{snapshot.items[item].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: done},
        due={item: None},
        index=(_entry(done), IndexEntry(keys.TERMINAL_WAITING, act.id, None)),
    )
    ctx.ledger.commit(change)


def vouch(ctx: Context, who: PersonId, caller: Caller) -> None:
    """A provider has just vouched for a person, and no chat could be asked. Committed before anything is decided on it."""
    item = keys.vouched(who)
    snapshot = ctx.ledger.read(item)
    record = Vouched(who, caller, snapshot.now)
    commit_id = f"vouch:{item}:{snapshot.items[item].version}:{ctx.chance.hex(8)}"
    ctx.ledger.commit(Change(commit_id, snapshot.now, snapshot.versions(), {item: record}))


def _entry(act: TerminalAct) -> IndexEntry:
    return IndexEntry(keys.TERMINAL, act.id, act.until.timestamp())
