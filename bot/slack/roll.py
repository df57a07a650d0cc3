"""Many accounts of Slack in few questions: one by one while they are few, else the list of the whole workspace.

`users.info` has 100 a minute, `users.list` 20, of up to 1,000 people each, deactivated ones among them.
Source: docs.slack.dev/reference/methods/users.list and /apis/web-api/pagination (read in 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.slack.facts import Home, facts_of
from bot.slack.lookups import Lookups, NotShown
from workflows.core.identity import SLACK, Account, unbound
from workflows.core.people import PersonFacts, is_fresh
from workflows.core.policy import Policy
from workflows.core.refusal import Code
from workflows.core.rules.leaving import Looked
from workflows.ports import DirectoryUnreachable

# Half of what the background may ask at once: whoever seems to have left is asked about once more before anything ends.
FEW = 5
# Where reading the list stopped, because Slack wanted rest, it goes on for so long.
GOES_ON_FOR = timedelta(minutes=15)

User = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Read:
    """How far the list was read. `seen`: by id, with when Slack was asked. `cursor`: of the next page; empty at the end."""

    began_at: datetime
    seen: Mapping[str, tuple[User, datetime]] = field(default_factory=dict)
    cursor: str = ""
    whole: bool = False


class Roll:
    """Of one process. What Slack does not say to the end is not known. `known`: what is known of an account that is gone."""

    def __init__(
        self, lookups: Lookups, now: Callable[[], datetime], known: Callable[[Account], PersonFacts | None]
    ) -> None:
        self._lookups = lookups
        self._now = now
        self._known = known
        self._stopped: _Read | None = None

    def look(self, accounts: Collection[Account], home: Home, policy: Policy) -> Looked:
        """Never raises DirectoryUnreachable."""
        if len(accounts) > FEW:
            return self._by_list(accounts, home, policy)
        found: dict[Account, PersonFacts] = {}
        unseen: list[Account] = []
        silent: DirectoryUnreachable | None = None
        for who in accounts:
            asked_at = self._now()
            try:
                found[who] = facts_of(self._lookups.by_id(who.user, background=True), who, home, policy, asked_at)
            except NotShown as problem:
                unseen += [who] if problem.nobody and _is_on_our_list(who, home) else []
            except DirectoryUnreachable as problem:
                silent = silent or problem
        first = _looked(found, silent)
        return _both(first, self._by_list(unseen, home, policy, denied=True)) if unseen else first

    def _by_list(self, accounts: Collection[Account], home: Home, policy: Policy, *, denied: bool = False) -> Looked:
        """`denied`: Slack has just said of each that it knows no such id."""
        found: dict[Account, PersonFacts] = {}
        try:
            seen = self._whole_list().seen
            for who in accounts:
                if who.user in seen:
                    found[who] = facts_of(seen[who.user][0], who, home, policy, seen[who.user][1])
                elif _is_on_our_list(who, home) and (denied or self._is_nobody(who)):
                    known = self._known(who) or PersonFacts(unbound(who.id), who.user, who, self._now())
                    gone = Code.PERSON_DEACTIVATED.value
                    found[who] = replace(known, as_of=self._now(), standing_problem=gone)
        except DirectoryUnreachable as problem:
            return replace(_looked(found, problem), goes_on=self._stopped is not None)
        return Looked(found)

    def _is_nobody(self, who: Account) -> bool:
        """Whether Slack says of an id, too, that there is none like it. Raises DirectoryUnreachable."""
        try:
            self._lookups.by_id(who.user, background=True)
        except NotShown as problem:
            return problem.nobody
        return False

    def _whole_list(self) -> _Read:
        """All of it, in one go or in several; each page is as old as it is. Raises DirectoryUnreachable.

        What is read on is kept only where it got further: a list that stands still is no list.
        """
        read, self._stopped = self._stopped, None
        begun = read.cursor if read is not None else ""
        if read is None or not is_fresh(read.began_at, self._now(), GOES_ON_FOR):
            read = _Read(self._now())
        while not read.whole:
            try:
                read = self._one_more(read)
            except DirectoryUnreachable as problem:
                self._stopped = read if problem.after_s and read.cursor != begun else None
                raise
        return read

    def _one_more(self, read: _Read) -> _Read:
        asked_at = self._now()
        users, cursor = self._lookups.listed(read.cursor)
        if cursor and cursor == read.cursor:
            raise DirectoryUnreachable("Slack's list of people has no end")
        seen = {**read.seen, **{id_: (user, asked_at) for user in users for id_ in _ids(user)}}
        return replace(read, seen=seen, cursor=cursor, whole=not cursor)


def _ids(user: User) -> set[str]:
    organisation = user.get("enterprise_user")
    other = organisation.get("id") if isinstance(organisation, Mapping) else None
    return {str(user["id"]), *([other] if isinstance(other, str) and other else ())}


def _is_on_our_list(who: Account, home: Home) -> bool:
    """Whether the list would have it, if it were there. In an organisation it may be in a workspace of which we are told less."""
    return not home.enterprise and who.tenant == home.team


def _looked(found: Mapping[Account, PersonFacts], problem: DirectoryUnreachable | None) -> Looked:
    return Looked(found, {SLACK: str(problem)}, problem.after_s) if problem is not None else Looked(found)


def _both(first: Looked, second: Looked) -> Looked:
    silent, after_s = {**first.silent, **second.silent}, max(first.after_s, second.after_s)
    return Looked({**first.facts, **second.facts}, silent, after_s, second.goes_on)
