"""Two chats, one of them in trouble: the other goes on, access is given and ended on time, and in the end both say the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.chat.outbox.outages import subject_of
from bot.chat.places import everything
from bot.sandbox.slack import words as slack_words
from bot.sandbox.teams import cards
from bot.sandbox.teams.connector import Answer
from tests.chaos.rig import Rig
from tests.support.installation import IN_BOTH, PEOPLE, SHORT
from tests.support.teams_side import ACCESS_LOG, buttons, id_in, words
from workflows.core import keys
from workflows.core.identity import TEAMS

pytestmark = pytest.mark.teams


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path, chats=("slack", "teams"), numbers=IN_BOTH) as running:
        yield running
        running.aws.proxy.calm()
        running.slack.faults.clear()
        running.teams.server.faults.clear()


def test_a_worker_killed_between_post_and_record_leaves_one_stray_copy_which_becomes_a_pointer(rig: Rig) -> None:
    """Nobody can look whether the post is there. Whoever finds the first copy is led to the other one."""
    case, teams, connector = rig.case(), rig.teams, rig.teams.server.connector
    post = connector.post
    place = teams.channel(case.in_teams.place)

    def post_and_die(conversation: str, body: dict[str, Any], reply_to: str | None = None) -> Answer:
        answer = post(conversation, body, reply_to)
        if conversation == place.id and rig.processes["worker"].alive():
            rig.kill("worker")
        return answer

    connector.post = post_and_die  # type: ignore[method-assign]
    case.ask()
    rig.until(lambda: not rig.processes["worker"].alive(), "the worker is gone, and its post stands")
    connector.post = post  # type: ignore[method-assign]
    rig.relaunch()
    rig.until(lambda: len(teams.posts(case.in_teams.place)) > 1, "another copy")
    rig.quiet()
    stray, known = teams.posts(case.in_teams.place)
    id_ = id_in(words(known))
    assert "Approve" in buttons(stray)
    # Nobody noted what it is called, and a client that names a message takes it from nobody else: it leads whoever presses it.
    for who in ("zed", "olu"):
        answer = teams.press(who, stray, "Approve")
        assert f"old copy of {id_}" in cards.words(answer.card)
    rig.quiet()
    assert rig.events(id_)["request.approved"] == 0
    case.approve(case.card(id_))
    rig.until(lambda: "Active" in words(teams.posts(case.in_teams.place)[1]), "the known copy goes on")
    assert rig.events(id_)["grant.active"] == 1


def test_while_one_chat_is_down_the_other_goes_on_and_access_ends_on_time(rig: Rig) -> None:
    case, teams = rig.case(), rig.teams
    shop = case.in_teams
    down = teams.server.faults.add("*", times=None, status=503)
    card = case.asked(rest=SHORT)
    id_ = id_in(slack_words(card))
    case.approve(card)
    rig.until(lambda: rig.has(case), "given while Teams is down")
    rig.until(lambda: "Ended" in slack_words(case.card(id_)), "ended and said in Slack")
    assert rig.gone(case)
    assert teams.posts(shop.place) == []
    teams.server.faults.remove(down)
    # What is over needs no card any more where there was none.
    teams.card(ACCESS_LOG, id_, "Ended")


def test_while_slack_is_down_what_is_done_in_teams_goes_on(rig: Rig) -> None:
    """Nobody is known from Slack here, so their accounts in Teams are the first."""
    case, teams = rig.case(), rig.teams
    shop = case.in_teams
    down = rig.slack.faults.add("*", times=None, status=503)
    id_ = shop.asks("same-thing", rest=SHORT)
    shop.approves(shop.card(id_, "Needs approval"))
    rig.until(lambda: rig.has(case), "given while Slack is down")
    rig.until(lambda: "Ended" in words(shop.card(id_)), "ended and said in Teams")
    assert rig.gone(case)
    teams.message("dana", "🏁 Ended", id_)
    down.times = 0
    rig.until(lambda: "Ended" in slack_words(case.card(id_)), "Slack says it once it can")


def test_a_secret_that_is_refused_stops_that_chat_alone_and_readyz_says_so(rig: Rig) -> None:
    case, teams = rig.case(), rig.teams
    secret, teams.server.login.password = teams.server.login.password, "another one"
    teams.server.faults.add("post", times=None, status=401)
    id_ = id_in(slack_words(case.active()))
    rig.until(lambda: "Teams" in str(rig.ready()["missing"]), "/readyz says so")
    rig.until(
        lambda: [text for text in case.direct("sue") if "TEAMS_APP_PASSWORD" in text], "so does a message in Slack"
    )
    rig.end(id_)
    rig.until(lambda: "Revoked" in slack_words(case.card(id_)), "Slack goes on")
    assert teams.posts(case.in_teams.place) == []
    teams.server.login.password = secret
    teams.server.faults.clear()
    rig.soon(keys.chat(subject_of(everything(TEAMS))))
    teams.card(ACCESS_LOG, id_, "Revoked")


def test_an_owner_without_the_app_is_named_on_the_card(rig: Rig) -> None:
    case = rig.case(channel=False)
    for name in PEOPLE:
        rig.teams.world.personal(rig.teams.person(name)).bot = name == "dana"
    rig.slack.faults.add(
        "chat.postMessage", times=None, error="messages_tab_disabled", where={"channel": PEOPLE["pat"]}
    )
    case.ask()
    rig.until(lambda: [text for text in case.direct("olu") if "Needs approval" in text], "one owner is reached")
    rig.until(lambda: [text for text in case.direct("olu") if "not reached" in text], "and reads who is not")
