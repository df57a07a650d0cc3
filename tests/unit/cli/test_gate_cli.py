"""`prodaccess gate` typed wrongly: one sentence, the code for that, and nobody is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.gate import client
from bot.gate.client import Answer

URL = "https://prodaccess.example.com"
SHA = "a1b2c3d4" * 5
ASK = ("gate", "orders-prod", "--change", "Release 42")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent, and to where. Whoever is called says no, with what nobody should see in a log."""
    for name in ("PRODACCESS_URL", "PRODACCESS_ID_TOKEN", "PRODACCESS_ID_TOKEN_FILE", "ACTIONS_ID_TOKEN_REQUEST_URL"):
        monkeypatch.delenv(name, raising=False)
    found: list[str] = []

    def call(method: str, url: str, *_: Any) -> Answer:
        found.append(f"{method} {url}")
        return Answer(403, {"error": "not_allowed", "sentence": "No.\n::set-output name=x::y \x1b[2J"})

    monkeypatch.setattr(client, "call", call)
    return found


def typed(*words: str, **env: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, list(words), env=env)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.output


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "PRODACCESS_URL is not set"),
        ("http://prodaccess.example.com", "PRODACCESS_URL must be an https:// address"),
        ("https://[::1", "PRODACCESS_URL must be an https:// address"),
        ("https://prodaccess.example.com:99999", "PRODACCESS_URL must be an https:// address"),
        ("https://prodaccess.example.com/a b", "PRODACCESS_URL must be an address alone"),
        ("https://dana@prodaccess.example.com", "PRODACCESS_URL must be an address alone"),
        ("https://prodaccess.example.com/?x=1", "PRODACCESS_URL must be an address alone"),
    ],
)
@pytest.mark.parametrize("command", [ASK, ("request", "payments-prod", "read-only", "INC-42", "why")])
def test_an_address_that_can_never_be_reached_is_told_at_once(
    called: list[str], command: tuple[str, ...], url: str, words: str
) -> None:
    code, said = typed(*command, PRODACCESS_URL=url, PRODACCESS_ID_TOKEN="jot")

    assert (code, words in said, called) == (2, True, []), said


@pytest.mark.parametrize("token", ["two words", "two\nlines", "\x1b", "jöt"])
def test_a_variable_that_holds_no_token_is_told_at_once_and_is_not_repeated(called: list[str], token: str) -> None:
    code, said = typed(*ASK, PRODACCESS_URL=URL, PRODACCESS_ID_TOKEN=token)

    assert (code, called) == (2, []), said
    assert "PRODACCESS_ID_TOKEN" in said
    assert token not in said


def test_a_file_of_the_token_that_cannot_be_read_is_told_at_once(called: list[str], tmp_path: Path) -> None:
    code, said = typed(*ASK, PRODACCESS_URL=URL, PRODACCESS_ID_TOKEN_FILE=f"{tmp_path}/none")

    assert (code, "PRODACCESS_ID_TOKEN_FILE" in said, called) == (2, True, []), said


@pytest.mark.parametrize(("text", "why"), [(None, "cannot be read"), ("no key", "holds no private key")])
def test_a_key_that_cannot_sign_is_told_at_once(called: list[str], tmp_path: Path, text: str | None, why: str) -> None:
    file = tmp_path / "gate.pem"
    if text is not None:
        file.write_text(text)

    code, said = typed(*ASK, "--key-file", str(file), "--commit", SHA, PRODACCESS_URL=URL)

    assert (code, why in said, called) == (2, True, []), said


@pytest.mark.parametrize("commit", ["", "a1b2c3d", "main", SHA + "0"])
def test_with_a_key_the_whole_commit_is_needed(called: list[str], tmp_path: Path, commit: str) -> None:
    """Nobody else says which one it is."""
    code, said = typed(*ASK, "--key-file", str(tmp_path / "gate.pem"), "--commit", commit, PRODACCESS_URL=URL)

    assert (code, "--commit" in said, called) == (2, True, []), said


def test_no_word_of_others_draws_over_the_log_of_the_job_or_begins_a_line(called: list[str]) -> None:
    """GitHub reads commands from lines that begin with two colons."""
    code, said = typed(*ASK, PRODACCESS_URL=URL, PRODACCESS_ID_TOKEN="jot")

    assert (code, len(called)) == (5, 1)
    assert said == "No. ::set-output name=x::y  [2J\n"
