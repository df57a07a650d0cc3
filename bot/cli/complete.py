"""Completion: the script for a shell, and the environments and roles that the policy folder has."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.program import add, told

if TYPE_CHECKING:
    from workflows.core.policy import Environment


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(app: typer.Typer) -> None:
    from typer._completion_classes import completion_init

    completion_init()
    add(app, completion)


@told(
    examples={
        'eval "$(prodaccess completion bash)"': "For this shell; in ~/.bashrc for every one.",
        "prodaccess completion zsh > ~/.zfunc/_prodaccess": "Where ~/.zfunc is in $fpath.",
        "prodaccess completion fish > ~/.config/fish/completions/prodaccess.fish": "",
    }
)
def completion(shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="Which shell.")]) -> None:
    """Print what makes a shell complete commands, options, environments and roles."""
    from typer._completion_shared import get_completion_script

    print(get_completion_script(prog_name="prodaccess", complete_var="_PRODACCESS_COMPLETE", shell=shell.value).strip())


def environments(incomplete: str) -> list[str]:
    """Names of the policy folder's environments that begin so."""
    return [name for name in _environments() if name.startswith(incomplete)]


def roles(context: typer.Context, incomplete: str) -> list[str]:
    """Roles of the environment that was typed before; of all of them, where it is none."""
    known, typed = _environments(), context.params.get("environment") or ""
    places = [known[typed]] if typed in known else list(known.values())
    return sorted({role for place in places for role in place.roles if role.startswith(incomplete)})


def _environments() -> dict[str, Environment]:
    """Nothing where the folder cannot be read: a key that is pressed twice tells no problems."""
    from bot.providers import know_providers
    from bot.settings import process_environ
    from workflows.policy_file import read_policy

    know_providers()
    reading = read_policy(Path(process_environ().get("PRODACCESS_CONFIG") or "config"))
    return dict(reading.policy.environments) if reading.policy else {}
