"""A run that a forge holds back, as the API of GitHub or GitLab tells of it. Pure.

A message, or a list, says which deployment waits; commit, attempt and who began it are asked of the API, and both must tell the
same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.claims import BY_NOBODY, github_server
from workflows.core.pipelines.identity import Forge, Part, PipelineRun, StarterId
from workflows.core.pipelines.judge import NotAllowed, Why
from workflows.core.records.forge import ForgeWait


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at the forge. `number`: None for a bot, and where there is nobody."""

    number: int | None
    name: str


@dataclass(frozen=True, slots=True)
class RunSeen:
    """`branch`: its short name, which may be a tag's. `home_id`: the repository in which the commit stands; of a fork's run
    another one. `workflow`: the file's path; empty where the API does not tell. `again_by`: who ran it again; at GitLab who
    executes the job, if somebody else began the pipeline.
    """

    repository: str
    repository_id: str
    owner_id: str
    home_id: str
    branch: str
    commit: str
    run: str
    attempt: str
    workflow: str
    event: str
    actor: Account
    again_by: Account
    title: str
    over: bool


@dataclass(frozen=True, slots=True)
class BranchSeen:
    """`holds`: the run's commit is on it."""

    protected: bool
    holds: bool


def forge_of(wait: ForgeWait) -> Forge:
    return Forge.GITLAB if wait.gitlab else Forge.GITHUB


def rule_of(pipelines: Iterable[Pipeline], wait: ForgeWait) -> Pipeline | None:
    """The pipeline of the policy whose environment at the forge waits for a gate. No two can have the same one."""
    sought = (forge_of(wait), wait.repository_id, wait.owner_id, wait.environment)
    return next(
        (
            one
            for one in pipelines
            if one.rule
            and (one.forge, one.repository_id, one.owner_id, one.environment) == sought
            and wait.gitlab in ("", one.issuer)
        ),
        None,
    )


def run_now(rule: Pipeline, wait: ForgeWait, seen: RunSeen) -> PipelineRun:
    """The run as it is now, with another key after it was run again. Who began it, and its branch, is not looked at."""
    return _run(rule, wait, seen, None, ())


def unfit(wait: ForgeWait, seen: RunSeen) -> NotAllowed | None:
    """Why the run is none that this message can be about."""
    if (seen.repository_id, seen.owner_id) != (wait.repository_id, wait.owner_id) or seen.run != wait.run:
        return NotAllowed(
            Why.REPOSITORY, f"The run {wait.run} is of another repository than the message that asks for it."
        )
    if seen.home_id != wait.repository_id:
        return NotAllowed(Why.REPOSITORY, "The commit of this run stands in a fork.")
    if seen.commit != wait.commit:
        return NotAllowed(Why.CLAIMS, f"The run {wait.run} has another commit than the deployment that waits.")
    return None


def run_of_rule(
    rule: Pipeline,
    wait: ForgeWait,
    seen: RunSeen,
    branch: BranchSeen | None,
    authors: Collection[int],
    known: Collection[int],
) -> PipelineRun | NotAllowed:
    """`branch`: None where there is no branch of that name. `authors`: of its commit. `known`: whom the policy lists by these
    numbers; others among authors and the message's people bar nobody, and cost no further approver.
    """
    if problem := unfit(wait, seen):
        return problem
    if branch is None or not branch.holds:
        sentence = (
            f"The commit of this run is not on a branch {seen.branch!r}: at this gate only branches are deployed."
        )
        return NotAllowed(Why.REF, sentence)
    return _run(rule, wait, seen, branch.protected, _starters(wait, seen, authors, known))


def _run(
    rule: Pipeline, wait: ForgeWait, seen: RunSeen, protected: bool | None, starters: tuple[StarterId, ...]
) -> PipelineRun:
    ref, at_gitlab = f"refs/heads/{seen.branch}", bool(wait.gitlab)
    return PipelineRun(
        issuer=rule.issuer,
        forge=forge_of(wait),
        repository=seen.repository,
        repository_id=wait.repository_id,
        owner_id=seen.owner_id,
        ref=ref,
        ref_protected=protected,
        commit=seen.commit,
        run=wait.run,
        attempt=seen.attempt,
        # A word of ours at GitLab, where a job's own token has the number of the job here.
        job=f"deployment-{wait.deployment}" if at_gitlab else wait.deployment,
        environment=wait.environment,
        workflow=f"{seen.repository}/{seen.workflow}@{ref}" if seen.workflow else "",
        event=seen.event,
        actor_id=str(seen.actor.number or ""),
        starters=starters,
        server=rule.issuer if at_gitlab else github_server(rule.issuer),
    )


def _starters(
    wait: ForgeWait, seen: RunSeen, authors: Collection[int], known: Collection[int]
) -> tuple[StarterId, ...]:
    """Of a push, `actor` pushed it, as GitHub tells. Else nobody tells who pushed: an author's name can be written by anybody,
    so those who are listed are barred, too, and whoever pushed stays unknown.
    """
    forge = forge_of(wait)
    started = Account(None, seen.actor.name) if seen.event in BY_NOBODY[forge] else seen.actor
    tells_pusher = seen.event == "push" and forge is Forge.GITHUB
    pushed = started if tells_pusher else Account(None, "")
    found = [(Part.STARTED, started), (Part.PUSHED, pushed)]
    if seen.attempt != "1" or (forge is Forge.GITLAB and seen.again_by != seen.actor):
        found.append((Part.RE_RAN, seen.again_by))
    there = {one.number for _, one in found}
    more = [(Part.STARTED, number) for number in wait.people]
    more += [] if tells_pusher else [(Part.PUSHED, number) for number in authors]
    for part, number in more:
        if number in known and number not in there:
            there.add(number)
            found.append((part, Account(number, "")))
    return tuple(StarterId(forge, one.number, one.name, part) for part, one in found)
