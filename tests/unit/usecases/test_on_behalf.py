"""Asking for somebody else: neither who asks nor who would have it decides, and the holder is told and may decline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import FactsStale, Reply
from bot.chat.commands.model import Ask as TypedAsk
from bot.chat.commands.model import AskFor, Decline
from bot.chat.commands.parser import parse
from bot.chat.forms.request import named_accounts, named_addresses
from bot.chat.interaction import FORM, Interaction
from bot.chat.messages import approval_card as cards
from bot.chat.messages import notices
from bot.chat.plain_text import as_text
from bot.chat.views.request_view import request_view
from tests.support.build import DANA, GUS, HOUR, NIA, NOW, OLU, PAT, SUE, auto, entitlement, environment, policy
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.oversight import BulkRevocation
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.usecases.decisions.approve import decline
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome


@pytest.fixture
def world() -> World:
    return World(policy(environment(entitlement("read-only"), entitlement("deploy"))))


def asks_for(world: World, who: PersonId, holder: PersonId, role: str = "read-only") -> Outcome | Refused:
    world.knows(who, holder)
    ask = Ask("payments-prod", role, HOUR, "INC-42 checkout errors", holder=holder)
    return ask_for_access(world.ctx, ask, account(who), Origin(), world.press_id())


def asked_for(world: World, who: PersonId = OLU, holder: PersonId = DANA) -> str:
    answer = asks_for(world, who, holder)
    assert isinstance(answer, Outcome), answer
    world.work()
    return answer.id


def code(answer: Outcome | Refused) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def test_the_other_owner_decides_and_the_holder_has_it(world):
    id_ = asked_for(world)
    request = world.request(id_)
    assert (request.requester, request.holder, request.holder_slack) == (OLU, DANA, account(DANA))
    assert isinstance(world.approve(id_, PAT), Outcome)
    world.work()
    assert world.has_access(id_)
    assert world.grant(id_).holder == DANA
    world.advance(3600, step_s=60)
    assert not world.has_access(id_)


def test_neither_who_asks_nor_who_would_have_it_agrees():
    world = World(policy(environment(entitlement("read-only", owners=("platform", "security")))))
    id_ = asked_for(world, OLU, PAT)
    for who in (OLU, PAT):
        assert code(world.approve(id_, who)) is Code.OWN_REQUEST
        world.knows(who)
        less = approve_reduced(world.ctx, id_, account(who), None, HOUR / 2, world.press_id())
        assert code(less) is Code.OWN_REQUEST
    assert world.request(id_).votes == ()


def test_nor_do_their_delegates_in_their_place(world):
    id_ = asked_for(world, OLU, DANA)
    world.knows(OLU, NIA)
    until = world.clock.now() + 24 * HOUR
    assert isinstance(delegate(world.ctx, account(OLU), world.chat.people[account(NIA)], until, "delegate"), Outcome)
    assert code(world.approve(id_, NIA)) is Code.NOT_AN_APPROVER


def test_both_must_be_among_those_who_may_ask(world):
    assert code(asks_for(world, OLU, SUE)) is Code.NOT_A_REQUESTER
    assert code(asks_for(world, SUE, DANA)) is Code.NOT_A_REQUESTER


def test_nobody_asks_for_a_guest_or_for_somebody_who_is_kept_out(world):
    world.knows(GUS)
    world.chat.people[account(GUS)] = replace(world.chat.people[account(GUS)], standing_problem="person_guest")
    assert code(asks_for(world, OLU, GUS)) is Code.HOLDER_UNFIT
    item = keys.person(DANA)
    asks_for(world, DANA, DANA, "deploy")
    world.knows(SUE)
    assert isinstance(
        revoke_all(world.ctx, RevocationScope(DANA, "Dana"), account(SUE), "stolen laptop", "panic"), Outcome
    )
    assert isinstance(world.ledger.read(item).get(item, PersonRecord), PersonRecord)
    assert code(asks_for(world, OLU, DANA)) is Code.HOLDER_BLOCKED


def test_facts_about_the_holder_must_be_fresh(world):
    world.knows(DANA)
    world.clock.advance(61)
    world.knows(OLU)
    ask = Ask("payments-prod", "read-only", HOUR, "INC-42", holder=DANA)
    assert code(ask_for_access(world.ctx, ask, account(OLU), Origin(), "late")) is Code.FACTS_STALE


def test_no_rule_gives_access_to_somebody_for_whom_another_asked():
    rule = auto("quick", ("developers", "platform"))
    world = World(policy(environment(entitlement("read-only", auto_approve=(rule,)))))
    id_ = asked_for(world)
    assert world.request(id_).state is RequestState.PENDING


def test_the_holder_declines_and_nobody_else_can(world):
    id_ = asked_for(world)
    for who in (OLU, PAT, NIA):
        world.knows(who)
        assert code(decline(world.ctx, id_, account(who), world.press_id())) is Code.NOT_THE_HOLDER
    world.knows(DANA)
    assert isinstance(decline(world.ctx, id_, account(DANA), "decline"), Outcome)
    assert world.request(id_).state is RequestState.WITHDRAWN
    assert world.events(id_)[-1] == "request.declined"
    late = world.approve(id_, PAT)
    assert code(late) is Code.DECIDED
    assert late.params["state"] == "declined", "whoever comes late is told so, and not that it was withdrawn"
    assert isinstance(asks_for(world, DANA, DANA), Outcome), "the place is free again"


def test_what_one_asked_for_oneself_is_withdrawn_not_declined(world):
    id_ = world.asked()
    world.knows(DANA)
    assert code(decline(world.ctx, id_, account(DANA), "decline")) is Code.NOT_THE_HOLDER


def test_it_stands_in_both_peoples_lists_and_leaves_both(world):
    id_ = asked_for(world)
    for who in (OLU, DANA):
        assert world.ledger.members(keys.of_person(keys.PENDING, who)) == [id_]
    world.approve(id_, PAT)
    for who in (OLU, DANA):
        assert world.ledger.members(keys.of_person(keys.PENDING, who)) == []
        assert world.ledger.members(keys.of_person(keys.RECENT, who)) == [id_]


def test_the_panic_switch_for_who_asked_leaves_what_another_has(world):
    id_ = asked_for(world)
    world.approve(id_, PAT)
    world.work()
    world.knows(SUE)
    done = revoke_all(world.ctx, RevocationScope(OLU, "Olu"), account(SUE), "left the company", "panic")
    assert isinstance(done, Outcome)
    world.work()
    world.advance(3)
    found = world.ledger.read(keys.bulk_revocation(done.id)).get(keys.bulk_revocation(done.id), BulkRevocation)
    assert found is not None
    assert found.finished_at is not None
    assert world.has_access(id_)


# ---------------------------------------------------------------- words


def test_the_line_is_read_and_shown_in_its_words(world):
    meant = parse("for <@U1|dana> payments-prod read-only 1h INC-42 errors", ("payments-prod",))
    assert isinstance(meant, AskFor)
    assert meant.whom.user == "U1"
    assert meant.ask == TypedAsk("payments-prod", "read-only", HOUR, "INC-42 errors")
    assert parse("decline PA-7", ()) == Decline("PA-7")
    assert isinstance(parse("for dana@example.com", ()), Refused)
    id_ = asked_for(world)
    view = request_view(world.request(id_), None, world.policy.policy.environments["payments-prod"], NOW)
    assert "Olu asks for read-only for Dana in Payments" in as_text(cards.approval_card(view))
    told = as_text(notices.asked_for_you(view))
    assert "Olu asked for read-only in Payments" in told
    assert "[ Decline ]" in told
    world.knows(DANA)
    decline(world.ctx, id_, account(DANA), "decline")
    view = request_view(world.request(id_), None, world.policy.policy.environments["payments-prod"], NOW)
    assert "Declined by Dana" in as_text(notices.asked_for_you(view))


def sends(world: World, **fields: str) -> Reply:
    world.knows(OLU, DANA, NIA, GUS)
    asked = {"environment": "payments-prod", "role": "read-only", "reason": "INC-42 errors", "ticket": ""} | fields
    return Dispatcher(world.ctx, "/x").carry_out(Interaction(world.press_id(), FORM, account(OLU), fields=asked))


def test_the_form_asks_for_somebody_else_like_the_command(world):
    reply = sends(world, **{"for": "UDANA"})
    assert reply.refused is None
    (request,) = [world.request(name.partition(":")[2]) for name in world.ledger.records("request")]
    assert (request.requester, request.holder, request.origin.by_form) == (OLU, DANA, True)
    refused = sends(world, **{"for": "UGUS"}, role="deploy")
    assert refused.refused is not None
    assert refused.refused.code is Code.NOT_A_REQUESTER


def test_the_form_takes_an_address_where_the_chat_can_pick_nobody(world):
    assert sends(world, **{"for": "dana@example.com"}).refused is None
    (request,) = [world.request(name.partition(":")[2]) for name in world.ledger.records("request")]
    assert (request.requester, request.holder) == (OLU, DANA)
    with pytest.raises(FactsStale):
        sends(world, **{"for": "new@example.com"})
    act = Interaction("f", FORM, account(OLU), text="for max@example.com", fields={"for": "new@example.com"})
    assert named_accounts(act) == ()
    assert named_addresses(act) == ("max@example.com", "new@example.com")


def test_whoever_is_chosen_and_not_known_here_is_looked_up_by_a_worker(world):
    with pytest.raises(FactsStale):
        sends(world, **{"for": "UNEW"})
    assert named_accounts(Interaction("f", FORM, account(OLU), text="for <@U1>", fields={"for": "UNEW"})) == (
        "U1",
        "UNEW",
    )


def test_the_form_asks_in_several_environments_for_all_or_for_none():
    books = environment(entitlement(environment="books-prod"), name="books-prod")
    world = World(policy(environment(entitlement()), books))
    assert sends(world, environment="payments-prod,books-prod").refused is None
    found = [world.request(name.partition(":")[2]) for name in world.ledger.records("request")]
    assert sorted(one.terms.environment for one in found) == ["books-prod", "payments-prod"]
    assert len({one.batch for one in found}) == 1
    none = World(
        policy(
            environment(entitlement()),
            replace(books, roles={"read-only": entitlement(environment="books-prod", requesters=("oncall",))}),
        )
    )
    assert sends(none, environment="payments-prod,books-prod").refused is not None
    assert not list(none.ledger.records("request"))
