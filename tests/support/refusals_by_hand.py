"""Refusals with parameters by hand: what no walk comes to, and what is tried as others read it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.build import HOUR, NOW
from workflows.core.refusal import Code

UNTIL = (NOW + HOUR).isoformat()
ROLE = {"role": "read-only", "environment": "payments-prod"}
# Refusals that no scene can make, each with the reason, and the parameters that their writer gives.
ELSEWHERE: Mapping[Code, Mapping[str, str]] = {
    # Told to nobody: a worker looks, and answers; what is asked for already is shown in its place.
    Code.FACTS_STALE: {},
    Code.ALREADY_ASKED: {"id": "PA-2"},
    # Nobody can be read in memory while the memory cannot be reached: the web process says it (test_slack_bolt).
    Code.LEDGER_UNREACHABLE: {},
    # Between the look and the press of the panic switch the last of it was over (test_revoke_all).
    Code.NOTHING_TO_REVOKE: {"name": "Dana"},
    # Between card and press ledger or clock came into doubt (test_drift).
    Code.DRIFT_NOT_NOW: {},
    # Made from what AWS holds, of which the target in memory has nothing (test_target_aws, test_templates).
    Code.TARGET_THING_MISSING: {"thing": "permission set", "where": "IAM Identity Center"},
    Code.TARGET_NO_ROOM: {"needed": "900", "left": "100"},
    Code.TEMPLATE_REFUSED: {"why": "It is no JSON"},
    Code.TARGET_PERSON_ELSES: {"name": "Dana", "ids": "PA-1042"},
    # Said on the command line alone (test_certify_cli, test_operate_cli).
    Code.CERTIFICATION_OPEN: {"number": "3", "environments": "payments-prod"},
    Code.TARGET_USER_UNKNOWN: {"user": "9067-1"},
    Code.TARGET_USER_IN_USE: {"name": "Dana", "ids": "PA-1042"},
    # Told to a pipeline alone, in the log of its job (test_gates).
    Code.TERMINAL_NOT_ALLOWED: {"why": "policy", "environment": "payments-prod", "role": "operate"},
    Code.PIPELINE_NOT_ALLOWED: {"why": "The policy names no pipeline of the issuer of this token."},
    Code.TOKEN_USED: {},
    Code.GATE_TOO_MANY: {"max": "10"},
    Code.GATE_STARTER_UNKNOWN: {"gate": "deploy", "parts": "started, pushed"},
    Code.GATE_NOT_DECIDED: {"id": "PA-1"},
    Code.GATE_LOOKED_AT_AGAIN: {},
    Code.GATE_OTHER_RUN: {"id": "PA-1"},
    Code.GATE_USED: {"id": "PA-1"},
    Code.NOT_A_GATE: {"id": "PA-1", "environment": "payments-prod", "role": "admin"},
    Code.GATE_OVER: {"id": "PA-1"},
}
# With them the wording is tried as others read it: on a card, in receipts, in an explanation.
TRIED: Mapping[Code, Mapping[str, str]] = {
    **ELSEWHERE,
    Code.PERSON_UNKNOWN: {"name": "@max", "mentioned": "yes"},
    Code.PERSON_SUSPENDED: {"why": "address_changed", "address": "max@example.com"},
    Code.HOLDER_UNFIT: {"name": "Gus", "why": "person_guest"},
    Code.BREAK_GLASS_TOO_OFTEN: {"max": "2", "environment": "payments-prod", "until": UNTIL},
    Code.BREAK_GLASS_BARRED: {"why": "Olu flagged the break-glass PA-1", "groups": "security", "asks": "true"},
    Code.NOBODY_CAN_APPROVE: {**ROLE, "groups": "platform"},
    Code.TARGET_PERSON_MISSING: {"address": "dana@example.com", "where": "IAM Identity Center"},
    Code.TARGET_PERSON_AMBIGUOUS: {"address": "dana@example.com", "where": "IAM Identity Center"},
    Code.TARGET_PERSON_NOT_TAGGED: {"user": "dana", "tag": "prodaccess:person", "address": "dana@example.com"},
    Code.TARGET_USER_CARRIES: {"name": "Dana", "user": "9067-1", "address": "dana@example.com"},
    Code.TARGET_USER_BOUND: {"name": "Dana", "user": "9067-1", "address": "nia@example.com"},
    Code.TARGET_REFUSED: {"why": "AWS does not let the worker do this"},
    Code.STANDING_ACCESS: {"how": "through group admins", "what": "ReadOnlyAccess"},
    Code.START_MISSED: {"id": "PA-1"},
    Code.ROLE_CHANGED: {"id": "PA-1", "role": "read-only", "what": "start"},
}
