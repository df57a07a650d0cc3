"""The policy in force: which copy of the folder decides. Activating another one is an event that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.canonical_json import digest
from workflows.core.policy import Digest, Policy, one_or_all
from workflows.core.records.policy_in_force import ActivePolicy, PolicySummary
from workflows.core.refusal import Refused
from workflows.ports import Change, Versioned
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, event, run

# A readable difference longer than this is cut in the receipt; the audit entry holds the hashes.
LINES_MAX = 40
# More requests than this do not wait at once; if they do, the others' cards tell the new policy when they are next drawn.
PENDING_LOOKS_MAX = 1000
# Processes look at the folder every two seconds; after this long all of them know the policy.
LOOK_AGAIN_AFTER = timedelta(seconds=5)

NextSlot = Callable[[str, datetime, ZoneInfo], datetime]
Difference = Callable[[Mapping[str, str], Policy], tuple[str, ...]]
Summary = Callable[[Policy], Mapping[str, str]]


def activate(
    ctx: Context,
    policy: Policy,
    *,
    summary: Summary,
    difference: Difference,
    next_slot: NextSlot,
    commit_sha: str | None = None,
    seen_at: datetime | None = None,
) -> Outcome | Refused:
    """Make `policy` the one in force. `Outcome.outcome`: `activated`, `in_force` where it is already, or `older`.

    `seen_at`: when this process first saw this content. Where another copy was activated since, ours is the older one (a
    process that was not restarted during a deployment), and is not brought back.
    """

    def once() -> CommitAttempt | Outcome:
        return _once(ctx, policy, summary, difference, next_slot, commit_sha, seen_at)

    return run(ctx, once)


def _first(policy: Policy) -> tuple[str, ...]:
    roles = sum(len(environment.roles) for environment in policy.environments.values())
    return (f"the first policy: {len(policy.environments)} environments, {roles} roles",)


def subject_of(policy_hash: str) -> str:
    return f"policy-{policy_hash[:12]}"


def digest_key(plan: Digest) -> str:
    """A name for one scheduled digest that stays while its settings stay."""
    told = [one_or_all(plan.channels), plan.schedule, list(plan.environments or ()), plan.only_if_active]
    # A digest of what is active keeps the name it has always had.
    return digest([*told, *([int(plan.report.total_seconds())] if plan.report else [])])[:12]


def digest_due(key: str) -> str:
    return f"digest:{key}"


def _once(
    ctx: Context,
    policy: Policy,
    summary: Summary,
    difference: Difference,
    next_slot: NextSlot,
    commit_sha: str | None,
    seen_at: datetime | None,
) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(keys.ACTIVE_POLICY, keys.POLICY_SUMMARY)
    before = snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy)
    if before is not None and before.hash == policy.hash:
        return Outcome(policy.hash, "in_force")
    if before is not None and seen_at is not None and seen_at <= before.activated_at:
        return Outcome(policy.hash, "older")
    told = snapshot.readable(keys.POLICY_SUMMARY, PolicySummary)
    changed = difference(told.lines, policy)[:LINES_MAX] if told else _first(policy)
    subject = subject_of(policy.hash)
    facts = {"policy": policy.hash, "before": before.hash if before else "", "commit": commit_sha or ""}
    entry = event(ctx, Event.POLICY_ACTIVATED, subject, snapshot, facts, {"difference": "\n".join(changed)})
    done = Outcome(policy.hash, "activated")
    chat = keys.chat(subject)
    change = Change(
        commit_id=f"policy:{policy.hash}:{_place(ctx, snapshot.items[keys.ACTIVE_POLICY])}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={
            keys.ACTIVE_POLICY: ActivePolicy(policy.hash, snapshot.now, commit_sha),
            keys.POLICY_SUMMARY: PolicySummary(policy.hash, summary(policy)),
        },
        due={
            chat: snapshot.now + timedelta(seconds=1),
            **_digests(policy, next_slot, snapshot.now),
            **_waiting(ctx, snapshot.now),
        },
        audit=(entry,),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(chat,))


def _place(ctx: Context, active: Versioned) -> str:
    """What makes this step another one than any before. What cannot be read may have no version of its own."""
    return f"{active.version}:{ctx.chance.hex(12)}" if active.problem else str(active.version)


def _waiting(ctx: Context, now: datetime) -> dict[str, datetime | None]:
    """What waits is looked at again under the new policy, once every process has it: a freeze may have begun."""
    ids = ctx.ledger.members(keys.PENDING, limit=PENDING_LOOKS_MAX)
    return {keys.request(id_): now + LOOK_AGAIN_AFTER for id_ in ids}


def _digests(policy: Policy, next_slot: NextSlot, now: datetime) -> dict[str, datetime | None]:
    """When each scheduled digest is due next. One that the policy no longer has finds that out when it comes due."""
    zone = ZoneInfo(policy.timezone)
    return {digest_due(digest_key(plan)): next_slot(plan.schedule, now, zone) for plan in policy.digests}
