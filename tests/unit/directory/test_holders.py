"""In a chat that says nothing of who leaves, whoever holds access is asked about."""

from __future__ import annotations

from dataclasses import replace

from bot.directory.holders import ask_about_holders
from tests.support.build import DANA
from tests.support.people import acts, in_teams
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import TEAMS
from workflows.core.records.request import Origin
from workflows.core.refusal import Code
from workflows.core.rules.eligibility import Ask
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome


def test_the_owners_hear_of_who_has_left_a_chat_that_does_not_say_so() -> None:
    world = World()
    there = in_teams(world, "aad-dana", str(DANA), "Dana")
    acts(world, there)
    asked = ask_for_access(world.ctx, Ask("payments-prod", "read-only", None, "INC-42 errors"), there, Origin(), "ask")
    assert isinstance(asked, Outcome)
    world.work()
    world.approve(asked.id)
    world.work()
    world.chat.people[there] = replace(world.chat.people[there], standing_problem=Code.PERSON_DEACTIVATED.value)
    ask_about_holders(world.ctx, (TEAMS,))
    assert keys.whois(there) in world.ledger.due
    world.work()
    (left,) = [entry for entry in world.ledger.entries(limit=1000) if entry.event is Event.PERSON_LEFT]
    assert left.facts["open"] == asked.id


def test_nobody_is_asked_about_where_the_chat_says_it_or_nothing_is_held() -> None:
    world = World()
    ask_about_holders(world.ctx, (TEAMS,))
    world.active(DANA)
    ask_about_holders(world.ctx, (TEAMS,))
    assert keys.whois(account(DANA)) not in world.ledger.due
