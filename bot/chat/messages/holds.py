"""Accounts that are on hold, in chat: who is told, what security is asked, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.chat.views.state_lines import short, stop
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import AccountId, Why
from workflows.core.rules.account_confirmation import PROPOSAL_STANDS_FOR, Held
from workflows.usecases.identity.confirm_account import Saying

CONFIRM_SAME, CONFIRM_ANOTHER = "confirm_same", "confirm_another"
_REASON_LENGTH_MAX = 500


# ---------------------------------------------------------------- the question


def question(found: Sequence[Held], reason: str, now: datetime, command: str) -> Message:
    """To whoever typed it: each account that is meant, and two buttons."""
    parts: list[Any] = []
    for held in found[:10]:
        buttons = choices(held, reason)
        parts += [b.section("\n".join(_lines(held, now))), b.actions(*buttons)]
    head = "Whose is this account now?" if len(found) == 1 else "Whose are these accounts now?"
    how = (
        f"*The same person*: it is theirs, with the address that it has now. *Another person*: somebody new; nothing of the old"
        f" one goes over. Typed: `{command} person confirm WHO same REASON`. Why: {t.literal(reason, 300)}"
    )
    return b.message(f"{head} {_plain(found[0], now)}", [b.section(f"*{head}*"), *parts, b.context(how)])


def choices(held: Held, reason: str) -> list[dict[str, Any]]:
    name, address = held.account.name, held.suspended.address or held.account.address or "their address"
    before = held.person or held.claimed
    old = before.name if before is not None and before.name else "whoever it was before"
    return [
        b.button(
            "The same person",
            CONFIRM_SAME,
            _packed(held, reason, same=True),
            confirm=b.confirmation(
                "The same person?",
                f"The account is {old}'s, and may act again. Groups that list {address} mean them from now on.",
                "The same person",
                "Go back",
            ),
        ),
        b.button(
            "Another person",
            CONFIRM_ANOTHER,
            _packed(held, reason, same=False),
            style="danger",
            confirm=b.confirmation(
                "Another person?",
                f"{name} is somebody new, gets nothing of {old}'s, and is whom groups that list {address} mean from now on."
                f" Unless {old} has another address or account, they are closed: they decide and ask for nothing any more.",
                "Another person",
                "Go back",
                style="danger",
            ),
        ),
    ]


def _lines(held: Held, now: datetime) -> list[str]:
    return [_plain(held, now), *([_waiting(held)] if held.account.proposal is not None else [])]


def _plain(held: Held, now: datetime) -> str:
    hold, account = held.suspended, held.account
    name, since = t.literal(account.name, 100), t.when(hold.since, now, with_day=True)
    new = t.literal(hold.address or "", 200)
    before = t.literal(account.address or "", 200)
    accounts = _ids(held)
    if hold.why is Why.ADDRESS_CHANGED:
        theirs = held.claimed.name if held.claimed is not None and held.claimed.accounts else ""
        whose = f", which is {t.literal(theirs, 100)}'s" if theirs else ""
        what = f"The address of {name}'s account was changed from {before} to {new}{whose}"
    elif hold.why is Why.NEW_ACCOUNT:
        whose = t.literal(held.claimed.name if held.claimed and held.claimed.name else "somebody", 100)
        what = f"A new account, {name}, has the address {new}, which is {whose}'s"
    elif hold.why is Why.CLOSED:
        what = f"The address {before or new} of {name}'s account is somebody else's by now"
    else:
        what = f"{name}'s account ({new or before}) was put on hold by an earlier version"
    return f"{what}. On hold since {since}. {accounts}"


def _ids(held: Held) -> str:
    others = [one for one in held.accounts if one != held.account.account]
    known = f", known before: {', '.join(t.literal(one, 80) for one in others[:3])}" if others else ""
    return f"Account {t.literal(held.account.account, 80)}{known}."


def _waiting(held: Held) -> str:
    said = held.account.proposal
    if said is None:
        return ""
    whose = "the same person's" if said.same else "another person's"
    why = t.literal(stop(short(said.reason)), 310)
    who = t.literal(said.by_name, 100)
    return f"{who} says that it is {whose}: {why} One more has to, until {_until(said.at)}."


def _until(said_at: datetime) -> str:
    """How long what the first of two has said stands."""
    return t.when(said_at + PROPOSAL_STANDS_FOR, said_at, with_day=True)


# ---------------------------------------------------------------- what a button says


def _packed(held: Held, reason: str, *, same: bool) -> str:
    value = {"a": held.account.account, "s": same, "h": held.hash, "r": reason[:_REASON_LENGTH_MAX]}
    return json.dumps(value, ensure_ascii=False)[:2000]


def read_pressed(value: str) -> Saying | None:
    """What the button was made for; None where it is none of ours."""
    try:
        found = json.loads(value)
        account, same, hash_, reason = found["a"], found["s"], found["h"], found["r"]
    except (ValueError, KeyError, TypeError):
        return None
    if not (isinstance(account, str) and isinstance(same, bool) and isinstance(hash_, str) and isinstance(reason, str)):
        return None
    return Saying(AccountId(account), same, reason, hash_)


def said(outcome: str, *, same: bool) -> Message:
    """What the question becomes once it is answered."""
    whose = "the same person's" if same else "another person's"
    if outcome == "second_needed":
        line = (
            f"✍️ You said that the account is {whose}. It takes two for this one: the others of security are asked now,"
            " and have a day."
        )
    else:
        line = f"✅ The account is {whose}, and may act again. Everybody concerned is told."
    return b.message(line, [b.section(line)])


# ---------------------------------------------------------------- what is told


def told(entry: AuditEntry, command: str, mark: str = "") -> Message:
    """News of an account that is on hold: for the receipts channel (with its mark), security and the owners."""
    line = {
        Event.PERSON_BINDING_CHANGED: _held_line,
        Event.PERSON_RESUMED: _resumed_line,
        Event.PERSON_CONFIRM_ASKED: _asked_line,
        Event.PERSON_CONFIRMED: _confirmed_line,
        Event.PERSON_LEFT: _left_line,
    }[entry.event](entry, command)
    small = " · ".join(filter(None, (t.when(entry.at, entry.at), mark)))
    return b.message(line, [b.section(line), b.context(small)])


def with_choices(message: Message, held: Held, reason: str) -> Message:
    """The same, with the two buttons, for who is asked to agree."""
    return b.message(message.text, [*message.blocks, b.actions(*choices(held, reason))])


def _word(entry: AuditEntry, name: str, length: int = 200) -> str:
    return t.literal(entry.private.get(name, ""), length)


def _held_line(entry: AuditEntry, command: str) -> str:
    name, address = _word(entry, "actor_name", 100), _word(entry, "address")
    why = (
        f"a new account has the address {address}, which another account is bound to"
        if entry.facts.get("why") == Why.NEW_ACCOUNT.value
        else f"its address was changed to {address}"
    )
    return (
        f"⚠️ {name}'s account is on hold: {why}. It gives and gets nothing until security has said whose it is:"
        f" `{command} person confirm {address or 'WHO'} REASON`. What is open stays open until its end."
    )


def _resumed_line(entry: AuditEntry, _command: str) -> str:
    return f"{_word(entry, 'actor_name', 100)}'s account has its own address again, and is on hold no more."


def _asked_line(entry: AuditEntry, _command: str) -> str:
    whose = "the same person's" if entry.facts.get("said") == "same" else "another person's"
    by, name = _word(entry, "actor_name", 100), _word(entry, "account_name", 100)
    why = t.literal(stop(short(entry.private.get("reason", ""))), 310)
    what = f"✍️ {by} says that {name}'s account ({_word(entry, 'address')}) is {whose}: {why}"
    return f"{what} A second person of security has to say the same, until {_until(entry.at)}."


def _confirmed_line(entry: AuditEntry, command: str) -> str:
    whose = (
        "the same person as before"
        if entry.facts.get("said") == "same"
        else "another person, to whom nothing goes over"
    )
    by, second = _word(entry, "actor_name", 100), _word(entry, "second_name", 100)
    who = f"{second} and {by}" if second else by
    old = _word(entry, "before_accounts", 200)
    why = t.literal(stop(short(entry.private.get("reason", ""))), 310)
    known = f" Known before: {old}." if old else ""
    return (
        f"✅ {who} said whose {_word(entry, 'account_name', 100)}'s account is ({_word(entry, 'account', 80)},"
        f" {_word(entry, 'address')}): {whose}. {why}{known}{_stays(entry, command)}"
    )


def _stays(entry: AuditEntry, command: str) -> str:
    """Where somebody new has the address: what the one before has is not over by itself."""
    if entry.facts.get("said") == "same":
        return ""
    address = _word(entry, "address") or "WHO"
    return f" What the one before has open stays until its end; `{command} revoke-all person {address} REASON` takes it back now."


def _left_line(entry: AuditEntry, command: str) -> str:
    name, whom = _word(entry, "actor_name", 100), _word(entry, "address") or "WHO"
    ids = t.literal(entry.facts.get("open", ""), 200)
    return (
        f"⚠️ {name} was deactivated in the chat, and has access that is open: {ids}. It stays until its end, unless an owner or"
        f" security takes it back: `{command} end ID REASON`, or `{command} revoke-all person {whom} REASON`."
    )
