"""The key that signs the audit log, and where sealed entries go."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.doctor.context import Context, elsewhere
from workflows.archive import archive_of, is_folder
from workflows.core.finding import Finding, attention, broken, ok, skipped, unknown
from workflows.ports import SignerUnavailable
from workflows.signing import KMS, signer_of

_KEY, _BUCKET = "PRODACCESS_AUDIT_KEY", "PRODACCESS_AUDIT_BUCKET"
_SEE = "docs/audit.md"
_UNSIGNED = "there is none: nothing is signed, and whoever can write to Redis could change the past unnoticed"
_NO_ARCHIVE = "there is none: what is lost or changed in Redis is found, and cannot be had again"


def look(context: Context) -> Iterator[Finding]:
    key, bucket = context.settings.audit_key, context.settings.audit_bucket
    if context.whom in ("web", "clock"):
        # That they are given none is looked at with the variables.
        return
    yield from _key(context, key) if key is not None else _none(context, "audit.key", _KEY, _UNSIGNED)
    if bucket is not None:
        yield _archive(context, bucket, signed=key is not None)
    elif key is not None:
        yield from _none(context, "audit.bucket", _BUCKET, _NO_ARCHIVE)


def _none(context: Context, check: str, name: str, words: str) -> Iterator[Finding]:
    if context.needs("worker"):
        yield attention(check, name, words, f"{_SEE} says how to set it up")
    else:
        yield skipped(check, name, "there is none here", elsewhere("worker"))


def _key(context: Context, key: str) -> Iterator[Finding]:
    try:
        public = signer_of(key).public
    except SignerUnavailable as problem:
        nobody = key.startswith(KMS) and not context.needs("worker")
        if nobody:
            yield unknown("audit.key", _KEY, problem.words, elsewhere("worker"))
        else:
            yield broken("audit.key", _KEY, problem.words, f"`prodaccess audit keygen` makes a key; {_SEE}")
        return
    yield ok("audit.key", _KEY, f"it signs as {public.fingerprint}")
    # Who hands out secrets in /run (containers, systemd) lets nobody else in there.
    if not key.startswith((KMS, "/run/")) and stat.S_IMODE(os.stat(key).st_mode) & 0o007:
        words = f"{Path(key)} can be read by everybody on this machine"
        yield attention("audit.key-file", _KEY, words, f"chmod 600 {key}")


def _archive(context: Context, bucket: str, *, signed: bool) -> Finding:
    if not signed:
        return attention("audit.bucket", _BUCKET, "nothing goes there without a key that signs", f"set {_KEY}; {_SEE}")
    retention = context.settings.audit_retention
    problem = archive_of(
        bucket, retention=retention, now=lambda: datetime.fromtimestamp(context.wall_s(), UTC)
    ).problem()
    if not problem:
        words = (
            "objects can be written, and are never written over" if is_folder(bucket) else "it keeps what is written"
        )
        return ok("audit.bucket", _BUCKET, words)
    if "no credentials" in problem:
        return unknown("audit.bucket", _BUCKET, problem, elsewhere("worker"))
    return broken("audit.bucket", _BUCKET, problem, f"{_SEE} says what it must be")
