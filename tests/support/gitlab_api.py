"""GitLab's API for one project, as far as it is read: protected environments and branches, approvals. Over HTTP, in memory.

Strict: GET alone, with the token or with none; a page may be shorter than it could, and the first empty one is the last. What a
token may not see is 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.http_stand_in import Answer, Asked, Query, serving

PROJECT = "larkspur/orders"
TOKEN = "glpat-" + "a" * 20
NOT_FOUND = {"message": "404 Not found"}
NOBODY = {"id": 1, "access_level": 0, "access_level_description": "No one", "user_id": None, "group_id": None}
MAINTAINERS = {**NOBODY, "id": 2, "access_level": 40, "access_level_description": "Maintainers"}
DEPLOY_KEY = {**NOBODY, "id": 3, "access_level_description": "Deploy key", "deploy_key_id": 7}


def rule(required: int = 1, **more: Any) -> dict[str, Any]:
    """https://docs.gitlab.com/api/protected_environments/"""
    own = {"id": 38, "user_id": None, "group_id": 134, "access_level": None, "access_level_description": "platform"}
    return {**own, "required_approvals": required, "group_inheritance_type": 0, **more}


def environment(name: str = "production", **more: Any) -> dict[str, Any]:
    """One that waits for one of a group."""
    own = {"name": name, "deploy_access_levels": [MAINTAINERS], "required_approval_count": 0}
    return {**own, "approval_rules": [rule()], **more}


def branch(name: str | None = "main", **more: Any) -> dict[str, Any]:
    """One that takes merge requests alone, with approval from code owners. https://docs.gitlab.com/api/protected_branches/"""
    own = {"id": 101, "name": name, "push_access_levels": [NOBODY], "merge_access_levels": [MAINTAINERS]}
    return {**own, "allow_force_push": False, "code_owner_approval_required": True, "inherited": False, **more}


def settings(**more: Any) -> dict[str, Any]:
    """https://docs.gitlab.com/api/merge_request_approvals/"""
    return {
        "approvers": [],
        "approver_groups": [],
        "reset_approvals_on_push": True,
        "disable_overriding_approvers_per_merge_request": True,
        "merge_requests_author_approval": False,
        "merge_requests_disable_committers_approval": True,
        **more,
    }


def approval_rule(required: int = 1, **more: Any) -> dict[str, Any]:
    own = {"id": 1, "name": "platform", "rule_type": "regular", "approvals_required": required}
    return {**own, "applies_to_all_protected_branches": True, "protected_branches": [], **more}


@dataclass
class GitLabApi:
    """`url`: for GITLAB_API_URL. `answers`: path under the project -> status and body. `page`: the most that one has."""

    project: dict[str, Any] = field(default_factory=lambda: {"allow_pipeline_trigger_approve_deployment": False})
    environments: tuple[dict[str, Any], ...] = field(default_factory=lambda: (environment(),))
    branches: tuple[dict[str, Any], ...] = field(default_factory=lambda: (branch(),))
    settings: dict[str, Any] = field(default_factory=settings)
    rules: tuple[dict[str, Any], ...] = field(default_factory=lambda: (approval_rule(),))
    page: int = 100
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""

    def become(self, **given: Any) -> GitLabApi:
        """Another project at the same address, so that a test of many cases needs one server."""
        for name, value in vars(GitLabApi(**given)).items():
            if name != "url":
                setattr(self, name, value)
        return self

    def heard(self, asked: Asked) -> Answer:
        self.asked.append(asked.whole)
        bearer = asked.heads.get("authorization", "")
        self.tokens.add(bearer)
        if asked.method != "GET":
            return Answer(405, NOT_FOUND)
        if bearer not in ("", f"Bearer {TOKEN}"):
            return Answer(401, {"message": "401 Unauthorized"})
        of, _, path = asked.path.removeprefix("/api/v4/projects/").partition("/")
        if not asked.path.startswith("/api/v4/projects/") or unquote(of) != PROJECT:
            return Answer(404, {"message": "404 Project Not Found"})
        status, said = self.answers.get(path) or self._answered(path, asked.query)
        return Answer(status, said, {"Location": "/elsewhere"} if status in (301, 302, 307) else {})

    def _answered(self, path: str, query: Query) -> tuple[int, Any]:
        head, _, rest = path.partition("/")
        if head == "protected_environments" and rest:
            found = next((one for one in self.environments if one["name"] == unquote(rest)), None)
            return (200, found) if found else (404, NOT_FOUND)
        lists = {"protected_branches": self.branches, "approval_rules": self.rules}
        if path in lists:
            return 200, self._page(list(lists[path]), query)
        if path == "approvals":
            return 200, self.settings
        own = {"id": 4242, "path_with_namespace": PROJECT, "default_branch": "main", **self.project}
        return (404, NOT_FOUND) if path else (200, {name: value for name, value in own.items() if value is not None})

    def _page(self, items: list[Any], query: Query) -> list[Any]:
        size, number = min(int(query.get("per_page", ["20"])[0]), self.page), int(query.get("page", ["1"])[0])
        return items[(number - 1) * size : number * size]


@contextmanager
def gitlab_api(**given: Any) -> Iterator[GitLabApi]:
    api = GitLabApi(**given)
    with serving(api.heard) as address:
        api.url = f"{address}/api/v4"
        yield api
