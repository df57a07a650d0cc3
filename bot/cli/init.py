"""`prodaccess init`: questions, or a file of answers -> a policy folder and `.env` that are in order."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.program import PROBLEMS, USAGE, add, end, say, told, width

if TYPE_CHECKING:
    from bot.setup.answers import Answers

_HERE = Path()
_STDIN = "-"
_TYPED = "     "
_NO_TERMINAL = (
    "prodaccess init asks questions, and this is no terminal: give it --answers FILE"
    " (prodaccess init --example-answers prints one)."
)
_NOTHING = "Nothing was written."
_STOPPED = f"Stopped. {_NOTHING}"
_NOT_IN_ORDER = f"{_NOTHING} Together these answers do not make a policy that is in order:"
_KEEP = """
So that nothing has to be typed again: put these lines into a file, change what is to change, and give it with --answers.

{typed}"""
INTERRUPTED = 130
_CHARS_MAX = 1024 * 1024


def register(app: typer.Typer) -> None:
    add(app, init)


@told(
    examples={
        "prodaccess init": "Asks, and writes config/ and .env here.",
        "prodaccess init --example-answers > answers.yaml": "All answers in one file, for a machine.",
        "prodaccess init access --answers answers.yaml": "Asks nothing; - in place of the file reads standard input.",
    },
    codes={
        PROBLEMS: "files stand in the way, or they could not be written; nothing was changed",
        USAGE: "the answers are not in order, or there is nobody to ask; nothing was changed",
        130: "Ctrl-C; nothing was changed",
    },
)
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where config/ and .env are written.")] = _HERE,
    answers: Annotated[
        str,
        typer.Option("--answers", metavar="FILE", help="Take all answers from this YAML file; - is standard input."),
    ] = "",
    example: Annotated[
        bool, typer.Option("--example-answers", help="Print an example of such a file, which works as it is.")
    ] = False,
    aws_policy: Annotated[
        bool,
        typer.Option(
            "--aws-policy", help="Print an IAM policy with all that it can use to read AWS, and nothing else."
        ),
    ] = False,
) -> None:
    """Write a first policy and .env, which pass the strict check. Overwrites nothing."""
    if example or aws_policy:
        say(_printed(aws_policy=aws_policy))
        return
    _refuse_what_is_there(folder)
    if answers:
        _write(_read(answers), {}, folder)
    elif sys.stdin.isatty() and sys.stdout.isatty():
        _ask(folder)
    else:
        end(_NO_TERMINAL, USAGE)


def _printed(*, aws_policy: bool) -> str:
    from bot.setup.aws import policy
    from bot.setup.example import EXAMPLE

    return (policy() if aws_policy else EXAMPLE).rstrip()


def wrapped(text: str, columns: int) -> str:
    """Each line in that width; what is typed (it stands further in) is left whole, so that it can be copied."""
    return "\n".join(_wrapped_line(line, columns) for line in text.split("\n"))


def _wrapped_line(line: str, columns: int) -> str:
    if line.startswith(_TYPED) or len(line) <= columns:
        return line
    indent = "   " if line[:1].isdigit() else line[: len(line) - len(line.lstrip())]
    return fill(line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _refuse_what_is_there(folder: Path) -> None:
    from bot.setup.place import InTheWay, refuse_what_is_there

    try:
        refuse_what_is_there(folder)
    except InTheWay as found:
        end(_in_the_way(folder, found.names, found.more))
    except NotADirectoryError:
        end(f"{folder} is a file: name a folder.", USAGE)


def _in_the_way(folder: Path, names: tuple[str, ...], more: int) -> str:
    rest = f" and {more} more" if more else ""
    where = "here" if folder == _HERE else f"in {folder}"
    return (
        f"Nothing was written, because nothing is ever overwritten. These are {where} already: {', '.join(names)}{rest}."
        " Name another folder, or move them away."
    )


def _read(name: str) -> Answers:
    """The answers of the file; ends with every slip in it."""
    from bot.settings.secret_files import why
    from bot.setup.reading import read_answers

    shown = "standard input" if name == _STDIN else name
    try:
        text = sys.stdin.read(_CHARS_MAX) if name == _STDIN else Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        end(f"{shown} is no UTF-8 text.", USAGE)
    except OSError as error:
        end(f"{shown} cannot be read: {why(error)}.", USAGE)
    found = read_answers(shown, text)
    if isinstance(found, tuple):
        end("\n".join(map(str, found)), USAGE)
    return found


def _ask(folder: Path) -> None:
    from bot.setup.questions.interview import interview
    from bot.setup.questions.terminal import Terminal

    try:
        found = interview(Terminal(_say_wrapped), "here" if folder == _HERE else f"in {folder}")
    except (typer.Abort, KeyboardInterrupt):
        say("")
        end(_STOPPED, INTERRUPTED)
    if found.answers is None:
        say(_KEEP.format(typed=found.typed))
        end("\n".join((_NOT_IN_ORDER, *map(str, found.slips))) if found.slips else _NOTHING, USAGE)
    try:
        _write(found.answers, found.values, folder)
    except (typer.Exit, OSError):
        say(_KEEP.format(typed=found.typed))
        raise


def _say_wrapped(text: str) -> None:
    say(wrapped(text, width()))


def _write(answers: Answers, values: Mapping[str, str], folder: Path) -> None:
    from bot.setup.make import NotInOrder, make
    from bot.setup.place import InTheWay

    try:
        names = make(answers, values, folder)
    except InTheWay as found:
        end(_in_the_way(folder, found.names, found.more))
    except NotInOrder as found:
        end("\n".join((_NOT_IN_ORDER, *found.sentences)), USAGE)
    _say_what_is_next(answers, values, folder, names)


def _say_what_is_next(answers: Answers, values: Mapping[str, str], folder: Path, names: tuple[str, ...]) -> None:
    from bot.setup.next_steps import next_steps

    shown = ", ".join(name for name in names if "/schema/" not in name)
    where = "" if folder == _HERE else f" in {folder}"
    say(wrapped(f"Written{where}: {shown}, and schemas for editors. It passes prodaccess check --strict.", width()))
    say(f"\nNext:\n{wrapped(next_steps(answers, values, folder), width())}")
