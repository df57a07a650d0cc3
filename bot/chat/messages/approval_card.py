"""The approval card, in every state, shrinking as it ages: a channel full of old cards reads like a list."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.message import (
    Button,
    Buttons,
    Confirm,
    Line,
    Menu,
    Message,
    Small,
    buttons,
    fields,
    message,
    quote,
    read_value,
    said_of,
    value_of,
)
from bot.chat.rich import NOTHING, Link, Mentions, Rich, Time, join, lines, ours, rich, say, short
from bot.chat.text import cut
from bot.chat.views import gate_lines as gates
from bot.chat.views.request_view import RequestView, in_short
from bot.chat.views.state_lines import expiry, reduced_words, sessions, state_alone, state_line
from bot.chat.views.waiting_lines import notes
from bot.chat.wording.labels import BREAK_GLASS, SHORT, Exactly, Stage, Words, joined
from workflows.core.durations import format_duration

# action_ids of what can be pressed.
APPROVE, DENY, MORE, END, EXTEND, AGAIN = "approve", "deny", "more", "end", "extend", "again"
WITHDRAW = "withdraw"
# What is chosen in the menu, where it opens a form.
LESS = "less"

# States in which something may still be done, or still happens.
ALIVE = frozenset({Stage.WAITING, Stage.AGREED, Stage.SETTING_UP, Stage.ACTIVE, Stage.REMOVING, Stage.STUCK})

_HAD = frozenset({Stage.REMOVING, Stage.STUCK, Stage.ENDED, Stage.REVOKED})


def approval_card(view: RequestView, mentions: Mentions | None = None, *, to_owner: bool = False) -> Message:
    """`mentions`: whom to call, by group name; only a waiting card calls anybody. `to_owner`: one of them alone reads it."""
    if view.hidden:
        return _hidden(view)
    if view.stage is Stage.WAITING:
        return _waiting(view, mentions or {})
    again = None if to_owner else again_button(view)
    return message(
        fallback(view),
        Line(top(view), again),
        quote(view.reason),
        reduced_line(view),
        later_buttons(view, to_owner=to_owner),
        Small(small_print(view)),
    )


def later_buttons(view: RequestView, *, to_owner: bool = False) -> Buttons | None:
    """What can still be pressed when it is decided. More time is for the holder, who reads a channel's card."""
    if view.stage is Stage.ACTIVE:
        return buttons(end_button(view, "End early"), None if to_owner else extend_button(view))
    return buttons(deny_button(view)) if view.stage is Stage.AGREED else None


def again_button(view: RequestView) -> Button | None:
    """Opens the form filled in as it was, once nothing of it is open any more. For whoever asked for themselves."""
    over = view.stage in (Stage.ENDED, Stage.EXPIRED, Stage.DENIED) and not view.covered_by
    own = not view.break_glass and not view.extends and not view.on_behalf and not view.pipeline
    offered = over and view.in_policy and own
    return Button("Ask again", AGAIN, view.id, said=said(view, "Ask again for", own=True)) if offered else None


def _hidden(view: RequestView) -> Message:
    line = say("{} · {} · {} · {}", short(view.environment), view.tier_words, view.state, view.id)
    return message(line, Line(line))


def _waiting(view: RequestView, mentions: Mentions) -> Message:
    can_press = view.resolved and view.in_policy and view.decidable and bool(view.needs)
    # What cannot be approved now can still be denied.
    agree = approve_button(view) if view.can_approve else None
    press = buttons(agree, deny_button(view), more_menu(view)) if can_press else None
    return message(
        fallback(view),
        Line(top(view, mentions)),
        quote(view.reason),
        reduced_line(view),
        fields(_details(view)),
        danger_lines(view),
        press,
        Small(small_print(view)),
    )


# ---------------------------------------------------------------- lines


def headline(view: RequestView) -> Rich:
    """`Dana Dev asks for *read-only* in *Payments* · 🔴 production`."""
    if view.pipeline:
        return pipeline_headline(view)
    what = say("{}*{}*", view.more, short(view.role, 80)) if view.role else ours("access")
    place = say("*{}* · {}", short(view.title, 100), view.tier_words)
    whom = say(" for *{}*", short(view.holder, 100)) if view.asks else NOTHING
    line = say("{} {} {}{} in {}", short(view.who, 100), view.verb, what, whom, place)
    return say("{} · {}", BREAK_GLASS, line) if view.break_glass else line


def pipeline_headline(view: RequestView) -> Rich:
    """`Pipeline *acme/orders* wants to deploy `a1b2c3d` to *Orders* · 🔴 production`."""
    place = say("*{}* · {}", short(view.title, 100), view.tier_words)
    if view.gate is None:
        return say("A pipeline {} of {}", gates.outsiders_verb(view.stage), place)
    verb, to = gates.verb(view.gate, view.stage)
    line = say("Pipeline *{}* {} `{}` {} {}", short(view.holder, 100), verb, gates.commit(view.gate), to, place)
    return say("{} · {}", BREAK_GLASS, line) if view.break_glass else line


def top(view: RequestView, mentions: Mentions | None = None) -> Rich:
    """The first two lines of whatever tells of one request: who and what, and how it stands."""
    return lines((headline(view), state_of(view, mentions)))


def fallback(view: RequestView) -> Rich:
    """The lock screen's line: the headline in full with duration, reason and state."""
    line = short(in_short(view), 400)
    if view.hidden:
        return say("{} · {} · {}", line, view.state, view.id)
    # What was had for a while was had for another while than was asked; of more time the line says how much.
    said = view.stage in _HAD or view.extends or view.pipeline
    time = NOTHING if said else say(" for {}", format_duration(view.duration))
    full = say("{}{}: {}", line, time, short(view.reason, 500))
    return say("{} · {}", full, view.id) if view.stage is Stage.WAITING else join((full, status(view), view.id))


def status(view: RequestView, mentions: Mentions | None = None, *, left: bool = False) -> Rich:
    """The state line. What is over is told on the record's own time, so that it never changes again.

    `left`: with the minutes that are left; for answers alone, which nobody reads later.
    """
    return rich(state_line(view, left=left), view.closed_at or view.now, mentions)


def state_of(view: RequestView, mentions: Mentions | None = None) -> Rich:
    """The same without what stands in the small print."""
    return rich(state_alone(view), view.closed_at or view.now, mentions, view.called_names)


def small_print(view: RequestView) -> Rich:
    """What is looked up: until when, in which environment by its name, its id. While it waits, what was done about it."""
    told: tuple[Words, ...] = (sessions(view),)
    if view.stage is Stage.WAITING:
        told = (notes(view), (f"extends {view.extends}",) if view.extends else (), expiry(view))
    found = rich(joined(told), view.closed_at or view.now)
    return join((found, unreached(view.not_reached), short(view.environment, 80), view.id))


def unreached(names: Sequence[str]) -> Rich:
    """Who does not know of it, so that somebody tells them."""
    return say("⚠️ not reached: {}", short(", ".join(names), 200)) if names else NOTHING


def reduced_line(view: RequestView) -> Small | None:
    """What was asked for, where an approver agreed to less of it."""
    words = reduced_text(view)
    return Small(words) if words else None


def reduced_text(view: RequestView) -> Rich:
    return say("{}", short(reduced_words(view), 400)) if view.stage in ALIVE else NOTHING


def _details(view: RequestView) -> list[tuple[str, Rich]]:
    """Four things beside each other."""
    last = rich(view.last_time.words(view.now), view.now) if view.last_time else NOTHING
    return [
        ("For", how_long(view)),
        ("Allows", say("{}", short(view.allows))),
        ("Until", _later(view)),
        ("Ticket", ticket(view)),
        ("Last time", last),
    ]


def how_long(view: RequestView) -> Rich:
    """`1 h, from the approval`, or from when it is to begin; empty for more time on something."""
    if view.extends:
        return NOTHING
    begins = Time(view.start_at, view.now) if view.start_at else "the approval"
    return say("{}, from {}", format_duration(view.duration), begins)


def _later(view: RequestView) -> Rich:
    """Of an ask for more time: from which end to which."""
    if not view.extends or view.present_end is None:
        return NOTHING
    end, exactly = view.present_end, view.duration < SHORT
    later, now = (Exactly(one) if exactly else one for one in (end + view.duration, end))
    return say("{} instead of {}", Time(later, view.now), Time(now, view.now))


def ticket(view: RequestView) -> Rich:
    if not view.ticket:
        return NOTHING
    shown = (Link(view.ticket_link, view.ticket),) if view.ticket_link else say("{}", short(view.ticket, 100))
    return say("{} (not verified: {})", shown, short(view.ticket_note, 150)) if view.ticket_note else shown


def danger_lines(view: RequestView) -> Line | None:
    """What to know before pressing: what it can break, what cannot be checked."""
    told = [say("⚠️ *Dangerous:* {}", short(view.danger, 300))] if view.danger else []
    told += [say("⚠️ {}", short(view.warning, 600))] if view.warning else []
    told += [
        say("⚠️ Who is in {} is not known just now: {}", short(group, 80), short(why, 200))
        for group, why in view.group_problems[:5]
    ]
    told += [say("⚠️ Too few of {} are here to approve it.", short(group, 80)) for group in view.nobody[:5]]
    return Line(lines(told)) if told else None


# ---------------------------------------------------------------- buttons


def approve_button(view: RequestView) -> Button:
    sure = None
    if view.dangerous:
        danger = f" Danger: {view.danger}." if view.danger else ""
        what = f"{cut(view.holder, 60)} gets {cut(view.role, 60)} in {cut(view.title, 60)}"
        text = f"{what} ({view.tier.value}) for {format_duration(view.duration)}.{danger}"
        sure = Confirm(f"Approve {cut(view.role, 60)}?", text, "Approve", "Go back")
    return Button("Approve", APPROVE, value(view), style="primary", confirm=sure, said=said(view, "Approve"))


def deny_button(view: RequestView) -> Button:
    return Button("Deny", DENY, value(view), style="danger", said=said(view, "Deny"))


def more_menu(view: RequestView) -> Menu:
    less = [("Approve for less…", f"{LESS}:{value(view)}")] if view.can_approve_less else []
    return Menu(MORE, [*less, ("Explain who may approve this", f"explain:{value(view)}")])


def end_button(view: RequestView, label: str) -> Button:
    return Button(label, END, value(view), said=said(view, "End"))


def extend_button(view: RequestView) -> Button | None:
    """Gone while an extension is asked for, and where no more time is given."""
    # A pipeline's run asks anew.
    offered = view.can_extend and view.in_policy and not view.more_asked and not view.pipeline
    return Button("Extend", EXTEND, value_of(view.id), said=said(view, "Extend")) if offered else None


def take_back_button(view: RequestView) -> Button | None:
    """For whoever asked, as long as nothing was given."""
    waits = view.stage in (Stage.WAITING, Stage.AGREED) and not view.break_glass and not view.pipeline
    told = said(view, "Take back", own=not view.on_behalf)
    return Button("Take back", WITHDRAW, value_of(view.id), said=told) if waits else None


def said(view: RequestView, verb: str, *, own: bool = False) -> str:
    """What a screen reader says of a button. `own`: whoever reads it is who has it."""
    whose = "" if own else f" for {view.holder}"
    return said_of(f"{verb} {view.more}{view.what}{whose}", view.id)


def read_more(value: str) -> tuple[str, str, str | None] | None:
    """(what was chosen, id, terms hash) of an option of `more`; None where it is none of ours."""
    choice, _, rest = value.partition(":")
    found = read_value(rest)
    return (choice, *found) if found and choice in ("explain", LESS) else None


def value(view: RequestView) -> str:
    return value_of(view.id, view.terms.hash)
