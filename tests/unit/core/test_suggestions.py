"""Suggestions from the record: what speaks for a rule, and each thing against it; no record gives a forbidden one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import build
from tests.support.build import DANA, GUS, HOUR, MINUTE, NIA, NOW, OLU, PAT, SUE
from workflows.core.access_review.rows import Agreed, RowOutcome
from workflows.core.people import GroupFacts, Membership, PersonId
from workflows.core.policy import AutoApproval, BreakGlass, Gate, Group, Hours, Policy, Risk, Tier
from workflows.core.records.grant import End, EndCause, Grant, GrantState
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Closing, Decision, DecisionKind, Request, RequestState
from workflows.core.suggestions.compile import suggested
from workflows.core.suggestions.evidence import ask_of
from workflows.core.suggestions.model import (
    AnswersAlone,
    Ask,
    Because,
    CouldApprove,
    Found,
    NeedsSecond,
    OneApprover,
    Pair,
    Quick,
    Record,
)
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
SINCE = NOW - 90 * DAY
PROD, STAGE = "payments-prod", "payments-staging"
READ = (PROD, "read-only")
CHANGES, ADMINISTERS = (
    AwsSpec(AwsKind.IDENTITY_CENTER, permission_set=name) for name in ("PowerUserAccess", "AdministratorAccess")
)


def a_policy(**changes: object) -> Policy:
    prod = (
        build.entitlement(),
        build.entitlement("deploy", risk=Risk.CHANGE, target=CHANGES),
        build.entitlement("admin", risk=Risk.ADMIN, target=ADMINISTERS),
    )
    stage = [replace(one, environment=STAGE, tier=Tier.STAGING, account="444455556666") for one in (prod[1], prod[2])]
    staging = build.environment(*stage, name=STAGE, tier=Tier.STAGING)
    return build.policy(build.environment(*prod), staging, **changes)


def changed(role: str = "read-only", environment: str = PROD, **changes: object) -> Policy:
    policy = a_policy()
    place = policy.environments[environment]
    roles = {**place.roles, role: replace(place.roles[role], **changes)}
    return replace(policy, environments={**policy.environments, environment: replace(place, roles=roles)})


def ask(number: int, who: PersonId = DANA, by: PersonId = OLU, **changes: object) -> Ask:
    """Approved after two minutes, at ten in the morning in Berlin, a day after the one before it."""
    own = Ask(
        id=f"PA-{number}",
        environment=PROD,
        role="read-only",
        requester=who,
        requester_name=build.facts(who).name,
        holder=who,
        at=NOW - (60 - number) * DAY + 6 * HOUR,
        outcome=RowOutcome.APPROVED,
        duration=HOUR,
        waited=2 * MINUTE,
        answers=(Agreed(by, build.facts(by).name, 2 * MINUTE),),
    )
    return replace(own, **changes)


def good(number: int = 20, **changes: object) -> list[Ask]:
    """By both developers in turn, approved by both owners in turn."""
    return [ask(n, (DANA, NIA)[n % 2], (OLU, PAT)[n // 2 % 2], **changes) for n in range(number)]


def of(asks: Sequence[Ask], policy: Policy | None = None, groups: GroupFacts | None = None, **changes: object) -> Found:
    policy = policy or a_policy()
    everything = frozenset((place.name, role) for place in policy.environments.values() for role in place.roles)
    record = Record(SINCE, NOW, tuple(asks), everything)
    return suggested(policy, replace(record, **changes), groups or build.groups())


def why(found: Found) -> tuple[Because, ...]:
    assert not found.rules
    (one,) = found.withheld
    return one.because


# ---------------------------------------------------------------- for a rule


def test_what_was_always_approved_could_be_a_rule_that_reaches_no_further():
    (found,) = of(good()).rules
    assert (found.environment, found.role, found.groups) == (PROD, "read-only", ("developers",))
    assert (found.max_duration, found.max_uses_per_day, found.in_incident_channel) == (HOUR, 1, False)
    assert found.hours == Hours(frozenset(range(7)), time(11), time(12))
    numbers = found.numbers
    assert (numbers.asks, numbers.people, numbers.days, numbers.approvers) == (20, 2, 20, 2)
    assert (numbers.share, numbers.answers, numbers.median, numbers.slowest) == (10, 20, 2 * MINUTE, 2 * MINUTE)
    assert (found.crowds[0].asked, found.crowds[0].members) == (2, 2)


def test_the_rule_is_for_the_hours_days_and_lengths_that_people_have_approved():
    monday = datetime(2026, 10, 5, 7, 30, tzinfo=NOW.tzinfo)
    asks = [
        replace(one, at=monday + timedelta(weeks=n // 2, hours=n % 2), duration=HOUR if n else 4 * HOUR)
        for n, one in enumerate(good(28))
    ]
    (found,) = of(asks).rules
    # Half past seven in UTC; summer time in Berlin ends on 25 October.
    assert found.hours == Hours(frozenset({0}), time(8), time(11))
    assert found.max_duration == 4 * HOUR


def test_the_most_that_one_person_asked_in_a_day_is_the_limit():
    asks = [replace(one, at=SINCE + (n // 3) * DAY + HOUR) for n, one in enumerate(good(36))]
    (found,) = of(asks).rules
    assert found.max_uses_per_day == 2


def test_what_was_asked_in_incidents_alone_is_a_rule_for_incidents():
    (found,) = of(good(incident=True)).rules
    assert found.in_incident_channel
    (found,) = of([*good(incident=True), ask(30, NIA, PAT), ask(31, DANA, OLU)]).rules
    assert not found.in_incident_channel


def test_change_outside_of_production_can_be_a_rule():
    (found,) = of(good(environment=STAGE, role="deploy")).rules
    assert (found.environment, found.role) == (STAGE, "deploy")


@pytest.mark.parametrize(
    ("place", "because"),
    [
        ((PROD, "deploy"), Because.PRODUCTION),
        ((PROD, "admin"), Because.ADMIN),
        ((STAGE, "admin"), Because.ADMIN),
    ],
)
def test_what_can_do_harm_is_never_a_rule(place: tuple[str, str], because: Because):
    assert why(of(good(environment=place[0], role=place[1]))) == (because,)


def test_what_is_called_reading_and_gives_what_an_admin_role_does_is_never_one():
    """Its risk is a word in a file; the permission set is what people get, in whichever account."""
    for target in (CHANGES, ADMINISTERS):
        assert why(of(good(), changed(target=target))) == (Because.GIVES_MORE,)
    mild = changed("deploy", STAGE, target=ADMINISTERS)
    assert why(of(good(environment=STAGE, role="deploy"), mild)) == (Because.GIVES_MORE,)


def test_what_calls_itself_staging_and_gives_production_is_never_one():
    policy = changed("deploy", STAGE, account="111122223333")
    assert why(of(good(environment=STAGE, role="deploy"), policy)) == (Because.PRODUCTION,)


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"danger": "deletes"}, Because.DANGER),
        ({"outlives": "keys"}, Because.OUTLIVES),
        ({"approve": {"owners": 1, "security": 1}}, Because.SEVERAL),
        ({"approve": {}}, Because.SEVERAL),
        ({"origins": {"auto_approve": f"environments/{PROD}.yaml:9"}}, Because.TAKEN_AWAY),
        ({"auto_approve": (AutoApproval("r", ("oncall",)),), "origins": {}}, Because.INHERITED),
    ],
)
def test_what_the_policy_says_of_the_role_comes_first(changes: dict[str, object], because: Because):
    assert why(of(good(), changed(**changes))) == (because,)


@pytest.mark.parametrize(
    ("one", "because"),
    [
        (
            ask(40, outcome=RowOutcome.DENIED, answers=(), waited=None),
            Because.DENIED,
        ),
        (ask(40, waited=16 * MINUTE), Because.SLOW),
        (ask(40, outcome=RowOutcome.WAITING, answers=(), waited=None), Because.SLOW),
        *((ask(40, troubles=frozenset({each})), each) for each in (Because.REVOKED, Because.DRIFT, Because.FLAGGED)),
        (
            ask(40, outcome=RowOutcome.BREAK_GLASS, answers=()),
            Because.BREAK_GLASS,
        ),
        (ask(40, extends=True, answers=(), troubles=frozenset({Because.MORE_TIME})), Because.MORE_TIME),
        # Under terms of before: it gives no evidence for a rule, and speaks against one.
        (ask(40, own=False, troubles=frozenset({Because.REFUSED})), Because.REFUSED),
    ],
    ids=lambda each: each.value if isinstance(each, Because) else "",
)
def test_one_thing_that_speaks_against_it_is_enough(one: Ask, because: Because):
    assert because in why(of([*good(), *good()[:2], one]))


def test_what_the_log_alone_tells_counts_too():
    assert why(of(good(), noted={READ: frozenset({Because.DRIFT})})) == (Because.DRIFT,)
    assert of(good(), noted={(PROD, "deploy"): frozenset({Because.DRIFT})}).rules


def test_nineteen_asks_say_nothing():
    found = of(good(19))
    assert (found.rules, found.withheld, found.short) == ((), (), 1)


def test_asks_of_before_the_role_was_changed_or_for_others_are_no_evidence():
    assert of([*good(19), ask(30, NIA, PAT, own=False)]).short == 1


def test_twenty_asks_of_few_days_are_few_decisions():
    asks = [replace(one, at=SINCE + (n % 9) * DAY) for n, one in enumerate(good(28))]
    assert why(of(asks)) == (Because.FEW_DAYS,)


def test_a_young_record_gives_none():
    found = of(good(20), since=NOW - 29 * DAY)
    assert why(found) == (Because.YOUNG,)


def test_who_gave_over_half_of_the_answers_is_a_finding_and_no_trust():
    asks = [*good(20), ask(30, DANA, OLU)]
    found = of(asks)
    assert why(found) == (Because.ONE_APPROVER,)
    assert found.findings == (OneApprover(PROD, "read-only", "Olu", 11, 21),)


def test_just_half_is_not_over_half():
    assert of(good(20)).findings == ()


def test_answers_of_before_count_for_who_gave_most():
    """Asks that are no evidence were answered all the same."""
    assert Because.ONE_APPROVER in why(of([*good(), *(ask(30 + n, DANA, OLU, own=False) for n in range(5))]))


def test_who_answers_within_seconds_is_a_finding_and_no_trust():
    hasty = Agreed(OLU, "Olu", 9 * SECOND)
    asks = [replace(one, answers=(hasty,)) if one.answers[0].by == OLU else one for one in good()]
    found = of(asks)
    assert why(found) == (Because.QUICK,)
    assert found.findings == (Quick("Olu", 10, 9 * SECOND), Quick("Olu", 10, 9 * SECOND, PROD, "read-only"))


def test_who_is_quick_elsewhere_is_not_trusted_here():
    quick = [
        ask(100 + n, NIA, OLU, environment=STAGE, role="deploy", answers=(Agreed(OLU, "Olu", SECOND),))
        for n in range(21)
    ]
    found = of([*good(), *quick])
    assert Because.QUICK in next(one.because for one in found.withheld if one.environment == PROD)


def test_two_who_mostly_serve_one_another_are_a_finding_and_no_trust():
    others = [ask(30 + n, OLU, DANA, role="deploy", answers=(Agreed(DANA, "Dana", MINUTE),)) for n in range(3)]
    asks = [ask(n, (DANA, NIA, SUE)[n % 3], (OLU, PAT, GUS)[n % 3]) for n in range(24)]
    groups = build.groups(developers=frozenset({DANA, NIA, SUE}))
    assert of(asks, groups=groups).rules
    found = of([*asks, *others], groups=groups)
    assert why(found) == (Because.PAIR,)
    assert found.findings == (Pair("Dana", "Olu", 3, 8),)


def test_the_answers_of_a_pair_that_serve_others_as_well_are_none():
    others = [ask(30 + n, OLU, (DANA, NIA)[n % 2], role="deploy") for n in range(8)]
    assert of([*good(40), *others]).rules


# ---------------------------------------------------------------- for whom


def test_a_group_of_which_less_than_half_asked_is_not_served():
    many = frozenset({DANA, NIA, *(PersonId(f"d{n}@example.com") for n in range(3))})
    assert why(of(good(), groups=build.groups(developers=many))) == (Because.GROUP_SHARE,)


@pytest.mark.parametrize("membership", [Membership(), Membership(frozenset({DANA, NIA}), NOW, problem="no answer")])
def test_a_group_of_which_nobody_knows_the_members_is_not_served(membership: Membership):
    assert why(of(good(), groups=build.groups(developers=membership))) == (Because.GROUP_UNKNOWN,)


def test_a_group_that_anybody_may_edit_is_not_served():
    policy = a_policy()
    loose = Group("developers", slack_usergroup="S0DEVS")
    policy = replace(policy, groups={**policy.groups, "developers": loose})
    assert why(of(good(), policy)) == (Because.GROUP_SHARE,)


def test_the_habit_of_one_person_is_no_rule_for_a_group():
    asks = [ask(n, DANA, (OLU, PAT)[n % 2]) for n in range(20)]
    assert why(of(asks)) == (Because.GROUP_SHARE,)


def test_asks_of_people_who_are_in_no_group_any_more_are_not_the_groups():
    asks = [ask(n, (DANA, NIA, SUE, GUS)[n % 4], (OLU, PAT)[n // 4 % 2]) for n in range(32)]
    assert why(of(asks)) == (Because.FEW_PEOPLE,)


def test_no_rule_ever_answers_a_pipeline():
    policy = a_policy()
    gate = Gate("deploy", build.entitlement("gate:deploy"))
    place = replace(policy.environments[PROD], gates={"deploy": gate})
    policy = replace(policy, environments={**policy.environments, PROD: place})
    found = of(good(role="gate:deploy"), policy)
    assert (found.rules, found.withheld) == ((), ())


# ---------------------------------------------------------------- from the record's requests

APPROVED = Decision(DecisionKind.APPROVAL, NOW + 2 * MINUTE, "f" * 64)


def read(
    request: Request | None = None, grant: Grant | None = None, review: Review | None = None, **changes: object
) -> Ask:
    request = request or build.request(state=RequestState.APPROVED, decision=APPROVED)
    return ask_of(a_policy(), replace(request, **changes), grant, review, None)


def granted(**changes: object) -> Grant:
    request = build.request()
    own = Grant(
        request.id,
        DANA,
        "Dana",
        request.terms,
        build.resource(request.terms),
        "h",
        GrantState.REVOKED,
        APPROVED,
        NOW + HOUR,
    )
    return replace(own, **changes)


def test_what_was_asked_for_oneself_under_todays_terms_is_evidence():
    assert (read().own, read().outcome, read().troubles, read().waited) == (
        True, RowOutcome.APPROVED, frozenset(), 2 * MINUTE,
    )  # fmt: skip
    terms = build.request().terms
    for changes in (
        {"holder": NIA},
        {"terms": replace(terms, risk=Risk.CHANGE)},
        {"terms": replace(terms, tier=Tier.STAGING)},
        {"terms": replace(terms, target=replace(terms.target, permission_set="PowerUserAccess"))},
        {"terms": replace(terms, role="no-more")},
    ):
        assert not read(**changes).own, changes


@pytest.mark.parametrize(
    ("one", "because"),
    [
        (read(asked_terms=build.request().terms), Because.LESSENED),
        (read(break_glass=True), Because.BREAK_GLASS),
        (read(grant=granted(end=End(EndCause.REVOKED, NOW, OLU))), Because.REVOKED),
        (read(grant=granted(end=End(EndCause.REVOKED, NOW))), Because.REVOKED),
        (read(grant=granted(end=End(EndCause.STANDING, NOW))), Because.DRIFT),
        (read(review=Review("PA-1", PROD, DANA, ReviewState.FLAGGED, NOW, NOW)), Because.FLAGGED),
        (read(state=RequestState.DENIED, decision=None, extends="PA-1", closing=Closing(NOW, OLU)), Because.MORE_TIME),
        (read(state=RequestState.EXPIRED, decision=None, extends="PA-1", closing=Closing(NOW)), Because.MORE_TIME),
        (read(state=RequestState.WITHDRAWN, decision=None, closing=Closing(NOW + HOUR, DANA)), Because.SLOW),
    ],
    ids=lambda each: each.value if isinstance(each, Because) else "",
)
def test_what_the_records_of_a_request_tell_against_it(one: Ask, because: Because):
    assert one.troubles == {because}


def test_what_the_holder_does_with_their_own_speaks_against_nothing():
    for grant in (granted(end=End(EndCause.REVOKED, NOW, DANA)), granted(end=End(EndCause.RETURNED, NOW, DANA))):
        assert read(grant=grant).troubles == frozenset()
    soon = read(state=RequestState.WITHDRAWN, decision=None, closing=Closing(NOW + MINUTE, DANA))
    assert soon.troubles == frozenset()


# ---------------------------------------------------------------- what is not read


@pytest.mark.parametrize("unread", [{"PA-9": None}, {"PA-9": READ}])
def test_what_cannot_be_read_may_speak_against_it(unread: dict[str, tuple[str, str] | None]):
    assert why(of(good(), unread=unread)) == (Because.UNREAD,)


def test_what_cannot_be_read_of_another_role_speaks_against_nothing_here():
    assert of(good(), unread={"PA-9": (PROD, "deploy")}).rules


def test_a_log_with_a_gap_gives_nothing():
    found = of(good(), lost=1, used=frozenset({READ}))
    assert (why(found), found.gone) == ((Because.UNREAD,), ())


# ---------------------------------------------------------------- roles that nobody used


def gone(**changes: object) -> list[tuple[str, str]]:
    record = {"used": frozenset({READ, (STAGE, "deploy"), (STAGE, "admin"), (PROD, "admin")})}
    policy = changes.pop("policy", None)
    return [(one.environment, one.role) for one in of((), policy, **(record | changes)).gone]


def test_a_role_that_nobody_used_can_go():
    assert gone() == [(PROD, "deploy")]


def test_a_role_stays_that_is_kept_for_an_emergency_or_is_new_or_may_have_been_used():
    policy = a_policy()
    spare = BreakGlass(("oncall",), ("deploy",), HOUR)
    place = replace(policy.environments[PROD], break_glass=spare)
    assert gone(policy=replace(policy, environments={**policy.environments, PROD: place})) == []
    for changes in (
        {"since": NOW - 80 * DAY},
        {"came": {(PROD, "deploy"): NOW - 5 * DAY}},
        {"came": {(PROD, ""): NOW - 5 * DAY}},
        {"changes_known": False},
        {"unread": {"PA-9": None}},
        {"unread": {"PA-9": (PROD, "deploy")}},
    ):
        assert gone(**changes) == [], changes
    assert gone(unread={"PA-9": READ}) == [(PROD, "deploy")]


# ---------------------------------------------------------------- who answers alone


def test_the_only_owner_who_answers_alone_needs_a_second():
    asks = [ask(n, (DANA, NIA)[n % 2], OLU) for n in range(10)]
    late = ask(30, outcome=RowOutcome.EXPIRED, answers=(), waited=None)
    found = of([*asks, late], groups=build.groups(platform=frozenset({OLU})))
    assert found.seconds == (NeedsSecond(PROD, OLU, "Olu", 10, 1, ("platform",)),)
    assert of(asks[:9], groups=build.groups(platform=frozenset({OLU}))).seconds == ()


def test_who_answers_alone_beside_other_owners_is_a_finding():
    asks = [ask(n, (DANA, NIA)[n % 2], OLU) for n in range(10)]
    assert of(asks).findings == (AnswersAlone(PROD, "Olu", 10, 0, 1),)
    unknown = of(asks, groups=build.groups(platform=Membership()))
    assert (unknown.findings, unknown.seconds) == ((AnswersAlone(PROD, "Olu", 10, 0, None),), ())


def test_a_no_is_an_answer():
    asks = [ask(n, DANA, OLU) for n in range(10)]
    no = ask(40, outcome=RowOutcome.DENIED, answers=(), waited=None, denied_by=PAT, denied_name="Pat")
    assert of([*asks, no]).findings == ()


def test_erased_people_are_told_as_such_and_apart():
    one, two = PersonId("erased-1"), PersonId("erased-2")
    asks = [
        ask(n, (DANA, NIA)[n % 2], one, answers=(Agreed((one, two)[n % 3 == 0], "erased person", 2 * MINUTE),))
        for n in range(21)
    ]
    assert of(asks).findings == (OneApprover(PROD, "read-only", "erased person", 14, 21),)


# ---------------------------------------------------------------- no record gives a forbidden suggestion

PEOPLE = (DANA, NIA, OLU, PAT, SUE, GUS)
PLACES = ((PROD, "read-only"), (PROD, "deploy"), (PROD, "admin"), (STAGE, "deploy"), (STAGE, "admin"), (PROD, "gone"))
WORSE = tuple(Because)


@st.composite
def records(draw: st.DrawFn) -> tuple[Record, GroupFacts]:
    """Mostly good ones, with a few things wrong: a record of nothing but chance gives no suggestion that could be wrong."""
    random = Random(draw(st.integers(0, 2**32 - 1)))
    wrong = draw(st.sampled_from((0, 0, 0, 1, 2, 5, 20)))
    slow = draw(st.sampled_from((1, 5, 12, 60, 600, 901)))
    lean = draw(st.sampled_from((1, 1, 2, 6)))
    places = PLACES[: draw(st.integers(1, len(PLACES)))]
    asks = []
    for number in range(draw(st.sampled_from((3, 25, 40, 90, 150)))):
        who, by = random.choice(PEOPLE[: random.choice((2, 2, 6))]), random.choice((OLU,) * lean + (PAT, SUE))
        took = timedelta(seconds=random.randrange(1, 2 * slow + 20))
        place = random.choice((places[0], *places))
        asks.append(
            Ask(
                f"PA-{number}", *place, who, who, SINCE + timedelta(hours=random.randrange(24 * 89)), RowOutcome.APPROVED,
                random.choice((MINUTE, HOUR)), "", took, (Agreed(by, by, took),),
            )
        )  # fmt: skip
    for _ in range(wrong):
        at = random.randrange(len(asks))
        asks[at] = replace(asks[at], **random.choice(_wrongs(random)))
    groups = build.groups(developers=frozenset(random.sample(PEOPLE, random.choice((2, 2, 4, 6)))))
    unread: dict[str, tuple[str, str] | None] = {"PA-999": random.choice((None, *PLACES))} if wrong == 5 else {}
    since = SINCE if wrong < 20 else NOW - random.choice((10, 31)) * DAY
    return Record(since, NOW, tuple(asks), unread=unread, lost=random.choice((0, 1)) if wrong == 20 else 0), groups


def _wrongs(random: Random) -> tuple[dict[str, object], ...]:
    who = random.choice(PEOPLE)
    return (
        {"troubles": frozenset({random.choice(WORSE)})},
        {"outcome": random.choice(tuple(RowOutcome))},
        {"waited": timedelta(seconds=random.randrange(3_000))},
        {"denied_by": who, "denied_name": who},
        {"answers": (Agreed(who, who, timedelta(seconds=random.randrange(20))),)},
        {"own": False},
        {"extends": True},
        {"requester": who},
        {"holder": who},
        {"answers": ()},
    )


def forbidden(policy: Policy, record: Record, groups: GroupFacts, one: CouldApprove) -> str:
    """Said once more, in another way; empty where nothing is."""
    role = policy.environments[one.environment].roles[one.role]
    if role.risk is Risk.ADMIN or (role.tier is Tier.PRODUCTION and role.risk is not Risk.READ):
        return "beyond reading"
    asks = [each for each in record.asks if (each.environment, each.role) == (one.environment, one.role)]
    bad = {RowOutcome.DENIED, RowOutcome.EXPIRED, RowOutcome.BREAK_GLASS}
    if any(each.troubles or each.outcome in bad for each in asks):
        return "flagged"
    good_ = [a for a in asks if a.outcome is RowOutcome.APPROVED and a.own and not a.extends and a.answers]
    if len(good_) < 20 or any(a.waited is None or a.waited > timedelta(minutes=15) for a in good_):
        return "too few, or too slow"
    by = [one_.by for a in asks for one_ in a.answers] + [a.denied_by for a in asks if a.denied_by]
    if max(Counter(by).values()) * 2 > len(by):
        return "one approver"
    for who in set(by):
        for within in (asks, record.asks):
            took = [o.after.total_seconds() for a in within for o in a.answers if o.by == who]
            if took and median(took) < 10:
                return "seconds"
    if record.lost or None in record.unread.values() or (one.environment, one.role) in record.unread.values():
        return "not read"
    return _pair(record, asks) or _reaches_too_far(groups, one, good_)


def _pair(record: Record, asks: Sequence[Ask]) -> str:
    def answered(a: PersonId, b: PersonId) -> int:
        return sum(b in (x.requester, x.holder) and a in x.answered_by for x in record.asks if a != b)

    def asked(a: PersonId) -> int:
        return sum(a in (x.requester, x.holder) for x in record.asks if x.answered_by)

    def gave(a: PersonId) -> int:
        return sum(a in x.answered_by for x in record.asks)

    for a in PEOPLE:
        for b in PEOPLE:
            there, back = answered(a, b), answered(b, a)
            mostly = (there > asked(b) / 2 and back > asked(a) / 2) or (there > gave(a) / 2 and back > gave(b) / 2)
            if (
                min(there, back) >= 3
                and mostly
                and any(a in x.answered_by and b in (x.requester, x.holder) for x in asks)
            ):
                return "a pair"
    return ""


def _reaches_too_far(groups: GroupFacts, one: CouldApprove, good_: Sequence[Ask]) -> str:
    for name in one.groups:
        members = groups.by_name[name].members
        if len({a.holder for a in good_} & members) * 2 < len(members):
            return "a group that hardly asked"
    served = [a for a in good_ if a.holder in groups.members(one.groups)]
    if len({a.holder for a in served}) < 2 or len(served) < 20:
        return "too few people"
    return "" if one.max_duration == max(a.duration for a in served) else "longer than anybody had it"


@settings(max_examples=80, deadline=None)
@given(records())
def test_no_record_however_shaped_gives_a_forbidden_suggestion(drawn: tuple[Record, GroupFacts]):
    record, groups = drawn
    policy = a_policy()
    found = suggested(policy, record, groups)
    assert [(one, said) for one in found.rules if (said := forbidden(policy, record, groups, one))] == []
    assert not {one.environment for one in found.rules} & {"gone"}


def test_the_records_of_that_test_do_give_suggestions():
    """Else it would prove nothing."""
    given_ = [0]

    @settings(max_examples=40, deadline=None, database=None, derandomize=True)
    @given(records())
    def count(drawn: tuple[Record, GroupFacts]) -> None:
        given_[0] += bool(suggested(a_policy(), *drawn).rules)

    count()
    assert given_[0] >= 2
