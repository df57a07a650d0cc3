"""Whoever a new account claims to be has accounts in other chats, and is asked there; not more often than they can bear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from workflows.core import keys
from workflows.core.identity import AccountRecord, Identity, PersonId, surface_of
from workflows.core.people import PersonFacts
from workflows.core.records.person import Uses
from workflows.core.records.record import Record
from workflows.core.rules.approval import within_a_day
from workflows.core.rules.identification import OnRecord
from workflows.ports import Snapshot
from workflows.usecases.shared.context import Context


def names_in_other_chats(snapshot: Snapshot, facts: PersonFacts, who: PersonId) -> Iterable[str]:
    """Accounts of theirs by which they can be asked whether this one is theirs; and when they were asked."""
    known_ = snapshot.seek(keys.identity(who), Identity)
    found = [name for name in (known_.accounts if known_ else ()) if surface_of(name) != facts.slack.surface]
    if found:
        yield keys.questions(who)
        yield from map(keys.account, found)


def who_can_be_asked(ctx: Context, record: OnRecord) -> OnRecord:
    """Nobody is asked by an account of which the chat has said that it can do nothing."""
    if not record.elsewhere:
        return record
    known_ = {one.slack: ctx.directory.person(one.slack) for one in record.elsewhere}
    usable = (one for one in record.elsewhere if (facts := known_[one.slack]) is None or not facts.standing_problem)
    return replace(record, elsewhere=tuple(usable))


def accounts_elsewhere(snapshot: Snapshot, facts: PersonFacts, owned: Identity) -> tuple[AccountRecord, ...]:
    """The owner's accounts in other chats that are on no hold."""
    found = (snapshot.seek(keys.account(name), AccountRecord) for name in owned.accounts)
    theirs = (one for one in found if one is not None and one.person == owned.person and one.suspended is None)
    return tuple(one for one in theirs if one.slack.surface != facts.slack.surface)


def asked_of(snapshot: Snapshot, who: PersonId) -> tuple[datetime, ...]:
    """When they were asked, within a day."""
    found = snapshot.seek(keys.questions(who), Uses)
    return within_a_day(found.times, snapshot.now) if found is not None else ()


def one_question_more(who: PersonId, snapshot: Snapshot) -> dict[str, Record]:
    """One question more of those that somebody is asked in a day."""
    item = keys.questions(who)
    times = (*asked_of(snapshot, who), snapshot.now)
    return {item: Uses(item.removeprefix(keys.uses("")), times)}
