"""Groups from outside: who is on call in a PagerDuty schedule, and lists of people behind an https address.

Only workers ask, in the background; what cannot be learnt adds nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from bot.directory.http_json import NotFetched, fetch_json
from bot.directory.token import NoToken, bearer, no_other, with_token
from workflows.core.identity import Address, address_of
from workflows.core.policy import Group
from workflows.ports import DirectoryUnreachable

PAGE_LENGTH = 100
PAGES_MAX = 10
PEOPLE_MAX = 1000

Members = frozenset[Address]


class OutsideGroups:
    """`secret`: the value behind a name that the policy gives. `refused`: is told that it was refused, and says whether there is
    another one now. `pagerduty_url`: the API of the account's region.
    """

    def __init__(
        self,
        secret: Callable[[str], str | None],
        pagerduty_url: str,
        monotonic_s: Callable[[], float],
        refused: Callable[[str], bool] = no_other,
    ) -> None:
        self._refused = refused
        self._secret = secret
        self._pagerduty_url = pagerduty_url.rstrip("/")
        self._monotonic_s = monotonic_s
        # Source -> when it may be asked again, because it wanted to be left alone.
        self._not_before_s: dict[str, float] = {}

    def members(self, group: Group) -> Members:
        """Who is in it now. Raises DirectoryUnreachable with the reason, which is shown on cards."""
        name = "PagerDuty" if group.pagerduty_schedule else "its address"
        source = str(group.source)
        if self._monotonic_s() < self._not_before_s.get(source, 0.0):
            raise DirectoryUnreachable(f"{name} asked to be left alone for a while")
        try:
            return with_token(group.token_env, self._secret, self._refused, lambda token: self._asked(group, token))
        except NoToken as problem:
            raise DirectoryUnreachable(str(problem)) from None
        except NotFetched as problem:
            if problem.after_s:
                self._not_before_s[source] = self._monotonic_s() + problem.after_s
            raise DirectoryUnreachable(f"{name} {problem}") from None

    def _asked(self, group: Group, token: str | None) -> Members:
        return self._on_call(group, token) if group.pagerduty_schedule else self._listed(group, token)

    # ------------------------------------------------------------ PagerDuty

    def _on_call(self, group: Group, token: str | None) -> Members:
        """GET /oncalls of the REST API v2, which answers for this moment unless told otherwise, page by page."""
        headers = {
            "Authorization": f"Token token={token or ''}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        found: set[Address] = set()
        for page in range(PAGES_MAX):
            query = [
                ("schedule_ids[]", group.pagerduty_schedule),
                ("include[]", "users"),
                ("limit", PAGE_LENGTH),
                ("offset", page * PAGE_LENGTH),
            ]
            answer = fetch_json(
                f"{self._pagerduty_url}/oncalls?{urlencode(query)}", headers, called=("pagerduty", "oncalls")
            )
            entries = answer.get("oncalls") if isinstance(answer, Mapping) else None
            if not isinstance(entries, list):
                raise NotFetched("answered something that is not a list of who is on call")
            people = (_person_on_call(entry, str(group.pagerduty_schedule)) for entry in entries)
            found |= {who for who in people if who is not None}
            if not answer.get("more"):
                return frozenset(found)
        raise NotFetched("answered more than it should")

    # ------------------------------------------------------------ any address

    def _listed(self, group: Group, token: str | None) -> Members:
        """A JSON list of addresses, bare or under `members` or `emails`."""
        answer = fetch_json(str(group.https), bearer(token), called=("https", "group"))
        if isinstance(answer, Mapping):
            answer = answer.get("members", answer.get("emails"))
        if not isinstance(answer, list) or len(answer) > PEOPLE_MAX:
            raise NotFetched("answered something that is not a list of addresses")
        return frozenset(who for item in answer if (who := _address(item)) is not None)


def _person_on_call(entry: Any, schedule: str) -> Address | None:
    """One entry of `oncalls`. Another schedule's, or a user without an address, means that the answer is not what was asked."""
    if not isinstance(entry, Mapping) or (entry.get("schedule") or {}).get("id") != schedule:
        raise NotFetched("answered for another schedule")
    return _address((entry.get("user") or {}).get("email"))


def _address(item: Any) -> Address | None:
    """None for an address in another alphabet: it is nobody's here, and says nothing of the others."""
    found = address_of(item) if isinstance(item, str) else None
    if found is None and isinstance(item, str) and not item.isascii() and item.isprintable() and item.count("@") == 1:
        return None
    if found is None:
        raise NotFetched("answered something that is not a list of addresses")
    return found
