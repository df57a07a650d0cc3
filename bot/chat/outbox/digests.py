"""Reports on a schedule, each time posted once."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.chat.message import Message
from bot.chat.messages.access_review import review_message
from bot.chat.messages.digest import digest
from bot.chat.outbox.outbox import Outbox, once
from bot.chat.outbox.plan import (
    seen_in,
)
from bot.chat.outbox.postings import PostingSession
from bot.chat.views.overviews import DigestView
from bot.chat.views.request_view import RequestView
from workflows.core.policy import Policy
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
    """Raises PolicyUnavailable, too."""
    policy = box.ctx.policy.current()
    before = page.record.postings.get("digest")
    if before is not None and before.ts is not None:
        # What reads so much is not read again only to find that it was told.
        return
    if slot.plan.report is not None:
        _post_slot(box, page, slot, review_message(box.ctx, slot.plan, policy))
    else:
        show_active(box, page, slot, policy)


def _post_slot(box: Outbox, page: PostingSession, slot: Slot, message: Message) -> None:
    planned = once("digest", slot.plan.channel, message)
    box.delivery.send(page, replace(planned, entry=posted(box.ctx, slot)))


def show_active(box: Outbox, page: PostingSession, slot: Slot, policy: Policy) -> None:
    view = box.reader.digest(policy, slot.plan.environments)
    overdue = any(item.review_overdue for item in view.reviews)
    if view.places or view.waiting or overdue or not slot.plan.only_if_active or page.record.postings:
        shown = _visible(view, policy, slot.plan.channel)
        _post_slot(box, page, slot, digest(shown, box.command))


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
    )
