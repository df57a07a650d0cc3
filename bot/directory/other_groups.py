"""Groups that no chat keeps: Identity Center's, PagerDuty's, an address's. Each chat's directory looks them up alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from workflows.core.identity import Address, domain_of, renamed
from workflows.core.people import Listed, Membership, is_fresh
from workflows.core.policy import Group, Policy
from workflows.core.provider import Connection
from workflows.ports import DirectoryStore, DirectoryUnreachable

log = structlog.get_logger()

_NAMELESS = "{} of its members in Identity Center have no address there, and count as nobody here"


def no_worker(_group: Group) -> frozenset[Address]:
    raise DirectoryUnreachable("only workers look it up")


class OtherGroups:
    """The answers go into the cache, as a chat's own do. Of what cannot be learnt nothing is known, and it says why."""

    def __init__(
        self,
        store: DirectoryStore,
        now: Callable[[], datetime],
        identity_center_members: Callable[[Connection, str], Listed],
        outside: Callable[[Group], frozenset[Address]] = no_worker,
    ) -> None:
        self._store = store
        self._now = now
        self._identity_center_members = identity_center_members
        self._outside = outside

    def refresh(self, groups: Iterable[Group], policy: Policy) -> None:
        for group in groups:
            if group.identity_center_group:
                self._refresh_identity_center_group(group, policy)
            elif group.pagerduty_schedule or group.https:
                self._refresh_outside_group(group, policy)

    def _refresh_identity_center_group(self, group: Group, policy: Policy) -> None:
        connection = policy.connections.get(group.connection or "")
        if connection is None:
            self.unknown(group, "its connection is not configured")
            return
        asked_at = self._now()
        try:
            members = self._identity_center_members(connection, str(group.identity_center_group))
        except Exception as problem:
            log.warning("a group was not looked up", group=group.name, error=type(problem).__name__)
            self.unknown(group, "Identity Center did not say who is in it")
            return
        nameless = _NAMELESS.format(members.nameless) if members.nameless else None
        # Who has an address is known all the same, and who has none is nobody here.
        known = members.addresses
        self.put(group, Membership(as_of=asked_at, addresses=known, problem=nameless, certain=nameless is not None))

    def _refresh_outside_group(self, group: Group, policy: Policy) -> None:
        """Addresses of other organisations are nobody's here, whoever lists them."""
        asked_at = self._now()
        try:
            members = self._outside(group)
        except DirectoryUnreachable as problem:
            log.warning("a group was not looked up", group=group.name, why=str(problem))
            self.unknown(group, str(problem))
            return
        self.put(group, Membership(as_of=asked_at, addresses=ours(members, policy)))

    # ------------------------------------------------------------ the cache

    def unknown(self, group: Group, why: str) -> None:
        """It cannot be learnt now. What is known and still fresh enough stays; else nothing is known, and it says why."""
        known = (self._store.members(group.source) if group.source else None) or Membership()
        if not known.is_known or not is_fresh(known.as_of, self._now()):
            self.put(group, known.failed(why, self._now()))

    def put(self, group: Group, membership: Membership) -> None:
        if group.source:
            self._store.put_members(group.source, membership)


def ours(addresses: Iterable[Address], policy: Policy) -> frozenset[Address]:
    """Those that are in one of the policy's domains, as they are written today."""
    known = (renamed(who, policy.former_domains) for who in addresses)
    return frozenset(who for who in known if domain_of(who) in policy.email_domains)
