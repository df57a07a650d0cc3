"""Writes docs/cli.md from the commands' own definitions: `python -m tests.support.cli_doc`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bot.__main__ import app
from bot.cli.program import CODES, About, about

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"

HEAD = """\
# The command line

This page is written by `python -m tests.support.cli_doc` from the commands themselves; a test compares it with them.

`prodaccess` is `python -m bot`. Each command has `-h`, with the same as here.

**It is for operators.** The commands read the record with `REDIS_URL` in hand and ask nobody who they are. They show
everything, environments with `visibility: members` too. Whoever may read the record may see all of it.

Where the environment names no Redis, `.env` of the folder in which you type is read, as by `up`. The server that `up` starts
by itself is known to its own processes alone: who wants to look into the record runs a Redis of their own.

What a command prints is plain text without colours, so `NO_COLOR` has nothing to change. Tables fit the terminal, down to
40 columns. Reports and lists go to standard output; what is wrong is one sentence on standard error.

## Exit codes

| code | means |
| --- | --- |
{codes}

Where a command says more, it stands with it below. What was stopped with Ctrl-C ends with 130;
a process that runs until it is asked to end, with 0.

## Completion

```sh
eval "$(prodaccess completion bash)"    # or zsh, or fish: see below
```

Commands, options, environments and roles are completed; the names come from the policy folder.

## Commands

{contents}
"""


def page() -> str:
    found = list(_leaves(typer.main.get_command(app), ()))
    codes = "\n".join(f"| {code} | {words} |" for code, words in CODES.items())
    contents = "\n".join(f"- [`prodaccess {' '.join(path)}`](#prodaccess-{'-'.join(path)})" for path, _ in found)
    parts = [HEAD.format(codes=codes, contents=contents), *(_command(path, command) for path, command in found)]
    return "\n".join(parts)


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What can be run, groups that do something by themselves among them."""
    if path and (not hasattr(command, "commands") or about(command.callback).examples):
        yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _leaves(inner, (*path, name))


def _command(path: tuple[str, ...], command: Any) -> str:
    told = about(command.callback)
    parts = [f"### prodaccess {' '.join(path)}", inspect.cleandoc(command.help or ""), *_params(command)]
    parts += [_examples(told)] if told.examples else []
    variables = [f"`{name}`, {why}" for name, why in told.needs.items()]
    parts += [f"Needs {'; '.join(variables)}."] if variables else []
    parts += [f"Also reads {'; '.join(f'`{name}`, {why}' for name, why in told.uses.items())}."] if told.uses else []
    parts += [f"Exit code {code}: {words}." for code, words in told.codes.items()]
    return "\n\n".join(parts) + "\n"


def _params(command: Any) -> list[str]:
    context = typer.Context(command)
    records = (param.get_help_record(context) for param in command.get_params(context))
    rows = [_row(*record) for record in records if record is not None and "--help" not in record[0]]
    return ["\n".join(("| given | means |", "| --- | --- |", *rows))] if rows else []


def _row(name: str, words: str) -> str:
    shown = name.partition(" <")[0] if not name.startswith("-") else name
    return f"| `{shown.replace('|', chr(92) + '|')}` | {' '.join(words.split()).replace('|', chr(92) + '|')} |"


def _examples(told: About) -> str:
    lines = [line for typed, does in told.examples.items() for line in ([f"# {does}"] if does else []) + [typed]]
    return "\n".join(("```sh", *lines, "```"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
