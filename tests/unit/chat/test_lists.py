"""Answers that list: grouped by environment, production first; told to whoever sees no blocks, too; with hours by both clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.interaction import COMMAND, Interaction
from bot.chat.message import Message
from bot.chat.messages import lists
from bot.chat.plain_text import as_text, text_of
from bot.chat.views.request_view import for_outsiders
from tests.support import build, homes
from tests.support.build import DANA, GUS, NIA, NOW, OLU, SUE, environment, facts
from tests.support.scenes import rules
from tests.support.views import every_state
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.policy import Tier
from workflows.core.records.retained import Retained
from workflows.ports import Change

STATES = every_state()
ASKED = STATES["pending"]


def says(world: World, who: PersonId, text: str, zone: str = "UTC") -> Message:
    world.chat.people[account(who)] = facts(who, time_zone=zone)
    world.knows(who)
    act = Interaction(world.press_id(), COMMAND, account(who), text=text)
    found = Dispatcher(world.ctx, "/prodaccess").carry_out(act).message
    assert found is not None
    return found


def busy() -> World:
    world = World(rules())
    world.active(DANA)
    homes.break_it(world)
    world.asked(DANA, role="admin")
    return world


LISTS = ("list", "mine", "pending", "history", "envs", "who payments-prod", "explain payments-prod admin", "show PA-1")


@pytest.mark.parametrize("text", LISTS)
def test_whoever_sees_no_blocks_is_told_every_row(text: str) -> None:
    said = says(busy(), DANA, text)
    rows = [line for line in as_text(said).splitlines() if line.startswith(("•", "03:", "Allows:", "Needs"))]
    assert rows
    assert [row for row in rows if row not in text_of(said.summary)] == []


def test_what_waits_stands_by_environment_production_first_and_the_first_to_expire_first() -> None:
    staging = replace(ASKED, id="PA-1", environment="shop-staging", title="Shop", tier=Tier.STAGING)
    late = replace(ASKED, id="PA-2", expires_at=ASKED.expires_at + timedelta(hours=1))
    soon = replace(ASKED, id="PA-3")
    shown = as_text(lists.pending([staging, late, soon])).splitlines()
    assert [line for line in shown if "·" in line and not line.startswith(("•", "`"))] == [
        "Payments · 🔴 production",
        "Shop · 🟡 staging",
    ]
    assert [line.rpartition("· ")[2] for line in shown if line.startswith("•")] == ["PA-3", "PA-2", "PA-1"]
    assert "• Dana Dev asks for read-only, for 1 h: INC-42" in "\n".join(shown)


def test_outsiders_read_of_a_hidden_place_neither_who_nor_why() -> None:
    shown = as_text(lists.pending([for_outsiders(ASKED)]))
    assert "PA-1042" in shown
    assert "Dana" not in shown
    assert "INC-42" not in shown


def test_environments_stand_by_tier_with_the_name_that_is_typed() -> None:
    places = [
        environment(name=f"shop-{tier.value}", title="Shop", tier=tier)
        for tier in (Tier.DEVELOPMENT, Tier.PRODUCTION, Tier.STAGING)
    ]
    shown = as_text(lists.environments(places)).splitlines()
    assert shown[1:7:2] == ["🔴 production", "🟡 staging", "🟢 development"]
    assert shown[2] == "• shop-production · Shop: `read-only`"


@pytest.mark.parametrize(
    ("zone", "later", "words"),
    [
        # A Saturday.
        ("America/New_York", timedelta(0), "closed now, opens Mon 08:00 (your 02:00)"),
        ("Pacific/Honolulu", timedelta(0), "closed now, opens Mon 08:00 (your Sun 21:00)"),
        ("UTC", timedelta(days=2, hours=6), "open now"),
    ],
)
def test_hours_say_days_and_zone_and_when_they_begin_by_both_clocks(zone: str, later: timedelta, words: str) -> None:
    world = World(rules())
    world.clock.advance(later.total_seconds())
    world.activate()
    shown = as_text(says(world, DANA, "explain payments-prod office", zone))
    assert f"Given: Mon to Fri 08:00 to 18:00 (Europe/Berlin); {words}" in shown


def test_mine_tells_what_is_had_and_what_can_be_typed_about_it() -> None:
    world = busy()
    own, security = as_text(says(world, DANA, "mine")), as_text(says(world, SUE, "mine"))
    assert "• You have read-only in Payments · 🔴 production until 04:00 UTC · ✅ Active, 1 h left · PA-1" in own
    assert "• You asked for admin in Payments · 🔴 production, for 1 h: INC-42 checkout errors" in own
    assert "`/prodaccess extend ID DURATION REASON` · `/prodaccess withdraw ID`" in own
    assert "`/prodaccess end ID`" not in security
    assert "`/prodaccess approve ID`" in security


def test_mine_says_why_less_is_there_and_whom_to_ask() -> None:
    world = busy()
    homes.all_of(world, DANA)
    assert "⚠️ Sue revoked everything. You can ask again from" in as_text(says(world, DANA, "mine"))
    nobody = says(world, GUS, "mine")
    assert "You can ask for nothing here yet: ask an owner to have you added." in as_text(nobody)
    assert "Owners of Payments · 🔴 production: Olu and Pat" in text_of(nobody.summary)
    free = as_text(says(World(rules()), NIA, "mine"))
    assert free.startswith("You have no access just now, and nothing waits for you. `/prodaccess` asks for some.")


def test_who_may_break_the_glass_reads_that_it_is_for_emergencies() -> None:
    assert "🚨 Emergency access. You may use break-glass for read-only or admin" in as_text(
        says(World(rules()), NIA, "who payments-prod")
    )
    assert "use break-glass" not in as_text(says(World(rules()), OLU, "who payments-prod"))
    assert build.NOW == NOW


def test_what_was_asked_for_another_names_whom_and_who_asked() -> None:
    world = World(rules())
    world.knows(DANA, NIA)
    ask = Interaction(
        world.press_id(), COMMAND, account(DANA), text="for <@UNIA|nia> payments-prod read-only 1h INC-42 errors"
    )
    Dispatcher(world.ctx, "/prodaccess").carry_out(ask)
    world.work()
    assert "• You asked for read-only for Nia in Payments · 🔴 production, for 1 h: INC-42 errors" in as_text(
        says(world, DANA, "mine")
    )
    assert "• Dana asked for read-only for you in Payments · 🔴 production, for 1 h: INC-42 errors" in as_text(
        says(world, NIA, "mine")
    )


def left(world: World, days: int) -> None:
    """Requests that were made before have left for the archive."""
    now = world.clock.now()
    stands = Retained(7, requests=40, before=now - timedelta(days=days))
    world.ledger.commit(Change("left", now, {keys.RETAINED: 0}, puts={keys.RETAINED: stands}))


def test_a_history_that_ends_where_the_archive_begins_says_so() -> None:
    world = busy()
    assert "archive" not in as_text(says(world, DANA, "history"))
    left(world, 91)
    day = f"{world.clock.now() - timedelta(days=91):%Y-%m-%d}"
    for text in ("history", "history payments-prod", "history <@UDANA|dana>"):
        told = as_text(says(world, DANA, text))
        assert f"Older than {day}: in the archive. An operator reads it with `prodaccess report`." in told


def test_a_request_that_is_not_there_may_be_in_the_archive() -> None:
    world = busy()
    assert "archive" not in as_text(says(world, DANA, "show PA-77"))
    left(world, 91)
    told = as_text(says(world, DANA, "show PA-77"))
    assert "There is no PA-77 in the record. What was closed and is older than" in told
    assert "an operator reads it with `prodaccess show`" in told
    assert "archive" not in as_text(says(world, DANA, "show PA-1"))


@pytest.mark.parametrize(
    "text",
    ["approve PA-77", "deny PA-77 no", "withdraw PA-77", "end PA-77", "extend PA-77 1h", "less PA-77 30m"],
)
def test_whoever_acts_on_what_has_left_reads_where_it_is(text: str) -> None:
    world = busy()
    assert "There is no PA-77. `/prodaccess mine` lists yours." in as_text(says(world, OLU, text))
    left(world, 91)
    told = as_text(says(world, OLU, text))
    assert "There is no PA-77 in the record. What was closed and is older than" in told
    assert "is in the archive: an operator reads it with `prodaccess show`." in told
