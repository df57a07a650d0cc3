"""Microsoft Graph as far as a bot asks it who somebody is and who is in a group (v1.0, application permissions).

Fields come back as `$select` names them; without it `accountEnabled` and `userType` are not among them. Lists come two a page.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from bot.sandbox.teams.connector import Answer
from bot.sandbox.teams.errors import Refused
from bot.sandbox.teams.people import Group, Json, Person
from bot.sandbox.teams.world import World

PAGE = 2
READ_USERS, READ_MEMBERS = "User.Read.All", "GroupMember.Read.All"
_USUAL = ("displayName", "givenName", "mail", "surname", "userPrincipalName", "id")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TERM = re.compile(r"(mail|userPrincipalName|id) eq '((?:[^']|'')*)'")
_IN = re.compile(r"id in \((.+)\)")
IN_MAX = 15
_USER = "#microsoft.graph.user"


class Graph:
    """`permissions`: what an administrator has agreed to; with `GroupMember.Read.All` alone a member's fields are null."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.permissions = {READ_USERS, READ_MEMBERS}

    def user(self, name: str, query: Mapping[str, str]) -> Answer:
        self._needs(READ_USERS)
        person = self._world.find(name)
        if person is None or person.of_roster_only or name.startswith("29:"):
            raise _not_found(name)
        return Answer(200, _selected(person.as_user(), query))

    def users(self, query: Mapping[str, str], base: str = "") -> Answer:
        """`$filter`: one or more of `mail eq '...'`, `userPrincipalName eq '...'`, joined by `or`, or `id in ('...', ...)`.

        A list of everybody comes two a page, whatever `$top` says.
        """
        self._needs(READ_USERS)
        wanted = _filter(query.get("$filter"))
        found = [p for p in self._people() if wanted is None or _fits(p, wanted)]
        if wanted is not None:
            return Answer(200, {"value": [_selected(p.as_user(), query) for p in found]})
        start = _position(query.get("$skiptoken"), "users")
        said: Json = {"value": [_selected(p.as_user(), query) for p in found[start : start + PAGE]]}
        if start + PAGE < len(found):
            more = {name: value for name, value in query.items() if name != "$skiptoken"}
            following = urlencode(more | {"$skiptoken": _token(start + PAGE, "users")})
            said["@odata.nextLink"] = f"{base}/graph/v1.0/users?{following}"
        return Answer(200, said)

    def group(self, id_: str, query: Mapping[str, str]) -> Answer:
        self._needs(READ_MEMBERS)
        group = self._group(id_).as_graph()
        return Answer(200, _selected(group, {"$select": ",".join(group)} | dict(query)))

    def transitive(self, id_: str, base: str, path: str, query: Mapping[str, str], *, users_only: bool) -> Answer:
        """Everybody in the group and in the groups in it, once each; `users_only`: without those groups themselves."""
        self._needs(READ_MEMBERS)
        everything = [one for one in self._inside(self._group(id_)) if isinstance(one, Person) or not users_only]
        start = _position(query.get("$skiptoken"), id_)
        page = everything[start : start + PAGE]
        said: Json = {"value": [self._shown(one, query) for one in page]}
        if start + PAGE < len(everything):
            more = {name: value for name, value in query.items() if name != "$skiptoken"}
            said["@odata.nextLink"] = (
                f"{base}/graph/v1.0/{path}?{urlencode(more | {'$skiptoken': _token(start + PAGE, id_)})}"
            )
        return Answer(200, said)

    def _shown(self, one: Person | Group, query: Mapping[str, str]) -> Json:
        if isinstance(one, Group):
            return {"@odata.type": "#microsoft.graph.group", "id": one.id, "displayName": one.name}
        said = _selected(one.as_user(), query)
        if READ_USERS not in self.permissions:
            said = {name: value if name == "id" else None for name, value in said.items()}
        return {"@odata.type": _USER} | said

    def _inside(self, group: Group, seen: set[str] | None = None) -> Iterator[Person | Group]:
        seen = {group.id} if seen is None else seen
        for name in group.members:
            if name in seen:
                continue
            seen.add(name)
            inner = self._world.groups.get(name)
            if inner is not None:
                yield inner
                yield from self._inside(inner, seen)
            elif name in self._world.people and not self._world.people[name].of_roster_only:
                yield self._world.people[name]

    def _group(self, id_: str) -> Group:
        if not _GUID.fullmatch(id_):
            raise Refused(400, "Request_BadRequest", f"Invalid object identifier '{id_}'.")
        found = self._world.groups.get(id_.lower())
        if found is None:
            raise _not_found(id_)
        return found

    def _people(self) -> list[Person]:
        return [person for person in self._world.people.values() if not person.of_roster_only]

    def _needs(self, permission: str) -> None:
        if permission not in self.permissions:
            raise Refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _not_found(name: str) -> Refused:
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Refused(404, "Request_ResourceNotFound", message)


def _selected(said: Json, query: Mapping[str, str]) -> Json:
    names = [name for name in query.get("$select", "").split(",") if name] or list(_USUAL)
    unknown = [name for name in names if name not in said and name not in ("mailboxSettings",)]
    if unknown:
        raise Refused(400, "BadRequest", f"Could not find a property named '{unknown[0]}'")
    if "mailboxSettings" in names:
        raise Refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    return {name: said[name] for name in names}


def _filter(text: str | None) -> list[tuple[str, str]] | None:
    if text is None:
        return None
    several = _IN.fullmatch(text)
    if several:
        ids = [one.strip().strip("'") for one in several[1].split(",")]
        if len(ids) > IN_MAX:
            raise Refused(
                400, "Request_UnsupportedQuery", "Too many child clauses specified in search filter expression."
            )
        return [("id", one) for one in ids]
    terms = [_TERM.fullmatch(term.strip()) for term in text.split(" or ")]
    if not all(terms):
        raise Refused(400, "Request_UnsupportedQuery", "Invalid filter clause")
    return [(term[1], term[2].replace("''", "'")) for term in terms if term]


def _fits(person: Person, wanted: list[tuple[str, str]]) -> bool:
    said = person.as_user()
    return any(str(said[name] or "").lower() == value.lower() and said[name] is not None for name, value in wanted)


def _token(position: int, of: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(["page", position, of]).encode()).decode()


def _position(token: str | None, of: str) -> int:
    if token is None:
        return 0
    try:
        _, position, whose = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        raise Refused(400, "Request_BadRequest", "Invalid skip token") from None
    if whose != of:
        raise Refused(400, "Request_BadRequest", "Invalid skip token")
    return int(position)
