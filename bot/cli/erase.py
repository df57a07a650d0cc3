"""`prodaccess person erase`: somebody's names and words leave the record."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, add, end, told

if TYPE_CHECKING:
    from bot.wiring import Common
    from workflows.core.erasing import Whom
    from workflows.core.identity import Account, Address, PersonId
    from workflows.usecases.identity.erase import Done, Forget
    from workflows.usecases.identity.erase_survey import Kept, Survey


def register(person: typer.Typer) -> None:
    add(person, erase)


@told(
    examples={
        'prodaccess person erase dana@example.com --by "Rosa Ops" --reason "asked for, IT-812" --dry-run': (
            "What would go, and what keeps it."
        ),
        'prodaccess person erase dana@example.com --by "Rosa Ops" --reason "asked for, IT-812"': "",
    },
    needs=LEDGER,
    uses=POLICY,
    codes={
        PROBLEMS: "Somebody else still needs it: something of theirs is open, owed or on hold, or the policy names them."
    },
)
def erase(
    who: Annotated[str, typer.Argument(metavar="WHO", help="An address of theirs.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so, for the record.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, without their name, for the record.")],
    *,
    id_: Annotated[
        str, typer.Option("--id", metavar="ID", help="Which of them, where several have had the address.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
) -> None:
    """Erase a person: names, addresses and words of theirs leave the record, for good. The audit log stays whole."""
    from bot.chat.wording.refusals import refusal
    from workflows.core.refusal import Refused
    from workflows.usecases.identity import erase as erasing
    from workflows.usecases.shared.adopt_accounts import adopt
    from workflows.usecases.shared.context import Contended

    with opened("person erase") as parts:
        adopt(parts.context)
        person = _person(parts, who, id_)
        if dry_run:
            found, seen = erasing.planned(parts.context, person)
            _say(_would_go(found, seen))
            _stop_where_kept(seen)
            return
        try:
            answer = erasing.erase(parts.context, _forgets(parts), person, erasing.Said(by, reason))
        except erasing.NoRights:
            end("This Redis user may not delete words of the audit log: use the operator's (deploy/redis/README.md).")
        except Contended as problem:
            end(f"It is not done yet, because {problem}. Run it again.")
        if isinstance(answer, Refused):
            end(refusal(answer, command=parts.settings.command))
        if isinstance(answer, erasing.Done):
            _say(_done(answer))
            return
        _stop_where_kept(answer)


def _person(parts: Common, who: str, id_: str) -> PersonId:
    """Ends the command where nobody, or more than one, is called so."""
    from workflows.core.identity import PersonId, address_of
    from workflows.usecases.identity.erase_whom import erased_before, is_known, people_called

    asked = address_of(who)
    found = people_called(parts.context, asked) if asked is not None else ()
    own = PersonId(who.strip().lower())
    if not found and is_known(parts.context, own):
        found = (own,)
    found = tuple(one for one in found if id_ in ("", one))
    if len(found) > 1:
        end(f"Several people have had {who}: {', '.join(found)}; the first has it now. Say which with --id.")
    if found:
        return found[0]
    before = erased_before(parts.context, own)
    if before is not None and before.done_at is not None:
        print(f"{who} was erased on {before.done_at:%Y-%m-%d %H:%M} UTC: there is nothing more of them.")
        raise typer.Exit
    return end(f"The record knows nobody called {who}. Give an address of theirs.")


def _forgets(parts: Common) -> Forget:
    """What the directory has of them, and where they are written to in Teams."""

    def forget(accounts: Sequence[Account], addresses: Sequence[Address]) -> None:
        from workflows.core.identity import TEAMS

        parts.directory.forget(accounts, addresses)
        if users := [one.user for one in accounts if one.surface == TEAMS]:
            from bot.teams.client.forgotten import forget_people

            forget_people(parts.redis, users)

    return forget


# ---------------------------------------------------------------- words


def _say(lines: Iterator[str]) -> None:
    for line in lines:
        print(line)


def _would_go(found: Whom, seen: Survey) -> Iterator[str]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(seen.kinds.items()))
    yield f"Names: {', '.join(sorted({*found.names, *found.addresses, *found.account_ids})) or found.person}."
    yield f"Records that say something of them: {kinds or 'none beside who they are'}."
    yield f"Entries whose names and words would go: {len(seen.numbers)}{f' (#{seen.ranges})' if seen.numbers else ''}."
    yield "Then who they are, and the key of their words in the archive. Nothing was changed (--dry-run)."
    yield from _unreadable(seen)


def _unreadable(seen: Survey) -> Iterator[str]:
    if seen.unreadable:
        yield f"Cannot be read, and may name them: {', '.join(sorted(seen.unreadable)[:20])}."


def _done(done: Done) -> Iterator[str]:
    yield f"Erased: {done.records} records, and the names and words of {done.entries} audit entries. It is #{done.number}."
    yield from NOT_OURS


# What this command cannot reach; docs/audit.md says the same.
NOT_OURS = (
    "Not erased, because it is not in this record:",
    "  messages that were written in Slack or Teams: delete them there",
    "  backups of Redis from before: keep them no longer than you must, and run this again after one was put back",
    "  what CloudTrail, a SIEM, a bundle or an export has",
    "What stays in the audit log for ever: ids that the target gave (in IAM the user's name), and when what happened.",
)


def _stop_where_kept(seen: Survey) -> None:
    if not seen.kept:
        return
    begun = " Some of it is done; run this again then." if seen.begun else ""
    print(f"They cannot be erased yet.{begun}", file=sys.stderr)
    for one in seen.kept:
        print(f"  {why_kept(one)}", file=sys.stderr)
    raise typer.Exit(PROBLEMS)


def why_kept(one: Kept) -> str:
    """What keeps them, and what to do."""
    return _WHY[one.why].format(what=one.what)


_WHY = {
    "open": "{what} is open and names them. Wait until it is over, or end it.",
    "owed": "The review of {what} is owed. Have it acknowledged first.",
    "held": "The account {what} is on hold. Say whose it is first: prodaccess person confirm.",
    "barred": "They are kept from asking. Security lifts that in chat first, or it would be forgotten with them.",
    "delegates": "{what} decides by a delegation that they made or were named in. Wait until it is over, or end it.",
    "drift": "Drift {what} is open. Have it decided first.",
    "leaving": "The panic group is being asked whether they have left. Have it decided first.",
    "press": "Something that they or others pressed waits for a worker. Try again in a minute.",
    "sweepout": "Everything of theirs is being taken back just now. Try again when that is done.",
    "policy": "The policy names them: {what}. Take them out, and let that come into force first.",
    "group": "They are in the group {what}, as it was last read. Take them out of it first.",
    "doubt": "The record may be an older copy of itself. Decide that first: docs/runbook.md, ProdaccessLedgerRolledBack.",
    "said": "--by or --reason names them, and stays on record. Say it without their name, by somebody else.",
}
