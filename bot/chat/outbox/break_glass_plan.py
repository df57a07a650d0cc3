"""The messages that only a break-glass has: told directly, chased, flagged, and told again where no channel was. Pure."""

from __future__ import annotations

from bot.chat.messages import break_glass as glass
from bot.chat.outbox.plan import PlannedMessage, PlanningInput, rendered
from bot.chat.places import direct_to
from workflows.core.records.oversight import Review, ReviewState


def glass_wanted(facts: PlanningInput) -> list[PlannedMessage]:
    """Nothing for requests of other kinds, and nothing before the decision."""
    if not facts.request.break_glass or facts.review is None:
        return []
    review = facts.review
    return [*_directly(facts), *_unannounced(facts, review), *_chases(facts, review), *_flagged(facts, review)]


def _directly(facts: PlanningInput) -> list[PlannedMessage]:
    """Each owner and all of security, once; never the holder, who did it. Kept current, so that the buttons are."""
    told = [slot.removeprefix("glass:") for slot in facts.chat.postings if slot.startswith("glass:")]
    owed = facts.review is not None and facts.review.state is ReviewState.OWED
    users = dict.fromkeys([*told, *([direct_to(person.slack) for person in facts.overseers] if owed else [])])
    return [rendered(facts, f"glass:{user}", user, glass.glass_card) for user in users]


def _unannounced(facts: PlanningInput, review: Review) -> list[PlannedMessage]:
    if review.unannounced_at is None:
        return []
    users = [direct_to(facts.request.requester_slack), *(direct_to(person.slack) for person in facts.overseers)]
    message = glass.unannounced(facts.story, command=facts.command)
    return [PlannedMessage(f"unannounced:{user}", user, message, key="once") for user in dict.fromkeys(users)]


def _chases(facts: PlanningInput, review: Review) -> list[PlannedMessage]:
    """One reminder a point: under the card, where there is one; else to each who may review."""
    if review.state is not ReviewState.OWED:
        return _chased(facts)
    if not review.chased_at:
        return []
    number, channel = len(review.chased_at), facts.environment.approvals_channel if facts.environment else None
    card = facts.chat.postings.get(f"card:{channel}") if channel else None
    if channel and card is not None and card.ts is not None:
        owners = facts.environment.owners if facts.environment else ()
        message = glass.chase(facts.story, facts.mentions, owners, facts.command)
        return [PlannedMessage(f"chase:{number}:{channel}", channel, message, key="once", under=f"card:{channel}")]
    message = glass.chase(facts.story, command=facts.command)
    users = dict.fromkeys(direct_to(person.slack) for person in facts.overseers)
    return [PlannedMessage(f"chase:{number}:{user}", user, message, key="once") for user in users]


def _chased(facts: PlanningInput) -> list[PlannedMessage]:
    """Reminders that were sent say that it is done, and offer nothing any more."""
    sent = [(slot, post.channel) for slot, post in facts.chat.postings.items() if slot.startswith("chase:") and post.ts]
    return [rendered(facts, slot, channel, glass.reviewed) for slot, channel in sent]


def _flagged(facts: PlanningInput, review: Review) -> list[PlannedMessage]:
    """To the holder, and to security but for whoever flagged it."""
    if review.state is not ReviewState.FLAGGED:
        return []
    holder = direct_to(facts.request.requester_slack)
    own = glass.flagged(facts.story, to_holder=True, command=facts.command)
    theirs = glass.flagged(facts.story, to_holder=False, command=facts.command)
    security = [direct_to(person.slack) for person in facts.security if person.id != review.by]
    others = (PlannedMessage(f"flagged:{user}", user, theirs, key="once") for user in dict.fromkeys(security))
    return [PlannedMessage(f"flagged:{holder}", holder, own, key="once"), *others]
