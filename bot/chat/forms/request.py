"""The request form. Views are dicts; what was filled in is read back into values.

A block's id holds what its options depend on, so that Slack drops a value that belongs to another choice, and keeps the
reason that was typed before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from bot.chat.forms.fields import (
    BEGIN,
    about,
    begin_input,
    duration_input,
    emergency_button,
    environment_input,
    id_of,
    modal,
    more_roles_input,
    reason_input,
    recent_first,
    role_input,
    ticket_input,
)
from bot.chat.forms.fields import DURATION as DURATION  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import ENVIRONMENT as ENVIRONMENT  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import MORE_ROLES as MORE_ROLES  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import REASON as REASON  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import ROLE as ROLE  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import TICKET as TICKET  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import options_for as options_for  # noqa: PLC0414 - part of this module's face
from bot.chat.views.deciders import NOBODY, Deciders
from bot.slack import mrkdwn as t
from workflows.core.policy import Entitlement, Environment
from workflows.core.refusal import Code
from workflows.core.rules.eligibility import Ask

REQUEST_FORM = "request_form"


@dataclass(frozen=True, slots=True)
class Where:
    """Where the form was opened from; it travels in private_metadata."""

    channel: str = ""
    channel_name: str = ""
    thread_ts: str | None = None

    def packed(self) -> str:
        # Names have at most 80 characters at Slack; a longer one is none.
        return json.dumps(
            asdict(Where(self.channel[:80], self.channel_name[:200], self.thread_ts and self.thread_ts[:40]))
        )


def read_where(view: Mapping[str, Any]) -> Where:
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return Where()
    if not isinstance(found, dict):
        return Where()
    thread = found.get("thread_ts")
    return Where(
        str(found.get("channel", "")), str(found.get("channel_name", "")), str(thread) if thread is not None else None
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is filled in so far. Names that the policy does not have count as nothing."""

    environment: str | None = None
    role: str | None = None
    reason: str = ""
    duration: timedelta | None = None
    ticket: str | None = None
    # Other roles, asked for in the same go.
    more: tuple[str, ...] = ()
    # When it shall begin, where that is known.
    begin: datetime | None = None


@dataclass(frozen=True, slots=True)
class FormAsk:
    """`more`: other roles that are asked for in the same go."""

    ask: Ask
    where: Where
    more: tuple[str, ...] = ()


def request_form(
    environments: Sequence[Environment],
    chosen: Chosen = Chosen(),
    where: Where = Where(),
    *,
    recent: Sequence[str] = (),
    deciders: Deciders = NOBODY,
    deciders_more: Mapping[str, Deciders] = MappingProxyType({}),
    glass: Sequence[str] = (),
) -> dict[str, Any]:
    """The view for views.open and views.update. `environments`: those that the reader may ask in.

    `recent`: names used last, newest first. `deciders`: who would be asked for the chosen role; `deciders_more`: for each
    of the other roles. `glass`: names of those environments where the reader may break the glass.
    """
    ordered = recent_first(environments, recent)
    place = next((item for item in ordered if item.name == chosen.environment), None)
    entitlement = place.roles.get(chosen.role) if place and chosen.role else None
    if place and entitlement is None and len(place.roles) == 1:
        entitlement = next(iter(place.roles.values()))
    blocks = [environment_input(ordered, place)]
    if place:
        blocks.append(role_input(place, entitlement))
    more = _more(place, entitlement, chosen)
    if entitlement:
        of_first = duration_input(entitlement, chosen.duration, more)
        blocks += [about(entitlement, deciders, named=bool(more)), of_first]
    blocks.append(reason_input(chosen.reason))
    wanted = [role for role in (entitlement, *more) if role and role.ticket]
    wants_ticket = next((role for role in wanted if role.ticket and role.ticket.required), next(iter(wanted), None))
    if wants_ticket:
        blocks.append(ticket_input(wants_ticket, chosen.ticket))
    if entitlement:
        blocks.append(begin_input(chosen.begin))
    others = more_roles_input(place, entitlement, more) if place and entitlement else None
    if others:
        blocks += [others, *(about(role, deciders_more.get(role.role, NOBODY), named=True) for role in more)]
    if place and place.name in glass:
        blocks.append(emergency_button(place))
    return modal(REQUEST_FORM, "Ask for access", "Ask", where.packed(), blocks)


def _more(place: Environment | None, entitlement: Entitlement | None, chosen: Chosen) -> list[Entitlement]:
    if place is None or entitlement is None:
        return []
    names = dict.fromkeys(name for name in chosen.more if name != entitlement.role)
    return [place.roles[name] for name in names if name in place.roles]


# ---------------------------------------------------------------- reading


def read(view: Mapping[str, Any]) -> FormAsk | dict[str, str]:
    """What was asked, or an error beside each field that lacks something (block_id -> sentence)."""
    environment, role = selected(view, ENVIRONMENT), selected(view, ROLE)
    reason = " ".join((typed_text(view, REASON) or "").split())
    errors = {
        ENVIRONMENT: "" if environment else "Choose an environment.",
        ROLE: "" if role else "Choose a role.",
        REASON: "" if reason else "Say why you need it, in a few words.",
    }
    wrong = {block_id_of(view, name): sentence for name, sentence in errors.items() if sentence}
    if wrong:
        return wrong
    ticket = (typed_text(view, TICKET) or "").strip() or None
    ask = Ask(environment or "", role or "", seconds_of(view), reason, ticket, begin_of(view))
    return FormAsk(ask, read_where(view), ticked(element(view, MORE_ROLES)))


def begin_of(view: Mapping[str, Any]) -> datetime | None:
    """What was picked, in seconds since the epoch: Slack knows the clock of whoever picked it."""
    picked = element(view, BEGIN).get("selected_date_time")
    return datetime.fromtimestamp(int(picked), UTC) if picked else None


def chosen(view: Mapping[str, Any]) -> Chosen:
    """What is chosen so far, for drawing the form again after a choice. Slack keeps the typed reason by its block_id."""
    environment = selected(view, ENVIRONMENT)
    # A role that was chosen for another environment is none.
    role = (_held(view, ROLE, environment).get("selected_option") or {}).get("value") if environment else None
    more = ticked(_held(view, MORE_ROLES, environment, role)) if environment and role else ()
    return Chosen(environment, role, more=more)


def _held(view: Mapping[str, Any], action_id: str, *of: str) -> Mapping[str, Any]:
    """What a field holds that depends on these choices."""
    values: Mapping[str, Mapping[str, Any]] = view.get("state", {}).get("values", {})
    return values.get(id_of(action_id, *of), {}).get(action_id) or {}


def ticked(held: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(option["value"]) for option in held.get("selected_options") or ())


def element(view: Mapping[str, Any], action_id: str) -> Mapping[str, Any]:
    values: Mapping[str, Mapping[str, Any]] = view.get("state", {}).get("values", {})
    return next((found[action_id] or {} for found in values.values() if action_id in found), {})


def selected(view: Mapping[str, Any], action_id: str) -> str | None:
    option = element(view, action_id).get("selected_option") or {}
    value = option.get("value")
    return str(value) if value and value != "none" else None


def typed_text(view: Mapping[str, Any], action_id: str) -> str | None:
    return element(view, action_id).get("value")


def seconds_of(view: Mapping[str, Any]) -> timedelta | None:
    value = selected(view, DURATION) or ""
    return timedelta(seconds=int(value)) if value.isascii() and value.isdigit() else None


def block_id_of(view: Mapping[str, Any], action_id: str) -> str:
    """The id of the block that holds this field; the environment's, which is always there, for one that is not shown."""
    blocks: Sequence[Mapping[str, Any]] = view.get("blocks", ())
    ids = (block["block_id"] for block in blocks if block.get("element", {}).get("action_id") == action_id)
    return str(next(ids, ENVIRONMENT))


_FIELDS: dict[Code, str] = {
    Code.ROLE_UNKNOWN: ROLE,
    Code.NOT_A_REQUESTER: ROLE,
    Code.NOBODY_CAN_APPROVE: ROLE,
    Code.OUTSIDE_HOURS: BEGIN,
    Code.DURATION_UNREADABLE: DURATION,
    Code.DURATION_ZERO: DURATION,
    Code.DURATION_TOO_LONG: DURATION,
    Code.REASON_MISSING: REASON,
    Code.REASON_TOO_LONG: REASON,
    Code.TICKET_MISSING: TICKET,
    Code.TICKET_USED: TICKET,
    Code.START_PAST: BEGIN,
    Code.START_TOO_FAR: BEGIN,
}


def field_errors(view: Mapping[str, Any], code: Code, sentence: str) -> dict[str, str]:
    """A refusal beside the field it is about, for `response_action: errors`; all others stand beside the environment."""
    return {block_id_of(view, _FIELDS.get(code, ENVIRONMENT)): t.cut(sentence.replace("`", ""), 1000)}


def beside_fields(said: Iterable[tuple[Code, str]], beside: Callable[[Code, str], dict[str, str]]) -> dict[str, str]:
    """All slips at once, each beside the field that it is about; those of one field are told together."""
    errors: dict[str, str] = {}
    for code, sentence in said:
        for block, words in beside(code, sentence).items():
            errors[block] = t.cut(f"{errors[block]} {words}" if block in errors else words, 1000)
    return errors
