"""Seals a ledger by hand, with a real key and a real archive, as the format is written down: not by the sealer's own code."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from workflows.archive.folder import FolderArchive
from workflows.core import keys
from workflows.core.canonical_json import canonical_json
from workflows.core.records.installation import Installation
from workflows.core.records.seal import SealState
from workflows.core.seal.public_key import PublicKey, Seal, pem_of
from workflows.ports import Archive, Change, Committed, Ledger, Signer
from workflows.signing import signer_of
from workflows.signing.keys import make_key

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def node(prefix: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(prefix + b"".join(parts)).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if len(leaves) == 1:
        return node(b"\x00", leaves[0])
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(b"\x01", root_of(leaves[:half]), root_of(leaves[half:]))


@dataclass
class HandSealer:
    """`folder`: where keys and the archive are. Each `seal` signs all that is there, archives it, and notes it."""

    ledger: Ledger
    folder: Path
    archive: Archive = field(init=False)
    signer: Signer = field(init=False)
    log: str = "ab" * 16
    epoch: int = 1
    when: datetime = AT

    def __post_init__(self) -> None:
        self.archive = FolderArchive(self.folder / "archive")
        self.signer = self.new_key("key")
        self.put(keys.INSTALLATION, Installation(self.log, AT))

    @property
    def public(self) -> Path:
        return self.folder / "key.pub.pem"

    @property
    def at(self) -> str:
        return self.log if self.epoch == 1 else f"{self.log}-{self.epoch}"

    def begin(self, epoch: int) -> None:
        """As whoever may write to Redis can: the next seal begins at #1."""
        self.epoch = epoch
        self.put(keys.INSTALLATION, Installation(self.log, AT, epoch))
        state = self.state()
        if state is not None:
            self.put(keys.SEAL, replace(state, size=0))

    def new_key(self, name: str) -> Signer:
        made = make_key(self.folder / f"{name}.pem")
        (self.folder / f"{name}.pub.pem").write_text(pem_of(made))
        return signer_of(str(self.folder / f"{name}.pem"))

    def put(self, key: str, record: object) -> None:
        snapshot = self.ledger.read(key)
        change = Change(secrets.token_hex(8), snapshot.now, snapshot.versions(), puts={key: record})  # type: ignore[dict-item]
        assert isinstance(self.ledger.commit(change), Committed)

    def state(self) -> SealState | None:
        return self.ledger.read(keys.SEAL).get(keys.SEAL, SealState)

    def seal(self, *, archived: bool = True, by: Signer | None = None) -> SealState:
        entries = self.ledger.stored_entries(limit=100_000)
        before = self.state()
        size = entries[-1].number
        by_number = {entry.number: entry for entry in entries}
        digests = [by_number[n].digest if n in by_number else "missing" for n in range(1, size + 1)]
        root = root_of([f"{number}:{digest}".encode() for number, digest in enumerate(digests, 1)]).hex()
        said = {
            "v": 1,
            "kind": "prodaccess.head",
            "log": self.log,
            "size": size,
            "root": root,
            "at": self.when.isoformat(),
            "epoch": self.epoch,
            "before": hashlib.sha256(before.seal.statement.encode()).hexdigest() if before else "",
        }
        seal = signed(by or self.signer, canonical_json(said).decode())
        changes = before.key_changes if before else ()
        state = SealState(
            size, root, (), self.when, seal, public_key=pem_of((by or self.signer).public), key_changes=changes
        )
        if archived:
            first = before.size + 1 if before else 1
            run = [by_number[n] for n in range(first, size + 1)]
            lines = [
                canonical_json({"number": e.number, "body": e.body.decode(), "digest": e.digest, "link": e.link})
                + b"\n"
                for e in run
            ]
            if run:
                self.archive.put(f"{self.at}/runs/{first:016d}-{size:016d}.jsonl", b"".join(lines))
            self.archive.put(f"{self.at}/heads/{size:016d}.json", envelope(seal))
        self.put(keys.SEAL, state)
        return state


def signed(by: Signer, statement: str) -> Seal:
    return Seal(statement, by.public.fingerprint, base64.b64encode(by.sign(statement.encode())).decode())


def envelope(seal: Seal) -> bytes:
    return json.dumps({"statement": seal.statement, "key": seal.key, "signature": seal.signature}).encode()


def fingerprint(key: PublicKey) -> str:
    return hashlib.sha256(key.der).hexdigest()
