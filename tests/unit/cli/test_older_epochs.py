"""Which epochs of a log there are is asked of the archive; the number in the ledger is anybody's who may write there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.cli.audit.older_epochs import older_epochs
from workflows.archive.memory import MemoryArchive
from workflows.core.records.installation import Installation
from workflows.core.seal.layout import folder, head_name

LOG = "a" * 32


class Asked(MemoryArchive):
    def __init__(self) -> None:
        super().__init__()
        self.questions = 0

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        self.questions += 1
        assert self.questions < 100, "one for each epoch that is there"
        return super().names(prefix, after)


def test_an_epoch_beyond_all_counting_costs_a_question_for_each_that_is_there() -> None:
    archive = Asked()
    for epoch in (1, 2, 4):
        archive.put(head_name(folder(LOG, epoch), 3), b"{}")
    made = Installation(LOG, datetime(2026, 11, 27, tzinfo=UTC), epoch=10**9)
    assert not list(older_epochs(archive, made, (), lambda _after: ()))
    assert archive.questions >= 3
