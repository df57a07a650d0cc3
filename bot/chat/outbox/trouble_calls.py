"""What fails again and again, told to those who are called for it: one message to a place, edited while anything fails.

The receipts channels and security, who see to the installation, hear of all of it; the owners of what a trouble belongs to, and
who would have to approve it, of theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.chat.message import Line, Listing, Message, Small, message
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.troubles import OVER, held_up, meanwhile
from bot.chat.outbox.recipients import Recipients
from bot.chat.places import direct_to, places_of
from bot.chat.rich import Rich, Time, join, ours, say, short
from bot.chat.wording.troubles import what_fails
from workflows.core.canonical_json import digest
from workflows.core.people import PersonFacts
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord
from workflows.core.records.oversight import Trouble
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.troubles import Concerned, alarmed, concerned, standing

ALARM = "alarm"
# An alarm names so many; the others are counted.
LINES_MAX = 10
# A trouble, and whose it is.
Theirs = tuple[Trouble, Concerned]


@dataclass(frozen=True, slots=True)
class _Call:
    """What one place is told. `key` says when that is something else."""

    message: Message
    key: str


class Called:
    def __init__(self, ctx: WorkerContext, recipients: Recipients, command: str) -> None:
        self._ctx, self._recipients, self._command = ctx, recipients, command

    def planned(self, policy: Policy | None, record: ChatRecord) -> list[PlannedMessage]:
        """One message a place, edited while anything fails that it is called for; the next time is a new one."""
        failing = [trouble for trouble in standing(self._ctx) if alarmed(trouble)]
        open_ = {post.channel: slot for slot, post in record.postings.items() if post.shown != OVER}
        if policy is None and failing:
            return []
        now = self._ctx.ledger.now()
        stands = {post.channel for post in record.postings.values() if post.shown != OVER and post.error is None}
        calls = self._calls(policy, failing, now, stands) if policy is not None else {}
        others = _over(_NOT_YOURS if failing else _ALL_OVER)
        found = [PlannedMessage(slot, place, others, key=OVER) for place, slot in open_.items() if place not in calls]
        for place, call in calls.items():
            slot = open_.get(place, f"{ALARM}:{int(now.timestamp())}:{place}")
            found.append(PlannedMessage(slot, place, call.message, key=call.key, urgent=True))
        return found

    def _calls(
        self, policy: Policy, failing: Sequence[Trouble], now: datetime, stands: Collection[str]
    ) -> dict[str, _Call]:
        """By place. `stands`: where there is a message already; who has one in one chat gets none in another."""
        if not failing:
            return {}
        owners = {
            user: _Call(_to_owner(theirs, now, self._command), _key([trouble for trouble, _ in theirs]))
            for user, theirs in self._owners(policy, failing, stands).items()
        }
        everything = _Call(_to_operator(failing, now), _key(failing))
        operators = (
            *policy.receipts_channels,
            *(_told(facts, stands) for facts in self._recipients.security(policy)),
        )
        return owners | dict.fromkeys(operators, everything)

    def _owners(self, policy: Policy, failing: Sequence[Trouble], stands: Collection[str]) -> dict[str, list[Theirs]]:
        """Whom a trouble belongs to, by their chat's id."""
        found: dict[str, list[Theirs]] = {}
        for trouble in failing:
            whose = concerned(self._ctx, trouble.item)
            told = {direct_to(who) for who in whose.people}
            users = {
                _told(facts, stands): None
                for request in whose.requests
                for facts in self._recipients.answerable(policy, request)
                # They are told in a message of their own.
                if told.isdisjoint(places_of(facts))
            }
            for user in users:
                found.setdefault(user, []).append((trouble, whose))
        return found


def _told(facts: PersonFacts, stands: Collection[str]) -> str:
    """Where somebody is told: at the place that has a message already, else where they are written to."""
    places = places_of(facts)
    return next((place for place in places if place in stands), places[0])


def without_what_is_over(record: ChatRecord) -> ChatRecord:
    """What has been said to be over is not needed any more."""
    return replace(record, postings={slot: post for slot, post in record.postings.items() if post.shown != OVER})


_ALL_OVER = "✔︎ What failed is over."
# To somebody whom it concerns no more, while something else goes on.
_NOT_YOURS = "✔︎ What I called you for is over, or others see to it now."


def _key(failing: Sequence[Trouble]) -> str:
    return digest([[trouble.item, trouble.words] for trouble in failing])[:16]


def _to_operator(failing: Sequence[Trouble], now: datetime) -> Message:
    lines = [say("{}, {}", short(what_fails(trouble), 120), _since(trouble, now)) for trouble in failing]
    todo = say(
        "What to do: look for the error number in the logs of `worker`, `clock` and `web`; `/readyz` lists what still fails. "
        "Access whose end fails has an alarm of its own."
    )
    return _listed(ours(""), lines, todo)


def _to_owner(theirs: Sequence[Theirs], now: datetime, command: str) -> Message:
    lines = [
        say("{}, {} {}", held_up(trouble, whose), _since(trouble, now), meanwhile(whose, now, command))
        for trouble, whose in theirs
    ]
    todo = say("The people who run this were called, too. `{} show ID` tells how a request stands.", command)
    return _listed(ours(" in what you own or decide"), lines, todo)


def _since(trouble: Trouble, now: datetime) -> Rich:
    return say("since {}: {}.", Time(trouble.since, now), short(trouble.words, 200))


def _listed(where: Rich, lines: Sequence[Rich], todo: Rich) -> Message:
    count = "Something fails" if len(lines) == 1 else f"{len(lines)} things fail"
    line = say("⚠️ {} again and again{}, and I keep trying.", count, where)
    more = [say("and {} more", len(lines) - LINES_MAX)] if len(lines) > LINES_MAX else []
    shown = [*lines[:LINES_MAX], *more]
    listed = Listing([say("• {}", one) for one in shown])
    return message(say("{} {} {}", line, join(shown, "; "), todo), Line(line), listed, Small(todo))


def _over(line: str) -> Message:
    return message(ours(line), Line(ours(line)))
