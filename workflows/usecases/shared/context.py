"""What every use case is handed, and the loop that all of them share: read, decide, commit, start over when it lost a race."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.clockwork import LedgerClock, distrusted
from workflows.core.mixed import OlderRunning, not_beside_older
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.request import Origin
from workflows.core.refusal import Code, Refused
from workflows.ports import (
    Ahead,
    Change,
    Committed,
    Directory,
    DirectoryRefresher,
    Fault,
    LeaseRenewer,
    Ledger,
    NotAhead,
    PolicySource,
    RandomSource,
    Signatures,
    Snapshot,
    Targets,
    Tickets,
    Vouching,
    Wake,
)
from workflows.usecases.shared.accepted_copy import accepted_meanwhile
from workflows.usecases.shared.outside import SureOrigin, SurePolicy, SureRefresher, SureTargets, SureTickets, SureWake
from workflows.usecases.shared.unreadable import Unreadable

# The clock's own look at what has just been committed comes this much later than the wake-up that is sent along.
SOON = timedelta(seconds=1)
# A use case that loses this many races in a row meets something other than a race.
ATTEMPTS_MAX = 50


@dataclass(frozen=True, slots=True)
class Context:
    """For every process that decides. What lies outside is made sure here, so that nobody can forget it: see `outside`."""

    ledger: Ledger
    directory: Directory
    policy: PolicySource
    wake: Wake
    chance: RandomSource
    _: KW_ONLY
    fault: Fault
    # What of the ledger this process has met and could not read.
    unreadable: Unreadable = field(default_factory=Unreadable)
    # Workers alone have it: with None what rests on a ticket's state is left to one.
    tickets: Tickets | None = None
    # Web has one: there people wait for what is read.
    ahead: Ahead = field(default_factory=NotAhead)

    def __post_init__(self) -> None:
        tickets = SureTickets(self.tickets, self.fault) if self.tickets is not None else None
        policy, wake = SurePolicy(self.policy, self.fault), SureWake(self.wake, self.fault)
        _set(self, policy=policy, wake=wake, tickets=tickets)


@dataclass(frozen=True, slots=True)
class WorkerContext(Context):
    """For workers alone: with the world outside. `monotonic_s` is this host's, in seconds; it goes on while stopped."""

    targets: Targets
    refresher: DirectoryRefresher
    lease_renewer: LeaseRenewer
    # What the channel of a request really is, as far as the chat can prove it. Raises DirectoryUnreachable.
    prove_origin: Callable[[Policy, Origin], Origin]
    monotonic_s: Callable[[], float]
    # With None nobody here can check what a chat signed: it signs nothing, or the secret is not here.
    signatures: Signatures | None = None
    # With None nobody can act from a terminal.
    vouching: Vouching | None = None

    def __post_init__(self) -> None:
        Context.__post_init__(self)
        _set(
            self,
            targets=SureTargets(self.targets, self.fault),
            refresher=SureRefresher(self.refresher, self.fault),
            prove_origin=SureOrigin(self.prove_origin, self.fault),
        )


def _set(ctx: Context, **parts: object) -> None:
    for name, part in parts.items():
        object.__setattr__(ctx, name, part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """It is on the ledger. `outcome` is a word of the use case's own; `numbers` are the audit entries'."""

    id: str
    outcome: str
    numbers: tuple[int, ...] = ()

    @property
    def answer(self) -> str:
        return json.dumps({"id": self.id, "outcome": self.outcome})


def done_from(answer: str, numbers: tuple[int, ...] = ()) -> Outcome:
    stored = json.loads(answer)
    return Outcome(stored["id"], stored["outcome"], numbers)


class Contended(Exception):
    """Too many races lost in a row."""


@dataclass(frozen=True, slots=True)
class CommitAttempt:
    """What one turn of the loop wants: to commit `change` and answer `done`. `wake` are the due items to wake at once."""

    change: Change
    done: Outcome
    wake: tuple[str, ...] = ()


def run(ctx: Context, once: Callable[[], CommitAttempt | Outcome | Refused]) -> Outcome | Refused:
    """Run `once` until its commit is taken, it refuses, or it has nothing to commit."""
    for _ in range(ATTEMPTS_MAX):
        attempt = once()
        if not isinstance(attempt, CommitAttempt):
            return attempt
        result = ctx.ledger.commit(attempt.change)
        if isinstance(result, Committed):
            ctx.wake(*attempt.wake)
            return done_from(result.answer, result.numbers)
        if result.why == "durability":
            return Refused(Code.LEDGER_NOT_DURABLE, {"why": ctx.ledger.durability().why})
        if result.why == "clock":
            return clock_in_doubt(ctx.ledger.read(keys.CLOCK)) or Refused(Code.CLOCK_IN_DOUBT, audited=False)
        if result.why == "older":
            return older_runs(ctx.ledger.read(keys.OLDER)) or Refused(Code.OLDER_VERSION_RUNS, audited=False)
        if result.why == "restored" and not accepted_meanwhile(ctx):
            return IN_DOUBT
    raise Contended(f"lost {ATTEMPTS_MAX} races in a row")


def event(
    ctx: Context,
    kind: Event,
    subject: str,
    snapshot: Snapshot,
    facts: Mapping[str, str] | None = None,
    private: Mapping[str, str] | None = None,
) -> AuditEvent:
    """An audit entry at the snapshot's time, with fresh randomness."""
    return AuditEvent(
        kind, subject, snapshot.now, ctx.chance.hex(32), ctx.chance.hex(32), dict(facts or {}), dict(private or {})
    )


def clock_in_doubt(snapshot: Snapshot) -> Refused | None:
    """On a snapshot with `keys.CLOCK`: why nothing is given now, so that it can be told before anything is written."""
    if snapshot.items[keys.CLOCK].problem:
        # Perhaps a doubt stood there.
        return Refused(Code.CLOCK_IN_DOUBT, audited=False)
    return distrusted(snapshot.get(keys.CLOCK, LedgerClock))


def older_runs(snapshot: Snapshot) -> Refused | None:
    """The same, on a snapshot with `keys.OLDER`, while processes of an older version run."""
    return not_beside_older(snapshot.readable(keys.OLDER, OlderRunning), snapshot.now)


IN_DOUBT = Refused(Code.LEDGER_IN_DOUBT, audited=False)


def ledger_in_doubt(snapshot: Snapshot) -> Refused | None:
    """The same, on a snapshot with `keys.LEDGER_DOUBT`. One that cannot be read is one."""
    return None if snapshot.items[keys.LEDGER_DOUBT].is_absent else IN_DOUBT


def not_in_force(snapshot: Snapshot, policy: Policy) -> Refused | None:
    """A process whose folder is not the active one decides nothing."""
    # One that cannot be read is as good as none: the clock, or an operator, puts one in force again.
    active = snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy)
    if active is not None and active.hash == policy.hash:
        return None
    why = (
        "no policy is active yet"
        if active is None
        else "this process has another copy of the policy than the active one"
    )
    return Refused(Code.POLICY_NOT_IN_FORCE, {"why": why})
