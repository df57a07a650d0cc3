"""The form for an emergency: another window than the request form's, so that nobody breaks the glass by mistake."""

from __future__ import annotations

import json

from bot.chat.carried import read_carried
from bot.chat.form import Errors, Field, Filled, Form, Select
from bot.chat.forms.fields import (
    DURATION,
    REASON,
    ROLE,
    TICKET,
    duration_choice,
    emergency_ticket_input,
    reason_input,
    role_choice,
)
from bot.chat.forms.request import FormAsk, Where, read_where, seconds_of
from bot.chat.interaction import BREAK_GLASS_FORM
from bot.chat.message import Line, Part
from bot.chat.rich import Rich, say, short
from bot.chat.wording.labels import TIER_WORDS, people
from workflows.core.durations import format_duration
from workflows.core.policy import BreakGlass, Entitlement, Environment
from workflows.core.refusal import Code
from workflows.core.rules.break_glass import default_duration, longest
from workflows.core.rules.eligibility import Ask


def break_glass_form(place: Environment, where: Where) -> Form:
    """On top of the request form. `place` has a break-glass."""
    break_glass = place.break_glass
    if break_glass is None:
        raise ValueError(f"{place.name} has no break-glass")
    roles = [place.roles[name] for name in break_glass.roles if name in place.roles]
    parts: list[Part | Field] = [
        Line(say("🚨 *{}* · {}", short(place.title, 100), TIER_WORDS[place.tier])),
        Line(_consequences(place, break_glass)),
        _role_input(place, roles),
        _duration_input(place, break_glass, roles),
        reason_input(),
    ]
    if any(role.ticket for role in roles):
        parts.append(emergency_ticket_input(place, roles))
    carries = json.dumps({**json.loads(where.packed()), "environment": place.name})
    return Form(BREAK_GLASS_FORM, "🚨 Break glass", "Break glass", parts, carries)


def _consequences(place: Environment, break_glass: BreakGlass) -> Rich:
    limits = [f"for {format_duration(longest(break_glass))} at most"]
    if break_glass.max_per_day:
        limits.append(
            "once in 24 hours" if break_glass.max_per_day == 1 else f"{break_glass.max_per_day} times in 24 hours"
        )
    return say(
        "You are in at once, without an approval, {}. *Everybody sees it*: it is announced in the "
        "channels, and the owners and security are told. Somebody of {} reviews it afterwards.",
        " and ".join(limits),
        short(people(place.owners, "or"), 200),
    )


def _role_input(place: Environment, roles: list[Entitlement]) -> Field:
    choices = [role_choice(item) for item in roles]
    select = Select(choices, choices[0] if len(choices) == 1 else None, "Choose a role")
    return Field(ROLE, "Role", select, of=(place.name,))


def _duration_input(place: Environment, break_glass: BreakGlass, roles: list[Entitlement]) -> Field:
    """The roles' own, as far as an emergency allows them, and the longest."""
    most = longest(break_glass)
    menu = {item for role in roles for item in (*role.durations, default_duration(place, role)) if item <= most}
    select = Select([duration_choice(item) for item in sorted({*menu, most})], shown=True)
    hint = "Without a choice, it is the default of the role."
    return Field(DURATION, "How long", select, of=(place.name,), optional=True, hint=hint)


# ---------------------------------------------------------------- reading


def read_break_glass(filled: Filled) -> FormAsk | Errors:
    """What was asked, or what is wrong with each field that lacks something."""
    role, reason = filled.chosen(ROLE), " ".join(filled.text(REASON).split())
    wrong = {ROLE: "" if role else "Choose a role.", REASON: "" if reason else "Say what the emergency is."}
    errors = {name: sentence for name, sentence in wrong.items() if sentence}
    if errors:
        return errors
    ticket = filled.text(TICKET).strip() or None
    return FormAsk(Ask(_environment(filled), role, seconds_of(filled), reason, ticket), read_where(filled))


def _environment(filled: Filled) -> str:
    """The one that the form was opened for. Whoever makes it up is refused like everybody else."""
    return str(read_carried(filled.carries).get("environment", ""))


_FIELDS: dict[Code, str] = {
    Code.DURATION_TOO_LONG: DURATION,
    Code.DURATION_ZERO: DURATION,
    Code.REASON_MISSING: REASON,
    Code.REASON_TOO_LONG: REASON,
}


def break_glass_field_of(code: Code) -> str:
    """The field that a refusal is about; all others stand beside the role."""
    return _FIELDS.get(code, ROLE)
