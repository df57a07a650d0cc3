"""Who people and groups are, asked of the same directories as always; what they answer is kept for this look alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from bot.directory.chats import ChatDirectories, OneChat
from bot.directory.external_groups import OutsideGroups
from bot.directory.other_groups import OtherGroups
from bot.doctor.context import Context
from bot.monotonic import monotonic_s
from bot.providers import PROVIDERS
from workflows.core.identity import SLACK, TEAMS, Account, Address
from workflows.core.people import GroupFacts, Listed, Membership, PersonFacts
from workflows.core.policy import Group, Policy
from workflows.core.provider import Connection
from workflows.core.refusal import Code
from workflows.ports import (
    DirectoryStore,
    DirectoryUnreachable,
    NoCredentials,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
)


class Forgetful:
    """A `DirectoryStore` that keeps groups until the look is over, and of people nothing."""

    def __init__(self) -> None:
        self.groups_seen: dict[str, Membership] = {}

    def put_person(self, facts: PersonFacts) -> PersonFacts:
        return facts

    def person(self, who: Account) -> PersonFacts | None:  # noqa: ARG002 - the port's
        return None

    def people(self, accounts: Iterable[Account]) -> Mapping[Account, PersonFacts]:  # noqa: ARG002 - the port's
        return {}

    def put_nobody(self, address: Address) -> None:
        pass

    def mark_stale(self, who: Account, at: datetime) -> None:
        pass

    def put_members(self, source: str, membership: Membership) -> None:
        self.groups_seen[source] = membership

    def members(self, source: str) -> Membership | None:
        return self.groups_seen.get(source)

    def groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:  # noqa: ARG002 - the port's
        return GroupFacts({})


@dataclass(frozen=True, slots=True)
class Members:
    """Of one group. `why`: why that is not known, `certain` where it is because there is no such group. `absent`: what this
    machine lacks to ask.
    """

    addresses: frozenset[Address] = frozenset()
    accounts: frozenset[Account] = frozenset()
    why: str = ""
    certain: bool = False
    absent: str = ""

    @property
    def known(self) -> bool:
        return not (self.why or self.absent)

    def __len__(self) -> int:
        return len(self.addresses) + len(self.accounts)


@dataclass(frozen=True)
class Directories:
    """All that can be asked from here."""

    context: Context
    policy: Policy
    store: Forgetful = field(default_factory=Forgetful)

    @classmethod
    def of(cls, context: Context, policy: Policy) -> Directories:
        """One for all subjects of a look, so that nothing is asked twice."""
        return context.shared("directories", lambda: cls(context, policy))

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.context.wall_s(), UTC)

    @property
    def chats(self) -> ChatDirectories | None:
        """None where no chat is set up here."""
        return self.context.shared("chats", self._chats)

    def members(self, group: Group) -> Members:
        """Asked once, whoever wants them."""
        return self.context.shared(f"members of {group.name}", lambda: self._members(group))

    def _members(self, group: Group) -> Members:
        if group.members is not None:
            return Members(addresses=group.members)
        if group.slack_usergroup or group.entra_group:
            return self._in_chat(group)
        if group.identity_center_group:
            return self._in_identity_center(group)
        return self._outside(group)

    def _in_chat(self, group: Group) -> Members:
        settings = self.context.settings
        if not (settings.slack_is_on if group.slack_usergroup else settings.teams_is_on) or self.chats is None:
            return Members(absent=f"{'Slack' if group.slack_usergroup else 'Teams'} is not set up here")
        self.chats.refresh_groups(self.policy, [group.name])
        found = self.store.members(str(group.source)) or Membership()
        return Members(found.addresses, found.accounts, found.problem or "", found.certain)

    def _in_identity_center(self, group: Group) -> Members:
        connection = self.policy.connections.get(group.connection or "")
        if connection is None:
            return Members(why="its connection is not in the policy")
        try:
            found = self._identity_center(connection, str(group.identity_center_group))
        except NoCredentials as problem:
            return Members(absent=problem.words)
        except TargetRefused as problem:
            return Members(why=problem.words)
        except (TargetInDoubt, TargetThrottled) as problem:
            return Members(why=str(problem))
        nameless = f"{found.nameless} of its members have no address there" if found.nameless else ""
        return Members(found.addresses, why="" if found.addresses else nameless)

    def _outside(self, group: Group) -> Members:
        token = group.token_env
        if token is not None and not self.context.secret(token) and not self.context.needs("worker"):
            return Members(absent=f"{token} is not set here")
        self.context.allowance.asked["outside"] += 1
        try:
            return Members(self._others()(group))
        except DirectoryUnreachable as problem:
            return Members(why=str(problem))

    # ------------------------------------------------------------ what is asked

    def _identity_center(self, connection: Connection, name: str) -> Listed:
        """Raises what its provider raises."""
        provider = next(one for one in PROVIDERS if one.name == connection.provider)
        allowance = self.context.allowance
        opened = self.context.shared(f"clients of {provider.name}", lambda: provider.open(allowance, monotonic_s, str))
        return opened.members(connection, name)

    def _others(self) -> Callable[[Group], frozenset[Address]]:
        url = self.context.settings.pagerduty_api_url
        return self.context.shared("outside", lambda: OutsideGroups(self.context.secret, url, monotonic_s).members)

    def _chats(self) -> ChatDirectories | None:
        settings, store = self.context.settings, cast("DirectoryStore", self.store)
        found: dict[str, OneChat] = {}
        rest: Any = (store, self.now, self._identity_center, self._others())
        if settings.slack_is_on:
            from bot.slack.build import TIMEOUT_S, build_client, build_directory  # noqa: PLC0415 - where there is Slack

            found[SLACK] = build_directory(build_client(settings, TIMEOUT_S), self.context.allowance, *rest)
        if settings.teams_is_on:
            from bot.doctor.teams import tokens_of  # noqa: PLC0415 - where there is Teams
            from bot.teams.health import GRAPH_TIMEOUT_S  # noqa: PLC0415 - as above
            from bot.teams.people.directory import TeamsRefresher  # noqa: PLC0415 - as above
            from bot.teams.people.graph import Graph  # noqa: PLC0415 - as above

            graph = Graph(settings.graph_api_url, tokens_of(settings), self.context.allowance, GRAPH_TIMEOUT_S)
            tenant = str(settings.teams_tenant_id)
            found[TEAMS] = TeamsRefresher(graph, lambda _: None, tenant, *rest)
        if not found:
            return None
        return ChatDirectories(found, store, OtherGroups(store, self.now, self._identity_center, self._others()))


# What a chat says against an account, as words after a name.
WRONG: Mapping[str, str] = {
    Code.PERSON_DEACTIVATED: "is deactivated",
    Code.PERSON_GUEST: "is a guest, who may do nothing",
    Code.PERSON_BOT: "is a bot",
    Code.PERSON_FOREIGN: "is of another organisation",
    Code.PERSON_NO_ADDRESS: "has no address in email_domains",
    Code.PERSON_ODD: "has an account that cannot be read",
}
