"""The panic switch in chat: what it would take back, before it is pressed, and one message that fills up afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat.message import Button, Confirm, Line, Listing, Message, Small, buttons, message
from bot.chat.messages.approval_card import status
from bot.chat.rich import NOTHING, Rich, Time, join, lines, ours, say, short
from bot.chat.views.overviews import by_place
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import TIER_WORDS, Stage
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.records.oversight import BulkRevocation
from workflows.usecases.revocation.revoke_all import EffectiveScope, RevocationScope

REVOKE_ALL = "revoke_all"
_OPEN = frozenset({Stage.SETTING_UP, Stage.ACTIVE})
_GOING = frozenset({Stage.REMOVING})


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the button says: whom or what, and why."""

    aim: RevocationScope
    reason: str


def confirm_first(aim: RevocationScope, reach: EffectiveScope, stories: Sequence[RequestView], reason: str) -> Message:
    """To whoever typed it: what would be taken back, the most dangerous first, and one button that asks once more."""
    whose, count = _whose(aim.person_name, aim.environment, reach.environments), len(stories)
    has = f"{_counted(count, 'thing')} would be taken back" if count else "nothing is open or waits just now"
    what = f"{has[:1].upper()}{has[1:]}"
    head = say("✂️ *Revoke everything {}?* {}.", short(whose), what)
    open_ = [_line(story) for place in by_place(stories) for story in place.stories]
    block = f"New asks of theirs are kept out for {format_duration(reach.block)}." if reach.block else ""
    sure = Confirm("Revoke all?", f"{what}: everything {whose}. {block}", "Revoke all", "Go back", dangerous=True)
    button = Button("Revoke all", REVOKE_ALL, _packed(aim, reason), style="danger", confirm=sure)
    small = join((say("Why: {}.", short(reason)), block), " ")
    return message(head, Line(head), Listing(open_, room=6000), Small(small), buttons(button))


def under_way(aim: RevocationScope) -> Message:
    """What the question becomes once it is pressed."""
    whose = short(_whose(aim.person_name, aim.environment, None))
    line = say("✂️ Everything {} is being taken back. The receipts channel shows how far it is.", whose)
    return message(line, Line(line))


def progress(
    sweepout: BulkRevocation, stories: Sequence[RequestView], command: str, *, panic_group: str = ""
) -> Message:
    """One message that fills up: how much is gone, what is being removed, what resists."""
    whose = short(_whose(sweepout.person_name, None, sweepout.environments))
    head = say("✂️ *{} revoked everything {}.*", short(sweepout.by_name, 100), whose)
    resists = [story for story in stories if story.stage is Stage.STUCK]
    # What resists stands there by name; the others are a number.
    named = Listing([_line(story) for story in resists[:20]], room=4000)
    why = NOTHING if any(story.hidden for story in stories) else say("Why: {}", short(sweepout.reason))
    small = join((why, _kept_out(sweepout, command, panic_group)))
    sums = _sums(sweepout, stories)
    return message(say("{} {}", head, sums), Line(lines((head, sums))), named, Small(small))


def _sums(sweepout: BulkRevocation, stories: Sequence[RequestView]) -> Rich:
    total = len(stories)
    if sweepout.finished_at is not None:
        at = Time(sweepout.finished_at, sweepout.at)
        if not total:
            return say("🏁 Nothing was open, seen at {}.", at)
        return say("🏁 All gone, verified at {}: {} of {}.", at, total, total)
    going = sum(story.stage in _GOING for story in stories)
    stuck = sum(story.stage is Stage.STUCK for story in stories)
    still = sum(story.stage in _OPEN or story.stage is Stage.WAITING for story in stories)
    parts = [
        f"{total - going - stuck - still} of {total} gone" if total else "looking for what is open",
        f"{going} being removed" if going else "",
        f"⚠️ {stuck} could not be removed yet" if stuck else "",
        f"{still} not begun" if still else "",
    ]
    return ours("🔄 ") + join(parts)


def _kept_out(sweepout: BulkRevocation, command: str, panic_group: str) -> Rich:
    if sweepout.blocked_until is None or sweepout.person is None:
        return NOTHING
    until = say("No new asks of theirs until {}.", Time(sweepout.blocked_until, sweepout.at))
    lifted_by = say("The group {} lifts that:", short(panic_group, 80)) if panic_group else NOTHING
    return join((until, lifted_by, say("`{} lift {} REASON`", command, short(sweepout.person, 100))), " ")


def _line(story: RequestView) -> Rich:
    if story.hidden:
        return say("• {} · {} · {} · {}", short(story.title, 100), story.tier_words, story.state, story.id)
    what = say("{} · *{}* in {}", short(story.holder, 80), short(story.role, 60), short(story.title, 80))
    return say("• {} · {} · {} · {}", what, TIER_WORDS[story.tier], status(story), story.id)


def _whose(person: str | None, environment: str | None, environments: Sequence[str] | None) -> str:
    where = f"in {environment}" if environment else f"in {', '.join(environments)}" if environments else ""
    return " ".join(filter(None, (f"of {person}" if person else "", where))) or "everywhere"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _packed(aim: RevocationScope, reason: str) -> str:
    return json.dumps({"p": aim.person, "n": aim.person_name[:100], "e": aim.environment, "r": reason})[:2000]


def read_pressed(value: str) -> Pressed | None:
    """What the button was made for; None where it is none of ours."""
    try:
        found = json.loads(value)
        person, name, environment, reason = found["p"], str(found["n"]), found["e"], str(found["r"])
    except (ValueError, KeyError, TypeError):
        return None
    if bool(person) == bool(environment):
        return None
    return Pressed(
        RevocationScope(PersonId(str(person)) if person else None, name, str(environment) if environment else None),
        reason,
    )
