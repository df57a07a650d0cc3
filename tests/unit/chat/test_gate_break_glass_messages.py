"""A gate that can be opened in an emergency, in chat: who is offered it, what is asked first, and what everybody reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chat.interaction import COMMAND, GATE_GLASS
from bot.chat.message import Button, Buttons, Message, value_of
from bot.chat.messages.gate_card import GATE_GLASS as BUTTON
from bot.chat.plain_text import as_text
from tests.support.build import DANA, NIA, OLU
from tests.support.gates import gate, waits
from tests.support.scenes import rules
from tests.support.scenes_of_gates import SaidForge, gated, held, opened
from tests.support.spoken import Listener
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.forge import ForgeWait
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.refusal import Code
from workflows.ports import BeforeSend
from workflows.usecases.gates.break_open import break_open
from workflows.usecases.oversight.break_glass_review import flag
from workflows.usecases.shared.context import Outcome


@pytest.fixture
def t() -> Listener:
    heard = Listener(World(rules()))
    heard.time_passed()
    return heard


def cards(t: Listener, id_: str) -> list[Message]:
    t.posted(id_)
    return [wanted.message for name, wanted in t.posts.current.items() if f"{id_} card:" in name]


def buttons(message: Message) -> list[str]:
    found = [one for part in message.parts if isinstance(part, Buttons) for one in part.elements]
    return [one.label for one in found if isinstance(one, Button)]


def waiting(t: Listener, *, opens: bool) -> str:
    gated(t, replace(gate(), break_glass=opens))
    return waits(t.world)


@pytest.mark.parametrize("opens", [False, True])
def test_the_card_offers_it_where_the_gate_says_so(t: Listener, *, opens: bool) -> None:
    (card,) = cards(t, waiting(t, opens=opens))
    assert ("Break glass..." in buttons(card)) is opens
    assert {"Approve", "Deny"} <= set(buttons(card))


def test_who_may_is_asked_why_and_told_what_follows_and_others_are_told_no(t: Listener) -> None:
    id_ = waiting(t, opens=True)
    value = value_of(id_, t.world.request(id_).terms.hash)
    form = t.opens(NIA, BUTTON, value)
    assert form is not None
    assert "Everybody sees it" in str(form.drawn)
    assert "What is the emergency?" in str(form.drawn)
    stranger = t.opens(OLU, BUTTON, value)
    assert stranger is not None
    assert stranger.refused is not None
    assert stranger.refused.code is Code.BREAK_GLASS_NOT_ALLOWED


@pytest.mark.parametrize("typed", [False, True])
def test_typed_and_sent_by_form_are_the_same_thing(t: Listener, *, typed: bool) -> None:
    id_ = waiting(t, opens=True)
    t.dry = t.real
    if typed:
        reply = t._acts(NIA, COMMAND, text=f"break-glass {id_} checkout is down")
        assert reply.message is not None
        assert f"You opened {id_} in an emergency" in as_text(reply.message)
    else:
        terms = t.world.request(id_).terms.hash
        reply = t._acts(NIA, GATE_GLASS, fields={"id": id_, "terms": terms, "reason": "checkout is down"})
    assert reply.refused is None
    request = t.world.request(id_)
    assert request.gate is not None
    assert request.gate.emergency is not None
    assert (request.gate.emergency.by, request.gate.emergency.reason) == (NIA, "checkout is down")


def test_a_form_of_other_terms_opens_nothing(t: Listener) -> None:
    id_ = waiting(t, opens=True)
    t.dry = t.real
    reply = t._acts(NIA, GATE_GLASS, fields={"id": id_, "terms": "0" * 16, "reason": "checkout is down"})
    assert reply.refused is not None
    assert reply.refused.code is Code.TERMS_CHANGED


def test_everybody_reads_who_opened_it_and_why_and_who_has_to_review_it(t: Listener) -> None:
    id_ = opened(t)
    (card,) = cards(t, id_)
    told = as_text(card)
    for part in (
        "🚨 Break-glass",
        "Opened in an emergency by Nia",
        "checkout is down",
        "Faster checkout",
        "Needs review by",
    ):
        assert part in told
    assert buttons(card) == ["Deny", "Acknowledge...", "Flag..."]
    directly = {name.rpartition(":")[2] for name in t.posts.current if f"{id_} glass:" in name}
    assert any("OLU" in place for place in directly)
    assert not any("NIA" in place for place in directly)
    receipts = [as_text(one.message) for name, one in t.posts.current.items() if f"{id_} lines:" in name]
    assert any(
        "opened in an emergency by Nia, without approval" in one and "checkout is down" in one for one in receipts
    )


def test_whoever_opened_it_is_told_of_a_flag(t: Listener) -> None:
    id_ = opened(t)
    t.world.knows(OLU)
    flag(t.world.ctx, id_, account(OLU), "it could have waited", "f")
    t.posted(id_)
    told = {
        name.rpartition(":")[2]: as_text(one.message)
        for name, one in t.posts.current.items()
        if f"{id_} flagged:" in name
    }
    own = next(text for place, text in told.items() if "NIA" in place)
    assert "Olu flagged your break-glass" in own


def test_the_review_is_done_in_chat_by_who_had_no_part_in_it(t: Listener) -> None:
    id_ = opened(t)
    t.dry = t.real
    for who in (NIA, DANA):
        t.time_passed()
        reply = t._acts(who, COMMAND, text=f"acknowledge {id_}")
        assert reply.refused is not None, who
    t._acts(OLU, COMMAND, text=f"acknowledge {id_} well done")
    review = t.world.ledger.read(keys.review(id_)).get(keys.review(id_), Review)
    assert review is not None
    assert (review.state, review.by) == (ReviewState.ACKNOWLEDGED, PersonId(OLU))


def test_the_digest_lists_what_nobody_has_reviewed(t: Listener) -> None:
    id_ = opened(t)
    (owed,) = t.dry.queries.reader.reviews(t.world.policy.policy)
    assert (owed.id, owed.broke, owed.holder) == (id_, "Nia", "acme/orders")


class _Told(SaidForge):
    """GitHub, with what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[bool, str]] = []

    def answer(self, wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:
        self.told.append((approved, comment))
        return super().answer(wait, approved=approved, comment=comment, before_send=before_send)


def test_a_run_that_github_holds_back_is_let_on_by_it(t: Listener) -> None:
    forge = _Told()
    id_ = held(t, forge)
    there = t.world.policy.policy
    place = there.environments["payments-prod"]
    opens = replace(place, gates={"deploy": replace(place.gates["deploy"], break_glass=True)})
    t.world.policy.policy = replace(there, environments={**there.environments, place.name: opens})
    t.world.knows(NIA)
    answer = break_open(t.world.ctx, id_, account(NIA), "checkout is down", "b")
    assert isinstance(answer, Outcome), answer
    t.world.work()
    # Who it was is nothing for whoever may read the repository.
    assert forge.told == [(True, f"Opened in an emergency ({id_}).")]
    assert t.world.events(id_)[-1] == "gate.let_on"
