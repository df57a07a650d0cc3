"""What a `users.info` user comes to: whose account it is, and what it may do. Nothing that Slack answers makes this raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.slack.presence import away_until
from workflows.core.dates import zone_of
from workflows.core.identity import SLACK, Account, Address, address_of, domain_of
from workflows.core.people import PersonFacts, learnt
from workflows.core.policy import Policy
from workflows.core.refusal import Code


@dataclass(frozen=True, slots=True)
class Home:
    """Where the bot lives: its workspace, and the organisation (Enterprise Grid) that this stands in, where it does."""

    team: str
    enterprise: str = ""

    @property
    def tenant(self) -> str:
        """Under which ids of people are unique."""
        return self.enterprise or self.team


def home_of(answer: Mapping[str, Any]) -> Home | None:
    """From `auth.test`; None where it does not say."""
    team, enterprise = answer.get("team_id"), answer.get("enterprise_id")
    return Home(team, _text(enterprise)) if isinstance(team, str) and team else None


def facts_of(user: Mapping[str, Any], who: Account, home: Home, policy: Policy, now: datetime) -> PersonFacts:
    """The account `who`, as it acted or is listed, by Slack's answer to its id. `now`: when Slack was asked.

    Whatever is not plainly a full member of ours, with an address of ours, may do nothing. Ids are unique only together
    with their team: where Slack's answer is about another team's account of this id, nothing in it is about `who`.
    """
    org = _Organisation.of(user)
    if not _is_ours(user, org, who, home, policy):
        # Not even an address: whoever administers another organisation can write ours into a profile.
        return replace(learnt(who, who.user, now, None), standing_problem=Code.PERSON_FOREIGN.value)
    profile = _mapping(user.get("profile"))
    address = address_of(_text(profile.get("email")), policy.former_domains)
    same = bool(home.enterprise) and org.id == home.enterprise
    name = _first(profile.get("display_name"), profile.get("real_name"), user.get("name"), who.user)
    return replace(
        learnt(who, name, now, address, home.enterprise if same else ""),
        # An unknown one is the policy's.
        time_zone=zone_of(_text(user.get("tz")), policy.timezone).key,
        standing_problem=_problem(user, org, address, policy),
        away_until=away_until(profile, now),
        also=_other_ids(user, org, who) if same else (),
        updated=_seconds(user.get("updated")),
    )


# ---------------------------------------------------------------- whose account it is


@dataclass(frozen=True, slots=True)
class _Organisation:
    """What Slack says of somebody's organisation: its id, their id in it, the workspaces that they are in."""

    id: str = ""
    user: str = ""
    teams: tuple[str, ...] = ()
    raw: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> _Organisation:
        raw = _mapping(user.get("enterprise_user"))
        teams = raw.get("teams")
        listed = tuple(team for team in teams if isinstance(team, str)) if isinstance(teams, list) else ()
        return cls(_text(raw.get("enterprise_id")), _text(raw.get("id")), listed, raw)


def _is_ours(user: Mapping[str, Any], org: _Organisation, who: Account, home: Home, policy: Policy) -> bool:
    """Whether `who` is the account of which Slack speaks, and that is of this workspace or of one of its organisation."""
    team = _text(user.get("team_id"))
    if who.user not in (user.get("id"), org.user):
        return False
    if home.enterprise and org.id == home.enterprise:
        # `is_stranger` says that somebody is of another workspace, which in an organisation is no other company.
        return who.tenant in {home.team, home.enterprise, team, *org.teams}
    if (home.enterprise and org.id) or team != who.tenant:
        return False
    return (team == home.team and user.get("is_stranger") is not True) or team in policy.home_workspaces


def _other_ids(user: Mapping[str, Any], org: _Organisation, who: Account) -> tuple[Account, ...]:
    """What else Slack calls this account: in each of its workspaces, and in the organisation."""
    teams = dict.fromkeys(filter(None, (_text(user.get("team_id")), *org.teams)))
    ids = dict.fromkeys(filter(None, (who.user, org.user)))
    return tuple(Account(SLACK, team, id_) for id_ in ids for team in (*teams, org.id))


# ---------------------------------------------------------------- what it may do


def _problem(user: Mapping[str, Any], org: _Organisation, address: Address | None, policy: Policy) -> str | None:
    everywhere = (user, _mapping(user.get("profile")), org.raw or {})
    guest = [_flag(place, name) for place in everywhere for name in ("is_restricted", "is_ultra_restricted")]
    deleted, bot = _flag(user, "deleted"), _flag(user, "is_bot")
    checks = (
        (deleted is True, Code.PERSON_DEACTIVATED),
        (bot is True or user.get("id") == "USLACKBOT", Code.PERSON_BOT),
        (True in guest, Code.PERSON_GUEST),
        (None in (deleted, bot, *guest), Code.PERSON_ODD),
        (not address or domain_of(address) not in policy.email_domains, Code.PERSON_NO_ADDRESS),
    )
    return next((code.value for wrong, code in checks if wrong), None)


def _flag(place: Mapping[str, Any], name: str) -> bool | None:
    """A flag that is left out is off; what is none is None, and counts against the account alone."""
    found = place.get(name)
    return found if isinstance(found, bool) else (False if found is None else None)


# ---------------------------------------------------------------- odd answers


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _first(*values: Any) -> str:
    found = next((value for value in values if isinstance(value, str) and value.strip()), "somebody")
    # Half a character, which JSON can carry, could be stored nowhere.
    return found.encode("utf-8", "replace").decode()


def _seconds(value: Any) -> int:
    """Slack's own time of the last change to a profile; 0 where it does not say."""
    plausible = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _FAR_S
    return value if plausible else 0


_FAR_S = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
