"""What is typed in Teams is handed in as in every chat: whom it names cannot be mistaken, and nobody can type such a name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.chat.commands.model import AskFor, Help
from bot.chat.commands.parser import mentioned, parse
from bot.teams.guard import Activity, read
from bot.teams.incoming.acts import read_typed
from tests.support import teams as t

BOT = {"id": f"28:{t.APP}", "name": "prodaccess"}
IDS = {"29:1dana": t.DANA, "29:1olu": t.OLU}


def mention(name: str, id_: str) -> dict[str, Any]:
    return {"type": "mention", "text": f"<at>{name}</at>", "mentioned": {"id": id_, "name": name}}


OF_BOT, OF_OLU = mention("prodaccess", f"28:{t.APP}"), mention("Olu Owner", "29:1olu")


def typed(text: str, *entities: Any) -> str:
    found = read(json.dumps(t.in_channel(text, entities=list(entities))).encode(), t.EXPECTED)
    assert isinstance(found, Activity)
    return read_typed(found, "/prodaccess", IDS.get)


@pytest.mark.parametrize(
    ("text", "entities", "read_as"),
    [
        ("help", (), "help"),
        ("  /prodaccess   help ", (), "help"),
        ("Prodaccess help", (), "help"),
        # As hints have it, where nothing makes a mention of it.
        ("@Prodaccess help", (), "help"),
        ("prodaccess-docs read-only", (), "prodaccess-docs read-only"),
        ("<at>prodaccess</at> help", (OF_BOT,), "help"),
        ("<at>prodaccess</at>&nbsp;help\r\n", (OF_BOT,), "help"),
        ("help\xa0<at>prodaccess</at>\n", (OF_BOT,), "help"),
        ("<at>prodaccess</at> /prodaccess payments-prod", (OF_BOT,), "payments-prod"),
        ("<at>prodaccess</at>", (OF_BOT,), ""),
        ("for <at>Olu Owner</at> x", (OF_OLU,), f"for <@{t.OLU}|Olu_Owner> x"),
        ("<at>prodaccess</at> for <at>Olu Owner</at> x", (OF_BOT, OF_OLU), f"for <@{t.OLU}|Olu_Owner> x"),
        # Nobody can tell who that is: a name, as typed.
        ("for <at>Nia</at> x", (mention("Nia", "29:1nia"),), "for @Nia x"),
        ("for <at>Nia</at> x", (), "for Nia x"),
        # Two who are called the same, whom nobody can tell apart; or somebody who is called as the bot is.
        ("for <at>Olu</at> x", (mention("Olu", "29:1olu"), mention("Olu", "29:1dana")), "for @Olu x"),
        ("for <at>prodaccess</at> x", (OF_BOT, mention("prodaccess", "29:1olu")), "for @prodaccess x"),
        # What is typed is no name, however it is written.
        (f"for <@{t.OLU}> x", (), f"for &lt;@{t.OLU}&gt; x"),
        (f"for &lt;@{t.OLU}|Olu&gt; x", (), f"for &lt;@{t.OLU}|Olu&gt; x"),
        ("a &amp; b &lt; c", (), "a &amp; b &lt; c"),
        ("x <at>Eve|<@U1></at> y", (mention("Eve|<@U1>", "29:1olu"),), f"x <@{t.OLU}|Eve_@U1> y"),
    ],
)
def test_it_is_handed_in(text: str, entities: tuple[Any, ...], read_as: str) -> None:
    assert typed(text, *entities) == read_as


@pytest.mark.parametrize(
    "entity", [None, 5, {}, {"type": "mention"}, {"type": "mention", "text": "", "mentioned": {"id": "29:1olu"}}]
)
def test_odd_entities_name_nobody(entity: Any) -> None:
    assert typed("for <at>Olu</at> x", entity) == "for Olu x"


def test_whoever_is_mentioned_is_meant() -> None:
    line = typed("for <at>Olu Owner</at> payments-prod read-only INC-42 why", OF_OLU)
    found = parse(line, ["payments-prod"])
    assert isinstance(found, AskFor)
    assert (found.whom.user, found.whom.text) == (t.OLU, "@Olu_Owner")
    assert mentioned(line) == (t.OLU,)
    assert isinstance(parse(typed("/prodaccess help"), []), Help)
