"""Cases of gates: what a table says of a pipeline that waits is what would become of its ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE
from tests.unit.policy_file.policy_folder import policy as shop
from workflows.core.policy import Policy
from workflows.policy_file.cases import Result, Table, read_table, rules_of, run_table

HEAD = """\
version: 1
at: 2026-11-24T10:00:00+01:00
groups: {devs: [dana@example.com], oncall: []}
cases:
  - {case: x, who: dana@example.com, environment: shop-prod, role: read-only, expect: {outcome: approval}}
gates:
"""
PIPELINE = """\
pipelines:
  - {name: shop, issuer: https://token.actions.githubusercontent.com, repository_id: "1", repository_owner_id: "2",
     events: [push], workflow: acme/shop/.github/workflows/deploy.yml@refs/heads/main, environments: [shop-prod]}
digests:"""
GATES = """title: Shop
gates:
  deploy: {approve: {owners: 1}, ticket: 'OPS-[0-9]+', hours: {days: [mon-thu], from: "08:00", until: "17:00"}}
  known: {approve: {owners: 1}, unknown_starter: refuse}"""


def policy(folder: Path) -> Policy:
    return shop(folder / "policy", (WORKSPACE, "digests:", PIPELINE), (SHOP, "title: Shop", GATES))


def read(folder: Path, *cases: str) -> Table | tuple[object, ...]:
    path = folder / "cases.yaml"
    path.write_text(HEAD + "".join(f"  - {{case: x, environment: shop-prod, {case}}}\n" for case in cases))
    return read_table(path, policy(folder))


def run(folder: Path, *cases: str) -> tuple[Result, ...]:
    found = read(folder, *cases)
    assert isinstance(found, Table), "\n".join(map(str, found))
    return run_table(policy(folder), found)[1:]


@pytest.mark.parametrize(
    "case",
    [
        "ticket: OPS-1, expect: {outcome: approval, approvals: {owners: 1}, approvers: [olu@example.com, pat@example.com]}",
        "ticket: OPS-1, began: [olu@example.com], expect: {outcome: approval, approvers: [pat@example.com]}",
        "ticket: OPS-1, unknown: 1, expect: {outcome: approval, approvals: {owners: 2}}",
        "ticket: OPS-1, began: [dana@example.com], pipeline: shop, expect: {outcome: allowed}",
        "expect: {outcome: refused, code: ticket_missing}",
        "ticket: OPS-1, at: 2026-11-27T10:00:00+01:00, expect: {outcome: refused, code: outside_hours}",
        "gate: known, unknown: 1, expect: {outcome: refused, code: gate_starter_unknown}",
        "gate: known, began: [dana@example.com], expect: {outcome: approval, no_approvers: [dana@example.com]}",
        "gate: nothing, expect: {outcome: refused, code: gate_unknown}",
    ],
)
def test_a_case_of_a_gate_comes_out_as_its_ask_would(tmp_path: Path, case: str) -> None:
    (found,) = run(tmp_path, case)
    assert [str(one) for one in found.wrong] == []


def run_glass(folder: Path, case: str, *, opt_in: bool = True) -> Result:
    """Where the gates say that they are opened in an emergency, and the policy is frozen today."""
    said = "break_glass: true, " if opt_in else ""
    gates = GATES.replace("deploy: {", f"deploy: {{{said}").replace("known: {", f"known: {{{said}")
    gates += "\nfreezes: [{from: 2026-11-24T00:00:00+01:00, until: 2026-11-25T00:00:00+01:00, reason: Quarter's end}]"
    glass = "max_per_day: 2, review_within: 8h"
    edits = (SHOP, "title: Shop", gates), (SHOP, "review_within: 24h", glass)
    found = shop(folder / "policy", (WORKSPACE, "digests:", PIPELINE), *edits)
    path = folder / "cases.yaml"
    head = HEAD.replace("oncall: []", "oncall: [nia@example.com]").replace("10:00:00", "21:00:00")
    path.write_text(head + f"  - {{case: x, environment: shop-prod, ticket: OPS-1, {case}}}\n")
    table = read_table(path, found)
    assert isinstance(table, Table), "\n".join(map(str, table))
    return run_table(found, table)[1]


@pytest.mark.parametrize(
    "case",
    [
        "broken_by: nia@example.com, expect: {outcome: break-glass, review_within: 8h}",
        "broken_by: nia@example.com, began: [nia@example.com], expect: {outcome: break-glass}",
        "broken_by: nia@example.com, unknown: 2, uses_today: 1, expect: {outcome: allowed}",
        "broken_by: nia@example.com, uses_today: 2, expect: {outcome: refused, code: break_glass_too_often}",
        "broken_by: olu@example.com, expect: {outcome: refused, code: break_glass_not_allowed}",
        "broken_by: nia@example.com, people: {nia@example.com: {barred: flagged}}, "
        "expect: {outcome: refused, code: break_glass_barred}",
        "broken_by: nia@example.com, people: {nia@example.com: {account: on hold}}, "
        "expect: {outcome: refused, code: person_suspended}",
        "broken_by: nia@example.com, unknown_groups: [oncall], expect: {outcome: refused, code: not_known_yet}",
        "expect: {outcome: refused, code: freeze}",
    ],
)
def test_a_case_says_who_opens_a_gate_alone(tmp_path: Path, case: str) -> None:
    assert [str(one) for one in run_glass(tmp_path, case).wrong] == []


def test_without_a_word_of_its_own_no_gate_is_opened_alone(tmp_path: Path) -> None:
    case = "broken_by: nia@example.com, expect: {outcome: refused, code: break_glass_not_allowed}"
    assert [str(one) for one in run_glass(tmp_path, case, opt_in=False).wrong] == []


def test_a_case_meets_the_break_glass_of_a_gate_and_its_limits(tmp_path: Path) -> None:
    opened = run_glass(tmp_path, "broken_by: nia@example.com, expect: {outcome: break-glass}")
    assert "shop-prod gate deploy: break-glass" in opened.met
    often = run_glass(tmp_path, "broken_by: nia@example.com, uses_today: 2, expect: {outcome: refused}")
    assert often.met == {"shop-prod: break-glass max_per_day"}


def test_what_differs_is_told(tmp_path: Path) -> None:
    case = "ticket: OPS-1, began: [olu@example.com], expect: {outcome: approval, among_approvers: [olu@example.com]}"
    (found,) = run(tmp_path, case)
    assert [str(one) for one in found.wrong] == ["among_approvers: expected olu@example.com, got pat@example.com"]


def test_a_pipeline_that_may_not_ask_for_this_environment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(HEAD + "  - {case: x, environment: shop-prod, gate: known, expect: {outcome: refused}}\n")
    edits = (WORKSPACE, "digests:", PIPELINE.replace("[shop-prod]", "[other-prod]")), (SHOP, "title: Shop", GATES)
    other = (
        "environments/other-prod.yaml",
        "",
        "environment: other-prod\ntitle: Other\ntier: production\nowners: [platform]\nrequesters: [devs]\n"
        'account: "111122223333"\napprovals_channel: C0SHOP\nroles: {read-only: {}}\ngates: {deploy: {approve: {owners: 1}}}\n',
    )
    found = shop(tmp_path / "policy", *edits, other)
    table = read_table(path, found)
    assert isinstance(table, Table), "\n".join(map(str, table))
    refused = run_table(found, table)[1].verdict.refused
    assert refused is not None
    assert refused.code.value == "pipeline_not_allowed"


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("gate: depoly, expect: {outcome: approval}", "no gate 'depoly' in shop-prod"),
        ("began: [stranger@example.com], expect: {outcome: approval}", "'stranger@example.com' is in no group"),
        ("pipeline: shp, expect: {outcome: approval}", "no pipeline 'shp'"),
        ("expect: {outcome: rule}", "a gate has no outcome rule"),
        ("expect: {outcome: break-glass}", "a gate has no outcome break-glass"),
        ("uses_today: 1, expect: {outcome: allowed}", "'uses_today' means nothing without 'broken_by'"),
        ("broken_by: stranger@example.com, expect: {outcome: allowed}", "'stranger@example.com' is in no group"),
        ("expect: {outcome: approval, lasts: 1h}", "'lasts' means nothing of a gate"),
    ],
)
def test_a_slip_is_told(tmp_path: Path, case: str, said: str) -> None:
    found = read(tmp_path, case)
    assert not isinstance(found, Table)
    assert any(said in str(one) for one in found), found


def test_rules_of_gates_that_no_case_has_met_are_known(tmp_path: Path) -> None:
    found = run(
        tmp_path, "ticket: OPS-1, expect: {outcome: approval}", "gate: known, unknown: 1, expect: {outcome: refused}"
    )
    met = frozenset[str]().union(*(one.met for one in found))
    ours = [rule for rule in rules_of(policy(tmp_path)) if " gate " in rule]
    assert met == {"shop-prod gate deploy: approve", "shop-prod gate known: unknown_starter"}
    assert ours == [
        "shop-prod gate deploy: approve",
        "shop-prod gate deploy: ticket",
        "shop-prod gate deploy: hours",
        "shop-prod gate known: approve",
        "shop-prod gate known: unknown_starter",
    ]
