"""What signs the audit log, in a process that has the key."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import Redis

from bot.monotonic import monotonic_s
from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from bot.settings import Settings
from bot.wiring.common import Common, RandomSource, build_common, build_redis
from workflows.core.seal.public_key import PublicKey
from workflows.ports import Archive, LeaseRenewer, Signer
from workflows.usecases.shared.context import Context

if TYPE_CHECKING:
    from workflows.usecases.sealing.sealer import Sealer
    from workflows.usecases.upkeep.retention.retainer import Retainer

# RQ's workers wait on their queues for a quarter of a minute; they have connections of their own.
REDIS_QUEUE_S = 30.0


class LateSigner(Signer):
    """The key is read when it is first wanted, and again until it can be: without it access must still end on time."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._found: Signer | None = None

    @property
    def public(self) -> PublicKey:
        return self._signer().public

    def sign(self, message: bytes) -> bytes:
        return self._signer().sign(message)

    def _signer(self) -> Signer:
        from workflows.signing import signer_of  # noqa: PLC0415 - where there is a key

        if self._found is None:
            self._found = signer_of(self._value)
        return self._found


def build_sealer(settings: Settings, context: Context, leases: LeaseRenewer) -> Sealer | None:
    """None in a process that was not given the key."""
    if settings.audit_key is None:
        return None
    from workflows.signing import verify  # noqa: PLC0415 - where there is a key
    from workflows.signing.words import Cipher  # noqa: PLC0415 - as above
    from workflows.usecases.sealing.sealer import Sealer  # noqa: PLC0415 - as above

    archive = _archive(settings, context)
    return Sealer(context, LateSigner(settings.audit_key), archive, verify, leases, monotonic_s, Cipher())


def _archive(settings: Settings, context: Context) -> Archive | None:
    from workflows.archive import archive_of  # noqa: PLC0415 - where there is a key

    bucket, retention = settings.audit_bucket, settings.audit_retention
    return archive_of(bucket, retention=retention, now=context.ledger.now) if bucket else None


def retainer(settings: Settings, context: Context) -> Callable[[], Retainer]:
    """Made once, when it is first wanted: most installations keep all for ever."""
    found: list[Retainer] = []

    def made() -> Retainer:
        from workflows.ledger.codec import encode  # noqa: PLC0415 - as above
        from workflows.signing.words import Cipher  # noqa: PLC0415 - as above
        from workflows.usecases.upkeep.retention.retainer import Retainer  # noqa: PLC0415 - as above

        if not found:
            found.append(Retainer(context, _archive(settings, context), Cipher(), encode))
        return found[0]

    return made


@dataclass(frozen=True, slots=True)
class SealingParts(Common):
    """Of a worker that seals, and does nothing else."""

    sealer: Sealer
    lease_renewer: BackgroundLeaseRenewer
    queue_redis: Redis

    def close(self) -> None:
        self.lease_renewer.close()
        self.redis.close()


def build_sealing_worker(settings: Settings, wait: Callable[[float], object] = time.sleep) -> SealingParts:
    """Raises ValueError without the key, of which `for_sealing_worker` has made sure."""
    on, met = build_common(settings, wait=wait)
    context = Context(on.ledger, on.directory, on.in_force(), on.wake, RandomSource(), fault=on.faults, unreadable=met)
    leases = BackgroundLeaseRenewer(on.ledger, monotonic_s)
    sealer = build_sealer(settings, context, leases)
    if sealer is None:
        raise ValueError("PRODACCESS_AUDIT_KEY is not set")
    return SealingParts(settings, *on, context, sealer, leases, build_redis(settings, answer_s=REDIS_QUEUE_S))
