"""In production a group of a chat's own directory decides nothing unless somebody vouches for it: anybody could let themselves
in.

A Slack workspace can let all members edit user groups, and a bot cannot read that setting. A public group of Microsoft 365 can
be joined by anybody, and its owners let in whom they like.
Source: https://learn.microsoft.com/en-us/microsoft-365/admin/create-groups/compare-groups
"""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.policy import OWNERS, REQUESTERS, Entitlement, Environment, Policy, Tier
from workflows.policy_file.problem import Problem
from workflows.policy_file.raw import EnvironmentFile
from workflows.policy_file.yaml_reader import Document

_WHY = "is a Slack group that is not marked as trusted: where members may edit user groups, anybody can join it"
_HELP = (
    "if only administrators may edit user groups in your Slack, add trusted: true to the group; else name another group"
)
_ENTRA_WHY = "is an Entra group that is not marked as trusted: a public Microsoft 365 group can be joined by anybody"
_ENTRA_HELP = (
    "if only administrators decide who is in it and in the groups in it, add trusted: true to the group;"
    " else name another group"
)


def untrusted(policy: Policy, files: tuple[tuple[EnvironmentFile, Document], ...]) -> Iterator[Problem]:
    """Untrusted groups that may approve, be let in without asking, or break glass in production."""
    documents = {file.environment: document for file, document in files}
    for environment in policy.environments.values():
        if environment.tier is Tier.PRODUCTION:
            yield from _of_environment(policy, environment, documents[environment.name])


def _of_environment(policy: Policy, environment: Environment, document: Document) -> Iterator[Problem]:
    if break_glass := environment.break_glass:
        place = document.place("break_glass", "who")
        yield from _problems(
            policy,
            _expand(break_glass.who, environment.owners, environment.requesters),
            place,
            f"break glass in {environment.name}",
        )
    if environment.escalate and environment.escalate.may_approve:
        place = document.place("escalate", "to")
        yield from _problems(
            policy,
            _expand(environment.escalate.to, environment.owners, environment.requesters),
            place,
            f"approve in {environment.name}",
        )
    for entitlement in environment.decided:
        yield from _of_entitlement(policy, entitlement)


def _of_entitlement(policy: Policy, entitlement: Entitlement) -> Iterator[Problem]:
    own = (entitlement.owners, entitlement.requesters)
    for word in entitlement.approve:
        place = entitlement.origins["owners" if word == OWNERS else "approve"]
        yield from _problems(policy, _expand((word,), *own), place, f"approve in {entitlement.environment}")
    for rule in entitlement.auto_approve:
        what = f"be let into {entitlement.environment} by the rule {rule.name!r}"
        yield from _problems(policy, _expand(rule.who, *own), entitlement.origins["auto_approve"], what)


def _expand(words: tuple[str, ...], owners: tuple[str, ...], requesters: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for word in words:
        found.extend({OWNERS: owners, REQUESTERS: requesters}.get(word, (word,)))
    return tuple(dict.fromkeys(found))


def _problems(policy: Policy, names: tuple[str, ...], place: str, what: str) -> Iterator[Problem]:
    for name in names:
        group = policy.groups.get(name)
        if group and group.may_be_edited:
            why, help_ = (_ENTRA_WHY, _ENTRA_HELP) if group.entra_group else (_WHY, _HELP)
            file, _, line = place.rpartition(":")
            yield Problem(file, int(line), f"{name!r} may {what}, but {why}", help_)


def unfit_for_changes(policy: Policy, document: Document) -> Iterator[Problem]:
    """Groups that a change of the policy would wait for in vain, or that anybody could join to agree to it."""
    for name, count in policy.policy_changes.items():
        group, place = policy.groups.get(name), document.place("policy_changes", "approve", name)
        if group is None:
            continue
        yield from _problems(policy, (name,), place, "agree to changes of the policy")
        if group.members is not None and len(group.members) < count:
            file, _, line = place.rpartition(":")
            people = "1 person" if len(group.members) == 1 else f"{len(group.members)} people"
            message = f"a change would wait for {count} of {name}, which has {people}"
            yield Problem(file, int(line), message, "lower the number, or add somebody")
    needed = sum(policy.policy_changes.values())
    lists = [policy.groups[name].members for name in policy.policy_changes if name in policy.groups]
    people_of_all = frozenset().union(*(one for one in lists if one is not None))
    if needed > len(people_of_all) and None not in lists and len(lists) > 1:
        file, _, line = document.place("policy_changes", "approve").rpartition(":")
        message = f"a change would wait for {needed} people, and these groups have {len(people_of_all)} in all"
        yield Problem(file, int(line), message, "one person counts once: lower a number, or add somebody")


def anybody_can_join(policy: Policy, document: Document) -> Iterator[Problem]:
    """Entra groups of which nobody says that they are not public ones, whatever they are named for."""
    for name, group in policy.groups.items():
        if group.entra_group and not group.trusted:
            yield Problem(document.file, document.line(("groups", name)), f"{name!r} {_ENTRA_WHY}", _ENTRA_HELP)
