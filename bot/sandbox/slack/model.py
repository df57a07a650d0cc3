"""What a workspace is made of. Plain records; what may be done with them is in `workspace`."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class User:
    """One account. `team_id` differs from the workspace's own for people of other workspaces and organisations.

    `teams`: in an organisation, the workspaces that they are in; `enterprise_id` is another one's where it is given.
    `odd`: what Slack answers in place of the usual fields, `profile` among them; None leaves a field out.
    """

    id: str
    name: str
    team_id: str
    real_name: str = ""
    display_name: str = ""
    email: str | None = None
    tz: str = "Europe/Amsterdam"
    tz_offset: int = 3600
    deleted: bool = False
    is_bot: bool = False
    is_app_user: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_visible: bool = True
    """Whether the app's token may see them: else `users.info` says `user_not_visible`."""
    enterprise_id: str | None = None
    enterprise_user: str = ""
    """Their id in the organisation (`W...`), where it is not the same as the account's own."""
    teams: list[str] = field(default_factory=list)
    odd: Json = field(default_factory=dict)
    status_text: str = ""
    status_emoji: str = ""
    status_expiration: int = 0
    dnd_from: int = 0
    dnd_until: int = 0
    """Do-not-disturb, in seconds since the epoch; both 0 where it is switched off."""
    updated: int = 0

    def do_not_disturb(self) -> Json:
        """As `dnd.teamInfo` has it: somebody who has none is answered with ones."""
        on = self.dnd_until > 0
        return {
            "dnd_enabled": on,
            "next_dnd_start_ts": self.dnd_from if on else 1,
            "next_dnd_end_ts": self.dnd_until if on else 1,
        }

    def to_json(self) -> Json:
        """As `users.info` has it. Slack leaves most flags out for a deactivated account."""
        profile: Json = {
            "real_name": self.real_name,
            "display_name": self.display_name,
            "status_text": self.status_text,
            "status_emoji": self.status_emoji,
            "status_expiration": self.status_expiration,
            "team": self.team_id,
        }
        if self.email is not None:
            profile["email"] = self.email
        answer: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "profile": profile,
            "is_bot": self.is_bot,
            "is_app_user": self.is_app_user,
            "updated": self.updated,
        }
        if self.is_stranger:
            answer["is_stranger"] = True
        if self.enterprise_id is not None:
            answer["enterprise_user"] = self._in_organisation()
        answer = answer if self.deleted else answer | self._flags_while_active()
        answer["profile"] = _with_odd(profile, self.odd.get("profile") or {})
        return _with_odd(answer, {name: value for name, value in self.odd.items() if name != "profile"})

    def _in_organisation(self) -> Json:
        return {
            "id": self.enterprise_user or self.id,
            "enterprise_id": self.enterprise_id,
            "enterprise_name": "",
            "is_admin": False,
            "is_owner": False,
            "teams": self.teams or [self.team_id],
        }

    def _flags_while_active(self) -> Json:
        return {
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": self.tz_offset,
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_email_confirmed": True,
        }


def _with_odd(usual: Json, odd: Json) -> Json:
    return {name: value for name, value in (usual | odd).items() if value is not None or name not in odd}


@dataclass
class Group:
    """A user group (`<!subteam^S...>`)."""

    id: str
    handle: str
    team_id: str
    name: str = ""
    users: list[str] = field(default_factory=list)
    disabled: bool = False
    updated: int = 0

    def to_json(self, *, with_users: bool) -> Json:
        answer: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "is_usergroup": True,
            "name": self.name or self.handle,
            "handle": self.handle,
            "date_update": self.updated,
            "date_delete": self.updated if self.disabled else 0,
            "user_count": len(self.users),
        }
        return answer | {"users": list(self.users)} if with_users else answer


@dataclass
class Message:
    """One post. `ephemeral_to` names the only person who sees it; such a post has no place in the history."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    bot_id: str | None = None
    app_id: str | None = None
    thread_ts: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    deleted: bool = False
    broadcast: bool = False
    ephemeral_to: str | None = None
    state: dict[str, Json] = field(default_factory=dict)
    """What people have chosen in this message's menus: block id -> action id -> value."""
    mentioned: tuple[str, ...] = ()
    """Everything the text calls on, as written: `!channel`, `!here`, `U...`, `S...`."""
    pinged: tuple[str, ...] = ()
    """User ids whose client rang because of a mention."""
    notified: tuple[str, ...] = ()
    """`pinged`, and those whom Slack tells anyway: the other side of a direct message."""

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def to_json(self, *, with_metadata: bool = True) -> Json:
        answer: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        optional = {
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "thread_ts": self.thread_ts,
            "edited": self.edited,
            "metadata": self.metadata if with_metadata else None,
        }
        return answer | {key: value for key, value in optional.items() if value}


@dataclass
class Channel:
    """A conversation of any kind. A direct message has `is_im` and two members, one of them the bot or a person."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    creator: str = ""
    created: int = 0
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    is_org_shared: bool = False
    # The word that an administrator's setting answers every post with; and the threads that were locked, by their roots' ts.
    refuses: str = ""
    locked_threads: set[str] = field(default_factory=set)
    topic: str = ""
    purpose: str = ""
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)

    @property
    def name_in_payload(self) -> str:
        """Slash commands and presses do not name private conversations; apps have to ask `conversations.info`."""
        if self.is_im:
            return "directmessage"
        return "privategroup" if self.is_private else self.name

    def thread(self, ts: str) -> list[Message]:
        return [m for m in self.messages.values() if m.thread_ts == ts and m.ts != ts and not m.deleted]

    def to_json(self, *, bot_user: str) -> Json:
        if self.is_im:
            other = next((member for member in self.members if member != bot_user), bot_user)
            return {"id": self.id, "created": self.created, "is_im": True, "user": other, "is_archived": False}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "created": self.created,
            "creator": self.creator,
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_general": False,
            "is_ext_shared": self.is_ext_shared,
            "is_shared": self.is_ext_shared or self.is_org_shared,
            "is_org_shared": self.is_org_shared,
            "is_pending_ext_shared": self.is_pending_ext_shared,
            "is_member": bot_user in self.members,
            "topic": {"value": self.topic, "creator": self.creator, "last_set": 0},
            "purpose": {"value": self.purpose, "creator": self.creator, "last_set": 0},
            "num_members": len(self.members),
        }


@dataclass
class View:
    """A modal that is open, or somebody's App Home. `body` is what the app gave, completed as Slack completes it."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    team_id: str
    app_id: str
    bot_id: str
    previous_id: str | None = None
    state: dict[str, Json] = field(default_factory=dict)
    """What stands in the form: block id -> action id -> value, as `view.state.values` has it."""
    errors: dict[str, str] = field(default_factory=dict)
    """What the person reads under each input: block id -> sentence."""
    trouble: str | None = None
    """The banner after a submission that nobody acknowledged."""

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.body["blocks"]
        return blocks

    @property
    def type(self) -> str:
        return str(self.body["type"])

    def to_json(self) -> Json:
        return self.body | {
            "id": self.id,
            "team_id": self.team_id,
            "state": {"values": self.state},
            "hash": self.hash,
            "previous_view_id": self.previous_id,
            "root_view_id": self.root_id,
            "app_id": self.app_id,
            "app_installed_team_id": self.team_id,
            "bot_id": self.bot_id,
        }


@dataclass(frozen=True)
class Notice:
    """What Slack itself tells a person: that a command failed, that a button did nothing."""

    user: str
    at: float
    text: str
    kind: str
    channel: str | None = None
