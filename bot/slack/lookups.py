"""Questions to Slack about people: no more than Slack takes from all our processes together, and none while it wants rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.chat.surface import NotDone
from bot.slack.answers import ask
from workflows.ports import Buckets, DirectoryUnreachable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket that never lets more through in any minute than Slack's published figure: burst and a minute's flow."""

    burst: float
    a_minute: float

    @property
    def a_second(self) -> float:
        return (self.a_minute - self.burst) / 60


# docs.slack.dev/apis/web-api/rate-limits, and each method's own page, read in 2026.
LIMITS: Mapping[str, Limit] = {
    "users.info": Limit(25, 100),
    "users.lookupByEmail": Limit(15, 50),
    "users.list": Limit(15, 20),
    "usergroups.list": Limit(5, 20),
    "dnd.teamInfo": Limit(5, 20),
}
# What the background leaves over for somebody who has just pressed a button, as a part of the burst.
LEFT_FOR_PRESSES = 0.6
AFTER_AN_ERROR_S = 5.0


class NotThere(Exception):
    """Slack said for certain that there is nobody like that."""


class NotShown(DirectoryUnreachable):
    """Slack says nothing of an id. `nobody`: that it knows none like it, which by itself proves nothing."""

    def __init__(self, why: str, *, nobody: bool) -> None:
        super().__init__(why)
        self.nobody = nobody


# The only word that means it: nobody of this workspace has that address. Of an id, `user_not_found` and
# `user_not_visible` say no more than that this token is shown nothing.
_NOT_THERE = {"users.lookupByEmail": frozenset({"users_not_found"})}
_NOBODY = "user_not_found"
_NOT_SHOWN = frozenset({_NOBODY, "user_not_visible"})
# As many people as Slack gives at once.
PAGE = 1000
_WHY = {
    "ratelimited": "Slack takes only so many questions a minute",
    **dict.fromkeys(_NOT_SHOWN, "Slack does not show me this account"),
}


class Lookups:
    """`buckets`: shared by all processes, so that what one is told to wait all wait."""

    def __init__(self, client: WebClient, buckets: Buckets) -> None:
        self._client = client
        self._buckets = buckets

    def identity(self) -> Mapping[str, Any]:
        """`auth.test`: where we are. Raises DirectoryUnreachable."""
        return self._asked("auth.test", self._client.auth_test, "team_id")

    def by_id(self, user: str, *, background: bool = False) -> Mapping[str, Any]:
        """`users.info`. Raises DirectoryUnreachable."""
        self._wait_for_turn("users.info", background)
        return _user(self._asked("users.info", self._client.users_info, "user", user=user))

    def by_address(self, address: str, *, background: bool = False) -> Mapping[str, Any]:
        """`users.lookupByEmail`. Raises NotThere, and DirectoryUnreachable where that is not known."""
        self._wait_for_turn("users.lookupByEmail", background)
        return _user(self._asked("users.lookupByEmail", self._client.users_lookupByEmail, "user", email=address))

    def listed(self, cursor: str = "", limit: int = 0) -> tuple[tuple[Mapping[str, Any], ...], str]:
        """One page of everybody in the workspace (`users.list`), and the cursor of the next one; "" at the end.

        Raises DirectoryUnreachable, also where a page does not say whether it is the last.
        """
        self._wait_for_turn("users.list", background=False)
        more = {"cursor": cursor} if cursor else {}
        answer = self._asked("users.list", self._client.users_list, "members", limit=limit or PAGE, **more)
        members, after = answer["members"], answer.get("response_metadata")
        following = after.get("next_cursor") if isinstance(after, Mapping) else None
        readable = isinstance(members, list) and all(
            isinstance(one, Mapping) and isinstance(one.get("id"), str) for one in members
        )
        if not readable or not isinstance(following, str):
            raise DirectoryUnreachable("Slack's list of people cannot be read", AFTER_AN_ERROR_S)
        return tuple(members), following

    def groups(self) -> Mapping[str, tuple[str, ...] | None]:
        """All user groups that are not disabled, with the ids of their members; None where that cannot be read.

        Raises DirectoryUnreachable.
        """
        self._wait_for_turn("usergroups.list", background=False)
        listed = self._asked(
            "usergroups.list",
            self._client.usergroups_list,
            "usergroups",
            include_users=True,
            include_disabled=False,
        )["usergroups"]
        if not isinstance(listed, list) or not all(isinstance(item, Mapping) for item in listed):
            raise DirectoryUnreachable("Slack's list of user groups cannot be read", AFTER_AN_ERROR_S)
        return {str(item.get("id")): _members(item) for item in listed}

    def do_not_disturb(self, users: list[str]) -> Mapping[str, Any]:
        """`dnd.teamInfo`: entries by id. Raises DirectoryUnreachable."""
        self._wait_for_turn("dnd.teamInfo", background=False)
        found = self._asked("dnd.teamInfo", self._client.dnd_teamInfo, "users", users=users)["users"]
        entries = found.items() if isinstance(found, Mapping) else ()
        return {user: entry for user, entry in entries if isinstance(entry, Mapping)}

    def _wait_for_turn(self, method: str, background: bool) -> None:
        limit = LIMITS[method]
        reserve = round(limit.burst * LEFT_FOR_PRESSES) if background else 0.0
        wait_s = self._buckets.take(f"slack:{method}", rate=limit.a_second, burst=limit.burst, reserve=reserve)
        if wait_s > 0:
            raise DirectoryUnreachable(_WHY["ratelimited"], wait_s)

    def _asked(
        self, method: str, call: Callable[..., SlackResponse], *wants: str, **arguments: Any
    ) -> Mapping[str, Any]:
        try:
            return ask(call, *wants, **arguments)
        except NotDone as problem:
            if problem.word in _NOT_THERE.get(method, ()):
                raise NotThere from problem
            if problem.after_s:
                # For all processes: what is sent all the same only makes it longer.
                self._buckets.block(f"slack:{method}", problem.after_s)
            log.warning("Slack did not say", method=method, error=problem.word)
            # What it said of this one account says nothing of the next question.
            if problem.word in _NOT_SHOWN and not problem.after_s:
                raise NotShown(_WHY[problem.word], nobody=problem.word == _NOBODY) from problem
            why, rest_s = _WHY.get(problem.word, "Slack did not answer"), AFTER_AN_ERROR_S
            raise DirectoryUnreachable(why, problem.after_s or rest_s) from problem


def _user(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    user = answer["user"]
    if not isinstance(user, Mapping) or not isinstance(user.get("id"), str):
        raise DirectoryUnreachable("Slack's answer cannot be read", AFTER_AN_ERROR_S)
    return user


def _members(group: Mapping[str, Any]) -> tuple[str, ...] | None:
    """A group of nobody may come without the list."""
    users = group.get("users")
    if users is None and group.get("user_count") in (0, "0"):
        return ()
    readable = isinstance(users, list) and all(isinstance(user, str) for user in users)
    return tuple(users) if readable and users is not None else None
