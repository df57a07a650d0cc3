"""Every sentence that the bot says is true of its record: whom it means, what happened, when, and what can be pressed.

One walk through all that can become of a request. At each step everything that stands in chat is read, everybody tries
everything, and each sentence is held against the record. A code, a state, an event or a message without a situation in
which it is said fails the walk: whoever adds one adds where it is said.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from bot.event_words import event_words
from bot.refusal_words import about, refusal
from bot.slack import blocks, calls, cards, delegating, digest, glass, lists, notices, panic, receipts, several
from bot.slack.blocks import Message
from bot.words import Stage, flatten
from tests.support.build import DANA, GUS, HOUR, NIA, NOW, OLU, PAT
from tests.support.scenes import SCENES, STEPS, done, rules
from tests.support.spoken import Listener, Said, names_in
from tests.support.truth import Look, Walk, look_at, pressed, read
from tests.support.world import World
from workflows.core.audit import AuditEntry, Event
from workflows.core.errors import Code, Refused
from workflows.core.people import PersonId

# ---------------------------------------------------------------- the walk


def walked() -> Walk:
    walk = Walk()
    modules = (calls, cards, delegating, digest, glass, lists, notices, panic, receipts, several)
    speaks = {
        function.__code__: f"{function.__module__}.{name}" for module in modules for name, function in speakers(module)
    }
    made = blocks.message

    def heard(*given: Any) -> Message:
        # Who makes this message, and whoever they make it for.
        walk.spoke |= {speaks[code] for depth in range(1, 7) if (code := sys._getframe(depth).f_code) in speaks}
        return made(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "message", heard)
        _through_all(walk)
    walk.silent = set(speaks.values()) - walk.spoke
    return walk


def _through_all(walk: Walk) -> None:
    for name, scene_ in SCENES.items():
        t = Listener(World(rules()))
        for step, ids in enumerate(scene_(t)):
            look_at(walk, f"{name}, step {step + 1}", t, ids, last=step + 1 == STEPS[name])


def speakers(module: ModuleType) -> list[tuple[str, Any]]:
    """The functions of a module that make a message."""
    return [
        (name, function)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and inspect.signature(function).return_annotation == "Message"
    ]


# ---------------------------------------------------------------- what no walk comes to

_UNTIL = (NOW + HOUR).isoformat()
_ROLE = {"role": "read-only", "environment": "payments-prod"}
# Refusals that the walk does not meet, with the parameters that their writer gives.
ELSEWHERE: Mapping[Code, Mapping[str, str]] = {
    Code.PERSON_UNKNOWN: {"name": "@max", "mentioned": "yes"},
    Code.PERSON_DEACTIVATED: {},
    Code.PERSON_GUEST: {},
    Code.PERSON_BOT: {},
    Code.PERSON_FOREIGN: {},
    Code.PERSON_NO_ADDRESS: {},
    Code.PERSON_ODD: {},
    Code.PERSON_SUSPENDED: {"why": "the address was changed"},
    Code.PARTY_ON_HOLD: {"id": "PA-1", "name": "Dana"},
    Code.OWN_ACCOUNT: {},
    Code.NOTHING_TO_CONFIRM: {"name": "Dana"},
    Code.CONFIRMED_ALREADY: {"by": "Sue"},
    Code.HOLD_CHANGED: {},
    Code.ADDRESS_GIVEN_AWAY: {"address": "dana@example.com"},
    Code.FACTS_STALE: {},
    Code.NOT_KNOWN_YET: {"groups": "platform", "why": "Slack did not say"},
    Code.ENVIRONMENT_UNKNOWN: {"name": "paymets-prod", "near": "payments-prod", "known": "payments-prod"},
    Code.DURATION_UNREADABLE: {"text": "1x"},
    Code.DURATION_ZERO: {},
    Code.REASON_TOO_LONG: {"length": "612", "max": "500"},
    Code.TICKET_USED: {"ticket": "INC-42", "ids": "PA-1, PA-2", "max": "2"},
    Code.ID_UNREADABLE: {"text": "PA1"},
    Code.COMMAND_UNREADABLE: {"word": "aprove", "near": "approve"},
    Code.SEVERAL_BOTH: {},
    Code.SEVERAL_TOO_MANY: {"count": "12", "max": "10"},
    Code.HOLDER_UNFIT: {"name": "Gus", "why": "person_guest"},
    Code.HOLDER_BLOCKED: {"name": "Nia"},
    Code.NO_LONGER_A_REQUESTER: {"id": "PA-1", "name": "Dana", "groups": "developers"},
    Code.LONGER_THAN_ALLOWED: {"id": "PA-1", "asked_s": "7200", "max_s": "3600"},
    Code.NOT_A_REVIEWER: {"id": "PA-1", "groups": "platform"},
    Code.NOBODY_CAN_APPROVE: {**_ROLE, "groups": "platform"},
    Code.TOO_MANY_PENDING: {"max": "10", "ids": "PA-1, PA-2"},
    Code.ALREADY_ASKED: {"id": "PA-2"},
    Code.NOT_LESS: {"id": "PA-1", "why": "least"},
    Code.LESS_TAKEN: {"id": "PA-3", "holder": "Dana", "role": "read-only"},
    Code.DELEGATE_NOT_AN_OWNER: {},
    Code.DELEGATE_YOURSELF: {},
    Code.DELEGATE_UNFIT: {"name": "Gus", "code": "person_guest"},
    Code.DELEGATE_UNTIL_UNREADABLE: {"text": "someday"},
    Code.DELEGATE_PAST: {},
    Code.DELEGATE_TOO_LONG: {"days": "30"},
    Code.BREAK_GLASS_TOO_OFTEN: {"max": "2", "environment": "payments-prod", "until": _UNTIL},
    Code.BREAK_GLASS_BARRED: {"why": "Olu flagged the break-glass PA-1", "groups": "security"},
    Code.NOT_SECURITY: {"groups": "security"},
    Code.OWN_BAR: {},
    Code.NOT_RESOLVED_YET: {"id": "PA-1"},
    Code.TERMS_CHANGED: {"id": "PA-1"},
    Code.NOTHING_TO_REVOKE: {"name": "Dana"},
    Code.START_UNREADABLE: {"text": "at 25:00"},
    Code.START_PAST: {"start": _UNTIL, "days": "7"},
    Code.START_TOO_FAR: {"start": _UNTIL, "days": "7"},
    Code.START_MISSED: {"id": "PA-1"},
    Code.TOTAL_TOO_LONG: {**_ROLE, "id": "PA-1", "asked_s": "36000", "max_s": "28800", "left_s": "3600"},
    Code.ROLE_CHANGED: {"id": "PA-1", "role": "read-only", "what": "start"},
    Code.STANDING_ACCESS: {"how": "through group admins", "what": "ReadOnlyAccess"},
    Code.TARGET_PERSON_MISSING: {"address": "dana@example.com", "where": "IAM Identity Center"},
    Code.TARGET_PERSON_ELSES: {"name": "Dana", "ids": "PA-1042"},
    Code.TARGET_USER_BOUND: {"name": "Dana", "user": "9067-1", "address": "nia@example.com"},
    Code.TARGET_USER_CARRIES: {"name": "Dana", "user": "9067-1", "address": "dana@example.com"},
    Code.TARGET_USER_UNKNOWN: {"user": "9067-1"},
    Code.TARGET_USER_IN_USE: {"name": "Dana", "ids": "PA-1042"},
    Code.TARGET_PERSON_AMBIGUOUS: {"address": "dana@example.com", "where": "IAM Identity Center"},
    Code.TARGET_PERSON_NOT_TAGGED: {"user": "dana", "tag": "prodaccess:person", "address": "dana@example.com"},
    Code.TARGET_THING_MISSING: {"thing": "permission set", "where": "IAM Identity Center"},
    Code.TARGET_NO_ROOM: {"needed": "900", "left": "100"},
    Code.TARGET_REFUSED: {"why": "AWS does not let the worker do this"},
    Code.TEMPLATE_REFUSED: {"why": "It is no JSON"},
    Code.POLICY_NOT_IN_FORCE: {"why": "no policy is active yet"},
    Code.LEDGER_NOT_DURABLE: {"why": "appendfsync is no"},
    Code.CLOCK_IN_DOUBT: {"off_s": "3600"},
    Code.OLDER_VERSION_RUNS: {"kinds": "worker", "why": "a process of an older version is still running"},
    Code.LEDGER_UNREACHABLE: {},
    Code.RECORD_UNREADABLE: {"what": "the request PA-1"},
}
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
# Entries that no step of the walk writes.
UNWRITTEN = frozenset(
    {
        Event.REQUEST_REFUSED,
        Event.GRANT_EXTENSION_FAILED,
        Event.REFUSALS_COUNTED,
        Event.POLICY_ACTIVATED,
        Event.LEDGER_UNREADABLE,
        Event.LEDGER_DURABILITY_DECLARED,
        Event.CLOCK_JUMPED,
        Event.CLOCK_STEADY,
        Event.CLOCK_ACCEPTED,
        Event.DIGEST_POSTED,
        Event.DRIFT_FOUND,
        Event.BINDINGS_ADOPTED,
        *(event for event in Event if event.value.startswith(("person.", "target_user."))),
    }
)
# Messages about the installation itself, which have their own tests.
OF_THE_INSTALLATION = frozenset({"bot.slack.receipts.policy_activated", "bot.slack.receipts.unreadable"})
_YOU = re.compile(r"\b(you|your|yours|yourself)\b", re.IGNORECASE)


# ---------------------------------------------------------------- the tests


def test_every_sentence_is_true_of_its_record() -> None:
    walk = walked()
    assert not walk.faults, f"{len(walk.faults)} faults\n" + "\n".join(dict.fromkeys(walk.faults))
    assert set(Code) - walk.codes - ELSEWHERE.keys() == set(), "a refusal that is said nowhere: add where it is"
    assert set(Stage) - walk.stages == set(), "a state that no step comes to: add a scene"
    assert set(Event) - walk.events - UNWRITTEN == set(), "an entry that no step writes: add a scene"
    assert walk.silent - OF_THE_INSTALLATION == set(), "a message that no step shows: add a scene"


@pytest.mark.parametrize("code", sorted(OF_SOMEBODY))
def test_a_refusal_that_others_read_says_whom_it_is_about(code: Code) -> None:
    params = ELSEWHERE.get(code, {**_ROLE, "groups": "oncall", "until": _UNTIL, "reason": "Year-end freeze"})
    read_by_others = refusal(about(Refused(code, params), "Max"))
    assert not _YOU.search(read_by_others), read_by_others
    if _YOU.search(refusal(Refused(code, params))):
        assert "Max" in read_by_others or "them" not in read_by_others, read_by_others


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.NOT_KNOWN_YET])
def test_an_approval_that_stands_no_more_is_nobodys_who_reads_it(code: Code) -> None:
    params = {**ELSEWHERE.get(code, {}), "what": "void", "who": "Olu", "name": "Olu"}
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


@pytest.mark.parametrize(
    ("reader", "lie"),
    [
        (NIA, "You asked for *admin* in *Payments*. PA-1"),
        (None, "You asked for *admin* in *Payments*. PA-1"),
        (DANA, "You dance. PA-1"),
        (DANA, "Olu or Sue can approve it. PA-1"),
        (None, "Waits for Nia since 03:00 · PA-1"),
        (None, "🏁 Ended 03:00 · removal verified · PA-1"),
        (None, "⛔ Denied by Olu: no · PA-1"),
        (None, "✅ Active until 04:00 · approved by Sue at 03:00 · PA-1"),
        (None, "Gus asks for *admin* · PA-1"),
        (None, "expires <!date^1795000000^{time}|04:00 UTC> · PA-1"),
        (None, "✅ Active until 04:00, 58 min left · PA-1"),
        (DANA, "refused: own_request"),
    ],
)
def test_the_walk_finds_a_lie(look: Look, reader: PersonId | None, lie: str) -> None:
    found = replace(look, walk=Walk())
    read(found, Said("a lie", reader, blocks.message(lie, [blocks.section(lie)]), stays=True))
    assert found.walk.faults


def test_the_walk_finds_a_button_that_is_refused(look: Look) -> None:
    for reader, action in ((DANA, cards.APPROVE), (GUS, cards.DENY), (OLU, "withdraw")):
        found = replace(look, walk=Walk())
        message = blocks.message("x", [blocks.actions(blocks.button("Press", action, "PA-1"))])
        pressed(found, Said("a button", reader, message))
        assert found.walk.faults, (reader, action)


def test_the_walk_lets_truths_pass(look: Look) -> None:
    found = replace(look, walk=Walk())
    for reader, truth in (
        (DANA, "You asked for *admin* in *Payments*. PA-1"),
        (DANA, "Pat or Sue can approve it. PA-1"),
        (None, "Dana asks for *admin* · PA-1"),
    ):
        read(found, Said("a truth", reader, blocks.message(truth, [blocks.section(truth)]), stays=True))
    assert found.walk.faults == []
