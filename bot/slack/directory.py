"""Who Slack says people are: accounts and groups. Workers ask, and the web process before it opens a form; everybody reads the
cache. What Slack does not say is not known, which is neither yes nor no.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.directory.bulk import what_stands
from bot.directory.introductions import Introductions
from bot.directory.other_groups import OtherGroups, no_worker
from bot.slack.facts import Home, facts_of, home_of
from bot.slack.lookups import Lookups, NotThere
from bot.slack.presence import Away
from bot.slack.roll import Roll
from workflows.core.identity import SLACK, Account, Address
from workflows.core.people import GroupFacts, Listed, Membership, PersonFacts, is_fresh
from workflows.core.policy import Group, Policy
from workflows.core.provider import Connection
from workflows.core.refusal import Code
from workflows.core.rules.leaving import Looked
from workflows.ports import DirectoryStore, DirectoryUnreachable

log = structlog.get_logger()

# What Slack answered is not asked for again at once: `users.lookupByEmail` has 50 a minute.
KEPT_FOR = timedelta(minutes=5)
# A workspace can join an organisation while we run.
HOME_FOR = timedelta(hours=1)
LAGGING_S = 2.0
# What an account of ours stays until somebody who administers Slack changes it. Of one that was deactivated the address may be
# another account's by now.
_FOR_GOOD = frozenset({Code.PERSON_GUEST.value, Code.PERSON_BOT.value})
Clock = Callable[[], datetime]


class SlackRefresher:
    """Asks Slack, and for other groups Identity Center, PagerDuty or an address; the answers go into the cache.

    A `DirectoryRefresher`.
    """

    def __init__(
        self,
        lookups: Lookups,
        store: DirectoryStore,
        now: Clock,
        identity_center_members: Callable[[Connection, str], Listed],
        outside: Callable[[Group], frozenset[Address]] = no_worker,
    ) -> None:
        self._lookups = lookups
        self._store = store
        self._now = now
        self._others = OtherGroups(store, now, identity_center_members, outside)
        self.away = Away(lookups, store, now)
        self._home: tuple[Home, datetime] | None = None
        # What Slack answered for an address: an account, or that nobody has it; and when.
        self._answered: dict[Address, tuple[Account | None, datetime]] = {}
        self._introductions = Introductions(now)
        self._roll = Roll(lookups, now, store.person)

    def home(self) -> Home:
        """Where we are. Raises DirectoryUnreachable."""
        now = self._now()
        if self._home is not None and is_fresh(self._home[1], now, HOME_FOR):
            return self._home[0]
        found = home_of(self._lookups.identity())
        if found is None:
            raise DirectoryUnreachable("Slack did not say which workspace this is")
        self._home = (found, now)
        return found

    # ------------------------------------------------------------ people

    def refresh_person(self, who: Account, policy: Policy, *, background: bool = False) -> PersonFacts:
        """Ask Slack who this is. Raises DirectoryUnreachable."""
        home, asked_at = self.home(), self._now()
        user = self._lookups.by_id(who.user, background=background)
        return self._kept(facts_of(user, who, home, policy, asked_at))

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        """The account that has an address today; None where Slack says that nobody has it. Raises DirectoryUnreachable."""
        home, asked_at = self.home(), self._now()
        self._answered = {who: kept for who, kept in self._answered.items() if is_fresh(kept[1], asked_at, KEPT_FOR)}
        if address in self._answered:
            account = self._answered[address][0]
            return self._store.person(account) if account is not None else None
        try:
            user = self._lookups.by_address(address)
        except NotThere:
            self._answered[address] = (None, asked_at)
            self._store.put_nobody(address)
            return None
        facts = self._kept(facts_of(user, _listed(user, home), home, policy, asked_at))
        if facts.standing_problem:
            self._store.put_nobody(address)
        self._answered[address] = (facts.slack, asked_at)
        return facts

    def heard(self, user: Any, team: str) -> tuple[Account, ...]:
        """Slack said by itself that an account has changed. What it said may be hours old, so it is only a sign to ask anew.

        Returns the names of it that have to be asked for: it has one in each workspace of an organisation.
        """
        if not isinstance(user, Mapping) or not isinstance(user.get("id"), str):
            return ()
        organisation = user.get("enterprise_user")
        teams = organisation.get("teams") if isinstance(organisation, Mapping) else None
        tenant = organisation.get("enterprise_id") if isinstance(organisation, Mapping) else None
        own = (team, tenant, user.get("team_id"), *(teams if isinstance(teams, list) else ()))
        names = dict.fromkeys(item for item in own if isinstance(item, str) and item)
        found = tuple(Account(SLACK, name, user["id"]) for name in names)
        for account in found:
            self._store.mark_stale(account, self._now())
        return found

    def introduce(self, accounts: Iterable[Account], policy: Policy) -> None:
        """In the background: look up whose these accounts are, a few at a time; the others another time."""
        self._introductions.make(accounts, lambda who: self.refresh_person(who, policy, background=True))

    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        """What Slack says of all of them, in few questions; what it does not say is not known."""
        try:
            home = self.home()
        except DirectoryUnreachable as problem:
            return Looked(silent={SLACK: str(problem)}, after_s=problem.after_s)
        found = self._roll.look(accounts, home, policy)
        return what_stands(SLACK, found, self._store, self._kept, self._now())

    def reads_people(self) -> None:
        """Whether everybody can be listed, of whom one is asked for. Raises DirectoryUnreachable."""
        self._lookups.listed(limit=1)

    def _kept(self, facts: PersonFacts) -> PersonFacts:
        """In an organisation by the account's one id, too: under that it stands in lists, in whatever workspace it acts."""
        if facts.tenant and facts.tenant != facts.slack.tenant:
            self._store.put_person(replace(facts, slack=facts.colleague(facts.slack.user)))
        stands = self._store.put_person(facts)
        if not is_fresh(stands.as_of, self._now()):
            raise DirectoryUnreachable("Slack's answer is older than what it said before", LAGGING_S)
        if stands.address is not None and stands.standing_problem in _FOR_GOOD:
            # A list that names this address means somebody who cannot act, and who is bound to nobody that could.
            self._store.put_nobody(stands.address)
        return stands

    # ------------------------------------------------------------ groups

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        """Learn the members of these groups. Of what cannot be learnt, nothing is known, and it says why."""
        names = tuple(names)
        wanted = [policy.groups[name] for name in names if name in policy.groups]
        slack_groups = [group for group in wanted if group.slack_usergroup]
        if slack_groups:
            self._refresh_slack_groups(slack_groups)
        self._others.refresh(wanted, policy)
        return self._store.groups(policy, names)

    def _refresh_slack_groups(self, groups: list[Group]) -> None:
        """All user groups with their members in one call. They are kept by account, so that the list is whole at once."""
        asked_at = self._now()
        try:
            tenant, listed = self.home().tenant, self._lookups.groups()
        except DirectoryUnreachable as problem:
            for group in groups:
                self._others.unknown(group, str(problem))
            return
        for group in groups:
            id_ = str(group.slack_usergroup)
            users = listed.get(id_, ())
            if users is None:
                self._others.unknown(group, "Slack's list of its members cannot be read")
            elif id_ not in listed:
                nobody = "Slack has no such user group, or it is disabled"
                self._others.put(group, Membership(as_of=asked_at, problem=nobody, certain=True))
            else:
                accounts = frozenset(Account(SLACK, tenant, user) for user in users)
                self._others.put(group, Membership(as_of=asked_at, accounts=accounts))


def _listed(user: Mapping[str, Any], home: Home) -> Account:
    """An account that was found, not pressed: of the workspace that Slack names."""
    team = user.get("team_id")
    return Account(SLACK, team if isinstance(team, str) and team else home.team, str(user["id"]))
