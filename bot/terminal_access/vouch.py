"""Who stands behind a caller of AWS, for the use cases: the provider looks, and what it cannot tell is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.terminal_access.chat_down import Outage
from workflows.core.policy import Policy
from workflows.core.provider import Connection
from workflows.core.terminal.caller import Caller
from workflows.ports import (
    DirectoryUnreachable,
    NotVouched,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
    VouchedFor,
)

LookUp = Callable[[Iterable[Connection], Caller], VouchedFor | NotVouched | None]


class AwsVouching:
    """A `ports.Vouching`. `look_up`: the targets' own."""

    def __init__(self, look_up: LookUp, outage: Outage) -> None:
        self._look_up = look_up
        self._outage = outage

    def chat_down_for_s(self) -> float | None:
        return self._outage.down_for_s()

    def look_up(self, policy: Policy, caller: Caller) -> VouchedFor | NotVouched:
        """Raises DirectoryUnreachable where nobody can tell now."""
        if caller.account not in policy.identity_accounts:
            return NotVouched(
                f"Account {caller.account} vouches for nobody: `identity_accounts` of the policy does not name it."
            )
        try:
            found = self._look_up(policy.connections.values(), caller)
        except TargetRefused as problem:
            return NotVouched(f"The worker cannot look in AWS who {caller.title} is: {problem.words}")
        except (TargetInDoubt, TargetThrottled) as problem:
            raise DirectoryUnreachable(f"AWS does not say who {caller.title} is: {problem}") from None
        words = f"No connection of the policy leads to account {caller.account}, so nobody can look there who this is."
        return found if found is not None else NotVouched(words)
