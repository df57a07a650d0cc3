"""`aws-iam-policy`: one inline policy a grant, `prodaccess-PA-1042`, on an IAM user. It ends by itself.

Calls: observe 1, once before the first grant, too, so that nothing of another installation is written over; grant 2 (GetUser to
see that the user is still the same, PutUserPolicy), revoke 1, or 2 where older sessions are denied what it gave: then that stands
in its place until none of them can live any more: 36 hours is the longest that AWS gives an IAM user ("Disabling permissions for
temporary security credentials", IAM user guide). Resolving costs GetUser, ListUserPolicies and a GetUserPolicy for each inline
policy of this one user, which its 2,048 characters keep few.
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
from workflows.targets.aws import iam_users
from workflows.targets.aws.base import AwsTarget, done
from workflows.targets.aws.connections import Link, Links
from workflows.targets.aws.errors import Missing
from workflows.targets.aws.iam_users import IamUser
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.templates import (
    INLINE_CHARACTERS_MAX,
    MARK_LENGTH,
    denied_before,
    end_of,
    inline_size,
    mark_of,
    same_but_for_end,
    with_denial,
    with_end,
)
from workflows.targets.aws.terms import AwsTerms, own_terms

PREFIX = "prodaccess-"
_OURS = re.compile(re.escape(PREFIX) + ID_PATTERN.pattern)
# Every end has the same length, so any will do to count characters.
_SOME_END = datetime(2026, 1, 1, tzinfo=UTC)
_SOME_MARK = "0" * MARK_LENGTH

# What `Observation.detail` says where it denies what it allowed before; and where it is not the one we would write.
DENIED = "the policy denies older sessions what it gave"
CHANGED = "the policy was changed by somebody else"
OTHERS = (
    "another installation has given something under the same number on this user, and it would be written over: installations "
    "that share users need numbers of their own"
)


class IamPolicyTarget(AwsTarget):
    """`mark`: what the documents that are written here say of who wrote them; empty: nothing."""

    tells_ours_apart = True

    def __init__(self, links: Links, mark: Callable[[], str] = str) -> None:
        super().__init__(links)
        self._mark = mark

    def _resolve(
        self, terms: AwsTerms, person: Address, request_id: str, bound: Mapping[str, str]
    ) -> Resource | Refused:
        link = self.link(terms)
        if terms.document is None:
            return missing("policy template for the role", "the policy")
        try:
            needed = _needed(terms)
        except TemplateRefused as refused:
            return Refused(Code.TEMPLATE_REFUSED, {"why": " ".join(refused.problems)})
        user = iam_users.owned(link, terms, person, bound)
        if isinstance(user, Refused):
            return user
        name = PREFIX + request_id
        left = INLINE_CHARACTERS_MAX - sum(_sizes(link, user.name, except_for=name))
        if needed > left:
            params = {"user": user.name, "needed": str(needed), "left": str(left), "limit": str(INLINE_CHARACTERS_MAX)}
            return Refused(Code.TARGET_NO_ROOM, params)
        return _resource(terms, user, name)

    def _observe(self, resource: Resource) -> Observation:
        document = _document(self.link(resource.target), resource.ids["user"], resource.ids["policy"])
        own, named = own_terms(resource.target).document or "", resource.ids["policy"].removeprefix(PREFIX)
        mark, mine = mark_of(document), self._mark()[:MARK_LENGTH]
        others = bool(mark and mine and mark != mine)
        before = denied_before(document, own)
        if before is not None:
            return Observation(
                Presence.ABSENT, resource, request=named, mark=mark, denied_before=before, detail=DENIED, others=others
            )
        same = same_but_for_end(document, own)
        return Observation(
            Presence.PRESENT,
            resource,
            end_of(document),
            OTHERS if others else None if same else CHANGED,
            request=named,
            mark=mark,
            others=others,
        )

    def _without(self, resource: Resource) -> str | None:
        return iam_users.doubt_of(self.link(resource.target), resource.ids["account"], resource.ids["user"])

    def _grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:
        link, ids = self.link(resource.target), resource.ids
        try:
            document = with_end(own_terms(resource.target).document or "", until, self._mark()[:MARK_LENGTH])
        except TemplateRefused as refused:
            raise TargetRefused(f"The policy template cannot be used: {refused}") from None
        iam_users.still_the_same(link, ids["user"], ids["user_id"], resource.person)
        link.iam.change(
            "iam PutUserPolicy",
            before_send,
            lambda client: client.put_user_policy(
                UserName=ids["user"], PolicyName=ids["policy"], PolicyDocument=document
            ),
        )
        return done(OperationKind.GRANT)

    def _revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        ids = resource.ids
        self.link(resource.target).iam.change(
            "iam DeleteUserPolicy",
            before_send,
            lambda client: client.delete_user_policy(UserName=ids["user"], PolicyName=ids["policy"]),
        )
        return done(OperationKind.REVOKE)

    def _deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:
        """In place of what allowed it, so that there is no moment without either. Calls: GetUser, PutUserPolicy."""
        link, ids = self.link(resource.target), resource.ids
        document = with_denial(own_terms(resource.target).document or "", before, self._mark()[:MARK_LENGTH])
        # A user made anew under this name never had the access; whom its tag names by now does not matter.
        iam_users.still_the_same(link, ids["user"], ids["user_id"], None)
        link.iam.change(
            "iam PutUserPolicy",
            before_send,
            lambda client: client.put_user_policy(
                UserName=ids["user"], PolicyName=ids["policy"], PolicyDocument=document
            ),
        )
        return done(OperationKind.REVOKE)

    def _list_managed(self, terms: AwsTerms) -> list[Observation] | Refused:
        """Inline policies `prodaccess-PA-*` of the terms' user: GetUser, ListUserPolicies, a GetUserPolicy for each of ours.

        Not of all users: that would take a call for each user of the account. What is forgotten on others ends by itself.
        """
        link = self.link(terms)
        user = iam_users.look_up(link, terms.user or "")
        if user is None:
            # No user has nothing. Whether it is gone, or was asked for in another account, is not told apart: what is missing
            # from a list is looked at by itself.
            return []
        ours = [name for name in _names(link, user.name) if _OURS.fullmatch(name)]
        found = [self.observe(_resource(terms, user, name)) for name in ours]
        # What denies older sessions is no access.
        return [seen for seen in found if seen.denied_before is None]

    def by_hand(self, resource: Resource, kind: OperationKind) -> str:
        ids = resource.ids
        verb = "add" if kind is OperationKind.GRANT else "remove"
        return (
            f"By hand: in the IAM console of account {ids['account']}, under Users, {ids['user']}, Permissions, {verb} the "
            f"inline policy {ids['policy']}."
        )


def _resource(terms: AwsTerms, user: IamUser, policy: str) -> Resource:
    return Resource(
        kind=AwsKind.IAM_POLICY,
        target=terms,
        ids={"account": user.account, "user": user.name, "user_id": user.id, "policy": policy},
        title=f"inline policy {policy} on the IAM user {user.name} in account {user.account}",
        enforces_end=True,
        person=user.person,
        place=user.place,
        carries=user.carries,
    )


def _needed(terms: AwsTerms) -> int:
    """How many characters it takes, in whichever form it stands there. Raises TemplateRefused."""
    document = terms.document or ""
    given = inline_size(with_end(document, _SOME_END, _SOME_MARK))
    return max(given, inline_size(with_denial(document, _SOME_END, _SOME_MARK))) if terms.end_sessions else given


def _names(link: Link, user: str) -> list[str]:
    return link.iam.every(
        "iam ListUserPolicies", "PolicyNames", lambda client, more: client.list_user_policies(UserName=user, **more)
    )


def _sizes(link: Link, user: str, *, except_for: str) -> list[int]:
    """Characters of each inline policy of the user but one, which would be written over."""
    sizes = []
    for name in _names(link, user):
        if name != except_for:
            try:
                sizes.append(inline_size(_document(link, user, name)))
            except Missing:
                continue  # gone since it was listed
    return sizes


def _document(link: Link, user: str, policy: str) -> Mapping[str, Any]:
    """botocore decodes IAM's documents to what the JSON says. Raises Missing."""
    found = link.iam.read(
        "iam GetUserPolicy", lambda client: client.get_user_policy(UserName=user, PolicyName=policy)["PolicyDocument"]
    )
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
