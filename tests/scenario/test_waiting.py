"""Nobody waits for ever, on running processes: the next group, a delegate, and groups that others keep."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.sandbox.slack import words
from tests.support.installation import PEOPLE, WAITING, Case, Installation, case_name, eventually, id_in
from workflows.core import keys
from workflows.core.records.request import Request

ESCALATED, HANDED_OVER, ON_WATCH, UNKNOWN = WAITING[:4]
TOKEN = "watch-token-1"


class People(BaseHTTPRequestHandler):
    """Somebody else's list of who is on watch; it asks for its token, and one of its addresses is broken."""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == f"Bearer {TOKEN}"
        status = 500 if self.path == "/broken" else 200 if allowed else 401
        body = json.dumps({"members": ["nia@example.com", "zed@elsewhere.example"]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: object) -> None:
        """Quiet."""


def _prepare(folder: Path, address: str) -> None:
    workspace = folder / "prodaccess.yaml"
    groups = "".join(
        f'  {name}: {{https: "{address}/{name}", token: {{env: WATCH_TOKEN}}}}\n' for name in ("watch", "broken")
    )
    workspace.write_text(workspace.read_text().replace("groups:\n", f"groups:\n{groups}", 1))
    for number, owners, more in (
        (ESCALATED, "[platform]", "escalate: {after: 3s, to: [watch], may_approve: true}\n"),
        (ON_WATCH, "[watch]", ""),
        (UNKNOWN, "[platform, broken]", ""),
    ):
        file = folder / "environments" / f"{case_name(number)}.yaml"
        file.write_text(file.read_text().replace("owners: [platform]", f"owners: {owners}") + more)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), People)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATCH_TOKEN", TOKEN)
        folder = tmp_path_factory.mktemp("waiting")
        with Installation(folder, prepare=lambda config: _prepare(config, address), numbers=WAITING) as running:
            yield running
    server.shutdown()
    server.server_close()


def test_the_next_group_is_called_once_and_may_let_somebody_in(waiting: Installation):
    case = Case(waiting, ESCALATED)
    card = case.asked()
    id_ = id_in(words(card))
    told = case.card("escalated to watch")
    waiting.quiet()
    thread = waiting.slack.person(PEOPLE["nia"]).thread(case.channel, card.ts)
    assert [reply.pinged for reply in thread] == [(PEOPLE["nia"],)]
    assert "watch called" in waiting.told("dana", f"show {id_}")
    # The clock that called them is killed, and another one finds nothing to do again.
    waiting.kill("clock")
    waiting.launch("clock")
    waiting.wait_ready()
    waiting.soon(keys.chase_due(id_))
    waiting.quiet()
    case.approve(told, "nia")
    case.card("Active", "approved by Nia")
    assert case.has_access()
    assert waiting.events(id_).count("request.escalated") == 1
    waiting.told("dana", f"end {id_}")
    case.card("Ended", id_)


def test_an_escalation_while_somebody_approves_harms_neither(waiting: Installation):
    case = Case(waiting, ESCALATED)
    card = case.asked(rest="1h INC-43 at the same moment")
    id_ = id_in(words(card))
    request = waiting.ledger().read(keys.request(id_)).get(keys.request(id_), Request)
    assert request is not None
    due = request.created_at + timedelta(seconds=3)
    eventually(lambda: waiting.ledger().now() >= due - timedelta(milliseconds=30), "its moment")
    with ThreadPoolExecutor(2) as both:
        called = both.submit(waiting.soon, keys.chase_due(id_))
        assert both.submit(waiting.types, "olu", f"approve {id_}").result().ok
        called.result()
    case.card("Active", id_, "approved by Olu")
    waiting.quiet()
    events = waiting.events(id_)
    assert events.count("request.approved") == 1
    assert events.count("request.escalated") <= 1
    assert "request.escalated" not in events[events.index("request.approved") :], "nobody is called for what is decided"
    waiting.told("dana", f"end {id_}")


def test_a_delegate_decides_for_somebody_who_is_away_and_never_for_them(waiting: Installation):
    case = Case(waiting, HANDED_OVER)
    assert "Zed decides in your place until" in waiting.told("olu", "delegate @zed until 3d")
    try:
        card = case.asked()
        assert "Zed decides for Olu until" in words(card)
        assert PEOPLE["zed"] in card.pinged
        assert PEOPLE["olu"] not in card.pinged
        case.approve(card, "zed")
        case.card("Active", "approved by Zed for Olu")
        own = case.asked("olu")
        case.press("zed", own, "approve")
        case.whispered("zed", "can decide this, and you are not among them")
        assert "Needs approval" in words(case.card("Olu asks for"))
        assert any("you decide in their place" in text for text in case.direct("zed"))
    finally:
        assert "Your delegation has ended" in waiting.told("olu", "delegate off")
        case.tidy()


def test_a_group_behind_an_https_address_approves(waiting: Installation):
    case = Case(waiting, ON_WATCH)
    card = case.asked()
    case.press("olu", card, "approve")
    case.whispered("olu", "you are not among them")
    case.approve(card, "nia")
    case.card("Active", "approved by Nia")
    assert TOKEN not in waiting.logs()


def test_a_group_that_cannot_be_learnt_adds_nobody_and_the_card_says_so(waiting: Installation):
    case = Case(waiting, UNKNOWN)
    card = case.asked()
    assert "Who is in broken is not known just now: its address answered with an error (500)" in words(card)
    case.approve(card, "pat")
    case.card("Active", "approved by Pat")
