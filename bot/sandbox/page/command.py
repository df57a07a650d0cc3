"""`prodaccess sandbox`: one page on this machine where you play everybody, on the real bot. Needs no Slack and no AWS."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from bot.cloud_credentials import scrub_cloud_credentials
from bot.sandbox.installation.installation import Installation, InstallationError
from bot.sandbox.installation.interrupts import Interrupts, failed
from bot.sandbox.page.playground import refusal
from bot.sandbox.page.sandbox import Sandbox
from bot.settings import process_environ
from workflows.core.policy import Policy

REFUSED = 2
PORT_MAX = 65_535
_SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "TEAMS_APP_PASSWORD")

Tour = Callable[[Installation, Policy], None]


def main(arguments: Sequence[str] = ()) -> int:
    """Show it until Ctrl-C. Returns the exit code; whatever happens, nothing is left running."""
    parser = argparse.ArgumentParser(prog="prodaccess sandbox", description=__doc__)
    add_port(parser)
    about = "start Microsoft's agentsplayground, too: Dana's Teams as Microsoft draws it; wants Node"
    parser.add_argument("--playground", action="store_true", help=about)
    options = parser.parse_args(list(arguments))
    return run(options.port, playground=options.playground)


def add_port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=0, help="port on 127.0.0.1; a free one unless said")


def run(port: int, tour: Tour | None = None, *, playground: bool = False) -> int:
    """`tour`: what is played on the installation before the page's address is given."""
    environ = process_environ()
    if why_not := beside_a_real_chat(environ) or (refusal(environ) if playground else None):
        sys.stderr.write(f"{why_not}\n")
        return REFUSED
    with Interrupts() as interrupts:
        try:
            return _show(environ, port, tour, interrupts, playground=playground)
        except KeyboardInterrupt:
            with contextlib.suppress(OSError):  # the terminal may be what has gone
                _say("\nStopped. Nothing is left running.")
            return 0


def beside_a_real_chat(environ: Mapping[str, str]) -> str | None:
    """Why it does not start: who plays with permissions should not have to wonder whose they are."""
    names = [name for each in _SECRETS for name in (each, f"{each}_FILE") if environ.get(name)]
    if not names:
        return None
    return (
        f"Your environment has {', '.join(names)}, of a real chat, and the sandbox does not start beside one: "
        f"run `unset {' '.join(names)}`, and start it again."
    )


def _show(environ: Mapping[str, str], port: int, tour: Tour | None, interrupts: Interrupts, *, playground: bool) -> int:
    sandbox: Sandbox | None = None
    try:
        sandbox = Sandbox(environ, port=port)
        _say("prodaccess: temporary production access, agreed in chat")
        _say("Starting the bot beside stand-ins for Slack and Teams and a simulated AWS ...")
        scrub_cloud_credentials(process_environ())  # neither we nor what we start could find any
        with contextlib.ExitStack() as running:
            with interrupts.held():
                running.enter_context(sandbox)
            if tour is not None:
                tour(sandbox.installation, sandbox.policy)
            if playground:
                _say("Starting Microsoft's playground; the first time npx fetches it ...")
                _say(f"Dana in Microsoft's playground: {running.enter_context(sandbox.playground(environ))}")
            _invite(sandbox.address, sandbox.installation.found_and_not_used)
            threading.Event().wait()
    except InstallationError as problem:
        return failed(str(problem), _logs(sandbox))
    except Exception as problem:  # the last line of defence between a traceback and a reader
        return failed(f"The sandbox met an error of its own: {type(problem).__name__}: {problem}.", _logs(sandbox))
    return 0


def _logs(sandbox: Sandbox | None) -> str:
    return sandbox.installation.last_logs if sandbox else ""


def _invite(url: str, not_used: Sequence[str]) -> None:
    if not_used:
        _say(f"Your environment has {', '.join(not_used)}: the sandbox does not use it.")
    _say(f"\n  {url}\n")
    _say("Open it, and play everybody: the page says what to try first. Two windows can be two people.")
    _say("The bot is real; nothing leaves this machine. Ctrl-C ends it and leaves nothing behind.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= PORT_MAX:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port between 0 and {PORT_MAX}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
