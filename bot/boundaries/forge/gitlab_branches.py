"""Whether a branch of GitLab takes nothing that nobody reviewed: who may push it, and what a merge request has to have.

Sources: https://docs.gitlab.com/api/protected_branches/, https://docs.gitlab.com/api/merge_request_approvals/ and
https://docs.gitlab.com/user/project/repository/branches/protected/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from bot.boundaries.forge.client import GitLabClient
from bot.boundaries.model import Evidence, Verdict, no, unknown, yes
from bot.directory.http_json import NotFetched

# Rules of these kinds ask people; others ask a scanner, or code owners.
_OF_PEOPLE = frozenset({"regular", "any_approver"})
_OVERRIDES, _AUTHORS = "disable_overriding_approvers_per_merge_request", "merge_requests_author_approval"


class GitLabBranches:
    """The words have no full stop."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client

    def worst(self, names_max: int) -> Evidence:
        """Of all that are protected; the first of those that are not a yes. Raises NotFetched."""
        found = self._protected()
        if not found:
            return no("no branch of this project is protected")
        if len(found) > names_max:
            return unknown(f"{len(found)} branches are protected, which are more than are looked at")
        judged = [self._judged(str(one["name"]), [one], by_owners=False) for one in found]
        for verdict in (Verdict.NO, Verdict.UNKNOWN):
            if odd := next((one for one in judged if one.verdict is verdict), None):
                return odd
        return judged[0]

    def reviewed(self, branch: str, *, by_owners: bool = False) -> Evidence:
        """`by_owners`: of code owners. Where several entries fit, each has to hold. Raises NotFetched."""
        found = [one for one in self._protected() if _fits(str(one["name"]), branch)]
        return self._judged(branch, found, by_owners) if found else no(f"branch {branch} is not protected")

    def _judged(self, branch: str, entries: list[Mapping[str, Any]], by_owners: bool) -> Evidence:
        for entry in entries:
            if problem := _open(branch, entry):
                return problem
        if by_owners and (problem := _without_owners(branch, entries)):
            return problem
        try:
            lacks = next(self._lacks(branch, by_owners), None)
        except NotFetched as problem:
            return unknown(f"what a merge request into {branch} has to have is not told: GitLab {problem}")
        whose = "approval from code owners" if by_owners else "an approval"
        return lacks or yes(f"branch {branch} takes merge requests alone, and requires {whose}")

    def _lacks(self, branch: str, by_owners: bool) -> Iterator[Evidence]:
        """Raises NotFetched: without Premium there are no such settings, and nobody has to approve."""
        settings = self._client.object("/approvals")
        if settings.get(_AUTHORS) is not False:
            yield _said_no(settings.get(_AUTHORS) is True, f"authors may approve their own merge requests ({_AUTHORS})")
        if by_owners:
            return
        if settings.get(_OVERRIDES) is not True:
            words = f"a merge request may leave out who has to approve it ({_OVERRIDES})"
            yield _said_no(settings.get(_OVERRIDES) is False, words)
        if not any(_asks_people(rule, branch) for rule in self._client.pages("/approval_rules")):
            yield no(f"branch {branch} takes merge requests that nobody has to approve")

    def _protected(self) -> list[Mapping[str, Any]]:
        found = list(self._client.pages("/protected_branches"))
        if not all(isinstance(one.get("name"), str) for one in found):
            raise NotFetched("answered something else than was asked")
        return found


def _open(branch: str, entry: Mapping[str, Any]) -> Evidence | None:
    """Who may push needs no merge request; only `no access`, for everybody, keeps all of them out."""
    levels = entry.get("push_access_levels")
    if not isinstance(levels, list) or not all(isinstance(one, Mapping) for one in levels):
        return unknown(f"who may push to branch {branch} is not told")
    pushing = [one for one in levels if not _is_nobody(one)]
    if pushing:
        whose = str(pushing[0].get("access_level_description") or "somebody")[:60]
        return no(f"branch {branch} takes what nobody reviewed: {whose} may push to it")
    return unknown(f"who may push to branch {branch} is not told") if not levels else None


def _without_owners(branch: str, entries: list[Mapping[str, Any]]) -> Evidence | None:
    required = [entry.get("code_owner_approval_required") for entry in entries]
    if all(one is True for one in required):
        return None
    words = f"branch {branch} does not require approval from code owners"
    return _said_no(all(one is False for one in required), words)


def _is_nobody(level: Mapping[str, Any]) -> bool:
    named = any(level.get(name) is not None for name in ("user_id", "group_id", "deploy_key_id", "member_role_id"))
    return not named and level.get("access_level") == 0 and level.get("access_level") is not False


def _asks_people(rule: Mapping[str, Any], branch: str) -> bool:
    """Whether by this rule somebody has to approve what goes to that branch."""
    count = rule.get("approvals_required")
    if rule.get("rule_type") not in _OF_PEOPLE or isinstance(count, bool) or not isinstance(count, int) or count < 1:
        return False
    named = rule.get("protected_branches")
    if rule.get("applies_to_all_protected_branches") is True or named == []:
        return True
    names = [one.get("name") for one in named if isinstance(one, Mapping)] if isinstance(named, list) else []
    return any(isinstance(name, str) and _fits(name, branch) for name in names)


def _fits(pattern: str, branch: str) -> bool:
    """`*` is the only sign of a pattern there."""
    return fnmatchcase(branch, pattern.replace("[", "[[]").replace("?", "[?]"))


def _said_no(is_said: bool, words: str) -> Evidence:
    return no(words) if is_said else unknown(f"whether it is so is not told: {words}")
