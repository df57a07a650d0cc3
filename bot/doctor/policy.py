"""The policy folder, whether it is the one in force, and the time zones that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.doctor.context import Context
from bot.observability.readiness import goes_on_by, policy_waits
from workflows.core import keys
from workflows.core.finding import Finding, attention, broken, ok, skipped
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.ports import Ledger

# So many problems of a folder are told; `prodaccess check` has all.
PROBLEMS_MAX = 5


def look(context: Context) -> Iterator[Finding]:
    folder, reading = context.settings.config, context.reading()
    if context.whom is None and "PRODACCESS_CONFIG" not in context.environ and not folder.exists():
        yield skipped("policy.folder", str(folder), "there is no policy folder here", "name it in PRODACCESS_CONFIG")
        return
    check = f"`prodaccess check {folder}` has each with its line"
    for problem in reading.problems[:PROBLEMS_MAX]:
        yield broken("policy.folder", str(folder), f"{problem}", check)
    if len(reading.problems) > PROBLEMS_MAX:
        yield broken("policy.folder", str(folder), f"and {len(reading.problems) - PROBLEMS_MAX} more problems", check)
    policy = reading.policy
    if policy is None:
        yield skipped("policy.in-force", "policy in force", "it can be compared when the folder is valid")
        return
    roles = sum(len(one.roles) for one in policy.environments.values())
    yield ok("policy.folder", str(folder), f"{len(policy.environments)} environments, {roles} roles")
    if reading.warnings:
        more = f" (and {len(reading.warnings) - 1} more)" if len(reading.warnings) > 1 else ""
        yield attention(
            "policy.warnings",
            str(folder),
            f"{reading.warnings[0]}{more}",
            f"`prodaccess check --strict {folder}` has all",
        )
    yield _time_zone(policy)
    yield from in_force(context, policy)


def _time_zone(policy: Policy) -> Finding:
    try:
        ZoneInfo(policy.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return broken(
            "policy.time-zone", "time zones", f"this machine does not know {policy.timezone}", "pip install tzdata"
        )
    return ok("policy.time-zone", "time zones", f"{policy.timezone} is known here")


def in_force(context: Context, policy: Policy) -> Iterator[Finding]:
    server, what = context.server(), "policy in force"
    if server.redis is None:
        yield skipped("policy.in-force", what, server.why)
        return
    ledger = context.ledger(server.redis)
    active = _active(ledger)
    waits = policy_waits(ledger)
    if active is not None and active.hash != policy.hash and waits and goes_on_by(ledger, active):
        yield attention("policy.in-force", what, waits[0], "its card in chat has what it changes, and who is asked")
    elif active is None:
        yield skipped("policy.in-force", what, "none yet: the first clock that starts puts this folder in force")
    elif active.hash == policy.hash:
        yield ok("policy.in-force", what, f"it is this folder, since {active.activated_at:%Y-%m-%d %H:%M} UTC")
    else:
        said = f"{context.settings.config} is another one ({policy.hash[:12]}) than that in force ({active.hash[:12]})"
        here = context.whom is not None
        words = f"{said}: a process with this folder decides nothing" if here else said
        tell = broken if here else attention
        yield tell("policy.in-force", what, words, _bring_in(context))


def _active(ledger: Ledger) -> ActivePolicy | None:
    return ledger.read(keys.ACTIVE_POLICY).readable(keys.ACTIVE_POLICY, ActivePolicy)


def _bring_in(context: Context) -> str:
    apply = f"`prodaccess policy apply {context.settings.config}`"
    if context.settings.policy == "manual":
        return f"{apply} puts it in force; or give this machine the folder that is"
    return f"give all processes the same folder, and restart the clock; {apply} puts this one in force at once"
