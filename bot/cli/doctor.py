"""`prodaccess doctor`: everything that an installation needs, looked at, with what to do about what is not right."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.program import LEDGER, POLICY, USAGE, AsJson, add, end, say, told, width

if TYPE_CHECKING:
    from bot.doctor.context import Context, Whom


class Whose(StrEnum):
    WEB = "web"
    WORKER = "worker"
    CLOCK = "clock"
    UP = "up"


def register(app: typer.Typer) -> None:
    add(app, doctor)


@told(
    examples={
        "prodaccess doctor": "Before the first start, and whenever something is odd.",
        "prodaccess doctor --process worker": "Where the worker runs: what it has not is missing.",
        "prodaccess doctor --json": "",
    },
    uses={**LEDGER, **POLICY, "SLACK_BOT_TOKEN": "and all else that the processes read"},
    codes={
        0: "nothing is broken and nothing needs attention; what was not looked at says where to look",
        1: "something needs attention, or could not be told",
        2: "something is broken; or it was typed wrongly",
    },
)
def doctor(
    process: Annotated[
        Whose | None,
        typer.Option(metavar="NAME", help="As web, worker, clock or up (all of them) would find it; else what is set."),
    ] = None,
    env_file: Annotated[
        Path, typer.Option(help="Variables, as for `up`, which is who is meant where the file is there.")
    ] = Path(".env"),
    as_json: AsJson = False,
) -> None:
    """Look at all that an installation needs, and say what is not right and how to mend it. Changes nothing."""
    from bot.doctor.examination import examine, subjects_for
    from bot.doctor.writing import as_json as found_as_json
    from bot.doctor.writing import exit_code, lines

    context = _context(process, env_file)
    examined = examine(context, subjects_for(context), _progress())
    if as_json:
        say(json.dumps(found_as_json(examined, context.allowance.asked), indent=2, ensure_ascii=False))
    else:
        for line in lines(examined, width()):
            say(line)
    sys.stdout.flush()
    code = exit_code(examined)
    if code:
        raise typer.Exit(code)


def _context(process: Whose | None, env_file: Path) -> Context:
    from bot import settings
    from bot.doctor.context import Context
    from bot.doctor.variables import readable

    found = settings.with_env_file(settings.process_environ(), env_file)
    if isinstance(found, tuple):
        end(" ".join(found), USAGE)
    # For boto3, which reads the environment by itself.
    settings.process_environ().update(found)
    values, problems = readable(found)
    _quiet(found.get("LOG_LEVEL", ""))
    whom = _whom(process.value if process else "up" if env_file.is_file() else "")
    return Context(values, found, whom, time.time, problems)  # noqa: TID251 - compared with the clocks of others


def _whom(name: str) -> Whom | None:
    from bot.doctor.context import WHOM

    return next((one for one in WHOM if one == name), None)


def _quiet(level: str) -> None:
    """What is logged on the way is said by the lines; whoever reports a fault of ours wants it."""
    from bot.observability import log

    debug = level.lower() == "debug"
    log.configure("doctor", level="debug" if debug else "error", stream=sys.stderr if debug else io.StringIO())


def _progress() -> Callable[[Sequence[str]], None]:
    """On a terminal, beside the answer: who is still looked at."""
    if not sys.stderr.isatty():
        return lambda _: None

    def tell(left: Sequence[str]) -> None:
        text = f"Looking at: {', '.join(left)}" if left else ""
        print(f"\r\x1b[K{text[: width()]}", end="", file=sys.stderr, flush=True)

    return tell
