"""One process reads for all of these tests, and each text once: starting it and reading cost more than the tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from bot.boundaries.reading.node import Block, Node
from bot.boundaries.reading.parser import ChildParser
from bot.providers import know_providers


class Remembering(ChildParser):
    """What it has read it knows; what it refused it refuses anew."""

    @cache  # noqa: B019 - it lives as long as the tests
    def hcl(self, text: str) -> Block:
        return super().hcl(text)

    @cache  # noqa: B019 - as above
    def yaml(self, text: str) -> tuple[Node, ...]:
        return super().yaml(text)


@pytest.fixture(scope="session")
def parser() -> Iterator[ChildParser]:
    know_providers()
    with Remembering(all_s=3600.0) as found:
        yield found
