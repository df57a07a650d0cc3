"""What somebody asks from a terminal, through the real door, with AWS's signatures really checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.settings import Secret
from bot.terminal_access import app
from bot.terminal_access.client import Refused as Said
from bot.terminal_access.witness import WithTerminal
from tests.support import build
from tests.support.build import DANA, NIA, OLU, PAT
from tests.support.terminal import ACCOUNT, Terminals, vouching_policy
from tests.support.world import account
from workflows.core import keys
from workflows.core.identity import AccountRecord, Suspension, TargetUser, Why
from workflows.core.people import person_id
from workflows.core.records.request import TERMINAL, RequestState
from workflows.core.records.signed import SignedVotes
from workflows.core.records.terminal import TerminalAct
from workflows.ports import Change
from workflows.usecases.upkeep.mend_indexes import indexed

ASK = "request payments-prod read-only 1h INC-42 checkout errors"
GLASS = "break-glass payments-prod read-only 30m INC-42 checkout is down"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminals]:
    monkeypatch.setattr(app, "WAIT_S_MAX", 0.0)
    found = Terminals()
    yield found
    found.close()


def asked_of(world: Terminals) -> str:
    (id_,) = world.ledger.members(keys.RECENT)
    return id_


def entry(world: Terminals, event: str) -> dict[str, str]:
    return next(dict(one.facts) for one in world.all_entries() if one.event == event)


def refused(world: Terminals, who: Any, line: str, **changed: Any) -> str:
    with pytest.raises(Said) as said:
        world.at_terminal(who, **changed).do(line)
    return str(said.value)


# ---------------------------------------------------------------- while chat is up


def test_what_is_asked_from_a_terminal_is_the_persons_own_request(world: Terminals) -> None:
    said = world.at_terminal(DANA).do(ASK)

    id_ = asked_of(world)
    request = world.request(id_)
    assert id_ in said
    assert (request.requester, request.requester_slack) == (DANA, account(DANA))
    assert request.origin.surface == TERMINAL
    made = entry(world, "request.made")
    assert (made["from"], made["vouched"]) == ("terminal", f"iam:{ACCOUNT}:AIDADANAXXXXXXXXXXXX")
    assert "chat" not in made, "chat could be asked, so nobody says that it was down"


def test_nobody_approves_their_own_from_a_terminal_and_an_owner_does_once(world: Terminals) -> None:
    world.at_terminal(DANA).do(ASK)
    id_ = asked_of(world)

    assert "You asked for this yourself" in refused(world, DANA, f"approve {id_}")
    assert id_ in world.at_terminal(OLU).do(f"approve {id_}")
    world.work()

    assert world.has_access(id_)
    assert entry(world, "request.approved")["from"] == "terminal"


@pytest.mark.parametrize("line", ["list", "revoke-all env payments-prod all of it", "help", "deny PA-1 no", "mine"])
def test_nothing_else_is_done_from_a_terminal(world: Terminals, line: str) -> None:
    assert "request, show, approve, end and break-glass alone" in refused(world, DANA, line)


def test_whoever_agrees_can_read_what_it_is_before(world: Terminals) -> None:
    world.at_terminal(DANA).do(ASK)
    id_ = asked_of(world)

    said = world.at_terminal(PAT).do(f"show {id_}")
    assert all(part in said for part in ("Dana", "read-only", "INC-42 checkout errors", id_))
    assert world.request(id_).votes == ()


def test_an_unknown_environment_is_refused_in_the_words_of_chat(world: Terminals) -> None:
    assert "payments-prd" in refused(world, DANA, "request payments-prd read-only 1h INC-42 why")


def test_while_chat_can_be_reached_the_glass_is_not_broken_from_a_terminal(world: Terminals) -> None:
    said = refused(world, NIA, GLASS)

    assert said.startswith("Chat can be reached")
    assert not world.ledger.members(keys.RECENT)
    record = keys.refusals(NIA)
    assert not world.ledger.read(record).items[record].is_absent, "it is on the record that she tried"


def test_who_was_deactivated_in_chat_asks_for_nothing(world: Terminals) -> None:
    world.chat.people[account(DANA)] = replace(world.chat.people[account(DANA)], standing_problem="person_deactivated")

    refused(world, DANA, ASK)
    assert not world.ledger.members(keys.RECENT)


# ---------------------------------------------------------------- while chat is down


def test_while_chat_is_down_it_is_asked_agreed_given_and_the_record_says_so(world: Terminals) -> None:
    world.chat_goes_down()

    world.at_terminal(DANA).do(ASK)
    id_ = asked_of(world)
    world.at_terminal(PAT).do(f"approve {id_}")
    world.work()

    assert world.has_access(id_)
    assert entry(world, "request.made")["chat"] == "down"
    assert entry(world, "request.approved")["chat"] == "down"


def test_a_bad_second_of_chat_is_waited_out(world: Terminals) -> None:
    world.chat_goes_down()
    terminal = world.at_terminal(DANA)
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            world.chat.unreachable = False
        return world.chat.unreachable

    world.vouches.down = look
    terminal.do(ASK)
    assert "chat" not in entry(world, "request.made")


def test_what_chat_does_not_say_while_it_is_there_is_not_known(world: Terminals) -> None:
    world.chat_goes_down()
    world.vouches.down = lambda: False

    assert "I could not decide this" in refused(world, DANA, ASK)
    assert not world.ledger.members(keys.RECENT)


def test_what_was_approved_is_not_given_to_somebody_whom_nobody_vouches_for_any_more(world: Terminals) -> None:
    world.chat_goes_down()
    world.at_terminal(DANA).do(ASK)
    id_ = asked_of(world)
    terminal = world.at_terminal(PAT)
    del world.vouches.tags["AIDADANAXXXXXXXXXXXX"]
    terminal.do(f"approve {id_}")
    world.work()

    assert not world.has_access(id_)


def test_once_chat_is_there_again_its_word_is_waited_for_before_anything_is_given(world: Terminals) -> None:
    world.chat_goes_down()
    world.at_terminal(DANA).do(ASK)
    id_ = asked_of(world)
    world.vouches.down = lambda: world.request(id_).decision is None
    world.at_terminal(PAT).do(f"approve {id_}")
    world.work()
    assert not world.has_access(id_), "it answers, and says nothing of people yet"

    world.chat.unreachable = False
    world.advance(60)
    assert world.has_access(id_)


def test_what_was_asked_in_chat_before_waits_for_chat(world: Terminals) -> None:
    id_ = world.asked(DANA)
    world.chat_goes_down()
    world.clock.advance(0)

    with pytest.raises(Said):
        world.at_terminal(PAT).do(f"approve {id_}")
    assert not world.has_access(id_)


def test_the_glass_is_broken_where_the_policy_says_so_and_a_review_is_owed(world: Terminals) -> None:
    world.chat_goes_down()
    world.at_terminal(NIA).do(GLASS)
    world.work()

    id_ = asked_of(world)
    assert world.has_access(id_)
    assert entry(world, "break_glass.used")["chat"] == "down"
    assert not world.ledger.read(keys.review(id_)).items[keys.review(id_)].is_absent


def test_an_owner_ends_it_from_a_terminal_and_nobody_else(world: Terminals) -> None:
    world.chat_goes_down()
    world.at_terminal(NIA).do(GLASS)
    world.work()
    id_ = asked_of(world)

    refused(world, DANA, f"end {id_} no")
    assert world.has_access(id_)
    world.at_terminal(OLU).do(f"end {id_} not an incident of ours")
    world.work()
    assert not world.has_access(id_)


def test_a_role_that_the_policy_does_not_name_stays_shut(world: Terminals) -> None:
    world.chat_goes_down()

    assert "when_chat_is_down" in refused(world, NIA, GLASS.replace("read-only", "admin"))
    assert "when_chat_is_down" not in refused(world, DANA, GLASS), "who may never is told that"


# ---------------------------------------------------------------- who it is


def test_whose_account_is_on_hold_gives_and_asks_for_nothing(world: Terminals) -> None:
    name = keys.account(account(DANA).id)
    snapshot = world.ledger.read(name)
    record = snapshot.get(name, AccountRecord)
    assert record is not None
    held = replace(record, suspended=Suspension(Why.NEW_ACCOUNT, snapshot.now))
    world.ledger.commit(Change("hold", snapshot.now, snapshot.versions(), {name: held}))

    assert "on hold" in refused(world, DANA, ASK)


def test_a_user_that_is_somebody_elses_on_the_record_is_not_whoever_the_tag_says(world: Terminals) -> None:
    user = TargetUser(f"iam:{ACCOUNT}:AIDADANAXXXXXXXXXXXX", OLU, "Olu", build.NOW)
    snapshot = world.ledger.read(keys.target_user(user.id))
    world.ledger.commit(Change("bound", snapshot.now, snapshot.versions(), {keys.target_user(user.id): user}))

    assert "the user of somebody else" in refused(world, DANA, ASK)


def test_who_has_no_account_in_chat_is_nobody(world: Terminals) -> None:
    assert "Nobody with an account in chat" in refused(world, person_id("zoe@example.com"), ASK)


def test_an_account_that_the_policy_does_not_name_vouches_for_nobody(world: Terminals) -> None:
    other = "999900001111"
    assert "vouches for nobody" in refused(world, DANA, ASK, account=other, arn=f"arn:aws:iam::{other}:user/dana")


def test_an_installation_that_names_no_accounts_has_no_such_door(world: Terminals) -> None:
    world.policy.policy = vouching_policy(identity_accounts=())

    assert "names no identity_accounts" in refused(world, DANA, ASK)
    assert not world.ledger.members(keys.TERMINAL)


# ---------------------------------------------------------------- proofs


def test_a_proof_is_good_for_one_command_once(world: Terminals) -> None:
    world.at_terminal(DANA).do(ASK)
    sent = next(body for path, body in world.sent if path.endswith("acts"))

    again = world.posted("acts", **sent)
    other = world.posted("acts", **{**sent, "line": ASK.replace("read-only", "admin")})

    assert again == (202, {"id": world.ledger.members(keys.TERMINAL)[0]}), "an answer that was lost is asked for again"
    assert other[0] == 409
    assert len(world.ledger.members(keys.RECENT)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"line": ASK.replace("read-only", "admin")},
        {"ticket_hash": "0" * 64},
        {"region": "us-east-1"},
        {"date": "20200101T000000Z"},
        {"access_key": "AKIAAAAAAAAAAAAAAAAA"},
        {"token": "AAAA"},
    ],
)
def test_what_was_changed_after_it_was_signed_is_refused(world: Terminals, changed: dict[str, str]) -> None:
    terminal = world.at_terminal(DANA)
    ask = terminal.ask

    def meddles(method: str, url: str, auth: str, body: dict[str, Any], timeout_s: float) -> Any:
        return ask(method, url, auth, {**body, **changed} if url.endswith("acts") else body, timeout_s)

    with pytest.raises(Said) as said:
        replace(terminal, ask=meddles).do(ASK)
    world.work()
    assert not world.ledger.members(keys.RECENT), str(said.value)


def test_a_proof_for_another_installation_is_worth_nothing(world: Terminals) -> None:
    """Whoever is asked elsewhere hands on our challenge, and sends us what was signed."""
    evil = world.at_terminal(DANA, base="https://evil.example.com")
    ask = evil.ask

    def relays(method: str, url: str, auth: str, body: dict[str, Any], timeout_s: float) -> Any:
        found = ask(method, url, auth, body, timeout_s)
        return replace(found, said={**found.said, "audience": evil.base}) if "challenge" in found.said else found

    with pytest.raises(Said, match="does not take the signature"):
        replace(evil, ask=relays).do(ASK)
    assert not world.ledger.members(keys.RECENT)


def test_a_challenge_is_good_for_a_minute(world: Terminals) -> None:
    terminal = world.at_terminal(DANA)
    ask = terminal.ask

    def slow(method: str, url: str, auth: str, body: dict[str, Any], timeout_s: float) -> Any:
        if url.endswith("acts"):
            world.clock.advance(61)
        return ask(method, url, auth, body, timeout_s)

    with pytest.raises(Said, match="older than a minute"):
        replace(terminal, ask=slow).do(ASK)


def test_whoever_has_no_ticket_hears_nothing(world: Terminals) -> None:
    world.at_terminal(DANA).do(ASK)
    ask = next(body for path, body in world.sent if path.endswith("answers"))

    assert world.posted("answers", id=ask["id"], ticket=ask["ticket"])[0] == 200
    assert world.posted("answers", id=ask["id"], ticket="A" * 43)[0] == 404
    assert world.posted("answers", id=ask["id"])[0] == 404


@pytest.mark.parametrize("body", [b"", b"[]", b'{"line": 1}', b'{"line":"a","line":"b"}', b"x" * 20_000])
def test_odd_bodies_are_refused_in_a_sentence(world: Terminals, body: bytes) -> None:
    found = world.web.post("/terminal/v1/acts", content=body)

    assert found.status_code in (400, 413)
    assert found.json()["sentence"].endswith(".")


def test_the_record_keeps_no_proof_once_it_is_answered(world: Terminals) -> None:
    world.at_terminal(DANA).do(ASK)
    (id_,) = world.ledger.members(keys.TERMINAL)

    record = world.ledger.read(keys.terminal(id_)).items[keys.terminal(id_)].record
    assert record.proof is None  # type: ignore[union-attr]


def test_what_is_over_is_forgotten(world: Terminals) -> None:
    for _ in range(3):
        world.posted("challenges")
    world.clock.advance(3600)
    world.posted("challenges")

    assert len(world.ledger.members(keys.TERMINAL)) == 1


def test_strangers_fill_no_record(world: Terminals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.usecases.identity.terminal_acts.ACTS_MAX", 3)

    assert [world.posted("challenges")[0] for _ in range(5)] == [201, 201, 201, 503, 503]


# ---------------------------------------------------------------- votes that are looked at again


class _Slack:
    surface = "slack"

    def read(self, act: object) -> None:
        return None


def test_a_vote_from_a_terminal_is_proved_where_votes_are_and_one_by_hand_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "WAIT_S_MAX", 0.0)
    secret = Secret("SLACK_SIGNING_SECRET", ("s" * 32,))
    world = Terminals(secret=secret)
    try:
        world.ctx = replace(world.ctx, signatures=WithTerminal(_Slack(), secret))
        world.at_terminal(DANA).do(ASK)
        id_ = asked_of(world)
        world.at_terminal(PAT).do(f"approve {id_}")
        kept = world.ledger.read(keys.signed(id_)).get(keys.signed(id_), SignedVotes)
        assert kept is not None
        act = kept.votes[0].act
        assert world.ctx.signatures is not None
        assert world.ctx.signatures.read(act) is not None
        assert world.ctx.signatures.read(replace(act, body=act.body.replace("PAT", "OLU"))) is None
        assert world.ctx.signatures.read(replace(act, signature="terminal=" + "0" * 64)) is None
        world.work()
        assert world.has_access(id_)
        assert world.request(id_).state is RequestState.APPROVED
    finally:
        world.close()


# ---------------------------------------------------------------- how much of it


def test_strangers_keep_no_worker_from_what_gives_and_takes_away(
    world: Terminals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.usecases.identity.terminal_acts.WAITING_MAX", 1)
    terminal = world.at_terminal(DANA)

    def sent() -> int:
        found = world.posted("challenges")[1]
        proof = terminal.signer.sign(terminal.base, found["challenge"], "0" * 64)
        body = {
            "challenge": found["challenge"],
            "line": ASK,
            "ticket_hash": "1" * 64,
            "region": proof.region,
            "access_key": proof.access_key,
            "date": proof.date,
            "signature": proof.signature,
            "token": proof.token,
        }
        return world.posted("acts", **body)[0]

    assert [sent(), sent()] == [202, 503]
    world.work()
    assert sent() == 202, "the first was answered: it was signed for something else"
    assert not world.ledger.members(keys.RECENT)


def test_what_no_worker_came_to_in_time_is_not_done(world: Terminals) -> None:
    terminal = world.at_terminal(DANA)
    world.acts.decide, decide = (lambda id_: None), world.acts.decide  # type: ignore[method-assign]

    def comes_back(seconds: float) -> None:
        world.clock.advance(150)
        world.acts.decide = decide  # type: ignore[method-assign]
        world.clock.advance(1)
        world.work()

    with pytest.raises(Said):
        replace(terminal, pause=comes_back).do(ASK)
    assert not world.ledger.members(keys.RECENT)


def test_indexes_of_what_waits_are_made_again(world: Terminals) -> None:
    act = TerminalAct("a" * 24, "c" * 43, "https://prodaccess.example.com", build.NOW)

    assert [entry.name for entry in indexed(act)] == [keys.TERMINAL]
    assert [entry.name for entry in indexed(replace(act, at=build.NOW))] == [keys.TERMINAL, keys.TERMINAL_WAITING]
    world.at_terminal(DANA).do(ASK)
    assert world.ledger.members(keys.TERMINAL_WAITING) == []
