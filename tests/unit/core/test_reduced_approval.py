"""An approver may agree to less than was asked: never to more in any dimension. The promises of `reduced_approval`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.build import DANA, HOUR, MINUTE, NIA, NOW, OLU, PAT, SUE, entitlement, environment, facts, policy
from tests.support.build import groups as known
from tests.support.build import request as asked
from workflows.core.policy import Freeze, Risk
from workflows.core.refusal import Code, Refused
from workflows.core.rules.reduced_approval import ReducedApproval, choices, may_reduce

READ = entitlement(max_duration=HOUR / 2, durations=(MINUTE, HOUR / 2))
CHANGE = entitlement("state-write", risk=Risk.CHANGE, max_duration=HOUR, durations=(10 * MINUTE, HOUR))
ADMIN = entitlement("admin", risk=Risk.ADMIN, approve={"owners": 1, "security": 1}, durations=(HOUR / 2, HOUR))
OTHER_ADMIN = entitlement("root", risk=Risk.ADMIN)
ON_CALL_ONLY = entitlement("reports", requesters=("oncall",))
SECURITYS = entitlement("audit", approve={"security": 1})
ROLES = (READ, CHANGE, ADMIN, OTHER_ADMIN, ON_CALL_ONLY, SECURITYS)
POLICY = policy(environment(*ROLES))


def less(role=None, duration=None, of=ADMIN, who=OLU, pol=POLICY, **request) -> ReducedApproval | Refused:
    return may_reduce(pol, asked(role=of, **request), role, duration, facts(who), known(), NOW)


def code(answer) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def test_the_same_role_for_a_shorter_time():
    found = less(duration=HOUR / 2)
    assert isinstance(found, ReducedApproval)
    assert (found.entitlement.role, found.duration, found.same_role) == ("admin", HOUR / 2, True)


@pytest.mark.parametrize("duration", [None, HOUR, 2 * HOUR])
def test_the_same_role_for_as_long_or_longer_is_not_less(duration):
    assert code(less(duration=duration)) is Code.NOT_LESS
    assert code(less("admin", duration)) is Code.NOT_LESS


def test_no_time_at_all_is_no_access():
    assert code(less(duration=timedelta(0))) is Code.DURATION_ZERO


@pytest.mark.parametrize("role", ["read-only", "state-write"])
def test_a_role_of_less_risk(role):
    found = less(role, 10 * MINUTE)
    assert isinstance(found, ReducedApproval)
    assert (found.entitlement.role, found.same_role, found.groups) == (role, False, ("owners",))


@pytest.mark.parametrize(("role", "of"), [("root", ADMIN), ("admin", CHANGE), ("state-write", READ), ("audit", READ)])
def test_a_role_of_as_much_risk_or_more_is_not_less(role, of):
    assert code(less(role, MINUTE, of=of, who=PAT)) is Code.NOT_LESS


def test_the_lesser_roles_own_limit_holds():
    assert code(less("read-only", 45 * MINUTE)) is Code.DURATION_TOO_LONG
    found = less("read-only")
    assert isinstance(found, ReducedApproval)
    assert found.duration == HOUR / 2, "as much of what was asked as it is given for"


def test_a_lesser_role_for_longer_than_was_asked_is_more():
    assert code(less("state-write", 61 * MINUTE)) is Code.NOT_LESS


def test_a_role_that_the_holder_may_not_ask_for_is_not_given():
    assert code(less("reports", MINUTE)) is Code.NOT_LESS
    assert isinstance(less("reports", MINUTE, who=OLU, of=ADMIN), Refused)
    assert code(less("reports", MINUTE, requester=NIA)) is Code.NOT_LESS, "the requester may, the holder may not"


def test_a_role_that_this_approver_may_not_approve_is_not_given():
    assert code(less("audit", MINUTE, who=OLU)) is Code.NOT_AN_APPROVER
    assert isinstance(less("audit", MINUTE, who=PAT), ReducedApproval)


def test_who_may_approve_the_lesser_role_alone_decides_nothing():
    of = replace(ADMIN, approve={"owners": 1})
    assert code(less("audit", MINUTE, of=of, who=SUE, pol=policy(environment(of, SECURITYS)))) is Code.NOT_AN_APPROVER


@pytest.mark.parametrize("who", [DANA, OLU])
def test_nobody_lessens_what_is_theirs(who):
    pol = policy(environment(*(replace(role, approve={"owners": 1}) for role in (READ, ADMIN))))
    assert code(less("read-only", MINUTE, who=who, requester=who, pol=pol)) is Code.OWN_REQUEST
    assert code(less(duration=MINUTE, who=who, holder=who, pol=pol)) is Code.OWN_REQUEST


def test_more_time_for_a_grant_is_not_turned_into_another_role():
    assert code(less("read-only", MINUTE, extends="PA-1")) is Code.NOT_LESS
    assert isinstance(less(duration=MINUTE, extends="PA-1"), ReducedApproval)


def test_a_freeze_holds_for_the_lesser_role():
    frozen = policy(environment(*ROLES, freezes=(Freeze(NOW, NOW + HOUR, "Year-end freeze"),)))
    assert code(less("read-only", MINUTE, pol=frozen)) is Code.FREEZE


@given(
    role=st.sampled_from([None, *(role.role for role in ROLES), "nonsense"]),
    of=st.sampled_from(ROLES),
    who=st.sampled_from([OLU, PAT, SUE, NIA, DANA]),
    minutes=st.none() | st.integers(-5, 300),
)
def test_it_is_never_more_than_was_asked_in_any_dimension(role, of, who, minutes):
    duration = None if minutes is None else minutes * MINUTE
    request = asked(role=of)
    found = may_reduce(POLICY, request, role, duration, facts(who), known(), NOW)
    if isinstance(found, ReducedApproval):
        risks = list(Risk)
        assert found.entitlement.environment == request.terms.environment
        assert timedelta(0) < found.duration <= request.terms.duration
        assert found.duration <= found.entitlement.max_duration
        shorter, safer = found.duration < request.terms.duration, found.entitlement.risk is not request.terms.risk
        assert risks.index(found.entitlement.risk) <= risks.index(request.terms.risk)
        assert shorter if found.same_role else safer


def test_the_form_offers_shorter_times_down_to_the_least_and_roles_of_less_risk():
    roles, times = choices(POLICY, asked(role=ADMIN), facts(OLU), known(), NOW)
    assert [role.role for role in roles] == ["admin", "read-only", "state-write"]
    assert times == (MINUTE, 10 * MINUTE, HOUR / 2, HOUR)


def test_where_the_least_was_asked_for_nothing_is_offered():
    least = entitlement(durations=(HOUR,), max_duration=HOUR)
    roles, _ = choices(policy(environment(least)), asked(role=least), facts(OLU), known(), NOW)
    assert roles == ()
