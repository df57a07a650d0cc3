"""Groups from PagerDuty and from https addresses, against servers on this machine that answer as theirs are documented to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.directory import http_json as fetch
from bot.directory.external_groups import OutsideGroups
from bot.settings import named_secret
from bot.settings.secrets import Secrets
from workflows.core import calls
from workflows.core.policy import Group
from workflows.ports import DirectoryUnreachable

TOKEN = "y_NbAkKc66ryYTWUXYEu"


@dataclass
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    # All that goes over the wire, in place of an answer by the rules.
    wire: bytes | None = None
    drips: bool = False
    after_s: float = 0.0


@dataclass
class Outside:
    """A server of somebody else. `answer` makes what it says; `seen` are paths, queries and headers."""

    url: str = ""
    answer: Callable[[str, dict[str, list[str]]], Answer] = lambda _path, _query: Answer([])
    seen: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def outside() -> Iterator[Outside]:
    state = Outside()
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            state.seen.append((parts.path, query, dict(self.headers)))
            found = state.answer(parts.path, query)
            done.wait(found.after_s)
            body = found.wire or (found.raw if found.raw is not None else json.dumps(found.body).encode())
            if found.wire is None:
                self.send_response(found.status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
            self.close_connection = True
            try:
                for part in [body[i : i + 1] for i in range(len(body))] if found.drips else [body]:
                    self.wfile.write(part)
                    self.wfile.flush()
                    if found.drips and done.wait(0.05):
                        return
            except OSError:
                return

        def log_request(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
    yield state
    done.set()
    server.shutdown()
    server.server_close()


def groups(outside: Outside, token: str | None = TOKEN, clock: Callable[[], float] = time.monotonic) -> OutsideGroups:
    return OutsideGroups(lambda _name: token, outside.url, clock)


def schedule(id_: str = "PI7DH85") -> Group:
    return Group("pager", pagerduty_schedule=id_, token_env="PAGERDUTY_TOKEN")


def listed(outside: Outside, path: str = "/people", token: str | None = "PEOPLE_TOKEN") -> Group:
    return Group("auditors", https=f"{outside.url}{path}", token_env=token)


def on_call(email: str | None, schedule_id: str = "PI7DH85") -> dict[str, Any]:
    """As the reference of `GET /oncalls` shows it, with `include[]=users`."""
    user = {"id": "PT23IWX", "type": "user", "summary": "Tim Wright", "name": "Tim Wright", "email": email}
    return {
        "escalation_policy": {"id": "PT20YPA", "type": "escalation_policy_reference", "summary": "Engineering"},
        "escalation_level": 2,
        "schedule": {"id": schedule_id, "type": "schedule_reference", "summary": "Daily Engineering Rotation"},
        "user": {name: value for name, value in user.items() if value is not None},
        "start": "2026-11-20T15:28:51-05:00",
        "end": "2026-11-27T15:28:51-05:00",
    }


def page(*entries: Any, more: bool = False, offset: int = 0) -> Answer:
    return Answer({"oncalls": list(entries), "limit": 100, "offset": offset, "more": more, "total": None})


def why_not(found: OutsideGroups, group: Group) -> str:
    with pytest.raises(DirectoryUnreachable) as problem:
        found.members(group)
    assert TOKEN not in str(problem.value)
    assert "127.0.0.1" not in str(problem.value)
    return str(problem.value)


# ---------------------------------------------------------------- PagerDuty


def test_each_question_is_told_of_without_its_address(outside: Outside):
    outside.answer = lambda path, _query: page() if path == "/oncalls" else Answer([], status=500)
    heard: list[calls.Call] = []
    over = calls.listen(heard.append)
    try:
        groups(outside).members(schedule())
        why_not(groups(outside), listed(outside))
    finally:
        over()
    assert [(call.service, call.method, call.error) for call in heard] == [
        ("pagerduty", "oncalls", ""),
        ("https", "group", "http_500"),
    ]


def test_whoever_is_on_call_in_the_schedule_is_a_member(outside: Outside):
    outside.answer = lambda _path, _query: page(on_call("Nia@Example.com"), on_call("nia@example.com"))
    assert groups(outside).members(schedule()) == {"nia@example.com"}
    ((path, query, headers),) = outside.seen
    assert path == "/oncalls"
    assert query["schedule_ids[]"] == ["PI7DH85"]
    assert query["include[]"] == ["users"]
    assert headers["Authorization"] == f"Token token={TOKEN}"
    assert headers["Accept"] == "application/vnd.pagerduty+json;version=2"


def test_all_pages_are_read(outside: Outside):
    people = [f"p{number}@example.com" for number in range(3)]

    def answer(_path: str, query: dict[str, list[str]]) -> Answer:
        number = int(query["offset"][0]) // int(query["limit"][0])
        return page(on_call(people[number]), more=number < 2, offset=int(query["offset"][0]))

    outside.answer = answer
    assert groups(outside).members(schedule()) == set(people)
    assert len(outside.seen) == 3


def test_a_list_without_an_end_is_no_answer(outside: Outside):
    outside.answer = lambda _path, _query: page(on_call("nia@example.com"), more=True)
    assert why_not(groups(outside), schedule()) == "PagerDuty answered more than it should"
    assert len(outside.seen) == 10


def test_nobody_on_call_is_nobody(outside: Outside):
    outside.answer = lambda _path, _query: page()
    assert groups(outside).members(schedule()) == frozenset()


@pytest.mark.parametrize(
    "entry", [on_call(None), on_call("nia"), on_call("a@b@example.com"), {}, "x", None, on_call("n@example.com", "P2")]
)
def test_an_answer_that_is_not_what_was_asked_adds_nobody(outside: Outside, entry: Any):
    outside.answer = lambda _path, _query: page(on_call("pat@example.com"), entry)
    assert why_not(groups(outside), schedule()).startswith("PagerDuty answered ")


# ---------------------------------------------------------------- any address


@pytest.mark.parametrize(
    "wrap", [lambda names: names, lambda names: {"members": names}, lambda names: {"emails": names}]
)
def test_a_list_of_addresses_are_the_members(outside: Outside, wrap: Callable[[list[str]], Any]):
    outside.answer = lambda _path, _query: Answer(wrap(["Sue@example.com", "pat@example.com"]))
    assert groups(outside, "people-token").members(listed(outside)) == {"sue@example.com", "pat@example.com"}
    assert outside.seen[0][2]["Authorization"] == "Bearer people-token"


def test_no_token_is_sent_where_none_is_named(outside: Outside):
    outside.answer = lambda _path, _query: Answer([])
    groups(outside).members(listed(outside, token=None))
    assert "Authorization" not in outside.seen[0][2]


NO_LISTS = [
    {}, {"members": None}, {"people": ["a@example.com"]}, ["a@example.com", 3], ["nobody"], "a@example.com", None,
    [["a@example.com"]], ["a@example.com"] * 1001,
]  # fmt: skip


@pytest.mark.parametrize("body", NO_LISTS)
def test_garbage_adds_nobody(outside: Outside, body: Any):
    outside.answer = lambda _path, _query: Answer(body)
    assert why_not(groups(outside), listed(outside)) == "its address answered something that is not a list of addresses"


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_adds_nobody(outside: Outside, raw: bytes):
    outside.answer = lambda _path, _query: Answer(raw=raw)
    assert "is not JSON" in why_not(groups(outside), listed(outside))


def test_more_than_fits_is_not_read(outside: Outside):
    outside.answer = lambda _path, _query: Answer(raw=b'["' + b"x" * fetch.BYTES_MAX + b'"]')
    assert "more than it should" in why_not(groups(outside), listed(outside))


def test_a_redirect_to_another_host_is_not_followed_and_gets_no_token(outside: Outside):
    there = outside.url.replace("127.0.0.1", "localhost")
    elsewhere = Answer(status=302, headers={"Location": f"{there}/stolen"})
    outside.answer = lambda path, _query: elsewhere if path == "/people" else Answer([])
    assert "points to another address" in why_not(groups(outside), listed(outside))
    assert [path for path, *_ in outside.seen] == ["/people"]


def test_a_redirect_on_the_same_host_is_followed(outside: Outside):
    moved = Answer(status=301, headers={"Location": "/people/"})
    outside.answer = lambda path, _query: moved if path == "/people" else Answer(["sue@example.com"])
    assert groups(outside).members(listed(outside)) == {"sue@example.com"}


def test_a_secret_does_not_travel_in_the_clear(outside: Outside):
    group = Group("auditors", https="http://people.example.com/x", token_env="PEOPLE_TOKEN")
    assert why_not(groups(outside), group) == "its address is not an https address"


# ---------------------------------------------------------------- trouble, the same for both


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_said(outside: Outside, status: int):
    outside.answer = lambda _path, _query: Answer({"error": {"message": "no"}}, status)
    assert why_not(groups(outside), schedule()) == "PagerDuty refused the token"


@pytest.mark.parametrize("header", ["Retry-After", "ratelimit-reset"])
def test_whoever_asks_for_patience_is_not_asked_before(outside: Outside, header: str):
    now_s = [100.0]
    outside.answer = lambda _path, _query: Answer({}, 429, {header: "30"})
    found = groups(outside, clock=lambda: now_s[0])
    for _ in range(3):
        assert why_not(found, schedule()) == "PagerDuty asked to be left alone for a while"
    assert len(outside.seen) == 1
    now_s[0] += 31
    outside.answer = lambda _path, _query: page(on_call("nia@example.com"))
    assert found.members(schedule()) == {"nia@example.com"}


def test_patience_without_a_number_is_a_minute(outside: Outside):
    now_s = [100.0]
    outside.answer = lambda _path, _query: Answer({}, 429, {"Retry-After": "Sat, 21 Nov 2026 03:00:00 GMT"})
    found = groups(outside, clock=lambda: now_s[0])
    why_not(found, schedule())
    now_s[0] += 59
    why_not(found, schedule())
    assert len(outside.seen) == 1


def test_an_error_is_said_with_its_number(outside: Outside):
    outside.answer = lambda _path, _query: Answer({}, 500)
    assert why_not(groups(outside), listed(outside)) == "its address answered with an error (500)"


def test_no_answer_in_time_is_no_answer(outside: Outside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.2)
    outside.answer = lambda _path, _query: Answer([], after_s=5)
    assert "did not answer in time" in why_not(groups(outside), listed(outside))


def test_a_byte_at_a_time_is_no_answer_either(outside: Outside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.3)
    outside.answer = lambda _path, _query: Answer(["sue@example.com"] * 20, drips=True)
    began_s = time.monotonic()
    assert "did not answer in time" in why_not(groups(outside), listed(outside))
    assert time.monotonic() - began_s < 15, "the answer takes twenty seconds and more to drip"


def test_nobody_at_home_is_said(outside: Outside):
    group = Group("auditors", https="http://127.0.0.1:1/people")
    assert why_not(groups(outside), group) == "its address could not be reached"


BAD_TOKENS = [(None, "is not set"), ("", "is not set"), ("a\nb", "is not one word"), ("ä", "is not one word")]


@pytest.mark.parametrize(("token", "words"), BAD_TOKENS)
def test_a_token_that_is_missing_or_broken_is_not_sent(outside: Outside, token: str | None, words: str):
    assert words in why_not(groups(outside, token), schedule())
    assert outside.seen == []


# ---------------------------------------------------------------- where the secrets come from


def test_a_named_secret_comes_from_its_variable_or_its_file(tmp_path):
    (tmp_path / "token").write_text("from-a-file\n")
    assert named_secret("PEOPLE_TOKEN", {"PEOPLE_TOKEN": "plain"}) == "plain"
    assert named_secret("PEOPLE_TOKEN", {"PEOPLE_TOKEN_FILE": str(tmp_path / "token")}) == "from-a-file"
    assert named_secret("PEOPLE_TOKEN", {"PEOPLE_TOKEN_FILE": str(tmp_path / "gone")}) is None
    assert named_secret("PEOPLE_TOKEN", {}) is None


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "REDIS_URL", "AWS_SECRET_ACCESS_KEY", "SLACK_BOT_TOKEN_FILE"])
def test_our_own_secrets_are_sent_to_no_address_in_the_policy(name: str):
    assert named_secret(name, {name: "secret"}) is None


def test_a_token_that_is_refused_makes_room_for_the_other_one_of_its_file(outside: Outside, tmp_path):
    (tmp_path / "token").write_text("not-valid-yet\nstill-valid\n")
    secrets = Secrets({}, {}, {"PEOPLE_TOKEN_FILE": str(tmp_path / "token")})

    def answer(_path: str, _query: dict[str, list[str]]) -> Answer:
        valid = outside.seen[-1][2]["Authorization"] == "Bearer still-valid"
        return Answer(["dana@example.com"]) if valid else Answer({}, 401)

    outside.answer = answer
    asked = OutsideGroups(secrets.named_value, outside.url, time.monotonic, secrets.named_refused)
    assert asked.members(listed(outside)) == {"dana@example.com"}
    assert len(outside.seen) == 2
    assert ["PEOPLE_TOKEN" in each for each in secrets.attention()] == [True]
    # Where both are refused it says so, once for each.
    outside.answer = lambda _path, _query: Answer({}, 401)
    (tmp_path / "token").write_text("neither\nnor\n")
    assert "refused the token" in why_not(asked, listed(outside))
    assert len(outside.seen) == 4
