"""The access review as a table, CSV and JSON; and as a message in a channel."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.chat.messages.access_review import review_digest, told_here
from bot.chat.plain_text import as_text
from bot.chat.text import one_line
from bot.cli import report_forms
from bot.slack.render import blocks_of, text_of
from tests.support import build
from tests.support.build import DANA, HOUR, NOW, OLU
from workflows.core.access_review.model import Access, BreakGlassUse, CouldBeRule, CouldGo, Quick, Report, Sums, Unused
from workflows.core.policy import Risk, Tier, Visibility
from workflows.core.records.oversight import ReviewState

DAY = timedelta(days=1)
EVIL = "\x1b[31mEve\x9b2J \u202e[bold]<!channel>"


def access(**changes: object) -> Access:
    own = Access(
        holder=DANA,
        name="Dana Dev",
        environment="payments-prod",
        role="read-only",
        tier=Tier.PRODUCTION,
        risk=Risk.READ,
        times=3,
        held=HOUR,
        days=2,
        last=NOW,
        now=False,
        break_glass=0,
        approvers=(("Olu", 2), ("Pat", 1)),
        answered_in=timedelta(seconds=40),
    )
    return replace(own, **changes)


def break_glass(**changes: object) -> BreakGlassUse:
    own = BreakGlassUse(
        "PA-7", "Nia", "payments-prod", "read-only", NOW - DAY, HOUR, ReviewState.OWED, True, "", None, ""
    )
    return replace(own, **changes)


def report(**changes: object) -> Report:
    own = Report(
        NOW - 90 * DAY,
        NOW,
        None,
        Sums(asked=4, approved=3, denied=1, refused=2, people=1, held=HOUR),
        access=(access(),),
        break_glass=(break_glass(),),
        unused=(Unused("payments-prod", "admin", Risk.ADMIN, 0, False),),
        quick=(Quick(OLU, "Olu", 12, timedelta(seconds=3)),),
        suggestions=(
            CouldBeRule("payments-prod", "read-only", 14, 3, timedelta(seconds=40)),
            CouldGo("payments-prod", "admin", 90),
        ),
    )
    return replace(own, **changes)


def drawn(form, found: Report) -> str:
    output = io.StringIO()
    form(found, output)
    return output.getvalue()


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("name", ["Dana Dev", "王小明", "Zoë-Łucja", EVIL, ""])
def test_a_table_that_fits_is_what_the_one_that_folds_would_be(name: str):
    found = report(access=(access(name=name), access(now=True, times=12, role="admin"), access(approvers=())))
    output = io.StringIO()
    console = Console(file=output, highlight=False, emoji=False, markup=False, color_system=None, width=100)
    console.print(report_forms._who_had_what(found))
    assert output.getvalue() in drawn(report_forms.table, found)


def test_a_table_of_many_lines_is_laid_out_by_nobody(monkeypatch: pytest.MonkeyPatch):
    """Which takes a second for each thousand of them."""
    monkeypatch.setattr(report_forms, "_who_had_what", lambda _: pytest.fail("it is laid out"))
    many = report_forms._FOLDED_MAX + 1
    assert drawn(report_forms.table, report(access=(access(),) * many)).count("Dana Dev") == many
    long = access(name="Maximiliana-Wolfeschlegelsteinhausenbergerdorff", role="r" * 30)
    assert drawn(report_forms.table, report(access=(long,) * many)).count("3 times, 1 h in all") == many


def test_the_table_tells_all_of_it_within_a_hundred_columns():
    name = "Maximiliana-Wolfeschlegelsteinhausenbergerdorff of the Payments Platform Reliability Team"
    wide = access(name=name, environment="e" * 63, role="r" * 63, approvers=((name, 11), ("Pat", 2)), now=True)
    text = drawn(report_forms.table, report(access=(access(), wide)))
    assert max(map(len, text.splitlines())) <= 100
    assert "Access review: 23 Aug 2026 to 21 Nov 2026, 90 days, all environments" in text
    assert "1 person had access for 1 h in all." in text
    assert "4 asked: 3 approved, 1 denied." in text
    for part in ("PA-7: Nia", "the review is overdue", "Olu approved all of 12", "admin in payments-prod"):
        assert part in text
    assert "a rule could approve it" in " ".join(text.split())


@pytest.mark.parametrize("width", [40, 80])
def test_a_narrow_terminal_breaks_nothing(width: int):
    wide = access(name="Maximiliana Wolfeschlegelsteinhausenbergerdorff", approvers=(("Olu Owner", 11), ("Pat", 2)))
    output = io.StringIO()
    report_forms.table(report(access=(access(), wide)), output, width)
    text = output.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    for part in ("Dana Dev", "payments-prod", "read-only", "40 s", "Olu (2), Pat"):
        assert part in " ".join(text.split()), part


def test_a_line_of_the_table_is_one_person_and_role():
    row = next(line for line in drawn(report_forms.table, report()).splitlines() if line.startswith("Dana Dev"))
    assert re.split(r"\s{2,}", row.strip()) == [
        "Dana Dev",
        "payments-prod",
        "read-only",
        "3",
        "1 h",
        "2",
        "Olu (2), Pat",
        "40 s",
    ]


def test_a_table_of_nothing_says_so():
    text = drawn(report_forms.table, Report(NOW - DAY, NOW, ("payments-prod",), Sums()))
    assert "Nobody had access." in text
    assert "payments-prod" in text
    assert "1 day," in text


@pytest.mark.parametrize("form", [report_forms.table, report_forms.as_csv, report_forms.as_json])
def test_what_people_wrote_cannot_steer_a_terminal(form):
    found = report(
        access=(access(name=EVIL, approvers=((EVIL, 1),)),),
        break_glass=(break_glass(note=EVIL, state=ReviewState.FLAGGED, reviewer=EVIL),),
    )
    text = drawn(form, found)
    assert "Eve" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[bold]" in "".join(text.split()), "it is text, not markup"


# ---------------------------------------------------------------- CSV


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\x1b="])
def test_a_cell_cannot_be_a_formula(start: str):
    name = f"{start}HYPERLINK(1)"
    (_, line) = csv.reader(io.StringIO(drawn(report_forms.as_csv, report(access=(access(name=name),)))))
    assert line[0].startswith("'")
    assert "HYPERLINK(1)" in line[0]


def test_csv_has_one_line_for_each_person_and_role():
    (columns, line) = csv.reader(io.StringIO(drawn(report_forms.as_csv, report())))
    found = dict(zip(columns, line, strict=True))
    assert (found["person"], found["address"], found["times"], found["held_s"]) == ("Dana Dev", DANA, "3", "3600")
    assert (found["approved_by"], found["answered_in_s"], found["open_now"]) == ("Olu (2); Pat (1)", "40", "no")
    assert (found["days"], found["of_days"]) == ("2", "90")


# ---------------------------------------------------------------- JSON


def test_json_has_all_of_it_with_units_in_the_names():
    found = json.loads(drawn(report_forms.as_json, report()))
    assert (found["days"], found["sums"]["held_s"], found["access"][0]["held_s"]) == (90, 3600, 3600)
    assert found["access"][0]["approvers"] == [{"name": "Olu", "times": 2}, {"name": "Pat", "times": 1}]
    assert found["break_glass"][0]["overdue"] is True
    assert found["quick_approvers"][0]["median_s"] == 3
    assert [item["kind"] for item in found["suggestions"]] == ["could_be_rule", "could_go"]
    assert found["suggestions"][1]["sentence"].startswith("nobody used admin")
    assert found["since"] == (NOW - 90 * DAY).isoformat()


# ---------------------------------------------------------------- in a channel


def test_the_message_is_short_and_says_where_the_rest_is():
    many = tuple(Unused("payments-prod", f"role-{n}", Risk.READ, 0, False) for n in range(30))
    text = as_text(review_digest(report(unused=many), 30 * DAY))
    assert "1 person had access for 1 h in all" in text
    assert "Olu approved all of 12" in text
    assert "PA-7: Nia" in text
    assert "… and 22 more" in text
    assert "prodaccess report --since 30d" in text
    assert len(text.splitlines()) < 30
    assert "Dana" not in text, "who had what is for those who may read the record"


def test_the_message_pings_nobody_whatever_a_name_or_note_is():
    found = report(break_glass=(break_glass(name=EVIL, note="<@U0OLU> *all*", state=ReviewState.FLAGGED),))
    message = review_digest(found, 30 * DAY)
    assert "<!channel>" not in str(blocks_of(message)) + text_of(message)
    assert "<@U0OLU>" not in str(blocks_of(message))


def test_it_tells_of_a_hidden_environment_in_its_own_channel_alone():
    hidden = build.environment(visibility=Visibility.MEMBERS)
    rules = build.policy(hidden, build.environment(name="other", title="Other"))
    assert told_here(rules, "C0ACCESSLOG", None) == ("other",)
    assert told_here(rules, "C0PAYMENTS", None) == ("payments-prod", "other")
    assert told_here(rules, "C0PAYMENTS", ("payments-prod",)) == ("payments-prod",)
    assert "1 environment that only its members see" in as_text(review_digest(report(), 30 * DAY, kept_back=1))


def test_it_says_what_it_does_not_count():
    assert "archive" not in as_text(review_digest(report(), 30 * DAY))
    told = as_text(review_digest(report(), 30 * DAY, before=NOW))
    assert f"Not counted: what is older than {NOW:%Y-%m-%d}, which is in the archive." in told


@pytest.mark.parametrize("begin", "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH COMMERCIAL AT}")
@pytest.mark.parametrize("before", ["", " ", "\t", "\r\n", "\u202e", "\u061c", "\x00"])
def test_no_cell_begins_a_formula(begin: str, before: str) -> None:
    assert report_forms.cell(f"{before}{begin}1+1") == f"'{begin}1+1"


def test_a_list_is_drawn_as_a_grid_would_be():
    lines = ["short", "a" * 98, "  two  spaces ", "日本語", "b" * 99, "word " * 30, "語" * 60]
    output, grids = io.StringIO(), io.StringIO()
    form = {"highlight": False, "emoji": False, "markup": False, "color_system": None, "width": 100}
    report_forms._list(Console(file=output, **form), "Never used", lines, "")
    for line in map(one_line, lines):
        grid = Table.grid(padding=(0, 1))
        grid.add_row(Text("-"), Text(line, overflow="fold"))
        Console(file=grids, **form).print(grid)
    (_, _, *drawn), wanted = output.getvalue().splitlines(), grids.getvalue().splitlines()
    assert [line.rstrip() for line in drawn] == [line.rstrip() for line in wanted]
