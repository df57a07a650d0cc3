"""What a typed line means: one frozen value for each command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Whom:
    """A person as typed: `user` is the Slack id where somebody was mentioned, else None and `text` holds a name or address."""

    user: str | None
    text: str


@dataclass(frozen=True, slots=True)
class OpenForm:
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """A later start as typed, on the asker's own clock. Without a day the next such time is meant."""

    day: str
    clock: str


@dataclass(frozen=True, slots=True)
class Ask:
    """`duration` None means the role's default. An empty role or reason is refused by the core, in its own words."""

    environment: str
    role: str
    duration: timedelta | None
    reason: str
    begin: Begin | None = None


@dataclass(frozen=True, slots=True)
class AskFor:
    """An ask for somebody else."""

    whom: Whom
    ask: Ask


@dataclass(frozen=True, slots=True)
class Decline:
    id: str


@dataclass(frozen=True, slots=True)
class Again:
    """What was asked for last, once more. An empty reason means the same one."""

    reason: str


@dataclass(frozen=True, slots=True)
class AskSeveral:
    """(environment, role) of each: several roles in one environment, or one role in several."""

    places: tuple[tuple[str, str], ...]
    duration: timedelta | None
    reason: str
    begin: Begin | None = None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    environment: str
    role: str
    duration: timedelta | None
    reason: str


@dataclass(frozen=True, slots=True)
class BreakOpen:
    """Break-glass for what waits at a gate."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approve:
    id: str


@dataclass(frozen=True, slots=True)
class Less:
    """Approve less than was asked. A role of None means the same role; a duration of None as much as may be."""

    id: str
    role: str | None
    duration: timedelta | None


@dataclass(frozen=True, slots=True)
class Deny:
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    id: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    id: str
    note: str


@dataclass(frozen=True, slots=True)
class Lift:
    whom: Whom
    reason: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Whose an account is that is on hold. `same` None: nothing was said yet, and the answer asks."""

    whom: Whom
    same: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Certify:
    """`part`: the card's. `numbers`: of items on it, as typed: `1,4`."""

    part: str
    keeps: bool
    numbers: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    id: str


@dataclass(frozen=True, slots=True)
class Show:
    id: str


@dataclass(frozen=True, slots=True)
class End:
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RevokeAll:
    """`environment` or `whom`; never both."""

    environment: str | None
    whom: Whom | None
    reason: str


@dataclass(frozen=True, slots=True)
class Extend:
    id: str
    duration: timedelta | None
    reason: str


@dataclass(frozen=True, slots=True)
class List:
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Delegate:
    """`whom` None shows who decides in one's place, or ends it where `off`."""

    whom: Whom | None = None
    until: str = ""
    off: bool = False


@dataclass(frozen=True, slots=True)
class Mine:
    pass


@dataclass(frozen=True, slots=True)
class Pending:
    pass


@dataclass(frozen=True, slots=True)
class Envs:
    pass


@dataclass(frozen=True, slots=True)
class Who:
    environment: str


@dataclass(frozen=True, slots=True)
class History:
    term: Whom | None


@dataclass(frozen=True, slots=True)
class Help:
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Explain:
    environment: str
    role: str
    who: Whom | None


Command = (
    OpenForm
    | Ask
    | AskFor
    | Decline
    | Again
    | AskSeveral
    | BreakGlass
    | BreakOpen
    | Approve
    | Less
    | Deny
    | Acknowledge
    | Flag
    | Lift
    | Confirm
    | Certify
    | Withdraw
    | Show
    | End
    | Delegate
    | RevokeAll
    | Extend
    | List
    | Mine
    | Pending
    | Envs
    | Who
    | History
    | Help
    | Explain
)
