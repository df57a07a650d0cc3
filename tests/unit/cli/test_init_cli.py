"""`prodaccess init` for a machine: sentences, exit codes, and what is next."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import check, init, slack
from bot.providers import know_providers


@pytest.fixture(autouse=True)
def providers() -> None:
    know_providers()


@pytest.fixture
def app() -> typer.Typer:
    found = typer.Typer()
    for each in (init, check, slack):
        each.register(found)
    return found


def run(app: typer.Typer, *words: str | Path, given: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words], input=given)
    return result.exit_code, result.stdout, result.stderr


def test_the_example_is_taken_from_a_file_and_from_standard_input(app: typer.Typer, tmp_path: Path) -> None:
    code, example, _ = run(app, "init", "--example-answers")
    assert code == 0
    (tmp_path / "answers.yaml").write_text(example)
    for folder, words, given in (("a", tmp_path / "answers.yaml", ""), ("b", "-", example)):
        code, out, err = run(app, "init", tmp_path / folder, "--answers", words, given=given)
        assert (code, err) == (0, "")
        assert run(app, "check", "--strict", tmp_path / folder / "config")[0] == 0
        for step in (
            "prodaccess slack manifest",
            "SLACK_BOT_TOKEN and SLACK_APP_TOKEN",
            "prodaccess doctor",
            "prodaccess up",
        ):
            assert step in out
    assert (tmp_path / "a" / ".env").read_text() == (tmp_path / "b" / ".env").read_text()


def test_nobody_to_ask_is_one_sentence(app: typer.Typer, tmp_path: Path) -> None:
    code, out, err = run(app, "init", tmp_path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "--answers FILE" in err


def test_slips_are_said_all_at_once_and_nothing_is_written(app: typer.Typer, tmp_path: Path) -> None:
    given = run(app, "init", "--example-answers")[1]
    given = given.replace("tier: production", "tier: prod").replace("[example.com]", "[Example]")
    code, out, err = run(app, "init", tmp_path / "new", "--answers", "-", given=given)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 2
    assert all(line.startswith("standard input:") for line in err.splitlines())
    assert not (tmp_path / "new").exists()


def test_what_stands_there_is_named_before_anything_is_read(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "roles.yaml").touch()
    code, _, err = run(app, "init", tmp_path, "--answers", tmp_path / "there is none")
    assert code == 1
    assert ".env, config/roles.yaml" in err


@pytest.mark.parametrize("what", ["none", "folder", "binary"])
def test_a_file_that_cannot_be_read_is_one_sentence(app: typer.Typer, tmp_path: Path, what: str) -> None:
    path = tmp_path / "answers"
    if what == "folder":
        path.mkdir()
    elif what == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    code, _, err = run(app, "init", tmp_path / "new", "--answers", path)
    assert code == 2
    assert err.count("\n") == 1


def test_a_file_where_the_folder_should_be(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = run(app, "init", tmp_path / "file", "--answers", "-")
    assert (code, err) == (2, f"{tmp_path / 'file'} is a file: name a folder.\n")
