"""The forms for what is done with a request: deny, approve for less, extend, end, flag."""

from __future__ import annotations

from collections.abc import Callable

from bot.chat.actions.open_form import FormOpener
from bot.chat.form import Form
from bot.chat.forms import extension as extend_form
from bot.chat.forms import reason as reason_forms
from bot.chat.forms import reduced_approval
from bot.chat.interaction import Interaction
from bot.chat.message import read_value, value_of
from bot.chat.messages.approval_card import read_more
from bot.chat.views.request_view import RequestView
from workflows.core import keys
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import may_end
from workflows.core.rules.batch import panel_of
from workflows.core.rules.break_glass import History, may_review, reviewers
from workflows.core.rules.extension import not_to_extend, times_to_add, total_problem
from workflows.core.rules.gate_emergency import may_open
from workflows.core.rules.groups import groups_needed
from workflows.core.rules.reduced_approval import choices
from workflows.ports import LedgerUnreachable
from workflows.usecases.decisions.approve import decided_by, how_decided, not_open
from workflows.usecases.requests.batch import batch_of
from workflows.usecases.shared.gate_asks import gate_of

# None is asked for before the form is sent.
_SOME_REASON = "an emergency"
# What has not begun to end.
OPEN = frozenset({GrantState.ACTIVATING, GrantState.ACTIVE})


def open_acknowledge_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    _open_review_form(forms, act, trigger, reason_forms.acknowledge_form, "acknowledge {}", on_hold=False)


def open_flag_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    _open_review_form(forms, act, trigger, reason_forms.flag_form, "flag {} NOTE", on_hold=True)


def _open_review_form(
    forms: FormOpener,
    act: Interaction,
    trigger: str,
    form: Callable[[RequestView, str], Form],
    typed: str,
    *,
    on_hold: bool,
) -> None:
    """For those who may review; the holder and strangers are told so before typing a note."""
    found = forms.id_on(act)
    person = forms.person(act, on_hold=on_hold) if found else None
    if found is None or person is None:
        return
    policy = forms.ctx.policy.current()
    seen = forms.queries.reader.one(found[0], policy)
    review = forms.queries.reader.review(seen.request) if seen else None
    if seen is None or review is None:
        forms.unknown(act, found[0])
        return
    groups = forms.groups(policy, reviewers(policy, review.environment))
    if forms.kept_out(act, may_review(policy, review, person, groups), found[0]):
        return
    forms.open(act, trigger, form(seen.view, act.value), typed.format(found[0]))


def open_gate_glass_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For those who may open it alone; a stranger is told so before typing a reason."""
    found = forms.id_on(act)
    person = forms.person(act) if found else None
    if found is None or person is None:
        return
    policy = forms.ctx.policy.current()
    seen = forms.queries.reader.one(found[0], policy)
    gate = gate_of(policy, seen.request) if seen is not None else None
    if seen is None or gate is None:
        forms.unknown(act, found[0])
        return
    place = policy.environments[seen.request.terms.environment]
    groups = forms.groups(policy, groups_needed(policy, place))
    uses, mine = keys.break_glass_uses(place.name, person.id), keys.person(person.id)
    snapshot = forms.ctx.ledger.read(uses, mine)
    history = History(snapshot.readable(mine, PersonRecord), snapshot.readable(uses, Uses))
    refused = may_open(policy, gate, found[0], _SOME_REASON, person, groups, history, snapshot.now)
    if forms.kept_out(act, refused or not_open(seen.request, snapshot), found[0]):
        return
    forms.open(act, trigger, reason_forms.gate_glass_form(seen.view, act.value), f"break-glass {found[0]} REASON")


def open_deny_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For those who may deny; a stranger is told so before typing a reason."""
    found = forms.id_on(act)
    person = forms.person(act, on_hold=True) if found else None
    if found is None or person is None:
        return
    policy = forms.ctx.policy.current()
    seen = forms.queries.reader.one(found[0], policy)
    if seen is None:
        forms.unknown(act, found[0])
        return
    if forms.deciding(act, policy, seen.request, person) is None:
        return
    forms.open(act, trigger, reason_forms.deny_form(seen.view, act.value), f"deny {found[0]} REASON")


def is_own_to_end(forms: FormOpener, act: Interaction) -> bool:
    """Whether a press on "end" is about access of whoever pressed it. Also where there is nothing to end, or the records are
    silent: the press itself is answered then.
    """
    found = read_value(act.value)
    try:
        item = keys.grant(found[0]) if found else ""
        grant = forms.ctx.ledger.read(item).readable(item, Grant) if item else None
        person = forms.ctx.directory.person(act.who)
    except LedgerUnreachable:
        return True
    return grant is None or grant.state not in OPEN or (person is not None and person.id == grant.holder)


def open_end_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For those who may take it back; a stranger is told so before typing a reason."""
    found = forms.id_on(act)
    person = forms.person(act, on_hold=True) if found else None
    if found is None or person is None:
        return
    policy = forms.ctx.policy.current()
    seen = forms.queries.reader.one(found[0], policy)
    if seen is None or seen.grant is None:
        forms.unknown(act, found[0])
        return
    place = policy.environments.get(seen.grant.terms.environment)
    groups = forms.groups(policy, (place.owners if place else ()) + policy.security).counting(person.id)
    answer = may_end(policy, seen.grant.terms.environment, seen.grant.holder, person, groups)
    if forms.kept_out(act, answer if isinstance(answer, Refused) else None, found[0]):
        return
    forms.open(act, trigger, reason_forms.end_form(seen.view, act.value), f"end {found[0]} REASON")


def open_deny_all_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For all on a card that was asked for in one go; all of them want the same people."""
    found = forms.id_on(act)
    person = forms.person(act, on_hold=True) if found else None
    if found is None or person is None:
        return
    batch = batch_of(forms.ctx, found[0])
    if isinstance(batch, Refused):
        forms.refuse(act, batch, found[0])
        return
    policy = forms.ctx.policy.current()
    panel = panel_of(policy, batch, found[0])
    if forms.deciding(act, policy, panel[0], person) is None:
        return
    waiting = [request.id for request in panel if request.state is RequestState.PENDING]
    views = forms.queries.reader.some(waiting or [panel[0].id], policy)
    typed = " · ".join(
        f"{'' if number == 0 else f'{forms.command} '}deny {id_} REASON" for number, id_ in enumerate(waiting)
    )
    forms.open(act, trigger, reason_forms.deny_all_form(views, act.value), typed or f"show {found[0]}")


def open_reduced_approval_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For those who may approve it, while there is something less to give."""
    found = read_more(act.value)
    if found is None:
        forms.unknown(act, "such request")
        return
    person = forms.person(act)
    if person is None:
        return
    policy = forms.ctx.policy.current()
    seen = forms.queries.reader.one(found[1], policy)
    if seen is None:
        forms.unknown(act, found[1])
        return
    request = seen.request
    groups = forms.deciding(act, policy, request, person)
    if groups is None:
        return
    roles, times = choices(policy, request, person, groups, forms.ctx.ledger.now())
    if not roles or request.state is not RequestState.PENDING:
        forms.refuse(act, nothing_to_reduce(request), found[1])
        return
    drawn = reduced_approval.reduced_approval_form(seen.view, value_of(found[1], found[2]), roles, times)
    forms.open(act, trigger, drawn, f"less {found[1]} [ROLE] [DURATION]")


def open_extend_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For those who may ask, while there is time that can be added."""
    found = forms.id_on(act)
    person = forms.person(act) if found else None
    if found is None or person is None:
        return
    policy = forms.ctx.policy.current()
    seen = forms.queries.reader.one(found[0], policy)
    if seen is None:
        forms.unknown(act, found[0])
        return
    terms = seen.request.terms
    role = policy.entitlement(terms.environment, terms.role)
    refused = not_to_extend(seen.request, seen.grant, role, person.id, forms.ctx.ledger.now())
    if refused or seen.grant is None or role is None:
        unknown = Refused(Code.ROLE_UNKNOWN, {"name": terms.role, "environment": terms.environment})
        forms.refuse(act, refused or unknown, found[0])
        return
    times = times_to_add(policy, seen.grant, role)
    if not times:
        shortest = min((*role.durations, role.default_duration))
        problem = total_problem(policy, seen.grant, shortest)
        forms.refuse(act, problem or Refused(Code.DURATION_ZERO, audited=False), found[0])
        return
    drawn = extend_form.extend_form(seen.view, role, times)
    forms.open(act, trigger, drawn, f"extend {found[0]} DURATION REASON")


def nothing_to_reduce(request: Request) -> Refused:
    """Why no form opens: it is decided, or the least there is was asked for."""
    if request.state is not RequestState.PENDING:
        params = {"id": request.id, "state": how_decided(request), "by": decided_by(request)}
        return Refused(Code.DECIDED, params)
    return Refused(Code.NOT_LESS, {"id": request.id, "why": "least"}, audited=False)
