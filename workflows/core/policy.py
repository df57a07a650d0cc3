"""The policy, resolved: every entitlement carries its effective rules. Built by `workflows.policy_file`.

Precedence has been applied already (role in an environment > environment > rule of tier and risk > workspace), so
nothing that decides needs to look anywhere else. All models are frozen; all durations are `timedelta`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from workflows.core.destination import Destination, Kind
from workflows.core.identity import WEBHOOK, Address
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.provider import Connection, TargetSpec

OWNERS = "owners"
REQUESTERS = "requesters"
# How often targets are compared with the ledger unless somebody says otherwise.
DRIFT_EVERY = timedelta(hours=1)
# What a webhook can be told.
RECEIPTS = "receipts"
DIGESTS = "digests"


class Tier(StrEnum):
    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"


class Risk(StrEnum):
    READ = "read"
    CHANGE = "change"
    ADMIN = "admin"


class OnMover(StrEnum):
    """What becomes of live access whose holder may ask for it no longer."""

    END = "end"
    TELL = "tell"  # it stays, and the owners hear of it
    KEEP = "keep"


class Visibility(StrEnum):
    OPEN = "open"
    MEMBERS = "members"


class UnknownStarter(StrEnum):
    """What becomes of a pipeline's ask of which nobody knows who started it, re-ran it or pushed the commit."""

    REFUSE = "refuse"
    ONE_MORE = "one_more"  # whoever it was may be one of those who agree: for each of them one more has to


class OnDrift(StrEnum):
    """What becomes of access that the ledger does not know of."""

    ALERT = "alert"
    # What is told ours by name, and no other one, is taken away.
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Group:
    """People, named once. Exactly one source is set; `members` is the one that needs no look-up."""

    name: str
    members: frozenset[Address] | None = None
    slack_usergroup: str | None = None
    # The object id of a group in Entra, in lower case; who is in a group of it is in it.
    entra_group: str | None = None
    identity_center_group: str | None = None
    # The Identity Center connection to look `identity_center_group` up in; the only one, where one is configured.
    connection: str | None = None
    pagerduty_schedule: str | None = None
    https: str | None = None
    token_env: str | None = None
    trusted: bool = False

    @property
    def may_be_edited(self) -> bool:
        """Whether people may have let themselves in, as far as anybody here knows: it decides nothing in production."""
        return (self.slack_usergroup or self.entra_group) is not None and not self.trusted

    @property
    def source(self) -> str | None:
        """Where its members are looked up, as one name; None where the policy itself lists them."""
        if self.slack_usergroup:
            return f"slack:{self.slack_usergroup}"
        if self.entra_group:
            return f"entra:{self.entra_group}"
        if self.identity_center_group:
            return f"identity-center:{self.connection}:{self.identity_center_group}"
        if self.pagerduty_schedule:
            return f"pagerduty:{self.pagerduty_schedule}"
        return f"https:{self.https}" if self.https else None


@dataclass(frozen=True, slots=True)
class Hours:
    """A weekly window in the policy's time zone. `days`: 0 is Monday. `until` <= `start` runs past midnight."""

    days: frozenset[int]
    start: time
    until: time


@dataclass(frozen=True, slots=True)
class AutoApproval:
    """A rule that approves by itself. Every condition that is set must hold."""

    name: str
    who: tuple[str, ...]
    in_incident_channel: bool = False
    max_duration: timedelta | None = None
    hours: Hours | None = None
    max_uses_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    who: tuple[str, ...]
    roles: tuple[str, ...]
    max_duration: timedelta
    max_per_day: int | None = None
    max_total: timedelta | None = None
    review_within: timedelta | None = None
    # The roles that somebody may let themselves into from a terminal, while no chat can be reached.
    when_chat_is_down: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalation:
    after: timedelta
    to: tuple[str, ...]
    may_approve: bool = False


@dataclass(frozen=True, slots=True)
class Freeze:
    start: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class TicketCheck:
    """The system that says whether a ticket exists and is open. `https` has `{ticket}` in its path or query."""

    https: str
    token_env: str | None = None
    # Whether a ticket is taken of which that cannot be learnt.
    accept_unknown: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.https).netloc


@dataclass(frozen=True, slots=True)
class Ticket:
    """`pattern` is a regular expression, matched with `fullmatch` against words of the justification or the field."""

    pattern: str
    link: str | None = None
    required: bool = True
    # How many requests may carry one ticket; None: any number.
    max_requests: int | None = None
    # What one looks like; empty where nobody said.
    example: str = ""
    # None: what the pattern matches is taken.
    verify: TicketCheck | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One role in one environment with its effective rules."""

    environment: str
    role: str
    tier: Tier
    risk: Risk
    allows: str
    target: TargetSpec
    connection: Connection
    account: str | None
    requesters: tuple[str, ...]
    owners: tuple[str, ...]
    # How many distinct people of each group must agree; empty where only auto-approval lets anybody in.
    approve: Mapping[str, int]
    durations: tuple[timedelta, ...]
    default_duration: timedelta
    max_duration: timedelta
    max_total: timedelta | None = None
    ticket: Ticket | None = None
    auto_approve: tuple[AutoApproval, ...] = ()
    hours: Hours | None = None
    danger: str | None = None
    how_to: str | None = None
    # Why it may let its holder keep access after the end; None where nobody said.
    outlives: str | None = None
    # Whether a revocation ends sessions that are open then, as far as its target can.
    end_sessions: bool = False
    expires_after: timedelta = timedelta(hours=1)
    # Where each effective value came from, for `config render --explain`: key -> "payments-prod.yaml:12".
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.environment} {self.role}"


# How a gate's place among the entitlements is called: no role of the files can have a colon or a plus in its name.
GATE = "gate:"


@dataclass(frozen=True, slots=True)
class GateTarget:
    """What a pipeline's own role is given once its run took the approval, and for how long at most."""

    target: TargetSpec
    connection: Connection
    account: str | None
    duration: timedelta
    # Why what it gives has to allow what outlives the end; None: it does not.
    outlives: str | None = None

    def phrase(self) -> str:
        """All of it in one line, so that a difference shows."""
        where = f" in {self.account}" if self.account else ""
        return f"{self.target.phrase()} through {self.connection.name}{where}"


@dataclass(frozen=True, slots=True)
class Gate:
    """What a pipeline waits for. `entitlement`: who must agree, when, with which ticket; nobody can ask for it or hold it."""

    name: str
    entitlement: Entitlement
    unknown_starter: UnknownStarter = UnknownStarter.ONE_MORE
    # None: the approval gives nothing, and is advice to the pipeline.
    gives: GateTarget | None = None
    # Whether whoever may break the glass in the environment may open it alone in an emergency.
    break_glass: bool = False

    @property
    def as_given(self) -> Entitlement | None:
        """What it gives the pipeline's own role, as if a role of the policy did; nobody may ask for it. None: nothing."""
        gives = self.gives
        if gives is None:
            return None
        return replace(self.entitlement, target=gives.target, connection=gives.connection, account=gives.account)

    def asked_with(self, more: int) -> Entitlement:
        """With so many more who must agree: owners, where they are asked, else of the first group that is."""
        if more <= 0:
            return self.entitlement
        approve = dict(self.entitlement.approve)
        word = OWNERS if OWNERS in approve else next(iter(approve))
        approve[word] += more
        return replace(self.entitlement, role=gate_role(self.name, more), approve=approve)


def gate_role(gate: str, more: int = 0) -> str:
    """`gate:deploy`; with two more who must agree `gate:deploy+2`."""
    return f"{GATE}{gate}" + (f"+{more}" if more > 0 else "")


def one_or_all(channels: tuple[str, ...]) -> str | list[str] | None:
    """As the files write it: one by itself. What is named after channels keeps its name where there is one."""
    if len(channels) > 1:
        return list(channels)
    return channels[0] if channels else None


@dataclass(frozen=True, slots=True)
class Environment:
    name: str
    title: str
    tier: Tier
    owners: tuple[str, ...]
    requesters: tuple[str, ...]
    roles: Mapping[str, Entitlement]
    # Destinations' text, as in `receipts_channels`; none: its owners are written to.
    approvals_channels: tuple[str, ...] = ()
    visibility: Visibility = Visibility.OPEN
    break_glass: BreakGlass | None = None
    escalate: Escalation | None = None
    freezes: tuple[Freeze, ...] = ()
    drift: OnDrift = OnDrift.ALERT
    # Whether it is looked up what was done with access, once it is over.
    activity: bool = False
    # What pipelines wait for, by name; apart from roles, because nobody can ask for one.
    gates: Mapping[str, Gate] = field(default_factory=dict)

    @property
    def given(self) -> tuple[Entitlement, ...]:
        """By its roles to people, and by its gates to pipelines' own roles."""
        gates = (gate.as_given for gate in self.gates.values())
        return (*self.roles.values(), *(one for one in gates if one is not None))

    @property
    def decided(self) -> tuple[Entitlement, ...]:
        """All that somebody decides on here: its roles and its gates."""
        return (*self.roles.values(), *(gate.entitlement for gate in self.gates.values()))

    def entitlement(self, role: str) -> Entitlement | None:
        """Of a role, or of a gate by `gate_role`."""
        if not role.startswith(GATE):
            return self.roles.get(role)
        name, _, more = role.removeprefix(GATE).partition("+")
        number = int(more) if more.isascii() and more.isdecimal() else 0
        gate = self.gates.get(name) if role == gate_role(name, number) else None
        return gate.asked_with(number) if gate is not None else None


@dataclass(frozen=True, slots=True)
class Digest:
    """A scheduled summary. `schedule` is a five-field cron expression in the policy's time zone."""

    channels: tuple[str, ...]
    schedule: str
    environments: tuple[str, ...] | None = None
    only_if_active: bool = False
    # The access review of so long a time is posted in place of what is active.
    report: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CertifyPlan:
    """Owners are asked `every` so long which roles and people stay, and have until `due` after that."""

    every: timedelta
    due: timedelta


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes what is posted for a channel somewhere, and gives nothing back: no edits, no threads, no presses.

    `url_env`: the variable that holds the address, which is a secret. `environments`: which ones it is told of, and whose own
    it is where they hide who and why from outsiders; None: all of them, as an outsider.
    """

    name: str
    url_env: str
    environments: tuple[str, ...] | None = None
    kinds: frozenset[str] = frozenset({RECEIPTS, DIGESTS})

    @property
    def place(self) -> str:
        """Its destination, as text."""
        return str(Destination(WEBHOOK, Kind.CHANNEL, self.name))

    def hears_of(self, environment: str) -> bool:
        return self.environments is None or environment in self.environments

    def belongs_to(self, environment: str) -> bool:
        """Whether its readers are no outsiders there: somebody has named the environment, and knew who reads."""
        return self.environments is not None and environment in self.environments


@dataclass(frozen=True, slots=True)
class IncidentChannels:
    """`names` are shell-style patterns; `created_by` are Slack user ids whose channels count as proof of an incident. In Teams
    the conversations of `teams` (destinations) are incidents', and no other one is.
    """

    names: tuple[str, ...] = ()
    created_by: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    @property
    def can_be_proved(self) -> bool:
        return bool(self.created_by or self.teams)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the folder says. `hash` is SHA-256 over the content of its files (64 hex digits).

    Channels are destinations' text (`core.destination`).
    """

    hash: str
    timezone: str
    email_domains: tuple[str, ...]
    connections: Mapping[str, Connection]
    receipts_channels: tuple[str, ...]
    groups: Mapping[str, Group]
    environments: Mapping[str, Environment]
    incident_channels: IncidentChannels = IncidentChannels()
    request_expires_after: timedelta = timedelta(hours=1)
    panic_group: str | None = None
    # For how long somebody whose access the panic group took back cannot ask again.
    panic_block: timedelta = timedelta(hours=1)
    digests: tuple[Digest, ...] = ()
    # What a domain of `email_domains` was called before: whoever had an address there has the same one here.
    former_domains: Mapping[str, str] = field(default_factory=dict)
    # Ids of further chat workspaces whose full members are ours, where the chat does not name the organisation itself.
    home_workspaces: tuple[str, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    # How many people of which groups must agree to a change that loosens production; empty where none has to wait.
    policy_changes: Mapping[str, int] = field(default_factory=dict)
    on_mover: OnMover = OnMover.TELL
    # How often targets are compared with the ledger.
    drift_every: timedelta = DRIFT_EVERY
    # Which may ask for a gate.
    pipelines: tuple[Pipeline, ...] = ()
    # Whose an account at a forge is: address (as it is now) -> forge -> numeric id. An account is one person's.
    forge_ids: Mapping[Address, Mapping[str, int]] = field(default_factory=dict)
    # Ids of the AWS accounts that vouch for people at a terminal; with none nobody acts from one.
    identity_accounts: tuple[str, ...] = ()
    # For how long what is over stays in the ledger, once the archive has it; None: for ever.
    retention: timedelta | None = None
    # None: a certification begins by hand alone.
    certify: CertifyPlan | None = None

    @property
    def security(self) -> tuple[str, ...]:
        """Names of the groups whose members may press the panic switch: one at most, and none where none is named."""
        return (self.panic_group,) if self.panic_group else ()

    def own_places(self, environment: str) -> tuple[str, ...]:
        """Where nobody is an outsider to it, as destinations' text: its own channels, and webhooks that name it."""
        found = self.environments.get(environment)
        hooks = (hook.place for hook in self.webhooks if hook.belongs_to(environment))
        return (*(found.approvals_channels if found else ()), *hooks)

    def entitlement(self, environment: str, role: str) -> Entitlement | None:
        found = self.environments.get(environment)
        return found.entitlement(role) if found else None
