"""What was asked for in one go, told as one: a card for those who decide, a message for who asked, the root of the receipts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.chat.messages import approval_card as cards
from bot.chat.messages.notices import OPEN_CONSOLE, asked_already, use_of
from bot.chat.views.deciders import Deciders
from bot.chat.views.request_view import RequestStory
from bot.chat.views.waiting_lines import notes
from bot.chat.wording.labels import STATE_WORDS, VERBS, Stage, people
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.durations import format_duration
from workflows.core.people import PersonId

# action_ids of what is pressed for all on a card, and of what the requester takes back in one go.
APPROVE_ALL, DENY_ALL, WITHDRAW_ALL = "approve_all", "deny_all", "withdraw_all"

Stories = Sequence[RequestStory]


def stage_of(stories: Stories) -> Stage:
    """The one that most is to be done about."""
    return min((story.stage for story in stories), key=_ORDER.index)


_ORDER = (
    Stage.WAITING,
    Stage.STUCK,
    Stage.AGREED,
    Stage.SETTING_UP,
    Stage.ACTIVE,
    Stage.REMOVING,
    *(stage for stage in Stage if stage not in cards.SHOWS_REASON),
)


# ---------------------------------------------------------------- lines


def what(stories: Stories) -> str:
    """`*read-only* and *deploy* in *Orders* · 🔴 production`, or one role in several environments."""
    roles = list(dict.fromkeys(story.role for story in stories))
    places = {story.environment: story for story in stories}
    named = people([f"*{t.literal(role, 80)}*" for role in roles])
    if len(places) == 1:
        return f"{named} in {_place(stories[0])}"
    return f"{named} in {people([_place(story, ' ') for story in places.values()])}"


def _place(story: RequestStory, between: str = " · ") -> str:
    return f"*{t.literal(story.title, 100)}*{between}{story.tier_words}"


def headline(stories: Stories) -> str:
    """`Dana Dev asks for *read-only* and *deploy* in *Orders* · 🔴 production`."""
    # Where they stand differently, no one verb is true of all.
    verb = stories[0].verb if len({story.stage for story in stories}) == 1 else VERBS[Stage.DENIED]
    return f"{t.literal(stories[0].holder, 100)} {verb} {what(stories)}"


def line(story: RequestStory) -> str:
    """One of them, and how it stands."""
    return f"*{t.literal(story.role, 80)}* in *{t.literal(story.title, 100)}* · {cards.status(story)} · {story.id}"


def _hidden(stories: Stories) -> Message:
    lines = [f"{t.literal(story.environment)} · {story.tier_words} · {story.state} · {story.id}" for story in stories]
    return b.message(" · ".join(lines), b.paragraphs(lines))


def _ids(stories: Stories) -> str:
    return ", ".join(story.id for story in stories)


def _fallback(stories: Stories) -> str:
    first = stories[0]
    asked = f"for {format_duration(first.duration)}: {t.literal(first.reason, 500)}"
    if stage_of(stories) is Stage.WAITING:
        return f"{headline(stories)} {asked} · {_ids(stories)}"
    return f"{headline(stories)} · {' · '.join(line(story) for story in stories)}"


# ---------------------------------------------------------------- the card


def card(stories: Stories, value: str, mentions: t.Mentions | None = None, *, to_owner: bool = False) -> Message:
    """One decision for all of them. `value`: which they are, and on which terms. `to_owner`: one of them alone reads it."""
    if any(story.hidden for story in stories):
        return _hidden(stories)
    return _first_that_fits(
        _fallback(stories),
        (_card_blocks(stories, value, mentions, words_max, to_owner=to_owner) for words_max in (3000, 300, 60)),
    )


def _first_that_fits(fallback: str, versions: Iterable[Sequence[dict[str, Any] | None]]) -> Message:
    """The fullest version that Slack takes; of ten at once not all that there is to say may have room."""
    made = [b.message(fallback, blocks) for blocks in versions]
    return next((message for message in made if b.weight(message.blocks) <= b.WEIGHT_MAX), made[-1])


def _card_blocks(
    stories: Stories, value: str, mentions: t.Mentions | None, words_max: int, *, to_owner: bool
) -> list[dict[str, Any] | None]:
    """`words_max`: as many characters of what each allows and may break."""
    waiting = [story for story in stories if story.stage is Stage.WAITING]
    alive = any(story.stage in cards.SHOWS_REASON for story in stories)
    return [
        b.section(headline(stories)),
        b.quote(stories[0].reason) if alive else None,
        *[block for story in stories for block in _on_card(story, words_max, to_owner=to_owner)],
        *[_danger(story, words_max) for story in waiting],
        _press(waiting, value),
        b.context(_small(waiting, stories, mentions)),
    ]


def _danger(story: RequestStory, words_max: int) -> dict[str, Any] | None:
    found = cards.danger_lines(story)
    return b.section(t.cut_mrkdwn(found["text"]["text"], words_max)) if found else None


def _on_card(story: RequestStory, words_max: int, *, to_owner: bool) -> list[dict[str, Any] | None]:
    if story.stage is not Stage.WAITING:
        return [b.section(f"• {line(story)}"), cards.later_buttons(story, to_owner=to_owner)]
    ticket = cards.ticket(story)
    last = f"last time {t.render(story.last_time.words(story.now), story.now)}" if story.last_time else ""
    begins = f", from {t.when(story.start_at, story.now)}" if story.start_at else ""
    said = [
        f"for {format_duration(story.duration)}{begins}",
        t.literal(story.allows, min(words_max, 300)),
        ticket,
        last,
    ]
    details = " · ".join(part for part in said if part)
    less = cards.less_text(story)
    tail = f"\n{less}" if less else ""
    place = f"*{t.literal(story.role, 80)}* in {_place(story)}"
    return [b.section(f"• {place} · {STATE_WORDS[Stage.WAITING]} · {story.id}\n{details}{tail}")]


def _press(waiting: Stories, value: str) -> dict[str, Any] | None:
    open_ = [story for story in waiting if story.resolved and story.in_policy and story.needs]
    if not open_:
        return None
    every = " all" if len(open_) > 1 else ""
    agree = None
    if not all(story.shut for story in open_):
        agree = b.button(f"Approve{every}", APPROVE_ALL, value, style="primary", confirm=_sure(open_))
    more = b.overflow(cards.MORE, [("Explain who may approve this", f"explain:{cards.value(open_[0])}")])
    return b.actions(agree, b.button(f"Deny{every}", DENY_ALL, value, style="danger"), more)


def _sure(stories: Stories) -> dict[str, Any] | None:
    dangerous = [story for story in stories if story.dangerous]
    if not dangerous:
        return None
    first = stories[0]
    roles = people([f"{t.cut(story.role, 40)} in {t.cut(story.title, 40)} ({story.tier.value})" for story in stories])
    dangers = "; ".join(dict.fromkeys(story.danger for story in dangerous if story.danger))
    told = f" Danger: {dangers}." if dangers else ""
    text = f"{t.cut(first.holder, 60)} gets {roles} for {format_duration(first.duration)}.{told}"
    return b.confirmation(f"Approve all {len(stories)}?", text, "Approve", "Go back")


def _small(waiting: Stories, stories: Stories, mentions: t.Mentions | None) -> str:
    if not waiting:
        return f"asked together · {_ids(stories)}"
    first = waiting[0]
    told = t.render(notes(first), first.now)
    return f"{cards.status(first, mentions)}{f' · {told}' if told else ''} · {_ids(stories)}"


# ---------------------------------------------------------------- the requester


def asked(panels: Sequence[tuple[Stories, Deciders]], command: str = "/prodaccess") -> Message:
    """What was asked, and who was asked for what. `panels`: those that are decided together, with who can agree."""
    stories = [story for panel, _ in panels for story in panel]
    first = stories[0]
    head = f"You asked for {what(stories)} for {_durations(stories)}."
    several = len(panels) > 1
    who = [_can(panel, deciders, say_which=several) for panel, deciders in panels]
    lines = [head, *(f"• {words}" for words in who)] if several else [f"{head} {who[0]}"]
    expires = f"expires {t.when(first.expires, first.now)}"
    small = f"{expires} · take one back with `{command} withdraw {first.id}` · {_ids(stories)}"
    told = b.paragraphs([f"⏳ {lines[0]}", *lines[1:]])
    take_back = b.actions(b.button("Take all back", WITHDRAW_ALL, first.id))
    return b.message(f"{' '.join(lines)} {_ids(stories)}", [*told, b.quote(first.reason), take_back, b.context(small)])


def _durations(stories: Stories) -> str:
    """One for all, or each one's own."""
    lengths = {format_duration(story.duration) for story in stories}
    if len(lengths) == 1:
        return lengths.pop()
    return people([f"{format_duration(story.duration)} ({t.literal(story.role, 60)})" for story in stories])


def _can(panel: Stories, deciders: Deciders, *, say_which: bool) -> str:
    which = what(panel) if say_which else ("all of it" if len(panel) > 1 else "it")
    if not deciders:
        return f"{which[:1].upper()}{which[1:]}: its owners are asked as soon as AWS has confirmed the names."
    if deciders.simple:
        return f"{t.literal(deciders.rule, 1000)} can approve {which}."
    return f"{t.literal(deciders.must, 1000)}{f' to {which}' if say_which else ''}."


def left_out(stories: Stories, reader: PersonId) -> Message:
    """What the person has or waits for already, so that it was not asked for again."""
    lines = [f"{asked_already(story, reader)}, so it was left out: {line(story)}" for story in stories]
    return b.message("\n".join(lines), b.paragraphs(lines))


def state(stories: Stories) -> Message:
    """The requester's one message: each with its state and its end, kept current; how to use those that are active."""
    lead = f"You asked for {what(stories)}."
    waiting = any(story.stage in (Stage.WAITING, Stage.AGREED) for story in stories)
    take_back = b.button("Take all back", WITHDRAW_ALL, stories[0].id) if waiting else None
    fallback = f"{lead} {' · '.join(line(story) for story in stories)}"

    def blocks(parts: int) -> list[dict[str, Any] | None]:
        own = [block for story in stories for block in _own(story)[:parts]]
        return [b.section(lead), *own, b.actions(take_back), b.context(_ids(stories))]

    return _first_that_fits(fallback, map(blocks, (4, 3, 2)))


def _own(story: RequestStory) -> list[dict[str, Any] | None]:
    """Its state; while it is active, how to get in, what matters most first."""
    if story.stage is not Stage.ACTIVE:
        return [b.section(f"• {line(story)}")]
    use = use_of(story)
    console = b.button("Open console", OPEN_CONSOLE, story.id, url=use.console) if use.console else None
    press = b.actions(console, cards.end_button(story, "I am done"), cards.extend_button(story))
    hint = b.context(t.literal(story.how_to, 600)) if story.how_to else None
    return [b.section(f"• {line(story)}"), press, b.code(use.lines), hint]


def moved(id_: str) -> Message:
    """A card whose requests stand on another by now."""
    said = f"{id_} is decided on another card by now, by other people."
    return b.message(said, [b.context(said)])


def news(stories: Stories) -> Message:
    """Under the requester's message: what became of some of them after it was first sent."""
    lines = [line(story) for story in stories]
    return b.message("\n".join(lines), b.paragraphs(lines))


def ending(stories: Stories) -> Message:
    """The end of some of them is near."""
    first = stories[0]
    when = f"at {t.when(first.until, first.now)}" if first.until else "soon"
    said = f"⏰ Your {what(stories)} {'ends' if len(stories) == 1 else 'end'} {when}."
    return b.message(said, [b.section(said), b.context(_ids(stories))])


# ---------------------------------------------------------------- receipts


def root(stories: Stories) -> Message:
    """The root of the one thread for all of them. It calls nobody."""
    if any(story.hidden for story in stories):
        return _hidden(stories)
    waits = stage_of(stories) is Stage.WAITING
    asked_ = f" · for {_durations(stories)}: {t.literal(stories[0].reason, 120)}" if waits else ""
    lines = [f"{headline(stories)}{asked_}", *(f"• {line(story)}" for story in stories)]
    return b.message(_fallback(stories), b.paragraphs(lines))
