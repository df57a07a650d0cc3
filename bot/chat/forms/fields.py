"""The fields of the forms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.chat.form import Choice, Field, Moment, Select, Several, Somebody, Typed
from bot.chat.message import Button, Line
from bot.chat.rich import NOTHING, Rich, lines, ours, say, short
from bot.chat.text import cut, straight
from bot.chat.views.deciders import Deciders
from bot.chat.wording.labels import TIER_WORDS
from bot.chat.wording.tickets import like
from workflows.core.durations import format_duration
from workflows.core.policy import Entitlement, Environment
from workflows.core.rules.batch import SEVERAL_MAX
from workflows.core.rules.eligibility import REASON_LENGTH_MAX

# Names of the fields.
ENVIRONMENT, ROLE, DURATION, REASON, TICKET = "environment", "role", "duration", "reason", "ticket"
# The menus of further roles, and of further environments with the same role.
MORE_ROLES, MORE_ENVIRONMENTS = "more_roles", "more_environments"
# Who shall have it, where that is somebody else.
HOLDER = "holder"
# What the button does that fills in the begin with the time when it opens.
BEGIN_THEN = "begin_then"
# What the button does that leads to the form for an emergency.
BREAK_GLASS = "break_glass"
BEGIN = "begin"
REDRAWING = (ENVIRONMENT, ROLE, MORE_ROLES, MORE_ENVIRONMENTS, BEGIN_THEN)
# Of more than these, what is typed is looked up.
OPTIONS_MAX = 100
_ALLOWS_LENGTH_MAX = 300
_TICKET_LENGTH_MAX = 100


def recent_first(environments: Sequence[Environment], recent: Sequence[str]) -> list[Environment]:
    rank = {name: number for number, name in enumerate(recent)}
    return sorted(environments, key=lambda item: (rank.get(item.name, len(rank)), item.name))


def _environment_choice(item: Environment) -> Choice:
    """Tier first: of a long title the end is cut, and production must be seen."""
    return Choice(f"{TIER_WORDS[item.tier]} · {cut(item.title, 30)} · {item.name}", item.name)


def environment_input(environments: Sequence[Environment], place: Environment | None) -> Field:
    select = Select(
        [_environment_choice(item) for item in environments],
        _environment_choice(place) if place else None,
        "Choose an environment",
        searched=len(environments) > OPTIONS_MAX,
    )
    return Field(ENVIRONMENT, "Environment", select, redraws=True)


def choices_for(query: str, environments: Sequence[Environment], recent: Sequence[str] = ()) -> list[Choice]:
    """What is found for what was typed: what contains all words of `query`, recent ones first."""
    words = straight(query).lower().split()
    return [
        _environment_choice(item)
        for item in recent_first(environments, recent)
        if all(word in f"{item.name} {item.title} {item.tier.value}".lower() for word in words)
    ]


def role_choice(entitlement: Entitlement) -> Choice:
    return Choice(entitlement.role, entitlement.role, entitlement.allows)


def role_input(place: Environment, entitlement: Entitlement | None) -> Field:
    chosen = role_choice(entitlement) if entitlement else None
    select = Select([role_choice(item) for item in place.roles.values()], chosen, "Choose a role")
    return Field(ROLE, "Role", select, of=(place.name,), redraws=True)


def more_roles_input(place: Environment, entitlement: Entitlement, more: Sequence[Entitlement]) -> Field | None:
    """Further roles of the environment, asked for in the same go; None where it has no others."""
    others = [role_choice(item) for item in place.roles.values() if item.role != entitlement.role]
    if not others:
        return None
    several = Several(others, SEVERAL_MAX - 1, [role_choice(item) for item in more], "Only this one")
    of = (place.name, entitlement.role)
    return Field(MORE_ROLES, "Other roles in one go", several, of, optional=True, redraws=True)


def more_environments_input(
    environments: Sequence[Environment], entitlement: Entitlement, more: Sequence[Entitlement]
) -> Field | None:
    """Further environments, asked for in the same go with the same role; None where no other has it."""
    others = [
        _environment_choice(item)
        for item in environments
        if item.name != entitlement.environment and entitlement.role in item.roles
    ]
    if not others:
        return None
    names = {item.environment for item in more}
    chosen = [choice for choice in others if choice.value in names]
    several = Several(others, SEVERAL_MAX - 1, chosen, "Only this one")
    of = (entitlement.environment, entitlement.role)
    return Field(MORE_ENVIRONMENTS, "Other environments in one go", several, of, optional=True, redraws=True)


def holder_input(entitlement: Entitlement, holder: str = "") -> Field:
    of = (entitlement.environment, entitlement.role)
    hint = "They are told, and can decline."
    return Field(HOLDER, "For somebody else", Somebody(holder, "For myself"), of, optional=True, hint=hint)


def shut_line(why: str) -> Line:
    """It cannot begin now: why, and the way to ask for when it can."""
    return Line(say("⏰ {}", short(why, 500)), Button("Ask for then", BEGIN_THEN, "then", said="Ask for when it opens"))


def about(entitlement: Entitlement, deciders: Deciders, named: str = "") -> Line:
    """What it allows, what it can break, who will be asked: before it is sent. `named`: which of several it is."""
    name = say("*{}* · ", short(named, 80)) if named else NOTHING
    allows = say("{}Allows: {}", name, short(entitlement.allows, _ALLOWS_LENGTH_MAX))
    danger = say("⚠️ *Dangerous:* {}", short(entitlement.danger, 300)) if entitlement.danger else NOTHING
    return Line(lines((allows, danger, _who_is_asked(entitlement, deciders))))


def _who_is_asked(entitlement: Entitlement, deciders: Deciders) -> Rich:
    if not entitlement.approve:
        return ours("Nobody is asked: a rule of the policy decides.")
    if not deciders:
        return ours("Its owners will be asked.")
    return say("{}", short(f"{_asked(deciders)} will be asked{deciders.once}.", 1000))


def _asked(deciders: Deciders) -> str:
    """`Olu or Pat of platform`; `One of platform (Olu, Pat) and one of security (Sid, Sue)`."""
    rule = deciders.rule
    return f"{rule} of {deciders.seats[0].label}" if deciders.simple else f"{rule[:1].upper()}{rule[1:]}"


def duration_input(
    entitlement: Entitlement, chosen: timedelta | None = None, more: Sequence[Entitlement] = ()
) -> Field:
    """The least first. `chosen`: what is marked, where the role has it.

    `more`: roles that are asked for in the same go, for as long.
    """
    longest = min(item.max_duration for item in (entitlement, *more))
    offered = {*entitlement.durations, entitlement.default_duration}
    menu = sorted(item for item in offered if item <= longest) or [longest]
    marked = chosen if chosen in menu else entitlement.default_duration
    choices = [duration_choice(item) for item in menu]
    select = Select(choices, duration_choice(marked) if marked in menu else None, shown=True)
    here = entitlement.environment
    others = (item.role if item.environment == here else item.name for item in more)
    return Field(DURATION, "How long", select, of=(here, entitlement.role, *others))


def duration_choice(item: timedelta) -> Choice:
    return Choice(format_duration(item), str(int(item.total_seconds())))


def begin_input(begin: datetime | None = None) -> Field:
    """Left empty by most. A time that is filled in is a field of its own, so that it takes the place of what stands there."""
    hint = "Only if it should begin later than its approval; within seven days."
    of = (begin.isoformat(),) if begin else None
    return Field(BEGIN, "Begin", Moment(begin), of, optional=True, hint=hint)


def reason_input(reason: str = "", label: str = "Why", *, optional: bool | None = None) -> Field:
    return Field(REASON, label, Typed(REASON_LENGTH_MAX, reason, many_lines=True), optional=optional)


def ticket_input(entitlement: Entitlement, ticket: str | None = None) -> Field:
    """Wanted where the role wants one; whoever types their ask may have it in the reason, too."""
    rule = entitlement.ticket
    needed = rule is not None and rule.required
    shown = f"like {like(rule.pattern, rule.example)}" if rule else "as your tickets are called"
    return Field(
        TICKET,
        "Ticket (needed)" if needed else "Ticket",
        Typed(_TICKET_LENGTH_MAX, ticket or "", placeholder=shown),
        of=(entitlement.environment, entitlement.role),
        optional=not needed,
    )


def emergency_ticket_input(place: Environment, roles: Sequence[Entitlement]) -> Field:
    """Wanted of nobody in an emergency. What one looks like is shown where all roles agree on it."""
    shown = {like(role.ticket.pattern, role.ticket.example) for role in roles if role.ticket}
    typed = Typed(_TICKET_LENGTH_MAX, placeholder=f"like {shown.pop()}" if len(shown) == 1 else "")
    return Field(TICKET, "Ticket", typed, of=(place.name,), optional=True)


def emergency_button(place: Environment) -> Line:
    """In the request form, for those whom the policy lets in."""
    line = say("🚨 *An emergency, and nobody to approve?* Everybody sees it, and an owner reviews it afterwards.")
    return Line(
        line,
        Button("Break glass...", BREAK_GLASS, place.name, style="danger", said=f"Emergency access in {place.title}"),
    )
