"""What was asked for in one go, told as one: a card for those who decide, a message for who asked, the root of the receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.chat.message import (
    Button,
    Buttons,
    Confirm,
    Line,
    Listing,
    Menu,
    Message,
    Part,
    Small,
    Snippet,
    buttons,
    first_that_fits,
    message,
    quote,
)
from bot.chat.messages import approval_card as cards
from bot.chat.messages.notices import OPEN_CONSOLE, asked_already, use_of
from bot.chat.rich import NOTHING, Mentions, Rich, Time, join, lines, ours, rich, say, series, short
from bot.chat.text import cut
from bot.chat.views.deciders import Deciders
from bot.chat.views.request_view import RequestView
from bot.chat.views.waiting_lines import notes
from bot.chat.wording.labels import STATE_WORDS, VERBS, Stage, people
from workflows.core.durations import format_duration
from workflows.core.people import PersonId

# action_ids of what is pressed for all on a card, and of what the requester takes back in one go.
APPROVE_ALL, DENY_ALL, WITHDRAW_ALL = "approve_all", "deny_all", "withdraw_all"

Stories = Sequence[RequestView]


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


def what(stories: Stories) -> Rich:
    """`*read-only* and *deploy* in *Orders* · 🔴 production`, or one role in several environments."""
    roles = list(dict.fromkeys(story.role for story in stories))
    places = {story.environment: story for story in stories}
    named = series(say("*{}*", short(role, 80)) for role in roles)
    if len(places) == 1:
        return say("{} in {}", named, _place(stories[0]))
    return say("{} in {}", named, series(_place(story, " ") for story in places.values()))


def _place(story: RequestView, between: str = " · ") -> Rich:
    return join((say("*{}*", short(story.title, 100)), story.tier_words), between)


def headline(stories: Stories) -> Rich:
    """`Dana Dev asks for *read-only* and *deploy* in *Orders* · 🔴 production`."""
    # Where they stand differently, no one verb is true of all.
    verb = stories[0].verb if len({story.stage for story in stories}) == 1 else VERBS[Stage.DENIED]
    return say("{} {} {}", short(stories[0].holder, 100), verb, what(stories))


def line(story: RequestView) -> Rich:
    """One of them, and how it stands."""
    which = say("*{}* in *{}*", short(story.role, 80), short(story.title, 100))
    return say("{} · {} · {}", which, cards.status(story), story.id)


def _bullets(stories: Stories) -> list[Rich]:
    return [say("• {}", line(story)) for story in stories]


def _hidden(stories: Stories) -> Message:
    told = [join((short(story.environment), story.tier_words, story.state, story.id)) for story in stories]
    return message(join(told), Listing(told))


def _ids(stories: Stories) -> str:
    return ", ".join(story.id for story in stories)


def _fallback(stories: Stories) -> Rich:
    first = stories[0]
    asked = say("for {}: {}", format_duration(first.duration), short(first.reason, 500))
    if stage_of(stories) is Stage.WAITING:
        return say("{} {} · {}", headline(stories), asked, _ids(stories))
    return join((headline(stories), *map(line, stories)))


# ---------------------------------------------------------------- the card


def card(stories: Stories, value: str, mentions: Mentions | None = None, *, to_owner: bool = False) -> Message:
    """One decision for all of them. `value`: which they are, and on which terms. `to_owner`: one of them alone reads it."""
    if any(story.hidden for story in stories):
        return _hidden(stories)
    # Of ten at once not all that there is to say may have room.
    return first_that_fits(
        _fallback(stories),
        (_card_parts(stories, value, mentions, words_max, to_owner=to_owner) for words_max in (3000, 300, 60)),
    )


def _card_parts(
    stories: Stories, value: str, mentions: Mentions | None, words_max: int, *, to_owner: bool
) -> list[Part | None]:
    """`words_max`: as many characters of what each allows and may break."""
    waiting = [story for story in stories if story.stage is Stage.WAITING]
    alive = any(story.stage in cards.SHOWS_REASON for story in stories)
    return [
        Line(headline(stories)),
        quote(stories[0].reason) if alive else None,
        *[part for story in stories for part in _on_card(story, words_max, to_owner=to_owner)],
        *[_danger(story, words_max) for story in waiting],
        _press(waiting, value),
        Small(_small(waiting, stories, mentions)),
    ]


def _danger(story: RequestView, words_max: int) -> Line | None:
    found = cards.danger_lines(story)
    return replace(found, length_max=words_max) if found else None


def _on_card(story: RequestView, words_max: int, *, to_owner: bool) -> list[Part | None]:
    if story.stage is not Stage.WAITING:
        return [Line(say("• {}", line(story))), cards.later_buttons(story, to_owner=to_owner)]
    last = say("last time {}", rich(story.last_time.words(story.now), story.now)) if story.last_time else NOTHING
    begins = say(", from {}", Time(story.start_at, story.now)) if story.start_at else NOTHING
    how_long = say("for {}{}", format_duration(story.duration), begins)
    details = join((how_long, short(story.allows, min(words_max, 300)), cards.ticket(story), last))
    place = say("• *{}* in {}", short(story.role, 80), _place(story))
    head = join((place, STATE_WORDS[Stage.WAITING], story.id))
    return [Line(lines((head, details, cards.less_text(story))))]


def _press(waiting: Stories, value: str) -> Buttons | None:
    open_ = [story for story in waiting if story.resolved and story.in_policy and story.needs]
    if not open_:
        return None
    every = " all" if len(open_) > 1 else ""
    agree = None
    if not all(story.shut for story in open_):
        agree = Button(f"Approve{every}", APPROVE_ALL, value, style="primary", confirm=_sure(open_))
    more = Menu(cards.MORE, [("Explain who may approve this", f"explain:{cards.value(open_[0])}")])
    return buttons(agree, Button(f"Deny{every}", DENY_ALL, value, style="danger"), more)


def _sure(stories: Stories) -> Confirm | None:
    dangerous = [story for story in stories if story.dangerous]
    if not dangerous:
        return None
    first = stories[0]
    roles = people([f"{cut(story.role, 40)} in {cut(story.title, 40)} ({story.tier.value})" for story in stories])
    dangers = "; ".join(dict.fromkeys(story.danger for story in dangerous if story.danger))
    told = f" Danger: {dangers}." if dangers else ""
    text = f"{cut(first.holder, 60)} gets {roles} for {format_duration(first.duration)}.{told}"
    return Confirm(f"Approve all {len(stories)}?", text, "Approve", "Go back")


def _small(waiting: Stories, stories: Stories, mentions: Mentions | None) -> Rich:
    if not waiting:
        return say("asked together · {}", _ids(stories))
    first = waiting[0]
    return join((cards.status(first, mentions), rich(notes(first), first.now), _ids(stories)))


# ---------------------------------------------------------------- the requester


def asked(panels: Sequence[tuple[Stories, Deciders]], command: str = "/prodaccess") -> Message:
    """What was asked, and who was asked for what. `panels`: those that are decided together, with who can agree."""
    stories = [story for panel, _ in panels for story in panel]
    first = stories[0]
    head = say("You asked for {} for {}.", what(stories), _durations(stories))
    several = len(panels) > 1
    who = [_can(panel, deciders, say_which=several) for panel, deciders in panels]
    told = [head, *(say("• {}", words) for words in who)] if several else [say("{} {}", head, who[0])]
    expires = say("expires {}", Time(first.expires, first.now))
    small = say("{} · take one back with `{} withdraw {}` · {}", expires, command, first.id, _ids(stories))
    return message(
        say("{} {}", join(told, " "), _ids(stories)),
        Listing([say("⏳ {}", told[0]), *told[1:]]),
        quote(first.reason),
        buttons(_take_back(stories)),
        Small(small),
    )


def _take_back(stories: Stories) -> Button:
    return Button("Take all back", WITHDRAW_ALL, stories[0].id)


def _durations(stories: Stories) -> Rich:
    """One for all, or each one's own."""
    lengths = {format_duration(story.duration) for story in stories}
    if len(lengths) == 1:
        return say("{}", lengths.pop())
    return series(say("{} ({})", format_duration(story.duration), short(story.role, 60)) for story in stories)


def _can(panel: Stories, deciders: Deciders, *, say_which: bool) -> Rich:
    all_, it = ("All of it", "all of it") if len(panel) > 1 else ("It", "it")
    if not deciders:
        which = what(panel) if say_which else ours(all_)
        return say("{}: its owners are asked as soon as {} has confirmed the names.", which, _providers(panel))
    which = what(panel) if say_which else ours(it)
    if deciders.simple:
        return say("{} can approve {}.", short(deciders.rule, 1000), which)
    return say("{}{}.", short(deciders.must, 1000), say(" to {}", which) if say_which else NOTHING)


def _providers(panel: Stories) -> str:
    return people(dict.fromkeys(story.provider for story in panel))


def left_out(stories: Stories, reader: PersonId) -> Message:
    """What the person has or waits for already, so that it was not asked for again."""
    return _one_by_one(
        [say("{}, so it was left out: {}", asked_already(story, reader), line(story)) for story in stories]
    )


def _one_by_one(told: Sequence[Rich]) -> Message:
    return message(lines(told), Listing(told))


def state(stories: Stories) -> Message:
    """The requester's one message: each with its state and its end, kept current; how to use those that are active."""
    lead = say("You asked for {}.", what(stories))
    waiting = any(story.stage in (Stage.WAITING, Stage.AGREED) for story in stories)
    take_back = buttons(_take_back(stories)) if waiting else None
    summary = say("{} {}", lead, join(map(line, stories)))

    def parts(each: int) -> list[Part | None]:
        own = [part for story in stories for part in _own(story)[:each]]
        return [Line(lead), *own, take_back, Small(say("{}", _ids(stories)))]

    return first_that_fits(summary, map(parts, (4, 3, 2)))


def _own(story: RequestView) -> list[Part | None]:
    """Its state; while it is active, how to get in, what matters most first."""
    head = Line(say("• {}", line(story)))
    if story.stage is not Stage.ACTIVE:
        return [head]
    use = use_of(story)
    console = Button("Open console", OPEN_CONSOLE, story.id, url=use.console) if use.console else None
    press = buttons(console, cards.end_button(story, "I am done"), cards.extend_button(story))
    hint = Small(say("{}", short(story.how_to, 600))) if story.how_to else None
    return [head, press, Snippet(use.lines), hint]


def moved(id_: str) -> Message:
    """A card whose requests stand on another by now."""
    said = say("{} is decided on another card by now, by other people.", id_)
    return message(said, Small(said))


def news(stories: Stories) -> Message:
    """Under the requester's message: what became of some of them after it was first sent."""
    return _one_by_one(list(map(line, stories)))


def ending(stories: Stories) -> Message:
    """The end of some of them is near."""
    first = stories[0]
    when = say("at {}", Time(first.until, first.now)) if first.until else ours("soon")
    said = say("⏰ Your {} {} {}.", what(stories), "ends" if len(stories) == 1 else "end", when)
    return message(said, Line(said), Small(say("{}", _ids(stories))))


# ---------------------------------------------------------------- receipts


def root(stories: Stories) -> Message:
    """The root of the one thread for all of them. It calls nobody."""
    if any(story.hidden for story in stories):
        return _hidden(stories)
    waits = stage_of(stories) is Stage.WAITING
    asked_ = say("for {}: {}", _durations(stories), short(stories[0].reason, 120)) if waits else NOTHING
    return message(_fallback(stories), Listing([join((headline(stories), asked_)), *_bullets(stories)]))
