"""A table of cases as it is written. Its JSON schema serves editors."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from workflows.core.refusal import Code
from workflows.policy_file.problem import nearest, quote
from workflows.policy_file.strict_model import Raw
from workflows.policy_file.values import Address, Count, Duration, Instant, Text, fault

People = Annotated[tuple[Address, ...], Field(strict=False)]
Standing = Literal["member", "guest", "closed", "bot", "of another organisation", "without an address", "on hold"]
TicketWord = Literal["open", "closed", "absent", "unknown"]
Outcomes = Literal["approval", "rule", "break-glass", "allowed", "refused"]
ALLOWED = "allowed"
REFUSED = "refused"
APPROVAL = "approval"
RULE = "rule"
BREAK_GLASS = "break-glass"


def _code(value: str) -> str:
    known = [code.value for code in Code]
    if value not in known:
        raise fault(f"no refusal is called {quote(value)}", nearest(value, known))
    return value


class Person(Raw):
    """Somebody of whom there is more to say than their groups."""

    account: Standing = Field("member", description="what the chat says of their account")
    barred: Text | None = Field(None, description="why security has barred them from break-glass")


class Extends(Raw):
    """The access that is active, and for which more time is asked."""

    since: Duration = Field(description="how long ago it was decided")
    left: Duration = Field(description="how much of it is left")
    break_glass: bool = Field(False, description="it was taken by break-glass")


class World(Raw):
    """Who is who. What a case says of it is added to what the file says."""

    groups: dict[str, People] = Field(
        default_factory=dict, description="who is in a group that the policy looks up elsewhere; [] for nobody"
    )
    unknown_groups: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="groups whose members nobody can tell at that time"
    )
    people: dict[Address, Person] = Field(
        default_factory=dict, description="whose account is a special one; and who is in no group at all"
    )
    away: dict[Address, Address] = Field(default_factory=dict, description="who is away: who decides in their place")


_BELONG = {
    "code": (REFUSED,),
    "approvals": (APPROVAL,),
    "approvers": (APPROVAL,),
    "among_approvers": (APPROVAL,),
    "no_approvers": (APPROVAL,),
    "rule": (RULE,),
    "review_within": (BREAK_GLASS,),
    "lasts": (APPROVAL, RULE, BREAK_GLASS, ALLOWED),
    "max_duration": (APPROVAL, RULE, BREAK_GLASS, ALLOWED),
    "max_total": (APPROVAL, RULE, BREAK_GLASS, ALLOWED),
}


class Expected(Raw):
    """What should happen. What is not said is not held against it."""

    outcome: Outcomes = Field(
        description="approval: people are asked; rule: a rule approves; break-glass: in at once; allowed: any of these"
    )
    code: Annotated[str, AfterValidator(_code)] | None = Field(None, description="why it is refused")
    approvals: dict[str, Count] | None = Field(None, description="how many distinct people of each group must agree")
    approvers: People | None = Field(None, description="who could agree: these, and nobody else")
    among_approvers: People | None = Field(None, description="who could agree, perhaps beside others")
    no_approvers: People | None = Field(None, description="who could not agree")
    rule: Text | None = Field(None, description="which rule approves")
    lasts: Duration | None = Field(None, description="for how long it would be given")
    max_duration: Duration | None = Field(None, description="the longest that could be asked for")
    max_total: Duration | None = Field(None, description="the longest with all extensions")
    review_within: Duration | None = Field(None, description="how long the review may take")

    @model_validator(mode="after")
    def _fits(self) -> Expected:
        for key, outcomes in _BELONG.items():
            if getattr(self, key) is not None and self.outcome not in outcomes:
                raise fault(
                    f"'{key}' means nothing where the outcome is {self.outcome}",
                    f"it belongs to {' or '.join(outcomes)}; take it out",
                )
        return self


class Case(World):
    """One ask, and what should become of it."""

    case: Text = Field(description="what it is about, in words")
    who: Address = Field(description="who asks")
    environment: str
    role: str
    duration: Duration | None = Field(None, alias="for", description="the role's default unless said")
    reason: str = Field("a case of the policy's tests", description="what they write")
    ticket: str | None = Field(None, description="in the field for it; one in the reason is found, too")
    ticket_is: TicketWord = Field("open", description="what the ticket system says, where the policy has it asked")
    at: Instant | None = Field(None, description="when; the file's own time unless said")
    start_at: Instant | None = Field(None, description="when it shall begin, if that is later")
    in_incident_channel: bool = Field(False, description="asked in a channel that is proved to be an incident's")
    break_glass: bool = False
    holder: Address | None = Field(None, description="who shall have it, where somebody else asks")
    extends: Extends | None = None
    uses_today: int = Field(
        0, ge=0, le=1000, description="how often each of the role's rules, or break-glass, served them within a day"
    )
    unanswered: Duration | None = Field(None, description="nobody has answered for so long")
    expect: Expected

    @model_validator(mode="after")
    def _one_way(self) -> Case:
        """Break-glass is for oneself, at once, and no extension."""
        others = {"holder": self.holder, "extends": self.extends, "start_at": self.start_at}
        for key, value in others.items():
            if self.break_glass and value is not None:
                raise fault(f"'{key}' means nothing beside 'break_glass'", "take one of them out")
        return self

    @property
    def waited(self) -> timedelta:
        return self.unanswered or timedelta()


class GateCase(World):
    """A pipeline's wait for a gate, and what should become of it."""

    case: Text = Field(description="what it is about, in words")
    environment: str
    gate: str = Field("deploy", description="which gate of the environment")
    pipeline: Text | None = Field(
        None, description="which one asks, by its name in the policy; any that may unless said"
    )
    began: People = Field((), description="who is known to have started the run, run it again or pushed its commit")
    unknown: int = Field(0, ge=0, le=3, description="how many of those who began it nobody knows")
    change: str = Field("a case of the policy's tests", description="what they write")
    ticket: str | None = Field(None, description="in the field for it; one in the change is found, too")
    ticket_is: TicketWord = Field("open", description="what the ticket system says, where the policy has it asked")
    at: Instant | None = Field(None, description="when; the file's own time unless said")
    unanswered: Duration | None = Field(None, description="nobody has answered for so long")
    broken_by: Address | None = Field(None, description="who opens it alone, by break-glass, while it waits")
    uses_today: int = Field(0, ge=0, le=1000, description="how often they have used break-glass there within a day")
    expect: Expected

    @model_validator(mode="after")
    def _fits(self) -> GateCase:
        """Nothing is given by it, and no rule lets a pipeline on; an emergency does where somebody says so."""
        if self.expect.outcome == RULE or (self.expect.outcome == BREAK_GLASS and self.broken_by is None):
            raise fault(
                f"a gate has no outcome {self.expect.outcome}",
                "it is approval, refused or allowed; with broken_by also break-glass",
            )
        if self.uses_today and self.broken_by is None:
            raise fault("'uses_today' means nothing without 'broken_by'", "take it out, or say who opens it")
        for key in ("lasts", "max_duration", "max_total"):
            if getattr(self.expect, key) is not None:
                raise fault(f"'{key}' means nothing of a gate", "take it out")
        return self

    @property
    def waited(self) -> timedelta:
        return self.unanswered or timedelta()


class TableFile(World):
    """A table of cases, for `prodaccess policy test`."""

    version: Literal[1]
    at: Instant = Field(description="when the cases happen, with its time zone")
    cases: Annotated[tuple[Case, ...], Field(strict=False, min_length=1)]
    gates: Annotated[tuple[GateCase, ...], Field(strict=False)] = Field(
        (), description="pipelines that wait for a gate"
    )
