"""A request: what was asked, who agreed, how it was decided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from workflows.core.canonical_json import digest
from workflows.core.gates.ask import GateAsk
from workflows.core.identity import SLACK, AccountId, Address
from workflows.core.people import Account, PersonId
from workflows.core.policy import Risk, Tier
from workflows.core.provider import TargetTerms
from workflows.core.records.gate import Giving
from workflows.core.records.target import Resource

# Short and sayable, ASCII digits only: `PA-1042`. The request and the grant that follows share it.
ID_PATTERN = re.compile(r"PA-[1-9][0-9]{0,9}")


class RequestState(StrEnum):
    PENDING = "pending"
    SCHEDULED = "scheduled"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class DecisionKind(StrEnum):
    APPROVAL = "approval"
    AUTO = "auto_approval"
    BREAK_GLASS = "break_glass"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request asks for and an approver agrees to."""

    environment: str
    role: str
    tier: Tier
    risk: Risk
    holder: PersonId
    duration_s: int
    target: TargetTerms
    allows: str
    danger: str | None = None

    @property
    def duration(self) -> timedelta:
        return timedelta(seconds=self.duration_s)

    @property
    def hash(self) -> str:
        """16 hex digits; a button carries them, so that a press agrees to these terms and no others."""
        return _hash(self)


# Each button of a message carries it, and a list has hundreds of buttons on terms that never change.
@lru_cache(maxsize=1024)
def _hash(terms: Terms) -> str:
    return digest(_plain(terms))[:16]


def _plain(terms: Terms) -> dict[str, object]:
    own = {name: getattr(terms, name) for name in Terms.__dataclass_fields__ if name != "target"}
    return {**own, "target": terms.target.agreed()}


# In place of a chat's name: asked from a terminal.
TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request was typed. `incident` is True only where the channel was proved to be an incident's."""

    team: str = ""
    channel: str = ""
    channel_name: str = ""
    thread_ts: str | None = None
    incident: bool = False
    # The channel matches the policy's patterns and is of this organisation alone: receipts go there, too.
    receipts_here: bool = False
    # Asked in the form, whose answer is a message, not the command's own.
    by_form: bool = False
    # In which chat; `channel` says it, too, where there is one. Older records are of Slack.
    surface: str = SLACK


@dataclass(frozen=True, slots=True)
class Vote:
    by: PersonId
    by_name: str
    at: datetime
    # The groups of `approve` that this person may speak for, at the time of the vote.
    groups: tuple[str, ...]
    terms_hash: str
    # In whose place, where it does not count in the voter's own right alone.
    for_: tuple[PersonId, ...] = ()
    for_names: tuple[str, ...] = ()
    # The account that pressed: the vote counts while that account is theirs and not on hold.
    account: AccountId | None = None

    @property
    def said_by(self) -> str:
        """`Nia for Olu`."""
        return f"{self.by_name} for {' and '.join(self.for_names)}" if self.for_names else self.by_name


@dataclass(frozen=True, slots=True)
class Decision:
    """Why access may exist. The worker derives it again from policy and facts before it gives anything."""

    kind: DecisionKind
    at: datetime
    policy_hash: str
    rule: str | None = None
    by: tuple[PersonId, ...] = ()
    by_names: tuple[str, ...] = ()
    # What a rule rested on, for people: the channel of the incident, which use of how many it was.
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closing:
    """How a request ended without access. `by` is None where nobody did (expiry, nothing to resolve)."""

    at: datetime
    by: PersonId | None = None
    by_name: str | None = None
    reason: str | None = None
    # A refusal code where the bot itself closed it (the person is not known there, ...), with its parameters.
    code: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    id: str
    requester: PersonId
    requester_name: str
    requester_slack: Account
    holder: PersonId
    holder_name: str
    terms: Terms
    reason: str
    state: RequestState
    created_at: datetime
    expires_at: datetime
    policy_hash: str
    origin: Origin = Origin()
    ticket: str | None = None
    break_glass: bool = False
    # None until the worker has resolved names to ids; nobody is asked to approve before.
    resource: Resource | None = None
    votes: tuple[Vote, ...] = ()
    decision: Decision | None = None
    closing: Closing | None = None
    # Group names whose members were unavailable when it was last looked at, with why: shown on the card.
    group_problems: tuple[tuple[str, str], ...] = ()
    # The holder's chat account where somebody else asked for them; None where the requester is the holder.
    holder_slack: Account | None = None
    # The grant that this ask would prolong; its terms say how much time is added.
    extends: str | None = None
    # What was asked for, where an approver gives less than that, and the approver's name.
    asked_terms: Terms | None = None
    lessened_by: str | None = None
    # The rules that would have approved it, had they not been used as often as they may: name and uses.
    used_up: tuple[tuple[str, int], ...] = ()
    # When the access shall begin, where that is later than the approval.
    start_at: datetime | None = None
    # The ids of all requests that were asked in one go, itself included; the first one's messages tell of all.
    batch: tuple[str, ...] = ()
    # When the approvers were reminded, and when the next group was called.
    chased_at: tuple[datetime, ...] = ()
    escalated_at: datetime | None = None
    # The accounts of who asked and who would hold it, as they were then: none of them decides on it, whosever they are by now.
    accounts: tuple[AccountId, ...] = ()
    # The holder's address at that time: the terms were made from it, and a target finds them by it.
    holder_address: Address | None = None
    # Why its ticket was taken without being verified; empty where it was, or where nobody wants that.
    ticket_note: str = ""
    # Of a pipeline's ask: nobody gets any access by it, and an approval is for its run alone.
    gate: GateAsk | None = None
    # What the pipeline's own role is given once its run takes the approval; None: nothing.
    gives: Giving | None = None

    @property
    def is_resolved(self) -> bool:
        """Whether a worker has looked at it, so that people are asked."""
        return self.gate.looked_at is not None if self.gate is not None else self.resource is not None

    @property
    def parties(self) -> tuple[PersonId, ...]:
        """Who asked, who would hold it, and who began what asks: none of them has a say in it."""
        barred = self.gate.barred if self.gate is not None else ()
        return tuple(dict.fromkeys((self.requester, self.holder, *barred)))

    @property
    def called_off(self) -> Closing | None:
        """By whom, where somebody said no after a run's approval was taken, and before the forge that holds it back knew."""
        unheard = self.state is RequestState.APPROVED and self.gate is not None and self.gate.let_on_at is None
        return self.closing if unheard else None

    @property
    def declined(self) -> bool:
        """Whether the person for whom somebody else had asked did not want it."""
        return self.closing is not None and self.holder != self.requester and self.closing.by == self.holder

    @property
    def slot(self) -> str:
        """The place that it takes; an ask for more time has one of its own beside the live grant's."""
        if self.gate is not None:
            return gate_slot(self.terms.environment, self.gate)
        if self.extends is not None:
            return extension_slot(self.extends)
        return slot_id(self.holder, self.terms.environment, self.terms.role)


def gate_slot(environment: str, ask: GateAsk) -> str:
    """The place of one run's ask: while it waits it has no second one, and once the run went on never again."""
    return digest(["gate", environment, ask.gate, ask.run.key])[:20]


def extension_slot(grant_id: str) -> str:
    return digest(["extension", grant_id])[:20]


def slot_id(holder: PersonId, environment: str, role: str) -> str:
    """One person has one pending or live ask per entitlement; this names the place it takes."""
    return digest([holder, environment, role])[:20]


@dataclass(frozen=True, slots=True)
class Slot:
    """The pending request or live grant of one person for one entitlement."""

    id: str
    request: str | None = None
