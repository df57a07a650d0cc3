"""A `Forge`: a deployment that waits at a protected environment of GitLab for the approval of our token's user.

Sources: https://docs.gitlab.com/api/deployments/, https://docs.gitlab.com/ci/environments/deployment_approvals/,
https://docs.gitlab.com/api/pipelines/, https://docs.gitlab.com/api/branches/ and https://docs.gitlab.com/api/repositories/#merge-base
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from bot.forge.calls import Answer
from bot.forge.gitlab_login import Ask
from bot.forge.json_parts import Odd, number, objects, part, text, title
from workflows.core.pipelines.claims import is_bot
from workflows.core.pipelines.identity import Forge
from workflows.core.records.forge import ForgeWait
from workflows.core.rules.forge_run import Account, BranchSeen, RunSeen
from workflows.ports import BeforeSend, ForgeSilent

_Found = TypeVar("_Found")

BLOCKED = "blocked"
# A longer one is refused whole. Source: Deployments::Approval in GitLab's own code
COMMENT_LENGTH_MAX = 255
_ODD = "GitLab answered something that cannot be read"
_REFUSED = (
    "GitLab does not take the answer of GITLAB_TOKEN's user: name this user in one approval rule of the environment, and let it "
    "begin no pipeline"
)


class GitLab:
    """Nothing but the answer changes anything there."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def run(self, wait: ForgeWait) -> RunSeen | None:
        project = self._project(wait)
        deployment = self._deployment(wait)
        if deployment is None:
            return None
        job = _read(lambda: part(deployment, "deployable"))
        pipeline = self._found(f"{_of(wait)}/pipelines/{wait.run}", "pipeline")
        return _read(lambda: _seen(wait, project, deployment, job, pipeline))

    def branch(self, wait: ForgeWait, seen: RunSeen) -> BranchSeen | None:
        if seen.branch.startswith("refs/"):
            return None
        answer = self._asked(f"{_of(wait)}/repository/branches/{quote(seen.branch, safe='')}", "branch")
        if answer.status == 404:
            return None
        said = _object(answer)
        tip, protected = _read(lambda: text(part(said, "commit"), "id")), said.get("protected")
        if said.get("name") != seen.branch or not isinstance(protected, bool):
            raise ForgeSilent(_ODD)
        return BranchSeen(protected, tip == seen.commit or self._is_on(wait, seen.commit, tip))

    def authors(self, wait: ForgeWait, seen: RunSeen) -> frozenset[int]:  # noqa: ARG002 - as all of them have it
        """GitLab tells an address at a commit, which anybody can write, and no account."""
        return frozenset()

    def went_on(self, wait: ForgeWait) -> bool:
        deployment = self._deployment(wait)
        return deployment is not None and self._has_ours(deployment, "approved")

    def answer(self, wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:
        status, us = "approved" if approved else "rejected", self._user()
        path, body = (
            f"{_of(wait)}/deployments/{wait.deployment}/approval",
            {"status": status, "comment": _short(comment)},
        )
        before_send()
        answer = self._ask("POST", path, body, "approval")
        if answer.status in (200, 201):
            said = _object(answer)
            if said.get("status") != status or _read(lambda: number(part(said, "user"), "id")) != us:
                raise ForgeSilent(_ODD)
            return True
        if answer.status not in (400, 403, 404, 409, 422) or answer.after_s:
            raise silent(answer)
        return self._taken_before(wait, status)

    def _taken_before(self, wait: ForgeWait, status: str) -> bool:
        """GitLab did not take it. It may have had it before, or wait no more; else somebody has to mend the rule."""
        deployment = self._deployment(wait)
        if deployment is not None and self._has_ours(deployment, status):
            return True
        if deployment is None or not is_waiting(deployment):
            return False
        raise ForgeSilent(_REFUSED)

    def _has_ours(self, deployment: Mapping[str, Any], status: str) -> bool:
        return (status, self._user()) in _read(lambda: list(_approvals(deployment)))

    def _is_on(self, wait: ForgeWait, commit: str, tip: str) -> bool:
        asked = urlencode([("refs[]", commit), ("refs[]", tip)])
        answer = self._asked(f"{_of(wait)}/repository/merge_base?{asked}", "merge_base")
        return answer.status != 404 and _object(answer).get("id") == commit

    def _project(self, wait: ForgeWait) -> Mapping[str, Any]:
        """That it is there tells a deployment that is gone from a token that may see nothing: GitLab says 404 to both."""
        answer = self._asked(_of(wait), "project")
        if answer.status == 404:
            raise ForgeSilent(f"GitLab shows GITLAB_TOKEN no project {wait.repository_id}")
        return _object(answer)

    def _deployment(self, wait: ForgeWait) -> Mapping[str, Any] | None:
        answer = self._asked(f"{_of(wait)}/deployments/{wait.deployment}", "deployment")
        if answer.status == 404:
            self._project(wait)
            return None
        said = _object(answer)
        if _read(lambda: number(said, "id")) != wait.deployment:
            raise ForgeSilent(_ODD)
        return said

    def _user(self) -> str:
        """Asked each time: the token may be another one by now."""
        said = self._found("/user", "user")
        return _read(lambda: number(said, "id"))

    def _found(self, path: str, called: str) -> Mapping[str, Any]:
        answer = self._asked(path, called)
        if answer.status == 404:
            raise silent(answer)
        return _object(answer)

    def _asked(self, path: str, called: str) -> Answer:
        answer = self._ask("GET", path, None, called)
        if answer.status not in (200, 404):
            raise silent(answer)
        return answer


def is_waiting(deployment: Mapping[str, Any]) -> bool:
    """Whether it waits for an approval. One that has them all may still be called blocked, until somebody runs its job."""
    return deployment.get("status") == BLOCKED and deployment.get("pending_approval_count") != 0


def silent(answer: Answer) -> ForgeSilent:
    """Of an answer that says neither yes nor no."""
    if answer.after_s and answer.status in (403, 429, 503):
        return ForgeSilent("GitLab asked to be left alone for a while", answer.after_s)
    if answer.status == 401:
        return ForgeSilent("GitLab does not believe GITLAB_TOKEN: it is wrong, or has expired")
    if answer.status == 403:
        return ForgeSilent("GitLab refuses GITLAB_TOKEN: it needs the scope api, and its user the role Developer")
    return ForgeSilent(f"GitLab answered with an error ({answer.status})", answer.after_s)


def account(found: object) -> Account:
    """Nobody where there is none, and no number where it is no human."""
    if not isinstance(found, dict):
        return Account(None, "")
    try:
        name, id_ = text(found, "username"), int(number(found, "id"))
    except Odd:
        return Account(None, "")
    return Account(None if is_bot(Forge.GITLAB, name) else id_, name)


def _seen(
    wait: ForgeWait,
    project: Mapping[str, Any],
    deployment: Mapping[str, Any],
    job: Mapping[str, Any],
    pipeline: Mapping[str, Any],
) -> RunSeen:
    here = text(deployment, "sha")
    same = number(part(job, "pipeline"), "id") == number(pipeline, "id")
    if not isinstance(job.get("tag"), bool):
        raise Odd
    return RunSeen(
        repository=text(project, "path_with_namespace"),
        repository_id=number(project, "id"),
        owner_id=number(part(project, "namespace"), "id"),
        home_id=number(pipeline, "project_id"),
        branch=f"refs/tags/{text(job, 'ref')}" if job["tag"] else text(job, "ref"),
        commit=text(pipeline, "sha") if here == wait.commit else here,
        run=number(pipeline, "id") if same else "",
        attempt="1",
        workflow="",
        event=text(pipeline, "source"),
        actor=account(pipeline.get("user")),
        again_by=account(job.get("user")),
        title=title(job.get("commit")),
        over=not is_waiting(deployment) or text(part(deployment, "environment"), "name") != wait.environment,
    )


def _approvals(deployment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was answered, and by which user. Where an environment has several rules they stand at each of them."""
    found = [*objects(deployment.get("approvals"))]
    summary = deployment.get("approval_summary")
    for rule in objects(summary.get("rules")) if isinstance(summary, dict) else ():
        found += objects(rule.get("deployment_approvals"))
    for one in found:
        yield text(one, "status"), number(part(one, "user"), "id")


def _short(comment: str) -> str:
    return comment if len(comment) <= COMMENT_LENGTH_MAX else f"{comment[: COMMENT_LENGTH_MAX - 1]}…"


def _of(wait: ForgeWait) -> str:
    return f"/projects/{wait.repository_id}"


def _object(answer: Answer) -> Mapping[str, Any]:
    if not isinstance(answer.said, dict) or answer.status == 404:
        raise ForgeSilent(_ODD)
    return answer.said


def _read(reading: Callable[[], _Found]) -> _Found:
    try:
        return reading()
    except Odd:
        raise ForgeSilent(_ODD) from None
