"""Homes in Slack: published, pressed and sent through the real app, and drawn anew after each act."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt import App

from bot.chat.actions.dispatcher import Dispatcher
from bot.sandbox.slack import Home, SlackServer, buttons, words
from bot.slack.app import build_app
from tests.support import build, homes
from tests.support.build import DANA, NIA, OLU, SUE
from tests.support.chat import ChatWorld, InProcess, workspace
from tests.support.door import served
from tests.support.people import acts, gets_address
from tests.support.waiting import eventually
from tests.support.world import account
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass
from workflows.ledger.memory import MemoryClock


class Rig(ChatWorld):
    """An installation whose homes are drawn whenever somebody wakes them, as a worker does."""

    def __init__(self, slack: SlackServer, clock: MemoryClock) -> None:
        self.slack = slack
        super().__init__(InProcess(slack), clock)
        glass = BreakGlass(("oncall",), ("read-only",), 30 * build.MINUTE)
        own = self.policy.policy
        place = replace(own.environments["payments-prod"], break_glass=glass)
        self.policy.policy = replace(own, environments={"payments-prod": place})
        self.woken: list[str] = []
        self.ctx = replace(self.ctx, wake=lambda *items: self.woken.extend(items))
        self.sender = self.new_sender()

    def app(self) -> App:
        return build_app(Dispatcher(self.ctx, "/prodaccess"), self.client, self.refresher)

    def home(self, who: PersonId) -> Home:
        """Opened by them, and drawn by a worker."""
        self.knows(who)
        person = self.slack.person(account(who).user)
        person.open_home()
        return self.drawn(who)

    def drawn(self, who: PersonId) -> Home:
        """As it stands after whoever acted woke the sender for it."""
        item = f"chat:home-T1-{account(who).user}"
        eventually(lambda: item in self.woken, "somebody draws the home anew")
        self.woken.clear()
        self.sender.show(item.removeprefix("chat:"))
        found = self.slack.person(account(who).user).home()
        assert found is not None
        return found

    def form(self, who: PersonId) -> Any:
        return eventually(self.slack.person(account(who).user).view, "the form")


@pytest.fixture
def rig() -> Iterator[Rig]:
    logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
    clock = MemoryClock(build.NOW)
    with SlackServer(workspace(()), clock=lambda: clock.now().timestamp()) as slack:
        rig = Rig(slack, clock)
        with served(rig.app(), slack):
            yield rig


def value(home: Home, action: str) -> str:
    found = [one for block in home.blocks for one in [*block.get("elements", ()), block.get("accessory") or {}]]
    return next(str(one.get("value") or "") for one in found if one.get("action_id") == action)


def test_what_stands_on_a_home_is_done_from_it_and_it_is_drawn_anew(rig: Rig) -> None:
    # A delegation is ended with one press.
    homes.hand_over(rig)
    page = rig.home(OLU)
    assert "Nia decides in your place" in words(page.view)
    assert page.press("end_delegation").ok
    assert "in your place" not in words(rig.drawn(OLU).view)
    # Somebody whom security keeps out is let in again, with a reason.
    homes.flagged(rig)
    page = rig.home(SUE)
    assert page.press("lift", value(page, "lift")).ok
    form = rig.form(SUE)
    rig.drawn(SUE)
    form.fill("reason", "talked to her")
    assert form.submit().ok
    assert "cannot use break-glass" not in words(rig.drawn(SUE).view)
    # Whose an account is that is on hold is said in a form, too.
    rig.knows(DANA, SUE)
    gets_address(rig, DANA, "dana.new@example.com")
    acts(rig, account(DANA))
    page = rig.home(SUE)
    assert page.press("confirm", value(page, "confirm")).ok
    form = rig.form(SUE)
    rig.drawn(SUE)
    rig.knows(DANA)
    form.fill("whose", "same")
    form.fill("reason", "saw her badge")
    assert form.submit().ok
    assert "Confirm..." not in buttons(rig.drawn(SUE).view)
    # Somebody else's access is asked about once.
    id_ = rig.active(NIA)
    page = rig.home(OLU)
    assert page.press("end", value(page, "end")).ok
    form = rig.form(OLU)
    rig.drawn(OLU)
    form.fill("reason", "wrong account")
    assert form.submit().ok
    assert id_ in words(rig.drawn(OLU).view)
    assert "End early" not in buttons(rig.slack.person("UOLU").home().view)  # type: ignore[union-attr]
