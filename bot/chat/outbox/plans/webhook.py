"""What is posted where nothing can be edited and nobody answers: final lines, each once. Pure, as `plan` is.

Final is what people have decided and what has come of access. What waits for somebody, what passes by itself, and the root of a
thread are not: they would go on saying so when it is no longer true.

Each line has a slot of its own, by its entry's number, so that it is told once, in whatever order they go through; when many wait
for a place, a summary tells the newest of each request (see `summary`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.chat.messages.final_lines import final_line
from bot.chat.outbox.plans.planning import PlannedMessage, PlanningInput
from bot.chat.outbox.plans.receipts import root_slot
from bot.chat.outbox.plans.request import ALARMS
from bot.chat.views.request_view import RequestView, for_outsiders, seen_by
from workflows.core.audit import AuditEntry, Event
from workflows.core.policy import DIGESTS, RECEIPTS, Digest, Policy, Webhook
from workflows.core.records.chat import ChatRecord

# They say what waits, or what passes by itself: of the first somebody may still say no, and the second is told by what follows.
PASSING = frozenset(
    {
        Event.REQUEST_MADE,
        Event.GATE_ASKED,
        Event.REQUEST_RESOLVED,
        Event.REQUEST_REMINDED,
        Event.REQUEST_ESCALATED,
        Event.REQUEST_STARTED,
        Event.REVIEW_CHASED,
    }
)


def is_final(entry: AuditEntry) -> bool:
    """A removal that somebody began is told: its end says no more who it was, and why."""
    if entry.event is Event.GRANT_END_STARTED:
        return bool(entry.private.get("actor"))
    return entry.event not in PASSING


def final_news(record: ChatRecord, entries: Sequence[AuditEntry], place: str) -> list[AuditEntry]:
    """The entries that this place has to be told and was not, by a line of their own or by a summary. What it did not take is
    owed to it, and no news.
    """
    told = record.told.get(root_slot(place), 0)
    return [entry for entry in entries if entry.number > told and is_final(entry) and not _done(record, entry, place)]


def last_final(record: ChatRecord, entries: Sequence[AuditEntry], place: str) -> int:
    """The number of the last of them; 0 where there is nothing to tell."""
    news = final_news(record, entries, place)
    return news[-1].number if news else 0


def _done(record: ChatRecord, entry: AuditEntry, place: str) -> bool:
    posting = record.postings.get(_slot(entry, place))
    return posting is not None and (posting.ts is not None or posting.error is not None)


def _slot(entry: AuditEntry, place: str) -> str:
    return f"lines:{entry.number}:{place}"


# ---------------------------------------------------------------- requests


def final_planned(policy: Policy | None, members: Sequence[PlanningInput]) -> list[PlannedMessage]:
    """Of one request, or of all that was asked for in one go; then their messages stand in one record."""
    hooks = policy.webhooks if policy else ()
    return [item for hook in hooks if RECEIPTS in hook.kinds for item in _told(hook, members)]


def _told(hook: Webhook, members: Sequence[PlanningInput]) -> list[PlannedMessage]:
    views = [_seen(hook, facts) for facts in members]
    if any(view.hidden for view in views):
        # Asked for together, they would tell of one another who it is.
        views = [for_outsiders(view) for view in views]
    found = [
        (entry, facts, view)
        for facts, view in zip(members, views, strict=True)
        if hook.hears_of(view.environment)
        for entry in final_news(facts.chat, facts.entries, hook.place)
    ]
    return [_line(hook.place, *each) for each in sorted(found, key=lambda each: each[0].number)]


def _line(place: str, entry: AuditEntry, facts: PlanningInput, view: RequestView) -> PlannedMessage:
    """A break-glass and an alarm wait for nothing else."""
    urgent = facts.request.break_glass or entry.event in ALARMS
    message = final_line(entry, view)
    return PlannedMessage(_slot(entry, place), place, message, key="once", urgent=urgent, in_order=True)


def _seen(hook: Webhook, facts: PlanningInput) -> RequestView:
    """Nobody can see who reads there: whoever named the environment for it knew, and else they are outsiders."""
    return seen_by(facts.view, facts.environment, member=hook.belongs_to(facts.view.environment))


# ---------------------------------------------------------------- digests, and news of the installation


def digests_at(policy: Policy, plan: Digest) -> Iterator[tuple[Digest, str]]:
    """What each webhook is told of a digest, and its place: of those of the digest's environments that it is told of."""
    whole = tuple(policy.environments) if plan.environments is None else plan.environments
    for hook in policy.webhooks:
        heard = tuple(name for name in whole if hook.hears_of(name))
        if DIGESTS in hook.kinds and (heard or hook.environments is None):
            yield (plan if len(heard) == len(whole) else replace(plan, environments=heard)), hook.place


def news_places(policy: Policy) -> tuple[str, ...]:
    """Where news of the whole installation are told: the receipts channels, and webhooks that are told of every environment."""
    return (*policy.receipts_channels, *told_of_all(policy))


def told_of_all(policy: Policy) -> list[str]:
    return [hook.place for hook in policy.webhooks if RECEIPTS in hook.kinds and hook.environments is None]


def places(policy: Policy | None) -> list[str]:
    return [hook.place for hook in policy.webhooks] if policy else []
