"""Keep or remove, of some items on one card: by an owner, or the panic group, as they are when it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.certification.rules import answerers, may_answer, own_of, reason_problem
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.records.certification import Answer, Certification, CertificationPart, Item, Verdict
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean
from workflows.ports import Change, Snapshot
from workflows.usecases.certification.standing import CARD, SUBJECT
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.parties import alike


@dataclass(frozen=True, slots=True)
class Saying:
    """`part`: the card's. `numbers`: of the items on it."""

    part: str
    numbers: tuple[int, ...]
    verdict: Verdict
    reason: str = ""


def say(ctx: Context, saying: Saying, who: Account, commit_id: str) -> Outcome | Refused:
    """`Outcome.outcome`: `kept` or `removed`, or `said` where all of it stood there already. One commit, an entry for each item.

    What they said before stays on the record.
    """
    item = keys.certification_part(saying.part)
    first = ctx.ledger.read(item).get(item, CertificationPart)
    if first is None:
        return Refused(Code.CERTIFICATION_OVER, audited=False)

    def groups(policy: Policy) -> tuple[str, ...]:
        return answerers(policy, first.environment)

    actor = known(ctx, who, groups)
    return actor if isinstance(actor, Refused) else run(ctx, lambda: _once(ctx, actor, first.run, saying, commit_id))


def _once(ctx: Context, actor: Actor, run_id: str, saying: Saying, commit_id: str) -> CommitAttempt | Outcome | Refused:
    item, whole, me = keys.certification_part(saying.part), keys.certification(run_id), actor.person.id
    names = (item, whole, actor.record, keys.identity(me), keys.ACTIVE_POLICY)
    snapshot = ctx.ledger.read(*names, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    part, found = snapshot.get(item, CertificationPart), snapshot.get(whole, Certification)
    if part is None or found is None or not found.is_open:
        return Refused(Code.CERTIFICATION_OVER, audited=False)
    chosen = tuple(one for one in part.items if one.number in saying.numbers)
    refused = (
        may_answer(actor.policy, part.environment, actor.person, actor.groups)
        or not_theirs(snapshot, actor)
        or not_in_force(snapshot, actor.policy)
        or _not_these(snapshot, actor, chosen, saying)
    )
    return refused or _attempt(ctx, actor, snapshot, _Asked(part, found), chosen, saying, commit_id)


def _not_these(snapshot: Snapshot, actor: Actor, chosen: Sequence[Item], saying: Saying) -> Refused | None:
    """Whether something is wrong with what was chosen, or with what was said of it."""
    if not chosen or len(chosen) != len(set(saying.numbers)):
        return Refused(Code.CERTIFICATION_ITEMS, audited=False)
    me = actor.person.id
    own = own_of(chosen, alike(snapshot, (me,)).get(me, frozenset()) | {me})
    if own:
        return Refused(Code.OWN_CERTIFICATION, {"numbers": ", ".join(str(one.number) for one in own)})
    return reason_problem(chosen, saying.verdict, clean(saying.reason))


@dataclass(frozen=True, slots=True)
class _Asked:
    part: CertificationPart
    run: Certification


def _attempt(
    ctx: Context,
    actor: Actor,
    snapshot: Snapshot,
    asked: _Asked,
    chosen: Sequence[Item],
    saying: Saying,
    commit_id: str,
) -> CommitAttempt | Outcome:
    part, reason, who = asked.part, clean(saying.reason), actor.person
    answer = Answer(saying.verdict, who.id, who.name, snapshot.now, reason)
    anew = [item for item in chosen if not _same(item, answer)]
    if not anew:
        return Outcome(part.id, "said")
    done = Outcome(part.id, "removed" if saying.verdict is Verdict.REMOVE else "kept")
    numbers = {item.number for item in anew}
    items = tuple(replace(item, answer=answer) if item.number in numbers else item for item in part.items)
    chats = {keys.chat(f"{CARD}{part.id}"): snapshot.now + SOON, keys.chat(f"{SUBJECT}{part.run}"): snapshot.now + SOON}
    # Once its time is over, the last answer ends it.
    look = {keys.certification(part.run): snapshot.now} if snapshot.now >= asked.run.due_at else {}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.certification_part(part.id): replace(part, items=items)},
        due={**chats, **look},
        audit=tuple(_entry(ctx, actor, snapshot, part, item, answer) for item in anew),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(*chats, *look))


def _same(item: Item, answer: Answer) -> bool:
    """Whether this very person has said this very thing."""
    said = item.answer
    return said is not None and (said.verdict, said.by, said.reason) == (answer.verdict, answer.by, answer.reason)


def _entry(
    ctx: Context, actor: Actor, snapshot: Snapshot, part: CertificationPart, item: Item, answer: Answer
) -> AuditEvent:
    facts = {
        "run": part.run,
        "environment": part.environment,
        "number": str(item.number),
        "kind": item.kind.value,
        "said": answer.verdict.value,
        "before": item.answer.verdict.value if item.answer is not None else "",
        "against": ", ".join(one.value for one in item.against),
        "policy": actor.policy.hash[:12],
    }
    private = {"actor": answer.by, "actor_name": answer.by_name, "item": item.name}
    private |= {"person": item.person} if item.person is not None else {}
    private |= {"reason": answer.reason} if answer.reason else {}
    return event(ctx, Event.CERTIFICATION_ANSWERED, f"{CARD}{part.id}", snapshot, facts, private)
