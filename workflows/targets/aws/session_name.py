"""What sessions through Identity Center are called: as the user is there."""

from __future__ import annotations

from dataclasses import replace

from workflows.core.provider import Sought
from workflows.core.refusal import Refused
from workflows.ports import TargetRefused
from workflows.targets.aws.connections import Links, Place
from workflows.targets.aws.errors import Denied
from workflows.targets.aws.identity_store import IdentityStore
from workflows.targets.aws.permission_sets import PermissionSets
from workflows.targets.aws.terms import AwsConnection, own_terms
from workflows.targets.aws.who import Who


def as_called(links: Links, asked: Sought, who: Who) -> Who:
    """With the name that sessions have. What somebody is called by now may be another name than at that time."""
    if not who.in_center:
        return who
    try:
        now = _name_now(links, asked)
    except Denied:
        if not who.name:
            raise
        now = who.name
    if who.name and now and now != who.name:
        raise TargetRefused(
            f"The user is called {now} in Identity Center by now, and was {who.name} when it was asked for: a session may have "
            "either name, so that both have to be asked for by hand."
        )
    if not (who.name or now):
        raise TargetRefused(
            f"How sessions of the user {who.user_id} are called is not known: Identity Center has no such user."
        )
    found = replace(who, name=who.name or now)
    if not found.nameable:
        raise TargetRefused(f"The user name {found.name} is no name that a session can have.")
    return found


def _name_now(links: Links, asked: Sought) -> str:
    terms, ids = own_terms(asked.terms), asked.ids
    own = asked.connection if isinstance(asked.connection, AwsConnection) else None
    link = links.to(Place.of_connection(own) if own else Place.of_terms(terms))
    store = ids.get("store")
    if store is None:
        instance = PermissionSets(link).instance(ids.get("instance") or terms.instance_arn)
        if isinstance(instance, Refused):
            return ""
        store = instance.store
    return IdentityStore(link, terms.match).user_name(store, ids["user"])
