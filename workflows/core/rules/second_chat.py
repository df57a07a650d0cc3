"""A new account in one chat claims to be somebody who has an account in another: they are asked there. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.core.identity import AccountRecord, Why
from workflows.core.people import PersonFacts
from workflows.core.rules.account_confirmation import Held


def is_asked(held: Held, actor: PersonFacts) -> bool:
    """Whether it is for the actor to say: they are whom the account claims to be, and act by an account in another chat. The new
    account itself is nobody's, so it never is who is asked."""
    hold, theirs = held.suspended, held.account
    return (
        hold.why is Why.NEW_ACCOUNT
        and theirs.person is None
        and hold.claims == actor.id
        and actor.slack.surface != theirs.slack.surface
    )


def waits(held: Held, actor: PersonFacts) -> bool:
    """Whether the question still stands in the chat in which the actor acts."""
    return actor.slack.surface in held.suspended.asked_in and held.suspended.disowned_at is None


def disowned(held: Held, now: datetime) -> AccountRecord:
    """Not theirs: from now on people of security alone can say whose it is."""
    return replace(held.account, suspended=replace(held.suspended, asked_in=(), disowned_at=now))
