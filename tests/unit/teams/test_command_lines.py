"""What can be typed is shown as it is typed in Teams, which has no slash command of ours."""

from __future__ import annotations

import re
from pathlib import Path

from bot.chat.form import Field, Form, Typed
from bot.chat.message import Button, Line, Listing, Message
from bot.chat.messages.help import help_message
from bot.chat.rich import Code, marked, ours, say
from bot.chat.wording.refusals import refusal
from bot.teams.cards.render import card_of, summary_of
from bot.teams.client.traits import spelling
from workflows.core.refusal import Code as Why
from workflows.core.refusal import Refused

GOLDEN = Path(__file__).parents[2] / "golden" / "teams"


def here(said):
    return spelling("/prodaccess").of(said)


def test_a_command_line_begins_with_a_mention_wherever_it_stands() -> None:
    line = Line(say("Type `{} approve {}`", "/prodaccess", "PA-1"), Button("/prodaccess", "act", "`/prodaccess x`"))
    found = here(Message(marked("see `/prodaccess help`"), [line, Listing([say("• `/prodaccess mine`")])]))
    assert "@prodaccess help" in summary_of(found)
    drawn = found.parts[0]
    assert isinstance(drawn, Line)
    assert drawn.text == say("Type `{} approve {}`", "@prodaccess", "PA-1")
    assert found.parts[1] == Listing([say("• `@prodaccess mine`")])
    assert drawn.button == line.button, "what comes back with a press is nobody's text"


def test_what_somebody_wrote_stays_as_they_wrote_it() -> None:
    said = (
        say("{} said: {}", "Dana", "see: /prodaccess help"),
        Code(ours("/prodaccesss x")),
        Code(ours("x /prodaccess")),
    )
    assert here(said) == said
    assert here(ours("now: /prodaccess mine")) == ours("now: @prodaccess mine")


def test_sentences_beside_fields_too() -> None:
    assert here({"role": "Look at `/prodaccess envs`, or `/prodaccess`."}) == {
        "role": "Look at `@prodaccess envs`, or `@prodaccess`."
    }
    form = Form("kind", "Title", "Send", (Line(marked("`/prodaccess envs`")), Field("reason", "Why", Typed(100))))
    assert here(form).parts[0] == Line(marked("`@prodaccess envs`"))


def test_teams_has_no_workspaces() -> None:
    guest = refusal(Refused(Why.PERSON_GUEST, {}))
    assert "Ask a full member of the organisation" in summary_of(here(Message(marked(guest))))
    assert here({"who": guest})["who"].endswith("of the organisation to do it.")


def test_in_no_message_of_the_scenes_is_anything_left_of_what_slack_alone_has() -> None:
    left = [
        f"{page.name}: {found}"
        for page in GOLDEN.glob("*.jsonl")
        for found in re.findall(r".{30}(?:/prodaccess|workspace).{30}", page.read_text(encoding="utf-8"))
    ]
    assert left == []


def test_the_help_tells_what_works() -> None:
    assert "@prodaccess approve ID" in str(card_of(here(help_message())))
