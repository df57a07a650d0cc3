"""One thing that a change of the policy makes looser, as facts; the words are made where it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from workflows.core.durations import format_duration


class Kind(StrEnum):
    """The more dangerous stands first: in this order they are told."""

    TIER = "tier"
    REACH = "reach"
    PANIC_GROUP = "panic_group"
    POLICY_CHANGES = "policy_changes"
    AUTO_APPROVAL = "auto_approval"
    BREAK_GLASS = "break_glass"
    FEWER = "fewer"
    OWNERS = "owners"
    APPROVERS = "approvers"
    ESCALATION = "escalation"
    TRUSTED = "trusted"
    REQUESTERS = "requesters"
    PIPELINE = "pipeline"
    FORGE_ID = "forge_id"
    ENVIRONMENT = "environment"
    ROLE = "role"
    STARTER = "starter"
    TARGET = "target"
    SESSIONS = "sessions"
    CONNECTION = "connection"
    PEOPLE = "people"
    INCIDENTS = "incidents"
    REVIEW = "review"
    TICKET = "ticket"
    FREEZE = "freeze"
    HOURS = "hours"
    DURATION = "duration"
    BLOCK = "block"
    ON_MOVER = "on_mover"
    EXPIRY = "expiry"
    WEBHOOK = "webhook"
    RECEIPTS = "receipts"
    DRIFT = "drift"
    VISIBILITY = "visibility"


@dataclass(frozen=True, slots=True)
class Loosened:
    """`what`: which key or thing of the kind. `added`: people, groups or names that came. `before`, `after`: as people read it.

    `roles`: which roles of the environment; empty where it is about all of it, or about the whole installation.
    """

    kind: Kind
    environment: str = ""
    roles: tuple[str, ...] = ()
    what: str = ""
    added: tuple[str, ...] = ()
    before: str = ""
    after: str = ""


def in_order(found: Iterable[Loosened]) -> tuple[Loosened, ...]:
    """The more dangerous first; the same of several roles of an environment is one."""
    merged: dict[Loosened, list[str]] = {}
    for one in found:
        alike = Loosened(one.kind, one.environment, (), one.what, one.added, one.before, one.after)
        merged.setdefault(alike, []).extend(role for role in one.roles if role not in merged.get(alike, []))
    places = {kind: place for place, kind in enumerate(Kind)}
    told = (
        Loosened(one.kind, one.environment, tuple(roles), one.what, one.added, one.before, one.after)
        for one, roles in merged.items()
    )
    return tuple(sorted(told, key=lambda one: (places[one.kind], one.environment, one.roles, one.what)))


def more(before: timedelta | None, after: timedelta | None) -> bool:
    """Whether a limit is looser; None is no limit."""
    return before is not None and (after is None or after > before)


def more_often(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)


def limit_words(value: timedelta | None) -> str:
    return format_duration(value) if value is not None else "no limit"
