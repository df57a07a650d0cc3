"""Which accounts may vouch for people: none in which we give what could make it vouch for somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.policy import Entitlement, Policy, Risk
from workflows.policy_file.problem import Problem
from workflows.policy_file.yaml_reader import Document

_HELP = "let an account vouch in which nobody is given more than read, or give this elsewhere"


def cannot_vouch(policy: Policy, document: Document) -> Iterator[Problem]:
    """Whoever may change an account can tag a user there as anybody, or make themselves a key of somebody else's."""
    if not policy.identity_accounts:
        return
    roles = tuple(role for place in policy.environments.values() for role in place.roles.values())
    for number, account in enumerate(policy.identity_accounts):
        line = document.line(("identity_accounts", number))
        for role in roles:
            if message := _against(account, role):
                yield Problem(document.file, line, message, _HELP)


def _against(account: str, role: Entitlement) -> str:
    if role.risk is Risk.READ:
        return ""
    given = role.target.given_in(role.connection, role.account)
    if given == account:
        return f"account {account} cannot vouch for people: {role.name} is given there, with risk {role.risk.value}"
    if given is None:
        return (
            f"account {account} cannot vouch for people: nobody can tell in which account {role.name} is given (the "
            "environment's account says it, or the ARN of the connection's role)"
        )
    return ""
