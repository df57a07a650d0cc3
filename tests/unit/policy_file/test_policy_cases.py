"""Tables of cases: what is wrong with one is told at once, and what they say of a policy is what chat would say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import build
from tests.support.world import World
from tests.unit.policy_file.policy_folder import SHOP
from tests.unit.policy_file.policy_folder import policy as shop
from workflows.core.people import PersonId
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Refused
from workflows.policy_file import read_policy
from workflows.policy_file.cases import Result, Table, read_table, rules_of, run_table
from workflows.policy_file.cases.facts import Known
from workflows.policy_file.cases.judge import judge
from workflows.policy_file.cases.raw import Case
from workflows.policy_file.schema import schemas

ROOT = Path(__file__).parents[3]
HEAD = """\
version: 1
at: 2026-11-24T10:00:00+01:00
groups: {devs: [dana@example.com, nia@example.com], oncall: [nia@example.com]}
people: {max@example.com: {}}
cases:
"""
ONE = "  - {case: x, who: dana@example.com, environment: shop-prod, role: read-only, EXPECT}\n"


def table(folder: Path, *cases: str, head: str = HEAD) -> Path:
    path = folder / "cases.yaml"
    path.write_text(head + "".join(cases))
    return path


def run(folder: Path, *cases: str, head: str = HEAD) -> tuple[Result, ...]:
    found = shop(folder / "policy")
    read = read_table(table(folder, *cases, head=head), found)
    assert isinstance(read, Table), "\n".join(map(str, read))
    return run_table(found, read)


def problems(folder: Path, *cases: str, head: str = HEAD) -> list[str]:
    found = shop(folder / "policy")
    read = read_table(table(folder, *cases, head=head), found)
    assert not isinstance(read, Table)
    return [str(problem).removeprefix(f"{folder / 'cases.yaml'}:") for problem in read]


def one(extra: str) -> str:
    return ONE.replace("EXPECT", extra)


# ---------------------------------------------------------------- the example's own


def test_the_example_policy_means_what_its_table_says() -> None:
    found = read_policy(ROOT / "config").policy
    assert found is not None
    read = read_table(ROOT / "tests" / "policy" / "orders.yaml", found)
    assert isinstance(read, Table)
    assert [(result.case.case, result.wrong) for result in run_table(found, read) if result.wrong] == []


def test_an_editor_knows_the_keys_of_a_table() -> None:
    assert (ROOT / "config" / "schema" / "cases.json").read_text(encoding="utf-8") == schemas()["cases.json"]


# ---------------------------------------------------------------- slips


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (one("expect: {outcome: aproval}"), "6: outcome: 'aproval' is not possible here; did you mean 'approval'?"),
        (one("expct: {}, expect: {outcome: allowed}"), "6: no key 'expct' here; did you mean 'expect'?"),
        (
            one("expect: {outcome: refused, code: freez}"),
            "6: no refusal is called 'freez'; did you mean 'freeze'?",
        ),
        (
            one("expect: {outcome: rule, code: freeze}"),
            "6: 'code' means nothing where the outcome is rule; it belongs to refused; take it out",
        ),
        (
            one("break_glass: true, holder: nia@example.com, expect: {outcome: allowed}"),
            "6: 'holder' means nothing beside 'break_glass'; take one of them out",
        ),
        (
            one("expect: {outcome: rule, rule: night}"),
            "6: no rule 'night' for shop-prod read-only",
        ),
        (
            one("holder: dan@example.com, expect: {outcome: allowed}"),
            "6: 'dan@example.com' is in no group; did you mean 'dana@example.com'? "
            "where that is meant, say so: people: {dan@example.com: {}}",
        ),
        (
            one("expect: {outcome: approval, approvals: {owner: 1}}"),
            "6: no group 'owner'; did you mean 'owners'?",
        ),
        (
            "  - {case: x, who: max@example.com, environment: shop, role: read-only, expect: {outcome: refused}}\n",
            "6: no environment 'shop'; did you mean 'shop-prod'?",
        ),
        (
            "  - {case: x, who: max@example.com, environment: shop-prod, role: read-onyl, expect: {outcome: refused}}\n",
            "6: no role 'read-onyl' in shop-prod; did you mean 'read-only'?",
        ),
        (one("at: 2026-11-24T10:00:00, expect: {outcome: refused}"), None),
    ],
)
def test_a_slip_is_told_with_its_line(tmp_path: Path, case: str, said: str | None) -> None:
    found = problems(tmp_path, case)
    if said is None:
        assert "does not say of which time zone it is" in found[0]
    else:
        assert found == [said]


def test_all_slips_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        one("expect: {outcome: nothing}"),
        one("holder: zed@example.com, expect: {outcome: refused, code: nope}"),
        "  - {case: y, who: dana@example.com, environment: nowhere, role: a, expect: {outcome: refused}}\n",
        head=HEAD.replace("oncall:", "platform: [], onkall:"),
    )
    assert [line.partition(":")[0] for line in found] == ["3", "3", "6", "6", "7", "7", "7", "8"]
    assert any("the policy itself says who is in 'platform'" in line for line in found)
    assert any("nothing says who is in 'oncall'" in line for line in found)


def test_a_group_that_nobody_fills_tests_nothing(tmp_path: Path) -> None:
    found = problems(tmp_path, one("expect: {outcome: allowed}"), head=HEAD.replace(", oncall: [nia@example.com]", ""))
    assert found == [
        "6: nothing says who is in 'oncall', which the policy looks up elsewhere (slack:S0ONCALL); "
        "write groups: {oncall: [dana@example.com]}, or [] for nobody"
    ]


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    found = shop(tmp_path / "policy")
    for path in (tmp_path, tmp_path / "none.yaml"):
        read = read_table(path, found)
        assert not isinstance(read, Table)
        assert len(read) == 1


# ---------------------------------------------------------------- what is compared


@pytest.mark.parametrize(
    ("case", "wrong"),
    [
        (one("expect: {outcome: refused}"), ["outcome: expected refused, got approval (1 of owners)"]),
        (one("for: 3h, expect: {outcome: refused, code: freeze}"), ["code: expected freeze, got duration_too_long"]),
        (one("for: 3h, reason: '', expect: {outcome: refused, code: duration_too_long}"), []),
        (
            one("expect: {outcome: approval, approvals: {owners: 2}}"),
            ["approvals: expected 2 of owners, got 1 of owners"],
        ),
        (
            one("expect: {outcome: approval, approvers: [olu@example.com]}"),
            ["approvers: expected olu@example.com, got olu@example.com, pat@example.com"],
        ),
        (
            one("expect: {outcome: approval, among_approvers: [sid@example.com], no_approvers: [olu@example.com]}"),
            [
                "among_approvers: expected sid@example.com, got olu@example.com, pat@example.com",
                "no_approvers: expected not olu@example.com, got olu@example.com, pat@example.com",
            ],
        ),
        (
            one("expect: {outcome: approval, lasts: 1h, max_duration: 1h, max_total: 1h}"),
            [
                "lasts: expected 1 h, got 30 min",
                "max_duration: expected 1 h, got 2 h",
                "max_total: expected 1 h, got no limit",
            ],
        ),
        (one("expect: {outcome: allowed, lasts: 30m}"), []),
        (one("unknown_groups: [devs], expect: {outcome: refused, code: not_known_yet}"), []),
    ],
)
def test_what_differs_is_told(tmp_path: Path, case: str, wrong: list[str]) -> None:
    assert [str(item) for item in run(tmp_path, case)[0].wrong] == wrong


def test_what_a_case_says_of_people_stands_before_what_the_file_says(tmp_path: Path) -> None:
    cases = [
        one("people: {olu@example.com: {account: closed}}, expect: {outcome: approval, approvers: [pat@example.com]}"),
        one("groups: {devs: []}, expect: {outcome: refused, code: not_a_requester}"),
        one(
            "away: {olu@example.com: max@example.com}, expect: {outcome: approval, among_approvers: [max@example.com]}"
        ),
        one(
            "away: {olu@example.com: max@example.com}, people: {max@example.com: {account: on hold}}, "
            "expect: {outcome: approval, no_approvers: [max@example.com]}"
        ),
        one(
            "holder: nia@example.com, people: {nia@example.com: {account: guest}}, "
            "expect: {outcome: refused, code: holder_unfit}"
        ),
        one(
            "holder: nia@example.com, people: {nia@example.com: {account: on hold}}, "
            "expect: {outcome: refused, code: holder_blocked}"
        ),
    ]
    assert [result.wrong for result in run(tmp_path, *cases)] == [()] * len(cases)


def test_break_glass_and_more_time_have_rules_of_their_own(tmp_path: Path) -> None:
    nia = one("break_glass: true, EXPECT").replace("dana@", "nia@")
    cases = [
        nia.replace("EXPECT", "expect: {outcome: break-glass, review_within: 24h, max_duration: 30m}"),
        nia.replace(
            "EXPECT", "people: {nia@example.com: {barred: lost}}, expect: {outcome: refused, code: break_glass_barred}"
        ),
        one("extends: {since: 3h, left: 5m}, expect: {outcome: approval}"),
    ]
    assert [result.wrong for result in run(tmp_path, *cases)] == [()] * len(cases)


@pytest.mark.parametrize(
    ("since", "taken", "outcome"),
    [
        ("2h", "", "approval"),
        ("171m", "", "refused, code: total_too_long"),
        # What was taken in an emergency has that limit, too.
        ("55m", "break_glass: true, ", "refused, code: total_too_long"),
        ("25m", "break_glass: true, ", "approval"),
    ],
)
def test_more_time_is_refused_where_it_would_be_longer_than_all_extensions_may(
    tmp_path: Path, since: str, taken: str, outcome: str
) -> None:
    edits = [
        (SHOP, "read-only: {}", "read-only: {max_total: 3h}"),
        (SHOP, "max_duration: 30m, review", "max_duration: 30m, max_total: 1h, review"),
    ]
    found = shop(tmp_path / "policy", *edits)
    case = one(f"for: 5m, extends: {{{taken}since: {since}, left: 5m}}, expect: {{outcome: {outcome}}}")
    read = read_table(table(tmp_path, case), found)
    assert isinstance(read, Table), "\n".join(map(str, read))
    assert [result.wrong for result in run_table(found, read)] == [()]


def test_rules_that_no_case_has_met_are_known(tmp_path: Path) -> None:
    found = shop(tmp_path / "policy")
    results = run(
        tmp_path / "a" if (tmp_path / "a").mkdir() is None else tmp_path,
        one("expect: {outcome: approval}"),
        one("for: 9h, expect: {outcome: refused}"),
        one("break_glass: true, expect: {outcome: break-glass}").replace("dana@", "nia@"),
    )
    met = {rule for result in results for rule in result.met}
    assert met == {
        "shop-prod read-only: approve",
        "shop-prod read-only: max_duration",
        "shop-prod read-only: break-glass",
    }
    assert met < set(rules_of(found))


# ---------------------------------------------------------------- the same as in chat


@pytest.mark.parametrize("who", [build.DANA, build.NIA, build.OLU, build.SUE])
@pytest.mark.parametrize("incident", [False, True])
@pytest.mark.parametrize("hours", [1, 2, 9])
def test_a_case_comes_out_as_it_does_in_chat(who: PersonId, incident: bool, hours: int) -> None:
    """The whole way of an ask, over the record and through a worker, and the case's: the same answer."""
    world = World()
    policy = world.policy.policy
    for role in policy.environments["payments-prod"].roles:
        answer = world.ask(
            who, role, duration=timedelta(hours=hours), origin=Origin(incident=incident), reason="INC-42 checkout"
        )
        case = Case.model_validate(
            {
                "case": "x",
                "who": str(who),
                "environment": "payments-prod",
                "role": role,
                "for": f"{hours}h",
                "reason": "INC-42 checkout",
                "in_incident_channel": incident,
                "expect": {"outcome": "allowed"},
            },
        )
        on = Known(
            {}, {name: frozenset(map(build.Address, people)) for name, people in build.GROUPS.items()}, frozenset(), {}
        )
        got = judge(policy, case, on, world.clock.now())
        if isinstance(answer, Refused):
            assert got.refused is not None
            assert got.refused.code is answer.code
            continue
        world.work()
        request = world.request(answer.id)
        assert (got.outcome == "rule") == (request.state is RequestState.APPROVED)
        assert got.rule == (request.decision.rule if request.decision else None)
