"""Whether the ledger's clock can be trusted: hosts hold it against clocks of their own that nobody sets. Pure.

Ledger times are Redis's, and Redis's are its host's wall clock, which can be set. Each host is a witness: it knows by how much
Redis's time and its own time since boot differ, and that difference hardly changes unless one of the two has jumped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core.refusal import Code, Refused

MICROSECOND = timedelta(microseconds=1)
# More than this is a jump. A failover to a replica whose clock is a little off is none.
JUMP = timedelta(seconds=5)
# So long must Redis's clock have gone as it should before access is given again without anybody's word.
STEADY_FOR = timedelta(minutes=10)
# A clock that is being corrected runs at most this much too fast or too slow: NTP slews by 500 ppm (RFC 5905, section 12).
DRIFT_MAX = 500e-6
# A witness looks so often before it is sure that it is not its own clock that jumped: others have had time to object.
LOOKS = 3


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A witness says that Redis's clock has jumped by `off_us` (backwards where negative); nobody has agreed yet."""

    by: str
    off_us: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Redis's clock has jumped by `off_us` in all, the last time at `at`, on Redis's clock after the jump."""

    at: datetime
    off_us: int


@dataclass(frozen=True, slots=True)
class Catchup:
    """Ends that were stored before a jump backwards still have to come `by_us` sooner. `after`: the last holding done."""

    by_us: int
    after: str = ""


@dataclass(frozen=True, slots=True)
class LedgerClock:
    """What is on record of the ledger's clock. While any of the last three stands, nothing is given.

    `jumped_us`: the sum of all jumps ever; witnesses reckon with it. `jumps`: how many there were.
    """

    jumped_us: int = 0
    jumps: int = 0
    suspicion: Suspicion | None = None
    doubt: Doubt | None = None
    catchup: Catchup | None = None

    @property
    def trusted(self) -> bool:
        return self.suspicion is None and self.doubt is None and self.catchup is None


@dataclass(frozen=True, slots=True)
class WitnessRecord:
    """One host's view: Redis's time less its own time since boot, less all jumps, as of `at`; microseconds."""

    id: str
    anchor_us: int
    at: datetime


def off_us(clock: LedgerClock, anchor_us: int, now_us: int, boot_us: int) -> int:
    """By how much Redis's clock is away from where this witness expects it; negative where it was set back."""
    return now_us - (boot_us + anchor_us + clock.jumped_us)


def is_jump(off: int, since_s: float) -> bool:
    """Whether that is more than clocks drift apart in `since_s` seconds."""
    return abs(off) > JUMP / MICROSECOND + DRIFT_MAX * max(since_s, 0.0) * 1e6


def agrees(off: int, with_: int) -> bool:
    """Whether two witnesses saw the same jump."""
    return abs(off - with_) <= JUMP / MICROSECOND


def drifted(anchor_us: int, off: int, since_s: float) -> int:
    """The anchor, following a slow drift; not faster than clocks drift, or many small steps would be none."""
    most = int(DRIFT_MAX * since_s * 1e6)
    return anchor_us + max(-most, min(most, off))


def jumped(clock: LedgerClock, off: int, now: datetime) -> LedgerClock:
    """The record of a jump. Set back, what was stored before it must come sooner, or it would last longer."""
    total = off + (clock.doubt.off_us if clock.doubt else 0)
    return replace(
        clock,
        jumped_us=clock.jumped_us + off,
        jumps=clock.jumps + 1,
        suspicion=None,
        doubt=Doubt(now, total),
        catchup=Catchup(-off) if off < 0 else clock.catchup,
    )


def distrusted(clock: LedgerClock | None) -> Refused | None:
    """Why nothing is given now: by how much the clock has jumped, in seconds; empty where that is not sure yet."""
    if clock is None or clock.trusted:
        return None
    off_s = f"{clock.doubt.off_us / 1e6:.0f}" if clock.doubt else ""
    return Refused(Code.CLOCK_IN_DOUBT, {"off_s": off_s}, audited=False)
