"""Who has to agree, said as the rule is: "one of platform (Olu, Pat) and one of security (Sid, Sue)". Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.chat.views.request_view import needs_of
from bot.chat.wording.labels import number, people
from workflows.core.people import GroupFacts, PersonId
from workflows.core.policy import Entitlement, Policy
from workflows.core.records.request import Request
from workflows.core.rules.approvers import speakers, spoken, stands_for_owners
from workflows.core.rules.groups import approvers, groups_named

# As many names of a group as one reads; the others are a number.
NAMES_MAX = 5

# What somebody is called; None where they can do nothing, or are nobody.
NameOf = Callable[[PersonId], str | None]


@dataclass(frozen=True, slots=True)
class Seat:
    """`count` people of `label` still have to agree; `names` are those who can."""

    label: str
    count: int
    names: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """`one of platform (Olu, Pat)`."""
        return f"{number(self.count)} of {self.named}"

    @property
    def named(self) -> str:
        return f"{self.label} ({', '.join(few(self.names))})" if self.names else self.label


@dataclass(frozen=True, slots=True)
class Deciders:
    """The places of one approval that are open. Falsy where nobody is known who could take one."""

    seats: tuple[Seat, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for seat in self.seats for name in seat.names))

    @property
    def too_few(self) -> tuple[str, ...]:
        """The groups of which fewer are known than have to agree."""
        return tuple(seat.label for seat in self.seats if seat.count > len(seat.names))

    @property
    def simple(self) -> bool:
        """Whether any one of them is enough."""
        return sum(seat.count for seat in self.seats) == 1

    @property
    def rule(self) -> str:
        """`Olu or Pat`; `one of platform (Olu, Pat) and one of security (Sid, Sue)`."""
        return people(few(self.names), "or") if self.simple else people(seat.words for seat in self.seats)

    @property
    def sentence(self) -> str:
        """Of what waits. Empty where nobody is known."""
        if not self:
            return ""
        return f"{self.rule} can approve it." if self.simple else f"{self.must}."

    @property
    def can(self) -> str:
        """The same after it was said what: `Olu or Pat can.`"""
        return f"{self.rule} can." if self.simple and self else self.sentence

    @property
    def must(self) -> str:
        """`One of platform (Olu, Pat) and one of security (Pat, Sue) have to agree, and one person counts once`."""
        return f"{self.have_to}{self.once}"

    @property
    def have_to(self) -> str:
        rule = self.rule
        verb = "has to" if self.simple else "have to"
        return f"{rule[:1].upper()}{rule[1:]} {verb} agree"

    @property
    def once(self) -> str:
        """Where somebody could be taken to fill two places."""
        several = sum(len(set(seat.names)) for seat in self.seats) > len(self.names)
        return ", and one person counts once" if several else ""

    @property
    def listed(self) -> str:
        """All of them, whatever each is for: `Olu and Pat`; `platform (Olu, Pat) and security (Sid, Sue)`."""
        if len(self.seats) == 1:
            return people(few(self.names))
        return people(seat.named for seat in self.seats)


NOBODY = Deciders()


def name_from(address: PersonId) -> str:
    """What to call somebody whom the chat has not introduced yet: `dana.dev@example.com` is Dana Dev."""
    return " ".join(part.capitalize() for part in address.partition("@")[0].replace(".", " ").split())


def few(names: Sequence[str]) -> list[str]:
    more = len(names) - NAMES_MAX
    return [*names[:NAMES_MAX], *([f"{more} more"] if more > 0 else [])]


def deciders_of(policy: Policy, role: Entitlement, request: Request, groups: GroupFacts, name_of: NameOf) -> Deciders:
    """Who can still agree to this request: never a party of it, nobody who has, each in their own right or another's."""
    voted = spoken(request, groups)
    able = speakers(policy, role, request, groups)
    found = []
    for word, need in zip(role.approve, needs_of(role, request), strict=True):
        rights = {who: right for who, right in able[word].items() if who not in voted}
        label = people((*need.groups, *_called(policy, role, request, word)), "or") or "its owners"
        if need.open or need.helps:
            found.append(Seat(label, need.open, _names(rights, groups, name_of)))
    if any(not seat.count for seat in found):
        # Who agreed speaks for two groups: one more of either completes it.
        label = people(dict.fromkeys(seat.label for seat in found), "or")
        names = tuple(dict.fromkeys(name for seat in found for name in seat.names))
        return Deciders((Seat(label, sum(seat.count for seat in found), names),))
    return Deciders(tuple(found))


def deciders_for(
    policy: Policy, role: Entitlement, requester: PersonId, holder: PersonId, groups: GroupFacts, name_of: NameOf
) -> Deciders:
    """The same before anything is asked."""
    able = approvers(policy, role, (requester, holder), groups)
    return Deciders(
        tuple(
            Seat(
                people(groups_named(role, (word,)), "or") or "its owners",
                count,
                _names({who: who for who in sorted(able[word])}, groups, name_of),
            )
            for word, count in role.approve.items()
        )
    )


def _called(policy: Policy, role: Entitlement, request: Request, word: str) -> tuple[str, ...]:
    """The groups of an escalation that may fill the owners' places by now."""
    place = policy.environments.get(role.environment)
    escalate = place.escalate if place else None
    if place is None or escalate is None or not (escalate.may_approve and request.escalated_at):
        return ()
    if not stands_for_owners(role, word):
        return ()
    own = groups_named(role, (word,))
    return tuple(name for name in groups_named(place, escalate.to) if name not in own)


def _names(rights: Mapping[PersonId, PersonId], groups: GroupFacts, name_of: NameOf) -> tuple[str, ...]:
    """`Olu`; `Nia for Olu` where it is another's right."""
    return tuple(dict.fromkeys(_each(rights, groups, name_of)))


def _each(rights: Mapping[PersonId, PersonId], groups: GroupFacts, name_of: NameOf) -> Iterable[str]:
    for who in sorted(rights):
        name, right = name_of(who), rights[who]
        if name:
            yield name if right == who else f"{name} for {' and '.join(groups.names((right,))) or name_of(right)}"
