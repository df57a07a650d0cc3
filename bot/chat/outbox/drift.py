"""What a comparison found: a receipt when it is there and one when it is gone; owners and holder are told of what is theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.chat.message import stamp
from bot.chat.messages.drift import drift_found, drift_held, drift_over, is_alarm, missed
from bot.chat.outbox.outbox import Outbox, in_each, once
from bot.chat.outbox.plans.calls import mention
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.reach import elsewhere_of
from bot.chat.outbox.plans.webhook import news_places
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.places import direct_to, surface_of
from bot.chat.rich import NOTHING, Rich, call
from bot.chat.wording.labels import Asked
from workflows.core.audit import AuditEntry, Event
from workflows.core.people import PersonFacts, PersonId
from workflows.core.policy import Policy, Visibility
from workflows.core.records.drift import DriftKind

# Without a policy nobody knows whom to tell; in so many seconds again.
AGAIN_S = 60.0
_OVER = (Event.DRIFT_GONE, Event.DRIFT_REMOVED)


def show_drift(box: Outbox, page: PostingSession, subject: str) -> None:
    """Of one pass."""
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    entries = box.ctx.ledger.entries_of(subject)
    found = [entry for entry in entries if entry.event is Event.DRIFT_FOUND]
    over = [entry for entry in entries if entry.event in _OVER]
    box.send(page, [*_found(box, page, policy, found), *_over(page, policy, over), *_holders(box, policy, found)])
    box.told(subject, entries)


def _found(
    box: Outbox, page: PostingSession, policy: Policy, entries: Sequence[AuditEntry]
) -> Iterator[PlannedMessage]:
    """In the receipts channels all of it; in an environment's own channels what is its own, where its owners are called."""
    if not entries:
        return
    titles = _titles(policy)
    for slot, place in in_each(page.record, "found", news_places(policy)).items():
        told = drift_found(entries, titles, _hidden(policy, place), box.command)
        yield PlannedMessage(slot, place, told, key=stamp(told))
    for name, own in _by_environment(entries).items():
        owners = box.recipients.owners_of(policy, (name,))
        for place, others in _own_places(policy, name, owners).items():
            if place in policy.receipts_channels:
                continue
            called = _called(policy, name, owners, place)
            told = drift_found(own, titles, _hidden(policy, place) - {name}, box.command, called)
            yield PlannedMessage(f"found:{name}:{place}", place, told, key=stamp(told), or_else=others)


def _over(page: PostingSession, policy: Policy, entries: Sequence[AuditEntry]) -> Iterator[PlannedMessage]:
    if not entries:
        return
    titles = _titles(policy)
    for slot, place in in_each(page.record, "over", news_places(policy)).items():
        told = drift_over(entries, titles, _hidden(policy, place))
        yield PlannedMessage(slot, place, told, key=stamp(told))


def _holders(box: Outbox, policy: Policy, entries: Sequence[AuditEntry]) -> Iterator[PlannedMessage]:
    """Whoever has access on the record and not at the target hears of it."""
    missing = [entry for entry in entries if entry.facts.get("kind") == DriftKind.MISSING]
    people = box.ctx.directory.of_people(PersonId(entry.private.get("person", "")) for entry in missing)
    others = elsewhere_of(people.values())
    for entry in missing:
        facts = people.get(PersonId(entry.private.get("person", "")))
        if facts is not None and not facts.standing_problem:
            place = direct_to(facts.slack)
            environment = entry.facts.get("roles", "").partition(" ")[0]
            told = missed(entry, _titles(policy).get(environment, environment), box.command)
            yield once(f"missed:{entry.number}:{place}", place, told, others.get(place, ()))


def show_hold(box: Outbox, page: PostingSession, subject: str) -> None:
    """The card is where the panic group is called, and with each of them; decided, it says so where it stands."""
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    known = box.ctx.ledger.entries_of(subject)
    entries = [entry for entry in known if entry.event in _OF_HOLD]
    if entries:
        box.send(page, list(_held(box, page, policy, entries)))
    box.told(subject, known)


_OF_HOLD = (Event.DRIFT_HELD, Event.DRIFT_DECIDED)


def _held(box: Outbox, page: PostingSession, policy: Policy, entries: Sequence[AuditEntry]) -> Iterator[PlannedMessage]:
    if any(entry.event is Event.DRIFT_DECIDED for entry in entries):
        told = drift_held(entries)
        for slot, posting in page.record.postings.items():
            yield PlannedMessage(slot, posting.channel, told, key=stamp(told))
        return
    people = box.recipients.security(policy)
    others = elsewhere_of(people)
    for slot, place in in_each(page.record, "held", policy.receipts_channels).items():
        group = policy.panic_group or ""
        mentions = {group: [mention(one, surface_of(place), ()) for one in people]}
        told = drift_held(entries, call(Asked((group,)), mentions))
        yield PlannedMessage(slot, place, told, key=stamp(told), urgent=True)
    for place, facts in sorted({direct_to(one.slack): one for one in people}.items()):
        own = drift_held(entries, reader=facts.id)
        yield PlannedMessage(
            f"held:{place}", place, own, key=stamp(own), urgent=True, or_else=tuple(others.get(place, ()))
        )


# ---------------------------------------------------------------- where, and what may be told there


def _titles(policy: Policy) -> dict[str, str]:
    return {name: place.title for name, place in policy.environments.items()}


def _hidden(policy: Policy, place: str) -> frozenset[str]:
    """Environments of which this place's readers are outsiders."""
    return frozenset(
        name
        for name, found in policy.environments.items()
        if found.visibility is Visibility.MEMBERS and place not in policy.own_places(name)
    )


def _by_environment(entries: Sequence[AuditEntry]) -> dict[str, list[AuditEntry]]:
    """What an owner should look at soon, by environment. Standing access waits for the digest."""
    found: dict[str, list[AuditEntry]] = {}
    for entry in entries:
        if is_alarm(entry):
            places = dict.fromkeys(line.partition(" ")[0] for line in entry.facts.get("roles", "").splitlines())
            for name in places:
                found.setdefault(name, []).append(entry)
    return found


def _own_places(policy: Policy, name: str, owners: Sequence[PersonFacts]) -> dict[str, tuple[str, ...]]:
    """Its channels, or its owners where it has none; each with the person's other places."""
    environment = policy.environments.get(name)
    if environment is not None and environment.approvals_channels:
        return dict.fromkeys(environment.approvals_channels, ())
    others = elsewhere_of(owners)
    return {place: tuple(others.get(place, ())) for place in sorted({direct_to(one.slack) for one in owners})}


def _called(policy: Policy, name: str, owners: Sequence[PersonFacts], place: str) -> Rich:
    environment = policy.environments.get(name)
    if environment is None or place not in environment.approvals_channels:
        return NOTHING
    groups = environment.owners
    people = [mention(one, surface_of(place), ()) for one in owners]
    return call(Asked(groups), {groups[0]: people} if groups else {})
