"""What a release consists of: the same bytes for everybody who makes it, and a program that works away from the sources."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import bot
from bot.shipped import files
from tests.support.deploy_tools import tool

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]
NAME = f"prodaccess-{bot.__version__}"
WHEEL, SDIST, SBOM = f"{NAME}-py3-none-any.whl", f"{NAME}.tar.gz", f"{NAME}.cdx.json"


def made(checkout: Path, out: Path, *, umask: int = 0o022, **environ: str) -> Path:
    command = (sys.executable, checkout / ".ci" / "dist.py", out, "--sbom", tool("cyclonedx-py"))
    done = subprocess.run(
        command, env={**os.environ, **environ}, umask=umask, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, however many processes look at it."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    with (shared / "dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return shared / "dist" if (shared / "dist").exists() else made(ROOT, shared / "dist")


def test_two_who_make_it_from_one_commit_get_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """In another folder, later, with files that only their owner may read, and in another time zone."""
    clone = tmp_path / "some where else"
    subprocess.run(("git", "clone", "--quiet", "--no-local", ROOT, clone), check=True, umask=0o077)
    (clone / "bot" / "left_over.py").write_text("raise SystemExit\n")
    (clone / "build" / "lib" / "bot").mkdir(parents=True)
    (clone / "build" / "lib" / "bot" / "of_an_older_build.py").write_text("")
    again = made(clone, tmp_path / "dist", umask=0o077, TZ="Pacific/Auckland", SOURCE_DATE_EPOCH="1")
    assert {path.name for path in dist.iterdir()} == {WHEEL, SDIST, SBOM, "SHA256SUMS"}
    for path in dist.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_sums_are_those_of_the_files(dist: Path) -> None:
    for line in (dist / "SHA256SUMS").read_text().splitlines():
        found, name = line.split("  ")
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == found


def test_a_wheel_holds_the_code_and_what_ships_with_it_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(dist / WHEEL) as opened:
        names = set(opened.namelist())
        modes = {info.external_attr >> 16 & 0o777 for info in opened.infolist()}
    tracked = subprocess.check_output(("git", "ls-tree", "-r", "--name-only", "HEAD", "bot", "workflows"), cwd=ROOT)
    assert set(tracked.decode().split()) <= names
    top = {name.split("/")[0] for name in names}
    assert top == {"bot", "workflows", f"{NAME}.dist-info"}
    assert modes <= {0o644, 0o664}
    config = subprocess.check_output(("git", "ls-tree", "-r", "--name-only", "HEAD", "config"), cwd=ROOT)
    shipped = {*config.decode().split(), *files(), "docs/policy.md", "docs/operations.md"}
    assert {f"bot/_shipped/{each}" for each in shipped} <= names


def test_a_source_distribution_can_be_set_up_as_a_checkout_can(dist: Path) -> None:
    with tarfile.open(dist / SDIST) as opened:
        members = opened.getmembers()
    names = {member.name.removeprefix(f"{NAME}/") for member in members}
    assert {
        "Dockerfile",
        "Makefile",
        "compose.yaml",
        ".ci/install.py",
        "requirements.lock",
        "config/roles.yaml",
        "docs/operations.md",
    } <= names
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}


# ---------------------------------------------------------------- away from the sources


@pytest.fixture(scope="module")
def prodaccess(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installed from the wheel, into an environment that has what the wheel needs from ours."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True, symlinks=True)
    (site,) = folder.glob("venv/lib/python3*/site-packages")
    (site / "needed.pth").write_text(f"{Path(pytest.__file__).resolve().parents[1]}\n")
    pip = (folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run((*pip, "--no-deps", "--no-index", "--no-compile", dist / WHEEL), check=True)
    return folder / "venv" / "bin" / "prodaccess"


def run(program: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home)}
    return subprocess.run(
        (program, *words), cwd=home, env=environ, stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False
    )


def test_in_an_empty_folder_it_says_what_it_is_and_what_is_missing(prodaccess: Path, tmp_path: Path) -> None:
    assert run(prodaccess, tmp_path, "--version").stdout == f"prodaccess {bot.__version__}\n"
    assert "Usage: prodaccess" in run(prodaccess, tmp_path, "--help").stdout
    assert json.loads(run(prodaccess, tmp_path, "config", "schema").stdout.split("\n}\n")[0] + "}")
    assert "no such folder" in run(prodaccess, tmp_path, "check").stdout
    started = run(prodaccess, tmp_path, "up")
    assert (started.returncode, started.stdout) == (2, "")
    assert "No chat is set" in started.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_pages_come_along(prodaccess: Path, tmp_path: Path) -> None:
    pages = run(prodaccess, tmp_path, "docs").stdout
    assert re.search(r"^operations +Running it$", pages, re.MULTILINE)
    rights = run(prodaccess, tmp_path, "docs", "deploy/aws/README.md").stdout
    assert rights.strip() == (ROOT / "deploy/aws/README.md").read_text().strip()
    assert run(prodaccess, tmp_path, "docs", "policy").stdout.strip() == (ROOT / "docs/policy.md").read_text().strip()


def test_the_demo_plays_the_policy_that_comes_along(prodaccess: Path, tmp_path: Path) -> None:
    """Web, worker and clock run from the installed packages: none of them may find ours in the sources."""
    done = run(prodaccess, tmp_path, "demo", "--seconds", "3")
    assert done.returncode == 0, done.stderr
    assert "removal verified" in done.stdout
    assert "make run" not in done.stdout
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- what it runs on


def test_the_list_names_each_package_with_its_version_and_all_its_hashes(dist: Path) -> None:
    bom = json.loads((dist / SBOM).read_text())
    listed = {each["name"]: each for each in bom["components"]}
    locked = re.findall(
        r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)((?:.*\\\n)*.*)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
    assert len(locked) > 40
    assert listed.keys() == {name for name, _, _ in locked}
    for name, version, rest in locked:
        hashes = {each["content"] for where in listed[name]["externalReferences"] for each in where["hashes"]}
        assert (listed[name]["version"], hashes) == (version, set(re.findall(r"sha256:(\w+)", rest))), name
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")


def test_the_list_says_whose_it_is_and_that_we_need_all_of_it(dist: Path) -> None:
    bom = json.loads((dist / SBOM).read_text())
    ours = bom["metadata"]["component"]
    assert (ours["name"], ours["version"]) == ("prodaccess", bot.__version__)
    assert ours["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256((dist / WHEEL).read_bytes()).hexdigest()}]
    (needed,) = [each["dependsOn"] for each in bom["dependencies"] if each["ref"] == ours["bom-ref"]]
    assert sorted(needed) == sorted(each["bom-ref"] for each in bom["components"])
