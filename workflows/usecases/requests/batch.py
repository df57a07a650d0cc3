"""Several roles of one environment, or one role in several environments, in one go. Each is a request of its own: it is decided,
given and ended by itself. They are made in one commit, and one press decides all that stand on one card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core import keys
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, Request, RequestState, Slot, Terms
from workflows.core.records.signed import SignedAct
from workflows.core.refusal import Code, Refused, together
from workflows.core.rules.batch import distinct, panel_of, part, place_of, shown, terms_of, too_many_at_once
from workflows.core.rules.eligibility import Ask, MayAsk, find_entitlement, may_ask, slip
from workflows.core.rules.grant_terms import terms_for
from workflows.core.rules.groups import groups_needed
from workflows.ports import PolicyUnavailable, Snapshot
from workflows.usecases.decisions.approve import approve, deny, find_request, withdraw
from workflows.usecases.requests.request_access import ask_for_access, new_request, recorded
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, done_from, not_in_force, run
from workflows.usecases.shared.limits import blocked, too_many
from workflows.usecases.shared.signed_votes import Signed
from workflows.usecases.shared.ticket_check import with_open_ticket
from workflows.usecases.shared.ticket_limit import counted_ticket, used_ticket

Use = Callable[[Request, str], Outcome | Refused]


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one of several. `waited`: it waited for an answer when this began."""

    request: Request
    answer: Outcome | Refused
    waited: bool


# ---------------------------------------------------------------- asking


def ask_for_several(
    ctx: Context, asks: Sequence[Ask], who: Account, origin: Origin, commit_id: str
) -> Outcome | Refused:
    """Record all of them, or none. `Outcome.id` is the first one's; what is there already is left out.

    `Outcome.outcome`: `asked`, or `have_it` where all of it is there already.
    """
    if len(asks) == 1:
        return ask_for_access(ctx, asks[0], who, origin, commit_id)
    many = too_many_at_once(asks)
    if many:
        return many

    def groups(policy: Policy) -> tuple[str, ...]:
        places = (policy.environments.get(ask.environment.strip().lower()) for ask in asks)
        return tuple(dict.fromkeys(name for place in places if place for name in groups_needed(policy, place)))

    actor = known(ctx, who, groups)
    if isinstance(actor, Refused):
        stale = actor.code is Code.FACTS_STALE
        return (_slip(ctx.policy.current(), asks, ctx.ledger.now()) if stale else None) or actor
    return run(ctx, lambda: _ask_once(ctx, actor, distinct(asks, actor.person.id), origin, commit_id))


def _slip(policy: Policy, asks: Sequence[Ask], now: datetime) -> Refused | None:
    """What is wrong with the words of each of them, all at once."""
    return together(_of_part(problem, ask) for ask in asks if (problem := slip(policy, ask, now)))


def _of_part(refused: Refused, ask: Ask) -> Refused:
    """Which of several it is about."""
    also = tuple(replace(one, params={**one.params, "part": part(ask)}) for one in refused.also)
    return replace(refused, params={**refused.params, "part": part(ask)}, also=also)


def _ask_once(
    ctx: Context, actor: Actor, asks: tuple[Ask, ...], origin: Origin, commit_id: str
) -> CommitAttempt | Outcome | Refused:
    person, policy = actor.person, actor.policy
    slots = {ask: keys.slot(place_of(ask, person.id)) for ask in asks}
    tickets = [counted for ask in asks if (counted := counted_ticket(policy, ask))]
    guards = dict.fromkeys(keys.ticket_uses(counted.ticket) for counted in tickets)
    snapshot = ctx.ledger.read(
        keys.ACTIVE_POLICY, actor.record, keys.person(person.id), *slots.values(), *guards, commit_id=commit_id
    )
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    there = {ask: slot.request for ask in asks if (slot := snapshot.get(slots[ask], Slot)) and slot.request}
    fresh = tuple(ask for ask in asks if ask not in there)
    answers = _may_ask_all(ctx, actor, fresh, snapshot)
    record = snapshot.get(keys.person(person.id), PersonRecord)
    refusal = (
        (answers if isinstance(answers, Refused) else None)
        or not_in_force(snapshot, policy)
        or not_theirs(snapshot, actor)
        or blocked(record, snapshot)
        or too_many(record, len(fresh))
    )
    if refusal or isinstance(answers, Refused):
        return refusal or answers  # type: ignore[return-value]  # one of them is a refusal
    if not fresh:
        return Outcome(next(iter(there.values())), "have_it")
    answers = _with_open_tickets(ctx, fresh, answers)
    if isinstance(answers, Refused):
        return answers
    made = tuple(new_request(ctx.ledger.next_id(), actor, answer, terms, origin, snapshot) for answer, terms in answers)
    ids = tuple(request.id for request in made)
    batch = tuple(replace(request, batch=ids) for request in made) if len(made) > 1 else made
    return recorded(ctx, actor, batch, snapshot, commit_id)


def _may_ask_all(
    ctx: Context, actor: Actor, asks: tuple[Ask, ...], snapshot: Snapshot
) -> list[tuple[MayAsk, Terms]] | Refused:
    """What each means under the policy, or the first that is refused and why; all slips of the keyboard at once."""
    found: list[tuple[MayAsk, Terms]] = []
    slips = _slip(actor.policy, asks, snapshot.now)
    for ask in asks:
        answer = may_ask(actor.policy, ask, actor.person, actor.person.id, actor.groups, snapshot.now)
        if isinstance(answer, Refused):
            # Rights come before words, and words of all before what else is wrong with one.
            return slips if slips is not None and not answer.audited else _of_part(answer, ask)
        try:
            found.append(
                (answer, terms_for(answer.entitlement, actor.person.id, answer.duration, actor.person.address))
            )
        except TemplateRefused as problem:
            return _of_part(Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)}), ask)
    return _tickets_used(ctx, actor.policy, asks) or found


def _with_open_tickets(
    ctx: Context, asks: tuple[Ask, ...], answers: list[tuple[MayAsk, Terms]]
) -> list[tuple[MayAsk, Terms]] | Refused:
    """All of them, or the first whose ticket is not taken and why."""
    found: list[tuple[MayAsk, Terms]] = []
    for ask, (answer, terms) in zip(asks, answers, strict=True):
        checked = with_open_ticket(ctx, answer)
        if isinstance(checked, Refused):
            return _of_part(checked, ask)
        found.append((checked, terms))
    return found


def _tickets_used(ctx: Context, policy: Policy, asks: tuple[Ask, ...]) -> Refused | None:
    """Each of them carries its ticket once."""
    carried = Counter(counted for ask in asks if (counted := counted_ticket(policy, ask)))
    for counted, more in carried.items():
        used = used_ticket(ctx, counted, more)
        if used:
            ask = next(ask for ask in asks if counted_ticket(policy, ask) == counted)
            return _of_part(used, ask)
    return None


# ---------------------------------------------------------------- one press for all on a card


def batch_of(ctx: Context, id_: str) -> tuple[Request, ...] | Refused:
    """All that was asked together with this request, in order; itself alone where it was asked alone."""
    first = find_request(ctx, id_)
    if isinstance(first, Refused):
        return first
    if not first.batch:
        return (first,)
    snapshot = ctx.ledger.read(*map(keys.request, first.batch))
    found = (snapshot.get(keys.request(member), Request) for member in first.batch)
    return tuple(request for request in found if request is not None)


def approve_all(
    ctx: Context, id_: str, who: Account, terms: str, commit_id: str, signed: SignedAct | None = None
) -> tuple[Part, ...] | Refused:
    """Agree to all on the card whose first request is `id_`, on the terms that it showed, or to none where they changed."""
    panel = _panel(ctx, id_)
    if isinstance(panel, Refused):
        return panel
    if terms_of(panel) != terms:
        return Refused(Code.TERMS_CHANGED, {"id": ", ".join(request.id for request in panel)})
    changed = [request for request in panel if _waits(request) and _means_another(ctx, request)]
    if changed:
        # The vote on these voids itself, and has their names looked up again; the others are not voted on.
        parts = _each(changed, commit_id, lambda request, step: approve(ctx, request.id, who, step, request.terms.hash))
        if isinstance(parts, Refused):
            return parts
        refused = next((one.answer for one in parts if isinstance(one.answer, Refused)), None)
        return refused or Refused(Code.TERMS_CHANGED, {"id": changed[0].id}, audited=False)
    on_it = tuple((one.id, one.terms.hash) for one in shown(panel))
    kept = Signed(signed, on_it) if signed else None
    return _each(shown(panel), commit_id, lambda one, step: approve(ctx, one.id, who, step, one.terms.hash, kept))


def deny_all(ctx: Context, id_: str, who: Account, reason: str, commit_id: str) -> tuple[Part, ...] | Refused:
    """Refuse all on the card whose first request is `id_`."""
    panel = _panel(ctx, id_)
    if isinstance(panel, Refused):
        return panel
    return _each(panel, commit_id, lambda request, step: deny(ctx, request.id, who, reason, step))


def withdraw_all(ctx: Context, id_: str, who: Account, commit_id: str) -> tuple[Part, ...] | Refused:
    """The requester takes back all that still waits."""
    batch = batch_of(ctx, id_)
    if isinstance(batch, Refused):
        return batch
    return _each(batch, commit_id, lambda request, step: withdraw(ctx, request.id, who, step))


def _panel(ctx: Context, id_: str) -> tuple[Request, ...] | Refused:
    batch = batch_of(ctx, id_)
    if isinstance(batch, Refused):
        return batch
    try:
        return panel_of(ctx.policy.current(), batch, id_)
    except PolicyUnavailable as problem:
        return Refused(Code.POLICY_NOT_IN_FORCE, {"why": str(problem)})


def _means_another(ctx: Context, request: Request) -> bool:
    """Whether the role means something else by now than when it was asked for."""
    found = find_entitlement(ctx.policy.current(), request.terms.environment, request.terms.role)
    if isinstance(found, Refused):
        return False
    try:
        return (
            terms_for(found, request.holder, request.terms.duration, request.holder_address).hash != request.terms.hash
        )
    except TemplateRefused:
        return False


def _waits(request: Request) -> bool:
    return request.state is RequestState.PENDING


def _each(requests: Sequence[Request], commit_id: str, use: Use) -> tuple[Part, ...] | Refused:
    """One commit for each, named after the press, so that a repeated press finds its own. What a worker has to look up is
    looked up for all of them."""
    parts: list[Part] = []
    for request in requests:
        answer = use(request, f"{commit_id}:{request.id}")
        if isinstance(answer, Refused) and answer.code in (Code.FACTS_STALE, Code.NOT_KNOWN_YET):
            return answer
        parts.append(Part(request, answer, _waits(request)))
    return tuple(parts)
