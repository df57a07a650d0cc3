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
    said_of,
)
from bot.chat.messages import approval_card as cards
from bot.chat.messages.notices import asked_already, console_button, first_time_button, use_of
from bot.chat.rich import NOTHING, Mentions, Rich, Time, join, lines, ours, rich, say, series, short
from bot.chat.text import cut
from bot.chat.views.deciders import Deciders
from bot.chat.views.request_view import RequestView
from bot.chat.views.state_lines import expiry
from bot.chat.views.waiting_lines import notes
from bot.chat.wording.labels import STATE_WORDS, VERBS, Stage, joined, people
from workflows.core.durations import format_duration
from workflows.core.people import PersonId

# action_ids of what is pressed for all on a card, and of what the requester takes back in one go.
APPROVE_ALL, DENY_ALL, WITHDRAW_ALL = "approve_all", "deny_all", "withdraw_all"

RequestViews = Sequence[RequestView]


def stage_of(views: RequestViews) -> Stage:
    """The one that most is to be done about."""
    return min((view.stage for view in views), key=_ORDER.index)


_ORDER = (
    Stage.WAITING,
    Stage.STUCK,
    Stage.AGREED,
    Stage.SETTING_UP,
    Stage.ACTIVE,
    Stage.REMOVING,
    *(stage for stage in Stage if stage not in cards.ALIVE),
)


# ---------------------------------------------------------------- lines


def what(views: RequestViews) -> Rich:
    """`*read-only* and *deploy* in *Orders* · 🔴 production`, or one role in several environments."""
    roles = list(dict.fromkeys(view.role for view in views))
    places = {view.environment: view for view in views}
    named = series(say("*{}*", short(role, 80)) for role in roles)
    if len(places) == 1:
        return say("{} in {}", named, _place(views[0]))
    return say("{} in {}", named, series(_place(view, " ") for view in places.values()))


def _place(view: RequestView, between: str = " · ") -> Rich:
    return join((say("*{}*", short(view.title, 100)), view.tier_words), between)


def headline(views: RequestViews) -> Rich:
    """`Dana Dev asks for *read-only* and *deploy* in *Orders* · 🔴 production`."""
    # Where they stand differently, no one verb is true of all.
    verb = views[0].verb if len({view.stage for view in views}) == 1 else VERBS[Stage.DENIED]
    return say("{} {} {}", short(views[0].holder, 100), verb, what(views))


def line(view: RequestView) -> Rich:
    """One of them, and how it stands."""
    which = say("*{}* in *{}*", short(view.role, 80), short(view.title, 100))
    return say("{} · {} · {}", which, cards.status(view), view.id)


def _bullets(views: RequestViews) -> list[Rich]:
    return [say("• {}", line(view)) for view in views]


def _hidden(views: RequestViews) -> Message:
    told = [join((short(view.environment), view.tier_words, view.state, view.id)) for view in views]
    return message(join(told), Listing(told))


def _ids(views: RequestViews) -> str:
    return ", ".join(view.id for view in views)


def _fallback(views: RequestViews) -> Rich:
    first = views[0]
    asked = say("for {}: {}", format_duration(first.duration), short(first.reason, 500))
    if stage_of(views) is Stage.WAITING:
        return say("{} {} · {}", headline(views), asked, _ids(views))
    return join((say("{}: {}", headline(views), short(first.reason, 500)), *map(line, views)))


# ---------------------------------------------------------------- the card


def card(views: RequestViews, value: str, mentions: Mentions | None = None, *, to_owner: bool = False) -> Message:
    """One decision for all of them. `value`: which they are, and on which terms. `to_owner`: one of them alone reads it."""
    if any(view.hidden for view in views):
        return _hidden(views)
    # Of ten at once not all that there is to say may have room.
    return first_that_fits(
        _fallback(views),
        (_card_parts(views, value, mentions, words_max, to_owner=to_owner) for words_max in (3000, 300, 60)),
    )


def _card_parts(
    views: RequestViews, value: str, mentions: Mentions | None, words_max: int, *, to_owner: bool
) -> list[Part | None]:
    """`words_max`: as many characters of what each allows and may break."""
    waiting = [view for view in views if view.stage is Stage.WAITING]
    state = cards.state_of(waiting[0], mentions) if waiting else NOTHING
    return [
        Line(lines((headline(views), state))),
        quote(views[0].reason),
        *[part for view in views for part in _on_card(view, words_max, to_owner=to_owner)],
        *[_danger(view, words_max) for view in waiting],
        _press(waiting, value),
        Small(_small(waiting, views)),
    ]


def _danger(view: RequestView, words_max: int) -> Line | None:
    found = cards.danger_lines(view)
    return replace(found, length_max=words_max) if found else None


def _on_card(view: RequestView, words_max: int, *, to_owner: bool) -> list[Part | None]:
    if view.stage is not Stage.WAITING:
        again = None if to_owner else cards.again_button(view)
        return [Line(say("• {}", line(view)), again), cards.later_buttons(view, to_owner=to_owner)]
    last = say("last time {}", rich(view.last_time.words(view.now), view.now)) if view.last_time else NOTHING
    begins = say(", from {}", Time(view.start_at, view.now)) if view.start_at else NOTHING
    how_long = say("for {}{}", format_duration(view.duration), begins)
    details = join((how_long, short(view.allows, min(words_max, 300)), cards.ticket(view), last))
    place = say("• *{}* in {}", short(view.role, 80), _place(view))
    head = join((place, STATE_WORDS[Stage.WAITING], view.id))
    return [Line(lines((head, details, cards.reduced_text(view))))]


def _press(waiting: RequestViews, value: str) -> Buttons | None:
    open_ = [view for view in waiting if view.resolved and view.in_policy and view.needs]
    if not open_:
        return None
    every = " all" if len(open_) > 1 else ""
    agree = None
    if any(view.can_approve for view in open_):
        told = _said(open_, f"Approve{every}")
        agree = Button(f"Approve{every}", APPROVE_ALL, value, style="primary", confirm=_sure(open_), said=told)
    more = Menu(cards.MORE, [("Explain who may approve this", f"explain:{cards.value(open_[0])}")])
    deny = Button(f"Deny{every}", DENY_ALL, value, style="danger", said=_said(open_, f"Deny{every}"))
    return buttons(agree, deny, more)


def _said(views: RequestViews, verb: str) -> str:
    roles = people(dict.fromkeys(view.role for view in views))
    return said_of(f"{verb}, {roles}, for {views[0].holder}", _ids(views[:3]))


def _sure(views: RequestViews) -> Confirm | None:
    dangerous = [view for view in views if view.dangerous]
    if not dangerous:
        return None
    first = views[0]
    roles = people([f"{cut(view.role, 40)} in {cut(view.title, 40)} ({view.tier.value})" for view in views])
    dangers = "; ".join(dict.fromkeys(view.danger for view in dangerous if view.danger))
    told = f" Danger: {dangers}." if dangers else ""
    text = f"{cut(first.holder, 60)} gets {roles} for {format_duration(first.duration)}.{told}"
    return Confirm(f"Approve all {len(views)}?", text, "Approve", "Go back")


def _small(waiting: RequestViews, views: RequestViews) -> Rich:
    """While some of them wait: what was done about it, and until when."""
    told = rich(joined((notes(waiting[0]), expiry(waiting[0]))), waiting[0].now) if waiting else "asked together"
    lost = cards.unreached(list(dict.fromkeys(name for view in views for name in view.not_reached)))
    return join((told, lost, short(", ".join(dict.fromkeys(view.environment for view in views))), _ids(views)))


# ---------------------------------------------------------------- the requester


def asked(panels: Sequence[tuple[RequestViews, Deciders]], command: str = "/prodaccess") -> Message:
    """What was asked, and who was asked for what. `panels`: those that are decided together, with who can agree."""
    views = [view for panel, _ in panels for view in panel]
    first = views[0]
    head = say("You asked for {} for {}.", what(views), _durations(views))
    several = len(panels) > 1
    who = [_can(panel, deciders, say_which=several) for panel, deciders in panels]
    told = [head, *(say("• {}", words) for words in who)] if several else [say("{} {}", head, who[0])]
    expires = say("expires {}", Time(first.expires, first.now))
    small = say("{} · take one back with `{} withdraw {}` · {}", expires, command, first.id, _ids(views))
    return message(
        say("{} {}", join(told, " "), _ids(views)),
        Listing([say("⏳ {}", told[0]), *told[1:]]),
        quote(first.reason),
        buttons(_take_back(views)),
        Small(small),
    )


def _take_back(views: RequestViews) -> Button:
    waiting = [view for view in views if view.stage in (Stage.WAITING, Stage.AGREED)]
    return Button("Take all back", WITHDRAW_ALL, views[0].id, said=said_of("Take all back", _ids(waiting[:5])))


def _durations(views: RequestViews) -> Rich:
    """One for all, or each one's own."""
    lengths = {format_duration(view.duration) for view in views}
    if len(lengths) == 1:
        return say("{}", lengths.pop())
    return series(say("{} ({})", format_duration(view.duration), short(view.role, 60)) for view in views)


def _can(panel: RequestViews, deciders: Deciders, *, say_which: bool) -> Rich:
    all_, it = ("All of it", "all of it") if len(panel) > 1 else ("It", "it")
    if not deciders:
        which = what(panel) if say_which else ours(all_)
        return say("{}: its owners are asked as soon as {} has confirmed the names.", which, _providers(panel))
    which = what(panel) if say_which else ours(it)
    if deciders.simple:
        return say("{} can approve {}.", short(deciders.rule, 1000), which)
    to = say(" to {}", which) if say_which else NOTHING
    return say("{}{}{}.", short(deciders.have_to, 1000), to, deciders.once)


def _providers(panel: RequestViews) -> str:
    return people(dict.fromkeys(view.provider for view in panel))


def left_out(views: RequestViews, reader: PersonId) -> Message:
    """What the person has or waits for already, so that it was not asked for again."""
    return _one_by_one([say("{}, so it was left out: {}", asked_already(view, reader), line(view)) for view in views])


def _one_by_one(told: Sequence[Rich]) -> Message:
    return message(lines(told), Listing(told))


def state(views: RequestViews) -> Message:
    """The requester's one message: each with its state and its end, kept current; how to use those that are active."""
    lead = say("You asked for {}.", what(views))
    waiting = any(view.stage in (Stage.WAITING, Stage.AGREED) for view in views)
    take_back = buttons(_take_back(views)) if waiting else None
    summary = say("{} {}", lead, join(map(line, views)))

    def parts(each: int) -> list[Part | None]:
        own = [part for view in views for part in _own(view)[:each]]
        return [Line(lead), *own, take_back, Small(say("{}", _ids(views)))]

    return first_that_fits(summary, map(parts, (4, 3, 2)))


def _own(view: RequestView) -> list[Part | None]:
    """Its state; while it is active, how to get in, what matters most first."""
    head = Line(say("• {}", line(view)))
    if view.stage is not Stage.ACTIVE:
        return [head]
    press = buttons(
        console_button(view), cards.end_button(view, "I am done"), cards.extend_button(view), first_time_button(view)
    )
    hint = Small(say("{}", short(view.how_to, 600))) if view.how_to else None
    return [head, press, Snippet(use_of(view).lines), hint]


def moved(id_: str) -> Message:
    """A card whose requests stand on another by now."""
    said = say("{} is decided on another card by now, by other people.", id_)
    return message(said, Small(said))


def news(views: RequestViews) -> Message:
    """Under the requester's message: what became of some of them after it was first sent."""
    return _one_by_one(list(map(line, views)))


def ending(views: RequestViews) -> Message:
    """The end of some of them is near."""
    first = views[0]
    when = say("at {}", Time(first.until, first.now)) if first.until else ours("soon")
    said = say("⏰ Your {} {} {}.", what(views), "ends" if len(views) == 1 else "end", when)
    return message(said, Line(said), Small(say("{}", _ids(views))))


# ---------------------------------------------------------------- receipts


def root(views: RequestViews) -> Message:
    """The root of the one thread for all of them. It calls nobody."""
    if any(view.hidden for view in views):
        return _hidden(views)
    waits = stage_of(views) is Stage.WAITING
    asked_ = say("for {}: {}", _durations(views), short(views[0].reason, 120)) if waits else NOTHING
    return message(_fallback(views), Listing([join((headline(views), asked_)), *_bullets(views)]))
