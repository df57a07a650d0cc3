"""Who Slack says people are: accounts, groups, incident channels. Only workers call this; everybody reads the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.away import Away, away_until
from workflows.core.errors import Code
from workflows.core.identity import NO_DOMAINS, Address, address_of, domain_of, renamed
from workflows.core.model import Origin
from workflows.core.people import GroupFacts, Membership, PersonFacts, PersonId, SlackUser, is_fresh, learnt
from workflows.core.policy import Connection, Group, Policy
from workflows.ports import DirectoryStore, DirectoryUnreachable

log = structlog.get_logger()

# Answers that say "there is no such account", as opposed to "ask again".
_NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
# An address that Slack does not know is not asked for again at once: `users.lookupByEmail` has 50 a minute.
NOBODY_FOR = timedelta(minutes=5)
Clock = Callable[[], datetime]


def facts_of(
    user: Mapping[str, Any],
    home_team: str,
    domains: Iterable[str],
    now: datetime,
    former: Mapping[str, str] = NO_DOMAINS,
) -> PersonFacts:
    """A `users.info` user as facts. Whatever is not plainly a full member with an address of ours may do nothing."""
    profile = user.get("profile") or {}
    address = address_of(str(profile.get("email") or ""), former)
    account = SlackUser(str(user.get("team_id") or home_team), str(user["id"]))
    name = str(profile.get("display_name") or profile.get("real_name") or user.get("name") or account.user)
    return replace(
        learnt(account, name, now, address),
        time_zone=str(user.get("tz") or "UTC"),
        standing_problem=_problem(user, account.team, home_team, address, tuple(domains)),
        away_until=away_until(profile, now),
    )


def _problem(
    user: Mapping[str, Any], team: str, home_team: str, address: Address | None, domains: tuple[str, ...]
) -> str | None:
    checks = (
        (bool(user.get("deleted")), Code.PERSON_DEACTIVATED),
        (bool(user.get("is_bot")) or user.get("id") == "USLACKBOT", Code.PERSON_BOT),
        (bool(user.get("is_stranger")) or (bool(home_team) and team != home_team), Code.PERSON_FOREIGN),
        (any(user.get(flag) for flag in ("is_restricted", "is_ultra_restricted")), Code.PERSON_GUEST),
        (not address or domain_of(address) not in domains, Code.PERSON_NO_ADDRESS),
    )
    return next((code.value for wrong, code in checks if wrong), None)


def _no_worker(_group: Group) -> frozenset[Address]:
    raise DirectoryUnreachable("only workers look it up")


class SlackRefresher:
    """Asks Slack, and for other groups Identity Center, PagerDuty or an address; the answers go into the cache.

    A `DirectoryRefresher`.
    """

    def __init__(
        self,
        client: WebClient,
        store: DirectoryStore,
        now: Clock,
        identity_center_members: Callable[[Connection, str], frozenset[Address]],
        outside: Callable[[Group], frozenset[Address]] = _no_worker,
    ) -> None:
        self._client = client
        self._store = store
        self._now = now
        self._identity_center_members = identity_center_members
        self._outside = outside
        self.away = Away(client, store, now)
        self._team: str | None = None
        self._nobody_until: dict[PersonId, datetime] = {}

    def home_team(self) -> str:
        if self._team is None:
            self._team = str(self._client.auth_test()["team_id"])
        return self._team

    def refresh_person(self, who: SlackUser, policy: Policy) -> PersonFacts:
        """Ask Slack who this is. Raises DirectoryUnreachable."""
        try:
            home = self.home_team()
            user: Mapping[str, Any] = self._client.users_info(user=who.user)["user"]
        except SlackApiError as problem:
            if problem.response.get("error") not in _NOBODY:
                raise DirectoryUnreachable("Slack did not say who that is") from problem
            user = {"id": who.user, "team_id": who.team, "deleted": True}
        except (SlackClientError, OSError) as problem:
            raise DirectoryUnreachable("Slack did not answer") from problem
        # Kept under the account that acted, whatever team Slack says it belongs to: that is what is looked up next time.
        facts = replace(facts_of(user, home, policy.email_domains, self._now(), policy.former_domains), slack=who)
        self._store.put_person(facts)
        return facts

    def remember(self, user: Mapping[str, Any], team: str, policy: Policy) -> None:
        """Facts that Slack sent by itself, of somebody who is known already; strangers are looked up when they act."""
        account = SlackUser(team, str(user["id"]))
        if self._store.person(account) is not None:
            facts = facts_of(user, team, policy.email_domains, self._now(), policy.former_domains)
            self._store.put_person(replace(facts, slack=account))

    def find(self, address: PersonId, policy: Policy) -> PersonFacts | None:
        """The account behind an address: from the cache, else by asking Slack, and remembering a "nobody" for a while."""
        known = self._store.by_address(address)
        if known is not None:
            return known
        if self._nobody_until.get(address, self._now()) > self._now():
            return None
        try:
            user: Mapping[str, Any] = self._client.users_lookupByEmail(email=address)["user"]
            facts = facts_of(user, self.home_team(), policy.email_domains, self._now(), policy.former_domains)
        except (SlackClientError, OSError):
            self._nobody_until[address] = self._now() + NOBODY_FOR
            return None
        self._store.put_person(facts)
        return facts

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        """Learn the members of these groups. What cannot be learnt has no members and says why."""
        wanted = [policy.groups[name] for name in names if name in policy.groups]
        slack_groups = [group for group in wanted if group.slack_usergroup]
        if slack_groups:
            self._refresh_slack_groups(slack_groups, policy)
        for group in wanted:
            if group.identity_center_group:
                self._refresh_identity_center_group(group, policy)
            elif group.pagerduty_schedule or group.https:
                self._refresh_outside_group(group, policy)
        return self._store.groups(policy, names)

    def _refresh_slack_groups(self, groups: list[Group], policy: Policy) -> None:
        """All user groups with their members in one call, instead of one call a group."""
        try:
            self.home_team()
            answer = self._client.usergroups_list(include_users=True, include_disabled=False)
        except (SlackClientError, OSError):
            for group in groups:
                self._unknown(group, "Slack did not say who is in it")
            return
        members = {str(item["id"]): item.get("users") or [] for item in answer["usergroups"]}
        for group in groups:
            self._put(group, self._membership(members.get(str(group.slack_usergroup))))
        self._introduce(groups, policy)

    def _introduce(self, groups: list[Group], policy: Policy) -> None:
        """Look up whose the accounts are that nobody has looked at yet; where Slack does not say, another time."""
        known = self._store.groups(policy, [group.name for group in groups])
        for account in sorted(known.unresolved(known.by_name), key=lambda who: who.user):
            try:
                self.refresh_person(account, policy)
            except DirectoryUnreachable:
                return

    def _membership(self, users: list[str] | None) -> Membership:
        now = self._now()
        if users is None:
            return Membership(as_of=now, problem="Slack has no such user group, or it is disabled", certain=True)
        return Membership(as_of=now, accounts=frozenset(SlackUser(self.home_team(), user) for user in users))

    def _refresh_identity_center_group(self, group: Group, policy: Policy) -> None:
        connection = policy.connections.get(group.connection or "")
        if connection is None:
            self._unknown(group, "its connection is not configured")
            return
        try:
            members = self._identity_center_members(connection, str(group.identity_center_group))
        except Exception as problem:
            log.warning("a group was not looked up", group=group.name, error=type(problem).__name__)
            self._unknown(group, "Identity Center did not say who is in it")
            return
        self._put(group, Membership(as_of=self._now(), addresses=members))

    def _refresh_outside_group(self, group: Group, policy: Policy) -> None:
        """Addresses of other organisations are nobody's here, whoever lists them."""
        try:
            members = self._outside(group)
        except DirectoryUnreachable as problem:
            log.warning("a group was not looked up", group=group.name, why=str(problem))
            self._unknown(group, str(problem))
            return
        known = (renamed(who, policy.former_domains) for who in members)
        ours = frozenset(who for who in known if domain_of(who) in policy.email_domains)
        self._put(group, Membership(as_of=self._now(), addresses=ours))

    def _unknown(self, group: Group, why: str) -> None:
        """It cannot be learnt now. What is known and still fresh enough stays; else nothing is known, and it says why."""
        known = (self._store.members(group.source) if group.source else None) or Membership()
        if not known.is_known or known.as_of is None or not is_fresh(known.as_of, self._now()):
            self._put(group, known.failed(why, self._now()))

    def _put(self, group: Group, membership: Membership) -> None:
        if group.source:
            self._store.put_members(group.source, membership)


# What a slash command calls every private channel.
UNNAMED = "privategroup"


def _named(policy: Policy, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in policy.incident_channels.names)


def prove_origin(client: WebClient, policy: Policy, origin: Origin) -> Origin:
    """What the channel really is. A name proves nothing: an incident's channel was made by a listed creator, is of this
    organisation alone, and is not archived. Where Slack does not answer, nothing is proved.
    """
    # A command typed in a private channel does not bring its name.
    if not origin.channel or not (_named(policy, origin.channel_name) or origin.channel_name == UNNAMED):
        return origin
    try:
        channel: Mapping[str, Any] = client.conversations_info(channel=origin.channel)["channel"]
    except (SlackClientError, OSError):
        return origin
    name = str(channel.get("name") or "")
    if not _named(policy, name):
        return origin
    shared = any(channel.get(flag) for flag in ("is_ext_shared", "is_pending_ext_shared", "is_org_shared"))
    usable = not shared and not channel.get("is_archived")
    made_by = channel.get("creator") in policy.incident_channels.created_by
    return Origin(
        team=origin.team,
        channel=origin.channel,
        channel_name=name,
        thread_ts=origin.thread_ts,
        incident=usable and made_by,
        receipts_here=usable,
        by_form=origin.by_form,
    )
