"""What is due of a certification: make the questions, remind who has not answered, call the panic group, close. By a worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.certification.items import Known, known_of, pages_of
from workflows.core.certification.rules import DAY, answerers, is_over, next_chase, sums
from workflows.core.identity import address_of
from workflows.core.people import PersonId
from workflows.core.policy import Environment, Policy
from workflows.core.records.certification import Certification, CertificationPart, ItemKind
from workflows.core.records.drift import Drift
from workflows.ports import Change, PolicyUnavailable, Snapshot
from workflows.usecases.certification.close import closing
from workflows.usecases.certification.schedule import begin_what_is_due
from workflows.usecases.certification.standing import CARD, SUBJECT, parts_in
from workflows.usecases.drift.standing import open_of_all, progress
from workflows.usecases.oversight.access_review import report_between
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, not_in_force, run
from workflows.usecases.shared.due_items import take_off

# How long to wait for a policy that this process does not have, in seconds.
_ASK_AGAIN_S = 5.0


def see_to(ctx: Context, id_: str) -> None:
    """May run any number of times; what was cut off is gone on with."""
    item = keys.certification(id_)
    if item == keys.CERTIFY_NEXT:
        begin_what_is_due(ctx)
        return
    found = ctx.ledger.read(item).get(item, Certification)
    if found is None or not found.is_open:
        take_off(ctx, item, item)
        return
    if found.left:
        _ask(ctx, found)
    run(ctx, lambda: _further(ctx, id_))


# ---------------------------------------------------------------- making the questions


def _ask(ctx: Context, found: Certification) -> None:
    """All that is left, an environment a commit: what is known is read once for all of them."""
    policy = _policy_in_force(ctx)
    if policy is None:
        ctx.ledger.remind(keys.certification(found.id), _ASK_AGAIN_S)
        return
    known = _known(ctx, policy, found)
    for name in found.left:
        run(ctx, lambda name=name: _ask_one(ctx, policy, known, found.id, name))  # type: ignore[misc]  # bound at once


def _policy_in_force(ctx: Context) -> Policy | None:
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable:
        return None
    return policy if not_in_force(ctx.ledger.read(keys.ACTIVE_POLICY), policy) is None else None


def _known(ctx: Context, policy: Policy, found: Certification) -> Known:
    """As of now: what was used since `found.since`, who is in the groups as they were read last, what drift found."""
    report = report_between(ctx, found.since, ctx.ledger.now(), found.left).report
    answering = {name: answerers(policy, name) for name in found.left}
    wanted = dict.fromkeys((*known_of(policy, found.left), *(one for names in answering.values() for one in names)))
    groups = ctx.directory.groups(policy, wanted).last_known()
    drift = tuple(open_of_all(ctx).values())
    whose = {one.id: _owners(ctx, policy, one) for one in drift if one.holder is None}
    people = {who for one in groups.by_name.values() for who in one.members}
    people |= {who for one in drift for who in (*whose.get(one.id, ()), *((one.holder,) if one.holder else ()))}
    names = ctx.directory.of_people(sorted(people)) if people else {}
    return Known(report.since, report.access, drift, groups, names, whose, _not_known(ctx), answering)


def _not_known(ctx: Context) -> tuple[str, ...]:
    """Of standing access: a comparison that never ran, or could not look everywhere, has not shown that there is none."""
    stands = progress(ctx)
    if stands.ended_at is None:
        return ("Whether anybody has access for good is not known: targets were not compared with the record yet.",)
    return tuple(f"Whether anybody has access for good is not known everywhere: {one}." for one in stands.not_known[:3])


def _owners(ctx: Context, policy: Policy, one: Drift) -> tuple[PersonId, ...]:
    """Who has the addresses by which the target calls the user, as the record has it now."""
    found = (address_of(word.strip(), policy.former_domains) for word in one.who.split(","))
    owners = (ctx.directory.owner_of(address, policy.former_domains) for address in found if address is not None)
    return tuple(dict.fromkeys(owners))


def _ask_one(ctx: Context, policy: Policy, known: Known, id_: str, name: str) -> CommitAttempt | Outcome:
    item = keys.certification(id_)
    snapshot = ctx.ledger.read(item, keys.ACTIVE_POLICY)
    found = snapshot.get(item, Certification)
    if found is None or not found.is_open or name not in found.left or not_in_force(snapshot, policy):
        return Outcome(id_, "overtaken")
    place = policy.environments.get(name)
    # An environment that the policy has no longer has nobody to ask, and nothing that could go.
    parts = pages_of(id_, len(found.parts) + 1, place, known, snapshot.now) if place is not None else ()
    # Where the record is younger than the window, or what is older has left it, uses are counted from there on.
    asked = replace(
        found,
        since=max(found.since, known.since),
        left=tuple(one for one in found.left if one != name),
        parts=(*found.parts, *(part.id for part in parts)),
    )
    chats = [keys.chat(f"{CARD}{part.id}") for part in parts]
    if not asked.left:
        chats.append(keys.chat(f"{SUBJECT}{id_}"))
    done = Outcome(id_, "asked")
    change = Change(
        commit_id=f"certify-ask:{id_}:{name}:{snapshot.items[item].version}",
        at=snapshot.now,
        reads={**snapshot.versions(), **{keys.certification_part(part.id): 0 for part in parts}},
        puts={item: asked, **{keys.certification_part(part.id): part for part in parts}},
        due=dict.fromkeys(chats, snapshot.now + SOON),
        audit=tuple(_asked(ctx, snapshot, place, part) for part in parts if place is not None),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=tuple(chats))


def _asked(ctx: Context, snapshot: Snapshot, place: Environment, part: CertificationPart) -> AuditEvent:
    count = {kind: sum(item.kind is kind for item in part.items) for kind in ItemKind}
    facts = {
        "run": part.run,
        "environment": place.name,
        "roles": str(count[ItemKind.ROLE]),
        "people": str(count[ItemKind.PERSON]),
        "standing": str(count[ItemKind.STANDING]),
    }
    return event(ctx, Event.CERTIFICATION_ASKED, f"{CARD}{part.id}", snapshot, facts)


# ---------------------------------------------------------------- reminding, and the end


def _further(ctx: Context, id_: str) -> CommitAttempt | Outcome:
    item = keys.certification(id_)
    first = ctx.ledger.read(item).get(item, Certification)
    if first is None or not first.is_open or first.left:
        return Outcome(id_, "later")
    snapshot = ctx.ledger.read(item, *map(keys.certification_part, first.parts))
    found = snapshot.get(item, Certification)
    if found != first:
        return _further(ctx, id_)
    parts = parts_in(snapshot, first)
    # One that cannot be read was perhaps not answered.
    if len(parts) == len(first.parts) and is_over(first, parts, snapshot.now):
        return closing(ctx, snapshot, first, parts, f"certify-over:{id_}:{snapshot.items[item].version}")
    return _chase(ctx, snapshot, first, parts)


def _chase(
    ctx: Context, snapshot: Snapshot, found: Certification, parts: tuple[CertificationPart, ...]
) -> CommitAttempt:
    item, now = keys.certification(found.id), snapshot.now
    open_ = sums(found, parts).open
    tells = open_ > 0 and now >= next_chase(found)
    escalates = tells and now >= found.due_at and found.escalated_at is None
    chased = replace(found, chased_at=(*found.chased_at, now)) if tells else found
    chased = replace(chased, escalated_at=now) if escalates else chased
    idle = found.due_at if now < found.due_at else now + DAY
    again = next_chase(chased) if open_ else idle
    chat = keys.chat(f"{SUBJECT}{found.id}")
    done = Outcome(found.id, "chased" if tells else "early")
    change = Change(
        commit_id=f"certify-chase:{found.id}:{snapshot.items[item].version}:{ctx.chance.hex(8)}",
        at=now,
        reads=snapshot.versions(),
        puts={item: chased} if tells else {},
        due={item: again, **({chat: now + SOON} if tells else {})},
        audit=tuple(_chased(ctx, snapshot, chased, parts, escalates=escalates)) if tells else (),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(chat,) if tells else ())


def _chased(
    ctx: Context,
    snapshot: Snapshot,
    found: Certification,
    parts: tuple[CertificationPart, ...],
    *,
    escalates: bool,
) -> Iterator[AuditEvent]:
    open_ = dict.fromkeys(part.environment for part in parts if part.open)
    facts = {
        "run": found.id,
        "times": str(len(found.chased_at)),
        "open": str(sums(found, parts).open),
        "environments": ", ".join(open_),
        "escalated": str(escalates).lower(),
    }
    yield event(ctx, Event.CERTIFICATION_CHASED, f"{SUBJECT}{found.id}", snapshot, facts)
