"""Which person acts from a terminal, and by which of their accounts in chat that counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from workflows.core.identity import AccountRecord, PersonId
from workflows.core.people import Account, PersonFacts
from workflows.core.policy import Policy
from workflows.ports import Directory, VouchedFor
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.vouched import accounts_of, is_theirs


class NobodyThere(Exception):
    """Why not, in one sentence."""


def named_by(ctx: Context, policy: Policy, found: VouchedFor) -> tuple[PersonId, Sequence[AccountRecord]]:
    """The person whom AWS names, and their accounts, one at least. Nothing is bound by this: who has none in chat is nobody here.

    Raises NobodyThere.
    """
    who = ctx.directory.owner_of(found.address, policy.former_domains)
    if not is_theirs(ctx, policy, found, who):
        raise NobodyThere(
            f"On the record {found.user} is the user of somebody else than {found.address}. Tell security."
        )
    accounts = accounts_of(ctx, who)
    usable = tuple(one for one in accounts if one.suspended is None)
    if usable:
        return who, usable
    if accounts:
        raise NobodyThere(
            f"The account of {found.address} in chat is on hold: until people have said whose it is, it gives nothing."
        )
    raise NobodyThere(
        f"Nobody with an account in chat is known as {found.address}: use the bot there once, while chat is up."
    )


class _Speaking:
    def __init__(self, directory: Directory, facts: PersonFacts) -> None:
        self._directory = directory
        self._facts = facts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._directory, name)

    def person(self, who: Account) -> PersonFacts | None:
        return self._facts if who == self._facts.slack else self._directory.person(who)


def speaking(directory: Directory, facts: PersonFacts) -> Directory:
    """The same directory, in which whoever acts has just been looked at."""
    return cast(Directory, _Speaking(directory, facts))
