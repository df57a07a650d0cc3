"""Whatever stands in the files: problems, never a stack trace."""

from __future__ import annotations

import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.policy_file.policy_folder import FILES, SHOP, WORKSPACE
from workflows.policy_file.folder import Snapshot
from workflows.policy_file.load import Reading, understand
from workflows.policy_file.pattern import pattern_problem
from workflows.policy_file.yaml_reader import read_yaml

SPECIAL = [
    "[",
    "]",
    "{",
    "}",
    ":",
    "-",
    ",",
    "&",
    "*",
    "!",
    "|",
    ">",
    "'",
    '"',
    "#",
    "%",
    "@",
    "<<:",
    "?",
    "\t",
    "\n",
    "---",
]
PLAIN = [
    "version",
    "1",
    "rules",
    "production",
    "any",
    "approve",
    "owners",
    "durations",
    "30m",
    "1:30",
    "no",
    "on",
    "null",
    "011",
]
WORDS = st.sampled_from(
    [*SPECIAL, *PLAIN, "roles", "target", "kind", "aws-iam-policy", "groups", "2026-12-20", ".inf", "..."]
)
NAMES = st.sampled_from(["1h", "owners", "platform", "read-only"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | NAMES
KEYS = st.text(max_size=5) | st.sampled_from(["roles", "approve", "who"])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


def read(**files: str) -> Reading:
    return understand(
        Snapshot("0" * 64, {**FILES, **{name.replace("__", "/") + ".yaml": text for name, text in files.items()}})
    )


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    document, problems = read_yaml("x.yaml", text)
    assert document is not None or problems


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_any_words_of_a_policy_are_read_or_refused(text: str) -> None:
    reading = read(prodaccess=text)
    assert reading.policy is None
    assert reading.problems


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*FILES]), st.data())
def test_any_value_in_any_place_is_read_or_refused(file: str, data: Any) -> None:
    if not file.endswith(".yaml"):
        return
    tree = yaml.safe_load(FILES[file])
    spot = tree
    while isinstance(spot, dict) and spot:
        key = data.draw(st.sampled_from(sorted(spot)))
        if not isinstance(spot[key], dict) or data.draw(st.booleans()):
            spot[key] = data.draw(TREES)
            break
        spot = spot[key]
    files = {**FILES, file: yaml.safe_dump(tree, sort_keys=False)}
    reading = understand(Snapshot("0" * 64, files))
    assert (reading.policy is None) == bool(reading.problems)
    assert all("\n" not in str(problem) for problem in reading.problems)


def test_deep_nesting_is_refused() -> None:
    for text in ("[" * 100_000, "{a: " * 50_000, "- " * 50_000):
        document, problems = read_yaml("x.yaml", text)
        assert document is None
        assert "levels inside each other" in problems[0].message or "not valid" in problems[0].message


def test_an_expanding_text_is_refused_at_its_first_anchor() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
    document, problems = read_yaml("x.yaml", "\n".join(lines))
    assert document is None
    assert problems[0].line == 1


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab(|)*+?{}[]-0,19\\d^$.:=!<>P", max_size=20))
def test_any_pattern_is_accepted_or_refused(pattern: str) -> None:
    if pattern_problem(pattern) is None:
        re.compile(pattern)


def test_slow_patterns_are_refused_and_usual_ones_are_not() -> None:
    for slow in (
        "(a+)+",
        "(a|a)*",
        "(a*)*b",
        "a?" * 30 + "a" * 30,
        "(a|aa)" * 20,
        r"(a+)\1",
        "([a-z]{0,20}){0,20}b",
        "a*a*a*a*a*b",
    ):
        assert pattern_problem(slow) is not None, slow
    for usual in (
        "(INC|OPS)-[0-9]+",
        "[A-Z][A-Z0-9]{1,9}-[0-9]{1,7}",
        "#[0-9]+",
        "(?:[A-Z]+-)?[0-9]+",
        "(?i)inc-[0-9]+",
    ):
        assert pattern_problem(usual) is None, usual


def test_the_files_of_the_tests_are_valid() -> None:
    assert understand(Snapshot("0" * 64, FILES)).problems == ()
    assert {SHOP, WORKSPACE} <= set(FILES)
