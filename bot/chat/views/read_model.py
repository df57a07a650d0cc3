"""Stories from the ledger, for lists, cards and digests. What it costs grows with what is shown, not with the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.chat.views.overviews import DigestView, DriftLine, Sealed, Unanswered, digest_view
from bot.chat.views.request_view import LastTime, RequestView, last_time, request_view
from bot.chat.wording.labels import Stage
from workflows.core import keys
from workflows.core.audit import AuditEntry
from workflows.core.people import NEVER, GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Entitlement, Policy
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import Review
from workflows.core.records.request import Request, RequestState
from workflows.core.records.seal import SealState
from workflows.core.refusal import Refused
from workflows.core.rules.break_glass import may_review
from workflows.core.rules.eligibility import longer_than_allowed, not_now
from workflows.core.rules.extension import can_be_extended
from workflows.core.rules.groups import groups_named
from workflows.ports import CorruptRecord, LedgerUnreachable, Snapshot
from workflows.usecases.certification.standing import all_of, parts_of
from workflows.usecases.drift.standing import called, open_of_all
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.parties import accounts_of, party_on_hold

# What one message or page can show; the rest is counted.
SHOWN_MAX = 200
NOTHING_READ = Snapshot(NEVER, {})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request with all that stands behind its view."""

    request: Request
    grant: Grant | None
    view: RequestView


@dataclass(frozen=True, slots=True)
class Page:
    """Stories in order, how many more there are, and which of them are not here because they cannot be read."""

    views: tuple[RequestView, ...]
    more: int = 0
    unread: tuple[str, ...] = ()


class Reader:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    # ------------------------------------------------------------ one

    def one(self, id_: str, policy: Policy | None) -> Seen | None:
        """Everything about one id, or None where there is no such request."""
        snapshot = self._ctx.ledger.read(keys.request(id_), keys.grant(id_))
        return self._seen(snapshot, id_, policy)

    def some(self, ids: Sequence[str], policy: Policy) -> tuple[RequestView, ...]:
        """The views of these requests, in this order."""
        return self._views(ids, policy)

    def entries(self, id_: str) -> list[AuditEntry]:
        """The audit entries that one thread of receipts tells: of all that was asked in one go, where it was."""
        return sorted(
            (entry for one in self.together((id_,)) for entry in self._ctx.ledger.entries_of(one)),
            key=lambda entry: entry.number,
        )

    def together(self, ids: Sequence[str]) -> list[str]:
        """These requests, each with those that were asked in one go with it."""
        if not ids:
            return []
        snapshot = self._ctx.ledger.read(*map(keys.request, ids))
        found = ((id_, snapshot.readable(keys.request(id_), Request)) for id_ in ids)
        return [one for id_, request in found for one in ((request.batch if request else ()) or (id_,))]

    def last_time(self, request: Request) -> LastTime | None:
        """When this person last had this entitlement."""
        before = self._ctx.ledger.members(keys.last_of(request.slot), limit=1, newest=True)
        return last_time(self._readable(before[0])) if before and before[0] != request.id else None

    def _seen(self, snapshot: Snapshot, id_: str, policy: Policy | None) -> Seen | None:
        request, grant = snapshot.get(keys.request(id_), Request), snapshot.get(keys.grant(id_), Grant)
        if request is None:
            return None
        environment = policy.environments.get(request.terms.environment) if policy else None
        covering = self._grant(grant.covered_by) if grant and grant.covered_by else None
        view = request_view(
            request,
            grant,
            environment,
            snapshot.now,
            last=self.last_time(request) if grant is None and request.closing is None else None,
            covered_until=covering.deadline if covering else None,
            removal_failures=self._failures(grant) if grant and grant.error else None,
            shut=_shut(policy, request, self._parties(request), snapshot.now),
            review=self.review(request),
            extended=self._grant(request.extends) if request.extends else None,
        )
        return Seen(request, grant, _as_offered(view, policy, request, grant))

    def _parties(self, request: Request) -> Snapshot:
        """The accounts of who asked, and would hold, what waits; nobody is looked up for what does not."""
        waits = request.state is RequestState.PENDING
        return self._ctx.ledger.read(*map(keys.account, accounts_of(request))) if waits else NOTHING_READ

    def review(self, request: Request) -> Review | None:
        """What a break-glass owes; other requests owe nothing, and are not looked up."""
        item = keys.review(request.id)
        return self._ctx.ledger.read(item).get(item, Review) if request.break_glass else None

    def _grant(self, id_: str) -> Grant | None:
        return self._ctx.ledger.read(keys.grant(id_)).get(keys.grant(id_), Grant)

    def _readable(self, id_: str) -> Grant | None:
        return self._ctx.ledger.read(keys.grant(id_)).readable(keys.grant(id_), Grant)

    def _failures(self, grant: Grant) -> int:
        item = keys.holding(grant.holding)
        holding = self._ctx.ledger.read(item).get(item, Holding)
        return holding.failures if holding else 0

    # ------------------------------------------------------------ many

    def live(self, policy: Policy, environments: Sequence[str] | None = None, limit: int = SHOWN_MAX) -> Page:
        """Access that is open, the first to end first."""
        return self._page(keys.LIVE, policy, environments, limit)

    def pending(self, policy: Policy, environments: Sequence[str] | None = None, limit: int = SHOWN_MAX) -> Page:
        """Requests that nobody has answered, the first to expire first."""
        return self._page(keys.PENDING, policy, environments, limit)

    def agreed(self, policy: Policy, environments: Sequence[str] | None = None, limit: int = SHOWN_MAX) -> Page:
        """Requests that were approved and begin later, the first to begin first."""
        return self._page(keys.SCHEDULED, policy, environments, limit)

    def past(self, index: str, policy: Policy, limit: int) -> Page:
        """What stands in an index by time, the newest first."""
        ids = self._ctx.ledger.members(index, limit=limit, newest=True)
        more = self._ctx.ledger.count(index) - limit if len(ids) >= limit else 0
        return Page(self._views(ids, policy), max(0, more))

    def of_person(
        self, indexes: Iterable[str], who: PersonId, policy: Policy, limit: int = 50
    ) -> tuple[RequestView, ...]:
        """What stands in a person's part of these indexes; so many of each at most."""
        parts = (self._ctx.ledger.members(keys.of_person(index, who), limit=limit) for index in indexes)
        return self._views([id_ for part in parts for id_ in part], policy)

    def _page(self, index: str, policy: Policy, environments: Sequence[str] | None, limit: int) -> Page:
        names = [index] if environments is None else [keys.of_environment(index, name) for name in environments]
        ids = [id_ for name in names for id_ in self._ctx.ledger.members(name, limit=limit)]
        total = sum(self._ctx.ledger.count(name) for name in names) if len(ids) >= limit else len(ids)
        views = self._views(ids[:limit], policy)
        read = {view.id for view in views}
        return Page(views, max(0, total - limit), tuple(id_ for id_ in ids[:limit] if id_ not in read))

    def _views(self, ids: Sequence[str], policy: Policy) -> tuple[RequestView, ...]:
        """Two reads for all of them, however many they are: the requests with their grants, and what each needs beside these."""
        if not ids:
            return ()
        snapshot = self._ctx.ledger.read(*(name for id_ in ids for name in (keys.request(id_), keys.grant(id_))))
        beside = self._beside(snapshot, ids)
        found = (self._shown(snapshot, beside, id_, policy) for id_ in ids)
        return tuple(view for view in found if view is not None)

    def _beside(self, snapshot: Snapshot, ids: Sequence[str]) -> Snapshot:
        """The accounts of who asked, and would hold, what waits; reviews, prolonged grants, and how often removals failed."""
        wanted: dict[str, None] = {}
        for id_ in ids:
            request = snapshot.readable(keys.request(id_), Request)
            grant = snapshot.readable(keys.grant(id_), Grant)
            if request is not None:
                wanted |= dict.fromkeys(_wanted(request, grant))
        return self._ctx.ledger.read(*wanted) if wanted else NOTHING_READ

    def _shown(self, snapshot: Snapshot, beside: Snapshot, id_: str, policy: Policy) -> RequestView | None:
        """One line of many: whatever is wrong with it, the others are shown."""
        try:
            return _short(snapshot, beside, id_, policy)
        except LedgerUnreachable:
            raise
        except Exception as problem:
            self._ctx.unreadable(f"record:{keys.request(id_)}", f"{id_} cannot be shown ({type(problem).__name__})")
            return None

    # ------------------------------------------------------------ overviews

    def digest(self, policy: Policy, environments: Sequence[str] | None) -> DigestView:
        live, pending = self.live(policy, environments), self.pending(policy, environments)
        closed = self._ctx.ledger.members(keys.CLOSED, limit=1, newest=True)
        return digest_view(
            (*live.views, *pending.views, *self.agreed(policy, environments).views),
            self._ctx.ledger.now(),
            last_ended=self._readable(closed[0]) if closed else None,
            sealed=self._head(),
            more=live.more,
            unread=live.unread,
            reviews=self.reviews(policy, environments),
            drift=self._drift(policy, environments),
            certify=self._unanswered(environments),
        )

    def _unanswered(self, environments: Sequence[str] | None) -> Iterator[Unanswered]:
        """Of certifications that are open, one for each environment in which something is."""
        for run in (one for one in all_of(self._ctx.ledger) if one.is_open):
            parts = parts_of(self._ctx.ledger, run)
            for name in dict.fromkeys(part.environment for part in parts):
                own = [part for part in parts if part.environment == name]
                open_ = sum(len(part.open) for part in own)
                if open_ and (environments is None or name in environments):
                    yield Unanswered(run, own[0].title, open_, sum(len(part.items) for part in own))

    def _drift(self, policy: Policy, environments: Sequence[str] | None) -> Iterator[DriftLine]:
        """One for each environment that names it."""
        for one in open_of_all(self._ctx).values():
            for name in one.environments:
                place = policy.environments.get(name)
                if place is not None and (environments is None or name in environments):
                    roles = ", ".join(role for environment, role in one.roles if environment == name)
                    yield DriftLine(name, place.title, roles, one.kind, called(one))

    def reviews(self, policy: Policy, environments: Sequence[str] | None = None) -> tuple[RequestView, ...]:
        """Break-glass whose review is owed, the first to be due first."""
        return self._page(keys.REVIEWS, policy, environments, SHOWN_MAX).views

    def reviews_for(self, policy: Policy, person: PersonFacts, groups: GroupFacts) -> tuple[RequestView, ...]:
        """Those that this person may do."""
        ids = self._ctx.ledger.members(keys.REVIEWS, limit=SHOWN_MAX)
        if not ids:
            return ()
        snapshot = self._ctx.ledger.read(*map(keys.review, ids))
        reviews = (snapshot.readable(keys.review(id_), Review) for id_ in ids)
        mine = [review.id for review in reviews if review and may_review(policy, review, person, groups) is None]
        return self._views(mine, policy)

    def _head(self) -> Sealed | None:
        seal = self._ctx.ledger.read(keys.SEAL).readable(keys.SEAL, SealState)
        if seal is not None:
            return Sealed(seal.size, head=f"{seal.size}:{seal.root[:12]}", at=seal.at)
        number = self._ctx.ledger.head()
        newest = self._ctx.ledger.entries(after=number - 1, limit=1) if number else ()
        return Sealed(newest[0].number, newest[0].digest) if newest else None


def _wanted(request: Request, grant: Grant | None) -> Iterable[str]:
    """What the view of one request rests on beside itself and its grant."""
    if request.state is RequestState.PENDING:
        yield from map(keys.account, accounts_of(request))
    if request.break_glass:
        yield keys.review(request.id)
    if request.extends:
        yield keys.grant(request.extends)
    if grant is not None and grant.error:
        yield keys.holding(grant.holding)


def _short(snapshot: Snapshot, beside: Snapshot, id_: str, policy: Policy) -> RequestView | None:
    request, grant = snapshot.get(keys.request(id_), Request), snapshot.get(keys.grant(id_), Grant)
    if request is None:
        return None
    holding = beside.seek(keys.holding(grant.holding), Holding) if grant and grant.error else None
    view = request_view(
        request,
        grant,
        policy.environments.get(request.terms.environment),
        snapshot.now,
        removal_failures=(holding.failures if holding else 0) if grant and grant.error else None,
        shut=_shut(policy, request, beside, snapshot.now),
        review=beside.seek(keys.review(request.id), Review) if request.break_glass else None,
        extended=beside.seek(keys.grant(request.extends), Grant) if request.extends else None,
    )
    return _as_offered(view, policy, request, grant)


def _as_offered(view: RequestView, policy: Policy | None, request: Request, grant: Grant | None) -> RequestView:
    """With what the policy leaves to be done, whoever does it."""
    if policy is None:
        return view
    if view.stage is Stage.WAITING:
        return replace(view, no_more=longer_than_allowed(policy, request))
    if view.stage is Stage.ACTIVE and grant is not None:
        return replace(view, can_extend=can_be_extended(policy, request, grant))
    return view


def _shut(policy: Policy | None, request: Request, parties: Snapshot, now: datetime) -> Refused | None:
    """Why nobody can approve it now, whoever they are."""
    if policy is None or request.state is not RequestState.PENDING:
        return None
    try:
        return not_now(policy, request, now) or party_on_hold(parties, request)
    except CorruptRecord:
        # What is not known is offered, and decided when it is pressed.
        return None


def askable(policy: Policy, person: PersonId, groups: GroupFacts) -> list[Entitlement]:
    """Every role that this person may ask for."""
    return [
        role
        for environment in policy.environments.values()
        for role in environment.roles.values()
        if groups.perhaps(person, groups_named(role, role.requesters))
    ]
