"""What `make` installs is what the code needs, the same versions for everybody, and enough for a machine that has little."""

import re
import tomllib
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest

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
