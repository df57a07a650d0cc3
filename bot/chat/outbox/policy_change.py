"""A change of the policy that waits: its card, wherever the panic group is called, and with each who can decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.chat.message import stamp
from bot.chat.messages.policy_change import OF_CHANGE, is_open, policy_change
from bot.chat.outbox.outbox import Outbox, in_each
from bot.chat.outbox.plans.calls import mention
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.reach import elsewhere_of
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.places import direct_to, surface_of
from bot.chat.rich import Rich, call
from bot.chat.wording.labels import Asked
from workflows.core.audit import AuditEntry, Event
from workflows.core.policy import Policy

# Without a policy nobody knows whom to ask; in so many seconds again.
AGAIN_S = 60.0


def show_policy_change(box: Outbox, page: PostingSession, subject: str) -> None:
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    entries = box.ctx.ledger.entries_of(subject)
    turns = _turns([entry for entry in entries if entry.event in OF_CHANGE])
    box.send(page, [item for turn in turns for item in _planned(box, page, policy, turn)])
    box.told(subject, entries)


def _turns(entries: Sequence[AuditEntry]) -> Iterator[Sequence[AuditEntry]]:
    """The same folder may wait more than once: each time, and what came of it."""
    begins = [place for place, entry in enumerate(entries) if entry.event is Event.POLICY_WAITS]
    for begin, end in zip(begins, [*begins[1:], len(entries)], strict=True):
        yield entries[begin:end]


def _planned(box: Outbox, page: PostingSession, policy: Policy, turn: Sequence[AuditEntry]) -> list[PlannedMessage]:
    slot = f"change:{turn[0].number}"
    if not is_open(turn):
        # Where it stands, it says how it ended; nobody else has to hear of it.
        return [
            _edited(name, posting.channel, turn)
            for name, posting in page.record.postings.items()
            if name == slot or name.startswith(f"{slot}:")
        ]
    people = box.recipients.in_groups(policy, tuple(dict.fromkeys((*policy.policy_changes, *policy.security))))
    others = elsewhere_of(people)
    # A webhook is told what is final: its receipt, once it is in force.
    channels = in_each(page.record, slot, policy.receipts_channels)
    found = [_edited(name, place, turn, _called(box, policy, place)) for name, place in channels.items()]
    direct = {direct_to(facts.slack): facts for facts in people}
    for place, facts in sorted(direct.items()):
        own = policy_change(turn, reader=facts.id)
        found.append(PlannedMessage(f"{slot}:{place}", place, own, stamp(own), or_else=tuple(others.get(place, ()))))
    return found


def _edited(slot: str, place: str, turn: Sequence[AuditEntry], called: Rich = ()) -> PlannedMessage:
    card = policy_change(turn, called)
    return PlannedMessage(slot, place, card, key=stamp(card))


def _called(box: Outbox, policy: Policy, place: str) -> Rich:
    """Whoever can decide, by people of this place's chat."""
    groups = tuple(policy.policy_changes)
    people = {name: box.recipients.in_groups(policy, (name,)) for name in groups}
    return call(Asked(groups), {name: [mention(one, surface_of(place), ()) for one in people[name]] for name in groups})
