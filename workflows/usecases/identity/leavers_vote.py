"""So many seem to have left at once: the panic group says whether they have. Decided on the people whom the card names."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from workflows.core import keys
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.records.leavers import Finding, FindingState, Leavers
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import not_a_member, person_problem
from workflows.ports import Change, Snapshot
from workflows.usecases.identity.leavers import decided
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, not_in_force, run

END: Final = "end"
HERE: Final = "here"


def say(ctx: Context, named: str, said: str, who: Account, commit_id: str) -> Outcome | Refused:
    """`named`: as `Finding.named` has it. `said`: END, and a worker takes back what they hold, of those who are gone by then;
    HERE, and they are left alone. `Outcome.outcome`: the same word."""
    actor = known(ctx, who, _asked, on_hold=said == END)
    return actor if isinstance(actor, Refused) else run(ctx, lambda: _once(ctx, actor, named, said, commit_id))


def _asked(policy: Policy) -> tuple[str, ...]:
    return policy.security


def _once(ctx: Context, actor: Actor, named: str, said: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    snapshot = ctx.ledger.read(keys.LEAVERS, keys.ACTIVE_POLICY, actor.record, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    before = snapshot.readable(keys.LEAVERS, Leavers) or Leavers()
    names, finding = _asked(actor.policy), before.finding
    refused = (
        person_problem(actor.person)
        or not_a_member(actor.groups, actor.person.id, names, Refused(Code.NOT_SECURITY, {"groups": ", ".join(names)}))
        or not_theirs(snapshot, actor, on_hold=said == END)
        or not_in_force(snapshot, actor.policy)
        or _over(finding, named)
        or _own(finding, actor, said)
    )
    if refused is not None or finding is None:
        return refused or Refused(Code.LEAVERS_OVER, audited=False)
    return _said(ctx, actor, snapshot, replace(before, finding=finding), said, commit_id)


def _over(finding: Finding | None, named: str) -> Refused | None:
    number = named.partition(":")[0]
    if finding is None or finding.number != number or finding.state is not FindingState.WAITING:
        return Refused(Code.LEAVERS_OVER, audited=False)
    return None if finding.named == named else Refused(Code.LEAVERS_CHANGED, audited=False)


def _own(finding: Finding | None, actor: Actor, said: str) -> Refused | None:
    """Nobody keeps their own access by saying so."""
    concerned = finding is not None and actor.person.id in finding.people
    return Refused(Code.OWN_ACCOUNT) if concerned and said == HERE else None


def _said(
    ctx: Context, actor: Actor, snapshot: Snapshot, before: Leavers, said: str, commit_id: str
) -> CommitAttempt | Refused:
    finding = before.finding
    if finding is None:
        return Refused(Code.LEAVERS_OVER, audited=False)
    here = tuple(dict.fromkeys((*before.here, *finding.people)))
    after = (
        replace(before, finding=replace(finding, state=FindingState.ENDING))
        if said == END
        else replace(before, finding=None, here=here)
    )
    private = {"actor": actor.person.id, "actor_name": actor.person.name}
    entry = decided(ctx, snapshot, finding, said, private)
    chat, done = keys.chat(entry.subject), Outcome(finding.number, said)
    # A look carries it out, which looks at each of them again.
    due = {chat: snapshot.now + SOON, **({keys.LEAVERS: snapshot.now} if said == END else {})}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.LEAVERS: after},
        due=due,
        audit=(entry,),
        removes_access=said == END,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=tuple(due))
