"""An installation of its own for every chaos test: it is there to be broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.rig import Rig
from tests.support.installation import CHAOS


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    # With the limits of chat as they are: they are part of what is to be withstood.
    with Rig(tmp_path, unlimited=False, numbers=CHAOS[:13]) as running:
        yield running
        # Calls that a fault still holds would keep a worker from ending when it is asked to.
        running.aws.proxy.calm()
        running.slack.faults.clear()
