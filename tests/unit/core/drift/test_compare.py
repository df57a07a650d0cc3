"""What a target holds against what the ledger says: each case of the table, and that nothing uncertain is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support import build
from workflows.core.drift.compare import SETTLED_AFTER, LedgerSide, compare
from workflows.core.records.drift import Drift, DriftKind
from workflows.core.records.grant import End, EndCause, Grant, GrantState
from workflows.core.records.holding import Baseline, Holding, Intent
from workflows.core.records.request import Decision
from workflows.core.records.target import Observation, Operation, OperationKind, OperationState, Presence, Resource
from workflows.core.rules.grant_terms import grant_for

NOW = build.NOW
STARTED = NOW - timedelta(seconds=5)
OURS, OTHER = "3f9a1c0b2d4e", "000000000000"
LONG_AGO = NOW - timedelta(hours=1)
JUST_NOW = STARTED - SETTLED_AFTER + timedelta(seconds=1)
RESOURCE = build.request().resource
assert RESOURCE is not None
H = RESOURCE.holding


def seen(resource: Resource = RESOURCE, presence: Presence = Presence.PRESENT, **changes: Any) -> Observation:
    return Observation(presence, resource, **changes)


def grant(**changes: Any) -> Grant:
    made = grant_for(build.request(), Decision("approval", LONG_AGO, ()))
    return replace(made, holding=H, **{"deadline": NOW + build.HOUR, **changes})


def ended(at: Any = LONG_AGO, **changes: Any) -> Grant:
    own = {"state": GrantState.ENDED, "activated_at": LONG_AGO, "closed_at": at, "end": End(EndCause.TIME, LONG_AGO)}
    return grant(**{**own, **changes})


def active(**changes: Any) -> Grant:
    return grant(**{"state": GrantState.ACTIVE, "activated_at": LONG_AGO, **changes})


def holding(**changes: Any) -> Holding:
    return replace(Holding(H, RESOURCE, baseline=Baseline.ABSENT, ours=True), **changes)


def open_(kind: DriftKind = DriftKind.STANDING) -> dict[str, Drift]:
    return {H: Drift(H, kind, RESOURCE, "s", (("payments-prod", "read-only"),), LONG_AGO, LONG_AGO)}


def found(side: LedgerSide, *listed: Observation, by_name: bool = False, was: Any = None) -> Any:
    return compare(listed, side, was or {}, told_by_name=by_name, started=STARTED, now=NOW)


def kinds(side: LedgerSide, *listed: Observation, by_name: bool = False) -> list[DriftKind]:
    return [one.kind for one in found(side, *listed, by_name=by_name).found]


NOTHING = LedgerSide(OURS)
GAVE = LedgerSide(OURS, ended={H: ended()})


@pytest.mark.parametrize(
    ("side", "mark", "by_name", "kind"),
    [
        (NOTHING, "", False, DriftKind.STANDING),
        (GAVE, "", False, DriftKind.ENDED),
        (NOTHING, OURS, True, DriftKind.UNKNOWN),
        (GAVE, OURS, True, DriftKind.ENDED),
        # A mark of a version before names nobody: it is ours only where this ledger gave it.
        (GAVE, "", True, DriftKind.ENDED),
        (NOTHING, "", True, DriftKind.FOREIGN),
        (NOTHING, OTHER, True, DriftKind.FOREIGN),
        # Two installations can use the same number: what another one wrote over ours is the other's.
        (GAVE, OTHER, True, DriftKind.FOREIGN),
    ],
)
def test_what_is_there_and_not_on_record(side: LedgerSide, mark: str, by_name: bool, kind: DriftKind) -> None:
    assert kinds(side, seen(mark=mark), by_name=by_name) == [kind]


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize(
    "side",
    [
        # A holding of its own: being given, being taken away, or still looked at.
        LedgerSide(OURS, busy=frozenset({H})),
        LedgerSide(OURS, busy=frozenset({H}), ended={H: ended()}),
        LedgerSide(OURS, active={H: (active(), holding())}),
        LedgerSide(OURS, active={H: (active(), None)}),
        # Over since a moment: lists may show it for a while.
        LedgerSide(OURS, ended={H: ended(at=JUST_NOW)}),
        LedgerSide(OURS, ended={H: ended(at=NOW)}),
        LedgerSide(OURS, ended={H: ended(at=None)}),
    ],
)
def test_what_the_ledger_knows_or_is_at_is_no_drift(side: LedgerSide, by_name: bool) -> None:
    assert kinds(side, seen(mark=OURS), by_name=by_name) == []


def test_what_cannot_be_seen_clearly_is_neither_found_nor_gone() -> None:
    unclear = seen(presence=Presence.UNKNOWN, detail="denied")
    said = found(NOTHING, unclear, was=open_())
    assert (said.found, said.gone, said.missing) == ((), (), ())
    said = found(LedgerSide(OURS, active={H: (active(), holding())}), unclear)
    assert said.missing == ()


def test_what_a_list_lacks_is_a_candidate_and_no_more() -> None:
    assert found(NOTHING, was=open_()).gone == (H,)
    assert found(NOTHING, seen(), was=open_()).gone == ()
    # Ours by now: what was found is over.
    assert found(LedgerSide(OURS, busy=frozenset({H})), seen(), was=open_()).gone == (H,)


def missing(one: Grant, held: Holding | None) -> tuple[Grant, ...]:
    return tuple(found(LedgerSide(OURS, active={H: (one, held)})).missing)


def test_active_access_that_a_list_lacks_is_missed() -> None:
    assert missing(active(), holding()) == (active(),)
    assert found(LedgerSide(OURS, active={H: (active(), holding())}), seen()).missing == ()


@pytest.mark.parametrize(
    ("one", "held"),
    [
        (active(activated_at=JUST_NOW), holding()),
        (active(deadline=NOW), holding()),
        (active(state=GrantState.REVOKING), holding()),
        (active(activated_at=None), holding()),
        (active(extended_to=NOW + 2 * build.HOUR), holding()),
        (active(), None),
        (active(), holding(baseline=Baseline.STANDING)),
        (active(), holding(ours=False)),
        (active(), holding(lost=True)),
        (active(), holding(next_try=NOW)),
        (active(), holding(doubt_until=NOW)),
        (active(), holding(operation=Operation(OperationKind.GRANT, OperationState.IN_PROGRESS, "op"))),
        (active(), holding(intent=Intent(OperationKind.GRANT, 1, NOW, NOW))),
    ],
)
def test_access_in_the_middle_of_something_is_not_missed(one: Grant, held: Holding | None) -> None:
    assert missing(one, held) == ()
