from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from bot.providers import know_providers
from bot.setup.answers import Answers
from bot.setup.reading import read_answers
from tests.unit.setup.answer_data import text
from workflows.policy_file.schema import schemas


@cache
def made_once() -> Mapping[str, str]:
    return schemas()


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    know_providers()
    monkeypatch.setattr("bot.setup.make.schemas", made_once)


@pytest.fixture
def answers() -> Callable[[dict[str, Any]], Answers]:
    """Answers that must be in order, from plain data."""

    def made(data: dict[str, Any]) -> Answers:
        found = read_answers("answers.yaml", text(data))
        assert isinstance(found, Answers), list(map(str, found))
        return found

    return made
