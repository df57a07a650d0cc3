"""What every command of the program has: `-h`, plain help of any width, examples, exit codes, and the variables that it needs.

    @told(examples={"prodaccess report --since 30d": "The last thirty days."}, needs=LEDGER)
    def report(...): ...

`tests/support/cli_doc.py` writes docs/cli.md from the same.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from typer._click.exceptions import NoArgsIsHelpError
from typer.core import TyperCommand, TyperGroup

Folder = Annotated[Path, typer.Argument(metavar="DIR", envvar="PRODACCESS_CONFIG", help="The policy folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="For a program.")]

F = TypeVar("F", bound=Callable[..., Any])

GOOD, PROBLEMS, USAGE = 0, 1, 2
CODES: Mapping[int, str] = {
    GOOD: "all is well",
    PROBLEMS: "something was found, or it could not be done: a sentence says which",
    USAGE: "it was typed wrongly, or a variable is not set",
}
# Columns; below the least, words are cut all the same.
WIDTH_MIN, WIDTH_MAX = 36, 100

LEDGER: Mapping[str, str] = {"REDIS_URL": "where the record is"}
POLICY: Mapping[str, str] = {"PRODACCESS_CONFIG": "the policy folder, where it is not ./config"}


@dataclass(frozen=True, slots=True)
class About:
    """`examples`: what is typed -> what it does. `needs`, `uses`: variables -> what for. `codes`: where they say more."""

    examples: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[int, str] = field(default_factory=dict)

    @property
    def exit_codes(self) -> Mapping[int, str]:
        return {**CODES, **self.codes}


_ABOUT: dict[Callable[..., Any], About] = {}


def told(
    *,
    examples: Mapping[str, str],
    needs: Mapping[str, str] | None = None,
    uses: Mapping[str, str] | None = None,
    codes: Mapping[int, str] | None = None,
) -> Callable[[F], F]:
    """What `--help` and docs/cli.md say of a command beside its own sentence and its options."""

    def noted(function: F) -> F:
        _ABOUT[function] = About(examples, needs or {}, uses or {}, codes or {})
        return function

    return noted


def about(callback: Callable[..., Any] | None) -> About:
    return _ABOUT.get(inspect.unwrap(callback), About()) if callback else About()


class Command(TyperCommand):
    def get_help(self, ctx: Any) -> str:
        ctx.terminal_width = width()
        return super().get_help(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """An argument is told by its name: its type adds nothing to `DIR <path>`."""
        found = [(param, record) for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        arguments = [
            (name.partition(" <")[0], help_) for param, (name, help_) in found if param.param_type_name == "argument"
        ]
        for title, records in (
            ("Arguments", arguments),
            ("Options", [record for param, record in found if param.param_type_name == "option"]),
        ):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:
        _write_about(about(self.callback), formatter)


class Group(TyperGroup):
    """Tells its commands' first sentences in full, also where the terminal is narrow; and a slip as one sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except NoArgsIsHelpError as asked:
            asked.show()
            sys.exit(USAGE)
        except typer.TyperException as slip:
            print(_sentence(slip), file=sys.stderr)
            sys.exit(slip.exit_code)
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else GOOD)
        return code

    def get_help(self, ctx: Any) -> str:
        ctx.terminal_width = width()
        return super().get_help(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_line(command)) for name, command in found if command is not None])

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:
        if about(self.callback).examples:
            _write_about(about(self.callback), formatter)


def _write_about(found: About, formatter: Any) -> None:
    """What stands below a command's options."""
    if found.examples:
        with formatter.section("Examples"):
            for typed, does in found.examples.items():
                _write_example(typed, does, formatter)
    if variables := {**found.needs, **{name: f"{why} (optional)" for name, why in found.uses.items()}}:
        with formatter.section("Variables"):
            formatter.write_dl(list(variables.items()))
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(code), words) for code, words in found.exit_codes.items()])


def _write_example(typed: str, does: str, formatter: Any) -> None:
    """What can be copied stands on one line of its own, however narrow it is."""
    formatter.write(f"{' ' * formatter.current_indent}{typed}\n")
    if does:
        with formatter.indentation():
            formatter.write_text(does)


def _sentence(slip: typer.TyperException) -> str:
    """`No such option: --sinse. See prodaccess report -h`"""
    words = slip.format_message().strip().replace("Value error, ", "")
    end_ = "" if words.endswith((".", "?")) else "."
    context = getattr(slip, "ctx", None)
    return f"{words}{end_} See {context.command_path if context else 'prodaccess'} -h"


def _first_line(command: Any) -> str:
    return inspect.cleandoc(command.help or "").partition("\n\n")[0].replace("\n", " ")


def program(help_: str = "", **settings: Any) -> typer.Typer:
    """A Typer whose help is plain text: no boxes, no colours, so that a pipe, a log and a narrow terminal read the same."""
    if help_:
        settings["help"] = help_
    return typer.Typer(
        cls=Group,
        rich_markup_mode=None,
        add_completion=False,
        no_args_is_help=settings.pop("no_args_is_help", True),
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


def add(app: typer.Typer, function: Callable[..., Any], name: str | None = None) -> None:
    app.command(name, cls=Command)(function)


def width() -> int:
    """Columns to print in."""
    return max(WIDTH_MIN, min(get_terminal_size().columns, WIDTH_MAX)) - 2


def say(text: str) -> None:
    """Print, also where the terminal knows fewer characters than the policy."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def end(sentence: str, code: int = PROBLEMS) -> NoReturn:
    """One sentence, and the exit code."""
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)
