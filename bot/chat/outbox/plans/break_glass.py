"""The messages that only a break-glass has: told directly, chased, flagged, and told again where no channel was. Pure."""

from __future__ import annotations

from bot.chat.message import Message
from bot.chat.messages import break_glass
from bot.chat.outbox.plans.planning import PlannedMessage, PlanningInput, own_channels, rendered
from bot.chat.views.request_view import RequestView
from workflows.core.records.oversight import Review, ReviewState


def break_glass_planned(planning: PlanningInput) -> list[PlannedMessage]:
    """Nothing for requests of other kinds, and nothing before the decision."""
    if not planning.request.break_glass or planning.review is None:
        return []
    review = planning.review
    return [
        *_directly(planning),
        *_unannounced(planning, review),
        *_chases(planning, review),
        *_flagged(planning, review),
    ]


def _directly(planning: PlanningInput) -> list[PlannedMessage]:
    """Each owner and all of security, once; never the holder, who did it. Kept current, so that the buttons are."""
    told = [slot.removeprefix("glass:") for slot in planning.chat.postings if slot.startswith("glass:")]
    owed = planning.review is not None and planning.review.state is ReviewState.OWED
    users = dict.fromkeys([*told, *(planning.places("glass:{}", planning.overseers) if owed else [])])
    return [rendered(planning, f"glass:{user}", user, _own_card) for user in users]


def _own_card(view: RequestView) -> Message:
    return break_glass.break_glass_card(view, directly=True)


def _unannounced(planning: PlanningInput, review: Review) -> list[PlannedMessage]:
    if review.unannounced_at is None:
        return []
    users = [planning.breaker, *planning.places("unannounced:{}", planning.overseers)]
    message = break_glass.unannounced(planning.view, command=planning.command)
    return [PlannedMessage(f"unannounced:{user}", user, message, key="once") for user in dict.fromkeys(users)]


def _chases(planning: PlanningInput, review: Review) -> list[PlannedMessage]:
    """One reminder a point: under each card in a channel, where there is one; else to each who may review."""
    if review.state is not ReviewState.OWED:
        return _chased(planning)
    if not review.chased_at:
        return []
    number, cards = len(review.chased_at), _cards_in_channels(planning)
    if cards:
        owners = planning.environment.owners if planning.environment else ()
        return [
            PlannedMessage(
                f"chase:{number}:{channel}",
                channel,
                break_glass.chase(planning.view, planning.calls.at(channel).mentions, owners, planning.command),
                key="once",
                under=f"card:{channel}",
            )
            for channel in cards
        ]
    message = break_glass.chase(planning.view, command=planning.command)
    users = planning.places(f"chase:{number}:{{}}", planning.overseers)
    return [PlannedMessage(f"chase:{number}:{user}", user, message, key="once") for user in users]


def _cards_in_channels(planning: PlanningInput) -> list[str]:
    """The environment's own channels in which the card stands."""
    cards = {channel: planning.chat.postings.get(f"card:{channel}") for channel in own_channels(planning.environment)}
    return [channel for channel, card in cards.items() if card is not None and card.ts is not None]


def _chased(planning: PlanningInput) -> list[PlannedMessage]:
    """Reminders that were sent say that it is done, and offer nothing any more."""
    sent = [
        (slot, post.channel) for slot, post in planning.chat.postings.items() if slot.startswith("chase:") and post.ts
    ]
    return [rendered(planning, slot, channel, break_glass.reviewed) for slot, channel in sent]


def _flagged(planning: PlanningInput, review: Review) -> list[PlannedMessage]:
    """To the holder, and to security but for whoever flagged it."""
    if review.state is not ReviewState.FLAGGED:
        return []
    holder = planning.breaker
    own = break_glass.flagged(planning.view, to_holder=True, command=planning.command)
    theirs = break_glass.flagged(planning.view, to_holder=False, command=planning.command)
    security = planning.places("flagged:{}", (person for person in planning.security if person.id != review.by))
    others = (PlannedMessage(f"flagged:{user}", user, theirs, key="once") for user in security)
    return [PlannedMessage(f"flagged:{holder}", holder, own, key="once"), *others]
