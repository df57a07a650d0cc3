"""How it stands, for `prodaccess status`: what `/readyz` knows of the record, and what is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.chat.health import closed_places, troubles
from bot.chat.views.read_model import Reader
from bot.chat.wording.labels import Stage
from bot.observability.readiness import ledger_problems, policy_problems, policy_waits, reasons, unreadable
from bot.observability.sealing import seal_attention
from bot.runtime.heartbeat import KINDS
from bot.wiring.chats import traits_of
from workflows.core import keys
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.seal import SealState
from workflows.ports import PolicyUnavailable

if TYPE_CHECKING:
    from bot.wiring import Common

# Taking away takes its moments; past its end for longer than this somebody has to look.
LATE = timedelta(minutes=1)
COUNTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """`policy`: its hash; `policy_since`: ISO 8601. Numbers are of the whole record. `sealed_size`, `archived_size`: so many
    audit entries; `sealed_head`: as `audit verify --expect-head` takes it.

    `problems`: what somebody has to mend. `attention`: what it can do without.
    """

    running: Mapping[str, bool]
    policy: str | None
    policy_since: str | None
    active: int
    overdue: int
    stuck: Sequence[str]
    pending: int
    begin_later: int
    reviews_owed: int
    reviews_overdue: int
    audit_head: int
    sealed_size: int
    sealed_head: str | None
    archived_size: int
    problems: Sequence[str]
    attention: Sequence[str]

    @property
    def good(self) -> bool:
        return not (self.problems or self.overdue or self.stuck)


def standing(parts: Common) -> Standing:
    """Raises LedgerUnreachable."""
    ledger, now = parts.ledger, parts.ledger.now()
    seen = ledger.read(keys.ACTIVE_POLICY, keys.SEAL)
    active, seal = seen.readable(keys.ACTIVE_POLICY, ActivePolicy), seen.readable(keys.SEAL, SealState)

    def late(index: str, by: timedelta) -> int:
        return len(ledger.members(index, high=(now - by).timestamp(), limit=COUNTED_MAX))

    return Standing(
        running={kind: parts.beats.alive(kind) for kind in KINDS},
        policy=active.hash if active else None,
        policy_since=active.activated_at.isoformat() if active else None,
        active=ledger.count(keys.LIVE),
        overdue=late(keys.LIVE, LATE),
        stuck=_stuck(parts),
        pending=ledger.count(keys.PENDING),
        begin_later=ledger.count(keys.SCHEDULED),
        reviews_owed=ledger.count(keys.REVIEWS),
        reviews_overdue=late(keys.REVIEWS, timedelta(0)),
        audit_head=ledger.head(),
        sealed_size=seal.size if seal else 0,
        sealed_head=f"{seal.size}:{seal.root[:12]}" if seal else None,
        archived_size=seal.archived if seal else 0,
        problems=_problems(parts),
        attention=_attention(parts),
    )


def _stuck(parts: Common) -> Sequence[str]:
    """Ids of what could not be removed. What should have ended first is read first, so none is too far down."""
    try:
        views = Reader(parts.context).live(parts.context.policy.current()).views
    except PolicyUnavailable:
        return ()
    return [view.id for view in views if view.stage is Stage.STUCK]


def _problems(parts: Common) -> Sequence[str]:
    """As `/readyz` has them, without those that only a web process can find: what Slack says of the token."""
    return reasons(
        lambda: ledger_problems(parts.ledger, parts.beats),
        lambda: policy_problems(parts.ledger, parts.policy),
        lambda: troubles(parts.context),
        lambda: closed_places(parts.ledger, traits_of, people=False),
    )


def _attention(parts: Common) -> Sequence[str]:
    return reasons(
        lambda: unreadable(parts.ledger),
        lambda: policy_waits(parts.ledger),
        lambda: seal_attention(parts.ledger),
        lambda: closed_places(parts.ledger, traits_of, people=True),
    )
