"""Who has to agree is said as the rule is, and nobody is named who cannot: in answers, refusals, the form and explanations."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.chat.plain_text import as_text
from bot.chat.views.deciders import Deciders, Seat, deciders_of
from tests.support.build import DANA, GROUPS, NIA, OLU, PAT, SUE, entitlement, environment, facts, policy
from tests.support.world import World, account
from workflows.core.identity import Account
from workflows.core.people import GroupFacts, PersonId
from workflows.core.policy import Escalation, Group, Policy
from workflows.core.rules.groups import groups_needed
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.shared.actor import Actor, known


def rules(**approve: int) -> Policy:
    return policy(environment(entitlement(approve=approve)))


def says(world: World, who: PersonId, text: str) -> str:
    world.knows(*GROUPS["platform"], *GROUPS["security"], who)
    account_ = account(who)
    act = Interaction(world.press_id(), COMMAND, account_, text=text)
    message = Dispatcher(world.ctx, "/prodaccess").carry_out(act).message
    assert message is not None
    return as_text(message)


def can(world: World, id_: str) -> Deciders:
    world.knows(*GROUPS["platform"], *GROUPS["security"])
    seen = Dispatcher(world.ctx, "/prodaccess").queries.seen(id_)
    assert seen is not None
    return Dispatcher(world.ctx, "/prodaccess").queries.people.deciders(seen)


def test_two_approvals_of_two_groups_are_one_of_each() -> None:
    world = World(rules(owners=1, security=1))
    said = says(world, DANA, "payments-prod read-only 1h INC-42 errors")
    assert (
        "One of platform (Olu, Pat) and one of security (Pat, Sue) have to agree, and one person counts once." in said
    )


def test_two_of_one_group_are_two_of_it() -> None:
    world = World(rules(owners=2))
    assert "Two of platform (Olu, Pat) have to agree." in says(world, DANA, "payments-prod read-only 1h INC-42 errors")


def test_where_one_is_enough_they_are_named() -> None:
    world = World()
    assert "Olu or Pat can approve it." in says(world, DANA, "payments-prod read-only 1h INC-42 errors")


def test_an_owner_who_asks_is_not_named() -> None:
    world = World(rules(owners=1, security=1))
    said = says(world, OLU, "payments-prod read-only 1h INC-42 errors")
    assert "One of platform (Pat) and one of security (Pat, Sue) have to agree" in said


def test_who_has_agreed_is_named_no_more() -> None:
    world = World(rules(owners=1, security=1))
    id_ = world.asked()
    world.approve(id_, OLU)
    assert can(world, id_).rule == "Pat or Sue"
    assert "Waits for Pat or Sue since 03:00 UTC" in says(world, DANA, f"show {id_}")
    assert "Waits for Pat or Sue since" in says(world, DANA, "payments-prod read-only 1h INC-42 again")


def test_who_speaks_for_two_groups_leaves_either_to_the_next() -> None:
    world = World(rules(owners=1, security=1))
    id_ = world.asked()
    world.approve(id_, PAT)
    assert can(world, id_) == Deciders((Seat("platform or security", 1, ("Olu", "Sue")),))


def test_who_decides_for_another_is_named_with_their_name() -> None:
    world = World(rules(owners=1))
    world.knows(OLU, NIA)
    delegate(world.ctx, account(OLU), facts(NIA), world.clock.now() + timedelta(days=1), world.press_id())
    id_ = world.asked()
    assert can(world, id_).names == ("Nia for Olu", "Olu", "Pat")


def test_who_may_do_nothing_is_named_nowhere() -> None:
    world = World(rules(owners=1))
    world.knows(PAT)
    gone = replace(facts(PAT), standing_problem="person_deactivated")
    world.chat.people[account(PAT)] = gone
    assert "Olu can approve it." in says(world, DANA, "payments-prod read-only 1h INC-42 errors")
    assert "Needs approval from one of platform (Olu)" in says(world, DANA, "explain payments-prod read-only")


def test_the_called_group_is_named_once_it_may_approve() -> None:
    called = Escalation(timedelta(minutes=5), ("security",), may_approve=True)
    place = environment(entitlement(), escalate=called)
    world = World(policy(place))
    id_ = world.asked()
    assert can(world, id_).seats == (Seat("platform", 1, ("Olu", "Pat")),)
    late = replace(world.request(id_), escalated_at=world.clock.now())
    known = replace(world.directory.groups(world.policy.policy, ("platform", "security")), at=world.clock.now())
    found = deciders_of(world.policy.policy, place.roles["read-only"], late, known, lambda who: facts(who).name)
    assert found.seats == (Seat("platform or security", 1, ("Olu", "Pat", "Sue")),)


def test_a_refusal_to_decide_ones_own_says_the_rule() -> None:
    world = World(rules(owners=1, security=1))
    id_ = world.asked(OLU)
    assert "One of platform (Pat) and one of security (Pat, Sue) have to agree" in says(world, OLU, f"approve {id_}")
    assert says(world, NIA, f"approve {id_}").startswith(
        "Only platform (Pat) and security (Pat, Sue) can decide this, and you are not among them."
    )


def test_an_explanation_of_a_request_leaves_out_its_parties_and_who_has_agreed() -> None:
    world = World(rules(owners=1, security=1))
    id_ = world.asked(OLU)
    world.approve(id_, SUE)
    world.knows(DANA, *GROUPS["platform"])
    account_ = account(DANA)
    act = Interaction("x", PRESS, account_, action="more", value=f"explain:{id_}")
    message = Dispatcher(world.ctx, "/prodaccess").carry_out(act).message
    assert message is not None
    assert "Needs approval from one of platform (Pat)" in as_text(message)


@pytest.mark.parametrize(
    ("seats", "rule"),
    [
        ((Seat("platform", 1, ("Olu",)),), "Olu"),
        ((Seat("platform", 1, tuple("ABCDEFGH")),), "A, B, C, D, E or 3 more"),
        ((Seat("platform", 2, tuple("ABCDEFGH")),), "two of platform (A, B, C, D, E, 3 more)"),
        ((Seat("platform", 12, ("Olu",)), Seat("security", 1)), "12 of platform (Olu) and one of security"),
    ],
)
def test_the_rule_in_words(seats: tuple[Seat, ...], rule: str) -> None:
    assert Deciders(seats).rule == rule


def test_where_nobody_is_known_nobody_is_named() -> None:
    assert not Deciders((Seat("platform", 1),))
    assert Deciders((Seat("platform", 1),)).sentence == ""


# ---------------------------------------------------------------- nobody is named of whom nobody knows whether they are there


def test_the_first_answer_names_nobody_whom_nobody_has_looked_up() -> None:
    world = World()
    world.knows(DANA)
    act = Interaction(
        "p", COMMAND, Account("slack", "T1", account(DANA).user), text="payments-prod read-only 1h INC-42 errors"
    )
    message = Dispatcher(world.ctx, "/prodaccess").carry_out(act).message
    said = as_text(message) if message else ""
    assert "I am looking up who can approve it" in said
    assert "Olu" not in said
    assert "Pat" not in said


def test_of_some_who_are_known_those_are_named() -> None:
    world = World()
    world.knows(DANA, OLU)
    act = Interaction(
        "p", COMMAND, Account("slack", "T1", account(DANA).user), text="payments-prod read-only 1h INC-42 errors"
    )
    message = Dispatcher(world.ctx, "/prodaccess").carry_out(act).message
    assert "Olu can approve it." in (as_text(message) if message else "")


@pytest.mark.parametrize(
    ("seats", "short"),
    [
        ((Seat("platform", 1),), ("platform",)),
        ((Seat("platform", 2, ("Olu",)), Seat("security", 1, ("Sue",))), ("platform",)),
        ((Seat("platform", 1, ("Olu",)), Seat("security", 0)), ()),
    ],
)
def test_groups_of_which_too_few_are_there_are_told(seats: tuple[Seat, ...], short: tuple[str, ...]) -> None:
    assert Deciders(seats).too_few == short


@pytest.mark.parametrize("changed", ["nothing", "policy", "groups"])
def test_who_asked_is_told_by_what_it_was_decided_on_as_long_as_that_is_all_there_is_to_know(changed: str) -> None:
    """Another policy may be in force by the answer; and of a group that was not looked at nothing is known."""
    world = World()
    id_ = world.asked()
    world.knows(*GROUPS["platform"], *GROUPS["security"])
    actor = known(world.ctx, account(DANA), lambda policy: groups_needed(policy, policy.environments["payments-prod"]))
    assert isinstance(actor, Actor)
    if changed == "policy":
        was = world.policy.policy
        others = {**was.groups, "platform": Group("platform", members=frozenset({SUE}))}
        world.policy.policy = replace(was, hash="another", groups=others)
    elif changed == "groups":
        actor = replace(actor, groups=GroupFacts())
    queries = Dispatcher(world.ctx, "/prodaccess").queries
    seen = queries.seen(id_)
    assert seen is not None
    assert queries.people.deciders(seen, actor) == can(world, id_)
    assert queries.people.rule_may_approve(seen, actor) == queries.people.rule_may_approve(seen)
