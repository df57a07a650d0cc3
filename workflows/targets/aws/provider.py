"""AWS as a provider of targets: everything that the rest of the program is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from workflows.core.activity import Trail, Window
from workflows.core.provider import Sought
from workflows.ports import Buckets
from workflows.targets.aws.instructions import by_hand, how_to_use
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.policy_keys import (
    Connection,
    DirectoryGroupTarget,
    IamGroupTarget,
    InlinePolicyTarget,
    PermissionSetTarget,
    PipelineRoleTarget,
)
from workflows.targets.aws.templates import PLACEHOLDERS, check_template
from workflows.targets.aws.terms import AwsTerms, own_terms
from workflows.targets.aws.trail import trail
from workflows.targets.registry import Opened, TargetProvider

if TYPE_CHECKING:
    from workflows.core.finding import Finding
    from workflows.core.question import Question


def _open(buckets: Buckets, monotonic: Callable[[], float], mark: Callable[[], str]) -> Opened:
    from workflows.targets.aws.targets import AwsTargets  # noqa: PLC0415 - boto3 belongs to workers alone

    return AwsTargets(buckets, monotonic=monotonic, mark=mark)


def _examine(buckets: Buckets, monotonic: Callable[[], float], question: Question) -> Iterator[Finding]:
    from workflows.targets.aws.examine import examine  # noqa: PLC0415 - as above
    from workflows.targets.aws.targets import AwsTargets  # noqa: PLC0415 - as above

    yield from examine(AwsTargets(buckets, monotonic=monotonic), question)


def _trail(asked: Sought, window: Window) -> Trail | None:
    """None of a pipeline's role: in the same sessions it does with its own rights what it does with ours."""
    return None if own_terms(asked.terms).kind is AwsKind.IAM_ROLE_POLICY else trail(asked, window)


AWS = TargetProvider(
    kinds=tuple(AwsKind),
    terms=AwsTerms,
    connection=Connection,
    targets=(PermissionSetTarget, DirectoryGroupTarget, InlinePolicyTarget, IamGroupTarget),
    gate_targets=(PipelineRoleTarget,),
    users=("identity-store", "iam", "iam-role"),
    how_to_use=how_to_use,
    by_hand=by_hand,
    worded=("permission_set", "group", "user"),
    placeholders=PLACEHOLDERS,
    templates=("policy",),
    check_template=check_template,
    not_secret=frozenset({"external_id"}),
    trail=_trail,
    open=_open,
    examine=_examine,
)
