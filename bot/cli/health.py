"""`prodaccess health`: for liveness probes, which run it every few seconds. It asks the processes of this machine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.program import PROBLEMS, USAGE, add, end, say, told

if TYPE_CHECKING:
    from bot.runtime.life_sign import Sign

_KINDS = ("web", "worker", "clock")


def register(app: typer.Typer) -> None:
    add(app, health)


@told(
    examples={
        "prodaccess health worker": "For a liveness probe.",
        "prodaccess health": "Whichever of them runs here: what the image's health check asks.",
        "prodaccess health web worker clock": "Where `prodaccess up` runs them all.",
    },
    codes={PROBLEMS: "one of them does not run here, or hangs: it wants a restart"},
)
def health(
    kinds: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="web, worker or clock; without, whichever runs here.")
    ] = None,
) -> None:
    """Whether the web, worker or clock process of this machine and user is alive and moves. Asks neither Redis nor any chat."""
    from bot.runtime import life_sign

    if unknown := [kind for kind in kinds or () if kind not in _KINDS]:
        end(f"There is no process {unknown[0]!r}: say web, worker or clock.", USAGE)
    if why := life_sign.not_ours(life_sign.own_folder()):
        end(f"No process can show itself in {life_sign.own_folder()}. {why}: take it away, and start them again.")
    found = {kind: signs for kind in kinds or _KINDS if (signs := life_sign.signs(kind)) or kinds}
    if not found:
        end(f"No process of ours runs here as this user: none shows itself in {life_sign.own_folder()}.")
    for kind, signs in found.items():
        if not signs:
            end(f"No {kind} process of this user runs here: none shows itself in {life_sign.own_folder()}.")
        for sentence in filter(None, (life_sign.wrong_with(kind, sign) for sign in signs)):
            end(sentence)
    say(" ".join(_lives(kind, sign) for kind in found for sign in found[kind]))


def _lives(kind: str, sign: Sign) -> str:
    if sign.is_empty:
        return (
            f"The {kind} process {sign.pid} lives; whether it moves is not known: its sign is empty, as on a full disk."
        )
    return f"The {kind} process {sign.pid} lives and moves."
