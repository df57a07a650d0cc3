"""`aws-identity-center`: a user's assignment of a permission set in an account. Asynchronous.

Calls: observe 1, grant 1, revoke 1, poll 1, however many assignments there are; where the worker runs in a delegated
administrator's account, see `_by_set`, and `removals` where several are removed at once. Resolving costs ListInstances,
ListPermissionSets, a DescribePermissionSet for each set not seen before, GetUserId, DescribeUser and ListAccountAssignments,
all remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workflows.core.identity import Address
from workflows.core.records.target import (
    Observation,
    Operation,
    OperationKind,
    OperationState,
    Presence,
    Resource,
)
from workflows.core.refusal import Refused
from workflows.ports import BeforeSend, TargetRefused
from workflows.targets.aws.base import AwsTarget
from workflows.targets.aws.connections import Link
from workflows.targets.aws.errors import Denied, scrubbed
from workflows.targets.aws.identity_store import IdentityStore, place_of
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.name_cache import THING_S
from workflows.targets.aws.odd import OddAnswer
from workflows.targets.aws.permission_sets import Instance, PermissionSet, PermissionSets
from workflows.targets.aws.terms import AwsTerms, own_terms
from workflows.targets.aws.who import PERMISSION_SET, named

if TYPE_CHECKING:
    from mypy_boto3_sso_admin.type_defs import AccountAssignmentOperationStatusTypeDef

_PAGE = 100
# How a removal ends that found nothing to remove; seen as "Received a 404 status error: ... was not found".
_GONE = re.compile(r"\b404\b|not found|does not exist", re.IGNORECASE)


class IdentityCenterTarget(AwsTarget):
    def _resolve(
        self,
        terms: AwsTerms,
        person: Address,
        request_id: str,  # noqa: ARG002  # one of a person
        bound: Mapping[str, str],
    ) -> Resource | Refused:
        link = self.link(terms)
        sets, store = PermissionSets(link), IdentityStore(link, terms.match)
        if terms.account is None or terms.permission_set is None:
            return missing("account with a permission set for the role", "the policy")
        instance = sets.instance(terms.instance_arn)
        if isinstance(instance, Refused):
            return instance
        permission_set = sets.permission_set(instance, terms.permission_set)
        if isinstance(permission_set, Refused):
            return permission_set
        user = store.user(instance.store, person, bound.get(place_of(instance.store)))
        if isinstance(user, Refused):
            return user
        warning = _warning(
            sets.assigned(instance, terms.account, permission_set.arn), user.id, permission_set, terms.account
        )
        found = _resource(terms, instance, permission_set, user.id, warning)
        names = {**found.names, **named(user.user_name)}
        return replace(found, place=place_of(instance.store), carries=user.carries(terms.match), names=names)

    def _observe(self, resource: Resource) -> Observation:
        link, ids = self.link(resource.target), resource.ids
        if link.names.get("only by set"):
            return self._by_set(link, resource)
        try:
            found = link.sso.every(
                "sso-admin ListAccountAssignmentsForPrincipal",
                "AccountAssignments",
                lambda client, more: client.list_account_assignments_for_principal(
                    InstanceArn=ids["instance"],
                    PrincipalId=ids["user"],
                    PrincipalType="USER",
                    Filter={"AccountId": ids["account"]},
                    MaxResults=_PAGE,
                    **more,
                ),
            )
        except Denied:
            # "This action must be called from the management account" (API reference): remembered for an hour.
            link.names.put("only by set", True, THING_S)
            return self._by_set(link, resource)
        entries = [entry for entry in found if entry["PermissionSetArn"] == ids["permission_set"]]
        return _seen(
            resource, entries, [entry["PrincipalId"] for entry in entries if entry["PrincipalType"] == "GROUP"]
        )

    def _without(self, resource: Resource) -> str | None:
        """The instance itself has to be there: another one, seen with other credentials, knows nothing of this one."""
        self.link(resource.target).names.forget()
        try:
            found = PermissionSets(self.link(resource.target)).find_instance(resource.ids["instance"])
        except TargetRefused as refused:
            return refused.words
        return (
            "The instance is not the worker's: are these the right credentials?" if isinstance(found, Refused) else None
        )

    def _by_set(self, link: Link, resource: Resource) -> Observation:
        """What a delegated administrator may ask: who holds the permission set in the account; one call for each hundred of
        these. Where groups are among them and the person is not, one more: whether the person is in one of them.
        """
        entries = _assignments(link, resource.ids)
        groups = [entry["PrincipalId"] for entry in entries if entry["PrincipalType"] == "GROUP"]
        direct = _seen(resource, entries, [])
        if direct.presence is Presence.PRESENT or not groups:
            return direct
        store = PermissionSets(link).instance(resource.ids["instance"])
        if isinstance(store, Refused):
            return direct
        inside = IdentityStore(link).groups_of(store.store, resource.ids["user"], groups)
        return _seen(resource, entries, sorted(inside))

    def _grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:  # noqa: ARG002  # it knows no end
        answer = self.link(resource.target).sso.change(
            "sso-admin CreateAccountAssignment",
            before_send,
            lambda client: client.create_account_assignment(**_assignment(resource.ids)),
        )
        return _operation(OperationKind.GRANT, answer["AccountAssignmentCreationStatus"])

    def _revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        answer = self.link(resource.target).sso.change(
            "sso-admin DeleteAccountAssignment",
            before_send,
            lambda client: client.delete_account_assignment(**_assignment(resource.ids)),
        )
        operation = _operation(OperationKind.REVOKE, answer["AccountAssignmentDeletionStatus"])
        if operation.state is OperationState.IN_PROGRESS:
            self.link(resource.target).removals.began(operation.id)
        return operation

    def _poll(self, resource: Resource, operation: Operation) -> Operation:
        if operation.id is None or operation.state is not OperationState.IN_PROGRESS:
            return operation
        link, instance, request_id = self.link(resource.target), resource.ids["instance"], operation.id
        if operation.kind is OperationKind.REVOKE:
            return link.removals.ask(
                request_id,
                lambda: _first_page(link, instance),
                lambda: _removal(link, instance, request_id),
            )
        status = link.sso.read(
            "sso-admin DescribeAccountAssignmentCreationStatus",
            lambda client: client.describe_account_assignment_creation_status(
                InstanceArn=instance, AccountAssignmentCreationRequestId=request_id
            ),
        )["AccountAssignmentCreationStatus"]
        return _operation(operation.kind, status, request_id)

    def _list_managed(self, terms: AwsTerms) -> list[Observation] | Refused:
        """Every direct assignment of the permission set in the account, one call for each hundred: ours cannot be told apart."""
        sets = PermissionSets(self.link(terms))
        instance = sets.instance(terms.instance_arn)
        if isinstance(instance, Refused):
            return instance
        permission_set = sets.permission_set(instance, terms.permission_set or "")
        if isinstance(permission_set, Refused):
            return permission_set
        ids = {"instance": instance.arn, "account": terms.account or "", "permission_set": permission_set.arn}
        users = [e["PrincipalId"] for e in _assignments(self.link(terms), ids) if e["PrincipalType"] == "USER"]
        found = [_resource(terms, instance, permission_set, user, None) for user in users]
        return [Observation(Presence.PRESENT, resource) for resource in found]

    def _whose(self, resource: Resource) -> tuple[Address, ...]:
        terms = own_terms(resource.target)
        instance = PermissionSets(self.link(terms)).instance(terms.instance_arn)
        if isinstance(instance, Refused):
            return ()
        return IdentityStore(self.link(terms), terms.match).called(instance.store, resource.ids["user"])

    def by_hand(self, resource: Resource, kind: OperationKind) -> str:
        verb = "assign" if kind is OperationKind.GRANT else "remove"
        return (
            f"By hand: in the console of IAM Identity Center, under AWS accounts, {resource.ids['account']}, {verb} the user "
            f"{resource.ids['user']} with {own_terms(resource.target).permission_set}."
        )


def _resource(
    terms: AwsTerms, instance: Instance, permission_set: PermissionSet, user: str, warning: str | None
) -> Resource:
    return Resource(
        kind=AwsKind.IDENTITY_CENTER,
        target=terms,
        ids={
            "instance": instance.arn,
            "account": str(terms.account),
            "permission_set": permission_set.arn,
            "user": user,
        },
        title=f"{permission_set.name} in account {terms.account}",
        session_s=permission_set.session_s,
        warning=warning,
        names={PERMISSION_SET: permission_set.name},
    )


def _warning(holders: frozenset[str] | None, user: str, permission_set: PermissionSet, account: str) -> str | None:
    if holders is None or holders - {user}:
        return None
    return (
        f"Nobody else holds {permission_set.name} in {account}, so AWS deletes its role there when this ends. What names that "
        "role (EKS, key and bucket policies) breaks; one permanent assignment prevents it."
    )


def _assignment(ids: Mapping[str, str]) -> Any:
    return {
        "InstanceArn": ids["instance"],
        "TargetId": ids["account"],
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": ids["permission_set"],
        "PrincipalType": "USER",
        "PrincipalId": ids["user"],
    }


def _assignments(link: Link, ids: Mapping[str, str]) -> list[Any]:
    return link.sso.every(
        "sso-admin ListAccountAssignments",
        "AccountAssignments",
        lambda client, more: client.list_account_assignments(
            InstanceArn=ids["instance"],
            AccountId=ids["account"],
            PermissionSetArn=ids["permission_set"],
            MaxResults=_PAGE,
            **more,
        ),
    )


def _removal(link: Link, instance: str, request_id: str) -> Operation:
    status = link.sso.read(
        "sso-admin DescribeAccountAssignmentDeletionStatus",
        lambda client: client.describe_account_assignment_deletion_status(
            InstanceArn=instance, AccountAssignmentDeletionRequestId=request_id
        ),
    )["AccountAssignmentDeletionStatus"]
    return _operation(OperationKind.REVOKE, status, request_id)


def _first_page(link: Link, instance: str) -> Mapping[str, str]:
    """Removals and how they stand: id -> AWS's word. One page, since nothing follows from one that is not there."""
    page = link.sso.read(
        "sso-admin ListAccountAssignmentDeletionStatus",
        # Taken out in here: an answer that lacks it is in doubt, and each removal is asked after by itself.
        lambda client: client.list_account_assignment_deletion_status(InstanceArn=instance, MaxResults=_PAGE)[
            "AccountAssignmentsDeletionStatus"
        ],
    )
    return {row["RequestId"]: row["Status"] for row in page if "RequestId" in row and "Status" in row}


def _seen(resource: Resource, entries: Iterable[Any], groups: list[str]) -> Observation:
    """PRESENT is the direct assignment and nothing else: it is all that we give and take."""
    # Both of each entry are read: one that lacks either might be the very one that is looked for.
    direct = ("USER", resource.ids["user"]) in {(entry["PrincipalType"], entry["PrincipalId"]) for entry in entries}
    through = "group " + ", ".join(sorted(groups)) if groups else None
    return Observation(Presence.PRESENT if direct else Presence.ABSENT, resource, through=through)


def _operation(
    kind: OperationKind, status: AccountAssignmentOperationStatusTypeDef, id_: str | None = None
) -> Operation:
    """`id_`: of the operation that was asked about. Raises OddAnswer for a word that AWS has not, and for no way to ask again."""
    words, id_ = {state.value.upper(): state for state in OperationState}, id_ or status.get("RequestId")
    state = words.get(status["Status"])
    if state is None:
        raise OddAnswer(
            f"AWS says of the operation that it is {scrubbed(status['Status'])[:40]!r}, which is no state of it"
        )
    if state is OperationState.IN_PROGRESS and not id_:
        raise OddAnswer("AWS says that the operation is in progress, and does not name it")
    reason = scrubbed(status.get("FailureReason", ""))
    if state is OperationState.FAILED and kind is OperationKind.REVOKE and _GONE.search(reason):
        return Operation(kind, OperationState.SUCCEEDED, id_)
    error = (reason or "AWS gave no reason.") if state is OperationState.FAILED else None
    return Operation(kind, state, id_, error)
