"""One look: read a list, hold it against the ledger, and write down what is found and what is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.drift.compare import Compared, Found, compare
from workflows.core.identity import PersonId, TargetUser
from workflows.core.records.drift import Drift, DriftKind, Look
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.target import Observation, Presence, Resource
from workflows.ports import (
    Change,
    Committed,
    Fence,
    Snapshot,
    Target,
    TargetInDoubt,
    TargetRefused,
)
from workflows.usecases.drift.ledger_side import ledger_side
from workflows.usecases.drift.standing import SUBJECT, called, entries_of, open_of
from workflows.usecases.shared.context import ATTEMPTS_MAX, Contended, WorkerContext, event

# So many findings in one commit.
AT_ONCE = 50
# What a list lacks is looked at by itself; so many of each look, the others in the next pass.
SINGLE_LOOKS_MAX = 20
# Told at the end of the pass; where none comes to its end, so much later.
TOLD_AT_LAST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Told:
    """What one look brings into the record. `pass_`: its number. `fence`: of whoever carries it on."""

    pass_: int
    fence: Fence

    @property
    def subject(self) -> str:
        return f"{SUBJECT}{self.pass_}"


def look_at(ctx: WorkerContext, look: Look, told: Told) -> str:
    """Returns why nothing is known of it; empty where it was read to its end. Raises TargetThrottled: nothing was done."""
    started = ctx.ledger.now()
    target = ctx.targets.for_terms(look.terms)
    try:
        by_name = target.tells_ours_apart
        listed = list(target.list_managed(look.terms))
        open_ = open_of(ctx, look.scope)
        side = ledger_side(ctx, look, listed, open_, started)
        now = ctx.ledger.now()
        compared = compare(listed, side, open_, told_by_name=by_name, started=started, now=now)
        there = frozenset(one.resource.holding for one in listed if one.resource is not None)
        changes = _Seen(ctx, target, look, compared, open_, there).changes(now)
    except (TargetInDoubt, TargetRefused) as problem:
        return problem.words if isinstance(problem, TargetRefused) else str(problem)
    for first in range(0, len(changes), AT_ONCE):
        _write(ctx, changes[first : first + AT_ONCE], told)
    return ""


@dataclass(frozen=True, slots=True)
class _Changed:
    """`after`: None where it is gone, `why` says then how that is known. `news`: whether it has to be told."""

    before: Drift | None
    after: Drift | None
    news: bool
    why: str = ""

    @property
    def drift(self) -> Drift:
        found = self.after or self.before
        if found is None:
            raise AssertionError("something was, or is")
        return found


@dataclass(slots=True)
class _Seen:
    """What was compared, and how it is looked at once more: `left` times."""

    ctx: WorkerContext
    target: Target
    look: Look
    compared: Compared
    open_: Mapping[str, Drift]
    there: frozenset[str]
    left: int = SINGLE_LOOKS_MAX

    def changes(self, now: datetime) -> list[_Changed]:
        """Raises as the target does: then nothing of the look is written."""
        missing = [
            grant for grant in self.compared.missing if grant.holding in self.open_ or self._absent(grant.resource)
        ]
        found = [*self.compared.found, *map(_missing, missing)]
        return [*filter(None, (self._found(one, now) for one in found)), *self._gone()]

    def _absent(self, resource: Resource) -> bool:
        """Proved by a look at this very access."""
        if self.left <= 0:
            return False
        self.left -= 1
        seen = self.target.observe(resource)
        return seen.presence is Presence.ABSENT and not seen.stands

    def _found(self, one: Found, now: datetime) -> _Changed | None:
        before, resource = self.open_.get(one.holding), one.seen.resource
        if resource is None or (before is not None and before.removing_since is not None):
            # Whoever takes it away says what comes of it.
            return None
        if before is not None and before.kind is one.kind and before.mark == one.seen.mark:
            who = before.who or self._called(resource)
            again = replace(before, roles=_roles(self.look, one), last_seen=now, times=before.times + 1, who=who)
            return _Changed(before, again, news=False)
        return _Changed(before, self._first(one, resource, now), news=True)

    def _first(self, one: Found, resource: Resource, now: datetime) -> Drift:
        holder, who = self._who(resource, one.grant)
        return Drift(
            one.holding,
            one.kind,
            resource,
            self.look.scope,
            _roles(self.look, one),
            now,
            now,
            grant=one.grant.id if one.grant else "",
            holder=holder,
            who=who,
            mark=one.seen.mark,
            request=one.seen.request,
        )

    def _who(self, resource: Resource, grant: Grant | None) -> tuple[PersonId | None, str]:
        """Whose it is as the record has it, else what the target calls the user."""
        if grant is not None:
            return grant.holder, grant.holder_name
        key = keys.target_user(resource.user)
        bound = self.ctx.ledger.read(key).readable(key, TargetUser)
        return (bound.person, bound.name) if bound is not None else (None, self._called(resource))

    def _called(self, resource: Resource) -> str:
        """Empty where nobody says it, or too many were asked about: then another pass does."""
        if self.left <= 0:
            return ""
        self.left -= 1
        return ", ".join(self.target.whose(resource))

    def _gone(self) -> Iterator[_Changed]:
        for id_ in self.compared.gone:
            before = self.open_[id_]
            if before.removing_since is not None:
                continue
            why = self._why_over(before) if before.kind is DriftKind.MISSING else self._why_gone(before)
            if why:
                yield _Changed(before, None, news=True, why=why)

    def _why_gone(self, before: Drift) -> str:
        """How it is known that it is not there any more; empty where it is not."""
        return "absence_read_back" if self._absent(before.resource) else ""

    def _why_over(self, before: Drift) -> str:
        """Of a grant whose access was missing: why it is missed no more; empty where that is not known."""
        if before.id in self.there:
            return "there_again"
        key = keys.grant(before.grant)
        item = self.ctx.ledger.read(key).items[key]
        over = item.is_absent or (isinstance(item.record, Grant) and item.record.state is not GrantState.ACTIVE)
        return "grant_over" if over else ""


def _missing(grant: Grant) -> Found:
    return Found(DriftKind.MISSING, Observation(Presence.ABSENT, grant.resource), grant)


def _roles(look: Look, one: Found) -> tuple[tuple[str, str], ...]:
    """What was given once is of the role that was given; else of all that give the same."""
    return look.roles if one.grant is None else ((one.grant.terms.environment, one.grant.terms.role),)


# ---------------------------------------------------------------- onto the record


def _write(ctx: WorkerContext, part: Sequence[_Changed], told: Told) -> None:
    """One commit. Whoever else carries the comparison on has another fence, so nothing here is overwritten unseen."""
    for _ in range(ATTEMPTS_MAX):
        snapshot = ctx.ledger.read(*(keys.drift(one.drift.id) for one in part))
        written = ctx.ledger.commit(_change(ctx, snapshot, [one for one in part if _stands(snapshot, one)], told))
        if isinstance(written, Committed) or written.why == "fence":
            return
    raise Contended(f"lost {ATTEMPTS_MAX} races in a row")


def _stands(snapshot: Snapshot, one: _Changed) -> bool:
    """Whether what was looked at is what stands there: people may have pressed meanwhile."""
    return snapshot.readable(keys.drift(one.drift.id), Drift) == one.before


def _change(ctx: WorkerContext, snapshot: Snapshot, part: Sequence[_Changed], told: Told) -> Change:
    news, chat = [one for one in part if one.news], keys.chat(told.subject)
    return Change(
        commit_id=f"drift:{told.pass_}:{told.fence.number}:{ctx.chance.hex(12)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.drift(one.after.id): one.after for one in part if one.after is not None},
        deletes=frozenset(keys.drift(one.drift.id) for one in part if one.after is None),
        due={chat: snapshot.now + TOLD_AT_LAST} if news else {},
        index=tuple(entry for one in part for entry in entries_of(one.drift, there=one.after is not None)),
        audit=tuple(_entry(ctx, snapshot, one, told.subject) for one in news),
        fence=told.fence,
        removes_access=True,
    )


def _entry(ctx: WorkerContext, snapshot: Snapshot, one: _Changed, subject: str) -> AuditEvent:
    if one.after is not None:
        return event(ctx, Event.DRIFT_FOUND, subject, snapshot, facts_of(one.after), private_of(one.after))
    facts = {**facts_of(one.drift), "proof": one.why}
    return event(ctx, Event.DRIFT_GONE, subject, snapshot, facts, private_of(one.drift))


def facts_of(one: Drift) -> dict[str, str]:
    """What the record keeps of it, without anybody's name."""
    return {
        "holding": one.id,
        "kind": one.kind.value,
        "target": one.resource.kind,
        "roles": "\n".join(" ".join(role) for role in one.roles),
        "grant": one.grant,
        "mark": one.mark,
        "first_seen": one.first_seen.isoformat(),
        "times": str(one.times),
    }


def private_of(one: Drift) -> dict[str, str]:
    return {"who": called(one), "person": one.holder or "", "title": one.resource.title}
