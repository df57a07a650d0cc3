"""The alarms: each fires and does not fire as it should, leads to an entry in the runbook, and uses metrics that there are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.deploy_tools import promtool

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
HOURS = 2


def rules() -> dict[str, Any]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def run(*command: object) -> None:
    done = subprocess.run(list(map(str, command)), check=False, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_promtool_takes_the_rules() -> None:
    run(promtool(), "check", "rules", ALERTS)


# For each alarm: series that make it fire within the time, and series with which it stays silent. Values in promtool's notation,
# one a minute: `1+2x3` is 1 3 5 7.
Values = dict[str, str]
Case = tuple[str, Values, Values]
CASES: dict[str, Case] = {
    "ProdaccessOverdue": (
        "5m",
        {"prodaccess_grants_overdue_seconds": "0 61+60x10"},
        # Ends are late by seconds under load.
        {"prodaccess_grants_overdue_seconds": "0 59 0 59 0x20"},
    ),
    "ProdaccessRemovalFailing": (
        "6m",
        {"prodaccess_removal_alarms_total{environment='orders-prod'}": "0x3 1x10"},
        {"prodaccess_removal_alarms_total{environment='orders-prod'}": "7x20"},
    ),
    "ProdaccessAccessReappeared": (
        "6m",
        {"prodaccess_audit_entries_total{event='grant.reappeared'}": "0x3 1x10"},
        {
            "prodaccess_audit_entries_total{event='grant.reappeared'}": "3x20",
            "prodaccess_audit_entries_total{event='grant.ended'}": "0+5x20",
        },
    ),
    "ProdaccessDrift": (
        "12m",
        {"prodaccess_drift_open{kind='missing'}": "0x3 1x20", "prodaccess_drift_open{kind='standing'}": "0x30"},
        # Standing access is told once, and waits for the digest.
        {"prodaccess_drift_open{kind='standing'}": "40x30", "prodaccess_drift_open{kind='unknown'}": "0x30"},
    ),
    "ProdaccessVoteUnproved": (
        "6m",
        {"prodaccess_audit_entries_total{event='vote.unproved'}": "0x3 1x10"},
        {"prodaccess_audit_entries_total{event='vote.unproved'}": "3x20"},
    ),
    "ProdaccessBreakGlassUnannounced": (
        "6m",
        {"prodaccess_break_glass_unannounced_total": "0x3 1x10"},
        {"prodaccess_break_glass_unannounced_total": "2x20"},
    ),
    "ProdaccessBreakGlassFromTerminal": (
        "6m",
        {"prodaccess_break_glass_from_terminal_total{environment='payments-prod'}": "0x3 1x10"},
        {"prodaccess_break_glass_from_terminal_total{environment='payments-prod'}": "2x20"},
    ),
    "ProdaccessAccessSlow": (
        "40m",
        {
            "prodaccess_activation_seconds_bucket{tier='production',le='60'}": "0x60",
            "prodaccess_activation_seconds_bucket{tier='production',le='300'}": "0+1x60",
            "prodaccess_activation_seconds_bucket{tier='production',le='+Inf'}": "0+1x60",
            "prodaccess_activation_seconds_count{tier='production'}": "0+1x60",
        },
        {
            "prodaccess_activation_seconds_bucket{tier='production',le='60'}": "0+1x60",
            "prodaccess_activation_seconds_bucket{tier='production',le='300'}": "0+1x60",
            "prodaccess_activation_seconds_bucket{tier='production',le='+Inf'}": "0+1x60",
            "prodaccess_activation_seconds_count{tier='production'}": "0+1x60",
        },
    ),
    "ProdaccessDown": ("5m", {"up": "1 0x20"}, {"up": "1x20", "up{pod='b'}": "0x20"}),
    "ProdaccessNoWorker": (
        "5m",
        {"prodaccess_process_alive{process='worker'}": "1 0x20"},
        # One web asked in a bad moment.
        {
            "prodaccess_process_alive{process='worker'}": "1x20",
            "prodaccess_process_alive{process='clock'}": "0x20",
            "prodaccess_process_alive{process='worker',pod='b'}": "0x20",
        },
    ),
    "ProdaccessNoClock": ("5m", {"prodaccess_clock_leads": "1 0x20"}, {"prodaccess_clock_leads": "1 0 1x20"}),
    "ProdaccessQueueStuck": (
        "6m",
        {"prodaccess_wakeups_oldest_seconds{queue='prodaccess-remove'}": "0 61+60x20", "prodaccess_due_late": "0x20"},
        {"prodaccess_wakeups_oldest_seconds{queue='prodaccess-chat'}": "50x20", "prodaccess_due_late": "0 3 0x20"},
    ),
    "ProdaccessPolicyDiffers": (
        "10m",
        {"prodaccess_policy_matches": "0x20", "prodaccess_policy_matches{pod='b'}": "1x20"},
        # A rollout.
        {"prodaccess_policy_matches": "1 0 0 0 1x20"},
    ),
    "ProdaccessOlderVersionRuns": (
        "10m",
        {"prodaccess_older_version_runs": "0 1x20"},
        {"prodaccess_older_version_runs": "0 1 1 0x20"},
    ),
    "ProdaccessLedgerDown": ("5m", {"prodaccess_ledger_up": "1 0x20"}, {"prodaccess_ledger_up": "1 0 1x20"}),
    "ProdaccessLedgerNotDurable": (
        "5m",
        {"prodaccess_ledger_durable": "1 0x20"},
        {"prodaccess_ledger_durable": "1 0 1x20"},
    ),
    "ProdaccessLedgerClockJumped": (
        "5m",
        {"prodaccess_ledger_clock_trusted": "1 0x20"},
        {"prodaccess_ledger_clock_trusted": "1x20"},
    ),
    "ProdaccessLedgerRolledBack": (
        "5m",
        {"prodaccess_ledger_whole": "1 0x20"},
        {"prodaccess_ledger_whole": "1x20"},
    ),
    "ProdaccessAuditNotSealed": (
        "8m",
        {"prodaccess_audit_head": "7 8 9x20", "prodaccess_audit_sealed": "7 8x20"},
        # A busy hour, in which each scrape finds an entry that is a second old.
        {"prodaccess_audit_head": "8+5x20", "prodaccess_audit_sealed": "7+5x20"},
    ),
    "ProdaccessAuditNotArchived": (
        "15m",
        {"prodaccess_audit_archive_failing": "0 1x20"},
        {"prodaccess_audit_archive_failing": "0 1 1 0x20"},
    ),
    "ProdaccessLeaversHeld": (
        "5m",
        {"prodaccess_leavers_held": "0 4x20"},
        {"prodaccess_leavers_held": "0 4 0x20"},
    ),
    "ProdaccessLedgerUnreadable": (
        "10m",
        {"prodaccess_ledger_unreadable": "0 2x20"},
        {"prodaccess_ledger_unreadable": "0 2 2 0x20"},
    ),
    "ProdaccessChatBehind": (
        "15m",
        {
            "prodaccess_chat_behind_seconds{chat='slack'}": "0+60x20",
            "prodaccess_chat_behind_seconds{chat='teams'}": "0x20",
        },
        {"prodaccess_chat_behind_seconds{chat='slack'}": "0+60x4 0x20"},
    ),
    "ProdaccessTargetErrors": (
        "20m",
        {
            "prodaccess_calls_total{service='aws',method='iam GetUser',error='ok'}": "0+5x30",
            "prodaccess_calls_total{service='aws',method='iam GetUser',error='AccessDenied'}": "0+5x30",
        },
        {
            # That something is not there is an answer, and Slack is not AWS.
            "prodaccess_calls_total{service='aws',method='iam GetUser',error='ok'}": "0+5x30",
            "prodaccess_calls_total{service='aws',method='iam GetUser',error='NoSuchEntityException'}": "0+50x30",
            "prodaccess_calls_total{service='slack',method='chat.update',error='ratelimited'}": "0+50x30",
        },
    ),
    "ProdaccessDriftNotCompared": (
        "200m",
        {"prodaccess_drift_not_known": "2x240", "prodaccess_drift_compared_timestamp_seconds": "0+60x240"},
        # Never compared: a new installation, which has another alarm where no worker runs.
        {"prodaccess_drift_not_known": "0x240", "prodaccess_drift_compared_timestamp_seconds": "0x240"},
    ),
    "ProdaccessActsFail": (
        "90m",
        {
            "prodaccess_failures_total{what='an act failed'}": "1+0.2x120",
            "prodaccess_answers_untold_total": "0x120",
            "prodaccess_acts_total{kind='press'}": "0+4x120",
        },
        {
            "prodaccess_failures_total{what='an act failed'}": "1x120",
            "prodaccess_failures_total{what='a target failed'}": "0+4x120",
            "prodaccess_answers_untold_total": "0x120",
            "prodaccess_acts_total{kind='press'}": "0+4x120",
        },
    ),
    "ProdaccessFaults": (
        "15m",
        {"prodaccess_failures_total{what='a target failed'}": "1+1x20"},
        {"prodaccess_failures_total{what='a target failed'}": "1x10 2x10"},
    ),
}


def series(values: Values) -> list[dict[str, str]]:
    def named(text: str) -> str:
        name, _, labels = text.replace("'", '"').rstrip("}").partition("{")
        more = f",{labels}" if labels else ""
        return f'{name}{{job="prodaccess",instance="{"b" if "pod=" in labels else "a"}"{more}}}'

    return [{"series": named(name), "values": text} for name, text in values.items()]


def test_each_alarm_fires_when_it_should_and_not_otherwise(tmp_path: Path) -> None:
    assert CASES.keys() == rules().keys()
    tests: list[dict[str, Any]] = []
    for name, (at, loud, silent) in CASES.items():
        others = (
            [] if name == "ProdaccessDown" else [{"series": 'up{job="prodaccess",instance="a"}', "values": "1x200"}]
        )
        alarm = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
        for values, samples in ((loud, [{"labels": "{}", "value": 1}]), (silent, [])):
            tests.append(
                {
                    "name": f"{name} {'fires' if samples else 'is silent'}",
                    "interval": "1m",
                    "input_series": series(values) + others,
                    "promql_expr_test": [{"expr": alarm, "eval_time": at, "exp_samples": samples}],
                }
            )
    page = tmp_path / "test.yaml"
    page.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "30s", "tests": tests}))
    run(promtool(), "test", "rules", page)


# ---------------------------------------------------------------- what needs no tool


def test_each_alarm_says_what_and_how_bad_and_leads_to_its_entry() -> None:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    entries = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    assert list(entries) == list(rules())
    for name, rule in rules().items():
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert {"summary", "description"} <= rule["annotations"].keys()
        assert all(part in entries[name] for part in ("**How bad:**", "**Now:**", "**Over when**")), name


def metrics_there_are() -> set[str]:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(prodaccess_\w+)` \| (\w+) \|", page, re.MULTILINE)
    parts = {name: ("_bucket", "_sum", "_count") if kind == "histogram" else ("",) for name, kind in rows}
    return {name + part for name, ends in parts.items() for part in ends}


def test_each_metric_of_an_alarm_is_there() -> None:
    used = {name for rule in rules().values() for name in re.findall(r"\bprodaccess_\w+", rule["expr"])}
    assert used <= metrics_there_are()
    assert len(used) > 15
