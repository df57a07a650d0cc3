"""What is asked from a terminal, from the challenge to its answer; and who was vouched for there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows.core.identity import PersonId
from workflows.core.terminal.caller import Caller
from workflows.core.terminal.proof import Proof


@dataclass(frozen=True, slots=True)
class TerminalAct:
    """`id`: of the challenge, which it does not tell. Until `until` it can be taken; then, or so long after its answer, it goes.

    `line`: what was typed after the command's name; empty while nobody has sent the proof. `ticket_hash`: of who may hear the
    answer. `refused`: the answer is a refusal.
    """

    id: str
    challenge: str
    audience: str
    until: datetime
    line: str = ""
    proof: Proof | None = None
    ticket_hash: str = ""
    at: datetime | None = None
    answer: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Vouched:
    """While chat was down a provider vouched for a person. It is asked again before anything rests on it."""

    person: PersonId
    caller: Caller
    at: datetime
