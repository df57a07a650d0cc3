"""News of people and their accounts: on hold, left, delegated to, unblocked, with another user in a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.chat.message import Message
from bot.chat.messages import hold_news, receipts, second_chat, target_users
from bot.chat.messages.break_glass import lifted, lifted_receipt
from bot.chat.outbox.outbox import Outbox, once, once_in_each
from bot.chat.outbox.plans.delegation import delegation_planned
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.reach import elsewhere_of
from bot.chat.outbox.plans.webhook import news_places
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.places import direct_to
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import SECOND_CHAT, Account, AccountId, Why
from workflows.core.people import PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord
from workflows.core.records.person import PersonRecord
from workflows.usecases.identity.confirm_account import held_account
from workflows.usecases.identity.departure import open_places
from workflows.usecases.shared.actor import bound_to
from workflows.usecases.shared.delegation_end import in_force

log = structlog.get_logger()

HOLD = "hold-"
TOLD_OF_HOLDS = frozenset(
    {
        Event.PERSON_BINDING_CHANGED,
        Event.PERSON_RESUMED,
        Event.PERSON_CONFIRM_ASKED,
        Event.PERSON_CONFIRMED,
        Event.PERSON_DISOWNED,
        Event.PERSON_LEFT,
        Event.PERSON_MOVED,
    }
)
# So many requests are shown anew at once.
AT_ONCE = 200
# Without a policy nobody knows whom to tell; in so many seconds again.
AGAIN_S = 60.0


def show_delegation(box: Outbox, page: PostingSession, subject: str) -> None:
    """Tell somebody that they decide in another's place, or do so no more."""
    user, who = keys.delegation_named(subject)
    item = keys.person(who)
    snapshot = box.ctx.ledger.read(item)
    record = snapshot.get(item, PersonRecord)
    found = in_force(record.delegation, snapshot.now) if record else None
    theirs = found if found and found.to_slack and direct_to(found.to_slack) == user else None
    name = record.name if record else ""
    box.send(page, delegation_planned(page.record, user, name, theirs, snapshot.now, box.command))
    box.shown(page, snapshot.versions(), subject, ())


def show_unblock(box: Outbox, page: PostingSession, subject: str) -> None:
    """The person is told, and so are the receipts channels."""
    policy, items = box.policy(), list[PlannedMessage]()
    entries = box.ctx.ledger.entries_of(subject)
    for entry in entries:
        item = keys.person(PersonId(entry.private.get("person", "")))
        record = box.ctx.ledger.read(item).get(item, PersonRecord)
        accounts = record.slack if record else ()
        items += [once(f"lifted:{direct_to(who)}", direct_to(who), lifted(entry, entry.at)) for who in accounts]
        if policy is not None:
            mark = receipts.mark(entry.number, entry.digest)
            receipt = lifted_receipt(entry, mark)
            items += once_in_each(page.record, "lifted:receipt", news_places(policy), receipt)
    box.send(page, items)
    box.told(subject, entries)


def show_hold(box: Outbox, page: PostingSession, subject: str) -> None:
    """News of an account that is on hold: for the receipts channels and security; for the owners where it has access; and,
    once people have said whose it is, for every account that is bound to somebody whom it is about."""
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    known = box.ctx.ledger.entries_of(subject)
    entries = [entry for entry in known if entry.event in TOLD_OF_HOLDS]
    items: list[PlannedMessage] = []
    for entry in entries:
        if _is_question(entry):
            asked = [one.number for one in entries if _is_question(one)]
            last = entry.number == asked[-1]
            answer = _answer(entry, entries)
            items += _asked_whether_it_is_them(box, page.record, entry, policy, last=last, answer=answer)
        else:
            items += _told_of_hold(box, page.record, entry, policy)
        _redraw_what_waits(box, entry)
    # In one go: a chat that takes nothing must not keep the news of the next entry from another one.
    box.send(page, items)
    box.told(subject, known)


def _redraw_what_waits(box: Outbox, entry: AuditEntry) -> None:
    """Nobody can approve what somebody on hold has asked for, or would have: its cards say so, and later that it is over."""
    for who in dict.fromkeys(filter(None, map(entry.private.get, ("actor", "person", "before")))):
        for id_ in box.ctx.ledger.members(keys.of_person(keys.PENDING, PersonId(who)), limit=AT_ONCE):
            box.ctx.ledger.remind(keys.chat(id_), 0.0)


def _told_of_hold(box: Outbox, record: ChatRecord, entry: AuditEntry, policy: Policy) -> list[PlannedMessage]:
    # What somebody says of their own account is for their own accounts; that one is not theirs, for security as well.
    own_word = entry.event is Event.PERSON_CONFIRMED and "by_account" in entry.private
    plain = second_chat.own_account(entry) if own_word else hold_news.told(entry, box.command)
    if entry.event is Event.PERSON_CONFIRM_ASKED:
        return [*_receipts_of_hold(box, record, entry, policy), *_asked_to_agree(box, entry, policy)]
    people = () if own_word else box.recipients.security(policy)
    if entry.event in (Event.PERSON_BINDING_CHANGED, Event.PERSON_LEFT, Event.PERSON_MOVED):
        # What ended by it stands in it; by now it may be over.
        named = tuple(filter(None, entry.facts.get("environments", "").split(",")))
        places = named or open_places(box.ctx, PersonId(entry.private.get("actor", "")))
        people = (*people, *box.recipients.owners_of(policy, places))
    accounts = _accounts_named(box, entry) if entry.event in (Event.PERSON_CONFIRMED, Event.PERSON_DISOWNED) else []
    own = _receipts_of_hold(box, record, entry, policy)
    return [*own, *_to_each(f"hold:{entry.number}", people, accounts, plain)]


def _to_each(
    slot: str, people: Sequence[PersonFacts], accounts: Sequence[str], message: Message
) -> list[PlannedMessage]:
    """Once to each of these people, wherever they are reached, and to each of these accounts."""
    users, elsewhere = dict.fromkeys((*(direct_to(facts.slack) for facts in people), *accounts)), elsewhere_of(people)
    others = {user: () if user in accounts else elsewhere.get(user, ()) for user in users}
    return [once(f"{slot}:{user}", user, message, others[user]) for user in users]


def _receipts_of_hold(box: Outbox, record: ChatRecord, entry: AuditEntry, policy: Policy) -> list[PlannedMessage]:
    receipt = hold_news.told(entry, box.command, receipts.mark(entry.number, entry.digest))
    return once_in_each(record, f"hold:{entry.number}:receipt", news_places(policy), receipt)


def _is_question(entry: AuditEntry) -> bool:
    return entry.event is Event.PERSON_BINDING_CHANGED and entry.facts.get("why") == SECOND_CHAT


def _answer(question: AuditEntry, entries: Sequence[AuditEntry]) -> AuditEntry | None:
    """What whoever was asked has said to this question; None where nobody has."""
    since = [one for one in entries if one.number > question.number]
    until = next((one.number for one in since if _is_question(one)), None)
    return next((one for one in since if _is_own_word(one) and (until is None or one.number < until)), None)


def _is_own_word(entry: AuditEntry) -> bool:
    return entry.event is Event.PERSON_DISOWNED or (
        entry.event is Event.PERSON_CONFIRMED and "by_account" in entry.private
    )


def _asked_whether_it_is_them(
    box: Outbox,
    record: ChatRecord,
    entry: AuditEntry,
    policy: Policy,
    *,
    last: bool,
    answer: AuditEntry | None,
) -> list[PlannedMessage]:
    """Whom an account in another chat claims to be, in each of their accounts elsewhere, with buttons as long as it waits for
    them. Where they cannot be asked, security says whose it is. `last`: the newest question about this account."""
    claims, chats = PersonId(entry.private.get("claims", "")), entry.facts.get("asked_in", "").split()
    theirs = [one for one in bound_to(box.ctx, claims) if one.surface in chats and _can_be_asked(box, one)]
    if not theirs:
        # To be told as of any other new account.
        as_new = replace(entry, facts={**entry.facts, "why": Why.NEW_ACCOUNT.value})
        return _told_of_hold(box, record, as_new, policy)
    held = held_account(box.ctx, AccountId(entry.private.get("account", ""))) if last else None
    waits = held is not None and bool(held.suspended.asked_in) and held.suspended.claims == claims
    asked = second_chat.is_this_you(held) if held is not None and waits else second_chat.asked_before(entry, answer)
    key = f"asked {held.hash}" if held is not None and waits else "over"
    slots = {f"hold:{entry.number}:{user}": user for user in map(direct_to, theirs)}
    questions = (PlannedMessage(slot, user, asked, key=key) for slot, user in slots.items())
    return [*_receipts_of_hold(box, record, entry, policy), *questions]


def _can_be_asked(box: Outbox, account: Account) -> bool:
    """Its chat is set up here, and does not say that it can do nothing."""
    facts = box.ctx.directory.person(account)
    return box.chats.named(account) is not None and not (facts is not None and facts.standing_problem)


def _asked_to_agree(box: Outbox, entry: AuditEntry, policy: Policy) -> list[PlannedMessage]:
    """The others of security, with buttons for as long as what was said waits for a second one. Who said it knows."""
    others = [facts for facts in box.recipients.security(policy) if facts.id != entry.private.get("actor")]
    still = held_account(box.ctx, AccountId(entry.private.get("account", "")))
    waits = still is not None and still.account.proposal is not None and still.account.proposal.at == entry.at
    plain = hold_news.told(entry, box.command)
    asked = hold_news.with_choices(plain, still, entry.private.get("reason", "")) if still and waits else plain
    key = "asked" if waits else "over"
    found = _to_each(f"hold:{entry.number}", others, (), asked)
    return [replace(item, key=key) for item in found]


def show_target_user(box: Outbox, page: PostingSession, subject: str) -> None:
    """A user in a target was given to another person: for the receipts channels, security, and both people."""
    policy = box.policy()
    if policy is None:
        raise Later(AGAIN_S)
    items: list[PlannedMessage] = []
    entries = box.ctx.ledger.entries_of(subject)
    for entry in entries:
        receipt = target_users.moved(entry, receipts.mark(entry.number, entry.digest))
        security, moved = box.recipients.security(policy), target_users.moved(entry)
        told = _to_each("user", security, _accounts_named(box, entry), moved)
        items += [*once_in_each(page.record, "user:receipt", news_places(policy), receipt), *told]
    box.send(page, items)
    box.told(subject, entries)


def _accounts_named(box: Outbox, entry: AuditEntry) -> list[str]:
    """The chat's ids of all accounts that are bound to the people whom an entry names."""
    people = dict.fromkeys(filter(None, map(entry.private.get, ("person", "before", "claims"))))
    return [direct_to(slack) for who in people for slack in bound_to(box.ctx, PersonId(who))]
