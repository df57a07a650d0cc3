"""`prodaccess sandbox`: the page's hints and faults on the real processes, as one who plays everybody meets them."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from bot.sandbox.installation.people import DANA, INCIDENT, MAX, NIA, OLU, OWNERS_ROOM, RECEIPTS, TEAM_ROOM, Player
from bot.sandbox.page.command import main
from tests.support.command import ROOT, Command
from tests.support.waiting import PATIENCE_S, eventually

T = TypeVar("T")
has_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")

# Removed and read back as gone. The second: its time was over before anybody had read that it was there, as where the worker is
# killed between the giving and the look.
OVER = ("grant.ended", "grant.activation_failed")


class Sandbox:
    """The command, and its page's API."""

    def __init__(self, folder: Path) -> None:
        self.command = Command(folder, "bot", "sandbox")
        stdout = self.command.process.stdout
        assert stdout is not None
        said = ""
        for line in stdout:
            said += line
            if found := re.search(r"http://\S+", line):
                self.url = found[0]
            if "Ctrl-C" in line:
                break
        else:
            rest, err = self.command.process.communicate(timeout=PATIENCE_S)
            raise AssertionError(said + rest + err)
        self.http = httpx.Client(base_url=f"{self.url}api/", timeout=PATIENCE_S)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, look: Callable[[], T | None], what: str) -> T:
        found = eventually(look, what)
        assert found is not None
        return found

    def in_another_terminal(self, words: str) -> str:
        """What a shell shows that has asked for the sandbox's variables."""
        program = shlex.join((sys.executable, "-m", "bot"))
        return subprocess.run(
            ("sh", "-c", f'eval "$({program} sandbox env)" && {program} {words}'),
            cwd=ROOT,
            env={"PATH": os.defpath, "TMPDIR": str(self.command.temporary)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    # ------------------------------------------------------------ people

    def types(self, user: str, channel: str, line: str) -> str:
        """Returns what they alone are answered, or told in private."""
        name, _, text = line.partition(" ")
        before = self._told(user).keys()
        outcome = self.post(f"people/{user}/command", name=name, text=text, channel=channel)
        assert outcome["ok"], outcome
        return self.until(lambda: self._news(user, before), f"an answer to {line}")

    def _news(self, user: str, before: Set[str]) -> str | None:
        found = [told for ts, told in sorted(self._told(user).items()) if ts not in before]
        return next((told for told in found if "One moment" not in told), None)

    def _told(self, user: str) -> dict[str, str]:
        seen = self.get(f"people/{user}")
        return {post["ts"]: json.dumps(post, ensure_ascii=False) for post in [*seen["ephemerals"], *seen["dms"]]}

    def card(self, *parts: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            posts = self.get(f"people/{OLU.id}")["channels"][OWNERS_ROOM]
            fitting = [post for post in posts if all(part in json.dumps(post, ensure_ascii=False) for part in parts)]
            return fitting[-1] if fitting else None

        return self.until(look, f"a card with {parts}")

    def press(self, player: Player, card: dict[str, Any], action: str) -> None:
        where = {"message": card["ts"], "channel": card["channel"]}
        assert self.post(f"people/{player.id}/press", **where, action_id=action)["ok"]

    def asks_and_gets(self, seconds: int, why: str) -> str:
        """Dana, in production, with Olu's approval. Returns the id."""
        line = f"/prodaccess orders-prod read-only {seconds}s {why}"
        id_ = id_in(self.types(DANA.id, TEAM_ROOM, line))
        self.press(OLU, self.card("Needs approval", why, '"approve"'), "approve")
        self.until(lambda: self.access(DANA), "Dana has it")
        return id_

    # ------------------------------------------------------------ looking

    def access(self, player: Player) -> list[str]:
        people = self.get("world")["people"]
        return [
            f"{row['what']} in {row['where']}"
            for each in people
            if each["person"] == player.email
            for row in each["access"]
        ]

    def gone(self, player: Player, id_: str) -> dict[str, Any]:
        """At AWS, and then by the record, whose entry this returns."""
        self.until(lambda: not self.access(player), f"the access of {player.name} has ended")

        def look() -> dict[str, Any] | None:
            entries = self.get("audit", limit=200)["entries"]
            return next((e for e in entries if e["subject"] == id_ and e["event"] in OVER), None)

        return self.until(look, f"{id_} is said to have ended")

    def happened(self, fault: str) -> str:
        return next(str(each["happened"]) for each in self.get("faults")["faults"] if each["id"] == fault)


def id_in(text: str) -> str:
    found = re.search(r"PA-[0-9]+", text)
    assert found, text
    return found[0]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield made
    with made.http.stream("GET", "events") as open_page:
        assert next(open_page.iter_lines()) == "event: changed"
        made.command.process.send_signal(signal.SIGINT)
        out, err = made.command.process.communicate(timeout=60)
    made.http.close()
    assert made.command.process.returncode == 0, (out, err)
    assert not err
    assert "Stopped. Nothing is left running." in out
    assert made.command.nothing_is_left()


def test_the_first_life_that_the_page_hints_at_works(sandbox: Sandbox) -> None:
    hints = sandbox.get("start")["hints"]
    typed = [hint for hint in hints if hint["text"].startswith("/prodaccess")]
    asks, looks, changes, on_call, staging, mine, emergency, panic, confirms = typed

    def types(hint: dict[str, str]) -> str:
        return sandbox.types(hint["as"], hint["in"], hint["text"])

    # Dana asks, Olu approves, and it is there.
    assert (asks["as"], asks["in"]) == (DANA.id, TEAM_ROOM)
    id_ = id_in(types(asks))
    assert "Approve" in hints[1]["text"]
    sandbox.press(OLU, sandbox.card("Needs approval", "Dana", '"approve"'), "approve")
    sandbox.until(lambda: sandbox.access(DANA), "Dana has it")
    assert sandbox.access(DANA) == ["ReadOnlyAccess in 210987654321 (orders-prod)"]

    # Max may not, and is told so.
    assert looks["as"] == MAX.id
    assert "can be asked for by" in types(looks)
    assert not sandbox.access(MAX)

    # Nia, on call and in the incident's channel, needs nobody.
    assert (on_call["as"], on_call["in"]) == (NIA.id, INCIDENT)
    by_rule = id_in(types(on_call))
    sandbox.until(lambda: sandbox.access(NIA), "Nia has it")

    # A change, which Olu denies with a reason.
    types(changes)
    sandbox.press(OLU, sandbox.card("Needs approval", "got stuck", '"deny"'), "deny")
    form = sandbox.until(lambda: sandbox.get(f"people/{OLU.id}")["modal"], "the reason is asked for")
    block = next(each["block_id"] for each in form["blocks"] if each["type"] == "input")
    sandbox.post(f"people/{OLU.id}/modal/fill", block_id=block, value="not on a Friday")
    assert sandbox.post(f"people/{OLU.id}/modal/submit")["ok"]
    sandbox.card("Denied", "got stuck")

    # Staging approves itself, and "mine" says what there is.
    types(staging)
    sandbox.until(lambda: any("orders-staging" in place for place in sandbox.access(DANA)), "staging")
    assert "Orders" in types(mine)

    # All of it ends by itself, and has left receipts that the audit log agrees with.
    ended = sandbox.gone(DANA, id_)
    assert ended["words"] == "ended: time was up, removal verified"
    sandbox.gone(NIA, by_rule)
    entries = sandbox.get("audit", limit=100)["entries"]
    assert [each["number"] for each in entries] == list(range(entries[0]["number"], 0, -1))
    sandbox.until(
        lambda: ended["digest12"] in json.dumps(sandbox.get(f"people/{OLU.id}")["channels"][RECEIPTS]), "the receipt"
    )

    # An emergency needs nobody, and everybody sees it; security could take all of it back.
    assert "You used break-glass" in types(emergency)
    sandbox.until(lambda: any("Administrator" in what for what in sandbox.access(NIA)), "Nia is in")
    sandbox.card("Break-glass", "Needs review by")
    types(panic)
    sandbox.until(
        lambda: "Revoke everything" in json.dumps(sandbox.get(f"people/{panic['as']}")["ephemerals"]),
        "security is asked",
    )

    # An address that changes puts the account on hold, and the page shows it; security says whose it is.
    sandbox.post("faults/address_changed", on=True)
    sandbox.until(lambda: sandbox.get("audit")["on_hold"] == {DANA.id: ["slack"]}, "the account is on hold")
    types(confirms)
    sandbox.until(
        lambda: "The same person" in json.dumps(sandbox.get(f"people/{confirms['as']}")["ephemerals"]),
        "security is asked whose it is",
    )
    sandbox.post("faults/address_changed", on=False)
    sandbox.until(lambda: sandbox.get("audit")["on_hold"] == {}, "it is hers as before")

    # The record is whole, by the command that anybody can run; it goes on meanwhile.
    def both_say_the_same() -> bool:
        verified = sandbox.post("commands/verify")
        assert "0 faults" in verified["says"], verified
        return sandbox.in_another_terminal("audit verify").splitlines()[0] == verified["says"].splitlines()[0]

    sandbox.until(both_say_the_same, "the page and the terminal count the same entries")


@has_proc
def test_a_killed_worker_comes_back_and_the_access_ends(sandbox: Sandbox) -> None:
    (before,) = sandbox.command.processes("-m bot worker")
    id_ = sandbox.asks_and_gets(6, "INC-8 with the worker killed")
    sandbox.post("faults/kill_worker")
    assert "worker killed" in sandbox.happened("kill_worker")
    sandbox.until(lambda: "new one is up" in sandbox.happened("kill_worker"), "a new worker")
    (after,) = sandbox.command.processes("-m bot worker")
    assert after != before
    sandbox.gone(DANA, id_)


@has_proc
def test_everything_lives_through_a_restart_of_redis(sandbox: Sandbox) -> None:
    processes = {name: sandbox.command.processes(f"-m bot {name}") for name in ("web", "worker", "clock")}
    id_ = sandbox.asks_and_gets(6, "INC-9 with Redis away")
    number = sandbox.get("audit")["entries"][0]["number"]
    sandbox.post("faults/restart_redis")
    sandbox.gone(DANA, id_)
    sandbox.until(lambda: sandbox.get("audit")["entries"][0]["number"] > number, "the record goes on")
    assert {name: sandbox.command.processes(f"-m bot {name}") for name in processes} == processes


@has_proc
def test_nobody_plays_people_or_aws_but_by_the_page(sandbox: Sandbox) -> None:
    (worker,) = sandbox.command.processes("-m bot worker")
    environ = Path(f"/proc/{worker}/environ").read_bytes().decode().split("\0")
    aws = next(each for each in environ if each.startswith("AWS_ENDPOINT_URL=")).partition("=")[2]
    assert httpx.get(f"{aws}/_proxy/health").status_code >= 400
    slack = sandbox.url.partition("/sandbox/")[0]
    assert httpx.get(f"{slack}/_control/info").status_code == 404


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        started = Command(tmp_path, "bot", "sandbox", "--port", str(port))
        _, err = started.process.communicate(timeout=60)
    assert started.process.returncode == 1
    assert err == f"Port {port} is taken: choose another with --port, or none for a free one.\n"
    assert started.nothing_is_left()


def test_beside_a_real_slack_the_command_leaves_nothing(tmp_path: Path) -> None:
    started = Command(tmp_path, "bot", "sandbox", SLACK_BOT_TOKEN="xoxb-not-ours")
    out, err = started.process.communicate(timeout=60)
    assert started.process.returncode == 2
    assert not out
    assert "run `unset SLACK_BOT_TOKEN`" in err
    assert started.nothing_is_left()


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN_FILE"])
def test_it_does_not_start_beside_a_real_slack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(name, "xoxb-not-ours")
    assert main() == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert f"run `unset {name}`" in err
    assert "xoxb-not-ours" not in err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_ended_while_it_starts_it_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    started = Command(tmp_path, "bot", "sandbox")
    assert started.process.stdout is not None
    for line in started.process.stdout:
        if "Starting the bot" in line:
            break
    started.process.send_signal(how)
    out, err = started.process.communicate(timeout=60)
    assert started.process.returncode == 0, (out, err)
    assert not err
    assert started.nothing_is_left()
