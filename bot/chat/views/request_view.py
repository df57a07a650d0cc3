"""Ledger state -> what is shown to whom. Knows no surface, so that Slack and Teams show the same. Pure.

A view holds raw text, times and the words of its state; a surface escapes, formats and puts every reader's clock in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from bot.chat.views import gate_lines as gates
from bot.chat.wording.labels import (
    LOOKED_UP,
    SHORT,
    STATE_WORDS,
    TIER_WORDS,
    VERBS,
    Moment,
    Stage,
    Words,
    ago,
    moment_of,
    people,
    rounded,
)
from workflows.core.durations import format_duration
from workflows.core.gates.ask import GateAsk
from workflows.core.people import PersonId
from workflows.core.policy import Entitlement, Environment, Risk, Tier, Visibility
from workflows.core.provider import Sessions
from workflows.core.records.gate import Giving
from workflows.core.records.grant import EndCause, Grant, GrantState
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Closing, Decision, DecisionKind, Origin, Request, RequestState, Terms
from workflows.core.records.target import Resource
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import seats, would_help
from workflows.core.rules.gate_emergency import opened_by
from workflows.core.rules.groups import groups_named
from workflows.core.rules.reduced_approval import is_anything_less

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Need:
    """Places that must be filled before there is an approval. `groups` are the policy's names behind one word of `approve`."""

    groups: tuple[str, ...]
    count: int
    open: int
    # Names of those who agreed for this group.
    by: tuple[str, ...] = ()
    # Whether one more person of this group brings it forward.
    helps: bool = True

    @property
    def label(self) -> str:
        return " or ".join(self.groups) or "owners"

    @property
    def agreed(self) -> int:
        return self.count - self.open


@dataclass(frozen=True, slots=True)
class LastTime:
    """The holder's last access of this kind."""

    at: datetime
    used: timedelta
    how: str

    def words(self, now: datetime) -> Words:
        """`3 days ago, 1 h, ended on time`; of today when it was, because hours tick away on a card that waits."""
        when: Moment | str = ago(now - self.at) if now - self.at >= DAY else self.at
        return (when, f", {rounded(self.used)}, {self.how}")


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who decides in the place of somebody who is away."""

    name: str
    instead_of: str
    until: datetime


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request and its grant, as one thing. Times that have not come are None."""

    id: str
    stage: Stage
    now: datetime
    holder: str
    requester: str
    # Who they are, so that a sentence knows whether it speaks to them.
    holder_id: PersonId
    requester_id: PersonId
    environment: str
    title: str
    tier: Tier
    role: str
    risk: Risk
    reason: str
    duration: timedelta
    allows: str
    danger: str | None
    created_at: datetime
    expires_at: datetime
    terms: Terms
    origin: Origin
    ticket: str | None = None
    ticket_link: str | None = None
    # Why it was taken without being verified.
    ticket_note: str = ""
    how_to: str | None = None
    # Whether names have been looked up, so that somebody can be asked.
    resolved: bool = True
    # Whether the policy still has this role; without it nobody can approve.
    in_policy: bool = True
    needs: tuple[Need, ...] = ()
    agreed_by: tuple[str, ...] = ()
    # Why it cannot be approved at the moment, whoever presses: a freeze, or the role's hours.
    shut: Refused | None = None
    # Why nobody can approve it as it was asked for, now or later: the policy, or who asked, is another by now.
    no_more: Refused | None = None
    # Whether there is less to give than was asked for, and more time to ask for; True where nobody has looked.
    can_less: bool = True
    can_extend: bool = True
    # Rules that were used as often as they may: name and uses.
    used_up: tuple[tuple[str, int], ...] = ()
    # What was asked for, where an approver agreed to less, and who that was.
    asked_role: str = ""
    asked_duration: timedelta | None = None
    lessened_by: str = ""
    group_problems: tuple[tuple[str, str], ...] = ()
    # Groups of which, as everybody has been looked up, too few are there to agree.
    nobody: tuple[str, ...] = ()
    # Whether somebody is known, or may be there, who could decide it: else no button does anything.
    decidable: bool = True
    decided_at: datetime | None = None
    approved_by: str = ""
    # What the rule that approved rested on.
    rule_facts: Mapping[str, str] = field(default_factory=dict)
    deadline: datetime | None = None
    activated_at: datetime | None = None
    end_cause: EndCause | None = None
    ended_by: str | None = None
    why: str | None = None
    closed_at: datetime | None = None
    closing: Closing | None = None
    # Why the bot itself gave nothing, where that was a refusal.
    refused: Refused | None = None
    covered_by: str | None = None
    covered_until: datetime | None = None
    nothing_given: bool = False
    session_until: datetime | None = None
    # After a revocation by a role that ends sessions: before when they are denied, why not, whether somebody else can.
    denied_before: datetime | None = None
    not_denied: str = ""
    sessions_by_hand: bool = False
    error: str | None = None
    warning: str | None = None
    resource: Resource | None = None
    last_time: LastTime | None = None
    break_glass: bool = False
    # Somebody else asked for the holder.
    on_behalf: bool = False
    # While it waits: when its approvers were reminded, who was called next, who is away and who decides for whom.
    owners: tuple[str, ...] = ()
    reminded_at: tuple[datetime, ...] = ()
    escalated_at: datetime | None = None
    escalated_to: tuple[str, ...] = ()
    escalation_approves: bool = False
    away: tuple[str, ...] = ()
    # Names of those who are called, by the chat's ids.
    called_names: Mapping[str, str] = field(default_factory=dict)
    stand_ins: tuple[StandIn, ...] = ()
    # Names of those whom no message about it reached, in any chat.
    not_reached: tuple[str, ...] = ()
    # What became of the review that a break-glass owes; None where none is owed, or nobody has looked.
    review: ReviewState | None = None
    review_due: datetime | None = None
    reviewed_by: str = ""
    review_note: str = ""
    # When it shall begin, where that is later than the approval.
    start_at: datetime | None = None
    # Of an ask for more time: the grant that it prolongs, that grant's end as it stands, and the end that was approved.
    extends: str | None = None
    present_end: datetime | None = None
    extended_until: datetime | None = None
    # Of a grant: who agreed to its newest extension, and whether one is asked for or under way.
    extended_by: str = ""
    more_asked: str | None = None
    # Of a pipeline's ask: which run asks, and how far its approval has come. Whether it is one, outsiders may know, too.
    gate: GateAsk | None = None
    gives: Giving | None = None
    pipeline: bool = False
    # Whether somebody may open it alone in an emergency, as the policy stands.
    can_break: bool = False
    # The readers may see environment, state and id alone; everything else is blank already.
    hidden: bool = False

    @property
    def state(self) -> str:
        # Whether anybody has to approve it is not known before, and of a break-glass nobody has.
        if self.pipeline:
            looked_at = self.resolved or self.stage is not Stage.WAITING
            return (
                gates.state_word(self.stage, STATE_WORDS[self.stage], self.gate) if looked_at else gates.BEING_LOOKED_AT
            )
        return STATE_WORDS[self.stage] if self.resolved or self.stage is not Stage.WAITING else LOOKED_UP

    @property
    def asks(self) -> bool:
        """Whether there is no more to tell than that somebody else asked."""
        return self.on_behalf and self.verb.startswith("ask")

    @property
    def provider(self) -> str:
        """Of the target, as sentences name it."""
        return self.terms.target.provider

    @property
    def who(self) -> str:
        """Of whom the headline speaks."""
        return self.requester if self.asks else self.holder

    @property
    def broke(self) -> str:
        """Who used break-glass: the holder, or whoever opened the gate for its pipeline."""
        emergency = self.gate.emergency if self.gate is not None else None
        return emergency.by_name if emergency is not None else self.holder

    @property
    def declined(self) -> bool:
        """Whether the person for whom somebody else had asked did not want it."""
        closing = self.closing
        return self.on_behalf and closing is not None and closing.by == self.terms.holder

    @property
    def verb(self) -> str:
        return VERBS[self.stage]

    @property
    def what(self) -> str:
        """What is asked for or had, as it was typed: `read-only`."""
        if self.gate is not None:
            return f"{self.role} of {gates.commit(self.gate)}"
        return self.role or "access"

    @property
    def more(self) -> str:
        """`30 min more of `, where it is an ask for more time."""
        return f"{format_duration(self.duration)} more of " if self.extends and not self.hidden else ""

    @property
    def tier_words(self) -> str:
        return TIER_WORDS[self.tier]

    @property
    def can_approve(self) -> bool:
        """Whether somebody could approve it as it is, as far as that is known."""
        return self.shut is None and self.no_more is None

    @property
    def can_approve_less(self) -> bool:
        still = self.no_more is None or self.no_more.code is Code.LONGER_THAN_ALLOWED
        return self.shut is None and still and self.can_less

    @property
    def dangerous(self) -> bool:
        return bool(self.danger) or self.risk is Risk.ADMIN

    @property
    def review_overdue(self) -> bool:
        return self.review is ReviewState.OWED and self.review_due is not None and self.review_due <= self.now

    @property
    def time_left(self) -> timedelta | None:
        return None if self.deadline is None else max(timedelta(0), self.deadline - self.now)

    @property
    def until(self) -> Moment | None:
        """The end that is arranged."""
        return moment_of(self.deadline, self.decided_at or self.created_at) if self.deadline else None

    @property
    def expires(self) -> Moment:
        """When it expires unless somebody answers."""
        return moment_of(self.expires_at, self.created_at)

    @property
    def used(self) -> timedelta | None:
        """How long it was active, as people count it."""
        if self.activated_at is None:
            return None
        by_itself = self.deadline if self.end_cause is EndCause.TIME else None
        return time_used(self.activated_at, self.closed_at or self.now, self.decided_at, by_itself)


def time_used(begun: datetime, over: datetime, decided_at: datetime | None, deadline: datetime | None) -> timedelta:
    """How long access was used. `deadline`: of what ended by itself.

    What ran to its end was had for as long as was agreed, give or take the moments of setting up and taking away; where these
    were more than moments, it is told what they really made of it.
    """
    if deadline is None or decided_at is None:
        return over - begun
    agreed = deadline - decided_at
    moments = max(timedelta(seconds=3), min(agreed / 50, SHORT / 2))
    return agreed if begun - decided_at <= moments and over - deadline <= moments else over - begun


def stage_of(
    request: Request, grant: Grant | None, removal_failures: int | None = None, extended: Grant | None = None
) -> Stage:
    """`removal_failures`: the holding's count where it is at hand; without it any error of a removal counts as stuck.

    `prolongs`: the grant that an ask for more time is for.
    """
    if extended is not None and request.state is RequestState.APPROVED:
        return _stage_of_extension(request, extended)
    if grant is None:
        return _stage_of_request(request)
    if grant.state is GrantState.REVOKING:
        stuck = grant.error and (removal_failures is None or removal_failures >= 3)
        return Stage.STUCK if stuck else Stage.REMOVING
    if grant.state is GrantState.ACTIVATION_FAILED:
        standing = grant.end is not None and grant.end.cause is EndCause.STANDING
        return Stage.STANDING if standing else Stage.NOT_GIVEN
    return _BY_GRANT[grant.state]


_BY_GRANT = {
    GrantState.ACTIVATING: Stage.SETTING_UP,
    GrantState.ACTIVE: Stage.ACTIVE,
    GrantState.ENDED: Stage.ENDED,
    GrantState.REVOKED: Stage.REVOKED,
}
_BY_REQUEST = {
    RequestState.PENDING: Stage.WAITING,
    RequestState.SCHEDULED: Stage.AGREED,
    RequestState.APPROVED: Stage.SETTING_UP,
    RequestState.DENIED: Stage.DENIED,
    RequestState.WITHDRAWN: Stage.WITHDRAWN,
    RequestState.EXPIRED: Stage.EXPIRED,
}


def _stage_of_extension(request: Request, extended: Grant) -> Stage:
    if request.id in extended.extensions:
        return Stage.EXTENDED
    waits = extended.extension == request.id and extended.state is GrantState.ACTIVE
    return Stage.SETTING_UP if waits else Stage.NOT_GIVEN


def _stage_of_request(request: Request) -> Stage:
    """What the bot itself closed was not denied by anybody: it was not given."""
    if request.gate is not None and request.state is RequestState.APPROVED:
        if request.called_off is not None:
            return Stage.DENIED
        # A forge that holds the run back is told first.
        if request.gate.is_being_told:
            return Stage.SETTING_UP
        return Stage.NOT_GIVEN if request.gate.not_taken else Stage.USED
    code = request.closing.code if request.closing else None
    if code == Code.STANDING_ACCESS:
        return Stage.STANDING
    return Stage.NOT_GIVEN if code else _BY_REQUEST[request.state]


def request_view(
    request: Request,
    grant: Grant | None,
    environment: Environment | None,
    now: datetime,
    *,
    last: LastTime | None = None,
    covered_until: datetime | None = None,
    removal_failures: int | None = None,
    shut: Refused | None = None,
    review: Review | None = None,
    extended: Grant | None = None,
) -> RequestView:
    """Everything there is to tell. `environment` is None where the policy no longer has it: the terms still tell most.

    `covered_until`: the deadline of the grant that `grant.covered_by` names. `last`: from `last_time`.
    `prolongs`: the grant that an ask for more time is for.
    """
    entitlement = environment.entitlement(request.terms.role) if environment else None
    view = _asked(request, grant, now, stage_of(request, grant, removal_failures, extended))
    if environment and entitlement:
        view = replace(
            view,
            ticket_link=_ticket_link(request.ticket, entitlement),
            how_to=entitlement.how_to,
            needs=needs_of(entitlement, request),
            owners=entitlement.owners,
            can_less=is_anything_less(environment, request),
            can_break=_can_break(environment, request),
        )
    if environment and environment.escalate and request.escalated_at:
        called = groups_named(environment, environment.escalate.to)
        view = replace(view, escalated_to=called, escalation_approves=environment.escalate.may_approve)
    view = replace(
        view,
        title=environment.title if environment else request.terms.environment,
        in_policy=entitlement is not None,
        last_time=last,
        shut=shut,
        approved_by=_approved_by(request.decision),
        rule_facts=request.decision.facts if request.decision else {},
        decided_at=request.decision.at if request.decision else None,
    )
    if request.gate is not None and request.gate.rule:
        view = replace(view, why=request.gate.not_taken or None, error=request.gate.held_up or None)
    if review is not None:
        view = _reviewed(view, review)
    if grant is not None:
        return _with_grant(view, grant, covered_until)
    if extended is not None:
        view = _with_extended(view, request, extended)
    went_on = request.state is RequestState.APPROVED and request.called_off is None
    return _closed(view, request.closing) if request.closing and not went_on else view


def _can_break(environment: Environment, request: Request) -> bool:
    gate = environment.gates.get(request.gate.gate) if request.gate is not None else None
    return opened_by(environment, gate) is not None


def _reviewed(view: RequestView, review: Review) -> RequestView:
    return replace(
        view,
        review=review.state,
        review_due=review.due_at,
        reviewed_by=review.by_name or "",
        review_note=review.note or "",
    )


def _asked(request: Request, grant: Grant | None, now: datetime, stage: Stage) -> RequestView:
    """What the request itself says; its terms outlive the policy that they were made of."""
    terms = grant.terms if grant else request.terms
    asked = request.asked_terms
    return RequestView(
        id=request.id,
        stage=stage,
        now=now,
        holder=request.holder_name,
        requester=request.requester_name,
        holder_id=request.holder,
        requester_id=request.requester,
        environment=terms.environment,
        title=terms.environment,
        tier=terms.tier,
        role=request.gate.gate if request.gate is not None else terms.role,
        risk=terms.risk,
        reason=request.reason,
        duration=terms.duration,
        allows=terms.allows,
        danger=terms.danger,
        created_at=request.created_at,
        expires_at=request.expires_at,
        start_at=request.start_at,
        terms=terms,
        origin=request.origin,
        ticket=request.ticket,
        ticket_note=request.ticket_note,
        resolved=request.is_resolved,
        agreed_by=tuple(vote.said_by for vote in request.votes),
        reminded_at=tuple(at for at in request.chased_at if at != request.escalated_at),
        escalated_at=request.escalated_at,
        used_up=request.used_up,
        asked_role=asked.role if asked else "",
        asked_duration=asked.duration if asked else None,
        lessened_by=(request.lessened_by or "") if asked else "",
        group_problems=request.group_problems,
        warning=request.resource.warning if request.resource else None,
        resource=grant.resource if grant else request.resource,
        break_glass=request.break_glass,
        on_behalf=request.requester != request.holder,
        gate=request.gate,
        gives=request.gives,
        pipeline=request.gate is not None,
    )


def _approved_by(decision: Decision | None) -> str:
    if decision is None:
        return ""
    if decision.kind is DecisionKind.AUTO:
        return f"approved automatically by the rule '{decision.rule}'" if decision.rule else "approved automatically"
    if decision.kind is DecisionKind.BREAK_GLASS:
        if decision.by_names:
            return f"opened in an emergency by {people(decision.by_names)}, without approval"
        return "break-glass, without approval"
    return f"approved by {people(decision.by_names) or 'somebody'}"


def _closed(view: RequestView, closing: Closing) -> RequestView:
    return replace(
        view,
        closing=closing,
        closed_at=closing.at,
        ended_by=closing.by_name,
        why=closing.reason,
        refused=_refused(view.terms, closing.code, closing.params),
    )


def _refused(terms: Terms, code: str | None, params: Mapping[str, str]) -> Refused | None:
    """With the words of the provider that it is about."""
    return Refused(Code(code), {**terms.target.words, **params}) if code else None


def _with_extended(view: RequestView, request: Request, grant: Grant) -> RequestView:
    until = request.decision.facts.get("until") if request.decision else None
    late = (
        "the target did not take the later end before the old one came"
        if grant.resource.enforces_end
        else "I could not tell in time whether the approval still stands"
    )
    why = late if view.stage is Stage.NOT_GIVEN else None
    return replace(
        view,
        extends=grant.id,
        present_end=grant.deadline,
        extended_until=datetime.fromisoformat(until) if until else None,
        why=why,
        error=grant.error if view.stage is Stage.SETTING_UP else None,
        resource=grant.resource,
        covered_by=None,
    )


def _with_grant(view: RequestView, grant: Grant, covered_until: datetime | None) -> RequestView:
    end = grant.end
    return replace(
        view,
        deadline=grant.deadline,
        activated_at=grant.activated_at,
        end_cause=end.cause if end else None,
        ended_by=end.by_name if end else None,
        why=end.reason if end else None,
        refused=_refused(view.terms, end.code, end.params) if end else None,
        closed_at=grant.closed_at,
        covered_by=grant.covered_by,
        covered_until=covered_until if grant.covered_by else None,
        nothing_given=grant.nothing_given,
        session_until=_session_until(grant),
        denied_before=grant.denied_before,
        not_denied=grant.not_denied,
        sessions_by_hand=_sessions_by_hand(grant),
        error=grant.error,
        extended_by=grant.extended_by[len(grant.extensions) - 1] if grant.extensions else "",
        more_asked=grant.extension,
    )


def _session_until(grant: Grant) -> datetime | None:
    """A session that is open may outlive what it was opened with; one opened at the last moment the longest."""
    length_s = grant.resource.session_s
    if grant.activated_at is None or grant.closed_at is None or grant.covered_by or not length_s:
        return None
    return grant.closed_at + timedelta(seconds=length_s)


def _sessions_by_hand(grant: Grant) -> bool:
    """Whether a revocation left sessions open that its role says are ended, and that somebody with other rights can end."""
    taken_back = grant.end is not None and grant.end.cause is EndCause.REVOKED
    return taken_back and grant.terms.target.sessions is Sessions.BY_HAND and _session_until(grant) is not None


def _ticket_link(ticket: str | None, entitlement: Entitlement) -> str | None:
    rule = entitlement.ticket
    if not ticket or rule is None or not rule.link:
        return None
    return rule.link.replace("{ticket}", quote(ticket, safe=""))


def needs_of(entitlement: Entitlement, request: Request | None = None) -> tuple[Need, ...]:
    """Who has to agree, by group, and how many places are still open."""
    votes = request.votes if request else ()
    names = {vote.by: vote.by_name for vote in votes}
    places, helpful = seats(entitlement, votes), would_help(entitlement, votes)

    def need(word: str, count: int) -> Need:
        taken = [who for name, who in places if name == word and who is not None]
        by = tuple(names[who] for who in taken)
        return Need(groups_named(entitlement, (word,)), count, count - len(taken), by, word in helpful)

    return tuple(need(word, count) for word, count in entitlement.approve.items())


def last_time(grant: Grant | None) -> LastTime | None:
    """From the holder's last closed grant of the same entitlement; None where it never was active."""
    if grant is None or grant.activated_at is None or grant.closed_at is None:
        return None
    cause = grant.end.cause if grant.end else EndCause.TIME
    how = {EndCause.TIME: "ended on time", EndCause.RETURNED: "given back early"}.get(cause, "revoked")
    by_itself = grant.deadline if cause is EndCause.TIME else None
    return LastTime(grant.closed_at, time_used(grant.activated_at, grant.closed_at, grant.decision.at, by_itself), how)


def for_outsiders(view: RequestView) -> RequestView:
    """What people outside may see where the policy says `visibility: members`: environment, state and id.

    All else is blanked here, so that no surface can leak it by forgetting to ask.
    """
    return RequestView(
        id=view.id,
        stage=view.stage,
        now=view.now,
        holder="Somebody",
        requester="Somebody",
        holder_id=PersonId(""),
        requester_id=PersonId(""),
        environment=view.environment,
        title=view.title,
        tier=view.tier,
        role="",
        risk=Risk.READ,
        reason="",
        duration=view.duration,
        allows="",
        danger=None,
        created_at=view.created_at,
        expires_at=view.expires_at,
        terms=replace(view.terms, role="", allows="", danger=None),
        origin=Origin(),
        resolved=view.resolved,
        review=view.review,
        review_due=view.review_due,
        pipeline=view.pipeline,
        hidden=True,
    )


def seen_by(view: RequestView, environment: Environment | None, *, member: bool) -> RequestView:
    """The view for one reader or channel. An environment that is gone from the policy is treated as closed to outsiders."""
    is_open = environment is not None and environment.visibility is Visibility.OPEN
    return view if member or is_open else for_outsiders(view)


def in_short(view: RequestView) -> str:
    """Who, verb, role, environment in plain words: `Dana Dev asks for read-only in Payments (production)`."""
    if view.pipeline:
        return _pipeline_in_short(view)
    whom = f" for {view.holder}" if view.asks else ""
    line = f"{view.who} {view.verb} {view.more}{view.what}{whom} in {view.title} ({view.tier.value})"
    return f"🚨 Break-glass: {line}" if view.break_glass else line


def _pipeline_in_short(view: RequestView) -> str:
    """`Pipeline acme/orders wants to deploy a1b2c3d to Orders (production)`."""
    if view.gate is None:
        return f"A pipeline {gates.outsiders_verb(view.stage)} of {view.title} ({view.tier.value})"
    verb, to = gates.verb(view.gate, view.stage)
    line = f"Pipeline {view.holder} {verb} {gates.commit(view.gate)} {to} {view.title} ({view.tier.value})"
    return f"🚨 Break-glass: {line}" if view.break_glass else line


def duration_words(view: RequestView) -> str:
    return format_duration(view.duration)
