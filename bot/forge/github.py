"""GitHub's API, as far as a protection rule needs it. A `Forge`; for workers alone, who have the App's key.

Sources: https://docs.github.com/en/rest/actions/workflow-runs, https://docs.github.com/en/rest/branches/branches,
https://docs.github.com/en/rest/commits/commits, https://docs.github.com/en/rest/deployments/statuses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.forge.app_login import AppLogin
from bot.forge.calls import Answer, Call, silent
from workflows.core.records.forge import ForgeWait
from workflows.core.rules.forge_run import Account, BranchSeen, RunSeen
from workflows.ports import BeforeSend, ForgeSilent

_TEXT_LENGTH_MAX = 512
# What a deployment says once its job has begun. https://docs.github.com/en/rest/deployments/statuses
_BEGUN = frozenset({"in_progress", "success"})
# Of a repository that was renamed. GitHub leads to its address by id, which we make by ourselves: none that is sent is called.
# Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
_ELSEWHERE = frozenset({301, 302, 307, 308})
_ODD = "GitHub answered something that cannot be read"


class GitHub:
    def __init__(self, call: Call, login: AppLogin) -> None:
        self._call, self._login = call, login

    def run(self, wait: ForgeWait) -> RunSeen | None:
        answer = self._asked("GET", wait, f"/actions/runs/{wait.run}", "run")
        return None if answer.status == 404 else _run(_object(answer, 200))

    def branch(self, wait: ForgeWait, seen: RunSeen) -> BranchSeen | None:
        answer = self._asked("GET", wait, f"/branches/{quote(seen.branch, safe='')}", "branch")
        if answer.status == 404:
            return None
        said = _object(answer, 200)
        tip, protected = _text(_object_in(said, "commit"), "sha"), said.get("protected")
        if said.get("name") != seen.branch or not isinstance(protected, bool):
            raise ForgeSilent(_ODD)
        return BranchSeen(protected, tip == seen.commit or self._is_on(wait, seen.commit, tip))

    def authors(self, wait: ForgeWait, seen: RunSeen) -> frozenset[int]:
        answer = self._asked("GET", wait, f"/commits?sha={quote(seen.commit, safe='')}&per_page=1", "commits")
        found = answer.said
        if answer.status != 200 or not isinstance(found, list) or not found or not isinstance(found[0], dict):
            raise silent(answer)
        if found[0].get("sha") != seen.commit:
            raise ForgeSilent(_ODD)
        people = (_account(found[0].get(name)) for name in ("author", "committer"))
        return frozenset(one.number for one in people if one.number is not None)

    def went_on(self, wait: ForgeWait) -> bool:
        answer = self._asked("GET", wait, f"/deployments/{wait.deployment}/statuses?per_page=100", "deployment")
        if answer.status == 404:
            return False
        if answer.status != 200 or not isinstance(answer.said, list):
            raise silent(answer)
        return any(isinstance(one, dict) and one.get("state") in _BEGUN for one in answer.said)

    def answer(self, wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:
        state = "approved" if approved else "rejected"
        body = {"environment_name": wait.environment, "state": state, "comment": comment}
        path = f"/actions/runs/{wait.run}/deployment_protection_rule"
        answer = self._asked("POST", wait, path, "review", body, before_send)
        if answer.status in (404, 422):
            return False
        if answer.status != 204:
            raise silent(answer)
        return True

    def _is_on(self, wait: ForgeWait, commit: str, tip: str) -> bool:
        """Whether the branch leads to the commit: a tag of the same name could be anywhere. The second page has no files."""
        path = f"/compare/{quote(commit, safe='')}...{quote(tip, safe='')}?per_page=1&page=2"
        answer = self._asked("GET", wait, path, "compare")
        return answer.status != 404 and _object(answer, 200).get("status") in ("ahead", "identical")

    def _asked(
        self,
        method: str,
        wait: ForgeWait,
        path: str,
        called: str,
        body: Mapping[str, Any] | None = None,
        before_send: BeforeSend | None = None,
    ) -> Answer:
        """Of the repository of `wait`, by its id where it is called otherwise by now. A token that is refused is made anew, once.
        Raises ForgeSilent.
        """
        for home in (f"/repos/{wait.repository}", f"/repositories/{wait.repository_id}"):
            answer = self._answered(method, wait, f"{home}{path}", called, body, before_send)
            if answer.status not in _ELSEWHERE:
                break
        if answer.status not in (200, 204, 404, 422):
            raise silent(answer)
        return answer

    def _answered(
        self,
        method: str,
        wait: ForgeWait,
        path: str,
        called: str,
        body: Mapping[str, Any] | None,
        before_send: BeforeSend | None,
    ) -> Answer:
        for again in (True, False):
            token = self._login.token(wait)
            if before_send is not None:
                before_send()
            answer = self._call(method, path, f"Bearer {token}", body, called)
            if answer.status != 401:
                break
            self._login.forget(wait)
            if not again:
                break
        return answer


def _run(said: Mapping[str, Any]) -> RunSeen:
    home, repository = said.get("head_repository"), _object_in(said, "repository")
    return RunSeen(
        repository=_text(repository, "full_name"),
        repository_id=_number(repository, "id"),
        owner_id=_number(_object_in(repository, "owner"), "id"),
        # A fork that was deleted is none.
        home_id=_number(home, "id") if isinstance(home, dict) else "",
        branch=_text(said, "head_branch"),
        commit=_text(said, "head_sha"),
        run=_number(said, "id"),
        attempt=_number(said, "run_attempt"),
        # Newer servers write the ref behind it.
        workflow=_text(said, "path").partition("@")[0],
        event=_text(said, "event"),
        actor=_account(said.get("actor")),
        again_by=_account(said.get("triggering_actor")),
        title=_title(said.get("display_title")),
        over=_text(said, "status") == "completed",
    )


def _object(answer: Answer, status: int) -> Mapping[str, Any]:
    if answer.status != status:
        raise silent(answer)
    if not isinstance(answer.said, dict):
        raise ForgeSilent(_ODD)
    return answer.said


def _object_in(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    if not isinstance(found, dict):
        raise ForgeSilent(_ODD)
    return found


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= _TEXT_LENGTH_MAX or not found.isprintable():
        raise ForgeSilent(_ODD)
    return found


def _number(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or found <= 0:
        raise ForgeSilent(_ODD)
    return str(found)


def _title(found: object) -> str:
    return " ".join(found.split()) if isinstance(found, str) else ""


def _account(found: object) -> Account:
    if not isinstance(found, dict):
        return Account(None, "")
    name, number = found.get("login"), found.get("id")
    name = name if isinstance(name, str) and len(name) <= _TEXT_LENGTH_MAX and name.isprintable() else ""
    human = found.get("type") == "User" and isinstance(number, int) and not isinstance(number, bool) and number > 0
    return Account(number if human and not name.endswith("[bot]") else None, name)
