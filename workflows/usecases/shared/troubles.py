"""The one place where a failure becomes an outcome: counted, told to whom it concerns, alarmed from the third time, listed in
`/readyz` and `/metrics`, and tried again with growing pauses. What comes off again leaves the list by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.people import Account
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import BulkRevocation, Trouble
from workflows.core.records.request import ID_PATTERN, Request
from workflows.ports import Change, Committed, DirectoryUnreachable, IndexEntry, LedgerUnreachable, PolicyUnavailable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.outside import is_fault, went_wrong

# The person is told once it did not pass by itself, and the people who run this from the third time on. What the other side
# said, or that it was silent, is common and often over in seconds: that has to last before anybody is called.
TOLD_AT, ALARM_AT = 2, 3
TOLD_AFTER, ALARM_AFTER = timedelta(seconds=10), timedelta(minutes=1)
# Chat subjects: `trouble-ITEM` is told to the person, `troubles` to the people who run this.
SUBJECT, ALARM = "trouble-", "troubles"
# Pauses double from the first one on, up to these; taking away must not wait for long.
PAUSE_FIRST = timedelta(seconds=3)
PAUSE_MAX = timedelta(minutes=5)
PAUSES_MAX = {
    "holding": timedelta(seconds=30),
    "end": timedelta(seconds=30),
    "sweepout": timedelta(seconds=30),
    "seal": timedelta(seconds=30),
    "request": timedelta(seconds=15),
    "forge": timedelta(minutes=1),
    "chat": timedelta(minutes=1),
}
# What has not failed again so long after it was to be tried again was done, or is not there any more.
OVER_AFTER = timedelta(seconds=30)
# No due items, but something that a process does by itself (`process`) or for a person who waits for it (`act`). That it
# fails three times within so long is an alarm.
_NOT_DUE = frozenset({"process", "act"})
# Kinds of items that are named after the request to which they belong.
_OF_REQUESTS = frozenset({"request", "chat", "end", "announced", "warn", "chase", "review"})
NOT_DUE_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Failure:
    """`words`: why, for people. `about`: what people call it, where the item's name does not say so. `again_at`: where something
    else sees to the next try, and when that will be.
    """

    words: str
    alarms: bool = True
    again_at: datetime | None = None
    about: str = ""


def attempt(ctx: Context, item: str, do: Callable[[], object]) -> bool:
    """Do what is due. Whatever goes wrong with it becomes a trouble; only LedgerUnreachable, with which nothing can be noted,
    is raised. Returns whether it was done.
    """
    try:
        do()
    except LedgerUnreachable:
        raise
    except (DirectoryUnreachable, PolicyUnavailable) as problem:
        note(ctx, item, Failure(str(problem)))
    except Exception as problem:
        number = ctx.fault("something that was due failed", problem, item=item)
        note(ctx, item, Failure(went_wrong(number)))
    else:
        return True
    return False


def note(ctx: Context, item: str, failure: Failure) -> None:
    """`item` has failed (again). Raises LedgerUnreachable."""
    try:
        for _ in range(3):
            change, wake = _noted(ctx, item, failure)
            if isinstance(ctx.ledger.commit(change), Committed):
                ctx.wake(*wake)
                return
    except LedgerUnreachable:
        raise
    except Exception as problem:
        # The item stays due, so it is tried again all the same; and the log has both.
        ctx.fault("a failure was not noted", problem, item=item)


def _noted(ctx: Context, item: str, failure: Failure) -> tuple[Change, tuple[str, ...]]:
    key = keys.trouble(item)
    snapshot = ctx.ledger.read(key)
    now, before = snapshot.now, snapshot.readable(key, Trouble)
    if before is not None and is_over(before, now):
        before = None
    failures = before.failures + 1 if before else 1
    again_at = failure.again_at or now + pause(item, failures)
    trouble = Trouble(
        item,
        failures,
        failure.words,
        before.since if before else now,
        now,
        again_at,
        failure.alarms,
        failure.about,
    )
    due: dict[str, datetime | None] = {keys.chat(subject): now for subject in _subjects(trouble)}
    wake = tuple(due)
    if failure.again_at is None and kind_of(item) not in _NOT_DUE:
        due[item] = again_at
    change = Change(
        commit_id=f"trouble:{item}:{snapshot.items[key].version}:{ctx.chance.hex(8)}",
        at=now,
        reads=snapshot.versions(),
        puts={key: trouble},
        due=due,
        index=(IndexEntry(keys.TROUBLES, item, trouble.since.timestamp()),),
        # It must be known of while memory is full, too.
        removes_access=True,
    )
    return change, wake


def kind_of(item: str) -> str:
    return item.partition(":")[0]


def pause(item: str, failures: int) -> timedelta:
    kind = kind_of(item)
    if kind in _NOT_DUE:
        return NOT_DUE_FOR
    return min(PAUSE_FIRST * (1 << min(failures - 1, 10)), PAUSES_MAX.get(kind, PAUSE_MAX))


def is_over(trouble: Trouble, now: datetime) -> bool:
    return now > trouble.again_at + OVER_AFTER


def told(trouble: Trouble) -> bool:
    """Whether the person whom it concerns is told."""
    if kind_of(trouble.item) in _NOT_DUE or trouble.failures < TOLD_AT:
        return False
    return is_fault(trouble.words) or trouble.at - trouble.since >= TOLD_AFTER


def alarmed(trouble: Trouble) -> bool:
    """Whether the people who run this are called."""
    if not trouble.alarms or trouble.failures < ALARM_AT:
        return False
    return is_fault(trouble.words) or trouble.at - trouble.since >= ALARM_AFTER


def _subjects(trouble: Trouble) -> list[str]:
    """What has to be shown in chat now. That a trouble cannot be shown is not shown either."""
    if _is_told_of_troubles(trouble.item):
        return []
    return [*([SUBJECT + trouble.item] if told(trouble) else []), *([ALARM] if alarmed(trouble) else [])]


def _is_told_of_troubles(item: str) -> bool:
    return item.startswith((keys.chat(SUBJECT), keys.chat(ALARM)))


# ---------------------------------------------------------------- what is over


def over(ctx: Context, item: str) -> None:
    """It was done, or is not wanted any more: off the list with it, and whoever was told hears of that."""
    key = keys.trouble(item)
    snapshot = ctx.ledger.read(key)
    trouble = snapshot.readable(key, Trouble)
    if snapshot.items[key].is_absent and ctx.ledger.score(keys.TROUBLES, item) is None:
        return
    subjects = _subjects(trouble) if trouble is not None else ()
    due: dict[str, datetime | None] = {keys.chat(subject): snapshot.now for subject in subjects}
    change = Change(
        commit_id=f"over:{item}:{snapshot.items[key].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        deletes=frozenset({key}),
        due=due,
        index=(IndexEntry(keys.TROUBLES, item, None),),
        removes_access=True,
    )
    if isinstance(ctx.ledger.commit(change), Committed):
        ctx.wake(*due)


def forget_what_is_over(ctx: Context, limit: int = 200) -> None:
    """Now and then: what has not failed again is over. Costs one look while there is no trouble."""
    items = ctx.ledger.members(keys.TROUBLES, limit=limit)
    for item in items:
        snapshot = ctx.ledger.read(keys.trouble(item))
        trouble = snapshot.readable(keys.trouble(item), Trouble)
        if trouble is None or is_over(trouble, snapshot.now):
            over(ctx, item)


def standing(ctx: Context, limit: int = 50) -> Sequence[Trouble]:
    """Troubles that are not over, oldest first."""
    items = ctx.ledger.members(keys.TROUBLES, limit=limit)
    if not items:
        return ()
    snapshot = ctx.ledger.read(*map(keys.trouble, items))
    found = (snapshot.readable(keys.trouble(item), Trouble) for item in items)
    return [trouble for trouble in found if trouble is not None and not is_over(trouble, snapshot.now)]


# ---------------------------------------------------------------- whom it concerns


@dataclass(frozen=True, slots=True)
class Concerned:
    """Who waits for what fails, and for which requests. `waits` for what: to be asked about (`resolve`), to be let in (`give`), a
    later end (`more`), the end (`end`), or else the item's own kind.
    """

    people: tuple[Account, ...] = ()
    requests: tuple[Request, ...] = ()
    waits: str = ""


def concerned(ctx: Context, item: str) -> Concerned:
    kind, _, id_ = item.partition(":")
    if kind == "holding":
        return _of_holding(ctx, item)
    if kind == "sweepout":
        bulk_revocation = ctx.ledger.read(item).readable(item, BulkRevocation)
        taken = filter(None, (_request(ctx, id_) for id_ in bulk_revocation.taken)) if bulk_revocation else ()
        return Concerned((bulk_revocation.by_slack,), tuple(taken), kind) if bulk_revocation else Concerned()
    if kind not in _OF_REQUESTS or not ID_PATTERN.fullmatch(id_):
        return Concerned()
    request = _request(ctx, id_)
    if request is None:
        return Concerned()
    waits = "resolve" if kind == "request" and not request.is_resolved else kind
    return Concerned(_people(request), (request,), waits)


def _of_holding(ctx: Context, item: str) -> Concerned:
    """Those who wait to be let in, or for a later end. Of a removal that fails its own alarm tells."""
    holding = ctx.ledger.read(item).readable(item, Holding)
    if holding is None:
        return Concerned()
    grants = [ctx.ledger.read(keys.grant(id_)).readable(keys.grant(id_), Grant) for id_ in holding.grants]
    there = [grant for grant in grants if grant is not None]
    first = [grant.id for grant in there if grant.state is GrantState.ACTIVATING]
    active = [grant for grant in there if grant.state is GrantState.ACTIVE and grant.extended_to is not None]
    longer = [grant.extension for grant in active if grant.extension is not None]
    requests = [request for id_ in (first or longer) if (request := _request(ctx, id_)) is not None]
    people = dict.fromkeys(person for request in requests for person in _people(request))
    return Concerned(tuple(people), tuple(requests), "give" if first else "more")


def _request(ctx: Context, id_: str) -> Request | None:
    return ctx.ledger.read(keys.request(id_)).readable(keys.request(id_), Request)


def _people(request: Request) -> tuple[Account, ...]:
    if request.gate is not None:
        # A pipeline reads the log of its job.
        return ()
    holder = request.holder_slack or request.requester_slack
    # Whose record was made again from the archive may be nobody's.
    return tuple(who for who in dict.fromkeys((request.requester_slack, holder)) if who.user)
