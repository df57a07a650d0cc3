"""Running installations for the scenario tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import (
    CHANGING,
    HIDDEN,
    IMPATIENT,
    IN_BOTH,
    IN_TEAMS,
    OVER_HTTP,
    OVER_SOCKET,
    OWN,
    Case,
    Installation,
    case_name,
)


@pytest.fixture(scope="session")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One running installation for a pytest worker, with signed requests over HTTP. Not to be broken."""
    with Installation(tmp_path_factory.mktemp("http"), numbers=OVER_HTTP) as running:
        yield running


@pytest.fixture(scope="session")
def over_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The same in Socket Mode."""
    with Installation(tmp_path_factory.mktemp("socket"), socket=True, numbers=OVER_SOCKET) as running:
        yield running


@pytest.fixture(scope="session")
def in_teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Teams alone: no variable of Slack's; what is for whoever runs it stands on a port of its own."""
    with Installation(tmp_path_factory.mktemp("teams"), chats=("teams",), ops=True, numbers=IN_TEAMS) as running:
        yield running


@pytest.fixture(scope="session")
def in_both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("both"), chats=("slack", "teams"), numbers=IN_BOTH) as running:
        yield running


def _with_more(config: Path) -> None:
    for number, line in ((HIDDEN, "visibility: members\n"), (IMPATIENT, "request_expires_after: 2s\n")):
        with (config / "environments" / f"{case_name(number)}.yaml").open("a") as file:
            file.write(line)


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One whose policy folder may be edited, and may be invalid for a while: every test leaves it valid."""
    plan = '  - {channel: C0RECEIPTS, schedule: "0 9 1 1 *", environments: [%s]}\n'
    digests = "".join(plan % case_name(number) for number in (HIDDEN, CHANGING))
    with Installation(tmp_path_factory.mktemp("own"), digests=digests, prepare=_with_more, numbers=OWN) as running:
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
