"""May this person ask for this? Pure: time and facts are arguments, and a refusal says what and why."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Entitlement, Environment, Hours, Policy
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused, together
from workflows.core.rules.groups import (
    approvers,
    groups_named,
    groups_that_count,
    may_break_glass,
    not_a_member,
    opens_next,
    person_problem,
    within,
)
from workflows.core.rules.seat_matching import enough_people

REASON_LENGTH_MAX = 500
PENDING_MAX = 10
# Who agrees today should still know next week why.
START_WITHIN = timedelta(days=7)
TICKET_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody typed or filled in, names not yet looked up. `duration` None means the role's default."""

    environment: str
    role: str
    duration: timedelta | None
    reason: str
    ticket: str | None = None
    # When it shall begin, where that is later than its approval.
    start_at: datetime | None = None
    # Who shall have it, where that is somebody else than who asks.
    holder: PersonId | None = None


@dataclass(frozen=True, slots=True)
class MayAsk:
    """Yes: with what the ask means under the policy."""

    entitlement: Entitlement
    duration: timedelta
    reason: str
    ticket: str | None
    rules: tuple[str, ...] = ()
    start_at: datetime | None = None
    # Why the ticket is taken without being verified.
    ticket_note: str = ""


def may_ask(
    policy: Policy,
    ask: Ask,
    person: PersonFacts,
    holder: PersonId,
    groups: GroupFacts,
    now: datetime,
    holder_name: str = "",
) -> MayAsk | Refused:
    """Whether `person` may make this request for `holder`, who is called `holder_name` where that is somebody else.

    Slips of the keyboard are told before rights.
    """
    found = find_entitlement(policy, ask.environment, ask.role)
    if isinstance(found, Refused):
        return found
    environment = policy.environments[found.environment]
    return (
        person_problem(person)
        or _not_a_requester(environment, found, person, holder, groups, holder_name)
        or together((*_slips(ask, found), _when_problem(policy, ask, found, now, person.id, groups)))
        or _nobody_can_approve(policy, environment, found, person.id, holder, groups, holder_name)
        or MayAsk(
            found,
            ask.duration or found.default_duration,
            clean(ask.reason),
            find_ticket(ask, found),
            start_at=ask.start_at,
        )
    )


def unfit_holder(holder: PersonFacts) -> Refused | None:
    """Why nothing can be asked for, for this other person, by whoever it is."""
    problem = person_problem(holder)
    return problem and Refused(Code.HOLDER_UNFIT, {"name": holder.name, "why": problem.code.value})


def slip(policy: Policy, ask: Ask, now: datetime) -> Refused | None:
    """What is wrong with the words of an ask, whoever asks: told at once, even while nobody knows freshly who it is."""
    found = find_entitlement(policy, ask.environment, ask.role)
    return found if isinstance(found, Refused) else together((*_slips(ask, found), _start_problem(ask, now)))


def slips_of(ask: Ask, entitlement: Entitlement) -> Refused | None:
    """What is wrong with the words of an ask, all of it; None where nothing is."""
    return together(_slips(ask, entitlement))


def _slips(ask: Ask, entitlement: Entitlement) -> tuple[Refused | None, ...]:
    return _reason_problem(ask, entitlement), _ticket_problem(ask, entitlement), _duration_problem(ask, entitlement)


def find_entitlement(policy: Policy, environment: str, role: str) -> Entitlement | Refused:
    """The entitlement, or which name is not there with the nearest ones."""
    names = _fold(environment), _fold(role)
    place = policy.environments.get(names[0])
    if place is None:
        return _unknown(Code.ENVIRONMENT_UNKNOWN, environment, tuple(policy.environments), {})
    if names[1] not in place.roles:
        return _unknown(Code.ROLE_UNKNOWN, role, tuple(place.roles), {"environment": place.name})
    return place.roles[names[1]]


def _fold(name: str) -> str:
    return name.strip().lower()


def _unknown(code: Code, name: str, known: tuple[str, ...], params: dict[str, str]) -> Refused:
    near = nearest(name, known)
    return Refused(
        code, {**params, "name": name[:60], "near": ", ".join(near), "known": ", ".join(known[:8])}, audited=False
    )


def nearest(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three known names that look like `name`: by shared beginning, part or a few slips."""
    from difflib import get_close_matches  # noqa: PLC0415 - slow to import, and only needed after a slip

    folded = _fold(name)
    parts = [item for item in known if folded and (folded in item or item in folded)]
    return tuple(dict.fromkeys([*get_close_matches(folded, known, n=3, cutoff=0.6), *parts]))[:3]


def _not_a_requester(
    environment: Environment,
    entitlement: Entitlement,
    person: PersonFacts,
    holder: PersonId,
    groups: GroupFacts,
    holder_name: str,
) -> Refused | None:
    names = groups_named(entitlement, entitlement.requesters)
    params = {"environment": environment.name, "role": entitlement.role, "groups": ", ".join(names)}
    refused = Refused(Code.NOT_A_REQUESTER, params)
    theirs = replace(refused, params=params | {"who": holder_name}) if holder_name else refused
    return not_a_member(groups, person.id, names, refused) or not_a_member(groups, holder, names, theirs)


def clean(reason: str) -> str:
    """One line, blanks folded, characters that steer a terminal or the writing direction taken out.

    A right-to-left override could make a reason read as something it is not.
    """
    visible = "".join(" " if ch.isspace() else ch for ch in reason if ch.isspace() or _is_harmless(ch))
    return " ".join(visible.split())


def _is_harmless(character: str) -> bool:
    number = ord(character)
    steers_direction = 0x202A <= number <= 0x202E or 0x2066 <= number <= 0x2069
    return number >= 0x20 and not 0x7F <= number <= 0x9F and not steers_direction


def text_problem(reason: str, params: dict[str, str]) -> Refused | None:
    """Whether a reason that somebody must give is missing or too long. `params` say what it is for."""
    cleaned = clean(reason)
    # Characters that nobody sees give no reason.
    if not any(unicodedata.category(character)[0] in "LNPS" for character in cleaned):
        return Refused(Code.REASON_MISSING, params, audited=False)
    if len(cleaned) > REASON_LENGTH_MAX:
        return Refused(
            Code.REASON_TOO_LONG, {"length": str(len(cleaned)), "max": str(REASON_LENGTH_MAX)}, audited=False
        )
    return None


def _reason_problem(ask: Ask, entitlement: Entitlement) -> Refused | None:
    params = {"environment": entitlement.environment, "role": entitlement.role}
    if ask.duration is not None:
        params["asked_s"] = str(int(ask.duration.total_seconds()))
    return text_problem(ask.reason, params)


def _ticket_problem(ask: Ask, entitlement: Entitlement) -> Refused | None:
    rule = entitlement.ticket
    if rule is None or not rule.required or find_ticket(ask, entitlement) is not None:
        return None
    params = {"pattern": rule.pattern, "example": rule.example, "role": entitlement.role, "given": ask.ticket or ""}
    return Refused(Code.TICKET_MISSING, {name: value for name, value in params.items() if value}, audited=False)


def find_ticket(ask: Ask, entitlement: Entitlement) -> str | None:
    """The ticket in its own field, else the first word of the reason that is one."""
    if entitlement.ticket is None:
        return ask.ticket.strip() or None if ask.ticket else None
    words = [ask.ticket.strip()] if ask.ticket and ask.ticket.strip() else ask.reason.split()
    # No ticket is this long; a pattern gets no chance to labour on what is not one.
    words = [word for word in words if len(word) <= TICKET_LENGTH_MAX]
    matching = (word.strip(".,:;()[]") for word in words)
    return next((word for word in matching if re.fullmatch(entitlement.ticket.pattern, word)), None)


def _duration_problem(ask: Ask, entitlement: Entitlement) -> Refused | None:
    if ask.duration is None:
        return None
    if ask.duration <= timedelta(0):
        return Refused(Code.DURATION_ZERO, audited=False)
    if ask.duration > entitlement.max_duration:
        params = {
            "asked_s": str(int(ask.duration.total_seconds())),
            "max_s": str(int(entitlement.max_duration.total_seconds())),
            "role": entitlement.role,
            "environment": entitlement.environment,
        }
        return Refused(Code.DURATION_TOO_LONG, params, audited=False)
    return None


def _start_problem(ask: Ask, now: datetime) -> Refused | None:
    if ask.start_at is None or now < ask.start_at <= now + START_WITHIN:
        return None
    code = Code.START_PAST if ask.start_at <= now else Code.START_TOO_FAR
    return Refused(code, {"start": ask.start_at.isoformat(), "days": str(START_WITHIN.days)}, audited=False)


def _when_problem(
    policy: Policy, ask: Ask, entitlement: Entitlement, now: datetime, person: PersonId, groups: GroupFacts
) -> Refused | None:
    """A start that cannot be; or a freeze, or closed hours, at the time when it would begin."""
    environment = policy.environments[entitlement.environment]
    shut = time_problem(policy, environment, entitlement, ask.start_at or now)
    return _start_problem(ask, now) or _with_break_glass(shut, policy, entitlement, person, groups)


def at_its_start(request: Request, now: datetime) -> datetime:
    """When access would begin if it were agreed to now: the moment that freezes and hours are held against."""
    return max(now, request.start_at or now)


def time_problem(policy: Policy, environment: Environment, entitlement: Entitlement, now: datetime) -> Refused | None:
    """A freeze, or a time outside of the role's hours: nothing is asked for and nothing is agreed to."""
    freeze = next((item for item in environment.freezes if item.start <= now < item.until), None)
    if freeze:
        return Refused(Code.FREEZE, {"reason": freeze.reason, "until": freeze.until.isoformat()}, rules=("freeze",))
    if entitlement.hours and not within(entitlement.hours, now, policy.timezone):
        params = _hours_params(entitlement.hours, now, policy.timezone)
        return Refused(Code.OUTSIDE_HOURS, {"role": entitlement.role, **params}, rules=("hours",))
    return None


def _hours_params(hours: Hours, now: datetime, timezone: str) -> dict[str, str]:
    """The window and its next opening, for people."""
    opens = opens_next(hours, now, timezone)
    return {
        "days": ",".join(map(str, sorted(hours.days))),
        "from": f"{hours.start:%H:%M}",
        "to": f"{hours.until:%H:%M}",
        "zone": timezone,
        "now": now.isoformat(),
        **({"opens": opens.isoformat()} if opens else {}),
    }


def open_again_at(refused: Refused, now: datetime) -> datetime | None:
    """When what a freeze or closed hours refuse can begin, where that is near enough to be asked for now. Of several the last."""
    said = {Code.FREEZE: "until", Code.OUTSIDE_HOURS: "opens"}
    found = [(one, said[one.code]) for one in (refused, *refused.also) if one.code in said]
    opens = [datetime.fromisoformat(one.params[name]) for one, name in found if one.params.get(name)]
    near = bool(opens) and len(opens) == len(found) and all(now < one <= now + START_WITHIN for one in opens)
    return max(opens) if near else None


def not_now(
    policy: Policy,
    request: Request,
    now: datetime,
    person: PersonId | None = None,
    groups: GroupFacts | None = None,
) -> Refused | None:
    """Why this request cannot be approved at the moment. `person` is who would, to be told of a way that stays open.

    It waits all the same, and may be denied and withdrawn. What was decided before a freeze began stands.
    """
    terms = request.terms
    environment = policy.environments.get(terms.environment)
    entitlement = policy.entitlement(terms.environment, terms.role)
    if environment is None or entitlement is None:
        return None
    problem = time_problem(policy, environment, entitlement, at_its_start(request, now))
    if problem is None:
        return None
    told = replace(problem, params={**problem.params, "id": request.id})
    # A gate is opened by the id of what waits at it.
    way = request.id if request.gate is not None else entitlement.name
    return _with_break_glass(told, policy, entitlement, person, groups, way) if person and groups else told


def no_longer(policy: Policy, request: Request, groups: GroupFacts) -> Refused | None:
    """Why nobody may be given this any more: whoever asked or would hold it may not, or it is too long by now.

    What counts is the policy, and the groups, of the decision and not of the ask.
    """
    terms = request.terms
    entitlement = policy.entitlement(terms.environment, terms.role)
    if entitlement is None:
        return Refused(Code.ROLE_UNKNOWN, {"name": terms.role, "environment": terms.environment})
    if request.gate is not None:
        # Whether the pipeline may still ask is looked at before its run takes the approval.
        return None
    names = groups_named(entitlement, entitlement.requesters)
    parties = {request.holder: request.holder_name, request.requester: request.requester_name}
    for who, name in parties.items():
        params = {"id": request.id, "name": name, "groups": ", ".join(names)}
        outside = not_a_member(groups, who, names, Refused(Code.NO_LONGER_A_REQUESTER, params))
        if outside is not None:
            return outside
    return longer_than_allowed(policy, request)


def longer_than_allowed(policy: Policy, request: Request) -> Refused | None:
    """Whether the role is given for less time by now; it can be approved for less."""
    terms = request.terms
    entitlement = policy.entitlement(terms.environment, terms.role)
    if request.gate is not None or entitlement is None or terms.duration <= entitlement.max_duration:
        # What a gate gives, and for how long, is a part of its terms.
        return None
    most = str(int(entitlement.max_duration.total_seconds()))
    return Refused(Code.LONGER_THAN_ALLOWED, {"id": request.id, "asked_s": str(terms.duration_s), "max_s": most})


def never_as_asked(policy: Policy, request: Request, groups: GroupFacts) -> Refused | None:
    """Why nobody can approve this as it was asked for, now or later, as far as that is known."""
    refused = no_longer(policy, request, groups)
    if refused is not None and refused.code is Code.NO_LONGER_A_REQUESTER:
        return refused
    return longer_than_allowed(policy, request)


def next_change(policy: Policy, request: Request, now: datetime) -> datetime | None:
    """When `not_now` may answer otherwise: a freeze begins or ends, hours open or close. Perhaps sooner, never later."""
    terms = request.terms
    environment = policy.environments.get(terms.environment)
    entitlement = policy.entitlement(terms.environment, terms.role)
    if environment is None or entitlement is None:
        return None
    moments = [moment for freeze in environment.freezes for moment in (freeze.start, freeze.until)]
    if entitlement.hours:
        zone = ZoneInfo(policy.timezone)
        today = now.astimezone(zone).date()
        moments += [
            datetime.combine(today + timedelta(days=days), at, zone)
            for days in (0, 1)
            for at in (entitlement.hours.start, entitlement.hours.until)
        ]
    return min((moment for moment in moments if moment > now), default=None)


def _with_break_glass(
    problem: Refused | None,
    policy: Policy,
    entitlement: Entitlement,
    person: PersonId,
    groups: GroupFacts,
    way: str = "",
) -> Refused | None:
    """What stops an ask stops nobody in an emergency who may break the glass, and they are told so."""
    place = policy.environments[entitlement.environment]
    if problem is None or not may_break_glass(policy, place, entitlement.role, person, groups):
        return problem
    return replace(problem, params={**problem.params, "break_glass": way or entitlement.name})


def _nobody_can_approve(
    policy: Policy,
    environment: Environment,
    entitlement: Entitlement,
    requester: PersonId,
    holder: PersonId,
    groups: GroupFacts,
    holder_name: str,
) -> Refused | None:
    # For somebody else nobody gets anything by a rule.
    rules = entitlement.auto_approve if requester == holder else ()
    if any(groups.perhaps(holder, groups_named(entitlement, rule.who)) for rule in rules):
        return None
    eligible = approvers(policy, entitlement, (requester, holder), groups)
    short = next((name for name, people in eligible.items() if len(people) < entitlement.approve[name]), None)
    if entitlement.approve and short is None and enough_people(entitlement.approve, eligible):
        return None
    names = groups_named(entitlement, (short,)) if short else entitlement.owners
    counting = groups_that_count(policy, entitlement, tuple(entitlement.approve))
    if groups.unknown(counting):
        return groups.not_known(counting)
    if groups.unresolved(counting):
        # Whoever they turn out to be, somebody may be able to; the card calls them as they are found.
        return None
    params = {"environment": environment.name, "role": entitlement.role, "groups": ", ".join(names)}
    params |= {"for": holder_name} if holder_name else {}
    problems = groups.problems(names)
    if problems:
        params["problem"] = problems[0][1]
    refused = Refused(Code.NOBODY_CAN_APPROVE, params)
    return refused if requester != holder else _with_break_glass(refused, policy, entitlement, holder, groups)
