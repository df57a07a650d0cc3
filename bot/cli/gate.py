"""`prodaccess gate`: a job of a pipeline waits for the environment's owner."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.program import GOOD, USAGE, add, end, told

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.gate.job import Kept

DENIED, TIMED_OUT, REFUSED = 3, 4, 5
ID_TOKEN = "PRODACCESS_ID_TOKEN"  # noqa: S105 - the name of a variable


def register(app: typer.Typer) -> None:
    add(app, gate)
    add(app, gate_done)


@told(
    examples={
        'prodaccess gate orders-prod --change "Release 42"': "Wait for an owner, half an hour at most.",
        'prodaccess gate orders-prod --change "Release 42" --key-file gate.pem --commit "$GIT_COMMIT"': "Where no forge signs.",
    },
    needs={"PRODACCESS_URL": "where web is, and the audience of the job's token"},
    uses={"PRODACCESS_ID_TOKEN": "the job's token; at GitHub the command asks for one by itself"},
    codes={
        GOOD: "approved: the job may go on",
        1: "it was stopped by an error of its own",
        USAGE: "it was typed wrongly, or a variable or the token is missing",
        DENIED: "denied; the reason is printed",
        TIMED_OUT: "nobody decided in time",
        REFUSED: "refused, or prodaccess could not be reached",
    },
)
def gate(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment of the policy.")],
    change: Annotated[str, typer.Option(metavar="TEXT", help="What changes, for whoever decides; shown as typed.")],
    commit: Annotated[
        str, typer.Option(metavar="SHA", help="Must be the token's; with --key-file it is needed, and whole.")
    ] = "",
    url: Annotated[str, typer.Option(metavar="URL", help="Where to read more; shown as typed.")] = "",
    ticket: Annotated[str, typer.Option(metavar="TICKET", help="Where the gate wants one.")] = "",
    wait: Annotated[str, typer.Option(metavar="DURATION", help="So long at most.")] = "30m",
    gate_name: Annotated[str, typer.Option("--gate", metavar="NAME", help="Which gate of the environment.")] = "deploy",
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An Ed25519 key in PEM whose public half the policy lists.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the gate gives something: what gate-done needs is written here."),
    ] = None,
) -> None:
    """Ask an environment's owners from a pipeline, and wait for their decision.

    By itself this is advice: whoever edits the pipeline can leave the command out. docs/gate.md says what enforces it.
    """
    from bot.gate.client import call
    from bot.gate.job import Job, Wanted
    from bot.gate.tokens import NoToken, tokens_of
    from bot.monotonic import monotonic_s
    from bot.settings import named_secret, process_environ

    environ = process_environ()
    base = address(environ, "gate")
    if key_file is not None and not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit.lower()):
        end("--key-file needs --commit with the whole id: no token of a forge says which commit this is.", USAGE)
    wanted = Wanted(environment, gate_name, change, commit.lower(), url, ticket, _duration(wait))
    try:
        given = named_secret(ID_TOKEN, environ)
        if given is None and environ.get(f"{ID_TOKEN}_FILE") and key_file is None:
            end(f"The file that {ID_TOKEN}_FILE names cannot be read, or holds no token.", USAGE)
        tokens = tokens_of(environ, given, key_file, base, commit.lower(), call)
    except NoToken as problem:
        end(str(problem), USAGE)
    with _cancelled_by_signals() as pause:
        job = Job(base, wanted, tokens, call, _line, pause, monotonic_s)
        ended = job.run()
    if keep is not None and job.kept is not None:
        _keep(keep, job.kept)
    if ended.code == GOOD:
        _line(ended.sentence)
        return
    print(_one_line(ended.sentence), file=sys.stderr, flush=True)
    raise typer.Exit(ended.code)


@told(
    examples={"prodaccess gate-done gate.json": "The last step of a job, whether it went well or not."},
    codes={
        GOOD: "it is being taken away, or there is nothing any more",
        USAGE: "the file is not there, or is another one",
        REFUSED: "prodaccess could not be reached; what the gate gave ends by itself",
    },
)
def gate_done(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the gate command has written with --keep FILE.")],
) -> None:
    """Give back what a gate gave the pipeline's role, before its time is over."""
    import time

    from bot.gate.client import call
    from bot.gate.done import NothingKept, give_back, kept_in

    try:
        ended = give_back(kept_in(file), call, time.sleep)
    except NothingKept as problem:
        end(str(problem), USAGE)
    if ended.code != GOOD:
        end(_one_line(ended.sentence), ended.code)
    _line(ended.sentence)


def _keep(file: Path, kept: Kept) -> None:
    from bot.gate.done import keep

    try:
        keep(file, kept)
    except OSError as problem:
        _line(f"{file} could not be written ({problem.strerror}): what the gate gave ends by itself.")


def _line(words: str) -> None:
    """At once, so that the log of the job shows it while it waits."""
    encoding = sys.stdout.encoding or "utf-8"
    print(_one_line(words).encode(encoding, "backslashreplace").decode(encoding), flush=True)


def _one_line(words: str) -> str:
    """What is printable of what others typed. Forges read commands from lines of a log that begin with certain signs."""
    return "".join(char if char.isprintable() else " " for char in words)


def address(environ: Mapping[str, str], command: str) -> str:
    """Where web is. Ends the command where that is not said, or cannot be trusted with a secret."""
    from bot.settings.values import bare_address

    given = environ.get("PRODACCESS_URL", "").rstrip("/")
    if not given:
        end(f"PRODACCESS_URL is not set; {command} needs it: the address of prodaccess's web.", USAGE)
    try:
        return bare_address(given)
    except ValueError as problem:
        end(f"PRODACCESS_URL {problem}.", USAGE)


def _duration(text: str) -> timedelta:
    from workflows.core.durations import parse_duration

    found = parse_duration(text)
    if found is None or not 0 < found.total_seconds() <= 30 * 86_400:
        end(f"--wait takes a duration like 30m or 2h, and at most 30d, not {text!r}.", USAGE)
    return found


def _cancelled_by_signals() -> Any:
    """While entered, SIGTERM and SIGINT raise Cancelled, once: what follows is left alone. Gives what waits."""
    import signal
    import time
    from contextlib import contextmanager

    from bot.gate.job import Cancelled

    def cancel(number: int, _frame: object) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise Cancelled(number)

    @contextmanager
    def entered() -> Any:
        before = {each: signal.signal(each, cancel) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield time.sleep
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    return entered()
