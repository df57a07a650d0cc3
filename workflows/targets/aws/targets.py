"""All AWS targets of the process, and the clients they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from workflows.core.people import Listed
from workflows.core.provider import Connection, TargetTerms
from workflows.core.terminal.caller import Caller
from workflows.ports import Buckets, NotVouched, VouchedFor
from workflows.targets.aws.base import AwsTarget
from workflows.targets.aws.connections import Links, Place
from workflows.targets.aws.errors import FROM_AWS, translate
from workflows.targets.aws.group_members import IdentityCenterGroups
from workflows.targets.aws.iam_group import IamGroupTarget
from workflows.targets.aws.iam_policy import IamPolicyTarget
from workflows.targets.aws.iam_role_policy import IamRolePolicyTarget
from workflows.targets.aws.identity_center import IdentityCenterTarget
from workflows.targets.aws.identity_center_group import IdentityCenterGroupTarget
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import own_connection, own_terms

KINDS: dict[AwsKind, type[AwsTarget]] = {
    AwsKind.IDENTITY_CENTER: IdentityCenterTarget,
    AwsKind.IDENTITY_CENTER_GROUP: IdentityCenterGroupTarget,
    AwsKind.IAM_POLICY: IamPolicyTarget,
    AwsKind.IAM_GROUP: IamGroupTarget,
    AwsKind.IAM_ROLE_POLICY: IamRolePolicyTarget,
}


class AwsTargets:
    """`Targets` on AWS. Build one in a process; it is safe for threads. Building it calls nothing.

    `groups` lists members of Identity Center groups through the same clients. `mark`: what says on access that is told ours by
    name which installation gave it.
    """

    def __init__(
        self, buckets: Buckets, *, monotonic: Callable[[], float] = time.monotonic, mark: Callable[[], str] = str
    ) -> None:
        self.links = Links(buckets, monotonic)
        self._targets = {kind: build(self.links) for kind, build in KINDS.items()}
        self._targets[AwsKind.IAM_POLICY] = IamPolicyTarget(self.links, mark)
        self._targets[AwsKind.IAM_ROLE_POLICY] = IamRolePolicyTarget(self.links, mark)
        self.groups = IdentityCenterGroups(self.links)

    def for_terms(self, terms: TargetTerms) -> AwsTarget:
        return self._targets[own_terms(terms).kind]

    def members(self, connection: Connection, group: str) -> Listed:
        """As `IdentityCenterGroups.members`."""
        return self.groups.members(connection, group)

    def vouch(self, connections: Iterable[Connection], caller: Caller) -> VouchedFor | NotVouched | None:
        """As `vouching.vouch`."""
        from workflows.targets.aws.vouching import vouch  # noqa: PLC0415 - for whoever comes from a terminal

        return vouch(self.links, [own_connection(one) for one in connections], caller)

    def warm(self, connections: Iterable[Connection]) -> tuple[str, ...]:
        """Build the clients of these connections before the first job; nothing is sent. Says what is wrong, one sentence each."""
        problems = []
        for connection in connections:
            link = self.links.to(Place.of_connection(own_connection(connection)))
            for door in (link.sso, link.store, link.iam):
                try:
                    door.open()
                except FROM_AWS as error:
                    problems.append(f"Connection {connection.name}: {translate(error, 'building clients')}")
                    break
        return tuple(problems)
