"""Whether a run is one that the policy lets ask. Each refusal is one sentence for the log of the job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import PipelineRun


class Why(StrEnum):
    """Closed, because it counts in a metric and stands in an answer."""

    CLAIMS = "claims"
    ISSUER = "issuer"
    REPOSITORY = "repository"
    OWNER = "owner"
    EVENT = "event"
    REF = "ref"
    UNPROTECTED = "unprotected"
    WORKFLOW = "workflow"
    FORGE_ENVIRONMENT = "forge_environment"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """`sentence` holds claims of the token alone, and of the policy what concerns that very repository."""

    why: Why
    sentence: str


def judge(pipelines: Iterable[Pipeline], run: PipelineRun, environment: str) -> Pipeline | NotAllowed:
    """The pipeline of the policy that this run is, if it may ask for this environment of ours; else the check at which the one
    that is most like it failed.
    """
    ours = [one for one in pipelines if (one.forge, one.issuer) == (run.forge, run.issuer)]
    if not ours:
        return NotAllowed(Why.ISSUER, "The policy names no pipeline of the issuer of this token.")
    found = [_first_failure(one, run, environment) for one in ours]
    allowed = next((one for one, failed in zip(ours, found, strict=True) if failed is None), None)
    return allowed or max((one for one in found if one is not None), key=lambda one: one[0])[1]


def _first_failure(pipeline: Pipeline, run: PipelineRun, environment: str) -> tuple[int, NotAllowed] | None:
    """How far it came, and why no further."""
    for step, (why, check) in enumerate(_CHECKS):
        if sentence := check(pipeline, run):
            return step, NotAllowed(why, sentence)
    if pipeline.may_ask_for(environment):
        return None
    return len(_CHECKS), NotAllowed(Why.ENVIRONMENT, f"The policy does not let this pipeline ask for {environment}.")


def _repository(pipeline: Pipeline, run: PipelineRun) -> str:
    if pipeline.repository_id == run.repository_id:
        return ""
    return f"The policy names no pipeline of {run.repository}, whose id is {run.repository_id}."


def _owner(pipeline: Pipeline, run: PipelineRun) -> str:
    if pipeline.owner_id == run.owner_id:
        return ""
    return f"{run.repository} belongs to the owner {run.owner_id or 'unknown'}, and the policy names another one: it was moved."


def _event(pipeline: Pipeline, run: PipelineRun) -> str:
    if not pipeline.events or run.event in pipeline.events:
        return ""
    return f"This run was started by {run.event!r}, and only runs started by {_either(pipeline.events)} may ask."


def _ref(pipeline: Pipeline, run: PipelineRun) -> str:
    return _exactly("runs on", run.ref, pipeline.ref)


def _protected(pipeline: Pipeline, run: PipelineRun) -> str:
    if not pipeline.ref_protected or run.ref_protected:
        return ""
    return f"{run.ref} is not protected. Protect it at {run.forge.label}, or run this job on a ref that is protected."


def _workflow(pipeline: Pipeline, run: PipelineRun) -> str:
    return _exactly("is defined by", run.workflow, pipeline.workflow)


def _forge_environment(pipeline: Pipeline, run: PipelineRun) -> str:
    return _exactly("is for the environment", run.environment, pipeline.environment)


def _exactly(what: str, found: str, wanted: str | None) -> str:
    if wanted is None or found == wanted:
        return ""
    return f"This job {what} {found or 'nothing that its token names'}, and the policy asks for {wanted}."


def _either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


Check = Callable[[Pipeline, PipelineRun], str]

# From who it is to how it runs: the further a pipeline of the policy comes, the more it is meant.
_CHECKS: tuple[tuple[Why, Check], ...] = (
    (Why.REPOSITORY, _repository),
    (Why.OWNER, _owner),
    (Why.WORKFLOW, _workflow),
    (Why.EVENT, _event),
    (Why.REF, _ref),
    (Why.UNPROTECTED, _protected),
    (Why.FORGE_ENVIRONMENT, _forge_environment),
)


def issuers(pipelines: Iterable[Pipeline]) -> Iterator[str]:
    """Whose tokens are looked at at all."""
    return (one.issuer for one in pipelines if one.issuer)
