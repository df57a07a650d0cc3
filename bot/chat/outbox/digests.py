"""Reports on a schedule, each time posted once in each of their channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import structlog

from bot.chat.message import Message
from bot.chat.messages.access_review import review_messages
from bot.chat.messages.digest import digest
from bot.chat.outbox.outbox import Outbox, in_each, once
from bot.chat.outbox.plans.planning import PlannedMessage, seen_in
from bot.chat.outbox.plans.webhook import digests_at
from bot.chat.outbox.postings import PostingSession
from bot.chat.views.overviews import DigestView
from bot.chat.views.request_view import RequestView
from workflows.core.policy import Digest, Policy, Visibility
from workflows.core.records.chat import ChatRecord
from workflows.policy_file.cron import latest_slot, next_slot
from workflows.usecases.oversight.digest import Slot, owed_slot, posted, schedule_next

log = structlog.get_logger()


def show_digest(box: Outbox, page: PostingSession, key: str, slot: Slot) -> None:
    show_slot(box, page, slot)
    schedule_next(box.ctx, key, slot, next_slot)


def show_owed_digest(box: Outbox, page: PostingSession, subject: str) -> None:
    """Its channel takes messages again: of what it did not take, the newest is posted."""
    slot = owed_slot(box.ctx, subject, latest_slot)
    if slot is not None:
        show_slot(box, page, slot)
    box.clear(subject)


def show_slot(box: Outbox, page: PostingSession, slot: Slot) -> None:
    """Once in each of its channels. Raises PolicyUnavailable, too."""
    policy = box.ctx.policy.current()
    items: list[PlannedMessage] = []
    for plan, places in _not_told_yet(page.record, slot.plan, policy):
        told = _told(box, page.record, plan, policy, places.values())
        items += [once(name, channel, told[channel]) for name, channel in places.items() if channel in told]
    box.send(page, [replace(item, entry=posted(box.ctx, slot, item.channel)) for item in items])


def _told(box: Outbox, record: ChatRecord, plan: Digest, policy: Policy, channels: Iterable[str]) -> dict[str, Message]:
    """By channel."""
    if plan.report is not None:
        return review_messages(box.ctx, plan, policy, channels)
    return _active(box, record, plan, policy, channels)


def _not_told_yet(record: ChatRecord, plan: Digest, policy: Policy) -> Iterator[tuple[Digest, dict[str, str]]]:
    """What is told, and where: slots -> places, without those where it stands. What reads so much is not read again only to
    find that it was told.
    """
    stands = [name for name, posting in record.postings.items() if posting.ts is not None]
    everywhere = [(plan, in_each(record, "digest", plan.channels))]
    for told, places in (
        *everywhere,
        *((each, {f"digest:{place}": place}) for each, place in digests_at(policy, plan)),
    ):
        if left := {name: place for name, place in places.items() if name not in stands}:
            yield told, left


def _active(
    box: Outbox, record: ChatRecord, plan: Digest, policy: Policy, channels: Iterable[str]
) -> dict[str, Message]:
    """By channel; nothing where there is nothing to tell, and the digest is to be silent then."""
    view = box.reader.digest(policy, plan.environments)
    overdue = any(item.review_overdue for item in view.reviews)
    if view.places or view.waiting or overdue or not plan.only_if_active or record.postings:
        return {channel: digest(_visible(view, policy, channel), box.command) for channel in channels}
    return {}


def _visible(digest_: DigestView, policy: Policy, channel: str) -> DigestView:
    """Where an environment is hidden from outsiders, a digest elsewhere tells state and id alone."""

    def seen(views: tuple[RequestView, ...]) -> tuple[RequestView, ...]:
        return tuple(seen_in(view, policy, channel) for view in views)

    places = tuple(replace(place, views=seen(place.views)) for place in digest_.places)
    return replace(
        digest_,
        places=places,
        stuck=seen(digest_.stuck),
        waiting=seen(digest_.waiting),
        reviews=seen(digest_.reviews),
        agreed=seen(digest_.agreed),
        drift=tuple(replace(one, hidden=_is_hidden(policy, one.environment, channel)) for one in digest_.drift),
    )


def _is_hidden(policy: Policy, environment: str, channel: str) -> bool:
    place = policy.environments.get(environment)
    return place is None or (place.visibility is Visibility.MEMBERS and channel not in policy.own_places(environment))
