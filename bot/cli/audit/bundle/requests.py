"""What was asked for and what became of it, from the records of requests: a page of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.cli import activity_query, grant_forms, report_forms
from bot.cli.audit.bundle.folder import About, Folder, Write
from bot.cli.pages.ground import Ground
from bot.cli.pages.review import ReviewPage
from bot.cli.period import Wanted
from bot.wiring import Common
from workflows.core.access_review.full_rows import FullRow, full_row
from workflows.core.policy import Policy
from workflows.core.records.oversight import Review, ReviewState
from workflows.usecases.oversight.access_review import Found, full_rows, report_between, stored

RECORDS = "records in Redis, and the log where it says when a card could be seen"
REQUESTS = About(
    "requests.csv",
    "Every request of the period: given, denied, withdrawn, expired. With who asked and agreed, and when it began and ended.",
    "records of requests and grants in Redis; what happened to each is in events.csv",
    ("outcome", *grant_forms.COLUMNS, "extends"),
)
REVIEWS = About(
    "reviews.csv",
    "What owners owed after emergency access, or a gate that was opened (break-glass), what they said, and whether in time.",
    "records of reviews in Redis; events review.* in events.csv",
    tuple(
        [
            "id",
            "environment",
            "holder",
            "owed_since",
            "due",
            "state",
            "by",
            "by_name",
            "at",
            "in_time",
            "took_s",
            "chased",
            "note",
        ]
    ),
)
ACCESS = About(
    "access.csv",
    "Who had what: a line for each person and role, with how often and how long.",
    RECORDS,
    report_forms.COLUMNS,
)
DONE = About(
    "activity-queries.csv",
    "For each grant of the period the question to the target's own log, such as CloudTrail: what was done with it.",
    "records of grants in Redis, and the policy in force, which says where to look",
    activity_query.COLUMNS,
)
PAGE = About(
    "review.html", "The access review as a page to read: figures, who had what and when, every request.", RECORDS
)


def write_requests(folder: Folder, parts: Common, found: Found, policy: Policy) -> Sequence[str]:
    """Returns the ids that are in it."""
    ids: list[str] = []
    rows = [row.id for row in found.rows]
    now = parts.ledger.now()
    with folder.table(REQUESTS) as asked, folder.table(REVIEWS) as owed, folder.table(DONE) as done:
        for request, grant, review in stored(parts.ledger, rows, []):
            asked(_cells(full_row(request, grant, review)))
            ids.append(request.id)
            question = activity_query.question_of(grant, policy)
            for line in question.cells() if question else ():
                done(line)
            if review is not None:
                owed(_review(review, now))
        for _, _, review in stored(parts.ledger, found.opened, []):
            if review is not None:
                owed(_review(review, now))
    return ids


def _cells(row: FullRow) -> Sequence[object]:
    return [row.outcome.value, *grant_forms.cells(row), row.extends]


def _review(review: Review, now: datetime) -> Sequence[object]:
    done = review.at if review.state is not ReviewState.OWED else None
    in_time = "yes" if done and done <= review.due_at else "no" if done or now > review.due_at else "not due yet"
    took = round((done - review.since) / timedelta(seconds=1)) if done else None
    times = (review.since.isoformat(), review.due_at.isoformat())
    said = (review.state.value, review.by, review.by_name, done.isoformat() if done else None)
    return (
        review.id,
        review.environment,
        review.holder,
        *times,
        *said,
        in_time,
        took,
        len(review.chased_at),
        review.note,
    )


def write_access(folder: Folder, parts: Common, policy: Policy, wanted: Wanted) -> Found:
    """The access review of the period. Returns it."""
    found = report_between(parts.context, wanted.since, wanted.until)
    with folder.table(ACCESS) as write:
        _access(write, found)
    page = ReviewPage(Ground(found, wanted.zone), policy.hash, parts.ledger.now())
    with folder.text(PAGE) as output:
        output.writelines(page.parts(full_rows(parts.ledger, [row.id for row in found.rows], [])))
    return found


def _access(write: Write, found: Found) -> None:
    for item in found.report.access:
        write(tuple(report_forms.cells(item, found.report.days)))
