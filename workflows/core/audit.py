"""Audit entries: a closed vocabulary, and the digest that the client makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.core.canonical_json import digest


class Event(StrEnum):
    """Every event there is, as `subject.action`. A new one needs words, in `bot.chat.wording.events`, and a sentence in
    docs/lifecycle.md.
    """

    REQUEST_MADE = "request.made"
    REQUEST_RESOLVED = "request.resolved"
    REQUEST_REFUSED = "request.refused"
    REQUEST_AGREED = "request.agreed"  # one of several approvers
    REQUEST_APPROVED = "request.approved"
    REQUEST_AUTO_APPROVED = "request.auto_approved"
    REQUEST_LESSENED = "request.lessened"  # an approver agreed to less than was asked for
    REQUEST_STARTED = "request.started"  # agreed to before, and its time has come
    REQUEST_DENIED = "request.denied"
    REQUEST_WITHDRAWN = "request.withdrawn"
    REQUEST_DECLINED = "request.declined"  # by the person for whom somebody else had asked
    REQUEST_EXPIRED = "request.expired"
    REQUEST_REMINDED = "request.reminded"
    REQUEST_ESCALATED = "request.escalated"
    REQUEST_TERMS_CHANGED = "request.terms_changed"
    BREAK_GLASS_USED = "break_glass.used"
    BREAK_GLASS_UNANNOUNCED = "break_glass.unannounced"  # no channel was told in time
    REVIEW_CHASED = "review.chased"
    REVIEW_ACKNOWLEDGED = "review.acknowledged"
    REVIEW_FLAGGED = "review.flagged"
    GRANT_ACTIVE = "grant.active"
    GRANT_EXTENDED = "grant.extended"  # the later end holds
    GRANT_EXTENSION_FAILED = "grant.extension_failed"  # approved, and not put in place before the old end
    GRANT_END_STARTED = "grant.end_started"
    GRANT_ENDED = "grant.ended"
    GRANT_REVOKED = "grant.revoked"
    GRANT_ACTIVATION_FAILED = "grant.activation_failed"
    GRANT_REMOVAL_FAILING = "grant.removal_failing"
    GRANT_REAPPEARED = "grant.reappeared"  # access found after its end, and taken away again
    BULK_REVOCATION_STARTED = "sweepout.started"  # everything of a person, or in an environment, is taken back
    BULK_REVOCATION_FINISHED = "sweepout.finished"
    PERSON_BOUND = "person.bound"
    PERSON_BINDING_CHANGED = (
        "person.binding_changed"  # an account is on hold: it does not fit the person it claims to be
    )
    PERSON_RESUMED = "person.resumed"  # the account has its own address again, and is on hold no more
    PERSON_ADDRESS = (
        "person.address"  # the same person under another name of their domain, or another address of theirs
    )
    PERSON_CONFIRM_ASKED = "person.confirm_asked"  # the first of two who must say whose an account is
    PERSON_CONFIRMED = "person.confirmed"  # it was said whose an account is: the same person's, or another's
    PERSON_DISOWNED = "person.disowned"  # whom an account in another chat claims to be says that it is not theirs
    PERSON_LEFT = "person.left"  # the chat's own tenant has deactivated the account, and they have access
    TARGET_USER_CHANGED = (
        "target_user.changed"  # the person's user is another one: the target says that the old one is gone
    )
    TARGET_USER_MOVED = "target_user.moved"  # the user is another person's from now on
    BINDINGS_ADOPTED = "person.bindings_adopted"  # what an earlier version kept of accounts was taken over
    DELEGATION_SET = "delegation.set"
    DELEGATION_ENDED = "delegation.ended"
    PERSON_BARRED = "person.barred"  # no break-glass for them
    PERSON_LIFTED = "person.lifted"  # security took a bar or block away
    REFUSALS_COUNTED = "refusals.counted"
    POLICY_ACTIVATED = "policy.activated"
    POLICY_WAITS = "policy.waits"  # a change that loosens production waits for people to agree
    POLICY_AGREED = "policy.agreed"  # one of them did
    POLICY_REFUSED = "policy.refused"  # one of them said no: the policy in force stays
    POLICY_REPLACED = "policy.replaced"  # the folder changed again before they had decided
    LEDGER_UNREADABLE = "ledger.unreadable"  # something stands there that cannot be read: an alarm
    LEDGER_DURABILITY_DECLARED = "ledger.durability_declared"
    CLOCK_JUMPED = "clock.jumped"  # the ledger's own clock was set; nothing is given
    CLOCK_STEADY = "clock.steady"  # it has gone as it should for long enough
    CLOCK_ACCEPTED = "clock.accepted"  # an operator says that it is right
    DIGEST_POSTED = "digest.posted"  # a slot of a scheduled summary, in its channel
    DRIFT_FOUND = "drift.found"  # nobody writes it yet: a target and the ledger disagree


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One entry as the client hands it to the ledger, which gives it its number.

    `subject`: `PA-1042`, or another record's name. `facts`: what the decision rested on and its age, strings only, no
    free text and no names. `private`: free text and names; they stand outside the chain, and the entry holds only a salted
    digest of them, so that erasing a person leaves the record verifiable. `nonce` and `salt` are 32 hex digits.
    """

    event: Event
    subject: str
    at: datetime
    nonce: str
    salt: str
    facts: Mapping[str, str] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """What is chained: JSON-able, without number (the ledger gives it) and without private words."""
        return {
            # Of this form on, an entry has a link to the one before it: see audit_check.
            "v": 2,
            "event": self.event.value,
            "subject": self.subject,
            "at": self.at.isoformat(),
            "nonce": self.nonce,
            "facts": dict(self.facts),
            "private": digest([self.salt, dict(self.private)]),
        }

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical body, 64 hex digits; receipts show the first 12."""
        return digest(self.body())


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry as it is read back, with its number."""

    number: int
    event: Event
    subject: str
    at: datetime
    digest: str
    facts: Mapping[str, str]
    private: Mapping[str, str]
    body: str  # the canonical JSON that the digest was made of
    salt: str = ""
