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
