"""An archive in an S3 bucket with Object Lock: nobody can delete or change an object before its time, not even who made it.

What Object Lock keeps is a *version*. Somebody who may write can put another version of the same name on top, or a mark that
says "deleted". So the oldest version of a name is the object, here always, and newer ones and marks are passed over. Our own
writes say `If-None-Match: *`, which refuses a name that is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from workflows.archive.names import OBJECT_BYTES_MAX, checked, is_name
from workflows.core.calls import timed
from workflows.ports import ArchiveConflict, ArchiveUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THERE = ("PreconditionFailed", "412")
_NO_BUCKET = ("NoSuchBucket", "404")
_WORDS = {
    "AccessDenied": "it does not let us (deploy/aws/README.md lists what is needed)",
    "NoSuchBucket": "there is no such bucket",
    "SlowDown": "it has too much to do",
    "ConditionalRequestConflict": "somebody else writes the same name just now",
    "OperationAborted": "somebody else writes the same name just now",
}

_NOBODY = "there are no credentials here to ask it with"


class S3Archive:
    """A `ports.Archive`. `retention`: of each object, from `now`, in COMPLIANCE mode; None: as the bucket says."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        retention: timedelta | None = None,
        now: Callable[[], datetime] | None = None,
        client: Callable[[], S3Client] | None = None,
    ) -> None:
        if retention is not None and now is None:
            raise ValueError("a retention wants a clock")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._retention, self._now = retention, now
        self._make = client or _client
        self._lock = threading.Lock()
        self._made: S3Client | None = None

    def put(self, name: str, content: bytes) -> None:
        key = self._prefix + checked(name)
        made = self._call("PutObject", self._put_call(key, content), _THERE)
        # Over a mark that says "deleted" S3 writes all the same.
        first = not isinstance(made, str) and self._oldest(key) == made.get("VersionId")
        if not first and self.get(name) != content:
            raise ArchiveConflict(name)

    def get(self, name: str) -> bytes | None:
        key = self._prefix + checked(name)
        version = self._oldest(key)
        if version is None:
            return None

        def read(client: S3Client) -> bytes:
            found = client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
            if found["ContentLength"] > OBJECT_BYTES_MAX:
                raise ArchiveUnavailable(f"{key} in the bucket {self._bucket} is too large to be one of ours")
            return found["Body"].read()

        content: bytes = self._call("GetObject", read)
        return content

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        for key, _ in self._versions(self._prefix + prefix, self._prefix + after if after else ""):
            name = key.removeprefix(self._prefix)
            if name > after and is_name(name):
                yield name

    def problem(self) -> str:
        """ "" where what is written stays, else one sentence. Reads the bucket's own settings."""
        try:
            return self._problem()
        except ArchiveUnavailable as problem:
            return f"{str(problem)[0].upper()}{str(problem)[1:]}."

    # ------------------------------------------------------------

    def _problem(self) -> str:
        bucket = f"The bucket {self._bucket}"
        lock = self._call(
            "GetObjectLockConfiguration",
            lambda client: client.get_object_lock_configuration(Bucket=self._bucket),
            ("ObjectLockConfigurationNotFoundError",),
        )
        rules: Any = {} if isinstance(lock, str) else lock.get("ObjectLockConfiguration", {})
        if rules.get("ObjectLockEnabled") != "Enabled":
            return f"{bucket} has no Object Lock, so that its objects can be deleted: make one with Object Lock."
        versioning = self._call("GetBucketVersioning", lambda client: client.get_bucket_versioning(Bucket=self._bucket))
        if versioning.get("Status") != "Enabled":
            return f"{bucket} keeps no versions: turn versioning on."
        kept = rules.get("Rule", {}).get("DefaultRetention", {})
        if self._retention is not None:
            return ""
        if not kept:
            return f"{bucket} has no default retention: give it one, or set PRODACCESS_AUDIT_RETENTION."
        if kept.get("Mode") != "COMPLIANCE":
            return (
                f"{bucket} keeps objects in {kept.get('Mode')} mode, which some people may bypass: choose COMPLIANCE."
            )
        return ""

    def _put_call(self, key: str, content: bytes) -> Callable[[S3Client], Any]:
        locked: dict[str, Any] = {}
        if self._retention is not None and self._now is not None:
            until = self._now() + self._retention
            locked = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}

        def put(client: S3Client) -> Any:
            # S3 wants a checksum with a lock; it holds what arrives against it.
            return client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",
                ContentType="application/json",
                **locked,
            )

        return put

    def _oldest(self, key: str) -> str | None:
        return next((version for found, version in self._versions(key) if found == key), None)

    def _versions(self, prefix: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Each key that has, or ever had, an object, with its oldest version. S3 lists a key's versions newest first, also over
        the edge of a page."""
        markers: dict[str, str] = {"KeyMarker": after} if after else {}
        last: tuple[str, str] | None = None
        while True:
            page = self._page(prefix, markers)
            for version in page.get("Versions", ()):
                if last is not None and last[0] != version["Key"]:
                    yield last
                last = version["Key"], version["VersionId"]
            if not page.get("IsTruncated"):
                break
            found = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}
            following = {name: value for name, value in found.items() if value}
            if following == markers:
                raise ArchiveUnavailable(f"S3 was asked about {self._bucket}, and its list has no end")
            markers = following
        if last is not None:
            yield last

    def _page(self, prefix: str, markers: dict[str, Any]) -> Any:
        return self._call(
            "ListObjectVersions",
            lambda client: client.list_object_versions(Bucket=self._bucket, Prefix=prefix, **markers),
        )

    def _call(self, name: str, call: Callable[[S3Client], Any], expected: tuple[str, ...] = ()) -> Any:
        """The answer, or one of the `expected` error codes. Raises ArchiveUnavailable for all others."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only who has a bucket needs it

        with timed("s3", name) as counted:
            try:
                return call(self._open())
            except ClientError as problem:
                code = str(problem.response.get("Error", {}).get("Code", ""))
                if code in expected:
                    return code
                counted.error = code or "Unknown"
                words = _WORDS.get(code, f"it said {code or 'no'}")
            except (BotoCoreError, OSError) as problem:
                counted.error = type(problem).__name__
                words = _NOBODY if counted.error == "NoCredentialsError" else f"it was not reached ({counted.error})"
        raise ArchiveUnavailable(f"S3 was asked about the bucket {self._bucket}, and {words}")

    def _open(self) -> S3Client:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def _client() -> S3Client:
    import boto3  # noqa: PLC0415 - as above
    from botocore.config import Config  # noqa: PLC0415 - as above

    # What is written twice is refused the second time, and then compared: the SDK may try again.
    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
    return boto3.session.Session().client("s3", config=config)
