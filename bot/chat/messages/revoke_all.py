"""The panic switch in chat: what it would take back, before it is pressed, and one message that fills up afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat.carried import read_carried
from bot.chat.message import (
    Button,
    Confirm,
    Line,
    Listing,
    Message,
    Small,
    buttons,
    message,
    quote,
)
from bot.chat.messages.approval_card import status
from bot.chat.rich import NOTHING, Rich, Time, join, lines, ours, say, short
from bot.chat.views.overviews import by_place
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import TIER_WORDS, Stage
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.records.oversight import BulkRevocation
from workflows.usecases.revocation.revoke_all import EffectiveScope, RevocationScope

REVOKE_ALL, CANCEL = "revoke_all", "revoke_all_cancel"
_OPEN = frozenset({Stage.SETTING_UP, Stage.ACTIVE})
_GOING = frozenset({Stage.REMOVING})


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the button says: whom or what, and why."""

    scope: RevocationScope
    reason: str


def confirm_first(
    scope: RevocationScope, effective_scope: EffectiveScope, views: Sequence[RequestView], reason: str
) -> Message:
    """To whoever typed it: what would be taken back, the most dangerous first, and one button that asks once more."""
    whose, count = _whose(scope.person_name, scope.environment, effective_scope.environments), len(views)
    has = f"{_counted(count, 'thing')} would be revoked" if count else "nothing is open or waits just now"
    what = f"{has[:1].upper()}{has[1:]}"
    head = say("✂️ *Revoke everything {}?* {}.", short(whose), what)
    open_ = [_line(view) for place in by_place(views) for view in place.views]
    block = (
        f"They cannot ask for anything new for {format_duration(effective_scope.block)}."
        if effective_scope.block
        else ""
    )
    sure = Confirm("Revoke all?", f"{what}: everything {whose}. {block}", "Revoke all", "Go back", dangerous=True)
    button = Button(
        "Revoke all",
        REVOKE_ALL,
        _packed(scope, reason),
        style="danger",
        confirm=sure,
        said=f"Revoke everything {whose}",
    )
    cancel = Button("Cancel", CANCEL, "panic", said=f"Cancel: revoke nothing {whose}")
    return message(
        lines((head, *open_)),
        Line(head),
        quote(reason),
        Listing(open_, room=6000),
        buttons(button, cancel),
        Small(ours(block)),
    )


def cancelled() -> Message:
    """What the question becomes where it is answered with no."""
    line = ours("Cancelled: nothing was revoked.")
    return message(line, Line(line))


def under_way(scope: RevocationScope, environments: Sequence[str] | None) -> Message:
    """What the question becomes once it is pressed. `environments`: how far it reaches; None: everywhere."""
    whose = short(_whose(scope.person_name, scope.environment, environments))
    line = say("✂️ Everything {} is being revoked. The receipts channel shows how far it is.", whose)
    return message(line, Line(line))


def progress(
    bulk_revocation: BulkRevocation, views: Sequence[RequestView], command: str, *, panic_group: str = ""
) -> Message:
    """One message that fills up: how much is gone, what is being removed, what resists."""
    whose = short(_whose(bulk_revocation.person_name, None, bulk_revocation.environments))
    head = say("✂️ *{} revoked everything {}.*", short(bulk_revocation.by_name, 100), whose)
    resists = [view for view in views if view.stage is Stage.STUCK]
    # What resists stands there by name; the others are a number.
    named = Listing([_line(view) for view in resists[:20]], room=4000)
    why = NOTHING if any(view.hidden for view in views) else say("Why: {}", short(bulk_revocation.reason))
    small = join((why, _kept_out(bulk_revocation, command, panic_group)))
    sums = _sums(bulk_revocation, views)
    return message(say("{} {}", head, sums), Line(lines((head, sums))), named, Small(small))


def _sums(bulk_revocation: BulkRevocation, views: Sequence[RequestView]) -> Rich:
    total = len(views)
    if bulk_revocation.finished_at is not None:
        at = Time(bulk_revocation.finished_at, bulk_revocation.at)
        if not total:
            return say("🏁 Nothing was open, seen at {}.", at)
        return say("🏁 All gone, verified at {}: {} of {}.", at, total, total)
    going = sum(view.stage in _GOING for view in views)
    stuck = sum(view.stage is Stage.STUCK for view in views)
    still = sum(view.stage in _OPEN or view.stage is Stage.WAITING for view in views)
    parts = [
        f"{total - going - stuck - still} of {total} gone" if total else "looking for what is open",
        f"{going} being removed" if going else "",
        f"⚠️ {stuck} could not be removed yet" if stuck else "",
        f"{still} not begun" if still else "",
    ]
    return ours("🔄 ") + join(parts)


def _kept_out(bulk_revocation: BulkRevocation, command: str, panic_group: str) -> Rich:
    if bulk_revocation.blocked_until is None or bulk_revocation.person is None:
        return NOTHING
    until = say("They cannot ask for anything new until {}.", Time(bulk_revocation.blocked_until, bulk_revocation.at))
    lifted_by = say("Somebody of {} can lift that:", short(panic_group, 80)) if panic_group else NOTHING
    return join((until, lifted_by, say("`{} lift {} REASON`", command, short(bulk_revocation.person, 100))), " ")


def _line(view: RequestView) -> Rich:
    if view.hidden:
        return say("• {} · {} · {} · {}", short(view.title, 100), view.tier_words, view.state, view.id)
    what = say("{} · *{}* in {}", short(view.holder, 80), short(view.role, 60), short(view.title, 80))
    return say("• {} · {} · {} · {}", what, TIER_WORDS[view.tier], status(view), view.id)


def _whose(person: str | None, environment: str | None, environments: Sequence[str] | None) -> str:
    where = f"in {environment}" if environment else f"in {', '.join(environments)}" if environments else ""
    return " ".join(filter(None, (f"of {person}" if person else "", where))) or "everywhere"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _packed(scope: RevocationScope, reason: str) -> str:
    return json.dumps({"p": scope.person, "n": scope.person_name[:100], "e": scope.environment, "r": reason})[:2000]


def read_pressed(value: str) -> Pressed | None:
    """What the button was made for; None where it is none of ours."""
    found = read_carried(value)
    try:
        person, name, environment, reason = found["p"], str(found["n"]), found["e"], str(found["r"])
    except KeyError:
        return None
    if not (isinstance(person, str | None) and isinstance(environment, str | None)) or bool(person) == bool(
        environment
    ):
        return None
    return Pressed(
        RevocationScope(PersonId(str(person)) if person else None, name, str(environment) if environment else None),
        reason,
    )
