"""What a certification asks of one environment: its roles, its people, and access that stands there for good. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflows.core.access_review.model import Access
from workflows.core.identity import listed_as
from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import OWNERS, REQUESTERS, Entitlement, Environment, Policy
from workflows.core.records.certification import Against, CertificationPart, Item, ItemKind
from workflows.core.records.drift import Drift, DriftKind
from workflows.core.rules.groups import groups_named

# So many stand on one card, and in the menu of its form.
PAGE = 25
NOTES_MAX = 10


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when it is asked. `since`: from when on; `access`: who had what since then; `drift`: what is open; `names`:
    people by id; `whose`: by the id of a drift whose holder is not on record, who has the addresses that the target has;
    `not_known`: what of all this nobody knows, a sentence each. `answering`: by environment, the groups whose members may answer.
    """

    since: datetime
    access: Sequence[Access]
    drift: Sequence[Drift]
    groups: GroupFacts
    names: Mapping[PersonId, PersonFacts]
    whose: Mapping[str, tuple[PersonId, ...]] = field(default_factory=dict)
    not_known: tuple[str, ...] = ()
    answering: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _May:
    """By which groups one person may do what."""

    asks: dict[str, None] = field(default_factory=dict)
    owns: dict[str, None] = field(default_factory=dict)
    approves: dict[str, None] = field(default_factory=dict)
    breaks: dict[str, None] = field(default_factory=dict)


def items_of(place: Environment, known: Known) -> tuple[Item, ...]:
    """Roles first, then access that stands for good, then people by name; numbered from 1."""
    found = (*_roles(place, known), *_standing(place, known), *_people(place, known))
    return tuple(replace(item, number=number) for number, item in enumerate(found, start=1))


def pages_of(run: str, first: int, place: Environment, known: Known, now: datetime) -> tuple[CertificationPart, ...]:
    """In parts that fit a card. `first`: the number of the first part."""
    items = items_of(place, known)
    pages = [items[start : start + PAGE] for start in range(0, len(items), PAGE)]
    notes = notes_of(place, known)
    return tuple(
        CertificationPart(
            f"{run}-{first + number}",
            run,
            place.name,
            place.title,
            number + 1,
            len(pages),
            now,
            page,
            notes if number == 0 else (),
        )
        for number, page in enumerate(pages)
    )


# ---------------------------------------------------------------- roles


def _roles(place: Environment, known: Known) -> Iterator[Item]:
    for role in place.roles.values():
        used = [one for one in known.access if (one.environment, one.role) == (place.name, role.role)]
        yield Item(
            0,
            ItemKind.ROLE,
            role.role,
            role.allows,
            times=sum(one.times for one in used),
            people=len({one.holder for one in used}),
            last=max((one.last for one in used), default=None),
            against=() if used else (Against.UNUSED,),
        )


# ---------------------------------------------------------------- standing access


def _standing(place: Environment, known: Known) -> Iterator[Item]:
    for one in known.drift:
        if one.kind is DriftKind.STANDING and place.name in one.environments:
            perhaps = known.whose.get(one.id, ())
            person = one.holder or (perhaps[0] if len(perhaps) == 1 else None)
            yield Item(
                0,
                ItemKind.STANDING,
                _name(known, person) if person is not None else one.who or one.resource.user_id,
                one.resource.title,
                person=person,
                perhaps=perhaps,
                drift=one.id,
                roles=tuple(role for environment, role in one.roles if environment == place.name),
                since=one.first_seen,
                against=(Against.STANDING,),
            )


# ---------------------------------------------------------------- people


def group_words(place: Environment) -> Mapping[str, tuple[str, ...]]:
    """The groups that let people ask, own, approve and break the glass there."""
    roles = tuple(place.roles.values())
    decided = (*roles, *(gate.entitlement for gate in place.gates.values()))
    escalated = place.escalate.to if place.escalate is not None and place.escalate.may_approve else ()
    return {
        "asks": _named((role, (REQUESTERS,)) for role in roles),
        "owns": _named(((place, (OWNERS,)), *((role, (OWNERS,)) for role in roles))),
        "approves": _named(((place, escalated), *((one, tuple(one.approve)) for one in decided))),
        "breaks": _named(((place, place.break_glass.who if place.break_glass else ()),)),
    }


def groups_of(place: Environment) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in group_words(place).values() for name in names))


def _named(pairs: Iterable[tuple[Entitlement | Environment, tuple[str, ...]]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for scope, words in pairs for name in groups_named(scope, words)))


def _people(place: Environment, known: Known) -> list[Item]:
    may: dict[PersonId, _May] = {}
    for word, names in group_words(place).items():
        for name in names:
            for who in known.groups.by_name[name].members if name in known.groups.by_name else ():
                getattr(may.setdefault(who, _May()), word)[name] = None
    found = [_person(place, known, who, one) for who, one in may.items()]
    return sorted(found, key=lambda item: (item.name.casefold(), str(item.person)))


def _person(place: Environment, known: Known, who: PersonId, may: _May) -> Item:
    used = [one for one in known.access if (one.environment, one.holder) == (place.name, who)]
    facts = known.names.get(who)
    gone = facts is not None and facts.standing_problem is not None
    return Item(
        0,
        ItemKind.PERSON,
        _name(known, who),
        person=who,
        asks=tuple(may.asks),
        owns=tuple(may.owns),
        approves=tuple(may.approves),
        breaks=tuple(may.breaks),
        times=sum(one.times for one in used),
        last=max((one.last for one in used), default=None),
        against=(Against.GONE,) if gone else (),
    )


def _name(known: Known, who: PersonId) -> str:
    """What people call them; an address where the chat has not said yet."""
    facts = known.names.get(who)
    return facts.name if facts is not None and facts.name else str(listed_as(who) or who)


# ---------------------------------------------------------------- what is not known


def notes_of(place: Environment, known: Known) -> tuple[str, ...]:
    """A sentence for each group of which not everybody is known, and for what else is not: nobody may read the list as whole.
    Before them, whom to ask about the only one who may answer.
    """
    found = [*_alone(place, known), *known.not_known]
    for name in groups_of(place):
        one = known.groups.by_name.get(name)
        if one is None or one.as_of is None:
            found.append(f"Who is in {name} is not known.")
        elif one.problem:
            found.append(f"{name} is as it was read last: {one.problem}.")
        if one is not None and one.unresolved:
            found.append(f"{len(one.unresolved)} accounts in {name} belong to nobody whom I know yet.")
    return tuple(found[:NOTES_MAX])


def _alone(place: Environment, known: Known) -> Iterator[str]:
    """Nobody answers for themselves, so where one person is all there is, a question stays open."""
    names = known.answering.get(place.name, ())
    people = known.groups.members(names)
    if len(people) == 1 and known.groups.whole(names):
        (who,) = people
        yield (
            f"Nobody else may say whether {_name(known, who)} stays. Ask whoever keeps the policy's folder for a second owner,"
            " or for people in its panic_group."
        )


def known_of(policy: Policy, environments: Sequence[str]) -> tuple[str, ...]:
    """Every group that a certification of these environments has to know."""
    places = (policy.environments[name] for name in environments if name in policy.environments)
    return tuple(dict.fromkeys(name for place in places for name in groups_of(place)))
