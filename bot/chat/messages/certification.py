"""A certification in chat: a card for each part of what is asked, how far it has come, and what is to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.chat.message import Button, Line, Listing, Message, Part, Small, buttons, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import NOTHING, Rich, Time, join, lines, ours, say, short
from bot.chat.views.overviews import Unanswered
from bot.chat.wording.certification import may_words, step_words, used_words
from bot.chat.wording.labels import TIER_WORDS
from workflows.core.audit import AuditEntry
from workflows.core.certification.removal import Step
from workflows.core.certification.rules import sums
from workflows.core.policy import Environment
from workflows.core.records.certification import Against, Certification, CertificationPart, Item, ItemKind, Verdict

ANSWER = "certify"
_ROOM = 9000
# Of what a role allows, and of a reason: a card has many lines.
_WORDS_LENGTH_MAX = 120
# Buttons of one call to the panic group; what is left is found by the command line.
_CARDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Card:
    """`place`: the environment as the policy has it now; None where it is gone. `proofs`: the newest entry of each item, by its
    number."""

    run: Certification
    part: CertificationPart
    place: Environment | None
    proofs: Mapping[int, AuditEntry]


def card(of: Card, called: Rich = NOTHING) -> Message:
    """`called`: who is asked, in the chat where it stands."""
    part, run = of.part, of.run
    line = say("📋 *Who and what stays in {}?*{}", short(part.title, 80), _tier(of.place))
    state = _state(run, len(part.open), len(part.items))
    asked = _asked(called, of) if run.is_open and part.open else NOTHING
    listed = [_line(item, of) for item in part.items]
    press = Button("Answer...", ANSWER, part.id, style="primary", said=f"Answer for {part.title[:40]}, card {part.id}")
    return message(
        lines((say("{}: {}", line, state), *listed)),
        Line(lines((line, state))),
        Line(asked) if asked else None,
        Listing(listed, room=_ROOM),
        Listing([say("⚠️ {}", short(note, 200)) for note in part.notes]) if part.notes else None,
        buttons(press) if run.is_open else None,
        Small(_small(of)),
    )


def _tier(place: Environment | None) -> Rich:
    return say(" · {}", TIER_WORDS[place.tier]) if place is not None else NOTHING


def _asked(called: Rich, of: Card) -> Rich:
    if of.place is None:
        said = "the policy does not have it any more, so the panic group says of each whether it stays."
        return say("{}: {}", called, ours(said)) if called else ours(said[:1].upper() + said[1:])
    asks = "please say of each whether it stays."
    whom = say("{}: {}", called, ours(asks)) if called else ours(asks[:1].upper() + asks[1:])
    why = " Where ⚠️ stands, say why it stays." if any(item.against for item in of.part.open) else ""
    return say("{}{}", whom, ours(why))


def _state(run: Certification, open_: int, whole: int) -> Rich:
    if run.closed_at is not None:
        return say("🏁 Closed {}{}", Time(run.closed_at, run.at, with_day=True), _unanswered(open_))
    if open_:
        word = "to answer until" if run.escalated_at is None else "not answered, and that was due"
        return say("⏳ {} of {} {} {}", open_, whole, ours(word), Time(run.due_at, run.at, with_day=True))
    return say("👍 All {} answered. An answer can be changed until {}", whole, Time(run.due_at, run.at, with_day=True))


def _unanswered(open_: int) -> str:
    return f": {open_} not answered" if open_ else ""


def _small(of: Card) -> Rich:
    part = of.part
    page = f"card {part.page} of {part.pages}" if part.pages > 1 else ""
    counted = say("uses counted since {}", Time(of.run.since, of.run.at, with_day=True))
    return join((counted, page, part.environment, f"certification {part.run}, card {part.id}"))


# ---------------------------------------------------------------- one item


def _line(item: Item, of: Card) -> Rich:
    answer = item.answer
    if answer is None:
        return _open_line(item, of)
    entry = of.proofs.get(item.number)
    proof = mark(entry.number, entry.digest) if entry is not None else ""
    word = "✂️ {}: {} goes, says {}{}" if answer.verdict is Verdict.REMOVE else "👍 {}: {} stays, says {}{}"
    why = say(": {}", short(answer.reason, _WORDS_LENGTH_MAX)) if answer.reason else NOTHING
    said = say(word, item.number, _what(item), short(answer.by_name, 80), why)
    return join((said, proof))


def _what(item: Item) -> Rich:
    name = short(item.name, 80)
    if item.kind is ItemKind.ROLE:
        return say("the role *{}*", name)
    if item.kind is ItemKind.STANDING:
        return say("access of *{}* ({})", name, short(item.about, 80))
    return say("*{}*", name)


def _open_line(item: Item, of: Card) -> Rich:
    sign = "⚠️ " if item.against else ""
    parts = {
        ItemKind.ROLE: _role,
        ItemKind.PERSON: _person,
        ItemKind.STANDING: _standing,
    }[item.kind](item, of)
    return say("{}{} · {}", ours(sign), item.number, join(parts))


def _role(item: Item, of: Card) -> tuple[Rich, ...]:
    return _what(item), say("allows: {}", short(item.about, _WORDS_LENGTH_MAX)), _used(item, of, "nobody used it")


def _person(item: Item, of: Card) -> tuple[Rich, ...]:
    gone = ours("their account is gone from the chat") if Against.GONE in item.against else NOTHING
    return _what(item), say("{}", short(may_words(item), 300)), gone, _used(item, of, "used nothing")


def _used(item: Item, of: Card, never: str) -> Rich:
    if item.last is None:
        return ours(never)
    return say("{}, last {}", ours(used_words(item)), Time(item.last, of.run.at, with_day=True))


def _standing(item: Item, of: Card) -> tuple[Rich, ...]:
    since = say("seen first {}", Time(item.since, of.run.at, with_day=True)) if item.since else NOTHING
    instead = say("could be asked for as {}", short(", ".join(item.roles), 100)) if item.roles else NOTHING
    return say("*{}* has it for good: {}", short(item.name, 80), short(item.about, 120)), since, instead


# ---------------------------------------------------------------- how far it has come


@dataclass(frozen=True, slots=True)
class Round:
    """A whole certification. `hidden`: environments of which who and what is not told here. `began`: the entry that began it,
    `ended`: the one that closed it, as long as the log in Redis has them."""

    run: Certification
    parts: Sequence[CertificationPart]
    began: AuditEntry | None = None
    ended: AuditEntry | None = None
    hidden: frozenset[str] = frozenset()


def progress(of: Round) -> Message:
    """In the receipts channels, edited as it goes."""
    run, counts = of.run, sums(of.run, of.parts)
    line = say("📋 *Certification {}*: owners say which roles and people stay", run.id)
    state = _state(run, counts.open, counts.items)
    listed = [_environment(name, of) for name in dict.fromkeys(part.environment for part in of.parts)]
    why = say("Begun by {}: {}", short(run.by, 80), short(run.reason, 200))
    said = say("{} stay · {} go", counts.kept, counts.removed)
    return message(
        say("{}: {}", line, state),
        Line(lines((line, state))),
        Line(why),
        Listing(listed, room=6000),
        _end(run),
        Small(join((said, _proof(of.ended or of.began), f"certification {run.id}"))),
    )


def _end(run: Certification) -> Part | None:
    if run.is_open or not run.closed_by:
        return None
    return Line(say("Closed by {}: {}", short(run.closed_by, 80), short(run.closed_reason, 200)))


def _environment(name: str, of: Round) -> Rich:
    parts = [part for part in of.parts if part.environment == name]
    counts = sums(of.run, parts)
    said = f"{counts.open} of {counts.items} to answer" if counts.open and of.run.is_open else ""
    left = f"{counts.open} not answered" if counts.open and not of.run.is_open else ""
    return say("• {}: {}", short(parts[0].title, 80), ours(said or left or f"all {counts.items} answered"))


def _proof(entry: AuditEntry | None) -> Rich:
    if entry is None:
        return NOTHING
    return say("{} · {}", Time(entry.at, entry.at), mark(entry.number, entry.digest))


# ---------------------------------------------------------------- calls


def reminder(run: Certification, parts: Sequence[CertificationPart], called: Rich = NOTHING) -> Message:
    """To the owners of one environment, below its cards. `parts`: of it alone. It changes once nobody has to answer any more."""
    title = short(parts[0].title, 80)
    if not run.is_open or not any(part.open for part in parts):
        return reminded(run, parts)
    until = Time(run.due_at, run.at, with_day=True)
    said = (
        "⏳ *{}* is not answered in whole, and that was due {}"
        if run.escalated_at
        else "⏳ *{}* is not answered in whole yet, due {}"
    )
    line, asks = say(said, title, until), ours("please say who and what stays.")
    whom = say("{}: {}", called, asks) if called else ours("Please say who and what stays.")
    return message(say("{}. {}", line, whom), Line(line), Line(whom), buttons(*_answer(parts)), Small(_which(run)))


def reminded(run: Certification, parts: Sequence[CertificationPart]) -> Message:
    """In place of a reminder: it was the last one no longer, or nobody has to answer."""
    title, over = short(parts[0].title, 80), not any(part.open for part in parts)
    if over:
        line = say("👍 *{}* is answered", title)
    elif run.is_open:
        line = say("⏳ *{}*: a newer reminder stands below", title)
    else:
        line = say("🏁 *{}*: the certification is closed", title)
    return message(line, Line(line), Small(_which(run)))


def overdue(of: Round, called: Rich = NOTHING) -> Message:
    """To the panic group, which may answer in the owners' place; it changes as environments are answered."""
    run, open_ = of.run, [part for part in of.parts if part.open]
    if not run.is_open or not open_:
        word = "is closed" if not run.is_open else "is answered"
        line = say("👍 Certification {} {}: nobody else is asked", run.id, ours(word))
        return message(line, Line(line), Small(_which(run)))
    line = say("🔔 Certification {} is overdue: it was due {}", run.id, Time(run.due_at, run.at, with_day=True))
    asks = ours("owners did not answer. Please find them, or answer in their place.")
    whom = (
        say("{}: {}", called, asks)
        if called
        else ours("Owners did not answer. Please find them, or answer in their place.")
    )
    listed = [say("• {}", short(title, 80)) for title in dict.fromkeys(part.title for part in open_)]
    return message(
        lines((say("{}. {}", line, whom), *listed)),
        Line(line),
        Line(whom),
        Listing(listed, room=4000),
        buttons(*_answer(of.parts)),
        Small(_which(run)),
    )


def _answer(parts: Sequence[CertificationPart]) -> list[Button]:
    found = [part for part in parts if part.open]
    return [
        Button(
            f"Answer: {part.title[:30]}{f' {part.page}' if part.pages > 1 else ''}...",
            ANSWER,
            part.id,
            said=f"Answer for {part.title[:40]}, card {part.id}",
        )
        for part in found[:_CARDS_MAX]
    ]


def _which(run: Certification) -> Rich:
    return join((f"certification {run.id}", "prodaccess certify status"))


# ---------------------------------------------------------------- what goes


@dataclass(frozen=True, slots=True)
class Going:
    """`steps`: what somebody has to do; None where the policy is not known."""

    part: CertificationPart
    item: Item
    steps: Sequence[Step]
    entry: AuditEntry | None


def going(run: Certification, found: Sequence[Going], hidden: frozenset[str]) -> Message:
    """What is to go, and what that takes: the certification itself takes nothing away. Edited as it goes."""
    if not found:
        line = say("👍 Certification {}: nothing is to go any more", run.id)
        return message(line, Line(line))
    line = say("✂️ *To go*: {} · I take none of it away by myself", len(found))
    listed = [_going(one, hidden) for one in found]
    more = "`prodaccess certify report` has the change of the policy, where it can be made exactly"
    return message(
        lines((line, *listed)),
        Line(line),
        Listing(listed, room=8000),
        Small(say("{} · " + more, f"certification {run.id}")),
    )


def _going(one: Going, hidden: frozenset[str]) -> Rich:
    title, entry = short(one.part.title, 80), one.entry
    proof = mark(entry.number, entry.digest) if entry is not None else ""
    if one.part.environment in hidden or one.item.answer is None:
        return join((say("• {}", title), proof))
    steps = "; ".join(map(step_words, one.steps)) or "nothing more to do: the policy does not have it any more"
    why = short(one.item.answer.reason, _WORDS_LENGTH_MAX)
    said = say("says {}: {}", short(one.item.answer.by_name, 80), why)
    return join((say("• {} in {}: {}", _what(one.item), title, short(steps, 400)), said, proof))


# ---------------------------------------------------------------- in the digest


def unanswered_line(one: Unanswered) -> Rich:
    """For the digest."""
    due = Time(one.run.due_at, one.run.at, with_day=True)
    word = "were due" if one.run.escalated_at is not None else "due"
    return say(
        "• 📋 {}: {} of {} not answered in certification {}, {} {}",
        short(one.title, 80),
        one.open,
        one.items,
        one.run.id,
        ours(word),
        due,
    )
