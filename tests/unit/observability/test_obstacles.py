"""What stands in a process's way is one sentence in the log, for as long as it lasts in /readyz, and tried again."""

import socket
from collections.abc import Callable, Iterator
from urllib.error import URLError

import pytest
from slack_sdk.errors import SlackApiError
from structlog.testing import capture_logs

from bot.chat.surface import Means
from bot.observability.obstacles import Obstacles, keep_trying, pause_s
from bot.runtime.listening import listen
from bot.slack.answers import MEANS
from bot.slack.refused import slack_words
from bot.slack.socket_mode import Line


def said(logs: list) -> list[str]:
    return [line["event"] for line in logs]


def test_the_same_obstacle_is_said_once_and_so_is_its_end() -> None:
    obstacles = Obstacles()
    with capture_logs() as logs:
        for _ in range(3):
            obstacles.stands("redis", "Redis is away.")
        assert obstacles.sentences() == ["Redis is away."]
        for _ in range(3):
            obstacles.gone("redis", "Redis is back.")
        assert obstacles.sentences() == []
        obstacles.stands("redis", "Redis is away.")
    assert said(logs) == ["Redis is away.", "Redis is back.", "Redis is away."]


def test_two_that_say_the_same_are_said_once() -> None:
    obstacles = Obstacles()
    with capture_logs() as logs:
        obstacles.stands("socket mode", "Slack cannot be reached.")
        obstacles.stands("bot token", "Slack cannot be reached.")
    assert said(logs) == ["Slack cannot be reached."]


def test_what_does_not_work_yet_is_tried_again_with_longer_pauses() -> None:
    answers: Iterator[object] = iter([OSError("a"), OSError("b"), OSError("b"), "worked"])
    pauses: list[float] = []

    def attempt() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with capture_logs() as logs:
        assert keep_trying(attempt, (OSError,), str, Obstacles(), "it", "It works.", pauses.append) == "worked"
    assert said(logs) == ["a", "b", "It works."]
    assert pauses == [1.0, 2.0, 4.0]
    assert pause_s(1000) == 30.0


def test_what_nobody_expected_is_not_waited_for() -> None:
    def attempt() -> None:
        raise LookupError("a fault of ours")

    with pytest.raises(LookupError):
        keep_trying(attempt, (OSError,), str, Obstacles(), "it", "It works.", pytest.fail)


# ---------------------------------------------------------------- the port


def test_a_taken_port_is_one_sentence_that_names_port_and_setting_and_is_taken_when_it_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        obstacles = Obstacles()
        with capture_logs() as logs, listen("127.0.0.1", port, obstacles, lambda _: other.close()) as ours:
            assert ours.getsockname()[1] == port
            with socket.create_connection(("127.0.0.1", port)):
                pass
    assert said(logs) == [
        f"Port {port} is taken by another program: end that one, or set PORT to another. It is tried again automatically.",
        f"Web listens on port {port} now.",
    ]
    assert obstacles.sentences() == []


def test_a_host_that_is_none_of_ours_is_said_with_the_setting() -> None:
    class GiveUp(Exception):
        pass

    def give_up(_: float) -> None:
        raise GiveUp

    obstacles = Obstacles()
    with pytest.raises(GiveUp):
        listen("192.0.2.1", 0, obstacles, give_up)
    assert "PRODACCESS_HOST" in obstacles.sentences()[0]


# ---------------------------------------------------------------- Slack


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            SlackApiError("no", {"ok": False, "error": "invalid_auth"}),
            "Slack refuses SLACK_X (invalid_auth): set it to y",
        ),
        (
            SlackApiError("no", {"ok": False, "error": "internal_error"}),
            "Slack answers with an error (internal_error).",
        ),
        (SlackApiError("no", b"<html>a proxy</html>"), "Slack answers with an error (status unknown)."),
        (URLError(socket.gaierror(-2, "Name or service not known")), "Slack cannot be reached (its name is not found)"),
        (URLError(ConnectionRefusedError(111, "Connection refused")), "Slack cannot be reached (connection refused)"),
        (TimeoutError(), "Slack cannot be reached (no answer in time)"),
        (Exception("wss://slack/link?ticket=secret"), "Slack cannot be reached (Exception)"),
    ],
)
def test_each_way_of_being_refused_is_one_sentence_without_an_address(problem: Exception, words: str) -> None:
    sentence = slack_words("SLACK_X", "y", problem)
    assert sentence.startswith(words)
    assert "secret" not in sentence
    assert "\n" not in sentence


def test_a_word_that_means_everything_elsewhere_means_the_token_here() -> None:
    """One table says what Slack's words mean; what closes a place is said of the token where no place was asked."""
    for word, meant in MEANS.items():
        problem = SlackApiError("no", {"ok": False, "error": word})
        refused = slack_words("SLACK_X", "y", problem).startswith("Slack refuses SLACK_X")
        assert refused == (meant in (Means.ALL, Means.PLACE)), word


class Client:
    """Answers in turn: an exception is raised, True connects, False means that it ended at once."""

    def __init__(self, line_ends: list[object]) -> None:
        self.answers = list(line_ends)
        self.line: Line | None = None
        self.connected = False
        self.tried = 0
        self.socket_mode_request_listeners: list[Callable[..., None]] = []

    def connect_to_new_endpoint(self) -> None:
        answer = self.answers.pop(0)
        self.tried += 1
        self.connected = answer is True
        if isinstance(answer, Exception):
            raise answer
        if not self.answers:
            assert self.line
            self.line.stop.set()

    def is_connected(self) -> bool:
        return self.connected

    def close(self) -> None:
        pass


def test_the_line_to_slack_is_opened_again_until_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = SlackApiError("no", {"ok": False, "error": "invalid_auth"})
    client, obstacles = Client([refused, refused, False, True]), Obstacles()
    client.line = line = Line(client, obstacles, pause_s=lambda _: 0.0)
    assert obstacles.sentences() == ["Slack's Socket Mode is not connected yet."]
    with capture_logs() as logs:
        line.hold()
    assert client.tried == 4
    first, last = said(logs)
    assert first.startswith("Slack refuses SLACK_APP_TOKEN (invalid_auth): ")
    assert last == "Slack's Socket Mode is connected."
    assert obstacles.sentences() == []
