"""Bindings: one address, one chat account, one id at each target. A changed binding suspends until it is confirmed."""

from __future__ import annotations

from dataclasses import replace

from workflows.core.audit import Event
from workflows.core.errors import Code, Refused
from workflows.core.model import PersonRecord
from workflows.core.people import PersonFacts


def bind(record: PersonRecord | None, facts: PersonFacts) -> tuple[PersonRecord, Event | None]:
    """The person's record with this chat account on it, and the event where that is news.

    A second account of the same team under one address is a changed binding: whoever can set an address in the chat's
    directory could otherwise become somebody else.
    """
    if record is None:
        return PersonRecord(facts.id, facts.name, slack=(facts.slack,)), Event.PERSON_BOUND
    if facts.slack in record.slack:
        return (record if record.name == facts.name else replace(record, name=facts.name)), None
    if all(account.team != facts.slack.team for account in record.slack):
        return replace(record, slack=(*record.slack, facts.slack)), Event.PERSON_BOUND
    why = "the chat account behind this address has changed"
    return replace(record, suspended=why), Event.PERSON_BINDING_CHANGED if record.suspended is None else None


def suspended(record: PersonRecord | None) -> Refused | None:
    if record is not None and record.suspended:
        return Refused(Code.PERSON_SUSPENDED, {"why": record.suspended})
    return None
