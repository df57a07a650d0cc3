"""The request form; what was filled in is read back into values.

A field says what its choices depend on, so that a value that belongs to another choice is dropped, and the reason that was
typed before is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.chat.carried import read_carried, read_seconds
from bot.chat.commands.model import Whom
from bot.chat.commands.parser import addresses, mentioned
from bot.chat.form import Errors, Field, Filled, Form
from bot.chat.forms.fields import (
    BEGIN,
    HOLDER,
    MORE_ENVIRONMENTS,
    about,
    begin_input,
    duration_input,
    emergency_button,
    environment_input,
    holder_input,
    more_environments_input,
    more_roles_input,
    reason_input,
    recent_first,
    role_input,
    shut_line,
    ticket_input,
)
from bot.chat.forms.fields import DURATION as DURATION  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import ENVIRONMENT as ENVIRONMENT  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import MORE_ROLES as MORE_ROLES  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import REASON as REASON  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import ROLE as ROLE  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import TICKET as TICKET  # noqa: PLC0414 - part of this module's face
from bot.chat.forms.fields import choices_for as choices_for  # noqa: PLC0414 - part of this module's face
from bot.chat.interaction import Interaction
from bot.chat.message import Part
from bot.chat.views.deciders import NOBODY, Deciders
from workflows.core.identity import NO_DOMAINS, Address
from workflows.core.policy import Entitlement, Environment
from workflows.core.refusal import Code
from workflows.core.rules.eligibility import Ask

REQUEST_FORM = "request_form"
# The act's field with the account of who shall have it.
FOR = "for"
# Beside the field; what is typed is told by the command.
SAY_WHY = "Say why you need it, in a few words."
_BOTH = "Ask for several roles, or in several environments, and not for both at once."
_ONE_FOR_ANOTHER = "For somebody else, ask for one role in one environment at a time."


@dataclass(frozen=True, slots=True)
class Where:
    """Where the form was opened from; the form carries it."""

    channel: str = ""
    channel_name: str = ""
    thread_ts: str | None = None

    def packed(self) -> str:
        # Names have at most 80 characters; a longer one is none.
        return json.dumps(
            asdict(Where(self.channel[:200], self.channel_name[:200], self.thread_ts and self.thread_ts[:40]))
        )


def read_where(filled: Filled) -> Where:
    found = read_carried(filled.carries)
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
    # Other roles, asked for in the same go; or the same role in other environments.
    more: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    # When it shall begin, where that is known.
    begin: datetime | None = None
    # The account of who shall have it, where that is somebody else.
    holder: str = ""


@dataclass(frozen=True, slots=True)
class FormAsk:
    """`more`: other roles that are asked for in the same go; `places`: other environments. `holder`: the account of who
    shall have it, where that is somebody else.
    """

    ask: Ask
    where: Where
    more: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    holder: str = ""


def request_form(
    environments: Sequence[Environment],
    chosen: Chosen = Chosen(),
    where: Where = Where(),
    *,
    recent: Sequence[str] = (),
    deciders: Deciders = NOBODY,
    deciders_more: Mapping[str, Deciders] = MappingProxyType({}),
    break_glass: Sequence[str] = (),
    shut: str = "",
) -> Form:
    """`environments`: those that the reader may ask in.

    `recent`: names used last, newest first. `deciders`: who would be asked for the chosen role; `deciders_more`: for each
    of the others, by its name. `break_glass`: names of those environments where the reader may break the glass. `shut`: why it
    cannot begin as it is filled in, where it can later.
    """
    ordered = recent_first(environments, recent)
    place = next((item for item in ordered if item.name == chosen.environment), None)
    entitlement = place.roles.get(chosen.role) if place and chosen.role else None
    if place and entitlement is None and len(place.roles) == 1:
        entitlement = next(iter(place.roles.values()))
    parts: list[Part | Field] = [environment_input(ordered, place)]
    if place:
        parts.append(role_input(place, entitlement))
    more = _more(ordered, place, entitlement, chosen)
    if entitlement:
        named = _name_of(entitlement, more) if more else ""
        parts += [about(entitlement, deciders, named), *([shut_line(shut)] if shut else [])]
        parts.append(duration_input(entitlement, chosen.duration, more))
    parts.append(reason_input(chosen.reason))
    wanted = [role for role in (entitlement, *more) if role and role.ticket]
    wants_ticket = next((role for role in wanted if role.ticket and role.ticket.required), next(iter(wanted), None))
    if wants_ticket:
        parts.append(ticket_input(wants_ticket, chosen.ticket))
    if place and entitlement:
        parts.append(begin_input(chosen.begin))
        parts += _others(ordered, place, entitlement, more, chosen.holder)
        parts += [about(role, deciders_more.get(role.name, NOBODY), _name_of(role, [entitlement])) for role in more]
    if place and place.name in break_glass:
        parts.append(emergency_button(place))
    return Form(REQUEST_FORM, "Ask for access", "Ask", parts, where.packed())


def _more(
    environments: Sequence[Environment], place: Environment | None, entitlement: Entitlement | None, chosen: Chosen
) -> list[Entitlement]:
    """Other roles here; where there are none, the same role in other environments."""
    if place is None or entitlement is None:
        return []
    names = dict.fromkeys(name for name in chosen.more if name != entitlement.role)
    found = [place.roles[name] for name in names if name in place.roles]
    elsewhere = (item for item in environments if item.name in chosen.places and item is not place)
    return found or [item.roles[entitlement.role] for item in elsewhere if entitlement.role in item.roles]


def _name_of(entitlement: Entitlement, others: Sequence[Entitlement]) -> str:
    """Which of several it is: by what tells them apart."""
    here = all(item.environment == entitlement.environment for item in others)
    return entitlement.role if here else f"{entitlement.role} in {entitlement.environment}"


def _others(
    environments: Sequence[Environment],
    place: Environment,
    entitlement: Entitlement,
    more: Sequence[Entitlement],
    holder: str,
) -> list[Part | Field]:
    """Several roles of one environment, one role in several environments, or one thing for somebody else; never two of these."""
    here = bool(more) and more[0].environment == place.name
    roles = more_roles_input(place, entitlement, more) if here or not more else None
    places = None if here else more_environments_input(environments, entitlement, more)
    somebody = None if more else holder_input(entitlement, holder)
    return [part for part in (somebody, roles, places) if part is not None]


# ---------------------------------------------------------------- reading


def read(filled: Filled) -> FormAsk | Errors:
    """What was asked, or what is wrong with each field that lacks something."""
    environment, role = filled.chosen(ENVIRONMENT), filled.chosen(ROLE)
    reason = " ".join(filled.text(REASON).split())
    if not (environment and role):
        # Without these two nobody can tell what else is wrong.
        errors = {
            ENVIRONMENT: "" if environment else "Choose an environment.",
            ROLE: "" if role else "Choose a role.",
            REASON: "" if reason else SAY_WHY,
        }
        return {name: sentence for name, sentence in errors.items() if sentence}
    ticket = filled.text(TICKET).strip() or None
    more, places, holder = filled.several(MORE_ROLES), filled.several(MORE_ENVIRONMENTS), filled.chosen(HOLDER)
    if places and more:
        return {MORE_ENVIRONMENTS: _BOTH}
    if holder and (places or more):
        return {HOLDER: _ONE_FOR_ANOTHER}
    ask = Ask(environment, role, seconds_of(filled), reason, ticket, filled.moment(BEGIN))
    return FormAsk(ask, read_where(filled), more, places, holder)


def chosen(filled: Filled) -> Chosen:
    """What is chosen so far, for drawing the form again after a choice. The chat keeps the reason that was typed."""
    environment = filled.chosen(ENVIRONMENT) or None
    # A role that was chosen for another environment is none.
    role = filled.only(ROLE, environment).chosen(ROLE) or None if environment else None
    if not (environment and role):
        return Chosen(environment, role, begin=filled.moment(BEGIN))
    more = filled.only(MORE_ROLES, environment, role).several(MORE_ROLES)
    places = filled.only(MORE_ENVIRONMENTS, environment, role).several(MORE_ENVIRONMENTS)
    return Chosen(environment, role, more=more, places=places, begin=filled.moment(BEGIN))


def chosen_person(act: Interaction) -> Whom | None:
    """For whom a form asks, where that is somebody else: picked in the chat, or by their address."""
    chosen = (act.fields or {}).get(FOR)
    if not chosen:
        return None
    return Whom(None, chosen) if "@" in chosen else Whom(chosen, "The chosen person")


def named_accounts(act: Interaction) -> tuple[str, ...]:
    """The chat's ids of the people whom an act names, typed or chosen."""
    chosen = chosen_person(act)
    return (*mentioned(act.text), *([chosen.user] if chosen and chosen.user else []))


def named_addresses(act: Interaction, former_domains: Mapping[str, str] = NO_DOMAINS) -> tuple[Address, ...]:
    """The addresses that an act names, typed in a line or in a form."""
    chosen = chosen_person(act)
    return addresses(f"{act.text} {chosen.text if chosen and not chosen.user else ''}", former_domains)


def seconds_of(filled: Filled) -> timedelta | None:
    return read_seconds(filled.chosen(DURATION))


_FIELDS: dict[Code, str] = {
    Code.ROLE_UNKNOWN: ROLE,
    Code.NOT_A_REQUESTER: ROLE,
    Code.NOBODY_CAN_APPROVE: ROLE,
    Code.HOLDER_UNFIT: HOLDER,
    Code.HOLDER_BLOCKED: HOLDER,
    Code.PERSON_UNKNOWN: HOLDER,
    Code.OUTSIDE_HOURS: BEGIN,
    Code.DURATION_UNREADABLE: DURATION,
    Code.DURATION_ZERO: DURATION,
    Code.DURATION_TOO_LONG: DURATION,
    Code.REASON_MISSING: REASON,
    Code.REASON_TOO_LONG: REASON,
    Code.TICKET_MISSING: TICKET,
    Code.TICKET_USED: TICKET,
    Code.TICKET_CLOSED: TICKET,
    Code.TICKET_ABSENT: TICKET,
    Code.TICKET_NOT_VERIFIED: TICKET,
    Code.START_PAST: BEGIN,
    Code.START_TOO_FAR: BEGIN,
}


def field_of(code: Code) -> str:
    """The field that a refusal is about; all others stand beside the environment."""
    return _FIELDS.get(code, ENVIRONMENT)


def beside_fields(said: Iterable[tuple[Code, str]], field_of: Callable[[Code], str]) -> dict[str, str]:
    """All slips at once, each beside the field that it is about; those of one field are told together."""
    errors: dict[str, str] = {}
    for code, sentence in said:
        name = field_of(code)
        errors[name] = f"{errors[name]} {sentence}" if name in errors else sentence
    return errors
