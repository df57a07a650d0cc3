"""Break-glass for a gate: somebody opens it alone, in an emergency, for the one run that waits. An owner reviews that.

Who may is said by the environment's `break_glass`, and by the gate, which has to say that it can be opened so. Nobody is asked.
The decision, the review and the use stand in one commit. From there on it is an approval like any other: a worker derives it
again, and the run takes it, once.
"""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.gates.ask import Emergency
from workflows.core.people import Account
from workflows.core.policy import Gate, Policy
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import Decision, DecisionKind, Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import History, used
from workflows.core.rules.eligibility import clean
from workflows.core.rules.gate_emergency import may_open
from workflows.core.rules.groups import groups_needed
from workflows.ports import Snapshot
from workflows.usecases.decisions.approve import changed_terms, decided_already, find_request, not_open
from workflows.usecases.decisions.break_glass import with_review
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.closing import keys_of
from workflows.usecases.shared.context import (
    CommitAttempt,
    Context,
    Outcome,
    clock_in_doubt,
    done_from,
    event,
    ledger_in_doubt,
    not_in_force,
    older_runs,
    run,
)
from workflows.usecases.shared.gate_asks import gate_of
from workflows.usecases.shared.gate_release import releasing
from workflows.usecases.shared.parties import party_keys, read_with_parties


def break_open(
    ctx: Context, id_: str, who: Account, reason: str, commit_id: str, terms_hash: str | None = None
) -> Outcome | Refused:
    """Open the gate for the run that waits under this id. `terms_hash`: the button's; None where it was typed.

    `Outcome.outcome`: `gate_broken`, or `gate_changed` where it means something else by now and is shown anew.
    """
    first = find_request(ctx, id_)
    if isinstance(first, Refused):
        return first
    if first.gate is None:
        params = {"id": id_, "environment": first.terms.environment, "role": first.terms.role}
        return Refused(Code.NOT_A_GATE, params, audited=False)

    def groups(policy: Policy) -> tuple[str, ...]:
        environment = policy.environments.get(first.terms.environment)
        return groups_needed(policy, environment) if environment else ()

    actor = known(ctx, who, groups)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _once(ctx, actor, id_, clean(reason), commit_id, terms_hash))


_OWN = (keys.ACTIVE_POLICY, keys.CLOCK, keys.OLDER, keys.LEDGER_DOUBT)


def _once(
    ctx: Context, actor: Actor, id_: str, reason: str, commit_id: str, terms_hash: str | None
) -> CommitAttempt | Outcome | Refused:
    found = find_request(ctx, id_)
    if isinstance(found, Refused):
        return found
    person, place = actor.person, found.terms.environment
    uses, mine = keys.break_glass_uses(place, person.id), keys.person(person.id)
    own = (actor.record, keys.identity(person.id), mine, uses, keys.review(id_), *_OWN)
    snapshot = read_with_parties(ctx, (*keys_of(found), *own), found, commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    request = snapshot.get(keys.request(id_), Request)
    if request is None or request.gate is None or party_keys(request) != party_keys(found):
        return _once(ctx, actor, id_, reason, commit_id, terms_hash)
    # Told at once: in an emergency nobody waits ten minutes for what could be accepted in one.
    problem = (
        not_theirs(snapshot, actor)
        or not_in_force(snapshot, actor.policy)
        or clock_in_doubt(snapshot)
        or older_runs(snapshot)
        or ledger_in_doubt(snapshot)
    )
    history = History(snapshot.get(mine, PersonRecord), snapshot.get(uses, Uses))
    return problem or _on_snapshot(ctx, actor, snapshot, request, history, reason, commit_id, terms_hash)


def _on_snapshot(
    ctx: Context,
    actor: Actor,
    snapshot: Snapshot,
    request: Request,
    history: History,
    reason: str,
    commit_id: str,
    terms_hash: str | None,
) -> CommitAttempt | Refused:
    gate = gate_of(actor.policy, request)
    closed = not_open(request, snapshot)
    refused = _refused(actor, snapshot, request, gate, history, reason)
    if refused is not None:
        return decided_already(actor.policy, request, closed) or refused
    if closed is not None:
        return closed
    changed = changed_terms(ctx, actor, snapshot, request, commit_id)
    if changed is not None:
        return changed
    if terms_hash is not None and terms_hash != request.terms.hash:
        return Refused(Code.TERMS_CHANGED, {"id": request.id, "gate": "yes"})
    return _attempt(ctx, actor, snapshot, request, history, reason, commit_id)


def _refused(
    actor: Actor, snapshot: Snapshot, request: Request, gate: Gate | None, history: History, reason: str
) -> Refused | None:
    if gate is None:
        name = request.gate.gate if request.gate is not None else ""
        return Refused(Code.GATE_UNKNOWN, {"name": name, "environment": request.terms.environment})
    return may_open(actor.policy, gate, request.id, reason, actor.person, actor.groups, history, snapshot.now)


def _attempt(
    ctx: Context,
    actor: Actor,
    snapshot: Snapshot,
    request: Request,
    history: History,
    reason: str,
    commit_id: str,
) -> CommitAttempt:
    person = actor.person
    emergency = Emergency(person.id, person.name, person.account, person.slack, reason)
    opened = replace(
        request,
        break_glass=True,
        gate=request.gate and replace(request.gate, emergency=emergency),
        # Whosever that account is by the time of the review, it does not review what it did.
        accounts=tuple(dict.fromkeys((*request.accounts, person.account))),
    )
    decision = Decision(
        DecisionKind.BREAK_GLASS, snapshot.now, actor.policy.hash, by=(person.id,), by_names=(person.name,)
    )
    entry = _entry(ctx, actor, opened, history, snapshot)
    attempt = with_review(
        actor.policy, opened, person.id, releasing(opened, decision, snapshot, commit_id, entry), history, snapshot
    )
    item = keys.person(person.id)
    # Whoever has asked for nothing yet has no record, and what bars them stands in it.
    known_ = attempt.change.puts.get(item) or history.record
    mine = known_ or PersonRecord(person.id, person.name, (person.slack,))
    done = Outcome(request.id, "gate_broken")
    change = replace(attempt.change, puts={**attempt.change.puts, item: mine}, answer=done.answer)
    return replace(attempt, change=change, done=done)


def _entry(ctx: Context, actor: Actor, request: Request, history: History, snapshot: Snapshot) -> AuditEvent:
    person, gate = actor.person, request.gate
    facts = {
        "environment": request.terms.environment,
        "terms": request.terms.hash,
        "policy": actor.policy.hash[:12],
        "uses_before": str(len(used(history.uses, snapshot.now))),
        "began": "yes" if gate is not None and person.id in gate.barred else "no",
        "person_age_s": str(int((snapshot.now - person.as_of).total_seconds())),
        **person.from_where,
    }
    private = {
        "actor": person.id,
        "actor_name": person.name,
        "reason": gate.emergency.reason if gate and gate.emergency else "",
    }
    return event(ctx, Event.GATE_BROKEN, request.id, snapshot, facts, private)
