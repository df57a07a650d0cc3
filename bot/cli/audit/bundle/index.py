"""The bundle's first page: what is in it, how it is checked, what stands out, and what it cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot.cli.audit.bundle.entries import Told
from bot.cli.audit.bundle.folder import MANIFEST, Filed
from bot.cli.audit.exported import LogState
from bot.cli.pages.markup import END, Html, begin, items, join, section, table, tag, under
from workflows.core.access_review.model import Report
from workflows.core.audit import Event
from workflows.core.records.oversight import ReviewState

# What it is about, and the files that say so.
_GROUPS = {
    "Begin here": ("review.html", "requests.csv", "access.csv", "activity-queries.csv", "refused.csv"),
    "What needs a second look": ("reviews.csv", "failed.csv", "drift.csv", "drift-open.csv", "panic.csv"),
    "Rules and people": ("policy.csv", "policy-in-force.csv", "groups.csv", "people.csv", "certifications.csv"),
    "The record itself": ("audit.jsonl", "events.csv", "record.csv", "seals.csv", "public-key.pem", "verify.py"),
}
_LIMITS = (
    "What was done with the access: the target's own log has that, such as CloudTrail; activity-queries.csv is what to ask it.",
    "Access that was given outside of prodaccess, but for what drift has found at roles of the policy.",
    "Who was in a group on an earlier day: groups.csv is of today. In which groups a vote counted stands in requests.csv.",
    "Earlier versions of the policy word for word: policy.csv has hash, commit and difference; your repository has the files.",
    "Words that were erased: their entries are there, and their digests hold.",
)


@dataclass(frozen=True, slots=True)
class Index:
    """`notes`: sentences on what is left out. `open_drift`: how many now. `unanswered`: questions of certifications."""

    report: Report
    told: Told
    state: LogState
    filed: Sequence[Filed]
    notes: Sequence[str]
    open_drift: int
    unanswered: int
    made: datetime
    zone: tzinfo
    version: str

    def parts(self) -> Iterator[Html]:
        period = f"{self._day(self.report.since)} to {self._day(self.report.until)}"
        yield begin(f"Evidence of production access, {period}")
        yield tag("h1", "Evidence of production access")
        yield tag("p", period)
        made = f"Made {self.made.astimezone(self.zone):%Y-%m-%d %H:%M} {self.zone} by prodaccess {self.version}"
        yield tag("p", f"{made} · times in the tables are UTC", class_="quiet")
        for note in self.notes:
            yield tag("p", tag("b", note))
        yield tag("ul", *(tag("li", tag("b", number), words) for number, words in self._figures()), class_="figures")
        yield section("To look at", items(self._look_at(), "Nothing stands out."))
        yield section("Is it whole?", *self._check())
        for title, names in _GROUPS.items():
            yield section(title, self._files(names))
        others = [one.about.name for one in self.filed if one.about.name not in sum(_GROUPS.values(), ())]
        if others:
            yield section("The policy in force, as it is written", self._files(others))
        yield section("What this cannot say", items(_LIMITS, ""))
        yield END

    def _figures(self) -> Iterator[tuple[str, str]]:
        sums = self.report.sums
        yield f"{sums.asked:,}", "requests"
        yield f"{sums.approved + sums.by_rule:,}", "approved"
        yield f"{sums.denied:,}", "denied"
        yield f"{sums.refused:,}", "turned away at once"
        yield f"{sums.break_glass:,}", "emergency accesses"
        yield f"{sums.people:,}", "people had access"
        yield f"{self._count(Event.POLICY_ACTIVATED):,}", "changes of the policy"
        yield f"{self.state.audit.upto:,}", "audit entries in all"

    # ------------------------------------------------------------ what stands out

    def _look_at(self) -> Iterator[object]:
        glass = self.report.break_glass
        yield from _some(sum(one.overdue for one in glass), "reviews of emergency access are overdue", "reviews.csv")
        flagged = sum(one.state is ReviewState.FLAGGED for one in glass)
        yield from _some(flagged, "emergency accesses were flagged by their reviewer", "reviews.csv")
        failing, again = self._count(Event.GRANT_REMOVAL_FAILING), self._count(Event.GRANT_REAPPEARED)
        yield from _some(failing, "times a removal failed at first", "failed.csv")
        yield from _some(again, "times access was there again after its end", "failed.csv")
        yield from _some(
            self._count(Event.DRIFT_FOUND), "differences between targets and the record were found", "drift.csv"
        )
        yield from _some(self.open_drift, "of such differences are open now", "drift-open.csv")
        yield from _some(self.unanswered, "questions of a certification are not answered", "certifications.csv")
        yield from _some(
            self._count(Event.VOTE_UNPROVED), "votes were not proved by the chat's signature", "events.csv"
        )
        unsettled = sum(
            self._count(event) for event in (Event.LEDGER_ROLLED_BACK, Event.CLOCK_JUMPED, Event.LEDGER_UNREADABLE)
        )
        yield from _some(unsettled, "events put the record itself in doubt", "record.csv")
        yield from _some(len(self.report.quick), "people approve everything within seconds", "review.html")

    def _count(self, event: Event) -> int:
        return self.told.counts.get(event, 0)

    # ------------------------------------------------------------ how it is checked

    def _check(self) -> Iterator[Html]:
        seal = self.state.seal
        if seal is None:
            yield tag(
                "p",
                tag(
                    "b",
                    "The audit log is not signed: its entries hold one another, and nobody vouches for all of them.",
                ),
            )
        else:
            yield tag(
                "p",
                f"Entries #1 to #{seal.size} are signed as head ",
                tag("code", f"{seal.size}:{seal.root[:12]}"),
                f" of {seal.at:%Y-%m-%d %H:%M:%S} UTC.",
            )
        key = " --key FINGERPRINT" if seal else ""
        yield tag("p", "On a machine of your own, with Python 3.11 and the package cryptography:")
        yield tag("p", tag("code", f"python3 verify.py{key}"))
        yield tag(
            "p",
            "The fingerprint is the one that you were given before, not one from this folder. The file checks each file against ",
            link(MANIFEST),
            ", each entry, the signature, and that the tables have what the log has.",
        )
        yield tag(
            "p",
            "Who wrote this folder could still have left out the newest entries: give --expect-head with a head that a digest in "
            "chat has shown, or --archive with your own copy of the archive.",
        )

    def _files(self, names: Iterable[str]) -> Html:
        by_name = {one.about.name: one for one in self.filed}
        return table(("File", "What it is", "Lines"), (_row(by_name[name]) for name in names if name in by_name))

    def _day(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"


def link(name: str) -> Html:
    return tag("a", name, href=name)


def _row(one: Filed) -> Iterator[object]:
    yield link(one.about.name)
    yield under(one.about.says, f"From: {one.about.source}")
    yield "" if one.rows is None else f"{one.rows:,}"


def _some(count: int, words: str, file: str) -> Iterator[object]:
    if count:
        yield join((f"{count:,} {words} (", link(file), ")"))
