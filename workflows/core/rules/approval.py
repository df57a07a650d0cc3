"""May this person approve, is it enough, which rule approves by itself, and does a recorded decision still stand? Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import AutoApproval, Entitlement, Policy
from workflows.core.records.request import Decision, DecisionKind, Origin, Request, Vote
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approvers import approver_groups, is_party, part_in_it, speakers
from workflows.core.rules.break_glass import who_broke
from workflows.core.rules.eligibility import no_longer
from workflows.core.rules.groups import (
    groups_named,
    groups_that_count,
    may_break_glass,
    not_a_member,
    person_problem,
    within,
)
from workflows.core.rules.seat_matching import NOBODY_ALIKE, Alike, are_alike, match_people


@dataclass(frozen=True, slots=True)
class MayDecide:
    """Yes: this person may vote, speaking for `groups` of `approve`; for some of them in the place of `for_`."""

    groups: tuple[str, ...]
    for_: tuple[PersonId, ...] = ()


DAY = timedelta(days=1)
NO_USES: Mapping[str, Sequence[datetime]] = {}


@dataclass(frozen=True, slots=True)
class ByRule:
    """What the rules say. `use`: which use of the rule within a day this is. `used_up`: name and uses of spent rules."""

    rule: AutoApproval | None
    use: int = 0
    used_up: tuple[tuple[str, int], ...] = ()


def auto_approval(
    policy: Policy,
    entitlement: Entitlement,
    holder: PersonId,
    duration: timedelta,
    origin: Origin,
    groups: GroupFacts,
    now: datetime,
    uses: Mapping[str, Sequence[datetime]] = NO_USES,
    start_at: datetime | None = None,
) -> ByRule:
    """The first rule all of whose conditions hold, with the number of this use; or none, with the rules that are used up.

    `uses`: by a rule's name, when it approved for this holder. A rule is used up when it did so as often as it may within a
    day; then it approves nothing, and people decide.
    """
    used_up: list[tuple[str, int]] = []
    for rule in entitlement.auto_approve:
        if not _rule_holds(policy, entitlement, rule, holder, duration, origin, groups, now, start_at):
            continue
        used = len(within_a_day(uses.get(rule.name, ()), now))
        if rule.max_uses_per_day is None or used < rule.max_uses_per_day:
            return ByRule(rule, used + 1)
        used_up.append((rule.name, used))
    return ByRule(None, used_up=tuple(used_up))


def within_a_day(times: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    return tuple(time for time in times if now - time < DAY)


def rule_groups(policy: Policy, entitlement: Entitlement) -> tuple[str, ...]:
    """The groups whose members the role's rules are for."""
    return groups_that_count(policy, entitlement, tuple(who for rule in entitlement.auto_approve for who in rule.who))


def _rule_holds(
    policy: Policy,
    entitlement: Entitlement,
    rule: AutoApproval,
    holder: PersonId,
    duration: timedelta,
    origin: Origin,
    groups: GroupFacts,
    now: datetime,
    start_at: datetime | None,
) -> bool:
    """`start_at`: a later start is held against the rule's hours; and an incident may be over by then."""
    names = groups_that_count(policy, entitlement, rule.who)
    return (
        groups.surely(holder, names)
        and (rule.max_duration is None or duration <= rule.max_duration)
        and (not rule.in_incident_channel or (origin.incident and start_at is None))
        and (rule.hours is None or within(rule.hours, start_at or now, policy.timezone))
    )


def may_decide(
    policy: Policy, request: Request, person: PersonFacts, groups: GroupFacts, at: datetime | None = None
) -> MayDecide | Refused:
    """Whether `person` may approve or deny `request`, on these facts; `at`: when they did, for a vote of the past."""
    problem = person_problem(person)
    if problem:
        return problem
    if is_party(request, person, groups):
        # Whoever would hold it reads who asked.
        asker = {"asker": request.requester_name} if person.id == request.holder != request.requester else {}
        began = {part_in_it(request, person, groups): "yes"} if request.gate is not None else {}
        return Refused(Code.OWN_REQUEST, {"id": request.id, **asker, **began})
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    if entitlement is None:
        return _not_in_policy(request)
    speaks_for = _speaks_for(policy, entitlement, request, person.id, groups, at)
    if not speaks_for:
        return _not_an_approver(policy, entitlement, request, groups)
    rights = dict.fromkeys(right for right in speaks_for.values() if right != person.id)
    return MayDecide(tuple(speaks_for), tuple(rights))


def _not_in_policy(request: Request) -> Refused:
    where = {"environment": request.terms.environment}
    if request.gate is not None:
        return Refused(Code.GATE_UNKNOWN, {"name": request.gate.gate, **where})
    return Refused(Code.ROLE_UNKNOWN, {"name": request.terms.role, **where})


def _not_an_approver(policy: Policy, entitlement: Entitlement, request: Request, groups: GroupFacts) -> Refused:
    """For somebody who speaks for no group that is known; it is a refusal only where all of them are."""
    unknown = _unknown_to_speak(policy, entitlement, request, groups)
    if unknown:
        return groups.not_known(unknown)
    names = groups_named(entitlement, tuple(entitlement.approve))
    return Refused(Code.NOT_AN_APPROVER, {"id": request.id, "groups": ", ".join(names)})


def _unknown_to_speak(
    policy: Policy, entitlement: Entitlement, request: Request, groups: GroupFacts
) -> tuple[str, ...]:
    """The groups that might speak for this request, and of which nobody knows who is in them."""
    return groups.unknown(approver_groups(policy, entitlement, request))


def _speaks_for(
    policy: Policy,
    entitlement: Entitlement,
    request: Request,
    who: PersonId,
    groups: GroupFacts,
    at: datetime | None = None,
) -> dict[str, PersonId]:
    """Words of `approve` that this person may speak for, and in whose right."""
    eligible = speakers(policy, entitlement, request, groups, at)
    return {word: people[who] for word, people in eligible.items() if who in people}


def seats(
    entitlement: Entitlement, votes: Sequence[Vote], alike: Alike = NOBODY_ALIKE
) -> list[tuple[str, PersonId | None]]:
    """Every place of `approve` by its group, and who takes it. One person takes one place, whatever groups they are in, and
    so do two of whom one may be the other."""
    places = [name for name, count in entitlement.approve.items() for _ in range(count)]
    offers: dict[str, tuple[PersonId, ...]] = {
        name: tuple(vote.by for vote in votes if name in vote.groups) for name in entitlement.approve
    }
    filled = match_people(places, offers, alike)
    return [(name, filled.get(index)) for index, name in enumerate(places)]


def missing(entitlement: Entitlement, votes: Sequence[Vote], alike: Alike = NOBODY_ALIKE) -> dict[str, int]:
    """How many must still agree, by group. Empty when it is enough."""
    return dict(Counter(name for name, taken in seats(entitlement, votes, alike) if taken is None))


def spoken_as(entitlement: Entitlement, votes: Sequence[Vote], who: PersonId, alike: Alike) -> Vote | None:
    """The vote of somebody whom `who` counts as, where the vote of `who` among these brings nothing beside it."""
    others = [vote for vote in votes if vote.by != who]
    same = next((vote for vote in others if are_alike(vote.by, who, alike)), None)
    left = (sum(missing(entitlement, found, alike).values()) for found in (votes, others))
    return same if same is not None and next(left) == next(left) else None


def would_help(entitlement: Entitlement, votes: Sequence[Vote]) -> tuple[str, ...]:
    """The groups of which one more person brings it forward. Who agreed for two groups can give way to either."""
    left = sum(missing(entitlement, votes).values())

    def helps(name: str) -> bool:
        more = Vote(PersonId(""), "", votes[0].at, (name,), "") if votes else None
        return more is None or sum(missing(entitlement, (*votes, more)).values()) < left

    return tuple(name for name in entitlement.approve if left and helps(name))


def recount(policy: Policy, request: Request, groups: GroupFacts) -> tuple[Vote, ...] | Refused:
    """The votes so far, each for the groups that its voter speaks for now; without those who speak for none any more,
    and those of accounts that are on hold.

    A vote is not lost because nobody knows at the moment who is in its group: then that is the answer.
    """
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    if entitlement is None:
        return ()
    counted: list[Vote] = []
    for vote in request.votes:
        if vote.account in groups.on_hold:
            continue
        speaks_for = _speaks_for(policy, entitlement, request, vote.by, groups, vote.at)
        rights = tuple(dict.fromkeys(right for right in speaks_for.values() if right != vote.by))
        unknown = _unknown_to_speak(policy, entitlement, request, groups)
        if unknown and not speaks_for.keys() >= set(vote.groups):
            return groups.not_known(unknown)
        if speaks_for:
            counted.append(replace(vote, groups=tuple(speaks_for), for_=rights, for_names=groups.names(rights)))
    return tuple(counted)


def waits(vote: Vote, groups: GroupFacts) -> bool:
    """Whether a vote counts for less than was meant only for as long as an account is on hold: whoever gave it, or in whose
    place."""
    return vote.account in groups.on_hold or not groups.silent.isdisjoint(vote.for_)


def decision_by_votes(
    entitlement: Entitlement,
    votes: tuple[Vote, ...],
    policy_hash: str,
    now: datetime,
    alike: Alike = NOBODY_ALIKE,
) -> Decision | None:
    """The approval that these votes make, or None while somebody is missing."""
    if not entitlement.approve or missing(entitlement, votes, alike):
        return None
    return Decision(
        DecisionKind.APPROVAL,
        now,
        policy_hash,
        by=tuple(vote.by for vote in votes),
        by_names=tuple(vote.said_by for vote in votes),
    )


def still_decided(
    policy: Policy,
    request: Request,
    groups: GroupFacts,
    people: dict[PersonId, PersonFacts | None],
    total: timedelta | None = None,
) -> Refused | None:
    """Derive the recorded decision again before anything is given: None where it still stands.

    `total`: how long the access lasts with this request, where that is not the request's own duration.
    People who agreed must still be there and still speak for their group; the holder must still be somebody. A refusal is
    about one of them, and nobody who reads it: it says so by `what`, `void`, and names them.
    """
    found = _approval_no_longer_valid(policy, request, groups, people, total)
    return found and replace(found, params={**found.params, "what": "void"})


def _approval_no_longer_valid(
    policy: Policy,
    request: Request,
    groups: GroupFacts,
    people: dict[PersonId, PersonFacts | None],
    total: timedelta | None,
) -> Refused | None:
    decision = request.decision
    if decision is None:
        return Refused(Code.NOT_AN_APPROVER, {"id": request.id, "groups": ""})
    holder = {request.holder: request.holder_name} if request.gate is None else {}
    for who, name in {**dict(zip(decision.by, decision.by_names, strict=False)), **holder}.items():
        facts = people.get(who)
        problem = person_problem(facts) if facts else Refused(Code.PERSON_UNKNOWN)
        if problem:
            return replace(problem, params={**problem.params, "who": name})
    if decision.kind is DecisionKind.BREAK_GLASS:
        return _break_glass_still_allowed(policy, request, groups)
    return no_longer(policy, request, groups) or (
        _rule_still_holds(policy, request, groups, total or request.terms.duration)
        if decision.rule
        else _votes_still_count(policy, request, groups, people)
    )


def _votes_still_count(
    policy: Policy, request: Request, groups: GroupFacts, people: dict[PersonId, PersonFacts | None]
) -> Refused | None:
    counted: list[Vote] = []
    for vote in request.votes:
        facts = people.get(vote.by)
        answer = may_decide(policy, request, facts, groups, vote.at) if facts else Refused(Code.PERSON_UNKNOWN)
        if isinstance(answer, Refused):
            return replace(answer, params={**answer.params, "who": vote.said_by})
        if vote.terms_hash != request.terms.hash:
            return Refused(Code.TERMS_CHANGED, {"id": request.id})
        # For the groups they are in now: who has left one speaks for it no more.
        counted.append(replace(vote, groups=answer.groups))
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    if entitlement is not None and entitlement.approve and not missing(entitlement, tuple(counted), groups.alike):
        return None
    if entitlement is not None and entitlement.approve and not missing(entitlement, tuple(counted)):
        # It may be two people again in a moment: what was decided waits.
        return Refused(Code.COUNTS_AS_VOTER, {"id": request.id}, audited=False)
    unknown = _unknown_to_speak(policy, entitlement, request, groups) if entitlement else ()
    return groups.not_known(unknown) if unknown else Refused(Code.NOT_AN_APPROVER, {"id": request.id, "groups": ""})


def _break_glass_still_allowed(policy: Policy, request: Request, groups: GroupFacts) -> Refused | None:
    """The policy still lets this person into this role, or open this gate, in an emergency, and for as long as this."""
    terms, decision = request.terms, request.decision
    place = policy.environments.get(terms.environment)
    break_glass = place.break_glass if place else None
    who = who_broke(decision, request.holder) if decision is not None else request.holder
    allowed = place is not None and may_break_glass(policy, place, terms.role, who, groups)
    if request.break_glass and allowed and break_glass is not None and terms.duration <= break_glass.max_duration:
        return None
    unknown = groups.unknown(groups_that_count(policy, place, break_glass.who)) if place and break_glass else ()
    if unknown and not allowed:
        return groups.not_known(unknown)
    name = ", ".join(decision.by_names) if decision is not None and decision.by_names else request.holder_name
    params = {"environment": terms.environment, "role": terms.role, "who": name}
    return Refused(Code.BREAK_GLASS_NOT_ALLOWED, params)


def _rule_still_holds(policy: Policy, request: Request, groups: GroupFacts, total: timedelta) -> Refused | None:
    decision, terms = request.decision, request.terms
    entitlement = policy.entitlement(terms.environment, terms.role)
    if entitlement is None or decision is None:
        return Refused(Code.ROLE_UNKNOWN, {"name": terms.role, "environment": terms.environment})
    for rule in entitlement.auto_approve:
        if rule.name == decision.rule and _rule_holds(
            policy, entitlement, rule, request.holder, total, request.origin, groups, decision.at, request.start_at
        ):
            return None
    unknown = groups.unknown(rule_groups(policy, entitlement))
    params = {"id": request.id, "groups": "", "rule": decision.rule or ""}
    return groups.not_known(unknown) if unknown else Refused(Code.NOT_AN_APPROVER, params)


def may_end(
    policy: Policy, environment: str, holder: PersonId, person: PersonFacts, groups: GroupFacts
) -> str | Refused:
    """`returned` for the holder, `revoked` for an owner or the panic group, or why not."""
    problem = person_problem(person)
    if problem:
        return problem
    if person.id == holder:
        return "returned"
    place = policy.environments.get(environment)
    names = (place.owners if place else ()) + policy.security
    refused = Refused(Code.NOT_YOURS, {"groups": ", ".join(names)})
    return not_a_member(groups, person.id, names, refused) or "revoked"
