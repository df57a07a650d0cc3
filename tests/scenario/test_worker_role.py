"""Whole lives with exactly the role that `prodaccess aws policy` prints, inside its boundary and guardrail, while IAM is
enforced: nothing is lacking, and without any one of its statements a life fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.aws.spec import EXAMPLE
from tests.contract.targets.target_rigs import PERSON, UNTIL, FreeBuckets, terms
from tests.support.role_rights import Watched, example_scope, in_the_role
from workflows.core.records.target import Operation, OperationState, Presence, Resource
from workflows.core.refusal import Refused
from workflows.ports import TargetRefused
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.role_rights.never import by_the_boundary, by_the_guardrail
from workflows.targets.aws.role_rights.worker import RIGHTS, needed
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.terms import AwsConnection

SCOPE = example_scope(EXAMPLE, pipelines=("orders-deploy",))
STATEMENTS = needed(SCOPE)
MAIN = AwsConnection("main", "aws", "eu-central-1")


@pytest.fixture(scope="module")
def once(aws_server: Any) -> Watched:
    return Watched(aws_server)


@pytest.fixture
def watched(aws: Any, once: Watched) -> Watched:
    aws.proxy.pages.tear(None)
    return once


def life(targets: AwsTargets, kind: AwsKind) -> None:
    """Given and taken, seen before, between and after, and listed."""
    target = targets.for_terms(terms(kind))
    resource = target.resolve(terms(kind), PERSON, "PA-1042")
    if isinstance(resource, Refused):
        raise TargetRefused(str(resource.params))
    assert seen(target, resource) is Presence.ABSENT
    settle(target, resource, target.grant(resource, UNTIL, lambda: None))
    assert seen(target, resource) is Presence.PRESENT
    assert target.list_managed(terms(kind))
    settle(target, resource, target.revoke(resource, lambda: None))
    assert seen(target, resource) is Presence.ABSENT


def seen(target: Any, resource: Resource) -> Presence:
    found = target.observe(resource)
    if found.presence is Presence.UNKNOWN:
        raise TargetRefused(str(found.detail))
    presence: Presence = found.presence
    return presence


def settle(target: Any, resource: Resource, operation: Operation) -> None:
    while operation.state is OperationState.IN_PROGRESS:
        operation = target.poll(resource, operation)
    assert operation.state is OperationState.SUCCEEDED, operation


LIVES: dict[str, Callable[[AwsTargets], object]] = {
    "identity-center": lambda targets: life(targets, AwsKind.IDENTITY_CENTER),
    "identity-center-groups": lambda targets: life(targets, AwsKind.IDENTITY_CENTER_GROUP),
    "policy-groups": lambda targets: targets.members(MAIN, "payments-developers"),
    "iam-policy": lambda targets: life(targets, AwsKind.IAM_POLICY),
    "iam-group": lambda targets: life(targets, AwsKind.IAM_GROUP),
    "iam-role-policy": lambda targets: life(targets, AwsKind.IAM_ROLE_POLICY),
}
# Each statement with a life that needs it. By itself, so that no other one of the role's stands in for it.
ONES = [(name, each.sid) for name in LIVES for each in RIGHTS[name](SCOPE)]


def test_every_kind_has_a_life_here() -> None:
    lived = {f"aws-{name}".removesuffix("s") for name in LIVES} - {"aws-policy-group"}
    assert lived == set(AwsKind)


def test_every_life_is_lived_with_exactly_that_role_and_each_call_is_allowed_once(watched: Watched) -> None:
    enforced = watched.only_with(STATEMENTS, (*by_the_boundary(SCOPE), *by_the_guardrail(SCOPE)))
    for lived in LIVES.values():
        lived(watched.targets)
    assert not [call for call in enforced.calls if len(call[2]) != 1]
    used = {sid for _, _, by in enforced.calls for sid in by}
    assert used == {each.sid for each in STATEMENTS} - {each.sid for each in RIGHTS["audit"](SCOPE)}


@pytest.mark.parametrize(("name", "sid"), ONES)
def test_without_one_statement_its_life_fails(watched: Watched, name: str, sid: str) -> None:
    watched.only_with([each for each in RIGHTS[name](SCOPE) if each.sid != sid])
    with pytest.raises(TargetRefused, match="not authorized"):
        LIVES[name](watched.targets)


def test_in_a_delegated_administrators_account_the_longer_way_is_allowed_too(watched: Watched, aws: Any) -> None:
    aws.reset(replace(EXAMPLE, delegated_admin=True))
    aws.world.assign("payments-developers", "ReadOnlyAccess", "111122223333")
    enforced = watched.only_with(RIGHTS["identity-center"](SCOPE))
    life(watched.targets, AwsKind.IDENTITY_CENTER)
    assert "identitystore:IsMemberInGroups" in {action for action, _, _ in enforced.calls}


def test_under_iams_own_enforcement_it_is_the_same(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the role's own credentials, and nobody looking but the simulated AWS."""
    aws.proxy.pages.tear(None)
    with in_the_role(aws, STATEMENTS, monkeypatch) as exchange:
        targets = AwsTargets(FreeBuckets(), monotonic=lambda: 0.0)
        for lived in LIVES.values():
            lived(targets)
        for name in ("iam-policy", "iam-group", "iam-role-policy"):
            for sid in [each.sid for each in RIGHTS[name](SCOPE)]:
                exchange([each for each in RIGHTS[name](SCOPE) if each.sid != sid])
                with pytest.raises(TargetRefused, match="not authorized"):
                    LIVES[name](targets)
                exchange(STATEMENTS)
                _taken_back(targets, name)


def _taken_back(targets: AwsTargets, name: str) -> None:
    """What a life that failed left there."""
    kind = AwsKind(f"aws-{name}")
    resource = targets.for_terms(terms(kind)).resolve(terms(kind), PERSON, "PA-1042")
    assert isinstance(resource, Resource)
    targets.for_terms(terms(kind)).revoke(resource, lambda: None)
