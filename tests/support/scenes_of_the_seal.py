"""What is said of the audit log's seal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tests.support.build import NIA
from tests.support.scenes import scene
from tests.support.sealing import MemoryArchive, ToySigner, sealer
from tests.support.spoken import Listener
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.ledger_doubt import Sign
from workflows.core.records.retained import Retained
from workflows.ports import Change
from workflows.usecases.sealing.subjects import key_changed_at
from workflows.usecases.sealing.watch import BEHIND_S, SealWatch
from workflows.usecases.shared.context import event
from workflows.usecases.shared.ledger_doubt import raise_doubt
from workflows.usecases.shared.troubles import forget_what_is_over
from workflows.usecases.upkeep.retention.retainer import SUBJECT as RETAINED


@scene
def a_log_that_is_sealed(t: Listener) -> Iterator[tuple[str, ...]]:
    w, archive = t.world, MemoryArchive()
    sealer(w, archive).seal()
    t.brief = True
    yield ()


@scene
def an_entry_that_is_gone_before_it_is_sealed(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    seals = sealer(w)
    seals.seal()
    w.asked(NIA)
    del w.ledger._audit[-3:-1]
    seals.seal()
    t.brief = True
    yield ()


@scene
def a_seal_whose_key_does_not_answer(t: Listener) -> Iterator[tuple[str, ...]]:
    w, signer = t.world, ToySigner()
    seals = sealer(w, signer=signer)
    seals.seal()
    w.asked(NIA)
    signer.away = True
    for _ in range(4):
        seals.seal()
        w.clock.advance(30)
    t.brief = True
    yield ()
    signer.away = False
    seals.seal()
    yield ()


@scene
def a_seal_that_nobody_makes(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    sealer(w).seal()
    w.asked(NIA)
    watch = SealWatch(w.ctx, w.clock.monotonic, seals=False)
    for _ in range(6):
        watch.look()
        w.clock.advance(BEHIND_S)
    t.brief = True
    yield ()
    sealer(w).seal()
    watch.look()
    w.clock.advance(120)
    forget_what_is_over(w.ctx)
    yield ()


@scene
def a_seal_by_another_key(t: Listener) -> Iterator[tuple[str, ...]]:
    ctx = t.world.ctx
    snapshot, subject = ctx.ledger.read(), key_changed_at(7)
    facts = {"old": "9f" * 32, "new": "3a" * 32, "size": "7"}
    private = {"actor_name": "operator", "reason": "the old one was on a laptop that was stolen"}
    entry = event(ctx, Event.AUDIT_KEY_CHANGED, subject, snapshot, facts, private)
    due = {keys.chat(subject): snapshot.now + timedelta(seconds=1)}
    ctx.ledger.commit(Change("rotated", snapshot.now, {}, due=due, audit=(entry,)))
    t.brief = True
    yield ()


@scene
def what_is_over_that_has_left_for_the_archive(t: Listener) -> Iterator[tuple[str, ...]]:
    """Chat is told nothing of it: it was over long before."""
    ctx = t.world.ctx
    snapshot = ctx.ledger.read()
    entry = event(ctx, Event.AUDIT_RETAINED, RETAINED, snapshot, {"first": "7", "head": "9:3f9a1c0b2d4e"})
    older = Retained(7, requests=40, before=snapshot.now - timedelta(days=91))
    ctx.ledger.commit(Change("retained", snapshot.now, {keys.RETAINED: 0}, puts={keys.RETAINED: older}, audit=(entry,)))
    yield ()


@scene
def an_entry_that_was_changed_before_it_was_sealed(t: Listener) -> Iterator[tuple[str, ...]]:
    raise_doubt(t.world.ctx, Sign.CHANGED, {"seen": "1042"})
    t.brief = True
    yield ()
