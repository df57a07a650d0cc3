"""The documents can be read on a phone, and what they link to is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [
    ROOT / name
    for name in (
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CODE_OF_CONDUCT.md",
        "deploy/aws/README.md",
        "deploy/helm/prodaccess/README.md",
        "deploy/terraform/aws/README.md",
    )
]
PARAGRAPH_MAX = 300


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Number of the first line, and the words in one line. An entry of a list is one; code and tables are none."""
    start, words, fenced = 0, list[str](), False
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        stripped = line.strip()
        fence = stripped.startswith("```")
        over = fenced or fence or not stripped or stripped.startswith(("|", "#", "<!--"))
        over = over or (line.startswith("    ") and not words and not re.match(r"[-*] |\d+\. ", stripped))
        if words and (over or re.match(r"[-*] |\d+\. ", stripped)):
            yield start, " ".join(words)
            words = []
        fenced ^= fence
        if not over:
            start = start if words else number
            words.append(stripped)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_paragraph_is_too_long_for_a_tired_reader(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    long = [(number, len(words)) for number, words in paragraphs(text) if len(words) > PARAGRAPH_MAX]
    assert not long, f"{page.name}: (line, characters)"


def test_a_long_paragraph_would_be_found() -> None:
    told = (
        "# Head\n\nshort\nlines\n\n- "
        + "word " * 70
        + "\n- next\n\n```\n"
        + "code " * 90
        + "\n```\n| "
        + "cell " * 90
        + "|\n"
    )
    assert [(number, len(words) > PARAGRAPH_MAX) for number, words in paragraphs(told)] == [
        (3, False),
        (6, True),
        (7, False),
    ]


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.replace("`", "")).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    found = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8"))
    dead = []
    for path, anchor in found:
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(f"{path}#{anchor}")
    assert not dead
