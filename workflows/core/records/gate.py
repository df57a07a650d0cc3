"""What of a pipeline's token is remembered, so that it is taken once; and what its ask gives the pipeline's own role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core.provider import TargetTerms
from workflows.core.records.target import Resource


@dataclass(frozen=True, slots=True)
class TokenOnce:
    """`id`: digests of issuer and `jti`. `until`: from then on the token has run out by itself, and this may go."""

    id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Giving:
    """What the pipeline's own role is given when its run takes the approval, and for how long at most. `resource`: None until a
    worker has looked it up; nobody is asked before.
    """

    target: TargetTerms
    duration_s: int
    resource: Resource | None = None

    @property
    def duration(self) -> timedelta:
        return timedelta(seconds=self.duration_s)
