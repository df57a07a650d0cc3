"""Who may agree to a request, and in whose right: their own, an absent member's, or because nobody answered. Pure."""

from __future__ import annotations

from datetime import datetime

from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import OWNERS, Entitlement, Policy
from workflows.core.records.request import Request
from workflows.core.rules.groups import approvers, groups_that_count


def is_party(request: Request, person: PersonFacts, groups: GroupFacts) -> bool:
    """Whether somebody asked for this, would hold it or began it, by person or by account: then they have no say in it."""
    return person.id in groups.counted_as(*request.parties) or not set(person.accounts).isdisjoint(request.accounts)


def part_in_it(request: Request, person: PersonFacts, groups: GroupFacts) -> str:
    """Of a pipeline's ask, and one of its sides: `opened` for whoever opened it in an emergency, else `began`."""
    began = person.id in groups.counted_as(*request.parties)
    emergency = request.gate.emergency if request.gate is not None else None
    opened = emergency is not None and (
        person.id in groups.counted_as(emergency.by) or emergency.account in person.accounts
    )
    return "opened" if opened and not began else "began"


def spoken(request: Request, groups: GroupFacts) -> frozenset[PersonId]:
    """Who has agreed, and whom each of them counts as while an account is on hold: they bring nothing beside them."""
    return groups.counted_as(*(vote.by for vote in request.votes))


# Who may speak -> in whose right. The same person where it is their own.
Speakers = dict[PersonId, PersonId]


def speakers(
    policy: Policy, entitlement: Entitlement, request: Request, groups: GroupFacts, at: datetime | None = None
) -> dict[str, Speakers]:
    """By word of `approve`. Never who asked, would hold it or began it, neither as a delegate nor through one.

    `at`: when they speak; None means the instant of the facts.
    """
    parties = groups.counted_as(*request.parties)
    own = approvers(policy, entitlement, request.parties, groups)
    called = _called(policy, request, groups, at) - parties
    voted = {vote.by for vote in request.votes}
    found: dict[str, Speakers] = {}
    for word, members in own.items():
        people = members | called if stands_for_owners(entitlement, word) else members
        found[word] = _with_delegates(people, groups, parties, voted, at)
    return found


def approver_groups(policy: Policy, entitlement: Entitlement, request: Request) -> tuple[str, ...]:
    """Every group whose members might speak for this request."""
    own = groups_that_count(policy, entitlement, tuple(entitlement.approve))
    environment = policy.environments.get(request.terms.environment)
    escalate = environment.escalate if environment else None
    if environment is None or escalate is None or not escalate.may_approve or request.escalated_at is None:
        return own
    return tuple(dict.fromkeys((*own, *groups_that_count(policy, environment, escalate.to))))


def _with_delegates(
    members: frozenset[PersonId],
    groups: GroupFacts,
    parties: frozenset[PersonId],
    voted: set[PersonId],
    at: datetime | None,
) -> Speakers:
    """Who has spoken needs nobody to speak for them; a delegate's delegate is a member of nothing, so there are no chains."""
    found: Speakers = {}
    for member in sorted(members - voted):
        delegation = groups.delegate_of(member, at)
        if delegation is not None and delegation.to not in parties:
            found.setdefault(delegation.to, member)
    return found | {member: member for member in members}


def _called(policy: Policy, request: Request, groups: GroupFacts, at: datetime | None) -> frozenset[PersonId]:
    """The people of the escalation, from when it was recorded, where the policy lets them approve."""
    environment = policy.environments.get(request.terms.environment)
    escalate = environment.escalate if environment else None
    since = request.escalated_at
    if environment is None or escalate is None or not escalate.may_approve or since is None:
        return frozenset()
    if at is not None and at < since:
        return frozenset()
    return groups.members(groups_that_count(policy, environment, escalate.to))


def stands_for_owners(entitlement: Entitlement, word: str) -> bool:
    """An escalation fills the places of missing owners; another group in `approve` was named for its own sake."""
    return word == OWNERS or word in entitlement.owners


def can_speak(
    policy: Policy, entitlement: Entitlement, request: Request, groups: GroupFacts
) -> dict[PersonId, PersonId]:
    """Everybody who may still agree -> in whose right; without those who have, and whoever counts as one of them."""
    voted = spoken(request, groups)
    found: Speakers = {}
    for people in speakers(policy, entitlement, request, groups).values():
        for who, right in people.items():
            if who not in voted and (who not in found or right == who):
                found[who] = right
    # In one order everywhere: what is shown must not change because another process shows it.
    return {who: found[who] for who in sorted(found)}
