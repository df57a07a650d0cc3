"""Reads what people did out of Teams' activities. Who acted is in the proved activity, and nowhere else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from bot.chat.forms.request import Where
from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.teams.cards.form_input import picked
from bot.teams.cards.pressed_cards import ALONE, window_of
from bot.teams.client.traits import as_typed
from bot.teams.guard import ID_LENGTH_MAX, PERSONAL, Activity
from workflows.core.destination import Destination, Kind
from workflows.core.identity import TEAMS, Account

TEXT_LENGTH_MAX = 10_000
# So many people a line may mention: each whom we have not met is asked for.
MENTIONED_MAX, ENTITIES_MAX = 5, 50
# Somebody whom a message mentions -> the object id; None where nobody can tell.
WhoIs = Callable[[str], str | None]
_TAG = re.compile(r"</?at[^<>]*>")


def id_of(activity: Activity) -> str:
    """Of this one act, however often it is delivered. Ids of messages are times, which two people may share."""
    return f"teams:{activity.tenant}:{activity.user}:{activity.id}"


def actor(activity: Activity) -> Account:
    return Account(TEAMS, activity.tenant, activity.user)


def place(activity: Activity) -> str:
    """Where it was done, as destinations are written."""
    kind = Kind.DIRECT if activity.kind == PERSONAL else Kind.CHANNEL
    return str(Destination(TEAMS, kind, activity.conversation))


def where(activity: Activity) -> Where:
    """Where a form is asked for; somebody's own chat with us is no place that matters."""
    if activity.kind == PERSONAL:
        return Where()
    return Where(place(activity), activity.channel_name, activity.thread or None)


# ---------------------------------------------------------------- typed


def typed(activity: Activity, command: str, who_is: WhoIs) -> Interaction:
    return Interaction(
        id=id_of(activity),
        kind=COMMAND,
        who=actor(activity),
        text=read_typed(activity, command, who_is),
        channel=place(activity),
        channel_name=activity.channel_name,
        thread_ts=activity.thread or None,
    )


def read_typed(activity: Activity, command: str, who_is: WhoIs) -> str:
    """What was typed, as every chat hands it in (see `bot.chat.commands.typed`): without the name of the bot and of the command,
    and with each person who is mentioned by their id.
    """
    names = _mentioned(activity, who_is)
    text = activity.text[:TEXT_LENGTH_MAX]
    # The longest first: one name may begin another.
    tags = "|".join(re.escape(tag) for tag in sorted(names, key=len, reverse=True))
    pieces = re.split(f"({tags})", text) if tags else [text]
    found = "".join(names[piece] if number % 2 else _literal(piece) for number, piece in enumerate(pieces))
    return _without_command(" ".join(found.split()), command)


def _mentioned(activity: Activity, who_is: WhoIs) -> dict[str, str]:
    """Each tag in the text -> what stands for it."""
    meant: dict[str, set[str]] = {}
    for each in activity.entities[:ENTITIES_MAX]:
        tag, whom = each.get("text"), each.get("mentioned")
        id_ = whom.get("id") if isinstance(whom, dict) else None
        stands = isinstance(tag, str) and tag != "" and tag in activity.text[:TEXT_LENGTH_MAX]
        if each.get("type") == "mention" and stands and isinstance(id_, str) and len(id_) <= ID_LENGTH_MAX:
            meant.setdefault(str(tag), set()).add(id_)
    ours = {tag: "" for tag, ids in meant.items() if ids == {activity.bot}}
    others = islice(((tag, ids) for tag, ids in meant.items() if tag not in ours), MENTIONED_MAX)
    return ours | {tag: _named(tag, ids, who_is) for tag, ids in others}


def _named(tag: str, ids: set[str], who_is: WhoIs) -> str:
    """Two people whose tags read the same cannot be told apart: then it is a name, and nobody's id."""
    # A name is one word of the line.
    name = "_".join(re.sub(r"[<>|&]", " ", html.unescape(_TAG.sub("", tag))).split())[:80]
    found = who_is(min(ids)) if len(ids) == 1 else None
    return f"<@{found}|{name}>" if found else f"@{name}"


def _literal(text: str) -> str:
    """Teams writes some characters as HTML does; `&`, `<` and `>` are written as our own lines have them."""
    plain = html.unescape(_TAG.sub("", text))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_command(text: str, command: str) -> str:
    """There is no command to type before what is meant, and whoever is used to it may; so may who types what a hint says, in the
    personal chat, where nothing makes a mention of it.
    """
    first, _, rest = text.partition(" ")
    return rest if first.lower() in (command, command.removeprefix("/"), as_typed(command)) else text


# ---------------------------------------------------------------- pressed, sent


def data_of(activity: Activity) -> Mapping[str, Any]:
    """What the pressed button carries, inputs merged in; empty where it carries nothing."""
    action = activity.value.get("action")
    data = action.get("data") if isinstance(action, dict) else None
    return data if isinstance(data, dict) else {}


def verb_of(activity: Activity) -> str:
    action = activity.value.get("action")
    return _text(action.get("verb")) if isinstance(action, dict) else ""


def is_automatic(activity: Activity) -> bool:
    """A client asks by itself whether a card has changed: nobody has pressed anything."""
    return activity.value.get("trigger") == "automatic"


def pressed(activity: Activity) -> Interaction:
    """A button, or a choice of a menu."""
    data = data_of(activity)
    value = picked(data) if verb_of(activity) == "menu" else _text(data.get("value"))
    return Interaction(
        id=id_of(activity),
        kind=PRESS,
        who=actor(activity),
        action=_text(data.get("action")),
        value=value,
        channel=place(activity),
        channel_name=activity.channel_name,
    )


def pressed_message(activity: Activity) -> str:
    """The id of the message with the button; empty where the card is the actor's alone."""
    return "" if data_of(activity).get(ALONE) else activity.reply_to


def sent(activity: Activity, kind: str, fields: dict[str, str], at: Where) -> Interaction:
    """A form that was refused and corrected is sent again under the same id: what was taken is not taken twice. One that stands
    in a card of several is another act each time.
    """
    window, _ = window_of(data_of(activity).get("name"))
    return Interaction(
        id=f"teams:{activity.tenant}:{activity.user}:form:{window}" if window else id_of(activity),
        kind=kind,
        who=actor(activity),
        fields=fields,
        channel=at.channel,
        channel_name=at.channel_name,
        thread_ts=at.thread_ts,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def object_id(member: Mapping[str, Any]) -> str | None:
    """Of a member of a roster, who has it under one of two names; None where it says none."""
    found = next((_text(member.get(name)).lower() for name in ("aadObjectId", "objectId") if member.get(name)), "")
    return found if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found) else None
