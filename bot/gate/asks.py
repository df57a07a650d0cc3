"""What the door needs of the record: to ask, to look, to take a decision once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.gate.codes import Problem
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import PipelineRun
from workflows.usecases.gates.ask import Words


class State(StrEnum):
    """As an answer names it."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    NOT_GIVEN = "not_given"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Asked:
    """`card`: who is asked, in words."""

    id: str
    expires_at: datetime
    card: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """`ticket_hash`: SHA-256 of its wait ticket, in hex. `by`: names."""

    state: State
    ticket_hash: str
    by: str = ""
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class No:
    problem: Problem
    sentence: str


@dataclass(frozen=True, slots=True)
class Given:
    """What the pipeline's own role has by it, in words, and until when."""

    what: str
    until: datetime


class NotNow(Exception):
    """Why nothing can be decided just now, in words."""


class Asks(Protocol):
    """Each of them reads or writes the record, so not in an event loop. Each raises LedgerUnreachable and NotNow."""

    def pipelines(self) -> Sequence[Pipeline]:
        """Of the policy in force."""
        ...

    def now(self) -> datetime:
        """The ledger's."""
        ...

    def ask(
        self, run: PipelineRun, words: Words, ticket_hash: str, once: str, until: datetime, commit_id: str
    ) -> Asked | No:
        """`once`: stands for the token, which is remembered `until` then. The same `commit_id` has the same answer."""
        ...

    def standing(self, id_: str) -> Standing | None:
        """None: there is no such ask, or it is over for so long that its ticket is worth nothing."""
        ...

    def redeem(self, id_: str, commit_id: str) -> No | Given | None:
        """Anything but a No: it is taken, once."""
        ...

    def withdraw(self, id_: str, commit_id: str) -> No | None:
        """Also of what its run has taken: what the pipeline's role has by it is given back."""
        ...
