"""What a pipeline's wait for an environment's owner is about, in the place where a request for access has a target.

No provider has this kind. So no worker finds a target for it, and a process of a version before gates cannot read a request
that carries it: neither can give anything by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from workflows.core.identity import Address
from workflows.core.provider import NAME, Connection, TargetSpec, TargetTerms

KIND = "gate"
# By an approval of which the pipeline's own role is given something: a version that does not know that cannot read it.
KIND_GIVING = "gate-with-target"
_PIPELINE = "the pipeline"


class NothingToGive(Exception):
    """Something wanted to give access by a gate. A use case that gets here has a fault."""


@dataclass(frozen=True, slots=True)
class NoConnection(Connection):
    """A gate is reached through nothing."""

    provider: ClassVar[str] = _PIPELINE

    def phrase(self) -> str:
        return KIND


NO_CONNECTION = NoConnection("", KIND)


@dataclass(frozen=True, slots=True)
class GateSpec(TargetSpec):
    """Of the policy's side of a gate."""

    provider: ClassVar[str] = _PIPELINE

    def terms(
        self,
        connection: Connection,  # noqa: ARG002 - as all targets have it
        environment: str,
        account: str | None,  # noqa: ARG002 - as above
        address: Address | None,  # noqa: ARG002 - as above
    ) -> TargetTerms:
        raise NothingToGive(f"a gate of {environment} is asked for by a pipeline alone")

    def phrase(self) -> str:
        return KIND


GATE_SPEC = GateSpec(KIND)


@dataclass(frozen=True, slots=True)
class GateTerms(TargetTerms):
    """Which run of which pipeline may go on, once. All of it comes from proved claims.

    `run_key`: a digest of repository, commit, run, attempt and job; an approval is for it alone.
    """

    words: ClassVar[Mapping[str, str]] = {NAME: _PIPELINE}

    gate: str = ""
    repository: str = ""
    commit: str = ""
    run_key: str = ""

    def same_access(self, held: TargetTerms) -> bool:
        return self == held

    def user_of(self, ids: Mapping[str, str]) -> str:  # noqa: ARG002 - as all targets have it
        raise NothingToGive("a gate has no user in a target")


@dataclass(frozen=True, slots=True)
class GivingTerms(GateTerms):
    """The same of a gate with a target. `gives`: a digest of what exactly the pipeline's role is given; `Terms.duration_s` says
    for how long.
    """

    gives: str = ""
