"""What the policy names in the systems that hold the access, and whether the worker may use it: each provider looks itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.doctor.context import Context, elsewhere
from bot.doctor.directories import Directories
from bot.monotonic import monotonic_s
from bot.providers import PROVIDERS
from workflows.core.finding import Finding, State, attention, skipped
from workflows.core.identity import Address
from workflows.core.policy import Entitlement, Policy
from workflows.core.question import Question
from workflows.core.rules.groups import groups_named


def look(context: Context) -> Iterator[Finding]:
    policy = context.policy
    if policy is None:
        yield skipped("targets.look", "targets", "the policy folder is not valid")
        return
    if context.whom in ("web", "clock"):
        yield from _should_have_none(context)
        return
    directories = Directories.of(context, policy)
    entitlements = [one for each in policy.environments.values() for one in each.given]
    for provider in PROVIDERS:
        connections = tuple(one for one in policy.connections.values() if one.provider == provider.name)
        question = Question(
            connections,
            tuple(entitlements),
            _Holders(policy, directories),
            context.wall_s,
            tuple(policy.groups.values()),
            policy.identity_accounts,
            context.settings.audit_bucket or "",
            context.settings.audit_key or "",
        )
        for finding in provider.examine(context.allowance, monotonic_s, question):
            yield _here(context, finding)


def _here(context: Context, finding: Finding) -> Finding:
    """No credentials are missing where the worker runs, and nobody's fault elsewhere."""
    if finding.check != "targets.credentials" or finding.state is not State.SKIPPED:
        return finding
    if context.needs("worker"):
        return replace(finding, state=State.BROKEN)
    return replace(finding, words=f"{finding.words} None are here.", mend=elsewhere("worker"))


def _should_have_none(context: Context) -> Iterator[Finding]:
    """Web and clock throw away what leads to credentials; what a platform hands to a whole machine they could still reach."""
    given = [
        name
        for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
        if context.environ.get(name)
    ]
    if given:
        words = f"{', '.join(given)} is set for {context.whom}, which wants no cloud credentials and throws them away"
        yield attention(
            "targets.credentials", "credentials", words, "give them to the worker alone; deploy/aws/README.md"
        )


class _Holders:
    """Addresses of who may ask for a role, of the groups whose members are known."""

    def __init__(self, policy: Policy, directories: Directories) -> None:
        self._policy, self._directories = policy, directories

    def __call__(self, entitlement: Entitlement) -> Iterable[Address]:
        groups = (self._policy.groups.get(name) for name in groups_named(entitlement, entitlement.requesters))
        return {who for group in groups if group is not None for who in self._directories.members(group).addresses}
