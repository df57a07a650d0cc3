"""`prodaccess ledger rebuild`: the record is made again from the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.audit.options import Key, Where, given_archive, given_key
from bot.cli.ledger import opened
from bot.cli.own_server import Data, served
from bot.cli.program import LEDGER, POLICY, PROBLEMS, USAGE, add, end, told

if TYPE_CHECKING:
    from bot.wiring import Common
    from workflows.core.provider import TargetTerms
    from workflows.usecases.upkeep.rebuild import Plan
    from workflows.usecases.upkeep.rebuild_reading import Archived, Reading


def register(app: typer.Typer) -> None:
    add(app, rebuild)


@told(
    examples={
        'prodaccess ledger rebuild --archive s3://acme-audit --key audit-key.pub.pem --by "Rosa Ops" --dry-run': (
            "What would be done."
        ),
        'prodaccess ledger rebuild --archive s3://acme-audit --key audit-key.pub.pem --by "Rosa Ops"': "",
    },
    needs=LEDGER,
    uses={**POLICY, "PRODACCESS_AUDIT_BUCKET": "the archive, where --archive says nothing else"},
    codes={PROBLEMS: "something must be taken away by hand, the archive was changed, or it could not be done"},
)
def rebuild(
    key: Key,
    by: Annotated[str, typer.Option(help="Your name, for the record.")],
    archive: Where = "",
    log: Annotated[str, typer.Option(metavar="ID", help="Which installation's, where the archive has several.")] = "",
    epoch: Annotated[int, typer.Option(min=0, help="Of which epoch; the newest that the key proves, unless said.")] = 0,
    data: Data = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """After a loss: put back what the record lacks from the archive, and end access that it does not know of.

    All processes must be stopped. Afterwards nothing is given until `prodaccess ledger accept`. It may be run again at any time.
    """
    from workflows.ports import ArchiveUnavailable
    from workflows.usecases.upkeep.rebuild_reading import NothingProven

    with served(data), opened("ledger rebuild") as parts:
        if not dry_run:
            _refuse_beside_others(parts)
        try:
            by_hand = _rebuilt(parts, _archived(parts, archive, log, epoch, key), by, dry_run=dry_run)
        except ArchiveUnavailable as problem:
            end(f"It cannot be done: {problem}.")
        except NothingProven as problem:
            end(f"Nothing in this archive is proved by that key.\n{problem}")
    raise typer.Exit(PROBLEMS if by_hand else 0)


def _refuse_beside_others(parts: Common) -> None:
    from bot.runtime.heartbeat import KINDS

    running = [kind for kind in KINDS if parts.beats.alive(kind)]
    if running:
        end(
            f"{', '.join(running).capitalize()} of this installation runs, or did so ten seconds ago. Stop web, worker and clock "
            "first: nobody may write to the record while it is made again."
        )


# ---------------------------------------------------------------- which one


def _archived(parts: Common, where: str, log: str, epoch: int, key: str) -> Archived:
    from bot.cli.rebuild_epoch import keys_of, newest_proved
    from workflows.signing.words import Cipher
    from workflows.usecases.sealing.hiding import Shown
    from workflows.usecases.sealing.other_logs import logs
    from workflows.usecases.upkeep.rebuild_reading import Archived

    archive = given_archive(where or parts.settings.audit_bucket or "")
    if archive is None:
        end("Say where the archive is: --archive, or PRODACCESS_AUDIT_BUCKET.", USAGE)
    log, epochs = _chosen(parts, list(logs(archive)), log, epoch)
    given = given_key(key, keys_of(archive, log, epochs))
    epoch, trust = newest_proved(archive, log, epochs, given, print)
    return Archived(archive, log, epoch, trust, Shown(parts.ledger, Cipher()))


def _chosen(parts: Common, found: Sequence[tuple[str, int]], log: str, epoch: int) -> tuple[str, list[int]]:
    """The log, and its epochs, ascending; the one that was typed alone."""
    from workflows.core import keys
    from workflows.core.records.installation import Installation

    own = parts.ledger.read(keys.INSTALLATION).readable(keys.INSTALLATION, Installation)
    ids = {id_ for id_, _ in found}
    chosen = log or (own.id if own is not None and own.id in ids else "") or (min(ids) if len(ids) == 1 else "")
    if chosen not in ids:
        several = f"several: say --log, one of {', '.join(sorted(ids))}." if ids else "none."
        end(
            f"The archive has no log {log}."
            if log
            else f"Which log of this archive is ours is not known. It has {several}"
        )
    epochs = sorted(each for id_, each in found if id_ == chosen)
    if epoch and epoch not in epochs:
        end(f"The archive has no epoch {epoch} of this log, but {', '.join(map(str, epochs))}.")
    return chosen, [epoch] if epoch else epochs


# ---------------------------------------------------------------- what is done


def _rebuilt(parts: Common, archived: Archived, by: str, *, dry_run: bool) -> bool:
    """Whether something is left for people."""
    from workflows.core.refusal import Refused
    from workflows.ledger.codec import audit_entry
    from workflows.ledger.redis_log import RedisLog
    from workflows.usecases.upkeep.rebuild import carry_out, plan
    from workflows.usecases.upkeep.rebuild_reading import read

    found = read(parts.ledger, archived, audit_entry)
    made = plan(parts.context, found, _terms)
    for line in _said(found, made, parts.ledger.head()):
        print(line)
    left = any(one.resource is None for one in made.endings) or bool(found.faults)
    if made.is_empty or dry_run:
        print("There is nothing to do." if made.is_empty else "Nothing was done (--dry-run).")
        return left
    done = carry_out(parts.context, archived, found, made, RedisLog(parts.redis).put_back, by)
    if isinstance(done, Refused):
        end("The ledger did not take it: run it again.")
    print(
        "Done. Start clock, worker and web: what ends is taken away within seconds, and `prodaccess list` shows what is left.\n"
        "Nothing is given until `prodaccess ledger accept`."
    )
    return left


def _terms(text: str) -> TargetTerms:
    """Raises ValueError."""
    from workflows.core.provider import TargetTerms
    from workflows.ledger.codec import load
    from workflows.ports import CorruptRecord

    try:
        # mypy knows no abstract type.
        return load(TargetTerms, text, where="an entry")  # type: ignore[type-abstract]
    except CorruptRecord as problem:
        raise ValueError(str(problem)) from None


def _said(found: Reading, made: Plan, newest: int) -> Iterator[str]:
    for fault in found.faults:
        yield f"In the archive: {fault}"
    if found.people:
        yield (
            f"{found.people} people were erased after this copy was made, and it has them again. Their words in the audit log go "
            "with this run; run `prodaccess person erase` once more for each of them."
        )
    at = f"{found.head.at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"The archive has #1 to #{found.size}, whole and signed, as of {at}. Head: {found.head.shown}."
    if made.back:
        have = f"has #1 to #{found.common} of them" if found.common else "has none of them"
        put = f"#{found.size} is" if found.size == found.common + 1 else f"#{found.common + 1} to #{found.size} are"
        yield f"The record {have}: {put} put back."
        if newest > found.common:
            own = f"#{newest}" if newest == found.common + 1 else f"#{found.common + 1} to #{newest}"
            yield f"What it wrote on the older copy, its own {own}, comes behind them, from #{found.size + 1} on."
    else:
        yield "The record has all of them."
    yield from _list("Access that the record does not know, and that ends now:", made, by_hand=False)
    yield from _list("To be taken away by hand, because its entries say too little:", made, by_hand=True)
    if made.overtaken:
        yield f"Over by the archive, and so by the record: {', '.join(made.overtaken)}."
    if owing := [one.words for one in made.reviews if one.can_be_owed]:
        yield f"Emergency access that owes its review again: {', '.join(owing)}."
    if by_hand := [one.words for one in made.reviews if not one.can_be_owed]:
        yield f"Emergency access whose review people have to do by hand, because the record cannot hold it: {', '.join(by_hand)}."


def _list(title: str, made: Plan, *, by_hand: bool) -> Iterator[str]:
    words = [one.words for one in made.endings if (one.resource is None) is by_hand]
    if words:
        yield title
        yield from (f"  {one}" for one in words)
