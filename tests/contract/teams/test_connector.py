"""Our calls to the connector and to the login, against the stand-in: addresses, tokens, answers that are lost or lack an id."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from bot.chat.message import Line, message
from bot.chat.rich import ours
from bot.chat.surface import Means, NotDone, Posted
from bot.sandbox.teams.people import DANA, channel_id, guid
from bot.sandbox.teams.server import TeamsServer
from bot.settings import Secret
from bot.teams.client.connector import Connector, _time
from bot.teams.client.conversations import Conversation
from bot.teams.client.tokens import Tokens, TokensUnavailable
from tests.support.teams import MemoryShelf
from tests.support.teams_rig import settings_for, teams_surface
from workflows.core import calls
from workflows.core.destination import Destination, Kind
from workflows.core.identity import TEAMS

SAID = message(ours("one"), Line(ours("one")))
OPS = Destination(TEAMS, Kind.CHANNEL, channel_id("Orders ops"))
TO_DANA = Destination(TEAMS, Kind.PERSON, DANA.aad)


@pytest.fixture(scope="module")
def server() -> Iterator[TeamsServer]:
    with TeamsServer() as found:
        found.rates.enforced = False
        yield found


@pytest.fixture
def teams(server: TeamsServer) -> TeamsServer:
    server.faults.clear()
    server.faults.calls.clear()
    server.login.since = 0.0
    server.world.personal(DANA).bot = True
    return server


WRONG = Secret("TEAMS_APP_PASSWORD", ("wrong-secret",))


def refused(teams: TeamsServer, to: Destination = OPS, shelf: MemoryShelf | None = None) -> NotDone:
    with pytest.raises(NotDone) as caught:
        teams_surface(teams, shelf).post(to, SAID)
    return caught.value


def test_one_token_serves_until_it_is_nearly_over_and_another_one_is_for_graph(teams: TeamsServer) -> None:
    surface = teams_surface(teams)
    for _ in range(3):
        surface.post(OPS, SAID)
    assert teams.faults.counts("token") == 1
    assert surface.tokens.graph() != surface.tokens.bot()
    assert teams.faults.counts("token") == 2
    assert teams.faults.counts("openid") == 0


def test_a_token_that_was_taken_back_is_asked_for_again_once(teams: TeamsServer) -> None:
    surface = teams_surface(teams)
    surface.post(OPS, SAID)
    teams.faults.add("post", status=401, code="AuthorizationRequestDenied")
    surface.post(OPS, SAID)
    assert teams.faults.counts("token") == 2
    teams.faults.add("post", status=401, code="AuthorizationRequestDenied", times=2)
    with pytest.raises(NotDone) as caught:
        surface.post(OPS, SAID)
    assert caught.value.means is Means.ALL


def test_a_secret_that_is_refused_stops_everything_and_stands_in_no_message(teams: TeamsServer) -> None:
    tokens = Tokens(teams.base_url, teams.world.tenant, teams.world.app_id, WRONG)
    with pytest.raises(TokensUnavailable) as caught:
        tokens.bot()
    assert (caught.value.word, caught.value.means) == ("invalid_client", Means.ALL)
    assert "wrong-secret" not in repr(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "retry_after_s": 3},
        {"body": "<html>"},
        {"drop": "before"},
        {"body": {"token": 5}},
    ],
)
def test_a_login_that_does_not_answer_passes(teams: TeamsServer, fault: dict[str, object]) -> None:
    teams.faults.add("token", **fault)
    assert refused(teams).means is Means.LATER


@pytest.mark.parametrize(
    ("fault", "perhaps"),
    [
        ({"drop": "after"}, True),
        ({"drop": "before"}, True),
        ({"status": 502}, True),
        ({"status": 504}, True),
        ({"status": 412}, False),
        # Taken, and nobody says what it is called.
        ({"status": 202, "body": ""}, True),
        ({"status": 201, "body": "<html>"}, True),
        ({"status": 201, "body": {"id": ""}}, True),
        ({"status": 201, "body": {"id": ["x"]}}, True),
        ({"status": 201, "body": {"id": "a b"}}, True),
    ],
)
def test_what_nobody_knows_is_tried_again(teams: TeamsServer, fault: dict[str, object], perhaps: bool) -> None:
    teams.faults.add("post", **fault)
    problem = refused(teams)
    assert (problem.means, problem.perhaps_done) == (Means.LATER, perhaps)


def test_each_call_is_told_of_with_the_word_of_whoever_refused_it(teams: TeamsServer) -> None:
    heard: list[calls.Call] = []
    over = calls.listen(heard.append)
    try:
        teams_surface(teams).post(OPS, SAID)
        teams.faults.add("post", status=502)
        word = refused(teams).word
        with pytest.raises(TokensUnavailable):
            Tokens(teams.base_url, teams.world.tenant, teams.world.app_id, WRONG).bot()
    finally:
        over()
    found = [(call.service, call.method, call.error) for call in heard]
    assert {("teams", "post", ""), ("teams", "post", word), ("microsoft", "token", "")} <= set(found)
    assert found[-1][:2] == ("microsoft", "token")
    assert found[-1][2].startswith("http_4")


def test_a_hang_is_no_answer(teams: TeamsServer) -> None:
    teams.faults.add("post", delay_s=1.0)
    with pytest.raises(NotDone) as caught:
        teams_surface(teams, timeout_s=0.2).post(OPS, SAID)
    assert (caught.value.word, caught.value.perhaps_done) == ("no_answer", True)


class Elsewhere(BaseHTTPRequestHandler):
    """Sends whoever comes on to `/stolen`, and notes who went."""

    came: ClassVar[list[tuple[str, str]]] = []

    def do_POST(self) -> None:
        self.came.append((self.path, self.headers["Authorization"]))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", "/stolen")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_no_redirect_is_followed(teams: TeamsServer) -> None:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        with pytest.raises(NotDone) as caught:
            Connector(teams_surface(teams).tokens, (url,)).post(url, "a:1x", {})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert caught.value.word == "http_307"
    assert [path for path, _ in Elsewhere.came] == ["/v3/conversations/a%3A1x/activities"]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "http://127.0.0.1:1/teams/", "http://169.254.169.254/"])
def test_what_is_not_on_the_list_gets_no_token(teams: TeamsServer, elsewhere: str) -> None:
    surface = teams_surface(teams)
    surface.conversations.keep(Conversation(OPS.id, elsewhere, "channel", teams.world.tenant))
    with pytest.raises(NotDone) as caught:
        surface.post(OPS, SAID)
    assert (caught.value.word, caught.value.means) == ("address_not_listed", Means.PLACE)
    assert teams.faults.counts("token") == 0


def test_a_chat_is_made_once_and_known_from_then_on(teams: TeamsServer) -> None:
    surface = teams_surface(teams)
    first, second = surface.post(TO_DANA, SAID), surface.post(TO_DANA, SAID)
    assert first.to == second.to
    assert first.to.kind is Kind.DIRECT
    assert teams.faults.counts("create") == 1


def test_a_chat_that_is_not_there_any_more_is_made_anew(teams: TeamsServer) -> None:
    surface = teams_surface(teams)
    old = Conversation("a:1gone", teams.courier.service_url, "personal", teams.world.tenant, DANA.aad)
    surface.conversations.keep(old)
    assert surface.post(TO_DANA, SAID).to.id == teams.world.personal(DANA).id
    known = surface.conversations.personal(DANA.aad)
    assert known is not None
    assert known.id != old.id


def test_whoever_has_not_got_the_app_is_not_reached(teams: TeamsServer) -> None:
    teams.world.personal(DANA).bot = False
    problem = refused(teams, TO_DANA)
    assert (problem.word, problem.means) == ("not_installed", Means.PLACE)
    assert refused(teams, Destination(TEAMS, Kind.PERSON, guid("nobody"))).means is Means.PLACE


def test_a_group_chat_has_no_threads_and_nothing_is_asked(teams: TeamsServer) -> None:
    surface = teams_surface(teams)
    chat = next(one for one in teams.world.conversations.values() if one.kind == "groupChat")
    to = Destination(TEAMS, Kind.CHANNEL, chat.id)
    root = surface.post(to, SAID)
    before = teams.faults.counts("post")
    with pytest.raises(NotDone) as caught:
        surface.post(to, SAID, under=Posted(to, root.id))
    assert caught.value.word in surface.traits.never_threads
    assert teams.faults.counts("post") == before


def test_of_two_secrets_the_one_that_is_taken_is_used_and_the_other_named(teams: TeamsServer) -> None:
    secret = Secret("TEAMS_APP_PASSWORD", ("not-valid-yet", teams.login.password))
    tokens = Tokens(teams.base_url, teams.world.tenant, teams.world.app_id, secret)
    assert tokens.bot()
    assert secret.newest_is_refused()
    # The new one is valid now, and the old one is out of the file.
    teams.login.password = "not-valid-yet"
    secret.change(("not-valid-yet",))
    assert tokens.graph()


def test_other_clouds_have_other_names_for_the_same() -> None:
    gov = Tokens("https://login.microsoftonline.us", "t", "a", WRONG, "https://graph.microsoft.us/v1.0")
    assert (gov._connector, gov._graph) == ("https://api.botframework.us", "https://graph.microsoft.us")
    usual = Tokens("https://login.microsoftonline.com", "t", "a", WRONG, "https://graph.microsoft.com/v1.0")
    assert (usual._connector, usual._graph) == ("https://api.botframework.com", "https://graph.microsoft.com")


def test_settings_of_the_stand_in_are_taken(teams: TeamsServer) -> None:
    assert settings_for(teams).teams_is_on


@pytest.mark.parametrize(
    "date", ["", "soon", "Fri, 31 Dec 9999 23:59:59 -2359", "Thu, 01 Jan 1970 00:00:00 +9999999999", "x" * 9000]
)
def test_a_clock_of_theirs_that_means_nothing_is_not_gone_by(date: str) -> None:
    assert _time({"Date": date}) == 0.0
    assert _time({"Date": "Fri, 27 Nov 2026 07:00:00 GMT"}) == 1_795_762_800.0
