"""The form for an emergency: another window than the request form's, so that nobody breaks the glass by mistake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.chat.forms.fields import (
    DURATION,
    REASON,
    ROLE,
    TICKET,
    field,
    id_of,
    modal,
    option,
    reason_input,
    text_element,
)
from bot.chat.forms.request import FormAsk, Where, block_id_of, read_where, seconds_of, selected, typed_text
from bot.chat.wording.labels import TIER_WORDS, people
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from workflows.core.durations import format_duration
from workflows.core.policy import BreakGlass, Entitlement, Environment
from workflows.core.refusal import Code
from workflows.core.rules.break_glass import default_duration, longest
from workflows.core.rules.eligibility import Ask

GLASS_FORM = "glass_form"
_RADIO_MAX = 10


def glass_form(place: Environment, where: Where) -> dict[str, Any]:
    """The view for views.push. `place` has a break-glass."""
    glass = place.break_glass
    if glass is None:
        raise ValueError(f"{place.name} has no break-glass")
    roles = [place.roles[name] for name in glass.roles if name in place.roles]
    blocks = [
        b.section(f"🚨 *{t.literal(place.title, 100)}* · {TIER_WORDS[place.tier]}"),
        b.section(_consequences(place, glass)),
        _role_input(place, roles),
        _duration_input(place, glass, roles),
        reason_input(""),
    ]
    if any(role.ticket for role in roles):
        blocks.append(field(id_of(TICKET, place.name), "Ticket", text_element(TICKET, max_length=100), optional=True))
    metadata = json.dumps({**json.loads(where.packed()), "environment": place.name})
    return modal(GLASS_FORM, "🚨 Break glass", "Break glass", metadata, blocks)


def _consequences(place: Environment, glass: BreakGlass) -> str:
    limits = [f"for {format_duration(longest(glass))} at most"]
    if glass.max_per_day:
        limits.append("once in 24 hours" if glass.max_per_day == 1 else f"{glass.max_per_day} times in 24 hours")
    owners = t.literal(people(place.owners, "or"), 200)
    return (
        f"You are in at once, without an approval, {' and '.join(limits)}. *Everybody sees it*: it is announced in the "
        f"channels, and the owners and security are told. Somebody of {owners} reviews it afterwards."
    )


def _role_input(place: Environment, roles: list[Entitlement]) -> dict[str, Any]:
    options = [option(item.role, item.role) | {"description": b.plain_text(item.allows, 75)} for item in roles]
    select: dict[str, Any] = {"type": "static_select", "action_id": ROLE, "options": options[:100]}
    select["placeholder"] = b.plain_text("Choose a role", 150)
    if len(options) == 1:
        select["initial_option"] = options[0]
    return field(id_of(ROLE, place.name), "Role", select)


def _duration_input(place: Environment, glass: BreakGlass, roles: list[Entitlement]) -> dict[str, Any]:
    """The roles' own, as far as an emergency allows them, and the longest."""
    most = longest(glass)
    menu = {item for role in roles for item in (*role.durations, default_duration(place, role)) if item <= most}
    options = [option(format_duration(item), str(int(item.total_seconds()))) for item in sorted({*menu, most})]
    radio = len(options) <= _RADIO_MAX
    select = {"type": "radio_buttons" if radio else "static_select", "action_id": DURATION, "options": options[:100]}
    hint = b.plain_text("Nothing chosen: the role's own.", 150)
    return field(id_of(DURATION, place.name), "How long", select, optional=True, hint=hint)


# ---------------------------------------------------------------- reading


def read_glass(view: Mapping[str, Any]) -> FormAsk | dict[str, str]:
    """What was asked, or an error beside each field that lacks something (block_id -> sentence)."""
    role, reason = selected(view, ROLE), " ".join((typed_text(view, REASON) or "").split())
    wrong = {ROLE: "" if role else "Choose a role.", REASON: "" if reason else "Say what the emergency is."}
    errors = {block_id_of(view, name): sentence for name, sentence in wrong.items() if sentence}
    if errors:
        return errors
    ticket = (typed_text(view, TICKET) or "").strip() or None
    return FormAsk(Ask(_environment(view), role or "", seconds_of(view), reason, ticket), read_where(view))


def _environment(view: Mapping[str, Any]) -> str:
    """The one that the form was opened for. Whoever makes it up is refused like everybody else."""
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return ""
    return str(found.get("environment", "")) if isinstance(found, dict) else ""


def glass_errors(view: Mapping[str, Any], code: Code, sentence: str) -> dict[str, str]:
    """A refusal beside the field it is about; all others stand beside the role."""
    fields = {
        Code.DURATION_TOO_LONG: DURATION,
        Code.DURATION_ZERO: DURATION,
        Code.REASON_MISSING: REASON,
        Code.REASON_TOO_LONG: REASON,
    }
    return {block_id_of(view, fields.get(code, ROLE)): t.cut(sentence.replace("`", ""), 1000)}
