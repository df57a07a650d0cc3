"""Counts and histograms that all processes add to: a bucket is named by its upper end, which belongs to it."""

from __future__ import annotations

import pytest

from bot.observability.series import Series, added

TOOK = Series("prodaccess_took_seconds", "How long.", ("kind",), (0.5, 1.0))


@pytest.mark.parametrize(
    ("value", "at_most"),
    [(0.2, [1, 1, 1]), (0.5, [1, 1, 1]), (0.6, [0, 1, 1]), (1.0, [0, 1, 1]), (7.0, [0, 0, 1]), (-3.0, [1, 1, 1])],
)
def test_a_time_falls_into_each_bucket_that_is_as_long(value: float, at_most: list[int]) -> None:
    samples = TOOK.family(TOOK.took("call", value=value)).samples
    assert [one.value for one in samples if one.name.endswith("_bucket")] == at_most
    assert [one.value for one in samples if one.name.endswith("_sum")] == [max(0.0, value)]


def test_what_is_added_is_shown_once_with_its_labels() -> None:
    stored: dict[str, float] = {}
    for seconds in (0.1, 0.7):
        added(stored, TOOK.took("a|b", value=seconds))
    counts = [one for one in TOOK.family(stored).samples if one.name.endswith("_count")]
    assert [(one.labels, one.value) for one in counts] == [({"kind": "a_b"}, 2.0)]
