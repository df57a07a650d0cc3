"""The form in which an approver agrees to less than was asked for: a shorter time, or a role of less risk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.chat.form import Choice, Field, Filled, Form, Select
from bot.chat.forms.fields import DURATION, ROLE, duration_choice, role_choice
from bot.chat.message import Line, read_value
from bot.chat.messages.approval_card import headline
from bot.chat.rich import lines, say, short
from bot.chat.views.request_view import RequestView
from workflows.core.durations import format_duration
from workflows.core.policy import Entitlement
from workflows.core.refusal import Code

LESS_FORM = "less_form"


def reduced_approval_form(
    view: RequestView, value: str, roles: Sequence[Entitlement], times: Sequence[timedelta]
) -> Form:
    """`value`: the button's, whose terms are agreed to or cut. `roles` and `times`: what may be given, none of it empty."""
    length = format_duration(view.duration)
    asked = say("Asked: *{}* for {}. Nothing more can be given.", short(view.role, 80), length)
    role = _menu(ROLE, "Role", [role_choice(role) for role in roles])
    time = _menu(DURATION, "How long", [duration_choice(time) for time in times])
    return Form(LESS_FORM, "Approve for less", "Approve", (Line(lines((headline(view), asked))), role, time), value)


def _menu(name: str, label: str, choices: Sequence[Choice]) -> Field:
    return Field(name, label, Select(choices, choices[0]))


def read(filled: Filled) -> dict[str, str] | None:
    """`id`, `role`, `duration_s` and, where the button had them, `terms`; None where it carries nothing of ours."""
    found = read_value(filled.carries)
    role, seconds = filled.chosen(ROLE), filled.chosen(DURATION)
    if found is None or not role or not (seconds.isascii() and seconds.isdigit()):
        return None
    fields = {"id": found[0], "role": role, "duration_s": seconds}
    return fields | ({"terms": found[1]} if found[1] else {})


_TIMES = frozenset({Code.NOT_LESS, Code.DURATION_TOO_LONG, Code.DURATION_ZERO})


def field_of(code: Code) -> str:
    """The field that a refusal is about."""
    return DURATION if code in _TIMES else ROLE
