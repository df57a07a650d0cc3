"""Names in IAM Identity Center to ids: people and groups of the identity store. Remembered in the process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workflows.core.errors import Code, Refused
from workflows.core.identity import Address, address_of
from workflows.targets.aws import Link, pages
from workflows.targets.aws_errors import Missing
from workflows.targets.base import missing
from workflows.targets.names import PERSON_S, THING_S

_PAGE = 100
# Up to so many unknown people are asked for one by one; more of them, and all users are listed, a hundred a call.
_ONE_BY_ONE_MAX = 10


@dataclass(frozen=True, slots=True)
class StoreUser:
    """A user of the identity store. `address` is the primary one; None where there is none, or the user is disabled."""

    id: str
    address: Address | None


@dataclass(slots=True)
class _Listing:
    """The users listed so far. A quota may stop the listing between two pages; the next try goes on from there."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: list[StoreUser] = field(default_factory=list)
    token: str | None = None


class IdentityStore:
    """Look-ups through one link. All raise TargetThrottled, TargetInDoubt and TargetRefused."""

    def __init__(self, link: Link) -> None:
        self._link, self._names = link, link.names
        self.where = f"IAM Identity Center (connection {link.place.connection})"

    def user(self, store: str, person: Address) -> str | Refused:
        """The id of the one enabled user whose primary address this is."""
        return self._names.remember(("user", store, person), PERSON_S, lambda: self._find_user(store, person))

    def group(self, store: str, name: str) -> str | Refused:
        """The id of the group with that display name."""
        return self._names.remember(("group", store, name), THING_S, lambda: self._find_group(store, name))

    def members(self, store: str, group: str) -> list[str]:
        """User ids of the group's members, as they are now. One call for each hundred."""
        found = pages(
            lambda more: self._link.store.read(
                "identitystore ListGroupMemberships",
                lambda client: client.list_group_memberships(
                    IdentityStoreId=store, GroupId=group, MaxResults=_PAGE, **more
                ),
            )
        )
        entries = [entry for page in found for entry in page["GroupMemberships"]]
        return [entry["MemberId"]["UserId"] for entry in entries if "UserId" in entry["MemberId"]]

    def addresses(self, store: str, users: Iterable[str]) -> frozenset[Address]:
        """Primary addresses of these users; those without one are left out. Few unknown ones are asked for one by one."""
        wanted = set(users)
        known = {user: found for user in wanted if (found := self._names.get(("address", store, user))) is not None}
        unknown = wanted - set(known)
        if len(unknown) > _ONE_BY_ONE_MAX:
            book = {entry.id: entry for entry in self._book(store)}
            looked_up = [book[user] for user in unknown if user in book]
        else:
            looked_up = [entry for user in unknown if (entry := self._describe_user(store, user)) is not None]
        everybody = [*known.values(), *looked_up]
        return frozenset(entry.address for entry in everybody if isinstance(entry, StoreUser) and entry.address)

    def _find_user(self, store: str, person: Address) -> str | Refused:
        """GetUserId knows any address of a user in the spelling that is stored; so what it finds is looked at, and what it
        does not find is looked for among all users, which is remembered for ten minutes, too.
        """
        found = self._ask_user_id(store, person)
        if found is not None:
            user = self._describe_user(store, found)
            if user is not None and user.address == person:
                return user.id
        holders = [user.id for user in self._book(store) if user.address == person]
        if len(holders) > 1:
            return Refused(Code.TARGET_PERSON_AMBIGUOUS, {"address": person, "where": self.where})
        return holders[0] if holders else Refused(Code.TARGET_PERSON_MISSING, {"address": person, "where": self.where})

    def _ask_user_id(self, store: str, person: Address) -> str | None:
        identifier = {"UniqueAttribute": {"AttributePath": "emails.value", "AttributeValue": person}}
        try:
            return self._link.store.read(
                "identitystore GetUserId",
                lambda client: client.get_user_id(IdentityStoreId=store, AlternateIdentifier=identifier),  # type: ignore[arg-type]
            )["UserId"]
        except Missing:
            return None

    def _describe_user(self, store: str, user: str) -> StoreUser | None:
        try:
            described = self._link.store.read(
                "identitystore DescribeUser", lambda client: client.describe_user(IdentityStoreId=store, UserId=user)
            )
        except Missing:
            return None
        return self._names.put(("address", store, user), _store_user(described), PERSON_S)

    def _find_group(self, store: str, name: str) -> str | Refused:
        identifier = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": name}}
        try:
            return self._link.store.read(
                "identitystore GetGroupId",
                lambda client: client.get_group_id(IdentityStoreId=store, AlternateIdentifier=identifier),  # type: ignore[arg-type]
            )["GroupId"]
        except Missing:
            return missing(f"group {name}", self.where)

    def _book(self, store: str) -> tuple[StoreUser, ...]:
        """All users of the store: a call for each hundred, once in ten minutes."""
        listing = self._listing(store)
        with listing.lock:
            known = self._names.get(("book", store))
            if isinstance(known, tuple):
                return known
            while True:
                listing.token = self._next_page(store, listing)
                if listing.token is None:
                    break
            users = tuple(listing.users)
            listing.users.clear()
            return self._names.put(("book", store), users, PERSON_S)

    def _listing(self, store: str) -> _Listing:
        known = self._names.get(("listing", store))
        return known if isinstance(known, _Listing) else self._names.put(("listing", store), _Listing(), THING_S)

    def _next_page(self, store: str, listing: _Listing) -> str | None:
        more = {"NextToken": listing.token} if listing.token else {}
        page = self._link.store.read(
            "identitystore ListUsers",
            lambda client: client.list_users(IdentityStoreId=store, MaxResults=_PAGE, **more),  # type: ignore[arg-type]
        )
        for entry in page["Users"]:
            user = _store_user(entry)
            listing.users.append(self._names.put(("address", store, user.id), user, PERSON_S))
        return page.get("NextToken")


def _store_user(entry: Mapping[str, object]) -> StoreUser:
    addresses = _primary(entry) if entry.get("UserStatus") != "DISABLED" else []
    return StoreUser(str(entry["UserId"]), address_of(addresses[0]) if addresses else None)


def _primary(entry: Mapping[str, object]) -> list[str]:
    """The address marked as primary; the only one where none is marked."""
    emails = entry.get("Emails")
    known = [email for email in emails if email.get("Value")] if isinstance(emails, list) else []
    marked = [str(email["Value"]) for email in known if email.get("Primary")]
    return marked or ([str(known[0]["Value"])] if len(known) == 1 else [])
