"""Anything is killed at any moment, again and again; when it is over everything is as the record says."""

from __future__ import annotations

import os
import random
import time

import pytest

from bot.sandbox.aws.operations import Plan
from bot.sandbox.slack import words
from tests.chaos.rig import Rig, id_of
from tests.support.installation import SHORT, SHORT_S

SEEDS = [int(seed) for seed in os.environ.get("CHAOS_SEEDS", "7").split(",")]


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_ends_once_whatever_is_killed_when(rig: Rig, seed: int) -> None:
    dice = random.Random(seed)
    rig.aws.proxy.operations.default = Plan(delay_s=0.2)
    roles = ["read-only", "state-write", "readers", "deploy"]
    cases = [rig.case() for _ in roles]
    cards = [case.asked(role=role, rest=SHORT) for case, role in zip(cases, roles, strict=True)]
    for case, card in zip(cases, cards, strict=True):
        case.approve(card)
    started_at = time.monotonic()
    while time.monotonic() - started_at < SHORT_S + 2.0:
        kind = dice.choice(["worker", "worker", "worker", "clock", "redis"])
        pause_until = time.monotonic() + dice.uniform(0.1, 1.2)
        rig.until(lambda until=pause_until: time.monotonic() > until, "a moment")
        if kind == "redis":
            rig.redis.restart()
        else:
            rig.kill(kind)
            if dice.random() < 0.7:
                rig.launch(kind)
            else:
                rig.relaunch(kind)
    for kind in ("worker", "clock"):
        rig.kill(kind)
        rig.relaunch(kind)
    pairs = list(zip(cases, roles, strict=True))
    rig.until(lambda: all(rig.gone(case, role) for case, role in pairs), "all gone")
    over = ("Ended", "Not given")
    rig.until(lambda: all(any(word in words(case.cards()[0]) for word in over) for case in cases), "said")
    for case, card in zip(cases, cards, strict=True):
        rig.one_card(case)
        rig.assert_once(id_of(card), "request.made", "request.approved")
        found = rig.events(id_of(card))
        assert found["grant.ended"] + found["grant.activation_failed"] == 1, found
        assert found["grant.active"] <= 1, found
        assert found["grant.ended"] == found["grant.active"], found
    numbers = [entry.number for entry in rig.audit()]
    assert numbers == list(range(1, len(numbers) + 1))
    rig.until(lambda: sum(any(word in root.text for word in over) for root in rig.roots()) == len(cases), "receipts")
    roots = rig.roots()
    assert len(roots) == len(cases), [words(root) for root in roots]
    for root in roots:
        lines = rig.lines(root)
        assert len(lines) == len(set(lines)), lines
