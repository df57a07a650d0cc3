"""May this person open a gate alone, in an emergency? The bars are those of break-glass for access. Pure."""

from __future__ import annotations

from datetime import datetime

from workflows.core.people import GroupFacts, PersonFacts
from workflows.core.policy import BreakGlass, Environment, Gate, Policy
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import History, break_glass_suspended, too_often
from workflows.core.rules.eligibility import text_problem
from workflows.core.rules.groups import groups_that_count, not_a_member, person_problem


def may_open(
    policy: Policy,
    gate: Gate,
    id_: str,
    reason: str,
    person: PersonFacts,
    groups: GroupFacts,
    history: History,
    now: datetime,
) -> Refused | None:
    """None where `person` may. Freezes and hours stop nobody in an emergency, and who began the run may, too: for access whoever
    asks lets themselves in. `id_`: of the ask, for people.
    """
    place = policy.environments[gate.entitlement.environment]
    what = {"what": "gate", "id": id_, "environment": place.name, "gate": gate.name}
    return (
        person_problem(person)
        or _not_allowed(policy, place, gate, person, groups, what)
        or text_problem(reason, what)
        or break_glass_suspended(policy, history.record, now)
        or too_often(place, history.uses, now)
    )


def opened_by(place: Environment | None, gate: Gate | None) -> BreakGlass | None:
    """The rules by which this gate can be opened in an emergency; None where it cannot."""
    return place.break_glass if place is not None and gate is not None and gate.break_glass else None


def _not_allowed(
    policy: Policy, place: Environment, gate: Gate, person: PersonFacts, groups: GroupFacts, what: dict[str, str]
) -> Refused | None:
    rules = opened_by(place, gate)
    if rules is None:
        return Refused(Code.BREAK_GLASS_NOT_ALLOWED, what)
    names = groups_that_count(policy, place, rules.who)
    refused = Refused(Code.BREAK_GLASS_NOT_ALLOWED, {**what, "groups": ", ".join(names)})
    return not_a_member(groups, person.id, names, refused)
