"""S3 with Object Lock: moto, with what it is too kind in put right, and lists torn into small pages.

What is refused here is in S3's API reference: a lock without a checksum, one that ends in the past, one that the bucket is not
made for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

BUCKET = "audit.example"


class StrictS3:
    """`page`: how many rows a list gives at most. `calls`: operations, in order. `errors`: operation -> codes, next first."""

    def __init__(self, page: int = 2) -> None:
        self.page = page
        self.calls: list[str] = []
        self.errors: dict[str, list[str]] = {}
        self.locked = False
        self._ours: Any = None
        self._raw: Any = None

    def client(self) -> Any:
        """As ours is made, with this in between."""
        if self._ours is None:
            self._ours = _made()
            self._ours.meta.events.register("provide-client-params.s3", self._asked)
            self._ours.meta.events.register("before-call.s3", self._checked)
        return self._ours

    @property
    def raw(self) -> Any:
        """Somebody else's client, with whatever rights."""
        if self._raw is None:
            self._raw = _made()
        return self._raw

    def bucket(self, *, lock: bool = True, mode: str = "COMPLIANCE", days: int = 30) -> None:
        self.raw.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=lock)
        self.locked = lock
        if lock and mode:
            rule = {"DefaultRetention": {"Mode": mode, "Days": days}}
            self.raw.put_object_lock_configuration(
                Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
            )

    def _asked(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any] | None:
        self.calls.append(model.name)
        if self.errors.get(model.name):
            code = self.errors[model.name].pop(0)
            raise ClientError({"Error": {"Code": code, "Message": code}}, model.name)
        return {**self._from(params), "MaxKeys": self.page} if model.name == "ListObjectVersions" else None

    def _from(self, params: dict[str, Any]) -> dict[str, Any]:
        """moto passes over one row too many behind a marker that is no version's."""
        if "KeyMarker" not in params or "VersionIdMarker" in params:
            return params
        rest = {name: value for name, value in params.items() if name != "KeyMarker"}
        found = self.raw.list_object_versions(Bucket=BUCKET)
        rows = [(row["Key"], row["VersionId"]) for row in (*found.get("Versions", ()), *found.get("DeleteMarkers", ()))]
        before = [row for row in rows if row[0] <= params["KeyMarker"]]
        if not before:
            return rest
        key = max(before)[0]
        return {**rest, "KeyMarker": key, "VersionIdMarker": [version for name, version in before if name == key][-1]}

    def _checked(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        headers = {name.lower(): value for name, value in params["headers"].items()}
        if model.name != "PutObject" or "x-amz-object-lock-mode" not in headers:
            return
        until = datetime.fromisoformat(str(headers["x-amz-object-lock-retain-until-date"]).replace("Z", "+00:00"))
        # The sum itself follows behind the content.
        sums = "x-amz-sdk-checksum-algorithm" in headers or "content-md5" in headers
        for wrong, code in (
            (not self.locked, "InvalidRequest"),
            (not sums, "InvalidRequest"),
            (until <= datetime.now(UTC), "InvalidArgument"),
            ("content-type" not in headers, "InvalidRequest"),
        ):
            if wrong:
                raise ClientError({"Error": {"Code": code, "Message": code}}, model.name)


@cache
def _session() -> Any:
    """One for all tests: each would read the description of S3 anew."""
    return boto3.session.Session()


def _made() -> Any:
    return _session().client("s3", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))


@contextlib.contextmanager
def strict_s3(monkeypatch: pytest.MonkeyPatch, page: int = 2) -> Iterator[StrictS3]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield StrictS3(page)
