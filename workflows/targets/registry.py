"""The targets of all providers behind one door: terms go to the provider that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from workflows.core.people import Listed
from workflows.core.provider import Connection, Provider, TargetTerms, provider_of
from workflows.core.terminal.caller import Caller
from workflows.ports import Buckets, NotVouched, Target, TargetRefused, Targets, VouchedFor

if TYPE_CHECKING:
    from workflows.core.finding import Finding
    from workflows.core.question import Question


class Opened(Targets, Protocol):
    """A provider's clients in one process, safe for threads. Opening them calls nothing."""

    def warm(self, connections: Iterable[Connection]) -> tuple[str, ...]:
        """Build the clients of these connections before the first job; nothing is sent. Says what is wrong, one sentence each."""
        ...

    def members(self, connection: Connection, group: str) -> Listed:
        """Who is in a group of the provider's own directory. Raises TargetThrottled, TargetInDoubt, and TargetRefused where it is
        not there.
        """
        ...

    def vouch(self, connections: Iterable[Connection], caller: Caller) -> VouchedFor | NotVouched | None:
        """Whose the caller is, by what stands in the provider now. None where none of the connections leads to its account.
        Raises as `members`.
        """
        ...


def _no_clients(_buckets: Buckets, _monotonic: Callable[[], float], _mark: Callable[[], str]) -> Opened:
    raise NotImplementedError("this provider has no clients")


def _nothing_to_look_at(_buckets: Buckets, _monotonic: Callable[[], float], _question: Question) -> Iterator[Finding]:
    return iter(())


@dataclass(frozen=True, eq=False)
class TargetProvider(Provider):
    """With what a worker needs of it. `open` makes its clients, of the quota that all processes share, a clock in seconds, and
    what marks what this installation gives."""

    open: Callable[[Buckets, Callable[[], float], Callable[[], str]], Opened] = field(default=_no_clients)
    # Whether what a question names is there and may be used, by calls that change nothing.
    examine: Callable[[Buckets, Callable[[], float], Question], Iterator[Finding]] = field(default=_nothing_to_look_at)


class AllTargets:
    """`Opened`, of all of these providers."""

    def __init__(
        self,
        offered: Iterable[TargetProvider],
        buckets: Buckets,
        monotonic: Callable[[], float],
        mark: Callable[[], str] = str,
    ) -> None:
        self._opened = {provider.name: provider.open(buckets, monotonic, mark) for provider in offered}

    def for_terms(self, terms: TargetTerms) -> Target:
        return self._opened[provider_of(terms.kind).name].for_terms(terms)

    def warm(self, connections: Iterable[Connection]) -> tuple[str, ...]:
        every = tuple(connections)
        own = ((opened, [one for one in every if one.provider == name]) for name, opened in self._opened.items())
        return tuple(problem for opened, mine in own if mine for problem in opened.warm(mine))

    def members(self, connection: Connection, group: str) -> Listed:
        opened = self._opened.get(connection.provider)
        if opened is None:
            raise TargetRefused(f"Nothing is known of the groups of {connection.provider}.")
        return opened.members(connection, group)

    def vouch(self, connections: Iterable[Connection], caller: Caller) -> VouchedFor | NotVouched | None:
        every = tuple(connections)
        for name, opened in self._opened.items():
            found = opened.vouch([one for one in every if one.provider == name], caller)
            if found is not None:
                return found
        return None
