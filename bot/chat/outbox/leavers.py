"""So many seem to have left at once: the card, in the receipts channels and with each of the panic group."""

from __future__ import annotations

from bot.chat.message import Message, stamp
from bot.chat.messages.leavers import OF_LEAVERS, is_open, leavers
from bot.chat.outbox.outbox import Outbox, in_each
from bot.chat.outbox.plans.calls import mention
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.reach import elsewhere_of
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.places import direct_to, surface_of
from bot.chat.rich import NOTHING, Rich, call
from bot.chat.wording.labels import Asked
from workflows.core.policy import Policy

# Without a policy nobody knows whom to ask; in so many seconds again.
AGAIN_S = 60.0
SLOT = "leavers"


def show_leavers(box: Outbox, page: PostingSession, subject: str) -> None:
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    known = box.ctx.ledger.entries_of(subject)
    entries = [entry for entry in known if entry.event in OF_LEAVERS][-1:]
    if not entries:
        box.told(subject, known)
        return
    if is_open(entries):
        places = in_each(page.record, SLOT, policy.receipts_channels)
        people = box.recipients.operators(policy)
        by_hand = "" if policy.panic_group else box.command
        others, own = elsewhere_of(people), leavers(entries, by_hand=by_hand)
        found = [
            _card(name, place, leavers(entries, _called(box, policy, place), by_hand)) for name, place in places.items()
        ]
        found += [
            PlannedMessage(f"{SLOT}:{user}", user, own, stamp(own), or_else=tuple(others.get(user, ())), urgent=True)
            for user in sorted({direct_to(facts.slack) for facts in people})
        ]
    else:
        # Where it stands it says what was said; nobody else has to hear of it.
        end = leavers(entries)
        found = [_card(name, posting.channel, end) for name, posting in page.record.postings.items()]
    box.send(page, found)
    box.told(subject, known)


def _card(slot: str, place: str, card: Message) -> PlannedMessage:
    return PlannedMessage(slot, place, card, key=stamp(card), urgent=True)


def _called(box: Outbox, policy: Policy, place: str) -> Rich:
    """The panic group, by people of this place's chat."""
    if policy.panic_group is None:
        return NOTHING
    people = box.recipients.security(policy)
    found = {policy.panic_group: [mention(one, surface_of(place), ()) for one in people]}
    return call(Asked((policy.panic_group,)), found)
