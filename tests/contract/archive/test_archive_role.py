"""The archive is written and read with exactly the rights that `prodaccess aws policy` prints, inside boundary and guardrail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.sandbox.aws.spec import EXAMPLE
from tests.support.role_rights import ROLE, Enforced, example_scope
from tests.support.strict_s3 import BUCKET, StrictS3, strict_s3
from workflows.archive.s3 import S3Archive
from workflows.ports import ArchiveUnavailable
from workflows.targets.aws.role_rights.never import by_the_boundary, by_the_guardrail
from workflows.targets.aws.role_rights.scope import Archive, Scope
from workflows.targets.aws.role_rights.statement import Statement
from workflows.targets.aws.role_rights.worker import RIGHTS

DAYS = 30
# What AWS checks for a call, where its name is not that of the call (service authorization reference).
_CHECKED = {
    "GetObject": ("s3:GetObjectVersion",),
    "ListObjectVersions": ("s3:ListBucketVersions",),
    "GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
}


def scope(days: int | None) -> Scope:
    return replace(example_scope(EXAMPLE), archive=Archive(BUCKET, days=days))


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictS3]:
    with strict_s3(monkeypatch) as found:
        found.bucket(days=DAYS)
        yield found


def enforced(statements: tuple[Statement, ...], whole: Scope) -> Enforced:
    return Enforced(None, statements, (*by_the_boundary(whole), *by_the_guardrail(whole)))


def asked(looking: Enforced) -> Callable[..., None]:
    def ask(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        context, locked = {"aws:PrincipalArn": ROLE}, "ObjectLockMode" in params
        if locked:
            left = params["ObjectLockRetainUntilDate"] - datetime.now(UTC)
            context["s3:object-lock-mode"] = params["ObjectLockMode"]
            context["s3:object-lock-remaining-retention-days"] = str(left / timedelta(days=1))
        thing = f"arn:aws:s3:::{params['Bucket']}" + (f"/{params['Key']}" if "Key" in params else "")
        for action in _CHECKED.get(model.name, (f"s3:{model.name}",)):
            looking.look(action, [thing], context)
        if locked:
            looking.look("s3:PutObjectRetention", [thing], context)

    return ask


def life(server: StrictS3, looking: Enforced, days: int | None) -> None:
    """Written twice, read, listed, and the bucket looked at."""
    server.client().meta.events.register_first("provide-client-params.s3", asked(looking))
    retention = timedelta(days=days) if days else None
    archive = S3Archive(BUCKET, retention=retention, now=lambda: datetime.now(UTC), client=server.client)
    archive.put("runs/1.json", b"{}")
    archive.put("runs/1.json", b"{}")
    assert archive.get("runs/1.json") == b"{}"
    assert list(archive.names("runs/")) == ["runs/1.json"]
    problem = archive.problem()
    if problem:
        raise ArchiveUnavailable(problem)


@pytest.mark.parametrize("days", [None, DAYS])
def test_it_is_written_and_read_with_exactly_these_rights(s3: StrictS3, days: int | None) -> None:
    whole = scope(days)
    looking = enforced(RIGHTS["audit"](whole), whole)
    life(s3, looking, days)
    assert not [call for call in looking.calls if len(call[2]) != 1]
    used = {sid for _, _, by in looking.calls for sid in by}
    assert used == {each.sid for each in RIGHTS["audit"](whole)}


@pytest.mark.parametrize("sid", [each.sid for each in RIGHTS["audit"](scope(DAYS))])
def test_without_one_of_them_it_is_not(s3: StrictS3, sid: str) -> None:
    rest = tuple(each for each in RIGHTS["audit"](scope(DAYS)) if each.sid != sid)
    with pytest.raises(ArchiveUnavailable, match="does not let us"):
        life(s3, enforced(rest, scope(DAYS)), DAYS)


def test_a_shorter_retention_than_was_agreed_is_refused(s3: StrictS3) -> None:
    whole = scope(DAYS)
    with pytest.raises(ArchiveUnavailable, match="does not let us"):
        life(s3, enforced(RIGHTS["audit"](whole), whole), DAYS // 2)
    with pytest.raises(ClientError, match="ArchiveOnlyInComplianceMode"):
        enforced(RIGHTS["audit"](whole), whole).look(
            "s3:PutObject", [f"arn:aws:s3:::{BUCKET}/runs/2.json"], {"aws:PrincipalArn": ROLE}
        )
