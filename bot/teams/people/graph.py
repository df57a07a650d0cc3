"""Questions to Microsoft Graph about people and groups: within seconds, no more than it takes, and to its own address alone.

Permissions of the application: `User.Read.All` and `GroupMember.Read.All`.
Sources: learn.microsoft.com/graph/api/user-get, group-list-transitivemembers, paging, throttling-limits (read in 2026).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import structlog

from bot.directory.http_json import NotFetched, fetch_json
from workflows.ports import Buckets, DirectoryUnreachable

log = structlog.get_logger()

TIMEOUT_S = 8.0
# A page of 999 people with six short fields each is well below.
BYTES_MAX = 4 * 1024 * 1024
AFTER_AN_ERROR_S = 5.0
PAGE = 999
IDS_AT_ONCE = 15
# More pages than any group has: a list without an end is none.
PAGES_MAX = 200
# Graph counts resource units in ten seconds, 3,500 of them for a small tenant; a question for a person is one, a page of a
# group five. So much lower that others who ask for the same tenant have room. The background leaves the larger part.
BUCKET, A_SECOND, BURST = "teams:graph", 30.0, 60.0
LEFT_FOR_PRESSES = 40.0
OF_A_PERSON = "id,displayName,mail,userPrincipalName,accountEnabled,userType"
OF_A_MEMBER = "id,mail,userPrincipalName,accountEnabled,userType"
# What is asked for, as it is counted.
_KINDS = frozenset({"users", "groups", "directory"})
NOT_FOUND, UNAUTHORIZED, FORBIDDEN = 404, 401, 403
Json = Mapping[str, Any]


class NotThere(Exception):
    """Graph said that there is no such thing in our tenant."""


class GraphTokens(Protocol):
    """`bot.teams.client.tokens.Tokens`."""

    def graph(self) -> str: ...
    def forget(self) -> None: ...


class Graph:
    """`base_url`: with its version, `https://graph.microsoft.com/v1.0`. Every call raises DirectoryUnreachable."""

    def __init__(self, base_url: str, tokens: GraphTokens, buckets: Buckets, timeout_s: float = TIMEOUT_S) -> None:
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens
        self._buckets = buckets
        self._timeout_s = timeout_s

    def user(self, id_: str, *, background: bool = False) -> Json:
        """By object id. Raises NotThere."""
        query = urlencode({"$select": OF_A_PERSON}, safe="$,")
        return _object(self._asked(f"{self._base_url}/users/{quote(id_, safe='')}?{query}", background))

    def is_deleted(self, id_: str) -> bool:
        """Whether the directory itself says that it was deleted, which it does for thirty days.

        Source: learn.microsoft.com/graph/api/directory-deleteditems-get
        """
        try:
            found = _object(
                self._asked(f"{self._base_url}/directory/deletedItems/{quote(id_, safe='')}", background=False)
            )
        except (NotThere, DirectoryUnreachable):
            return False
        return str(found.get("id", "")).lower() == id_

    def by_address(self, addresses: Iterable[str]) -> tuple[Json, ...]:
        """Everybody who has one of these as their address, or signs in with it."""
        written = (address.replace("'", "''") for address in addresses)
        terms = (f"{name} eq '{one}'" for one in written for name in ("mail", "userPrincipalName"))
        return self._people({"$filter": " or ".join(terms), "$select": OF_A_PERSON}, background=False)

    def some(self, ids: Sequence[str]) -> tuple[Json, ...]:
        """Those of these people whom our tenant shows, a few at a time.

        Source: learn.microsoft.com/graph/filter-query-parameter (at most 15 values of `in`)
        """
        found: list[Json] = []
        for start in range(0, len(ids), IDS_AT_ONCE):
            listed = ",".join(f"'{id_}'" for id_ in ids[start : start + IDS_AT_ONCE])
            found += self._people({"$filter": f"id in ({listed})", "$select": OF_A_PERSON})
        return tuple(found)

    def everybody(self) -> tuple[Json, ...]:
        """All people of our tenant, without an end that is missing."""
        return self._people({"$select": OF_A_PERSON, "$top": str(PAGE)})

    def anybody(self) -> None:
        """Whether everybody could be listed: one person, and no further page. Raises NotThere."""
        query = urlencode({"$select": OF_A_PERSON, "$top": "1"}, safe="$,")
        page = _object(self._asked(f"{self._base_url}/users?{query}", background=False))
        if not isinstance(page.get("value"), list):
            raise DirectoryUnreachable("Graph's list cannot be read", AFTER_AN_ERROR_S)

    def _people(self, query: Mapping[str, str], *, background: bool = True) -> tuple[Json, ...]:
        asks = urlencode(query, safe="$,()", quote_via=quote)
        try:
            return tuple(self._pages(f"{self._base_url}/users?{asks}", background=background))
        except NotThere:
            raise DirectoryUnreachable("Graph has no list of people", AFTER_AN_ERROR_S) from None

    def members(self, group: str) -> tuple[Json, ...]:
        """All people in a group and in the groups in it, without an end that is missing. Raises NotThere.

        A list by type is a query for which Graph wants `$count` and a word about its age.
        Source: learn.microsoft.com/graph/aad-advanced-queries
        """
        query = urlencode({"$select": OF_A_MEMBER, "$top": PAGE, "$count": "true"}, safe="$,")
        path = f"groups/{quote(group, safe='')}/transitiveMembers/microsoft.graph.user"
        return tuple(self._pages(f"{self._base_url}/{path}?{query}"))

    def _pages(self, url: str, *, background: bool = False) -> Iterator[Json]:
        """Each page's entries; the next page's address is taken as it is, where it is Graph's own."""
        for _ in range(PAGES_MAX):
            page = _object(self._asked(url, background))
            entries = page.get("value")
            if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
                raise DirectoryUnreachable("Graph's list cannot be read", AFTER_AN_ERROR_S)
            yield from entries
            url = page.get("@odata.nextLink") or ""
            if not url:
                return
            if not self._is_own(url):
                raise DirectoryUnreachable(
                    "Graph's list goes on at another address, which is not followed", AFTER_AN_ERROR_S
                )
        raise DirectoryUnreachable("Graph's list has no end", AFTER_AN_ERROR_S)

    def _is_own(self, url: object) -> bool:
        if not isinstance(url, str):
            return False
        try:
            mine, other = urlsplit(self._base_url), urlsplit(url)
        except ValueError:
            return False
        return (mine.scheme, mine.netloc) == (other.scheme, other.netloc) and other.path.startswith(f"{mine.path}/")

    # ------------------------------------------------------------ one question

    def _asked(self, url: str, background: bool) -> Any:
        wait_s = self._buckets.take(BUCKET, rate=A_SECOND, burst=BURST, reserve=LEFT_FOR_PRESSES if background else 0.0)
        if wait_s > 0:
            raise DirectoryUnreachable("Graph takes only so many questions", wait_s)
        try:
            return self._fetched(url)
        except NotFetched as problem:
            if problem.status != UNAUTHORIZED:
                raise self._explained(problem) from None
        # A token may be taken back before it is over: once more with a new one.
        self._tokens.forget()
        try:
            return self._fetched(url)
        except NotFetched as problem:
            raise self._explained(problem) from None

    def _fetched(self, url: str) -> Any:
        try:
            token = self._tokens.graph()
        except Exception as problem:
            # Whatever the login has to say: its words name no secret, and ours say less.
            log.warning("no token for Graph", error=type(problem).__name__)
            raise DirectoryUnreachable("Microsoft's login gave no token for Graph", AFTER_AN_ERROR_S) from None
        headers = {"Authorization": f"Bearer {token}", "ConsistencyLevel": "eventual"}
        kind = url.removeprefix(f"{self._base_url}/").partition("?")[0].partition("/")[0]
        called = ("graph", kind if kind in _KINDS else "other")
        return fetch_json(url, headers, timeout_s=self._timeout_s, bytes_max=BYTES_MAX, called=called)

    def _explained(self, problem: NotFetched) -> Exception:
        if problem.status == NOT_FOUND:
            return NotThere()
        if problem.after_s:
            # For all processes: what is sent all the same only makes it longer.
            self._buckets.block(BUCKET, problem.after_s)
        log.warning("Graph did not say", status=problem.status, error=str(problem))
        why = (
            "Graph does not allow it: the app lacks a permission" if problem.status == FORBIDDEN else f"Graph {problem}"
        )
        return DirectoryUnreachable(why, problem.after_s or AFTER_AN_ERROR_S)


def _object(body: Any) -> Json:
    if not isinstance(body, Mapping):
        raise DirectoryUnreachable("Graph's answer cannot be read", AFTER_AN_ERROR_S)
    return body
