"""Whatever stands in the files and variables that somebody writes: what is wrong, with its place; never a crash, and soon."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bot.settings import Settings, load_settings
from bot.settings.redis_url import is_sentinel, passwords
from bot.setup.answers import Answers
from bot.setup.example import EXAMPLE
from bot.setup.reading import read_answers
from tests.support.fuzz import few, nearly, quickly
from tests.unit.policy_file.policy_folder import FILES
from workflows.policy_file.folder import Snapshot
from workflows.policy_file.load import Reading, read_policy, understand
from workflows.policy_file.problem import Problem

YAML = [name for name in FILES if name.endswith(".yaml")]
TREES = {name: yaml.safe_load(FILES[name]) for name in YAML}
ANSWERS = yaml.safe_load(EXAMPLE)
# What is special to YAML, and what parsers of it have fallen over.
PIECES = st.sampled_from(
    [
        *"[]{}:,-?!&*|>'\"#%@`\t\n ",
        "---\n",
        "...\n",
        "<<: ",
        "!!python/object:os.system ",
        "&a [*a]",
        "? ",
        "0x",
        "1:30",
        "~",
    ]
)
BYTES = st.binary(max_size=200) | st.lists(PIECES | st.text(max_size=5), max_size=60).map(
    lambda all_: "".join(all_).encode()
)


def _said(problems: tuple[Problem, ...], *files: str) -> None:
    """Each is one line, and names its file."""
    for problem in problems:
        assert "\n" not in str(problem)
        assert "Traceback" not in str(problem)
        assert problem.file


def _fits(reading: Reading) -> None:
    assert (reading.policy is None) == bool(reading.problems)
    _said(reading.problems)


@few(6)
@given(st.sampled_from(sorted(FILES)), BYTES, st.booleans())
@example("prodaccess.yaml", b"[" * 100_000, False)
@example("prodaccess.yaml", b"\xff\xfe" + "version: 1".encode("utf-16-le"), False)
def test_any_bytes_in_any_file_of_a_policy(name: str, content: bytes, append: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for each, text in FILES.items():
            path = folder / each
            path.parent.mkdir(exist_ok=True)
            path.write_bytes((text.encode() if each != name or append else b"") + (content if each == name else b""))
        with quickly():
            _fits(read_policy(folder))


@few(10)
@given(st.sampled_from(YAML), st.data())
def test_any_policy_that_is_nearly_right(name: str, data: Any) -> None:
    tree = data.draw(nearly(TREES[name]))
    with quickly():
        _fits(
            understand(Snapshot("0" * 64, {**FILES, name: yaml.safe_dump(tree, sort_keys=False, allow_unicode=False)}))
        )


@few(4)
@given(st.data())
def test_any_answers_that_are_nearly_right(data: Any) -> None:
    tree = data.draw(nearly(ANSWERS))
    with quickly():
        found = read_answers("answers.yaml", yaml.safe_dump(tree, sort_keys=False))
    if not isinstance(found, Answers):
        assert found
        _said(found)


@few(6)
@given(BYTES)
def test_any_bytes_as_answers(content: bytes) -> None:
    with quickly():
        found = read_answers("answers.yaml", content.decode("utf-8", "replace"))
    assert not isinstance(found, Answers)
    _said(found)


PARTS = st.sampled_from(
    [
        *":/@?#[]%,",
        "redis",
        "rediss",
        "+sentinel",
        "://",
        "HOST",
        "127.0.0.1",
        "::1",
        ":6379",
        ":99999",
        "/0",
        "/mymaster",
        "secret",
    ]
)
URLS = st.text(max_size=60) | st.lists(PARTS | st.text(max_size=4), max_size=12).map("".join)


@few(10)
@given(URLS)
@example("redis+sentinel://" + "@" * 20_000 + "/x")
@example("redis://[::1")
@example("redis://[v1.x]/0")
def test_any_address_of_redis(url: str) -> None:
    with quickly():
        found = load_settings({"REDIS_URL": url})
    if isinstance(found, Settings):
        passwords(url)
        is_sentinel(url)
    else:
        assert all("\n" not in sentence for sentence in found)
        assert not any(len(url) > 12 and url in sentence for sentence in found), "it may hold a password"


VARIABLES = ("PORT", "PRODACCESS_OPS_PORT", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL", "TEAMS_APP_ID")
MORE = (
    "PRODACCESS_COMMAND",
    "TEAMS_SERVICE_URL",
    "TEAMS_LOGIN_URL",
    "LOG_LEVEL",
    "PRODACCESS_AUDIT_KEY",
    "AWS_ENDPOINT_URL",
)


@few(10)
@given(st.dictionaries(st.sampled_from([*VARIABLES, *MORE]), URLS | st.text(max_size=30), max_size=4))
def test_any_variables(environ: dict[str, str]) -> None:
    with quickly():
        found = load_settings(environ)
    if not isinstance(found, Settings):
        assert all(sentence.strip() and "Traceback" not in sentence for sentence in found)
