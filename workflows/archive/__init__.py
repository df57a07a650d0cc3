"""Where sealed entries go so that nobody can change them any more: a bucket with Object Lock, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from workflows.ports import Archive

__all__ = ["archive_of", "is_folder"]

_S3 = "s3://"


def is_folder(value: str) -> bool:
    """Whether `value` names a folder: it has a slash, and is no `s3://`."""
    return "/" in value and not value.startswith(_S3)


def archive_of(value: str, *, retention: timedelta | None = None, now: Callable[[], datetime] | None = None) -> Archive:
    """`value`: `s3://BUCKET/PREFIX`, a bucket's name alone, or a folder's path, which has a slash in it.

    `retention`: for how long S3 keeps each object at least, counted from `now`; None: as the bucket says. A folder knows of no
    retention. Nobody is asked before the archive is used.
    """
    if is_folder(value):
        from workflows.archive.folder import FolderArchive  # noqa: PLC0415 - most processes archive nothing

        return FolderArchive(Path(value))
    from workflows.archive.s3 import S3Archive  # noqa: PLC0415 - as above

    bucket, _, prefix = value.removeprefix(_S3).partition("/")
    return S3Archive(bucket, prefix.strip("/"), retention=retention, now=now)
