"""The App Home: what concerns one person, production first, and what they can do about it. At most 100 blocks."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.message import Button, Heading, Line, Part, Pick, Small, buttons, found, quote, value_of
from bot.chat.messages import home_oversight as oversight
from bot.chat.messages.approval_card import (
    approve_button,
    deny_button,
    end_button,
    extend_button,
    headline,
    said,
    status,
)
from bot.chat.messages.break_glass import FLAG, review_buttons, review_line
from bot.chat.messages.home_parts import (
    Home,
    asked_for_you_line,
    asked_line,
    how_it_stands,
    line,
    own_line,
    owners_of,
    part,
    place_of,
)
from bot.chat.messages.notices import DECLINE, OPEN_CONSOLE, use_of
from bot.chat.rich import NOTHING, Rich, lines, marked, ours, say, short
from bot.chat.views.home_view import CanAsk, HomeView
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import TIER_WORDS, Stage
from bot.chat.wording.refusals import refusal
from workflows.core.durations import format_duration

ASK, WITHDRAW = "ask", "withdraw"
# Blocks, each with two for title and "more": own access 2 x 5, waiting 3 x 5, reviews 3 x 3, asked 4, asked for them 3, open 8,
# emergencies 3, away 4, security 3 + 3, what can be asked for 8; and some lines of their own.
_MINE_MAX, _WAITING_MAX, _REVIEWS_MAX, _ASKED_MAX, _FOR_ME_MAX, _CAN_ASK_MAX = 5, 5, 3, 4, 3, 8
# As many as one menu has.
_PICKED_MAX = 100
_ROLES_MAX = 12


def home(view: HomeView, command: str = "/prodaccess") -> Home:
    """The page, from its top down. What there is nothing to say about is left out."""
    mine, pending, envs = (say("`{} {}`", command, word) for word in ("mine", "pending", "envs"))
    return (
        Line(say("*Temporary production access*"), _ask_button(view)),
        *_notes(view, command),
        *part("Your access", view.mine, _MINE_MAX, lambda one: _my_access(one, view), mine),
        *part("Waiting for you", view.waiting_on_me, _WAITING_MAX, lambda one: _waits(one, view), pending),
        *part("Needs your review", view.reviews, _REVIEWS_MAX, lambda one: _owed(one, view), mine),
        *part("You asked for", view.asked, _ASKED_MAX, _asked, mine),
        *part("Asked for you", view.asked_for_me, _FOR_ME_MAX, _for_me, mine),
        *oversight.open_here(view, command),
        *oversight.emergencies(view, command),
        *oversight.away(view),
        *oversight.security(view, command),
        *_can_ask(view, envs),
        *_nothing_to_ask(view, command),
    )


def _ask_button(view: HomeView) -> Button | None:
    return (
        Button("Ask for access", ASK, "form", style="primary", said="Ask for access: opens a form")
        if view.can_ask
        else None
    )


def _notes(view: HomeView, command: str) -> list[Part]:
    """Why less is offered than usual; and that nothing is open, which is worth a word, too."""
    told: list[Part] = [
        Line(say("⚠️ {}", marked(refusal(one, command=command, time_zone=view.zone)))) for one in view.notes
    ]
    if view.quiet and not view.unfit:
        told.append(Small(ours("You have no access just now, and nothing waits for you.")))
    return told


# ---------------------------------------------------------------- one's own


def _my_access(view: RequestView, page: HomeView) -> Home:
    active = view.stage is Stage.ACTIVE
    console = use_of(view).console if active else None
    return found(
        (
            Line(lines((own_line(view), how_it_stands(view)))),
            buttons(
                Button(
                    "Open console",
                    OPEN_CONSOLE,
                    view.id,
                    url=console,
                    said=said(view, "Open the console for", own=True),
                )
                if console
                else None,
                extend_button(view) if active and not page.may_not_ask else None,
                end_button(view, "I am done") if active else None,
            ),
        )
    )


def _asked(view: RequestView) -> Home:
    return (Line(_standing(view, asked_line(view)), _while_it_waits(view, "Take back", WITHDRAW)),)


def _for_me(view: RequestView) -> Home:
    """What they may decline."""
    return (Line(_standing(view, asked_for_you_line(view)), _while_it_waits(view, "Decline", DECLINE)),)


def _standing(view: RequestView, asked: Rich) -> Rich:
    return lines((asked, say("{} · {}", status(view, left=True), view.id)))


def _while_it_waits(view: RequestView, label: str, action: str) -> Button | None:
    waits = view.stage in (Stage.WAITING, Stage.AGREED)
    return Button(label, action, value_of(view.id), said=f"{label}: {view.role}, {view.id}") if waits else None


# ---------------------------------------------------------------- what waits on somebody


def _waits(view: RequestView, page: HomeView) -> Home:
    # What cannot be approved now can still be denied. One button of the page stands out, and it is none of these.
    agree = replace(approve_button(view), style=None) if view.can_approve and not page.on_hold else None
    press = buttons(agree, replace(deny_button(view), style=None)) if view.resolved and view.needs else None
    how_long = NOTHING if view.extends or view.pipeline else say(", for {}", format_duration(view.duration))
    return found((Line(line(view, how_long)), quote(view.reason), press))


def _owed(view: RequestView, page: HomeView) -> Home:
    told = lines((headline(view), say("{} · {}", review_line(view), view.id)))
    press = (one for one in review_buttons(view) if one.action == FLAG or not page.on_hold)
    return found((Line(told), quote(view.reason), buttons(*press)))


# ---------------------------------------------------------------- what can be asked for


def _can_ask(view: HomeView, envs: Rich) -> list[Part]:
    """One row an environment; of many the rest in one menu."""
    shown = part("You can ask for", view.can_ask[:_CAN_ASK_MAX], _CAN_ASK_MAX, _place, envs)
    rest = view.can_ask[_CAN_ASK_MAX:]
    if not rest:
        return shown
    choices = [
        (f"{TIER_WORDS[item.tier]} · {short(item.title, 30)} · {item.environment}", item.environment) for item in rest
    ]
    menu = Pick(ASK, choices[:_PICKED_MAX], f"{len(rest)} more environments")
    return [
        *shown,
        *found((buttons(menu),)),
        *([Small(say("All of them: {}", envs))] if len(rest) > _PICKED_MAX else []),
    ]


def _place(item: CanAsk) -> Home:
    more = len(item.roles) - _ROLES_MAX
    roles = ", ".join([*(short(role, 60) for role in item.roles[:_ROLES_MAX]), *([f"{more} more"] if more > 0 else [])])
    told = lines((place_of(item.title, item.tier), say("`{}` · {}", short(item.environment, 80), roles)))
    return (Line(told, Button("Ask", ASK, item.environment[:2000], said=f"Ask for access in {item.title}")),)


def _nothing_to_ask(view: HomeView, command: str) -> list[Part]:
    """Whom to ask, for whoever may ask for nothing."""
    if not view.asks_nobody:
        return []
    owners = [Line(owners_of(one)) for one in view.whom_to_ask]
    whom = "Ask an owner to have you added." if owners else "Ask your team who owns what you need."
    how = say("`{} envs` lists all environments, `{} who ENV` says who owns one", command, command)
    head = ours(f"You can ask for nothing here yet: you are in no group that may ask. {whom}")
    return [Heading("Whom to ask"), Line(head), *owners, Small(how)]


def home_instead(text: str) -> Home:
    """What stands there when the page itself cannot be drawn. `text`: ours, what can be typed in back-ticks."""
    return (Line(marked(text)),)
