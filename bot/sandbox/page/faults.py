"""What somebody can break on the page, and what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.runtime.embedded_redis import EmbeddedError
from bot.sandbox.aws.operations import Plan
from bot.sandbox.aws.server import SandboxAws
from bot.sandbox.installation.installation import REDIS_AWAY_S, REVIVED_AFTER_S
from bot.sandbox.installation.people import DANA
from bot.sandbox.page.commands import Runs
from bot.sandbox.slack import CannotDo, SlackServer
from bot.sandbox.teams.server import TeamsServer

Json = dict[str, Any]

SLACK_SLOW_S = 3.0
AWS_SLOW_S = 8.0
TEAMS_CALLS = ("create", "post", "edit", "delete", "member", "members")
WORKER = "worker"
NEW_ADDRESS = "dana.dev@example.com"


class Machine(Runs, Protocol):
    """What the bot runs on."""

    def keep_up(self, told: Callable[[str], None]) -> None: ...
    def kill(self, name: str) -> bool: ...
    def restart_redis(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Fault:
    """`turn`: on or off, for a switch. `press`: for a button; gives what has happened."""

    id: str
    group: str
    title: str
    says: str
    turn: Callable[[bool], None] | None = None
    press: Callable[[], str] | None = None


class Faults:
    """Switches and buttons. They change the stand-ins and kill processes; the bot cannot tell them from the real thing."""

    def __init__(
        self,
        slack: SlackServer,
        teams: TeamsServer,
        aws: SandboxAws,
        machine: Machine,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slack, self._teams, self._aws, self._machine = slack, teams, aws, machine
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._on: dict[str, Any] = {}
        self._happened: dict[str, tuple[float, str]] = {}
        self.changes = 0
        self._all = {each.id: each for each in self._listed()}

    def shown(self) -> Json:
        with self._lock:
            return {"faults": [self._shown(each) for each in self._all.values()]}

    def play(self, id_: str, on: bool | None = None) -> Json:
        """Turn a switch (`on`) or press a button. Raise CannotDo for an unknown one, or where it is not possible now."""
        fault = self._all.get(id_)
        if fault is None:
            raise CannotDo(f"There is no fault {id_}.")
        if fault.turn is not None:
            self._turn(fault, bool(on))
        elif fault.press is not None:
            self.note(id_, fault.press())
        return {"ok": True}

    def note(self, id_: str, what: str) -> None:
        """Something has happened that belongs to this fault."""
        with self._lock:
            self._happened[id_] = (self._monotonic(), what)
            self.changes += 1

    def revived(self, process: str) -> None:
        """Heard when a process that had died was started again."""
        self.note("kill_worker", f"{process} had died, a new one is up")

    # ------------------------------------------------------------ what there is

    def _listed(self) -> tuple[_Fault, ...]:
        return (*self._of_chats(), *self._of_what_is_behind())

    def _of_chats(self) -> tuple[_Fault, ...]:
        return (
            _Fault(
                "slack_slow",
                "Slack",
                "Slack is slow",
                f"Every call to Slack takes {SLACK_SLOW_S:g} s. Forms may not open; access comes and goes on time.",
                turn=self._slack_slow,
            ),
            _Fault(
                "slack_failing",
                "Slack",
                "Slack fails",
                "Every call to Slack is answered with an error. Cards and receipts come later, once each.",
                turn=self._slack_failing,
            ),
            _Fault(
                "teams_failing",
                "Teams",
                "Teams fails",
                "Every call to Teams is answered with an error. Slack goes on; in Teams it comes later, once each.",
                turn=self._teams_failing,
            ),
        )

    def _of_what_is_behind(self) -> tuple[_Fault, ...]:
        return (
            _Fault(
                "aws_throttling",
                "AWS",
                "AWS throttles",
                "Every call to AWS is answered with “Rate exceeded”. What has to end is tried until it has ended.",
                turn=self._aws_throttling,
            ),
            _Fault(
                "aws_slow",
                "AWS",
                "AWS takes its time",
                f"Giving and taking away at Identity Center takes {AWS_SLOW_S:g} s. Nothing is called done before.",
                turn=self._aws_slow,
            ),
            _Fault(
                "kill_worker",
                "prodaccess",
                "Kill the worker",
                f"The process that talks to AWS is killed; a new one comes after {REVIVED_AFTER_S:g} s.",
                press=self._kill_worker,
            ),
            _Fault(
                "restart_redis",
                "prodaccess",
                "Restart Redis",
                f"The record is away for {REDIS_AWAY_S:g} s. Nothing that was promised is lost.",
                press=self._restart_redis,
            ),
            _Fault(
                "address_changed",
                "People",
                f"{DANA.first}’s address changes",
                f"Her account is on hold: nothing is given to it until Sid or Sue says whose it is, or it is {DANA.email} again.",
                turn=self._address_changed,
            ),
        )

    def _shown(self, fault: _Fault) -> Json:
        at_s, what = self._happened.get(fault.id, (0.0, ""))
        return {
            "id": fault.id,
            "title": fault.title,
            "says": fault.says,
            "kind": "switch" if fault.turn else "button",
            "on": fault.id in self._on,
            "group": fault.group,
            "happened": f"{max(0.0, self._monotonic() - at_s):.0f} s ago: {what}" if what else "",
        }

    # ------------------------------------------------------------ switches

    def _turn(self, fault: _Fault, on: bool) -> None:
        with self._lock:
            if on == (fault.id in self._on) or fault.turn is None:
                return
            self._on.setdefault(fault.id, None)
            fault.turn(on)
            if not on:
                del self._on[fault.id]
            self.changes += 1

    def _slack_slow(self, on: bool) -> None:
        self._slack.faults.delay_s = SLACK_SLOW_S if on else 0.0

    def _slack_failing(self, on: bool) -> None:
        if on:
            self._on["slack_failing"] = self._slack.faults.add("*", times=None, status=500)
        else:
            self._slack.faults.remove(self._on["slack_failing"])

    def _teams_failing(self, on: bool) -> None:
        if on:
            self._on["teams_failing"] = [self._teams.faults.add(call, times=None, status=502) for call in TEAMS_CALLS]
        else:
            for fault in self._on["teams_failing"]:
                self._teams.faults.remove(fault)

    def _aws_throttling(self, on: bool) -> None:
        if on:
            self._on["aws_throttling"] = self._aws.proxy.throttle(times=None)
        else:
            self._aws.proxy.faults.remove(self._on["aws_throttling"])

    def _aws_slow(self, on: bool) -> None:
        with self._aws.proxy.lock:
            self._aws.proxy.operations.default = Plan(delay_s=AWS_SLOW_S) if on else Plan()

    def _address_changed(self, on: bool) -> None:
        self._slack.workspace.change_user(DANA.id, email=NEW_ADDRESS if on else DANA.email)

    # ------------------------------------------------------------ buttons

    def _kill_worker(self) -> str:
        if not self._machine.kill(WORKER):
            raise CannotDo("The worker is dead already; a new one comes in a moment.")
        return f"worker killed, a new one comes in {REVIVED_AFTER_S:g} s"

    def _restart_redis(self) -> str:
        self.note("restart_redis", "Redis is away")
        try:
            self._machine.restart_redis()
        except EmbeddedError as problem:
            raise CannotDo(str(problem)) from None
        return "Redis was away, and is back with the same data"


def play(faults: Faults, body: Mapping[str, Any]) -> Json:
    return faults.play(body["id"], body.get("on"))
