"""A request in chat, or all that was asked in one go: its cards, calls, receipts and messages to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.plans.batch import Batch, batch_planned
from bot.chat.outbox.plans.batch import wait_s as until_s
from bot.chat.outbox.plans.break_glass import break_glass_planned
from bot.chat.outbox.plans.calls import CallsByChat
from bot.chat.outbox.plans.planning import PlannedMessage, PlanningInput
from bot.chat.outbox.plans.reach import elsewhere_of
from bot.chat.outbox.plans.receipts import receipt_channels
from bot.chat.outbox.plans.request import ALARMS, as_posted, on_cards_for_s, passing_until_s, planned
from bot.chat.outbox.plans.webhook import final_planned, places
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.outbox.recipients import Overseers, WhomToAsk
from bot.chat.places import direct_to, places_of
from bot.chat.views.deciders import NOBODY
from bot.chat.views.read_model import Seen
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Stage
from workflows.core import keys
from workflows.core.identity import is_erased
from workflows.core.people import PersonFacts
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.request import Request, RequestState
from workflows.core.rules.batch import panels

log = structlog.get_logger()

# For so long after an ask those who can decide are looked for.
LOOKED_FOR = timedelta(minutes=15)
# Channel, owners, who asked: so many places there are for one message, and one look that finds nothing more.
PLACES_MAX = 4
POLICY_AGAIN_S = 5.0


def show_request(box: Outbox, page: PostingSession, id_: str) -> None:
    policy = box.policy()
    versions = _versions(box, id_)
    seen = box.reader.one(id_, policy)
    if seen is None or is_erased(seen.request.requester) or is_erased(seen.request.holder):
        # What chat shows of somebody who was erased is not in our hands any more.
        box.clear(id_)
        return
    if seen.request.batch:
        _show_batch(box, page, seen.request, versions, policy)
        return
    # A break-glass is told as it goes.
    since = None if seen.request.break_glass else _since(seen.request, seen.grant)
    wait_s = passing_until_s(seen.view, since, at_work=_at_work(box, seen.grant))
    if wait_s > 0:
        raise Later(wait_s)
    passing_s = on_cards_for_s(seen.view, since)
    facts = replace(_facts(box, page, seen, policy), passing=passing_s > 0)

    def plan() -> list[PlannedMessage]:
        now = as_posted(facts, page.record)
        return [*planned(now), *break_glass_planned(now), *final_planned(policy, [now])]

    _send_and_go_on(box, page, plan, versions)
    if passing_s > 0:
        raise Later(passing_s)
    _look_again([facts])
    _for_want_of_policy(policy, [facts])
    box.shown(page, versions, id_, _receipts_at(policy, facts))


def _show_batch(
    box: Outbox, page: PostingSession, request: Request, versions: dict[str, int], policy: Policy | None
) -> None:
    """What was asked in one go is told by the first one's messages."""
    ids = request.batch
    if request.id != ids[0]:
        box.ctx.ledger.remind(keys.chat(ids[0]), 0.0)
        box.shown(page, versions, request.id, ())
        return
    for id_ in ids[1:]:
        versions |= _versions(box, id_)
    members = [seen for id_ in ids if (seen := box.reader.one(id_, policy)) is not None]
    decided = panels(policy, [seen.request for seen in members])
    batch = Batch(
        tuple(_facts(box, page, seen, policy) for seen in members),
        tuple(tuple(one.id for one in panel) for panel in decided),
    )
    wait_s = until_s(batch, {seen.request.id: _since(seen.request, seen.grant) for seen in members})
    if wait_s > 0:
        raise Later(wait_s)

    def plan() -> list[PlannedMessage]:
        now = tuple(as_posted(facts, page.record) for facts in batch.members)
        return [*batch_planned(replace(batch, members=now)), *final_planned(policy, now)]

    _send_and_go_on(box, page, plan, versions)
    _look_again(batch.members)
    _for_want_of_policy(policy, batch.members)
    box.shown(page, versions, ids[0], _receipts_at(policy, batch.first))


def _receipts_at(policy: Policy | None, facts: PlanningInput) -> list[str]:
    return [*receipt_channels(facts.request, facts.receipts_channels), *places(policy)]


def _versions(box: Outbox, id_: str) -> dict[str, int]:
    """Of all records that change when there is something new to tell: an alarm leaves the grant itself as it was."""
    snapshot = box.ctx.ledger.read(keys.request(id_), keys.grant(id_), keys.review(id_))
    grant = snapshot.get(keys.grant(id_), Grant)
    request = snapshot.get(keys.request(id_), Request)
    beside = keys.holding(grant.holding) if grant else ""
    if request is not None and request.extends:
        beside = keys.grant(request.extends)
    return snapshot.versions() | (box.ctx.ledger.read(beside).versions() if beside else {})


def _at_work(box: Outbox, grant: Grant | None) -> bool:
    """Whether the target has taken an operation and is not done with it."""
    if grant is None:
        return False
    item = keys.holding(grant.holding)
    holding = box.ctx.ledger.read(item).readable(item, Holding)
    return holding is not None and holding.operation is not None


def _send_and_go_on(
    box: Outbox, page: PostingSession, plan: Callable[[], Sequence[PlannedMessage]], versions: Mapping[str, int]
) -> None:
    """What was given up at one place is in the plan for the next: a card for its owners, an alarm for those concerned."""
    for _ in range(PLACES_MAX):
        before = _given_up(page.record)
        box.send(page, plan(), versions)
        if _given_up(page.record) == before:
            return


def _facts(box: Outbox, page: PostingSession, seen: Seen, policy: Policy | None) -> PlanningInput:
    request = seen.request
    environment = policy.environments.get(request.terms.environment) if policy else None
    people = box.recipients.whom_to_ask(policy, environment, request) if policy and environment else None
    view = _with_people(seen.view, people) if people else seen.view
    overseers = Overseers()
    entries = box.ctx.ledger.entries_of(request.id)
    alarm = any(entry.event in ALARMS for entry in entries)
    if policy and environment and (request.break_glass or alarm):
        overseers = box.recipients.overseers(policy, environment, request)
    parties = box.recipients.parties(request)
    written_to = (*(people.people if people else ()), *overseers.people, *overseers.security, *parties)
    return PlanningInput(
        request=request,
        view=view,
        environment=environment,
        receipts_channels=policy.receipts_channels if policy else (),
        entries=entries,
        chat=page.record,
        calls=people.calls if people else CallsByChat(),
        approver_ids=people.ids if people else (),
        deciders=people.deciders if people else NOBODY,
        reminded=people.reminded if people else frozenset(),
        called_people=people.called_people if people else (),
        warned=bool(seen.grant and seen.grant.warned),
        review=box.reader.review(request),
        overseers=overseers.people,
        security=overseers.security,
        extended=len(seen.grant.extensions) if seen.grant else 0,
        look_again_s=_look_again_s(seen, people, overseers),
        command=box.command,
        elsewhere=elsewhere_of(written_to),
        names=_names(request, people, written_to),
        warned_at=next((direct_to(one.slack) for one in parties if one.id == request.holder), ""),
    )


def _names(request: Request, people: WhomToAsk | None, written_to: Sequence[PersonFacts]) -> dict[str, str]:
    """By their places, of everybody who may be written to."""
    own = {direct_to(request.requester_slack): request.requester_name}
    if request.holder_slack is not None:
        own[direct_to(request.holder_slack)] = request.holder_name
    emergency = request.gate.emergency if request.gate is not None else None
    if emergency is not None:
        own[direct_to(emergency.slack)] = emergency.by_name
    others = {place: facts.name for facts in written_to for place in places_of(facts)}
    return {**own, **others, **(people.names if people else {})}


def _with_people(view: RequestView, people: WhomToAsk) -> RequestView:
    decidable = bool(people.deciders) or not people.nobody
    no_more = people.no_more if view.stage is Stage.WAITING else None
    return replace(
        view,
        away=people.away,
        called_names=people.names,
        stand_ins=people.stand_ins,
        nobody=people.nobody,
        decidable=decidable,
        no_more=no_more,
    )


def _given_up(record: ChatRecord) -> int:
    return sum(posting.error is not None for posting in record.postings.values())


def _look_again_s(seen: Seen, people: WhomToAsk | None, overseers: Overseers) -> float | None:
    """While somebody waits for them, those who can decide are looked for until they are found; after a break-glass,
    those who oversee it. Not for ever: the reminder looks again, too.
    """
    if seen.view.now - seen.request.created_at > LOOKED_FOR:
        return None
    if seen.request.break_glass:
        return overseers.look_again_s
    waits = seen.request.state is RequestState.PENDING
    return people.look_again_s if people and waits else None


def _look_again(members: Sequence[PlanningInput]) -> None:
    """Raises Later where somebody who should have been told was not found yet: the mark stays, and they are told then."""
    waits = [facts.look_again_s for facts in members if facts.look_again_s is not None]
    if waits:
        raise Later(min(waits))


def _for_want_of_policy(policy: Policy | None, members: Sequence[PlanningInput]) -> None:
    """Raises Later where the policy alone knows where a card has to stand: it follows when there is one again."""
    if policy is None and any(facts.view.stage is Stage.WAITING for facts in members):
        raise Later(POLICY_AGAIN_S)


def _since(request: Request, grant: Grant | None) -> datetime | None:
    """When a passing state began; None where there is none."""
    if grant is not None and grant.end is not None:
        return grant.end.at
    return request.decision.at if request.decision else None
