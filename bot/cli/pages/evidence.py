"""Everything on the record of one request as one page, for the file of a sample that an auditor takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.chat.views.read_model import Seen
from bot.cli.activity_query import Question, question_of
from bot.cli.pages.entries import entries_of, how_to_check
from bot.cli.pages.markup import END, NONE, Html, begin, items, join, pairs, section, table, tag
from bot.cli.pages.row import CAUSE_WORDS, OUTCOME_WORDS, times
from workflows.core import keys
from workflows.core.access_review.full_rows import Approver, FullRow, full_row
from workflows.core.audit import AuditEntry
from workflows.core.dates import zone_of
from workflows.core.durations import format_duration
from workflows.core.policy import Entitlement, Policy
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import Review
from workflows.core.records.request import Request
from workflows.core.records.target import Resource
from workflows.core.rules.groups import groups_named
from workflows.policy_file.phrases import approve_words
from workflows.ports import PolicyUnavailable
from workflows.usecases.shared.context import Context

_TIMES = {
    "asked": "The request was recorded.",
    "approved": "The decision was recorded, with the end of the access.",
    "given": "The access was given, and read back.",
    "ended": "Its end began.",
    "until": "Its end is arranged for then.",
    "removal verified": "It was taken away, and its absence was read back.",
    "closed": "The record of it was closed.",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is on the record of one request. `made`: when this page is made; `zone`: of its times beside UTC."""

    row: FullRow
    request: Request
    resource: Resource | None
    holding: Holding | None
    review: Review | None
    entries: Sequence[AuditEntry]
    made: datetime
    zone: tzinfo
    # The role by the policy that decided; None where another one is at hand by now.
    role: Entitlement | None
    # What to ask the target's own log; None where nothing was given, or no log is known of.
    question: Question | None = None

    def parts(self) -> Iterator[Html]:
        row = self.row
        yield begin(f"{row.id}: {row.role} in {row.environment}")
        yield tag("h1", f"{row.id}: {row.role} in {row.environment}")
        yield tag("p", OUTCOME_WORDS[row.outcome].capitalize())
        yield tag("p", f"Evidence made {self.made.astimezone(self.zone):%Y-%m-%d %H:%M} {self.zone}", class_="quiet")
        yield section("The request", self._request())
        yield section("Who agreed", self._agreed())
        yield section("Times", self._times())
        yield section("At the target", self._target())
        if self.question is not None:
            yield section("What was done with it", self._done(self.question))
        if self.review is not None:
            yield section("The review of the break-glass", self._review(self.review))
        names = {row.holder: row.holder_name, row.requester: row.requester_name}
        yield section("Audit entries", entries_of(self.entries, names, self.row.until, self._when), how_to_check())
        yield END

    # ------------------------------------------------------------ what was asked

    def _request(self) -> Html:
        row = self.row
        facts = pairs(
            (
                ("Holder", f"{row.holder_name} ({row.holder})"),
                ("Asked for by", f"{row.requester_name} ({row.requester})"),
                ("Environment", f"{row.environment}, {row.tier.value}"),
                ("Role", f"{row.role}, risk: {row.risk.value}"),
                ("Allows", self.request.terms.allows),
                ("Account", row.account),
                ("For", format_duration(row.duration)),
                ("Ticket", row.ticket or ""),
                ("Kind", "break-glass (emergency access)" if row.break_glass else ""),
                ("Prolongs", row.extends or ""),
                ("Terms that were agreed to", tag("code", self.request.terms.hash)),
                ("Policy by which it was decided", tag("code", row.policy_hash)),
            )
        )
        return join((tag("blockquote", row.reason), facts))

    def _agreed(self) -> Html:
        found = [(one.name, one.who, self._speaks_for(one), self._when(one.at)) for one in self.row.approvers]
        by_hand = table(("Who", "Person", "Speaks for", "When"), found) if found else NONE
        others = [f"The rule '{self.row.rule}' of the policy, {self._facts()}"] if self.row.rule else []
        others += (
            ["Nobody: the holder used break-glass, as the policy allows. A review follows."]
            if self.row.break_glass
            else []
        )
        others += [f"More time: {words}" for words in self.row.extended_by]
        closing = self.request.closing
        if closing is not None:
            by = f"by {closing.by_name}" if closing.by_name else "automatically"
            others.append(f"Closed without access {by}{f': {closing.reason}' if closing.reason else ''}")
        nobody = tag("p", "Nobody has agreed.", class_="quiet") if not (found or others) else NONE
        return join(
            (self._rule(), by_hand, tag("ul", *(tag("li", line) for line in others)) if others else NONE, nobody)
        )

    def _rule(self) -> Html:
        if self.role is None:
            return tag(
                "p", "The policy that decided is not the one at hand: its rule is told by the commit.", class_="quiet"
            )
        return tag("p", f"The policy asks for: {approve_words(self.role) or 'nobody; only rules let anybody in'}.")

    def _speaks_for(self, one: Approver) -> str:
        """`owners (platform)`: the word of the rule, and the policy's groups behind it."""
        return ", ".join(map(self._word, one.groups)) or "-"

    def _word(self, word: str) -> str:
        named = groups_named(self.role, (word,)) if self.role else (word,)
        return word if named == (word,) else f"{word} ({', '.join(named)})"

    def _facts(self) -> str:
        facts = self.request.decision.facts if self.request.decision else {}
        return ", ".join(f"{name}: {value}" for name, value in facts.items()) or "whose conditions held"

    # ------------------------------------------------------------ what came of it

    def _times(self) -> Html:
        rows = [(self._when(moment), _TIMES[name]) for name, moment in times(self.row) if moment is not None]
        end = self.row.end_cause
        by = f" by {self.row.ended_by}" if self.row.ended_by else ""
        why = tag("p", f"Why it ended: {CAUSE_WORDS[end]}{by}.") if end else NONE
        return join((table(("When", "What"), rows), why, self._verified()))

    def _verified(self) -> Html:
        row = self.row
        if row.covered_by:
            return tag("p", f"The same access goes on under {row.covered_by}, so that nothing was taken away.")
        if row.given and row.verified:
            return tag("p", tag("b", "The removal was verified: the target was asked, and the access was not there."))
        return (
            tag("p", tag("b", "The removal has not been verified yet.")) if row.granted and not row.verified else NONE
        )

    def _target(self) -> Html:
        if self.resource is None:
            return tag("p", "Its names were never looked up: nothing was given.", class_="quiet")
        facts: list[tuple[object, object]] = [("What", self.resource.title), ("Kind", self.resource.kind)]
        facts += [(name.replace("_", " "), tag("code", value)) for name, value in self.resource.ids.items()]
        return join((pairs(facts), self._operation()))

    def _operation(self) -> Html:
        """The newest one at the target, where it was for this grant: earlier ones are told by the entries."""
        found = self.holding
        if found is None or found.operation is None or self.row.id not in found.operation_for:
            return NONE
        operation = found.operation
        at = f" at {self._when(found.operation_at)}" if found.operation_at else ""
        return tag(
            "p",
            f"Newest operation: {operation.kind.value}, {operation.state.value}{at}, ",
            tag("code", operation.id or "-"),
        )

    def _done(self, question: Question) -> Html:
        trail = question.trail
        about = tag("p", f"It is in {trail.log}: {trail.who}, {question.time()}.")
        notes = items(trail.notes, "") if trail.notes else NONE
        asked = (
            join((tag("p", f"For {one.tool}:"), *(tag("p", tag("code", line)) for line in one.text.splitlines())))
            for one in trail.queries
        )
        return join((about, notes, *asked, tag("p", f"It tells {trail.things}; {trail.lacks}.", class_="quiet")))

    def _review(self, review: Review) -> Html:
        return pairs(
            (
                ("State", review.state.value),
                ("Owed since", self._when(review.since)),
                ("Due", self._when(review.due_at)),
                ("By", review.by_name or ""),
                ("At", self._when(review.at) if review.at else ""),
                ("Note", review.note or ""),
            )
        )

    def _when(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S %Z}"


def evidence_of(ctx: Context, seen: Seen) -> Evidence:
    """Read from the record, whatever has become of the policy."""
    request, grant = seen.request, seen.grant
    names = keys.review(request.id), keys.holding(grant.holding if grant else "")
    snapshot = ctx.ledger.read(*names)
    review, policy = snapshot.readable(names[0], Review), _policy(ctx)
    row = full_row(request, grant, review)
    return Evidence(
        row,
        request,
        grant.resource if grant else request.resource,
        snapshot.readable(names[1], Holding),
        review,
        ctx.ledger.entries_of(request.id),
        snapshot.now,
        zone_of(policy.timezone) if policy else UTC,
        policy.entitlement(row.environment, row.role) if policy and policy.hash == row.policy_hash else None,
        question_of(grant, policy),
    )


def _policy(ctx: Context) -> Policy | None:
    try:
        return ctx.policy.current()
    except PolicyUnavailable:
        return None
