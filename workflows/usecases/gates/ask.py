"""A pipeline asks for a gate. Who it is has been proved; what it may, and who must agree, is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.gates.ask import GateAsk, Starter, pipeline_person
from workflows.core.people import Account, PersonId
from workflows.core.pipelines.identity import PipelineRun
from workflows.core.pipelines.judge import NotAllowed, judge
from workflows.core.policy import Entitlement, Gate, Policy
from workflows.core.records.gate import Giving, TokenOnce
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.records.request import Origin, Request, RequestState, Slot, gate_slot
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask, clean, find_ticket, nearest, slips_of, time_problem
from workflows.core.rules.gate_asking import gate_terms, giving, starter_refused
from workflows.core.rules.gate_emergency import opened_by
from workflows.ports import Change, IndexEntry, PolicyUnavailable, Snapshot
from workflows.usecases.oversight.refusals import record_refusal
from workflows.usecases.shared.closing import places_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.gate_asks import accounts_of_starters, starters
from workflows.usecases.shared.limits import too_many
from workflows.usecases.shared.ticket_limit import Counted, noted, used_ticket

# The chat in which a pipeline asks: none.
PIPELINE = "pipeline"
URL_LENGTH_MAX = 300
# So often a pipeline calls people at most.
OFTEN_MAX, OFTEN = 20, timedelta(minutes=10)
# So many tokens that have run out are forgotten with each ask.
FORGOTTEN_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Words:
    """What was typed in the job, names not yet looked up. `change`: what is new, for people. `url`: shown, never followed."""

    environment: str
    gate: str
    change: str
    url: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """`new`: False where this run had asked for this gate before; from now on the newest wait ticket alone counts."""

    id: str
    new: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Ask:
    """All that one turn of the loop needs."""

    policy: Policy
    gate: Gate
    asked: Entitlement
    ask: GateAsk
    change: str
    ticket: str | None
    once: Mapping[str, datetime]
    gives: Giving | None

    @property
    def slot(self) -> str:
        return keys.slot(gate_slot(self.asked.environment, self.ask))


def ask(
    ctx: Context,
    pipeline: PipelineRun,
    words: Words,
    wait_ticket: str,
    once: Mapping[str, datetime],
    commit_id: str,
    *,
    rule: str = "",
) -> Asked | Refused:
    """Put the ask on the record, so that people are called. `wait_ticket`: SHA-256 of what its bearer will show, 64 hex digits.
    `once`: keys that must not be there yet (`keys.token_once`), and until when they are remembered. `rule`: the `ForgeWait` in
    whose name it is asked.

    A commit id that was used before gets the first answer, unless the wait ticket is another one: then the token is used up.
    """
    found = _understood(ctx, pipeline, words, wait_ticket, once, rule)
    answer = found if isinstance(found, Refused) else run(ctx, lambda: _once(ctx, found, commit_id))
    if isinstance(answer, Refused):
        _noted(ctx, pipeline, answer, commit_id)
        return answer
    request = ctx.ledger.read(keys.request(answer.id)).get(keys.request(answer.id), Request)
    if request is None or request.gate is None or request.gate.wait_ticket != wait_ticket:
        return Refused(Code.TOKEN_USED, audited=False)
    return Asked(answer.id, answer.outcome == "asked", request.expires_at)


def _noted(ctx: Context, pipeline: PipelineRun, refused: Refused, commit_id: str) -> None:
    who, subject = pipeline_person(pipeline), f"gate:{pipeline.key[:12]}"
    record_refusal(ctx, who, subject, refused, commit_id, pipeline.repository, kind=Event.GATE_REFUSED)


# ---------------------------------------------------------------- what it means under the policy


def _understood(
    ctx: Context, pipeline: PipelineRun, words: Words, wait_ticket: str, once: Mapping[str, datetime], rule: str
) -> _Ask | Refused:
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable as unknown:
        return Refused(Code.POLICY_NOT_IN_FORCE, {"why": str(unknown)}, audited=False)
    gate = _find(policy, words)
    if isinstance(gate, Refused):
        return gate
    allowed = judge(policy.pipelines, pipeline, gate.entitlement.environment)
    if isinstance(allowed, NotAllowed):
        return Refused(Code.PIPELINE_NOT_ALLOWED, {"why": allowed.sentence}, rules=("pipelines",))
    gives = giving(gate)
    if isinstance(gives, Refused):
        return gives
    url, began = clean(words.url)[:URL_LENGTH_MAX], starters(ctx, policy, pipeline)
    asked = GateAsk(gate.name, pipeline, url, wait_ticket, began, rule=rule)
    entitlement = gate.asked_with(len(asked.unknown))
    typed = Ask(entitlement.environment, entitlement.role, None, words.change, words.ticket)
    problem = slips_of(typed, entitlement) or starter_refused(gate, asked)
    if problem:
        return replace(problem, params={**problem.params, "gate": gate.name})
    ticket = find_ticket(typed, entitlement)
    return _Ask(policy, gate, entitlement, asked, clean(words.change), ticket, once, gives)


def _find(policy: Policy, words: Words) -> Gate | Refused:
    name, gate = words.environment.strip().lower(), words.gate.strip().lower()
    place = policy.environments.get(name)
    if place is None:
        known = tuple(policy.environments)
        params = {"name": words.environment[:60], "near": ", ".join(nearest(words.environment, known))}
        return Refused(Code.ENVIRONMENT_UNKNOWN, params, audited=False)
    if gate in place.gates:
        return place.gates[gate]
    params = {"name": words.gate[:60], "environment": name, "known": ", ".join(place.gates)}
    return Refused(Code.GATE_UNKNOWN, params, audited=False)


# ---------------------------------------------------------------- on the record


def _once(ctx: Context, found: _Ask, commit_id: str) -> CommitAttempt | Outcome | Refused:
    who = pipeline_person(found.ask.run)
    counted = _counted(found)
    guard = (keys.ticket_uses(counted.ticket),) if counted else ()
    old = ctx.ledger.members(keys.TOKENS, high=ctx.ledger.now().timestamp(), limit=FORGOTTEN_AT_ONCE)
    names = dict.fromkeys((keys.ACTIVE_POLICY, keys.person(who), found.slot, *found.once, *guard, *old))
    snapshot = ctx.ledger.read(*names, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    refusal = _token_used(found, snapshot) or not_in_force(snapshot, found.policy)
    if refusal:
        return refusal
    slot = snapshot.get(found.slot, Slot)
    if slot is not None and slot.request:
        return _again(ctx, found, slot.request, commit_id)
    record = snapshot.get(keys.person(who), PersonRecord)
    refusal = (
        _too_many(record)
        or _too_often(ctx, who, snapshot.now)
        or _not_now(found, snapshot)
        or (used_ticket(ctx, counted) if counted else None)
    )
    return refusal or _recorded(ctx, found, snapshot, record, old, commit_id)


def _token_used(found: _Ask, snapshot: Snapshot) -> Refused | None:
    used = any(not snapshot.items[key].is_absent for key in found.once)
    return Refused(Code.TOKEN_USED) if used else None


def _counted(found: _Ask) -> Counted | None:
    rule = found.asked.ticket
    return Counted(found.ticket, rule.max_requests) if rule and rule.max_requests and found.ticket else None


def _too_many(record: PersonRecord | None) -> Refused | None:
    refused = too_many(record)
    return refused and Refused(Code.GATE_TOO_MANY, dict(refused.params))


def _too_often(ctx: Context, who: PersonId, now: datetime) -> Refused | None:
    """Each ask calls people, also one whose job had a no for an answer and comes again by itself."""
    recent = keys.of_person(keys.RECENT, who)
    lately = ctx.ledger.members(recent, low=(now - OFTEN).timestamp(), limit=OFTEN_MAX)
    if len(lately) < OFTEN_MAX:
        return None
    return Refused(Code.GATE_TOO_MANY, {"max": str(OFTEN_MAX), "minutes": f"{OFTEN.total_seconds() / 60:g}"})


def _not_now(found: _Ask, snapshot: Snapshot) -> Refused | None:
    place = found.policy.environments[found.asked.environment]
    if opened_by(place, found.gate) is not None:
        # It waits: nobody can approve it before, and in an emergency somebody opens it.
        return None
    shut = time_problem(found.policy, place, found.asked, snapshot.now)
    return shut and replace(shut, params={**shut.params, "gate": found.gate.name})


def _again(ctx: Context, found: _Ask, id_: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    """The same run has asked for this before: the command was started again in its job."""
    snapshot = ctx.ledger.read(keys.request(id_), found.slot, *found.once, commit_id=commit_id)
    request, slot = snapshot.get(keys.request(id_), Request), snapshot.get(found.slot, Slot)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    if slot is None or slot.request != id_:
        return _once(ctx, found, commit_id)
    if request is None or request.gate is None or request.state is RequestState.APPROVED:
        return Refused(Code.GATE_USED, {"id": id_})
    anew = replace(request, gate=replace(request.gate, wait_ticket=found.ask.wait_ticket))
    done = Outcome(id_, "have_it")
    puts: dict[str, Record] = {keys.request(id_): anew, **_tokens(found)}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts=puts,
        index=_remembered(found),
        answer=done.answer,
    )
    return CommitAttempt(change, done)


def _recorded(
    ctx: Context, found: _Ask, snapshot: Snapshot, record: PersonRecord | None, old: Sequence[str], commit_id: str
) -> CommitAttempt:
    """`old`: keys of tokens that have run out, which this snapshot has read."""
    request = _request(ctx, found, snapshot)
    item, who = keys.request(request.id), request.requester
    mine = record or PersonRecord(who, request.requester_name)
    ticket = noted(request, snapshot)
    scores = ((keys.PENDING, request.expires_at.timestamp()), (keys.RECENT, request.created_at.timestamp()))
    done = Outcome(request.id, "asked")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads={**snapshot.versions(), item: 0},
        puts={
            item: request,
            keys.person(who): replace(mine, pending=(*mine.pending, request.id)),
            found.slot: Slot(request.slot, request.id),
            **_tokens(found),
            **ticket.puts,
        },
        deletes=frozenset(key for key in old if not snapshot.items[key].is_absent),
        due={item: snapshot.now + SOON},
        index=(
            *(IndexEntry(name, request.id, score) for index, score in scores for name in places_of(index, request)),
            *_remembered(found),
            *(IndexEntry(keys.TOKENS, key, None) for key in old),
            *ticket.index,
        ),
        audit=(_entry(ctx, found, request, snapshot),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item,))


def _tokens(found: _Ask) -> dict[str, TokenOnce]:
    return {key: TokenOnce(key.partition(":")[2], until) for key, until in found.once.items()}


def _remembered(found: _Ask) -> tuple[IndexEntry, ...]:
    return tuple(IndexEntry(keys.TOKENS, key, until.timestamp()) for key, until in found.once.items())


def _request(ctx: Context, found: _Ask, snapshot: Snapshot) -> Request:
    pipeline, asked = found.ask.run, found.asked
    who, account = pipeline_person(pipeline), Account(PIPELINE, pipeline.forge.value, pipeline.repository_id)
    return Request(
        id=ctx.ledger.next_id(),
        requester=who,
        requester_name=pipeline.repository,
        requester_slack=account,
        holder=who,
        holder_name=pipeline.repository,
        terms=gate_terms(asked, found.ask, found.gives),
        reason=found.change,
        state=RequestState.PENDING,
        created_at=snapshot.now,
        expires_at=snapshot.now + asked.expires_after,
        policy_hash=found.policy.hash,
        origin=Origin(surface=PIPELINE),
        ticket=found.ticket,
        accounts=accounts_of_starters(ctx, found.ask.starters) or (account.id,),
        gate=found.ask,
        gives=found.gives,
    )


def _entry(ctx: Context, found: _Ask, request: Request, snapshot: Snapshot) -> AuditEvent:
    pipeline, starters_ = found.ask.run, found.ask.starters
    facts = {
        "environment": request.terms.environment,
        "gate": found.gate.name,
        "forge": pipeline.forge.value,
        "repository_id": pipeline.repository_id,
        "ref": pipeline.ref,
        "event": pipeline.event,
        "commit": pipeline.commit,
        "run": pipeline.run,
        "attempt": pipeline.attempt,
        "job": pipeline.job,
        "starters": ",".join(f"{one.part.value}:{'known' if one.person else 'unknown'}" for one in starters_),
        "one_more": str(len(found.ask.unknown)),
        "terms": request.terms.hash,
        "policy": found.policy.hash[:12],
    }
    # Who somebody is can be erased: it stands outside of the chain.
    began = "\n".join(_began(one) for one in starters_ if one.name or one.number is not None)
    private = {"actor": request.requester, "actor_name": request.requester_name, "reason": request.reason}
    private |= {"starters": began} if began else {}
    return event(ctx, Event.GATE_ASKED, request.id, snapshot, facts, private)


def _began(one: Starter) -> str:
    """`pushed: dana-gh 1001 dana@example.com`."""
    return " ".join(filter(None, (f"{one.part.value}:", one.name, str(one.number or ""), one.person or "")))
