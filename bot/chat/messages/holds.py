"""Accounts that are on hold: what security is asked, by which buttons, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from bot.chat.carried import read_carried
from bot.chat.message import Button, Confirm, Line, Message, Part, Small, buttons, message
from bot.chat.rich import NOTHING, Rich, Time, join, lines, say, short
from bot.chat.views import state_lines
from bot.chat.views.state_lines import stop
from workflows.core.identity import DISOWNED, AccountId, Why
from workflows.core.rules.account_confirmation import PROPOSAL_STANDS_FOR, Held
from workflows.usecases.identity.confirm_account import Saying

CONFIRM_SAME, CONFIRM_ANOTHER = "confirm_same", "confirm_another"
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
    who, why = short(said.by_name, 100), sentence(said.reason)
    return say("{} says that it is {}: {} One more has to, until {}.", who, whose, why, stands_until(said.at))


def stands_until(said_at: datetime) -> Time:
    """How long what the first of two has said stands."""
    return Time(said_at + PROPOSAL_STANDS_FOR, said_at, with_day=True)


def sentence(reason: str) -> str:
    """What security gave as its reason, as a sentence."""
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
