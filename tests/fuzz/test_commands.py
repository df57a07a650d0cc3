"""Whatever is typed, in either chat: a command or a sentence, quickly, and nothing is approved that was not typed."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.commands.model import Approve, BreakGlass, Less, RevokeAll
from bot.chat.commands.parser import parse
from bot.chat.commands.typed import typed
from bot.chat.wording.labels import refusal
from bot.slack.mrkdwn import read_typed
from bot.teams.guard import Activity, read
from bot.teams.incoming import acts
from tests.support import teams as t
from tests.support.fuzz import ODD, as_json, few, quickly
from workflows.core.records.request import ID_PATTERN
from workflows.core.refusal import Refused

ENVIRONMENTS = ("payments-prod", "books-prod", "payments-staging")
VERBS = (
    *("request", "approve", "less", "deny", "withdraw", "decline", "show", "end", "revoke", "revoke-all", "extend"),
    *("list", "mine", "pending", "envs", "who", "history", "help"),
)
WORDS = st.sampled_from(
    [
        *VERBS,
        *ENVIRONMENTS,
        *(
            "break-glass",
            "explain",
            "person",
            "confirm",
            "lift",
            "delegate",
            "until",
            "again",
            "review",
            "flag",
            "for",
            "at",
        ),
        *(
            "read-only",
            "read-only,admin",
            "PA-1",
            "pa-1",
            "PA1",
            "PA-\uff11",
            "1h",
            "1 h 30 min",
            "90m",
            "0m",
            "9" * 50 + "d",
        ),
        *(
            "<@UOLU|olu>",
            "<@UOLU>",
            "&lt;@UOLU&gt;",
            "@olu",
            "olu@example.com",
            "<!channel>",
            "<#C1|ops>",
            "<http://x|y>",
        ),
        *(
            "25:00",
            "2026-12-01",
            "10:00",
            "env",
            "INC-42",
            "—",
            "“x”",
            "\u200b",
            "\u202e",
            "\x00",
            "\ud83d",
            "::",
            "- ",
        ),
    ]
)
LINES = st.lists(WORDS | st.text(max_size=12), max_size=12).map(" ".join) | st.text(max_size=200)


@few(10)
@given(LINES)
@example("x " * 5000)
@example("<" * 3000)
@example("1h " * 3000)
def test_any_line_is_a_command_or_a_sentence(line: str) -> None:
    for text in (line, read_typed(line)):
        with quickly():
            found = parse(text, ENVIRONMENTS)
        if isinstance(found, Refused):
            assert refusal(found).strip()
            assert "Traceback" not in refusal(found)
        _is_what_was_typed(found, text)


def _is_what_was_typed(found: Any, text: str) -> None:
    """What gives or takes much begins with its own word, and names what was typed."""
    verbs = {Approve: ("approve",), Less: ("less",), BreakGlass: ("break",), RevokeAll: ("revoke",)}
    first = typed(text).strip().lower()
    if isinstance(found, tuple(verbs)):
        assert first.startswith(verbs[type(found)]), (found, text)
    if isinstance(found, Approve | Less):
        assert ID_PATTERN.fullmatch(found.id)
        assert found.id[3:] in text


@few(10)
@given(LINES, st.lists(st.sampled_from(ODD) | st.text(max_size=9), max_size=3))
def test_any_line_of_teams_too_whoever_it_mentions(line: str, mentions: list[Any]) -> None:
    entities = [{"type": "mention", "text": f"<at>{one}</at>", "mentioned": {"id": one}} for one in mentions]
    found = read(as_json(t.in_channel(f"<at>prodaccess</at> {line}", entities=entities)).encode(), t.EXPECTED)
    if isinstance(found, Activity) and found.acts:
        act = acts.typed(found, "/prodaccess", {"y": t.OLU}.get)
        parse(act.text, ENVIRONMENTS)
        act.packed().encode()
