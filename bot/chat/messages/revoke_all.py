"""The panic switch in chat: what it would take back, before it is pressed, and one message that fills up afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat.messages.approval_card import status
from bot.chat.views.overviews import by_place
from bot.chat.views.request_view import RequestStory
from bot.chat.wording.labels import TIER_WORDS, Stage
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.records.oversight import Sweepout
from workflows.usecases.revocation.revoke_all import Aim, Reach

REVOKE_ALL = "revoke_all"
_OPEN = frozenset({Stage.SETTING_UP, Stage.ACTIVE})
_GOING = frozenset({Stage.REMOVING})


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the button says: whom or what, and why."""

    aim: Aim
    reason: str


def confirm_first(aim: Aim, reach: Reach, stories: Sequence[RequestStory], reason: str) -> Message:
    """To whoever typed it: what would be taken back, the most dangerous first, and one button that asks once more."""
    whose, count = _whose(aim.person_name, aim.environment, reach.environments), len(stories)
    has = f"{_counted(count, 'thing')} would be taken back" if count else "nothing is open or waits just now"
    head = f"✂️ *Revoke everything {t.literal(whose, 300)}?* {has[:1].upper()}{has[1:]}."
    lines = [_line(story) for place in by_place(stories) for story in place.stories]
    block = f"New asks of theirs are kept out for {format_duration(reach.block)}." if reach.block else ""
    sure = b.confirmation(
        "Revoke all?",
        f"{has[:1].upper()}{has[1:]}: everything {whose}. {block}",
        "Revoke all",
        "Go back",
        style="danger",
    )
    button = b.button("Revoke all", REVOKE_ALL, _packed(aim, reason), style="danger", confirm=sure)
    small = " ".join(filter(None, (f"Why: {t.literal(reason, 300)}.", block)))
    return b.message(head, [b.section(head), *b.paragraphs(lines, 6000), b.context(small), b.actions(button)])


def under_way(aim: Aim) -> Message:
    """What the question becomes once it is pressed."""
    whose = t.literal(_whose(aim.person_name, aim.environment, None), 300)
    line = f"✂️ Everything {whose} is being taken back. The receipts channel shows how far it is."
    return b.message(line, [b.section(line)])


def progress(sweepout: Sweepout, stories: Sequence[RequestStory], command: str, *, panic_group: str = "") -> Message:
    """One message that fills up: how much is gone, what is being removed, what resists."""
    whose = t.literal(_whose(sweepout.person_name, None, sweepout.environments), 300)
    head = f"✂️ *{t.literal(sweepout.by_name, 100)} revoked everything {whose}.*"
    resists = [story for story in stories if story.stage is Stage.STUCK]
    # What resists stands there by name; the others are a number.
    lines = [_line(story) for story in resists[:20]]
    hidden = any(story.hidden for story in stories)
    small = ["" if hidden else f"Why: {t.literal(sweepout.reason, 300)}", _kept_out(sweepout, command, panic_group)]
    sums = _sums(sweepout, stories)
    blocks = [b.section(f"{head}\n{sums}"), *b.paragraphs(lines, 4000), b.context(" · ".join(filter(None, small)))]
    return b.message(f"{head} {sums}", blocks)


def _sums(sweepout: Sweepout, stories: Sequence[RequestStory]) -> str:
    total = len(stories)
    if sweepout.finished_at is not None:
        at = t.when(sweepout.finished_at, sweepout.at)
        return f"🏁 All gone, verified at {at}: {total} of {total}." if total else f"🏁 Nothing was open, seen at {at}."
    going = sum(story.stage in _GOING for story in stories)
    stuck = sum(story.stage is Stage.STUCK for story in stories)
    still = sum(story.stage in _OPEN or story.stage is Stage.WAITING for story in stories)
    parts = [
        f"{total - going - stuck - still} of {total} gone" if total else "looking for what is open",
        f"{going} being removed" if going else "",
        f"⚠️ {stuck} could not be removed yet" if stuck else "",
        f"{still} not begun" if still else "",
    ]
    return "🔄 " + " · ".join(filter(None, parts))


def _kept_out(sweepout: Sweepout, command: str, panic_group: str) -> str:
    if sweepout.blocked_until is None or sweepout.person is None:
        return ""
    until = t.when(sweepout.blocked_until, sweepout.at)
    lifted_by = f" The group {t.literal(panic_group, 80)} lifts that:" if panic_group else ""
    return f"No new asks of theirs until {until}.{lifted_by} `{command} lift {t.literal(sweepout.person, 100)} REASON`"


def _line(story: RequestStory) -> str:
    if story.hidden:
        return f"• {t.literal(story.title, 100)} · {story.tier_words} · {story.state} · {story.id}"
    what = f"{t.literal(story.holder, 80)} · *{t.literal(story.role, 60)}* in {t.literal(story.title, 80)}"
    return f"• {what} · {TIER_WORDS[story.tier]} · {status(story)} · {story.id}"


def _whose(person: str | None, environment: str | None, environments: Sequence[str] | None) -> str:
    where = f"in {environment}" if environment else f"in {', '.join(environments)}" if environments else ""
    return " ".join(filter(None, (f"of {person}" if person else "", where))) or "everywhere"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _packed(aim: Aim, reason: str) -> str:
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
        Aim(PersonId(str(person)) if person else None, name, str(environment) if environment else None), reason
    )
