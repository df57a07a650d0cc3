"""A gate that was opened in an emergency, and that the record has lost or had as waiting: what is known of it, so that its review
is owed again. Nothing is let on by it: a run that still waits asks anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from workflows.core.audit import Event
from workflows.core.gates.ask import Emergency, GateAsk, Starter, starters_of
from workflows.core.gates.terms import KIND, GateTerms
from workflows.core.identity import SLACK, AccountId
from workflows.core.people import Account, PersonId
from workflows.core.pipelines.identity import Forge, Part, PipelineRun, StarterId
from workflows.core.policy import Risk, Tier, gate_role
from workflows.core.rebuild.stories import Over, Story
from workflows.core.records.request import Closing, Decision, DecisionKind, Request, RequestState, Terms
from workflows.ports import PolicyUnavailable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.gate_asks import accounts_of_starters, starters

# `pushed: dana-gh 1001 dana@example.com`, as the entry of the ask has it; what is not known is left out.
_BEGAN = re.compile(r"(?P<part>[a-z-]+):(?: (?P<name>\S*[^\d\s]\S*))?(?: (?P<number>\d+))?(?: (?P<person>\S+))?")
_STATES = {
    Event.GATE_REDEEMED: RequestState.APPROVED,
    Event.GATE_DENIED: RequestState.DENIED,
    Event.GATE_WITHDRAWN: RequestState.WITHDRAWN,
}


def opened_request(ctx: Context, story: Story, over: Over, why: str) -> Request:
    """The ask with what its entries tell. `why`: for people, where nobody has closed it."""
    run = _run(story)
    began = _starters(ctx, story, run)
    emergency = emergency_of(ctx, story)
    state = _STATES.get(over.event, RequestState.EXPIRED)
    gate = GateAsk(
        gate=story.asked.get("gate", ""),
        run=run,
        url="",
        wait_ticket="",
        starters=began,
        looked_at=story.made_at,
        redeemed_at=over.at if state is RequestState.APPROVED else None,
        emergency=emergency,
    )
    pipeline = PersonId(story.words.get("actor") or "pipeline:unknown")
    name = story.words.get("actor_name") or "a pipeline"
    policy_hash = story.asked.get("policy", "")
    return Request(
        id=story.id,
        requester=pipeline,
        requester_name=name,
        requester_slack=Account(SLACK, "", ""),
        holder=pipeline,
        holder_name=name,
        terms=_terms(ctx, story, gate, pipeline),
        reason=story.words.get("reason") or "not known any more",
        state=state,
        created_at=story.made_at,
        expires_at=over.at,
        policy_hash=policy_hash,
        break_glass=True,
        decision=Decision(
            DecisionKind.BREAK_GLASS,
            story.opened_at or over.at,
            policy_hash,
            by=(emergency.by,),
            by_names=(emergency.by_name,),
        ),
        closing=None if state is RequestState.APPROVED else Closing(over.at, reason=why),
        accounts=_accounts(ctx, gate, emergency),
        gate=gate,
    )


def with_emergency(ctx: Context, known: Request, story: Story) -> Request:
    """What the record has of it, as opened in an emergency."""
    emergency = emergency_of(ctx, story)
    if known.gate is None or known.gate.emergency is not None:
        return known
    gate = replace(known.gate, emergency=emergency)
    accounts = tuple(dict.fromkeys((*known.accounts, *filter(None, (emergency.account,)))))
    return replace(known, gate=gate, break_glass=True, accounts=accounts)


def emergency_of(ctx: Context, story: Story) -> Emergency:
    """Who opened it; where the archive's words cannot be read, somebody whom nobody knows any more."""
    who = PersonId(story.opened.get("actor") or "unknown")
    facts = ctx.directory.of_person(who) if ctx.directory is not None else None
    account = facts.account if facts is not None else AccountId("")
    slack = facts.slack if facts is not None else Account(SLACK, "", "")
    name = story.opened.get("actor_name") or "somebody"
    return Emergency(who, name, account, slack, story.opened.get("reason") or "not known any more")


def _accounts(ctx: Context, gate: GateAsk, emergency: Emergency) -> tuple[AccountId, ...]:
    found = (*accounts_of_starters(ctx, gate.starters), emergency.account)
    return tuple(dict.fromkeys(one for one in found if one))


def _terms(ctx: Context, story: Story, gate: GateAsk, pipeline: PersonId) -> Terms:
    """What of them is not known is taken for the worst."""
    role = gate_role(gate.gate, len(gate.unknown))
    try:
        entitlement = ctx.policy.current().entitlement(story.environment, role)
    except PolicyUnavailable:
        entitlement = None
    run = gate.run
    return Terms(
        environment=story.environment,
        role=role,
        tier=entitlement.tier if entitlement else Tier.PRODUCTION,
        risk=Risk.CHANGE,
        holder=pipeline,
        duration_s=0,
        target=GateTerms(KIND, "", gate.gate, run.repository, run.commit, run.key),
        allows=entitlement.allows if entitlement else "",
    )


def _run(story: Story) -> PipelineRun:
    facts = story.asked
    forge = Forge(facts.get("forge", Forge.KEY.value))
    return PipelineRun(
        issuer="",
        forge=forge,
        repository=story.words.get("actor_name") or "a pipeline",
        repository_id=facts.get("repository_id", ""),
        owner_id="",
        ref=facts.get("ref", ""),
        ref_protected=None,
        commit=facts.get("commit", ""),
        run=facts.get("run", ""),
        attempt=facts.get("attempt", ""),
        job=facts.get("job", ""),
        environment="",
        workflow="",
        event=facts.get("event", ""),
        actor_id="",
        starters=tuple(_began(forge, story)),
    )


def _began(forge: Forge, story: Story) -> Iterator[StarterId]:
    for line in story.words.get("starters", "").splitlines():
        found = _BEGAN.fullmatch(line)
        if found and found["part"] in set(Part):
            number = int(found["number"]) if found["number"] else None
            yield StarterId(forge, number, found["name"] or "", Part(found["part"]))


def _starters(ctx: Context, story: Story, run: PipelineRun) -> tuple[Starter, ...]:
    """By the policy's ids, and by who they were then: neither of them reviews it."""
    then = {}
    for line, id_ in zip(story.words.get("starters", "").splitlines(), run.starters, strict=False):
        found = _BEGAN.fullmatch(line)
        then[id_] = PersonId(found["person"]) if found and found["person"] else None
    try:
        now = starters(ctx, ctx.policy.current(), run) if ctx.directory is not None else starters_of(run, ())
    except PolicyUnavailable:
        now = starters_of(run, ())
    return tuple(
        one if one.person is not None else replace(one, person=then.get(id_))
        for one, id_ in zip(now, run.starters, strict=True)
    )
