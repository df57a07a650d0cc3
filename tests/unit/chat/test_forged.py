"""Whoever has a client of their own presses and sends what they like: one sentence or nothing, and nothing changes."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.actions.handlers import PRESSES, handler
from bot.chat.actions.reply import FactsStale
from bot.chat.actions.sent_forms import SENT
from bot.chat.carried import read_carried, read_moment, read_seconds
from bot.chat.form import Filled, Value
from bot.chat.interaction import BREAK_GLASS_FORM, COMMAND, FORM
from bot.slack.form_input import filled
from tests.support import homes
from tests.support.build import DANA, NIA, SUE
from tests.unit.chat.test_acts_at_home import Rig

_ASK = {"e": "payments-prod", "r": "read-only", "d": 60, "w": "errors", "t": "", "s": 0}


def _ask(**changes: Any) -> str:
    return json.dumps(_ASK | changes)


FORGED = (
    *("", " ", "null", "[]", "{}", '"x"', "1", "NaN", "\ud800", "\x00", "x" * 3000, "[" * 2000, "9" * 5000),
    *("PA-99999", "PA-1 x", "PA-1:" + "0" * 64, "PA-\uff11", "../x", "a\nb", "*", "person:x", "nobody@example.com"),
    *("payments-prod", "payments-prod \ud800", "less PA-1", "why PA-1", "why \ud800"),
    *(_ask(d=10**30), _ask(d=1e300), _ask(d=-1), _ask(d="9" * 5000), _ask(d=True), _ask(d=None)),
    *(_ask(s=10**11), _ask(s=-(10**10)), _ask(s=5), _ask(s="x"), _ask(s=1e300), _ask(s=[])),
    *(_ask(w="x" * 9000, t="t" * 900, h="h" * 90), _ask(w="\ud800", t="\ud800"), _ask(e=None, r=[], w={}, t=0)),
    *(_ask(h={"a": 1}, m="abc", p={"q": 1}), _ask(m=[1, None, ["z"]], p=["payments-prod"] * 50)),
    *('{"a": "x", "h": "y"}', '{"a": 1, "h": []}', '{"p": 1, "n": [], "e": "", "r": {}}'),
)
# Who asks, and who is of security.
WHO = (DANA, SUE)


def _house() -> Rig:
    rig = Rig()
    homes.flagged(rig)
    rig.asked(DANA, role="admin")
    rig.knows(*WHO, NIA)
    return rig


def _changed(rig: Rig, before: int) -> set[str]:
    return {entry.event.value for entry in rig.all_entries()[before:]} - {"request.refused"}


@pytest.mark.parametrize("action", PRESSES)
def test_a_press_with_another_value_is_no_error_and_changes_nothing(action: str) -> None:
    rig = _house()
    before = len(rig.all_entries())
    for who in WHO:
        for value in FORGED:
            with contextlib.suppress(FactsStale):
                _presses(rig, action, who, value)
    assert _changed(rig, before) == set()


def _presses(rig: Rig, action: str, who: Any, value: str) -> None:
    act = rig._act(who, action, value)
    found = handler(act)
    opener = found.opens(rig.forms, act) if found else None
    if opener is None:
        reply = rig.does.carry_out(act)
        assert reply.refused is None or reply.message is not None
        return
    trigger = f"t{len(rig.door.triggers)}"
    rig.door.triggers.add(trigger)
    opener(rig.forms, act, trigger, Filled("", "", ()))


@pytest.mark.parametrize("kind", SENT)
def test_a_form_that_carries_and_holds_anything_is_no_error_and_changes_nothing(kind: str) -> None:
    rig = _house()
    before = len(rig.all_entries())
    fields = ("environment", "role", "duration", "whose", "holder", "more_roles", "more_environments")
    for value in FORGED:
        held = [Value(name, text="errors", chosen=(value,)) for name in (*fields, "reason", "ticket")]
        for values in (held, []):
            found = SENT[kind].read(Filled(kind, value, values))
            if found is not None and not isinstance(found, dict):
                with contextlib.suppress(FactsStale):
                    rig.does.carry_out(_sent(rig, kind, found.fields))
    assert _changed(rig, before) == set()


def _sent(rig: Rig, kind: str, fields: dict[str, str]) -> Any:
    return replace(rig._act(NIA, "", ""), kind=SENT[kind].act, fields=fields)


@pytest.mark.parametrize("fields", [{"role": "\ud83d"}, {"environment": "\ud83d"}, {"ticket": "\ud83d"}])
def test_half_a_character_names_nothing(fields: dict[str, str]) -> None:
    rig = _house()
    asked = {"environment": "payments-prod", "role": "read-only", "reason": "errors", "ticket": ""} | fields
    rig.does.carry_out(replace(rig._act(DANA, "", ""), kind=FORM, fields=asked))
    rig.does.carry_out(replace(rig._act(DANA, "", ""), kind=COMMAND, text=f"{fields.get('environment')} \ud83d"))


@pytest.mark.parametrize("kind", [FORM, BREAK_GLASS_FORM])
def test_an_emoji_that_was_cut_in_two_keeps_nobody_out(kind: str) -> None:
    rig = Rig()
    who = DANA if kind == FORM else NIA
    rig.knows(DANA, NIA)
    asked = {"environment": "payments-prod", "role": "read-only", "reason": "INC-42 all is down \ud83d", "ticket": ""}
    reply = rig.does.carry_out(replace(rig._act(who, "", ""), kind=kind, fields=asked))
    assert reply.refused is None
    assert "INC-42 all is down \N{REPLACEMENT CHARACTER}" in [
        rig.request(name.partition(":")[2]).reason for name in rig.ledger.records("request")
    ]


@pytest.mark.parametrize("picked", [10**11, -5, "x", [], {}, True, 1e300, "9" * 5000, 5])
def test_a_time_that_no_chat_gives_is_none(picked: Any) -> None:
    view = {"state": {"values": {"begin": {"begin": {"selected_date_time": picked}}}}}
    assert filled(view).moment("begin") is None
    assert read_moment(picked) is None


@pytest.mark.parametrize("value", ["", "-1", "1.5", "９", "1" * 10, True, None, 1e9])
def test_what_is_no_length_of_time_is_none(value: Any) -> None:
    assert read_seconds(value) is None
    assert read_carried(f"[{value}]") == {}
