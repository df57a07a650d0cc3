"""`prodaccess certify`: owners say which roles and people stay; this begins it, says how far it has come, and reports it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot.cli.complete import environments as completed
from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, USAGE, AsJson, add, end, program, say, told

if TYPE_CHECKING:
    from bot.cli.certify_rows import Ready, Report
    from bot.wiring import Common
    from workflows.core.refusal import Refused

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Which one; the newest unless said.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so, for the record.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")]


def register(app: typer.Typer) -> None:
    certify = program("Access reviews that owners answer: which roles and people stay.")
    for command in (start, status, report, close):
        add(certify, command)
    app.add_typer(certify, name="certify")


@told(
    examples={
        'prodaccess certify start --by "Ada Audit" --reason "fourth quarter"': "All environments, due in 14 days.",
        'prodaccess certify start --environments orders-prod,books-prod --due 7d --by cron --reason "Q4 2026"': "",
    },
    needs=LEDGER,
    uses=POLICY,
)
def start(
    *,
    by: By,
    reason: Reason,
    environments: Annotated[
        str, typer.Option(metavar="ENV,ENV", autocompletion=completed, help="All of them unless said.")
    ] = "",
    due: Annotated[str, typer.Option(metavar="DURATION", help="The time to answer, 90d at most.")] = "14d",
    window: Annotated[str, typer.Option(metavar="DURATION", help="Uses are counted over so long.")] = "90d",
) -> None:
    """Ask each environment's owners, in chat, which roles and people stay."""
    from workflows.core.refusal import Refused
    from workflows.usecases.certification.start import Wanted
    from workflows.usecases.certification.start import start as begin

    within, counted = _duration("--due", due), _duration("--window", window)
    names = tuple(name.strip() for name in environments.split(",") if name.strip()) or None
    with opened("certify start") as parts:
        wanted = Wanted(by, reason, names, within, counted)
        answer = begin(parts.context, wanted, f"cli:{parts.context.chance.hex(12)}")
        if isinstance(answer, Refused):
            _refuse(parts, answer)
    print(
        f"Certification {answer.id} has begun: a worker asks the owners now. `prodaccess certify status` says how far it is."
    )


def _duration(option: str, text: str) -> timedelta:
    from workflows.core.durations import parse_duration

    found = parse_duration(text)
    if not found:
        end(f"{option} '{text}' is no duration: write 14d.", USAGE)
    return found


def _refuse(parts: Common, refused: Refused) -> NoReturn:
    from bot.chat.wording.refusals import refusal

    end(refusal(refused, command=parts.settings.command))


# ---------------------------------------------------------------- how far it has come


@told(
    examples={
        "prodaccess certify status": "What is open, an environment a line.",
        "prodaccess certify status 3 --json": "",
    },
    needs=LEDGER,
    uses=POLICY,
    codes={PROBLEMS: "something is not answered, and was due; or it could not be done"},
)
def status(number: Number = "", as_json: AsJson = False) -> None:
    """How far the certifications that are open have come, or one of them."""
    from bot.cli.certify_rows import report_of
    from workflows.usecases.certification.standing import all_of

    with opened("certify status") as parts:
        policy, now = parts.context.policy.current(), parts.ledger.now()
        runs = [_one(parts, number)] if number else [one for one in all_of(parts.ledger) if one.is_open]
        found = [report_of(parts.ledger, policy, run) for run in runs]
    if as_json:
        say(json.dumps([_progress(one) for one in found], indent=2, ensure_ascii=False))
    else:
        for line in [line for one in found for line in _lines(one)] or ["No certification is open."]:
            say(line)
    late = any(one.run.is_open and one.sums.open and now >= one.run.due_at for one in found)
    raise typer.Exit(PROBLEMS if late else 0)


def _one(parts: Common, number: str) -> Any:
    from workflows.usecases.certification.standing import all_of

    runs = all_of(parts.ledger)
    found = next((one for one in reversed(runs) if number in ("", one.id)), None)
    if found is None:
        known = ", ".join(one.id for one in runs)
        end(
            f"There is no certification {number}: there are {known}."
            if known and number
            else "There was no certification yet."
        )
    return found


def _lines(found: Report) -> Iterator[str]:
    from bot.cli.certify_rows import day

    run, counts = found.run, found.sums
    yield f"Certification {run.id} · {found.state} · begun {day(run.at)} by {run.by}: {run.reason}"
    if run.closed_at is None:
        yield f"  due {day(run.due_at)} · {counts.open} of {counts.items} to answer · {counts.kept} stay, {counts.removed} go"
    else:
        by = f" by {run.closed_by}: {run.closed_reason}" if run.closed_by else ""
        yield f"  closed {day(run.closed_at)}{by} · {counts.kept} stay, {counts.removed} go, {counts.open} not answered"
    for name in dict.fromkeys(part.environment for part in found.parts):
        one = found.of(name)
        yield f"  {name}: {one.open} of {one.items} to answer" if one.open else f"  {name}: all {one.items} answered"
    yield from (f"  {name}: not asked yet" for name in run.left)
    yield from (f"  {name}: not asked, the policy did not have it any more" for name in found.never)


def _progress(found: Report) -> dict[str, Any]:
    run, counts = found.run, found.sums
    names = list(dict.fromkeys(part.environment for part in found.parts))
    return {
        "number": run.id,
        "state": found.state,
        "begun": run.at.isoformat(),
        "by": run.by,
        "reason": run.reason,
        "counted_since": run.since.isoformat(),
        "due": run.due_at.isoformat(),
        "reminded": [moment.isoformat() for moment in run.chased_at],
        "escalated": run.escalated_at.isoformat() if run.escalated_at else None,
        "closed": run.closed_at.isoformat() if run.closed_at else None,
        "closed_by": run.closed_by or None,
        "closed_reason": run.closed_reason or None,
        "items": counts.items,
        "open": counts.open,
        "stay": counts.kept,
        "go": counts.removed,
        "late": counts.late,
        "environments": [
            {
                "environment": name,
                "items": one.items,
                "open": one.open,
                "stay": one.kept,
                "go": one.removed,
                "late": one.late,
            }
            for name in names
            for one in [found.of(name)]
        ],
        "not_asked_yet": list(run.left),
        "never_asked": list(found.never),
    }


# ---------------------------------------------------------------- what was answered


@told(
    examples={
        "prodaccess certify report": "The newest one: each question, its answer, and what is to do.",
        "prodaccess certify report 3 --csv > q4.csv": "One row a question.",
        "prodaccess certify report --html q4.html": "One file for a browser or a printer.",
        "prodaccess certify report --diff | git apply": "In the policy folder: what goes, as far as it can be cut out exactly.",
    },
    needs=LEDGER,
    uses=POLICY,
)
def report(
    number: Number = "",
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="One row a question.")] = False,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="A page.")] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Only the change of the policy.")] = False,
) -> None:
    """What was asked, what was answered, by whom and how timely, what is open, and what has to be done for what goes.

    Shows hidden environments, too: it is for operators and auditors.
    """
    if sum(map(bool, (as_csv, as_json, html, diff))) > 1:
        end("--csv, --json, --html and --diff are forms of their own: keep one.", USAGE)
    with opened("certify report") as parts:
        found, change = _found(parts, number)
    if as_csv:
        _csv(found)
    elif as_json:
        _json(found, change)
    elif html:
        _page(found, change, html)
    elif diff:
        _diff(change)
    else:
        for line in _told(found, change):
            say(line)


def _found(parts: Common, number: str) -> tuple[Report, Ready]:
    from bot.cli.certify_rows import ready, report_of
    from workflows.core.identity import address_of

    policy = parts.context.policy.current()
    found = report_of(parts.ledger, policy, _one(parts, number))

    def is_person(text: str, who: str) -> bool:
        address = address_of(text, policy.former_domains)
        return address is not None and parts.context.directory.owner_of(address, policy.former_domains) == who

    return found, ready(found.rows, files_in_force(parts, policy.hash), is_person)


def files_in_force(parts: Common, hash_: str) -> dict[str, str]:
    """The files of the policy in force, from the record; from the folder where the record has others, or none."""
    from workflows.core import keys
    from workflows.core.records.policy_in_force import PolicyFiles
    from workflows.policy_file.folder import read_folder

    kept = parts.ledger.read(keys.POLICY_FILES).readable(keys.POLICY_FILES, PolicyFiles)
    if kept is not None and kept.hash == hash_ and kept.files:
        return dict(kept.files)
    return dict(read_folder(Path(parts.settings.config)).files)


def _csv(found: Report) -> None:
    import csv

    from bot.cli.certify_rows import COLUMNS, cells
    from bot.cli.report_forms import cell

    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in found.rows:
        told_ = cells(found, row)
        lines.writerow([cell(told_[name]) for name in COLUMNS])


def _json(found: Report, change: Ready) -> None:
    from bot.cli.certify_rows import cells

    whole = {
        **_progress(found),
        "questions": [dict(cells(found, row)) for row in found.rows],
        "notes": [note for part in found.parts for note in part.notes],
        "change_of_the_policy": {
            "diff": list(change.diff),
            "by_hand": list(change.by_hand),
            "problems": list(change.problems),
        },
    }
    say(json.dumps(whole, indent=2, ensure_ascii=False))


def _page(found: Report, change: Ready, html: Path) -> None:
    from bot.cli.pages.certification import page
    from bot.cli.pages.write import write_page

    write_page(html, page(found, change))


def _diff(change: Ready) -> None:
    for line in change.diff:
        say(line)
    for line in (*change.by_hand, *change.problems):
        print(line, file=sys.stderr)


def _told(found: Report, change: Ready) -> Iterator[str]:
    from bot.cli.certify_rows import day, known, what

    yield from _lines(found)
    for row in found.rows:
        answer = row.item.answer
        head = f"{row.part.environment} {row.item.number} · {what(row.item)}"
        if answer is None:
            yield f"- {head} · not answered · {known(row.item)}"
            continue
        word = "stays" if answer.verdict.value == "keep" else "goes"
        why = f": {answer.reason}" if answer.reason else ""
        late = ", late" if answer.at > found.run.due_at else ""
        yield f"- {head} · {word}, says {answer.by_name} {day(answer.at)}{late}{why}"
    yield from (f"Not known: {note}" for part in found.parts for note in part.notes)
    yield from _to_do(change)


def _to_do(change: Ready) -> Sequence[str]:
    lines = [f"By hand: {sentence}" for sentence in change.by_hand]
    if change.diff:
        lines += ["The change of the policy:", *change.diff]
    return [*lines, *(f"After it the policy is not valid yet: {problem}" for problem in change.problems)]


# ---------------------------------------------------------------- the end


@told(
    examples={'prodaccess certify close 3 --by "Ada Audit" --reason "begun by mistake"': ""},
    needs=LEDGER,
    uses=POLICY,
)
def close(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Which one.")], *, by: By, reason: Reason
) -> None:
    """End a certification before its time, whatever is open. By itself it ends when its time is over and all is answered."""
    from workflows.core.refusal import Refused
    from workflows.usecases.certification.close import close as over

    with opened("certify close") as parts:
        answer = over(parts.context, _one(parts, number).id, by, reason, f"cli:{parts.context.chance.hex(12)}")
        if isinstance(answer, Refused):
            _refuse(parts, answer)
    print(f"Certification {number} is closed. `prodaccess certify report {number}` has what was answered.")
