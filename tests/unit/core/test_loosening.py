"""What a change of the policy makes looser in production: each kind is found, what is narrower is not, and nothing is missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import build
from tests.support.pipelines import github_pipeline
from workflows.core.identity import Address
from workflows.core.loosening import Kind, loosened
from workflows.core.policy import (
    AutoApproval,
    BreakGlass,
    Entitlement,
    Escalation,
    Freeze,
    Gate,
    Group,
    Hours,
    IncidentChannels,
    OnDrift,
    OnMover,
    Policy,
    Ticket,
    TicketCheck,
    Tier,
    UnknownStarter,
    Visibility,
    Webhook,
    gate_role,
)
from workflows.core.records.request import Vote
from workflows.core.rules.approval import MayDecide, decision_by_votes, may_decide
from workflows.policy_file.cases.facts import Known, group_facts, person_facts
from workflows.policy_file.cases.judge import Verdict, judge
from workflows.policy_file.cases.raw import Case
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # a Tuesday
PEOPLE = tuple(Address(f"{name}@example.com") for name in "abcd")
A, B, C, D = PEOPLE


def people(*names: Address) -> Group:
    return Group("", members=frozenset(names))


def base(**changes: Any) -> Policy:
    groups = {
        "platform": people(A, B),
        "security": people(C),
        "devs": people(C, D),
        "rota": Group("rota", slack_usergroup="S1"),
    }
    groups = {name: replace(group, name=name) for name, group in groups.items()}
    return build.policy(**{"groups": groups, "environments": {"prod": place()}, "panic_group": "security", **changes})


def place(*roles: Entitlement, **changes: Any) -> Any:
    found = build.policy().environments["payments-prod"]
    own = {
        "name": "prod",
        "owners": ("platform",),
        "requesters": ("devs",),
        "roles": {one.role: one for one in roles or (role(),)},
        "break_glass": None,
        "escalate": None,
        "freezes": (),
    }
    return replace(found, **{**own, **changes})


def role(**changes: Any) -> Entitlement:
    own = {
        "environment": "prod",
        "owners": ("platform",),
        "requesters": ("devs",),
        "approve": {"owners": 1},
        "auto_approve": (),
        "ticket": None,
        "hours": None,
        "max_duration": 2 * HOUR,
        "max_total": None,
    }
    return build.entitlement(**{**own, **changes})


def with_role(**changes: Any) -> Policy:
    return base(environments={"prod": place(role(**changes))})


def with_place(**changes: Any) -> Policy:
    return base(environments={"prod": place(**changes)})


def with_groups(**changes: Group) -> Policy:
    return base(groups={**base().groups, **{name: replace(group, name=name) for name, group in changes.items()}})


def gate(unknown: UnknownStarter) -> Gate:
    return Gate("deploy", replace(role(), role=gate_role("deploy")), unknown)


def kinds(old: Policy, new: Policy) -> list[Kind]:
    return [one.kind for one in loosened(old, new, NOW)]


RULE = AutoApproval(
    "r", ("devs",), max_duration=HOUR, max_uses_per_day=2, hours=Hours(frozenset({0, 1}), time(8), time(17))
)
GLASS = BreakGlass(("devs",), ("read-only",), HOUR, max_per_day=2, max_total=2 * HOUR, review_within=4 * HOUR)
FREEZE = Freeze(NOW + timedelta(days=10), NOW + timedelta(days=20), "Christmas")
TICKET = Ticket("INC-[0-9]+", max_requests=3, verify=TicketCheck("https://t.example.com/{ticket}"))
HOOK = Webhook("teams", "HOOK", ("prod",))
OFFICE = Hours(frozenset({0, 1, 2, 3, 4}), time(8), time(17))

PAIRS: list[tuple[str, Policy, Policy, list[Kind]]] = [
    (
        "another owner through a group",
        base(),
        with_groups(platform=people(A, B, D)),
        [Kind.OWNERS, Kind.APPROVERS],
    ),
    ("a group may approve beside the owners", base(), with_role(approve={"owners": 1, "devs": 1}), []),
    ("another group approves in their place", base(), with_role(approve={"devs": 1}), [Kind.FEWER, Kind.APPROVERS]),
    ("one in place of two", with_role(approve={"owners": 2}), base(), [Kind.FEWER]),
    ("security need not agree", with_role(approve={"owners": 1, "security": 1}), base(), [Kind.FEWER]),
    ("somebody can agree at all", with_role(approve={}), base(), [Kind.FEWER]),
    ("a rule of its own", base(), with_role(auto_approve=(RULE,)), [Kind.AUTO_APPROVAL]),
    (
        "a rule for longer",
        with_role(auto_approve=(RULE,)),
        with_role(auto_approve=(replace(RULE, max_duration=2 * HOUR),)),
        [Kind.AUTO_APPROVAL],
    ),
    (
        "a rule at any time",
        with_role(auto_approve=(RULE,)),
        with_role(auto_approve=(replace(RULE, hours=None),)),
        [Kind.AUTO_APPROVAL],
    ),
    (
        "a rule more often",
        with_role(auto_approve=(RULE,)),
        with_role(auto_approve=(replace(RULE, max_uses_per_day=None),)),
        [Kind.AUTO_APPROVAL],
    ),
    (
        "a counted rule under another name",
        with_role(auto_approve=(RULE,)),
        with_role(auto_approve=(replace(RULE, name="s"),)),
        [Kind.AUTO_APPROVAL],
    ),
    (
        "a rule without an incident",
        with_role(auto_approve=(replace(RULE, in_incident_channel=True),)),
        with_role(auto_approve=(RULE,)),
        [Kind.AUTO_APPROVAL],
    ),
    ("break-glass", base(), with_place(break_glass=GLASS), [Kind.BREAK_GLASS]),
    (
        "break-glass for more people",
        with_place(break_glass=GLASS),
        with_place(break_glass=replace(GLASS, who=("devs", "platform"))),
        [Kind.BREAK_GLASS],
    ),
    (
        "break-glass for more roles",
        with_place(break_glass=GLASS),
        with_place(break_glass=replace(GLASS, roles=("read-only", "x"))),
        [Kind.BREAK_GLASS],
    ),
    (
        "break-glass from a terminal, too",
        with_place(break_glass=GLASS),
        with_place(break_glass=replace(GLASS, when_chat_is_down=("read-only",))),
        [Kind.BREAK_GLASS],
    ),
    ("another account that vouches", base(), base(identity_accounts=("444455556666",)), [Kind.PEOPLE]),
    (
        "break-glass for longer",
        with_place(break_glass=GLASS),
        with_place(break_glass=replace(GLASS, max_duration=2 * HOUR, max_total=None)),
        [Kind.BREAK_GLASS] * 2,
    ),
    (
        "break-glass more often",
        with_place(break_glass=GLASS),
        with_place(break_glass=replace(GLASS, max_per_day=None)),
        [Kind.BREAK_GLASS],
    ),
    (
        "a later review",
        with_place(break_glass=GLASS),
        with_place(break_glass=replace(GLASS, review_within=None)),
        [Kind.REVIEW],
    ),
    (
        "an escalation that may approve",
        base(),
        with_place(escalate=Escalation(HOUR, ("devs",), True)),
        [Kind.ESCALATION],
    ),
    (
        "an escalation that comes sooner",
        with_place(escalate=Escalation(HOUR, ("devs",), True)),
        with_place(escalate=Escalation(MINUTE, ("devs",), True)),
        [Kind.ESCALATION],
    ),
    ("a freeze is gone", with_place(freezes=(FREEZE,)), base(), [Kind.FREEZE]),
    (
        "a freeze is shorter",
        with_place(freezes=(FREEZE,)),
        with_place(freezes=(replace(FREEZE, start=FREEZE.start + HOUR),)),
        [Kind.FREEZE],
    ),
    ("no ticket", with_role(ticket=TICKET), base(), [Kind.TICKET]),
    (
        "a ticket that nobody verifies",
        with_role(ticket=TICKET),
        with_role(ticket=replace(TICKET, verify=None)),
        [Kind.TICKET],
    ),
    (
        "a ticket that may be left out",
        with_role(ticket=TICKET),
        with_role(ticket=replace(TICKET, required=False)),
        [Kind.TICKET],
    ),
    ("another pattern", with_role(ticket=TICKET), with_role(ticket=replace(TICKET, pattern=".*")), [Kind.TICKET]),
    (
        "a ticket for more requests",
        with_role(ticket=TICKET),
        with_role(ticket=replace(TICKET, max_requests=None)),
        [Kind.TICKET],
    ),
    ("at any time", with_role(hours=OFFICE), base(), [Kind.HOURS]),
    ("a longer day", with_role(hours=OFFICE), with_role(hours=replace(OFFICE, until=time(18))), [Kind.HOURS]),
    ("longer", base(), with_role(max_duration=3 * HOUR), [Kind.DURATION]),
    ("no limit to extensions", with_role(max_total=3 * HOUR), base(), [Kind.DURATION]),
    ("it waits longer", base(), with_role(expires_after=9 * HOUR), [Kind.EXPIRY]),
    ("more may ask", base(), with_role(requesters=("devs", "platform")), [Kind.REQUESTERS]),
    ("sessions go on", with_role(end_sessions=True), base(), [Kind.SESSIONS]),
    ("another target", base(), with_role(account="999988887777"), [Kind.TARGET]),
    ("another role", base(), base(environments={"prod": place(role(), role(role="admin"))}), [Kind.ROLE]),
    ("another environment", base(environments={}), base(), [Kind.ENVIRONMENT]),
    (
        "a door beside production",
        base(),
        base(environments={"prod": place(), "dev": place(role(environment="dev"), name="dev", tier=Tier.DEVELOPMENT)}),
        [Kind.REACH],
    ),
    ("out of production", base(), base(environments={"prod": place(tier=Tier.STAGING)}), [Kind.TIER]),
    ("who sees it", with_place(visibility=Visibility.MEMBERS), base(), [Kind.VISIBILITY]),
    ("another domain", base(), base(email_domains=("example.com", "x.example")), [Kind.PEOPLE]),
    ("another workspace", base(), base(home_workspaces=("T9",)), [Kind.PEOPLE]),
    ("one domain is another one", base(), base(former_domains={"x.example": "example.com"}), [Kind.PEOPLE]),
    (
        "another maker of incidents",
        base(incident_channels=IncidentChannels()),
        base(incident_channels=IncidentChannels(("inc-*",), ("U9",))),
        [Kind.INCIDENTS] * 2,
    ),
    ("nobody is called", base(), base(panic_group=None), [Kind.PANIC_GROUP]),
    ("others are called", base(), base(panic_group="devs"), [Kind.PANIC_GROUP]),
    (
        "fewer agree to changes",
        base(policy_changes={"security": 2}),
        base(policy_changes={"security": 1}),
        [Kind.POLICY_CHANGES],
    ),
    ("nobody agrees to changes", base(policy_changes={"security": 1}), base(), [Kind.POLICY_CHANGES]),
    (
        "others agree to changes",
        base(policy_changes={"security": 1, "devs": 1}),
        base(policy_changes={"devs": 2}),
        [Kind.POLICY_CHANGES],
    ),
    ("compared less often", base(), base(drift_every=2 * HOUR), [Kind.DRIFT]),
    (
        "what is not known stays",
        base(environments={"prod": place(drift=OnDrift.REVOKE)}),
        base(),
        [Kind.DRIFT],
    ),
    ("a shorter block", base(), base(panic_block=MINUTE), [Kind.BLOCK]),
    ("movers keep it", base(on_mover=OnMover.END), base(on_mover=OnMover.KEEP), [Kind.ON_MOVER]),
    ("a webhook", base(), base(webhooks=(HOOK,)), [Kind.WEBHOOK]),
    ("another address of it", base(webhooks=(HOOK,)), base(webhooks=(replace(HOOK, url_env="OTHER"),)), [Kind.WEBHOOK]),
    ("a pipeline", base(), base(pipelines=(github_pipeline(),)), [Kind.PIPELINE]),
    (
        "a pipeline of another environment",
        base(),
        base(pipelines=(github_pipeline(environments=("other",)),)),
        [],
    ),
    *(
        (f"a pipeline asks more freely: {key}", base(pipelines=(before,)), base(pipelines=(after,)), [Kind.PIPELINE])
        for key, before, after in (
            ("events", github_pipeline(events=("push",)), github_pipeline()),
            ("ref", github_pipeline(), github_pipeline(ref=None)),
            ("unprotected", github_pipeline(), github_pipeline(ref_protected=False)),
            ("workflow", github_pipeline(), github_pipeline(workflow=None)),
            ("environment", github_pipeline(environment="production"), github_pipeline()),
            ("rule", github_pipeline(rule="deploy"), github_pipeline()),
            ("another gate", github_pipeline(rule="deploy"), github_pipeline(rule="canary")),
            ("environments", github_pipeline(environments=("other",)), github_pipeline(environments=("prod",))),
        )
    ),
    (
        "another repository under the same name",
        base(pipelines=(github_pipeline(),)),
        base(pipelines=(github_pipeline(repository_id="5"),)),
        [Kind.PIPELINE],
    ),
    (
        "a pipeline is renamed",
        base(pipelines=(github_pipeline(),)),
        base(pipelines=(github_pipeline(name="other"),)),
        [],
    ),
    ("an account is known no more", base(forge_ids={A: {"github": 7}}), base(), [Kind.FORGE_ID]),
    (
        "another account",
        base(forge_ids={A: {"github": 7}}),
        base(forge_ids={A: {"github": 8}}),
        [Kind.FORGE_ID],
    ),
    ("receipts go elsewhere", base(), base(receipts_channels=("C0OTHER",)), [Kind.RECEIPTS]),
    (
        "a run that nobody knows who started needs one more, and was refused",
        with_place(gates={"deploy": gate(UnknownStarter.REFUSE)}),
        with_place(gates={"deploy": gate(UnknownStarter.ONE_MORE)}),
        [Kind.STARTER],
    ),
    (
        "a group is trusted that nobody uses",
        base(),
        with_groups(rota=Group("", slack_usergroup="S1", trusted=True)),
        [],
    ),
]


@pytest.mark.parametrize(("old", "new", "found"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_what_is_looser_is_found(old: Policy, new: Policy, found: list[Kind]) -> None:
    assert kinds(old, new) == found


# Where the way back is looser, too, or no change of rights at all.
_BOTH_WAYS = {
    "a pipeline asks more freely: another gate",
    "another group approves in their place",
    "a group may approve beside the owners",
    "a counted rule under another name",
    "another pattern",
    "another target",
    "others are called",
    "another address of it",
    "another repository under the same name",
    "another account",
    "receipts go elsewhere",
    "somebody can agree at all",
    "nobody is called",
}


@pytest.mark.parametrize(
    ("old", "new"),
    [pair[1:3] for pair in PAIRS if pair[0] not in _BOTH_WAYS],
    ids=[pair[0] for pair in PAIRS if pair[0] not in _BOTH_WAYS],
)
def test_the_way_back_is_narrower(old: Policy, new: Policy) -> None:
    assert kinds(new, old) == []


def test_a_freeze_that_is_over_is_nothing_to_lose() -> None:
    past = replace(FREEZE, start=NOW - timedelta(days=20), until=NOW - timedelta(days=10))
    assert kinds(with_place(freezes=(past,)), base()) == []
    two = (
        replace(FREEZE, until=FREEZE.start + timedelta(days=5)),
        replace(FREEZE, start=FREEZE.start + timedelta(days=4)),
    )
    assert kinds(with_place(freezes=(FREEZE,)), with_place(freezes=two)) == []


def test_a_group_that_is_trusted_now_is_named() -> None:
    def trusted(yes: bool) -> Policy:
        groups = {**base().groups, "rota": Group("rota", slack_usergroup="S1", trusted=yes)}
        return base(groups=groups, environments={"prod": place(break_glass=replace(GLASS, who=("rota",)))})

    found = loosened(trusted(False), trusted(True), NOW)
    assert [(one.kind, one.what, one.added) for one in found] == [
        (Kind.BREAK_GLASS, "who", ("slack:S1",)),
        (Kind.TRUSTED, "rota", ()),
    ]


def test_what_is_outside_of_production_is_nobodys_business() -> None:
    old = base(environments={"prod": place(tier=Tier.STAGING)})
    new = base(environments={"prod": place(role(max_duration=9 * HOUR), tier=Tier.STAGING)})
    assert kinds(old, new) == []


def test_an_environment_that_gives_what_is_in_production_is_production_whatever_it_says() -> None:
    def beside(**changes: Any) -> Policy:
        return base(environments={"prod": place(), "dev": _beside(**changes)})

    def _beside(**changes: Any) -> Any:
        return place(role(environment="dev", **changes), name="dev", tier=Tier.DEVELOPMENT)

    assert kinds(beside(account="444455556666"), beside()) == [Kind.REACH]
    assert kinds(beside(), beside(max_duration=3 * HOUR)) == [Kind.DURATION]
    assert kinds(beside(approve={"owners": 2}), beside()) == [Kind.FEWER]
    assert kinds(base(), beside(account="444455556666")) == []
    # A group is the same in whichever account; by another connection it may be another one.
    group = AwsSpec(AwsKind.IDENTITY_CENTER_GROUP, group="admins")
    old = base(environments={"prod": place(role(target=group))})
    dev = replace(old, environments={**old.environments, "dev": _beside(target=group, account="444455556666")})
    assert kinds(old, dev) == [Kind.REACH]
    other = replace(role().connection, name="other", profile="other")
    elsewhere = _beside(target=group, account="444455556666", connection=other)
    assert kinds(old, replace(old, environments={**old.environments, "dev": elsewhere})) == []
    # Also where the environment of production goes in the same change.
    assert kinds(base(), base(environments={"dev": _beside()})) == [Kind.REACH]


def test_the_same_of_several_roles_is_told_once() -> None:
    def two(most: timedelta) -> Policy:
        return base(environments={"prod": place(role(max_duration=most), role(role="admin", max_duration=most))})

    assert [one.roles for one in loosened(two(HOUR), two(2 * HOUR), NOW)] == [("read-only", "admin")]


def test_another_name_for_the_same_people_is_nothing_looser() -> None:
    new = with_groups(owners_2=people(A, B))
    new = replace(new, environments={"prod": place(role(owners=("owners_2",)), owners=("owners_2",))})
    assert kinds(base(), new) == []


# ---------------------------------------------------------------- nothing is missed


def some_role(draw: Random) -> Entitlement:
    rule = AutoApproval(
        draw.choice(["r", "s"]),
        draw.choice([("devs",), ("rota",), ("owners",)]),
        draw.choice([True, False]),
        draw.choice([None, HOUR]),
        draw.choice([None, OFFICE]),
        draw.choice([None, 1, 2]),
    )
    two = {"owners": 1, "security": 1}
    return role(
        owners=draw.choice([("platform",), ("security",), ("platform", "security")]),
        requesters=draw.choice([("devs",), ("rota",), ("devs", "platform")]),
        approve=draw.choice([{}, {"owners": 1}, {"owners": 2}, two, {"rota": 1}, {"platform": 1}]),
        auto_approve=draw.choice([(), (rule,)]),
        max_duration=draw.choice([HOUR, 2 * HOUR]),
        max_total=draw.choice([None, 3 * HOUR]),
        ticket=draw.choice([None, TICKET, replace(TICKET, required=False)]),
        hours=draw.choice([None, OFFICE, replace(OFFICE, until=time(9, 30))]),
    )


def some_groups(draw: Random) -> dict[str, Group]:
    lists = {name: frozenset(draw.sample(PEOPLE, draw.randint(1, 4))) for name in ("platform", "security", "devs")}
    rota = Group("rota", slack_usergroup="S1", trusted=draw.choice([True, False]))
    return {"rota": rota, **{name: Group(name, members=who) for name, who in lists.items()}}


def some_policy(draw: Random) -> Policy:
    glass = BreakGlass(
        draw.choice([("devs",), ("rota",)]), ("read-only",), draw.choice([HOUR, 2 * HOUR]), draw.choice([None, 1])
    )
    escalate = Escalation(
        draw.choice([MINUTE, HOUR]), draw.choice([("devs",), ("security",)]), draw.choice([True, False])
    )
    found = some_role(draw)
    here = place(
        found,
        owners=found.owners,
        requesters=found.requesters,
        break_glass=draw.choice([None, glass]),
        escalate=draw.choice([None, escalate]),
        freezes=draw.choice([(), (FREEZE,)]),
    )
    return base(groups=some_groups(draw), environments={"prod": here})


ROLE_KEYS = ("approve", "auto_approve", "max_duration", "max_total", "ticket", "hours")
PLACE_KEYS = ("owners", "requesters", "break_glass", "escalate", "freezes")


def few_parts_changed(draw: Random, old: Policy, other: Policy) -> Policy:
    """The old policy with few parts of another one, so that a change is often narrower and has to be looked at."""
    mine, theirs = old.environments["prod"], other.environments["prod"]
    parts = (*ROLE_KEYS, *PLACE_KEYS, *sorted(old.groups))
    picked = set(draw.sample(parts, draw.choice([1, 1, 2])))
    place_ = replace(mine, **{key: getattr(theirs, key) for key in picked.intersection(PLACE_KEYS)})
    changed = {key: getattr(theirs.roles["read-only"], key) for key in picked.intersection(ROLE_KEYS)}
    found = replace(mine.roles["read-only"], owners=place_.owners, requesters=place_.requesters, **changed)
    groups_ = {**old.groups, **{name: other.groups[name] for name in picked.intersection(old.groups)}}
    return replace(old, groups=groups_, environments={"prod": replace(place_, roles={"read-only": found})})


MORNING, NIGHT, FROZEN = "2026-11-24T09:45:00+00:00", "2026-11-29T03:00:00+00:00", "2026-12-08T09:00:00+00:00"
USUAL: dict[str, Any] = {"for": "1h", "at": MORNING, "reason": "INC-1 x"}
ASKS = [
    USUAL,
    {**USUAL, "for": "2h"},
    {**USUAL, "at": NIGHT},
    {**USUAL, "at": FROZEN},
    {**USUAL, "reason": "x"},
    {**USUAL, "uses_today": 1, "in_incident_channel": True},
    {**USUAL, "in_incident_channel": True},
    {**USUAL, "break_glass": True},
    {**USUAL, "break_glass": True, "for": "2h"},
    {**USUAL, "break_glass": True, "uses_today": 1},
    {**USUAL, "unanswered": "30m"},
    {**USUAL, "extends": {"since": "150m", "left": "10m"}},
]


def cases(who: Address, ask: dict[str, Any]) -> Case:
    return Case.model_validate(
        {"case": "x", "who": who, "environment": "prod", "role": "read-only", "expect": {"outcome": "allowed"}, **ask}
    )


ALL = [cases(who, ask) for who in PEOPLE for ask in ASKS]


def deciders(policy: Policy, got: Verdict, known: Known, at: datetime) -> Iterator[frozenset[Address]]:
    """Every set of people who together let this request through."""
    assert got.request is not None
    assert got.entitlement is not None
    facts = group_facts(policy, known, at)
    later = replace(got.request, escalated_at=at) if got.escalated else got.request
    votes = {}
    for who in PEOPLE:
        answer = may_decide(policy, later, person_facts(policy, known, who, at), facts)
        if isinstance(answer, MayDecide):
            votes[who] = Vote(person_facts(policy, known, who, at).id, who, at, answer.groups, later.terms.hash)
    for size in range(len(votes) + 1):
        for some in combinations(votes, size):
            if decision_by_votes(got.entitlement, tuple(votes[who] for who in some), "", at) is not None:
                yield frozenset(some)


_HOW_EASY = {"refused": 0, "approval": 1, "rule": 2, "break-glass": 2}


def gains(old: Policy, new: Policy, case: Case, known: dict[str, Known]) -> bool:
    """Whether this ask comes further under the new policy, or with people who could not let it through before."""
    assert case.at is not None
    before, after = judge(old, case, known["old"], case.at), judge(new, case, known["new"], case.at)
    if _HOW_EASY[after.outcome] > _HOW_EASY[before.outcome]:
        return after.outcome != "approval" or any(deciders(new, after, known["new"], case.at))
    if after.outcome == before.outcome == "approval":
        possible = set(deciders(old, before, known["old"], case.at))
        return any(some not in possible for some in deciders(new, after, known["new"], case.at))
    return False


@settings(
    max_examples=220, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, 2**32))
def test_whatever_somebody_could_not_get_before_is_found(seed: int) -> None:
    """Any change of a small policy: if it finds nothing, nobody in any of these worlds gets more, or with other people."""
    draw = Random(seed)
    old = some_policy(draw)
    new = few_parts_changed(draw, old, some_policy(draw))
    if loosened(old, new, NOW):
        return
    rota = frozenset(draw.sample(PEOPLE, draw.randint(0, 4)))
    known = {name: world(policy, rota) for name, policy in (("old", old), ("new", new))}
    for case in draw.sample(ALL, 16):
        assert not gains(old, new, case, known), case


def world(policy: Policy, rota: frozenset[Address]) -> Known:
    members = {name: group.members if group.members is not None else rota for name, group in policy.groups.items()}
    return Known({}, members, frozenset(), {})
