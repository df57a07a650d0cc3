"""The records that the ledger keeps: request, grant, holding, and what stands on them.

All times are UTC and come from the ledger's own clock; all durations are whole seconds where they are stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.core.canonical_json import digest
from workflows.core.clockwork import LedgerClock, WitnessRecord
from workflows.core.identity import (
    AccountId,
    AccountRecord,
    Address,
    AddressRecord,
    Adoption,
    Identity,
    TargetIds,
    TargetUser,
)
from workflows.core.mixed import OlderRunning
from workflows.core.people import Delegation, PersonId, SlackUser
from workflows.core.policy import Risk, TargetKind, Tier

# Short and sayable, ASCII digits only: `PA-1042`. The request and the grant that follows share it.
ID_PATTERN = re.compile(r"PA-[1-9][0-9]{0,9}")


class RequestState(StrEnum):
    PENDING = "pending"
    SCHEDULED = "scheduled"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class GrantState(StrEnum):
    ACTIVATING = "activating"
    ACTIVE = "active"
    REVOKING = "revoking"
    ENDED = "ended"
    REVOKED = "revoked"
    ACTIVATION_FAILED = "activation_failed"


LIVE = frozenset({GrantState.ACTIVATING, GrantState.ACTIVE, GrantState.REVOKING})
CLOSED = frozenset({GrantState.ENDED, GrantState.REVOKED, GrantState.ACTIVATION_FAILED})


class EndCause(StrEnum):
    """Why a grant left `active` or `activating`."""

    TIME = "time"  # the deadline was reached -> ended
    REVOKED = "revoked"  # an owner took it back -> revoked
    RETURNED = "returned"  # the holder gave it back early -> ended
    FAILED = "failed"  # the activation failed -> activation_failed
    STANDING = "standing"  # the holder had this access already -> activation_failed, nothing touched


class DecisionKind(StrEnum):
    APPROVAL = "approval"
    AUTO = "auto_approval"
    BREAK_GLASS = "break_glass"


@dataclass(frozen=True, slots=True)
class TargetTerms:
    """Exactly what would be given where, with placeholders filled in. It outlives the role in the configuration."""

    kind: TargetKind
    connection: str
    region: str
    partition: str = "aws"
    account: str | None = None
    instance_arn: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    profile: str | None = None
    portal: str | None = None
    permission_set: str | None = None
    group: str | None = None
    user: str | None = None
    # The filled-in policy document as JSON text, without its end.
    document: str | None = None
    # By which names of a user people are found in a directory; None: as before there was a choice, by e-mail alone.
    match: tuple[str, ...] | None = None


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
        return digest(_plain(self))[:16]


def _plain(terms: Terms) -> dict[str, object]:
    target = {name: getattr(terms.target, name) for name in TargetTerms.__dataclass_fields__}
    if target["match"] is None:
        # What was agreed to before this field existed is still agreed to.
        del target["match"]
    own = {name: getattr(terms, name) for name in Terms.__dataclass_fields__ if name != "target"}
    return {**own, "target": target}


@dataclass(frozen=True, slots=True)
class Resource:
    """What a target resolved: immutable ids. `ids` alone name the holding; the rest is for people.

    `session_s`: how long a session that is open when access ends may go on (Identity Center), in seconds.
    `enforces_end`: whether the target ends the access by itself.
    """

    kind: TargetKind
    target: TargetTerms
    ids: Mapping[str, str]
    title: str
    session_s: int | None = None
    enforces_end: bool = False
    # Set where removing this access removes the last of its kind, with a side effect people should know of.
    warning: str | None = None
    # Whom the user's tag names, where the target can prove it again before it gives (an IAM user's tag).
    person: Address | None = None
    # Where a person has one user (an identity store, a name in an account), and the addresses by which this one is called there.
    place: str = ""
    carries: tuple[Address, ...] = ()

    @property
    def holding(self) -> str:
        """The holding's id: `H-` and 20 hex digits over kind and ids."""
        return "H-" + digest({"kind": self.kind, "ids": dict(self.ids)})[:20]

    @property
    def user(self) -> str:
        """The user in the target, for the ledger: `identity-store:906-...`, `iam:111122223333:AIDA...`. It never means another.

        Identity stores name no user as another store does, and what was resolved before names no store: the id alone says it.
        """
        if self.kind in (TargetKind.IDENTITY_CENTER, TargetKind.IDENTITY_CENTER_GROUP):
            return f"identity-store:{self.user_id}"
        return f"iam:{self.ids.get('account', '')}:{self.user_id}"

    @property
    def user_id(self) -> str:
        """As the target itself calls it."""
        return self.ids.get("user_id") or self.ids["user"]


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
    # A refusal code where the bot itself closed it (the person is not known in AWS, ...), with its parameters.
    code: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    id: str
    requester: PersonId
    requester_name: str
    requester_slack: SlackUser
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
    holder_slack: SlackUser | None = None
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

    @property
    def slot(self) -> str:
        """The place that it takes; an ask for more time has one of its own beside the live grant's."""
        if self.extends is not None:
            return extension_slot(self.extends)
        return slot_id(self.holder, self.terms.environment, self.terms.role)


def extension_slot(grant_id: str) -> str:
    return digest(["extension", grant_id])[:20]


def slot_id(holder: PersonId, environment: str, role: str) -> str:
    """One person has one pending or live ask per entitlement; this names the place it takes."""
    return digest([holder, environment, role])[:20]


@dataclass(frozen=True, slots=True)
class End:
    """The recorded cause of an end."""

    cause: EndCause
    at: datetime
    by: PersonId | None = None
    by_name: str | None = None
    reason: str | None = None
    # A refusal code where the bot itself ended it (the approval no longer stands, ...), with its parameters.
    code: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    id: str
    holder: PersonId
    holder_name: str
    terms: Terms
    resource: Resource
    holding: str
    state: GrantState
    decision: Decision
    # The deciding commit's time plus the duration. Nothing is given at or after it.
    deadline: datetime
    activated_at: datetime | None = None
    end: End | None = None
    closed_at: datetime | None = None
    # Whether another grant still covers the same holding at the time this one closed: its id.
    covered_by: str | None = None
    warned: bool = False
    # The id of the ask for more time that waits for an answer, or for the target to enforce the later end.
    extension: str | None = None
    # A later end that was approved, until the target enforces it; then it is the deadline.
    extended_to: datetime | None = None
    # The approved extensions, oldest first, and in words who agreed to each; to one that is put in place, too.
    extensions: tuple[str, ...] = ()
    extended_by: tuple[str, ...] = ()
    # The last error of the target in words for people, while it is being tried again.
    error: str | None = None


class OperationKind(StrEnum):
    GRANT = "grant"
    REVOKE = "revoke"


class OperationState(StrEnum):
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Operation:
    """One changing call at a target. `id` is the target's own, where it is asynchronous."""

    kind: OperationKind
    state: OperationState
    id: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """The note that a changing call is about to be made. It stands until its result is recorded.

    `until` is when the call can no longer take effect, whatever happened to who made it: until then it is in doubt.
    """

    kind: OperationKind
    fence: int
    at: datetime
    until: datetime
    # The latest end among the grants it was made for; for targets that enforce an end.
    deadline: datetime | None = None


class Baseline(StrEnum):
    """What stood before the first intent on a holding."""

    UNKNOWN = "unknown"
    ABSENT = "absent"
    STANDING = "standing"


class Presence(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """What a target answers when it is looked at. `until` is the end it enforces, where it shows one.

    `through` names another way by which the person has the very same access, one that we neither give nor take: a group.
    """

    presence: Presence
    resource: Resource | None = None
    until: datetime | None = None
    detail: str | None = None
    through: str | None = None

    @property
    def stands(self) -> bool:
        """Whether the person has this access, in whatever way."""
        return self.presence is Presence.PRESENT or self.through is not None


@dataclass(frozen=True, slots=True)
class Holding:
    """One person's access to one resource: what its live grants add up to, and what is known of the world.

    `grants` are the ids of the grants that are not closed. `ours` is True from the first intent to give until absence was
    read back. `looks` are the later looks that are still owed. `doubt_until` is the latest time at which an operation whose
    outcome nobody saw can still take effect.
    """

    id: str
    resource: Resource
    grants: tuple[str, ...] = ()
    # The slots that these grants take, and earlier ones took: read with the holding, freed when a grant closes.
    slots: tuple[str, ...] = ()
    baseline: Baseline = Baseline.UNKNOWN
    ours: bool = False
    intent: Intent | None = None
    operation: Operation | None = None
    operation_at: datetime | None = None
    # An operation that never ended and that nothing waits for any more. It is asked after until it has ended after all,
    # because what AWS has accepted has no time-out.
    abandoned: Operation | None = None
    ask_abandoned_at: datetime | None = None
    # The grants for which the asynchronous operation was started.
    operation_for: tuple[str, ...] = ()
    # Grants whose own giving operation succeeded; they become active once it was read back.
    given: tuple[str, ...] = ()
    # Access of active grants turned out to be gone (an earlier removal came late): it is given again.
    lost: bool = False
    # The taking operation succeeded; what is missing is absence, read back.
    taken: bool = False
    # The end that the target enforces by itself, as last written.
    enforced_until: datetime | None = None
    next_try: datetime | None = None
    failures: int = 0
    looks: tuple[datetime, ...] = ()
    doubt_until: datetime | None = None
    last_grant: str | None = None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What the ledger keeps of a person: bindings, open asks, blocks. Key: the address."""

    id: PersonId
    name: str
    slack: tuple[SlackUser, ...] = ()
    pending: tuple[str, ...] = ()
    # Set when a binding changed; rights are suspended until an administrator confirms.
    suspended: str | None = None
    # No new asks until then: everything of theirs was taken back, and why.
    blocked_until: datetime | None = None
    blocked_why: str | None = None
    # No break-glass until security lifts it, and why.
    break_glass_barred: str | None = None
    delegation: Delegation | None = None


class ReviewState(StrEnum):
    OWED = "owed"
    ACKNOWLEDGED = "acknowledged"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Review:
    """What an owner owes after a break-glass. It has the grant's id, and outlives the grant."""

    id: str
    environment: str
    holder: PersonId
    state: ReviewState
    since: datetime
    due_at: datetime
    chased_at: tuple[datetime, ...] = ()
    # When it was found that no channel had been told of the break-glass.
    unannounced_at: datetime | None = None
    by: PersonId | None = None
    by_name: str | None = None
    at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Uses:
    """When something with a daily limit was used, the last day's worth: a rule by a person, a break-glass by a person."""

    id: str
    times: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Sweepout:
    """One press of the panic switch: what it was for, and what it still has to take back.

    What is in its scope: of `person`, where that is set; in `environments`, where that is (all of them otherwise); asked for
    before `at`. `taken` are the ids of the requests that it closed and the grants whose end it has begun.
    """

    id: str
    by: PersonId
    by_name: str
    by_slack: SlackUser
    at: datetime
    reason: str
    person: PersonId | None = None
    person_name: str | None = None
    environments: tuple[str, ...] | None = None
    # Until when new asks of the person are kept out; None where they are not.
    blocked_until: datetime | None = None
    taken: tuple[str, ...] = ()
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """The pending request or live grant of one person for one entitlement."""

    id: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """The policy in force. Every deciding commit names its hash."""

    hash: str
    activated_at: datetime
    commit_sha: str | None = None


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """The policy in force in words, so that the next activation can say what changed. Apart, because it is large and
    every decision reads `ActivePolicy`."""

    hash: str
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refusals of one person within a minute, coalesced: the first is an entry of its own, the others are counted."""

    person: PersonId
    since: datetime
    more: int = 0


@dataclass(frozen=True, slots=True)
class Posting:
    """One message that chat shows, or is about to. `nonce` is found again in the channel after a crash."""

    channel: str
    ts: str | None = None
    # SHA-256 of what was last sent, 16 hex digits.
    shown: str = ""
    nonce: str | None = None
    # Set while a post is under way whose answer nobody has recorded.
    intent_at: datetime | None = None
    # The channel that Slack answered with (a direct message has one of its own).
    posted_channel: str | None = None
    error: str | None = None
    # How often chat answered with a word that says nothing about the next time.
    tries: int = 0
    # Chat refused the message as it is drawn: it goes without form.
    plain: bool = False
    # Of a thread's root: how many before it were given up; and whether replies stand beside it, because it takes none.
    roots: int = 0
    flat: bool = False


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """All messages of one subject (a request, a digest slot, an alarm), by slot: `card`, `receipts`, `dm:U...`."""

    subject: str
    postings: Mapping[str, Posting] = field(default_factory=dict)
    # The last audit entry that each channel was told of, by slot of its thread's root: by the thread, or by a summary. A
    # summary's own record: the last entry that it tells, by request. A closed place's: since when, in seconds.
    told: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Press:
    """A command or press that was acknowledged and waits for a worker, because facts were not fresh enough."""

    id: str
    at: datetime
    payload: str  # JSON of the surface's own
    # Whether the person has been told that it takes longer.
    told: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """What cannot be done, and is tried again: a due item (`request:PA-1`), or a part of a process (`process:clock policy`).

    It is over once it was done, or when `again_at` has passed for a while without another failure. `words`: why, for people.
    `alarms`: whether nobody else alarms the people who run this. `about`: what people call it, where the item does not say so.
    """

    item: str
    failures: int
    words: str
    since: datetime
    at: datetime
    again_at: datetime
    alarms: bool = True
    about: str = ""


Record = (
    Request
    | Grant
    | Holding
    | PersonRecord
    | Slot
    | ActivePolicy
    | PolicySummary
    | Refusals
    | ChatRecord
    | Press
    | Review
    | Uses
    | Sweepout
    | LedgerClock
    | OlderRunning
    | WitnessRecord
    | Trouble
    | AccountRecord
    | Identity
    | AddressRecord
    | Adoption
    | TargetUser
    | TargetIds
)
