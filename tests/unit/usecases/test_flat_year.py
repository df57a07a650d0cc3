"""Memory is flat: once the retention has set in, as much leaves the ledger each day as comes.

On the ledger in memory, which passes the ledger's contract, with real lives: asked for, agreed to, given, ended by time, looked
at afterwards, each with its messages' record, sealed, archived, and let go of by the shipped worker's code.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.support import build
from tests.support.retaining import Retaining
from workflows.core import keys
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.seal.layout import numbers_of_run
from workflows.ports import Change
from workflows.usecases.upkeep.verify_audit import all_faults

PEOPLE = (build.DANA, build.NIA)
DAY_S = 86_400.0
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands in the ledger. `others`: records that are of no request."""

    records: int
    others: int
    entries: int
    words: int
    members: int
    subjects: int
    answers: int


class Year(Retaining):
    def __init__(self, retention: timedelta, lives_a_day: int) -> None:
        super().__init__()
        self.world.policy.policy = replace(self.world.policy.policy, retention=retention)
        self.lives_a_day = lives_a_day
        self.lived = 0
        self.bitten = 0
        self.world.ledger.remind(keys.RETAINED, 0)

    def day(self) -> Kept:
        """Its lives, one after the other, and each hour a look at what may leave."""
        gap_s = DAY_S / self.lives_a_day
        for _ in range(self.lives_a_day):
            before = self.world.clock.monotonic()
            self.life(PEOPLE[self.lived % len(PEOPLE)])
            self.lived += 1
            self.wait(gap_s - (self.world.clock.monotonic() - before))
        return self.kept()

    def life(self, who: build.PersonId = build.DANA, **asked: object) -> str:
        id_ = self.world.active(who, duration=MINUTE)
        for seconds in (61, 16, 61):
            self.world.clock.advance(seconds)
            self.world.work()
        self._told(id_)
        return id_

    def _told(self, id_: str) -> None:
        """As the outbox leaves it."""
        now, item = self.world.clock.now(), keys.chat(id_)
        posted = Posting("C0RECEIPTS", "1.2", "ab" * 8, posted_at=now)
        record = ChatRecord(id_, {"receipts": posted, "card": posted}, told={"receipts": 1})
        self.world.ledger.commit(Change(f"told-{id_}", now, {item: 0}, puts={item: record}, due={item: None}))

    def wait(self, seconds: float) -> None:
        while seconds > 0:
            left_s = self.world.ledger.due[keys.RETAINED] - self.world.clock.now().timestamp()
            step_s = min(seconds, max(left_s, 1.0))
            self.world.clock.advance(step_s)
            seconds -= step_s
            if self.world.ledger.due[keys.RETAINED] <= self.world.clock.now().timestamp():
                self.bite()
                self.bitten += 1
                self._forget()

    def _forget(self) -> None:
        """Archive and target keep all, and this test has no room for it: what nobody reads again."""
        first = self.noted.first
        for name in list(self.archive.objects):
            run = numbers_of_run(name)
            if (run is not None and run[1] < first) or "/closed/" in name or "/heads/" in name:
                del self.archive.objects[name]
        self.world.target().forget(build.NOW + timedelta(seconds=self.world.clock.monotonic() - DAY_S))

    def kept(self) -> Kept:
        ledger = self.world.ledger
        of_requests = Counter(name.partition(":")[0] in ("request", "grant", "chat") for name in ledger._records)
        return Kept(
            len(ledger._records),
            of_requests[False],
            len(ledger._audit),
            sum(entry.private is not None for entry in ledger._audit),
            sum(len(members) for members in ledger._indexes.values()),
            len(ledger._audit_of),
            len(ledger._commits),
        )


def assert_flat(days: list[Kept], lives_a_day: int) -> None:
    """Day by day the same, but for what comes and goes within two hours; and nothing that is of no request comes at all."""
    hours = 2 * max(1, -(-lives_a_day // 24))
    room = {"records": 3 * hours, "others": 0, "entries": 8 * hours + 4, "words": 8 * hours + 4}
    room |= {"members": 6 * hours, "subjects": hours}
    for name, most in room.items():
        found = [getattr(one, name) for one in days]
        assert max(found) - min(found) <= most, (name, found)


def played(retention_days: int, days: int, lives_a_day: int) -> Year:
    year = Year(timedelta(days=retention_days), lives_a_day)
    found = [year.day() for _ in range(days)]
    # What says that something left leaves, too, so much later.
    settled = found[2 * retention_days + 2 :]
    assert len(settled) >= 10
    assert_flat(settled, lives_a_day)
    assert settled[0].records > lives_a_day * retention_days * 2, "nothing leaves before its time"
    # The answers of commits are kept for a day.
    assert max(one.answers for one in settled) < 60 * lives_a_day + 2_000
    gone = year.noted.requests
    assert year.lived - gone <= lives_a_day * (retention_days + 1)
    assert all_faults(year.world.ledger) == []
    assert year.world.faults == []
    return year


def test_a_month_is_flat_once_its_week_is_over() -> None:
    year = played(retention_days=7, days=28, lives_a_day=3)
    assert year.bitten <= 28 * 24 + 10, "an hour lies between two looks"


@pytest.mark.soak
def test_a_year_of_five_hundred_lives_a_day_is_flat() -> None:
    played(retention_days=90, days=365, lives_a_day=500)
