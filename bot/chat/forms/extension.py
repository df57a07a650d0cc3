"""The small form that asks for more time on live access: how long, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.chat.carried import read_seconds
from bot.chat.form import Field, Filled, Form, Select
from bot.chat.forms.fields import DURATION, REASON, TICKET, duration_choice, reason_input, ticket_input
from bot.chat.message import Line, Part, read_value
from bot.chat.messages.approval_card import headline
from bot.chat.rich import NOTHING, Time, say
from bot.chat.views.request_view import RequestView
from workflows.core.policy import Entitlement
from workflows.core.refusal import Code

EXTEND_FORM = "extend_form"


def extend_form(view: RequestView, entitlement: Entitlement, times: Sequence[timedelta]) -> Form:
    """`times`: what may be added, the least first, never empty."""
    end = say(" Without more time it ends {}.", Time(view.deadline, view.now)) if view.deadline else NOTHING
    choices = [duration_choice(time) for time in times]
    parts: list[Part | Field] = [
        Line(say("{}.{}", headline(view), end)),
        Field(DURATION, "How much longer", Select(choices, choices[0])),
        reason_input(),
    ]
    if entitlement.ticket:
        parts.append(ticket_input(entitlement, view.ticket))
    return Form(EXTEND_FORM, "Ask for more time", "Ask", parts, view.id)


def read(filled: Filled) -> dict[str, str] | None:
    """`id`, `duration_s`, `reason`, `ticket`; None where it carries nothing of ours."""
    found, seconds = read_value(filled.carries), filled.chosen(DURATION)
    if found is None or read_seconds(seconds) is None:
        return None
    texts = {name: " ".join(filled.text(name).split()) for name in (REASON, TICKET)}
    return {"id": found[0], "duration_s": seconds, **texts}


_TIMES = frozenset({Code.TOTAL_TOO_LONG, Code.DURATION_TOO_LONG, Code.DURATION_ZERO, Code.GRANT_OVER})


def field_of(code: Code) -> str:
    """The field that a refusal is about."""
    return DURATION if code in _TIMES else REASON
