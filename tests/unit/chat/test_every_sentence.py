"""Every sentence that the bot says is true of its record: whom it means, what happened, when, and what can be pressed.

One walk through all that can become of a request. At each step everything that stands in chat is read, everybody tries
everything, and each sentence is held against the record. A code, a state, an event or a message without a situation in
which it is said fails the walk: whoever adds one adds where it is said.

What Slack and Teams are given on this walk is to the letter what it was: every message, form, list and home of every scene.
Where a change is meant, `python -m tests.support.golden` writes the files anew, and the difference is read line by line. It
stands here, right behind, because both need the walk, which takes half a minute: in a file of its own another process would
make it again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from unittest.mock import patch

import pytest

from bot.chat.actions import handlers
from bot.chat.actions.handlers import Handler
from bot.chat.message import Button, Line, buttons, message
from bot.chat.messages import approval_card as cards
from bot.chat.rich import Rich, Time, ours, say
from bot.chat.wording.events import event_words
from bot.chat.wording.labels import Stage, flatten
from bot.chat.wording.refusals import about, refusal
from tests.support import golden
from tests.support.build import DANA, GUS, NIA, NOW, OLU, PAT
from tests.support.every_scene import done, rules
from tests.support.one_walk import speakers, walked
from tests.support.refusals_by_hand import ELSEWHERE, ROLE, TRIED, UNTIL
from tests.support.scenes_of_accounts import NEW, on_hold
from tests.support.spoken import Listener, Said, names_in
from tests.support.truth import Look, Walk, pressed, read
from tests.support.world import World
from workflows.core.audit import AuditEntry, Event
from workflows.core.people import PersonId
from workflows.core.refusal import Code, Refused

# ---------------------------------------------------------------- what no walk comes to

# Of these others read, too: on a card, in receipts, in an explanation. Then they say whom they are about.
OF_SOMEBODY = frozenset(
    code
    for code in Code
    if code.value.startswith(("person_", "target_", "break_glass_"))
    or code
    in (
        Code.NOT_A_REQUESTER,
        Code.NOBODY_CAN_APPROVE,
        Code.FREEZE,
        Code.OUTSIDE_HOURS,
        Code.STANDING_ACCESS,
        Code.START_MISSED,
        Code.ROLE_CHANGED,
        Code.TEMPLATE_REFUSED,
    )
)
# Entries that no scene writes, each with the reason.
UNWRITTEN = frozenset(
    {
        Event.LEDGER_DURABILITY_DECLARED,  # by the clock process when it starts
        Event.BINDINGS_ADOPTED,  # once, from what an earlier version kept
        Event.PERSON_ADDRESS,  # told to nobody; test_who_it_is
    }
)
# Messages that no scene comes to, each with the reason.
UNSHOWN = frozenset(
    {
        "bot.chat.outbox.edits.drawn",  # another one without its form, where Slack does not take that
        "bot.chat.actions.intake.ledger_away",  # while the ledger cannot be reached, which has no record to compare with
        # While more is asked at once than a channel takes; golden/boards.jsonl has them in each state of a request.
        "bot.chat.messages.board.board",
        "bot.chat.messages.board.over",
        "bot.chat.messages.form_not_opened.not_known_yet",  # until groups are fresh, which they are here
    }
)
_YOU = re.compile(r"\b(you|your|yours|yourself)\b", re.IGNORECASE)


# ---------------------------------------------------------------- the tests


def test_every_sentence_is_true_of_its_record() -> None:
    walk, _ = walked()
    assert not walk.faults, f"{len(walk.faults)} faults\n" + "\n".join(dict.fromkeys(walk.faults))
    assert set(Code) - walk.codes - ELSEWHERE.keys() == set(), "a refusal that is said nowhere: add where it is"
    assert set(Stage) - walk.stages == set(), "a state that no step comes to: add a scene"
    assert walk.codes & ELSEWHERE.keys() == set(), "it is said in a scene: no parameters by hand"
    assert set(Event) - walk.events - UNWRITTEN == set(), "an entry that no step writes: add a scene"
    assert walk.silent - UNSHOWN == set(), "a message that no step shows: add a scene"


def test_what_chats_are_given_is_what_it_was() -> None:
    _, found = walked()
    kept = golden.kept()
    assert found.keys() == kept.keys()
    changed = [
        f"{name}:{number}\n  was {was}\n  is  {is_}"
        for name in found
        for number, (was, is_) in enumerate(_pairs(kept[name], found[name]), 1)
        if was != is_
    ]
    assert not changed, f"{len(changed)} lines differ, the first of them:\n" + "\n".join(changed[:3])


def _pairs(was: str, is_: str) -> list[tuple[str, str]]:
    before, after = was.splitlines(), is_.splitlines()
    longest = max(len(before), len(after))
    return list(zip(before + [""] * (longest - len(before)), after + [""] * (longest - len(after)), strict=True))


@pytest.mark.parametrize("code", sorted(OF_SOMEBODY))
def test_a_refusal_that_others_read_says_whom_it_is_about(code: Code) -> None:
    params = TRIED.get(code, {**ROLE, "groups": "oncall", "until": UNTIL, "reason": "Year-end freeze"})
    read_by_others = refusal(about(Refused(code, params), "Max"))
    assert not _YOU.search(read_by_others), read_by_others
    if _YOU.search(refusal(Refused(code, params))):
        assert "Max" in read_by_others or "them" not in read_by_others, read_by_others


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.NOT_KNOWN_YET])
def test_an_approval_that_stands_no_more_is_nobodys_who_reads_it(code: Code) -> None:
    params = {**TRIED.get(code, {}), "what": "void", "who": "Olu", "name": "Olu"}
    said = refusal(Refused(code, params))
    assert said.endswith(", so the approval no longer stands."), said
    assert not _YOU.search(said), said


@pytest.mark.parametrize("event", sorted(UNWRITTEN))
def test_a_line_of_the_record_speaks_to_nobody(event: Event) -> None:
    private = {"actor": "olu", "actor_name": "Olu", "reason": "because", "for_name": "Pat"}
    entry = AuditEntry(
        1, event, "PA-1", NOW, "ab" * 32, {"code": "own_request", "more": "3", "failures": "3"}, private, "{}"
    )
    line = flatten(event_words(entry, {}), str)
    assert line
    assert not _YOU.search(line), line
    assert names_in(line) <= {OLU, PAT}, line


# ---------------------------------------------------------------- the walk itself tells lies from truths


@pytest.fixture(scope="module")
def look() -> Look:
    """Dana has asked for the two-approval role, and Olu has agreed."""
    t = Listener(World(rules()))
    id_ = t.world.asked(role="admin")
    done(t.world.approve(id_, OLU))
    t.time_passed()
    t.posted(id_)
    return Look(t, "here", (id_,), Walk(), last=True)


_ON_NO_RECORD = datetime.fromtimestamp(1795000000, UTC)


@pytest.mark.parametrize(
    ("reader", "lie"),
    [
        (NIA, say("You asked for *admin* in *Payments*. PA-1")),
        (None, say("You asked for *admin* in *Payments*. PA-1")),
        (DANA, say("You dance. PA-1")),
        (DANA, say("Olu or Sue can approve it. PA-1")),
        (None, say("Waits for Nia since 03:00 · PA-1")),
        (None, say("🏁 Ended 03:00 · removal verified · PA-1")),
        (None, say("⛔ Denied by Olu: no · PA-1")),
        (None, say("✅ Active until 04:00 · approved by Sue at 03:00 · PA-1")),
        (None, say("Gus asks for *admin* · PA-1")),
        (None, say("expires {} · PA-1", Time(_ON_NO_RECORD, _ON_NO_RECORD))),
        (None, say("✅ Active until 04:00, 58 min left · PA-1")),
        (DANA, say("refused: own_request")),
        (None, say("⚠️ The access may still be open. PA-1")),
        (None, say("Dana's account is on hold: cannot be approved before security has said whose it is · PA-1")),
        (DANA, say("⚠️ PA-1 is delayed. Nobody has been asked to approve it yet.")),
        (DANA, say("⚠️ More time for PA-1 is delayed. The later end does not hold yet.")),
        (OLU, say("Your account is on hold: its address was changed. PA-1")),
        (NIA, say("⚠️ Something fails again and again in what you own or decide, and I keep trying. PA-1")),
        (OLU, say("You have said that already. PA-1")),
        (PAT, say("You belong to another organisation, so you can do nothing here. PA-1")),
    ],
)
def test_the_walk_finds_a_lie(look: Look, reader: PersonId | None, lie: Rich) -> None:
    found = replace(look, walk=Walk())
    read(found, Said("a lie", reader, message(lie, Line(lie)), stays=True))
    assert found.walk.faults


@pytest.mark.parametrize(
    "lie",
    [
        "✍️ Pat says that Dana's account (dana.new@example.com) is another person's: no. A second person has to say it.",
        "✅ Sue and Pat said whose Dana's account is: the same person as before.",
        "Olu's account is on hold: its address was changed",
        "⚠️ Dana was deactivated in the chat",
        "Something else about an account",
    ],
)
def test_the_walk_finds_a_lie_about_an_account(lie: str) -> None:
    t = Listener(World(rules()))
    t.world.knows(DANA)
    on_hold(t, DANA, NEW)
    found = Look(t, "here", (), Walk(), last=True)
    read(found, Said("hold-1 hold:3:receipt", None, message(say(lie), Line(say(lie))), stays=True))
    assert found.walk.faults


def test_the_walk_finds_a_form_that_does_not_open(look: Look) -> None:
    found = replace(look, walk=Walk())
    offered = message(ours("x"), buttons(Button("Deny", cards.DENY, "PA-1")))
    tells = Handler(opens=lambda _forms, _act: lambda forms, act, _trigger, _under: forms.tell(act, offered))
    with patch.dict(handlers.PRESSES, {cards.DENY: tells}):  # type: ignore[arg-type]  # a table to read, else
        pressed(found, Said("a button", OLU, offered))
    assert found.walk.faults


def test_a_message_that_no_scene_shows_is_found() -> None:
    module = ModuleType("bot.chat.messages.newer")
    source = "def news() -> Message: ...\ndef some_form() -> Form: ...\ndef other() -> str: ..."
    exec(source, module.__dict__)
    assert [name for name, _ in speakers(module)] == ["news", "some_form"]


def test_the_walk_finds_a_button_that_is_refused(look: Look) -> None:
    for reader, action in ((DANA, cards.APPROVE), (GUS, cards.DENY), (OLU, "withdraw")):
        found = replace(look, walk=Walk())
        offered = message(ours("x"), buttons(Button("Press", action, "PA-1")))
        pressed(found, Said("a button", reader, offered))
        assert found.walk.faults, (reader, action)


def test_the_walk_lets_truths_pass(look: Look) -> None:
    found = replace(look, walk=Walk())
    for reader, truth in (
        (DANA, say("You asked for *admin* in *Payments*. PA-1")),
        (DANA, say("Pat or Sue can approve it. PA-1")),
        (None, say("Dana asks for *admin* · PA-1")),
    ):
        read(found, Said("a truth", reader, message(truth, Line(truth)), stays=True))
    assert found.walk.faults == []
