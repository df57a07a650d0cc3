"""The fields of the request form, each within Slack's limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.chat.views.deciders import Deciders
from bot.chat.wording.labels import TIER_WORDS
from bot.chat.wording.tickets import like
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from workflows.core.canonical_json import digest
from workflows.core.durations import format_duration
from workflows.core.policy import Entitlement, Environment
from workflows.core.rules.batch import SEVERAL_MAX
from workflows.core.rules.eligibility import REASON_LENGTH_MAX

# action_ids; the block_id of each begins with the same word.
ENVIRONMENT, ROLE, DURATION, REASON, TICKET = "environment", "role", "duration", "reason", "ticket"
# action_id of the menu of further roles.
MORE_ROLES = "more_roles"
# action_id of the button that leads to the form for an emergency.
BREAK_GLASS = "break_glass"
BEGIN = "begin"
OPTIONS_MAX = 100
_RADIO_MAX = 10
_ALLOWS_LENGTH_MAX = 300


def modal(callback_id: str, title: str, submit: str, metadata: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": b.plain_text(title, 24),
        "submit": b.plain_text(submit, 24),
        "close": b.plain_text("Cancel", 24),
        "private_metadata": metadata,
        "blocks": blocks,
    }


def recent_first(environments: Sequence[Environment], recent: Sequence[str]) -> list[Environment]:
    rank = {name: number for number, name in enumerate(recent)}
    return sorted(environments, key=lambda item: (rank.get(item.name, len(rank)), item.name))


def field(block_id: str, label: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": block_id, "label": b.plain_text(label, 200), "element": element, **more}


def option(text: str, value: str) -> dict[str, Any]:
    return {"text": b.plain_text(text, 75), "value": value[:150]}


def _environment_option(item: Environment) -> dict[str, Any]:
    """Tier first: of a long title the end is cut, and production must be seen."""
    return option(f"{TIER_WORDS[item.tier]} · {t.cut(item.title, 30)} · {item.name}", item.name)


def environment_input(environments: Sequence[Environment], place: Environment | None) -> dict[str, Any]:
    many = len(environments) > OPTIONS_MAX
    element: dict[str, Any] = {
        "type": "external_select" if many else "static_select",
        "action_id": ENVIRONMENT,
        "placeholder": b.plain_text("Choose an environment", 150),
    }
    if many:
        element["min_query_length"] = 0
    else:
        element["options"] = [_environment_option(item) for item in environments] or [option("None", "none")]
    if place:
        element["initial_option"] = _environment_option(place)
    return field(ENVIRONMENT, "Environment", element, dispatch_action=True)


def options_for(
    query: str, environments: Sequence[Environment], recent: Sequence[str] = ()
) -> dict[str, list[dict[str, Any]]]:
    """The answer to a type-ahead request: what contains all words of `query`, recent ones first, 100 at most."""
    words = t.straight(query).lower().split()
    found = [
        item
        for item in recent_first(environments, recent)
        if all(word in f"{item.name} {item.title} {item.tier.value}".lower() for word in words)
    ]
    return {"options": [_environment_option(item) for item in found[:OPTIONS_MAX]]}


def id_of(*parts: str) -> str:
    """A block_id of its own for each choice that it depends on; at most 255 characters, whatever the names."""
    return f"{parts[0]}:{digest(list(parts[1:]))[:16]}"


def _role_option(entitlement: Entitlement) -> dict[str, Any]:
    return option(entitlement.role, entitlement.role) | {"description": b.plain_text(entitlement.allows, 75)}


def role_input(place: Environment, entitlement: Entitlement | None) -> dict[str, Any]:
    options = [_role_option(item) for item in list(place.roles.values())[:OPTIONS_MAX]] or [option("None", "none")]
    element: dict[str, Any] = {
        "type": "static_select",
        "action_id": ROLE,
        "placeholder": b.plain_text("Choose a role", 150),
        "options": options,
    }
    if entitlement and _role_option(entitlement) in options:
        element["initial_option"] = _role_option(entitlement)
    return field(id_of(ROLE, place.name), "Role", element, dispatch_action=True)


def more_roles_input(
    place: Environment, entitlement: Entitlement, more: Sequence[Entitlement]
) -> dict[str, Any] | None:
    """Further roles of the environment, asked for in the same go; None where it has no others."""
    others = [item for item in place.roles.values() if item.role != entitlement.role][:OPTIONS_MAX]
    if not others:
        return None
    element: dict[str, Any] = {
        "type": "multi_static_select",
        "action_id": MORE_ROLES,
        "placeholder": b.plain_text("Only this one", 150),
        "options": [_role_option(item) for item in others],
        "max_selected_items": SEVERAL_MAX - 1,
    }
    chosen = [_role_option(item) for item in more if item in others]
    if chosen:
        element["initial_options"] = chosen
    block_id = id_of(MORE_ROLES, place.name, entitlement.role)
    return field(block_id, "Other roles in one go", element, optional=True, dispatch_action=True)


def about(entitlement: Entitlement, deciders: Deciders, *, named: bool = False) -> dict[str, Any]:
    """What it allows, what it can break, who will be asked: before it is sent. `named`: it is one of several."""
    name = f"*{t.literal(entitlement.role, 80)}* · " if named else ""
    lines = [f"{name}Allows: {t.literal(entitlement.allows, _ALLOWS_LENGTH_MAX)}"]
    if entitlement.danger:
        lines.append(f"⚠️ *Dangerous:* {t.literal(entitlement.danger, 300)}")
    return b.section("\n".join([*lines, _who_is_asked(entitlement, deciders)]))


def _who_is_asked(entitlement: Entitlement, deciders: Deciders) -> str:
    if not entitlement.approve:
        return "Nobody is asked: a rule of the policy decides."
    if not deciders:
        return "Asks: its owners."
    return t.literal(f"Asks: {deciders.rule}{deciders.once}.", 1000)


def duration_input(
    entitlement: Entitlement, chosen: timedelta | None = None, more: Sequence[Entitlement] = ()
) -> dict[str, Any]:
    """The least first, as buttons while there are few. `chosen`: what is marked, where the role has it.

    `more`: roles that are asked for in the same go, for as long.
    """
    longest = min(item.max_duration for item in (entitlement, *more))
    offered = {*entitlement.durations, entitlement.default_duration}
    menu = sorted(item for item in offered if item <= longest)[:OPTIONS_MAX] or [longest]
    options = [duration_option(item) for item in menu]
    element: dict[str, Any] = {
        "type": "radio_buttons" if len(options) <= _RADIO_MAX else "static_select",
        "action_id": DURATION,
        "options": options,
    }
    marked = chosen if chosen in menu else entitlement.default_duration
    if marked in menu:
        element["initial_option"] = duration_option(marked)
    roles = (entitlement.role, *(item.role for item in more))
    return field(id_of(DURATION, entitlement.environment, *roles), "How long", element)


def duration_option(item: timedelta) -> dict[str, Any]:
    return option(format_duration(item), str(int(item.total_seconds())))


def begin_input(begin: datetime | None = None) -> dict[str, Any]:
    """Left empty by most."""
    hint = b.plain_text("Only if it shall begin later than its approval; within seven days.", 200)
    element: dict[str, Any] = {"type": "datetimepicker", "action_id": BEGIN}
    if begin:
        element["initial_date_time"] = int(begin.timestamp())
    return field(BEGIN, "Begin", element, optional=True, hint=hint)


def text_element(action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "plain_text_input", "action_id": action_id, **more}


def reason_input(reason: str) -> dict[str, Any]:
    element = text_element(REASON, multiline=True, max_length=REASON_LENGTH_MAX)
    if reason:
        element["initial_value"] = reason[:REASON_LENGTH_MAX]
    return field(REASON, "Why", element)


def ticket_input(entitlement: Entitlement, ticket: str | None = None) -> dict[str, Any]:
    """Wanted where the role wants one; whoever types their ask may have it in the reason, too."""
    rule = entitlement.ticket
    hint = b.plain_text(f"Like {like(rule.pattern)}" if rule else "As your tickets are called", 200)
    block_id = id_of(TICKET, entitlement.environment, entitlement.role)
    element = text_element(TICKET, max_length=100)
    if ticket:
        element["initial_value"] = ticket[:100]
    return field(block_id, "Ticket", element, optional=not (rule and rule.required), hint=hint)


def emergency_button(place: Environment) -> dict[str, Any]:
    """In the request form, for those whom the policy lets in."""
    line = "🚨 *An emergency, and nobody to approve?* Everybody sees it, and an owner reviews it afterwards."
    return b.section(line, b.button("Break glass...", BREAK_GLASS, place.name, style="danger"))
