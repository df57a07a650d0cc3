"""What is told of accounts that are on hold, and of how it ended: an entry of the record in words."""

from __future__ import annotations

from bot.chat.message import Line, Message, Small, buttons, message, with_parts
from bot.chat.messages.holds import choices, sentence, stands_until
from bot.chat.places import chat_name
from bot.chat.rich import NOTHING, Rich, Time, join, say, series, short
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import SECOND_CHAT, AccountId, Why, surface_of
from workflows.core.rules.account_confirmation import Held


def told(entry: AuditEntry, command: str, mark: str = "") -> Message:
    """News of an account that is on hold: for the receipts channel (with its mark), security and the owners."""
    line = {
        Event.PERSON_BINDING_CHANGED: _held_line,
        Event.PERSON_RESUMED: _resumed_line,
        Event.PERSON_CONFIRM_ASKED: _asked_line,
        Event.PERSON_CONFIRMED: _confirmed_line,
        Event.PERSON_DISOWNED: _disowned_line,
        Event.PERSON_LEFT: _left_line,
        Event.PERSON_MOVED: _moved_line,
    }[entry.event](entry, command)
    return message(line, Line(line), Small(join((Time(entry.at, entry.at), mark))))


def with_choices(told: Message, held: Held, reason: str) -> Message:
    """The same, with the two buttons, for who is asked to agree."""
    return with_parts(told, buttons(*choices(held, reason)))


def chat_of(account: str) -> str:
    """What people call the chat in which an account is."""
    return chat_name(surface_of(AccountId(account)))


def word(entry: AuditEntry, name: str, length: int = 200) -> str:
    """What the entry keeps for people under this name, at most so many characters of it."""
    return short(entry.private.get(name, ""), length)


def _held_line(entry: AuditEntry, command: str) -> Rich:
    name, address = word(entry, "actor_name", 100), word(entry, "address")
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
        chat_of(account),
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
        by=word(entry, "actor_name", 100),
        name=word(entry, "account_name", 100),
        chat=chat_of(account),
        account=short(account, 120),
        address=word(entry, "address"),
        command=command,
    )


def _own_line(entry: AuditEntry) -> Rich:
    """Said by whom the account claimed to be: no reason is asked for, and nobody else has said anything."""
    account = entry.private.get("account", "")
    return say(
        "✅ {} said in {} that {}'s account in {} ({}, {}) is theirs, too. Known before: {}.",
        word(entry, "actor_name", 100),
        chat_of(entry.private.get("by_account", "")),
        word(entry, "account_name", 100),
        chat_of(account),
        short(account, 120),
        word(entry, "address"),
        word(entry, "before_accounts", 200),
    )


def _resumed_line(entry: AuditEntry, _command: str) -> Rich:
    name = word(entry, "actor_name", 100)
    return say("{}'s account has its own address again, and is on hold no more.", name)


def _asked_line(entry: AuditEntry, _command: str) -> Rich:
    whose = "the same person's" if entry.facts.get("said") == "same" else "another person's"
    by, name = word(entry, "actor_name", 100), word(entry, "account_name", 100)
    why = sentence(entry.private.get("reason", ""))
    what = say("✍️ {} says that {}'s account ({}) is {}: {}", by, name, word(entry, "address"), whose, why)
    return say("{} A second person of security has to say the same, until {}.", what, stands_until(entry.at))


def _confirmed_line(entry: AuditEntry, command: str) -> Rich:
    if "by_account" in entry.private:
        return _own_line(entry)
    whose = (
        "the same person as before"
        if entry.facts.get("said") == "same"
        else "another person, who gets nothing of the one before"
    )
    by, second = word(entry, "actor_name", 100), word(entry, "second_name", 100)
    who = series((second, by))
    old = word(entry, "before_accounts", 200)
    why = sentence(entry.private.get("reason", ""))
    known = say("Known before: {}.", old) if old else NOTHING
    account = say(
        "{}'s account is ({}, {})",
        word(entry, "account_name", 100),
        word(entry, "account", 80),
        word(entry, "address"),
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
        word(entry, "address") or "WHO",
    )


def _left_line(entry: AuditEntry, command: str) -> Rich:
    became = entry.facts.get("became")
    if became == "ended":
        return _ended_line(entry)
    return _partly_line(entry, command) if became == "told" else _stays_open_line(entry, command)


def _ended_line(entry: AuditEntry) -> Rich:
    return say(
        "⚠️ {} is gone: no account of theirs is in the chat any more ({}). {}",
        word(entry, "actor_name", 100),
        word(entry, "accounts", 200),
        join([part for part in (_of(entry, "open", "Ends now"), _of(entry, "waiting", "Closed")) if part], " "),
    )


def _of(entry: AuditEntry, fact: str, what: str) -> Rich:
    ids = short(entry.facts.get(fact, ""), 300)
    return say("{}: {}.", what, ids) if ids else NOTHING


def _partly_line(entry: AuditEntry, command: str) -> Rich:
    others = word(entry, "others", 200)
    return say(
        "⚠️ An account of {name} is gone ({account}), and another one is not, as far as I know ({others}). What they have stays:"
        " {ids}. If the person is gone, `{command} revoke-all person {whom} REASON` ends it now.",
        name=word(entry, "actor_name", 100),
        account=word(entry, "account", 120),
        others=others,
        ids=short(", ".join(filter(None, (entry.facts.get("open"), entry.facts.get("waiting")))), 300),
        command=command,
        whom=word(entry, "address") or "WHO",
    )


def _moved_line(entry: AuditEntry, command: str) -> Rich:
    name, ids, groups = (
        word(entry, "actor_name", 100),
        short(entry.facts.get("open", ""), 300),
        entry.facts.get("groups", ""),
    )
    gone = say(
        "⚠️ {} is no longer in {}, and has access that only they may ask for: {}.",
        name,
        short(" or ".join(groups.split(", ")), 200),
        ids,
    )
    if entry.facts.get("became") == "ended":
        return say("{} It ends now.", gone)
    return say("{} It stays until its end, unless an owner or security revokes it: `{} end ID REASON`.", gone, command)


def _stays_open_line(entry: AuditEntry, command: str) -> Rich:
    """Of versions that ended nothing."""
    return say(
        "⚠️ {name} was deactivated in the chat, and has access that is open: {ids}. It stays until its end, unless an owner or"
        " security revokes it: `{command} end ID REASON`, or `{command} revoke-all person {whom} REASON`.",
        name=word(entry, "actor_name", 100),
        ids=short(entry.facts.get("open", ""), 200),
        command=command,
        whom=word(entry, "address") or "WHO",
    )
