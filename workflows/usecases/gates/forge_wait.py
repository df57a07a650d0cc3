"""A deployment waits, as GitHub has said, signed, or a worker has seen at GitLab: it is put on the record once, and seen to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.canonical_json import digest
from workflows.core.records.forge import ForgeWait
from workflows.core.records.gate import TokenOnce
from workflows.core.records.record import Record
from workflows.core.refusal import Refused
from workflows.ports import Change, IndexEntry
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, run

# GitHub lets a run wait for so long; a message about one that is older says nothing.
# Source: https://docs.github.com/en/actions/reference/limits (an environment's approval, 30 days)
WAITS_MAX = timedelta(days=30)
TICKET_DIGITS = 64


def wait_id(repository_id: str, run: str, environment: str, deployment: str) -> str:
    return digest([repository_id, run, environment, deployment])[:40]


def remember(ctx: Context, wait: ForgeWait, forge: str, once: Sequence[str]) -> bool:
    """Whether it is news. `once`: what names this very message, of which none may have been seen before. `wait.since` and
    `wait.ticket` are set here. Raises LedgerUnreachable.
    """
    names = [keys.token_once(forge, one) for one in once]
    answer = run(ctx, lambda: _once(ctx, wait, names))
    if isinstance(answer, Refused):
        raise RuntimeError(f"a message was not put on the record ({answer.code.value})")
    return answer.outcome == "new"


def _once(ctx: Context, wait: ForgeWait, names: Sequence[str]) -> CommitAttempt | Outcome:
    item = keys.forge(wait.id)
    snapshot = ctx.ledger.read(item, *names)
    if any(not found.is_absent for found in snapshot.items.values()):
        return Outcome(wait.id, "known")
    until = snapshot.now + WAITS_MAX
    made = replace(wait, ticket=ctx.chance.hex(TICKET_DIGITS), since=snapshot.now)
    remembered: dict[str, Record] = {key: TokenOnce(key.partition(":")[2], until) for key in names}
    done = Outcome(wait.id, "new")
    change = Change(
        # Another one each time: of several who hear it at once one has news, and the others lose the race.
        commit_id=f"forge-wait:{wait.id}:{ctx.chance.hex(16)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: made, **remembered},
        due={item: snapshot.now},
        index=tuple(IndexEntry(keys.TOKENS, key, until.timestamp()) for key in names),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item,))
