"""The installation in memory with Teams as its chat: the real outbox and the real app, over HTTP against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from starlette.applications import Starlette

from bot.chat.actions.deferred import Deferred
from bot.chat.actions.dispatcher import Dispatcher
from bot.directory.refresh import ChatDirectory
from bot.sandbox.serving import Serving, listener
from bot.sandbox.teams.cards import words
from bot.sandbox.teams.courier import Answer
from bot.sandbox.teams.people import DANA, OLU, PAT, TENANT, Conversation, Json, Message, Person, guid
from bot.sandbox.teams.server import TeamsServer
from bot.teams import build as build_teams
from bot.teams.incoming import app
from bot.teams.incoming.app import TeamsApp, routes
from tests.support import build
from tests.support.chat import ChatWorld, NoSlack
from tests.support.teams import MemoryShelf
from tests.support.teams_rig import elements, settings_for, teams_surface
from tests.support.waiting import PATIENCE_S
from workflows.core import keys
from workflows.core.destination import Destination, Kind
from workflows.core.identity import TEAMS, Account
from workflows.core.people import PersonId
from workflows.core.policy import Policy
from workflows.ledger.memory import MemoryClock
from workflows.usecases.shared.actor import whose

NIA, SUE = (Person(name, guid(name.lower()), f"{name.lower()}@example.com") for name in ("Nia", "Sue"))
PEOPLE = {build.DANA: DANA, build.OLU: OLU, build.PAT: PAT, build.NIA: NIA, build.SUE: SUE}


def account(who: PersonId) -> Account:
    return Account(TEAMS, TENANT, PEOPLE[who].aad)


class TeamsWorld(ChatWorld):
    """`ops`: where cards stand. Everybody is known, and the app is installed for them."""

    def __init__(self, teams: TeamsServer) -> None:
        self.teams = teams
        self.ops = next(one for one in teams.world.conversations.values() if one.kind == "channel")
        for person in (NIA, SUE):
            teams.world.add_person(person)
        self.ops.members += [NIA.aad, SUE.aad]
        teams.rates.enforced = False
        self.shelf = MemoryShelf()
        self.surface_ = teams_surface(teams, self.shelf)
        clock = MemoryClock(build.NOW)
        super().__init__(NoSlack(), clock, policy=policy_in(self.ops), surface=self.surface_)
        dispatcher, directory = Dispatcher(self.ctx, "/prodaccess"), cast(ChatDirectory, self.chat)
        self.deferred = Deferred(self.ctx, dispatcher, directory, self.surface_, "/prodaccess")
        self.app: TeamsApp = build_teams.build_app(settings_for(teams), dispatcher, self.surface_, directory)

    def knows(self, *people: PersonId) -> None:
        for who in people:
            found = account(who)
            self.chat.people[found] = build.facts(who, slack=found, name=PEOPLE[who].name)
            whose(self.ctx, self.policy.policy, self.chat.refresh_person(found, self.policy.policy))

    # ------------------------------------------------------------ people act

    def types(self, who: Person, text: str, to: Conversation | None = None, **more: Any) -> Answer:
        return self.teams.client.type(who, text, to, **more)

    def press(self, who: Person, message: Message, title: str, inputs: Json | None = None, **more: Any) -> Answer:
        """The button with this title, as they see the card."""
        found = titled(message.shown_to(who.aad), title)
        return self.teams.client.press(who, message.id, found["verb"], found.get("data"), inputs, **more)

    def decide(self) -> None:
        """What was put down for a worker."""
        for item in [item for item in self.ledger.due if item.startswith(keys.press(""))]:
            self.deferred.decide(item.removeprefix(keys.press("")))

    # ------------------------------------------------------------ looking

    def chat_of(self, who: Person) -> list[Message]:
        """What the bot has said in their own chat, oldest first."""
        return [one for one in self.teams.client.sees(who) if one.sender == self.teams.world.bot_id]

    def told(self, who: Person) -> list[str]:
        return [words(one.shown_to(who.aad)) for one in self.chat_of(who)]

    def cards(self) -> list[Message]:
        return [one for one in self.teams.world.messages(self.ops) if one.card]


def policy_in(ops: Conversation) -> Policy:
    channel = str(Destination(TEAMS, Kind.CHANNEL, ops.id))
    place = build.environment(approvals_channels=(channel,))
    return build.policy(place, receipts_channels=(channel,))


def titled(card: Json | None, title: str) -> Json:
    """The Action.Execute that is called so."""
    found = elements(card, "Action.Execute")
    fitting = [one for one in found if one.get("title") == title]
    assert fitting, f"no button is called {title!r}: {[one.get('title') for one in found]}"
    return fitting[0]


@contextmanager
def teams_world() -> Iterator[TeamsWorld]:
    """What is answered does not depend on how busy this machine is: the app takes its time, and Teams waits for it."""
    with TeamsServer() as teams, pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "ANSWER_S", PATIENCE_S)
        patch.setattr(app, "TAKE_S", PATIENCE_S)
        world = TeamsWorld(teams)
        where = listener()
        serving = Serving(Starlette(routes=routes(world.app)), where, "bot")
        serving.wait_until_started()
        teams.courier.request_url = f"http://127.0.0.1:{where.getsockname()[1]}/api/messages"
        teams.courier.answer_within_s = PATIENCE_S
        try:
            yield world
        finally:
            serving.stop()
            world.app.close()
