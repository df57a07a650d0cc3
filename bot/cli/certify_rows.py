"""One row for each question of a certification: for the table, CSV, JSON and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.chat.wording.certification import AGAINST, may_words, step_words, used_words
from workflows.core.audit import AuditEntry, Event
from workflows.core.certification.removal import Step, Where, steps
from workflows.core.certification.rules import Sums, sums
from workflows.core.policy import Policy
from workflows.core.records.certification import Certification, CertificationPart, Item, Verdict
from workflows.policy_file.taking_out import Files, diff_of, problems_of, without_member, without_role
from workflows.ports import Ledger
from workflows.usecases.certification.standing import CARD, parts_of


@dataclass(frozen=True, slots=True)
class Row:
    """`entries`: the answers to it, the oldest first; the last one holds. `to_do`: what is to be done for what goes."""

    part: CertificationPart
    item: Item
    entries: Sequence[AuditEntry]
    to_do: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Report:
    run: Certification
    parts: Sequence[CertificationPart]
    rows: Sequence[Row]

    @property
    def sums(self) -> Sums:
        return sums(self.run, self.parts)

    def of(self, environment: str) -> Sums:
        return sums(self.run, [part for part in self.parts if part.environment == environment])

    @property
    def never(self) -> Sequence[str]:
        """Environments that nobody was asked about: the policy had them no more when it was their turn."""
        asked = {part.environment for part in self.parts}
        return tuple(name for name in self.run.environments if name not in asked and name not in self.run.left)

    @property
    def state(self) -> str:
        return "being asked" if self.run.left else "open" if self.run.is_open else "closed"


def report_of(ledger: Ledger, policy: Policy, run: Certification) -> Report:
    parts = parts_of(ledger, run)
    return Report(run, parts, [row for part in parts for row in _rows(ledger, policy, part)])


def _rows(ledger: Ledger, policy: Policy, part: CertificationPart) -> Iterator[Row]:
    told = [one for one in ledger.entries_of(f"{CARD}{part.id}") if one.event is Event.CERTIFICATION_ANSWERED]
    for item in part.items:
        goes = item.answer is not None and item.answer.verdict is Verdict.REMOVE
        own = [entry for entry in told if entry.facts.get("number") == str(item.number)]
        yield Row(part, item, own, steps(policy, part, item) if goes else ())


# ---------------------------------------------------------------- cells


def cells(report: Report, row: Row) -> Mapping[str, Any]:
    """As CSV and JSON have them; times are ISO 8601, empty where there is none."""
    item, answer, run = row.item, row.item.answer, report.run
    last = row.entries[-1] if row.entries else None
    return {
        "certification": run.id,
        "environment": row.part.environment,
        "number": item.number,
        "kind": item.kind.value,
        "name": item.name,
        "person": item.person or "",
        "about": item.about or may_words(item),
        "times": item.times,
        "people": item.people or "",
        "last_used": _when(item.last),
        "since": _when(item.since),
        "against": "; ".join(AGAINST[one] for one in item.against),
        "answer": answer.verdict.value if answer else "",
        "by": answer.by_name if answer else "",
        "by_id": answer.by if answer else "",
        "at": _when(answer.at) if answer else "",
        "after_s": round((answer.at - run.at).total_seconds()) if answer else "",
        "late": ("yes" if answer.at > run.due_at else "no") if answer else "",
        "reason": answer.reason if answer else "",
        "answered_before": "; ".join(map(_before, row.entries[:-1])),
        "to_do": "; ".join(map(step_words, row.to_do)),
        "entry": last.number if last else "",
        "digest": last.digest if last else "",
    }


COLUMNS = (
    *(
        "certification",
        "environment",
        "number",
        "kind",
        "name",
        "person",
        "about",
        "times",
        "people",
        "last_used",
        "since",
    ),
    *(
        "against",
        "answer",
        "by",
        "by_id",
        "at",
        "after_s",
        "late",
        "reason",
        "answered_before",
        "to_do",
        "entry",
        "digest",
    ),
)


def _before(entry: AuditEntry) -> str:
    who = entry.private.get("actor_name", "") or "somebody"
    return f"{entry.facts.get('said', '')} by {who} at {_when(entry.at)} (#{entry.number})"


def _when(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else ""


def day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def what(item: Item) -> str:
    """`role admin`, `Dana`, `access of Dana`."""
    return {"role": f"role {item.name}", "standing": f"access of {item.name}"}.get(item.kind.value, item.name)


def known(item: Item) -> str:
    """What the card says of it, in one line."""
    used = f"{used_words(item) or 'not used'}{f', last {day(item.last)}' if item.last else ''}"
    since = f"seen first {day(item.since)}" if item.since else used
    gone = "their account is gone" if "gone" in item.against else ""
    return " · ".join(part for part in (item.about or may_words(item), since, gone) if part)


# ---------------------------------------------------------------- the change of the policy


@dataclass(frozen=True, slots=True)
class Ready:
    """`diff`: lines of all that could be made exactly. `by_hand`: sentences for the rest. `problems`: of the policy then."""

    diff: Sequence[str]
    by_hand: Sequence[str]
    problems: Sequence[str]


def ready(rows: Iterable[Row], files: Files, is_person: Callable[[str, str], bool]) -> Ready:
    """`is_person`: whether an address of the policy is this person's."""
    after, by_hand = dict(files), []
    made: set[Step] = set()
    for row in rows:
        for step in row.to_do:
            # Who goes out of a group goes once, in however many environments it counts.
            same = replace(step, environment="", also=()) if step.where is Where.MEMBER else step
            if same in made:
                continue
            made.add(same)
            cut = _taken_out(after, step, is_person)
            if cut is None:
                by_hand.append(f"{row.part.environment}, {what(row.item)}: {step_words(step)}")
            else:
                after = dict(cut)
    changed = after != dict(files)
    return Ready(tuple(diff_of(files, after)), tuple(dict.fromkeys(by_hand)), problems_of(after) if changed else ())


def _taken_out(files: Files, step: Step, is_person: Callable[[str, str], bool]) -> Files | None:
    if step.where is Where.ROLE:
        return without_role(files, step.environment, step.name)
    if step.where is Where.MEMBER and step.person is not None:
        person = step.person
        return without_member(files, step.name, lambda address: is_person(address, person))
    return None
