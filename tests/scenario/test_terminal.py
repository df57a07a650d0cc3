"""Chat is down, on running processes: people ask, agree and are given access from a terminal, and the record says so.

`make drill` plays it, and says what it does.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from moto.iam.models import iam_backends

from bot.sandbox.aws.sts import Key, StsServer
from bot.sandbox.slack import words
from tests.support.installation import OVER_HTTP, RECEIPTS, Case, Installation
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import PATIENCE_S, eventually
from tests.support.webhook import Workflow, workflow
from workflows.core import keys
from workflows.core.people import PersonId

pytestmark = pytest.mark.fleet
HOME, REGION = "111122223333", "eu-central-1"
ROLE = "AWSReservedSSO_ReadOnlyAccess_0123456789abcdef"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
MORE = (
    f'identity_accounts: ["{HOME}"]\nwebhooks:\n  - {{name: pager, url: {{env: PAGER_WEBHOOK}}, kinds: [receipts]}}\n'
)


def _prepared(config: Path) -> None:
    """Nothing is given in the account that vouches but what looks; who is on call stands in the policy."""
    workspace = config / "prodaccess.yaml"
    text = workspace.read_text().replace("slack_usergroup: S0ONCALL, trusted: true", "members: [nia@example.com]")
    workspace.write_text(text + MORE)
    roles = config / "roles.yaml"
    roles.write_text(roles.read_text().replace("risk: change", "risk: read"))
    for file in (config / "environments").iterdir():
        file.write_text(file.read_text().replace("review_within: 24h}", "review_within: 24h, when_chat_is_down: true}"))


@dataclass
class WithTerminals(Installation):
    """`link`: between our processes and Slack. `keys`: name -> variables of somebody's terminal."""

    more: ExitStack = field(default_factory=ExitStack)
    terminals: dict[str, dict[str, str]] = field(default_factory=dict)

    def _start_slack(self) -> None:
        super()._start_slack()
        self.sts = self.more.enter_context(StsServer())
        self.pager: Workflow = self.more.enter_context(workflow())
        port = int(self.slack.api_url.split(":")[2].split("/")[0])
        self.link = self.more.enter_context(TcpProxy(port))
        own = self.aws.environment()
        arn = f"arn:aws:iam::{HOME}:user/worker"
        self.sts.keys[own["AWS_ACCESS_KEY_ID"]] = Key(own["AWS_SECRET_ACCESS_KEY"], HOME, arn, "AIDAWORKERXXXXXXXXXX")

    def environment(self, process: str) -> dict[str, str]:
        env = super().environment(process) | {"PRODACCESS_URL": self.url, "PAGER_WEBHOOK": self.pager.url}
        env["SLACK_API_URL"] = self.slack.api_url.replace(
            self.slack.api_url.split("/")[2], f"127.0.0.1:{self.link.port}"
        )
        return env | {"AWS_ENDPOINT_URL_STS": self.sts.url} if process == "worker" else env

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signs_as(self, who: str, arn: str, user_id: str, token: str = "") -> None:
        key, secret = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)
        self.sts.keys[key] = Key(secret, HOME, arn, user_id, token)
        self.terminals[who] = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret} | (
            {"AWS_SESSION_TOKEN": token} if token else {}
        )

    def at_terminal(self, who: str, *typed: str) -> tuple[int, str]:
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | self.terminals[who]
        env |= {"PRODACCESS_URL": self.url, "AWS_ENDPOINT_URL_STS": self.sts.url, "AWS_REGION": REGION}
        done = subprocess.run(
            [sys.executable, "-m", "bot", *typed],
            env=env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 4,
            check=False,
        )
        print(f"$ prodaccess {' '.join(typed)}    # {who}\n{done.stdout}{done.stderr}")  # noqa: T201 - what the drill shows
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithTerminals]:
    with WithTerminals(tmp_path_factory.mktemp("terminal"), numbers=OVER_HTTP, prepare=_prepared) as running:
        iam: Any = running.aws.client("iam")
        for who in ("dana", "nia"):
            user = iam.get_user(UserName=who)["User"]
            # The simulated AWS gives ids of another form than AWS's.
            id_ = f"AIDA{secrets.token_hex(8).upper()}"
            iam_backends[HOME]["aws"].users[who].id = id_
            running.signs_as(who, user["Arn"], id_)
        path = f"/aws-reserved/sso.amazonaws.com/{REGION}/"
        role = iam.create_role(RoleName=ROLE, Path=path, AssumeRolePolicyDocument=TRUST)["Role"]
        pat = "pat@example.com"
        arn = f"arn:aws:sts::{HOME}:assumed-role/{ROLE}/{pat}"
        running.signs_as("pat", arn, f"{role['RoleId']}:{pat}", token="t" * 600)
        running.signs_as("eve", f"arn:aws:sts::{HOME}:assumed-role/Deploy/{pat}", f"AROADEPLOYXXXXXXXXXX:{pat}")
        running.have_been_here("dana", "pat", "nia")
        yield running
        running.more.close()


@pytest.fixture
def case(at: WithTerminals) -> Case:
    return at.case()


def receipts(at: WithTerminals) -> str:
    """With the threads below."""
    channel = at.slack.workspace.channels[RECEIPTS]
    return "\n".join(words(message) for message in channel.messages.values())


def newest(at: WithTerminals, who: str) -> str:
    return at.ledger().members(keys.of_person(keys.RECENT, PersonId(f"{who}@example.com")), newest=True, limit=1)[0]


def facts(at: WithTerminals, id_: str, event: str) -> dict[str, str]:
    return next(dict(entry.facts) for entry in at.ledger().entries_of(id_) if entry.event.value == event)


def test_while_chat_is_there_the_glass_stays_shut_and_a_stranger_is_nobody(at: WithTerminals, case: Case) -> None:
    code, said = at.at_terminal("nia", "break-glass", case.name, "read-only", "10m", "INC-42", "is it down?")
    assert (code, "Chat can be reached" in said) == (1, True), said
    code, said = at.at_terminal("eve", "request", case.name, "read-only", "1h", "INC-42", "why")
    assert (code, "signed by no person" in said) == (1, True), said


def test_chat_is_down_and_it_is_asked_approved_given_and_told_once_chat_is_back(at: WithTerminals, case: Case) -> None:
    other = at.case()
    at.quiet()
    at.link.cut(reset=True)
    try:
        code, said = at.at_terminal("dana", "request", case.name, "read-only", "1h", "INC-42", "checkout errors")
        assert code == 0, said + at.logs()
        id_ = newest(at, "dana")
        assert id_ in said
        code, said = at.at_terminal("dana", "approve", "--yes", id_)
        assert (code, "yourself" in said) == (1, True), said
        code, said = at.at_terminal("pat", "approve", "--yes", id_)
        assert code == 0, said + at.logs()
        eventually(case.has_access, "the access is given while chat is down")
        assert facts(at, id_, "request.made")["chat"] == "down"
        assert facts(at, id_, "request.approved")["chat"] == "down"

        code, said = at.at_terminal("nia", "break-glass", other.name, "admin", "10m", "INC-42", "all is down")
        assert (code, "when_chat_is_down" in said) == (1, True), said
        code, said = at.at_terminal("nia", "break-glass", other.name, "read-only", "10m", "INC-42", "all is down")
        assert code == 0, said + at.logs()
        eventually(lambda: other.has_access("nia"), "the glass is broken")
        glass = newest(at, "nia")
        eventually(
            lambda: any(glass in str(card) for card in at.pager.cards),
            "the pager's webhook hears of it while chat is down",
        )
    finally:
        at.link.heal()
    eventually(lambda: "while chat was down" in receipts(at), "receipts follow once chat is back")
