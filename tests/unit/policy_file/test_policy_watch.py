"""The process's own copy of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, write
from workflows.policy_file import PolicyFolder
from workflows.ports import PolicyUnavailable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def seconds(self, count: float) -> None:
        self.now += count


def title(source: PolicyFolder) -> str:
    return source.current().environments["shop-prod"].title


def rename(folder: Path, title: str) -> None:
    write(folder, (SHOP, "title: Shop", f"title: {title}"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_change_counts_when_two_looks_saw_the_same(tmp_path: Path, clock: Clock) -> None:
    source = PolicyFolder(write(tmp_path), monotonic=clock)
    assert title(source) == "Shop"
    rename(tmp_path, "Renamed")
    clock.seconds(1)
    assert title(source) == "Shop"
    clock.seconds(1)
    assert title(source) == "Renamed"


def test_a_folder_that_is_still_being_written_is_not_taken(tmp_path: Path, clock: Clock) -> None:
    source = PolicyFolder(write(tmp_path), monotonic=clock)
    source.current()
    for step in range(5):
        rename(tmp_path, f"Step{step}")
        clock.seconds(1)
        assert title(source) == "Shop"
    clock.seconds(1)
    assert title(source) == "Step4"


def test_it_looks_at_most_once_a_second(tmp_path: Path, clock: Clock) -> None:
    source = PolicyFolder(write(tmp_path), monotonic=clock)
    source.current()
    rename(tmp_path, "Renamed")
    for _ in range(9):
        clock.seconds(0.1)
        assert title(source) == "Shop"


def test_the_last_valid_policy_stays_while_the_folder_is_not_valid(tmp_path: Path, clock: Clock) -> None:
    source = PolicyFolder(write(tmp_path), monotonic=clock)
    first = source.current().hash
    (tmp_path / SHOP).write_text("environment: [")
    for _ in range(3):
        clock.seconds(1)
        assert source.current().hash == first
    assert source.problems[0].file == SHOP
    write(tmp_path)
    for _ in range(2):
        clock.seconds(1)
        source.current()
    assert source.problems == ()


def test_the_last_valid_policy_stays_when_the_folder_is_gone(tmp_path: Path, clock: Clock) -> None:
    source = PolicyFolder(write(tmp_path / "config"), monotonic=clock)
    first = source.current().hash
    (tmp_path / "config").rename(tmp_path / "moved")
    for _ in range(3):
        clock.seconds(1)
        assert source.current().hash == first
    assert "no such folder" in str(source.problems[0])


def test_a_folder_that_moves_as_a_whole_is_seen(tmp_path: Path, clock: Clock) -> None:
    """As git-sync does: a link that points to another checkout."""
    write(tmp_path / "a")
    rename(tmp_path / "b", "Renamed")
    link = tmp_path / "current"
    link.symlink_to("a")
    source = PolicyFolder(link, monotonic=clock)
    assert title(source) == "Shop"
    link.unlink()
    link.symlink_to("b")
    for _ in range(2):
        clock.seconds(1)
        source.current()
    assert title(source) == "Renamed"


def test_without_any_valid_policy_there_is_none(tmp_path: Path, clock: Clock) -> None:
    source = PolicyFolder(tmp_path / "none", monotonic=clock)
    with pytest.raises(PolicyUnavailable, match="there is no such folder"):
        source.current()
    write(tmp_path / "none")
    clock.seconds(1)
    with pytest.raises(PolicyUnavailable):
        source.current()
    clock.seconds(1)
    assert title(source) == "Shop"
