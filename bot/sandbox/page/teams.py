"""What one person has in front of them in Teams, and what they do there, shaped for the page. People go by their ids in Slack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.sandbox.copying import copied
from bot.sandbox.installation.people import PLAYERS, slack_world
from bot.sandbox.slack import CannotDo
from bot.sandbox.teams import cards
from bot.sandbox.teams.courier import Answer
from bot.sandbox.teams.errors import CannotDo as NotInTeams
from bot.sandbox.teams.people import Conversation, Json, Message, Person
from bot.sandbox.teams.server import TeamsServer
from bot.sandbox.teams.world import BOT_NAME

BOT = "bot"
_PURPOSES: Mapping[str, str] = {each["name"]: each["purpose"] for each in slack_world()["channels"]}


class TeamsPeople:
    """`bot` names the personal chat; channels go by their names."""

    def __init__(self, teams: TeamsServer) -> None:
        self._teams = teams
        self._world = teams.world
        self._people = {player.id: player.in_teams for player in PLAYERS}
        self._pages = {person.aad: id_ for id_, person in self._people.items()}
        self._read: dict[tuple[str, str], int] = {}

    def routes(self) -> tuple[dict[str, Callable[[Json], Any]], dict[str, Callable[[Json], Any]]]:
        """What answers at `api/NAME`: to look at, and to be done."""
        see = {"teams/people/{user}": self.sees, "teams/badges": self.badges}
        do = {
            "teams/people/{user}/type": self.type,
            "teams/people/{user}/press": self.press,
            "teams/people/{user}/submit": self.submit,
            "teams/people/{user}/mark_read": self.mark_read,
        }
        return see, {name: _told(handler) for name, handler in do.items()}

    def start(self) -> Json:
        """What never changes."""
        channels = [place for place in self._world.conversations.values() if place.kind == "channel"]
        return {
            "bot": BOT_NAME,
            "places": [
                {"id": BOT, "name": BOT_NAME, "kind": "personal", "purpose": "Your chat with the app"},
                *({"id": c.name, "name": c.name, "kind": c.kind, "purpose": _PURPOSES[c.name]} for c in channels),
            ],
            "ids": {id_: person.aad for id_, person in self._people.items()},
        }

    @property
    def changes(self) -> int:
        return self._world.changes

    def page_id(self, aad: str) -> str:
        return self._pages.get(aad, aad)

    # Looking

    def sees(self, body: Json) -> Json:
        person = self._person(body)
        with self._world.lock:
            places = {id_: self._place(person, to) for id_, to in self._places(person).items()}
        return {"user": body["user"], "places": places, "now": self._teams.clock()}

    def _place(self, person: Person, to: Conversation) -> Json:
        everything = [self._shown(person, one) for one in to.standing()]
        roots = [one for one in everything if one["root"] is None]
        for root in roots:
            root["replies"] = [one for one in everything if one["root"] == root["id"]]
        return {"messages": roots, "unread": len(self._unread(person, to))}

    def _shown(self, person: Person, message: Message) -> Json:
        bot = message.sender == self._world.bot_id
        return {
            "id": message.id,
            "root": message.root,
            "from": BOT if bot else self.page_id(message.sender),
            "name": BOT_NAME if bot else self._world.person(message.sender).name,
            "text": message.text,
            "summary": message.summary or message.text or cards.words(message.card).split("\n")[0],
            "card": copied(message.shown_to(person.aad)),
            "said": message.said.get(person.aad, ""),
            "edited": message.edits > 0,
            "calls": person.aad in message.pinged,
            "at": message.at,
        }

    def badges(self, _body: Json) -> dict[str, int]:
        """For everybody: how many messages rang that they have not read."""
        with self._world.lock:
            return {
                id_: sum(
                    person.aad in message.pinged
                    for to in self._places(person).values()
                    for message in self._unread(person, to)
                )
                for id_, person in self._people.items()
            }

    def _unread(self, person: Person, to: Conversation) -> Sequence[Message]:
        since = self._read.get((person.aad, to.id), 0)
        return [one for one in to.standing() if int(one.id) > since and one.sender != person.aad]

    def all_read(self) -> None:
        """Everybody has read what there is by now."""
        with self._world.lock:
            for person in self._people.values():
                for to in self._places(person).values():
                    self._read_up(person, to)

    def _read_up(self, person: Person, to: Conversation) -> None:
        self._read[person.aad, to.id] = max((int(one.id) for one in to.standing()), default=0)

    # Doing

    def type(self, body: Json) -> Json:
        """`text`: `@NAME` mentions the bot, or somebody in the conversation. `root`: a reply under that message."""
        person = self._person(body)
        to = self._to(person, body["place"])
        text = self._with_mentions(str(body["text"]), to)
        return _outcome(self._teams.client.type(person, text, to, mention=False, root=body.get("root")))

    def press(self, body: Json) -> Json:
        """`inputs`: what is filled in, by id; those that do not go with this button are left out."""
        person, inputs = self._person(body), dict(body.get("inputs") or {})
        pressed = self._teams.client.press
        return _outcome(pressed(person, body["message"], body["verb"], body.get("data") or {}, inputs))

    def submit(self, body: Json) -> Json:
        return _outcome(self._teams.client.submit(self._person(body), body["message"], body.get("data") or {}))

    def mark_read(self, body: Json) -> Json:
        person = self._person(body)
        to = self._to(person, body["place"])
        with self._world.lock:
            self._read_up(person, to)
            self._world.touch()
        return {"ok": True}

    def _with_mentions(self, text: str, to: Conversation) -> str:
        names = [BOT_NAME, *(self._world.people[aad].name for aad in to.members)]
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(f"@{name}", f"<at>{name}</at>")
        return text

    # Who and where

    def _person(self, body: Json) -> Person:
        person = self._people.get(str(body["user"]))
        if person is None:
            raise CannotDo(f"Nobody has the id {body['user']} here.")
        return self._world.person(person.aad)

    def _places(self, person: Person) -> Mapping[str, Conversation]:
        found = {BOT: self._world.personal(person)}
        for place in self._world.conversations.values():
            if place.kind == "channel" and person.aad in place.members:
                found[place.name] = place
        return found

    def _to(self, person: Person, place: Any) -> Conversation:
        found = self._places(person).get(str(place))
        if found is None:
            raise CannotDo(f"{person.name} has no conversation {place}.")
        return found


def _told(does: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """What Teams' client does not let somebody do is said on the page as such."""

    def done(body: Json) -> Json:
        try:
            return does(body)
        except NotInTeams as refused:
            raise CannotDo(str(refused)) from None

    return done


def _outcome(answer: Answer) -> Json:
    return {"ok": answer.ok, "error": answer.error, "said": answer.said}
