"""`prodaccess demo`, as somebody meets it who has just cloned the repository."""

from __future__ import annotations

import os
import pty
import re
import signal
from io import StringIO
from pathlib import Path

import pytest

from bot.sandbox import demo
from bot.sandbox.slack import Message
from bot.sandbox.tour.render import Names, drawn
from bot.sandbox.tour.terminal import console_for
from tests.support.command import Command

MOMENTS = (
    "Nobody has access to anything.",
    "/prodaccess orders-prod read-only 3s ORD-17 checkout errors since the deploy",
    "Only Dana sees the answer",
    "Dana Dev asks for read-only in Orders · 🔴 production",
    "Needs approval from one of platform (@Olu Owner, @Pat Platform)",
    "[ Approve ]  [ Deny ]",
    "Max presses it, and is told in private",
    "you are not among",
    "You asked for this yourself",
    "Olu, an owner, presses Approve",
    "✅ Active until",
    "dana@example.com   ReadOnlyAccess   210987654321 (orders-prod)",
    "✅ You have read-only in Orders",
    "https://larkspur.awsapps.com/start/#/console",
    "aws sso login --profile orders-prod-read-only",
    "3 seconds pass",
    "Nobody has access to anything.",
    "🏁 Ended",
    "asked by Dana Dev for 3 s",
    "own request · #",
    "approved by Olu Owner · #",
    "ended: time was up, removal verified · #",
    "Nia Night has read-only in Orders · 🟡 staging",
    "approved automatically by the rule",
    "Active access: 1",
    "What just happened",
    "prodaccess sandbox",
    "make run",
)


def test_the_demo_tells_a_whole_life_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # Tokens of a real Slack and a Redis of somebody's own: neither may be used.
    real = {
        "SLACK_BOT_TOKEN": "xoxb-not-ours",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "HTTP_PROXY": "http://127.0.0.1:1",
    }
    played = Command(tmp_path, "bot.sandbox.demo", "--seconds", "3", **real)
    out, err = played.process.communicate(timeout=120)
    assert played.process.returncode == 0, (out, err)
    assert not err
    at = 0
    for moment in MOMENTS:
        found = out.find(moment, at)
        assert found >= 0, f"{moment!r} does not follow in\n{out[at:]}"
        at = found + len(moment)
    assert "Your environment has SLACK_BOT_TOKEN, REDIS_URL: the demo does not use it." in out
    assert "xoxb-not-ours" not in out
    assert "\x1b" not in out
    assert not re.search(r"<!|<@|[ ]$", out, re.MULTILINE)
    assert max(len(line) for line in out.splitlines()) <= 80
    assert played.nothing_is_left()


def test_an_interrupted_demo_takes_everything_down(tmp_path: Path) -> None:
    played = Command(tmp_path, "bot.sandbox.demo", "--seconds", "3")
    assert played.process.stdout is not None
    for line in played.process.stdout:
        if "The owners get a card" in line:
            break
    played.process.send_signal(signal.SIGINT)
    out, err = played.process.communicate(timeout=60)
    assert played.process.returncode == 130, (out, err)
    assert "Stopped. Nothing is left running." in out
    assert not err
    assert played.nothing_is_left()


@pytest.mark.parametrize("tour", [False, True])
def test_at_a_terminal_the_demo_ends_in_the_page(tmp_path: Path, tour: bool) -> None:
    here, there = pty.openpty()
    more = {"TOUR": "1"} if tour else {}
    played = Command(tmp_path, "bot.sandbox.demo", "--seconds", "3", stdout=there, TERM="dumb", **more)
    os.close(there)
    said = ""
    with open(here, encoding="utf-8", errors="replace") as terminal:
        while "Ctrl-C ends it" not in said:
            said += terminal.readline()
        played.process.send_signal(signal.SIGINT)
        _, err = played.process.communicate(timeout=60)
    assert played.process.returncode == 0, err
    assert re.search(r"http://127\.0\.0\.1:[0-9]+/sandbox/[-_A-Za-z0-9]{32,}/", said)
    assert ("What just happened" in said) is tour
    assert not err
    assert played.nothing_is_left()


def test_a_changed_policy_is_named_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "CONFIG", tmp_path)
    assert demo.main() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"The demo plays the example policy, and {tmp_path} is not valid: ")


def test_a_message_is_drawn_as_a_person_sees_it() -> None:
    text = (
        "*Dana* &amp; <@U1> see `it` <!date^0^{date_short_pretty}|1 Jan> in <https://example.com|the _log_> &lt;now&gt;"
    )
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    out = StringIO()
    console_for(out).print(drawn(Message("1.0", "C1", "U0", "", blocks), Names({"U1": "Olu"})))
    said = out.getvalue().strip()
    assert re.fullmatch(r"Dana & @Olu see it (Jan 1|Dec 31) in the _log_ <now>", said), said
