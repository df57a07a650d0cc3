"""What is signed: heads of the audit log, and that a new key follows an old one. Texts, and what they say."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from workflows.core.canonical_json import canonical_json
from workflows.core.seal.merkle import leaf_hash
from workflows.core.seal.public_key import NotAPublicKey, PublicKey, Seal, pem_of, public_key_from

T = TypeVar("T")

# So many digits of the root are shown to people, and must be typed at least.
SHOWN = 12
_HEX = re.compile(r"[0-9a-f]{64}")
_SHOWN_HEAD = re.compile(r"#?([0-9]{1,16}):([0-9a-fA-F]{12,64})")

# Public key, message, signature: whether it is the key's. As `ports.Verifier`.
Verify = Callable[[PublicKey, bytes, bytes], bool]


class BadSeal(ValueError):
    """The message ends a sentence that begins with what the seal is of: `is signed by another key`."""


def leaf_of(number: int, entry_digest: str | None) -> bytes:
    """An entry in the tree. None: there was none of this number when it was sealed."""
    return leaf_hash(f"{number}:{entry_digest or 'missing'}".encode())


@dataclass(frozen=True, slots=True)
class Head:
    """The first `size` entries of the log `log`. `root`: of their tree, 64 hex digits. `at`: on the ledger's clock. `before`:
    SHA-256 of the statement before this one, in hex, or empty.
    """

    log: str
    size: int
    root: str
    at: datetime
    epoch: int = 1
    before: str = ""

    @property
    def statement(self) -> str:
        said: dict[str, Any] = {
            "v": 1,
            "kind": "prodaccess.head",
            "log": self.log,
            "size": self.size,
            "root": self.root,
        }
        return _text(said | {"at": self.at.isoformat(), "epoch": self.epoch, "before": self.before})

    @property
    def shown(self) -> str:
        """As people read and type it: `1042:3f9a1c0b2d4e`."""
        return f"{self.size}:{self.root[:SHOWN]}"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """From entry #`size` + 1 of this epoch on heads are signed by `new`, and so are all of later epochs; said by `old`.
    `old_key`, `new_key`: PEM, so that the fingerprint of either is enough to find both.
    """

    log: str
    old: str
    new: str
    new_key: str
    size: int
    at: datetime
    old_key: str = ""
    epoch: int = 1

    @property
    def statement(self) -> str:
        said: dict[str, Any] = {"v": 1, "kind": "prodaccess.key", "log": self.log, "old": self.old, "new": self.new}
        said |= {"old_key": self.old_key, "new_key": self.new_key, "size": self.size, "at": self.at.isoformat()}
        # The first is not named.
        return _text(said if self.epoch == 1 else said | {"epoch": self.epoch})


def key_change(log: str, old: PublicKey, new: PublicKey, size: int, at: datetime, epoch: int = 1) -> KeyChange:
    return KeyChange(log, old.fingerprint, new.fingerprint, pem_of(new), size, at, pem_of(old), epoch)


def statement_digest(statement: str) -> str:
    return hashlib.sha256(statement.encode()).hexdigest()


def _text(said: dict[str, Any]) -> str:
    return canonical_json(said).decode()


# ---------------------------------------------------------------- read back


def head_in(statement: str) -> Head:
    """Raises BadSeal."""

    def head(said: dict[str, Any]) -> Head:
        log, root, before = (_words(said[name]) for name in ("log", "root", "before"))
        if not _HEX.fullmatch(root):
            raise ValueError
        return Head(log, _count(said["size"]), root, _time(said["at"]), _count(said["epoch"]), before)

    return _read(statement, "prodaccess.head", head)


def key_change_in(statement: str) -> KeyChange:
    """Raises BadSeal, also where the new key is not the one that is named."""

    def change(said: dict[str, Any]) -> KeyChange:
        log, old, new, pem = (_words(said[name]) for name in ("log", "old", "new", "new_key"))
        old_key, epoch = _words(said.get("old_key", "")), _count(said.get("epoch", 1))
        found = KeyChange(log, old, new, pem, _count(said["size"]), _time(said["at"]), old_key, epoch)
        if public_key_from(found.new_key).fingerprint != found.new:
            raise NotAPublicKey
        return found

    return _read(statement, "prodaccess.key", change)


def _read(statement: str, kind: str, make: Callable[[dict[str, Any]], T]) -> T:
    try:
        said = json.loads(statement)
        if said["v"] != 1 or said["kind"] != kind:
            raise ValueError
        return make(said)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadSeal("says something that this version cannot read") from None


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _time(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError
    return found


# ---------------------------------------------------------------- the envelope


def signed(statement: str, key: PublicKey, signature: bytes) -> Seal:
    return Seal(statement, key.fingerprint, base64.b64encode(signature).decode())


def fits(seal: Seal, key: PublicKey, verify: Verify) -> bool:
    """Whether `key` has signed this."""
    try:
        signature = base64.b64decode(seal.signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return seal.key == key.fingerprint and verify(key, seal.statement.encode(), signature)


def seal_json(seal: Seal) -> bytes:
    """As it stands in the archive and in exports."""
    return canonical_json({"statement": seal.statement, "key": seal.key, "signature": seal.signature})


def seal_from(stored: bytes) -> Seal:
    """Raises BadSeal."""
    try:
        said = json.loads(stored)
        return Seal(*(_words(said[name]) for name in ("statement", "key", "signature")))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadSeal("cannot be read") from None


# ---------------------------------------------------------------- a head as people have it


@dataclass(frozen=True, slots=True)
class ShownHead:
    """What a person has from a digest: so many entries, and the first digits of their root."""

    size: int
    root: str

    @property
    def shown(self) -> str:
        return f"{self.size}:{self.root[:SHOWN]}"


def shown_head(typed: str) -> ShownHead:
    """`1042:3f9a1c0b2d4e`, with more digits where somebody has them. Raises ValueError with one sentence."""
    found = _SHOWN_HEAD.fullmatch(typed.strip())
    if found is None:
        raise ValueError(f"A head is a number, a colon and {SHOWN} digits or more, such as 1042:3f9a1c0b2d4e.")
    return ShownHead(int(found[1]), found[2].lower())
