"""The bot's words: states with their marks, tiers, and what became of a thing. Plain text; surfaces escape and format it.

A sentence that holds times or people to be called is `Words`: its parts are put together by the surface, so that every
reader sees their own clock. Refusals stand in `bot.chat.wording.refusals`, events in `bot.chat.wording.events`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.chat.wording.refusals import refusal as refusal  # noqa: PLC0414 - part of this module's face
from workflows.core.durations import format_duration
from workflows.core.policy import Tier
from workflows.core.provider import NAME, spoken


class Stage(StrEnum):
    """Where a request and its grant are together: what a card shows."""

    WAITING = "waiting"
    AGREED = "agreed"
    SETTING_UP = "setting_up"
    ACTIVE = "active"
    EXTENDED = "extended"
    REMOVING = "removing"
    STUCK = "stuck"
    ENDED = "ended"
    REVOKED = "revoked"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    # Of a pipeline alone: its run took the approval.
    USED = "used"
    NOT_GIVEN = "not_given"
    STANDING = "standing"


STATE_WORDS: dict[Stage, str] = {
    Stage.WAITING: "⏳ Needs approval",
    Stage.AGREED: "⏰ Agreed",
    Stage.SETTING_UP: "🔄 Being set up",
    Stage.ACTIVE: "✅ Active",
    Stage.EXTENDED: "✅ Extended",
    Stage.REMOVING: "🔄 Being removed",
    Stage.STUCK: "⚠️ Could not be removed",
    Stage.ENDED: "🏁 Ended",
    Stage.REVOKED: "✂️ Revoked",
    Stage.DENIED: "⛔ Denied",
    Stage.WITHDRAWN: "↩︎ Withdrawn",
    Stage.EXPIRED: "⌛ Expired",
    Stage.USED: "🏁 Gone on",
    Stage.NOT_GIVEN: "❌ Not given",
    Stage.STANDING: "❌ Not given",
}
# Of what waits, before its names are confirmed.
LOOKED_UP = "🔄 Names are being looked up"
BREAK_GLASS = "🚨 Break-glass"

TIER_WORDS: dict[Tier, str] = {
    Tier.PRODUCTION: "🔴 production",
    Tier.STAGING: "🟡 staging",
    Tier.DEVELOPMENT: "🟢 development",
}

# What happened, said of the person: "Dana Dev asks for read-only in Payments".
VERBS: dict[Stage, str] = {
    Stage.WAITING: "asks for",
    Stage.AGREED: "will have",
    Stage.SETTING_UP: "gets",
    Stage.ACTIVE: "has",
    Stage.EXTENDED: "got",
    Stage.REMOVING: "has",
    Stage.STUCK: "may still have",
    Stage.ENDED: "had",
    Stage.REVOKED: "had",
    Stage.DENIED: "asked for",
    Stage.WITHDRAWN: "asked for",
    Stage.EXPIRED: "asked for",
    Stage.USED: "used",
    Stage.NOT_GIVEN: "asked for",
    Stage.STANDING: "asked for",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Groups whose people have to act. The surface calls them by mention, or by name where it cannot.

    `as_rule`: after "one of", with the group's name before its people: "platform (Olu, Pat)".
    """

    groups: tuple[str, ...]
    as_rule: bool = False

    @property
    def label(self) -> str:
        return " or ".join(self.groups) or "the owners"


@dataclass(frozen=True, slots=True)
class Exactly:
    """A time that is told to the second: the end of something so short that its minute would not say when."""

    at: datetime


Moment = datetime | Exactly
Words = tuple[str | Moment | Asked, ...]

# What lasts less than this is told in seconds: how long it is, and when it ends.
SHORT = timedelta(minutes=2)


def moment_of(end: datetime, since: datetime) -> Moment:
    """The end of what began then."""
    return Exactly(end) if end - since < SHORT else end


def flatten(words: Words, when: Callable[[datetime], str], exactly: Callable[[datetime], str] | None = None) -> str:
    """One line of plain text, for surfaces and logs without formatting. `exactly`: as `when`, with seconds."""
    return "".join(_flat(part, when, exactly or when) for part in words)


def _flat(part: str | Moment | Asked, when: Callable[[datetime], str], exactly: Callable[[datetime], str]) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Exactly):
        return exactly(part.at)
    return when(part) if isinstance(part, datetime) else part.label


def joined(parts: Iterable[Words]) -> Words:
    """The parts that say something, with ` · ` between them."""
    found: list[str | Moment | Asked] = []
    for part in parts:
        if part:
            found += [" · ", *part] if found else [*part]
    return tuple(found)


def rounded(value: timedelta) -> str:
    """A stretch of time as one says it: whole minutes above two of them, so that `59 min 58 s` is `1 h`."""
    seconds = max(0.0, value.total_seconds())
    if seconds >= SHORT.total_seconds():
        return format_duration(timedelta(minutes=round(seconds / 60)))
    return format_duration(timedelta(seconds=round(seconds)))


_DONE: dict[str, str] = {
    "asked": "You asked for it: {id}.",
    "have_it": "This was asked for already: {id}.",
    "approved": "✅ You approved {id}. It is being set up.",
    "let_on": "✅ You approved {id}. Its run can go on in a moment.",
    "scheduled": "✅ You approved {id}. It begins at its time.",
    "extended": "✅ You approved {id}: more time.",
    "agreed": "✅ You agreed to {id}. Somebody else has to agree, too.",
    "lessened": "✅ You approved {id} for less. Its names are being looked up in {provider}.",
    "auto_approval": "✅ A rule of the policy approved {id}. It is being set up.",
    "broken": "🚨 You used break-glass (emergency access): {id}. It is being set up, and everybody is told.",
    "gate_broken": "🚨 You opened {id} in an emergency (break-glass). Its run can go on in a moment, and everybody is told.",
    "acknowledged": "✅ You acknowledged the break-glass {id}.",
    "flagged": "⚠️ You flagged the break-glass {id}. Security and the holder are told.",
    "denied": "⛔ You denied {id}.",
    "withdrawn": "↩︎ You took back {id}.",
    "declined": "↩︎ You declined {id}.",
    "terms_changed": "The role has changed since {id} was asked for. Nobody's approval counts until the new terms are looked at.",
    "gate_changed": "The gate has changed since {id} was asked for, or it became known who began the run. "
    "Nobody's approval counts until it is looked at again.",
    "delegation_ended": "Your delegation has ended: nobody decides in your place any more.",
    "returned": "🔄 You gave back {id}. It is being removed.",
    "revoked": "🔄 You revoked {id}. It is being removed.",
    "certified_kept": "👍 You said that this stays: {id}.",
    "certified_removed": "✂️ You said that this goes: {id}. I take nothing away by myself; the receipts channel says what to do.",
    "certified_said": "You had said so already: {id}.",
}


def done_words(outcome: str, id_: str) -> str:
    """What a command has done, in a sentence, for whoever typed it and sees no card change. `outcome`: of `Outcome`."""
    return _DONE.get(outcome, "Done: {id}.").format(id=id_, provider=spoken(NAME))


def ago(value: timedelta) -> str:
    """How long ago, in one part: `3 days ago`."""
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        count = value // size
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def people(names: Iterable[str], word: str = "and") -> str:
    """`Olu`, `Olu and Pat`, `Olu, Pat and Sid`."""
    found = [name for name in names if name]
    if len(found) < 2:
        return "".join(found)
    return f"{', '.join(found[:-1])} {word} {found[-1]}"


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
