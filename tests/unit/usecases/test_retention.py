"""What is over leaves the ledger once the archive has it, and never otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support import build
from tests.support.retaining import Retaining
from workflows.core import keys
from workflows.core.absent_words import NumberRanges
from workflows.core.records.drift import Drift, DriftKind
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Request
from workflows.core.records.seal import SealState
from workflows.core.records.words_key import WordsKey
from workflows.core.seal.closed import lines_in
from workflows.ledger.codec import decode, encode
from workflows.ports import Change, IndexEntry
from workflows.signing.words import Cipher
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.upkeep.retention.retainer import Retainer
from workflows.usecases.upkeep.retention.shelving import story_in


@pytest.fixture
def house() -> Retaining:
    return Retaining()


def put(house: Retaining, **records: object) -> None:
    """Records by key, `:` for `__`."""
    ledger = house.world.ledger
    puts = {key.replace("__", ":").replace("_", "-"): record for key, record in records.items()}
    reads = ledger.read(*puts).versions()
    ledger.commit(Change(house.world.press_id(), house.world.clock.now(), reads, puts=puts))  # type: ignore[arg-type]


# ---------------------------------------------------------------- it leaves


def test_a_life_leaves_with_all_that_belongs_to_it(house: Retaining) -> None:
    id_ = house.life()
    numbers = [entry.number for entry in house.world.ledger.entries_of(id_)]
    assert len(numbers) >= 5
    house.later()
    house.bite()
    assert house.records_of(id_) == []
    ledger = house.world.ledger
    assert not [name for name in ledger._indexes if id_ in ledger._indexes[name]]
    assert not set(numbers) & set(house.words())
    assert (house.noted.requests, house.noted.kept, house.noted.why) == (1, 0, "")


def test_the_archive_has_its_records_as_they_were(house: Retaining) -> None:
    id_ = house.life()
    request, grant = house.world.request(id_), house.world.grant(id_)
    numbers = [entry.number for entry in house.world.ledger.entries_of(id_)]
    house.later()
    house.bite()
    (name,) = [name for name in house.archive.kept if "/closed/" in name]
    (line,) = lines_in(house.archive.kept[name], name)
    story = json.loads(story_in(line, Shown(house.world.ledger, Cipher())) or b"")
    found = {key: decode(key, text) for key, text in story["records"].items()}
    assert found == {keys.request(id_): request, keys.grant(id_): grant}
    assert (line.id, story["entries"]) == (id_, numbers)
    (said, *_) = house.said()
    assert name.endswith(said.facts["file"])
    assert set(NumberRanges.read(said.facts["numbers"]).ranges) <= {(a, b) for a in numbers for b in numbers}


def test_nothing_of_it_is_in_the_archive_in_clear(house: Retaining) -> None:
    house.life()
    house.later()
    house.bite()
    for name, content in house.archive.kept.items():
        if "/closed/" in name:
            assert not [word for word in (b"dana", b"olu@", b"checkout", b"payments") if word in content]


def test_entries_leave_from_the_first_one_on(house: Retaining) -> None:
    house.life()
    house.settle()
    before = house.world.ledger.stored_entries(limit=1000)
    house.later()
    house.bites()
    left = house.world.ledger.stored_entries(limit=1000)
    assert left[0].number == house.noted.first > len(before) - 3
    assert house.noted.link == before[house.noted.first - 2].link
    assert [entry.facts.get("first") for entry in house.said()][-1] == str(house.noted.first)
    assert not [subject for subject, numbers in house.world.ledger.audit_lists() if min(numbers) < house.noted.first]
    assert house.world.ledger.head() == left[-1].number


def test_what_is_younger_stays_and_goes_on_its_day(house: Retaining) -> None:
    old = house.life()
    house.later(60)
    young = house.life()
    house.later(31)
    house.bites()
    assert (house.records_of(old), bool(house.records_of(young))) == ([], True)
    house.later(60)
    house.bites()
    assert house.records_of(young) == []


def test_ids_stay_used(house: Retaining) -> None:
    id_ = house.life()
    house.later()
    house.bites()
    assert house.world.asked() not in (id_, "PA-1")


def test_a_denied_request_leaves_too_and_with_it_what_its_ticket_remembers(house: Retaining) -> None:
    id_ = house.world.asked()
    house.world.deny(id_)
    house.later()
    house.bites()
    assert house.records_of(id_) == []


def test_where_much_is_there_the_next_bite_comes_in_seconds_else_in_an_hour(
    house: Retaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.usecases.upkeep.retention.letting_go.BITE", 2)
    for _ in range(5):
        id_ = house.world.asked()
        house.world.deny(id_)
    house.later()
    house.bite()
    due = house.world.ledger.due[keys.RETAINED] - house.world.clock.now().timestamp()
    assert (due, house.noted.requests) == (5, 2)
    assert house.bites() == 2
    assert house.noted.requests == 5
    assert house.world.ledger.due[keys.RETAINED] - house.world.clock.now().timestamp() == 3600


def test_without_a_retention_nothing_is_looked_at(house: Retaining) -> None:
    house.life()
    house.later()
    house.settle()
    house.world.policy.policy = replace(house.world.policy.policy, retention=None)
    house.world.ledger.remind(keys.RETAINED, 0)
    kept = house.world.ledger.copy()
    house.retainer.bite()
    assert keys.RETAINED not in house.world.ledger.due
    assert house.world.ledger.copy()[2:6] == kept[2:6]


# ---------------------------------------------------------------- it stays


def live(house: Retaining, id_: str) -> None:
    house.world.clock.advance(-89 * 86_400)
    house.world.active(build.NIA, duration=timedelta(hours=4))


def review_owed(house: Retaining, id_: str) -> None:
    now = house.world.clock.now()
    put(
        house,
        **{f"review__{id_}".replace("-", "_"): Review(id_, "payments-prod", build.DANA, ReviewState.OWED, now, now)},
    )


def chat_owed(house: Retaining, id_: str) -> None:
    now = house.world.clock.now().timestamp()
    index = (IndexEntry(keys.CLOSED_PLACES, "C1", now), IndexEntry(keys.owed("C1"), id_, now))
    house.world.ledger.commit(Change("owed", house.world.clock.now(), {}, index=index))


def more_time_asked(house: Retaining, id_: str) -> None:
    put(house, **{f"grant__{id_}".replace("-", "_"): replace(house.world.grant(id_), extension="PA-99")})


def found_again(house: Retaining, id_: str) -> None:
    grant, now = house.world.grant(id_), house.world.clock.now()
    found = Drift(grant.holding, DriftKind.ENDED, grant.resource, "s", (), now, now)
    key = keys.drift(grant.holding)
    house.world.ledger.commit(Change("drift", now, {key: 0}, puts={key: found}))


def looked_at_again(house: Retaining, id_: str) -> None:
    grant = house.world.grant(id_)
    key = keys.holding(grant.holding)
    found = Holding(grant.holding, grant.resource, looks=(house.world.clock.now(),), last_grant=id_)
    house.world.ledger.commit(Change("looks", house.world.clock.now(), {key: 0}, puts={key: found}))


def unreadable(house: Retaining, id_: str) -> None:
    house.world.ledger.spoil(keys.grant(id_))


def gone_from_the_archive(house: Retaining, id_: str) -> None:
    house.settle()
    number = house.world.ledger.entries_of(id_)[2].number
    there = (n for n, run in house.archive.kept.items() if "/runs/" in n and f'"number":{number}'.encode() in run)
    del house.archive.kept[next(there)]


def changed_in_the_archive(house: Retaining, id_: str) -> None:
    house.settle()
    for name, run in house.archive.kept.items():
        if "/runs/" in name:
            house.archive.kept[name] = run.replace(b"request.resolved", b"request.resolveD")


def words_lost(house: Retaining, id_: str) -> None:
    """The key of words that are still here: nobody could read them again."""
    house.settle()
    key = keys.words_key("dana@example.com")
    assert house.world.ledger.read(key).get(key, WordsKey) is not None
    reads = house.world.ledger.read(key).versions()
    house.world.ledger.commit(Change("lost", house.world.clock.now(), reads, deletes=frozenset({key})))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (review_owed, "its review is owed"),
        (chat_owed, "a channel has not been told of it"),
        (more_time_asked, "more time is asked for"),
        (found_again, "something of it was found at the target"),
        (looked_at_again, "its access is looked at again"),
        (unreadable, "a record of it cannot be read"),
        (gone_from_the_archive, "is not in the archive"),
        (changed_in_the_archive, "is not in the archive as it stands here"),
        (words_lost, "cannot be read in the archive"),
    ],
)
def test_what_owes_something_stays_with_its_words_and_entries_and_it_is_said_why(
    house: Retaining, how: Callable[[Retaining, str], None], why: str
) -> None:
    id_ = house.life()
    other = house.world.asked(build.NIA)
    house.world.deny(other)
    house.later()
    how(house, id_)
    before = house.records_of(id_)
    house.bites()
    assert house.records_of(id_) == before != []
    first = house.world.ledger.entries_of(id_)[0].number
    assert house.noted.first <= first in set(house.words())
    assert why in house.noted.why or f"{id_} is in the record" in house.noted.why
    assert house.noted.kept >= 1


def test_those_that_were_asked_for_in_one_go_leave_together(house: Retaining) -> None:
    ids = [house.world.asked(), house.world.asked(build.NIA)]
    for id_ in ids:
        house.world.deny(id_)
    for id_ in ids:
        put(house, **{f"request__{id_}".replace("-", "_"): replace(house.world.request(id_), batch=tuple(ids))})
    house.later()
    house.settle()
    house.world.ledger.due[keys.chat(ids[1])] = 0.0
    house.retainer.bite()
    assert (house.noted.requests, house.noted.kept) == (0, 2)
    house.bites()
    assert house.noted.requests == 2


def test_what_is_not_yet_archived_stays(house: Retaining) -> None:
    house.life()
    house.settle()
    house.archive.away = True
    house.later()
    house.bite()
    assert house.noted.requests == 0
    assert "does not answer" in house.noted.why


def test_without_an_archive_nothing_leaves_and_it_is_said(house: Retaining) -> None:
    id_ = house.life()
    house.settle()
    house.later()
    Retainer(house.world.ctx, None, Cipher(), lambda key, record: b"").bite()
    assert house.records_of(id_)
    assert "PRODACCESS_AUDIT_BUCKET" in house.noted.why


def test_a_process_with_another_policy_lets_nothing_go(house: Retaining) -> None:
    id_ = house.life()
    house.settle()
    house.later()
    house.world.policy.policy = replace(house.world.policy.policy, hash="e" * 64, retention=timedelta(days=7))
    house.retainer.bite()
    assert house.records_of(id_)
    assert "another copy of the policy" in house.noted.why


def test_whoever_changes_it_meanwhile_keeps_it(house: Retaining) -> None:
    id_ = house.life()
    house.settle()
    house.later()

    def changes(change: Change) -> None:
        if change.deletes:
            put(house, **{f"grant__{id_}".replace("-", "_"): replace(house.world.grant(id_), error="again")})

    def hook(change: Change) -> None:
        house.world.ledger.before_commit = hook
        house.world.ledger.before_commit = None if change.deletes else hook
        changes(change)

    house.world.ledger.before_commit = hook
    house.retainer.bite()
    assert house.records_of(id_)
    house.world.ledger.before_commit = None
    house.bites()
    assert house.records_of(id_) == []


def behind(house: Retaining, archived: int) -> None:
    """A run may be there before its head is: nobody has signed that it is whole."""
    sealed = house.world.ledger.read(keys.SEAL)
    found = sealed.get(keys.SEAL, SealState)
    assert found is not None
    puts = {keys.SEAL: replace(found, archived=archived)}
    house.world.ledger.commit(Change(house.world.press_id(), house.world.clock.now(), sealed.versions(), puts=puts))


def test_only_what_an_archived_head_covers_leaves(house: Retaining, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = house.life()
    house.settle()
    house.later()
    behind(house, 3)
    house.retainer.bite()
    assert house.records_of(id_)
    with monkeypatch.context() as patch:
        patch.setattr("workflows.usecases.upkeep.retention.trimming.Trimming.trim", lambda *_: False)
        house.bites()
    assert (house.records_of(id_), house.noted.first) == ([], 2)
    house.settle()
    behind(house, 3)
    house.retainer.bite()
    assert house.noted.first == 4


def test_records_that_the_archive_did_not_keep_as_they_were_put_stay(house: Retaining) -> None:
    id_ = house.life()
    house.settle()
    house.later()
    put = house.archive.put

    def lies(name: str, content: bytes) -> None:
        put(name, content if "/closed/" not in name else content.replace(b'"ended"', b'"endeD"'))

    house.archive.put = lies  # type: ignore[method-assign]  # a day on which it does
    house.retainer.bite()
    assert house.records_of(id_)
    assert "was changed" in house.noted.why
    house.archive.put = put  # type: ignore[method-assign]  # as above
    house.archive.objects = {n: c for n, c in house.archive.objects.items() if "/closed/" not in n}
    house.bites()
    assert house.records_of(id_) == []


# ---------------------------------------------------------------- killed anywhere


def test_a_bite_that_is_killed_at_any_call_loses_nothing_and_is_finished_by_the_next(house: Retaining) -> None:
    ids = [house.life(), house.life(build.NIA)]
    stories = {id_: (house.world.request(id_), house.world.grant(id_)) for id_ in ids}
    house.settle()
    house.later()
    kept, objects = house.world.ledger.copy(), dict(house.archive.kept)
    calls = _calls(house)
    assert calls > 20
    for at in range(calls):
        house.world.ledger.put_back(kept)
        house.world.ledger.trust()
        house.archive.objects = dict(objects)
        with pytest.raises(_KilledError):
            _bite_until(house, at)
        for id_ in ids:
            assert _whole(house, id_) == stories[id_], f"killed at call {at}"
        house.bites()
        assert house.noted.requests == 2
        for id_ in ids:
            assert house.records_of(id_) == []
            assert _whole(house, id_) == stories[id_]


class _KilledError(BaseException):
    pass


class _Counted:
    """Every call of the ledger and the archive counts; the one of that number kills: before it, or after it."""

    def __init__(self, inner: object, count: list[int], at: int | None) -> None:
        self._inner, self._count, self._at = inner, count, at

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def called(*args: object, **more: object) -> object:
            before = self._count[0]
            self._count[0] += 1
            if self._at is not None and before == self._at and before % 2:
                raise _KilledError
            answer = found(*args, **more)
            if self._at is not None and before == self._at:
                raise _KilledError
            return answer

        return called


def _bite_until(house: Retaining, at: int | None) -> int:
    count = [0]
    ctx = replace(house.world.ctx, ledger=_Counted(house.world.ledger, count, at))  # type: ignore[arg-type]
    archive = _Counted(house.archive, count, at)
    Retainer(ctx, archive, Cipher(), encode).bite()  # type: ignore[arg-type]
    return count[0]


def _calls(house: Retaining) -> int:
    kept, objects = house.world.ledger.copy(), dict(house.archive.kept)
    found = _bite_until(house, None)
    house.world.ledger.put_back(kept)
    house.archive.objects = objects
    return found


def _whole(house: Retaining, id_: str) -> tuple[Request, Grant]:
    """From the ledger, or from the archive."""
    if house.records_of(id_):
        return house.world.request(id_), house.world.grant(id_)
    for name, content in house.archive.kept.items():
        for line in lines_in(content, name) if "/closed/" in name else ():
            if line.id == id_:
                story = json.loads(story_in(line, Shown(house.world.ledger, Cipher())) or b"")
                found = {key: decode(key, text) for key, text in story["records"].items()}
                request, grant = found[keys.request(id_)], found[keys.grant(id_)]
                assert isinstance(request, Request)
                assert isinstance(grant, Grant)
                return request, grant
    raise AssertionError(f"{id_} is nowhere")


def test_what_it_costs_does_not_grow_with_how_many_leave(house: Retaining) -> None:
    def cost(lives: int) -> int:
        world = Retaining()
        for _ in range(lives):
            world.world.deny(world.world.asked())
        world.settle()
        world.later()
        count = [0]
        ctx = replace(world.world.ctx, ledger=_Counted(world.world.ledger, count, None))  # type: ignore[arg-type]
        Retainer(ctx, world.archive, Cipher(), encode).bite()
        assert world.noted.requests == lives
        return count[0]

    assert cost(2) == cost(30) <= 40
