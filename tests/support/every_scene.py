"""All scenes there are, from the files that tell them."""

from __future__ import annotations

from tests.support import (
    scenes_of_accounts,
    scenes_of_activity,
    scenes_of_certification,
    scenes_of_drift,
    scenes_of_gates,
    scenes_of_refusals,
    scenes_of_terminals,
    scenes_of_the_house,
    scenes_of_the_seal,
)
from tests.support.scenes import SCENES as TOLD
from tests.support.scenes import STEPS, Scene, done, rules

__all__ = [
    "SCENES",
    "STEPS",
    "done",
    "rules",
    "scenes_of_accounts",
    "scenes_of_activity",
    "scenes_of_certification",
    "scenes_of_drift",
    "scenes_of_gates",
    "scenes_of_refusals",
    "scenes_of_terminals",
    "scenes_of_the_house",
    "scenes_of_the_seal",
]


def _place(walk: Scene) -> tuple[str, int]:
    return walk.__module__, walk.__code__.co_firstlineno


# As they stand in their files, whichever of them another test has imported before: what is said in several scenes stands in the
# golden file of the first.
SCENES = dict(sorted(TOLD.items(), key=lambda one: _place(one[1])))
