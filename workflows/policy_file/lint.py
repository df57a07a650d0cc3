"""What is allowed and yet unwise: warnings, each with its place and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from workflows.core.durations import format_duration
from workflows.core.identity import PersonId, first_person
from workflows.core.policy import OWNERS, REQUESTERS, Entitlement, Environment, Policy, Risk, Tier
from workflows.core.rules.seat_matching import enough_people
from workflows.policy_file import gates, outlives
from workflows.policy_file.folder import ENVIRONMENTS
from workflows.policy_file.names import Documents
from workflows.policy_file.problem import Problem
from workflows.policy_file.trust import anybody_can_join
from workflows.policy_file.yaml_reader import Document

_LONG = timedelta(days=1)
# In a folder nobody is bound to anything yet: who stands in two lists is whoever has the address.
People = frozenset[PersonId] | None


def lint(policy: Policy, documents: Documents) -> tuple[Problem, ...]:
    """All warnings, in the order of files and lines. What depends on groups that live elsewhere is not judged."""
    found = set(_groups_of_one(policy, documents))
    if documents.workspace:
        found.update(anybody_can_join(policy, documents.workspace))
        found.update(_pipelines(policy, documents.workspace))
    for environment in policy.environments.values():
        found.update(_environment(policy, environment, documents))
        for entitlement in environment.roles.values():
            found.update(_entitlement(policy, entitlement))
        found.update(gates.warnings(policy, environment))
    return tuple(sorted(found))


def _pipelines(policy: Policy, document: Document) -> Iterator[Problem]:
    """Those that can ask for nothing, or with what nobody has looked at."""
    for number, pipeline in enumerate(policy.pipelines):
        line = document.line(("pipelines", number))
        reached = [place for place in policy.environments.values() if pipeline.may_ask_for(place.name)]
        if not any(place.gates for place in reached):
            message = f"the pipeline {pipeline.name} can ask for nothing: none of its environments has a gate"
            yield Problem(
                document.file, line, message, "add gates: {deploy: {approve: {owners: 1}}} to the environment"
            )
        unprotected = pipeline.issuer and not pipeline.ref_protected
        if unprotected and any(place.gates and place.tier is Tier.PRODUCTION for place in reached):
            message = f"the pipeline {pipeline.name} asks for production from branches that nobody protects"
            yield Problem(document.file, line, message, "take ref_protected: false out")


def _environment(policy: Policy, environment: Environment, documents: Documents) -> Iterator[Problem]:
    owners = _people(policy, environment.owners)
    production = environment.tier is Tier.PRODUCTION
    if owners is not None and len(owners) == 1:
        message = (
            f"{next(iter(owners))} is the only owner of {environment.name}, so nobody can approve while they are away"
        )
        yield _at(documents, environment, ("owners",), message, "add a second owner")
    if production and _only_owners_ask(policy, environment, owners):
        message = f"only owners may ask for {environment.name}, so the same few people ask and approve"
        yield _at(documents, environment, ("requesters",), message, "let another group ask, or name other owners")
    break_glass = environment.break_glass
    if break_glass and break_glass.review_within is None:
        message = f"break-glass in {environment.name} has no time for its review"
        yield _at(documents, environment, ("break_glass",), message, "add review_within: 24h")
    if break_glass and break_glass.max_duration > _LONG:
        yield _at(
            documents, environment, ("break_glass", "max_duration"), *_long("max_duration", break_glass.max_duration)
        )
    if break_glass and break_glass.when_chat_is_down and not policy.identity_accounts:
        message = f"when_chat_is_down of {environment.name} opens nothing: no account vouches for anybody"
        place = ("break_glass", "when_chat_is_down")
        yield _at(documents, environment, place, message, 'add identity_accounts: ["..."] to prodaccess.yaml')
    yield from _late_escalation(environment, documents)


def _only_owners_ask(policy: Policy, environment: Environment, owners: People) -> bool:
    requesters = _people(policy, environment.requesters)
    if requesters is not None and owners is not None:
        return requesters <= owners
    return set(environment.requesters) <= set(environment.owners)


def _late_escalation(environment: Environment, documents: Documents) -> Iterator[Problem]:
    shortest = min((item.expires_after for item in environment.roles.values()), default=None)
    escalate = environment.escalate
    if escalate and shortest is not None and escalate.after >= shortest:
        message = f"escalation in {environment.name} comes after {format_duration(escalate.after)}, when a request has expired"
        yield _at(documents, environment, ("escalate",), message, f"let it come before {format_duration(shortest)}")


def _entitlement(policy: Policy, entitlement: Entitlement) -> Iterator[Problem]:
    if not _somebody_can_approve(policy, entitlement):
        place = entitlement.origins.get("approve", entitlement.origins["owners"])
        yield _of(
            place,
            f"nobody can approve {entitlement.name}",
            "name groups in approve that have enough people, or add auto_approve",
        )
    no_ticket = entitlement.ticket is None or not entitlement.ticket.required
    if entitlement.tier is Tier.PRODUCTION and entitlement.risk is not Risk.READ and no_ticket:
        place = entitlement.origins.get("ticket", entitlement.origins["risk"])
        message = f"{entitlement.name} changes production without a ticket"
        yield _of(place, message, f"add ticket: '[A-Z]+-[0-9]+' to the rule of production and {entitlement.risk}")
    for key, value in (("max_duration", entitlement.max_duration), ("max_total", entitlement.max_total)):
        if value is not None and value > _LONG:
            yield _of(entitlement.origins[key], *_long(key, value))
    yield from outlives.warnings(entitlement)
    yield from _rules(policy, entitlement)


def _rules(policy: Policy, entitlement: Entitlement) -> Iterator[Problem]:
    """Rules that never apply, or not as far as they say."""
    for rule in entitlement.auto_approve:
        if rule.max_duration and rule.max_duration > entitlement.max_duration:
            limit, allowed = format_duration(entitlement.max_duration), format_duration(rule.max_duration)
            message = f"the rule {rule.name!r} allows {allowed}, but {entitlement.name} ends after {limit}"
            help_ = f"write max_duration: {limit.replace(' ', '')} in the rule"
            yield _of(entitlement.origins["auto_approve"], message, help_)
        if rule.in_incident_channel and not policy.incident_channels.can_be_proved:
            message = f"the rule {rule.name!r} never applies, because no channel is proved to be an incident's"
            help_ = (
                "name your incident bot in incident_channels.created_by, or a conversation in incident_channels.teams"
            )
            yield _of(entitlement.origins["auto_approve"], message, help_)


def _somebody_can_approve(policy: Policy, entitlement: Entitlement) -> bool:
    """For at least one of those who may ask. Groups that live elsewhere are taken to have enough people."""
    if not entitlement.approve:
        return bool(entitlement.auto_approve)
    own = {OWNERS: entitlement.owners, REQUESTERS: entitlement.requesters}
    known = {name: _people(policy, own.get(name, (name,))) for name in entitlement.approve}
    counted = {name: count for name, count in entitlement.approve.items() if known[name] is not None}
    requesters = _people(policy, entitlement.requesters)
    askers: frozenset[PersonId | None] = frozenset(requesters) if requesters else frozenset({None})
    return any(
        enough_people(counted, {name: frozenset((people or frozenset()) - {asker}) for name, people in known.items()})
        for asker in askers
    )


def _groups_of_one(policy: Policy, documents: Documents) -> Iterator[Problem]:
    """Groups that must agree and are one person. A sole owner is a warning of its own."""
    named = {
        name for environment in policy.environments.values() for item in environment.decided for name in item.approve
    }
    document = documents.workspace
    for name in sorted(named - {OWNERS, REQUESTERS}):
        members = policy.groups[name].members
        if document and members is not None and len(members) == 1:
            line = document.line(("groups", name))
            message = f"{name} must agree to requests and is one person, {next(iter(members))}"
            yield Problem(document.file, line, message, "add a second person")


def _people(policy: Policy, names: tuple[str, ...]) -> People:
    """Everybody in the groups; None where one of them lives elsewhere."""
    found: frozenset[PersonId] = frozenset()
    for name in names:
        members = policy.groups[name].members
        if members is None:
            return None
        found |= frozenset(map(first_person, members))
    return found


def _long(key: str, value: timedelta) -> tuple[str, str]:
    return (
        f"{key} is {format_duration(value)}, more than a day",
        "shorten it; longer needs are standing access by another name",
    )


def _of(place: str, message: str, suggestion: str) -> Problem:
    file, _, line = place.rpartition(":")
    return Problem(file, int(line), message, suggestion)


def _at(
    documents: Documents, environment: Environment, path: tuple[str, ...], message: str, suggestion: str
) -> Problem:
    file = f"{ENVIRONMENTS}/{environment.name}.yaml"
    document = next((item for item in documents.environments if item.file == file), None)
    return Problem(file, document.line(path) if document else 0, message, suggestion)
