"""`prodaccess demo`: at a terminal the sandbox's page, elsewhere a request's whole life as a transcript to read.

Needs no Slack and no AWS account. With TOUR=1 at a terminal: the transcript first, then the page, on the same installation.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.text import Text

from bot.cloud_credentials import scrub_cloud_credentials
from bot.sandbox.installation.installation import Installation, InstallationError
from bot.sandbox.installation.interrupts import CONFIG, Interrupts, example_policy, failed
from bot.sandbox.installation.people import aws_world, slack_world
from bot.sandbox.page.command import add_port, run
from bot.sandbox.tour.render import Names
from bot.sandbox.tour.scenario import SECONDS, Scenario
from bot.sandbox.tour.terminal import Terminal, console_for
from bot.settings import process_environ
from bot.shipped import checkout
from workflows.core.policy import Policy

_IN_A_CHECKOUT = (
    ("your Slack", "README.md, “Connect your Slack”; then: make run"),
    ("your rules", "config/ is the policy that was just played; docs/policy.md"),
    ("your role", "docs/guide.md: developers, owners, on call, auditors"),
)
_INSTALLED = (
    ("your chat", "prodaccess init asks for what it needs; then: prodaccess up"),
    ("your rules", "prodaccess docs policy"),
    ("your role", "prodaccess docs guide: developers, owners, on call, auditors"),
)
PACE_S = 1.2
INTERRUPTED = 130


def main(arguments: Sequence[str] = ()) -> int:
    """Play it. Returns the exit code; whatever happens, nothing is left running."""
    parser = argparse.ArgumentParser(prog="prodaccess demo", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long the access of the tour lasts")
    add_port(parser)
    options = parser.parse_args(list(arguments))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # both are text files here
    console = console_for(sys.stdout)
    seconds: int = options.seconds
    if console.is_terminal:
        wanted = process_environ().get("TOUR", "") not in ("", "0")
        return run(options.port, partial(_tour, console, seconds) if wanted else None)
    with Interrupts() as interrupts:
        try:
            return _play(console, seconds, interrupts)
        except KeyboardInterrupt:
            with contextlib.suppress(OSError):  # the terminal may be what has gone
                console.print("\nStopped. Nothing is left running.")
            return INTERRUPTED


def _play(console: Console, seconds: int, interrupts: Interrupts) -> int:
    installation = Installation(process_environ(), CONFIG, slack_world(), aws_world())
    try:
        policy = example_policy(CONFIG)
        _title(console, installation)
        scrub_cloud_credentials(process_environ())  # neither we nor what we start could find any
        with contextlib.ExitStack() as running:
            with interrupts.held():
                running.enter_context(installation)
            _tour(console, seconds, installation, policy)
    except InstallationError as problem:
        return failed(str(problem), installation.last_logs)
    except Exception as problem:  # the last line of defence between a traceback and a reader
        return failed(f"The demo met an error of its own: {type(problem).__name__}: {problem}.", installation.last_logs)
    return 0


def _tour(console: Console, seconds: int, installation: Installation, policy: Policy) -> None:
    terminal = Terminal(console, Names.of(installation.slack), pace_s=PACE_S if console.is_terminal else 0.0)
    Scenario(installation, terminal, policy, seconds=seconds).run()
    _closing(terminal)


def _title(console: Console, installation: Installation) -> None:
    console.print(Text("prodaccess: temporary production access, agreed in chat", style="bold"))
    console.print(Text("The real bot beside a stand-in for Slack and a simulated AWS, on this machine.", style="dim"))
    console.print(Text("Nothing is sent anywhere else.", style="dim"))
    if installation.found_and_not_used:
        names = ", ".join(installation.found_and_not_used)
        console.print(Text(f"Your environment has {names}: the demo does not use it."))


def _closing(terminal: Terminal) -> None:
    terminal.blank()
    terminal.heading("What just happened")
    terminal.say("One person asked, another agreed, and nobody could agree to their own request.")
    terminal.say("The end was stored before the access began; AWS was asked whether it is gone.")
    terminal.say("Each step is on the audit log, and chat holds its number and digest.")
    terminal.blank()
    terminal.heading("Where to go next")
    next_steps = _INSTALLED if checkout() is None else _IN_A_CHECKOUT
    terminal.facts([("try it", "prodaccess sandbox: a page on which you play everybody"), *next_steps])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
