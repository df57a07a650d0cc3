"""One entry, and what shows that it belongs to a signed head: a few hundred bytes, whatever the log's length."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workflows.core.audit_check import StoredEntry
from workflows.core.canonical_json import canonical_json, digest
from workflows.core.seal.merkle import Parts, inclusion_ranges, is_included
from workflows.core.seal.public_key import Seal
from workflows.core.seal.statement import BadSeal, Head, leaf_of
from workflows.core.seal.trust import Trust

KIND = "prodaccess.proof"


class BadProof(ValueError):
    """The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Proof:
    """`path`: hashes beside the entry's way up the tree (RFC 6962, section 2.1.1), hex. `words`: as stored, with their salt;
    None where they were left out. `public_key`, PEM, and `changes` are believed for the fingerprint that the reader brings along.
    """

    number: int
    body: str
    digest: str
    path: tuple[str, ...]
    seal: Seal
    public_key: str = ""
    changes: tuple[Seal, ...] = ()
    words: str | None = None

    @property
    def said(self) -> dict[str, Any]:
        """The body's fields. Raises ValueError where it is none."""
        found = json.loads(self.body)
        if not isinstance(found, dict):
            raise TypeError
        return found


class Prover:
    """Takes all entries of the head, in order, and gives the proof of one. Memory for the proof alone."""

    def __init__(self, number: int, head: Head) -> None:
        """Raises BadProof where the head has no such entry."""
        self._number, self._head = number, head
        try:
            self._path = Parts(inclusion_ranges(number - 1, head.size))
        except ValueError:
            raise BadProof(f"#{number} is not sealed yet: the newest head is {head.shown}.") from None
        self._last = 0
        self._entry: StoredEntry | None = None

    def entries(self, page: Iterable[StoredEntry]) -> None:
        for entry in page:
            if self._last < entry.number <= self._head.size:
                for missing in range(self._last + 1, entry.number):
                    self._path.append(leaf_of(missing, None))
                self._path.append(leaf_of(entry.number, entry.digest))
                self._last = entry.number
                if entry.number == self._number:
                    self._entry = entry

    def proof(self, seal: Seal, public_key: str, changes: Sequence[Seal], *, words: bool) -> Proof:
        """Raises BadProof where the entry is not there, or the log is not the one that was sealed."""
        if self._entry is None:
            raise BadProof(f"#{self._number} is not there: `prodaccess audit verify` says more.")
        entry, broken = self._entry, "The log is not what was sealed: `prodaccess audit verify` says more."
        try:
            path = self._path.roots()
        except ValueError:
            raise BadProof(broken) from None
        leaf, root = leaf_of(entry.number, entry.digest), bytes.fromhex(self._head.root)
        if not is_included(leaf, entry.number - 1, self._head.size, path, root):
            raise BadProof(broken)
        stored = entry.private.decode() if words and entry.private is not None else None
        hashes = tuple(each.hex() for each in path)
        return Proof(entry.number, entry.body.decode(), entry.digest, hashes, seal, public_key, tuple(changes), stored)


def checked(proof: Proof, trust: Trust) -> Head:
    """The head that the entry belongs to. Raises BadProof."""
    if hashlib.sha256(proof.body.encode()).hexdigest() != proof.digest:
        raise BadProof(f"#{proof.number} was changed: its digest is another one.")
    if proof.words is not None and _digest_of(proof.words) != proof.said.get("private"):
        raise BadProof(f"#{proof.number}: its names or words were changed.")
    try:
        head = trust.head(proof.seal)
    except BadSeal as problem:
        raise BadProof(f"The proof's head {problem}.") from None
    path = tuple(bytes.fromhex(each) for each in proof.path)
    if not is_included(
        leaf_of(proof.number, proof.digest), proof.number - 1, head.size, path, bytes.fromhex(head.root)
    ):
        raise BadProof(
            f"#{proof.number} does not belong to the head {head.shown}: the entry, or its path, was changed."
        )
    return head


def proof_json(proof: Proof) -> bytes:
    words = {} if proof.words is None else {"words": proof.words}
    made = {
        "v": 1,
        "kind": KIND,
        **asdict(proof),
        "path": list(proof.path),
        "changes": list(map(asdict, proof.changes)),
    }
    return canonical_json({**{name: value for name, value in made.items() if name != "words"}, **words}) + b"\n"


def proof_from(text: bytes) -> Proof:
    """Raises BadProof."""
    try:
        found = json.loads(text)
        if found.pop("v") != 1 or found.pop("kind") != KIND:
            raise ValueError
        found |= {"seal": Seal(**found["seal"]), "changes": tuple(Seal(**each) for each in found["changes"])}
        proof = Proof(**{**found, "path": tuple(found["path"])})
        _assert_readable(proof)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadProof("This is no proof that `prodaccess audit prove` has written.") from None
    return proof


def _assert_readable(proof: Proof) -> None:
    texts = (proof.body, proof.digest, proof.public_key, *proof.path, proof.words or "")
    if type(proof.number) is not int or proof.number < 1 or not all(isinstance(text, str) for text in texts):
        raise TypeError
    for each in (proof.seal, *proof.changes):
        if not all(isinstance(text, str) for text in (each.statement, each.key, each.signature)):
            raise TypeError
    if any(len(bytes.fromhex(each)) != hashlib.sha256().digest_size for each in proof.path):
        raise ValueError
    _ = proof.said


def _digest_of(words: str) -> str:
    try:
        found = json.loads(words)
        return digest([found["salt"], found["private"]])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
