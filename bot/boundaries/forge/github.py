"""What GitHub says of environments and branches. What it does not say, or not to this token, is not known.

Shapes: https://docs.github.com/en/rest/deployments/environments, .../deployments/protection-rules,
.../deployments/branch-policies, .../branches/branch-protection, .../repos/rules and .../repos/repos#list-codeowners-errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.boundaries.forge.branches import Branches
from bot.boundaries.forge.client import GitHubClient
from bot.boundaries.forge.said import Said
from bot.boundaries.model import Evidence, worst
from bot.directory.http_json import NotFetched

_BRANCHES_MAX = 20


class GitHubRules:
    """`rules.Rules`. `app_id`: of our own App; empty where nobody said."""

    def __init__(self, client: GitHubClient, repository: str, app_id: str = "") -> None:
        self._client = client
        self._app_id = app_id
        self._branches = Branches(client)
        self._repository = repository
        self._said = Said("GitHub", repository)

    def is_of(self, repository: str) -> bool:
        return repository.lower() == self._repository.lower()

    def waits(self, environment: str, app_rule: bool) -> Evidence:
        try:
            found = self._environment(environment)
            reviewers = _reviewers(found)
            if reviewers is not None:
                return self._waits_for_reviewers(environment, found, reviewers)
            return self._waits_for_app(environment, found, app_rule)
        except NotFetched as problem:
            return self._environment_not_told(environment, problem)

    def _waits_for_reviewers(self, name: str, found: Mapping[str, Any], rule: Mapping[str, Any]) -> Evidence:
        if rule.get("prevent_self_review") is not True:
            return self._said.no(f"environment {name} lets whoever started a run approve it (prevent_self_review)")
        return self._unless_passed_by(name, found, f"environment {name} waits for one of its reviewers")

    def _waits_for_app(self, name: str, found: Mapping[str, Any], app_rule: bool) -> Evidence:
        path = f"/environments/{_quoted(name)}/deployment_protection_rules"
        listed = self._client.object(path).get("custom_deployment_protection_rules")
        rules = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
        apps = [each.get("app") for each in rules if each.get("enabled") is True]
        ours = [app for app in apps if isinstance(app, Mapping) and self._app_id and str(app.get("id")) == self._app_id]
        if ours and app_rule:
            return self._unless_passed_by(
                name, found, f"environment {name} asks prodaccess, by the policy and at GitHub"
            )
        if apps:
            why = "our App is not among those named" if self._app_id else "GITHUB_APP_ID says which App is ours"
            words = f"environment {name} asks an App; that the owner decides there is not told"
            return self._said.unknown(f"{words} ({why if app_rule else 'the policy names no protection_rule for it'})")
        return self._said.no(f"environment {name} waits for nobody: it has no reviewers and no App's rule")

    def _unless_passed_by(self, name: str, found: Mapping[str, Any], words: str) -> Evidence:
        passes = found.get("can_admins_bypass")
        if passes is True:
            return self._said.no(f"administrators may pass by what environment {name} waits for (can_admins_bypass)")
        return (
            self._said.yes(words)
            if passes is False
            else self._said.unknown(f"{words}; whether administrators may pass it by is not told")
        )

    def branches(self, environment: str) -> Evidence:
        try:
            found = self._environment(environment).get("deployment_branch_policy", ...)
            if found is None:
                return self._said.no(f"environment {environment} takes any branch")
            if not isinstance(found, Mapping):
                return self._said.unknown(f"which branches environment {environment} takes is not told")
            return self._taken(environment, found)
        except NotFetched as problem:
            return self._environment_not_told(environment, problem)

    def _taken(self, name: str, policy: Mapping[str, Any]) -> Evidence:
        if policy.get("protected_branches") is True:
            names = [str(each.get("name")) for each in self._client.pages("/branches?protected=true")]
            return self._all_protected(f"environment {name} takes protected branches alone", names)
        path = f"/environments/{_quoted(name)}/deployment-branch-policies"
        policies = list(self._client.pages(path, "branch_policies"))
        odd = [
            each
            for each in policies
            if each.get("type", "branch") != "branch" or set("*?[") & set(str(each.get("name")))
        ]
        if odd:
            return self._said.unknown(
                f"environment {name} takes {odd[0].get('name')}: who may make one is not looked at"
            )
        names = [str(each.get("name")) for each in policies]
        return self._all_protected(f"environment {name} takes {', '.join(names)} alone", names)

    def _all_protected(self, words: str, names: list[str]) -> Evidence:
        if not names:
            return self._said.unknown(f"{words}, and there is none")
        if len(names) > _BRANCHES_MAX:
            return self._said.unknown(f"{words}, and there are {len(names)} of them")
        found = [self._branches.reviewed(name) for name in names]
        verdict = worst(one.verdict for one in found)
        first = next(one for one in found if one.verdict is verdict)
        return Evidence(verdict, f"{words}; {first.words}.", self._said.place)

    def reviewers(self, environment: str) -> Evidence:
        try:
            rule = _reviewers(self._environment(environment))
        except NotFetched as problem:
            return self._environment_not_told(environment, problem)
        if rule is None:
            return self._said.no(f"Environment {environment} names nobody who lets jobs on")
        return self._said.yes(f"Environment {environment} names {len(rule['reviewers'])} who let jobs on")

    def owners_review(self) -> Evidence:
        try:
            branch = self._client.object("").get("default_branch")
        except NotFetched as problem:
            return self._said.not_told("The default branch", problem)
        if not isinstance(branch, str):
            return self._said.unknown("Which branch is the default one is not told")
        found = self._branches.reviewed(branch, by_owners=True)
        return self._said.at_its_place(found)

    def owners_exist(self) -> Evidence:
        try:
            errors = self._client.object("/codeowners/errors").get("errors")
        except NotFetched as problem:
            return self._said.not_told("What GitHub makes of CODEOWNERS", problem)
        if errors == []:
            return self._said.yes("GitHub understands each line of CODEOWNERS, and knows its owners")
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], Mapping) else None
        if first is None:
            return self._said.unknown("What GitHub makes of CODEOWNERS is not told")
        return self._said.no(f"GitHub does not take line {first.get('line')} of CODEOWNERS: {first.get('kind')}")

    def notes(self) -> tuple[str, ...]:
        return (
            f"GitHub was asked of {self._repository}; whoever administers it can change all of this at any time.",
            "Organizations' secrets, Apps and keys that may write to the repository were not looked at.",
        )

    def _environment(self, name: str) -> Mapping[str, Any]:
        return self._client.object(f"/environments/{_quoted(name)}")

    def _environment_not_told(self, name: str, problem: NotFetched) -> Evidence:
        """404 says that it is not there, or not for this token: the list of them tells which."""
        try:
            listed = (
                {str(each.get("name")).lower() for each in self._client.pages("/environments", "environments")}
                if problem.status == 404
                else {name.lower()}
            )
        except NotFetched:
            listed = {name.lower()}
        if name.lower() in listed:
            return self._said.not_told(f"Environment {name}", problem)
        return self._said.no(f"environment {name} is not there: GitHub makes it, without rules, when a job names it")


def _reviewers(environment: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The rule that names them; None where there is none."""
    rules = environment.get("protection_rules")
    if not isinstance(rules, list):
        raise NotFetched("does not tell the rules of that environment")
    for rule in rules:
        if isinstance(rule, Mapping) and rule.get("type") == "required_reviewers":
            named = rule.get("reviewers")
            if isinstance(named, list) and named:
                return rule
    return None


def _quoted(name: str) -> str:
    return quote(name, safe="")
