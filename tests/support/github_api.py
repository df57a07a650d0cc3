"""GitHub's API for one repository, as far as it is read: environments, branches, rulesets, CODEOWNERS. Over HTTP, in memory.

Strict: GET alone, with the headers that GitHub wants, with the token or with none; a page has 100 items at most. What a token may
not see is answered as GitHub does: 404 for what needs administration, 403 for what needs another permission.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.http_stand_in import Answer, Asked, Query, serving

REPOSITORY = "larkspur/orders"
TOKEN = "ghp_" + "a" * 36
NOT_FOUND = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
FORBIDDEN = {
    "message": "Resource not accessible by integration",
    "documentation_url": "https://docs.github.com/rest",
    "status": "403",
}

# https://docs.github.com/en/rest/deployments/environments#get-an-environment
REVIEWERS = {
    "id": 3736,
    "node_id": "MDQ6R2F0ZTM3MzY=",
    "prevent_self_review": True,
    "type": "required_reviewers",
    "reviewers": [{"type": "Team", "reviewer": {"id": 1, "slug": "platform", "name": "platform"}}],
}
BRANCH_POLICY = {"id": 3755, "node_id": "MDQ6R2F0ZTM3NTU=", "type": "branch_policy"}


def environment(name: str = "production", **more: Any) -> dict[str, Any]:
    """One that waits for a reviewer, whom nobody passes by, and takes protected branches alone."""
    return {
        "id": 161088068,
        "node_id": "MDExOkVudmlyb25tZW50MTYxMDg4MDY4",
        "name": name,
        "can_admins_bypass": False,
        "protection_rules": [REVIEWERS, BRANCH_POLICY],
        "deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": False},
        **more,
    }


def protection(**more: Any) -> dict[str, Any]:
    """https://docs.github.com/en/rest/branches/branch-protection#get-branch-protection"""
    return {
        "required_pull_request_reviews": {
            "dismiss_stale_reviews": True,
            "require_code_owner_reviews": True,
            "required_approving_review_count": 1,
            "require_last_push_approval": False,
        },
        "enforce_admins": {"url": "https://api.github.com/x", "enabled": True},
        "required_linear_history": {"enabled": False},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
        **more,
    }


def pull_request_rule(ruleset: int = 42, **parameters: Any) -> dict[str, Any]:
    """https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch"""
    return {
        "type": "pull_request",
        "ruleset_source_type": "Repository",
        "ruleset_source": REPOSITORY,
        "ruleset_id": ruleset,
        "parameters": {
            "dismiss_stale_reviews_on_push": False,
            "require_code_owner_review": True,
            "require_last_push_approval": False,
            "required_approving_review_count": 1,
            "required_review_thread_resolution": False,
            **parameters,
        },
    }


@dataclass
class GitHubApi:
    """`url`: for GITHUB_API_URL. `administers`: whether the token may see protections. `answers`: path -> status and body."""

    environments: dict[str, dict[str, Any]] = field(default_factory=lambda: {"production": environment()})
    branch_policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    app_rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    protections: dict[str, dict[str, Any]] = field(default_factory=lambda: {"main": protection()})
    rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    rulesets: dict[str, dict[str, Any]] = field(default_factory=dict)
    owner_errors: list[dict[str, Any]] = field(default_factory=list)
    branches: tuple[str, ...] = ("main", "next")
    administers: bool = True
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""

    def become(self, **given: Any) -> GitHubApi:
        """Another repository at the same address, so that a test of many cases needs one server."""
        for name, value in vars(GitHubApi(**given)).items():
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
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        if asked.heads.get("accept") != "application/vnd.github+json" or "x-github-api-version" not in asked.heads:
            return Answer(415, {"message": "Unsupported 'Accept' header"})
        status, said = self.answer(asked.path, asked.query)
        return Answer(status, said, {"Location": "/elsewhere"} if status in (301, 302, 307) else {})

    def answer(self, path: str, query: Query) -> tuple[int, Any]:
        if path in self.answers:
            return self.answers[path]
        head, _, rest = path.removeprefix(f"/repos/{REPOSITORY}").lstrip("/").partition("/")
        if not path.startswith(f"/repos/{REPOSITORY}"):
            return 404, NOT_FOUND
        if head == "":
            return 200, {"id": 1, "full_name": REPOSITORY, "default_branch": "main"}
        known = {
            "environments": lambda: self._environment(rest, query),
            "branches": lambda: self._branch(rest, query),
            "rules": lambda: (200, _page(self.rules.get(unquote(rest.removeprefix("branches/")), []), query)),
            "rulesets": lambda: self._ruleset(rest),
            "codeowners": lambda: (200, {"errors": self.owner_errors}),
        }.get(head)
        return known() if known else (404, NOT_FOUND)

    def _environment(self, rest: str, query: Query) -> tuple[int, Any]:
        name, _, more = rest.partition("/")
        name = unquote(name)
        if not name:
            # https://docs.github.com/en/rest/deployments/environments#list-environments
            listed = [{"name": each} for each in self.environments]
            return 200, {"total_count": len(listed), "environments": _page(listed, query)}
        if name not in self.environments:
            return 404, NOT_FOUND
        if more == "deployment_protection_rules":
            found = self.app_rules.get(name, [])
            return 200, {"total_count": len(found), "custom_deployment_protection_rules": found}
        if more == "deployment-branch-policies":
            policies = self.branch_policies.get(name, [])
            return 200, {"total_count": len(policies), "branch_policies": _page(policies, query)}
        return 200, self.environments[name]

    def _branch(self, rest: str, query: Query) -> tuple[int, Any]:
        if not rest:
            wanted = query.get("protected") == ["true"]
            found = [name for name in self.branches if not wanted or name in self.protections or name in self.rules]
            return 200, _page([{"name": name, "protected": True} for name in found], query)
        name, _, more = rest.partition("/")
        name = unquote(name)
        if more != "protection":
            return 200, {"name": name, "protected": name in self.protections}
        if not self.administers:
            return 404, NOT_FOUND
        found_one = self.protections.get(name)
        return (200, found_one) if found_one else (404, {**NOT_FOUND, "message": "Branch not protected"})

    def _ruleset(self, number: str) -> tuple[int, Any]:
        found = self.rulesets.get(number)
        if found is None:
            return 404, NOT_FOUND
        return 200, found if self.administers else {
            key: value for key, value in found.items() if key != "bypass_actors"
        }


def _page(items: list[Any], query: Query) -> list[Any]:
    size, number = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
    assert 1 <= size <= 100
    return items[(number - 1) * size : number * size]


@contextmanager
def github_api(**given: Any) -> Iterator[GitHubApi]:
    api = GitHubApi(**given)
    with serving(api.heard) as api.url:
        yield api
