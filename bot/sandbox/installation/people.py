"""Who and what the example policy in `config/` speaks of: the people, channels and accounts of a small mail-order shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox.aws.spec import AssignmentSpec, IamGroupSpec, IamUserSpec, PermissionSetSpec, PersonSpec, WorldSpec
from bot.sandbox.clock import Clock
from bot.sandbox.teams.people import Person, channel_id, guid
from bot.sandbox.teams.world import World

DOMAIN = "example.com"
TEAM = "Orders"
RECEIPTS, OWNERS_ROOM, TEAM_ROOM, INCIDENT = "C0ACCESSLOG", "C0ORDERSOPS", "C0ORDERSDEV", "C0INC7"
PRODUCTION, STAGING = "orders-prod", "orders-staging"
ACCOUNTS = {"orders-prod": "210987654321", "orders-staging": "321098765432", "orders-dev": "432109876543"}


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody who works at the shop. `part` says in a few words what they are to the policy."""

    key: str
    name: str
    part: str

    @property
    def id(self) -> str:
        return f"U0{self.key.upper()}"

    @property
    def first(self) -> str:
        return self.name.split()[0]

    @property
    def email(self) -> str:
        return f"{self.key}@{DOMAIN}"

    @property
    def in_teams(self) -> Person:
        """Their account there, of the same address."""
        return Person(self.name, guid(self.key), self.email)


DANA = Player("dana", "Dana Dev", "developer")
NIA = Player("nia", "Nia Night", "developer, on call this week")
OLU = Player("olu", "Olu Owner", "platform team, which owns production")
PAT = Player("pat", "Pat Platform", "platform team, too")
SID = Player("sid", "Sid Secure", "security")
SUE = Player("sue", "Sue Secure", "security")
MAX = Player("max", "Max Market", "marketing; has no say here")
PLAYERS = (DANA, NIA, OLU, PAT, SID, SUE, MAX)
NEW_IN_TEAMS = PAT
"""Has not written to the bot there yet."""


def slack_world() -> dict[str, Any]:
    """The workspace, as `bot.sandbox.slack.seeding` takes it."""
    everybody = [player.id for player in PLAYERS]
    users: list[dict[str, Any]] = [
        {"id": p.id, "name": p.key, "real_name": p.name, "display_name": p.name, "email": p.email} for p in PLAYERS
    ]
    users.append({"id": "U0SIREN", "name": "siren", "is_bot": True, "email": ""})
    return {
        "users": users,
        "groups": [{"id": "S0ONCALLROTA", "handle": "orders-oncall", "users": [NIA.id]}],
        "channels": [
            {
                "id": RECEIPTS,
                "name": "access-log",
                "members": everybody,
                "purpose": "Receipts: who got what, and who agreed",
            },
            {
                "id": OWNERS_ROOM,
                "name": "orders-ops",
                "members": everybody,
                "purpose": "Where production's owners decide",
            },
            {"id": TEAM_ROOM, "name": "orders-dev", "members": everybody, "purpose": "The developers of orders"},
            {
                "id": INCIDENT,
                "name": "inc-7",
                "members": everybody,
                "creator": "U0SIREN",
                "purpose": "Incident: checkout errors. Opened by the incident bot",
            },
        ],
    }


def teams_world(clock: Clock) -> World:
    """The same people, with a team whose channels are called as those of Slack; the app is installed for all of them."""
    world = World(clock)
    everybody = [world.add_person(player.in_teams) for player in PLAYERS]
    for channel in slack_world()["channels"]:
        world.add_channel(channel["name"], everybody, team=TEAM)
    return world


def channels_of_both() -> dict[str, str]:
    """Slack's id of each channel, with the id of the one that is called so in Teams."""
    return {channel["id"]: channel_id(f"{TEAM} {channel['name']}") for channel in slack_world()["channels"]}


def aws_world() -> WorldSpec:
    """An organisation in which nobody has access to anything yet.

    A group without members holds each permission set in each account: where nobody does, AWS deletes its role there, and
    the next one has another name.
    """
    home = WorldSpec().home_account
    sets = (PermissionSetSpec("ReadOnlyAccess"), PermissionSetSpec("AdministratorAccess"))
    return WorldSpec(
        accounts=(home, *ACCOUNTS.values()),
        permission_sets=sets,
        people=tuple(PersonSpec(player.email, *player.name.split()) for player in PLAYERS),
        groups={"sales-readers": (), "role-keepers": ()},
        assignments=tuple(AssignmentSpec("role-keepers", each.name, a) for each in sets for a in ACCOUNTS.values()),
        iam_users=tuple(IamUserSpec(player.key, player.email) for player in PLAYERS),
        iam_groups=tuple(IamGroupSpec(f"{environment}-deployers") for environment in ACCOUNTS),
    )
