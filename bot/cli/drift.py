"""`prodaccess drift`: what targets hold and the record does not know, and the other way round."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.complete import environments
from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, AsJson, add, end, say, told

if TYPE_CHECKING:
    from bot.wiring import Common
    from workflows.core.records.drift import Drift, DriftPass

# Beside those that every command has.
NOT_KNOWN = 3
_LOOK_EVERY_S = 0.2


def register(app: typer.Typer) -> None:
    add(app, drift)


@told(
    examples={
        "prodaccess drift": "Have a worker compare now, and print what is open.",
        "prodaccess drift orders-prod --json": "",
        "prodaccess drift --last": "What the last comparison found, at once.",
    },
    needs=LEDGER,
    uses=POLICY,
    codes={
        PROBLEMS: "something is open: a sentence says what; or it could not be done",
        NOT_KNOWN: "nothing is open as far as is known, and not everything could be looked at",
    },
)
def drift(
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="One alone.")] = "",
    last: Annotated[bool, typer.Option("--last", help="Do not compare anew.")] = False,
    wait_s: Annotated[float, typer.Option("--wait", metavar="SECONDS", help="For a worker to compare.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Access at a target that the record does not know, and active access that is not there."""
    from workflows.usecases.drift.standing import open_of_all, progress

    with opened("drift") as parts:
        known = parts.context.policy.current().environments
        if environment and environment not in known:
            end(f"There is no environment '{environment}': the policy has {', '.join(known)}.")
        late = "" if last else _compared_anew(parts, wait_s, time.sleep)
        stands = progress(parts.context)
        found = [one for one in open_of_all(parts.context).values() if environment in ("", *one.environments)]
    if late:
        print(late, file=sys.stderr)
    if as_json:
        say(json.dumps(_as_json(stands, found, whole=not late), indent=2, ensure_ascii=False))
    else:
        for line in lines_of(stands, found):
            say(line)
    unknown = bool(late or stands.not_known or stands.ended_at is None)
    raise typer.Exit(PROBLEMS if found else NOT_KNOWN if unknown else 0)


def _compared_anew(parts: Common, wait_s: float, pause: Callable[[float], None]) -> str:
    """Why what is printed is what an earlier comparison found; empty where it is of this one."""
    from bot.monotonic import monotonic_s
    from workflows.usecases.drift.standing import ask_for_pass, progress

    number, until_s = ask_for_pass(parts.context), monotonic_s() + wait_s
    while monotonic_s() < until_s:
        stands = progress(parts.context)
        if stands.number >= number and stands.started_at is None:
            return ""
        pause(_LOOK_EVERY_S)
    return f"No worker has finished a comparison within {wait_s:g} seconds: this is what the last one found."


_KINDS: Mapping[str, str] = {
    "unknown": "carries our mark, and was never given",
    "ended": "was given and ended, and is there again",
    "standing": "standing, could be asked for instead",
    "missing": "active on the record, and not there",
    "foreign": "named like ours, and not given by this installation",
}


def lines_of(stands: DriftPass, found: Sequence[Drift]) -> list[str]:
    """What is open, a line each, and how much was looked at."""
    from workflows.usecases.drift.standing import called

    lines = [
        f"{called(one)} · {', '.join(' '.join(role) for role in one.roles)} · {_KINDS[one.kind]} · {one.resource.title}"
        f"{f' · {one.grant}' if one.grant else ''} · since {one.first_seen:%Y-%m-%d %H:%M} UTC or before{_state(one)}"
        for one in found
    ]
    if stands.ended_at is None:
        return [*lines, "Nothing has been compared yet: is a worker running?"]
    when = f"{stands.ended_at:%Y-%m-%d %H:%M} UTC"
    lines += [f"Compared at {when}: {stands.looks} lists, {len(found)} open."]
    return lines + [f"Not known: {sentence}" for sentence in stands.not_known]


def _state(one: Drift) -> str:
    if one.removing_since is not None:
        return " · being taken away"
    return f" · left by {one.left_by}" if one.left_by else ""


def _as_json(stands: DriftPass, found: Sequence[Drift], *, whole: bool) -> dict[str, Any]:
    """Times are ISO 8601. `compared_now`: whether this command's own comparison is told."""
    from workflows.usecases.drift.standing import called

    return {
        "compared_at": stands.ended_at.isoformat() if stands.ended_at else None,
        "compared_now": whole,
        "lists": stands.looks,
        "not_known": list(stands.not_known),
        "waits_for_people": list(stands.held),
        "open": [
            {
                "holding": one.id,
                "kind": one.kind.value,
                "who": called(one),
                "roles": [{"environment": environment, "role": role} for environment, role in one.roles],
                "target": one.resource.kind,
                "title": one.resource.title,
                "grant": one.grant or None,
                "mark": one.mark or None,
                "first_seen": one.first_seen.isoformat(),
                "last_seen": one.last_seen.isoformat(),
                "times": one.times,
                "left_by": one.left_by or None,
                "being_removed": one.removing_since is not None,
            }
            for one in found
        ],
    }
