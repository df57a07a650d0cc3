"""Names in IAM Identity Center to ids: people and groups of the identity store. Remembered in the process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.core.identity import Address, address_of
from workflows.core.people import Listed
from workflows.core.refusal import Code, Refused
from workflows.ports import TargetThrottled
from workflows.targets.aws.connections import Link, Listing
from workflows.targets.aws.errors import Missing
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.name_cache import BOOK, PERSON_S, THING_S
from workflows.targets.aws.odd import ODD_ROW, OddAnswer

_PAGE = 100
# Up to so many unknown people are asked for one by one; more of them, and all users are listed, a hundred a call.
_ONE_BY_ONE_MAX = 10
# IsMemberInGroups takes so many (API reference).
_GROUPS_MAX = 100
# A directory of 100,000 users has a thousand pages, if they are full.
_PAGES_MAX = 5000
# Of a longer directory not everybody is remembered one by one; it would push out what else is.
_REMEMBERED_MAX = 5000
# A long directory is listed less often: each page of it is believed for a minute, up to an hour.
_PAGE_S, _BOOK_S_MAX = 60.0, THING_S

EMAIL, USER_NAME = "email", "user_name"
# How people's addresses are found unless the connection says otherwise.
BY_EMAIL = (EMAIL,)
# What a connection's `match` is called in the identity store's unique attributes.
_PATHS = {EMAIL: "emails.value", USER_NAME: "userName"}


@dataclass(frozen=True, slots=True)
class StoreUser:
    """A user of the identity store. `names`: what is an address of theirs, folded, by `email` (the primary one) and `user_name`;
    empty for somebody who is disabled. `odd`: what was listed of them cannot be read, so they may be anybody; `id` is empty where
    not even that can.
    """

    id: str
    names: Mapping[str, Address]
    disabled: bool = False
    odd: bool = False
    # As it is spelt there, whether it is an address or not; empty where nobody says it.
    user_name: str = ""

    def address(self, match: tuple[str, ...]) -> Address | None:
        """The first that there is of those that count."""
        return next((self.names[by] for by in match if by in self.names), None)

    def carries(self, match: tuple[str, ...] | None) -> tuple[Address, ...]:
        """All of those that count."""
        return tuple(dict.fromkeys(self.names[by] for by in match or BY_EMAIL if by in self.names))

    def is_called(self, address: Address, match: tuple[str, ...]) -> bool:
        return any(self.names.get(by) == address for by in match)


@dataclass(slots=True)
class _Unfinished:
    """The listing of all users that is under way, for one thread at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    listing: Listing = field(default_factory=Listing)


class IdentityStore:
    """Look-ups through one link. All raise TargetThrottled, TargetInDoubt and TargetRefused.

    `match`: which names of a user count as their address, `email` and `user_name`.
    """

    def __init__(self, link: Link, match: tuple[str, ...] | None = None) -> None:
        self._link, self._names, self._match = link, link.names, match or BY_EMAIL
        self.where = f"IAM Identity Center (connection {link.place.connection})"

    def user(self, store: str, person: Address, bound: str | None = None) -> StoreUser | Refused:
        """The user with the id `bound`, whatever address it carries; where there is none, or AWS says that it is gone, the one
        enabled user whose address this is. Remembered until a call shows that it is wrong.
        """
        if bound is not None:
            theirs = self._known(store, bound)
            if theirs is not None:
                return self._off(theirs, person) if theirs.disabled else theirs
            # Whatever else is remembered may be of the one that is gone.
            self._names.forget()
        key = ("user", store, person, self._match)
        return self._names.remember(key, PERSON_S, lambda: self._find_user(store, person))

    def _known(self, store: str, user: str) -> StoreUser | None:
        """What that user is; None where AWS says that there is no such user."""
        known = self._names.get(("names", store, user))
        return known if isinstance(known, StoreUser) else self._describe_user(store, user)

    def _off(self, user: StoreUser, person: Address) -> Refused:
        """One that is switched off is still there: nobody else is taken for it."""
        return Refused(Code.TARGET_PERSON_MISSING, {"address": person, "where": self.where, "disabled": user.id})

    def group(self, store: str, name: str) -> str | Refused:
        """The id of the group with that display name."""
        return self._names.remember(("group", store, name), THING_S, lambda: self._find_group(store, name))

    def groups_of(self, store: str, user: str, groups: list[str]) -> frozenset[str]:
        """Those of the groups in which the user is. One call for each hundred. In doubt where AWS leaves one of them out."""
        inside: set[str] = set()
        for first in range(0, len(groups), _GROUPS_MAX):
            some = groups[first : first + _GROUPS_MAX]
            inside |= self._groups_of(store, user, some)
        return frozenset(inside)

    def _groups_of(self, store: str, user: str, groups: list[str]) -> set[str]:
        found = self._link.store.read(
            "identitystore IsMemberInGroups",
            lambda client: {
                entry["GroupId"]: entry["MembershipExists"]
                for entry in client.is_member_in_groups(
                    IdentityStoreId=store, MemberId={"UserId": user}, GroupIds=groups
                )["Results"]
            },
        )
        if not found.keys() >= set(groups):
            raise OddAnswer("identitystore IsMemberInGroups: AWS does not say of each group whether the user is in it")
        return {group for group in groups if found[group]}

    def members(self, store: str, group: str) -> list[str]:
        """User ids of the group's members, as they are now. One call for each hundred."""
        entries = self._link.store.every(
            "identitystore ListGroupMemberships",
            "GroupMemberships",
            lambda client, more: client.list_group_memberships(
                IdentityStoreId=store, GroupId=group, MaxResults=_PAGE, **more
            ),
            pages_max=_PAGES_MAX,
        )
        return [entry["MemberId"]["UserId"] for entry in entries if "UserId" in entry["MemberId"]]

    def called(self, store: str, user: str) -> tuple[Address, ...]:
        """The addresses of one user; none where there is no such user, or it is switched off."""
        found = self._known(store, user)
        return found.carries(self._match) if found is not None else ()

    def user_name(self, store: str, user: str) -> str:
        """As it is spelt there now; empty where there is no such user, or none that has a name."""
        found = self._known(store, user)
        return found.user_name if found is not None else ""

    def called_now(self, store: str, user_name: str) -> StoreUser | None:
        """Who has exactly this user name, as it is now: nothing that is remembered is good enough for who somebody is."""
        found = self._ask_user_id(store, _PATHS[USER_NAME], user_name)
        user = self._describe_user(store, found) if found is not None else None
        return user if user is not None and user.user_name == user_name else None

    def addresses(self, store: str, users: Iterable[str]) -> Listed:
        """Addresses of these users; those without one are counted. Few unknown ones are asked for one by one."""
        wanted = set(users)
        known = {user: found for user in wanted if (found := self._names.get(("names", store, user))) is not None}
        unknown = wanted - set(known)
        if len(unknown) > _ONE_BY_ONE_MAX:
            book = {entry.id: entry for entry in self._book(store) if not entry.odd}
            looked_up = [book[user] for user in unknown if user in book]
            # Made since the users were listed, or listed in a way that cannot be read.
            unknown -= book.keys()
        else:
            looked_up = []
        looked_up += [entry for user in sorted(unknown) if (entry := self._describe_user(store, user)) is not None]
        enabled = [
            entry for entry in (*known.values(), *looked_up) if isinstance(entry, StoreUser) and not entry.disabled
        ]
        named = [address for entry in enabled if (address := entry.address(self._match)) is not None]
        return Listed(frozenset(named), nameless=len(enabled) - len(named))

    def _find_user(self, store: str, person: Address) -> StoreUser | Refused:
        """Who carries the address is looked for among all users, since AWS's own look-up knows one spelling alone and tells of
        one user where there are two. The list may be some minutes old, so whoever is found in it is looked at, and whoever is
        not is asked for by name and looked for in a new list.
        """
        holders = self._holders(store, person, self._book(store))
        if not holders:
            named = self._by_name(store, person)
            holders = {named.id: named} if named else self._holders(store, person, self._book_after_a_miss(store))
        if len(holders) > 1:
            return Refused(Code.TARGET_PERSON_AMBIGUOUS, {"address": person, "where": self.where})
        return next(iter(holders.values())) if holders else self._nobody(store, person)

    def _holders(self, store: str, person: Address, book: tuple[StoreUser, ...]) -> dict[str, StoreUser]:
        """Those whose address it is, by id; the only one is looked at once more, since what was listed may be over."""
        found = {user.id: user for user in book if user.is_called(person, self._match)}
        if len(found) != 1:
            return found
        (only,) = found
        known = self._known(store, only)
        return {only: known} if known is not None and known.is_called(person, self._match) else {}

    def _nobody(self, store: str, person: Address) -> Refused:
        """What can be done about it: a user without e-mail whose user name is the address would be found by another setting.

        In doubt where somebody in the list cannot be read: it may be them.
        """
        odd = sum(user.odd for user in self._book(store))
        if odd:
            raise OddAnswer(
                f"identitystore ListUsers: {odd} of the users cannot be read, so nobody knows who is missing"
            )
        params = {"address": person, "where": self.where}
        if USER_NAME not in self._match and any(user.is_called(person, (USER_NAME,)) for user in self._book(store)):
            params["setting"] = f"match: [{EMAIL}, {USER_NAME}]"
            params["connection"] = self._link.place.connection
        return Refused(Code.TARGET_PERSON_MISSING, params)

    def _by_name(self, store: str, person: Address) -> StoreUser | None:
        """Somebody who was made since the users were listed: AWS knows them by the spelling that is stored."""
        for by in self._match:
            found = self._ask_user_id(store, _PATHS[by], person)
            user = self._describe_user(store, found) if found is not None else None
            if user is not None and user.is_called(person, self._match):
                return user
        return None

    def _ask_user_id(self, store: str, path: str, person: str) -> str | None:
        identifier = {"UniqueAttribute": {"AttributePath": path, "AttributeValue": person}}
        try:
            return self._link.store.read(
                "identitystore GetUserId",
                lambda client: client.get_user_id(IdentityStoreId=store, AlternateIdentifier=identifier)["UserId"],  # type: ignore[arg-type]
            )
        except Missing:
            return None

    def _describe_user(self, store: str, user: str) -> StoreUser | None:
        try:
            described = self._link.store.read(
                "identitystore DescribeUser",
                lambda client: _store_user(client.describe_user(IdentityStoreId=store, UserId=user)),
            )
        except Missing:
            return None
        return self._names.put(("names", store, user), described, PERSON_S)

    def _find_group(self, store: str, name: str) -> str | Refused:
        identifier = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": name}}
        try:
            return self._link.store.read(
                "identitystore GetGroupId",
                lambda client: client.get_group_id(IdentityStoreId=store, AlternateIdentifier=identifier)["GroupId"],  # type: ignore[arg-type]
            )
        except Missing:
            return missing(f"group {name}", self.where)

    def _book_after_a_miss(self, store: str) -> tuple[StoreUser, ...]:
        """Listed anew, unless that is long and was done a moment ago: asks for nobody must not use up the quota."""
        known = self._names.get((BOOK, store))
        if isinstance(known, tuple) and self._names.get((f"{BOOK} is young", store)):
            return known
        self._names.drop((BOOK, store))
        return self._book(store)

    def _book(self, store: str) -> tuple[StoreUser, ...]:
        """All users of the store: a call for each hundred, once in ten minutes, in a long directory once in an hour.

        A quota may stop the listing between two pages; the next try goes on from there.
        """
        known = self._names.get((f"{BOOK} is unfinished", store))
        book = (
            known
            if isinstance(known, _Unfinished)
            else self._names.put((f"{BOOK} is unfinished", store), _Unfinished(), THING_S)
        )
        with book.lock:
            listed = self._names.get((BOOK, store))
            return listed if isinstance(listed, tuple) else self._list(store, book)

    def _list(self, store: str, book: _Unfinished) -> tuple[StoreUser, ...]:
        listing, keep = book.listing, False
        try:
            rows = self._link.store.some(
                "identitystore ListUsers",
                "Users",
                listing,
                lambda client, more: client.list_users(IdentityStoreId=store, MaxResults=_PAGE, **more),
                pages_max=_PAGES_MAX,
            )
            users = tuple(map(_listed_user, rows))
        except TargetThrottled:
            keep = True
            raise
        finally:
            # Anything else may mean that the pages' names hold no longer.
            book.listing = listing if keep else Listing()
        for user in [one for one in users if not one.odd][:_REMEMBERED_MAX]:
            self._names.put(("names", store, user.id), user, PERSON_S)
        if len(users) >= _PAGE:
            self._names.put((f"{BOOK} is young", store), True, len(users) / _PAGE)
        return self._names.put((BOOK, store), users, min(max(PERSON_S, len(users) / _PAGE * _PAGE_S), _BOOK_S_MAX))


def place_of(store: str) -> str:
    """For `Resource.place`: a person has one user in a store."""
    return f"identity-store:{store}"


def folded(text: str) -> Address | None:
    """An address in the one spelling in which they are compared; None where it is none."""
    return address_of(text)


def _store_user(entry: Mapping[str, Any]) -> StoreUser:
    if entry.get("UserStatus") == "DISABLED":
        return StoreUser(entry["UserId"], {}, disabled=True, user_name=entry.get("UserName", ""))
    texts = {EMAIL: _primary(entry.get("Emails", [])), USER_NAME: entry.get("UserName", "")}
    names = {by: name for by, text in texts.items() if (name := folded(text)) is not None}
    return StoreUser(entry["UserId"], names, user_name=texts[USER_NAME])


def _listed_user(entry: Mapping[str, Any]) -> StoreUser:
    """One of many: whatever is wrong with it, the others stand."""
    id_: str = entry["UserId"]
    return StoreUser(id_.removeprefix(ODD_ROW), {}, odd=True) if id_.startswith(ODD_ROW) else _store_user(entry)


def _primary(emails: Iterable[Mapping[str, Any]]) -> str:
    """The address marked as primary; the only one where none is marked."""
    known = [email for email in emails if email.get("Value")]
    marked = [str(email["Value"]) for email in known if email.get("Primary")]
    found = marked or ([str(known[0]["Value"])] if len(known) == 1 else [])
    return found[0] if found else ""
