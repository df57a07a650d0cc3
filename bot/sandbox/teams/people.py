"""Who and what there is: people of several tenants, Entra groups, teams with channels, group chats, personal chats."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

Json = dict[str, Any]

_NAMES = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def guid(name: str) -> str:
    """The same for the same name, always: ids that can be written down in a test."""
    return str(uuid.uuid5(_NAMES, f"teams:{name}"))


TENANT, OTHER_TENANT = guid("our tenant"), guid("another tenant")
APP = guid("the bot")


def teams_id(aad: str) -> str:
    """The `29:` id that somebody has for this bot; for another bot it would be another one."""
    return f"29:1{sha256(f'{APP}:{aad}'.encode()).hexdigest()[:42]}"


def _hex(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:32]


@dataclass
class Person:
    """Somebody with an account. `tenant`: the one that the account lives in. `mail` None: Graph says null.

    `user_type` and `enabled` are what Graph says; `role` is the roster's `userRole`: `user`, `guest`, `anonymous`. A guest's
    UPN has `#EXT#`. `of_roster_only`: known to the roster, not to our tenant's Graph (a shared channel, a federated chat).
    """

    name: str
    aad: str
    mail: str | None
    upn: str = ""
    user_type: str | None = "Member"
    enabled: bool | None = True
    tenant: str = TENANT
    role: str = "user"
    locale: str = "en-GB"
    timezone: str = "Europe/London"
    of_roster_only: bool = False

    def __post_init__(self) -> None:
        self.upn = self.upn or self.mail or f"{self.name.split()[0].lower()}@example.com"

    @property
    def teams_id(self) -> str:
        return teams_id(self.aad)

    def as_account(self) -> Json:
        """As `from` has it."""
        return {"id": self.teams_id, "name": self.name, "aadObjectId": self.aad}

    def as_member(self) -> Json:
        """As the roster has it. The address is left out where there is none."""
        given, _, surname = self.name.partition(" ")
        said: Json = {
            **self.as_account(),
            "objectId": self.aad,
            "givenName": given,
            "surname": surname,
            "userPrincipalName": self.upn,
            "tenantId": self.tenant,
            "userRole": self.role,
        }
        return said | ({"email": self.mail} if self.mail else {})

    def as_user(self) -> Json:
        """All that Graph could say; it says what `$select` names."""
        given, _, surname = self.name.partition(" ")
        return {
            "id": self.aad,
            "displayName": self.name,
            "givenName": given,
            "surname": surname,
            "mail": self.mail,
            "userPrincipalName": self.upn,
            "accountEnabled": self.enabled,
            "userType": self.user_type,
        }


@dataclass
class Group:
    """An Entra group. `members`: object ids of people and of other groups. `visibility` Public: anybody can join."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    visibility: str | None = None
    group_types: list[str] = field(default_factory=list)

    def as_graph(self) -> Json:
        return {
            "id": self.id,
            "displayName": self.name,
            "visibility": self.visibility,
            "groupTypes": list(self.group_types),
            "securityEnabled": "Unified" not in self.group_types,
            "mailEnabled": "Unified" in self.group_types,
        }


@dataclass
class Message:
    """One post. `card`: what all see. `own`: by person, the card that an answer put in its place for them alone, until the
    next edit; `said`: the sentence under the card, for them alone, until then, too."""

    id: str
    conversation: str
    sender: str
    text: str = ""
    card: Json | None = None
    summary: str = ""
    root: str | None = None
    deleted: bool = False
    edits: int = 0
    at: float = 0.0
    pinged: tuple[str, ...] = ()
    own: dict[str, Json] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def shown_to(self, aad: str) -> Json | None:
        return self.own.get(aad, self.card)


@dataclass
class Conversation:
    """`kind`: `personal`, `groupChat`, `channel`. `bot`: it is on the roster. `blocked`: somebody has blocked the bot."""

    id: str
    kind: str
    name: str = ""
    members: list[str] = field(default_factory=list)
    team: str | None = None
    team_name: str = ""
    tenant: str = TENANT
    bot: bool = True
    blocked: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    def standing(self) -> list[Message]:
        return [message for message in self.messages.values() if not message.deleted]


def channel_id(name: str) -> str:
    return f"19:{_hex(f'channel {name}')}@thread.tacv2"


def group_chat_id(name: str) -> str:
    return f"19:{_hex(f'chat {name}')}@thread.v2"


def personal_chat_id(aad: str) -> str:
    return f"a:1{_hex(f'personal {aad}')}{_hex(f'more {aad}')[:20]}"


DANA = Person("Dana Dev", guid("dana"), "dana@example.com")
OLU = Person("Olu Owner", guid("olu"), "olu@example.com")
PAT = Person("Pat Platform", guid("pat"), "pat@example.com")
SID = Person("Sid Secure", guid("sid"), "sid@example.com")
GUS = Person(
    "Gus Guest",
    guid("gus"),
    "gus@partner.example",
    upn=f"gus_partner.example#EXT#@{'example.onmicrosoft.com'}",
    user_type="Guest",
    role="guest",
    tenant=OTHER_TENANT,
)
FAY = Person("Fay Foreign", guid("fay"), "fay@partner.example", tenant=OTHER_TENANT, of_roster_only=True)
GONE = Person("Gil Gone", guid("gil"), "gil@example.com", enabled=False)
NOMAIL = Person("Nomi Nomail", guid("nomi"), None, upn="nomi@example.com")
CAST = (DANA, OLU, PAT, SID, GUS, FAY, GONE, NOMAIL)
"""Two developers and owners, security, a guest, somebody of another tenant, a disabled account, one without a mailbox."""
