"""The files as they are written, before precedence: one model a file. Their JSON schemas serve editors."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core.core_schema import ValidationInfo

from workflows.core.certification.rules import DUE_WITHIN, DUE_WITHIN_MAX
from workflows.core.rules.eligibility import TICKET_LENGTH_MAX
from workflows.policy_file.channels import Channels
from workflows.policy_file.pipelines import People, Pipelines
from workflows.policy_file.problem import quote
from workflows.policy_file.strict_model import Raw
from workflows.policy_file.values import (
    OUR_SECRETS,
    Account,
    Address,
    ChatUser,
    ClockTime,
    Count,
    Days,
    Domain,
    Duration,
    EntraGroup,
    EnvironmentName,
    GroupName,
    Instant,
    Name,
    Pattern,
    PeopleAddress,
    Schedule,
    TeamsConversation,
    Text,
    TicketAddress,
    TicketLink,
    TimeZone,
    UserGroup,
    Variable,
    Workspace,
    fault,
)
from workflows.policy_file.yaml_reader import Block

# Lists of the file become tuples, so a tuple is the one thing that is not read strictly.
_LOOSE = Field(strict=False)
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
Durations = Annotated[tuple[Duration, ...], Field(strict=False, min_length=1)]


class FromEnvironment(Raw):
    """A secret, by the name of the environment variable that holds it."""

    env: Variable


class Hours(Raw):
    """A weekly window in the time zone of the policy."""

    days: Days = Field(("mon-fri",), description="mon ... sun, or a span: mon-fri")
    start: ClockTime = Field(alias="from", description="the first minute, in quotes")
    until: ClockTime = Field(description="in quotes; at or before `from` it means the next day")


class TicketVerify(Raw):
    https: TicketAddress = Field(description="an address with {ticket} in it that answers whether it is open")
    token: FromEnvironment | None = Field(None, description="goes as Authorization: Bearer")
    unknown: Literal["accept", "refuse"] | None = Field(
        None, description="what becomes of a ticket of which nobody can tell; refuse in production, accept elsewhere"
    )


class TicketRule(Raw):
    pattern: Pattern = Field(description="a regular expression that a whole word must match")
    link: TicketLink | None = Field(None, description="an https address with {ticket} in it")
    required: bool = Field(True, description="false: a ticket is shown where there is one")
    max_requests: Count | None = Field(None, description="how many requests may carry one ticket")
    example: Text | None = Field(None, description="what one looks like, for people; made from the pattern unless said")
    verify: TicketVerify | None = Field(None, description="the system that says whether a ticket exists and is open")

    @field_validator("example")
    @classmethod
    def _is_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        """What is shown must be taken when it is typed."""
        pattern = info.data.get("pattern")
        if value is None or pattern is None or (len(value) <= TICKET_LENGTH_MAX and re.fullmatch(pattern, value)):
            return value
        raise fault(f"the example {quote(value)} is no ticket of this pattern", "write one that the pattern matches")


def _ticket_form(value: object) -> str:
    return "rule" if isinstance(value, dict | TicketRule) else "pattern"


Ticket = Annotated[
    Annotated[Pattern, Tag("pattern")] | Annotated[TicketRule, Tag("rule")],
    Discriminator(_ticket_form),
]


class AutoApproval(Raw):
    name: Text = Field(description="how the record names the rule")
    who: Names = Field(description="groups, `owners` or `requesters`")
    in_incident_channel: bool = Field(
        False, description="only when asked in a channel that is proved to be an incident's"
    )
    max_duration: Duration | None = Field(None, description="longer asks need an approval")
    hours: Hours | None = Field(None, description="only within this window")
    max_uses_per_day: Count | None = Field(None, description="uses a person and day")


class Settings(Raw):
    """What may be said of an entitlement on every level, from the workspace down to the role in an environment."""

    approve: dict[str, Count] | None = Field(None, description="how many distinct people of each group must agree")
    durations: Durations | None = Field(None, description="the menu")
    default_duration: Duration | None = Field(None, description="what is meant when nobody says; the first of the menu")
    max_duration: Duration | None = Field(None, description="the longest that can be asked for")
    max_total: Duration | None = Field(None, description="the longest with all extensions")
    ticket: Ticket | None = Field(
        None, description="a pattern, or {pattern, example, link, required, max_requests, verify}"
    )
    hours: Hours | None = Field(None, description="when access can be asked for")
    auto_approve: Annotated[tuple[AutoApproval, ...], _LOOSE] | None = Field(
        None, description="rules that approve by themselves"
    )
    request_expires_after: Duration | None = Field(None, description="how long a request waits for an answer")


class RoleHere(Settings):
    """A role in one environment: what differs from everywhere else."""

    owners: Names | None = None
    requesters: Names | None = None
    allows: Text | None = None
    danger: Text | None = None
    how_to: Text | None = None
    outlives: Text | None = None
    end_sessions: bool | None = None


def _down_form(value: object) -> str:
    return "roles" if isinstance(value, list | tuple) else "all"


# `true`, or which roles.
WhenChatIsDown = Annotated[
    Annotated[bool, Tag("all")] | Annotated[Names, Tag("roles")],
    Discriminator(_down_form),
]


class BreakGlass(Raw):
    who: Names = Field(description="groups, `owners` or `requesters`")
    roles: Names
    max_duration: Duration
    max_per_day: Count | None = Field(None, description="uses a person and day")
    max_total: Duration | None = Field(None, description="the longest with all extensions")
    review_within: Duration | None = Field(None, description="how long the review may take")
    when_chat_is_down: WhenChatIsDown = Field(
        False,
        description="from a terminal, while no chat can be reached: true for the roles here of risk read, or a list of roles",
    )


class Escalate(Raw):
    after: Duration
    to: Names = Field(description="groups, `owners` or `requesters`")
    may_approve: bool = Field(False, description="false: they are only mentioned")


class Freeze(Raw):
    start: Instant = Field(alias="from")
    until: Instant
    reason: Text

    @model_validator(mode="after")
    def _order(self) -> Freeze:
        if self.until <= self.start:
            raise fault("the freeze ends before it begins", "exchange 'from' and 'until'")
        return self


# No session of a pipeline lasts longer.
GATE_LASTS_MAX = timedelta(hours=12)


class Gate(Raw):
    """What a pipeline waits for, apart from roles: nobody can ask for it, and nobody is given anything by it."""

    approve: dict[str, Count] = Field(min_length=1, description="how many distinct people of each group must agree")
    hours: Hours | None = Field(None, description="when a pipeline can ask, and be approved")
    ticket: Ticket | None = Field(
        None, description="a pattern, or {pattern, example, link, required, max_requests, verify}"
    )
    expires_after: Duration | None = Field(None, description="how long it waits; request_expires_after unless said")
    unknown_starter: Literal["refuse", "one_more"] | None = Field(
        None, description="where nobody knows who started, re-ran or pushed: one more must agree, or it is refused"
    )
    # A union of what the registered providers offer: `provided.environment_file`.
    target: Any = Field(None, description="what the pipeline's own role is given for the time of its run")
    lasts: Duration | None = Field(None, alias="for", description="how long it has that at most; needed with target")
    outlives: Text | None = Field(None, description="why what it is given has to allow what outlives the end")
    break_glass: bool = Field(
        False, description="whether whoever may break the glass in the environment may open it alone in an emergency"
    )

    @model_validator(mode="after")
    def _whole(self) -> Gate:
        if (self.target is None) != (self.lasts is None):
            here, missing = ("target", "for") if self.lasts is None else ("for", "target")
            raise fault(f"'{here}' stands without '{missing}'", f"add {missing}, or take {here} out")
        if self.lasts is not None and self.lasts > GATE_LASTS_MAX:
            raise fault("'for' is longer than a job can want it", "write at most 12h")
        if self.outlives and self.target is None:
            raise fault("'outlives' means nothing without 'target'", "take it out")
        return self


Freezes = Annotated[tuple[Freeze, ...], _LOOSE]
Tier = Literal["production", "staging", "development"]
Visibility = Literal["open", "members"]


def _empty_role(value: object) -> object:
    """`read-only:` with nothing behind it means: as everywhere."""
    return Block() if value is None else value


class EnvironmentFile(Settings):
    """environments/NAME.yaml"""

    environment: EnvironmentName = Field(description="the same as the file's name")
    title: Text | None = Field(None, description="as people call it")
    tier: Tier
    connection: str | None = Field(None, description="not needed where there is one connection only")
    account: Account | None = Field(None, description="12 digits, in quotes")
    owners: Names = Field(description="groups that may approve; never their own")
    requesters: Names = Field(description="groups that may ask")
    approvals_channel: Channels | None = Field(None, description="where approval cards stand: a channel, or a list")
    visibility: Visibility | None = Field(None, description="members: outsiders see environment, state and id alone")
    roles: dict[str, Annotated[RoleHere, BeforeValidator(_empty_role)]] = Field(min_length=1)
    break_glass: BreakGlass | None = None
    escalate: Escalate | None = None
    freezes: Freezes | None = None
    gates: Annotated[dict[Name, Gate], Field(min_length=1)] | None = Field(
        None, description="what pipelines wait for, by name"
    )
    activity: bool | None = Field(
        None, description="whether a worker looks at what was done with access once it is over, and it is on the record"
    )
    drift: Literal["alert", "revoke"] | None = Field(
        None, description="what becomes of access that the record does not know; revoke takes away what is ours by name"
    )


_SOURCES = ("members", "identity_center_group", "slack_usergroup", "entra_group", "pagerduty_schedule", "https")


class Group(Raw):
    """People, named once. Exactly one source."""

    members: Annotated[tuple[Address, ...], Field(strict=False, min_length=1)] | None = None
    identity_center_group: Text | None = Field(None, description="display name in Identity Center")
    connection: str | None = Field(None, description="where the Identity Center group is, if there are several")
    slack_usergroup: UserGroup | None = None
    entra_group: EntraGroup | None = Field(None, description="object id of a group in Entra, with the groups in it")
    trusted: bool = Field(False, description="only administrators may edit this group in Slack, or in Entra")
    pagerduty_schedule: Text | None = Field(None, description="who is on call in this schedule")
    https: PeopleAddress | None = Field(None, description="an address that answers with a list of e-mail addresses")
    token: FromEnvironment | None = Field(None, description="the secret for pagerduty_schedule or https")

    @model_validator(mode="after")
    def _one_source(self) -> Group:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"{' and '.join(given)} stand together" if given else "nothing says who is in it"
            raise fault(found, f"a group has one of {', '.join(_SOURCES)}")
        self._belongs("trusted", self.trusted, ("slack_usergroup", "entra_group"), given[0])
        self._belongs("token", self.token, ("pagerduty_schedule", "https"), given[0])
        self._belongs("connection", self.connection, ("identity_center_group",), given[0])
        return self

    def _belongs(self, key: str, value: object, sources: tuple[str, ...], given: str) -> None:
        if value and given not in sources:
            raise fault(f"'{key}' means nothing beside '{given}'", f"it belongs to {' or '.join(sources)}; take it out")


class IncidentChannels(Raw):
    names: Annotated[tuple[Text, ...], _LOOSE] = Field((), description="patterns like inc-*")
    created_by: Annotated[tuple[ChatUser, ...], _LOOSE] = Field((), description="only their channels prove an incident")
    teams: Annotated[tuple[TeamsConversation, ...], _LOOSE] = Field(
        (), description="ids of conversations in Teams that are an incident's; no other one there is"
    )


class Digest(Raw):
    channel: Channels = Field(description="where it is posted: a channel, or a list")
    schedule: Schedule = Field(description="five cron fields, in the time zone of the policy")
    environments: Names | None = None
    only_if_active: bool = False
    report: Duration | None = Field(None, description="the access review of so long a time, instead of what is active")

    @model_validator(mode="after")
    def _one_of_them(self) -> Digest:
        if self.report is not None and self.only_if_active:
            raise fault("'only_if_active' means nothing beside 'report'", "a report is posted each time; take it out")
        return self


class WebhookAddress(Raw):
    """The address of a webhook is a secret: whoever has it can post. By the name of the variable that holds it."""

    env: Variable

    @field_validator("env")
    @classmethod
    def _of_somebody_else(cls, name: str) -> str:
        """No secret of the bot's, or of the cloud's, is posted to, whatever the policy calls an address."""
        if name.removesuffix("_FILE") in OUR_SECRETS or name.startswith("AWS_"):
            suggestion = "keep the webhook's address in another one, like OPS_WEBHOOK"
            raise fault(f"{quote(name)} is a variable of the bot's own", suggestion)
        return name


class Webhook(Raw):
    """Where final lines are posted, for a channel in Teams say. Nothing comes back from there."""

    name: Name
    url: WebhookAddress
    environments: Names | None = Field(None, description="which ones it is told of; all, as an outsider, unless said")
    kinds: Annotated[tuple[Literal["receipts", "digests"], ...], Field(strict=False, min_length=1)] = Field(
        ("receipts", "digests"), description="what is posted there"
    )


def _named_once(hooks: tuple[Webhook, ...]) -> tuple[Webhook, ...]:
    names = [hook.name for hook in hooks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise fault(f"two webhooks are called {quote(twice)}", "rename one of them")
    return hooks


RiskOrAny = Literal["read", "change", "admin", "any"]


class Rules(Raw):
    production: dict[RiskOrAny, Settings] = Field(default_factory=dict)
    staging: dict[RiskOrAny, Settings] = Field(default_factory=dict)
    development: dict[RiskOrAny, Settings] = Field(default_factory=dict)


class PolicyChanges(Raw):
    approve: dict[str, Count] = Field(min_length=1, description="how many distinct people of each group must agree")


CERTIFY_EVERY_MIN = timedelta(days=7)
# Somebody asks about last week's access in chat, which has no archive.
RETENTION_MIN = timedelta(days=7)


class Drift(Raw):
    every: Duration = Field(description="how often targets are compared with the record: 10m to 24h")

    @field_validator("every")
    @classmethod
    def _within(cls, value: timedelta) -> timedelta:
        if timedelta(minutes=10) <= value <= timedelta(hours=24):
            return value
        raise fault("drift is looked for every 10 minutes at most, and every 24 hours at least", "write every: 1h")


def _long_enough(value: timedelta) -> timedelta:
    if value >= RETENTION_MIN:
        return value
    raise fault("what is over stays in the record for 7 days at least", "write retention: 90d")


class Certify(Raw):
    every: Duration = Field(description="owners are asked which roles and people stay: 7d to 366d")
    due: Duration = Field(DUE_WITHIN, description="the time to answer: 90d at most, and shorter than every")

    @model_validator(mode="after")
    def _fits(self) -> Certify:
        if self.every < CERTIFY_EVERY_MIN:
            raise fault("owners are asked every 7 days at most", "write every: 90d")
        if self.due > DUE_WITHIN_MAX or self.due >= self.every:
            raise fault("the time to answer is 90 days at most, and over before the next one begins", "write due: 14d")
        return self


class WorkspaceFile(Settings):
    """prodaccess.yaml"""

    version: Literal[1]
    timezone: TimeZone = Field("UTC", description="for schedules and working hours")
    email_domains: Annotated[tuple[Domain, ...], Field(strict=False, min_length=1)]
    home_workspaces: Annotated[tuple[Workspace, ...], Field(strict=False)] = Field(
        (), description="further Slack workspaces whose members are ours, where Slack does not say so itself"
    )
    former_domains: dict[Domain, Domain] = Field(
        default_factory=dict, description="a domain that was renamed, and what it is called now"
    )
    # Of the models of the providers that there are: see `provided`.
    connections: dict[Name, Any] = Field(min_length=1)
    receipts_channel: Channels = Field(description="where receipts stand: a channel, or a list")
    groups: dict[GroupName, Group] = Field(min_length=1)
    incident_channels: IncidentChannels = IncidentChannels()
    panic_group: str | None = Field(None, description="the group that may revoke everywhere")
    panic_block: Duration | None = Field(None, description="how long its revoke-all of a person keeps new asks out")
    policy_changes: PolicyChanges | None = Field(
        None, description="whose agreement a change waits for that loosens production"
    )
    on_mover: Literal["end", "keep", "tell"] | None = Field(
        None, description="what becomes of live access whose holder may no longer ask for it; tell unless said"
    )
    drift: Drift | None = Field(None, description="how often targets are compared with the record; hourly unless said")
    retention: Annotated[Duration, AfterValidator(_long_enough)] | None = Field(
        None,
        description="how long what is over stays in Redis once the archive has it: 7d or more; for ever unless said",
    )
    certify: Certify | None = Field(None, description="certifications that begin by themselves; by hand unless said")
    rules: Rules = Rules()
    digests: Annotated[tuple[Digest, ...], _LOOSE] = ()
    webhooks: Annotated[tuple[Webhook, ...], _LOOSE, AfterValidator(_named_once)] = ()
    pipelines: Pipelines = ()
    people: People = Field(
        default_factory=dict, description="whose an account at GitHub or GitLab is, by its numeric id"
    )
    identity_accounts: Annotated[tuple[Account, ...], _LOOSE] = Field(
        (), description="AWS accounts that vouch for people at a terminal: 12 digits, in quotes"
    )
    visibility: Visibility | None = None
    escalate: Escalate | None = None
    freezes: Freezes | None = None


class Role(Raw):
    risk: Literal["read", "change", "admin"]
    allows: Text = Field(description="one line for the form and the card")
    danger: Text | None = Field(None, description="shown on the form and the card; Approve asks to confirm")
    how_to: Text | None = Field(None, description="told to the holder when access is there")
    outlives: Text | None = Field(
        None, description="why the template may allow what its holder keeps after the end (keys, other roles, ...)"
    )
    end_sessions: bool | None = Field(
        None, description="a revocation ends sessions that are open, too; false unless said"
    )
    # As above.
    target: Any


class RolesFile(Raw):
    """roles.yaml"""

    roles: dict[Name, Role] = Field(min_length=1)
