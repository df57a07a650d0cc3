"""All scenes there are, from the files that tell them."""

from __future__ import annotations

from tests.support import scenes_of_accounts, scenes_of_refusals, scenes_of_the_house
from tests.support.scenes import SCENES, STEPS, done, rules

__all__ = ["SCENES", "STEPS", "done", "rules", "scenes_of_accounts", "scenes_of_refusals", "scenes_of_the_house"]
