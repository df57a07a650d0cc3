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
    VOTE_UNPROVED = "vote.unproved"  # the chat has not signed what stands there as a vote: nothing is given, an alarm
    REQUEST_STARTED = "request.started"  # agreed to before, and its time has come
    REQUEST_DENIED = "request.denied"
    REQUEST_WITHDRAWN = "request.withdrawn"
    REQUEST_DECLINED = "request.declined"  # by the person for whom somebody else had asked
    REQUEST_EXPIRED = "request.expired"
    REQUEST_REMINDED = "request.reminded"
    REQUEST_ESCALATED = "request.escalated"
    REQUEST_TERMS_CHANGED = "request.terms_changed"
    GATE_ASKED = "gate.asked"  # a pipeline waits for people
    GATE_AGREED = "gate.agreed"  # one of several approvers
    GATE_APPROVED = "gate.approved"
    GATE_BROKEN = "gate.broken"  # opened in an emergency, by one person
    GATE_DENIED = "gate.denied"
    GATE_EXPIRED = "gate.expired"  # nobody answered, or the run did not take the approval in time
    GATE_WITHDRAWN = "gate.withdrawn"
    GATE_REDEEMED = "gate.redeemed"  # the run took the approval, and went on
    GATE_LET_ON = "gate.let_on"  # the forge that held the run back was told, and has let it on
    GATE_NOT_TAKEN = "gate.not_taken"  # approved, and the forge waits for no answer any more
    GATE_REFUSED = "gate.refused"  # an ask, or a run that may not take this approval
    GATE_TERMS_CHANGED = "gate.terms_changed"
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
    GRANT_ACTIVITY_SEEN = "grant.activity_seen"  # a worker looked at what was done with it
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
    PERSON_LEFT = "person.left"  # an account's own chat says that it is gone, and its person has access
    PERSON_MOVED = "person.moved"  # whoever has access may ask for it no longer
    LEAVERS_HELD = "leavers.held"  # so many seem to have left at once that people are asked before anything ends
    LEAVERS_DECIDED = "leavers.decided"  # they said what is so, or nothing is left to say
    TARGET_USER_CHANGED = (
        "target_user.changed"  # the person's user is another one: the target says that the old one is gone
    )
    TARGET_USER_MOVED = "target_user.moved"  # the user is another person's from now on
    BINDINGS_ADOPTED = "person.bindings_adopted"  # what an earlier version kept of accounts was taken over
    DELEGATION_SET = "delegation.set"
    DELEGATION_ENDED = "delegation.ended"
    PERSON_BARRED = "person.barred"  # no break-glass for them
    PERSON_LIFTED = "person.lifted"  # security took a bar or block away
    PERSON_ERASED = "person.erased"  # names and words of somebody were erased; lists the entries that had them
    REFUSALS_COUNTED = "refusals.counted"
    POLICY_ACTIVATED = "policy.activated"
    POLICY_WAITS = "policy.waits"  # a change that loosens production waits for people to agree
    POLICY_AGREED = "policy.agreed"  # one of them did
    POLICY_REFUSED = "policy.refused"  # one of them said no: the policy in force stays
    POLICY_REPLACED = "policy.replaced"  # the folder changed again before they had decided
    LEDGER_UNREADABLE = "ledger.unreadable"  # something stands there that cannot be read: an alarm
    LEDGER_DURABILITY_DECLARED = "ledger.durability_declared"
    LEDGER_ROLLED_BACK = "ledger.rolled_back"  # it is perhaps an older copy of itself; nothing is given
    LEDGER_ACCEPTED = "ledger.accepted"  # an operator says that it is the record from now on
    LEDGER_REBUILT = "ledger.rebuilt"  # what it lacked was put back from the archive; what it did not know of ends
    CLOCK_JUMPED = "clock.jumped"  # the ledger's own clock was set; nothing is given
    CLOCK_STEADY = "clock.steady"  # it has gone as it should for long enough
    CLOCK_ACCEPTED = "clock.accepted"  # an operator says that it is right
    AUDIT_SEALING_STARTED = "audit.sealing_started"  # from now on the head of the audit log is signed
    AUDIT_KEY_CHANGED = "audit.key_changed"  # another key signs from now on; the one before it says so
    AUDIT_RETAINED = (
        "audit.retained"  # words and entries left the ledger for the archive: which, and from where on it has them
    )
    AUDIT_ENTRY_MISSING = "audit.entry_missing"  # a number had no entry any more when it was to be sealed
    DIGEST_POSTED = "digest.posted"  # a slot of a scheduled summary, in its channel
    DRIFT_FOUND = "drift.found"  # a target and the ledger disagree
    DRIFT_GONE = "drift.gone"  # they agree again
    DRIFT_HELD = "drift.held"  # what would be taken away waits for people
    DRIFT_DECIDED = "drift.decided"  # somebody said whether it goes or stays, or nothing of it is left
    DRIFT_REMOVAL_STARTED = "drift.removal_started"
    DRIFT_REMOVED = "drift.removed"  # taken away, and absence read back
    CERTIFICATION_STARTED = "certification.started"  # owners are to say which roles and people stay
    CERTIFICATION_ASKED = "certification.asked"  # what one card asks
    CERTIFICATION_ANSWERED = "certification.answered"  # one role or person stays, or goes
    CERTIFICATION_CHASED = "certification.chased"  # who has not answered was reminded, or the panic group called
    CERTIFICATION_CLOSED = "certification.closed"


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
