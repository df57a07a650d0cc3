"""Access that the record does not know, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from bot.chat.messages.drift import LEAVE, REMOVE
from tests.support import build
from tests.support.build import DANA, NIA, OLU, PAT, SUE
from tests.support.drift import WRITE, by_hand, marks, mine, passed, settle
from tests.support.scenes import done, rules, scene
from tests.support.spoken import Listener
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.policy import Digest, OnDrift, Visibility
from workflows.core.records.installation import Installation
from workflows.ports import Change
from workflows.targets.aws.kinds import AwsKind
from workflows.usecases.drift.press import decide
from workflows.usecases.oversight.policy_activation import digest_key

MINUTES = timedelta(minutes=11)


def told_by_name(t: Listener, drift: OnDrift = OnDrift.REVOKE) -> World:
    """One role, of which ours is told by name."""
    hidden = rules().environments["books-prod"]
    place = build.environment(WRITE, drift=drift)
    t.world.policy.policy = replace(t.world.policy.policy, environments={place.name: place, hidden.name: hidden})
    marks(t.world)
    t.brief = True
    return t.world


def _denied(t: Listener) -> str:
    id_ = t.world.asked(DANA, role="write")
    done(t.world.deny(id_, OLU))
    return id_


@scene
def access_that_somebody_gave_past_us(t: Listener) -> Iterator[tuple[str, ...]]:
    """An assignment by hand, which stands until somebody takes it away by hand."""
    one = by_hand(t.world, NIA)
    t.brief = True
    passed(t.world)
    yield ()
    t.world.target().take(one)
    passed(t.world, MINUTES)
    yield ()


@scene
def access_in_an_environment_of_which_others_see_little(t: Listener) -> Iterator[tuple[str, ...]]:
    place = t.world.policy.policy.environments["payments-prod"]
    hidden = replace(place, visibility=Visibility.MEMBERS)
    t.world.policy.policy = replace(t.world.policy.policy, environments={place.name: hidden})
    by_hand(t.world, NIA)
    t.brief = True
    passed(t.world)
    _digested(t)
    yield ()


def _digested(t: Listener) -> None:
    plan = Digest(("C0RECEIPTS",), "0 9 * * *")
    t.world.policy.policy = replace(t.world.policy.policy, digests=(plan,))
    t.sender.post_digest(digest_key(plan))


@scene
def access_that_is_there_again_and_access_that_is_gone(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    ended = w.active(DANA, role="read-only")
    done(w.end(ended))
    kept = w.active(DANA, role="quick")
    settle(w)
    t.brief = True
    by_hand(w, DANA)
    by_hand(w, NIA)
    passed(w)
    _digested(t)
    yield (kept,)


@scene
def access_that_is_gone_at_its_target(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    id_ = w.active(DANA)
    settle(w)
    t.brief = True
    w.target().take(w.grant(id_).resource)
    passed(w)
    yield (id_,)
    done(w.end(id_))
    settle(w)
    passed(w)
    yield (id_,)


@scene
def access_of_ours_and_of_others_by_name(t: Listener) -> Iterator[tuple[str, ...]]:
    w = told_by_name(t)
    by_hand(w, DANA, _denied(t), mine(w))
    by_hand(w, NIA, "PA-7", "00000000000f")
    passed(w)
    yield ()
    # Nothing of it is asked about: what carries our mark goes, what carries another one stays.
    passed(w, MINUTES)
    w.advance(30, step_s=3)
    yield ()


def _other_epoch(w: World) -> None:
    snapshot = w.ledger.read(keys.INSTALLATION)
    found = snapshot.get(keys.INSTALLATION, Installation)
    assert found is not None
    raised = replace(found, epoch=found.epoch + 1)
    w.ledger.commit(Change(w.press_id(), snapshot.now, snapshot.versions(), puts={keys.INSTALLATION: raised}))


@scene
def access_that_waits_for_security(t: Listener) -> Iterator[tuple[str, ...]]:
    w = told_by_name(t)
    by_hand(w, DANA, _denied(t), mine(w))
    passed(w)
    _other_epoch(w)
    passed(w, MINUTES)
    t.presses_at = [(SUE, REMOVE, "1"), (OLU, REMOVE, "1"), (SUE, LEAVE, "1"), (SUE, REMOVE, "7")]
    yield ()
    w.knows(SUE)
    done(decide(w.ctx, 1, account(SUE), w.press_id(), goes=True))
    yield ()


@scene
def access_that_security_leaves(t: Listener) -> Iterator[tuple[str, ...]]:
    w = told_by_name(t)
    by_hand(w, PAT, "PA-999", mine(w))
    done_once = w.active(PAT, role="write")
    done(w.end(done_once, PAT))
    settle(w)
    passed(w)
    passed(w, MINUTES)
    t.presses_at = [(PAT, LEAVE, "1")]
    yield ()
    w.knows(SUE)
    done(decide(w.ctx, 1, account(SUE), w.press_id(), goes=False))
    yield ()


@scene
def much_access_that_waits_and_is_gone_before_anybody_has_looked(t: Listener) -> Iterator[tuple[str, ...]]:
    w = told_by_name(t)
    every = [by_hand(w, DANA, f"PA-{number}", mine(w)) for number in range(90, 97)]
    passed(w)
    passed(w, MINUTES)
    w.jump(600)
    keeper = w.witness()
    keeper.look()
    yield ()
    for one in every:
        w.target(AwsKind.IAM_POLICY).take(one)
    passed(w, MINUTES)
    yield ()
