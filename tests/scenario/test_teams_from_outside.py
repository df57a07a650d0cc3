"""What anybody can send to `/api/messages` of a running web: it is refused, or done once, and nothing of it is in the log."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from bot.chat.messages.form_sent import NOTHING_HERE
from bot.sandbox.teams import activities
from bot.sandbox.teams.people import Json
from tests.support.installation import Installation
from tests.support.teams_side import HEARD, Shop, TeamsSide, id_in, words
from workflows.core import keys
from workflows.core.records.request import Request

pytestmark = pytest.mark.teams


@pytest.fixture
def teams(in_teams: Installation) -> TeamsSide:
    return in_teams.teams


@pytest.fixture
def shop(in_teams: Installation) -> Shop:
    return in_teams.case().in_teams


def typed(teams: TeamsSide, text: str = "help", who: str = "dana") -> Json:
    return teams.server.client.typed(teams.person(who), text)[1]


MARK = "never-in-a-log"


def test_what_is_forged_foreign_or_broken_is_refused_and_leaves_no_trace_of_itself(
    in_teams: Installation, teams: TeamsSide
) -> None:
    send, good = teams.server.courier.send, typed(teams, MARK)
    token = activities.token(teams.world, teams.server.keys, teams.server.courier.service_url)
    in_teams.quiet()
    before = len(teams.chat("dana"))
    statuses = [
        send(good, body=MARK.encode() * 200_000).status,
        send(good, body=json.dumps([good]).encode()).status,
        send(good, body=b'{"type": "message", "text": "' + MARK.encode()).status,
        send(good, body=b"\xff\xfe").status,
        send(good, authorization="").status,
        send(good, authorization=f"Bearer {token[:-4]}{MARK[:4]}").status,
        send(good, authorization=f"bearer {MARK}").status,
        send(good | {"serviceUrl": f"https://{MARK}.example/"}).status,
        send(good | {"channelId": "webchat"}).status,
        send(good | {"conversation": {**good["conversation"], "tenantId": "another"}}).status,
        send(good | {"type": MARK}).status,
        send(good | {"type": "invoke", "name": MARK}).status,
    ]
    assert all(status < 500 for status in statuses), statuses
    assert statuses[-2:] == [200, 200], "what we do not know is no error"
    assert all(status in (0, 400, 401, 403, 413) for status in statuses[:-2]), statuses
    in_teams.quiet()
    assert len(teams.chat("dana")) == before, "nothing came of any of it"
    logs = in_teams.logs()
    for secret in (MARK, token, token.split(".")[2], teams.server.login.password):
        assert secret not in logs


def test_an_automatic_refresh_does_nothing(teams: TeamsSide, shop: Shop) -> None:
    card = shop.asked()
    data = {"action": "approve", "value": id_in(words(card))}
    press = activities.invoke(
        teams.world,
        teams.server.courier.service_url,
        teams.person("olu"),
        teams.channel(shop.place),
        card,
        {"verb": "press", "data": data},
    )
    press["value"]["trigger"] = "automatic"
    answer = teams.server.courier.send(press)
    assert (answer.status, answer.said) == (200, NOTHING_HERE)
    teams.told("dana", f"withdraw {id_in(words(card))}", "You took back")


def test_what_is_delivered_again_is_done_once_and_answered_as_before(
    in_teams: Installation, teams: TeamsSide, shop: Shop
) -> None:
    """As Teams does where no answer came within fifteen seconds; and all at the same time."""
    id_ = shop.asks()
    shop.card(id_, "Needs approval")
    again = teams.server.courier.sent[-1]
    assert teams.server.courier.send(again).status == 200
    in_teams.quiet()
    assert len([one for one in teams.posts(shop.place) if "Needs approval" in words(one)]) == 1
    teams.told("pat", "mine")  # what is known of Pat is fresh
    card = shop.card(id_)
    first = teams.press("pat", card, "Approve")
    assert first.said in HEARD
    pressed = teams.server.courier.sent[-1]
    assert teams.server.courier.send(pressed).body == first.body
    shop.card(id_, "Active")
    request = in_teams.ledger().read(keys.request(id_)).get(keys.request(id_), Request)
    assert request is not None
    assert len(request.votes) == 1
    assert in_teams.events(id_).count("request.approved") == 1
    shop.end(id_)


def test_what_is_for_whoever_runs_it_is_not_on_the_port_that_is_for_everybody(
    in_teams: Installation, teams: TeamsSide
) -> None:
    teams.told("dana", "mine")
    with urllib.request.urlopen(f"http://127.0.0.1:{in_teams.ops_port}/metrics", timeout=30) as answer:
        assert 'prodaccess_acts_total{kind="command"}' in answer.read().decode()
    for path in ("metrics", "readyz"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{in_teams.port}/{path}", timeout=30)
        assert refused.value.code == 404
        refused.value.close()


def test_one_address_that_proves_nothing_is_soon_left_alone_and_nobody_else(teams: TeamsSide) -> None:
    """Behind a proxy on this machine, which says for whom it asks."""
    good = typed(teams, "mine")
    stranger, other = ({"X-Forwarded-For": address} for address in ("8.8.4.4", "8.8.8.8"))
    answers = [teams.server.courier.send(good, authorization="Bearer x", headers=stranger).status for _ in range(60)]
    assert set(answers) == {401, 429}
    assert teams.server.courier.send(good, headers=other).status == 200
