"""`prodaccess certify` on a real ledger: begun, asked, answered, reported, closed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot import settings
from bot.__main__ import app
from bot.wiring import Common, build_clock
from tests.unit.policy_file.policy_folder import write
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.certification import Answer, Certification, CertificationPart, Item, Verdict
from workflows.policy_file import difference, summary
from workflows.policy_file.cron import next_slot
from workflows.ports import Change, Committed
from workflows.usecases.certification.see_to import see_to
from workflows.usecases.oversight.policy_activation import activate


@pytest.fixture
def parts(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Common]:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(write(tmp_path)))
    found = settings.for_command("test")
    assert not isinstance(found, tuple)
    built = build_clock(found, patient=False)
    policy = built.context.policy.current()
    activate(built.context, policy, summary=summary, difference=difference, next_slot=next_slot)
    yield built
    built.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["certify", *words])


def begun(parts: Common) -> None:
    done = run("start", "--by", "Ada Audit", "--reason", "Q4", "--environments", "shop-prod")
    assert done.exit_code == 0, done.output
    see_to(parts.context, "1")


def the_part(parts: Common) -> CertificationPart:
    item = keys.certification_part("1-1")
    found = parts.ledger.read(item).get(item, CertificationPart)
    assert found is not None
    return found


def put(parts: Common, key: str, record: CertificationPart | Certification) -> None:
    snapshot = parts.ledger.read(key)
    change = Change(f"{key}:{snapshot.items[key].version}", snapshot.now, snapshot.versions(), puts={key: record})
    assert isinstance(parts.ledger.commit(change), Committed)


def answered(parts: Common, **verdicts: Verdict) -> None:
    """By name; whatever stands there says nothing of who may."""
    part = the_part(parts)

    def said(item: Item) -> Item:
        verdict = verdicts.get(item.name.partition("@")[0].replace("-", "_"))
        answer = Answer(verdict, PersonId("olu@example.com"), "Olu", parts.ledger.now(), "why not") if verdict else None
        return replace(item, answer=answer)

    put(parts, keys.certification_part(part.id), replace(part, items=tuple(map(said, part.items))))


def test_what_is_not_there_is_said(parts: Common) -> None:
    assert run("status").stdout == "No certification is open.\n"
    assert run("status").exit_code == 0
    none = run("report")
    assert (none.exit_code, none.stderr) == (1, "There was no certification yet.\n")
    begun(parts)
    other = run("report", "7")
    assert (other.exit_code, other.stderr) == (1, "There is no certification 7: there are 1.\n")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--due", "soon"), 2, "--due 'soon' is no duration: write 14d.\n"),
        (("--environments", "shop-pord"), 1, "There is no environment"),
        (("--due", "200d"), 1, "Owners get 90 d at most to answer; 200 d is too long.\n"),
    ],
)
def test_what_cannot_be_begun_is_one_sentence(parts: Common, words: tuple[str, ...], code: int, says: str) -> None:
    done = run("start", "--by", "Ada", "--reason", "Q4", *words)
    assert done.exit_code == code
    assert says in done.stderr or says in done.output


def test_it_is_begun_once_and_says_how_far_it_is(parts: Common) -> None:
    begun(parts)
    again = run("start", "--by", "cron", "--reason", "Q4")
    assert again.exit_code == 1
    assert "Certification 1 is still open for shop-prod." in again.stderr
    lines = run("status").stdout.splitlines()
    count = len(the_part(parts).items)
    assert lines[0].startswith("Certification 1 · open · begun ")
    assert lines[0].endswith(" by Ada Audit: Q4")
    assert lines[2] == f"  shop-prod: {count} of {count} to answer"
    (found,) = json.loads(run("status", "--json").stdout)
    assert (found["number"], found["state"], found["open"], found["closed"]) == ("1", "open", count, None)


def test_what_was_due_and_is_not_answered_is_a_failing_exit(parts: Common) -> None:
    begun(parts)
    item = keys.certification("1")
    found = parts.ledger.read(item).get(item, Certification)
    assert found is not None
    put(parts, item, replace(found, due_at=found.at))
    assert run("status").exit_code == 1


def test_the_report_has_answers_what_is_open_and_the_change_of_the_policy(parts: Common) -> None:
    begun(parts)
    names = [item.name for item in the_part(parts).items]
    answered(parts, state_write=Verdict.REMOVE, pat=Verdict.REMOVE, olu=Verdict.KEEP)
    told = run("report").stdout
    assert "role state-write · goes, says Olu" in told
    assert "--- a/environments/shop-prod.yaml" in told
    assert "-  state-write: {}" in told
    assert f"role {names[0]} · not answered" in told
    diff = run("report", "--diff").stdout
    assert diff.startswith("--- a/")
    rows = list(csv.DictReader(io.StringIO(run("report", "--csv").stdout)))
    assert [row["name"] for row in rows] == names
    (gone,) = (row for row in rows if row["name"] == "state-write")
    assert (gone["answer"], gone["by"], gone["late"], gone["reason"]) == ("remove", "Olu", "no", "why not")
    assert gone["to_do"] == "take the role state-write out of shop-prod in the policy"
    whole = json.loads(run("report", "--json").stdout)
    assert len(whole["questions"]) == len(names)
    assert whole["change_of_the_policy"]["diff"] == diff.splitlines()


def test_the_page_is_one_file(parts: Common, tmp_path: Path) -> None:
    begun(parts)
    answered(parts, state_write=Verdict.REMOVE)
    page = tmp_path / "q4.html"
    assert run("report", "--html", str(page)).exit_code == 0
    text = page.read_text()
    assert "Certification 1" in text
    assert "-  state-write: {}" in text
    assert "<script" not in text
    assert run("report", "--html", str(page), "--csv").exit_code == 2


def test_it_is_closed_by_hand_once(parts: Common) -> None:
    begun(parts)
    done = run("close", "1", "--by", "Ada", "--reason", "by mistake")
    assert done.exit_code == 0, done.output
    assert run("close", "1", "--by", "Ada", "--reason", "by mistake").exit_code == 1
    assert run("status").stdout == "No certification is open.\n"
    assert "closed" in run("status", "1").stdout.splitlines()[0]


def test_a_bundle_has_each_question_of_its_period_and_says_what_is_open(parts: Common, tmp_path: Path) -> None:
    begun(parts)
    answered(parts, state_write=Verdict.REMOVE)
    day = f"{parts.ledger.now():%Y-%m-%d}"
    made = tmp_path / "evidence"
    done = CliRunner().invoke(app, ["audit", "bundle", "--from", day, str(made)])
    assert done.exit_code == 0, done.output
    with (made / "certifications.csv").open(newline="") as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == len(the_part(parts).items)
    assert [row["by"] for row in rows if row["answer"] == "remove"] == ["Olu"]
    assert f"{len(rows) - 1} questions of a certification are not answered" in (made / "index.html").read_text()
    before = tmp_path / "before"
    assert (
        CliRunner()
        .invoke(app, ["audit", "bundle", "--from", "2020-01-01", "--to", "2020-03-31", str(before)])
        .exit_code
        == 0
    )
    assert len((before / "certifications.csv").read_text().splitlines()) == 1
