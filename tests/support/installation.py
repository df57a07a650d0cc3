"""The whole product as its users run it: our three processes, a Redis, AWS and Slack on this machine.

One installation serves many tests. Each test takes a `Case`: an environment of its own, with its own account, channels
and roles, so that tests that run one after the other do not meet.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.runtime.embedded_redis import EmbeddedValkey
from bot.sandbox.aws.server import SandboxAws
from bot.sandbox.aws.spec import (
    OF_GITHUB,
    IamGroupSpec,
    IamRoleSpec,
    IamUserSpec,
    PermissionSetSpec,
    PersonSpec,
    WorldSpec,
)
from bot.sandbox.slack import Delivered, Message, SlackServer, words
from bot.sandbox.teams.people import channel_id, guid
from bot.sandbox.teams.server import TeamsServer
from tests.support import teams_side, warm
from tests.support.issuer import Issuer
from tests.support.teams_side import Shop, TeamsSide, channel_text, teams_world
from tests.support.waiting import PATIENCE_S, eventually
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.person import Refusals
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.request import Request
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import PolicyFolder
from workflows.usecases.oversight.policy_activation import digest_due, digest_key

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
COMMAND = "/prodaccess"

# Name in tests -> Slack id. dana asks, olu and pat own, nia is on call, sue is security, gus is a guest.
PEOPLE = {
    "dana": "U0DANA",
    "olu": "U0OLU",
    "pat": "U0PAT",
    "nia": "U0NIA",
    "sue": "U0SUE",
    "gus": "U0GUS",
    "zed": "U0ZED",
}
RECEIPTS, GENERAL, INCIDENT, FAKE_INCIDENT = "C0RECEIPTS", "C0GENERAL", "C0INC42", "C0INC66"
CASES = 370
# Each process reads all environments of its installation, which takes a millisecond each. The simulated AWS is one for the
# whole Python process, so each installation has environments, and with them accounts, of its own.
OVER_HTTP, WAITING, OVER_SOCKET, CHAOS, OWN = (
    range(110),
    range(110, 150),
    range(150, 260),
    range(260, 290),
    range(290, 300),
)
IN_TEAMS, IN_BOTH = range(300, 330), range(330, CASES)
# Environments of the installation `own` that no other test is given.
HIDDEN, IMPATIENT, CHANGING, BESIDE = 298, 297, 296, 295
# Of the one in which both chats are: its gates give a pipeline's role something, in the worker's own account.
GIVING = 368
# Of the same one: GitLab holds back what goes there.
AT_GITLAB = 367
_RESERVED = frozenset({HIDDEN, IMPATIENT, CHANGING, BESIDE, GIVING, AT_GITLAB})
HOME = "111122223333"
WHY = "1h INC-42 checkout errors"
# As short as access can be asked for that is to be given first: from the press to AWS takes 0.3 s, and some seconds on a
# machine with ten times more to do than it can. What is over before that is rightly not given.
SHORT_S = 6.0
SHORT = f"{SHORT_S:.0f}s INC-42 checkout errors"

ROLES = """
roles:
  read-only:
    risk: read
    allows: Read logs and metrics
    target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}
    how_to: Dashboards are at go/dashboards
  same-thing:
    risk: read
    allows: The same permission set under another name
    target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}
  admin:
    risk: admin
    allows: Change anything
    danger: can delete customer data
    target: {kind: aws-identity-center, permission_set: AdministratorAccess}
  readers:
    risk: read
    allows: Read all accounts
    target: {kind: aws-identity-center-group, group: "{environment}-readers"}
  state-write:
    risk: change
    allows: Write the state of Terraform
    target: {kind: aws-iam-policy, user: "{local_part}", policy: policies/state.json}
  deploy:
    risk: change
    allows: Roll out or back
    target: {kind: aws-iam-group, user: "{local_part}", group: "{environment}-deployers"}
  self-service:
    risk: read
    allows: Read, approved by a rule
    target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}
"""
WORKSPACE = """
version: 1
timezone: Europe/Berlin
email_domains: [example.com]
connections:
  main: {kind: aws, region: eu-central-1, portal: "https://acme.awsapps.com/start"}
receipts_channel: %(receipts)s
incident_channels: {names: [inc-*], created_by: [U0SIREN]%(incident)s}
request_expires_after: %(expires)s
groups:
  platform: {members: [olu@example.com, pat@example.com]}
  security: {members: [sue@example.com, pat@example.com]}
  developers: {members: [dana@example.com, nia@example.com, olu@example.com, gus@example.com]}
  oncall: {%(oncall)s, trusted: true}
panic_group: security
rules:
  production:
    any: {approve: {owners: 1}, durations: [2s, 30m, 1h], default_duration: 30m, max_duration: 8h}
    admin: {approve: {owners: 1, security: 1}, durations: [30m], max_duration: 1h, ticket: 'INC-[0-9]+'}
digests:
%(digests)s
"""
Chats = tuple[str, ...]
SLACK_ALONE: Chats = ("slack",)
# Who is on call, in the chat that keeps it.
ONCALL = {"slack": "slack_usergroup: S0ONCALL", "teams": f"entra_group: {guid('group oncall')}"}
STATE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:{partition}:s3:::state/{environment}/*"}
    ],
}


def case_name(number: int) -> str:
    return f"shop-{number:03}-prod"


def account_of(number: int) -> str:
    return f"200000000{number:03}"


def places(slack: str, teams: str, chats: Chats) -> str:
    """As the policy names channels: those of the chats that there are. With Slack alone as every version reads it."""
    found = [text for chat, text in (("slack", slack), ("teams", channel_text(teams))) if chat in chats]
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


def environment_yaml(number: int, channel: str | None) -> str:
    place = f"approvals_channel: {channel}\n" if channel else ""
    return (
        f"environment: {case_name(number)}\ntitle: Shop {number:03}\ntier: production\nconnection: main\n"
        f'account: "{account_of(number)}"\nowners: [platform]\nrequesters: [developers, oncall]\n{place}'
        "break_glass: {who: [oncall], roles: [read-only, admin], max_duration: 30m, max_per_day: 3, review_within: 24h}\n"
        "roles:\n  read-only:\n    auto_approve:\n"
        "      - {name: on-call reads in an incident, who: [oncall], in_incident_channel: true, max_duration: 1h}\n"
        "  same-thing: {}\n  admin: {}\n  readers: {}\n  state-write: {}\n  deploy: {}\n"
        "  self-service:\n    auto_approve: [{name: developers read, who: [developers], max_duration: 1h}]\n"
    )


def write_policy(
    folder: Path,
    expires: str = "1h",
    digests: str = "",
    numbers: range = range(CASES),
    chats: Chats = SLACK_ALONE,
) -> None:
    receipts = places(RECEIPTS, "access-log", chats)
    plans = digests or f'  - {{channel: {receipts}, schedule: "0 9 1 1 *"}}'
    (folder / "environments").mkdir(parents=True, exist_ok=True)
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "prodaccess.yaml").write_text(
        WORKSPACE.lstrip()
        % {
            "expires": expires,
            "digests": plans,
            "receipts": receipts,
            "incident": f', teams: ["{channel_id("Orders inc-42")}"]' if "teams" in chats else "",
            "oncall": ONCALL[chats[0]],
        }
    )
    (folder / "roles.yaml").write_text(ROLES.lstrip())
    (folder / "policies" / "state.json").write_text(json.dumps(STATE))
    for number in numbers:
        # Every tenth environment has no channel: its owners get the card as direct messages.
        channel = None if number % 10 == 9 else places(f"C0SHOP{number:03}", f"shop-{number:03}", chats)
        (folder / "environments" / f"{case_name(number)}.yaml").write_text(environment_yaml(number, channel))


def aws_world() -> WorldSpec:
    accounts = tuple(account_of(number) for number in range(CASES))
    return WorldSpec(
        accounts=("111122223333", *accounts),
        permission_sets=(PermissionSetSpec("ReadOnlyAccess"), PermissionSetSpec("AdministratorAccess")),
        people=tuple(PersonSpec(f"{name}@example.com") for name in PEOPLE),
        groups={f"{case_name(number)}-readers": () for number in range(CASES)},
        iam_users=tuple(IamUserSpec(name, person=f"{name}@example.com") for name in PEOPLE),
        iam_groups=tuple(IamGroupSpec(f"{case_name(number)}-deployers") for number in range(CASES)),
        iam_roles=(IamRoleSpec("shop-deploy", HOME, case_name(GIVING), OF_GITHUB),),
    )


def slack_world() -> dict[str, Any]:
    everybody = list(PEOPLE.values())
    channels = [
        {"id": RECEIPTS, "name": "access-log", "members": everybody},
        {"id": GENERAL, "name": "general", "members": everybody, "bot": False},
        {"id": INCIDENT, "name": "inc-42", "members": everybody, "creator": "U0SIREN"},
        {"id": FAKE_INCIDENT, "name": "inc-66", "members": everybody, "creator": "U0DANA"},
    ]
    for number in range(CASES):
        if number % 10 != 9:
            channels.append({"id": f"C0SHOP{number:03}", "name": f"shop-{number:03}", "members": everybody})
    users = [
        {
            "id": id_,
            "name": name,
            "real_name": name.title(),
            "display_name": name.title(),
            "email": f"{name}@example.com",
        }
        for name, id_ in PEOPLE.items()
    ]
    for user in users:
        if user["name"] == "gus":
            user["is_restricted"] = True
    users.append({"id": "U0SIREN", "name": "siren", "is_bot": True, "email": ""})
    return {
        "users": users,
        "groups": [{"id": "S0ONCALL", "handle": "oncall", "users": ["U0NIA"]}],
        "channels": channels,
    }


def free_port() -> int:
    """A port that is free at the moment; the web process takes it at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


id_in = teams_side.id_in


@dataclass
class Process:
    """One of ours, as a process of its own."""

    name: str
    popen: warm.Forked | subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def freeze(self) -> None:
        self.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def alive(self) -> bool:
        return self.popen.poll() is None


@dataclass
class Installation:
    """Use as a context manager. `socket` is Socket Mode, else HTTP with signatures."""

    folder: Path
    socket: bool = False
    # The chats that there are; `slack` and `there` are what plays them.
    chats: Chats = SLACK_ALONE
    # /metrics and /readyz are on a port of their own, and a proxy on this machine is believed for whom it asks.
    ops: bool = False
    expires: str = "1h"
    digests: str = ""
    unlimited: bool = True
    # Of its environments.
    numbers: range = range(CASES)
    # Its processes are forks of one that has imported all they need; else each starts as in production.
    forked: bool = True
    # AWS's lists have short and empty pages, by this seed; None: full ones.
    torn_pages: int | None = 20
    # Changes the policy folder before anything is started.
    prepare: Callable[[Path], None] | None = None
    # What issues tokens for jobs of pipelines; web is given its own address, for which they are.
    forge: Issuer | None = None
    processes: dict[str, Process] = field(default_factory=dict)
    done_with: list[Case] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _started: int = 0

    def __post_init__(self) -> None:
        free = [number for number in self.numbers if number not in _RESERVED]
        self._cases = iter([number for number in free if number % 10 != 9])
        self._without_channel = iter([number for number in free if number % 10 == 9])

    def __enter__(self) -> Installation:
        try:
            self._start()
        except BaseException:
            # Nobody else would: where it does not become ready, its processes would look for their Redis for ever.
            self.stop()
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._stack.close()

    def redis_server(self) -> Any:
        """Its server, or servers: a context manager with `url` and `pid`."""
        return EmbeddedValkey(self.folder / "redis")

    def _start(self) -> None:
        self.redis = self._stack.enter_context(self.redis_server())
        self.aws = self._stack.enter_context(SandboxAws(torn_pages=self.torn_pages))
        self.aws.reset(aws_world())
        self.port = free_port()
        self._ops_port = free_port() if self.ops else 0
        if "slack" in self.chats:
            self._start_slack()
        if "teams" in self.chats:
            server = TeamsServer(lambda clock: teams_world(clock, PEOPLE, self.numbers))
            self.teams = TeamsSide(self._stack.enter_context(server), f"http://127.0.0.1:{self.port}/api/messages")
        self.config = self.folder / "config"
        write_policy(self.config, self.expires, self.digests, self.numbers, self.chats)
        if self.prepare is not None:
            self.prepare(self.config)
        for name in ("web", "worker", "clock"):
            self.launch(name)
        self.wait_ready()
        if self.unlimited:
            self._stack.callback(self._forget_limits().set)

    def _start_slack(self) -> None:
        self.slack = self._stack.enter_context(SlackServer(slack_world()))
        # Slack waits for three seconds; a busy machine may need more, and whether the bot is quick enough is another question.
        self.slack.app.ack_timeout_s = self.slack.app.trigger_life_s = PATIENCE_S
        if not self.socket:
            self.slack.app.request_url = f"http://127.0.0.1:{self.port}/slack/events"

    def _forget_limits(self) -> threading.Event:
        """Slack takes 50 edits a minute, and Teams two posts a second, which many tests in a row exceed. The stand-ins take
        them all, so the shared buckets are emptied all the time; what the limits do has tests of its own.
        """
        stop = threading.Event()
        client = redis.Redis.from_url(self.redis.url, retry=Retry(NoBackoff(), 0))

        def forget() -> None:
            while not stop.wait(0.3):
                # Whatever happens to this one connection, the next turn has another.
                with suppress(redis.RedisError, OSError, ValueError):
                    found = [
                        key
                        for chat in self.chats
                        for key in client.scan_iter(f"prodaccess:bucket:{chat}:*", count=1000)
                    ]
                    if found:
                        client.delete(*found)
            client.close()

        threading.Thread(target=forget, daemon=True).start()
        return stop

    # ------------------------------------------------------------ processes

    def environment(self, process: str) -> dict[str, str]:
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "SLACK_", "TEAMS_", "GRAPH_", "PRODACCESS_"))
        }
        env |= {
            "REDIS_URL": self.redis.url,
            "PRODACCESS_CONFIG": str(self.config),
            "PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.aws.environment()["AWS_ENDPOINT_URL"],
            "LOG_LEVEL": "info",
            "PYTHONWARNINGS": "default",
        }
        if self.ops:
            env |= {"PRODACCESS_OPS_PORT": str(self.ops_port), "FORWARDED_ALLOW_IPS": "127.0.0.1"}
        if self.forge is not None:
            env |= {"PRODACCESS_URL": f"http://127.0.0.1:{self.port}"}
        if "slack" in self.chats:
            env |= self._of_slack()
        if "teams" in self.chats:
            env |= self.teams.server.environment()
        return env | self.aws.environment() if process == "worker" else env

    def _of_slack(self) -> dict[str, str]:
        app = self.slack.app
        comes_in = ("SLACK_APP_TOKEN", app.app_token) if self.socket else ("SLACK_SIGNING_SECRET", app.signing_secret)
        return {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_API_URL": self.slack.api_url, comes_in[0]: comes_in[1]}

    def launch(self, name: str, label: str | None = None) -> Process:
        """Start one more process of this kind. `label` where there is more than one."""
        self._started += 1
        label = label or name
        log = self.folder / f"{self._started:03}-{label}.log"
        start = warm.forked if self.forked and warm.CAN_FORK else warm.started
        self.processes[label] = Process(name, start([name], self.environment(name), log), log)
        return self.processes[label]

    def kill(self, *labels: str) -> None:
        for label in labels or tuple(self.processes):
            self.processes[label].kill()

    def stop(self) -> None:
        for process in self.processes.values():
            if process.alive():
                process.thaw()
                process.popen.terminate()
        for process in self.processes.values():
            try:
                process.popen.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()

    @property
    def ops_port(self) -> int:
        """Where /readyz is: a later `web` may listen on another port than the first."""
        return self._ops_port or self.port

    def ready(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_port}/readyz", timeout=PATIENCE_S) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as problem:
            with problem:
                return dict(json.load(problem))
        except OSError as problem:
            return {"ready": False, "missing": [str(problem)]}

    def wait_ready(self) -> None:
        try:
            eventually(lambda: self.ready()["ready"])
        except AssertionError as problem:
            # Behind it stands what went wrong before, in a test that tidies up.
            raise AssertionError(f"not ready: {self.ready()}\n{self.logs()}") from problem
        if self.socket:
            self.slack.wait_connected(PATIENCE_S)

    def ledger(self) -> RedisLedger:
        """The record itself, to look into."""
        return RedisLedger(redis.Redis.from_url(self.redis.url), durability="verify", monotonic=time.monotonic)

    def state(self) -> str:
        """What is due and what waits in the queues, for a failure's message."""
        with redis.Redis.from_url(self.redis.url, decode_responses=True) as client:
            queues = {name: client.llen(f"rq:queue:prodaccess-{name}") for name in ("remove", "grant", "chat")}
            due = client.zrange("prodaccess:due", 0, -1, withscores=True)
            return f"now {client.time()[0]}, due {due}, woken {client.hgetall('prodaccess:woken')}, queued {queues}"

    def events(self, subject: str) -> list[str]:
        """What the record says of one request or policy, in order."""
        return [entry.event.value for entry in self.ledger().entries_of(subject)]

    def soon(self, item: str) -> None:
        """Something that the clock would find later is due now."""
        self.ledger().remind(item, 0.0)

    def digest_of(self, environment: str) -> str:
        """The due item of the digest that is about this environment alone."""
        plans = PolicyFolder(self.config, monotonic=time.monotonic).current().digests
        return digest_due(digest_key(next(plan for plan in plans if plan.environments == (environment,))))

    def digest_of_all(self) -> str:
        """The due item of the digest of an installation that has one."""
        (plan,) = PolicyFolder(self.config, monotonic=time.monotonic).current().digests
        return digest_due(digest_key(plan))

    def quiet(self) -> None:
        """Wait until nothing is under way: no mark in chat, no deferred act, no wake-up in a queue."""
        with redis.Redis.from_url(self.redis.url, decode_responses=True) as client:

            def still() -> bool:
                due = client.zrange("prodaccess:due", 0, -1)
                # A place that takes no messages is looked at for as long as that lasts.
                marks = [item for item in due if item.startswith(("chat:", "press:")) and "chat:place-" not in item]
                queues = (f"rq:queue:prodaccess-{name}" for name in ("remove", "grant", "chat"))
                return not marks and not any(client.llen(name) for name in queues)

            eventually(still, "quiet")

    def refused_afresh(self, who: str) -> None:
        """The next refusal of `who` is an entry of its own, as its minute begins anew.

        A person's refusals within a minute are one entry and a count: whoever expects the entry in an installation that
        others share calls this first, or what another test left within the minute swallows it.
        """
        ledger, item = self.ledger(), keys.refusals(PersonId(f"{who}@example.com"))
        if ledger.read(item).get(item, Refusals) is not None:
            self.soon(item)
            eventually(lambda: ledger.read(item).get(item, Refusals) is None, "the minute is over")

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-4000:]}" for path in sorted(self.folder.glob("*.log")))

    # ------------------------------------------------------------ people

    def case(self, *, channel: bool = True) -> Case:
        """An environment that no other test uses."""
        if not self.aws.is_ours:
            # Another test of this process had the simulated AWS meanwhile.
            self.aws.reset(aws_world())
        fresh = next(self._cases if channel else self._without_channel, None)
        if fresh is not None:
            return Case(self, fresh)
        # More tests than environments, as where one process runs them all: those that are done with lend theirs.
        again = next(case for case in self.done_with if (case.number % 10 != 9) is channel)
        self.done_with.remove(again)
        again.renew()
        return again

    def types(self, who: str, text: str, channel: str = GENERAL) -> Delivered:
        return self.slack.person(PEOPLE[who]).command(COMMAND, text, channel=channel)

    def have_been_here(self, *names: str) -> None:
        """They have used it before: answers name those alone of whom it is known that they are there."""
        for name in names:
            self.told(name, "mine")

    def told(self, who: str, text: str, channel: str = GENERAL) -> str:
        """What `who` is answered, in words: at once, or a little later where a worker had to look first."""
        person = self.slack.person(PEOPLE[who])
        seen = {message.ts for message in person.ephemerals(channel)}
        outcome = self.types(who, text, channel)
        assert outcome.ok, (outcome, self.logs())

        def news() -> list[Message]:
            return [message for message in person.ephemerals(channel) if message.ts not in seen]

        return "\n".join(words(message) for message in eventually(news, f"an answer to {text!r}"))

    def messages(self, channel: str) -> list[Message]:
        return self.slack.person(PEOPLE["sue"]).messages(channel)


@dataclass
class Case:
    """One environment: its name, account and approvals channel."""

    at: Installation
    number: int

    @property
    def name(self) -> str:
        return case_name(self.number)

    @property
    def account(self) -> str:
        return account_of(self.number)

    @property
    def channel(self) -> str:
        return f"C0SHOP{self.number:03}"

    @property
    def in_teams(self) -> Shop:
        return Shop(self.at.teams, self.name, f"shop-{self.number:03}")

    def tidy(self) -> None:
        """Take back what is still asked for here: one person can have ten asks waiting at most."""
        ledger = self.at.ledger()
        for id_ in ledger.members(keys.of_environment(keys.PENDING, self.name)):
            request = ledger.read(keys.request(id_)).get(keys.request(id_), Request)
            if request is not None:
                self.at.types(request.requester.partition("@")[0], f"withdraw {id_}")
        self.at.done_with.append(self)

    def renew(self) -> None:
        """Nobody has access here, and nothing was ever said."""
        ledger, live = self.at.ledger(), keys.of_environment(keys.LIVE, self.name)
        for id_ in ledger.members(live):
            request = ledger.read(keys.request(id_)).get(keys.request(id_), Request)
            if request is not None:
                self.at.types(request.requester.partition("@")[0], f"end {id_}")
        eventually(lambda: not ledger.members(live), "all access ends")
        self.at.quiet()
        with self.at.slack.workspace.lock:
            for channel in self.at.slack.workspace.channels.values():
                if channel.id == self.channel:
                    channel.messages.clear()
                    channel.ephemerals.clear()

    def ask(self, who: str = "dana", role: str = "read-only", rest: str = WHY, channel: str = GENERAL) -> str:
        return self.at.told(who, f"{self.name} {role} {rest}", channel)

    def cards(self, viewer: str = "olu") -> list[Message]:
        """Approval cards in the environment's channel, oldest first."""
        person = self.at.slack.person(PEOPLE[viewer])
        return [message for message in person.messages(self.channel) if not message.ephemeral_to]

    def card(self, *parts: str, viewer: str = "olu") -> Message:
        """The newest card whose words hold all `parts`."""

        def look() -> Message | None:
            found = [card for card in self.cards(viewer) if all(part in words(card) for part in parts)]
            return found[-1] if found else None

        try:
            found = eventually(look)
        except AssertionError:
            shown = "\n---\n".join(words(card) for card in self.cards(viewer))
            raise AssertionError(f"no card with {parts} in\n{shown}\n{self.at.logs()}") from None
        assert found is not None
        return found

    def asked(self, who: str = "dana", role: str = "read-only", rest: str = WHY, channel: str = GENERAL) -> Message:
        """Ask, and wait for the card that the owners get."""
        before = {card.ts for card in self.cards()}
        answer = self.ask(who, role, rest, channel)
        what = f"a card, after the answer {answer!r}"
        try:
            eventually(lambda: [card for card in self.cards() if card.ts not in before], what)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.at.state()}\n{self.at.logs()}") from None
        # The version before, beside which this one runs in some tests, says it in its own words.
        found = eventually(lambda: [card for card in self.cards() if card.ts not in before and waits(card)], what)
        return (found or [])[-1]

    def press(self, who: str, card: Message, action: str, **more: Any) -> Delivered:
        return self.at.slack.person(PEOPLE[who]).press(card, action, channel=self.channel, **more)

    def approve(self, card: Message, who: str = "olu") -> None:
        outcome = self.press(who, card, "approve")
        assert outcome.ok, outcome

    def take_back(self, who: str, card: Message, reason: str = "it was long enough") -> None:
        """End somebody else's access: asked once, in a form."""
        assert self.press(who, card, "end").ok
        form = eventually(self.at.slack.person(PEOPLE[who]).view, "the form")
        assert form is not None
        form.fill("reason", reason)
        assert form.submit().ok

    def active(self, who: str = "dana", role: str = "read-only", rest: str = WHY) -> Message:
        """A grant that is active, as its card."""
        self.approve(self.asked(who, role, rest))
        return self.card("Active")

    def whispers(self, who: str, channel: str | None = None) -> list[str]:
        """What `who` alone was told in the channel."""
        place = channel or self.channel
        return [words(message) for message in self.at.slack.person(PEOPLE[who], force=True).ephemerals(place)]

    def whispered(self, who: str, part: str, channel: str | None = None) -> str:
        return (
            eventually(
                lambda: next((text for text in self.whispers(who, channel) if part in text), None),
                f"{who} is told {part!r}",
            )
            or ""
        )

    def direct(self, who: str) -> list[str]:
        return [words(message) for message in self.at.slack.person(PEOPLE[who]).dms()]

    def has_access(self, who: str = "dana", permission_set: str = "ReadOnlyAccess") -> bool:
        return f"{who}@example.com" in self.at.aws.world.who_has(permission_set, self.account)


def waits(card: Message) -> bool:
    return "Needs approval" in words(card) or "Waiting for" in words(card)


# ---------------------------------------------------------------- another policy


def policy_in_force(at: Installation) -> str:
    active = at.ledger().read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
    assert active is not None
    return active.hash


@contextmanager
def edited(at: Installation, number: int, before: str, after: str) -> Iterator[None]:
    """One environment's file, changed for a while, until everybody decides by the old one again."""
    path = at.config / "environments" / f"shop-{number}-prod.yaml"
    text, in_force = path.read_text(), policy_in_force(at)
    assert before in text
    path.write_text(text.replace(before, after))
    try:
        yield
    finally:
        path.write_text(text)
        eventually(lambda: policy_in_force(at) == in_force, "the old policy is in force again")
        at.wait_ready()
