"""What the policy says, in the judge's words; the real policy is made from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from tests.support import build
from tests.support.build import HOUR, MINUTE
from workflows.core.policy import BreakGlass, Escalation, Freeze, Group, OnDrift, Policy, Risk
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec

PLACE, TOOLS = "payments-prod", "payments-tools"
# The role of which access of ours is told by its name: it has an environment of its own.
TOOLS_ROLE = "repair"
ASKERS = ("developers", "platform", "security")
CARDS, RECEIPTS = "C0PAYMENTS", "C0RECEIPTS"
AUTO_GROUP, GLASS_GROUP, PANIC_GROUP = "oncall", "oncall", "security"
RULES = {"quick": "on call reads", "ops": "on call operates"}
GLASS_ROLES = ("reader", "admin")
GLASS_LONGEST = 5 * MINUTE
DAY = timedelta(days=1)
PENDING_FOR = 8 * MINUTE
TEMPLATE = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'


@dataclass(frozen=True)
class Law:
    number: int = 0
    read_set: str = "ReadOnlyAccess"
    owners: str = "platform"
    reader_votes: int = 1
    without: str = ""
    glass: bool = True
    longest: timedelta = HOUR
    escalation_approves: bool = False
    # What comes from nowhere in TOOLS is taken away; and how often anybody looks.
    revokes: bool = False
    # Nothing is agreed to, and how often somebody may break the glass in a day.
    frozen: bool = False
    glass_a_day: int = 2
    drift_every: timedelta = HOUR

    @property
    def hash(self) -> str:
        return f"{self.number:064x}"

    def places(self, role: str) -> list[str]:
        """The groups of which somebody must agree, one for each person who must."""
        if role == "admin":
            return [self.owners, "security"]
        return [self.owners] * (self.reader_votes if role == "reader" else 1)


CHANGES: tuple[dict[str, object], ...] = (
    {"read_set": "ViewOnlyAccess"},
    {"read_set": "ReadOnlyAccess"},
    {"owners": "security"},
    {"owners": "platform"},
    {"reader_votes": 2},
    {"reader_votes": 1},
    {"without": "reader"},
    {"without": "repair"},
    {"without": ""},
    {"glass": False},
    {"glass": True},
    {"longest": 2 * MINUTE},
    {"longest": HOUR},
    {"escalation_approves": True},
    {"escalation_approves": False},
    {"frozen": True},
    {"frozen": False},
    {"frozen": False},
    {"glass_a_day": 1},
    {"glass_a_day": 2},
    {"revokes": False},
    {"revokes": True},
)
ROLES = ("read-only", "reader", "quick", "admin", "repair", "ops", "deploy")


def place_of(role: str) -> str:
    return TOOLS if role == TOOLS_ROLE else PLACE


def policy_of(law: Law) -> Policy:
    """Three roles that mean the same permission set, and one of each other kind of target."""
    reading = AwsSpec(AwsKind.IDENTITY_CENTER, permission_set=law.read_set)
    one, both = {"owners": 1}, {"owners": 1, "security": 1}
    roles = {
        "read-only": (Risk.READ, reading, one),
        "reader": (Risk.READ, reading, {"owners": law.reader_votes}),
        "quick": (Risk.READ, reading, one),
        "admin": (Risk.ADMIN, AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="AdministratorAccess"), both),
        "repair": (Risk.CHANGE, AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=TEMPLATE), one),
        "ops": (Risk.CHANGE, AwsSpec(AwsKind.IAM_GROUP, user="{local_part}", group="ops"), one),
        "deploy": (Risk.CHANGE, AwsSpec(AwsKind.IDENTITY_CENTER_GROUP, group="Deployers"), one),
    }
    entitlements = [
        build.entitlement(
            name,
            environment=place_of(name),
            risk=risk,
            target=target,
            approve=approve,
            owners=(law.owners,),
            requesters=ASKERS,
            max_duration=law.longest,
            durations=tuple(one for one in (MINUTE, 2 * MINUTE, 5 * MINUTE, HOUR) if one <= law.longest),
            default_duration=MINUTE,
            expires_after=PENDING_FOR,
            auto_approve=(build.auto(RULES[name], (AUTO_GROUP,)),) if name in RULES else (),
        )
        for name, (risk, target, approve) in roles.items()
        if name != law.without
    ]
    glass = BreakGlass(
        (GLASS_GROUP,), GLASS_ROLES, min(GLASS_LONGEST, law.longest), law.glass_a_day, review_within=HOUR
    )
    place = build.environment(
        *(one for one in entitlements if one.environment == PLACE),
        owners=(law.owners,),
        requesters=ASKERS,
        approvals_channels=(CARDS,),
        break_glass=glass if law.glass else None,
        freezes=(Freeze(build.NOW - DAY, build.NOW + DAY, "the year ends"),) if law.frozen else (),
        escalate=Escalation(3 * MINUTE, (GLASS_GROUP,), law.escalation_approves),
    )
    tools = replace(
        place,
        name=TOOLS,
        title="Tools",
        roles={one.role: one for one in entitlements if one.environment == TOOLS},
        break_glass=None,
        drift=OnDrift.REVOKE if law.revokes else OnDrift.ALERT,
    )
    groups = {name: Group(name, slack_usergroup=f"S0{name.upper()}", trusted=True) for name in build.GROUPS}
    places = (place, tools) if tools.roles else (place,)
    made = build.policy(*places, groups=groups, hash=law.hash)
    return replace(made, receipts_channels=(RECEIPTS,), drift_every=law.drift_every)
