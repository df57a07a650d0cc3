"""What a chat delivered over HTTP and signed: kept beside a vote in production until the worker has looked at it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core.identity import AccountId
from workflows.core.records.request import Terms


@dataclass(frozen=True, slots=True)
class SignedAct:
    """`timestamp` and `signature` as the headers had them; `body` as it came, packed by the chat that reads it again.

    It has words of people in it (the card that was pressed, with its reason), and stands outside the audit log.
    """

    timestamp: str
    signature: str
    body: str


@dataclass(frozen=True, slots=True)
class SignedVote:
    """`terms`: what stood there to be agreed to. Nobody has signed them, but the button carried their hash.

    `panel`: on a card about several, the id and the hash of each.
    """

    by: AccountId
    act: SignedAct
    terms: Terms
    panel: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SignedVotes:
    """Of one request. `look_at`: when it is looked whether they may go."""

    request: str
    look_at: datetime
    votes: tuple[SignedVote, ...] = ()

    def of(self, account: AccountId) -> SignedVote | None:
        return next((vote for vote in self.votes if vote.by == account), None)

    def joined_by(self, vote: SignedVote, accounts: Iterable[AccountId | None]) -> SignedVotes:
        """With one more; without those whose votes count no more. `accounts`: of the votes that are left."""
        left = set(accounts)
        return replace(self, votes=(*(one for one in self.votes if one.by != vote.by and one.by in left), vote))
