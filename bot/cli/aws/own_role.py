"""The role that documents are made for: what of the policy goes through it, and the ids that AWS has for that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli.aws.asked import BUCKET, KEY, ROLE, checked
from bot.cli.program import PROBLEMS, USAGE, end, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflows.core.policy import Policy
    from workflows.core.provider import Connection
    from workflows.targets.aws.role_rights.from_policy import Through
    from workflows.targets.aws.role_rights.ids import CenterIds
    from workflows.targets.aws.role_rights.scope import Archive, Scope

ROLE_LIKE = "arn:aws:iam::111122223333:role/prodaccess-worker"
_DAYS = re.compile(r"([0-9]{1,5})d")


class OwnRole:
    """The role, and the connections that go through it."""

    def __init__(self, policy: Policy, role: str, connection: str) -> None:
        from workflows.targets.aws.terms import AwsConnection

        self.all = {name: one for name, one in policy.connections.items() if isinstance(one, AwsConnection)}
        if not self.all:
            end("The policy has no connection to AWS: connections in prodaccess.yaml names where access is given.")
        self._policy, self.is_workers = policy, not connection
        self.role = self._role_of(connection) if connection else role
        if not self.role:
            end(f"Say which role it is for: --role {ROLE_LIKE}, or --connection NAME.", USAGE)
        self.partition = checked("--role", self.role, ROLE, ROLE_LIKE)[1]
        own = [
            one for one in self.all.values() if one.role_arn == self.role or (self.is_workers and one.role_arn is None)
        ]
        self.through: tuple[Through, ...] = tuple(map(self._through, own))

    def _role_of(self, connection: str) -> str:
        found = self.all.get(connection)
        if found is None:
            end(f"The policy has no connection {connection!r} to AWS; there is {', '.join(self.all)}.", USAGE)
        if found.role_arn is None:
            end(
                f"The connection {connection} names no role_arn: it is used with the worker's own role, --role ARN.",
                USAGE,
            )
        return found.role_arn

    def _through(self, connection: Connection) -> Through:
        from workflows.targets.aws.role_rights.from_policy import Through, groups_read
        from workflows.targets.aws.terms import own_connection
        from workflows.targets.aws.wanted import Wanted

        every = (one for each in self._policy.environments.values() for one in each.given)
        own = tuple(one for one in every if one.connection.name == connection.name)
        return Through(
            Wanted(own_connection(connection), own, lambda _: ()),
            groups_read(self._policy.groups.values(), connection.name),
        )

    def frame(
        self,
        path: str,
        archive: Archive | None,
        key: str,
        *,
        bounded: bool,
        pipeline_path: str,
        sealer: str,
        activity: bool,
        doctor: bool,
    ) -> Scope:
        from workflows.targets.aws.role_rights.from_policy import taken_on
        from workflows.targets.aws.role_rights.scope import Scope

        roles = [one for one in taken_on(map(self._through, self.all.values())) if one != self.role]
        return Scope(
            self.role,
            self.partition,
            path=path,
            bounded=bounded,
            pipeline_path=pipeline_path,
            vouches=self.role.split(":")[4] in self._policy.identity_accounts,
            sessions=bool(self._policy.identity_accounts),
            sealer=sealer,
            roles=tuple(roles) if self.is_workers else (),
            activity=activity,
            doctor=doctor,
            # The worker writes and signs with its own credentials, whatever roles it takes on.
            archive=archive if self.is_workers else None,
            key=key if self.is_workers else "",
        )

    def scope(self, frame: Scope, ids: dict[str, CenterIds]) -> Scope:
        from workflows.targets.aws.role_rights.from_policy import scope_of

        found = scope_of(frame, self.through, ids)
        if isinstance(found, tuple):
            for sentence in found:
                say(sentence)
            raise typer.Exit(PROBLEMS)
        return found

    def notes(self) -> list[str]:
        from workflows.targets.aws.role_rights.from_policy import wider_pairs

        found = []
        pairs = wider_pairs(self.through)
        if pairs:
            more = f", and {len(pairs) - 3} more" if len(pairs) > 3 else ""
            found.append(
                "AWS looks at permission set and account one by one, so the role could give these, which the policy does not: "
                f"{'; '.join(pairs[:3])}{more}."
            )
        others = sorted({name for name, one in self.all.items() if one.role_arn not in (None, self.role)})
        if self.is_workers and others:
            found.append(f"Other roles are taken on: look at --connection {', --connection '.join(others)}.")
        return found


def archive_of(bucket: str, retention: str) -> Archive | None:
    """None for a folder: nothing of AWS's is there."""
    from workflows.targets.aws.role_rights.scope import Archive

    if not bucket or bucket.startswith(("/", "./", "../")):
        return None
    name, prefix = checked("--audit-bucket", bucket, BUCKET, "s3://acme-audit/prodaccess").groups()
    days = checked("--audit-retention", retention, _DAYS, "2555d")[1] if retention else None
    return Archive(name, prefix.strip("/"), int(days) if days else None)


def key_of(key: str) -> str:
    """Empty for a PEM file."""
    like = "awskms:arn:aws:kms:eu-central-1:111122223333:key/..."
    return checked("--audit-key", key, KEY, like)[1] if "arn:" in key else ""


def ids_for(through: Sequence[Through], read_from: Path | None, keep_in: Path | None) -> dict[str, CenterIds]:
    from workflows.targets.aws.role_rights import ids

    if read_from is not None:
        try:
            return ids.read(read_from.read_text(encoding="utf-8"))
        except ids.IdsUnreadable as problem:
            end(f"{read_from}: {problem}.")
        except UnicodeDecodeError:
            end(f"{read_from}: it is no text.")
    wanted = [one for one in through if one.of_center]
    found = _asked(wanted) if wanted else {}
    if keep_in is not None:
        keep_in.write_text(f"{ids.written(found)}\n", encoding="utf-8")
    return found


def _asked(wanted: Sequence[Through]) -> dict[str, CenterIds]:
    from bot.doctor.allowance import Allowance
    from bot.monotonic import monotonic_s
    from workflows.targets.aws.found_ids import found_ids
    from workflows.targets.aws.targets import AwsTargets

    targets = AwsTargets(Allowance(), monotonic=monotonic_s)
    found = {one.connection.name: found_ids(targets, one) for one in wanted}
    problems = [sentence for one in found.values() if isinstance(one, tuple) for sentence in one]
    if problems:
        for sentence in dict.fromkeys(problems):
            say(sentence)
        say("AWS was asked with the credentials that are here (AWS_PROFILE). A file of ids does as well: --ids FILE.")
        raise typer.Exit(PROBLEMS)
    return {name: one for name, one in found.items() if not isinstance(one, tuple)}
