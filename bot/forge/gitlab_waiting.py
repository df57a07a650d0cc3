"""What waits at GitLab: a worker asks. So nothing has to reach us, no secret is shared, and nobody can say what is not so.

Source: https://docs.gitlab.com/api/deployments/#list-project-deployments
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.forge.gitlab import BLOCKED, account, is_waiting, silent
from bot.forge.gitlab_login import Ask
from bot.forge.json_parts import Odd, number, part, text
from workflows.core.canonical_json import digest
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import Forge
from workflows.core.records.forge import ForgeWait
from workflows.ports import ForgeSilent
from workflows.usecases.gates.forge_wait import wait_id

PAGE, PAGES_MAX = 100, 10
# The record sets when it was seen.
_NEVER = datetime.fromtimestamp(0, UTC)

Remember = Callable[[ForgeWait, str, Sequence[str]], bool]


class GitLabWaiting:
    """`remember`: puts what waits on the record, once; says whether it is news. `quiet_until`: GitLab asked for that."""

    def __init__(
        self,
        ask: Ask,
        api_url: str,
        now: Callable[[], datetime],
        remember: Remember,
    ) -> None:
        self._ask, self._api_url = ask, api_url
        self._now, self._remember = now, remember
        self._quiet_until = _NEVER

    def look(self, pipelines: Iterable[Pipeline]) -> int:
        """How many are new. Each environment is looked at, also where another one's answer is none. Raises ForgeSilent."""
        if self._now() < self._quiet_until:
            return 0
        new, problems = 0, list[ForgeSilent]()
        for one in pipelines:
            if not one.rule or one.forge is not Forge.GITLAB:
                continue
            try:
                new += sum(self._heard(one, found) for found in self._blocked(one))
            except ForgeSilent as problem:
                problems.append(problem)
        if problems:
            self._quiet_until = self._now() + timedelta(seconds=max(one.after_s for one in problems))
            raise problems[0]
        return new

    def _blocked(self, one: Pipeline) -> Iterator[Mapping[str, Any]]:
        """A page may be short, or begin with what the one before ended with: the first that is empty is the end."""
        if f"{one.issuer}/api/v4" != self._api_url:
            raise ForgeSilent(f"GITLAB_API_URL is of another server than the issuer of the pipeline {one.name}")
        for page in range(1, PAGES_MAX + 1):
            wanted = {
                "environment": one.environment or "",
                "status": BLOCKED,
                "order_by": "id",
                "sort": "desc",
                "per_page": str(PAGE),
                "page": str(page),
            }
            path = f"/projects/{one.repository_id}/deployments?{urlencode(wanted)}"
            answer = self._ask("GET", path, None, "deployments")
            if answer.status == 404:
                raise ForgeSilent(f"GitLab shows GITLAB_TOKEN no project {one.repository_id}")
            if answer.status != 200 or not isinstance(answer.said, list):
                raise silent(answer)
            if not answer.said:
                return
            yield from (found for found in answer.said if isinstance(found, dict))

    def _heard(self, one: Pipeline, found: Mapping[str, Any]) -> int:
        """What is not of its form is none of ours: a deployment that somebody made by hand has no job, say."""
        try:
            wait = _wait(one, found)
        except Odd:
            return 0
        return int(wait is not None and self._remember(wait, one.issuer, (f"deployment:{wait.id}",)))


def _wait(one: Pipeline, found: Mapping[str, Any]) -> ForgeWait | None:
    environment = text(part(found, "environment"), "name")
    if not is_waiting(found) or environment != one.environment:
        return None
    job = part(found, "deployable")
    run, deployment = number(part(job, "pipeline"), "id"), number(found, "id")
    people = (account(each.get("user")).number for each in (found, job))
    return ForgeWait(
        id=wait_id(digest([one.issuer, one.repository_id]), run, environment, deployment),
        ticket="",
        # Its name is asked for with the run.
        repository=one.name,
        repository_id=one.repository_id,
        owner_id=one.owner_id,
        installation="",
        environment=environment,
        deployment=deployment,
        commit=text(found, "sha"),
        run=run,
        people=tuple(dict.fromkeys(who for who in people if who is not None)),
        since=_NEVER,
        gitlab=one.issuer,
    )
