"""Pages for auditors: one file without network or script, in which everything is escaped and each number leads to its rows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.chat.actions.queries import Queries
from bot.cli.pages.charts import Stretch, lane
from bot.cli.pages.evidence import evidence_of
from bot.cli.pages.ground import Ground
from bot.cli.pages.markup import safe, tag
from bot.cli.pages.review import ReviewPage
from bot.cli.pages.write import write_page
from tests.support import build
from tests.support.build import DANA, HOUR, NIA, NOW, OLU
from tests.support.world import World
from workflows.core.access_review.figures import by_hour, speed
from workflows.core.access_review.rows import Row, RowOutcome
from workflows.core.policy import Risk, Tier
from workflows.usecases.oversight.access_review import full_rows, report_between

DAY = timedelta(days=1)
EVIL = '<script>alert(1)</script> & "quoted" \x1b[31m\u202e\u061c'


class Page(HTMLParser):
    """What a browser would make of it: tags, ids, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"]] if found.get("href") else []

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def world() -> World:
    """Dana had access, Nia was denied, and Nia waits."""
    found = World()
    ended = found.asked(DANA, reason=EVIL)
    found.approve(ended)
    found.work()
    found.advance(90)
    found.end(ended)
    found.work()
    found.deny(found.asked(NIA), OLU, EVIL)
    found.work()
    found.asked(NIA)
    return found


def review_of(world: World) -> str:
    now = world.ctx.ledger.now()
    found = report_between(world.ctx, now - DAY, now + timedelta(seconds=1))
    page = ReviewPage(Ground(found, ZoneInfo("Europe/Vienna")), "f" * 64, now)
    return "".join(page.parts(full_rows(world.ctx.ledger, [row.id for row in found.rows], [])))


def evidence(world: World, id_: str) -> str:
    seen = Queries(world.ctx, "/prodaccess").seen(id_)
    assert seen is not None
    return "".join(evidence_of(world.ctx, seen).parts())


def pages(world: World) -> Iterator[str]:
    yield review_of(world)
    yield from (evidence(world, f"PA-{number}") for number in (1, 2, 3))


def test_a_page_loads_nothing_runs_nothing_and_leads_nowhere_else(world: World):
    for text in pages(world):
        page = Page(text)
        assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
        assert all(link.startswith("#") for link in page.links)
        assert not re.search(r"https?:|url\(|@import", text)
        assert not [name for name, _ in page.attributes if name == "style" or name.startswith("on")]
        assert "default-src 'none'; style-src 'sha256-" in text


def test_whatever_people_wrote_is_text(world: World):
    for text in pages(world):
        assert "<script" not in text
        assert "\x1b" not in text
    assert '<script>alert(1)</script> & "quoted" [31m' in Page(evidence(world, "PA-1")).text
    assert safe(tag("b", "<")) == "<b>&lt;</b>"
    assert (safe(" (\n"), safe(", "), safe(" "), safe("")) == (" (", ", ", " ", "")


def test_each_number_is_a_link_to_rows_that_are_there(world: World):
    page = Page(review_of(world))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {"PA-1", "PA-2", "PA-3"} <= set(page.ids)
    for words in ("3asked for", "1approved", "1denied", "1waiting", "1people had access", "Within a minute"):
        assert words in page.text, words


def test_evidence_names_who_agreed_by_which_group_the_policy_and_every_entry(world: World):
    text = Page(evidence(world, "PA-1")).text
    request = world.request("PA-1")
    assert request.decision is not None
    for words in (
        "Olu",
        "owners (platform)",
        "The policy asks for: 1 of owners",
        request.decision.policy_hash,
        request.terms.hash,
        "The removal was verified",
    ):
        assert words in text, words
    for entry in world.ctx.ledger.entries_of("PA-1"):
        assert f"#{entry.number}" in text
        assert entry.digest in text
    assert "does not fit" not in text


def test_evidence_has_what_to_ask_the_targets_own_log(world: World):
    text = Page(evidence(world, "PA-1")).text
    assert "What was done with it" in text
    assert "aws cloudtrail lookup-events --region eu-central-1" in text
    assert "What was done with it" not in Page(evidence(world, "PA-2")).text


def test_evidence_of_what_was_never_given_says_so(world: World):
    denied = Page(evidence(world, "PA-2")).text
    assert "Closed without access by Olu" in denied
    assert "verified" not in denied
    assert "Nobody has agreed." in Page(evidence(world, "PA-3")).text


# ---------------------------------------------------------------- figures


def row(number: int, **changes: object) -> Row:
    own = {"at": NOW, "outcome": RowOutcome.APPROVED, "waited": timedelta(seconds=number), **changes}
    return Row(f"PA-{number}", DANA, "Dana", "shop-prod", "read-only", Tier.PRODUCTION, Risk.READ, **own)


def test_speed_is_that_of_people_alone():
    found = speed([row(10), row(60), row(90), row(1, outcome=RowOutcome.BY_RULE), row(2, waited=None)])
    assert (found.ids, found.within_a_minute) == (("PA-10", "PA-60", "PA-90"), ["PA-10"])
    assert found.median == timedelta(seconds=60)
    assert speed([]).share is None


def test_hours_are_those_of_the_zone():
    assert [hour for hour, ids in by_hour([row(1)], ZoneInfo("Europe/Vienna")).items() if ids] == [4]
    assert [hour for hour, ids in by_hour([row(1)], UTC).items() if ids] == [3]


def test_what_would_be_drawn_on_one_another_is_drawn_once():
    many = [Stretch(NOW + timedelta(seconds=n), NOW + timedelta(seconds=n + 1), "read", f"PA-{n}") for n in range(500)]
    assert lane(many, NOW, NOW + 90 * DAY).count("<rect") == 1
    apart = [Stretch(NOW + n * DAY, NOW + n * DAY + HOUR, "read", f"PA-{n}") for n in range(5)]
    assert lane(apart, NOW, NOW + 90 * DAY).count("<rect") == 5


def test_a_stretch_of_another_kind_is_seen():
    kinds = [Stretch(NOW, NOW + HOUR, kind, build.DANA) for kind in ("read", "glass")]
    assert lane(kinds, NOW, NOW + 90 * DAY).count("<rect") == 2


# ---------------------------------------------------------------- a file


def test_a_page_replaces_what_a_link_points_to_and_nothing_that_is_no_file(tmp_path: Path) -> None:
    kept, link, trap = tmp_path / "kept.html", tmp_path / "link.html", tmp_path / ".kept.html.part"
    for file, to in ((link, kept), (trap, tmp_path / "elsewhere")):
        file.symlink_to(to)
    write_page(link, ["<p>", "one"])
    assert (link.is_symlink(), kept.read_text(), sorted(tmp_path.iterdir())) == (True, "<p>one", [kept, link])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as one:
        read = one.submit(pipe.read_text)
        write_page(pipe, ["<p>two"])
        assert read.result() == "<p>two"
    assert pipe.is_fifo()
    with pytest.raises(IsADirectoryError):
        write_page(tmp_path, ["<p>"])


def test_a_page_that_is_not_made_leaves_the_one_before(tmp_path: Path) -> None:
    def parts() -> Iterator[str]:
        yield "<p>"
        raise OSError("gone")

    file = tmp_path / "kept.html"
    file.write_text("before")
    with pytest.raises(OSError, match="gone"):
        write_page(file, parts())
    assert (file.read_text(), list(tmp_path.iterdir())) == ("before", [file])
