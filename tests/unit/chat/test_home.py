"""The App Home: each kind of person sees what concerns them, production first, within 100 blocks, and nothing that is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bot.chat.message import Message
from bot.chat.messages.home import Home, home
from bot.chat.plain_text import as_text
from bot.chat.views.home_view import HomeView, OnHold, Security, home_view
from bot.sandbox.slack.blockkit.limits import check_view
from bot.slack.render import home_of
from tests.support import build, homes
from tests.support.build import DANA, GUS, NIA, OLU, PAT, SUE
from tests.support.homes import KINDS, view_of
from tests.support.scenes import rules
from tests.support.views import NOW, admin, entitlement, every_state
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.people import Membership, PersonFacts, PersonId
from workflows.core.policy import Group

STATES = every_state()


def shown(page: Home) -> str:
    return as_text(Message((), page))


def text_of(kind: str) -> str:
    return shown(home(KINDS[kind]()))


def elements(page: Home) -> list[tuple[str, str]]:
    """(action, value) of all buttons."""
    blocks = home_of(page)["blocks"]
    found = [one for block in blocks for one in [*block.get("elements", ()), block.get("accessory") or {}]]
    return [(one["action_id"], one.get("value", "")) for one in found if "action_id" in one]


# ---------------------------------------------------------------- what each kind of person sees

SEEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "holder": (
        (
            "You have read-only in Payments · 🔴 production until 04:00 UTC\n✅ Active, 59 min left · PA-1",
            "[ Open console https://acme",
            "[ Extend ]  [ I am done ]",
            "You asked for admin in Payments · 🔴 production, for 1 h\n",
            "PA-2\n[ Take back ]",
        ),
        ("IN YOUR ENVIRONMENTS", "SECURITY", "WAITING FOR YOU", "EMERGENCY", "nothing waits for you"),
    ),
    "owner": (
        (
            "admin in Payments · 🔴 production, for 1 h",
            "[ Approve ]  [ Deny ]",
            "IN YOUR ENVIRONMENTS NOW",
            "[ End early ]",
            "[ Acknowledge... ]  [ Flag... ]",
            "Nia decides in your place until 23 Nov, 03:00 UTC. You may still decide yourself.\n[ End ]",
            "Cannot be asked now: Pat.",
        ),
        ("YOUR ACCESS", "SECURITY", "EMERGENCY"),
    ),
    "on call": (
        (
            "EMERGENCY ACCESS (BREAK-GLASS)",
            "🚨 Payments · 🔴 production · read-only or admin, up to 30 min\n[ Break glass... ]",
            "You decide in the place of Olu until 23 Nov, 03:00 UTC.",
        ),
        ("SECURITY", "REVIEWS"),
    ),
    "on call, barred": (
        ("You cannot use break-glass at the moment: Olu flagged the break-glass PA-1.", "🚨 Break-glass · You have"),
        ("[ Break glass... ]", "EMERGENCY ACCESS"),
    ),
    "on call, too often": (("twice within 24 hours", "It is possible again from"), ("[ Break glass... ]",)),
    "security": (
        (
            "Nia cannot use break-glass: Olu flagged the break-glass PA-1.\n[ Lift... ]",
            "from dana@example.com to dana.new@example.com",
            "[ Confirm... ]",
            "`/prodaccess revoke-all person WHO REASON`",
        ),
        ("nothing waits for you", "[ Ask"),
    ),
    "blocked": (
        ("Sue revoked everything. You can ask again from", "[ I am done ]"),
        ("[ Ask", "[ Extend ]", "WHOM TO ASK"),
    ),
    "on hold": (("Your account is on hold", "[ I am done ]", "[ Take back ]"), ("[ Ask", "[ Extend ]", "WHOM TO ASK")),
    "guest": (("Guests cannot ask for access",), ("[", "WHOM TO ASK", "nothing waits for you")),
    "nobody": (
        (
            "You can ask for nothing here yet: you are in no group that may ask. Ask an owner to have you added.",
            "Owners of Payments · 🔴 production: Olu and Pat",
        ),
        # Where only members are told of a place, strangers are not sent there.
        ("[ Ask", "Books"),
    ),
    "many places": (
        (
            "Payments · 🔴 production\n`payments-prod` · read-only, admin, quick, office\n[ Ask ]",
            "24 more environments",
        ),
        ("… and",),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_person_sees_what_concerns_them_and_no_more(kind: str) -> None:
    text = text_of(kind)
    there, not_there = SEEN[kind]
    assert [part for part in there if part not in text] == [], text
    assert [part for part in not_there if part in text] == [], text


@pytest.mark.parametrize("kind", KINDS)
def test_slack_takes_it_and_one_button_stands_out_at_most(kind: str) -> None:
    view = home_of(home(KINDS[kind]()))
    check_view(view, "home")
    assert str(view).count("'primary'") <= 1


def test_no_heading_stands_over_nothing() -> None:
    for kind in KINDS:
        blocks = home_of(home(KINDS[kind]()))["blocks"]
        kinds = [block["type"] for block in blocks]
        assert ("header", "header") not in pairwise(kinds), kind
        assert kinds[-1] != "header", kind


def test_production_stands_first_and_then_what_is_over_first() -> None:
    view = KINDS["many places"]()
    tiers = [item.tier.value for item in view.can_ask]
    assert tiers == ["production"] * 12 + ["staging"] * 10 + ["development"] * 10
    later, sooner = STATES["active, extended"], STATES["active"]
    assert [one.deadline for one in home_view(NOW, mine=[later, sooner]).mine] == [sooner.deadline, later.deadline]


def test_a_choice_of_the_menu_asks_for_that_environment() -> None:
    (menu,) = [
        one
        for block in home_of(home(KINDS["many places"]()))["blocks"]
        for one in block.get("elements", ())
        if one.get("type") == "static_select"
    ]
    assert (menu["action_id"], menu["options"][0]["value"]) == ("ask", "shop-018")


# ---------------------------------------------------------------- within its limits


def test_hundreds_of_everything_stay_within_a_home() -> None:
    many = [STATES["pending, dangerous"]] * 300
    own = [STATES["active"]] * 300
    owner, security, on_call = KINDS["owner"](), KINDS["security"]().security, KINDS["on call"]()
    assert security is not None
    page = home(
        replace(
            owner,
            notes=KINDS["on call, barred"]().notes + KINDS["blocked"]().notes,
            mine=tuple(own),
            waiting_on_me=tuple(many),
            asked=tuple(many),
            asked_for_me=tuple(many),
            reviews=owner.reviews * 300,
            open_here=tuple(own),
            emergencies=on_call.emergencies * 300,
            stands_in_for=on_call.stands_in_for * 300,
            away=owner.away * 300,
            security=Security(security.barred * 300, security.holds * 3, 297),
            can_ask=KINDS["many places"]().can_ask * 10,
        )
    )
    view = home_of(page)
    check_view(view, "home")
    assert len(view["blocks"]) <= 100
    assert "… and 295 more: `/prodaccess mine`" in shown(page)
    assert "… and 292 more: `/prodaccess list`" in shown(page)


# ---------------------------------------------------------------- unknown is offered, refused is not


def test_what_nobody_knows_is_offered() -> None:
    world = World(rules())
    policy = world.policy.policy
    unknown = Group("developers", slack_usergroup="S0DEVS", trusted=True)
    world.policy.policy = replace(policy, groups={**policy.groups, "developers": unknown})
    world.directory.put_members("slack:S0DEVS", Membership().failed("Slack did not answer", world.clock.now()))
    text = shown(home(view_of(world, GUS)))
    assert "[ Ask for access ]" in text
    assert "WHOM TO ASK" not in text


def test_nobody_is_sent_to_owners_of_what_only_members_know_of() -> None:
    world = World(rules())
    hidden = {name: place for name, place in world.policy.policy.environments.items() if name == "books-prod"}
    world.policy.policy = replace(world.policy.policy, environments=hidden)
    text = shown(home(view_of(world, GUS)))
    assert "Ask your team who owns what you need." in text
    assert "Books" not in text


def test_ones_own_bar_and_ones_own_account_have_no_button() -> None:
    world = World(rules())
    homes.flagged(world)
    crew = Group("security", members=frozenset(map(Address, (NIA, SUE))))
    world.policy.policy = replace(world.policy.policy, groups={**world.policy.policy.groups, "security": crew})
    world.directory.put_members("security", Membership(frozenset({NIA, SUE}), build.NOW))
    assert ("lift", NIA) in elements(home(view_of(world, SUE)))
    own = home(view_of(world, NIA))
    assert "SECURITY" in shown(own)
    assert "lift" not in dict(elements(own))


def test_an_account_that_is_about_the_reader_has_no_button() -> None:
    security = KINDS["security"]().security
    assert security is not None
    own = Security((), tuple(OnHold(one.held, own=True) for one in security.holds))
    assert "confirm" not in dict(elements(home(HomeView(NOW, security=own))))


def test_who_is_away_is_said_with_until_when() -> None:
    world = World(rules())
    until = world.clock.now() + 30 * build.HOUR
    world.chat.people[account(PAT)] = build.facts(PAT, away_until=until)
    world.knows(PAT)

    def absent(people: Iterable[PersonFacts]) -> frozenset[PersonId]:
        return frozenset(one.id for one in people if one.away_until)

    assert "Cannot be asked now: Pat (until 22 Nov, 09:00 UTC)." in shown(home(view_of(world, OLU, absent)))


# ---------------------------------------------------------------- what it costs


# Of the ledger and of the directory, each of which is a round trip to Redis or two.
LOOKS_MAX = 30


class Counting:
    """What is asked of a port, call by call."""

    def __init__(self, port: Any) -> None:
        self._port, self.calls = port, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)

        def counted(*given: Any, **named: Any) -> Any:
            self.calls += 1
            return found(*given, **named)

        return counted if callable(found) else found


def calls_for(world: World, who: PersonId) -> int:
    world.knows(who)
    ledger, directory = Counting(world.ledger), Counting(world.directory)
    ctx = world.ctx
    world.ctx = replace(ctx, ledger=ledger, directory=directory)
    try:
        view_of(world, who)
    finally:
        world.ctx = ctx
    return ledger.calls + directory.calls


@pytest.mark.parametrize("who", [DANA, OLU, NIA, SUE])
def test_a_home_takes_so_many_looks_however_much_there_is(who: PersonId) -> None:
    world = World(rules())
    homes.flagged(world)
    homes.hand_over(world)
    for one in (DANA, NIA):
        world.asked(one, role="admin")
        world.active(one, role="quick")
    few = calls_for(world, who)
    for one in (DANA, NIA):
        world.asked(one)
        world.clock.advance(1)
    assert calls_for(world, who) == few
    assert few <= LOOKS_MAX


def test_it_is_drawn_where_a_record_of_it_cannot_be_read() -> None:
    world = World(rules())
    homes.flagged(world)
    world.ledger.spoil(keys.person(NIA))
    assert "SECURITY" in shown(home(view_of(world, SUE)))


def test_the_times_of_its_menu_and_roles_are_those_of_the_policy() -> None:
    view = home_view(NOW, can_ask=[entitlement(), admin()], titles={"payments-prod": "Payments"})
    assert [(item.title, item.roles) for item in view.can_ask] == [("Payments", ("read-only", "admin"))]
