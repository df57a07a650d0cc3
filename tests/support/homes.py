"""The home of each kind of person, each in a world of its own: for golden files, and for tests of what stands there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.chat.messages.home import Home, home
from bot.chat.views.home_reader import Absent, HomeReader, nobody_away
from bot.chat.views.home_view import HomeView
from bot.chat.views.read_model import Reader
from tests.support import build
from tests.support.build import DANA, GUS, NIA, OLU, PAT, SUE
from tests.support.people import acts, gets_address
from tests.support.scenes import done, rules
from tests.support.world import World, account
from workflows.core.people import PersonId
from workflows.core.policy import Policy, Tier
from workflows.core.records.request import Origin
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.groups import groups_needed
from workflows.usecases.oversight.break_glass_review import flag
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.delegations import with_delegations


def view_of(world: World, who: PersonId, absent: Absent = nobody_away) -> HomeView:
    """What the sender reads before it draws somebody's page."""
    policy = world.policy.policy
    facts = whose(world.ctx, policy, world.chat.refresh_person(account(who), policy))
    names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
    groups = with_delegations(world.ctx, world.directory.groups(policy, names))
    return HomeReader(world.ctx, Reader(world.ctx), absent).home(policy, facts, groups)


def break_it(world: World, who: PersonId = NIA) -> str:
    world.knows(who)
    ask = Ask("payments-prod", "read-only", None, "all is down")
    id_ = done(break_glass(world.ctx, ask, account(who), Origin(), world.press_id()))
    world.work()
    return id_


def hand_over(world: World, by: PersonId = OLU, to: PersonId = NIA) -> None:
    world.knows(by, to)
    until = world.clock.now() + timedelta(days=2)
    done(delegate(world.ctx, account(by), build.facts(to), until, world.press_id()))


def flagged(world: World) -> str:
    id_ = break_it(world)
    world.knows(OLU)
    done(flag(world.ctx, id_, account(OLU), "not needed", world.press_id()))
    return id_


def all_of(world: World, who: PersonId) -> None:
    """Security takes back everything of somebody, who is kept from asking for a while."""
    world.knows(who, SUE)
    scope = RevocationScope(person=who, person_name=build.facts(who).name)
    done(revoke_all(world.ctx, scope, account(SUE), "laptop stolen", world.press_id()))


def many_places(count: int) -> Policy:
    own = rules()
    tiers = list(Tier)
    base = own.environments["payments-prod"]

    def place(number: int) -> tuple[str, object]:
        name, tier = f"shop-{number:03}", tiers[number % 3]
        roles = {key: replace(role, environment=name, tier=tier) for key, role in base.roles.items()}
        return name, replace(base, name=name, title=f"Shop {number:03}", tier=tier, roles=roles, break_glass=None)

    return replace(own, environments={**own.environments, **dict(map(place, range(count)))})  # type: ignore[arg-type]


# ---------------------------------------------------------------- each kind


def _holder() -> HomeView:
    world = World(rules())
    world.active(DANA)
    world.asked(DANA, role="admin")
    world.clock.advance(60)
    return view_of(world, DANA)


def _owner() -> HomeView:
    world = World(rules())
    world.active(DANA)
    break_it(world)
    world.asked(DANA, role="admin")
    hand_over(world)
    world.knows(PAT)

    def absent(people: object) -> frozenset[PersonId]:
        return frozenset({PAT})

    return view_of(world, OLU, absent)


def _on_call() -> HomeView:
    world = World(rules())
    hand_over(world)
    return view_of(world, NIA)


def _on_call_who_is_barred() -> HomeView:
    world = World(rules())
    flagged(world)
    return view_of(world, NIA)


def _on_call_too_often() -> HomeView:
    world = World(rules())
    for _ in range(2):
        world.end(break_it(world), NIA)
        world.work()
    return view_of(world, NIA)


def _security() -> HomeView:
    world = World(rules())
    flagged(world)
    world.knows(DANA, SUE)
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    return view_of(world, SUE)


def _blocked() -> HomeView:
    world = World(rules())
    world.active(DANA)
    all_of(world, DANA)
    return view_of(world, DANA)


def _on_hold() -> HomeView:
    world = World(rules())
    world.active(DANA)
    world.asked(DANA, role="admin")
    gets_address(world, DANA, "dana.new@example.com")
    acts(world, account(DANA))
    return view_of(world, DANA)


def _guest() -> HomeView:
    world = World(rules())
    world.chat.people[account(GUS)] = build.facts(GUS, standing_problem="person_guest")
    return view_of(world, GUS)


KINDS: Mapping[str, Callable[[], HomeView]] = {
    "holder": _holder,
    "owner": _owner,
    "on call": _on_call,
    "on call, barred": _on_call_who_is_barred,
    "on call, too often": _on_call_too_often,
    "security": _security,
    "blocked": _blocked,
    "on hold": _on_hold,
    "guest": _guest,
    "nobody": lambda: view_of(World(rules()), GUS),
    "many places": lambda: view_of(World(many_places(30)), DANA),
}


def pages() -> Mapping[str, Home]:
    """By the name of each kind."""
    return {name: home(view()) for name, view in KINDS.items()}
