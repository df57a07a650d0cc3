"""The same step is told under another name where it is about a gate: whoever reads that access was given finds none of it."""

from __future__ import annotations

from collections.abc import Mapping

from workflows.core.audit import Event
from workflows.core.gates.ask import GateAsk

_OF_GATES: Mapping[Event, Event] = {
    Event.REQUEST_AGREED: Event.GATE_AGREED,
    Event.REQUEST_APPROVED: Event.GATE_APPROVED,
    Event.REQUEST_DENIED: Event.GATE_DENIED,
    Event.REQUEST_EXPIRED: Event.GATE_EXPIRED,
    Event.REQUEST_WITHDRAWN: Event.GATE_WITHDRAWN,
    Event.REQUEST_TERMS_CHANGED: Event.GATE_TERMS_CHANGED,
}


def as_told(kind: Event, gate: GateAsk | None) -> Event:
    """`kind`: as it is called of a request for access. What happens to both alike keeps its name (a reminder, say)."""
    return _OF_GATES.get(kind, kind) if gate is not None else kind
