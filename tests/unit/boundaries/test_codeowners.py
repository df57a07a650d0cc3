"""CODEOWNERS as GitHub reads it: the last line that fits counts. The lines are those of its own documentation."""

from __future__ import annotations

import pytest

from bot.boundaries.owners.codeowners import owners_in
from bot.monotonic import monotonic_s

FILE = """
# a comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
/build/logs/ @doctocat
docs/* docs2@example.com
apps/ @octocat
/docs2/ @docs
/scripts/ @doctocat @octocat
**/logs @logs
/apps2/ @octocat
/apps2/github
/with\\ blank/ @blank
!negated @nobody
[section] @nobody2
wrong-owner.txt not-an-owner
"""


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("readme", "@global-owner1"),
        ("deep/down/a.js", "@js-owner"),
        ("a.go", "docs@example.com"),
        ("build/logs/a.txt", "@logs"),
        ("docs/getting-started.md", "docs2@example.com"),
        ("docs/build-app/troubleshooting.md", "@global-owner1"),
        ("deep/apps/x/y", "@octocat"),
        ("apps", "@global-owner1"),
        ("docs2/a/b", "@docs"),
        ("deep/docs2/a", "@global-owner1"),
        ("scripts/a.js", "@doctocat"),
        ("deeply/nested/logs/x", "@logs"),
        ("apps2/other", "@octocat"),
        ("apps2/github", ""),
        ("apps2/github/x/y", ""),
        ("with blank/x", "@blank"),
        ("negated", "@global-owner1"),
        ("wrong-owner.txt", "@global-owner1"),
    ],
)
def test_the_last_line_that_fits_counts(path: str, owner: str) -> None:
    rule = owners_in("CODEOWNERS", FILE).of(path)
    assert rule is not None
    assert (rule.owners or ("",))[0] == owner


def test_sections_and_too_many_lines_are_not_read() -> None:
    assert "sections" in owners_in("CODEOWNERS", FILE).odd
    assert owners_in("CODEOWNERS", "* @a\n").odd == ""
    assert "lines" in owners_in("CODEOWNERS", "* @a\n" * 6_000).odd


def test_no_pattern_takes_long() -> None:
    owners = owners_in("CODEOWNERS", "**/a" * 200 + " @a\n" + "*a" * 400 + " @b\n")
    began = monotonic_s()
    assert owners.of("/".join(["a" * 40] * 60) + "/b") is None
    assert monotonic_s() - began < 2.0
