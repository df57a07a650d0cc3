"""The record made again from the archive: what an older copy does not know of is put back, and ends; and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from bot.providers import know_providers
from tests.support.archives import LOG, archived, target_terms
from tests.support.build import DANA, HOUR, MINUTE, NIA, OLU, PAT, entitlement, environment, policy
from tests.support.gates import gate, gated, pipeline_run, starter, waits
from tests.support.sealed_log import OURS, THEIRS, verify
from tests.support.sealing import MemoryArchive as SealedArchive
from tests.support.sealing import sealer
from tests.support.world import World, account
from workflows.archive.memory import MemoryArchive
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.pipelines.identity import Part
from workflows.core.policy import BreakGlass
from workflows.core.records.grant import GrantState
from workflows.core.records.installation import Installation
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.core.seal.layout import run_name
from workflows.core.seal.trust import Trust
from workflows.ledger.codec import audit_entry
from workflows.ledger.memory import MemoryLedger
from workflows.ports import Change, Committed, LedgerUnreachable, Lost
from workflows.signing.words import Cipher
from workflows.usecases.gates.break_open import break_open
from workflows.usecases.gates.redeem import Redeemed, redeem
from workflows.usecases.oversight.break_glass_review import acknowledge
from workflows.usecases.oversight.refusals import record_refusal
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.installation import installation
from workflows.usecases.shared.ledger_doubt import accept, stands
from workflows.usecases.upkeep import rebuild
from workflows.usecases.upkeep.rebuild_reading import Archived, NothingProven, read
from workflows.usecases.upkeep.verify_audit import all_faults


@pytest.fixture(autouse=True)
def _providers() -> None:
    know_providers()


def made_again(world: World, outside: Archived) -> rebuild.Plan:
    """As the command does it."""
    found = read(world.ledger, outside, audit_entry)
    made = rebuild.plan(world.ctx, found, target_terms)
    if not made.is_empty:
        done = rebuild.carry_out(world.ctx, outside, found, made, world.ledger.put_back_entries, "Rosa Ops")
        assert isinstance(done, Outcome)
        assert done.outcome == "rebuilt"
    return made


def gives(world: World) -> Committed | Lost:
    return world.ledger.commit(Change(world.press_id(), world.ledger.now(), {}, gives_access=True))


class Restored(World):
    """A world whose ledger becomes the copy that was kept, with everybody's memory of it gone."""

    def keep(self) -> None:
        self.kept = self.ledger.copy()

    def fall_back(self) -> Archived:
        """All that was archived until now is what outside is known of what comes after the copy."""
        outside = archived(self.ledger)
        self.ledger.put_back(self.kept)
        self.ledger.trust()
        return outside


@pytest.fixture
def world() -> Restored:
    return Restored()


def numbers(world: World, event: Event) -> list[int]:
    return [entry.number for entry in world.all_entries() if entry.event is event]


def test_what_was_given_after_the_copy_ends_and_what_it_knows_goes_on(world: Restored) -> None:
    known = world.active(DANA)
    world.keep()
    unknown = world.active(NIA)
    before = list(world.ledger.stored_entries(limit=1000))
    outside = world.fall_back()
    assert world.has_access(known)
    made = made_again(world, outside)
    assert [one.id for one in made.endings] == [unknown]
    after = list(world.ledger.stored_entries(limit=1000))
    assert [entry.digest for entry in after[: len(before)]] == [entry.digest for entry in before]
    assert numbers(world, Event.LEDGER_ROLLED_BACK)[0] > len(before), "what the older copy wrote comes behind"
    world.work()
    assert world.grant(unknown).state is GrantState.REVOKED
    assert not world.has_access(unknown)
    assert world.has_access(known)
    assert world.grant(known).state is GrantState.ACTIVE
    assert all_faults(world.ledger) == []


def test_what_somebody_was_refused_meanwhile_ends_nothing(world: Restored) -> None:
    """A press that was refused is about a request, too; the request goes on, and so does the access."""
    world.keep()
    id_ = world.asked(NIA)
    refused = world.approve(id_, NIA)
    assert isinstance(refused, Refused)
    record_refusal(world.ctx, NIA, id_, refused, "pressed")
    world.approve(id_, OLU)
    world.work()
    assert world.has_access(id_)
    made = made_again(world, world.fall_back())
    assert [one.id for one in made.endings] == [id_]
    world.work()
    assert not world.has_access(id_)


def test_nothing_is_given_until_somebody_has_looked(world: Restored) -> None:
    world.keep()
    world.active()
    made_again(world, world.fall_back())
    assert stands(world.ctx)
    assert gives(world) == Lost("restored")
    assert isinstance(accept(world.ctx, "Rosa Ops", "looked at all of it"), Outcome)
    assert isinstance(gives(world), Committed)


def test_all_of_it_lost(world: Restored) -> None:
    """Nobody knows any more who it was: that is in no archive. The access ends all the same."""
    world.keep()
    ids = [world.active(who) for who in (DANA, NIA)]
    kinds = [world.request(id_).resource for id_ in ids]
    made = made_again(world, world.fall_back())
    assert [one.id for one in made.endings] == ids
    world.work()
    for id_, resource in zip(ids, kinds, strict=True):
        assert world.request(id_).resource == resource or world.request(id_).resource is not None
        assert not world.has_access(id_)
        assert world.grant(id_).state is GrantState.REVOKED
    assert world.ledger.next_id() == "PA-3", "no number is given out again"
    found = world.ledger.read(keys.INSTALLATION).get(keys.INSTALLATION, Installation)
    assert found is not None
    assert found.id == LOG, "what is marked at targets is ours again"


def test_a_second_run_finds_nothing_to_do(world: Restored) -> None:
    world.keep()
    world.active()
    outside = world.fall_back()
    made_again(world, outside)
    world.work()
    head = world.ledger.head()
    assert made_again(world, outside).is_empty
    assert world.ledger.head() == head


def test_a_ledger_that_has_everything_is_left_alone(world: Restored) -> None:
    world.active()
    assert made_again(world, archived(world.ledger)).is_empty
    assert not stands(world.ctx)


@pytest.mark.parametrize("at", range(1, 9))
def test_a_run_that_is_killed_is_begun_again(world: Restored, at: int) -> None:
    """At each of its writes; what it wrote may have been carried out or not."""
    world.keep()
    ids = [world.active(who) for who in (DANA, NIA)]
    before = [entry.digest for entry in world.ledger.stored_entries(limit=1000)]
    outside = world.fall_back()
    for lost_after in (False, True):
        with suppress(LedgerUnreachable), killed_at(world.ledger, at, after=lost_after):
            made_again(world, outside)
    made_again(world, outside)
    world.work()
    assert [world.grant(id_).state for id_ in ids] == [GrantState.REVOKED] * 2
    assert not any(world.has_access(id_) for id_ in ids)
    assert [entry.digest for entry in world.ledger.stored_entries(limit=len(before))] == before
    assert all_faults(world.ledger) == []
    assert len(numbers(world, Event.LEDGER_ROLLED_BACK)) == 1


@contextmanager
def killed_at(ledger: MemoryLedger, at: int, *, after: bool) -> Iterator[None]:
    count = [0]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*args: Any, **rest: Any) -> Any:
            count[0] += 1
            if count[0] == at and not after:
                raise LedgerUnreachable("killed")
            answer = call(*args, **rest)
            if count[0] == at:
                raise LedgerUnreachable("killed")
            return answer

        return inner

    with pytest.MonkeyPatch.context() as patch:
        for name in ("commit", "put_back_entries", "raise_ids"):
            patch.setattr(ledger, name, counted(getattr(ledger, name)))
        yield


def test_what_is_over_by_the_archive_is_over(world: Restored) -> None:
    """A grant that was taken back, an ask that was denied, an ask that was approved and is over: none goes on from the copy."""
    world.policy.policy = policy(environment(entitlement(), entitlement("admin")))
    world.activate()
    given, denied, approved = world.active(DANA), world.asked(NIA), world.asked(OLU)
    waits = world.asked(DANA, role="admin")
    world.keep()
    assert isinstance(world.end(given), Outcome)
    world.deny(denied)
    assert isinstance(world.approve(approved, who=PAT), Outcome)
    world.work()
    assert isinstance(world.end(approved, OLU), Outcome)
    world.work()
    outside = world.fall_back()
    assert world.grant(given).state is GrantState.ACTIVE
    made = made_again(world, outside)
    assert (made.endings, sorted(made.overtaken)) == ((), sorted([given, denied, approved]))
    world.work()
    assert world.grant(given).state is GrantState.ENDED
    assert world.request(denied).state is RequestState.EXPIRED
    assert world.request(approved).state is RequestState.EXPIRED
    assert world.request(waits).state is RequestState.PENDING


def test_an_approval_of_a_gate_that_was_used_since_is_not_used_again(world: Restored) -> None:
    """The copy has it as approved, and another one as waiting; by the archive both runs went on."""
    world.policy.policy = gated()
    world.activate()
    world.knows(OLU)
    agreed, waiting = waits(world), waits(world, run=pipeline_run(run="2"))
    world.approve(agreed)
    world.work()
    world.keep()
    world.approve(waiting)
    world.work()
    for id_ in (agreed, waiting):
        assert isinstance(redeem(world.ctx, id_, None, f"first-{id_}"), Redeemed)
    made = made_again(world, world.fall_back())
    assert (made.endings, sorted(made.overtaken)) == ((), sorted([agreed, waiting]))
    assert isinstance(accept(world.ctx, "Rosa Ops", "looked at all of it"), Outcome)
    for id_ in (agreed, waiting):
        answer = redeem(world.ctx, id_, None, f"again-{id_}")
        assert isinstance(answer, Refused)
        assert answer.code is Code.GATE_OVER


def test_an_ask_of_the_copy_that_was_approved_since_is_ended_as_a_grant(world: Restored) -> None:
    asked = world.asked(NIA)
    world.keep()
    world.approve(asked)
    world.work()
    made_again(world, world.fall_back())
    world.work()
    assert world.request(asked).state is RequestState.APPROVED
    assert world.request(asked).holder == NIA
    assert world.grant(asked).state is GrantState.REVOKED
    assert not world.has_access(asked)


def test_a_number_that_the_older_copy_gave_out_again_stays_with_whom_it_has(world: Restored) -> None:
    world.keep()
    lost = world.active(DANA)
    resource = world.request(lost).resource
    assert resource is not None
    outside = world.fall_back()
    world.clock.advance(1)
    again = world.asked(NIA)
    assert again == lost
    made_again(world, outside)
    world.work()
    assert world.request(again).requester == NIA
    assert world.request(again).state is RequestState.PENDING
    assert not world.target(resource.kind).has(resource)
    (ended,) = (entry.subject for entry in world.all_entries() if entry.event is Event.GRANT_REVOKED)
    assert ended != lost


def test_what_an_emergency_gave_ends_and_bars_nobody(world: Restored) -> None:
    glass = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, max_per_day=2, review_within=HOUR)
    world.policy.policy = policy(environment(entitlement(), break_glass=glass))
    world.activate()
    world.knows(NIA)
    world.keep()
    ask = Ask("payments-prod", "read-only", None, "everything is down")
    answer = break_glass(world.ctx, ask, account(NIA), Origin(), "glass")
    assert isinstance(answer, Outcome)
    world.work()
    id_ = answer.id
    assert world.has_access(id_)
    resource = world.request(id_).resource
    assert resource is not None
    made_again(world, world.fall_back())
    world.work()
    assert not world.target(resource.kind).has(resource)
    assert world.grant(id_).state is GrantState.REVOKED
    assert numbers(world, Event.PERSON_BARRED) == []


def broke_the_glass(world: Restored) -> str:
    """Nia, in an emergency, after the copy was made. Returns the id."""
    glass = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, max_per_day=2, review_within=HOUR)
    world.policy.policy = policy(environment(entitlement(), break_glass=glass))
    world.activate()
    world.knows(NIA, OLU)
    world.keep()
    answer = break_glass(
        world.ctx, Ask("payments-prod", "read-only", None, "everything is down"), account(NIA), Origin(), "glass"
    )
    assert isinstance(answer, Outcome)
    world.work()
    return answer.id


def review(world: World, id_: str) -> Review | None:
    return world.ledger.read(keys.review(id_)).get(keys.review(id_), Review)


@pytest.mark.parametrize("over", [False, True])
def test_an_emergency_that_the_copy_does_not_know_owes_its_review_again(world: Restored, over: bool) -> None:
    id_ = broke_the_glass(world)
    if over:
        world.advance(31 * 60, step_s=60)
        assert world.grant(id_).state is GrantState.ENDED
    ended_at = world.grant(id_).closed_at
    outside = world.fall_back()
    assert review(world, id_) is None
    made_again(world, outside)
    world.work()
    found = review(world, id_)
    assert found is not None
    # Who it was stands in no archive that has no keys.
    assert (found.state, found.holder, found.due_at - found.since) == (ReviewState.OWED, "unknown", HOUR)
    assert found.due_at > world.ledger.now()
    assert world.ledger.members(keys.REVIEWS) == [id_]
    assert keys.review(id_) in world.ledger.due
    if over:
        # It is over as it was, and nothing is taken away once more.
        assert (world.grant(id_).state, world.grant(id_).closed_at) == (GrantState.ENDED, ended_at)
    assert made_again(world, archived(world.ledger)).is_empty
    assert isinstance(accept(world.ctx, "Rosa Ops", "looked at all of it"), Outcome)
    world.knows(OLU)
    answer = acknowledge(world.ctx, id_, account(OLU), "press")
    assert isinstance(answer, Outcome), answer
    assert all_faults(world.ledger) == []


def test_an_emergency_that_somebody_has_looked_at_owes_nothing(world: Restored) -> None:
    id_ = broke_the_glass(world)
    world.advance(31 * 60, step_s=60)
    world.knows(OLU)
    assert isinstance(acknowledge(world.ctx, id_, account(OLU), "press"), Outcome)
    made = made_again(world, world.fall_back())
    assert (made.reviews, review(world, id_)) == ((), None)


def opened_a_gate(world: Restored, *, known: bool = False) -> str:
    """Nia, in an emergency, for a run that Olu pushed; `known`: the copy has it as waiting."""
    glass = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, max_per_day=2, review_within=HOUR)
    found = replace(gate(), break_glass=True)
    world.policy.policy = gated(found, place={"break_glass": glass})
    world.activate()
    world.knows(NIA, OLU)
    by_olu = (starter(1002, "olu-gh"), starter(1002, "olu-gh", Part.PUSHED))
    if known:
        id_ = waits(world, run=pipeline_run(starters=by_olu))
        world.keep()
    else:
        world.keep()
        id_ = waits(world, run=pipeline_run(starters=by_olu))
    assert isinstance(break_open(world.ctx, id_, account(NIA), "everything is down", "glass"), Outcome)
    world.work()
    return id_


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("went_on", [False, True])
def test_a_gate_that_was_opened_in_an_emergency_owes_its_review_again(
    world: Restored, *, known: bool, went_on: bool
) -> None:
    id_ = opened_a_gate(world, known=known)
    if went_on:
        assert isinstance(redeem(world.ctx, id_, None, "r"), Redeemed)
    made_again(world, world.fall_back())
    world.work()
    found = review(world, id_)
    assert found is not None
    assert (found.state, found.environment) == (ReviewState.OWED, "payments-prod")
    assert world.ledger.members(keys.REVIEWS) == [id_]
    request = world.request(id_)
    assert request.break_glass
    # Nothing is let on by it: what had waited asks anew.
    assert request.state not in (RequestState.PENDING, RequestState.SCHEDULED)
    assert isinstance(redeem(world.ctx, id_, None, "r2"), Refused)
    assert made_again(world, archived(world.ledger)).is_empty
    assert isinstance(accept(world.ctx, "Rosa Ops", "looked at all of it"), Outcome)
    world.knows(PAT)
    answer = acknowledge(world.ctx, id_, account(PAT), "press")
    assert isinstance(answer, Outcome), answer
    assert all_faults(world.ledger) == []


def test_a_review_whose_number_is_somebody_elses_by_now_is_for_people(world: Restored) -> None:
    id_ = broke_the_glass(world)
    world.advance(31 * 60, step_s=60)
    outside = world.fall_back()
    world.clock.advance(5)
    assert world.asked(DANA) == id_
    made = made_again(world, outside)
    assert [(one.words, one.resource) for one in made.reviews] == [(f"{id_} read-only in payments-prod", None)]
    assert review(world, id_) is None


def test_access_that_a_grant_of_the_copy_covers_stays(world: Restored) -> None:
    """The same holding twice: what the copy knows goes on to its end."""
    world.policy.policy = policy(environment(entitlement(), entitlement("reader")))
    world.activate()
    known = world.active(DANA)
    world.keep()
    unknown = world.active(DANA, role="reader")
    made_again(world, world.fall_back())
    world.work()
    assert world.grant(unknown).covered_by == known
    assert world.has_access(known)
    assert world.grant(known).state is GrantState.ACTIVE


def test_an_archive_of_another_key_proves_nothing(world: Restored) -> None:
    world.active()
    outside = archived(world.ledger, key=THEIRS)
    with pytest.raises(NothingProven, match="another key"):
        read(world.ledger, outside, audit_entry)


def test_what_was_changed_in_the_archive_is_not_used(world: Restored) -> None:
    """As far as a signed head fits, it is."""
    world.keep()
    first = world.active(DANA)
    archive = MemoryArchive()
    outside = archived(world.ledger, archive)
    size = world.ledger.head()
    world.active(NIA)
    archived(world.ledger, archive, above=size)
    name = next(name for name in archive.objects if name == run_name(f"{LOG}/", size + 1, world.ledger.head()))
    archive.objects[name] = archive.objects[name].replace(b"read-only", b"read-onlx")
    world.fall_back()
    found = read(world.ledger, outside, audit_entry)
    assert found.size == size
    assert found.faults
    made = rebuild.plan(world.ctx, found, target_terms)
    assert [one.id for one in made.endings] == [first]


def test_entries_that_say_too_little_are_for_people(world: Restored) -> None:
    """Of a version before this one: what it is stands there, and not how it is reached."""
    world.keep()
    id_ = world.active(DANA)
    found = read(world.ledger, archived(world.ledger), audit_entry)
    (story,) = found.stories.open()
    less = {name: value for name, value in story.resource.items() if name != "target"}
    found.stories._open[id_] = replace(story, resource=less)
    world.ledger.put_back(world.kept)
    (one,) = rebuild.plan(world.ctx, found, target_terms).endings
    assert one.resource is None
    assert one.words.startswith(f"{id_} read-only in payments-prod: ")


# ---------------------------------------------------------------- names and reasons


def test_names_and_reasons_come_back_where_the_older_copy_has_their_keys(world: Restored) -> None:
    archive = SealedArchive()
    world.end(world.active(DANA), DANA)
    world.work()
    sealer(world, archive).seal()
    world.keep()
    unknown = world.active(DANA, reason="INC-9 only later")
    stranger = world.active(NIA, reason="INC-10 of whom the copy knows nothing")
    sealer(world, archive).seal()
    words = {entry.number: dict(entry.private) for entry in world.all_entries()}
    log = installation(world.ctx).id
    world.ledger.put_back(world.kept)
    world.ledger.trust()
    outside = Archived(archive, log, 1, Trust(OURS, verify, log), Shown(world.ledger, Cipher()))
    made = made_again(world, outside)
    assert {one.id for one in made.endings} == {unknown, stranger}
    told = {entry.number: dict(entry.private) for entry in world.all_entries() if entry.number in words}
    assert {number for number, said in told.items() if said not in (words[number], {})} == set()
    back = {said["reason"] for said in told.values() if "reason" in said}
    assert "INC-9 only later" in back
    assert "INC-10 of whom the copy knows nothing" not in back
    assert all_faults(world.ledger) == []
