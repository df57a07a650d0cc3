"""Where a fault begins, by the sentence that tells it."""

from __future__ import annotations

import pytest

from workflows.core.audit_check import number_in


@pytest.mark.parametrize(
    ("sentence", "first"),
    [
        ("#4 was changed after it was sealed.", 4),
        ("The ledger's seal was set back: it ends at #3, and the archive has a head of #9.", 4),
        ("runs/x.jsonl in the archive ends at #7.", 8),
        ("The archive has no head.", 0),
    ],
)
def test_what_ends_at_an_entry_lacks_the_next_one(sentence: str, first: int) -> None:
    assert number_in(sentence) == first
