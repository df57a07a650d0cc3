"""What GitLab says of environments, branches and reviews. What it does not say, or not to this token, is not known.

Shapes: https://docs.gitlab.com/api/protected_environments/, .../protected_branches/, .../merge_request_approvals/, .../projects/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.boundaries.forge.client import GitLabClient
from bot.boundaries.forge.gitlab_branches import GitLabBranches
from bot.boundaries.forge.said import Said
from bot.boundaries.model import Evidence, Verdict
from bot.directory.http_json import NotFetched

_TRIGGERER = "allow_pipeline_trigger_approve_deployment"
_BRANCHES_MAX = 20
_NOT_PROTECTED = (
    "is not protected in this project, or this token may not see it (it takes the role Maintainer); whether its group protects "
    "it is not looked at"
)


class GitLabRules:
    """`rules.Rules`. Who is named in a rule is not looked up, so our own user is one like others."""

    def __init__(self, client: GitLabClient, project: str) -> None:
        self._client, self._project = client, project
        self._branches = GitLabBranches(client)
        self._said = Said("GitLab", project)

    def is_of(self, repository: str) -> bool:
        return repository.lower() == self._project.lower()

    def waits(self, environment: str, app_rule: bool) -> Evidence:  # noqa: ARG002 - as the protocol has it
        try:
            found = self._environment(environment)
            if found is None:
                return self._said.unknown(f"environment {environment} {_NOT_PROTECTED}")
            if _approvals_wanted(found) < 1:
                return self._said.no(f"environment {environment} waits for nobody: no approval rule wants an approval")
            return self._waits_for_others(environment)
        except NotFetched as problem:
            return self._said.not_told(f"Environment {environment}", problem)

    def _waits_for_others(self, name: str) -> Evidence:
        own = self._client.object("").get(_TRIGGERER)
        if own is True:
            return self._said.no(f"environment {name} lets whoever started a pipeline approve it ({_TRIGGERER})")
        if own is not False:
            return self._said.unknown(
                f"environment {name} waits for an approval; whether whoever started it may give that is not told"
            )
        return self._said.yes(f"environment {name} waits for an approval of somebody who did not start it")

    def branches(self, environment: str) -> Evidence:
        """Never a yes: GitLab keeps people from an environment, and no branch."""
        try:
            worst = self._branches.worst(_BRANCHES_MAX)
        except NotFetched as problem:
            return self._said.not_told("Which branches are protected", problem)
        if worst.verdict is not Verdict.YES:
            return self._said.at_its_place(worst)
        return self._said.unknown(
            f"{worst.words}; environment {environment} takes any branch of whoever may deploy, so what keeps others out is a "
            "gate with ref, or a role that trusts ref_protected (question 10)"
        )

    def reviewers(self, environment: str) -> Evidence:
        try:
            found = self._environment(environment)
            if found is None:
                return self._said.unknown(f"environment {environment} {_NOT_PROTECTED}")
            wanted = _approvals_wanted(found)
        except NotFetched as problem:
            return self._said.not_told(f"Environment {environment}", problem)
        if wanted < 1:
            return self._said.no(f"Environment {environment} names nobody who lets jobs on")
        return self._said.yes(f"Environment {environment} names who lets jobs on ({wanted} must agree)")

    def owners_review(self) -> Evidence:
        try:
            branch = self._client.object("").get("default_branch")
            if not isinstance(branch, str):
                return self._said.unknown("Which branch is the default one is not told")
            return self._said.at_its_place(self._branches.reviewed(branch, by_owners=True))
        except NotFetched as problem:
            return self._said.not_told("How the default branch is protected", problem)

    def owners_exist(self) -> Evidence:
        """A line whose owner it does not know wants nobody's approval, and no part of its API says so."""
        return self._said.unknown(
            "GitLab does not tell which lines of CODEOWNERS it understands, nor whether it knows their owners"
        )

    def notes(self) -> tuple[str, ...]:
        return (
            f"GitLab was asked of {self._project}; maintainers can change all of this at any time, and GitLab's administrators "
            "may approve every deployment.",
            "What groups protect for all their projects, access tokens, and deploy keys of other projects were not looked at.",
        )

    def _environment(self, name: str) -> Mapping[str, Any] | None:
        """None: it is not protected, or not shown. That the project is there at all is asked for, too."""
        try:
            found = self._client.object(f"/protected_environments/{quote(name, safe='')}")
        except NotFetched as problem:
            if problem.status != 404:
                raise
            self._client.object("")
            return None
        if found.get("name") != name:
            raise NotFetched("answered something else than was asked")
        return found


def _approvals_wanted(environment: Mapping[str, Any]) -> int:
    """Of all its rules; older servers have one number. Raises NotFetched where neither is told."""
    rules, number = environment.get("approval_rules"), environment.get("required_approval_count")
    if rules is None and number is None:
        raise NotFetched("does not tell the approval rules of that environment")
    if not isinstance(rules, list | None) or not all(isinstance(rule, Mapping) for rule in rules or ()):
        raise NotFetched("answered something else than was asked")
    of_rules = sum(_whole(rule.get("required_approvals")) for rule in rules or ())
    return of_rules or _whole(number or 0)


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise NotFetched("answered something else than was asked")
    return number
