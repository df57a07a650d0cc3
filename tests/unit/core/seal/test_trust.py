"""Which key signs when, over epochs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.sealed_log import LOG, NEW, OURS, THEIRS, sign, verify
from workflows.core.seal.public_key import PublicKey, Seal
from workflows.core.seal.statement import BadSeal, Head, key_change, signed
from workflows.core.seal.trust import Trust

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def by(key: PublicKey, statement: str) -> Seal:
    return signed(statement, key, sign(key, statement.encode()))


CHANGES = (
    by(OURS, key_change(LOG, OURS, NEW, 9, AT, epoch=2).statement),
    by(NEW, key_change(LOG, NEW, THEIRS, 4, AT, epoch=3).statement),
)


@pytest.mark.parametrize("changes", [CHANGES, CHANGES[::-1]], ids=["oldest first", "newest first"])
@pytest.mark.parametrize(
    ("key", "epoch", "size", "counts"),
    [
        (OURS, 1, 50, True),
        (OURS, 2, 9, True),
        (OURS, 2, 10, False),
        (OURS, 3, 5, False),
        (NEW, 1, 50, False),
        (NEW, 2, 10, True),
        (NEW, 3, 3, True),
        (NEW, 3, 5, False),
        (NEW, 4, 2, False),
        (THEIRS, 2, 50, False),
        (THEIRS, 4, 1, True),
    ],
)
def test_a_key_signs_from_its_change_to_the_next_one(
    changes: tuple[Seal, ...], key: PublicKey, epoch: int, size: int, counts: bool
) -> None:
    trust = Trust(OURS, verify, LOG, changes)
    assert (trust.keys, trust.newest, trust.problems) == ((OURS, NEW, THEIRS), THEIRS, [])
    seal = by(key, Head(LOG, size, "0" * 64, AT, epoch).statement)
    if counts:
        assert trust.head(seal).size == size
    else:
        with pytest.raises(BadSeal, match="not in use then"):
            trust.head(seal)


@pytest.mark.parametrize("changes", [CHANGES, CHANGES[::-1]])
def test_keys_before_the_auditors_are_named_as_such(changes: tuple[Seal, ...]) -> None:
    trust = Trust(THEIRS, verify, LOG, changes)
    assert all(trust.knows(key.fingerprint) for key in (OURS, NEW, THEIRS))
    assert trust.keys == (THEIRS,)
