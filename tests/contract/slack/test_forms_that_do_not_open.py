"""A form that Slack does not open ends in a sentence for whoever wanted it, with a button or the words to type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from bot.chat.actions import certification, decision_forms, request_forms, security_forms
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import handler
from bot.chat.actions.open_form import FormOpener
from bot.chat.form import Filled
from bot.chat.forms import request as form
from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.chat.message import value_of
from bot.chat.messages import approval_card as cards
from bot.sandbox.slack import Message, SlackServer, buttons, words
from bot.slack.surface import Slack
from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NIA, OLU, SUE
from tests.support.chat import CARDS, ChatWorld, InProcess, server_for
from tests.support.gates import gate, gated, waits
from tests.support.people import acts, gets_address
from tests.support.world import account
from workflows.core.identity import Account
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass
from workflows.core.records.request import Origin
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.ledger.memory import MemoryClock
from workflows.usecases.certification.see_to import see_to
from workflows.usecases.certification.start import Wanted, start
from workflows.usecases.oversight.break_glass_review import flag
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.shared.context import Outcome

GLASS = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, review_within=24 * HOUR)


@dataclass
class Front:
    """Somebody's press or command, as far as the form behind it."""

    rig: ChatWorld
    slack: SlackServer
    forms: FormOpener

    def act(self, who: PersonId, action: str = "", value: str = "", *, url: bool = True) -> Interaction:
        user, ws = account(who).user, self.slack.workspace
        token = ws.response_urls.issue(user, CARDS)
        self.rig.knows(who)
        return Interaction(
            f"press:{action}:{value}:{token}",
            PRESS if action else COMMAND,
            Account("slack", "T1", user),
            action=action,
            value=value,
            channel=CARDS,
            response_url=f"{ws.base_url}/response/{token}" if url else "",
        )

    def opens(self, act: Interaction, under: str = "") -> None:
        """What the press opens, as the table has it. `under`: the kind of the form in which it was pressed."""
        found = handler(act)
        form = found.opens(self.forms, act) if found else None
        assert form is not None, act.action
        trigger = self.slack.workspace.triggers.issue(act.who.user)
        form(self.forms, act, trigger, Filled(under, "", ()))

    def trigger(self, who: PersonId) -> str:
        return self.slack.workspace.triggers.issue(account(who).user)

    def asked(self) -> str:
        id_ = self.rig.asked()
        self.rig.settle()
        return id_

    def broken(self) -> str:
        self.rig.knows(NIA)
        ask = Ask("payments-prod", "read-only", None, "everything is down")
        answer = break_glass(self.rig.ctx, ask, account(NIA), Origin(), self.rig.press_id())
        assert isinstance(answer, Outcome), answer
        self.rig.work()
        return answer.id

    def whispers(self, who: PersonId) -> list[Message]:
        return list(self.slack.person(account(who).user).ephemerals(CARDS))

    def direct(self, who: PersonId) -> list[Message]:
        return list(self.slack.person(account(who).user).dms())


@pytest.fixture
def front() -> Iterator[Front]:
    clock = MemoryClock(build.NOW)
    with server_for(clock) as slack:
        client = InProcess(slack)
        longer = build.entitlement(max_duration=8 * HOUR)
        rig = ChatWorld(client, clock, (), build.policy(build.environment(longer, break_glass=GLASS)))
        dispatcher = Dispatcher(rig.ctx, "/prodaccess")
        yield Front(rig, slack, FormOpener(dispatcher, Slack(client), rig.refresher))


# ---------------------------------------------------------------- every form there is


def request_form(front: Front) -> PersonId:
    request_forms.open_request_form(
        front.forms, front.act(DANA), front.trigger(DANA), form.Where(), "payments-prod", "read-only"
    )
    return DANA


def again_form(front: Front) -> PersonId:
    act = front.act(DANA, "again", front.asked())
    front.opens(act)
    return DANA


def then_form(front: Front) -> PersonId:
    asked = {
        "e": "payments-prod",
        "r": "read-only",
        "d": 3600,
        "w": "INC-42",
        "t": "",
        "s": int((build.NOW + HOUR).timestamp()),
    }
    front.opens(front.act(DANA, "ask_then", json.dumps(asked)))
    return DANA


def acknowledge_form(front: Front) -> PersonId:
    front.opens(front.act(OLU, "acknowledge", front.broken()))
    return OLU


def flag_form(front: Front) -> PersonId:
    front.opens(front.act(OLU, "flag", front.broken()))
    return OLU


def deny_form(front: Front) -> PersonId:
    front.opens(front.act(OLU, "deny", front.asked()))
    return OLU


def end_form(front: Front) -> PersonId:
    front.opens(front.act(OLU, "end", front.rig.active()))
    return OLU


def lift_form(front: Front) -> PersonId:
    rig, id_ = front.rig, front.broken()
    rig.knows(OLU)
    assert isinstance(flag(rig.ctx, id_, account(OLU), "not needed", "flagged"), Outcome)
    front.opens(front.act(SUE, "lift", NIA))
    return SUE


def confirm_form(front: Front) -> PersonId:
    gets_address(front.rig, DANA, "dana.new@example.com")
    held = acts(front.rig, account(DANA)).account
    front.opens(front.act(SUE, "confirm", held))
    return SUE


def deny_all_form(front: Front) -> PersonId:
    front.opens(front.act(OLU, "deny_all", front.asked()))
    return OLU


def reduced_approval_form(front: Front) -> PersonId:
    id_ = front.asked()
    front.opens(front.act(OLU, cards.MORE, f"{cards.LESS}:{value_of(id_)}"))
    return OLU


def extend_form(front: Front) -> PersonId:
    front.opens(front.act(DANA, "extend", front.rig.active()))
    return DANA


def certification_form(front: Front) -> PersonId:
    begun = start(front.rig.ctx, Wanted("Ada Audit", "the quarter"), "begun")
    assert isinstance(begun, Outcome)
    see_to(front.rig.ctx, begun.id)
    front.opens(front.act(OLU, "certify", "1-1"))
    return OLU


def break_glass_form(front: Front) -> PersonId:
    act = front.act(NIA, "break_glass", "payments-prod", url=False)
    front.opens(act, under=form.REQUEST_FORM)
    return NIA


def gate_glass_form(front: Front) -> PersonId:
    front.rig.policy.policy = gated(replace(gate(), break_glass=True), place={"break_glass": GLASS})
    front.rig.knows(NIA, OLU)
    front.opens(front.act(NIA, "gate_glass", waits(front.rig)))
    return NIA


MODULES = (request_forms, decision_forms, security_forms, certification)
OPENERS: dict[str, tuple[Callable[[Front], PersonId], str, str]] = {
    "open_request_form": (request_form, "payments-prod read-only [DURATION] REASON", "Open the form"),
    "open_repeat_form": (again_form, "payments-prod read-only [DURATION] REASON", "Try again"),
    "open_then_form": (then_form, "payments-prod read-only [DURATION] REASON", "Try again"),
    "open_acknowledge_form": (acknowledge_form, "acknowledge PA-1", "Try again"),
    "open_flag_form": (flag_form, "flag PA-1 NOTE", "Try again"),
    "open_deny_form": (deny_form, "deny PA-1 REASON", "Try again"),
    "open_end_form": (end_form, "end PA-1 REASON", "Try again"),
    "open_lift_form": (lift_form, "lift nia@example.com REASON", "Try again"),
    "open_confirm_form": (confirm_form, "person confirm dana.new@example.com same REASON", "Try again"),
    "open_deny_all_form": (deny_all_form, "deny PA-1 REASON", "Try again"),
    "open_reduced_approval_form": (reduced_approval_form, "less PA-1 [ROLE] [DURATION]", "Try again"),
    "open_extend_form": (extend_form, "extend PA-1 DURATION REASON", "Try again"),
    "open_certification_form": (certification_form, "certify 1-1 keep NUMBER,NUMBER REASON", "Try again"),
    "open_gate_glass_form": (gate_glass_form, "break-glass PA-1 REASON", "Try again"),
    "open_break_glass_form": (break_glass_form, "break-glass payments-prod ROLE [DURATION] REASON", ""),
}
TROUBLE: dict[str, dict[str, Any]] = {
    "too late": {"error": "expired_trigger_id"},
    "a fault of Slack's": {"status": 500},
    "too many": {"status": 429, "retry_after_s": 30},
    "no answer": {"drop": "before"},
    "not valid": {"error": "invalid_arguments"},
    "a new word": {"error": "never_seen"},
    "a yes without the form": {"answer": {"ok": True}},
    "a yes that is none": {"answer": {"ok": "no", "view": {}}},
}


def test_every_form_there_is_is_tried_here() -> None:
    there = {name for module in MODULES for name, one in vars(module).items() if _is_of(one, module)}
    assert {name for name in there if name.startswith("open_")} == set(OPENERS)


def _is_of(one: object, module: ModuleType) -> bool:
    return getattr(one, "__module__", "") == module.__name__


@pytest.mark.parametrize(
    ("name", "trouble"),
    [*((name, "too late") for name in OPENERS), *(("open_request_form", trouble) for trouble in TROUBLE)],
)
def test_whoever_wanted_a_form_that_does_not_open_reads_why_and_what_to_do(
    front: Front, name: str, trouble: str
) -> None:
    opener, typed, button = OPENERS[name]
    for method in ("views.open", "views.push"):
        front.slack.faults.add(method, times=None, **TROUBLE[trouble])
    who = opener(front)
    (told,) = [m for m in [*front.whispers(who), *front.direct(who)] if "form did not open" in words(m)]
    assert f"/prodaccess {typed}" in words(told)
    assert buttons(told) == ([button] if button else [])
    assert front.slack.person(account(who).user).view() is None


def test_a_form_that_opens_says_nothing_more(front: Front) -> None:
    who = request_form(front)
    assert front.slack.person(account(who).user).view() is not None
    assert [*front.whispers(who), *front.direct(who)] == []


def test_the_button_repeats_the_press(front: Front) -> None:
    front.slack.faults.add("views.open", error="expired_trigger_id")
    deny_form(front)
    (told,) = front.whispers(OLU)
    element = told.blocks[-1]["elements"][0]
    act = front.act(OLU, element["action_id"], element["value"])
    front.opens(act)
    assert front.slack.person("UOLU").view() is not None


# ---------------------------------------------------------------- the ways to an answer


def test_an_answer_that_its_url_does_not_take_comes_as_a_direct_message(front: Front) -> None:
    front.slack.faults.add("views.open", error="expired_trigger_id")
    front.slack.faults.add("response_url", times=None, status=500)
    deny_form(front)
    assert any("form did not open" in words(message) for message in front.direct(OLU))


def test_an_answer_that_cannot_be_a_direct_message_is_whispered_in_the_channel(front: Front) -> None:
    front.slack.faults.add("views.open", error="expired_trigger_id")
    front.slack.faults.add("response_url", times=None, status=404)
    front.slack.faults.add("chat.postMessage", times=None, error="messages_tab_disabled", where={"channel": "UOLU"})
    deny_form(front)
    assert any("form did not open" in words(message) for message in front.whispers(OLU))


def test_an_answer_whose_form_is_refused_comes_as_plain_text(front: Front) -> None:
    front.slack.faults.add("views.open", error="expired_trigger_id")
    front.slack.faults.add("chat.postMessage", error="invalid_blocks")
    who = break_glass_form(front)
    (told,) = front.direct(who)
    assert "break-glass payments-prod" in told.text


# ---------------------------------------------------------------- what ended in silence without Slack's help


# Of something that is none of theirs, or none of ours, these open an empty form.
ANYWAY = {"open_request_form", "open_repeat_form", "open_then_form"}


@pytest.mark.parametrize("name", [name for name in OPENERS if name not in ANYWAY])
def test_a_button_that_is_about_nothing_says_so(front: Front, name: str) -> None:
    who = SUE if name in ("open_lift_form", "open_confirm_form") else OLU
    act = front.act(who, "any", "nonsense" if name != "open_reduced_approval_form" else f"{cards.LESS}:nonsense")
    opener: Any = next(getattr(module, name) for module in MODULES if hasattr(module, name))
    more = (Filled("", "", ()),) if name == "open_break_glass_form" else ()
    opener(front.forms, act, front.trigger(who), *more)
    assert front.whispers(who)


def test_a_button_of_nobodys_opens_the_empty_form(front: Front) -> None:
    front.opens(front.act(OLU, "ask_then", "nonsense"))
    assert front.slack.person(account(OLU).user).view() is not None


def test_a_press_that_nobody_can_judge_yet_says_so(front: Front) -> None:
    front.forms.refuse(front.act(OLU, "deny", "PA-1"), Refused(Code.FACTS_STALE), "PA-1")
    (told,) = front.whispers(OLU)
    assert buttons(told) == ["Try again"]
