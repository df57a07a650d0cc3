"""Tables that are made of audit entries alone, all of them in one pass over the period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.chat.wording.events import event_words
from bot.chat.wording.labels import flatten
from bot.cli.audit.bundle.folder import About, Folder, Write
from workflows.core.audit import AuditEntry, Event

LOG = "the audit log (audit.jsonl)"
_BEGIN = ("number", "at", "event", "subject")
_END = ("words", "facts", "digest")
EVENTS = About(
    "events.csv",
    "Every event of the period, as a sentence, with its number and digest.",
    LOG,
    (*_BEGIN, "actor", *_END),
)
REFUSED = About(
    "refused.csv",
    "Who was turned away before there was a request, and by which rule; repeats within a while are counted in one line.",
    LOG,
    (*_BEGIN, "actor", *_END),
)
POLICY = About(
    "policy.csv",
    "Each version of the policy that came into force or waited for people, and in words how it differs from the one before.",
    LOG,
    (*_BEGIN, "policy", "before", "commit", "actor", "looser", "looser_lines", "difference", "digest"),
)
FAILED = About(
    "failed.csv",
    "What could not be given or taken away at once, what was there again after its end, and when its removal was verified.",
    f"{LOG}; `verified` from the grant's record",
    (*_BEGIN, *_END, "verified"),
)
DRIFT = About(
    "drift.csv", "Where a target and the record were found to differ, and what became of it.", LOG, (*_BEGIN, *_END)
)
PEOPLE = About(
    "people.csv",
    "Who left or moved, whose account was bound, on hold or another's, and who stood in for whom.",
    LOG,
    (*_BEGIN, "actor", *_END),
)
GATES = About(
    "gates.csv",
    "Which pipelines asked to go on, who let them or did not, and which run used it; no access is given by that.",
    LOG,
    (*_BEGIN, "actor", "environment", "gate", "commit", "run", "attempt", "job", *_END),
)
PANIC = About("panic.csv", "What was taken back at once, from whom, by whom.", LOG, (*_BEGIN, "actor", *_END))
RECORD = About(
    "record.csv",
    "What happened to the record itself: sealing, keys, the clock, Redis set back, what cannot be read.",
    LOG,
    (*_BEGIN, *_END),
)
_FAILING = frozenset(
    {Event.GRANT_REMOVAL_FAILING, Event.GRANT_REAPPEARED, Event.GRANT_ACTIVATION_FAILED, Event.GRANT_EXTENSION_FAILED}
)
# By the word before the dot.
_OF = {
    POLICY: ("policy",),
    DRIFT: ("drift",),
    PEOPLE: ("person", "leavers", "target_user", "delegation"),
    GATES: ("gate",),
    PANIC: ("sweepout",),
    RECORD: ("audit", "ledger", "clock"),
}
TABLES = (EVENTS, REFUSED, POLICY, FAILED, DRIFT, PEOPLE, GATES, PANIC, RECORD)

# A grant's id -> when its removal was read back; None where that has not happened, or nobody knows.
Verified = Callable[[str], datetime | None]


@dataclass
class Told:
    """What came by: `counts` by event, and the subjects of `request.made`."""

    counts: dict[Event, int] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def add(self, entry: AuditEntry) -> None:
        self.counts[entry.event] = self.counts.get(entry.event, 0) + 1
        if entry.event is Event.REQUEST_MADE:
            self.asked.add(entry.subject)


def write_entries(folder: Folder, entries: Iterable[AuditEntry], verified: Verified) -> Told:
    told = Told()
    with ExitStack() as open_:
        writers: dict[str, Write] = {about.name: open_.enter_context(folder.table(about)) for about in TABLES}
        for entry in entries:
            told.add(entry)
            for about in _of(entry.event):
                writers[about.name]([_cell(name, entry, verified) for name in about.columns])
    return told


def _of(event: Event) -> Sequence[About]:
    found = [EVENTS]
    if event in (Event.REQUEST_REFUSED, Event.GATE_REFUSED, Event.REFUSALS_COUNTED):
        found.append(REFUSED)
    if event in _FAILING:
        found.append(FAILED)
    word = event.value.partition(".")[0]
    found += [about for about, words in _OF.items() if word in words]
    return found


def _cell(name: str, entry: AuditEntry, verified: Verified) -> object:
    cells: dict[str, Callable[[], object]] = {
        "number": lambda: entry.number,
        "at": lambda: entry.at.isoformat(),
        "event": lambda: entry.event.value,
        "subject": lambda: entry.subject,
        "actor": lambda: entry.private.get("actor", ""),
        "words": lambda: flatten(event_words(entry, {}), _when),
        "facts": lambda: "; ".join(f"{key}={value}" for key, value in sorted(entry.facts.items())),
        "digest": lambda: entry.digest,
        "verified": lambda: moment.isoformat() if (moment := verified(entry.subject)) else "",
        "looser_lines": lambda: _lines(entry.private.get("looser", "")),
        "difference": lambda: _lines(entry.private.get("difference", "")),
    }
    return cells[name]() if name in cells else entry.facts.get(name, "")


def _lines(text: str) -> str:
    return "; ".join(text.splitlines())


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
