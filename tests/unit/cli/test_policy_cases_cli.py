"""`prodaccess policy test`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import policy_cases
from bot.cli.program import program
from tests.unit.policy_file.policy_folder import SHOP, write
from tests.unit.policy_file.test_policy_cases import HEAD, one, table

GOOD = one("expect: {outcome: approval}")
BAD = one("expect: {outcome: refused}")


@pytest.fixture
def app() -> typer.Typer:
    found = program("x")
    policy_cases.register(found)
    found.callback()(lambda: None)
    return found


def run(app: typer.Typer, *words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["test", *map(str, words)])
    return result.exit_code, result.stdout


def test_what_passes_is_counted(app: typer.Typer, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "policy"), table(tmp_path, GOOD)
    assert run(app, file, "--policy", folder) == (0, f"{folder}: 1 case in 1 file, 0 failed\n")


def test_a_failing_case_is_one_line_with_its_reason(app: typer.Typer, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "policy"), table(tmp_path, GOOD, BAD)
    code, text = run(app, file, "--policy", folder)
    assert code == 1
    assert text.splitlines() == [
        f"{file}:7: x: outcome: expected refused, got approval (1 of owners). Why: shop-prod read-only wants 1 of owners; "
        "olu@example.com or pat@example.com could agree. It lasts 30 min.",
        f"{folder}: 2 cases in 1 file, 1 failed",
    ]


def test_why_is_what_people_would_be_told(app: typer.Typer, tmp_path: Path) -> None:
    folder = write(tmp_path / "policy")
    refused = one("for: 9h, expect: {outcome: approval}")
    assert "given for 2 h at most; you asked for 9 h" in run(app, table(tmp_path, refused), "--policy", folder)[1]


def test_a_folder_is_all_of_its_files(app: typer.Typer, tmp_path: Path) -> None:
    folder, cases = write(tmp_path / "policy"), tmp_path / "cases"
    cases.mkdir()
    for name in ("a.yaml", "b.yaml"):
        (cases / name).write_text(HEAD + GOOD)
    assert run(app, cases, "--policy", folder) == (0, f"{folder}: 2 cases in 2 files, 0 failed\n")
    (tmp_path / "empty").mkdir()
    assert run(app, tmp_path / "empty", "--policy", folder) == (
        2,
        "there is no file of cases: name one that ends in .yaml\n",
    )


def test_a_policy_that_is_not_valid_tests_nothing(app: typer.Typer, tmp_path: Path) -> None:
    folder = write(tmp_path / "policy", (SHOP, "[platform]", "[platfrom]"))
    code, text = run(app, table(tmp_path, GOOD), "--policy", folder)
    assert code == 2
    assert "no group 'platfrom'" in text


def test_slips_of_a_table_are_exit_code_two(app: typer.Typer, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "policy"), table(tmp_path, one("expect: {outcome: asked}"), GOOD)
    code, text = run(app, file, "--policy", folder)
    assert code == 2
    assert text.startswith(f"{file}:6:1: outcome: 'asked' is not possible here")


def test_github_shows_a_case_beside_its_line(app: typer.Typer, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "policy"), table(tmp_path, BAD)
    text = run(app, file, "--policy", folder, "--format", "github")[1]
    assert text.startswith(f"::error file={file},line=6,col=1::x: outcome: expected refused")


def test_a_program_reads_json(app: typer.Typer, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "policy"), table(tmp_path, GOOD, BAD)
    code, text = run(app, file, "--policy", folder, "--format", "json", "--coverage")
    found = json.loads(text)
    assert (code, found["cases"], found["failed"]) == (1, 2, 1)
    assert found["results"][1]["wrong"][0]["key"] == "outcome"
    assert "shop-prod: break-glass who" in found["coverage"]["missed"]


def test_a_build_server_reads_junit(app: typer.Typer, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "policy"), table(tmp_path, GOOD, BAD)
    suite = Xml.fromstring(run(app, file, "--policy", folder, "--format", "junit")[1])
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [len(case) for case in suite.iter("testcase")] == [0, 1]


def test_coverage_names_what_no_case_meets(app: typer.Typer, tmp_path: Path) -> None:
    folder, file = write(tmp_path / "policy"), table(tmp_path, GOOD)
    code, text = run(app, file, "--policy", folder, "--coverage")
    assert code == 0
    assert "no case meets shop-prod: break-glass who" in text.splitlines()
    assert "no case meets shop-prod read-only: approve" not in text.splitlines()
    assert text.splitlines()[-1].endswith("1 of 10 rules met")
