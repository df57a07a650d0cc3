"""Whom the record shall name no more: where they stand in a record, and what it is without them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any, TypeVar, cast

from workflows.core.identity import Account, AccountId, Address, PersonId
from workflows.core.records.grant import Grant
from workflows.core.records.oversight import BulkRevocation, Review
from workflows.core.records.request import Request
from workflows.core.records.target import Resource

T = TypeVar("T")

# What stands in place of a name, and in place of words.
NAME, WORDS = "erased person", "erased"
# What people typed, in whatever record.
_TYPED = ("reason", "note", "ticket_note", "error")
_WHO = ("by", "requester", "holder", "person")
# Ids, and where their names stand beside them.
_NAMED = (
    ("by", "by_name"),
    ("by", "by_names"),
    ("for_", "for_names"),
    ("requester", "requester_name"),
    ("holder", "holder_name"),
    ("person", "person_name"),
    ("person", "name"),
    ("to", "to_name"),
)
# A name that is one word, or shorter, is a word of the language, or somebody else's.
_NAME_LENGTH_MIN = 5


@dataclass(frozen=True)
class Whom:
    """`ids`: theirs, and `instead`, where a run before this one was killed. `names`: none that anybody else is called, too.
    `shared`: their id is an address that somebody else has now, so that a text which says it may be about either.
    """

    person: PersonId
    instead: PersonId
    addresses: frozenset[Address] = frozenset()
    accounts: frozenset[Account] = frozenset()
    account_ids: frozenset[AccountId] = frozenset()
    names: frozenset[str] = field(default_factory=frozenset)
    shared: bool = False

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset((self.person, self.instead))

    @cached_property
    def _users(self) -> frozenset[tuple[str, str]]:
        return frozenset((one.surface, one.user) for one in self.accounts)

    @cached_property
    def _sure(self) -> re.Pattern[str]:
        """What is theirs alone."""
        return _pattern(self._words)

    @cached_property
    def _named(self) -> re.Pattern[str]:
        names = (name for name in self.names if len(name) >= _NAME_LENGTH_MIN and " " in name.strip())
        return _pattern((*self._words, *names))

    @property
    def _words(self) -> tuple[str, ...]:
        own = () if self.shared else (self.person,)
        return (*own, *self.addresses, *self.account_ids, *(one.user for one in self.accounts))

    def is_named_in(self, *texts: str) -> bool:
        """Whether it says an id, an address, an account or the whole name of theirs."""
        return any(text == self.person or self._named.search(text) for text in texts)

    def is_surely_in(self, *texts: str) -> bool:
        """The same without names."""
        return any(self._sure.search(text) for text in texts)

    def has(self, record: object) -> bool:
        """Whether a record says anything of them."""
        return scrubbed(record, self) != record

    # ---------------------------------------------------------------- one value

    def without(self, value: Any) -> Any:
        if isinstance(value, Enum) or value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Account):
            return replace(value, user=WORDS) if (value.surface, value.user) in self._users else value
        if isinstance(value, Resource):
            # Its ids name the holding, and are facts of the log: they stay.
            person = None if value.person is not None and self.is_surely_in(value.person) else value.person
            carries = tuple(one for one in value.carries if not self.is_surely_in(one))
            names = {name: one for name, one in value.names.items() if not self.is_surely_in(one)}
            return replace(value, title=self._text(value.title), person=person, carries=carries, names=names)
        if isinstance(value, Mapping):
            return {key: self.without(one) for key, one in value.items() if not self._is_key_of_theirs(key)}
        if isinstance(value, tuple | list | frozenset | set):
            return type(value)(self.without(one) for one in value)
        return self._parts(value) if is_dataclass(value) and not isinstance(value, type) else value

    def _text(self, text: str) -> str:
        if text == self.person:
            return self.instead
        if text in self.account_ids:
            return f"{text.rpartition(':')[0]}:{WORDS}"
        if text in self.names:
            return NAME
        return self._named.sub(NAME, text)

    def _is_key_of_theirs(self, key: object) -> bool:
        return isinstance(key, str) and self.is_surely_in(key)

    def _parts(self, value: Any) -> Any:
        found = {one.name: self.without(getattr(value, one.name)) for one in fields(value) if one.init}
        for one, name in _NAMED:
            if name in found:
                found[name] = self._name_beside(found.get(one), found[name])
        if any(_is_in(found.get(name), self.ids) for name in _WHO):
            found |= {name: WORDS for name in _TYPED if found.get(name)}
        changed = {name: one for name, one in found.items() if one != getattr(value, name)}
        return replace(value, **changed) if changed else value

    def _name_beside(self, who: Any, name: Any) -> Any:
        """Whatever they were called there."""
        if isinstance(who, tuple) and isinstance(name, tuple) and len(who) == len(name):
            return tuple(self._name_beside(*one) for one in zip(who, name, strict=True))
        return NAME if name and _is_in(who, self.ids) else name


def _is_in(who: Any, ids: frozenset[str]) -> bool:
    return isinstance(who, str) and who in ids


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of them, and not as a part of a longer word, address or id."""
    one_of = "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True) if word)
    return re.compile(rf"(?<![\w.%+-])(?:{one_of or '(?!)'})(?![\w~-]|\.\w)", re.IGNORECASE)


def scrubbed(record: T, whom: Whom) -> T:
    """The record without them: names, words that they typed, and those that others typed of what was theirs."""
    found = whom.without(record)
    if isinstance(found, Request) and is_theirs(found, whom):
        closing = found.closing and replace(found.closing, reason=found.closing.reason and WORDS)
        resource = found.resource and replace(found.resource, names={})
        found = replace(found, ticket=None, holder_address=None, closing=closing, resource=resource)
    elif isinstance(found, Grant) and found.holder in whom.ids:
        end = found.end and replace(found.end, reason=found.end.reason and WORDS)
        # What the target calls them besides: looked for in its own log, and no part of what was given.
        found = replace(found, end=end, resource=replace(found.resource, names={}))
    return cast(T, found)


def is_theirs(record: object, whom: Whom) -> bool:
    """Whether it is of what they asked for or had."""
    if isinstance(record, Request):
        return not whom.ids.isdisjoint((record.requester, record.holder))
    if isinstance(record, Grant | Review):
        return record.holder in whom.ids
    return isinstance(record, BulkRevocation) and record.person in whom.ids
