"""The home of whoever watches over others' access: owners, who may break the glass, security."""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Button, Heading, Line, Part, Small
from bot.chat.messages.approval_card import end_button, headline, status
from bot.chat.messages.holds import about
from bot.chat.messages.home_parts import Home, part, place_of
from bot.chat.rich import NOTHING, Rich, Time, join, lines, marked, ours, say, series, short
from bot.chat.views.home_view import Away, Barred, Emergency, HomeView, OnHold
from bot.chat.views.request_view import RequestView
from bot.chat.views.state_lines import stop
from bot.chat.wording.labels import Stage, people
from bot.chat.wording.refusals import refusal
from workflows.core.durations import format_duration

# What they do stands in `bot.chat.actions.handlers`; the first is the same as in the request form.
BREAK_GLASS, END_DELEGATION, LIFT, CONFIRM = "break_glass", "end_delegation", "lift", "confirm"
_OPEN_MAX, _EMERGENCIES_MAX, _STANDS_IN_MAX, _BARRED_MAX = 8, 3, 2, 3
_REASON_LENGTH_MAX = 60


# ---------------------------------------------------------------- owners


def open_here(view: HomeView, command: str) -> list[Part]:
    """Access of others in the reader's environments."""
    shown = part("In your environments now", view.open_here, _OPEN_MAX, _open, say("`{} list`", command))
    if len(view.open_here) > 1:
        shown.append(Small(say("Revoke all of one environment at once: `{} revoke-all env ENV REASON`", command)))
    return shown


def _open(view: RequestView) -> Home:
    why = short(view.reason, _REASON_LENGTH_MAX)
    told = lines((headline(view), join((status(view, left=True), why, view.id))))
    end = end_button(view, "End early") if view.stage is Stage.ACTIVE else None
    return (Line(told, end),)


def away(view: HomeView) -> list[Part]:
    """Who decides for whom, and who cannot be asked."""
    told: list[Part] = []
    if view.delegation is not None:
        who, until = short(view.delegation.to_name, 100), _day(view.delegation.until, view)
        line = say("{} decides in your place until {}. You may still decide yourself.", who, until)
        told.append(Line(line, Button("End", END_DELEGATION, said=f"End: {who} decides in your place")))
    told += [
        Line(say("You decide in the place of {} until {}.", short(one.by_name, 100), _day(one.until, view)))
        for one in view.stands_in_for[:_STANDS_IN_MAX]
    ]
    if view.away:
        told.append(Line(say("Cannot be asked now: {}.", series(_absent(one, view) for one in view.away[:10]))))
    return [Heading("Away"), *told] if told else []


def _absent(one: Away, view: HomeView) -> Rich:
    until = say(" (until {})", _day(one.until, view)) if one.until else NOTHING
    return say("{}{}", short(one.name, 100), until)


def _day(moment: datetime, view: HomeView) -> Time:
    return Time(moment, view.now, with_day=True)


# ---------------------------------------------------------------- who may break the glass


def emergencies(view: HomeView, command: str) -> list[Part]:
    title = "Emergency access (break-glass)"
    rest = say("`{} who ENV`", command)
    shown = part(title, view.emergencies, _EMERGENCIES_MAX, lambda one: _emergency(one, view, command), rest)
    if not shown:
        return []
    how = ours("In an emergency you are in at once. Everybody sees it, and an owner reviews it afterwards.")
    return [shown[0], Small(how), *shown[1:]]


def _emergency(one: Emergency, view: HomeView, command: str) -> Home:
    roles = short(people(one.roles, "or"), 300)
    told = say("🚨 {} · {}, up to {}", place_of(one.title, one.tier), roles, format_duration(one.longest))
    if one.refused is not None:
        return (Line(lines((told, marked(refusal(one.refused, command=command, time_zone=view.zone))))),)
    return (Line(told, Button("Break glass...", BREAK_GLASS, one.environment, said=f"Break glass in {one.title}")),)


# ---------------------------------------------------------------- security


def security(view: HomeView, command: str) -> list[Part]:
    """For members of the panic group."""
    if view.security is None:
        return []
    found, rest = view.security, "shown when these are done"
    barred = part("", found.barred, _BARRED_MAX, lambda one: _barred(one, view), ours(rest))
    holds = [each for one in found.holds for each in _on_hold(one, view)]
    more = [Small(say("… and {} more: {}", found.holds_more, rest))] if found.holds_more else []
    panic = say(
        "Revoke everything at once: `{} revoke-all person WHO REASON` or `{} revoke-all env ENV REASON`",
        command,
        command,
    )
    return [Heading("Security"), *barred[1:], *holds, *more, Small(panic)]


def _barred(one: Barred, view: HomeView) -> Home:
    asks = say(" They can ask again from {}.", _day(one.asks_again, view)) if one.asks_again else NOTHING
    told = say("🚫 *{}* cannot use break-glass: {}{}", short(one.name, 100), short(stop(one.why), 300), asks)
    lift = None if one.own else Button("Lift...", LIFT, one.person, said=f"Lift what keeps {one.name} out")
    return (Line(told, lift),)


def _on_hold(one: OnHold, view: HomeView) -> Home:
    held = one.held
    confirm = Button("Confirm...", CONFIRM, held.account.account, said=f"Confirm whose account {held.account.name} is")
    return (Line(say("⏸️ {}", about(held, view.now)), None if one.own else confirm),)
