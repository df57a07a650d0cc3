"""What a provider of targets says of itself, and which providers there are.

A provider is a folder in `workflows/targets/`: what may be written about it in the policy, what that resolves to, how people use
it, and its clients. All else knows the classes here alone. The providers of a process are registered once, where it is built.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from workflows.core.activity import Trail, Window
from workflows.core.identity import Address

# The words that sentences put in for a provider: its name, and what people call its parts.
NAME, USER, PIECE, PIECES = "provider", "named_user", "piece", "pieces"


class TemplateRefused(ValueError):
    """The template or a value for it cannot be used. `problems`: all of them, one sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class HowToUse:
    """`console`: an address to open, or None. `lines`: for a terminal, to paste as they are, each time. `set_up`: once before."""

    console: str | None
    lines: tuple[str, ...]
    set_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outliving:
    """What of a target lets its holder keep access after the end. `source` allows `actions`, each as it is written there."""

    source: str
    actions: tuple[str, ...]


class Sessions(StrEnum):
    """What becomes of sessions that are open when somebody takes access back."""

    LEFT = "left"  # nobody asked for more: they last as long as the target lets them
    DENIED = "denied"  # the worker has them denied, by `Target.deny_sessions`
    BY_HAND = "by_hand"  # somebody with rights that the worker never has can: `TargetTerms.sessions_by_hand`


@dataclass(frozen=True, slots=True)
class ByHand:
    """`text`: to be pasted as it is. `ask`: whom, and for what, as the rest of a sentence that begins with "Ask"."""

    text: str
    ask: str


@dataclass(frozen=True, slots=True)
class Connection(ABC):
    """Where access is given. Credentials are no part of it: they come from the worker's own surroundings."""

    provider: ClassVar[str]

    name: str
    kind: str

    @abstractmethod
    def phrase(self) -> str:
        """All of it in one line, so that a difference shows."""


@dataclass(frozen=True, slots=True)
class TargetTerms(ABC):
    """Exactly what would be given where, with placeholders filled in. It outlives the role in the configuration.

    Each provider has a class of its own. Its fields are stored beside these two, under their names.
    """

    # By the names above.
    words: ClassVar[Mapping[str, str]]
    # Fields that the audit log is not told.
    unkept: ClassVar[frozenset[str]] = frozenset()

    kind: str
    connection: str

    @property
    def provider(self) -> str:
        """The provider's name, as sentences say it."""
        return self.words[NAME]

    def agreed(self) -> dict[str, object]:
        """What an approver agrees to, for the hash of the terms. A field that is added later must not change old hashes."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def kept(self) -> dict[str, object]:
        """What the audit log keeps of it: enough to take access away by, JSON-able, without secrets and documents."""
        return {name: value for name, value in self.agreed().items() if value is not None and name not in self.unkept}

    def through(self, connection: Connection) -> TargetTerms:  # noqa: ARG002 - most keep all of it
        """What the log keeps, reached as the policy reaches it now. `connection`: the one of this name."""
        return self

    @abstractmethod
    def same_access(self, held: TargetTerms) -> bool:
        """Whether both give the same, however it is reached."""

    def scope(self) -> tuple[str, ...]:
        """What a list of all access by these terms covers: whoever has the same scope has the same list."""
        return tuple(f"{name}={value}" for name, value in sorted(self.agreed().items()))

    @property
    def sessions(self) -> Sessions:
        return Sessions.LEFT

    def ending_sessions(self) -> TargetTerms:
        """The same, of a role with `end_sessions: true`. Only where `TargetSpec.sessions_problem` has nothing against it."""
        return self

    def sessions_by_hand(
        self,
        ids: Mapping[str, str],  # noqa: ARG002 - most have none
        grant_id: str,  # noqa: ARG002 - as above
        before: datetime,  # noqa: ARG002 - as above
    ) -> ByHand | None:
        """What ends the sessions of this holding that were begun before, where it is `BY_HAND`."""
        return None

    @abstractmethod
    def user_of(self, ids: Mapping[str, str]) -> str:
        """The user in the target, for the ledger: `SYSTEM:...:ID`. It never means another. `ids`: of what was resolved."""


@dataclass(frozen=True, slots=True)
class TargetSpec(ABC):
    """A role's target as the policy has it; placeholders are not filled in yet."""

    provider: ClassVar[str]

    kind: str

    @abstractmethod
    def terms(
        self, connection: Connection, environment: str, account: str | None, address: Address | None
    ) -> TargetTerms:
        """With placeholders filled in; `address` is the holder's. Raises TemplateRefused where a value may not be used."""

    @abstractmethod
    def phrase(self) -> str:
        """All of it in one line, so that a difference shows."""

    def lacks(self, account: str | None) -> tuple[str, str] | None:  # noqa: ARG002 - most need none
        """What the environment must say so that it can be filled in: `an account`, and how to write it. None: nothing more."""
        return None

    def given_in(self, connection: Connection, account: str | None) -> str | None:  # noqa: ARG002 - most lead to one place
        """The account of the provider's in which it is given; None where the policy does not tell. `account`: the
        environment's.
        """
        return account

    def outliving(self) -> Outliving | None:
        return None

    def sessions_problem(self) -> tuple[str, str] | None:
        """Why a role of this kind cannot have `end_sessions: true`, and what to do; None where it can."""
        return f"sessions of {self.kind} cannot be ended", "take end_sessions out"

    @property
    def tells_ours_apart(self) -> bool:
        """Whether access given by us can be told from access that somebody else gave."""
        return False


class ConnectionKeys(Protocol):
    """What is written of a connection, read and checked: a model of pydantic, whose `kind` is a literal."""

    def connection(self, name: str) -> Connection: ...


class TargetKeys(Protocol):
    """What is written as a role's target, read and checked: a model of pydantic."""

    def spec(self, templates: Mapping[str, str]) -> TargetSpec:
        """`templates`: path -> text of the files in `policies/`."""
        ...


def _no_problems(_text: str) -> tuple[str, ...]:
    return ()


def _no_trail(_asked: Sought, _window: Window) -> Trail | None:
    return None


@dataclass(frozen=True, slots=True)
class Sought:
    """Whose doings are looked for. `ids`, `names`: as `Resource` has them. `connection`: as the policy has it now; None where
    it has none of that name any more.
    """

    terms: TargetTerms
    ids: Mapping[str, str]
    names: Mapping[str, str]
    connection: Connection | None = None


@dataclass(frozen=True, eq=False)
class Provider:
    """One provider. `kinds`: of its terms. `connection`, `targets`: models of what may be written.

    `how_to_use` (terms, environment, role, ids): how the holder gets in. `by_hand` (terms, ids, id of the grant): what takes this
    very access away and shows that it is gone, for somebody with rights to do so. `ids`: of what was resolved, or none.
    `users`: how ids of its users begin (`TargetTerms.user_of`). `placeholders` may stand in the `worded` keys of a target; its
    `templates` keys name files in `policies/`, which `check_template` looks at (a sentence for each fault). `not_secret` keys of
    a connection are no secrets, although they look like some. `trail`: where what was done with access stands in a log of the
    target's own; None where there is none. `gate_targets`: models of what a gate may give a pipeline, and no role of people.
    """

    kinds: tuple[str, ...]
    terms: type[TargetTerms]
    connection: type[ConnectionKeys]
    targets: tuple[type[TargetKeys], ...]
    users: tuple[str, ...]
    how_to_use: Callable[[TargetTerms, str, str, Mapping[str, str]], HowToUse]
    by_hand: Callable[[TargetTerms, Mapping[str, str], str], tuple[str, ...]]
    worded: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    check_template: Callable[[str], tuple[str, ...]] = _no_problems
    not_secret: frozenset[str] = field(default=frozenset())
    trail: Callable[[Sought, Window], Trail | None] = _no_trail
    gate_targets: tuple[type[TargetKeys], ...] = ()

    @property
    def name(self) -> str:
        return self.terms.words[NAME]


_providers: tuple[Provider, ...] = ()


def register(*providers: Provider) -> None:
    """Make them known to this process. Once is enough, more often is harmless. Raises ValueError where two claim one kind."""
    global _providers  # noqa: PLW0603 - what is stored and written says a kind, and every reader of it has to know that
    found = (*_providers, *(one for one in providers if one not in _providers))
    kinds = [kind for provider in found for kind in provider.kinds]
    if len(kinds) > len(set(kinds)):
        raise ValueError(f"two providers have the same kind: {', '.join(sorted(kinds))}")
    _providers = found


@contextmanager
def registered(*providers: Provider) -> Iterator[None]:
    """For as long as the context is open: for tests of a provider."""
    global _providers  # noqa: PLW0603 - as above
    before = _providers
    register(*providers)
    try:
        yield
    finally:
        _providers = before


def providers() -> tuple[Provider, ...]:
    """All that are registered."""
    return _providers


def provider_of(kind: str) -> Provider:
    """Whose kind it is. Raises LookupError where that provider is not registered."""
    for provider in _providers:
        if kind in provider.kinds:
            return provider
    raise LookupError(f"no provider has the kind {kind}")


def spoken(word: str, user: str = "", otherwise: str = "target") -> str:
    """A provider's word where no terms are at hand: that of the provider whose user it is, else those of all that there are."""
    system = user.partition(":")[0]
    own = [one for one in _providers if system in one.users] or _providers
    found = dict.fromkeys(one.terms.words[word] for one in own if word in one.terms.words)
    return " or ".join(found) or otherwise
