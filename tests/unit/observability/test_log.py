"""One line an event, and no secret in any of them."""

import io
import json
import logging
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import structlog

from bot.observability import log
from bot.observability.redaction import HIDDEN, TEXT_CHARS_MAX, Redactor

SIGNING = "0123456789abcdef" * 2
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ\nabc\n-----END PRIVATE KEY-----"

# Text that holds a secret, and the part that must not be seen.
SECRETS = [
    ("token " + "xoxb-" + "12-ab-CD", "12-ab-CD"),
    ("xoxe." + "xoxp-" + "1-Mi0yLTEyMw", "Mi0yLTEyMw"),
    ("xapp-" + "1-A0-77-feed", "77-feed"),
    ("key " + "AKIA" + "IOSFODNN7EXAMPLE.", "IOSFODNN7"),
    ("ASIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    ("AWS4-HMAC-SHA256 Credential=x/20260101/eu/iam/aws4_request, SignedHeaders=host, Signature=fe5f80", "fe5f80"),
    ("redis://user:pass/w@rd@redis.example:6379/0", "pass/w@rd"),
    ("rediss://:s3cret@h", "s3cret"),
    ("postgres://bob:s3cret@h/db", "s3cret"),
    ("https://hooks.slack.com/services/T0/B0/s3cret", "s3cret"),
    ("https://prod-1.westeurope.logic.azure.com:443/workflows/1/invoke?sp=x&sig=s3cret", "s3cret"),
    ("https://x.webhook.office.com/webhookb2/s3cret@1/IncomingWebhook/2", "s3cret"),
    ("wss://wss-primary.slack.com/link/?ticket=s3cret&app_id=1", "s3cret"),
    ("https://b.s3.amazonaws.com/k?X-Amz-Signature=s3cret&X-Amz-Date=1", "s3cret"),
    (PEM, "MC4CAQAwBQYDK2VwBCIEIJ"),
    (repr(PEM), "MC4CAQAwBQYDK2VwBCIEIJ"),
    ("Authorization: Basic dXNlcjpzM2NyZXQ=", "dXNlcjpzM2NyZXQ"),
    ("{'Authorization': b'Digest user=x, response=s3cret'}", "s3cret"),
    ("sent Bearer abcdefghijklmnopqrstuvwx", "abcdefghijkl"),
    ('{"SecretAccessKey": "abc/s3cret", "a": 1}', "s3cret"),
    ('"{\\"SessionToken\\": \\"abc/s3cret\\"}"', "s3cret"),
    ("<SecretAccessKey>s3cret</SecretAccessKey>", "s3cret"),
    ("password='two s3cret words'", "s3cret"),
    ("client_secret=s3cret&grant_type=x", "s3cret"),
    (f"signed with {SIGNING}", SIGNING),
    # What comes to /api/messages, however its header is written down.
    ("{'authorization': 'Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmVk'}", "c2lnbmVk"),
    ("[(b'authorization', b'Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmVk')]", "c2lnbmVk"),
    ("Headers({'host': 'x', 'authorization': 'bearer not.a.token.at.all.but.long'})", "not.a.token"),
    ("DecodeError in 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmVk'", "c2lnbmVk"),
    ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.", "eyJpc3MiOiJhIn0"),
    # What goes out: tokens of the app, and the addresses of webhooks in what requests says of a failure.
    ('{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0eXAi-s3cret"}', "s3cret"),
    ("client_id=1&client_secret=s3~cret&scope=https%3A%2F%2Fapi.botframework.com%2F.default", "s3~cret"),
    (
        "HTTPSConnectionPool(host='prod-1.westeurope.logic.azure.com', port=443): Max retries exceeded with url: "
        "/workflows/1/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers&sv=1.0&sig=s3cret (Caused by x)",
        "s3cret",
    ),
    ("https://default1.2.environment.api.powerplatform.com:443/powerautomate/automations/direct/s3cret?x=1", "s3cret"),
    ("https://prod-1.usgovtexas.logic.azure.us/workflows/s3cret", "s3cret"),
]


@pytest.fixture(autouse=True)
def nothing_was_told_before() -> None:
    log._told.clear()


@pytest.fixture
def lines() -> Callable[..., Callable[[], list[dict[str, Any]]]]:
    def start(**rest: Any) -> Callable[[], list[dict[str, Any]]]:
        stream = io.StringIO()
        log.configure("worker", stream=stream, secrets=[SIGNING], **rest)
        return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]

    return start


def test_a_line_says_when_what_and_which_process(lines: Any) -> None:
    read = lines()
    structlog.get_logger("bot.x").info("granted", grant="PA-1042", calls=3)
    (line,) = read()
    assert list(line)[:4] == ["timestamp", "level", "process", "event"]
    assert (line["level"], line["process"], line["event"], line["calls"]) == ("info", "worker", "granted", 3)
    assert datetime.fromisoformat(line["timestamp"]).utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def test_a_line_carries_what_the_work_is_about(lines: Any) -> None:
    read = lines()
    with structlog.contextvars.bound_contextvars(request="PA-1", holding="h", job="j"):
        structlog.get_logger().info("x")
        logging.getLogger("library").warning("y")
    for line in read():
        assert (line["request"], line["holding"], line["job"]) == ("PA-1", "h", "j")


def test_libraries_write_the_same_lines(lines: Any) -> None:
    read = lines()
    logging.getLogger("a.library").info("started on %s", 3000)
    (line,) = read()
    assert (line["event"], line["logger"], line["process"]) == ("started on 3000", "a.library", "worker")


def test_what_a_library_says_and_raises_is_said_by_who_called(lines: Any) -> None:
    read = lines()
    logging.getLogger("slack_sdk.web.base_client").error("Failed to send a request to Slack API server")
    logging.getLogger("uvicorn.error").info("Started server process [1]")
    assert read() == []


def test_handlers_of_libraries_are_taken_off(lines: Any) -> None:
    other = io.StringIO()
    logging.getLogger("some.library").addHandler(logging.StreamHandler(other))
    read = lines()
    logging.getLogger("some.library").error("once")
    assert len(read()) == 1
    assert not other.getvalue()


def test_the_level_counts_for_all(lines: Any) -> None:
    read = lines(level="warning")
    structlog.get_logger().info("x")
    logging.getLogger("library").info("x")
    assert read() == []


def test_libraries_that_write_whole_requests_never_do(lines: Any) -> None:
    read = lines(level="debug")
    for name in ("botocore.endpoint", "botocore.auth", "urllib3.connectionpool", "slack_sdk.web", "slack_bolt.App"):
        logging.getLogger(name).debug("everything")
    assert read() == []
    structlog.get_logger().debug("ours")
    assert len(read()) == 1


def test_warnings_are_lines(lines: Any) -> None:
    read = lines()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "old" in read()[0]["event"]


@pytest.mark.parametrize("format_", ["json", "console"])
@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_no_secret_comes_out_of_any_place(text: str, secret: str, format_: str) -> None:
    stream = io.StringIO()
    log.configure("worker", stream=stream, format_=format_, secrets=[SIGNING])
    ours = structlog.get_logger("x")
    ours.info(text, plain=text, nested={"a": [text, (text,), {text}], text: 1}, raw=text.encode(), thing=Thing(text))
    logging.getLogger("y").warning("%s and %r", text, {"a": text})
    try:
        try:
            raise ValueError(text)
        except ValueError as first:
            first.add_note(text)
            raise RuntimeError("outer") from first
    except RuntimeError as error:
        ours.exception("failed")
        logging.getLogger("y").exception("failed, too")
        log.log_failure("failed again", error, context=text)
    with structlog.contextvars.bound_contextvars(request=text):
        ours.info("bound")
    assert secret not in stream.getvalue()
    assert stream.getvalue().count("Traceback") >= 3
    assert HIDDEN in stream.getvalue()


class Thing:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Thing({self.text})"


@pytest.mark.parametrize(
    "text",
    [
        "converged PA-1042 for dana@example.com until 2026-11-02T14:32:00Z",
        "POST https://slack.com/api/chat.postMessage took 0.1 s",
        "9f2c41d07ab3e5f60718293a4b5c6d7e8f901234",
        "the token bucket is empty",
        "arn:aws:iam::123456789012:role/prodaccess",
        "redis://127.0.0.1:6379/0",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor(["x", "short"]).text(text) == text


def test_a_field_with_a_telling_name_is_hidden_whatever_it_looks_like() -> None:
    clean = Redactor().value(
        {"password": "a b", "Slack-Signature": b"v0", "token": "t", "tokens_left": 4, "secret": ""}
    )
    assert clean == {
        "password": HIDDEN,
        "Slack-Signature": HIDDEN,
        "token": HIDDEN,
        "tokens_left": 4,
        "secret": "",
    }


def test_known_values_are_found_in_other_spellings() -> None:
    redactor = Redactor(['p@ss/"w\\rd'])
    for form in ('p@ss/"w\\rd', "p%40ss%2F%22w%5Crd", json.dumps('p@ss/"w\\rd'), repr('p@ss/"w\\rd')):
        assert "ss" not in redactor.text(f"x {form} y")


def test_long_text_is_cut_and_no_half_of_a_secret_is_left() -> None:
    text = "x" * (TEXT_CHARS_MAX - 10) + SIGNING + "x" * 100_000
    clean = Redactor([SIGNING]).text(text)
    assert len(clean) < TEXT_CHARS_MAX + 100
    assert SIGNING[:6] not in clean


def test_a_thing_that_contains_itself_is_no_trap() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "[...]" in str(Redactor().value(endless))


def test_a_line_that_cannot_be_formatted_gives_nothing_away(lines: Any, capsys: pytest.CaptureFixture[str]) -> None:
    read = lines()
    logging.getLogger("y").warning("%d", "xoxb-" + "12-ab-CD")
    assert "could not be written" in read()[0]["event"]
    out = capsys.readouterr()
    assert "12-ab-CD" not in out.err + out.out + json.dumps(read())


def test_a_failure_is_logged_under_the_number_that_the_person_is_told(lines: Any) -> None:
    read = lines()
    number = log.log_failure("failed", ValueError("why"), request="PA-1")
    assert re.fullmatch(r"E-[0-9A-HJKMNP-TV-Z]{5}", number)
    (line,) = read()
    assert line["error"] == number
    assert "ValueError: why" in line["exception"]


def failing(what: str) -> Exception:
    try:
        if what == "key":
            {}["a"]
        int(what)
    except (KeyError, ValueError) as problem:
        return problem
    raise AssertionError


def test_what_fails_alike_has_one_number_and_what_does_not_has_another() -> None:
    assert log.error_number(failing("x")) == log.error_number(failing("y"))
    assert log.error_number(failing("x")) != log.error_number(failing("key"))


def test_a_traceback_stands_in_the_log_once_and_what_comes_again_is_a_line(
    lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, now = lines(), [1000.0]
    monkeypatch.setattr(log, "monotonic_s", lambda: now[0])
    for _ in range(3):
        log.log_failure("failed", failing("x"), item="holding:H-1")
    now[0] += log.TRACEBACK_EVERY_S + 1
    log.log_failure("failed", failing("x"))
    found = read()
    assert ["exception" in line for line in found] == [True, False, False, True]
    assert len({line["error"] for line in found}) == 1
    assert found[1]["item"] == "holding:H-1"


UNCAUGHT = """
import threading
from bot.observability import log
log.configure("web", secrets=["hunter2hunter2"])
thread = threading.Thread(target=lambda: 1 / len("") if not "hunter2hunter2" else int("hunter2hunter2"))
thread.start(); thread.join()
token = "hunter2hunter2"
raise RuntimeError(token)
"""


def test_what_nobody_caught_is_a_line_without_secrets() -> None:
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"].split()[:2] for line in lines] == [["a", "thread"], ["the", "process"]]
    assert "hunter2hunter2" not in done.stdout + done.stderr
