"""IAM users that belong to a person: found by name, proved by the tag `prodaccess:person`, held by their immutable id.

IAM's changing calls take names, and a user that was deleted and made anew under the same name may be another person. No call
answers both "which id" and "which policies", so a grant looks at the user right before it changes anything (GetUser: id and
tag). A removal does not: IAM deletes no user that still has inline policies or groups, so what we gave is gone with the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflows.core.identity import Address, address_of
from workflows.core.refusal import Code, Refused
from workflows.ports import TargetRefused
from workflows.targets.aws.connections import Link
from workflows.targets.aws.errors import Missing
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.terms import AwsTerms

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import UserTypeDef

TAG = "prodaccess:person"


@dataclass(frozen=True, slots=True)
class IamUser:
    """`id`: `AIDA...`. `person`: what the tag says, folded; None without the tag."""

    name: str
    id: str
    account: str
    person: Address | None

    @property
    def place(self) -> str:
        """For `Resource.place`: the policy may name several users of one person in an account."""
        return f"iam:{self.account}:{self.name}"

    @property
    def carries(self) -> tuple[Address, ...]:
        return (self.person,) if self.person is not None else ()


def look_up(link: Link, name: str) -> IamUser | None:
    """One call. None where there is no such user. Raises as `Door.read` does."""
    try:
        user = link.iam.read("iam GetUser", lambda client: _user(client.get_user(UserName=name)["User"]))
    except Missing:
        return None
    link.remember_account(user.account)
    return user


def doubt_of(link: Link, account: str, user: str) -> str | None:
    """Why it is not proved that something is gone which IAM does not know: the worker's credentials may have been exchanged for
    another account's, where it never was. None where the right account was asked.

    That is remembered for an hour; else it takes a look at the user, and where there is none, one at the credentials.
    """
    try:
        if link.known_account() is None:
            look_up(link, user)
        asked = link.known_account() or link.account()
    except TargetRefused as refused:
        return refused.words
    return None if asked == account else f"That was asked in account {asked}, and the access is in {account}."


def _user(found: UserTypeDef) -> IamUser:
    tags = [tag["Value"] for tag in found.get("Tags", []) if tag["Key"] == TAG]
    account = found["Arn"].split(":")[4]
    return IamUser(found["UserName"], found["UserId"], account, address_of(tags[0]) if tags else None)


def owned(link: Link, terms: AwsTerms, person: Address, bound: Mapping[str, str]) -> IamUser | Refused:
    """The user of the terms, if it is this person's by its tag. One call, never remembered: a tag is taken away in a second.

    Of the very user that is theirs already any tag will do here; whose that address is, the ledger says.
    """
    where = f"AWS IAM (connection {link.place.connection})"
    if terms.user is None:
        return missing("IAM user for the role", "the policy")
    user = look_up(link, terms.user)
    if user is None:
        return missing(f"IAM user {terms.user}", where)
    theirs = user.person is not None and bound.get(user.place) == user.id
    if user.person != person and not theirs:
        params = {"user": user.name, "address": person, "tag": TAG, "where": f"{where}, account {user.account}"}
        return Refused(Code.TARGET_PERSON_NOT_TAGGED, params)
    return user


def still_the_same(link: Link, name: str, user_id: str, person: Address | None) -> None:
    """Raises TargetRefused where the name now means another user, or the user another person."""
    user = look_up(link, name)
    if user is None or user.id != user_id:
        raise TargetRefused(
            f"The IAM user {name} is not the one that was approved: it was deleted or made anew. Ask again."
        )
    if person is not None and user.person != person:
        raise TargetRefused(f"The IAM user {name} no longer carries the tag {TAG} = {person}. Set it, or ask again.")
