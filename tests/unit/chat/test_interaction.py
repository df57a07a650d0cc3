"""What somebody did, on its way to a worker, which may be of the version before or after."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.chat.interaction import COMMAND, PRESS, Interaction, unpacked
from workflows.core.identity import Account

# Written by the version that knew Slack alone.
OLD = {
    "id": "press:1",
    "kind": "press",
    "team": "T1",
    "user": "U1",
    "text": "",
    "action": "approve",
    "value": "PA-1",
    "fields": None,
    "channel": "C1",
    "channel_name": "",
    "thread_ts": None,
    "response_url": "",
    "looked": False,
}


def of(who: Account) -> Interaction:
    return Interaction("press:1", PRESS, who, action="approve", value="PA-1", channel="C1")


def test_an_act_in_slack_is_packed_as_ever_so_that_the_version_before_carries_it_out() -> None:
    act = of(Account("slack", "T1", "U1"))
    assert json.loads(act.packed()) == OLD
    assert unpacked(json.dumps(OLD)) == act


@pytest.mark.parametrize("who", [Account("slack", "T1", "U1"), Account("teams", "T1", "U1")])
def test_an_act_is_read_back_with_the_account_and_its_chat(who: Account) -> None:
    assert unpacked(of(who).packed()) == of(who)


def test_that_its_answer_is_kept_current_is_packed_only_where_it_is() -> None:
    act = Interaction("a", COMMAND, Account("teams", "T", "U"), text="again", kept=True)
    assert unpacked(act.packed()) == act
    assert act.origin.by_form
    assert "kept" not in json.loads(replace(act, kept=False).packed())
