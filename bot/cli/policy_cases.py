"""`prodaccess policy test`: tables of cases against the policy folder, for a person, a program, or a pull request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot.cli.check import Finding
from bot.cli.program import POLICY, PROBLEMS, USAGE, add, say, told

if TYPE_CHECKING:
    from workflows.core.policy import Policy
    from workflows.policy_file.cases import Result, Table
    from workflows.policy_file.problem import Problem


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    JUNIT = "junit"


@dataclass(frozen=True, slots=True)
class _Report:
    """What there is to print. `missed`: rules that no case has met; None where nobody asked for them."""

    folder: Path
    policy: Policy
    files: int
    results: tuple[Result, ...]
    rules: tuple[str, ...]
    missed: tuple[str, ...] | None

    @property
    def failing(self) -> tuple[Result, ...]:
        return tuple(one for one in self.results if one.wrong)


def register(app: typer.Typer) -> None:
    add(app, try_cases, "test")


@told(
    examples={
        "prodaccess policy test tests/policy": "Every .yaml file of a folder, against ./config.",
        "prodaccess policy test cases.yaml --policy config --coverage": "And which rules no case has met.",
        "prodaccess policy test tests/policy --format github": "In a workflow of GitHub: each beside its line.",
    },
    uses=POLICY,
    codes={
        PROBLEMS: "a case came out otherwise than expected",
        USAGE: "the policy or a file has problems, so that nothing was tested; or it was typed wrongly",
    },
)
def try_cases(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Tables of cases, or folders of them.")],
    policy: Annotated[Path | None, typer.Option(metavar="DIR", help="The policy folder.")] = None,
    *,
    coverage: Annotated[bool, typer.Option("--coverage", help="Name the rules that no case has met.")] = False,
    form: Annotated[
        Format, typer.Option("--format", metavar="FORM", help="text, json, github or junit.")
    ] = Format.TEXT,
) -> None:
    """Try cases on the policy: who asks what when, and what should happen.

    It needs neither Redis nor chat nor AWS. Who is in a group that is kept elsewhere stands in the file.
    """
    from bot.settings import process_environ
    from workflows.policy_file import read_policy
    from workflows.policy_file.cases import rules_of, run_table

    folder = policy or Path(process_environ().get("PRODACCESS_CONFIG") or "config")
    reading = read_policy(folder)
    if reading.policy is None:
        _give_up(form, _of_the_folder(folder, reading.problems))
    tables = _tables(tuple(_paths(files)), reading.policy, form)
    results = tuple(one for table in tables for one in run_table(reading.policy, table))
    rules = rules_of(reading.policy)
    met = frozenset(rule for one in results for rule in one.met)
    missed = tuple(rule for rule in rules if rule not in met) if coverage else None
    report = _Report(folder, reading.policy, len(tables), results, rules, missed)
    _PRINT[form](report)
    if report.failing:
        raise typer.Exit(PROBLEMS)


def _paths(files: Sequence[Path]) -> Iterator[Path]:
    """The files, and of a folder those that end in .yaml, sorted."""
    for path in files:
        if path.is_dir():
            yield from sorted(one for one in path.iterdir() if one.suffix == ".yaml" and not one.name.startswith("."))
        else:
            yield path


def _tables(paths: Sequence[Path], policy: Policy, form: Format) -> tuple[Table, ...]:
    from workflows.policy_file.cases import Table, read_table

    found = [read_table(path, policy) for path in paths]
    problems = [problem for one in found if not isinstance(one, Table) for problem in one]
    if problems:
        _give_up(form, [Finding("error", problem.file, problem.line, 1, _words(problem)) for problem in problems])
    if not found:
        _give_up(form, [Finding("error", "", 0, 0, "there is no file of cases: name one that ends in .yaml")])
    return tuple(one for one in found if isinstance(one, Table))


def _words(problem: Problem) -> str:
    return problem.message + (f"; {problem.suggestion}" if problem.suggestion else "")


def _of_the_folder(folder: Path, problems: Iterable[Problem]) -> list[Finding]:
    return [
        Finding("error", os.path.relpath(folder / one.file), one.line, 1 if one.line else 0, _words(one))
        for one in problems
    ]


def _give_up(form: Format, found: Sequence[Finding]) -> NoReturn:
    """Nothing was tested: every problem at once, and why."""
    if form is Format.JSON:
        say(json.dumps({"problems": [_as_data(one) for one in found]}, indent=2, ensure_ascii=False))
    else:
        for one in found:
            say(one.annotation if form is Format.GITHUB else one.text.removeprefix(": "))
    raise typer.Exit(USAGE)


def _as_data(found: Finding) -> dict[str, Any]:
    return {"path": found.path, "line": found.line, "message": found.message}


# ---------------------------------------------------------------- printing


def _print_text(report: _Report) -> None:
    for one in report.failing:
        say(f"{_place(one)}: {_sentence(report.policy, one)}")
    for rule in report.missed or ():
        say(f"no case meets {rule}")
    say(_sums(report))


def _print_github(report: _Report) -> None:
    for one in report.failing:
        say(Finding("error", one.file, one.line, 1, _sentence(report.policy, one)).annotation)
    for rule in report.missed or ():
        say(Finding("notice", "", 0, 0, f"no case meets {rule}").annotation)
    say(_sums(report))


def _print_json(report: _Report) -> None:
    from bot.cli.policy_cases_words import data, why

    rows = [{**data(one), "why": why(report.policy, one.verdict)} for one in report.results]
    found: dict[str, Any] = {
        "policy": report.policy.hash,
        "cases": len(report.results),
        "failed": len(report.failing),
        "results": rows,
    }
    if report.missed is not None:
        found["coverage"] = {"rules": len(report.rules), "missed": list(report.missed)}
    say(json.dumps(found, indent=2, ensure_ascii=False))


def _print_junit(report: _Report) -> None:
    from xml.etree import ElementTree as Xml

    suite = Xml.Element(
        "testsuite", name="prodaccess policy test", tests=str(len(report.results)), failures=str(len(report.failing))
    )
    for one in report.results:
        row = Xml.SubElement(
            suite, "testcase", classname=one.file, name=one.case.case, file=one.file, line=str(one.line)
        )
        if one.wrong:
            Xml.SubElement(row, "failure", message=_sentence(report.policy, one))
    say(Xml.tostring(suite, encoding="unicode", xml_declaration=True))


_PRINT = {
    Format.TEXT: _print_text,
    Format.GITHUB: _print_github,
    Format.JSON: _print_json,
    Format.JUNIT: _print_junit,
}


def _place(one: Result) -> str:
    from workflows.policy_file.problem import printable

    return f"{printable(one.file)}:{one.line}"


def _sentence(policy: Policy, one: Result) -> str:
    """On one line: what it is about, what was expected and found, and the reason that people would be given."""
    from bot.cli.policy_cases_words import why
    from workflows.policy_file.problem import printable

    wrong = "; ".join(map(str, one.wrong))
    return printable(f"{one.case.case}: {wrong}. Why: {why(policy, one.verdict)}")


def _sums(report: _Report) -> str:
    """`config: 12 cases in 1 file, 1 failed`."""
    cases, files = _count(len(report.results), "case"), _count(report.files, "file")
    parts = [f"{cases} in {files}", f"{len(report.failing)} failed"]
    if report.missed is not None:
        parts.append(f"{len(report.rules) - len(report.missed)} of {_count(len(report.rules), 'rule')} met")
    return f"{report.folder}: {', '.join(parts)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
