"""What one person is told: the holder about their own access, owners and the receipts channel about what went wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.aws_words import HowToUse, by_hand, how_to_use
from bot.chat.commands.start_time import with_zone
from bot.chat.messages.approval_card import end_button, extend_button, headline, less_line, status, ticket
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.request_view import RequestStory
from bot.chat.views.state_lines import how, short, stop, why_not
from bot.chat.views.waiting_lines import asked_so_far
from bot.chat.wording.labels import Asked, Stage, people, rounded
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.records.grant import EndCause
from workflows.core.records.target import Resource
from workflows.core.rules.eligibility import REASON_LENGTH_MAX, Ask

OPEN_CONSOLE, DECLINE = "open_console", "decline"
# action_id of the button that opens the form as it was filled in.
AGAIN = "again"
# action_id of the button that opens it for a later start.
ASK_THEN = "ask_then"


def answer(text: str) -> Message:
    """A sentence of ours to one person (a refusal, a help line). Back-ticks in it are ours and format."""
    safe = t.escape(text)
    return b.message(safe, b.paragraphs(safe.split("\n")))


def with_ask_for(refused: Message, ask: Ask) -> Message:
    """A refusal for now, with a button that opens the form filled in for then."""
    if ask.start_at is None:
        return refused
    when = f"{ask.start_at.astimezone(UTC):%a %H:%M} UTC"
    filled = {
        "e": ask.environment[:80],
        "r": ask.role[:80],
        "d": int(ask.duration.total_seconds()) if ask.duration else 0,
        "w": ask.reason[:REASON_LENGTH_MAX],
        "t": (ask.ticket or "")[:100],
        "s": int(ask.start_at.timestamp()),
    }
    button = b.button("Ask for then", ASK_THEN, json.dumps(filled, ensure_ascii=False))
    block = b.actions(button | {"accessibility_label": f"Ask for {when}"})
    return b.message(refused.text, [*refused.blocks, block])


def read_ask_for(value: str) -> Ask | None:
    """What the button was made for; None where it is none of ours. Whoever makes one up opens a form, and is asked like all."""
    try:
        found = json.loads(value)
        seconds, start = int(found["d"]), datetime.fromtimestamp(int(found["s"]), UTC)
        texts = [str(found[name]) for name in ("e", "r", "w", "t")]
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
    environment, role, reason, ticket = texts
    return Ask(environment, role, timedelta(seconds=seconds) if seconds > 0 else None, reason, ticket or None, start)


# ---------------------------------------------------------------- asked


def asked(
    story: RequestStory,
    deciders: Deciders = NOBODY,
    command: str = "/prodaccess",
    *,
    by_rule: bool = False,
    zone: str = "",
) -> Message:
    """The requester's own answer: what was asked, who was asked, until when. `deciders`: who can agree.

    `by_rule`: a rule of the policy may approve it at once, which is not known yet. `zone`: the asker's, where it is known.
    """
    how_long = "" if story.extends else f" for {format_duration(story.duration)}"
    whom = f" for {t.literal(story.holder, 100)}," if story.on_behalf else ""
    line = f"You asked for {_what(story)}{whom}{how_long}{_to_begin(story, zone)}."
    waits = t.literal(deciders.sentence, 1000) or _LOOKING_UP
    if by_rule:
        otherwise = f" If none does: {t.literal(deciders.sentence, 1000)}" if deciders else ""
        waits = f"A rule may approve it in a moment.{otherwise}"
    # The shortest wait first: this is written before a rule may have approved it.
    when = t.when(story.expires, story.now)
    # Who was asked stands above already; what has been done since is what the person wants to know.
    since = story.reminded_at or story.escalated_at
    told = f"{t.render(asked_so_far(story, deciders), story.now)} · " if since and deciders else ""
    small = f"{told}expires {when} · take it back with `{command} withdraw {story.id}` · {story.id}"
    return b.message(
        f"{line} {waits} {story.id}",
        [b.section(f"⏳ {line} {waits}"), b.quote(story.reason), less_line(story), b.context(small)],
    )


# Nobody is named of whom nobody knows whether they are there.
_LOOKING_UP = "I am looking up who can approve it, and ask them as soon as AWS has confirmed the names."


def _to_begin(story: RequestStory, zone: str) -> str:
    """With day and zone: a time of another day, or of another clock, would be found out too late."""
    if story.start_at is None:
        return ""
    told = with_zone(story.start_at, zone) if zone else t.when(story.start_at, story.now, with_day=True)
    return f", to begin {told}"


def agreed(story: RequestStory, command: str = "/prodaccess") -> Message:
    """It was approved, and begins later."""
    start = f" from {t.when(story.start_at, story.decided_at or story.now, with_day=True)} on" if story.start_at else ""
    by = f", {t.literal(story.approved_by, 150)}" if story.approved_by else ""
    line = f"⏰ You will have {_what(story)}{start}, for {format_duration(story.duration)}{by}."
    small = f"not needed any more? `{command} withdraw {story.id}` · {story.id}"
    return b.message(f"{line} {story.id}", [b.section(line), b.context(small)])


def unreached(story: RequestStory, deciders: Deciders, command: str = "/prodaccess") -> Message:
    """To whoever asked: Slack took the card for nobody who can decide."""
    line = f"⚠️ Slack takes no message about your request for {_what(story)} to anybody who can approve it."
    who = t.literal(deciders.rule, 300) if deciders else "an owner"
    then = f"Please tell {who} yourself: they can type `{command} approve {story.id}`."
    return b.message(f"{line} {then}", [b.section(f"{line}\n{then}"), b.context(story.id)])


def nobody_there(story: RequestStory, command: str = "/prodaccess") -> Message:
    """To whoever asked, once everybody has been looked up: the groups of which nobody is there who could agree."""
    groups = t.literal(people(story.nobody, "and"), 300)
    line = f"⚠️ Nobody can approve your request for {_what(story)} as it is: I looked, and too few of {groups} are in Slack."
    then = f"Tell the platform team. Take it back with `{command} withdraw {story.id}`, or leave it: it waits until it expires."
    return b.message(f"{line} {then}", [b.section(f"{line}\n{then}"), b.context(story.id)])


def asked_already(story: RequestStory, reader: PersonId) -> str:
    """`Max asked for this for you already`: who asked, and for whom, as the record has it."""
    asker = "You" if reader == story.requester_id else t.literal(story.requester, 100)
    holder = "you" if reader == story.holder_id else t.literal(story.holder, 100)
    whom = f" for {holder}" if story.on_behalf else ""
    return f"{asker} broke the glass for this already" if story.break_glass else f"{asker} asked for this{whom} already"


def have_it(story: RequestStory, reader: PersonId, deciders: Deciders = NOBODY) -> Message:
    """A second ask for what is pending or live answers with the one that is there, and with what was done about it."""
    line = f"{asked_already(story, reader)}: {_what(story)}."
    told = t.render(asked_so_far(story, deciders), story.now) if story.stage is Stage.WAITING else ""
    small = f"{status(story, left=True)} · {f'{told} · ' if told else ''}{story.id}"
    return b.message(f"{line} {small}", [b.section(line), b.context(small)])


def _what(story: RequestStory) -> str:
    return f"{story.more}*{t.literal(story.role, 80)}* in *{t.literal(story.title, 100)}* ({story.tier_words})"


# ---------------------------------------------------------------- active


def active(story: RequestStory) -> Message:
    """One line of state, how to get in, the role's own hint. Nothing else."""
    line = f"✅ You have {_what(story)}{_until(story)}."
    use = use_of(story)
    console = (
        b.button("Open console", OPEN_CONSOLE, story.id, style="primary", url=use.console) if use.console else None
    )
    hint = b.section(t.literal(story.how_to, 600)) if story.how_to else None
    end = end_button(story, "I am done")
    small = b.context(
        " · ".join(filter(None, (story.approved_by and t.literal(story.approved_by), ticket(story), story.id)))
    )
    less = less_line(story)
    return b.message(line, [b.section(line), less, b.actions(console, end), b.code(use.lines), hint, small])


def use_of(story: RequestStory) -> HowToUse:
    account = story.resource.ids.get("account") if story.resource else None
    target = replace(story.terms.target, account=account or story.terms.target.account)
    return how_to_use(story.environment, story.role, target)


def _until(story: RequestStory) -> str:
    return f" until {t.when(story.until, story.now)}" if story.until else ""


def over_active(story: RequestStory) -> Message:
    """What the message "active" becomes when it is over: its state, nothing to paste, and the way to ask once more."""
    lines = [b.section(headline(story)), b.context(_small(story)), b.actions(again_button(story))]
    return b.message(f"{headline(story)} · {status(story)}", lines)


def asked_for_you(story: RequestStory, command: str = "/prodaccess") -> Message:
    """To the holder, at once: somebody else asked for them, and they may decline."""
    if story.stage is not Stage.WAITING:
        return settled(story)
    line = f"{t.literal(story.requester, 100)} asked for {_what(story)} for you, for {format_duration(story.duration)}."
    small = (
        f"You are told when you have it. If you do not want it, decline: `{command} decline {story.id}` · {story.id}"
    )
    button = b.button("Decline", DECLINE, b.value_of(story.id))
    return b.message(
        f"{line} {story.id}", [b.section(line), b.quote(story.reason), b.actions(button), b.context(small)]
    )


def settled(story: RequestStory) -> Message:
    """What the form's answer becomes when it no longer waits: its state."""
    return b.message(f"{headline(story)} · {status(story)}", [b.section(headline(story)), b.context(_small(story))])


def again_button(story: RequestStory) -> dict[str, Any] | None:
    """Opens the form filled in as it was, once nothing of it is open any more."""
    over = story.stage in (Stage.ENDED, Stage.EXPIRED) and not story.covered_by
    own = not story.break_glass and not story.extends
    return b.button("Ask again", AGAIN, story.id) if over and story.in_policy and own else None


def ending(story: RequestStory, command: str = "/prodaccess") -> Message:
    """The end is near."""
    when = f"at {t.when(story.until, story.now)}" if story.until else "soon"
    line = f"⏰ Your {_what(story)} ends {when}."
    again = f"Or type `{command} extend {story.id} 30m REASON`"
    longer = b.actions(extend_button(story))
    return b.message(line, [b.section(line), longer, b.context(f"{again} · {story.id}" if longer else story.id)])


# ---------------------------------------------------------------- over


def outcome(story: RequestStory, command: str = "/prodaccess") -> Message:
    """To the holder, once it is over: what became of it, and what to do next. For states that are not over: the state."""
    say = _OUTCOMES.get(story.stage)
    line = say(story) if say else f"{_what(story)}: {status(story)}"
    next_ = _next(story, command)
    small = b.context(f"{next_} · {story.id}" if next_ else story.id)
    return b.message(f"{line} {story.id}", [b.section(line), small, b.actions(again_button(story))])


def _ended(s: RequestStory) -> str:
    start = "You gave back your" if s.end_cause is EndCause.RETURNED else "Your time is up:"
    verb = "." if s.end_cause is EndCause.RETURNED else " has ended."
    return f"🏁 {start} {_what(s)}{verb} {_tail(s)}"


def _extended(s: RequestStory) -> str:
    until = f" until {t.when(s.extended_until, s.decided_at or s.now)}" if s.extended_until else ""
    by = f", {t.literal(s.approved_by, 150)}" if s.approved_by else ""
    return f"✅ You have {_what(s)}{until}{by}."


def _tail(s: RequestStory) -> str:
    """What is still open, if anything is."""
    if s.extends:
        return f"{s.extends} ends as it would have."
    if s.covered_by:
        until = f" until {t.when(s.covered_until, s.closed_at or s.now)}" if s.covered_until else ""
        return f"Your access goes on under {s.covered_by}{until}."
    if s.activated_at is None:
        return "Nothing is open."
    if s.session_until:
        until = t.when(s.session_until, s.closed_at or s.now)
        return f"The removal is verified. A session that is open may work until {until}; please close it."
    return "The removal is verified."


def _revoked(s: RequestStory) -> str:
    why = f": {t.literal(stop(short(s.why)), 300)}" if s.why else "."
    return f"✂️ {t.literal(s.ended_by or 'Somebody', 100)} took back your {_what(s)}{why} {_tail(s)}"


def _denied(s: RequestStory) -> str:
    why = f": {t.literal(stop(short(s.why, 500)), 510)}" if s.why else "."
    return f"⛔ {t.literal(s.ended_by or 'Somebody', 100)} denied your request for {_what(s)}{why}"


def _expired(s: RequestStory) -> str:
    if s.break_glass:
        waited = rounded(s.expires_at - s.created_at)
        return f"⌛ AWS did not confirm the names for your break-glass, {_what(s)}, in {waited}. Nothing was given."
    waited = rounded(s.expires_at - s.created_at)
    if s.agreed_by:
        return f"⌛ Not enough people agreed to your request for {_what(s)} in {waited}. Nothing was given."
    return f"⌛ Nobody answered your request for {_what(s)} in {waited}. Nothing was given."


def _not_given(s: RequestStory) -> str:
    return f"❌ You do not get {_what(s)}: {t.escape(stop(t.cut(why_not(s, to_holder=True), 600)))} {_tail(s)}"


def _standing(s: RequestStory) -> str:
    return f"❌ {_what(s)}: you already have this, standing{t.escape(how(s))}. Nothing was given and nothing will be taken."


def _withdrawn(s: RequestStory) -> str:
    return f"↩︎ You took back your request for {_what(s)}."


_OUTCOMES: dict[Stage, Callable[[RequestStory], str]] = {
    Stage.ENDED: _ended,
    Stage.EXTENDED: _extended,
    Stage.REVOKED: _revoked,
    Stage.DENIED: _denied,
    Stage.EXPIRED: _expired,
    Stage.NOT_GIVEN: _not_given,
    Stage.STANDING: _standing,
    Stage.WITHDRAWN: _withdrawn,
}


def _next(s: RequestStory, command: str) -> str:
    place = f"{t.literal(s.environment)} {t.literal(s.role)}"
    if s.extends:
        return ""
    if s.stage in (Stage.ENDED, Stage.EXPIRED) and not s.covered_by:
        return f"Again: `{command} {place} REASON`"
    return ""


def _small(story: RequestStory) -> str:
    return f"{status(story)} · {story.id}"


# ---------------------------------------------------------------- alarms


def removal_failing(
    story: RequestStory, *, failures: int | None = None, mentions: t.Mentions | None = None, owners: Sequence[str] = ()
) -> Message:
    """Access that should be over could not be taken away. `owners`: group names to call, with `mentions`."""
    times = f" {failures} times" if failures else ""
    line = f"⚠️ I tried{times} to remove {_whose(story)}, and could not."
    error = "" if story.hidden else f"Why: {t.literal(short(story.error or 'AWS did not say', 600), 600)}"
    lines = [f"{line} *It may still be open.* I keep trying.", *filter(None, [error])]
    return b.message(
        f"{line} It may still be open. {error} {story.id}", [*_alarm(story, lines), _called(story, mentions, owners)]
    )


def reappeared(
    story: RequestStory, seen_at: datetime, *, mentions: t.Mentions | None = None, owners: Sequence[str] = ()
) -> Message:
    """Access was there again after its verified end."""
    what = _whose(story)
    line = f"⚠️ {what[:1].upper()}{what[1:]} was there again at {t.when(seen_at, story.now)}, after its end."
    lines = (
        f"{line} I am taking it away again.",
        "Somebody may have given it by hand, or a late answer of AWS did. If it comes back, look at who gives it.",
    )
    return b.message(f"{line} {story.id}", [*_alarm(story, lines), _called(story, mentions, owners)])


def _whose(story: RequestStory) -> str:
    if story.hidden:
        return f"access in *{t.literal(story.title, 100)}* ({story.tier_words})"
    return f"{t.literal(story.holder, 100)}'s {_what(story)}"


def _alarm(story: RequestStory, lines: Sequence[str]) -> list[dict[str, Any]]:
    resource: Resource | None = story.resource
    commands = (
        [b.code(by_hand(resource, story.id), "By hand, with an administrator's credentials:")] if resource else []
    )
    return [b.section("\n".join(lines)), *commands]


def _called(story: RequestStory, mentions: t.Mentions | None, owners: Sequence[str]) -> dict[str, Any]:
    called = t.call(Asked(tuple(owners)), mentions or {}) if owners else ""
    return b.context(f"For {called} · {story.id}" if called else story.id)


def unknown_copy(id_: str, command: str = "/prodaccess") -> Message:
    """What a copy that the ledger does not know becomes when it is pressed: a pointer."""
    line = f"This is an old copy of {t.literal(id_)}. `{command} show {t.literal(id_)}` shows how it stands."
    return b.message(line, [b.section(line)])
