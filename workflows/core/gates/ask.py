"""A pipeline's ask for a gate, as it stands in its request: which run asks, who began it, and how far its approval has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core.identity import Account, AccountId, PersonId
from workflows.core.pipelines.identity import Part, PipelineRun, StarterId

# Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows; GitLab calls the
# first one the same: https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
BY_ITSELF = frozenset({"schedule", "merge_group"})
# An approval is given out within this after a worker has looked at it; then another look comes first.
LOOK_HOLDS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Starter:
    """Somebody who started a run, ran it again or pushed its commit. `person` None: nobody knows who that is."""

    part: Part
    # As the forge writes it; empty where it names nobody.
    name: str
    person: PersonId | None = None
    person_name: str = ""
    number: int | None = None

    @property
    def one(self) -> tuple[str, str]:
        """Who it is, as far as it can be told from another one who is not known either."""
        if self.number is not None:
            return "number", str(self.number)
        return ("name", self.name) if self.name else ("part", self.part.value)


@dataclass(frozen=True, slots=True)
class Emergency:
    """Who opened it alone, by which account, and why. `slack`: where they are written to, in whichever chat."""

    by: PersonId
    by_name: str
    account: AccountId
    slack: Account
    reason: str


@dataclass(frozen=True, slots=True)
class GateAsk:
    """`url`: as it was typed, and no link is made of it. `wait_ticket`: SHA-256 of the newest one, 64 hex digits.

    `looked_at`: when a worker had looked at it, and people were asked; None before. `checked_at`: when a worker last derived the
    approval again; None: it is not given out before one has. `redeemed_at`: when the run took it. `told_at`: where something is
    given by it, when the run was told that it is there.

    `rule`: where a protection rule of the forge asked: its `ForgeWait`; empty where the job itself did. Then a worker takes the
    approval and tells the forge. `let_on_at`: when the forge had it; `held_up`: why it has not yet; `not_taken`: why it never
    will. `emergency`: where nobody agreed to it, and somebody opened it by break-glass.
    """

    gate: str
    run: PipelineRun
    url: str
    wait_ticket: str
    starters: tuple[Starter, ...] = ()
    looked_at: datetime | None = None
    checked_at: datetime | None = None
    redeemed_at: datetime | None = None
    told_at: datetime | None = None
    rule: str = ""
    let_on_at: datetime | None = None
    held_up: str = ""
    not_taken: str = ""
    emergency: Emergency | None = None

    @property
    def is_being_told(self) -> bool:
        """Whether the approval is taken, and the forge that waits for it does not know yet."""
        return bool(self.rule) and self.redeemed_at is not None and self.let_on_at is None and not self.not_taken

    @property
    def barred(self) -> tuple[PersonId, ...]:
        """Who does not approve: everybody who is known to have begun it."""
        return tuple(dict.fromkeys(one.person for one in self.starters if one.person is not None))

    @property
    def answerable(self) -> tuple[PersonId, ...]:
        """Whose run it is, as far as it is anybody's: who began it, and who opened the gate for it."""
        opened = (self.emergency.by,) if self.emergency is not None else ()
        return tuple(dict.fromkeys((*self.barred, *opened)))

    @property
    def unknown(self) -> tuple[Starter, ...]:
        """Who is not known; each may be one of those who agree. The same one in two parts is one, and what starts by itself is
        nobody beside whoever pushed."""
        nameless = [one for one in self.starters if one.person is None]
        people = [one for one in nameless if not (self.by_itself and one.part is Part.STARTED)]
        return tuple({one.one: one for one in people or nameless}.values())

    @property
    def by_itself(self) -> bool:
        """Whether a schedule or a merge queue started it, and no human by hand."""
        return self.run.event in BY_ITSELF

    def given_out(self, now: datetime) -> bool:
        """Whether the run may take its approval now, as far as the look at it is young enough."""
        return self.checked_at is not None and timedelta(0) <= now - self.checked_at <= LOOK_HOLDS


_PIPELINE = "pipeline:"


def is_pipeline(who: PersonId) -> bool:
    """Whether this is no person, but a pipeline in whose name something is asked for or held."""
    return who.startswith(_PIPELINE)


def pipeline_person(run: PipelineRun) -> PersonId:
    """In whose name a pipeline asks: equal to no person's id, and in no group. It is the same whatever it is called."""
    return PersonId(f"{_PIPELINE}{run.forge}:{run.issuer.removeprefix('https://')}:{run.repository_id}")


def starters_of(run: PipelineRun, whose: Iterable[tuple[StarterId, PersonId | None, str]]) -> tuple[Starter, ...]:
    """`whose`: of each of the run's starters, in their order, the person and their name, as far as they are known."""
    found = {id_: (person, name) for id_, person, name in whose}
    nobody: tuple[PersonId | None, str] = (None, "")
    return tuple(Starter(one.part, one.name, *found.get(one, nobody), number=one.number) for one in run.starters)
