"""Which messages a request has by now, and where: pure, from the ledger's records. The outbox makes the chat agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.chat.messages import break_glass, notices
from bot.chat.outbox.plans.cards import calls_to, cards_of
from bot.chat.outbox.plans.holder import beside, nobody_there, to_holder, unreached
from bot.chat.outbox.plans.planning import PlannedMessage, PlanningInput, failed, for_channel, own_channels
from bot.chat.outbox.plans.reach import not_reached
from bot.chat.outbox.plans.receipts import receipts_of
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Stage
from workflows.core.audit import AuditEntry, Event
from workflows.core.records.chat import ChatRecord

# A state that passes by itself is not worth an edit of its own when the next one follows: on a busy machine as little as on
# an idle one. It is told when it lasts: soon where the target has said that it is at work, and on the cards alone, because
# somebody looks at them and has pressed; everywhere when nobody can call it passing any more.
SETTLES_IN_S = 10.0
AT_WORK_S = 2.0
LASTS_S = 30.0
_PASSING = frozenset({Stage.SETTING_UP, Stage.REMOVING})
ALARMS = frozenset(
    {Event.GRANT_REMOVAL_FAILING, Event.GRANT_REAPPEARED, Event.BREAK_GLASS_UNANNOUNCED, Event.VOTE_UNPROVED}
)


def as_posted(planning: PlanningInput, chat: ChatRecord) -> PlanningInput:
    """The same with what was posted so far, and who was not reached by it."""
    lost = not_reached(chat.postings, planning.elsewhere, planning.names)
    return replace(planning, chat=chat, view=replace(planning.view, not_reached=lost))


def passing_until_s(view: RequestView, since: datetime | None, *, at_work: bool = False) -> float:
    """Seconds to wait until a passing state is worth telling; 0.0 where it is told now. `at_work`: the target says so."""
    if not _passes(view) or since is None:
        return 0.0
    return max(0.0, (AT_WORK_S if at_work else SETTLES_IN_S) - (view.now - since).total_seconds())


def on_cards_for_s(view: RequestView, since: datetime | None) -> float:
    """For how many seconds more a passing state is told on the cards alone; 0.0 where all is told."""
    if not _passes(view) or since is None:
        return 0.0
    return max(0.0, LASTS_S - (view.now - since).total_seconds())


def _passes(view: RequestView) -> bool:
    """What a forge could not be told lasts."""
    return view.stage in _PASSING and not (view.pipeline and view.error)


def planned(planning: PlanningInput) -> list[PlannedMessage]:
    """In the order in which they matter: the card, calls to those who can decide, alarms, the requester, receipts.

    A break-glass is seen by all first.
    """
    if planning.passing:
        return cards_of(planning)
    if planning.request.gate is not None:
        # Whoever asked is told in the log of its job.
        if planning.request.break_glass:
            return [*cards_of(planning), *receipts_of(planning), *alarms(planning)]
        return [*cards_of(planning), *calls_to(planning), *alarms(planning), *receipts_of(planning)]
    own = beside(planning, [*nobody_there(planning), *unreached(planning), *to_holder(planning)])
    # Where the record was made again from the archive, nobody may know any more who asked.
    own = [item for item in own if item.channel]
    if planning.request.break_glass:
        return [*cards_of(planning), *receipts_of(planning), *alarms(planning), *own]
    return [*cards_of(planning), *calls_to(planning), *alarms(planning), *own, *receipts_of(planning)]


def alarms(planning: PlanningInput) -> list[PlannedMessage]:
    channels = list(dict.fromkeys((*own_channels(planning.environment), *planning.receipts_channels)))
    found = []
    for entry in planning.entries:
        if entry.event in ALARMS:
            reached = [channel for channel in channels if not failed(planning, f"alarm:{entry.number}:{channel}")]
            # No channel takes it: to those who can do something about it. Of a break-glass they are told as it is.
            told = reached or entry.event is Event.BREAK_GLASS_UNANNOUNCED
            people = [] if told else planning.places(f"alarm:{entry.number}:{{}}", planning.overseers)
            found += [_alarm(planning, entry, place) for place in (*reached, *people)]
    return found


def _alarm(planning: PlanningInput, entry: AuditEntry, channel: str) -> PlannedMessage:
    view = for_channel(planning, channel)
    owners, mentions = planning.environment.owners if planning.environment else (), planning.calls.at(channel).mentions
    if entry.event is Event.BREAK_GLASS_UNANNOUNCED:
        message = break_glass.unannounced(view, command=planning.command)
    elif entry.event is Event.GRANT_REAPPEARED:
        message = notices.reappeared(view, entry.at, mentions=mentions, owners=owners)
    elif entry.event is Event.VOTE_UNPROVED:
        more = entry.facts.get("id") != entry.subject
        message = notices.vote_unproved(view, entry.facts.get("why", ""), more=more, mentions=mentions, owners=owners)
    else:
        failures = int(entry.facts.get("failures", "0")) or None
        error = replace(view, error=entry.private.get("error") or view.error)
        message = notices.removal_failing(error, failures=failures, mentions=mentions, owners=owners)
    # An alarm is news of one moment: it is posted once and not edited.
    return PlannedMessage(f"alarm:{entry.number}:{channel}", channel, message, key="once")
