"""In production a Slack group decides nothing unless somebody vouches for it: anybody could let themselves in.

A workspace can let all members edit user groups, and a bot cannot read that setting.
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


def untrusted(policy: Policy, files: tuple[tuple[EnvironmentFile, Document], ...]) -> Iterator[Problem]:
    """Untrusted Slack groups that may approve, be let in without asking, or break glass in production."""
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
    for entitlement in environment.roles.values():
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
        if group and group.slack_usergroup and not group.trusted:
            file, _, line = place.rpartition(":")
            yield Problem(file, int(line), f"{name!r} may {what}, but {_WHY}", _HELP)
