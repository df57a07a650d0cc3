"""What fails, in words for people."""

from __future__ import annotations

from workflows.core.records.oversight import Trouble

_WORDS = {
    "request": "the next step of {}",
    "holding": "access {} at its target",
    "end": "ending {}",
    "warn": "the reminder before the end of {}",
    "chase": "reminding who can approve {}",
    "review": "the review of {}",
    "announced": "telling everybody of {}",
    "sweepout": "revoking everything ({})",
    "refusals": "counting what was refused",
    "chat": "sending messages about {}",
    "digest": "the digest {}",
    "press": "what somebody pressed or typed",
    "terminal": "what somebody asked for from a terminal",
    "act": "what people do in chat ({})",
    "activity": "looking up what was done with {}",
    "drift": "comparing what is given with the record ({})",
    "forge": "telling GitHub or GitLab of {}",
    "certification": "asking and reminding owners in certification {}",
    "seal": "sealing the audit log",
    "retained": "letting go of what is over",
    "whois": "finding out whose the account {} is",
    "leavers": "finding out who of those with access is gone",
    "process": "{}",
}

_PROCESS = {
    "clock look": "finding what is due",
    "clock policy": "putting the policy folder in force",
    "clock durability": "putting on record how durable the ledger is",
    "clock wake-ups": "waking workers",
    "sealing": "looking whether the audit log is sealed",
    "rescue": "ending what is overdue without the queue",
    "refresh": "reading groups again",
    "github": "asking GitHub what it said in vain",
    "gitlab": "asking GitLab which deployments wait",
    "policy": "reading the policy folder",
    "tidy troubles": "finding out which of these are over",
    "clock retention": "planning what leaves the record",
    "clock drift": "planning the comparison of what is given with the record",
    "secrets": "using the newest value of each secret",
}


def what_fails(trouble: Trouble) -> str:
    """`the next step of PA-7`, of `request:PA-7`."""
    kind, _, id_ = trouble.item.partition(":")
    id_ = trouble.about or id_
    return _WORDS.get(kind, f"{kind} {{}}").format(_PROCESS.get(id_, id_) if kind == "process" else id_)
