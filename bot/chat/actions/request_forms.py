"""The forms in which something is asked for: new, as it was before, later, in an emergency."""

from __future__ import annotations

from bot.chat.actions.open_form import FormOpener
from bot.chat.form import Filled, Form
from bot.chat.forms import break_glass as break_glass_form
from bot.chat.forms import request as form
from bot.chat.interaction import Interaction
from bot.chat.messages import notices
from bot.chat.surface import Shown
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.read_model import askable
from workflows.core import keys
from workflows.core.people import PersonFacts, PersonId
from workflows.core.policy import Environment, Policy
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import groups_needed
from workflows.usecases.decisions.approve import find_request
from workflows.usecases.requests.repeat import can_be_repeated, once_more

RECENT_MAX = 5


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
    policy = forms.ctx.policy.current()
    chosen = form.Chosen(environment if environment in policy.environments else None, role)
    forms.open(act, trigger, _form(forms, policy, person, chosen, where), _typed(chosen))


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
    policy = forms.ctx.policy.current()
    forms.open(act, trigger, _form(forms, policy, person, chosen, form.Where()), _typed(chosen))


def open_then_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """The request form, filled in as it was typed, to begin when it can; of a button that is none of ours, empty."""
    ask, person = notices.read_ask_for(act.value), forms.person(act)
    if person is None:
        return
    chosen = form.Chosen()
    if ask is not None:
        chosen = form.Chosen(ask.environment, ask.role, ask.reason, ask.duration, ask.ticket, begin=ask.start_at)
    policy = forms.ctx.policy.current()
    forms.open(act, trigger, _form(forms, policy, person, chosen, form.Where()), _typed(chosen))


def redraw_request_form(forms: FormOpener, act: Interaction, shown: Shown, found: Filled) -> None:
    """Another environment or role was chosen: the roles, durations and people to ask follow it."""
    person = forms.ctx.directory.person(act.who)
    if person is None or person.standing_problem:
        return
    chosen = form.chosen(found)
    drawn = _form(forms, forms.ctx.policy.current(), person, chosen, form.read_where(found))
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
    drawn = break_glass_form.break_glass_form(place, form.read_where(under))
    forms.open(act, trigger, drawn, f"break-glass {place.name} ROLE [DURATION] REASON", on_top=bool(under.kind))


def _form(forms: FormOpener, policy: Policy, person: PersonFacts, chosen: form.Chosen, where: form.Where) -> Form:
    return form.request_form(
        _environments(forms, policy, person.id),
        chosen,
        where,
        recent=_recent(forms, person.id),
        deciders=_deciders(forms, policy, person.id, chosen.environment, chosen.role),
        deciders_more={role: _deciders(forms, policy, person.id, chosen.environment, role) for role in chosen.more},
        break_glass=forms.queries.people.break_glass_open_to(policy, person.id),
    )


def _environments(forms: FormOpener, policy: Policy, who: PersonId) -> list[Environment]:
    """Those in which this person may ask for something, as far as groups are known; all where none is."""
    names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
    groups = forms.groups(policy, tuple(names))
    open_to = {role.environment for role in askable(policy, who, groups)}
    return [place for place in policy.environments.values() if place.name in open_to] or list(
        policy.environments.values()
    )


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
