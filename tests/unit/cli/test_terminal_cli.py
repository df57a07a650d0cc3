"""`prodaccess request`, `approve`, `break-glass`: what is wrong is one sentence, and nothing is sent before it is."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.terminal_access import client

ASK = ["request", "payments-prod", "read-only", "1h", "INC-42", "why"]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "PRODACCESS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def typed(*words: str, **env: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, list(words), env=env)
    return found.exit_code, found.output


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({}, "PRODACCESS_URL is not set; request needs it"),
        ({"PRODACCESS_URL": "http://prodaccess.example.com"}, "must be an https:// address"),
        ({"PRODACCESS_URL": "https://prodaccess.example.com"}, "There are no AWS credentials on this machine"),
    ],
)
def test_what_is_missing_is_said(env: dict[str, str], sentence: str) -> None:
    code, said = typed(*ASK, **env)

    assert (code, sentence in said) == (2, True), said


def test_a_profile_that_is_not_there_is_said() -> None:
    code, said = typed(*ASK, "--profile", "nobody", PRODACCESS_URL="https://prodaccess.example.com")

    assert code == 2
    assert "(nobody)" in said or "nobody" in said


def test_an_answer_is_printed_and_a_refusal_ends_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    def do(_: object, line: str) -> str:
        lines.append(line)
        if "admin" in line:
            raise client.Refused("This is refused.", 1)
        return "You asked."

    monkeypatch.setattr(client.Terminal, "do", do)
    env = {
        "PRODACCESS_URL": "https://prodaccess.example.com/",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "s",
    }

    assert typed(*ASK, **env) == (0, "You asked.\n")
    assert typed("approve", "PA-1042", "--yes", **env) == (0, "You asked.\n")
    assert typed("break-glass", "payments-prod", "admin", "now", **env) == (1, "This is refused.\n")
    assert lines == [" ".join(ASK), "approve PA-1042", "break-glass payments-prod admin now"]


def test_help_needs_no_sdk_and_names_the_profile() -> None:
    assert "--profile" in typed("request", "-h")[1]


@pytest.mark.parametrize(
    ("answer", "code", "sent"),
    [("y\n", 0, ["show PA-7", "approve PA-7"]), ("n\n", 1, ["show PA-7"]), ("", 1, ["show PA-7"])],
)
def test_nothing_is_approved_that_was_not_shown_and_said_yes_to(
    monkeypatch: pytest.MonkeyPatch, answer: str, code: int, sent: list[str]
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(client.Terminal, "do", lambda _, line: lines.append(line) or "Dana asks.")
    env = {
        "PRODACCESS_URL": "https://prodaccess.example.com",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "s",
    }
    found = CliRunner().invoke(app, ["approve", "PA-7"], env=env, input=answer)

    assert (found.exit_code, lines) == (code, sent)
    assert "Dana asks." in found.output
