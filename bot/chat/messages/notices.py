"""What one person is told: the holder about their own access, owners and the receipts channel about what went wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.chat.carried import read_carried, read_moment, read_seconds
from bot.chat.commands.start_time import with_zone
from bot.chat.message import (
    Button,
    Buttons,
    Line,
    Listing,
    Message,
    Small,
    Snippet,
    buttons,
    message,
    quote,
    said_of,
    value_of,
    with_parts,
)
from bot.chat.messages.approval_card import (
    again_button,
    end_button,
    extend_button,
    headline,
    reduced_line,
    small_print,
    status,
    take_back_button,
    ticket,
    top,
)
from bot.chat.rich import NOTHING, Mentions, Rich, Time, call, join, lines, marked, ours, rich, say, short
from bot.chat.text import cut
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.request_view import RequestView
from bot.chat.views.state_lines import how, stop, why_not
from bot.chat.views.state_lines import short as why_in_short
from bot.chat.views.waiting_lines import asked_so_far
from bot.chat.wording.labels import Asked, Stage, people, rounded
from bot.chat.wording.signed_votes import vote_not_proved
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.provider import HowToUse, provider_of
from workflows.core.records.grant import EndCause
from workflows.core.rules.eligibility import REASON_LENGTH_MAX, Ask

OPEN_CONSOLE, FIRST_TIME, DECLINE = "open_console", "first_time", "decline"
# action_id of the button that opens it for a later start.
ASK_THEN = "ask_then"


def answer(text: str) -> Message:
    """A sentence of ours to one person (a refusal, a help line). Back-ticks in it are ours and format."""
    return message(marked(text), Listing([marked(line) for line in text.split("\n")]))


def with_ask_for(refused: Message, ask: Ask, others: Sequence[Ask] = (), whom: str = "") -> Message:
    """A refusal for now, with a button that opens the form filled in: for then, or to ask again. `others`: asked in one go.
    `whom`: the account of who shall have it, where that is somebody else.
    """
    filled = {
        "e": ask.environment[:80],
        "r": ask.role[:80],
        "d": int(ask.duration.total_seconds()) if ask.duration else 0,
        "w": ask.reason[:REASON_LENGTH_MAX],
        "t": (ask.ticket or "")[:100],
        "s": int(ask.start_at.timestamp()) if ask.start_at else 0,
    }
    filled |= {"h": whom[:40]} if whom else {}
    for name, chosen, first in (("m", "role", ask.role), ("p", "environment", ask.environment)):
        different = dict.fromkeys(getattr(one, chosen)[:80] for one in others if getattr(one, chosen) != first)
        filled |= {name: list(different)} if different else {}
    label, said = "Ask again", f"Ask again for {ask.role} in {ask.environment}"
    if ask.start_at:
        label, said = "Ask for then", f"Ask for {ask.start_at.astimezone(UTC):%a %H:%M} UTC"
    button = Button(label, ASK_THEN, json.dumps(filled, ensure_ascii=False), said=said)
    return with_parts(refused, Buttons([button]))


def read_ask_for(value: str) -> Ask | None:
    """What the button was made for; None where it is none of ours. Whoever makes one up opens a form, and is asked like all."""
    found = read_carried(value)
    if not {"e", "r", "d", "w", "t", "s"} <= found.keys():
        return None
    environment, role, reason, ticket = (str(found[name]) for name in ("e", "r", "w", "t"))
    duration, start = read_seconds(found["d"]), read_moment(found["s"])
    if duration is None or (found["s"] and start is None):
        return None
    return Ask(environment, role, duration or None, reason, ticket or None, start)


def read_whom(value: str) -> str:
    """The account of who shall have it; empty where that is whoever presses."""
    return str(read_carried(value).get("h") or "")


def read_others(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The other roles, and the other environments, that the same button was made for."""
    lists = (read_carried(value).get(name) for name in ("m", "p"))
    roles, places = (tuple(map(str, found)) if isinstance(found, list) else () for found in lists)
    return roles, places


# ---------------------------------------------------------------- asked


def asked(
    view: RequestView,
    deciders: Deciders = NOBODY,
    *,
    by_rule: bool = False,
    zone: str = "",
) -> Message:
    """The requester's own answer: what was asked, who was asked, until when. `deciders`: who can agree.

    `by_rule`: a rule of the policy may approve it at once, which is not known yet. `zone`: the asker's, where it is known.
    """
    how_long = NOTHING if view.extends else say(" for {}", format_duration(view.duration))
    whom = say(" for {},", short(view.holder, 100)) if view.on_behalf else NOTHING
    line = say("You asked for {}{}{}{}.", _what(view), whom, how_long, _to_begin(view, zone))
    waits = say("{}", short(deciders.sentence, 1000) or _looking_up(view))
    if by_rule:
        otherwise = say(" If none does: {}", short(deciders.sentence, 1000)) if deciders else NOTHING
        waits = say("A rule may approve it in a moment.{}", otherwise)
    # Who was asked stands above already; what has been done since is what the person wants to know.
    since = view.reminded_at or view.escalated_at
    told = rich(asked_so_far(view, deciders), view.now) if since and deciders else NOTHING
    # The shortest wait first: this is written before a rule may have approved it.
    expires = say("expires {}", Time(view.expires, view.now))
    small = join((told, expires, short(view.environment, 80), view.id))
    return message(
        say("{} {} {}", line, waits, view.id),
        Line(say("⏳ {} {}", line, waits)),
        quote(view.reason),
        reduced_line(view),
        buttons(take_back_button(view)),
        Small(small),
    )


# Nobody is named of whom nobody knows whether they are there.
def _looking_up(view: RequestView) -> Rich:
    return say("I am looking up who can approve it, and ask them as soon as {} has confirmed the names.", view.provider)


def _to_begin(view: RequestView, zone: str) -> Rich:
    """With day and zone: a time of another day, or of another clock, would be found out too late."""
    if view.start_at is None:
        return NOTHING
    told = with_zone(view.start_at, zone) if zone else Time(view.start_at, view.now, with_day=True)
    return say(", to begin {}", told)


def agreed(view: RequestView) -> Message:
    """It was approved, and begins later."""
    if view.stage is not Stage.AGREED:
        return settled(view)
    decided = view.decided_at or view.now
    start = say(" from {} on", Time(view.start_at, decided, with_day=True)) if view.start_at else NOTHING
    line = say("⏰ You will have {}{}, for {}{}.", _what(view), start, format_duration(view.duration), _by(view))
    return message(say("{} {}", line, view.id), Line(line), buttons(take_back_button(view)), Small(small_print(view)))


def _by(view: RequestView) -> Rich:
    return say(", {}", short(view.approved_by, 150)) if view.approved_by else NOTHING


def unreached(view: RequestView, deciders: Deciders, command: str = "/prodaccess", *, alone: bool = True) -> Message:
    """To whoever asked: the chat took the card for nobody who can decide. `alone`: not asked for with others in one go."""
    if view.stage is not Stage.WAITING:
        return settled(view)
    line = say("⚠️ No message about your request for {} reaches anybody who can approve it.", _what(view))
    who = short(deciders.rule, 300) if deciders else "an owner"
    then = say("Please tell {} yourself: they can type `{} approve {}`.", who, command, view.id)
    press = buttons(take_back_button(view)) if alone else None
    return message(say("{} {}", line, then), Line(lines((line, then))), press, Small(ours(view.id)))


def nobody_there(view: RequestView, command: str = "/prodaccess", *, alone: bool = True) -> Message:
    """To whoever asked, once everybody has been looked up: the groups of which nobody is there who could agree."""
    if view.stage is not Stage.WAITING:
        return settled(view)
    line = say(
        "⚠️ Nobody can approve your request for {} as it is: I looked, and too few of {} are here.",
        _what(view),
        short(people(view.nobody, "and"), 300),
    )
    how = NOTHING if alone else say(" with `{} withdraw {}`", command, view.id)
    then = say("Tell the platform team. Take it back{}, or leave it: it waits until it expires.", how)
    press = buttons(take_back_button(view)) if alone else None
    return message(say("{} {}", line, then), Line(lines((line, then))), press, Small(ours(view.id)))


def asked_already(view: RequestView, reader: PersonId) -> Rich:
    """`Max asked for this for you already`: who asked, and for whom, as the record has it."""
    asker = "You" if reader == view.requester_id else short(view.requester, 100)
    holder = "you" if reader == view.holder_id else short(view.holder, 100)
    if view.break_glass:
        return say("{} used break-glass for this already", asker)
    return say("{} asked for this{} already", asker, say(" for {}", holder) if view.on_behalf else NOTHING)


def have_it(view: RequestView, reader: PersonId, deciders: Deciders = NOBODY) -> Message:
    """A second ask for what is pending or live answers with the one that is there, and with what was done about it."""
    line = say("{}: {}.", asked_already(view, reader), _what(view))
    told = rich(asked_so_far(view, deciders), view.now) if view.stage is Stage.WAITING else NOTHING
    state = status(view, left=True)
    mine = reader in (view.requester_id, view.holder_id)
    press = buttons(
        take_back_button(view) if reader == view.requester_id else None,
        extend_button(view) if mine and view.stage is Stage.ACTIVE else None,
    )
    small = join((told, short(view.environment, 80), view.id))
    return message(
        join((say("{} {}", line, state), told, view.id)),
        Line(lines((line, state))),
        quote(view.reason),
        press,
        Small(small),
    )


def _what(view: RequestView) -> Rich:
    return say("{}*{}* in *{}* ({})", view.more, short(view.role, 80), short(view.title, 100), view.tier_words)


# ---------------------------------------------------------------- active


def active(view: RequestView) -> Message:
    """One line of state, how to get in, the role's own hint. Nothing else."""
    line = say("✅ You have {}{}.", _what(view), _until(view))
    console = console_button(view)
    return message(
        line,
        Line(line),
        reduced_line(view),
        buttons(
            replace(console, style="primary") if console else None,
            end_button(view, "I am done"),
            extend_button(view),
            first_time_button(view),
        ),
        Snippet(use_of(view).lines),
        Line(say("{}", short(view.how_to, 600))) if view.how_to else None,
        Small(join((short(view.approved_by or ""), ticket(view), view.id))),
    )


def console_button(view: RequestView) -> Button | None:
    address = use_of(view).console
    told = said_of(f"Open console for {view.what} in {view.title}", view.id)
    return Button("Open console", OPEN_CONSOLE, view.id, url=address, said=told) if address else None


def first_time_button(view: RequestView) -> Button | None:
    """Answered to whoever presses it with what is set up once."""
    told = said_of(f"First time? How to set up {view.what} in {view.title}", view.id)
    return Button("First time?", FIRST_TIME, value_of(view.id), said=told) if use_of(view).set_up else None


def first_time(view: RequestView) -> Message:
    """What is set up once on each machine, before the line of the message "active"."""
    use = use_of(view)
    line = say("Once on each machine, for {}:", _what(view))
    then = say("Then, each time: `{}`", " ".join(use.lines))
    return message(line, Snippet(use.set_up, line), Line(then), Small(small_print(view)))


def use_of(view: RequestView) -> HowToUse:
    target, ids = view.terms.target, view.resource.ids if view.resource else {}
    return provider_of(target.kind).how_to_use(target, view.environment, view.role, ids)


def _until(view: RequestView) -> Rich:
    return say(" until {}", Time(view.until, view.now)) if view.until else NOTHING


def over_active(view: RequestView) -> Message:
    """What the message "active" becomes when it is over: its state, nothing to paste, and the way to ask once more."""
    return with_parts(settled(view), buttons(again_button(view)))


def asked_for_you(view: RequestView, command: str = "/prodaccess") -> Message:
    """To the holder, at once: somebody else asked for them, and they may decline."""
    if view.stage is not Stage.WAITING:
        return settled(view)
    asker, time = short(view.requester, 100), format_duration(view.duration)
    line = say("{} asked for {} for you, for {}.", asker, _what(view), time)
    small = say(
        "You are told when you have it. If you do not want it, decline: `{} decline {}` · {}",
        command,
        view.id,
        view.id,
    )
    button = Button("Decline", DECLINE, value_of(view.id), said=said_of(f"Decline {view.what}", view.id))
    return message(say("{} {}", line, view.id), Line(line), quote(view.reason), buttons(button), Small(small))


def settled(view: RequestView) -> Message:
    """What the form's answer becomes when it no longer waits: its state."""
    return message(join((headline(view), status(view))), Line(top(view)), Small(small_print(view)))


def ending(view: RequestView, command: str = "/prodaccess") -> Message:
    """The end is near."""
    when = say("at {}", Time(view.until, view.now)) if view.until else ours("soon")
    line = say("⏰ Your {} ends {}.", _what(view), when)
    longer = buttons(extend_button(view))
    again = say("Or type `{} extend {} 30m REASON`", command, view.id) if longer else NOTHING
    return message(line, Line(line), longer, Small(join((again, view.id))))


# ---------------------------------------------------------------- over


def outcome(view: RequestView, command: str = "/prodaccess") -> Message:
    """To the holder, once it is over: what became of it, and what to do next. For states that are not over: the state."""
    told = _OUTCOMES.get(view.stage)
    line = told(view) if told else say("{}: {}", _what(view), status(view))
    small = Small(join((_next(view, command), view.id)))
    return message(say("{} {}", line, view.id), Line(line), small, buttons(again_button(view)))


def _ended(s: RequestView) -> Rich:
    if s.end_cause is EndCause.RETURNED:
        return say("🏁 You gave back your {}. {}", _what(s), _tail(s))
    return say("🏁 Your time is up: {} has ended. {}", _what(s), _tail(s))


def _extended(s: RequestView) -> Rich:
    until = say(" until {}", Time(s.extended_until, s.decided_at or s.now)) if s.extended_until else NOTHING
    return say("✅ You have {}{}{}.", _what(s), until, _by(s))


def _tail(s: RequestView) -> Rich:
    """What is still open, if anything is."""
    if s.extends:
        return say("{} ends as it would have.", s.extends)
    if s.covered_by:
        until = say(" until {}", Time(s.covered_until, s.closed_at or s.now)) if s.covered_until else NOTHING
        return say("Your access goes on under {}{}.", s.covered_by, until)
    if s.activated_at is None:
        return ours("Nothing is open.")
    if s.session_until:
        until_then = Time(s.session_until, s.closed_at or s.now)
        return say("The removal is verified. Sessions end by {}; please close yours.", until_then)
    return ours("The removal is verified.")


def _revoked(s: RequestView) -> Rich:
    why = say(": {}", short(stop(why_in_short(s.why)), 300)) if s.why else ours(".")
    return say("✂️ {} revoked your {}{} {}", short(s.ended_by or "Somebody", 100), _what(s), why, _tail(s))


def _denied(s: RequestView) -> Rich:
    why = say(": {}", short(stop(why_in_short(s.why, 500)), 510)) if s.why else ours(".")
    return say("⛔ {} denied your request for {}{}", short(s.ended_by or "Somebody", 100), _what(s), why)


def _expired(s: RequestView) -> Rich:
    waited = rounded(s.expires_at - s.created_at)
    if s.break_glass:
        told = f"⌛ {s.provider} did not confirm the names for your break-glass, {{}}, in {{}}. Nothing was given."
    elif s.agreed_by:
        told = "⌛ Not enough people agreed to your request for {} in {}. Nothing was given."
    else:
        told = "⌛ Nobody answered your request for {} in {}. Nothing was given."
    return say(told, _what(s), waited)


def _not_given(s: RequestView) -> Rich:
    why = marked(stop(cut(why_not(s, to_holder=True), 600)))
    return say("❌ You do not get {}: {} {}", _what(s), why, _tail(s))


def _standing(s: RequestView) -> Rich:
    return say(
        "❌ {}: you have this permanently already{}. Nothing was given and nothing will be taken.",
        _what(s),
        ours(how(s)),
    )


def _withdrawn(s: RequestView) -> Rich:
    return say("↩︎ You took back your request for {}.", _what(s))


_OUTCOMES: dict[Stage, Callable[[RequestView], Rich]] = {
    Stage.ENDED: _ended,
    Stage.EXTENDED: _extended,
    Stage.REVOKED: _revoked,
    Stage.DENIED: _denied,
    Stage.EXPIRED: _expired,
    Stage.NOT_GIVEN: _not_given,
    Stage.STANDING: _standing,
    Stage.WITHDRAWN: _withdrawn,
}


def _next(s: RequestView, command: str) -> Rich:
    if s.extends:
        return NOTHING
    if s.stage in (Stage.ENDED, Stage.EXPIRED) and not s.covered_by:
        return say("Again: `{} {} {} REASON`", command, short(s.environment), short(s.role))
    return NOTHING


# ---------------------------------------------------------------- alarms


def removal_failing(
    view: RequestView, *, failures: int | None = None, mentions: Mentions | None = None, owners: Sequence[str] = ()
) -> Message:
    """Access that should be over could not be taken away. `owners`: group names to call, with `mentions`."""
    if failures:
        line = say("⚠️ I tried {} times to remove {}, and could not.", str(failures), _whose(view))
    else:
        # Nothing has failed: the target takes its time, or many wait for it.
        line = say("⚠️ {} should be over, and is not removed yet.", _whose(view, first=True))
    why = why_in_short(view.error or f"{view.provider} did not say", 600)
    error = NOTHING if view.hidden else say("Why: {}", short(why, 600))
    return message(
        say("{} It may still be open. {} {}", line, error, view.id),
        Line(lines((say("{} *It may still be open.* I keep trying.", line), error))),
        _commands(view),
        _called(view, mentions, owners),
    )


def reappeared(
    view: RequestView, seen_at: datetime, *, mentions: Mentions | None = None, owners: Sequence[str] = ()
) -> Message:
    """Access was there again after its verified end."""
    line = say("⚠️ {} was there again at {}, after its end.", _whose(view, first=True), Time(seen_at, view.now))
    then = say(
        "Somebody may have given it by hand, or a late answer of {} did. If it comes back, look at who gives it.",
        view.provider,
    )
    return message(
        say("{} {}", line, view.id),
        Line(lines((say("{} I am taking it away again.", line), then))),
        _commands(view),
        _called(view, mentions, owners),
    )


def vote_unproved(
    view: RequestView, why: str, *, more: bool = False, mentions: Mentions | None = None, owners: Sequence[str] = ()
) -> Message:
    """A vote stands in the ledger that the chat has not signed. `why`: of `core.rules.signed_votes`. `more`: on more time."""
    what, said = _whose(view, first=True), ours(vote_not_proved(why, "whoever approved it"))
    line = say("⚠️ {} was not extended: {}." if more else "⚠️ {} was not given: {}.", what, said)
    then = ours(
        "Somebody may have written to the records by hand. Ask those who approved whether they did, and look at who can "
        "write to Redis."
    )
    return message(
        say("{} {}", line, view.id),
        Line(lines((line, then))),
        _called(view, mentions, owners),
    )


def _whose(view: RequestView, *, first: bool = False) -> Rich:
    """`first`: a sentence begins with it."""
    if view.hidden:
        return say("{} in *{}* ({})", "Access" if first else "access", short(view.title, 100), view.tier_words)
    holder = short(view.holder, 100)
    return say("{}'s {}", holder[:1].upper() + holder[1:] if first else holder, _what(view))


def _commands(view: RequestView) -> Snippet | None:
    resource = view.resource
    if resource is None:
        return None
    told = provider_of(resource.target.kind).by_hand(resource.target, resource.ids, view.id)
    return Snippet(told, ours("By hand, with an administrator's credentials:"))


def _called(view: RequestView, mentions: Mentions | None, owners: Sequence[str]) -> Small:
    called = call(Asked(tuple(owners)), mentions or {}, names=view.called_names) if owners else NOTHING
    return Small(join((say("For {}", called) if called else NOTHING, view.id)))


def unknown_copy(id_: str, command: str = "/prodaccess") -> Message:
    """What a copy that the ledger does not know becomes when it is pressed: a pointer."""
    line = say("This is an old copy of {}. `{} show {}` shows how it stands.", short(id_), command, short(id_))
    return message(line, Line(line))
