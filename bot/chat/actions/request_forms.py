"""The forms in which something is asked for: new, as it was before, later, in an emergency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.chat.actions.open_form import FormOpener
from bot.chat.form import Choice, Filled, Form
from bot.chat.forms import break_glass as break_glass_form
from bot.chat.forms import request as form
from bot.chat.forms.fields import BEGIN_THEN
from bot.chat.interaction import Interaction
from bot.chat.messages import notices
from bot.chat.surface import Shown
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.wording.labels import refusal
from workflows.core import keys
from workflows.core.people import Account, GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Entitlement, Environment, Policy
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused, together
from workflows.core.rules.break_glass import break_glass_suspended
from workflows.core.rules.eligibility import open_again_at, time_problem
from workflows.core.rules.groups import groups_named, groups_needed
from workflows.ports import PolicyUnavailable, Snapshot
from workflows.usecases.decisions.approve import find_request
from workflows.usecases.requests.repeat import can_be_repeated, once_more
from workflows.usecases.shared.limits import blocked

RECENT_MAX = 5
_NOTHING = (
    "You can ask for nothing here yet: you are in none of the groups that may ask. Ask an owner to add you; `{}` lists what "
    "there is."
)


@dataclass(frozen=True, slots=True)
class Offered:
    """`places`: environments with the roles that somebody may ask for. `break_glass`: where they may break the glass."""

    places: Sequence[Environment]
    break_glass: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shut:
    """Why it cannot begin as it is filled in; `opens`: when it can, where that can be asked for now."""

    refused: Refused | None = None
    opens: datetime | None = None


def open_request_form(
    forms: FormOpener,
    act: Interaction,
    trigger: str,
    where: form.Where,
    environment: str | None = None,
    role: str | None = None,
) -> None:
    """Open it for somebody who may act at all; everybody else gets the sentence that says why not."""
    person = forms.person(act)
    if person is None:
        return
    known = environment in forms.ctx.policy.current().environments
    _open(forms, act, trigger, person, form.Chosen(environment if known else None, role), where)


def open_repeat_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """The request form, filled in as it was when this was asked for; of an ask of somebody else's, empty."""
    person = forms.person(act)
    if person is None:
        return
    request = find_request(forms.ctx, act.value)
    chosen = form.Chosen()
    if isinstance(request, Request) and can_be_repeated(request, person.id):
        ask = once_more(request)
        chosen = form.Chosen(ask.environment, ask.role, ask.reason, ask.duration, ask.ticket)
    _open(forms, act, trigger, person, chosen)


def open_then_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """The request form, filled in as it was typed, to begin when it can; of a button that is none of ours, empty."""
    ask, person = notices.read_ask_for(act.value), forms.person(act)
    if person is None:
        return
    chosen = form.Chosen()
    if ask is not None:
        more, places = notices.read_others(act.value)
        filled = (ask.environment, ask.role, ask.reason, ask.duration, ask.ticket)
        chosen = form.Chosen(*filled, more, places, ask.start_at, notices.read_whom(act.value))
    _open(forms, act, trigger, person, chosen)


def _open(
    forms: FormOpener,
    act: Interaction,
    trigger: str,
    person: PersonFacts,
    chosen: form.Chosen,
    where: form.Where | None = None,
) -> None:
    """The form; or why there is none, where all that could be asked in it would be refused."""
    policy = forms.ctx.policy.current()
    offered = _offered(forms, policy, person.id)
    out = (
        _kept_out(forms, person.id) if not any(place.name in offered.break_glass for place in offered.places) else None
    )
    if out is not None:
        forms.refuse(act, out, "-")
    elif not offered.places:
        forms.tell(act, notices.answer(_NOTHING.format(f"{forms.command} envs")))
    else:
        drawn = _form(forms, policy, person, offered, chosen, where or form.Where())
        forms.open(act, trigger, drawn, _typed(chosen))


def _kept_out(forms: FormOpener, who: PersonId) -> Refused | None:
    return blocked(*_record(forms, who))


def _record(forms: FormOpener, who: PersonId) -> tuple[PersonRecord | None, Snapshot]:
    item = keys.person(who)
    snapshot = forms.ctx.ledger.read(item)
    return snapshot.readable(item, PersonRecord), snapshot


def environment_choices(forms: FormOpener, who: Account, query: str) -> list[Choice]:
    """What is looked up while it is typed, where there are too many for a menu. Whoever is not known is offered all."""
    try:
        policy = forms.ctx.policy.current()
    except PolicyUnavailable:
        return []
    person = forms.ctx.directory.person(who)
    places = _offered(forms, policy, person.id).places if person else policy.environments.values()
    return form.choices_for(query, list(places), _recent(forms, person.id) if person else ())


def redraw_request_form(forms: FormOpener, act: Interaction, shown: Shown, found: Filled) -> None:
    """Another environment or role was chosen: the roles, durations and people to ask follow it."""
    person = forms.ctx.directory.person(act.who)
    if person is None or person.standing_problem:
        return
    chosen, policy = form.chosen(found), forms.ctx.policy.current()
    offered = _offered(forms, policy, person.id)
    if act.action == BEGIN_THEN:
        opens = _shut(forms, policy, _with_only_role(offered, chosen)).opens
        chosen = replace(chosen, begin=opens or chosen.begin)
    drawn = _form(forms, policy, person, offered, chosen, form.read_where(found))
    forms.redraw(act, shown, drawn, _typed(chosen))


def open_break_glass_form(forms: FormOpener, act: Interaction, trigger: str, under: Filled) -> None:
    """The emergency's own window, on top of the request form if that is open. Who may not is refused when it is sent, too."""
    person = forms.person(act)
    policy = forms.ctx.policy.current()
    place = policy.environments.get(act.value)
    if person is None:
        return
    if place is None or place.name not in forms.queries.people.break_glass_open_to(policy, person.id):
        forms.refuse(act, Refused(Code.BREAK_GLASS_NOT_ALLOWED, {"environment": act.value}), "-")
        return
    record, snapshot = _record(forms, person.id)
    barred = break_glass_suspended(policy, record, snapshot.now)
    if barred is not None:
        forms.refuse(act, barred, "-")
        return
    drawn = break_glass_form.break_glass_form(place, form.read_where(under))
    forms.open(act, trigger, drawn, f"break-glass {place.name} ROLE [DURATION] REASON", on_top=bool(under.kind))


def _form(
    forms: FormOpener, policy: Policy, person: PersonFacts, offered: Offered, chosen: form.Chosen, where: form.Where
) -> Form:
    chosen = _with_only_role(offered, chosen)
    return form.request_form(
        offered.places,
        chosen,
        where,
        recent=_recent(forms, person.id),
        deciders=_deciders(forms, policy, person.id, chosen.environment, chosen.role),
        deciders_more={
            f"{place} {role}": _deciders(forms, policy, person.id, place, role) for place, role in _others(chosen)
        },
        break_glass=offered.break_glass,
        shut=_shut_words(forms, _shut(forms, policy, chosen), person),
    )


def _with_only_role(offered: Offered, chosen: form.Chosen) -> form.Chosen:
    place = next((place for place in offered.places if place.name == chosen.environment), None)
    only = next(iter(place.roles)) if place and len(place.roles) == 1 else None
    return replace(chosen, role=chosen.role or only)


def _others(chosen: form.Chosen) -> list[tuple[str, str]]:
    """(environment, role) of what is asked for in the same go."""
    roles = [(chosen.environment or "", role) for role in chosen.more]
    return [*roles, *((place, chosen.role or "") for place in chosen.places)]


def _shut(forms: FormOpener, policy: Policy, chosen: form.Chosen) -> Shut:
    """What stands in the way of what is filled in at its start: closed hours, or a freeze, of any of them."""
    now = forms.ctx.ledger.now()
    pairs = [(chosen.environment or "", chosen.role or ""), *_others(chosen)]
    problems = [
        problem
        for place, name in pairs
        if (role := policy.entitlement(place, name))
        and (problem := time_problem(policy, policy.environments[place], role, chosen.begin or now))
    ]
    refused = together(problems)
    return Shut(refused, open_again_at(refused, now)) if refused else Shut()


def _shut_words(forms: FormOpener, shut: Shut, person: PersonFacts) -> str:
    """Nothing where it does not open soon enough to be asked for: then the answer says when."""
    if shut.refused is None or shut.opens is None:
        return ""
    return refusal(shut.refused, command=forms.command, time_zone=person.time_zone)


def _offered(forms: FormOpener, policy: Policy, who: PersonId) -> Offered:
    """What fresh facts do not forbid: what is not known, or was learnt long ago, is offered and decided when it is sent."""
    names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
    groups, now = forms.groups(policy, tuple(names)), forms.ctx.ledger.now()
    glass = forms.queries.people.break_glass_open_to(policy, who)
    places = (
        replace(place, roles={role.role: role for role in place.roles.values() if _may_be_for(role, who, groups, now)})
        for place in policy.environments.values()
    )
    return Offered([place for place in places if place.roles or place.name in glass], glass)


def _may_be_for(role: Entitlement, who: PersonId, groups: GroupFacts, now: datetime) -> bool:
    names = groups_named(role, role.requesters)
    return groups.perhaps(who, names) or bool(groups.stale(names, now))


def _recent(forms: FormOpener, who: PersonId) -> list[str]:
    ids = forms.ctx.ledger.members(keys.of_person(keys.RECENT, who), limit=RECENT_MAX, newest=True)
    if not ids:
        return []
    snapshot = forms.ctx.ledger.read(*map(keys.request, ids))
    found = (snapshot.readable(keys.request(id_), Request) for id_ in ids)
    return list(dict.fromkeys(request.terms.environment for request in found if request))


def _deciders(forms: FormOpener, policy: Policy, who: PersonId, environment: str | None, name: str | None) -> Deciders:
    role = policy.entitlement(environment or "", name or "")
    return forms.queries.people.would_decide(policy, role, who, who) if role else NOBODY


def _typed(chosen: form.Chosen) -> str:
    """The command that asks for the same."""
    return f"{chosen.environment or 'ENV'} {chosen.role or 'ROLE'} [DURATION] REASON"
