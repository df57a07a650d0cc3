"""The approval card, in every state, shrinking as it ages: a channel full of old cards reads like a list."""

from __future__ import annotations

from typing import Any

from bot.chat.views.request_view import RequestStory, in_short
from bot.chat.views.state_lines import less_words, state_line
from bot.chat.views.waiting_lines import notes
from bot.chat.wording.labels import BREAK_GLASS, Stage
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message as Message  # noqa: PLC0414 - part of this module's face
from workflows.core.durations import format_duration

# action_ids of what can be pressed.
APPROVE, DENY, MORE, END, EXTEND = "approve", "deny", "more", "end", "extend"
# What is chosen in the menu, where it opens a form.
LESS = "less"

# States in which the card still says why it was asked.
SHOWS_REASON = frozenset({Stage.WAITING, Stage.AGREED, Stage.SETTING_UP, Stage.ACTIVE, Stage.REMOVING, Stage.STUCK})

_HAD = frozenset({Stage.REMOVING, Stage.STUCK, Stage.ENDED, Stage.REVOKED})


def approval_card(story: RequestStory, mentions: t.Mentions | None = None, *, to_owner: bool = False) -> Message:
    """`mentions`: whom to call, by group name; only a waiting card calls anybody. `to_owner`: one of them alone reads it."""
    if story.hidden:
        return _hidden(story)
    if story.stage is Stage.WAITING:
        return _waiting(story, mentions or {})
    lines = (b.section(headline(story)), _reason(story), less_line(story), b.context(small_print(story)))
    return b.message(fallback(story), (*lines, later_buttons(story, to_owner=to_owner)))


def later_buttons(story: RequestStory, *, to_owner: bool = False) -> dict[str, Any] | None:
    """What can still be pressed when it is decided. More time is for the holder, who reads a channel's card."""
    if story.stage is Stage.ACTIVE:
        return b.actions(end_button(story, "End early"), None if to_owner else extend_button(story))
    return b.actions(deny_button(story)) if story.stage is Stage.AGREED else None


def _hidden(story: RequestStory) -> Message:
    line = f"{t.literal(story.environment)} · {story.tier_words} · {story.state} · {story.id}"
    return b.message(line, [b.section(line)])


def _waiting(story: RequestStory, mentions: t.Mentions) -> Message:
    can_press = story.resolved and story.in_policy and story.decidable and bool(story.needs)
    # What cannot be approved now can still be denied.
    agree = None if story.shut else approve_button(story)
    press = b.actions(agree, deny_button(story), more_menu(story)) if can_press else None
    return b.message(
        fallback(story),
        (
            b.section(headline(story)),
            _reason(story),
            less_line(story),
            b.fields(_details(story)),
            danger_lines(story),
            press,
            b.context(small_print(story, mentions)),
        ),
    )


# ---------------------------------------------------------------- lines


def headline(story: RequestStory) -> str:
    """`Dana Dev asks for *read-only* in *Payments* · 🔴 production`, as mrkdwn."""
    what = f"{story.more}*{t.literal(story.role, 80)}*" if story.role else "access"
    place = f"*{t.literal(story.title, 100)}* · {story.tier_words}"
    whom = f" for *{t.literal(story.holder, 100)}*" if story.asks else ""
    line = f"{t.literal(story.who, 100)} {story.verb} {what}{whom} in {place}"
    return f"{BREAK_GLASS} · {line}" if story.break_glass else line


def fallback(story: RequestStory) -> str:
    """The lock screen's line: the headline in full with duration, reason and state, as mrkdwn."""
    line = t.literal(in_short(story), 400)
    if story.hidden:
        return f"{line} · {story.state} · {story.id}"
    asked = f"for {format_duration(story.duration)}: {t.literal(story.reason, 500)}"
    if story.stage is Stage.WAITING:
        return f"{line} {asked} · {story.id}"
    # What was had for a while was had for another while than was asked.
    full = line if story.stage in _HAD else f"{line} {asked}"
    return f"{full} · {status(story)} · {story.id}"


def status(story: RequestStory, mentions: t.Mentions | None = None, *, left: bool = False) -> str:
    """The state line as mrkdwn. What is over is told on the record's own time, so that it never changes again.

    `left`: with the minutes that are left; for answers alone, which nobody reads later.
    """
    return t.render(state_line(story, left=left), story.closed_at or story.now, mentions)


def small_print(story: RequestStory, mentions: t.Mentions | None = None) -> str:
    waiting = story.stage is Stage.WAITING
    place = f" · {t.literal(story.environment, 80)}" if waiting else ""
    told = t.render(notes(story), story.now) if waiting else ""
    return f"{status(story, mentions)}{f' · {told}' if told else ''}{place} · {story.id}"


def _reason(story: RequestStory) -> dict[str, Any] | None:
    return b.quote(story.reason) if story.stage in SHOWS_REASON else None


def less_line(story: RequestStory) -> dict[str, Any] | None:
    """What was asked for, where an approver agreed to less of it."""
    words = less_text(story)
    return b.context(words) if words else None


def less_text(story: RequestStory) -> str:
    words = less_words(story) if story.stage in SHOWS_REASON else ""
    return t.literal(words, 400) if words else ""


def _details(story: RequestStory) -> list[tuple[str, str]]:
    """Four things beside each other; what there is nothing to say about is left out."""
    last = t.render(story.last_time.words(story.now), story.now) if story.last_time else ""
    return [
        ("For", how_long(story)),
        ("Allows", t.literal(story.allows)),
        ("Until", _later(story)),
        ("Ticket", ticket(story)),
        ("Last time", last),
    ]


def how_long(story: RequestStory) -> str:
    """`1 h, from the approval`, or from when it is to begin; empty for more time on something."""
    if story.extends:
        return ""
    begins = t.when(story.start_at, story.now) if story.start_at else "the approval"
    return f"{format_duration(story.duration)}, from {begins}"


def _later(story: RequestStory) -> str:
    """Of an ask for more time: from which end to which."""
    if not story.extends or story.present_end is None:
        return ""
    end = story.present_end
    return f"{t.when(end + story.duration, story.now)} instead of {t.when(end, story.now)}"


def ticket(story: RequestStory) -> str:
    if not story.ticket:
        return ""
    return t.link(story.ticket_link, story.ticket) if story.ticket_link else t.literal(story.ticket, 100)


def danger_lines(story: RequestStory) -> dict[str, Any] | None:
    """What to know before pressing: what it can break, what cannot be checked."""
    lines = [f"⚠️ *Dangerous:* {t.literal(story.danger, 300)}"] if story.danger else []
    lines += [f"⚠️ {t.literal(story.warning, 600)}"] if story.warning else []
    lines += [
        f"⚠️ Who is in {t.literal(group, 80)} is not known just now: {t.literal(why, 200)}"
        for group, why in story.group_problems[:5]
    ]
    lines += [f"⚠️ Too few of {t.literal(group, 80)} are in Slack to approve it." for group in story.nobody[:5]]
    return b.section("\n".join(lines)) if lines else None


# ---------------------------------------------------------------- buttons


def approve_button(story: RequestStory) -> dict[str, Any]:
    sure = None
    if story.dangerous:
        danger = f" Danger: {story.danger}." if story.danger else ""
        what = f"{t.cut(story.holder, 60)} gets {t.cut(story.role, 60)} in {t.cut(story.title, 60)}"
        text = f"{what} ({story.tier.value}) for {format_duration(story.duration)}.{danger}"
        sure = b.confirmation(f"Approve {t.cut(story.role, 60)}?", text, "Approve", "Go back")
    return b.button("Approve", APPROVE, value(story), style="primary", confirm=sure)


def deny_button(story: RequestStory) -> dict[str, Any]:
    return b.button("Deny", DENY, value(story), style="danger")


def more_menu(story: RequestStory) -> dict[str, Any]:
    less = [] if story.shut else [("Approve for less…", f"{LESS}:{value(story)}")]
    return b.overflow(MORE, [*less, ("Explain who may approve this", f"explain:{value(story)}")])


def end_button(story: RequestStory, label: str) -> dict[str, Any]:
    return b.button(label, END, value(story))


def extend_button(story: RequestStory) -> dict[str, Any] | None:
    """Gone while an extension is asked for."""
    return None if story.more_asked else b.button("Extend", EXTEND, b.value_of(story.id))


def read_more(value: str) -> tuple[str, str, str | None] | None:
    """(what was chosen, id, terms hash) of an option of `more`; None where it is none of ours."""
    choice, _, rest = value.partition(":")
    found = b.read_value(rest)
    return (choice, *found) if found and choice in ("explain", LESS) else None


def value(story: RequestStory) -> str:
    return b.value_of(story.id, story.terms.hash)
