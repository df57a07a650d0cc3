"""What decides without a press: the votes that a request has already, or a rule of the policy, whose uses are counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.people import GroupFacts
from workflows.core.policy import AutoApproval, Policy
from workflows.core.rebuild.resources import facts_of
from workflows.core.records.grant import Grant
from workflows.core.records.person import Uses
from workflows.core.records.request import Decision, DecisionKind, Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import ByRule, decision_by_votes, recount, within_a_day
from workflows.core.rules.by_rule import rule_for
from workflows.core.rules.eligibility import no_longer
from workflows.ports import Snapshot
from workflows.usecases.decisions.approve import deciding
from workflows.usecases.shared.context import CommitAttempt, WorkerContext, event


def by_votes(
    ctx: WorkerContext, policy: Policy, request: Request, groups: GroupFacts, snapshot: Snapshot, commit_id: str
) -> CommitAttempt | Refused | None:
    """Whoever must agree has already, to a lesser role whose names had to be looked up first.

    Refused where that is not known yet; None where people have to decide.
    """
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    votes = recount(policy, request, groups)
    shut = no_longer(policy, request, groups)
    if isinstance(votes, Refused) or shut:
        unknown = votes if isinstance(votes, Refused) else shut
        return unknown if request.votes and unknown and unknown.code is Code.NOT_KNOWN_YET else None
    if entitlement is None or any(vote.terms_hash != request.terms.hash for vote in votes):
        return None
    decision = decision_by_votes(entitlement, votes, policy.hash, snapshot.now, groups.alike)
    if decision is None or request.resource is None:
        return None
    last = votes[-1]
    facts = {**facts_of(request.resource), "terms": request.terms.hash, "policy": policy.hash[:12]}
    facts["groups"] = ",".join(last.groups)
    private = {"actor": last.by, "actor_name": last.by_name}
    entry = event(ctx, Event.REQUEST_APPROVED, request.id, snapshot, facts, private)
    return deciding(replace(request, votes=votes), decision, snapshot, commit_id, entry)


def counted(policy: Policy, request: Request) -> tuple[AutoApproval, ...]:
    """The rules that may approve so many times a day."""
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    return tuple(rule for rule in entitlement.auto_approve if rule.max_uses_per_day) if entitlement else ()


def uses_of(request: Request, rule: AutoApproval) -> str:
    """Where the uses of a rule by this holder stand."""
    return keys.rule_uses(request.terms.environment, request.terms.role, rule.name, request.holder)


def _used(snapshot: Snapshot, item: str) -> tuple[datetime, ...]:
    found = snapshot.get(item, Uses)
    return found.times if found else ()


def rules(policy: Policy, request: Request, groups: GroupFacts, snapshot: Snapshot) -> ByRule:
    """What the policy's rules say of it, on the uses that this snapshot saw."""
    grant = snapshot.get(keys.grant(request.extends), Grant) if request.extends else None
    items = {rule.name: uses_of(request, rule) for rule in counted(policy, request)}
    if any(snapshot.items[item].problem for item in items.values()):
        # How often a rule was used is not known: people decide.
        return ByRule(None)
    uses = {name: _used(snapshot, item) for name, item in items.items()}
    return rule_for(policy, request, grant, groups, snapshot.now, uses)


def by_rule(
    ctx: WorkerContext, policy: Policy, request: Request, found: ByRule, snapshot: Snapshot, commit_id: str
) -> CommitAttempt | Refused:
    """The rule's approval. Where its uses are counted, this one is, in the same commit: of two at once one reads it."""
    rule = found.rule
    if rule is None:
        raise ValueError(f"no rule approves {request.id}")
    decision = Decision(
        DecisionKind.AUTO, snapshot.now, policy.hash, rule=rule.name, facts=_why(request, rule, found.use)
    )
    facts = {
        **(facts_of(request.resource) if request.resource else {}),
        "rule": rule.name,
        "policy": policy.hash[:12],
        "terms": request.terms.hash,
        "incident_channel": request.origin.channel if request.origin.incident else "",
        "creator_proven": str(request.origin.incident).lower(),
        "local_time": f"{snapshot.now.astimezone(ZoneInfo(policy.timezone)):%a %H:%M} {policy.timezone}",
        "use": str(found.use) if rule.max_uses_per_day else "",
    }
    entry = event(ctx, Event.REQUEST_AUTO_APPROVED, request.id, snapshot, facts, {"holder": request.holder})
    attempt = deciding(request, decision, snapshot, commit_id, entry)
    if not rule.max_uses_per_day or isinstance(attempt, Refused):
        return attempt
    item = uses_of(request, rule)
    times = (*within_a_day(_used(snapshot, item), snapshot.now), snapshot.now)
    puts = {**attempt.change.puts, item: Uses(item.removeprefix(keys.uses("")), times)}
    return replace(attempt, change=replace(attempt.change, puts=puts))


def _why(request: Request, rule: AutoApproval, use: int) -> dict[str, str]:
    """What the rule rested on, as far as people want to read it."""
    facts = {"channel_name": request.origin.channel_name} if rule.in_incident_channel else {}
    if rule.max_uses_per_day:
        facts |= {"use": str(use), "of": str(rule.max_uses_per_day)}
    return facts
