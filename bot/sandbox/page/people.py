"""What one person has in front of them, and what they do: the control API's functions, shaped for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.slack import CannotDo, Message, Person, SlackServer, View
from bot.sandbox.slack import control as by_hand
from bot.sandbox.slack.model import Json
from bot.sandbox.slack.people.reading import element

_NOT_SHOWN = ("metadata", "mentioned", "pinged", "notified", "deleted")


def sees(slack: SlackServer, body: Json) -> Json:
    person = slack.person(body["user"])
    with slack.workspace.lock:
        channels = {channel: _posts(person, channel) for channel in person.channels()}
        view, home, dm = person.view(), person.home(), person.dm()
        return {
            "user": person.user,
            "channels": channels,
            "unread": {channel: person.unread(channel) for channel in channels},
            "dm": dm,
            "dms": [post(message) for message in person.dms()],
            "dm_unread": person.unread(dm),
            "ephemerals": [post(message) for message in person.ephemerals()],
            "modal": view and by_hand.shown(view.view),
            "modal_stack": len(slack.workspace.views.stack(person.id)),
            "home": home and by_hand.shown(home.view),
            "notices": person.notices(),
            "now": slack.clock(),
        }


def _posts(person: Person, channel: str) -> list[Json]:
    posts = person.messages(channel)
    return [post(each) | {"replies": [post(reply) for reply in person.thread(channel, each.ts)]} for each in posts]


def post(message: Message) -> Json:
    """Of a copy: what is in it is handed on as it is."""
    return {name: value for name, value in vars(message).items() if name not in _NOT_SHOWN}


def badges(slack: SlackServer, _body: Json) -> dict[str, int]:
    """For everybody: how many messages rang that they have not read."""
    ws = slack.workspace
    with ws.lock:
        people = [user.id for user in ws.users.values() if not user.is_bot and not user.deleted]
        found = dict.fromkeys(people, 0)
        for channel in ws.channels.values():
            for message in (*channel.messages.values(), *channel.ephemerals):
                for user in message.notified if not message.deleted else ():
                    if user in found and float(message.ts) > float(ws.read_until.get((user, channel.id), "0")):
                        found[user] += 1
        return found


def doing(what: Callable[[SlackServer, Json], Any]) -> Callable[[SlackServer, Json], Any]:
    """Whatever somebody did, others may see it, also where it went wrong."""

    def does(slack: SlackServer, body: Json) -> Any:
        try:
            return what(slack, {name: value for name, value in body.items() if name != "force"})
        finally:
            slack.workspace.touch()

    return does


def options(slack: SlackServer, body: Json) -> Json:
    """What a type-ahead menu offers for what has been typed so far."""
    person = slack.person(body["user"])
    surface = _surface(person, body["in"])
    block, found = element(surface.blocks, body["action_id"], None, body.get("block_id"))
    offered = slack.client.suggested(person.user, surface, block, found, str(body.get("query", "")))
    return {"options": offered.get("options") or [], "option_groups": offered.get("option_groups") or []}


def _surface(person: Person, where: Any) -> Message | View:
    if isinstance(where, dict):
        return person.message(where["channel"], where["ts"])
    if where == "modal":
        return person.form().view
    home = person.home()
    if where != "home" or home is None:
        raise CannotDo("There is no such menu in front of this person.")
    return home.view
