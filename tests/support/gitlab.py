"""GitLab as the user of a token sees it who approves deployments, over HTTP: a project, its branches, pipelines and deployments.

Strict, after https://docs.gitlab.com/api/deployments/ and what GitLab's own service for approvals does: an answer is taken of
what waits, from whom a rule names and who has not begun it; the same answer twice is one. What is not here is 404, and without
a token, or with another one, 401.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.http_stand_in import Asked, Query, StandIn, serving
from tests.support.pipelines import COMMIT

TOKEN = "glpat-of-the-user-who-answers"
PROJECT, NAMESPACE = 4242, 99
NAME = "acme/orders"
_NOT_FOUND = {"message": "404 Not found"}


def user(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "username": name, "name": name.title(), "state": "active", "web_url": f"http://gitlab/{name}"}


DANA, OLU, PAT = user(71, "dana-gl"), user(77, "olu-gl"), user(73, "pat-gl")
US, BOT = user(900, "prodaccess"), user(901, "project_4242_bot_1f")


@dataclass
class Job:
    """One deployment, with the job that waits for it. `by`: who executes the job. `answers`: of whom, and what."""

    id: int
    pipeline: int
    user: dict[str, Any] = field(default_factory=lambda: DANA)
    by: dict[str, Any] | None = None
    commit: str = COMMIT
    pipeline_commit: str | None = None
    ref: str = "main"
    tag: bool = False
    source: str = "push"
    environment: str = "production"
    home: int = PROJECT
    title: str = "Faster checkout"
    status: str = "blocked"
    needs: int = 1
    answers: list[tuple[dict[str, Any], str, str]] = field(default_factory=list)
    # Laid over what is told of it; a part that is None is not there.
    odd: dict[str, Any] = field(default_factory=dict)

    @property
    def pending(self) -> int:
        return max(self.needs - sum(status == "approved" for _, status, _ in self.answers), 0)


class GitLab(StandIn):
    """`url`: the issuer. `rules`: whether answers stand at rules, as newer servers have them. `page`: the most that one has."""

    def __init__(self) -> None:
        super().__init__()
        self.url, self.token, self.us = "", TOKEN, US
        self.names, self.rules, self.page, self.sees = True, True, 100, True
        self.namespace = NAMESPACE
        self.jobs: dict[int, Job] = {}
        # Name -> commit at its tip, and whether it is protected.
        self.branches: dict[str, tuple[str, bool]] = {"main": (COMMIT, True)}
        self.behind: dict[str, set[str]] = {}
        self.reviews: list[tuple[int, str, str]] = []
        self._next = 500

    def waits(self, **changes: Any) -> Job:
        self._next += 1
        job = Job(self._next, changes.pop("pipeline", 8000 + self._next), **changes)
        self.jobs[job.id] = job
        return job

    def answered(self, asked: Asked) -> tuple[int, Any]:
        method, path, query, body = asked.method, asked.path, asked.query, asked.body
        if asked.bearer != self.token:
            return 401, {"message": "401 Unauthorized"}
        if (method, path) == ("GET", "/api/v4/user"):
            return 200, self.us
        found = re.fullmatch(rf"/api/v4/projects/{PROJECT}(?:/(.+))?", path)
        if found is None or not self.sees:
            return 404, {"message": "404 Project Not Found"}
        head, _, rest = (found[1] or "").partition("/")
        if method == "POST":
            number = re.fullmatch(r"(\d+)/approval", rest)
            return self._approval(int(number[1]), body) if head == "deployments" and number else (404, _NOT_FOUND)
        if not head:
            namespace = {"id": self.namespace, "full_path": "acme", "kind": "group"}
            return 200, {"id": PROJECT, "path_with_namespace": NAME, "namespace": namespace}
        if head == "deployments":
            return self._one(rest) if rest else self._list(query)
        if head == "pipelines" and rest.isdecimal():
            return self._pipeline(int(rest))
        if head == "repository" and rest.startswith("branches/"):
            return self._branch(unquote(rest.removeprefix("branches/")))
        if head == "repository" and rest == "merge_base":
            return self._merge_base(*query["refs[]"])
        return 404, _NOT_FOUND

    def _list(self, query: Query) -> tuple[int, Any]:
        wanted = {name: values[0] for name, values in query.items()}
        if wanted.get("order_by") != "id" or wanted.get("sort") != "desc" or "status" not in wanted:
            return 400, {"message": "400 Bad request"}
        fits = (wanted["environment"], wanted["status"])
        found = [self.said(job) for job in self.jobs.values() if (job.environment, job.status) == fits]
        size, page = min(int(wanted["per_page"]), self.page), int(wanted["page"])
        return 200, list(reversed(found))[(page - 1) * size : page * size]

    def _one(self, number: str) -> tuple[int, Any]:
        job = self.jobs.get(int(number)) if number.isdecimal() else None
        return (404, _NOT_FOUND) if job is None else (200, self.said(job))

    def _pipeline(self, number: int) -> tuple[int, Any]:
        job = next((one for one in self.jobs.values() if one.pipeline == number), None)
        if job is None:
            return 404, _NOT_FOUND
        said = {"id": number, "project_id": job.home, "sha": job.pipeline_commit or job.commit, "ref": job.ref}
        return 200, {**said, "status": "manual", "source": job.source, "tag": job.tag, "user": job.user}

    def said(self, job: Job) -> dict[str, Any]:
        answers = [
            {"user": who, "status": status, "created_at": "2026-11-21T03:00:00Z", "comment": comment}
            for who, status, comment in job.answers
        ]
        rule = {"user_id": self.us["id"], "required_approvals": job.needs, "deployment_approvals": answers}
        told = {
            "id": job.id,
            "iid": 1,
            "ref": job.ref,
            "sha": job.commit,
            "status": job.status,
            "user": job.by or job.user,
            "environment": {"id": 9, "name": job.environment, "external_url": None},
            "deployable": {
                "id": 70_000 + job.id,
                "name": "deploy",
                "status": "manual",
                "ref": job.ref,
                "tag": job.tag,
                "user": job.by or job.user,
                "commit": {"id": job.commit, "title": job.title, "author_email": "dana@example.com"},
                "pipeline": {"id": job.pipeline, "sha": job.commit, "ref": job.ref, "status": "manual"},
            },
            "pending_approval_count": job.pending,
            "approvals": [] if self.rules else answers,
            "approval_summary": {"rules": [rule] if self.rules else []},
        }
        return {name: value for name, value in (told | job.odd).items() if value is not None}

    def _approval(self, number: int, body: Any) -> tuple[int, Any]:
        job, status = self.jobs.get(number), body.get("status")
        if job is None:
            return 404, _NOT_FOUND
        if status not in ("approved", "rejected") or not isinstance(body.get("comment", ""), str):
            return 400, {"error": "status does not have a valid value"}
        if len(body.get("comment", "")) > 255:
            return 400, {"message": ["Comment is too long (maximum is 255 characters)"]}
        if status == "approved" and (job.by or job.user)["id"] == self.us["id"]:
            return 400, {"message": "You cannot approve your own deployment."}
        if job.status != "blocked" or not job.pending:
            return 400, {"message": "This deployment is not waiting for approvals."}
        if not self.names:
            return 400, {"message": "You don't have permission to approve this deployment."}
        if (self.us, status) not in [(who, said) for who, said, _ in job.answers]:
            job.answers = [one for one in job.answers if one[0] != self.us]
            job.answers.append((self.us, status, body.get("comment", "")))
            self.reviews.append((job.id, status, body.get("comment", "")))
        if status == "rejected":
            job.status = "failed"
        return 201, {"user": self.us, "status": status, "comment": body.get("comment", "")}

    def _branch(self, name: str) -> tuple[int, Any]:
        if name not in self.branches:
            return 404, {"message": "404 Branch Not Found"}
        tip, protected = self.branches[name]
        return 200, {"name": name, "commit": {"id": tip}, "protected": protected}

    def _merge_base(self, first: str, second: str) -> tuple[int, Any]:
        if first == second or first in self.behind.get(second, ()):
            return 200, {"id": first}
        return 200, {"id": "0" * 40}


@contextmanager
def running() -> Iterator[GitLab]:
    found = GitLab()
    with serving(found.answer) as found.url:
        yield found
