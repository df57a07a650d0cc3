"""The command line, as a person meets it: sentences, exit codes, no tracebacks."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import bot
from bot.__main__ import app
from bot.cli.program import about
from tests.support import cli_doc

ROOT = Path(__file__).resolve().parents[3]
REDIS = {"REDIS_URL": "redis://:hunter2hunter2@127.0.0.1:1/0"}


def run(*args: str, environ: dict[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    plain = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, *args],
        env={**plain, **(environ or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def prodaccess(*args: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return run("-m", "bot", *args, environ=environ)


def test_help_names_every_command() -> None:
    done = prodaccess("--help")
    assert done.returncode == 0
    assert "Usage: prodaccess" in done.stdout
    for command in ("web", "worker", "clock", "up", "sandbox", "demo", "check", "config", "report"):
        assert f"\n  {command} " in done.stdout


def commands(path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, groups among them."""
    yield path
    for name in getattr(at(path), "commands", ()):
        yield from commands((*path, name))


COMMANDS: Any = typer.main.get_command(app)


def at(path: tuple[str, ...]) -> Any:
    found = COMMANDS
    for name in path:
        found = found.commands[name]
    return found


@pytest.mark.parametrize("width", [40, 80])
def test_every_command_has_short_plain_help_of_any_width(width: int) -> None:
    for path in commands():
        done = CliRunner().invoke(app, [*path, "-h"], env={"COLUMNS": str(width)})
        assert done.exit_code == 0, path
        assert not {"<bool>", "│", "\x1b"} & {*done.output, *done.output.split()}, path
        told = [line for line in done.output.splitlines() if "prodaccess" not in line]  # what is copied stays whole
        assert max(map(len, told)) <= width, (path, max(told, key=len))


def test_every_command_says_by_example_how_it_is_used() -> None:
    for path in commands():
        command = at(path)
        if not hasattr(command, "commands"):
            assert about(command.callback).examples, path
            assert command.help, path


def test_the_page_of_the_command_line_is_current() -> None:
    assert cli_doc.PAGE.read_text() == cli_doc.page(), "run: python -m tests.support.cli_doc"


def test_bash_completes_commands_environments_and_roles(tmp_path: Path) -> None:
    program = tmp_path / "prodaccess"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bot "$@"\n')
    program.chmod(0o755)
    script = """
        eval "$(prodaccess completion bash)"
        complete_() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _prodaccess_completion prodaccess
            echo "${COMPREPLY[*]}"; }
        complete_ prodaccess rep
        complete_ prodaccess audit ''
        complete_ prodaccess explain orders-p
        complete_ prodaccess explain orders-prod read
    """
    environ = {"PATH": f"{tmp_path}:{os.defpath}", "PYTHONPATH": str(ROOT), "PRODACCESS_CONFIG": str(ROOT / "config")}
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environ, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "report",
        "verify export follow bundle head prove keygen rotate",
        "orders-prod",
        "read-only",
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_of_their_own(shell: str) -> None:
    done = CliRunner().invoke(app, ["completion", shell])
    assert f"_PRODACCESS_COMPLETE=complete_{shell}" in done.output


def test_wrong_usage_is_a_sentence_that_says_where_help_is() -> None:
    done = prodaccess("report", "--sinse", "30d")
    assert done.returncode == 2
    assert done.stderr == "No such option: --sinse (Possible options: --json, --since). See prodaccess report -h\n"


def test_help_imports_nothing_heavy() -> None:
    done = run("-X", "importtime", "-m", "bot", "--help")
    for heavy in (
        "redis",
        "rq",
        "boto3",
        "botocore",
        "slack_sdk",
        "slack_bolt",
        "pydantic",
        "structlog",
        "honcho",
        "yaml",
    ):
        assert f" {heavy}\n" not in done.stderr, heavy


def test_version() -> None:
    assert prodaccess("--version").stdout == f"prodaccess {bot.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", bot.__version__)


def test_pages_are_printed_by_the_names_that_messages_have_for_them() -> None:
    def docs(*words: str) -> Result:
        return CliRunner().invoke(app, ["docs", *words])

    listed = docs().stdout.splitlines()
    assert "operations         Running it" in listed
    assert "deploy/aws/README.md" in listed
    for name in ("operations", "operations.md", "docs/operations.md"):
        assert docs(name).stdout.startswith("# Running it\n")
    assert json.loads(docs("deploy/aws/worker-policy.identity-center.json").stdout)
    for name in ("nothing", "deploy/aws/../../pyproject.toml"):
        wrong = docs(name)
        assert (wrong.exit_code, wrong.stdout) == (2, "")
        assert wrong.stderr.startswith(f"There is no page {name!r}. The pages: architecture, ")


def test_an_unknown_command_gets_a_suggestion() -> None:
    done = prodaccess("wroker")
    assert done.returncode == 2
    assert "Did you mean 'worker'?" in done.stderr


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_bad_settings_are_sentences_and_exit_code_2(process: str) -> None:
    done = prodaccess(process, environ={"PORT": "x", "SLACK_BOT_TOKEN": "hunter2hunter2"})
    assert done.returncode == 2
    assert "PORT must be a number" in done.stderr
    assert f"REDIS_URL is not set; {process} needs it." in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2hunter2" not in done.stderr + done.stdout


def test_up_says_what_is_missing_before_it_starts_anything(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=x\n")
    done = run("-m", "bot", "up", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["PORT must be a number from 1 to 65535, or 0 for a free port."]
    assert not (tmp_path / "data").exists()


def test_up_refuses_a_broken_env_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("'half\n")
    done = run("-m", "bot", "up", "--env-file", "other", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "other:1: this is not NAME=value.\n")


FAILING = """
import sys, types
fake = types.ModuleType("bot.clock")
def run(settings):
    {body}
fake.run = run
sys.modules["bot.clock"] = fake
sys.argv = ["prodaccess", "clock"]
from bot.__main__ import main
main()
"""


def clock(body: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run("-c", FAILING.format(body=body), environ={**REDIS, **environ})


def test_an_unexpected_error_is_logged_under_the_number_that_is_shown() -> None:
    done = clock("raise RuntimeError('no way to reach ' + settings.redis_url.get_secret_value())")
    assert done.returncode == 1
    line = json.loads(done.stdout)
    assert (line["process"], line["level"]) == ("clock", "error")
    assert "RuntimeError: no way to reach" in line["exception"]
    assert done.stderr == f"prodaccess clock stopped by an error of its own: error {line['error']} in the log.\n"
    assert "hunter2hunter2" not in done.stdout


def test_a_process_that_ends_ends_well() -> None:
    done = clock("print(settings.port)", PORT="4000")
    assert (done.returncode, done.stdout, done.stderr) == (0, "4000\n", "")


def test_only_the_worker_sees_cloud_credentials() -> None:
    body = "import os; print('AWS_SECRET_ACCESS_KEY' in os.environ, os.environ['AWS_REGION'])"
    given = {"AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1", "SLACK_BOT_TOKEN": "xoxb-" + "1" * 9}
    assert clock(body, **given).stdout == "False eu-west-1\n"
    worker = FAILING.format(body=body).replace("clock", "worker")
    assert run("-c", worker, environ={**REDIS, **given}).stdout == "True eu-west-1\n"


def test_packages_from_two_roots_are_refused(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__", "sandbox"))
    done = run("-P", "-m", "bot", "clock", environ={**REDIS, "PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert done.returncode == 2
    assert (
        done.stderr
        == f"The package workflows comes from {ROOT}/workflows, not from {tmp_path}: remove the other one.\n"
    )


BOOM = """
import sys
import bot.__main__ as m
def broken():
    {body}
m.app.registered_commands.clear()
m.app.command("boom")(broken)
sys.argv = ["x", "boom"]
m.main()
"""


def test_a_failing_command_ends_in_one_sentence_and_the_traceback_is_for_whoever_asks() -> None:
    body = "raise RuntimeError('xoxb-' + '12-34')"
    done = run("-c", BOOM.format(body=body))
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "RuntimeError, E-" in sentence
    asked = run("-c", BOOM.format(body=body), environ={"LOG_LEVEL": "debug"})
    logged, again = asked.stderr.splitlines()
    assert again == sentence
    assert json.loads(logged)["error"] in sentence
    assert "RuntimeError" in json.loads(logged)["exception"]
    assert "12-34" not in done.stderr + asked.stderr


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "from workflows.ports import LedgerUnreachable; raise LedgerUnreachable('Redis did not answer in time.')",
            "Redis did not answer in time. Please try again.",
        ),
        (
            "from redis.exceptions import ResponseError; raise ResponseError('WRONGTYPE of secret things')",
            "Redis does not answer as it should (ResponseError): look at REDIS_URL, and try again.",
        ),
        ("open('/nowhere/policy.yaml')", "/nowhere/policy.yaml: No such file or directory."),
    ],
)
def test_a_bad_day_of_others_is_a_sentence_of_its_own(body: str, said: str) -> None:
    done = run("-c", BOOM.format(body=body))
    assert (done.returncode, done.stderr) == (1, said + "\n")
