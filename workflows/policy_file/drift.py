"""`drift: revoke` takes away only what is told ours by name, and only where somebody can be asked in doubt."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.policy import Environment, OnDrift, Policy
from workflows.policy_file.problem import Problem
from workflows.policy_file.raw import EnvironmentFile
from workflows.policy_file.yaml_reader import Document

_HELP = "write drift: alert, or give the role in another environment"


def cannot_be_removed(policy: Policy, files: tuple[tuple[EnvironmentFile, Document], ...]) -> Iterator[Problem]:
    """Environments that want what is not known taken away, and roles of theirs of which nobody could tell whose it is."""
    documents = {file.environment: document for file, document in files}
    for place in policy.environments.values():
        if place.drift is OnDrift.REVOKE:
            yield from _of_environment(policy, place, documents[place.name])


def _of_environment(policy: Policy, place: Environment, document: Document) -> Iterator[Problem]:
    line = document.line(("drift",))
    if not policy.panic_group:
        message = "drift: revoke needs a panic_group: in doubt its people say whether something is taken away"
        yield Problem(document.file, line, message, "name one in prodaccess.yaml, or write drift: alert")
    for name, role in place.roles.items():
        if not role.target.tells_ours_apart:
            message = (
                f"drift: revoke is not possible with the role {name}: with {role.target.kind} nobody can tell access of ours "
                "from access that others gave"
            )
            yield Problem(document.file, line, message, _HELP)
