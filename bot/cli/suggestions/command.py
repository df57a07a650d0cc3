"""What `report --suggest` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from bot.cli.program import PROBLEMS, end, say

if TYPE_CHECKING:
    from bot.cli.period import Wanted
    from bot.cli.suggestions.forms import Told
    from bot.wiring import Common
    from workflows.core.suggestions.model import Found
    from workflows.usecases.oversight.suggestions import Read


# What was read of a group longer ago than this is said with its day.
_OLD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Form:
    """How it is printed: for a program, or the diff alone; else as text."""

    as_json: bool = False
    diff: bool = False


def tell(own: Common, wanted: Wanted, form: Form) -> None:
    """Ends with PROBLEMS where something could not be read: nothing is proposed that it may speak against."""
    from bot.cli.past import whole
    from bot.cli.suggestions import forms
    from workflows.usecases.oversight.suggestions import suggest

    parts = whole(own, since=wanted.since, to_tell=False)
    read = suggest(parts.context, wanted.since, wanted.until)
    told = _told(own, parts, wanted, read)
    if form.as_json:
        say(forms.as_json(told))
    elif form.diff:
        _diff(told)
    else:
        for line in forms.text(told):
            say(line)
    if read.record.unread or read.record.lost:
        raise typer.Exit(PROBLEMS)


def _told(own: Common, parts: Common, wanted: Wanted, read: Read) -> Told:
    from bot.cli.certify import files_in_force
    from bot.cli.suggestions.forms import Told
    from workflows.policy_file.proposing import line_to_fill_in, proposed

    policy = parts.context.policy.current()
    environment = wanted.environments[0] if wanted.environments else ""
    if environment and environment not in policy.environments:
        end(f"There is no environment '{environment}': the policy has {', '.join(policy.environments)}.")
    zone = wanted.zone
    found = replace(read.found, since=read.found.since.astimezone(zone), until=read.found.until.astimezone(zone))
    found = _of(found, environment) if environment else found
    files = files_in_force(own, policy.hash)
    places = [line_to_fill_in(files, one.groups) for one in found.seconds]
    change = proposed(files, found, parts.ledger.now())
    return Told(found, change, places, tuple(_not_read(own, parts, wanted, read)), environment, policy.panic_group)


def _of(found: Found, environment: str) -> Found:
    """One environment alone; who is quick everywhere, and who serves whom, is told all the same."""

    def own(one: object) -> bool:
        return getattr(one, "environment", "") in ("", environment)

    return replace(
        found,
        rules=tuple(filter(own, found.rules)),
        gone=tuple(filter(own, found.gone)),
        seconds=tuple(filter(own, found.seconds)),
        findings=tuple(filter(own, found.findings)),
        withheld=tuple(filter(own, found.withheld)),
    )


def _not_read(own: Common, parts: Common, wanted: Wanted, read: Read) -> Iterator[str]:
    from bot.cli.past import away, left

    record = read.record
    if (stands := left(parts)) is not None:
        yield away(stands)
    if record.since > wanted.since:
        yield f"the record is whole from {record.since.astimezone(wanted.zone):%d %b %Y %H:%M} on: nothing older counts"
    if record.unread:
        ids = list(record.unread)
        more = f" and {len(ids) - 20} more" if len(ids) > 20 else ""
        yield f"{len(ids)} cannot be read: {', '.join(ids[:20])}{more}"
    if record.lost:
        entries = "1 entry" if record.lost == 1 else f"{record.lost} entries"
        yield f"{entries} of the audit log cannot be read: nothing is proposed"
    if not record.changes_known:
        yield "what came into the policy in this time is not known whole, so no role is called unused"
    for name, as_of in read.groups.items():
        if as_of is None:
            yield f"who is in {name} is not known: nobody has looked yet"
        elif read.found.until - as_of > _OLD:
            yield f"who is in {name} is as it was read last, {as_of.astimezone(wanted.zone):%d %b %Y %H:%M}"
    if own.context.policy.current().hash != _in_force(own):
        yield "the policy in force is another one than that of the folder here: the change is of the folder"


def _in_force(own: Common) -> str | None:
    from workflows.core import keys
    from workflows.core.records.policy_in_force import ActivePolicy

    found = own.ledger.read(keys.ACTIVE_POLICY).readable(keys.ACTIVE_POLICY, ActivePolicy)
    return found.hash if found is not None else None


def _diff(told: Told) -> None:
    for line in told.change.diff:
        say(line)
    for line in (*told.by_hand, *told.not_read):
        print(line, file=sys.stderr)
    said = f"Who must press: {told.pressing}." if told.change.made else "Nothing is proposed."
    print(said, file=sys.stderr)
