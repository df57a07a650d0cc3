"""What Graph and the roster say of an account comes to: whose it is, and what it may do.

A field that is missing or null is not known, which is neither yes nor no: with too few permissions Graph answers so.
Source: learn.microsoft.com/graph/api/resources/user, learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from workflows.core.identity import Account, Address, address_of, domain_of
from workflows.core.people import PersonFacts, learnt
from workflows.core.policy import Policy
from workflows.core.refusal import Code
from workflows.ports import DirectoryUnreachable

Json = Mapping[str, Any]
# In the sign-in name of whoever has another home than our tenant, guest or not.
_ELSEWHERE = "#ext#"
# What our own tenant says in so many words; nobody else is asked.
_PLAIN = frozenset({Code.PERSON_DEACTIVATED, Code.PERSON_GUEST})


def facts_of(user: Json, member: Json | None, who: Account, policy: Policy, asked_at: datetime) -> PersonFacts:
    """The account `who`, of our tenant: by Graph's answer to its id, and by the roster of where it acts, if that is known.

    What an activity says of somebody is not asked. Raises DirectoryUnreachable where something is not known.
    """
    if _id(user, "id") != who.user:
        raise _unknown("Graph's answer is about another account")
    address = address_in(user, policy)
    problem = _problem(user, address, policy)
    if problem not in _PLAIN and member is not None:
        problem = _roster_problem(member, who) or problem
    # Of those not even an address: whoever administers another organisation can write ours into a profile.
    known = None if problem in (Code.PERSON_FOREIGN, Code.PERSON_GUEST) else address
    found = learnt(who, _name(user, who), asked_at, known)
    return replace(found, time_zone=policy.timezone, standing_problem=problem.value if problem else None)


def foreign(who: Account, asked_at: datetime) -> PersonFacts:
    return replace(learnt(who, who.user, asked_at, None), standing_problem=Code.PERSON_FOREIGN.value)


def deleted(known: PersonFacts, asked_at: datetime) -> PersonFacts:
    return replace(known, as_of=asked_at, standing_problem=Code.PERSON_DEACTIVATED.value)


def address_in(user: Json, policy: Policy) -> Address | None:
    """Their address; where they have no mailbox, the name they sign in with, unless that is another tenant's."""
    mail, name = user.get("mail"), _text(user, "userPrincipalName")
    written = mail if isinstance(mail, str) and mail else ("" if is_of_another_tenant(user) else name)
    return address_of(written, policy.former_domains)


def may_act(user: Json) -> bool:
    """Of a group's member: a person of ours who is not shut out. Raises DirectoryUnreachable where that is not known."""
    return (
        _flag(user, "accountEnabled") and _text(user, "userType").lower() == "member" and not is_of_another_tenant(user)
    )


def is_of_another_tenant(user: Json) -> bool:
    return _ELSEWHERE in _text(user, "userPrincipalName").lower()


# ---------------------------------------------------------------- what it may do


def _problem(user: Json, address: Address | None, policy: Policy) -> Code | None:
    enabled, kind = _flag(user, "accountEnabled"), _text(user, "userType").lower()
    checks = (
        (not enabled, Code.PERSON_DEACTIVATED),
        (kind == "guest", Code.PERSON_GUEST),
        (kind != "member", Code.PERSON_ODD),
        # A member whose home is another tenant: what stands in the profile is written there.
        (is_of_another_tenant(user), Code.PERSON_FOREIGN),
        (address is None or domain_of(address) not in policy.email_domains, Code.PERSON_NO_ADDRESS),
    )
    return next((code for wrong, code in checks if wrong), None)


def _roster_problem(member: Json, who: Account) -> Code | None:
    """By the roster of a conversation. The tenant of a conversation proves nothing of the people in it."""
    if is_of_another_home(member, who):
        return Code.PERSON_FOREIGN
    role = _text(member, "userRole").lower()
    if _id(member, "objectId" if member.get("objectId") else "aadObjectId") != who.user:
        raise _unknown("Teams' answer is about another account")
    return {"user": None, "guest": Code.PERSON_GUEST}.get(role, Code.PERSON_ODD)


def is_of_another_home(member: Json, who: Account) -> bool:
    return _text(member, "userRole").lower() == "anonymous" or _id(member, "tenantId") != who.tenant


# ---------------------------------------------------------------- what is not known


def _text(said: Json, name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise _unknown(f"Microsoft did not say {_WORDS.get(name, name)} of an account: the app may lack User.Read.All")
    return found


def _id(said: Json, name: str) -> str:
    return _text(said, name).lower()


def _flag(said: Json, name: str) -> bool:
    found = said.get(name)
    if not isinstance(found, bool):
        raise _unknown(f"Microsoft did not say {_WORDS.get(name, name)} of an account: the app may lack User.Read.All")
    return found


_WORDS = {
    "accountEnabled": "whether it is enabled",
    "userType": "whether it is a guest's",
    "userPrincipalName": "the sign-in name",
    "userRole": "the role",
    "tenantId": "the tenant",
    "id": "the id",
    "aadObjectId": "the id",
    "objectId": "the id",
}


def _unknown(why: str) -> DirectoryUnreachable:
    return DirectoryUnreachable(why)


def _name(user: Json, who: Account) -> str:
    name = user.get("displayName")
    found = name if isinstance(name, str) and name.strip() else who.user
    # Half a character, which JSON can carry, could be stored nowhere.
    return found.encode("utf-8", "replace").decode()
