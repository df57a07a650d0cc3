"""`aws-iam-role-policy`: one inline policy a grant, `prodaccess-PA-1042`, on the role of a pipeline. It ends by itself.

Calls: observe 1, grant 2 (GetRole, to see that the role is still the same, and still a pipeline's; PutRolePolicy), revoke 1.
Resolving costs GetRole, ListRolePolicies and a GetRolePolicy for each inline policy of this one role.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from workflows.core.identity import Address
from workflows.core.provider import TemplateRefused
from workflows.core.records.request import ID_PATTERN
from workflows.core.records.target import Observation, Operation, OperationKind, Presence, Resource
from workflows.core.refusal import Code, Refused
from workflows.ports import BeforeSend, TargetRefused
from workflows.targets.aws import iam_roles
from workflows.targets.aws.base import AwsTarget, done
from workflows.targets.aws.connections import Link, Links
from workflows.targets.aws.errors import Missing
from workflows.targets.aws.iam_policy import CHANGED, OTHERS, PREFIX
from workflows.targets.aws.iam_roles import IamRole
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.templates import (
    MARK_LENGTH,
    end_of,
    inline_size,
    mark_of,
    same_but_for_end,
    with_end,
)
from workflows.targets.aws.terms import AwsTerms, own_terms

# All inline policies of a role together; blanks are not counted. Source: "IAM and STS quotas" in the IAM user guide.
ROLE_CHARACTERS_MAX = 10_240
_OURS = re.compile(re.escape(PREFIX) + ID_PATTERN.pattern)
# Every end has the same length, so any will do to count characters.
_SOME_END = datetime(2026, 1, 1, tzinfo=UTC)


class IamRolePolicyTarget(AwsTarget):
    """`mark`: what the documents that are written here say of who wrote them; empty: nothing."""

    tells_ours_apart = True

    def __init__(self, links: Links, mark: Callable[[], str] = str) -> None:
        super().__init__(links)
        self._mark = mark

    def _resolve(
        self,
        terms: AwsTerms,
        person: Address,  # noqa: ARG002 - a pipeline has none
        request_id: str,
        bound: Mapping[str, str],  # noqa: ARG002 - as above
    ) -> Resource | Refused:
        link = self.link(terms)
        if terms.document is None:
            return missing("policy template for the gate", "the policy")
        try:
            needed = inline_size(with_end(terms.document, _SOME_END, "0" * MARK_LENGTH))
        except TemplateRefused as refused:
            return Refused(Code.TEMPLATE_REFUSED, {"why": " ".join(refused.problems)})
        role = iam_roles.of_pipeline(link, terms)
        if isinstance(role, Refused):
            return role
        name = PREFIX + request_id
        left = ROLE_CHARACTERS_MAX - sum(_sizes(link, role.name, except_for=name))
        if needed > left:
            words = f"The role {role.name} has room for {left} characters of inline policies, and {needed} are needed."
            return Refused(Code.TARGET_REFUSED, {"words": words})
        return _resource(terms, role, name)

    def _observe(self, resource: Resource) -> Observation:
        document = _document(self.link(resource.target), resource.ids["role"], resource.ids["policy"])
        own, named = own_terms(resource.target).document or "", resource.ids["policy"].removeprefix(PREFIX)
        mark, mine = mark_of(document), self._mark()[:MARK_LENGTH]
        others = bool(mark and mine and mark != mine)
        said = OTHERS if others else None if same_but_for_end(document, own) else CHANGED
        return Observation(Presence.PRESENT, resource, end_of(document), said, request=named, mark=mark, others=others)

    def _without(self, resource: Resource) -> str | None:
        return iam_roles.doubt_of_role(self.link(resource.target), resource.ids["account"], resource.ids["role"])

    def _grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:
        link, ids, terms = self.link(resource.target), resource.ids, own_terms(resource.target)
        try:
            document = with_end(terms.document or "", until, self._mark()[:MARK_LENGTH])
        except TemplateRefused as refused:
            raise TargetRefused(f"The policy template cannot be used: {refused}") from None
        iam_roles.still_the_pipelines(link, terms, ids)
        link.iam.change(
            "iam PutRolePolicy",
            before_send,
            lambda client: client.put_role_policy(
                RoleName=ids["role"], PolicyName=ids["policy"], PolicyDocument=document
            ),
        )
        return done(OperationKind.GRANT)

    def _revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        """IAM deletes no role that still has inline policies, so what we gave is gone with the role."""
        ids = resource.ids
        self.link(resource.target).iam.change(
            "iam DeleteRolePolicy",
            before_send,
            lambda client: client.delete_role_policy(RoleName=ids["role"], PolicyName=ids["policy"]),
        )
        return done(OperationKind.REVOKE)

    def _list_managed(self, terms: AwsTerms) -> list[Observation] | Refused:
        """Inline policies `prodaccess-PA-*` of the terms' role: GetRole, ListRolePolicies, a GetRolePolicy for each of ours."""
        link = self.link(terms)
        role = iam_roles.role_named(link, terms.role or "")
        if role is None:
            return []
        ours = [name for name in _names(link, role.name) if _OURS.fullmatch(name)]
        seen = [self.observe(_resource(terms, role, name)) for name in ours]
        return [one for one in seen if one.presence is not Presence.ABSENT]

    def by_hand(self, resource: Resource, kind: OperationKind) -> str:
        ids = resource.ids
        verb = "add" if kind is OperationKind.GRANT else "remove"
        return (
            f"By hand: in the IAM console of account {ids['account']}, under Roles, {ids['role']}, Permissions, {verb} the "
            f"inline policy {ids['policy']}."
        )


def _resource(terms: AwsTerms, role: IamRole, policy: str) -> Resource:
    return Resource(
        kind=AwsKind.IAM_ROLE_POLICY,
        target=terms,
        ids={"account": role.account, "role": role.name, "user_id": role.id, "policy": policy},
        title=f"inline policy {policy} on the IAM role {role.name} in account {role.account}",
        enforces_end=True,
    )


def _names(link: Link, role: str) -> list[str]:
    return link.iam.every(
        "iam ListRolePolicies", "PolicyNames", lambda client, more: client.list_role_policies(RoleName=role, **more)
    )


def _sizes(link: Link, role: str, *, except_for: str) -> list[int]:
    """Characters of each inline policy of the role but one, which would be written over."""
    sizes = []
    for name in _names(link, role):
        if name != except_for:
            try:
                sizes.append(inline_size(_document(link, role, name)))
            except Missing:
                continue  # gone since it was listed
    return sizes


def _document(link: Link, role: str, policy: str) -> Mapping[str, Any]:
    """botocore decodes IAM's documents to what the JSON says. Raises Missing."""
    found = link.iam.read(
        "iam GetRolePolicy", lambda client: client.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    )
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
