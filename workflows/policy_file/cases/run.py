"""A file of cases -> the table, or everything that is wrong with it; and what the policy makes of each case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from workflows.core.policy import Policy
from workflows.policy_file.cases.compare import Mismatch, mismatches
from workflows.policy_file.cases.coverage import met, met_by_gate
from workflows.policy_file.cases.facts import known
from workflows.policy_file.cases.gates import judge_gate
from workflows.policy_file.cases.judge import Verdict, judge
from workflows.policy_file.cases.names import check_names
from workflows.policy_file.cases.raw import Case, GateCase, TableFile
from workflows.policy_file.folder import text_of
from workflows.policy_file.problem import Problem
from workflows.policy_file.words import validated
from workflows.policy_file.yaml_reader import read_yaml


@dataclass(frozen=True, slots=True)
class Table:
    """One file. `lines`: where each case begins, counted from 1; `gate_lines`: where each of a gate does."""

    file: str
    content: TableFile
    lines: tuple[int, ...]
    gate_lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case. `met`: names of `coverage.rules_of`."""

    file: str
    line: int
    case: Case | GateCase
    verdict: Verdict
    wrong: tuple[Mismatch, ...]
    met: frozenset[str]


def read_table(path: Path, policy: Policy) -> Table | tuple[Problem, ...]:
    """The table, whose names all are this policy's; or all of its problems. `Problem.file` is the path as it was given."""
    text = text_of(path)
    return (text,) if isinstance(text, Problem) else understand_table(str(path), text, policy)


def understand_table(file: str, text: str, policy: Policy) -> Table | tuple[Problem, ...]:
    """As `read_table`, for what has been read already."""
    document, problems = read_yaml(file, text)
    if document is None:
        return problems
    content, said = validated(TableFile, document)
    found = {*problems, *said, *check_names(document, policy)}
    if content is None or found:
        return tuple(sorted(found))
    lines = tuple(document.line(("cases", number)) for number in range(len(content.cases)))
    gate_lines = tuple(document.line(("gates", number)) for number in range(len(content.gates)))
    return Table(file, content, lines, gate_lines)


def run_table(policy: Policy, table: Table) -> tuple[Result, ...]:
    """Every case of the table, in its order; gates come after the others."""
    own = (_run(policy, table, line, case) for line, case in zip(table.lines, table.content.cases, strict=True))
    gates = (_of_gate(policy, table, *each) for each in zip(table.gate_lines, table.content.gates, strict=True))
    return (*own, *gates)


def _run(policy: Policy, table: Table, line: int, case: Case) -> Result:
    at: datetime = case.at or table.content.at
    got = judge(policy, case, known(policy, table.content, case), at)
    return Result(table.file, line, case, got, mismatches(policy, case.expect, got), met(policy, case, at, got))


def _of_gate(policy: Policy, table: Table, line: int, case: GateCase) -> Result:
    at: datetime = case.at or table.content.at
    got = judge_gate(policy, case, known(policy, table.content, case), at)
    found = met_by_gate(policy, case, at, got)
    return Result(table.file, line, case, got, mismatches(policy, case.expect, got), found)
