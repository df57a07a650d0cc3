"""Forms that stand in somebody's chat are kept, and read again as they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.chat.form import Choice, Field, Form, Moment, Select, Several, Somebody, Typed
from bot.chat.message import Button, Line, Quote
from bot.chat.rich import Bold, Called, Code, Link, Text, Time, ours, say
from bot.teams.client.form_store import Forms, Standing
from tests.support.teams import MemoryShelf

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
EVERYTHING = Form(
    "a_form",
    "Title",
    "Send",
    (
        Line(say("*{}* at {} `x` {}", "Dana", Time(AT, AT), Called("U1")), Button("Then", "then", "1", "primary"), 5),
        Line((Bold((Text("b"),)), Code(ours("c")), Link("https://x.example/", "x"))),
        Quote("why"),
        Field(
            "one", "One", Select((Choice("A", "a", "d"),), Choice("A", "a"), "p", shown=True), of=("x",), redraws=True
        ),
        Field("two", "Two", Several((Choice("A", "a"),), 3, (Choice("A", "a"),))),
        Field("three", "Three", Typed(100, "text", many_lines=True), optional=True, hint="h"),
        Field("four", "Four", Moment(AT + timedelta(hours=1))),
        Field("five", "Five", Somebody("U1")),
    ),
    carries="PA-1",
    name="n",
)
KEPT = Standing(EVERYTHING, 3, "Europe/Berlin", "a:1x", "17")


def test_a_form_is_read_as_it_was_kept() -> None:
    forms = Forms(MemoryShelf())
    forms.keep("n", KEPT)
    assert forms.find("n") == KEPT
    forms.forget("n")
    assert forms.find("n") is None
    assert forms.find("") is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b'{"form":{"_":"os.system"}}',
        b'{"form":{"_":"form.Nobody"},"version":1,"zone":"","conversation":"","message":""}',
        b'{"form":{"_":"form.Form","more":1},"version":1,"zone":"","conversation":"","message":""}',
        b'{"form":{"_":"at","at":"x"},"version":1,"zone":"","conversation":"","message":""}',
        b'{"form":"x","version":1,"zone":"","conversation":"","message":""}',
    ],
)
def test_what_another_version_kept_is_no_form(body: bytes) -> None:
    shelf = MemoryShelf()
    shelf.held["form:n"] = body
    assert Forms(shelf).find("n") is None


def test_nothing_that_is_kept_is_more_than_data() -> None:
    shelf = MemoryShelf()
    Forms(shelf).keep("n", KEPT)
    assert json.loads(shelf.held["form:n"])["version"] == 3
    with pytest.raises(TypeError):
        Forms(shelf).keep("n", Standing(Form("x", "t", "s", (object(),)), 1, "UTC", "", ""))
