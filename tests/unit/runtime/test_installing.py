"""What `make` installs is what the code needs, the same versions for everybody, and enough for a machine that has little."""

import os
import re
import subprocess
import tomllib
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import shipped
from bot.runtime.up import same_code
from tests.support.loading import loaded
from tests.unit.policy_file.policy_folder import problems

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-sandbox.lock", "requirements-dev.lock")


def pinned(lock: str) -> dict[str, str]:
    """Name -> version, with what holds only on some platforms."""
    found = re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("lock", [*LOCKS, "deploy/tools/requirements.lock"])
def test_a_lock_file_names_no_address_and_each_file_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry, entry


def test_who_runs_it_plays_with_it_or_works_on_it_has_the_same_versions() -> None:
    run, sandbox, dev = (pinned(lock) for lock in LOCKS)
    assert run.items() <= sandbox.items() <= dev.items()


def test_what_the_code_depends_on_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = (project["dependencies"], *(project["optional-dependencies"][name] for name in ("sandbox", "dev")))
    for lock, wanted in zip(LOCKS, groups, strict=True):
        names = {re.split(r"[^A-Za-z0-9._-]", each)[0].lower() for each in wanted} - {"prodaccess"}
        assert names <= pinned(lock).keys()


def test_the_tools_that_look_at_what_deploys_it_are_locked() -> None:
    wanted = (ROOT / "deploy/tools/requirements.in").read_text().splitlines()
    assert {line for line in wanted if not line.startswith("#")} <= pinned("deploy/tools/requirements.lock").keys()


def test_every_package_of_ours_and_every_file_in_it_gets_into_a_wheel() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    data = {name.replace(".", "/"): globs for name, globs in setuptools["package-data"].items()}
    named = {name.replace(".", "/") for name in setuptools["packages"]}
    tracked = subprocess.check_output(("git", "ls-files", "bot", "workflows"), cwd=ROOT, text=True).split()
    for path in map(Path, tracked):
        if path.suffix == ".py":
            assert path.parent.as_posix() in named, f"{path.parent} is missing in the packages of pyproject.toml"
        else:
            places = (
                (str(path.relative_to(place)), globs) for place, globs in data.items() if path.is_relative_to(place)
            )
            assert any(Path(name).match(glob) for name, globs in places for glob in globs), f"{path} is no package data"
    assert setuptools["packages"] == sorted(setuptools["packages"])


def test_what_ships_beside_the_code_is_found_in_a_checkout_and_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = str(ROOT)
    assert shipped.checkout() == ROOT
    assert (shipped.example_policy(), shipped.pages()) == (ROOT / "config", ROOT / "docs")
    assert same_code({"PYTHONPATH": "/more"}) == {"PYTHONPATH": f"{top}{os.pathsep}/more"}
    monkeypatch.setattr(shipped, "_COPIES", tmp_path)
    assert shipped.checkout() is None
    assert shipped.slack_manifest() == tmp_path / "deploy" / "slack" / "manifest.yaml"
    assert same_code({"PYTHONPATH": "/more"}) == {}  # Python looks where we were found


def test_without_a_network_it_says_one_sentence_and_else_what_pip_said() -> None:
    install = loaded(ROOT / ".ci" / "install.py")
    # As pip 23.2 and 25.3 say it.
    broken = "NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x1>: Failed to establish')"
    refused = f"WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by '{broken}': /simple/rq/\n"
    none = ("ERROR: Could not find a version that satisfies the requirement rq (from versions: none)\n",)
    other = ("Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment\n", *none)

    def said(*lines: str) -> str:
        progress = install.Progress("Setting up")
        for line in lines:
            progress.pip_said(line)
        return str(progress.not_fetched())

    assert said(refused, *other) == install.NO_NETWORK
    assert said(*other) == f"{none[0]}{install.NOT_FETCHED}"
    assert said(refused, *(f"Collecting a{number}\n" for number in range(12)), *none).endswith(install.NOT_FETCHED)


@pytest.fixture
def no_time_zones_of_the_machine() -> Iterator[None]:
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.usefixtures("no_time_zones_of_the_machine")
def test_a_slim_image_without_time_zones_knows_them_all_the_same(tmp_path: Path) -> None:
    assert problems(tmp_path, ("prodaccess.yaml", "Europe/Berlin", "Europe/Vienna")) == []
    assert str(zoneinfo.ZoneInfo("Europe/Vienna")) == "Europe/Vienna"
