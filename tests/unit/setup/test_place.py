"""All files or none, never over one that stands there, and secrets for their owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.settings import with_env_file
from bot.setup import place
from bot.setup.answers import Answers
from bot.setup.make import NotInOrder, make
from bot.setup.place import InTheWay, put, refuse_what_is_there
from tests.unit.setup.answer_data import data

Made = Callable[[dict[str, Any]], Answers]
SECRETS = {"SLACK_BOT_TOKEN": "xoxb-1'2\"3#4$5\\6 7", "SLACK_APP_TOKEN": "xapp-1"}


def everything(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


def test_what_is_written(answers: Made, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "place"
    names = make(answers(data()), SECRETS, folder)
    assert {".env", "config/prodaccess.yaml", "config/roles.yaml", "config/environments/orders-prod.yaml"} < set(names)
    assert sorted(names) == [name for name in everything(folder) if (folder / name).is_file()]
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    read = with_env_file({}, folder / ".env")
    assert isinstance(read, dict)
    assert {name: read[name] for name in SECRETS} == SECRETS


def test_secrets_stand_in_env_alone(answers: Made, tmp_path: Path) -> None:
    make(answers(data()), {"SLACK_BOT_TOKEN": "xoxb-hunter2"}, tmp_path)
    found = [path for path in tmp_path.rglob("*") if path.is_file() and "hunter2" in path.read_text()]
    assert found == [tmp_path / ".env"]


@pytest.mark.parametrize(
    "name",
    [".env", "config/prodaccess.yaml", "config/environments/other.yaml", "config/README", "config/.git/x", "config/a/"],
)
def test_nothing_is_overwritten_or_joined(answers: Made, tmp_path: Path, name: str) -> None:
    if name.endswith("/"):
        (tmp_path / name).mkdir(parents=True)
    else:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = everything(tmp_path)
    with pytest.raises(InTheWay) as caught:
        make(answers(data()), {}, tmp_path)
    assert caught.value.names == (name,)
    assert everything(tmp_path) == before


def test_links_are_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "gone")
    (tmp_path / "config").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InTheWay) as caught:
        refuse_what_is_there(tmp_path)
    assert caught.value.names == (".env", "config")


def test_all_that_is_in_the_way_is_named_but_no_wall_of_it(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    for number in range(30):
        (tmp_path / "config" / f"{number:02}.yaml").touch()
    with pytest.raises(InTheWay) as caught:
        refuse_what_is_there(tmp_path)
    assert len(caught.value.names) == 12
    assert caught.value.more == 18


def test_an_empty_config_is_used(answers: Made, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    make(answers(data()), {}, tmp_path)
    assert (tmp_path / "config" / "roles.yaml").exists()


@pytest.mark.parametrize("late", [".env", "config/roles.yaml"])
def test_what_comes_while_it_is_prepared_is_not_overwritten(
    answers: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """Between the last look and the move, too."""

    def comes(folder: Path) -> None:
        if (tmp_path / late).exists():
            raise InTheWay((late,), 0)
        (tmp_path / late).parent.mkdir(exist_ok=True)
        (tmp_path / late).write_text("mine")

    monkeypatch.setattr(place, "refuse_what_is_there", comes)
    with pytest.raises(InTheWay):
        make(answers(data()), {}, tmp_path)
    assert [name for name in everything(tmp_path) if (tmp_path / name).is_file()] == [late]
    assert (tmp_path / late).read_text() == "mine"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("where", ["link", "rename"])
def test_interrupted_it_leaves_nothing(
    answers: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: Any, where: str
) -> None:
    def stopped(*_: object) -> None:
        raise stop

    if where == "link":
        monkeypatch.setattr(place, "_link", stopped)
    else:
        monkeypatch.setattr(Path, "rename", stopped)
    folder = tmp_path / "a" / "b"
    with pytest.raises((KeyboardInterrupt, OSError)):
        make(answers(data()), {}, folder)
    assert everything(tmp_path) == []


def test_a_file_system_without_links_will_do(answers: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    make(answers(data()), SECRETS, tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_a_value_that_would_be_read_as_another_is_refused_without_being_shown(
    answers: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.setup.env_file.quoted", str)
    with pytest.raises(NotInOrder) as caught:
        make(answers(data()), {"SLACK_BOT_TOKEN": "xoxb-1 #hunter2"}, tmp_path)
    assert "SLACK_BOT_TOKEN" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert everything(tmp_path) == []


def test_what_does_not_pass_the_check_is_not_written(
    answers: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answers(data())
    monkeypatch.setattr("bot.setup.make.policy_files", lambda _: {"prodaccess.yaml": "version: 2\n"})
    with pytest.raises(NotInOrder):
        make(found, {}, tmp_path)
    assert everything(tmp_path) == []


def test_putting_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    with pytest.raises(InTheWay):
        put(tmp_path / "beside", tmp_path)
