"""A sealed log by hand: entries as they stand in the ledger, seals by a key that anybody could make, an archive as a list.

What `Forger` does to it is what somebody could do who can write to Redis, and knows how all of it is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import AuditCheck, AuditState, StoredEntry, by_number, linking
from workflows.core.canonical_json import canonical_json
from workflows.core.records.seal import SealState
from workflows.core.seal.check import SealCheck
from workflows.core.seal.layout import ArchivedEntry
from workflows.core.seal.merkle import Tree
from workflows.core.seal.public_key import PublicKey, Seal, public_key_of
from workflows.core.seal.statement import Head, ShownHead, key_change, leaf_of, signed, statement_digest
from workflows.core.seal.trust import Trust

LOG = "a" * 32
AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def key(name: str) -> PublicKey:
    return public_key_of(bytes.fromhex("302a300506032b6570032100") + hashlib.sha256(name.encode()).digest())


def sign(of: PublicKey, message: bytes) -> bytes:
    """No signature at all, but one that nobody confuses with another key's: good enough to check who checks it."""
    return hashlib.sha256(of.der + message).digest()


def verify(of: PublicKey, message: bytes, signature: bytes) -> bool:
    return sign(of, message) == signature


OURS, NEW, THEIRS = key("ours"), key("the next one"), key("somebody else's")


def event(number: int, words: str = "a reason") -> AuditEvent:
    nonce = f"{number:032x}"
    return AuditEvent(
        Event.REQUEST_MADE,
        f"PA-{number}",
        AT + timedelta(seconds=number),
        nonce,
        nonce,
        {"n": words},
        {"reason": words},
    )


def stored(number: int, link: str, words: str = "a reason") -> StoredEntry:
    made = event(number, words)
    private = canonical_json({"salt": made.salt, "private": dict(made.private)})
    return StoredEntry(number, canonical_json(made.body()), made.digest, private, linking(link, number, made.digest))


def chained(entries: Iterable[StoredEntry]) -> list[StoredEntry]:
    """The same with links, and numbers, that fit: all that the ledger itself can tell is as it should be."""
    done: list[StoredEntry] = []
    link = ""
    for number, entry in enumerate(entries, 1):
        link = linking(link, number, entry.digest)
        done.append(replace(entry, number=number, link=link))
    return done


def root(entries: Sequence[StoredEntry]) -> str:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_of(entry.number, entry.digest))
    return tree.root().hex()


@dataclass
class SealedLog:
    """Entries, the ledger's seal, and what is outside: heads and runs of the archive."""

    entries: list[StoredEntry] = field(default_factory=list)
    seal: SealState | None = None
    heads: list[Seal] = field(default_factory=list)
    runs: list[ArchivedEntry] = field(default_factory=list)
    changes: list[Seal] = field(default_factory=list)
    key: PublicKey = OURS

    def write(self, count: int) -> None:
        for _ in range(count):
            number = len(self.entries) + 1
            self.entries.append(stored(number, self.entries[-1].link if self.entries else ""))

    def signed_head(self, by: PublicKey | None = None, log: str = LOG) -> SealState:
        before = statement_digest(self.seal.seal.statement) if self.seal else ""
        size = len(self.entries)
        head = Head(log, size, root(self.entries), AT + timedelta(minutes=size), 1, before)
        by = by or self.key
        seal = signed(head.statement, by, sign(by, head.statement.encode()))
        return SealState(size, head.root, (), head.at, seal)

    def sealed(self, archived: bool = True) -> None:
        self.seal = self.signed_head()
        if archived:
            done = len(self.runs)
            self.heads.append(self.seal.seal)
            self.runs += [ArchivedEntry(e.number, e.body.decode(), e.digest, e.link) for e in self.entries[done:]]

    def rotate(self, to: PublicKey, by: PublicKey | None = None) -> None:
        by = by or self.key
        change = key_change(LOG, self.key, to, len(self.entries), AT)
        self.changes.append(
            replace(signed(change.statement, by, sign(by, change.statement.encode())), key=self.key.fingerprint)
        )
        self.key = to

    @property
    def head(self) -> ShownHead:
        assert self.seal is not None
        return ShownHead(self.seal.size, self.seal.root[:12])


def made(*sizes: int, archived: bool = True) -> SealedLog:
    """A log that was sealed at each of these sizes, and has three entries more."""
    log = SealedLog()
    for size in sizes:
        log.write(size - len(log.entries))
        log.sealed(archived)
    log.write(3)
    return log


@dataclass
class Verdict:
    faults: list[str]
    whole: Head | None
    first: int


def judged(
    log: SealedLog, *, archive: bool = False, expected: Sequence[ShownHead] = (), given: PublicKey | None = OURS
) -> Verdict:
    """What `audit verify` finds, in its order."""
    trust = Trust(given, verify, LOG, log.changes) if given else None
    newest = log.entries[-1] if log.entries else None
    state = AuditState(newest.number if newest else 0, newest.link if newest else "", newest.number if newest else 0)
    audit = AuditCheck(replace(state, words=len(log.entries)))
    seals = SealCheck(
        log.seal, trust, expected=expected, heads=log.heads if archive else (), runs=log.runs if archive else ()
    )
    found = list(seals.begin())
    for start in range(0, len(log.entries), 7):
        page = log.entries[start : start + 7]
        found += by_number([*audit.entries(page), *seals.entries(page)])
    found += audit.counts()
    found += seals.finish(state.upto, log.seal)
    return Verdict(found, seals.whole, seals.first)
