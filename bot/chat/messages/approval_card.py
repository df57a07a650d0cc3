"""The approval card, in every state, shrinking as it ages: a channel full of old cards reads like a list."""

from __future__ import annotations

from bot.chat.message import (
    Button,
    Buttons,
    Confirm,
    Line,
    Menu,
    Message,
    Quote,
    Small,
    buttons,
    fields,
    message,
    quote,
    read_value,
    value_of,
)
from bot.chat.rich import NOTHING, Link, Mentions, Rich, Time, join, lines, ours, rich, say, short
from bot.chat.text import cut
from bot.chat.views.request_view import RequestView, in_short
from bot.chat.views.state_lines import less_words, state_line
from bot.chat.views.waiting_lines import notes
from bot.chat.wording.labels import BREAK_GLASS, Stage
from workflows.core.durations import format_duration

# action_ids of what can be pressed.
APPROVE, DENY, MORE, END, EXTEND = "approve", "deny", "more", "end", "extend"
# What is chosen in the menu, where it opens a form.
LESS = "less"

# States in which the card still says why it was asked.
SHOWS_REASON = frozenset({Stage.WAITING, Stage.AGREED, Stage.SETTING_UP, Stage.ACTIVE, Stage.REMOVING, Stage.STUCK})

_HAD = frozenset({Stage.REMOVING, Stage.STUCK, Stage.ENDED, Stage.REVOKED})


def approval_card(story: RequestView, mentions: Mentions | None = None, *, to_owner: bool = False) -> Message:
    """`mentions`: whom to call, by group name; only a waiting card calls anybody. `to_owner`: one of them alone reads it."""
    if story.hidden:
        return _hidden(story)
    if story.stage is Stage.WAITING:
        return _waiting(story, mentions or {})
    return message(
        fallback(story),
        Line(headline(story)),
        _reason(story),
        less_line(story),
        Small(small_print(story)),
        later_buttons(story, to_owner=to_owner),
    )


def later_buttons(story: RequestView, *, to_owner: bool = False) -> Buttons | None:
    """What can still be pressed when it is decided. More time is for the holder, who reads a channel's card."""
    if story.stage is Stage.ACTIVE:
        return buttons(end_button(story, "End early"), None if to_owner else extend_button(story))
    return buttons(deny_button(story)) if story.stage is Stage.AGREED else None


def _hidden(story: RequestView) -> Message:
    line = say("{} · {} · {} · {}", short(story.environment), story.tier_words, story.state, story.id)
    return message(line, Line(line))


def _waiting(story: RequestView, mentions: Mentions) -> Message:
    can_press = story.resolved and story.in_policy and story.decidable and bool(story.needs)
    # What cannot be approved now can still be denied.
    agree = None if story.shut else approve_button(story)
    press = buttons(agree, deny_button(story), more_menu(story)) if can_press else None
    return message(
        fallback(story),
        Line(headline(story)),
        _reason(story),
        less_line(story),
        fields(_details(story)),
        danger_lines(story),
        press,
        Small(small_print(story, mentions)),
    )


# ---------------------------------------------------------------- lines


def headline(story: RequestView) -> Rich:
    """`Dana Dev asks for *read-only* in *Payments* · 🔴 production`."""
    what = say("{}*{}*", story.more, short(story.role, 80)) if story.role else ours("access")
    place = say("*{}* · {}", short(story.title, 100), story.tier_words)
    whom = say(" for *{}*", short(story.holder, 100)) if story.asks else NOTHING
    line = say("{} {} {}{} in {}", short(story.who, 100), story.verb, what, whom, place)
    return say("{} · {}", BREAK_GLASS, line) if story.break_glass else line


def fallback(story: RequestView) -> Rich:
    """The lock screen's line: the headline in full with duration, reason and state."""
    line = short(in_short(story), 400)
    if story.hidden:
        return say("{} · {} · {}", line, story.state, story.id)
    asked = say("for {}: {}", format_duration(story.duration), short(story.reason, 500))
    if story.stage is Stage.WAITING:
        return say("{} {} · {}", line, asked, story.id)
    # What was had for a while was had for another while than was asked.
    full = line if story.stage in _HAD else say("{} {}", line, asked)
    return say("{} · {} · {}", full, status(story), story.id)


def status(story: RequestView, mentions: Mentions | None = None, *, left: bool = False) -> Rich:
    """The state line. What is over is told on the record's own time, so that it never changes again.

    `left`: with the minutes that are left; for answers alone, which nobody reads later.
    """
    return rich(state_line(story, left=left), story.closed_at or story.now, mentions)


def small_print(story: RequestView, mentions: Mentions | None = None) -> Rich:
    waiting = story.stage is Stage.WAITING
    place = short(story.environment, 80) if waiting else ""
    told = rich(notes(story), story.now) if waiting else NOTHING
    return join((status(story, mentions), told, place, story.id))


def _reason(story: RequestView) -> Quote | None:
    return quote(story.reason) if story.stage in SHOWS_REASON else None


def less_line(story: RequestView) -> Small | None:
    """What was asked for, where an approver agreed to less of it."""
    words = less_text(story)
    return Small(words) if words else None


def less_text(story: RequestView) -> Rich:
    return say("{}", short(less_words(story), 400)) if story.stage in SHOWS_REASON else NOTHING


def _details(story: RequestView) -> list[tuple[str, Rich]]:
    """Four things beside each other."""
    last = rich(story.last_time.words(story.now), story.now) if story.last_time else NOTHING
    return [
        ("For", how_long(story)),
        ("Allows", say("{}", short(story.allows))),
        ("Until", _later(story)),
        ("Ticket", ticket(story)),
        ("Last time", last),
    ]


def how_long(story: RequestView) -> Rich:
    """`1 h, from the approval`, or from when it is to begin; empty for more time on something."""
    if story.extends:
        return NOTHING
    begins = Time(story.start_at, story.now) if story.start_at else "the approval"
    return say("{}, from {}", format_duration(story.duration), begins)


def _later(story: RequestView) -> Rich:
    """Of an ask for more time: from which end to which."""
    if not story.extends or story.present_end is None:
        return NOTHING
    end = story.present_end
    return say("{} instead of {}", Time(end + story.duration, story.now), Time(end, story.now))


def ticket(story: RequestView) -> Rich:
    if not story.ticket:
        return NOTHING
    return (Link(story.ticket_link, story.ticket),) if story.ticket_link else say("{}", short(story.ticket, 100))


def danger_lines(story: RequestView) -> Line | None:
    """What to know before pressing: what it can break, what cannot be checked."""
    told = [say("⚠️ *Dangerous:* {}", short(story.danger, 300))] if story.danger else []
    told += [say("⚠️ {}", short(story.warning, 600))] if story.warning else []
    told += [
        say("⚠️ Who is in {} is not known just now: {}", short(group, 80), short(why, 200))
        for group, why in story.group_problems[:5]
    ]
    told += [say("⚠️ Too few of {} are in Slack to approve it.", short(group, 80)) for group in story.nobody[:5]]
    return Line(lines(told)) if told else None


# ---------------------------------------------------------------- buttons


def approve_button(story: RequestView) -> Button:
    sure = None
    if story.dangerous:
        danger = f" Danger: {story.danger}." if story.danger else ""
        what = f"{cut(story.holder, 60)} gets {cut(story.role, 60)} in {cut(story.title, 60)}"
        text = f"{what} ({story.tier.value}) for {format_duration(story.duration)}.{danger}"
        sure = Confirm(f"Approve {cut(story.role, 60)}?", text, "Approve", "Go back")
    return Button("Approve", APPROVE, value(story), style="primary", confirm=sure)


def deny_button(story: RequestView) -> Button:
    return Button("Deny", DENY, value(story), style="danger")


def more_menu(story: RequestView) -> Menu:
    less = [] if story.shut else [("Approve for less…", f"{LESS}:{value(story)}")]
    return Menu(MORE, [*less, ("Explain who may approve this", f"explain:{value(story)}")])


def end_button(story: RequestView, label: str) -> Button:
    return Button(label, END, value(story))


def extend_button(story: RequestView) -> Button | None:
    """Gone while an extension is asked for."""
    return None if story.more_asked else Button("Extend", EXTEND, value_of(story.id))


def read_more(value: str) -> tuple[str, str, str | None] | None:
    """(what was chosen, id, terms hash) of an option of `more`; None where it is none of ours."""
    choice, _, rest = value.partition(":")
    found = read_value(rest)
    return (choice, *found) if found and choice in ("explain", LESS) else None


def value(story: RequestView) -> str:
    return value_of(story.id, story.terms.hash)
