"""The policy in force: which copy of the folder decides. Activating another one is an event that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.canonical_json import digest
from workflows.core.policy import Digest, Policy, one_or_all
from workflows.core.records.policy_in_force import POLICY_CHANGES_LINE, ActivePolicy, PolicyFiles, PolicySummary
from workflows.core.records.record import Record
from workflows.core.refusal import Refused
from workflows.ports import Change, Snapshot, Versioned
from workflows.usecases.oversight import policy_former
from workflows.usecases.oversight.policy_waiting import Held, held_back, replaced, wait
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


@dataclass(frozen=True, slots=True)
class Compared:
    """With the policy before. `lines`: what is looser in production. `watched_by`: addresses that its panic group listed, and
    this one's does not: whoever gets out of sight by a change is seen by those who looked before."""

    lines: tuple[str, ...]
    watched_by: tuple[str, ...] = ()
    # Of which groups how many must agree first, as the policy before says it.
    asks: Mapping[str, int] = field(default_factory=dict)
    # Whether something of production goes, so that the policy before has to be remembered.
    leaves: bool = False


Files = Mapping[str, str]
# The files of the policy before, of those that something of production went from lately (the newest first), and now -> how
# this one compares; None where nobody can tell.
Looser = Callable[[Files, Sequence[Files], datetime], Compared | None]
# A folder that is larger is not kept; then what the next one makes looser is not known.
FILES_LENGTH_MAX = 2_000_000
# What stands on record where nobody could tell what is looser.
NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Written:
    """The policy as its folder has it, and how it is held against what stood in another one."""

    files: Mapping[str, str]
    looser: Looser


@dataclass(frozen=True, slots=True)
class NewPolicy:
    """A policy that is to come into force, and what it takes to tell and to plan it."""

    policy: Policy
    summary: Summary
    difference: Difference
    next_slot: NextSlot
    commit_sha: str | None = None
    written: Written | None = None


def activate(
    ctx: Context,
    policy: Policy,
    *,
    summary: Summary,
    difference: Difference,
    next_slot: NextSlot,
    commit_sha: str | None = None,
    seen_at: datetime | None = None,
    written: Written | None = None,
) -> Outcome | Refused:
    """Make `policy` the one in force. `Outcome.outcome`: `activated`, `in_force` where it is already, or `older`; `waiting` or
    `denied` where it loosens production and the policy in force has people asked first; `not_known` where that policy has them
    asked and nobody can tell whether this one loosens anything: then it is not put in force either.

    `seen_at`: when this process first saw this content. Where another copy was activated since, ours is the older one (a
    process that was not restarted during a deployment), and is not brought back.
    """

    new = NewPolicy(policy, summary, difference, next_slot, commit_sha, written)

    def once() -> CommitAttempt | Outcome:
        return _once(ctx, new, seen_at)

    return run(ctx, once)


def keep_files(ctx: Context, policy: Policy, files: Mapping[str, str]) -> None:
    """Keep the files of the policy in force, where its activation did not: it was made by a version that kept none."""
    snapshot = ctx.ledger.read(keys.ACTIVE_POLICY, keys.POLICY_FILES)
    active = snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy)
    kept = snapshot.readable(keys.POLICY_FILES, PolicyFiles)
    if active is None or active.hash != policy.hash or (kept is not None and kept.hash == policy.hash):
        return
    step = f"policy-files:{policy.hash}:{_place(ctx, snapshot.items[keys.POLICY_FILES])}"
    puts = {keys.POLICY_FILES: _kept(policy, files)}
    # Lost to another process, it has been done.
    ctx.ledger.commit(Change(step, snapshot.now, snapshot.versions(), puts=puts))


def _kept(policy: Policy, files: Mapping[str, str]) -> PolicyFiles:
    length = sum(len(name) + len(text) for name, text in files.items())
    return PolicyFiles(policy.hash, files if length <= FILES_LENGTH_MAX else {})


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


def _once(ctx: Context, new: NewPolicy, seen_at: datetime | None) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(keys.ACTIVE_POLICY, keys.POLICY_SUMMARY, keys.POLICY_WAITING)
    before, held = snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy), held_back(snapshot)
    late = held is not None and seen_at is not None and seen_at <= held.since
    if before is not None and before.hash == new.policy.hash:
        return _went_back(ctx, snapshot, new) if held is not None and not late else Outcome(new.policy.hash, "in_force")
    if before is not None and seen_at is not None and seen_at <= before.activated_at:
        return Outcome(new.policy.hash, "older")
    if before is not None and held is not None and held.before == before.hash:
        if held.hash == new.policy.hash:
            return Outcome(new.policy.hash, held.state.value)
        if late:
            return Outcome(new.policy.hash, "older")
    snapshot = ctx.ledger.read(*OF_POLICIES)
    if snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy) != before or held_back(snapshot) != held:
        # Another one came between the two readings: it is looked at anew.
        return _once(ctx, new, seen_at)
    return _new(ctx, snapshot, new, before)


# All that a change of the policy rests on, and writes.
OF_POLICIES = (
    keys.ACTIVE_POLICY,
    keys.POLICY_SUMMARY,
    keys.POLICY_FILES,
    keys.POLICY_FORMER,
    keys.POLICY_WAITING,
    keys.POLICY_WAITING_FILES,
)


def _went_back(ctx: Context, snapshot: Snapshot, new: NewPolicy) -> CommitAttempt:
    """The folder holds the policy in force again: nothing waits any more."""
    part, done = replaced(ctx, snapshot, new.policy.hash), Outcome(new.policy.hash, "in_force")
    step = f"policy-back:{new.policy.hash}:{snapshot.items[keys.POLICY_WAITING].version}"
    change = Change(
        step, snapshot.now, snapshot.versions(), puts=part.puts, due=part.due, audit=part.audit, answer=done.answer
    )
    return CommitAttempt(change, done, wake=part.wake)


def _new(ctx: Context, snapshot: Snapshot, new: NewPolicy, before: ActivePolicy | None) -> CommitAttempt | Outcome:
    compared = _looser(snapshot, before, new.written)
    told = snapshot.readable(keys.POLICY_SUMMARY, PolicySummary)
    asked = told is not None and told.hash != new.policy.hash and POLICY_CHANGES_LINE in told.lines
    if asked and (compared is None or new.written is None):
        return Outcome(new.policy.hash, "not_known")
    if before is None or compared is None or new.written is None or not (compared.lines and compared.asks):
        return activation(ctx, snapshot, new, compared)
    files = _kept(new.policy, new.written.files)
    if not files.files:
        return Outcome(new.policy.hash, "not_known")
    changed = _changed(snapshot, new)
    return wait(
        ctx, snapshot, before, Held(new.policy.hash, files, compared.asks, compared.lines, changed, new.commit_sha)
    )


def _changed(snapshot: Snapshot, new: NewPolicy) -> tuple[str, ...]:
    told = snapshot.readable(keys.POLICY_SUMMARY, PolicySummary)
    return new.difference(told.lines, new.policy)[:LINES_MAX] if told else _first(new.policy)


def compared_now(snapshot: Snapshot, new: NewPolicy) -> Compared | None:
    """On a snapshot of `OF_POLICIES`: how it compares with the policy in force."""
    return _looser(snapshot, snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy), new.written)


def activation(ctx: Context, snapshot: Snapshot, new: NewPolicy, compared: Compared | None) -> CommitAttempt:
    """The step that puts it in force, on a snapshot of `OF_POLICIES`. What waits is over by it."""
    policy, before = new.policy, snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy)
    subject = subject_of(policy.hash)
    facts = {"policy": policy.hash, "before": before.hash if before else "", "commit": new.commit_sha or ""}
    facts_of_it, private_of_it = _looser_facts(compared)
    facts |= facts_of_it
    private = {"difference": "\n".join(_changed(snapshot, new)), **private_of_it}
    entry = event(ctx, Event.POLICY_ACTIVATED, subject, snapshot, facts, private)
    done = Outcome(policy.hash, "activated")
    chat, part = keys.chat(subject), replaced(ctx, snapshot, policy.hash)
    written = new.written
    change = Change(
        commit_id=f"policy:{policy.hash}:{_place(ctx, snapshot.items[keys.ACTIVE_POLICY])}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={
            keys.ACTIVE_POLICY: ActivePolicy(policy.hash, snapshot.now, new.commit_sha),
            keys.POLICY_SUMMARY: PolicySummary(policy.hash, new.summary(policy)),
            **({keys.POLICY_FILES: _kept(policy, written.files)} if written is not None else {}),
            **_remembered(snapshot, compared),
            **part.puts,
        },
        due={
            chat: snapshot.now + timedelta(seconds=1),
            **_digests(policy, new.next_slot, snapshot.now),
            **_waiting(ctx, snapshot.now),
            **({keys.RETAINED: snapshot.now + LOOK_AGAIN_AFTER} if policy.retention is not None else {}),
            **({keys.CERTIFY_NEXT: snapshot.now + LOOK_AGAIN_AFTER} if policy.certify is not None else {}),
            **part.due,
        },
        audit=(*part.audit, entry),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(chat, *part.wake))


def _looser_facts(compared: Compared | None) -> tuple[dict[str, str], dict[str, str]]:
    """For the entry: its facts, and what of it names people."""
    if compared is None:
        return {"looser": NOT_KNOWN}, {}
    if not compared.lines:
        return {}, {}
    watched = {"watched_by": "\n".join(compared.watched_by)} if compared.watched_by else {}
    return {"looser": str(len(compared.lines))}, {"looser": "\n".join(compared.lines[:LINES_MAX]), **watched}


def _looser(snapshot: Snapshot, before: ActivePolicy | None, written: Written | None) -> Compared | None:
    """How it compares with the policy before; None where nobody can tell. The first policy is no change."""
    if written is None or (before is None and not snapshot.items[keys.ACTIVE_POLICY].problem):
        return Compared(())
    kept = snapshot.readable(keys.POLICY_FILES, PolicyFiles)
    if before is None or kept is None or kept.hash != before.hash or not kept.files:
        return None
    found = written.looser(kept.files, policy_former.lately(snapshot), snapshot.now)
    if found is None:
        return None
    lost = (policy_former.NOT_READ,) * policy_former.is_lost(snapshot)
    too_long = (policy_former.TOO_LONG,) * (found.leaves and policy_former.remembered(snapshot, kept) is None)
    return replace(found, lines=(*lost, *too_long, *found.lines))


def _remembered(snapshot: Snapshot, compared: Compared | None) -> dict[str, Record]:
    """The policy before, where something of production goes with it."""
    kept = snapshot.readable(keys.POLICY_FILES, PolicyFiles)
    if compared is None or not compared.leaves or kept is None:
        return {}
    former = policy_former.remembered(snapshot, kept)
    return {keys.POLICY_FORMER: former} if former is not None else {}


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
