"""`prodaccess boundaries`: in each form, with the exit codes that it says, and without the parser in one sentence."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.boundaries import seen
from bot.boundaries.questions import QUESTIONS
from bot.boundaries.reading.parser import ChildParser
from tests.support.checkouts import MENDED, all_faults, checkout
from tests.support.github_api import REPOSITORY, TOKEN, github_api
from tests.support.gitlab_api import PROJECT, gitlab_api
from tests.support.gitlab_api import TOKEN as LAB_TOKEN

WRONG = "ghp_" + "b" * 36


def run(*arguments: str, **environ: str) -> Result:
    names = ("GITHUB_TOKEN", "GITHUB_API_URL", "GITHUB_APP_ID", "GITHUB_TOKEN_FILE")
    clean = dict.fromkeys((*names, "GITLAB_TOKEN", "GITLAB_API_URL", "GITLAB_TOKEN_FILE"), "")
    return CliRunner().invoke(app, ["boundaries", *arguments], env={**clean, **environ})


@pytest.fixture(scope="module")
def parser() -> Iterator[ChildParser]:
    with ChildParser() as found:
        yield found


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch, parser: ChildParser) -> None:
    """All but one read with the process of the others."""
    monkeypatch.setattr(seen, "ChildParser", lambda: nullcontext(parser))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("shop"), all_faults())


def test_as_text_the_head_says_what_was_not_looked_at_and_nothing_says_that_all_is_well(shop: Path) -> None:
    found = run(str(shop))
    assert found.exit_code == 0
    assert found.stdout.index("Not looked at:") < found.stdout.index("1. Is the state")
    assert len(re.findall(r"^\d+\. ", found.stdout, re.MULTILINE)) == 12
    assert re.search(r"^\d+ yes, \d+ no, \d+ not known\.$", found.stdout, re.MULTILINE)
    assert " ok" not in found.stdout.lower()


def test_as_json_each_answer_has_its_evidence_with_file_and_line(shop: Path) -> None:
    ended = run(str(shop), "--format", "json", "--strict")
    assert ended.exit_code == 1
    found = json.loads(ended.stdout)
    assert [each["question"] for each in found["answers"]] == list(QUESTIONS)
    assert sum(found["counts"].values()) == 12
    outsiders = next(each for each in found["answers"] if each["question"] == "pipeline-outsiders")
    assert outsiders["verdict"] == "no"
    assert (outsiders["evidence"][0]["file"], outsiders["evidence"][0]["line"]) == (".github/workflows/deploy.yml", 12)


def test_it_reads_by_a_process_of_its_own(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "ChildParser", ChildParser)
    assert run(str(shop)).exit_code == 0


def test_as_sarif_it_has_the_shape_that_forges_take(shop: Path) -> None:
    found: dict[str, Any] = json.loads(run(str(shop), "--format", "sarif").stdout)
    assert found["version"] == "2.1.0"
    (ran,) = found["runs"]
    rules = [rule["id"] for rule in ran["tool"]["driver"]["rules"]]
    assert rules == list(QUESTIONS)
    for result in ran["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert (result["kind"], result["level"]) in {("fail", "error"), ("open", "none"), ("pass", "none")}
        assert result["message"]["text"]
        for place in result.get("locations", ()):
            physical = place["physicalLocation"]
            assert (shop / physical["artifactLocation"]["uri"]).is_file()
            assert physical.get("region", {"startLine": 1})["startLine"] >= 1
    notes = ran["invocations"][0]["toolExecutionNotifications"]
    assert any("GitHub was not asked" in note["message"]["text"] for note in notes)


def test_as_html_it_loads_and_runs_nothing(shop: Path) -> None:
    found = run(str(shop), "--format", "html").stdout
    assert found.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in found
    assert not re.search(r"<script|src=|https?://(?!docs)", found.partition("<body>")[2].partition("Ready to use")[0])


def test_with_github_all_twelve_are_yes_and_strict_lets_it_through(tmp_path: Path) -> None:
    folder = str(checkout(tmp_path, MENDED))
    with github_api() as api:
        environ = {"GITHUB_API_URL": api.url, "GITHUB_TOKEN": TOKEN}
        found = run(folder, "--github", REPOSITORY, "--strict", **environ)
        assert found.exit_code == 0, found.stdout
        assert "12 yes, 0 no, 0 not known." in found.stdout
        assert TOKEN not in found.output
        refused = run(folder, "--github", REPOSITORY, "--strict", **{**environ, "GITHUB_TOKEN": WRONG})
    assert refused.exit_code == 1
    assert "refused the token" in " ".join(refused.stdout.split())
    assert WRONG not in refused.output


def test_with_gitlab_its_own_address_is_asked_with_its_own_token_alone(tmp_path: Path) -> None:
    ci = 'deploy-prod:\n  environment: {name: production}\n  script: ["terraform apply"]\n'
    folder = str(checkout(tmp_path, {".gitlab-ci.yml": ci}))
    with gitlab_api() as api, github_api() as other:
        environ = {
            "GITLAB_API_URL": api.url,
            "GITLAB_TOKEN": LAB_TOKEN,
            "GITHUB_API_URL": other.url,
            "GITHUB_TOKEN": TOKEN,
        }
        found = run(folder, "--gitlab", PROJECT, "--format", "json", **environ)
        assert found.exit_code == 0, found.output
        assert (other.asked, api.tokens) == ([], {f"Bearer {LAB_TOKEN}"})
        assert LAB_TOKEN not in found.output
        said = {each["question"]: each["verdict"] for each in json.loads(found.stdout)["answers"]}
        assert said["pipeline-approval"] == "yes"
        assert run(folder, "--gitlab", PROJECT, "--strict", **environ).exit_code == 1
        (tmp_path / "token").write_text(f"{LAB_TOKEN}\nthe-older-one\n")
        by_file = {**environ, "GITLAB_TOKEN": "", "GITLAB_TOKEN_FILE": str(tmp_path / "token")}
        assert run(folder, "--gitlab", PROJECT, **by_file).exit_code == 0
    assert api.tokens == {f"Bearer {LAB_TOKEN}"}


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (["/nowhere/at/all"], {}, "no such folder"),
        ([".", "--gitlab", "larkspur"], {}, "GROUP/NAME"),
        ([".", "--gitlab", "larkspur/../x"], {}, "GROUP/NAME"),
        ([".", "--gitlab", "larkspur/orders/"], {}, "GROUP/NAME"),
        ([".", "--gitlab", PROJECT], {"GITLAB_API_URL": "http://gitlab.example.com/api/v4"}, "https://"),
        ([".", "--gitlab", PROJECT], {"GITLAB_TOKEN": "two words"}, "one word"),
        ([".", "--github", "larkspur"], {}, "OWNER/NAME"),
        ([".", "--github", "larkspur/../x"], {}, "OWNER/NAME"),
        ([".", "--github", "larkspur/.."], {}, "OWNER/NAME"),
        ([".", "--github", REPOSITORY], {"GITHUB_API_URL": "http://github.example.com"}, "https://"),
        ([".", "--github", REPOSITORY], {"GITHUB_TOKEN": "two words"}, "one word"),
        ([".", "--format", "xml"], {}, "xml"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], environ: dict[str, str], words: str) -> None:
    found = run(*arguments, **environ)
    assert found.exit_code == 2
    assert words in found.stderr
    assert found.stderr.count("\n") == 1
    assert "two words" not in found.stderr


def test_without_the_parser_one_sentence_says_what_to_install(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    for missing, words in (("hcl2", "pip install 'prodaccess[boundaries]'"), ("hcl2.rules", "bc-python-hcl2")):
        with monkeypatch.context() as patched:
            patched.setattr(
                importlib.util, "find_spec", lambda name, missing=missing: None if name == missing else real(name)
            )
            found = run(str(shop))
        assert found.exit_code == 2
        assert words in found.stderr
        assert found.stderr.count("\n") == 1
