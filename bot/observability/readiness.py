"""Why a web process is not ready, in words for the person who runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from bot.observability.log import log_failure
from workflows.core import keys
from workflows.core.clockwork import LedgerClock
from workflows.core.mixed import OlderRunning, runs
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, WaitingPolicy, WaitingState
from workflows.ledger.redis_ledger import UnfitServer
from workflows.policy_file import PolicyFolder
from workflows.policy_file.folder import hash_of
from workflows.ports import Ledger, LedgerUnreachable, PolicyUnavailable
from workflows.usecases.shared.unreadable import KEPT_MAX
from workflows.usecases.upkeep.tell_unreadable import kind_of

Look = Callable[[], list[str]]


class Alive(Protocol):
    """Which processes run."""

    def alive(self, kind: str) -> bool: ...


def reasons(*looks: Look) -> list[str]:
    """What all of them say, a sentence each, none twice."""
    return list(dict.fromkeys(sentence for look in looks for sentence in _told(look)))


def _told(look: Callable[[], list[str]]) -> list[str]:
    """That one look fails hides none of the others."""
    try:
        return look()
    except LedgerUnreachable:
        # Said by the first look.
        return []
    except Exception as problem:
        return [f"a look at what is missing failed (error {log_failure('a look at what is missing failed', problem)})"]


REDIS_ANSWERS = "Redis answers, and can hold the ledger."


def ledger_words(problem: LedgerUnreachable | UnfitServer) -> str:
    """What stands between a process and its ledger. It may be gone in a moment."""
    return f"{problem} It is tried again automatically."


def away(ledger: Ledger) -> list[str]:
    """That the ledger does not answer, in a sentence; nothing where it does. Asked first: each look that would ask it waits
    for seconds where it hangs, and whoever wants to know how we are has gone by then.
    """
    try:
        ledger.read(keys.CLOCK)
    except LedgerUnreachable as problem:
        return [ledger_words(problem)]
    except Exception:
        return []  # whatever it is, the looks say it
    return []


def ledger_problems(ledger: Ledger, beats: Alive) -> list[str]:
    try:
        durability = ledger.durability()
        problems = [] if durability.durable else [f"the ledger is not durable: {durability.why}"]
        seen = ledger.read(keys.CLOCK, keys.OLDER, keys.LEDGER_DOUBT)
        doubted = seen.readable(keys.CLOCK, LedgerClock)
        if seen.items[keys.CLOCK].problem or (doubted is not None and not doubted.trusted):
            problems.append(
                "Redis's clock has jumped: nothing is given until it has been steady for ten minutes, or until "
                "`prodaccess clock accept` says that it is right"
            )
        if not seen.items[keys.LEDGER_DOUBT].is_absent or ledger.lost() is not None:
            problems.append(
                "the record is perhaps an older copy of itself: nothing is given until somebody has looked (docs/runbook.md, "
                "ProdaccessLedgerRolledBack) and `prodaccess ledger accept` says that it is right"
            )
        older = seen.readable(keys.OLDER, OlderRunning)
        if older is not None and runs(older, seen.now):
            kinds = " and a ".join(older.kinds)
            problems.append(
                f"a {kinds} of an older version runs, which knows no accounts on hold: nothing is given until it has stopped"
            )
        return problems + [f"no {kind} is running" for kind in ("worker", "clock") if not beats.alive(kind)]
    except LedgerUnreachable as problem:
        return [ledger_words(problem)]
    except Exception as problem:
        return [f"Redis does not answer ({type(problem).__name__})"]


def unreadable(ledger: Ledger) -> list[str]:
    kinds = Counter(kind_of(what) for what in ledger.members(keys.UNREADABLE, limit=KEPT_MAX))
    return [f"{count} × {kind} cannot be read: see the log" for kind, count in sorted(kinds.items())]


def policy_problems(ledger: Ledger | None, policy_folder: PolicyFolder) -> list[str]:
    """`ledger`: None where it does not answer; then only the folder is looked at."""
    try:
        policy = policy_folder.current()
    except PolicyUnavailable as problem:
        return [str(problem)]
    invalid = (
        ["the policy folder has changed and is not valid; the active policy stays"] if policy_folder.problems else []
    )
    if ledger is None:
        return invalid
    try:
        active = ledger.read(keys.ACTIVE_POLICY).readable(keys.ACTIVE_POLICY, ActivePolicy)
    except LedgerUnreachable:
        return invalid
    if active is None:
        return [*invalid, "no policy is active yet"]
    if active.hash != policy.hash and not goes_on_by(ledger, active):
        return [*invalid, "this process has another copy of the policy than the active one"]
    return invalid


def goes_on_by(ledger: Ledger, active: ActivePolicy) -> bool:
    """Whether a change waits, and the policy in force can be taken from the ledger meanwhile."""
    seen = ledger.read(keys.POLICY_WAITING, keys.POLICY_FILES)
    waiting = seen.readable(keys.POLICY_WAITING, WaitingPolicy)
    files = seen.readable(keys.POLICY_FILES, PolicyFiles)
    holds = waiting is not None and waiting.holds and waiting.before == active.hash
    return holds and files is not None and files.hash == active.hash == hash_of(files.files)


def policy_waits(ledger: Ledger) -> list[str]:
    """A change of the policy that is not in force, because people have to agree first, or because one of them said no."""
    waiting = ledger.read(keys.POLICY_WAITING).readable(keys.POLICY_WAITING, WaitingPolicy)
    if waiting is None or not waiting.holds:
        return []
    name, since = waiting.hash[:12], f"{waiting.since:%Y-%m-%d %H:%M} UTC"
    if waiting.state is WaitingState.DENIED:
        who = waiting.denied_by or "somebody"
        return [f"policy {name} was denied by {who}: the policy in force stays until the folder changes again"]
    asks = ", ".join(f"{count} of {group}" for group, count in waiting.asks.items())
    return [f"policy {name} waits since {since} for {asks}: the policy in force stays until they agree"]
