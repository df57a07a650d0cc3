"""Chat: a crash or a lost answer between a post and its record leaves one message, not two; a bad minute blocks nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.slack import words
from tests.chaos.rig import Rig, id_of
from tests.support.installation import PEOPLE, RECEIPTS, SHORT

PLACES = ["card", "root", "lines", "dm"]


def once(rig: Rig, case: Any) -> None:
    """One card, one thread of receipts with every line once, and one message to the holder about it being active."""
    card = rig.one_card(case)
    roots = rig.roots()
    assert len(roots) == 1, [words(root) for root in roots]
    lines = rig.lines(roots[0])
    assert len(lines) == len(set(lines)), lines
    told = [words(message) for message in rig.slack.person(PEOPLE["dana"]).dms()]
    assert len(told) == 1, told
    assert id_of(card) in told[0]


def settled(rig: Rig, case: Any) -> bool:
    """Whether all messages of an active grant are there, at least once."""
    roots = rig.roots()
    return bool(
        "Active" in case.cards()[-1].text
        and roots
        and "Active" in roots[-1].text
        and any("active until" in line for root in roots for line in rig.lines(root))
        and rig.slack.person(PEOPLE["dana"]).dms()
    )


def meet(case: Any, place: str) -> dict[str, Any]:
    """Arguments by which the fault finds the post that is meant."""
    return {
        "card": {"channel": case.channel},
        "root": {"channel": RECEIPTS},
        "lines": {"channel": RECEIPTS},
        "dm": {"channel": PEOPLE["dana"]},
    }[place]


@pytest.mark.parametrize(
    ("place", "killed"),
    [("card", False), ("lines", False), *((place, True) for place in PLACES)],
    ids=lambda value: {True: "worker-killed", False: "answer-lost"}.get(value, value),
)
def test_one_message_when_its_answer_never_came(rig: Rig, place: str, *, killed: bool) -> None:
    case = rig.case()
    if place in ("card", "root"):
        lose = rig.slack.faults.add("chat.postMessage", drop="after", where=meet(case, place))
        case.ask()
    else:
        card = case.asked()
        rig.until(rig.roots, "the thread of receipts")
        lose = rig.slack.faults.add("chat.postMessage", drop="after", where=meet(case, place))
        case.approve(card)
    if killed:
        # As long as posts do not work, nobody can repair before the worker is dead.
        stuck = rig.slack.faults.add("conversations.history", times=None, status=500)
        also = rig.slack.faults.add("conversations.replies", times=None, status=500)
        rig.until(lambda: lose.times == 0, "the post whose answer is lost")
        rig.kill("worker")
        stuck.times = also.times = 0
        rig.relaunch()
    if place in ("card", "root"):
        case.approve(case.card("Needs approval"))
    rig.until(lambda: lose.times == 0, "the fault was played")
    rig.until(lambda: settled(rig, case), "all is said")
    once(rig, case)


BAD_MINUTES = {
    "server-errors": {"status": 500},
    "too-many-requests": {"status": 429, "retry_after_s": 2},
    "no-answers": {"delay_s": 30.0, "drop": "before"},
}


@pytest.mark.parametrize("how", BAD_MINUTES)
def test_access_is_given_and_ended_on_time_while_slack_is_down_and_the_truth_is_said_once(rig: Rig, how: str) -> None:
    case = rig.case()
    card = case.asked(rest=SHORT)
    rig.until(rig.roots, "the receipt of the ask")
    down = rig.slack.faults.add("*", times=None, **BAD_MINUTES[how])
    case.approve(card)
    rig.until(lambda: rig.has(case), "given on time")
    rig.until(lambda: rig.gone(case), "ended while Slack is still down")
    rig.until(lambda: rig.events(id_of(card))["grant.ended"], "proved")
    down.times = 0
    # An answer that does not come is given up after 8 s; what was on its way then is tried again after that.
    rig.until(lambda: "Ended" in rig.one_card(case).text, "the card says it")
    rig.until(lambda: "Ended" in rig.roots()[0].text, "the receipt says it")
    rig.until(lambda: any("ended" in line for line in rig.lines(rig.roots()[0])), "its thread, too")
    rig.one_card(case)
    roots = rig.roots()
    assert len(roots) == 1
    lines = rig.lines(roots[0])
    assert len(lines) == len(set(lines)), lines
    for event in ("active until", "ended"):
        assert sum(event in line for line in lines) == 1, lines
    told = [words(message) for message in rig.slack.person(PEOPLE["dana"]).dms()]
    assert len(told) <= 1, told


def test_retry_after_is_obeyed(rig: Rig) -> None:
    case = rig.case()
    mark = rig.slack.calls.mark()
    wait_s = 3
    rig.slack.faults.add("chat.postMessage", times=1, status=429, retry_after_s=wait_s, where={"channel": case.channel})
    case.ask()
    case.card("Needs approval")
    posts = [
        call
        for call in rig.slack.calls.since(mark, "chat.postMessage")
        if call.arguments.get("channel") == case.channel
    ]
    assert [call.error for call in posts] == ["http_429", None], posts
    assert posts[1].at - posts[0].at >= wait_s - 0.05
    rig.one_card(case)
