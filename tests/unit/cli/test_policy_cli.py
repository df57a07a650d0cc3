"""The command line on the policy folder, and the example that comes with the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import check, policy
from tests.unit.policy_file.policy_folder import SHOP, write
from workflows.policy_file import read_policy
from workflows.policy_file.schema import schemas

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config"


@pytest.fixture
def app() -> typer.Typer:
    found = typer.Typer()
    check.register(found)
    policy.register(found)
    return found


def run(app: typer.Typer, *words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout


def test_check_of_the_example_has_no_problems_and_no_warnings(app: typer.Typer) -> None:
    assert run(app, "check", "--strict", EXAMPLE) == (0, f"{EXAMPLE}: 3 environments, 11 roles, 0 problems\n")


def test_check_says_where_nothing_signs_the_audit_log(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = f"{EXAMPLE.resolve()}: 3 environments, 11 roles, 0 problems\n"
    note = (
        "No PRODACCESS_AUDIT_KEY is here: unless the workers have one, nothing signs the audit log (docs/audit.md).\n"
    )
    example = EXAMPLE.resolve()
    monkeypatch.chdir(tmp_path)
    assert run(app, "check", example) == (0, whole), "a folder in a pipeline is no installation"
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-1\n")
    assert run(app, "check", "--strict", example) == (0, whole + note)
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-1\nPRODACCESS_AUDIT_KEY_FILE=/etc/key.pem\n")
    assert run(app, "check", example) == (0, whole)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    (tmp_path / ".env").unlink()
    assert run(app, "check", example) == (0, whole + note)


def test_check_prints_every_problem_and_fails(app: typer.Typer, tmp_path: Path) -> None:
    code, text = run(app, "check", write(tmp_path, (SHOP, "[platform]", "[platfrom]"), (SHOP, "C0SHOP", "shop")))
    assert code == 1
    place = os.path.relpath(tmp_path / SHOP)
    assert text.splitlines()[0] == f"{place}:5:10: no group 'platfrom'; did you mean 'platform'?"
    assert text.splitlines()[-1] == f"{tmp_path}: 2 problems"


def test_a_folder_that_is_not_there_is_named_once(app: typer.Typer, tmp_path: Path) -> None:
    code, text = run(app, "check", tmp_path / "nowhere")
    assert code == 1
    assert text.splitlines()[0].startswith(f"{os.path.relpath(tmp_path / 'nowhere')}: there is no such folder")


def test_a_path_is_from_where_one_stands(app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "policy", (SHOP, "[platform]", "[platfrom]"))
    monkeypatch.chdir(tmp_path)
    assert run(app, "check", "policy")[1].startswith(f"policy/{SHOP}:5:10: no group")


def test_the_name_of_a_file_begins_no_line_that_a_build_takes_for_a_command(app: typer.Typer, tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "environments" / "a\n::error::x\r.yaml").write_text("tier: no\n")
    for form in ("text", "github"):
        code, text = run(app, "check", folder, "--format", form)
        assert code == check.PROBLEMS
        assert not [line for line in text.splitlines() if line.startswith(("::error::", ".yaml"))]


def test_github_shows_a_problem_beside_its_line(app: typer.Typer, tmp_path: Path) -> None:
    code, text = run(app, "check", write(tmp_path, (SHOP, "[platform]", "['100%,\\n']")), "--format", "github")
    assert code == 1
    (line,) = [line for line in text.splitlines() if "no group" in line]
    assert line.startswith(f"::error file={os.path.relpath(tmp_path / SHOP)},line=5,col=")
    assert "::no group '100%25,\\n'" in line


def test_json_has_every_finding_with_its_place(app: typer.Typer, tmp_path: Path) -> None:
    code, text = run(app, "check", write(tmp_path, (SHOP, ", review_within: 24h", "")), "--format", "json")
    (finding,) = json.loads(text)["findings"]
    assert (code, finding["severity"], finding["line"]) == (0, "warning", 11)
    assert json.loads(text)["roles"] == 2


def test_warnings_fail_only_when_strict(app: typer.Typer, tmp_path: Path) -> None:
    folder = write(tmp_path, (SHOP, ", review_within: 24h", ""))
    code, text = run(app, "check", folder)
    assert code == 0
    place = os.path.relpath(folder / SHOP)
    assert text.splitlines() == [
        f"{place}:11:1: break-glass in shop-prod has no time for its review; add review_within: 24h (warning)",
        f"{tmp_path}: 1 environment, 2 roles, 0 problems, 1 warning",
    ]
    assert run(app, "check", folder, "--strict")[0] == 1


def test_render_says_the_policy_in_words(app: typer.Typer) -> None:
    code, text = run(app, "config", "render", EXAMPLE)
    assert code == 0
    assert "  admin (admin): Change anything in the account\n    agreed by  1 of owners, 1 of security\n" in text
    assert "break-glass  oncall to read-only, admin, for up to 30 min, 3 times a day, reviewed within 1 d" in text


def test_explain_says_where_each_value_came_from(app: typer.Typer, tmp_path: Path) -> None:
    code, text = run(app, "config", "render", write(tmp_path), "--explain", "shop-prod", "read-only")
    assert code == 0
    rows = [line.split(maxsplit=2) for line in text.splitlines()]
    assert ["max_duration", "prodaccess.yaml:16", "2 h"] in rows
    assert ["owners", f"{SHOP}:5", "platform"] in rows


def test_explain_of_what_is_not_there_is_wrong_usage(app: typer.Typer, tmp_path: Path) -> None:
    assert run(app, "config", "render", write(tmp_path), "--explain", "shop-prd", "read-only")[0] == 2


def test_render_of_a_folder_with_problems_fails(app: typer.Typer, tmp_path: Path) -> None:
    assert run(app, "config", "render", tmp_path)[0] == 1


def test_schemas_in_the_example_are_current(app: typer.Typer, tmp_path: Path) -> None:
    for name, text in schemas().items():
        assert (EXAMPLE / "schema" / name).read_text() == text, "run: prodaccess config schema --write"
    assert run(app, "config", "schema", "--write", tmp_path)[0] == 0
    assert {path.name for path in (tmp_path / "schema").iterdir()} == set(schemas())


def test_the_example_fits_its_schemas() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    import yaml

    found = {"prodaccess.yaml": "prodaccess", "roles.yaml": "roles"}
    found |= {f"environments/{path.name}": "environment" for path in (EXAMPLE / "environments").glob("*.yaml")}
    for file, schema in found.items():
        # As an editor reads it: times are text there.
        data = yaml.load((EXAMPLE / file).read_text(), Loader=yaml.SafeLoader)
        data = json.loads(json.dumps(data, default=lambda value: value.isoformat()))
        jsonschema.validate(data, json.loads(schemas()[f"{schema}.json"]))


def test_every_file_of_the_example_names_its_schema() -> None:
    for path in EXAMPLE.rglob("*.yaml"):
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.partition("=")[2]).is_file()


def test_the_example_uses_every_kind_of_target() -> None:
    policy = read_policy(EXAMPLE).policy
    assert policy is not None
    assert len({role.target.kind for item in policy.environments.values() for role in item.roles.values()}) == 4


def test_help_loads_nothing_heavy() -> None:
    heavy = "('pydantic', 'yaml', 'boto3', 'redis', 'slack_sdk')"
    code = f"import sys, bot.cli.policy; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "[]"
