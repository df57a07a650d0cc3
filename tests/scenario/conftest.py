"""Running installations for the scenario tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.support import github, gitlab
from tests.support.github import GitHub
from tests.support.gitlab import GitLab
from tests.support.installation import (
    AT_GITLAB,
    CHANGING,
    GIVING,
    HIDDEN,
    HOME,
    IMPATIENT,
    IN_BOTH,
    IN_TEAMS,
    OVER_HTTP,
    OVER_SOCKET,
    OWN,
    Case,
    Installation,
    account_of,
    case_name,
)
from tests.support.issuer import issuing
from tests.support.two_chats import comes_to_teams


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


GATE = "gates: {deploy: {approve: {owners: 1}, expires_after: 10m}}\n"
# One that is over when its job says so, and one that ends by itself.
GIVES = """gates:
  deploy: {approve: {owners: 1}, expires_after: 10m}
  release:
    approve: {owners: 1}
    break_glass: true
    target: {kind: aws-iam-role-policy, role: shop-deploy, policy: policies/state.json}
    for: 10m
  quick:
    approve: {owners: 1}
    target: {kind: aws-iam-role-policy, role: shop-deploy, policy: policies/state.json}
    for: 8s
"""
# Whose pipeline asks at the gates of these environments, and whose accounts at the forge are.
PIPELINES = """
pipelines:
  - issuer: %s
    name: orders
    repository_id: "1296269"
    repository_owner_id: "583231"
    events: [push]
    workflow: acme/orders/.github/workflows/deploy.yml@refs/heads/main
people:
  dana@example.com: {github: 1001, gitlab: 71}
  olu@example.com: {github: 1002, gitlab: 77}
"""


# GitHub holds back what goes to its environment of the same name.
RULE = """  - {issuer: %s, name: %s, repository_id: "1296269", repository_owner_id: "583231", events: [push],
     workflow: acme/orders/.github/workflows/deploy.yml@refs/heads/main, environment: %s, environments: [%s],
     protection_rule: deploy}
"""
# And GitLab its production, which is the one of an environment of ours.
AT_GITLABS = """  - {issuer: %s, name: at-gitlab, project_id: "4242", namespace_id: "99", events: [push],
     ref: refs/heads/main, environment: production, environments: [%s], protection_rule: deploy}
"""


def _with_gates(issuer: str, at_gitlab: str, config: Path) -> None:
    names = []
    for file in (config / "environments").iterdir():
        file.write_text(file.read_text() + GATE)
        names.append(file.stem)
    gives = config / "environments" / f"{case_name(GIVING)}.yaml"
    gives.write_text(gives.read_text().replace(GATE, GIVES).replace(account_of(GIVING), HOME))
    several = config / "environments" / f"{case_name(AT_GITLAB)}.yaml"
    several.write_text(several.read_text().replace("owners: [platform]", "owners: [platform, developers]"))
    before, people = (PIPELINES % issuer).split("people:")
    rules = "".join(RULE % (issuer, f"rule-{name}", name, name) for name in sorted(names))
    rules += AT_GITLABS % (at_gitlab, case_name(AT_GITLAB))
    whole = f"{(config / 'prodaccess.yaml').read_text()}{before}{rules}people:{people}"
    (config / "prodaccess.yaml").write_text(whole)


@dataclass
class BesideForges(Installation):
    """`there`: GitHub, which knows our app. `gitlab`: which knows our user."""

    there: GitHub | None = None
    gitlab: GitLab | None = None

    def environment(self, process: str) -> dict[str, str]:
        assert self.there is not None
        assert self.gitlab is not None
        own = {"GITHUB_API_URL": self.there.url}
        if process == "web":
            own |= {"GITHUB_WEBHOOK_SECRET": github.SECRET}
        if process == "worker":
            key = github.write_app_key(self.folder / "app.pem")
            own |= {"GITHUB_APP_ID": github.APP_ID, "GITHUB_APP_KEY_FILE": str(key)}
            own |= {"GITLAB_API_URL": f"{self.gitlab.url}/api/v4", "GITLAB_TOKEN": gitlab.TOKEN}
        return super().environment(process) | own


@pytest.fixture(scope="session")
def in_both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Slack and Teams, and forges whose pipelines wait at a gate of each environment."""
    folder, chats = tmp_path_factory.mktemp("both"), ("slack", "teams")
    with issuing(time.time) as forge, github.running(time.time) as there, gitlab.running() as lab:
        prepare = partial(_with_gates, forge.url, lab.url)
        with BesideForges(
            folder, chats=chats, numbers=IN_BOTH, prepare=prepare, forge=forge, there=there, gitlab=lab
        ) as running:
            yield running


@pytest.fixture(scope="session")
def both(in_both: Installation) -> Installation:
    """With three people who have an account in each chat."""
    for who in ("dana", "olu", "pat"):
        comes_to_teams(in_both, who)
    return in_both


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
