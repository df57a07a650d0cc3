"""Accounts that are on hold, in chat: who is told, what security is asked, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from bot.chat.carried import read_carried
from bot.chat.message import Button, Confirm, Line, Message, Part, Small, buttons, message, with_parts
from bot.chat.places import chat_name
from bot.chat.rich import NOTHING, Rich, Time, join, lines, say, series, short
from bot.chat.views import state_lines
from bot.chat.views.state_lines import stop
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import DISOWNED, SECOND_CHAT, AccountId, Why, surface_of
from workflows.core.rules.account_confirmation import PROPOSAL_STANDS_FOR, Held
from workflows.usecases.identity.confirm_account import Saying
from workflows.usecases.identity.second_chat import Answer

CONFIRM_SAME, CONFIRM_ANOTHER = "confirm_same", "confirm_another"
IS_ME, IS_NOT_ME = "is_me", "is_not_me"
_REASON_LENGTH_MAX = 500


# ---------------------------------------------------------------- the question


def question(found: Sequence[Held], reason: str, now: datetime, command: str) -> Message:
    """To whoever typed it: each account that is meant, and two buttons."""
    asked: list[Part | None] = []
    for held in found[:10]:
        asked += [Line(about(held, now)), buttons(*choices(held, reason))]
    head = "Whose is this account now?" if len(found) == 1 else "Whose are these accounts now?"
    how = say(
        "*The same person*: it is theirs, with the address that it has now. *Another person*: somebody new; nothing of the old"
        " one goes over. Typed: `{} person confirm WHO same REASON`. Why: {}",
        command,
        short(reason, 300),
    )
    return message(say("{} {}", head, _plain(found[0], now)), Line(say("*{}*", head)), *asked, Small(how))


def about(held: Held, now: datetime) -> Rich:
    """Of one account that is on hold: what happened to it, and what the first of two has said."""
    return lines((_plain(held, now), _waiting(held)))


def what_follows(held: Held) -> tuple[Rich, Rich]:
    """Of either answer: that it is the same person's, that it is another's."""
    same, another = (button.confirm.text for button in choices(held, "") if button.confirm)
    return say("*The same person*: {}", short(same, 500)), say("*Another person*: {}", short(another, 500))


def choices(held: Held, reason: str) -> list[Button]:
    name, address = held.account.name, held.suspended.address or held.account.address or "their address"
    before = held.person or held.claimed
    old = before.name if before is not None and before.name else "whoever it was before"
    return [
        Button(
            "The same person",
            CONFIRM_SAME,
            _packed(held, reason, same=True),
            said=f"{name}'s account is the same person's",
            confirm=Confirm(
                "The same person?",
                f"The account is {old}'s, and may act again. Groups that list {address} mean them from now on.",
                "The same person",
                "Go back",
            ),
        ),
        Button(
            "Another person",
            CONFIRM_ANOTHER,
            _packed(held, reason, same=False),
            said=f"{name}'s account is another person's",
            style="danger",
            confirm=Confirm(
                "Another person?",
                f"{name} is somebody new, gets nothing of {old}'s, and is whom groups that list {address} mean from now on."
                f" Unless {old} has another address or account, {old} can then decide and ask for nothing any more.",
                "Another person",
                "Go back",
                dangerous=True,
            ),
        ),
    ]


def _plain(held: Held, now: datetime) -> Rich:
    return say("{}. On hold since {}. {}", _what(held), Time(held.suspended.since, now, with_day=True), _ids(held))


def _what(held: Held) -> Rich:
    hold, account = held.suspended, held.account
    name, new, before = short(account.name, 100), short(hold.address or "", 200), short(account.address or "", 200)
    if hold.why is Why.ADDRESS_CHANGED:
        theirs = held.claimed.name if held.claimed is not None and held.claimed.accounts else ""
        whose = say(", which is {}'s", short(theirs, 100)) if theirs else NOTHING
        return say("The address of {}'s account was changed from {} to {}{}", name, before, new, whose)
    if hold.word == DISOWNED:
        return say("{} has the address {}, and whoever has that says that the account is not theirs", name, new)
    if hold.why is Why.NEW_ACCOUNT:
        owner = short(held.claimed.name if held.claimed and held.claimed.name else "somebody", 100)
        return say("A new account, {}, has the address {}, which is {}'s", name, new, owner)
    if hold.why is Why.CLOSED:
        return say("The address {} of {}'s account is somebody else's by now", before or new, name)
    return say("{}'s account ({}) was put on hold by an earlier version", name, new or before)


def _ids(held: Held) -> Rich:
    others = [short(one, 80) for one in held.accounts if one != held.account.account]
    known = say(", known before: {}", join(others[:3], ", ")) if others else NOTHING
    return say("Account {}{}.", short(held.account.account, 80), known)


def _waiting(held: Held) -> Rich:
    said = held.account.proposal
    if said is None:
        return NOTHING
    whose = "the same person's" if said.same else "another person's"
    who, why = short(said.by_name, 100), _sentence(said.reason)
    return say("{} says that it is {}: {} One more has to, until {}.", who, whose, why, _until(said.at))


def _until(said_at: datetime) -> Time:
    """How long what the first of two has said stands."""
    return Time(said_at + PROPOSAL_STANDS_FOR, said_at, with_day=True)


def _sentence(reason: str) -> str:
    return short(stop(state_lines.short(reason)), 310)


# ---------------------------------------------------------------- what a button says


def _packed(held: Held, reason: str, *, same: bool) -> str:
    value = {"a": held.account.account, "s": same, "h": held.hash, "r": reason[:_REASON_LENGTH_MAX]}
    return json.dumps(value, ensure_ascii=False)[:2000]


def read_pressed(value: str) -> Saying | None:
    """What the button was made for; None where it is none of ours."""
    found = read_carried(value)
    try:
        account, same, hash_, reason = found["a"], found["s"], found["h"], found["r"]
    except KeyError:
        return None
    if not (isinstance(account, str) and isinstance(same, bool) and isinstance(hash_, str) and isinstance(reason, str)):
        return None
    return Saying(AccountId(account), same, reason, hash_)


def said(outcome: str, *, same: bool) -> Message:
    """What the question becomes once it is answered."""
    whose = "the same person's" if same else "another person's"
    if outcome == "second_needed":
        line = say(
            "✍️ You said that the account is {}. It takes two for this one: the others of security are asked now,"
            " and have a day.",
            whose,
        )
    else:
        line = say("✅ The account is {}, and may act again. Everybody concerned is told.", whose)
    return message(line, Line(line))


# ---------------------------------------------------------------- whom an account in another chat claims to be


def is_this_you(held: Held) -> Message:
    """To whoever has an account in another chat, with what is known of the new one."""
    account, chat = held.account, _chat(held.account.account)
    head = _asks(account.account)
    about_ = say(
        "{} acts in {} for the first time, with your address {}: account {} of the tenant {}, on hold since {}.",
        short(account.name, 100),
        chat,
        short(held.suspended.address or "", 200),
        short(account.slack.user, 80),
        short(account.slack.tenant, 80),
        Time(held.suspended.since, held.suspended.since, with_day=True),
    )
    small = say(
        "*Yes*: from then on it is yours, and asks and decides as you. *No*: it stays on hold, and security is told. Until you"
        " answer it can do nothing."
    )
    plain = say("{} {}", head, about_)
    return message(plain, Line(say("*{}*", head)), Line(about_), buttons(*_yes_or_no(held, chat)), Small(small))


def _yes_or_no(held: Held, chat: str) -> list[Button]:
    value = json.dumps({"a": held.account.account, "h": held.hash})
    return [
        Button(
            "Yes",
            IS_ME,
            value,
            said=f"Yes, the account in {chat} is mine",
            style="primary",
            confirm=Confirm(
                "Is it you?",
                f"Whoever uses that account in {chat} asks and decides as you from then on. Say Yes only if you have just"
                f" written to me there yourself.",
                "Yes, it is me",
                "Go back",
            ),
        ),
        Button("No", IS_NOT_ME, value, said=f"No, the account in {chat} is not mine", style="danger"),
    ]


def asked_before(entry: AuditEntry) -> Message:
    """What the question becomes in the end, where it was not answered by a press on it."""
    name, account = _word(entry, "actor_name", 100), entry.private.get("account", "")
    line = say("{} It was about {} ({}), and is asked no more.", _asks(AccountId(account)), name, short(account, 120))
    return message(line, Line(line))


def read_is_me(value: str, *, mine: bool) -> Answer | None:
    """What the button was made for; None where it is none of ours."""
    found = read_carried(value)
    account, hash_ = found.get("a"), found.get("h")
    return Answer(AccountId(account), mine, hash_) if isinstance(account, str) and isinstance(hash_, str) else None


def answered(account: AccountId, outcome: str) -> Message:
    """What the question becomes once it is answered."""
    line = (
        say("✅ The account in {} is yours from now on. Your other accounts hear of it.", _chat(account))
        if outcome == "confirmed"
        else say("⛔ The account in {} stays on hold, and can do nothing. Security is told.", _chat(account))
    )
    return message(line, Line(line))


def _asks(account: AccountId) -> str:
    return f"Is this you in {_chat(account)}?"


def _chat(account: str) -> str:
    return chat_name(surface_of(AccountId(account)))


# ---------------------------------------------------------------- what is told


def told(entry: AuditEntry, command: str, mark: str = "") -> Message:
    """News of an account that is on hold: for the receipts channel (with its mark), security and the owners."""
    line = {
        Event.PERSON_BINDING_CHANGED: _held_line,
        Event.PERSON_RESUMED: _resumed_line,
        Event.PERSON_CONFIRM_ASKED: _asked_line,
        Event.PERSON_CONFIRMED: _confirmed_line,
        Event.PERSON_DISOWNED: _disowned_line,
        Event.PERSON_LEFT: _left_line,
    }[entry.event](entry, command)
    return message(line, Line(line), Small(join((Time(entry.at, entry.at), mark))))


def with_choices(told: Message, held: Held, reason: str) -> Message:
    """The same, with the two buttons, for who is asked to agree."""
    return with_parts(told, buttons(*choices(held, reason)))


def _word(entry: AuditEntry, name: str, length: int = 200) -> str:
    return short(entry.private.get(name, ""), length)


def _held_line(entry: AuditEntry, command: str) -> Rich:
    name, address = _word(entry, "actor_name", 100), _word(entry, "address")
    if entry.facts.get("why") == SECOND_CHAT:
        return _new_chat_line(entry, name, address)
    why = (
        say("a new account has the address {}, which another account is bound to", address)
        if entry.facts.get("why") == Why.NEW_ACCOUNT.value
        else say("its address was changed to {}", address)
    )
    return say(
        "⚠️ {}'s account is on hold: {}. It gives and gets nothing until security has said whose it is:"
        " `{} person confirm {} REASON`. What is open stays open until its end.",
        name,
        why,
        command,
        address or "WHO",
    )


def _new_chat_line(entry: AuditEntry, name: str, address: str) -> Rich:
    account = entry.private.get("account", "")
    return say(
        "{} acts in {} for the first time ({}), with the address {} of somebody in {}, who is asked there whether it is them."
        " Until they say Yes that account can do nothing.",
        name,
        _chat(account),
        short(account, 120),
        address,
        series([chat_name(surface) for surface in entry.facts.get("asked_in", "").split()]),
    )


def _disowned_line(entry: AuditEntry, command: str) -> Rich:
    account = entry.private.get("account", "")
    return say(
        "🚨 {by} says that the account {name} in {chat} ({account}) is not theirs. It has their address {address}, stays on hold"
        " and can do nothing. Find out who made it. If it is somebody's after all, security says so: `{command} person"
        " confirm {address} REASON`.",
        by=_word(entry, "actor_name", 100),
        name=_word(entry, "account_name", 100),
        chat=_chat(account),
        account=short(account, 120),
        address=_word(entry, "address"),
        command=command,
    )


def _own_line(entry: AuditEntry) -> Rich:
    """Said by whom the account claimed to be: no reason is asked for, and nobody else has said anything."""
    account = entry.private.get("account", "")
    return say(
        "✅ {} said in {} that {}'s account in {} ({}, {}) is theirs, too. Known before: {}.",
        _word(entry, "actor_name", 100),
        _chat(entry.private.get("by_account", "")),
        _word(entry, "account_name", 100),
        _chat(account),
        short(account, 120),
        _word(entry, "address"),
        _word(entry, "before_accounts", 200),
    )


def _resumed_line(entry: AuditEntry, _command: str) -> Rich:
    name = _word(entry, "actor_name", 100)
    return say("{}'s account has its own address again, and is on hold no more.", name)


def _asked_line(entry: AuditEntry, _command: str) -> Rich:
    whose = "the same person's" if entry.facts.get("said") == "same" else "another person's"
    by, name = _word(entry, "actor_name", 100), _word(entry, "account_name", 100)
    why = _sentence(entry.private.get("reason", ""))
    what = say("✍️ {} says that {}'s account ({}) is {}: {}", by, name, _word(entry, "address"), whose, why)
    return say("{} A second person of security has to say the same, until {}.", what, _until(entry.at))


def _confirmed_line(entry: AuditEntry, command: str) -> Rich:
    if "by_account" in entry.private:
        return _own_line(entry)
    whose = (
        "the same person as before"
        if entry.facts.get("said") == "same"
        else "another person, who gets nothing of the one before"
    )
    by, second = _word(entry, "actor_name", 100), _word(entry, "second_name", 100)
    who = series((second, by))
    old = _word(entry, "before_accounts", 200)
    why = _sentence(entry.private.get("reason", ""))
    known = say("Known before: {}.", old) if old else NOTHING
    account = say(
        "{}'s account is ({}, {})",
        _word(entry, "account_name", 100),
        _word(entry, "account", 80),
        _word(entry, "address"),
    )
    head = say("✅ {} said whose {}: {}. Why: {}", who, account, whose, why)
    return join((head, known, _stays(entry, command)), " ")


def _stays(entry: AuditEntry, command: str) -> Rich:
    """Where somebody new has the address: what the one before has is not over by itself."""
    if entry.facts.get("said") == "same":
        return NOTHING
    return say(
        "What the one before has open stays until its end; `{} revoke-all person {} REASON` revokes it now.",
        command,
        _word(entry, "address") or "WHO",
    )


def _left_line(entry: AuditEntry, command: str) -> Rich:
    return say(
        "⚠️ {name} was deactivated in the chat, and has access that is open: {ids}. It stays until its end, unless an owner or"
        " security revokes it: `{command} end ID REASON`, or `{command} revoke-all person {whom} REASON`.",
        name=_word(entry, "actor_name", 100),
        ids=short(entry.facts.get("open", ""), 200),
        command=command,
        whom=_word(entry, "address") or "WHO",
    )
