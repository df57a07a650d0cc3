"""A sealer in memory: toy keys, and an archive that keeps what it is given, or does not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.sealed_log import OURS, sign, verify
from tests.support.world import World
from workflows.archive import memory
from workflows.core import keys
from workflows.core.records.seal import SealState
from workflows.core.seal.public_key import PublicKey
from workflows.ports import ArchiveUnavailable, SignerUnavailable
from workflows.signing.words import Cipher
from workflows.usecases.sealing.sealer import Sealer


@dataclass
class ToySigner:
    key: PublicKey = OURS
    away: bool = False

    @property
    def public(self) -> PublicKey:
        return self.key

    def sign(self, message: bytes) -> bytes:
        if self.away:
            raise SignerUnavailable("the key's keeper does not answer")
        return sign(self.key, message)


class MemoryArchive(memory.MemoryArchive):
    """The one in memory, with its bad days. `away`: it does not answer. `puts`: how many more it takes before it goes away;
    None: any number.
    """

    def __init__(self, kept: Mapping[str, bytes] | None = None, *, away: bool = False, open_to_all: str = "") -> None:
        super().__init__()
        self.objects.update(kept or {})
        self.away = away
        self.puts: int | None = None
        self.calls = 0
        self.open_to_all = open_to_all

    @property
    def kept(self) -> dict[str, bytes]:
        return self.objects

    def _reach(self) -> None:
        self.calls += 1
        if self.away:
            raise ArchiveUnavailable("the archive does not answer")

    def put(self, name: str, content: bytes) -> None:
        self._reach()
        if self.puts is not None:
            self.puts -= 1
            if self.puts < 0:
                raise Died
        super().put(name, content)

    def get(self, name: str) -> bytes | None:
        self._reach()
        return super().get(name)

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        self._reach()
        yield from super().names(prefix, after)

    def problem(self) -> str:
        return self.open_to_all


class Died(BaseException):
    """The process was killed here."""


def sealer(world: World, archive: MemoryArchive | None = None, signer: ToySigner | None = None) -> Sealer:
    """A process that has the key, just started."""
    ctx = world.ctx
    return Sealer(ctx, signer or ToySigner(), archive, verify, ctx.lease_renewer, ctx.monotonic_s, Cipher())


def state(world: World) -> SealState:
    found = world.ledger.read(keys.SEAL).get(keys.SEAL, SealState)
    assert found is not None, "nothing is sealed"
    return found


@contextmanager
def dies() -> Iterator[None]:
    try:
        yield
    except Died:
        return
    raise AssertionError("nobody died")
