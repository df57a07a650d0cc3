"""The catalogue of all sentences: it is what the walk hears, it can be read in one go, and sentences alike stand in it once."""

from functools import cache

import pytest

from tests.support import sentences
from tests.support.sentences import FILE, place_of, same

catalogue = cache(sentences.catalogue)


def test_the_catalogue_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == catalogue(), (
        "run: python -m tests.support.sentences, and read the difference"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Olu or Pat can.", "Sue can."),
        ("✅ You approved PA-1.", "✅ You approved PA-27."),
        ("Nobody decides in your place until 23 Nov, 03:00 UTC.", "Nobody decides in your place until 04:10 UTC."),
        ("For 30 min, 1 h, 4 h", "For 1 h 30 min, 2 h, 20 s"),
    ],
)
def test_who_when_and_which_make_no_other_sentence(one: str, other: str) -> None:
    assert same(one) == same(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("You approved PA-1.", "You denied PA-1."),
        ("It is being removed.", "It is being set up."),
        ("Ask them.", "Ask one of them."),
    ],
)
def test_other_words_are_another_sentence(one: str, other: str) -> None:
    assert same(one) != same(other)


def test_what_is_said_in_a_new_place_is_not_left_out() -> None:
    with pytest.raises(ValueError, match="no place in the catalogue"):
        place_of("somewhere new")


def test_all_of_it_can_be_read_in_one_go() -> None:
    found = [line.split(" — *")[0] for line in catalogue().splitlines() if line.startswith("- ")]
    assert 500 < len(found) < 1500
    assert sum(len(sentence.split()) for sentence in found) < 17_500
