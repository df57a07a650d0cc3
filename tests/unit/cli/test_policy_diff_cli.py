"""`prodaccess policy diff`: what is looser in production stands first, and of git only files are read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import policy_diff, revision
from bot.cli.program import program
from tests.unit.core.test_loosening import NOW, PAIRS
from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, write
from workflows.core.loosening import Kind, loosened
from workflows.policy_file.looser_words import looser, narrower

WIDER = [
    (
        WORKSPACE,
        "members: [olu@example.com, pat@example.com]",
        "members: [olu@example.com, pat@example.com, eve@example.com]",
    ),
    (WORKSPACE, "any: {approve: {owners: 1, security: 1}", "any: {approve: {owners: 1}"),
    (
        WORKSPACE,
        "read: {approve: {owners: 1}, durations: [30m, 1h], max_duration: 2h}",
        "read: {approve: {owners: 1}, max_duration: 1h, durations: [30m]}",
    ),
]


@pytest.fixture
def app() -> typer.Typer:
    found = program("x")
    policy_diff.register(found)
    found.callback()(lambda: None)
    return found


def run(app: typer.Typer, *words: str | Path) -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["diff", *map(str, words)])
    return result.exit_code, result.output.splitlines()


def test_what_is_looser_stands_first_and_what_is_narrower_after_it(app: typer.Typer, tmp_path: Path) -> None:
    old, new = write(tmp_path / "old"), write(tmp_path / "new", *WIDER)
    code, lines = run(app, old, new)
    assert code == 0
    assert lines == [
        "Looser in production: 3",
        "  shop-prod state-write: approve 1 of owners, 1 of security -> 1 of owners",
        "  shop-prod read-only, state-write: owners +eve@example.com",
        "  shop-prod read-only, state-write: who can agree +eve@example.com",
        "Narrower in production: 1",
        "  shop-prod read-only: max_duration 2 h -> 1 h",
        "All changes: 4",
        "  group platform: +eve@example.com",
        "  shop-prod read-only: durations -1 h",
        "  shop-prod read-only: max_duration 2 h -> 1 h",
        "  shop-prod state-write: approve -1 of security",
    ]


def test_the_exit_code_says_whether_production_gets_looser(app: typer.Typer, tmp_path: Path) -> None:
    old, new = write(tmp_path / "old"), write(tmp_path / "new", *WIDER[:1])
    assert run(app, old, new, "--exit-code")[0] == 1
    assert run(app, new, old, "--exit-code")[0] == 0
    assert run(app, old, old, "--exit-code") == (0, ["Nothing changes."])


def test_nothing_in_a_comment_is_read_as_anything_but_text(app: typer.Typer, tmp_path: Path) -> None:
    title = (SHOP, "title: Shop", 'title: "`x` @team <img src=x> [a](b)"')
    lines = run(app, write(tmp_path / "old"), write(tmp_path / "new", title), "--format", "markdown")[1]
    assert lines[0] == "### What this changes"
    assert "- `shop-prod: title Shop -> 'x' @team <img src=x> [a](b)`" in lines


def test_what_is_no_policy_is_said_with_its_name(app: typer.Typer, tmp_path: Path) -> None:
    broken = write(tmp_path / "new", (SHOP, "[platform]", "[platfrom]"))
    code, lines = run(app, write(tmp_path / "old"), broken)
    assert code == 2
    assert lines == [f"{broken}: {SHOP}:5: no group 'platfrom'; did you mean 'platform'?"]
    assert run(app, tmp_path / "none", tmp_path / "old")[0] == 2


def git(folder: Path, *words: str) -> None:
    names = {f"GIT_{role}_{what}": "x@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environ = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], cwd=folder, env=environ, check=True, capture_output=True)


def test_a_revision_of_git_is_compared_with_what_stands_there(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "config")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    write(tmp_path / "config", *WIDER[:1])
    monkeypatch.chdir(tmp_path)
    code, lines = run(app, "main:config", "config")
    assert (code, lines[0]) == (0, "Looser in production: 2")
    for name in ("nowhere:config", "main:nowhere", "--output=x:config"):
        assert run(app, name, "config")[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "config"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On main a policy, on the branch `wider` a wider one."""
    write(tmp_path / "config")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    git(tmp_path, "checkout", "-q", "-b", "wider")
    write(tmp_path / "config", *WIDER[:1])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "y")


def test_attributes_of_the_repository_hide_no_file(app: typer.Typer, repository: Path) -> None:
    (repository / "config/.gitattributes").write_text(f"{SHOP} export-ignore\n")
    commit(repository)
    code, lines = run(app, "main:config", "wider:config")
    assert (code, lines[0]) == (0, "Looser in production: 2")


def test_no_program_that_the_repository_names_is_run(app: typer.Typer, repository: Path) -> None:
    (repository / "config/.gitattributes").write_text("* filter=theirs\n")
    commit(repository)
    git(repository, "config", "filter.theirs.smudge", "touch run-by-git; cat")
    code, lines = run(app, "main:config", "wider:config")
    assert (code, lines[0]) == (0, "Looser in production: 2")
    assert not list(repository.rglob("run-by-git"))


def test_a_link_out_of_the_folder_and_a_folder_that_is_too_large_are_refused(
    app: typer.Typer, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "config/environments/out.yaml").symlink_to("/etc/hostname")
    commit(repository)
    assert run(app, "main:config", "wider:config") == (
        2,
        ["wider:config has a link that leads out of the folder: environments/out.yaml."],
    )
    monkeypatch.setattr(revision, "_BYTES_MAX", 100)
    assert run(app, "main:config", "config") == (2, ["main:config is too large for a policy folder."])


def test_a_link_inside_of_the_folder_is_followed(app: typer.Typer, repository: Path) -> None:
    (repository / "config" / SHOP).rename(repository / "config/shop.txt")
    (repository / "config" / SHOP).symlink_to("../shop.txt")
    commit(repository)
    code, lines = run(app, "main:config", "wider:config")
    assert (code, lines[0]) == (0, "Looser in production: 2")


def test_every_kind_has_words_for_both_ways() -> None:
    found = [one for _, old, new, _ in PAIRS for one in loosened(old, new, NOW)]
    assert {one.kind for one in found} >= set(Kind) - {Kind.TRUSTED, Kind.CONNECTION}
    for line in (*looser(found), *narrower(found)):
        assert ": " in line
        assert "nothing -> nothing" not in line
