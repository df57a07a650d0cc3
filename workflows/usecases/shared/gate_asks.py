"""Who began a pipeline's run, by the policy's list of their ids at the forge; and what its ask means now."""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.gates.ask import Starter, starters_of
from workflows.core.identity import AccountId, Address, Identity, PersonId
from workflows.core.pipelines.identity import PipelineRun, StarterId
from workflows.core.pipelines.judge import NotAllowed, judge
from workflows.core.policy import Gate, Policy
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.gate_asking import gate_terms, giving, starter_refused
from workflows.usecases.shared.context import Context


def starters(ctx: Context, policy: Policy, run: PipelineRun) -> tuple[Starter, ...]:
    """Each of them, with the person behind the id, where the policy lists it: whoever has the listed address now."""
    return starters_of(run, ((one, *_person(ctx, policy, one)) for one in run.starters))


def _person(ctx: Context, policy: Policy, one: StarterId) -> tuple[PersonId | None, str]:
    address = _listed(policy, one)
    if address is None:
        return None, ""
    who = ctx.directory.owner_of(address, policy.former_domains)
    facts = ctx.directory.of_person(who)
    return who, facts.name if facts is not None else address


def _listed(policy: Policy, one: StarterId) -> Address | None:
    if one.number is None:
        return None
    found = (address for address, ids in policy.forge_ids.items() if ids.get(one.forge.value) == one.number)
    return next(found, None)


def accounts_of_starters(ctx: Context, found: tuple[Starter, ...]) -> tuple[AccountId, ...]:
    """Every account of those who are known: none of them decides, whosever it is by then."""
    people = tuple(dict.fromkeys(one.person for one in found if one.person is not None))
    if not people:
        return ()
    snapshot = ctx.ledger.read(*map(keys.identity, people))
    known = (snapshot.get(keys.identity(who), Identity) for who in people)
    return tuple(dict.fromkeys(account for one in known if one is not None for account in one.accounts))


def gate_of(policy: Policy, request: Request) -> Gate | None:
    place = policy.environments.get(request.terms.environment)
    return place.gates.get(request.gate.gate) if place is not None and request.gate is not None else None


def as_known_now(ctx: Context, policy: Policy, request: Request) -> Request | Refused:
    """The ask as it would be made now: by the gate of the policy in force, with who is known to have begun the run. The same
    where nothing has changed; votes and looks are left as they are.
    """
    gate, ask = gate_of(policy, request), request.gate
    if gate is None or ask is None:
        name = ask.gate if ask is not None else ""
        return Refused(Code.GATE_UNKNOWN, {"name": name, "environment": request.terms.environment})
    gives = giving(gate, request.gives)
    if isinstance(gives, Refused):
        return gives
    anew = replace(ask, starters=starters(ctx, policy, ask.run))
    refused = starter_refused(gate, anew)
    if refused is not None:
        return refused
    accounts = tuple(dict.fromkeys((*request.accounts, *accounts_of_starters(ctx, anew.starters))))
    terms = gate_terms(gate.asked_with(len(anew.unknown)), anew, gives)
    return replace(request, gate=anew, gives=gives, terms=terms, accounts=accounts)


def to_be_looked_at(request: Request) -> Request:
    """The same before anybody was asked."""
    return replace(request, gate=replace(request.gate, looked_at=None)) if request.gate is not None else request


def other_by_now(ctx: Context, policy: Policy, request: Request) -> Refused | None:
    """Whether the gate asks for other people by now, or gives something else, or the pipeline may ask no more."""
    anew = as_known_now(ctx, policy, request)
    if isinstance(anew, Refused):
        return anew
    if not means_the_same(request, anew):
        return Refused(Code.GATE_CHANGED, {"id": request.id})
    pipeline = request.gate.run if request.gate is not None else None
    allowed = judge(policy.pipelines, pipeline, request.terms.environment) if pipeline is not None else None
    return Refused(Code.PIPELINE_NOT_ALLOWED, {"why": allowed.sentence}) if isinstance(allowed, NotAllowed) else None


def means_the_same(request: Request, anew: Request) -> bool:
    """Whether what people agree to, and who may not, is what it was."""
    old, new = request.gate, anew.gate
    if old is not None and old.emergency is not None:
        # Nobody agreed to it, so that it does not matter who might have: it is for the same run, and gives the same.
        return (request.terms.target, request.terms.duration_s) == (anew.terms.target, anew.terms.duration_s)
    same = old is not None and new is not None and set(old.barred) == set(new.barred)
    return same and request.terms.hash == anew.terms.hash
