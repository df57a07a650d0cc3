"""However many grants there are, a process holds so many of them at a time: counted, not weighed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from bench.filled import everything, written
from bench.place import DEVELOPERS, person
from bot.observability.faults import Faults
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.wiring.common import RandomSource
from tests.support.installation import PEOPLE, write_policy
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.people import GroupFacts, PersonId
from workflows.core.policy import OnMover
from workflows.core.records.grant import Grant
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.rules.leaving import Looked
from workflows.ledger import codec
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import PolicyFolder
from workflows.ports import WALKED_AT_ONCE, Change, Committed, Snapshot
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.drift.ledger_side import MISSED_MAX, ledger_side
from workflows.usecases.drift.plan import plan
from workflows.usecases.identity.leavers import look_at_holders
from workflows.usecases.oversight.access_review import report_between
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.perhaps_given import take_for_ours
from workflows.usecases.shared.target_users import adopt_users

GRANTS = 3 * WALKED_AT_ONCE
PLACES = range(20)
# A part that is being read, and the one before it.
HELD_MAX = 2 * WALKED_AT_ONCE


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerContext]:
    folder = tmp_path_factory.mktemp("grown")
    with pytest.MonkeyPatch.context() as patch, EmbeddedValkey(folder / "data") as server:
        for number in range(GRANTS // len(PLACES)):
            patch.setitem(PEOPLE, person(DEVELOPERS, number), f"U0CROWD{number}")
        client = redis.Redis.from_url(server.url)
        write_policy(folder / "config", numbers=PLACES)
        policy = PolicyFolder(folder / "config", monotonic=time.monotonic)
        ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
        later = ledger.now() + timedelta(hours=2)
        chosen = islice(enumerate(one for one in everything() if one[1] in PLACES), GRANTS)
        written(ledger, policy.current(), chosen, lambda n: later + timedelta(seconds=n // 3), "T0EXAMPLE")
        ctx = _worker(ledger, RedisDirectory(client), policy)
        # Else nobody is looked at for having moved.
        assert policy.current().on_mover is OnMover.TELL
        puts = {keys.ACTIVE_POLICY: ActivePolicy(policy.current().hash, ledger.now())}
        assert isinstance(ledger.commit(Change("in force", ledger.now(), dict.fromkeys(puts, 0), puts)), Committed)
        # `counting` freezes what is there, and what is garbage should not stay for that.
        gc.collect()
        yield ctx
        client.close()


def _worker(ledger: RedisLedger, directory: RedisDirectory, policy: PolicyFolder) -> WorkerContext:
    nobody: Any = SimpleNamespace(look_at=lambda *_: Looked(), refresh_groups=lambda *_: GroupFacts())
    nothing: Any = SimpleNamespace()
    return WorkerContext(
        ledger,
        directory,
        policy,
        lambda *_: None,
        RandomSource(),
        fault=Faults(None),
        targets=nothing,
        refresher=nobody,
        lease_renewer=nothing,
        prove_origin=lambda _policy, origin: origin,
        monotonic_s=time.monotonic,
    )


@contextmanager
def counting(ctx: WorkerContext, patch: pytest.MonkeyPatch) -> Iterator[Callable[[], tuple[int, int]]]:
    """How many grants were there at most when something was read, and how many were read in all."""
    most, all_, read = 0, 0, RedisLedger.read

    def counted(self: RedisLedger, *keys: str, **asked: Any) -> Snapshot:
        nonlocal most, all_
        found = read(self, *keys, **asked)
        all_ += sum(isinstance(item.record, Grant) for item in found.items.values())
        if len(keys) > 1:
            most = max(most, sum(isinstance(one, Grant) for one in gc.get_objects()))
        return found

    # What is there already is not looked through again at each read: the process has run thousands of other tests.
    gc.freeze()
    patch.setattr(RedisLedger, "read", counted)
    yield lambda: (most, all_)


def test_the_look_at_all_who_hold_something_holds_a_part_of_it(
    grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counting(grown, monkeypatch) as seen:
        look_at_holders(grown)
        most, all_ = seen()
    assert all_ >= GRANTS, "all of them are looked at"
    assert most <= HELD_MAX


@pytest.mark.parametrize("look", [take_for_ours, adopt_users])
def test_what_goes_over_all_grants_once_holds_a_part_of_them(
    look: Callable[[WorkerContext], None], grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counting(grown, monkeypatch) as seen:
        look(grown)
        most, all_ = seen()
    assert all_ >= GRANTS
    assert most <= HELD_MAX


def test_a_comparison_with_targets_is_planned_a_part_at_a_time(
    grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counting(grown, monkeypatch) as seen:
        planned = plan(grown, grown.policy.current())
        most, all_ = seen()
    assert all_ >= GRANTS, "what people have of their own is looked at whoever may ask for it"
    assert most <= HELD_MAX
    assert any(look.own for look in planned.looks)


def test_one_list_is_held_against_a_part_of_what_is_live_at_a_time(
    grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the list has nothing of all that should be on it, too."""
    policy = grown.policy.current()
    (first, *others) = (one for one in plan(grown, policy).looks if one.roles[0][1] == "read-only")
    # As if all of it were in one account.
    monkeypatch.setattr(type(first.terms), "scope", lambda _: ("same",))
    everywhere = replace(first, roles=tuple(role for one in (first, *others) for role in one.roles))
    with counting(grown, monkeypatch) as seen:
        side = ledger_side(grown, everywhere, [], {}, grown.ledger.now())
        most, all_ = seen()
    assert all_ >= GRANTS
    assert len(side.active) == MISSED_MAX
    assert most <= HELD_MAX


def test_a_list_of_one_person_is_held_against_what_they_have(
    grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, who = grown.policy.current(), PersonId(f"{person(DEVELOPERS, 1)}@example.com")
    look = next(one for one in plan(grown, policy).looks if one.own)
    with counting(grown, monkeypatch) as seen:
        ledger_side(grown, replace(look, people=(who,)), [], {}, grown.ledger.now())
        _, all_ = seen()
    assert all_ == grown.ledger.count(keys.of_person(keys.LIVE, who)) < GRANTS


def test_one_person_more_is_one_more_to_fill_in_however_many_places_there_are(
    grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that each person has by a name of their own, and that hundreds of environments give."""
    filled: list[Any] = []
    terms = AwsSpec.terms
    monkeypatch.setattr(AwsSpec, "terms", lambda *asked: filled.append(asked) or terms(*asked))
    policy, counts = grown.policy.current(), list[int]()
    for more in ([], [f"more{number}@example.com" for number in range(3)]):
        developers = policy.groups["developers"]
        members = frozenset({*(developers.members or ()), *map(Address, more)})
        groups = {**policy.groups, "developers": replace(developers, members=members)}
        plan(grown, replace(policy, groups=groups))
        counts.append(len(filled))
        filled.clear()
    families = 1
    assert counts[1] - counts[0] == 3 * families


def test_of_the_audit_log_the_report_makes_out_what_it_needs_alone(
    grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_out: list[int] = []
    whole = codec.audit_entry
    monkeypatch.setattr(codec, "audit_entry", lambda stored: made_out.append(stored.number) or whole(stored))
    now = grown.ledger.now()
    found = report_between(grown, now - timedelta(days=1), now)
    assert len(found.rows) == GRANTS
    # Where the log and the period begin; of three entries for each grant the report needs none.
    assert len(made_out) < GRANTS / 10
