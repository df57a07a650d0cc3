"""News of the installation: its policy, its clock, what fails or cannot be read, and everything taken away at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.chat.message import Message
from bot.chat.messages import receipts
from bot.chat.messages.audit_alarm import audit_told
from bot.chat.messages.clock_alarm import clock_told
from bot.chat.messages.erased import erased_told
from bot.chat.messages.ledger_alarm import ledger_told
from bot.chat.outbox.outbox import Outbox, in_each, once
from bot.chat.outbox.plans import troubles
from bot.chat.outbox.plans.calls import mention
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.reach import elsewhere_of
from bot.chat.outbox.plans.revoke_all import revoke_all_planned
from bot.chat.outbox.plans.webhook import news_places
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.outbox.trouble_calls import Called, without_what_is_over
from bot.chat.places import direct_to, surface_of
from bot.chat.rich import NOTHING, Rich, call
from bot.chat.wording.labels import Asked
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import address_of
from workflows.core.people import PersonFacts
from workflows.core.policy import Policy
from workflows.core.records.oversight import BulkRevocation
from workflows.usecases.revocation.revoke_all import SUBJECT as BULK_REVOCATION
from workflows.usecases.shared.troubles import SUBJECT as TROUBLE
from workflows.usecases.shared.troubles import standing

# Without a policy nobody knows whom to tell; in so many seconds again.
AGAIN_S = 60.0


def show_policy(box: Outbox, page: PostingSession, subject: str) -> None:
    policy, known = box.policy(), box.ctx.ledger.entries_of(subject)
    entries = [item for item in known if item.event is Event.POLICY_ACTIVATED]
    if policy is not None and entries:
        entry = entries[-1]
        box.send(page, _activation(box, page, policy, entry))
    box.told(subject, known)


def _activation(box: Outbox, page: PostingSession, policy: Policy, entry: AuditEntry) -> list[PlannedMessage]:
    """A receipt in each channel. Where production got looser it calls the panic group, each of whom is written to as well."""
    slot, places = f"policy:{entry.number}", news_places(policy)
    security = _watching(box, policy, entry) if receipts.is_looser(entry) else ()
    others = elsewhere_of(security)
    found = [
        once(name, place, receipts.policy_activated(entry, box.command, _called(policy, security, place)))
        for name, place in in_each(page.record, slot, places).items()
    ]
    own = receipts.policy_activated(entry, box.command)
    direct = {direct_to(facts.slack) for facts in security}
    return [*found, *(once(f"{slot}:{place}", place, own, others.get(place, ())) for place in sorted(direct))]


def _watching(box: Outbox, policy: Policy, entry: AuditEntry) -> tuple[PersonFacts, ...]:
    """The panic group, and whoever was in it until this change."""
    listed = (address_of(text, policy.former_domains) for text in entry.private.get("watched_by", "").splitlines())
    before = (box.ctx.directory.by_address(one, policy.former_domains) for one in listed if one is not None)
    found = [*box.recipients.security(policy), *(one for one in before if one is not None and not one.standing_problem)]
    return tuple({facts.id: facts for facts in found}.values())


def _called(policy: Policy, security: Sequence[PersonFacts], place: str) -> Rich:
    """The panic group, by people of this place's chat."""
    group = policy.panic_group or "the panic group"
    if not security and policy.panic_group is None:
        return NOTHING
    return call(Asked((group,)), {group: [mention(facts, surface_of(place), ()) for facts in security]})


def show_unreadable(box: Outbox, page: PostingSession, subject: str) -> None:
    """One alarm an hour, which grows as more is found."""
    policy, known = box.policy(), box.ctx.ledger.entries_of(subject)
    if policy is not None:
        entries = [entry for entry in known if entry.event is Event.LEDGER_UNREADABLE]
        hour = f"{entries[-1].at:%Y-%m-%dT%H}" if entries else ""
        found = [entry for entry in entries if f"{entry.at:%Y-%m-%dT%H}" == hour]
        if found:
            alarm, key = receipts.unreadable(found), str(found[-1].number)
            places = in_each(page.record, f"unreadable:{hour}", news_places(policy))
            box.send(page, [PlannedMessage(*place, alarm, key=key, urgent=True) for place in places.items()])
    box.told(subject, known)


def show_trouble(box: Outbox, page: PostingSession, subject: str) -> None:
    """Whoever waits for what fails is told, and hears when it is over."""
    item = subject.removeprefix(TROUBLE)
    seen = _version(box, keys.trouble(item))
    box.send(page, troubles.for_people(box.ctx, item, page.record, box.command))
    box.clear_if(subject, lambda: _version(box, keys.trouble(item)) == seen)


def show_troubles(box: Outbox, page: PostingSession, subject: str) -> None:
    """The people who run this are told of all that fails, and owners of what fails of theirs."""
    called, failing = Called(box.ctx, box.recipients, box.command), standing(box.ctx)
    box.send(page, called.planned(box.policy(), page.record))
    left = without_what_is_over(page.record)
    if left != page.record:
        page.save(left, "over")
    box.clear_if(subject, lambda: standing(box.ctx) == failing)


def _version(box: Outbox, item: str) -> int:
    return box.ctx.ledger.read(item).items[item].version


def show_clock(box: Outbox, page: PostingSession, subject: str) -> None:
    """The receipts channels hear of a jump, and so does everybody who may press the panic switch."""
    _tell_security(box, page, subject, "clock", clock_told)


def show_ledger(box: Outbox, page: PostingSession, subject: str) -> None:
    """The same people hear that the record is perhaps an older copy."""
    _tell_security(box, page, subject, "ledger", ledger_told)


def show_audit(box: Outbox, page: PostingSession, subject: str) -> None:
    """And what is new of the audit log's seal."""
    _tell_security(box, page, subject, "audit", audit_told)


def show_erased(box: Outbox, page: PostingSession, subject: str) -> None:
    """The receipts channels hear that somebody was erased, once all of it is done."""
    policy, known = box.policy(), box.ctx.ledger.entries_of(subject)
    if policy is None:
        raise Later(AGAIN_S)
    for entry in known:
        if "done" in entry.facts:
            places = in_each(page.record, f"erased:{entry.number}", news_places(policy))
            box.send(page, [once(*place, erased_told(entry)) for place in places.items()])
    box.told(subject, known)


def _tell_security(
    box: Outbox, page: PostingSession, subject: str, name: str, told_as: Callable[[AuditEntry], Message]
) -> None:
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    security = box.recipients.security(policy)
    others = elsewhere_of(security)
    places = (*news_places(policy), *(direct_to(facts.slack) for facts in security))
    entries = box.ctx.ledger.entries_of(subject)
    told = [(entry.number, told_as(entry)) for entry in entries]
    slots = [(f"{name}:{number}:{place}", place, message) for number, message in told for place in places]
    box.send(page, [once(slot, place, message, others.get(place, ())) for slot, place, message in slots])
    box.told(subject, entries)


def show_bulk_revocation(box: Outbox, page: PostingSession, subject: str) -> None:
    """One message for each receipts channel and one for whoever pressed; all fill up in place."""
    policy, item = box.policy(), keys.bulk_revocation(subject.removeprefix(BULK_REVOCATION))
    snapshot = box.ctx.ledger.read(item)
    bulk_revocation = snapshot.get(item, BulkRevocation)
    if bulk_revocation is None or policy is None:
        box.clear(subject)
        return
    views = box.reader.some(bulk_revocation.taken, policy)
    box.send(page, revoke_all_planned(bulk_revocation, views, policy, box.command))
    box.shown(page, snapshot.versions(), subject, ())
