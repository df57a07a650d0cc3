"""Slack and Teams side by side: asked in one, approved in the other, every copy true; and where each person is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from bot.chat.actions.expected import Expected
from bot.chat.actions.intake import Intake
from bot.chat.actions.reply import Reply
from bot.chat.interaction import COMMAND, Interaction
from bot.chat.places import direct_to, surface_of
from bot.chat.plain_text import as_text
from bot.chat.rich import Called
from tests.support import build
from tests.support.build import DANA, HOUR, NIA, OLU, PAT, SUE
from tests.support.chat import ChatWorld, NoSlack
from tests.support.memory_chat import MemoryChat
from tests.support.people import acts, joins_teams
from tests.support.world import account
from workflows.core import keys
from workflows.core.destination import read_destination
from workflows.core.identity import SLACK, TEAMS, Account
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass, Digest
from workflows.core.records.request import Origin
from workflows.core.rules.batch import terms_of
from workflows.core.rules.eligibility import Ask
from workflows.ledger.memory import MemoryClock
from workflows.ports import LedgerUnreachable
from workflows.usecases.decisions.approve import approve
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.oversight.policy_activation import digest_due, digest_key
from workflows.usecases.requests.batch import approve_all, ask_for_several
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.outside import went_wrong
from workflows.usecases.shared.troubles import ALARM, Failure, note

OPS, LOG = "C0OPS", "C0LOG"
OPS_THERE, LOG_THERE = "teams:channel:19:ops@thread.tacv2", "teams:channel:19:log@thread.tacv2"
PLAN = Digest((LOG, LOG_THERE), "0 9 * * *")


class Two(ChatWorld):
    def __init__(self, *channels: str, **changes: object) -> None:
        place = build.environment(build.entitlement(), **{"approvals_channels": channels, **changes})
        policy = replace(build.policy(place), receipts_channels=(LOG, LOG_THERE), digests=(PLAN,))
        self.here, self.there = MemoryChat(self._now, name=SLACK), MemoryChat(self._now, name=TEAMS)
        super().__init__(NoSlack(), MemoryClock(build.NOW), (), policy, self.here, self.there)
        self.directory.several_chats = True

    def _now(self) -> object:
        return self.clock.now()

    def joins(self, who: PersonId) -> Account:
        there = joins_teams(self, who)
        self.settle()
        self.here.posts.clear()
        self.there.posts.clear()
        return there

    def asks(self, who: Account) -> str:
        acts(self, who)
        ask = Ask("payments-prod", "read-only", HOUR, "INC-42 checkout errors")
        done = ask_for_access(self.ctx, ask, who, Origin(), self.press_id())
        assert isinstance(done, Outcome), done
        self.work()
        self.settle()
        return done.id

    def agrees(self, id_: str, who: Account) -> None:
        acts(self, who)
        assert isinstance(approve(self.ctx, id_, who, self.press_id()), Outcome)
        self.work()
        self.settle()

    def later(self, seconds: float) -> None:
        self.tick(seconds)
        self.work()
        self.settle()

    def looks_again(self, id_: str) -> None:
        self.ledger.remind(keys.chat(id_), 0.0)
        self.settle()
        self.tick(1)

    def stands(self, place: str) -> list[str]:
        chat = self.there if surface_of(place) == TEAMS else self.here
        return chat.stands(read_destination(place))

    def told(self, who: Account) -> str:
        """All that somebody reads in their own messages there."""
        chat = self.there if who.surface == TEAMS else self.here
        return " | ".join(as_text(post.message) for post in chat.posts if str(post.to) == direct_to(who))

    def shut(self, who: Account) -> None:
        chat = self.there if who.surface == TEAMS else self.here
        chat.closed[read_destination(direct_to(who))] = "person_gone"

    def calls(self) -> Iterable[tuple[str, str]]:
        """Of all that was posted: the chat, and the chat of each who is called there."""
        for chat in (self.here, self.there):
            for post in chat.posts:
                yield from ((chat.name, surface_of(called.id)) for called in _called(post.message))


def _called(found: object) -> Iterable[Called]:
    if isinstance(found, Called):
        yield found
    elif isinstance(found, tuple | list):
        for each in found:
            yield from _called(each)
    elif is_dataclass(found):
        for field in fields(found):
            yield from _called(getattr(found, field.name))


@pytest.fixture
def rig() -> Two:
    return Two(OPS, OPS_THERE)


def test_asked_in_one_approved_in_the_other_ended_by_itself_and_every_copy_is_true(rig: Two) -> None:
    olu = rig.joins(OLU)
    id_ = rig.asks(account(DANA))
    assert [len(rig.stands(place)) for place in (OPS, OPS_THERE)] == [1, 1]
    rig.agrees(id_, olu)
    assert all("Active" in rig.stands(place)[0] for place in (OPS, OPS_THERE, LOG, LOG_THERE))
    rig.later(3700)
    assert all("Ended" in rig.stands(place)[0] for place in (OPS, OPS_THERE, LOG, LOG_THERE))


def test_nobody_is_called_by_an_id_of_another_chat(rig: Two) -> None:
    olu = rig.joins(OLU)
    rig.directory.saw(olu)
    id_ = rig.asks(account(DANA))
    rig.later(16 * 60)
    rig.agrees(id_, olu)
    rig.later(3700)
    assert set(rig.calls()) == {(SLACK, SLACK), (TEAMS, TEAMS)}
    (card,) = [post for post in rig.there.posts if str(post.to) == OPS_THERE and post.under is None]
    assert "Pat" not in [called.id for called in _called(card.message)]


def test_who_asks_is_told_in_the_chat_in_which_they_asked(rig: Two) -> None:
    dana = rig.joins(DANA)
    id_ = rig.asks(dana)
    rig.directory.saw(account(DANA))
    rig.agrees(id_, account(OLU))
    assert "You have" in rig.told(dana)
    assert rig.told(account(DANA)) == ""


def test_the_warning_goes_where_they_were_seen_last_and_once(rig: Two) -> None:
    dana = rig.joins(DANA)
    id_ = rig.asks(dana)
    rig.agrees(id_, account(OLU))
    rig.directory.saw(account(DANA))
    rig.later(56 * 60)
    rig.looks_again(id_)
    assert rig.told(account(DANA)).count("ends") == 1
    rig.directory.saw(dana)
    rig.looks_again(id_)
    assert "ends in" not in rig.told(dana)
    rig.later(300)
    assert "Extend" not in rig.told(account(DANA))


def test_an_owner_who_acts_in_the_other_chat_gets_no_second_card() -> None:
    rig = Two()
    olu = rig.joins(OLU)
    rig.directory.saw(olu)
    id_ = rig.asks(account(DANA))
    assert "Dana asks" in rig.told(olu)
    rig.tick(1)
    rig.directory.saw(account(OLU))
    rig.looks_again(id_)
    assert rig.told(account(OLU)) == ""
    rig.agrees(id_, account(PAT))
    assert "Active" in rig.told(olu)


def test_who_gets_no_messages_in_one_chat_gets_them_in_the_other() -> None:
    rig = Two()
    olu = rig.joins(OLU)
    rig.shut(account(OLU))
    id_ = rig.asks(account(DANA))
    assert "Dana asks" in rig.told(olu)
    assert "not reached" not in rig.told(olu) + rig.told(account(PAT))
    rig.later(16 * 60)
    assert rig.told(olu).count("Dana asks") == 2, "the card and its reminder"
    rig.agrees(id_, account(PAT))
    assert "Active" in rig.told(olu)


def test_who_asks_and_gets_no_messages_there_hears_of_it_in_the_other_chat(rig: Two) -> None:
    dana = rig.joins(DANA)
    rig.shut(dana)
    id_ = rig.asks(dana)
    rig.agrees(id_, account(OLU))
    rig.settle()
    assert "You have" in rig.told(account(DANA))


def test_who_is_reached_in_no_chat_stands_on_the_card() -> None:
    rig = Two()
    olu = rig.joins(OLU)
    rig.shut(account(OLU))
    rig.shut(olu)
    rig.asks(account(DANA))
    assert "not reached: Olu" in rig.told(account(PAT))


def test_the_holder_who_is_not_reached_stands_on_every_card(rig: Two) -> None:
    rig.shut(account(DANA))
    id_ = rig.asks(account(DANA))
    rig.agrees(id_, account(OLU))
    for chat, place in ((rig.here, OPS), (rig.there, OPS_THERE)):
        (card,) = [post for post in chat.posts if str(post.to) == place and post.under is None]
        assert "not reached: Dana" in as_text(card.message)


def test_a_digest_stands_once_in_both(rig: Two) -> None:
    rig.asks(account(DANA))
    key = digest_key(PLAN)
    before = {place: len(rig.stands(place)) for place in (LOG, LOG_THERE)}
    rig.there.shut = "not_let_in"
    rig.ledger.remind(digest_due(key), 0)
    rig.tick(24 * 3600)
    rig.sender.post_digest(key)
    assert len(rig.stands(LOG)) == before[LOG] + 1
    rig.there.shut = ""
    rig.pass_time(120, 1)
    rig.sender.post_digest(key)
    rig.sender.post_digest(key)
    assert [len(rig.stands(place)) - before[place] for place in (LOG, LOG_THERE)] == [1, 1]


def test_a_break_glass_is_told_to_owners_where_they_were_seen_last_and_to_both_channels() -> None:
    glass = BreakGlass(("oncall",), ("read-only",), HOUR, review_within=24 * HOUR)
    rig = Two(OPS, OPS_THERE, break_glass=glass)
    olu, sue = rig.joins(OLU), rig.joins(SUE)
    rig.directory.saw(olu)
    rig.knows(NIA)
    ask = Ask("payments-prod", "read-only", None, "everything is down")
    assert isinstance(break_glass(rig.ctx, ask, account(NIA), Origin(), rig.press_id()), Outcome)
    rig.work()
    rig.settle()
    assert ["Break-glass" in rig.stands(place)[0] for place in (OPS, OPS_THERE)] == [True, True]
    assert "Break-glass" in rig.told(olu)
    assert "Break-glass" in rig.told(account(SUE))
    assert rig.told(account(OLU)) == rig.told(sue) == ""
    assert set(rig.calls()) == {(SLACK, SLACK), (TEAMS, TEAMS)}


def test_security_is_called_once_for_what_fails_whichever_chat_they_act_in(rig: Two) -> None:
    sue = rig.joins(SUE)
    rig.directory.saw(sue)
    for _ in range(4):
        note(rig.ctx, "act:press", Failure(went_wrong("4711")))
        rig.tick(1)
    rig.settle()
    assert rig.told(sue).count("again and again") == 1
    rig.directory.saw(account(SUE))
    note(rig.ctx, "act:press", Failure(went_wrong("4712")))
    rig.looks_again(ALARM)
    assert rig.told(account(SUE)) == ""
    assert "is over" not in rig.told(sue)
    assert all(len([text for text in rig.stands(place) if "fails" in text]) == 1 for place in (LOG, LOG_THERE))


def test_an_act_moves_somebody_to_its_chat_and_is_not_refused_where_that_is_not_written_down(rig: Two) -> None:
    olu = rig.joins(OLU)
    desk = Intake(rig.ctx, SimpleNamespace(carry_out=lambda _act: Reply(), expected=Expected(rig.ctx)), rig.there)
    desk.carry_out(Interaction("1", COMMAND, olu, text="help"))
    assert rig.directory.of_person(OLU).slack == olu
    rig.directory.saw = _away
    assert desk.carry_out(Interaction("2", COMMAND, account(OLU), text="help")) == Reply()


def _away(_who: Account) -> None:
    raise LedgerUnreachable("Redis cannot be reached")


def test_while_one_chat_takes_nothing_at_all_owners_are_written_to_in_the_other() -> None:
    rig = Two()
    olu = rig.joins(OLU)
    rig.here.shut = "not_let_in"
    rig.asked()
    rig.pass_time(90, 1)
    assert "Dana asks" in rig.told(olu)
    rig.here.shut = ""
    rig.pass_time(120, 1)
    assert "Dana asks" in rig.told(account(PAT))
    assert "Dana asks" not in rig.told(account(OLU)), "it stands where it was told"


def test_who_decides_in_anothers_place_hears_of_it_in_the_chat_in_which_they_were_named(rig: Two) -> None:
    nia = rig.joins(NIA)
    rig.knows(OLU)
    facts = rig.directory.person(nia)
    assert facts is not None
    until = rig.clock.now() + timedelta(days=1)
    assert isinstance(delegate(rig.ctx, account(OLU), facts, until, rig.press_id()), Outcome)
    rig.settle()
    assert "Olu" in rig.told(nia)
    assert rig.told(account(NIA)) == ""


@pytest.mark.parametrize("away", ["olu@example.com", "a|b-c@example.com", "olu@example.com~2"])
def test_the_subject_of_a_delegation_names_its_account_in_every_chat(away: str) -> None:
    there = Account(TEAMS, "tenant", "0b5d1f0e-1111-4222-8333-444455556666")
    for who in (account(NIA), there):
        assert keys.delegation_named(keys.delegation_subject(who, PersonId(away))) == (direct_to(who), away)


def test_what_was_asked_for_in_one_go_stands_in_both_and_is_decided_in_either() -> None:
    rig = Two(OPS, OPS_THERE)
    admin = build.entitlement("admin", target=build.entitlement().target)
    place = build.environment(build.entitlement(), admin, approvals_channels=(OPS, OPS_THERE))
    rig.policy.policy = replace(rig.policy.policy, environments={place.name: place})
    olu, dana = rig.joins(OLU), rig.joins(DANA)
    rig.directory.saw(olu)
    acts(rig, dana)
    asks = [Ask("payments-prod", role, HOUR, "INC-42 checkout errors") for role in ("read-only", "admin")]
    done = ask_for_several(rig.ctx, asks, dana, Origin(), rig.press_id())
    assert isinstance(done, Outcome), done
    rig.work()
    rig.settle()
    assert [len(rig.stands(place)) for place in (OPS, OPS_THERE)] == [1, 1]
    assert set(rig.calls()) == {(SLACK, SLACK), (TEAMS, TEAMS)}
    acts(rig, olu)
    terms = terms_of([rig.request(id_) for id_ in rig.request(done.id).batch])
    assert len(approve_all(rig.ctx, done.id, olu, terms, rig.press_id())) == 2
    rig.work()
    rig.settle()
    assert all(rig.stands(place)[0].count("Active") == 2 for place in (OPS, OPS_THERE))
    assert "Active" in rig.told(dana)
    assert rig.told(account(DANA)) == ""


def test_who_is_asked_in_a_chat_that_takes_nothing_at_all_is_asked_in_the_other_and_once() -> None:
    rig = Two()
    there = rig.joins(OLU)
    acts(rig, account(OLU))
    rig.here.shut = "not_let_in"
    ask = Ask("payments-prod", "read-only", HOUR, "INC-42 checkout errors")
    acts(rig, account(DANA))
    done = ask_for_access(rig.ctx, ask, account(DANA), Origin(), rig.press_id())
    assert isinstance(done, Outcome), done
    rig.work()
    rig.pass_time(40)
    in_teams_, in_slack = (read_destination(direct_to(who)) for who in (there, account(OLU)))
    assert any("Dana asks" in text for text in rig.there.stands(in_teams_))
    rig.here.shut = ""
    rig.pass_time(120, 1)
    rig.agrees(done.id, there)
    assert not any("Dana asks" in text for text in rig.here.stands(in_slack)), "what was asked there is not asked twice"
    assert any("Active" in text for text in rig.there.stands(in_teams_))
