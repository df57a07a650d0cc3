"""`prodaccess demo`: a request's whole life on this machine, as a transcript to read. Needs no Slack and no AWS account."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from types import FrameType

from rich.console import Console
from rich.text import Text

from bot.cloud import scrub_cloud_credentials
from bot.sandbox.cast import PRODUCTION, STAGING, aws_world, slack_world
from bot.sandbox.drawing import Names
from bot.sandbox.play import Play
from bot.sandbox.screen import Screen, console_for
from bot.sandbox.stage import ROOT, Stage, StageError
from bot.settings import process_environ
from workflows.core.policy import Policy
from workflows.policy_file import load_policy

CONFIG = ROOT / "config"
SECONDS = 20
PACE_S = 1.2
FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] = ()) -> int:
    """Play it. Returns the exit code; whatever happens, nothing is left running."""
    parser = argparse.ArgumentParser(prog="prodaccess demo", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long the access lasts")
    seconds = parser.parse_args(list(arguments)).seconds
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # both are text files here
    console = console_for(sys.stdout)
    with _interruptible():
        try:
            return _play(console, seconds)
        except KeyboardInterrupt:
            with contextlib.suppress(OSError):  # the terminal may be what has gone
                console.print("\nStopped. Nothing is left running.")
            return INTERRUPTED


def _play(console: Console, seconds: int) -> int:
    stage = Stage(process_environ(), CONFIG, slack_world(), aws_world())
    try:
        policy = example_policy()
        _title(console, stage)
        scrub_cloud_credentials(process_environ())  # neither we nor what we start could find any
        with stage:
            screen = Screen(console, Names.of(stage.slack), pace_s=PACE_S if console.is_terminal else 0.0)
            Play(stage, screen, policy, seconds=seconds).run()
            _closing(screen)
    except StageError as problem:
        return _failed(str(problem), stage.last_logs)
    except Exception as problem:  # the last line of defence between a traceback and a reader
        return _failed(f"The demo met an error of its own: {type(problem).__name__}: {problem}.", stage.last_logs)
    return 0


def example_policy() -> Policy:
    """Raise StageError where `config/` is no longer the example that the people on this stage belong to."""
    found = load_policy(CONFIG)
    if isinstance(found, tuple):
        raise StageError(f"The demo plays the example policy, and {CONFIG} is not valid: {found[0]}")
    missing = [name for name in (PRODUCTION, STAGING) if name not in found.environments]
    if missing:
        raise StageError(f"The demo plays the example policy, and {CONFIG} has no environment {' or '.join(missing)}.")
    return found


def _title(console: Console, stage: Stage) -> None:
    console.print(Text("prodaccess: temporary production access, agreed in chat", style="bold"))
    console.print(Text("The real bot beside a stand-in for Slack and a simulated AWS, on this machine.", style="dim"))
    console.print(Text("Nothing is sent anywhere else.", style="dim"))
    if stage.found_and_not_used:
        names = ", ".join(stage.found_and_not_used)
        console.print(Text(f"Your environment has {names}: the demo does not use it."))


def _closing(screen: Screen) -> None:
    screen.blank()
    screen.heading("What just happened")
    screen.say("One person asked, another agreed, and nobody could agree to their own request.")
    screen.say("The end was stored before the access began; AWS was asked whether it is gone.")
    screen.say("Each step is on the audit log, and chat holds its number and digest.")
    screen.blank()
    screen.heading("Where to go next")
    screen.facts(
        [
            ("your Slack", "README.md, “Connect your Slack”; then: make run"),
            ("your rules", "config/ is the policy that was just played; docs/policy.md"),
            ("your role", "docs/guide.md: developers, owners, on call, auditors"),
        ]
    )


def _failed(sentence: str, logs: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    if logs:
        with tempfile.NamedTemporaryFile("w", prefix="prodaccess-demo-", suffix=".log", delete=False) as kept:
            kept.write(logs)
        sys.stderr.write(f"The last lines of all logs are in {kept.name}\n")
    return FAILED


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """A closed terminal or a plain kill takes the same way out as Ctrl-C: everything is ended and removed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in watched:
            signal.signal(number, signal.SIG_IGN)  # ending what we started is not to be interrupted
        raise KeyboardInterrupt

    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in watched}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
