"""What a policy gives through one role of the worker's, with AWS's own ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workflows.core.policy import Group
from workflows.targets.aws.kinds import OF_IDENTITY_CENTER, AwsKind
from workflows.targets.aws.role_rights.ids import CenterIds, is_set
from workflows.targets.aws.role_rights.scope import Center, Scope
from workflows.targets.aws.terms import AwsConnection, AwsSpec
from workflows.targets.aws.wanted import WHOEVER, Wanted

_OF_IAM = (AwsKind.IAM_POLICY, AwsKind.IAM_GROUP)
# Of users and groups: "IAM and AWS STS quotas", IAM user guide.
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]+")


@dataclass(frozen=True, slots=True)
class Through:
    """What goes through one role. `reads`: names of groups of the policy that are kept in this connection's directory."""

    wanted: Wanted
    reads: tuple[str, ...] = ()

    @property
    def connection(self) -> AwsConnection:
        return self.wanted.connection

    @property
    def of_center(self) -> bool:
        return bool(self.wanted.kinds & OF_IDENTITY_CENTER or self.reads)

    @property
    def sets(self) -> tuple[str, ...]:
        """Names or ARNs, as the policy has them."""
        return self.wanted.names(AwsKind.IDENTITY_CENTER, "permission_set")

    @property
    def groups(self) -> tuple[str, ...]:
        return self.wanted.patterns(AwsKind.IDENTITY_CENTER_GROUP, "group")


def groups_read(groups: Iterable[Group], connection: str) -> tuple[str, ...]:
    """Which of the policy's groups are looked up through this connection."""
    return tuple(
        each.identity_center_group for each in groups if each.identity_center_group and each.connection == connection
    )


def scope_of(frame: Scope, through: Sequence[Through], ids: Mapping[str, CenterIds]) -> Scope | tuple[str, ...]:
    """`frame`: the role, and what the policy does not say. `ids`: by connection. Where something is missing: what, a sentence
    each; nothing wider stands in for it.
    """
    missing = [sentence for one in through if one.of_center for sentence in _missing(one, ids.get(one.connection.name))]
    missing += [sentence for one in through for sentence in _no_names(one)]
    if frame.role_name in _pipelines(through):
        missing.append(
            f"A gate gives something to {frame.role_name}, which is the worker's own role: name the pipeline's."
        )
    if missing:
        return tuple(missing)
    found = replace(
        frame,
        centers=_centers(through, ids),
        written_on=_all(through, AwsKind.IAM_POLICY, "user"),
        grouped=_all(through, AwsKind.IAM_GROUP, "user"),
        groups=_all(through, AwsKind.IAM_GROUP, "group"),
        pipelines=_pipelines(through),
    )
    if found.gives or found.roles or any(one.reads_groups for one in found.centers):
        return found
    return ("The policy gives nothing through this role: no role of roles.yaml in an environment has a target there.",)


def _missing(one: Through, ids: CenterIds | None) -> list[str]:
    name = one.connection.name
    if ids is None:
        return [f"Nothing is known of Identity Center behind the connection {name}: neither AWS nor --ids said it."]
    lacking = [each for each in one.sets if not is_set(each) and each not in ids.sets]
    found = [f"The ARN of the permission set {each} is not known (connection {name})." for each in lacking]
    for group in one.groups:
        if "*" in group:
            found.append(f"The group {group} is another one for each person, so that its id cannot be known ({name}).")
        elif group not in ids.groups:
            found.append(f"The id of the group {group} is not known (connection {name}).")
    if not ids.owner:
        found.append(f"Which account owns {ids.instance} is not known (connection {name}).")
    return found


def _no_names(one: Through) -> list[str]:
    """What is written where AWS wants a name, and would mean more than one: a star of the policy's own, say."""
    named = [
        *((each, "IAM user") for kind in _OF_IAM for each in one.wanted.patterns(kind, "user", mark=True)),
        *((each, "IAM role") for each in _pipelines([one])),
        *((each, "IAM group") for each in one.wanted.patterns(AwsKind.IAM_GROUP, "group", mark=True)),
    ]
    return [
        f"{each.replace(WHOEVER, '{local_part}')!r} is no name of an {what} (connection {one.connection.name})."
        for each, what in named
        if not _NAME.fullmatch(each)
    ]


def _centers(through: Sequence[Through], ids: Mapping[str, CenterIds]) -> tuple[Center, ...]:
    """One for each instance, also where several connections lead to it."""
    found: dict[str, Center] = {}
    for one in through:
        if not one.of_center:
            continue
        own = ids[one.connection.name]
        before = found.get(own.instance) or Center(own.instance, own.store, own.owner)
        found[own.instance] = replace(
            before,
            accounts=_union(before.accounts, one.wanted.accounts()),
            sets=_union(before.sets, (own.sets.get(each, each) for each in one.sets)),
            groups=_union(before.groups, (own.groups[each] for each in one.groups)),
            reads_groups=before.reads_groups or bool(one.reads),
        )
    return tuple(found.values())


def _union(before: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*before, *more}))


def _all(through: Sequence[Through], kind: AwsKind, field: str) -> tuple[str, ...]:
    """Without what another one of them covers: `*` is all of them."""
    found = sorted({each for one in through for each in one.wanted.patterns(kind, field)})
    return ("*",) if "*" in found else tuple(found)


def _pipelines(through: Sequence[Through]) -> tuple[str, ...]:
    """Names of pipelines' own roles, where gates give them something."""
    return _all(through, AwsKind.IAM_ROLE_POLICY, "role")


def taken_on(connections: Iterable[Through]) -> tuple[str, ...]:
    """The roles that the worker's own role takes on: of connections, and to look at CloudTrail."""
    every = tuple(connections)
    roles = {one.connection.role_arn for one in every if one.connection.role_arn}
    return tuple(sorted(roles | {role for one in every for role in _looking(one)}))


def _looking(one: Through) -> set[str]:
    own = one.connection
    if not own.activity_role:
        return set()
    accounts = {*one.wanted.accounts()}
    if own.role_arn and one.wanted.kinds - OF_IDENTITY_CENTER:
        accounts.add(own.role_arn.split(":")[4])
    return {f"arn:{own.partition}:iam::{account}:role/{own.activity_role}" for account in accounts}


def wider_pairs(through: Sequence[Through]) -> tuple[str, ...]:
    """What the role could give and the policy does not: AWS looks at permission set and account one by one, so a role that may
    give one set in one account and another set in another one may give both in both. `ReadOnlyAccess in 111122223333`.
    """
    named = {
        (str(one.target.permission_set), str(one.account))
        for each in through
        for one in each.wanted.entitlements
        if isinstance(one.target, AwsSpec) and one.target.kind is AwsKind.IDENTITY_CENTER
    }
    sets, accounts = {pair[0] for pair in named}, {pair[1] for pair in named}
    return tuple(
        sorted(f"{name} in {account}" for name in sets for account in accounts if (name, account) not in named)
    )
