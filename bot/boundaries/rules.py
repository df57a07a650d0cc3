"""What a forge says of its environments and branches, beside what stands in files."""

from __future__ import annotations

from typing import Protocol

from bot.boundaries.model import Evidence


class Rules(Protocol):
    """Each answers for itself: yes, no, or not known with why. Nothing raises."""

    def is_of(self, repository: str) -> bool:
        """Whether it is this repository, `OWNER/NAME`, that is asked about."""

    def waits(self, environment: str, app_rule: bool) -> Evidence:
        """Whether a job for that environment waits for somebody else. `app_rule`: the policy says that our rule stands there."""

    def branches(self, environment: str) -> Evidence:
        """Whether it takes protected branches alone."""

    def reviewers(self, environment: str) -> Evidence:
        """Whether somebody is named who lets jobs on."""

    def owners_review(self) -> Evidence:
        """Whether the default branch wants the review of code owners."""

    def owners_exist(self) -> Evidence:
        """Whether the forge understands each line of CODEOWNERS."""

    def notes(self) -> tuple[str, ...]:
        """What was not looked at, each a sentence."""
