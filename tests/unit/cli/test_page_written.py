"""A page that cannot be written is told of by the name that was typed, and leaves nothing behind."""

from pathlib import Path

import pytest

from bot.cli.pages.write import write_page


def test_a_folder_that_is_not_there_is_told_of_by_the_name_that_was_typed(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "review.html"
    with pytest.raises(FileNotFoundError) as told:
        write_page(file, ["page"])
    assert told.value.filename == str(file)


def test_a_page_in_the_place_of_a_folder_is_told_of_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as told:
        write_page(tmp_path, ["page"])
    assert told.value.filename == str(tmp_path)
    assert list(tmp_path.parent.glob(".*.part")) == []
