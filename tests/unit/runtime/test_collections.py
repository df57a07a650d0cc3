"""The garbage collector does not look through what stays for as long as a worker."""

from __future__ import annotations

import gc

from bot import worker


def test_what_is_there_before_the_work_begins_is_not_looked_through_again() -> None:
    def looked_through() -> bool:
        return any(found is mark for found in gc.get_objects())

    mark = [worker]
    assert looked_through()
    worker.keep_out_of_collections()
    assert not looked_through()
