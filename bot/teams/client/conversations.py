"""Where people and channels can be written to: kept from every activity, without an expiry, until the app is taken away.

A person's `29:` id and a service URL are addresses: they change, and say of nobody who they are.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

import structlog

from bot.teams.client.shelf import Shelf
from bot.teams.guard import CONVERSATION, INSTALLATION, PERSONAL, Activity
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Conversation:
    """`kind`: as in `guard`. `person`: of a personal chat, whose it is, by the object id in the directory. `time_zone`: of where
    somebody acted last, the one that their Teams said; empty where it said none.
    """

    id: str
    service_url: str
    kind: str
    tenant: str
    person: str = ""
    team: str = ""
    name: str = ""
    time_zone: str = ""


class Conversations:
    """`elsewhere`: where messages go of which no activity has told yet; Teams' own address for everybody.

    On the shelf: `conversation:ID`, `conversation:person:OBJECT_ID`, `conversation:person-in:OBJECT_ID` (where they acted last),
    `conversation:newest` (by which a channel is reached that nobody has written in yet), and `person-at:29:...` (whose object id
    that is). Each call raises LedgerUnreachable.
    """

    def __init__(self, shelf: Shelf, elsewhere: str) -> None:
        self._shelf = shelf
        self._elsewhere = elsewhere

    def personal(self, person: str) -> Conversation | None:
        return self._read(f"person:{person}")

    def seen_in(self, person: str) -> Conversation | None:
        """Of whatever kind: where they acted last."""
        return self._read(f"person-in:{person}")

    def clock_of(self, person: str) -> str:
        """The time zone that their Teams said last; empty where it is not known."""
        where = self.seen_in(person)
        return where.time_zone if where else ""

    def by_id(self, id_: str) -> Conversation | None:
        return self._read(id_)

    def person_at(self, address: str) -> str | None:
        """The object id of whoever was seen under this `29:` id."""
        found = self._shelf.get(f"person-at:{address}")
        return found.decode("ascii", "replace") if found else None

    def service_url(self, id_: str = "") -> str:
        """Where this conversation is written to; of one that is not known, as the one that was heard of last."""
        known = (self._read(id_) if id_ else None) or self._read("newest")
        return known.service_url if known is not None else self._elsewhere

    def keep(self, conversation: Conversation) -> None:
        self._write(conversation.id, conversation)
        if conversation.kind == PERSONAL and conversation.person:
            self._write(f"person:{conversation.person}", conversation)

    def learn(self, address: str, person: str) -> None:
        if self.person_at(address) != person:
            self._shelf.put(f"person-at:{address}", person.encode())

    def gone(self, conversation: Conversation) -> None:
        """The app was taken away there."""
        self._shelf.take(f"conversation:{conversation.id}")
        if conversation.person:
            self._shelf.take(f"conversation:person:{conversation.person}")

    def seen(self, activity: Activity) -> None:
        """What an activity tells, whatever it is. Never raises: what somebody wants goes on without it."""
        try:
            self._seen(activity)
        except LedgerUnreachable as problem:
            log.warning("a conversation was not noted", why=str(problem))

    def _seen(self, activity: Activity) -> None:
        if activity.user and activity.user_address:
            self.learn(activity.user_address, activity.user)
        told = _told(activity)
        if told is None:
            return
        if _takes_away(activity):
            self.gone(told)
            return
        self.keep(told)
        if activity.user:
            before = self.seen_in(activity.user)
            zone = activity.time_zone or (before.time_zone if before else "")
            self._write(f"person-in:{activity.user}", replace(told, time_zone=zone))
        newest = self._read("newest")
        if newest is None or newest.service_url != told.service_url:
            self._write("newest", told)

    def _read(self, key: str) -> Conversation | None:
        body = self._shelf.get(f"conversation:{key}")
        try:
            found = json.loads(body) if body else {}
            return Conversation(**{name: str(found[name]) for name in Conversation.__slots__ if name in found})
        except (ValueError, TypeError):
            # Not there, or of another version: the next activity writes it anew.
            return None

    def _write(self, key: str, conversation: Conversation) -> None:
        """Most activities say what is known already."""
        if self._read(key) != conversation:
            self._shelf.put(f"conversation:{key}", json.dumps(asdict(conversation)).encode())


def _told(activity: Activity) -> Conversation | None:
    if not activity.conversation:
        return None
    personal = activity.kind == PERSONAL
    return Conversation(
        activity.conversation,
        activity.service_url,
        activity.kind,
        activity.tenant,
        activity.user if personal else "",
        activity.team,
        "" if personal else activity.channel_name,
    )


def _takes_away(activity: Activity) -> bool:
    if activity.type == INSTALLATION:
        # `remove-upgrade` comes before `add-upgrade`, and takes nothing away.
        return activity.event == "remove"
    if activity.type == CONVERSATION:
        return activity.bot in activity.removed or activity.event in (
            "channelDeleted",
            "teamDeleted",
            "teamHardDeleted",
        )
    return False
