"""Somebody is erased: nothing in the record says who they were, all of it is whole, and nobody else loses anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from bot.providers import know_providers
from tests.support import build
from tests.support.build import DANA, GROUPS, NIA, OLU, PAT, SUE
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import AccountRecord, Address, Suspension, Why
from workflows.core.people import PersonId
from workflows.core.records.erased import ErasedPeople
from workflows.core.records.policy_in_force import PolicyFiles
from workflows.core.records.request import RequestState
from workflows.core.records.words_key import WordsKey
from workflows.ledger.memory import MemoryLedger
from workflows.ports import Change, LedgerUnreachable
from workflows.usecases.identity.erase import Done, Said, erase
from workflows.usecases.identity.erase_survey import Kept, Stays, Survey
from workflows.usecases.identity.erase_whom import erased_before, is_known, people_called
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.ledger_doubt import said as doubted
from workflows.usecases.shared.target_users import move_by_hand
from workflows.usecases.upkeep.verify_audit import all_faults

SAID = Said("Rosa Ops", "asked for by letter of 12 November")
NAMES = {DANA: "Dana Dev", OLU: "Olu Owner", NIA: "Nia Novak"}
# What nothing may say afterwards, in whatever spelling.
TELLING = ("dana", "checkout", "INC-42", "use staging")


@pytest.fixture(autouse=True)
def _providers() -> None:
    know_providers()


class House(World):
    def __init__(self) -> None:
        super().__init__(build.policy(build.environment(build.entitlement(), build.entitlement("admin"))))
        for who, name in NAMES.items():
            self.chat.people[account(who)] = build.facts(who, name=name)

    def leaves(self, *people: PersonId) -> None:
        """The policy names them no more."""
        groups = {name: tuple(one for one in members if one not in people) for name, members in GROUPS.items()}
        named = {name: replace(self.policy.policy.groups[name], members=left) for name, left in groups.items()}
        self.policy.policy = replace(self.policy.policy, groups=named)

    def everything(self) -> str:
        """All that stands there as text, without what entries say for ever."""
        records = [f"{key} {body.decode()}" for key, (_, body) in self.ledger._records.items()]
        words = [(one.private or b"").decode() for one in self.ledger._audit]
        indexes = [f"{name} {' '.join(members)}" for name, members in self.ledger._indexes.items() if members]
        text = "\n".join([*records, *words, *indexes, *self.ledger.due, str(self.directory._known)])
        # The user's own id at the target names the holding, and is a fact of the log.
        return text.replace(f"id-of-{DANA}", "")

    def put(self, key: str, record: Any) -> None:
        snapshot = self.ledger.read(key)
        self.ledger.commit(Change(self.press_id(), snapshot.now, snapshot.versions(), puts={key: record}))

    def erase(self, who: PersonId = DANA, said: Said = SAID) -> Any:
        return erase(self.ctx, self.directory.forget, who, said)


def lived() -> House:
    """Dana had access, was turned away, and stood in other people's requests."""
    world = House()
    mine = world.active(DANA)
    world.end(mine, OLU, "Dana Dev is done, says dana@example.com")
    world.work()
    denied = world.asked(DANA, role="admin")
    world.deny(denied, OLU, "use staging, Dana")
    other = world.active(NIA, reason="with <@UDANA>")
    world.end(other, NIA)
    world.work()
    world.advance(120)
    world.leaves(DANA)
    return world


@pytest.fixture
def world() -> House:
    return lived()


def test_nothing_says_who_it_was_and_the_log_is_whole(world: House) -> None:
    before = world.ledger.stored_entries(limit=1000)
    done = world.erase()
    assert isinstance(done, Done), done.kept
    after = world.ledger.stored_entries(limit=1000)
    text = world.everything().lower()
    assert [telling for telling in TELLING if telling.lower() in text] == []
    assert [(one.body, one.digest, one.link) for one in after[: len(before)]] == [
        (one.body, one.digest, one.link) for one in before
    ]
    assert all_faults(world.ledger) == []
    assert done.entries == sum(one.private is None for one in after) > 5
    said = [entry for entry in world.all_entries() if entry.event is Event.PERSON_ERASED]
    assert said[-1].number == done.number
    assert said[-1].facts["done"] == "yes"
    assert {entry.private["actor_name"] for entry in said} == {"Rosa Ops"}


def test_what_others_did_stays_as_it_was_but_for_the_name(world: House) -> None:
    kept = [
        entry.number
        for entry in world.all_entries()
        if entry.private and entry.subject == "PA-3" and not _dana(entry.private)
    ]
    assert isinstance(world.erase(), Done)
    mine, denied, other = world.request("PA-1"), world.request("PA-2"), world.request("PA-3")
    assert (mine.holder_name, mine.requester_name, mine.reason) == ("erased person", "erased person", "erased")
    assert mine.votes[0].by_name == "Olu Owner"
    assert (denied.state, denied.closing and denied.closing.by_name) == (RequestState.DENIED, "Olu Owner")
    assert denied.closing is not None
    assert denied.closing.reason == "erased"
    assert (other.holder, other.holder_name, other.reason) == (NIA, "Nia Novak", "with <@erased person>")
    assert mine.holder == world.grant("PA-1").holder != DANA
    entries = {entry.number: entry for entry in world.all_entries()}
    assert kept
    assert all(entries[number].private for number in kept)
    assert world.ledger.members(keys.of_person(keys.RECENT, mine.holder)) == ["PA-1", "PA-2"]
    assert world.ledger.count(keys.RECENT) == 3


def _dana(words: Any) -> bool:
    return "dana" in json.dumps(dict(words)).lower()


def test_a_second_run_finds_nothing_of_them(world: House) -> None:
    assert isinstance(world.erase(), Done)
    head = world.ledger.head()
    assert not is_known(world.ctx, DANA)
    before = erased_before(world.ctx, DANA)
    assert before is not None
    assert before.done_at == world.ledger.now()
    assert people_called(world.ctx, Address(DANA)) == ()
    assert erased_before(world.ctx, NIA) is None
    assert world.ledger.head() == head


@pytest.mark.parametrize("at", [1, 2, 3, 5, 7, 9, 11])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_is_killed_is_gone_on_with(monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> None:
    monkeypatch.setattr("workflows.usecases.identity.erase.RECORDS_AT_ONCE", 1)
    monkeypatch.setattr("workflows.usecases.identity.erase.NUMBERS_AT_ONCE", 2)
    world = lived()
    with suppress(LedgerUnreachable), killed_at(world.ledger, at, after=after):
        world.erase()
    assert all_faults(world.ledger) == []
    if is_known(world.ctx, DANA):
        assert isinstance(world.erase(), Done)
    text = world.everything().lower()
    assert [telling for telling in TELLING if telling.lower() in text] == []
    assert all_faults(world.ledger) == []
    assert len({world.request(id_).holder for id_ in ("PA-1", "PA-2")}) == 1, "one name for all of it"


@contextmanager
def killed_at(ledger: MemoryLedger, at: int, *, after: bool) -> Iterator[None]:
    count, commit = [0], ledger.commit

    def counted(change: Change) -> Any:
        count[0] += 1
        if count[0] == at and not after:
            raise LedgerUnreachable("killed")
        answer = commit(change)
        if count[0] == at:
            raise LedgerUnreachable("killed")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "commit", counted)
        yield


# ---------------------------------------------------------------- what keeps them


def kept(found: Any) -> set[Kept]:
    assert isinstance(found, Survey), found
    return set(found.kept)


def test_access_that_is_open_and_requests_that_wait_keep_them(world: House) -> None:
    world.knows(DANA)
    open_ = world.active(NIA)
    head = world.ledger.head()
    world.leaves()
    live = world.active(DANA)
    waits = world.asked(DANA, role="admin")
    world.leaves(DANA)
    head = world.ledger.head()
    assert kept(world.erase()) == {Kept(Stays.OPEN, live), Kept(Stays.OPEN, waits)}
    assert (world.ledger.head(), world.request(live).holder) == (head, DANA)
    assert kept(world.erase(OLU)) >= {Kept(Stays.OPEN, live), Kept(Stays.OPEN, open_)}, (
        "who agreed to it is needed, too"
    )


def test_the_policy_in_force_keeps_whom_it_names(world: House) -> None:
    world.leaves(SUE)
    files = {
        "config/people.yaml": "groups:\n  developers:\n    - dana@example.com\n",
        "config/x.yaml": "name: danae@example.com",
    }
    world.put(keys.POLICY_FILES, PolicyFiles("f" * 64, files))
    assert Kept(Stays.POLICY, "config/people.yaml:3") in kept(world.erase())
    assert {one.why for one in kept(world.erase())} == {Stays.POLICY, Stays.GROUP}, "she is in a group again, too"


def test_an_account_on_hold_and_a_bar_keep_them(world: House) -> None:
    item = keys.account(account(DANA).id)
    record = world.ledger.read(item).get(item, AccountRecord)
    assert record is not None
    hold = Suspension(Why.NEW_ACCOUNT, world.ledger.now(), Address(OLU), OLU)
    world.put(item, replace(record, suspended=hold))
    assert kept(world.erase()) == {Kept(Stays.HELD, account(DANA).id)}
    assert Kept(Stays.HELD, account(DANA).id) in kept(world.erase(OLU)), "whom it claims to be"


def test_a_ledger_in_doubt_erases_nobody(world: House) -> None:
    doubted(world.ctx, "Rosa Ops", "a snapshot was put back")
    assert Kept(Stays.DOUBT) in kept(world.erase())


def test_who_says_it_and_why_names_nobody_who_is_erased(world: House) -> None:
    for said in Said("Dana Dev", "my own wish"), Said("Rosa Ops", "dana@example.com has left"):
        assert Kept(Stays.SAID) in kept(world.erase(said=said))


# ---------------------------------------------------------------- what comes after


def test_who_comes_back_is_somebody_new(world: House) -> None:
    world.put(keys.words_key(DANA), WordsKey(DANA, "ab" * 32, world.ledger.now()))
    assert isinstance(world.erase(), Done)
    assert world.ledger.read(keys.words_key(DANA)).items[keys.words_key(DANA)].is_absent
    world.leaves()
    refused = world.asked(DANA)
    assert world.request(refused).state is RequestState.DENIED, "the user at the target was somebody else's"
    user = world.request("PA-1").resource
    assert user is not None
    assert isinstance(move_by_hand(world.ctx, user.user, DANA, "Rosa Ops", "she is back", "by-hand"), Outcome)
    again = world.active(DANA)
    assert (world.request(again).holder_name, world.has_access(again)) == ("Dana Dev", True)
    assert world.ledger.members(keys.of_person(keys.RECENT, DANA)) == [refused, again]


def test_an_account_that_comes_back_as_somebody_else_is_held(world: House) -> None:
    """The address of a colleague whom the policy lists, and who never acted: nobody knows who uses the account now."""
    assert isinstance(world.erase(), Done)
    facts = replace(world.chat.people[account(DANA)], address=Address(PAT), name="Pat")
    world.chat.people[account(DANA)] = facts
    for _ in range(2):
        found = whose(world.ctx, world.policy.policy, world.chat.refresh_person(account(DANA), world.policy.policy))
        assert found.suspended is not None
        assert found.id != PAT


def test_digests_of_the_erased_are_salted_and_read_as_nobody(world: House) -> None:
    assert isinstance(world.erase(), Done)
    people = world.ledger.read(keys.ERASED).get(keys.ERASED, ErasedPeople)
    assert people is not None
    assert len(people.salt) == 64
    assert people.of(DANA) != replace(people, salt="0" * 64).of(DANA)
