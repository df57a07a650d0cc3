"""Refusals are values. `Code` names each; `bot.chat.wording.refusals` turns them into one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Code(StrEnum):
    # who
    PERSON_UNKNOWN = "person_unknown"
    PERSON_DEACTIVATED = "person_deactivated"
    PERSON_DISABLED = "person_disabled"
    PERSON_GUEST = "person_guest"
    PERSON_BOT = "person_bot"
    PERSON_FOREIGN = "person_foreign"
    PERSON_ODD = "person_odd"
    PERSON_NO_ADDRESS = "person_no_address"
    PERSON_SUSPENDED = "person_suspended"
    PARTY_ON_HOLD = "party_on_hold"
    PERSON_BLOCKED = "person_blocked"
    FACTS_STALE = "facts_stale"
    NOT_KNOWN_YET = "not_known_yet"
    # what
    ENVIRONMENT_UNKNOWN = "environment_unknown"
    ROLE_UNKNOWN = "role_unknown"
    DURATION_UNREADABLE = "duration_unreadable"
    DURATION_ZERO = "duration_zero"
    DURATION_TOO_LONG = "duration_too_long"
    REASON_MISSING = "reason_missing"
    REASON_TOO_LONG = "reason_too_long"
    TICKET_MISSING = "ticket_missing"
    TICKET_USED = "ticket_used"
    TICKET_CLOSED = "ticket_closed"
    TICKET_ABSENT = "ticket_absent"
    TICKET_NOT_VERIFIED = "ticket_not_verified"
    ID_UNREADABLE = "id_unreadable"
    ID_UNKNOWN = "id_unknown"
    COMMAND_UNREADABLE = "command_unreadable"
    SEVERAL_BOTH = "several_both"
    SEVERAL_TOO_MANY = "several_too_many"
    FREEZE = "freeze"
    OUTSIDE_HOURS = "outside_hours"
    # may they
    NOT_A_REQUESTER = "not_a_requester"
    HOLDER_UNFIT = "holder_unfit"
    HOLDER_BLOCKED = "holder_blocked"
    NOT_THE_HOLDER = "not_the_holder"
    NO_LONGER_A_REQUESTER = "no_longer_a_requester"
    LONGER_THAN_ALLOWED = "longer_than_allowed"
    NOT_AN_APPROVER = "not_an_approver"
    OWN_REQUEST = "own_request"
    NOT_YOURS = "not_yours"
    NOBODY_CAN_APPROVE = "nobody_can_approve"
    TOO_MANY_PENDING = "too_many_pending"
    ALREADY_ASKED = "already_asked"
    COUNTS_AS_VOTER = "counts_as_voter"
    ALREADY_VOTED = "already_voted"
    VOTE_NOT_PROVED = "vote_not_proved"
    NOT_LESS = "not_less"
    LESS_TAKEN = "less_taken"
    # decides in another's place
    DELEGATE_NOT_AN_OWNER = "delegate_not_an_owner"
    DELEGATE_YOURSELF = "delegate_yourself"
    DELEGATE_UNFIT = "delegate_unfit"
    DELEGATE_UNTIL_UNREADABLE = "delegate_until_unreadable"
    DELEGATE_PAST = "delegate_past"
    DELEGATE_TOO_LONG = "delegate_too_long"
    DELEGATE_NONE = "delegate_none"
    # break-glass and its review
    BREAK_GLASS_NOT_ALLOWED = "break_glass_not_allowed"
    BREAK_GLASS_OTHER_ROLE = "break_glass_other_role"
    BREAK_GLASS_TOO_OFTEN = "break_glass_too_often"
    BREAK_GLASS_BARRED = "break_glass_barred"
    NO_REVIEW = "no_review"
    OWN_REVIEW = "own_review"
    NOT_A_REVIEWER = "not_a_reviewer"
    REVIEWED = "reviewed"
    NOT_SECURITY = "not_security"
    LEAVERS_OVER = "leavers_over"
    LEAVERS_CHANGED = "leavers_changed"
    POLICY_CHANGE_OVER = "policy_change_over"
    POLICY_CHANGE_SAID = "policy_change_said"
    OWN_BAR = "own_bar"
    DRIFT_OVER = "drift_over"
    DRIFT_NOT_NOW = "drift_not_now"
    OWN_DRIFT = "own_drift"
    CERTIFICATION_OVER = "certification_over"
    CERTIFICATION_OPEN = "certification_open"
    CERTIFICATION_ITEMS = "certification_items"
    NOT_A_CERTIFIER = "not_a_certifier"
    OWN_CERTIFICATION = "own_certification"
    NOTHING_TO_LIFT = "nothing_to_lift"
    NOTHING_TO_CONFIRM = "nothing_to_confirm"
    OWN_ACCOUNT = "own_account"
    NOT_ASKED = "not_asked"
    CONFIRMED_ALREADY = "confirmed_already"
    HOLD_CHANGED = "hold_changed"
    HELD_UNFIT = "held_unfit"
    ADDRESS_GIVEN_AWAY = "address_given_away"
    # too late
    DECIDED = "decided"
    NOT_RESOLVED_YET = "not_resolved_yet"
    TERMS_CHANGED = "terms_changed"
    GRANT_OVER = "grant_over"
    NOTHING_TO_REVOKE = "nothing_to_revoke"
    NOTHING_TO_REPEAT = "nothing_to_repeat"
    START_UNREADABLE = "start_unreadable"
    START_PAST = "start_past"
    START_TOO_FAR = "start_too_far"
    START_MISSED = "start_missed"
    TOTAL_TOO_LONG = "total_too_long"
    ROLE_CHANGED = "role_changed"
    # pipelines, and the gates that they wait at
    PIPELINE_NOT_ALLOWED = "pipeline_not_allowed"
    TERMINAL_NOT_ALLOWED = "terminal_not_allowed"
    TOKEN_USED = "token_used"  # noqa: S105 - a word, and no secret
    GATE_UNKNOWN = "gate_unknown"
    GATE_TOO_MANY = "gate_too_many"
    GATE_STARTER_UNKNOWN = "gate_starter_unknown"
    GATE_NOBODY = "gate_nobody"
    GATE_CHANGED = "gate_changed"
    GATE_NOT_DECIDED = "gate_not_decided"
    GATE_LOOKED_AT_AGAIN = "gate_looked_at_again"
    GATE_OTHER_RUN = "gate_other_run"
    GATE_USED = "gate_used"
    GATE_OVER = "gate_over"
    GATE_NOT_LESS = "gate_not_less"
    NOT_A_GATE = "not_a_gate"
    # the world
    STANDING_ACCESS = "standing_access"
    TARGET_PERSON_MISSING = "target_person_missing"
    TARGET_PERSON_AMBIGUOUS = "target_person_ambiguous"
    TARGET_PERSON_ELSES = "target_person_elses"
    TARGET_USER_BOUND = "target_user_bound"
    TARGET_USER_CARRIES = "target_user_carries"
    TARGET_USER_UNKNOWN = "target_user_unknown"
    TARGET_USER_IN_USE = "target_user_in_use"
    TARGET_PERSON_NOT_TAGGED = "target_person_not_tagged"
    TARGET_THING_MISSING = "target_thing_missing"
    TARGET_NO_ROOM = "target_no_room"
    TARGET_REFUSED = "target_refused"
    TEMPLATE_REFUSED = "template_refused"
    POLICY_NOT_IN_FORCE = "policy_not_in_force"
    LEDGER_NOT_DURABLE = "ledger_not_durable"
    CLOCK_IN_DOUBT = "clock_in_doubt"
    OLDER_VERSION_RUNS = "older_version_runs"
    LEDGER_IN_DOUBT = "ledger_in_doubt"
    LEDGER_UNREACHABLE = "ledger_unreachable"
    RECORD_UNREADABLE = "record_unreadable"


@dataclass(frozen=True, slots=True)
class Refused:
    """An expected no. `params` fill the sentence; values are plain text and are escaped where they are shown.

    `who`: the name of the person whom it is about, where that is not whoever reads it; without it the sentence says "you".

    `rules` name what matched, so that the answer explains itself. `audited` is False for slips of the keyboard, which
    are no event for the record.
    """

    code: Code
    params: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    audited: bool = True
    # Other slips of the same ask, so that all of them are told at once.
    also: tuple[Refused, ...] = ()


def together(slips: Iterable[Refused | None]) -> Refused | None:
    """All that is wrong with what was typed, as one; None where nothing is."""
    found = [one for one in slips if one is not None]
    return replace(found[0], also=tuple(found[1:])) if found else None
