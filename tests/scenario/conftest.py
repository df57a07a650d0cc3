"""Running installations for the scenario tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.installation import Case, Installation


@pytest.fixture(scope="session")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One running installation for a pytest worker, with signed requests over HTTP. Not to be broken."""
    with Installation(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture(scope="session")
def over_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The same in Socket Mode."""
    with Installation(tmp_path_factory.mktemp("socket"), socket=True) as running:
        yield running


@pytest.fixture(params=["http", "socket"])
def running(request: pytest.FixtureRequest) -> Installation:
    """Both ways to reach the bot, one after the other."""
    found = request.getfixturevalue(f"over_{request.param}")
    assert isinstance(found, Installation)
    return found


@pytest.fixture
def case(running: Installation) -> Iterator[Case]:
    found = running.case()
    yield found
    found.tidy()


@pytest.fixture
def http_case(over_http: Installation) -> Iterator[Case]:
    found = over_http.case()
    yield found
    found.tidy()
