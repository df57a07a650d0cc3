"""A certification: its cards with the owners, how far it has come in the receipts channels, and who is called when it is late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.chat.message import Message, stamp
from bot.chat.messages.certification import Card, Going, Round, card, going, overdue, progress, reminded, reminder
from bot.chat.outbox.outbox import Outbox, in_each, once
from bot.chat.outbox.plans.calls import mention
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.reach import elsewhere_of
from bot.chat.outbox.plans.webhook import news_places
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.places import direct_to, surface_of
from bot.chat.rich import NOTHING, Rich, call
from bot.chat.wording.labels import Asked
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.certification.removal import steps
from workflows.core.people import PersonFacts
from workflows.core.policy import Policy, Visibility
from workflows.core.records.certification import Certification, CertificationPart, Verdict
from workflows.ports import Ledger
from workflows.usecases.certification.standing import CARD, SUBJECT, parts_in

# Without a policy nobody knows whom to ask; in so many seconds again.
AGAIN_S = 60.0
_SLOT, _CHASE = "card", "chase"


def show_card(box: Outbox, page: PostingSession, subject: str) -> None:
    """One card: in the environment's own channels, or with each of its owners where it has none."""
    policy = _policy(box)
    item = keys.certification_part(subject.removeprefix(CARD))
    part = box.ctx.ledger.read(item).readable(item, CertificationPart)
    whole = keys.certification(part.run) if part is not None else item
    snapshot = box.ctx.ledger.read(item, whole)
    run = snapshot.readable(whole, Certification) if part is not None else None
    if part is None or run is None:
        box.clear(subject)
        return
    of = Card(run, part, policy.environments.get(part.environment), _proofs(box.ctx.ledger, part.id))
    box.send(page, list(_cards(box, page, policy, of)), snapshot.versions())
    box.shown(page, snapshot.versions(), subject, ())


def _cards(box: Outbox, page: PostingSession, policy: Policy, of: Card) -> Iterator[PlannedMessage]:
    stands = {slot: one.channel for slot, one in page.record.postings.items()}
    for slot, place, others in _places(box, policy, of.part.environment):
        called = _owners_called(box, policy, of.part.environment, place)
        stands.pop(slot, None)
        yield _edited(slot, place, card(of, called), others)
    # Where it was asked before, it says how it stands; nobody is called there who has left.
    for slot, place in stands.items():
        yield _edited(slot, place, card(of))


def _places(box: Outbox, policy: Policy, name: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Slot and place of each copy, with a person's other places."""
    place = policy.environments.get(name)
    if place is not None and place.approvals_channels:
        yield from ((f"{_SLOT}:{channel}", channel, ()) for channel in place.approvals_channels)
        return
    # Of what the policy does not have any more nobody knows whether others may read it.
    people = box.recipients.owners_of(policy, (name,)) if place is not None else box.recipients.security(policy)
    yield from ((f"{_SLOT}:{where}", where, others) for where, others in _direct(people).items())


def _direct(people: Sequence[PersonFacts]) -> Mapping[str, tuple[str, ...]]:
    others = elsewhere_of(people)
    return {place: tuple(others.get(place, ())) for place in sorted({direct_to(one.slack) for one in people})}


def _edited(slot: str, place: str, told: Message, others: tuple[str, ...] = ()) -> PlannedMessage:
    return PlannedMessage(slot, place, told, key=stamp(told), or_else=others)


def _owners_called(box: Outbox, policy: Policy, name: str, place: str) -> Rich:
    """By mention in its channels; whoever reads it alone is not called by name."""
    environment = policy.environments.get(name)
    if environment is None or place not in environment.approvals_channels:
        return NOTHING
    groups = environment.owners
    people = [mention(one, surface_of(place), ()) for one in box.recipients.owners_of(policy, (name,))]
    return call(Asked(groups), {groups[0]: people} if groups else {})


def _security_called(box: Outbox, policy: Policy, place: str) -> Rich:
    if policy.panic_group is None:
        return NOTHING
    people = [mention(one, surface_of(place), ()) for one in box.recipients.security(policy)]
    return call(Asked((policy.panic_group,)), {policy.panic_group: people})


# ---------------------------------------------------------------- the whole of it


def show_round(box: Outbox, page: PostingSession, subject: str) -> None:
    """How far it has come, what is to go, and who is reminded."""
    policy = _policy(box)
    item = keys.certification(subject.removeprefix(SUBJECT))
    first = box.ctx.ledger.read(item).readable(item, Certification)
    snapshot = box.ctx.ledger.read(item, *map(keys.certification_part, first.parts if first is not None else ()))
    run, entries = snapshot.readable(item, Certification), box.ctx.ledger.entries_of(subject)
    began = next((one for one in entries if one.event is Event.CERTIFICATION_STARTED), None)
    if first is None or run is None:
        box.clear(subject)
        return
    of = Round(run, parts_in(snapshot, run), began, _last(entries, Event.CERTIFICATION_CLOSED))
    found = [
        *_told(box, page, policy, of),
        *_reminders(box, page, policy, of, entries),
        *_overdue(box, page, policy, of),
    ]
    box.send(page, found, snapshot.versions())
    box.shown(page, snapshot.versions(), subject, ())


def _last(entries: Sequence[AuditEntry], event: Event) -> AuditEntry | None:
    return next((one for one in reversed(entries) if one.event is event), None)


def _told(box: Outbox, page: PostingSession, policy: Policy, of: Round) -> Iterator[PlannedMessage]:
    """In the receipts channels, edited as it goes; a webhook is told how it ended."""
    goes = _going(box.ctx.ledger, policy, of)
    for slot, place in in_each(page.record, "round", policy.receipts_channels).items():
        yield _edited(slot, place, progress(of))
    for slot, place in in_each(page.record, "goes", policy.receipts_channels).items():
        if goes or slot in page.record.postings:
            yield _edited(slot, place, going(of.run, goes, _hidden(policy, place)))
    if not of.run.is_open:
        for place in (one for one in news_places(policy) if one not in policy.receipts_channels):
            yield once(f"round:{place}", place, progress(of))
            if goes:
                yield once(f"goes:{place}", place, going(of.run, goes, _hidden(policy, place)))


def _going(ledger: Ledger, policy: Policy, of: Round) -> list[Going]:
    found = []
    for part in of.parts:
        gone = [item for item in part.items if item.answer is not None and item.answer.verdict is Verdict.REMOVE]
        proofs = _proofs(ledger, part.id) if gone else {}
        found += [Going(part, item, steps(policy, part, item), proofs.get(item.number)) for item in gone]
    return found


def _proofs(ledger: Ledger, part: str) -> dict[int, AuditEntry]:
    """The newest answer to each item, by its number."""
    entries = ledger.entries_of(f"{CARD}{part}")
    return {int(one.facts["number"]): one for one in entries if one.event is Event.CERTIFICATION_ANSWERED}


def _reminders(
    box: Outbox, page: PostingSession, policy: Policy, of: Round, entries: Sequence[AuditEntry]
) -> Iterator[PlannedMessage]:
    """The newest call: one message for each environment that had not answered then, with its owners. Older ones say so."""
    chased = _last(entries, Event.CERTIFICATION_CHASED)
    by_name = {part.environment: [one for one in of.parts if one.environment == part.environment] for part in of.parts}
    stands = {slot: one.channel for slot, one in page.record.postings.items() if slot.startswith(f"{_CHASE}:")}
    for name in chased.facts.get("environments", "").split(", ") if chased is not None and of.run.is_open else ():
        for _, place, others in _places(box, policy, name) if name in by_name else ():
            slot = f"{_CHASE}:{chased.number if chased else 0}:{name}:{place}"
            if stands.pop(slot, None) or any(part.open for part in by_name[name]):
                yield _edited(
                    slot, place, reminder(of.run, by_name[name], _owners_called(box, policy, name, place)), others
                )
    for slot, place in stands.items():
        parts = by_name.get(slot.split(":")[2], [])
        if parts:
            yield _edited(slot, place, reminded(of.run, parts))


def _overdue(box: Outbox, page: PostingSession, policy: Policy, of: Round) -> Iterator[PlannedMessage]:
    """The panic group, where it is called and each of them; edited as it goes."""
    if of.run.escalated_at is None:
        return
    for slot, place in in_each(page.record, "overdue", policy.receipts_channels).items():
        yield _edited(slot, place, overdue(of, _security_called(box, policy, place)))
    for place, others in _direct(box.recipients.security(policy)).items():
        yield _edited(f"overdue:{place}", place, overdue(of), others)


def _hidden(policy: Policy, place: str) -> frozenset[str]:
    """Environments of which this place's readers are outsiders."""
    return frozenset(
        name
        for name, found in policy.environments.items()
        if found.visibility is Visibility.MEMBERS and place not in policy.own_places(name)
    )


def _policy(box: Outbox) -> Policy:
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    return policy
