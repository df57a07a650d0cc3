"""`prodaccess audit rotate`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, USAGE, end, told

if TYPE_CHECKING:
    from bot.wiring import Common
    from workflows.core.refusal import Refused
    from workflows.core.seal.public_key import PublicKey
    from workflows.ports import Signer
    from workflows.usecases.sealing.key_change import Kept
    from workflows.usecases.shared.context import Context, Outcome

# A worker that signs much at once takes half a minute.
TRIES, PAUSE_S = 80, 0.5


@told(
    examples={
        'prodaccess audit rotate audit-key-2.pem --by "Rosa Ops" --reason "a year is over"': "Where PRODACCESS_AUDIT_KEY is "
        "the old key.",
        'prodaccess audit rotate awskms:ARN --old audit-key.pem --by "Rosa Ops" --reason "into KMS"': "",
    },
    needs=LEDGER,
    uses={
        **POLICY,
        "PRODACCESS_AUDIT_KEY": "the old key, unless --old names it",
        "PRODACCESS_AUDIT_BUCKET": "the archive, as the workers have it: the change is there before it counts",
    },
    codes={PROBLEMS: "a key cannot be used, or is not the one that signs now; or the archive was not reached"},
)
def rotate(
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The new key: a PEM file, its public half will do; or awskms:ARN.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it, for the record.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")],
    old: Annotated[
        str, typer.Option("--old", metavar="KEY", help="The key that signs now; PRODACCESS_AUDIT_KEY unless said.")
    ] = "",
) -> None:
    """Let another key sign the audit log from now on. The old one signs that, so that an auditor can follow."""
    from bot.chat.wording.refusals import refusal
    from workflows.core.refusal import Refused

    with opened("audit rotate") as parts:
        named = old or parts.settings.audit_key
        if not named:
            end("The old key has to sign this: set PRODACCESS_AUDIT_KEY, or give --old.", USAGE)
        signer, public = _signer(named), _public(new)
        answer = _changed(parts.context, signer, public, (by, reason), _kept(parts))
        if isinstance(answer, Refused):
            end(refusal(answer, command=parts.settings.command))
    words = {
        "unsealed": "Nothing is sealed yet: give the workers the new key, and no change is needed.",
        "same": f"The key {public.fingerprint[:12]} signs already.",
        "unknown": f"{named} is not the key that signs now: it cannot hand over. Give the one that does, with --old.",
        "used": f"The key {public.fingerprint[:12]} signed before: make a new one with `prodaccess audit keygen`.",
        "no_archive": "This log is archived, and the archive has to have the change before it counts: set "
        "PRODACCESS_AUDIT_BUCKET as the workers have it. Nothing was changed.",
        "busy": "The log is being sealed all the time: try again in a minute.",
    }
    if answer.outcome != "changed":
        end(words[answer.outcome], 0 if answer.outcome in ("same", "unsealed") else PROBLEMS)
    print(f"The key {public.fingerprint} signs from now on, and the one before it has said so.")
    print("Give it to the workers now, in the old one's place, and start them anew: until then nothing more is sealed.")
    print("Auditors may keep the old fingerprint, which leads to the new one, or take the new one.")


def _kept(parts: Common) -> Kept | None:
    """None where there is no archive."""
    from workflows.archive import archive_of
    from workflows.signing import verify
    from workflows.usecases.sealing.key_change import Kept

    bucket, retention = parts.settings.audit_bucket, parts.settings.audit_retention
    return Kept(archive_of(bucket, retention=retention, now=parts.ledger.now), verify) if bucket else None


def _changed(ctx: Context, old: Signer, new: PublicKey, said: tuple[str, str], kept: Kept | None) -> Outcome | Refused:
    """Waits while the log is being sealed."""
    from workflows.core.refusal import Refused
    from workflows.ports import ArchiveConflict, ArchiveUnavailable, SignerUnavailable
    from workflows.usecases.sealing.key_change import change_key

    try:
        for _ in range(TRIES):
            answer = change_key(ctx, old, new, *said, kept)
            if isinstance(answer, Refused) or answer.outcome != "busy":
                break
            time.sleep(PAUSE_S)
    except SignerUnavailable as problem:
        end(f"{problem.words}.")
    except ArchiveUnavailable as problem:
        end(
            f"The archive has to have the change before it counts, and {problem.words}. Nothing was changed: try again."
        )
    except ArchiveConflict as problem:
        end(
            f"The archive has another change of this key under {problem.name}. Nothing was changed: verify the log first."
        )
    return answer


def _signer(value: str) -> Signer:
    from workflows.ports import SignerUnavailable
    from workflows.signing import signer_of

    try:
        signer = signer_of(value)
        _ = signer.public
    except SignerUnavailable as problem:
        end(f"{problem.words}.")
    return signer


def _public(value: str) -> PublicKey:
    """Of a public key's file, else of whoever signs."""
    from pathlib import Path

    from workflows.core.seal.public_key import NotAPublicKey, public_key_from

    try:
        return public_key_from(Path(value).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, NotAPublicKey):
        return _signer(value).public
