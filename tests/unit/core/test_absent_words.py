"""Which entries may be without words: those that a later entry lists, and no others."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzz import few
from workflows.core.absent_words import Absent, NumberRanges, accounted
from workflows.core.audit_check import StoredEntry

SOME = st.sets(st.integers(1, 30), max_size=12)


def numbers(ranges: NumberRanges) -> set[int]:
    return {number for first, last in ranges.ranges for number in range(first, last + 1)}


def entry(number: int, event: str, **facts: str) -> StoredEntry:
    return StoredEntry(number, json.dumps({"event": event, "facts": facts}).encode(), "", None)


@few(60)
@given(SOME, SOME, st.integers(1, 30))
def test_ranges_are_sets_of_numbers(some: set[int], others: set[int], least: int) -> None:
    one, two = NumberRanges.of(some), NumberRanges.of(others)
    assert (numbers(one), len(one)) == (some, len(some))
    assert NumberRanges.read(str(one)) == one
    assert {number for number in range(33) if number in one} == some
    assert numbers(one.without(two)) == some - others
    assert numbers(one.below(least)) == {number for number in some if number < least}
    assert numbers(one.moved(least, 40)) == {number if number < least else number + 40 for number in some}


def test_they_are_written_short() -> None:
    assert str(NumberRanges.of([12, 3, 4, 5, 6, 7, 4])) == "3-7,12"


@pytest.mark.parametrize("said", ["x", "1-", "-", "1,,2", "1-2-3", "²", "9-3"])
def test_what_is_no_list_lists_nothing(said: str) -> None:
    assert accounted([entry(20, "person.erased", numbers=said)]) == NumberRanges()


def test_an_entry_speaks_of_those_before_it_alone() -> None:
    assert str(accounted([entry(6, "person.erased", numbers="2,5-9"), entry(9, "person.lifted", numbers="1")])) == "2,5"


def test_what_was_put_back_may_lack_its_words() -> None:
    assert str(accounted([entry(9, "ledger.rebuilt", **{"from": "3", "to": "6", "moved": "0"})])) == "3-6"
    for first, last in ("7", "6"), ("0", "4"), ("3", "9"), ("x", "4"):
        assert not accounted([entry(9, "ledger.rebuilt", **{"from": first, "to": last, "moved": "0"})]).ranges


def test_what_an_entry_lists_moves_with_it_behind_what_was_put_back() -> None:
    """On the older copy, which had #1 to #4, #5 listed #2 and #4, and is #9 now, behind #4 to #7 of the archive."""
    found = [
        entry(9, "person.erased", numbers="2,4"),
        entry(10, "ledger.rebuilt", **{"from": "4", "to": "7", "moved": "2"}),
    ]
    assert str(accounted(found)) == "2,4-8"


def test_later_entries_are_looked_at_only_where_something_is_missing() -> None:
    whole, holed = Absent(), Absent()
    holed.add(3)
    holed.add(4)
    assert whole.judged(iter(())) == (NumberRanges(), NumberRanges(), 0)
    later = iter([entry(9, "person.erased", numbers="3")])
    fine, unknown, just_now = holed.judged(later)
    assert (str(fine), str(unknown), just_now) == ("3", "4", 1)
