"""Whom an account in another chat claims to be: the question, and what came of it."""

from __future__ import annotations

import json

from bot.chat.carried import read_carried
from bot.chat.message import Button, Confirm, Line, Message, Small, buttons, message
from bot.chat.messages.hold_news import chat_of, word
from bot.chat.rich import Rich, Time, join, say, short
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import AccountId
from workflows.core.rules.account_confirmation import Held
from workflows.usecases.identity.second_chat import Answer

IS_ME, IS_NOT_ME = "is_me", "is_not_me"


def is_this_you(held: Held) -> Message:
    """To whoever has an account in another chat, with what is known of the new one."""
    account, chat = held.account, chat_of(held.account.account)
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


def asked_before(entry: AuditEntry, answer: AuditEntry | None = None) -> Message:
    """What the question becomes in the end. `answer`: what was said to it; None where it was settled otherwise."""
    account = entry.private.get("account", "")
    if answer is not None:
        mine = answer.event is Event.PERSON_CONFIRMED
        line = say("✅ You said Yes: the account in {} is yours.", chat_of(account)) if mine else _not_mine(account)
        return message(line, Line(line))
    name = word(entry, "actor_name", 100)
    line = say("{} It was about {} ({}), and is asked no more.", _asks(AccountId(account)), name, short(account, 120))
    return message(line, Line(line))


def _not_mine(account: str) -> Rich:
    return say("⛔ You said No: the account in {} is not yours. Security was told.", chat_of(account))


def own_account(entry: AuditEntry) -> Message:
    """To each account of whoever said that an account is theirs: whoever holds only one of them hears of it in the others."""
    line = say(
        "✅ You said in {} that the account in {} with your address {} is yours: it asks and decides as you from now on."
        " If that was not you, tell security at once.",
        chat_of(entry.private.get("by_account", "")),
        chat_of(entry.private.get("account", "")),
        word(entry, "address"),
    )
    return message(line, Line(line), Small(join((Time(entry.at, entry.at),))))


def read_is_me(value: str, *, mine: bool) -> Answer | None:
    """What the button was made for; None where it is none of ours."""
    found = read_carried(value)
    account, hash_ = found.get("a"), found.get("h")
    return Answer(AccountId(account), mine, hash_) if isinstance(account, str) and isinstance(hash_, str) else None


def answered(account: AccountId, outcome: str) -> Message:
    """What the question becomes once it is answered."""
    line = (
        say("✅ The account in {} is yours from now on. Your other accounts hear of it.", chat_of(account))
        if outcome == "confirmed"
        else say("⛔ The account in {} stays on hold, and can do nothing. Security is told.", chat_of(account))
    )
    return message(line, Line(line))


def _asks(account: AccountId) -> str:
    return f"Is this you in {chat_of(account)}?"
