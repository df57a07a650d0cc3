"""The ids behind a policy's names, asked of AWS: by the calls that the worker itself makes to find them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from workflows.core.finding import Finding
from workflows.core.refusal import Refused
from workflows.targets.aws.asking import SEE, attempt
from workflows.targets.aws.connections import Place
from workflows.targets.aws.identity_store import IdentityStore
from workflows.targets.aws.permission_sets import PermissionSets
from workflows.targets.aws.role_rights.from_policy import Through
from workflows.targets.aws.role_rights.ids import CenterIds, is_set
from workflows.targets.aws.targets import AwsTargets

T = TypeVar("T")


def found_ids(targets: AwsTargets, through: Through) -> CenterIds | tuple[str, ...]:
    """With the caller's own credentials, not in the connection's role, which lets the worker in alone. What could not be found: a
    sentence each.
    """
    connection, problems = through.connection, list[str]()
    link = targets.links.to(Place(connection.name, connection.region))
    sets, store = PermissionSets(link), IdentityStore(link)
    instance = _asked(problems, partial(sets.instance, connection.instance_arn))
    if instance is None:
        return tuple(problems)
    arns = {
        name: found.arn
        for name in through.sets
        if not is_set(name) and (found := _asked(problems, partial(sets.permission_set, instance, name)))
    }
    groups = {
        name: id_
        for name in through.groups
        if "*" not in name and (id_ := _asked(problems, partial(store.group, instance.store, name)))
    }
    return tuple(problems) or CenterIds(instance.arn, instance.store, instance.owner, arns, groups)


def _asked(problems: list[str], call: Callable[[], T | Refused]) -> T | None:
    found = attempt("", "", call, SEE)
    if isinstance(found, Finding):
        words = found.words.rstrip(".")
        problems.append(f"{words[0].upper()}{words[1:]}.")
        return None
    return found
