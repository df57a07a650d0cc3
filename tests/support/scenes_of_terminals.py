"""Somebody acts from a terminal, while chat is down or beside it: what stands in chat afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.terminal_access.people import speaking
from tests.support.build import DANA, HOUR, MINUTE, NIA, OLU, SUE
from tests.support.scenes import done, rules, scene
from tests.support.spoken import Listener
from tests.support.world import account
from workflows.core.people import FromTerminal, PersonId
from workflows.core.records.request import TERMINAL, Origin
from workflows.core.rules.eligibility import Ask
from workflows.usecases.decisions.approve import approve
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Context

AT_TERMINAL = Origin(surface=TERMINAL)
WHY = "INC-42 checkout errors"


def at_terminal(t: Listener, who: PersonId, *, chat_down: bool) -> Context:
    """As they are known to whoever decides what they typed there."""
    facts = t.world.chat.refresh_person(account(who), t.world.policy.current())
    said = FromTerminal(f"iam:444455556666:{who}", chat_down)
    return replace(t.world.ctx, directory=speaking(t.world.ctx.directory, replace(facts, terminal=said)))


@scene
def a_life_from_terminals(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.knows(*t.cast)
    ask = Ask("payments-prod", "admin", HOUR, WHY)
    id_ = done(ask_for_access(at_terminal(t, DANA, chat_down=True), ask, account(DANA), AT_TERMINAL, "terminal:1"))
    t.world.work()
    yield (id_,)
    done(approve(at_terminal(t, OLU, chat_down=False), id_, account(OLU), "terminal:2"))
    yield (id_,)
    done(approve(at_terminal(t, SUE, chat_down=True), id_, account(SUE), "terminal:3"))
    t.world.work()
    yield (id_,)


@scene
def the_glass_is_broken_from_a_terminal(t: Listener) -> Iterator[tuple[str, ...]]:
    policy = rules()
    place = policy.environments["payments-prod"]
    assert place.break_glass is not None
    glass = replace(place.break_glass, when_chat_is_down=("read-only",))
    places = {**policy.environments, place.name: replace(place, break_glass=glass)}
    t.world.policy.policy = replace(policy, environments=places)
    t.world.knows(*t.cast)
    ask = Ask("payments-prod", "read-only", 30 * MINUTE, WHY)
    id_ = done(break_glass(at_terminal(t, NIA, chat_down=True), ask, account(NIA), AT_TERMINAL, "terminal:1"))
    t.world.work()
    yield (id_,)
