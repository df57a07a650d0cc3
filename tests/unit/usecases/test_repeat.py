"""`again`: what was asked for last is asked for once more, through the same use case."""

from dataclasses import replace
from datetime import timedelta

from bot.chat.commands.model import Again, Ask
from bot.chat.commands.parser import parse
from tests.support import build
from tests.support.world import World, account
from workflows.core.records.request import Origin
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask as CoreAsk
from workflows.usecases.requests.repeat import can_be_repeated, last_ask, once_more
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome

HALF = timedelta(minutes=30)


def again(world: World, reason: str = "") -> Outcome | Refused:
    last = last_ask(world.ctx, build.DANA, reason)
    if isinstance(last, Refused):
        return last
    world.knows(build.DANA)
    return ask_for_access(world.ctx, last, account(build.DANA), Origin(), world.press_id())


def test_the_last_ask_is_repeated_with_role_duration_and_reason() -> None:
    world = World()
    first = world.active(duration=HALF, reason="INC-7 slow query")
    world.end(first)
    world.advance(5)
    answer = again(world)
    assert isinstance(answer, Outcome)
    assert answer.outcome == "asked"
    second = world.request(answer.id)
    assert (second.terms.role, second.terms.duration, second.reason) == ("read-only", HALF, "INC-7 slow query")


def test_it_is_the_newest_ask_and_not_an_older_one() -> None:
    world = World()
    for reason in ("first", "second"):
        world.withdraw(world.asked(reason=reason))
        world.clock.advance(1)
    assert last_ask(world.ctx, build.DANA) == CoreAsk("payments-prod", "read-only", build.HOUR, "second", None)


def test_a_new_reason_takes_the_place_of_the_old_one_and_of_its_ticket() -> None:
    request = replace(build.request(), reason="old", ticket="INC-1")
    assert once_more(request) == CoreAsk(
        request.terms.environment, request.terms.role, request.terms.duration, "old", "INC-1"
    )
    assert (once_more(request, " new\u202e ").reason, once_more(request, "new").ticket) == ("new", None)


def test_what_an_approver_cut_is_asked_for_in_full_again() -> None:
    request = build.request()
    cut = replace(request, terms=replace(request.terms, duration_s=60), asked_terms=request.terms)
    assert once_more(cut).duration == request.terms.duration


def test_while_it_is_there_the_answer_is_the_one_that_is_there() -> None:
    world = World()
    first = world.active()
    answer = again(world)
    assert answer == Outcome(first, "have_it")


def test_nothing_to_repeat_is_said() -> None:
    found = last_ask(World().ctx, build.DANA)
    assert isinstance(found, Refused)
    assert found.code is Code.NOTHING_TO_REPEAT


def test_neither_an_emergency_nor_more_time_nor_what_was_for_another_is_repeated() -> None:
    request = build.request()
    assert can_be_repeated(request, request.requester)
    for other in (
        replace(request, break_glass=True),
        replace(request, extends="PA-1"),
        replace(request, holder=build.OLU),
        replace(request, requester=build.OLU),
    ):
        assert not can_be_repeated(other, request.requester)


def test_typed_with_and_without_a_reason() -> None:
    assert parse("again", ("payments-prod",)) == Again("")
    assert parse("Again  still broken", ("payments-prod",)) == Again("still broken")
    assert isinstance(parse("payments-prod read-only again it broke", ("payments-prod",)), Ask)
