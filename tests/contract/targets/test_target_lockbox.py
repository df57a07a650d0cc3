"""A provider that is none of the product's keeps what every target promises: the same tests, on a rig of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.targets.target_rigs import PERSON, STRANGER, Rig
from tests.contract.targets.test_target_contract import *  # noqa: F403 - its tests run on the rig below
from tests.support.lockbox import KIND, LOCKBOX, Cabinet, LockboxTerms
from workflows.core.identity import Address
from workflows.core.provider import TargetTerms, registered
from workflows.core.records.target import Resource
from workflows.core.refusal import Code

NAMES = {"look up": "resolve"}


class LockboxRig(Rig):
    kind = KIND  # type: ignore[assignment]  # the other rigs are AWS's
    unknown_code = Code.TARGET_PERSON_MISSING

    def __init__(self) -> None:
        super().__init__()
        self.target = self.cabinet = Cabinet({PERSON: "key-1"})

    def terms(self, **changed: Any) -> TargetTerms:
        return LockboxTerms(KIND, "main", "R2", "drawer-7", **changed)

    def unknown(self) -> tuple[TargetTerms, Address]:
        return self.terms(), STRANGER

    def installation(self, mark: str) -> None:
        """A key carries nobody's mark."""

    def readdress(self, resource: Resource, address: Address) -> None:
        self.cabinet.people = {address: resource.user_id}

    def make_anew(self) -> None:
        self.cabinet.people = {PERSON: "key-2"}

    def changes(self) -> int:
        return self.cabinet.changes

    def calls(self) -> int:
        return self.cabinet.calls

    def throttle(self, name: str) -> None:
        self.cabinet.faults[NAMES.get(name, name)] = ["throttle"]

    def lose(self, *, applied: bool) -> None:
        for name in ("grant", "revoke"):
            self.cabinet.faults[name] = ["keep" if applied else "lose"]

    def refuse(self, name: str) -> None:
        self.cabinet.faults[name] = ["refuse"]

    def stale(self) -> None:
        self.cabinet.stale = True


@pytest.fixture
def rig() -> Iterator[LockboxRig]:
    with registered(LOCKBOX):
        yield LockboxRig()
