"""The app for Teams: its manifest against the schema that Microsoft publishes, its icons, and the zip that the command writes."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.chat.commands.parser import VERBS
from bot.chat.messages.help import usages
from bot.teams import icons
from bot.teams.app_package import COLOR, COMMANDS, COMMANDS_MAX, MANIFEST, OFFERED, OUTLINE, manifest, package, problem
from tests.support.teams_app import FOLDER, content

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "tests" / "fixtures" / "teams" / "manifest-1.25.schema.json").read_text(encoding="utf-8"))
ID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
WEBSITE = "https://wiki.example.com/prodaccess"


def made(**changes: Any) -> dict[str, Any]:
    return manifest(**{"app_id": ID, "name": "prodaccess", "website": WEBSITE} | changes)


def faults(found: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft4Validator(SCHEMA).iter_errors(found)]


# ---------------------------------------------------------------- the manifest


def test_the_manifest_is_as_microsofts_schema_wants_it() -> None:
    assert faults(made()) == []


@pytest.mark.parametrize("wrong", [{"app_id": "prodaccess"}, {"name": "n" * 31}, {"website": "ftp://example.com"}])
def test_a_manifest_that_is_wrong_would_be_found(wrong: dict[str, str]) -> None:
    assert faults(made(**wrong))


def test_the_bot_is_offered_everywhere_and_loads_nothing_from_elsewhere() -> None:
    (bot,) = made()["bots"]
    assert bot["scopes"] == ["personal", "team", "groupChat"]
    assert bot["botId"] == made()["id"] == ID
    assert made()["validDomains"] == []


def test_each_list_is_of_one_place_and_has_room() -> None:
    lists = made()["bots"][0]["commandLists"]
    assert [found["scopes"] for found in lists] == [["personal"], ["team"], ["groupChat"]]
    assert all(len(found["commands"]) == COMMANDS_MAX for found in lists)
    assert all(len({each["title"] for each in found["commands"]}) == COMMANDS_MAX for found in lists)


def test_every_command_of_the_help_is_offered_somewhere_and_understood() -> None:
    offered = {title for titles in OFFERED.values() for title in titles}
    assert offered == COMMANDS.keys()
    assert {usage.verb for usage in usages() if usage.verb} | {"help"} <= offered
    assert offered <= set(VERBS)


# ---------------------------------------------------------------- the icons


def pixels(png: bytes) -> tuple[int, int, list[tuple[int, ...]]]:
    """Width, height, and (red, green, blue, how much it covers) of each pixel."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        if name == b"IHDR":
            size = struct.unpack(">II", body[:8])
            assert body[8:] == bytes((8, 6, 0, 0, 0))
        data += body if name == b"IDAT" else b""
        at += 12 + length
    raw, row = zlib.decompress(data), 1 + 4 * size[0]
    assert len(raw) == row * size[1]
    lines = (raw[y * row + 1 : (y + 1) * row] for y in range(size[1]))
    return *size, [tuple(line[x : x + 4]) for line in lines for x in range(0, len(line), 4)]


def test_the_icon_in_colour_has_its_size_and_fills_it() -> None:
    width, height, found = pixels(icons.color())
    assert (width, height) == (192, 192)
    assert {pixel[3] for pixel in found} == {255}
    assert len(set(found)) > 100


def test_the_outline_is_white_on_transparent() -> None:
    width, height, found = pixels(icons.outline())
    assert (width, height) == (32, 32)
    assert {pixel[:3] for pixel in found} == {(255, 255, 255)}
    assert {0, 255} <= {pixel[3] for pixel in found}
    edge = [found[x + 32 * y] for x in range(32) for y in range(32) if {x, y} & {0, 31}]
    assert {pixel[3] for pixel in edge} == {0}


# ---------------------------------------------------------------- the zip


def test_the_zip_has_its_three_files_at_its_root() -> None:
    with zipfile.ZipFile(io.BytesIO(package(ID, name="prodaccess", website=WEBSITE))) as found:
        assert found.testzip() is None
        assert sorted(found.namelist()) == [COLOR, MANIFEST, OUTLINE]
        assert json.loads(found.read(MANIFEST)) == made()
        assert pixels(found.read(COLOR)) == pixels(icons.color())


def test_the_same_app_makes_the_same_bytes() -> None:
    first, second = (package(ID.upper(), name="prodaccess", website=WEBSITE) for _ in range(2))
    assert first == second == package(ID, name="prodaccess", website=WEBSITE)
    assert first != package(ID, name="prodaccess", website=WEBSITE, release="1.0.1")


def test_the_folder_shows_what_the_code_makes() -> None:
    made_anew = content()
    assert json.loads((FOLDER / MANIFEST).read_bytes()) == json.loads(made_anew[MANIFEST])
    for name in (COLOR, OUTLINE):
        assert pixels((FOLDER / name).read_bytes()) == pixels(made_anew[name]), "python -m tests.support.teams_app"


# ---------------------------------------------------------------- the command


def test_the_command_writes_the_zip_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["teams", "package", "--app-id", ID, "--name", "access", "--website", WEBSITE])
    assert done.exit_code == 0
    assert done.output == "prodaccess-teams.zip: upload it in the Teams admin centre, under Teams apps, Manage apps.\n"
    expected = package(ID, name="access", website=WEBSITE)
    assert (tmp_path / "prodaccess-teams.zip").read_bytes() == expected


def test_a_page_that_is_nobodys_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["teams", "package", "--app-id", ID, "--out", str(tmp_path / "app.zip")])
    assert done.output.splitlines()[1] == "Its page in Teams links example.com: --website names a page of yours."


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--app-id", "prodaccess"], "The app id is no GUID"),
        (["--app-id", f"{ID}0"], "The app id is no GUID"),
        (["--app-id", ID, "--name", "n" * 31], "The name has to be 1 to 30 characters"),
        (["--app-id", ID, "--name", " "], "The name has to be 1 to 30 characters"),
        (["--app-id", ID, "--website", "http://example.com"], "The website has to be an https:// address"),
        (["--app-id", ID, "--release", "1.0"], "The release has to be three numbers"),
        (["--app-id", ID, "--release", "01.0.0"], "The release has to be three numbers"),
    ],
)
def test_what_teams_would_not_take_is_one_sentence(wrong: list[str], sentence: str, tmp_path: Path) -> None:
    out = tmp_path / "app.zip"
    done = CliRunner().invoke(app, ["teams", "package", *wrong, "--out", str(out)])
    assert done.exit_code == 2
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "app.zip"
    done = CliRunner().invoke(app, ["teams", "package", "--app-id", ID, "--out", str(out)])
    assert done.exit_code == 1
    assert done.stderr == f"{out} cannot be written: no such file or directory.\n"


def test_a_good_id_has_no_problem_in_any_spelling() -> None:
    assert problem(ID.upper(), "prodaccess", WEBSITE, "1.0.0") == ""
