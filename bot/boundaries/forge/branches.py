"""Whether a branch of GitHub takes nothing that nobody reviewed: by rulesets, or by the older branch protection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bot.boundaries.forge.client import GitHubClient
from bot.boundaries.model import Evidence, Verdict, no, unknown, yes
from bot.directory.http_json import NotFetched

_NOT_TO_THIS_TOKEN = (401, 403, 404)


class Branches:
    def __init__(self, client: GitHubClient) -> None:
        self._client = client

    def reviewed(self, branch: str, *, by_owners: bool = False) -> Evidence:
        """`by_owners`: of code owners. The words have no full stop. One way that holds for everybody is enough."""
        try:
            found = [*self._by_rulesets(branch, by_owners), self._by_protection(branch, by_owners)]
        except NotFetched as problem:
            return unknown(f"how branch {branch} is protected is not told: GitHub {problem}")
        for verdict in (Verdict.YES, Verdict.UNKNOWN):
            for one in found:
                if one.verdict is verdict:
                    return one
        # What a ruleset lacks says more than that there is no older protection.
        return found[0]

    def _by_rulesets(self, branch: str, by_owners: bool) -> Iterator[Evidence]:
        for rule in self._client.pages(f"/rules/branches/{quote(branch, safe='')}"):
            given = rule.get("parameters")
            if rule.get("type") != "pull_request" or not isinstance(given, Mapping):
                continue
            if by_owners and given.get("require_code_owner_review") is not True:
                yield no(f"a ruleset of branch {branch} does not require review from code owners")
            elif not by_owners and not _at_least_one(given.get("required_approving_review_count")):
                yield no(f"a ruleset of branch {branch} wants a pull request that nobody has to approve")
            else:
                yield self._unless_passed_by(branch, rule, by_owners)

    def _unless_passed_by(self, branch: str, rule: Mapping[str, Any], by_owners: bool) -> Evidence:
        whose = "review from code owners" if by_owners else "a review"
        number = rule.get("ruleset_id")
        try:
            actors = (
                self._client.object(f"/rulesets/{int(number)}").get("bypass_actors")
                if isinstance(number, int)
                else None
            )
        except NotFetched:
            actors = None
        if not isinstance(actors, list):
            return unknown(
                f"a ruleset of branch {branch} requires {whose}; who may pass it by is not told to this token"
            )
        if actors:
            return no(f"a ruleset of branch {branch} requires {whose}, and {len(actors)} may pass it by")
        return yes(f"a ruleset of branch {branch} requires {whose}, of everybody")

    def _by_protection(self, branch: str, by_owners: bool) -> Evidence:
        try:
            found = self._client.object(f"/branches/{quote(branch, safe='')}/protection")
        except NotFetched as problem:
            if problem.status not in _NOT_TO_THIS_TOKEN:
                raise
            return self._without(branch)
        reviews = found.get("required_pull_request_reviews")
        if not isinstance(reviews, Mapping):
            return no(f"branch {branch} is protected, and takes what nobody reviewed")
        if by_owners and reviews.get("require_code_owner_reviews") is not True:
            return no(f"branch {branch} does not require review from code owners")
        if not by_owners and not _at_least_one(reviews.get("required_approving_review_count")):
            return no(f"branch {branch} wants a pull request that nobody has to approve")
        return _for_everybody(branch, found, reviews, "review from code owners" if by_owners else "a review")

    def _without(self, branch: str) -> Evidence:
        """404 says that it is not protected, or that this token may not know: the branch itself tells which."""
        if self._client.object(f"/branches/{quote(branch, safe='')}").get("protected") is False:
            return no(f"branch {branch} is not protected")
        return unknown(f"branch {branch} is protected; how is not told to this token (it takes administration: read)")


def _for_everybody(branch: str, found: Mapping[str, Any], reviews: Mapping[str, Any], whose: str) -> Evidence:
    admins = found.get("enforce_admins")
    enforced = admins.get("enabled") if isinstance(admins, Mapping) else None
    if enforced is False:
        return no(f"branch {branch} requires {whose}, but not of administrators (enforce_admins)")
    if enforced is not True:
        return unknown(f"branch {branch} requires {whose}; whether of administrators, too, is not told")
    passing = reviews.get("bypass_pull_request_allowances")
    if isinstance(passing, Mapping) and any(passing.values()):
        return no(f"branch {branch} requires {whose}, and some may pass it by")
    return yes(f"branch {branch} requires {whose}, of everybody")


def _at_least_one(count: object) -> bool:
    return isinstance(count, int) and not isinstance(count, bool) and count >= 1
