"""The words of sealed entries, as the archive keeps them: under the keys of all whom they name, so that erasing one is enough."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.core import keys
from workflows.core.audit_check import StoredEntry
from workflows.core.canonical_json import digest
from workflows.core.identity import Address, AddressRecord, PersonId
from workflows.core.named_words import NOBODY, names_in
from workflows.core.records.request import ID_PATTERN, Request
from workflows.core.records.words_key import WordsKey
from workflows.core.seal.hidden import HiddenWords, about
from workflows.core.seal.layout import ArchivedEntry
from workflows.ports import Change, Committed, Ledger, Snapshot, WordsCipher
from workflows.usecases.shared.context import ATTEMPTS_MAX, Contended, Context

# So many entries are looked at with one read.
PAGE = 500


@dataclass(frozen=True, slots=True)
class Text:
    """Something to hide. `name`: how it is called among others; `about`: what the cipher binds it to. `names`: what in it could
    be a person or an address; `subject`: the request that it is about, whose people count as named.
    """

    name: int | str
    about: bytes
    stored: bytes
    subject: str
    names: frozenset[str]


class Hiding:
    """Makes the keys of people who have none yet. Nothing is kept from one time to the next: a key may be erased meanwhile."""

    def __init__(self, ctx: Context, cipher: WordsCipher) -> None:
        self._ctx, self._cipher = ctx, cipher

    def of(self, entries: Sequence[StoredEntry | int]) -> Mapping[int, HiddenWords]:
        """The words by number; without those that were erased, are not what the entry says they are, or whose key cannot be read.

        Raises LedgerUnreachable.
        """
        worded = [found for entry in entries if not isinstance(entry, int) and (found := _worded(entry))]
        return {int(name): hidden for name, hidden in self.texts(worded).items()}

    def texts(self, texts: Sequence[Text]) -> Mapping[int | str, HiddenWords]:
        """The same for any texts, by name; without those whose key cannot be read. Raises LedgerUnreachable."""
        hidden: dict[int | str, HiddenWords] = {}
        for start in range(0, len(texts), PAGE):
            hidden.update(self._page(texts[start : start + PAGE]))
        return hidden

    def _page(self, page: Sequence[Text]) -> Iterator[tuple[int | str, HiddenWords]]:
        people = self._people(page)
        known = self._keys(frozenset[str]().union(*people.values()))
        for one in page:
            needed = [known.get(name) for name in people[one.name]]
            found = [key for key in needed if key is not None]
            if len(found) == len(needed):
                tags = tuple(sorted(self._cipher.tag(key) for key in found))
                yield one.name, HiddenWords(tags, self._cipher.hide(found, one.about, one.stored))

    def _people(self, page: Sequence[Text]) -> Mapping[int | str, frozenset[str]]:
        """Whom each names, of those who are known: whoever has a name or an address in it, and whose request it is."""
        names = {name for one in page for name in one.names}
        wanted = {keys.request(one.subject) for one in page if ID_PATTERN.fullmatch(one.subject)}
        wanted |= {keys.identity(PersonId(name)) for name in names} | {keys.address(Address(name)) for name in names}
        snapshot = self._ctx.ledger.read(*sorted(wanted))
        known = {name: _known(snapshot, name) for name in names}
        return {
            one.name: frozenset[str]().union(_parties(snapshot, one.subject), *(known[n] for n in one.names))
            or frozenset((NOBODY,))
            for one in page
        }

    def _keys(self, names: frozenset[str]) -> Mapping[str, bytes]:
        """Of all these, made where there was none; without those that cannot be read."""
        for _ in range(ATTEMPTS_MAX):
            snapshot = self._ctx.ledger.read(*(keys.words_key(name) for name in sorted(names)))
            absent = [name for name in sorted(names) if snapshot.items[keys.words_key(name)].is_absent]
            if not absent or self._made(snapshot, absent):
                found = snapshot if not absent else self._ctx.ledger.read(*(keys.words_key(name) for name in names))
                return {name: key for name in names if (key := _key(found, name))}
        raise Contended("somebody else keeps writing the keys of words, and they are never there")

    def _made(self, snapshot: Snapshot, names: Sequence[str]) -> bool:
        made = {keys.words_key(name): WordsKey(name, self._ctx.chance.hex(64), snapshot.now) for name in names}
        change = Change(
            commit_id=f"words-keys:{self._ctx.chance.hex(24)}",
            at=snapshot.now,
            reads=dict.fromkeys(made, 0),
            puts=made,
            removes_access=True,
            remembered_s=60.0,
        )
        return isinstance(self._ctx.ledger.commit(change), Committed)


def _worded(entry: StoredEntry) -> Text | None:
    words = _own_words(entry.body, entry.private)
    if not words:
        return None
    subject, place = json.loads(entry.body)["subject"], about(entry.number, entry.digest)
    return Text(entry.number, place, entry.private or b"", subject, names_in(words))


def has_words(entry: StoredEntry) -> bool:
    """Whether it has words that are its own, and more than none: only those go to the archive."""
    return bool(_own_words(entry.body, entry.private))


def _own_words(body: bytes | str, stored: bytes | None) -> Mapping[str, str] | None:
    """The words, where they are what the entry says they are; empty where it has none."""
    try:
        said, words = json.loads(body), json.loads(stored or b"null")
        fits = digest([words["salt"], words["private"]]) == said["private"] and isinstance(said["subject"], str)
        return {str(name): str(text) for name, text in words["private"].items()} if fits else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _known(snapshot: Snapshot, name: str) -> frozenset[str]:
    """Whose name it is, and whose address: those may be two."""
    found = set() if snapshot.items[keys.identity(PersonId(name))].is_absent else {name}
    owner = snapshot.readable(keys.address(Address(name)), AddressRecord)
    return frozenset(found | {owner.person}) if owner is not None else frozenset(found)


def _parties(snapshot: Snapshot, subject: str) -> frozenset[str]:
    if keys.request(subject) not in snapshot.items:
        return frozenset()
    request = snapshot.readable(keys.request(subject), Request)
    opened = request.gate.answerable if request is not None and request.gate is not None else ()
    return frozenset() if request is None else frozenset((*request.parties, *opened))


def _key(snapshot: Snapshot, name: str) -> bytes | None:
    found = snapshot.readable(keys.words_key(name), WordsKey)
    try:
        key = bytes.fromhex(found.key) if found is not None else b""
    except ValueError:
        return None
    return key if len(key) == 32 else None


class Shown:
    """Reads words of the archive with the keys that the ledger has. Those are read once, when the first words are wanted.

    Raises LedgerUnreachable.
    """

    def __init__(self, ledger: Ledger, cipher: WordsCipher) -> None:
        self._ledger, self._cipher = ledger, cipher
        self._keys: Mapping[str, bytes] | None = None

    def __call__(self, entry: ArchivedEntry) -> str | None:
        """As they stood in the ledger; None where there are none, a key is gone, or they are not the entry's own."""
        found = self.text(entry.hidden, about(entry.number, entry.digest)) if entry.hidden is not None else None
        return found.decode() if found is not None and _own_words(entry.body, found) is not None else None

    def text(self, hidden: HiddenWords, place: bytes) -> bytes | None:
        """What was hidden, as `place` has it; None where a key is gone, or it was changed."""
        if self._keys is None:
            self._keys = dict(self._all_keys())
        needed = [self._keys[tag] for tag in hidden.tags if tag in self._keys]
        return self._cipher.show(needed, place, hidden.content) if len(needed) == len(hidden.tags) else None

    def _all_keys(self) -> Iterator[tuple[str, bytes]]:
        """By tag. Of everybody who was not erased."""
        names = sorted(key.partition(":")[2] for key in self._ledger.records("words-key"))
        for start in range(0, len(names), PAGE):
            page = names[start : start + PAGE]
            snapshot = self._ledger.read(*(keys.words_key(name) for name in page))
            for name in page:
                if key := _key(snapshot, name):
                    yield self._cipher.tag(key), key
