"""What somebody has to do for what is to go. Nothing of it is done by itself: a certification changes no policy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workflows.core.certification.items import groups_of
from workflows.core.people import PersonId
from workflows.core.policy import Policy
from workflows.core.records.certification import CertificationPart, Item, ItemKind


class Where(StrEnum):
    """Who can do it: whoever changes the policy, whoever keeps a group elsewhere, whoever administers the target."""

    ROLE = "role"
    MEMBER = "member"
    GROUP = "group"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Step:
    """`name`: of the role, the group, or the target's user. `source`: where a group's members are kept, as `Group.source` has it.

    `also`: further environments in which the same group counts: the step takes something away there, too. `title`: what the
    target holds.
    """

    where: Where
    name: str
    environment: str
    person: PersonId | None = None
    source: str = ""
    also: tuple[str, ...] = ()
    title: str = ""


def steps(policy: Policy, part: CertificationPart, item: Item) -> tuple[Step, ...]:
    """In order, under the policy as it is now. Empty where it is gone already."""
    if item.kind is ItemKind.STANDING:
        return (Step(Where.TARGET, item.name, part.environment, item.person, title=item.about),)
    place = policy.environments.get(part.environment)
    if place is None:
        return ()
    if item.kind is ItemKind.ROLE:
        return (Step(Where.ROLE, item.name, part.environment),) if item.name in place.roles else ()
    names = dict.fromkeys((*item.asks, *item.owns, *item.approves, *item.breaks))
    counted = groups_of(place)
    return tuple(_of_group(policy, part, item, name) for name in names if name in counted)


def _of_group(policy: Policy, part: CertificationPart, item: Item, name: str) -> Step:
    group = policy.groups.get(name)
    others = (one.name for one in policy.environments.values() if one.name != part.environment)
    also = tuple(other for other in others if name in groups_of(policy.environments[other]))
    listed = group is not None and group.members is not None
    source = (group.source or "") if group is not None else ""
    return Step(Where.MEMBER if listed else Where.GROUP, name, part.environment, item.person, source, also)
