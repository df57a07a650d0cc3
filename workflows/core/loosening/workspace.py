"""What is looser for the whole installation, as far as it touches production."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.loosening.crowds import Crowd, came, crowd
from workflows.core.loosening.gone import Gone
from workflows.core.loosening.model import Kind, Loosened, limit_words
from workflows.core.loosening.pipelines import of_pipelines
from workflows.core.people import PersonId
from workflows.core.policy import Environment, OnMover, Policy, Tier, Webhook, one_or_all
from workflows.core.rules.groups import groups_needed
from workflows.core.rules.seat_matching import match_people


def of_workspace(old: Policy, new: Policy, gone: Gone) -> Iterator[Loosened]:
    # Also where there is no production now: it may come back.
    yield from _changes(old, new)
    places = tuple(place for place in new.environments.values() if place.tier is Tier.PRODUCTION)
    if not places:
        return
    found = tuple(_whole(old, new, places))
    yield from found
    if (last := gone.whole()) is not None:
        # What went with production, while none was there that it could loosen.
        told = {(one.kind, one.what) for one in found}
        yield from (one for one in _whole(last, new, places) if (one.kind, one.what) not in told)


def _whole(old: Policy, new: Policy, places: tuple[Environment, ...]) -> Iterator[Loosened]:
    yield from _security(old, new)
    yield from _people(old, new)
    yield from where_it_leads(old, new, places)
    yield from _incidents(old, new)
    yield from _told(old, new, places)
    yield from of_pipelines(old, new, places)
    if old.timezone != new.timezone and any(_has_hours(place) for place in places):
        yield Loosened(Kind.HOURS, what="timezone", before=old.timezone, after=new.timezone)


def _security(old: Policy, new: Policy) -> Iterator[Loosened]:
    if old.panic_group and not new.panic_group:
        yield Loosened(Kind.PANIC_GROUP, what="removed", before=old.panic_group)
    elif people := came(crowd(old, old.security), crowd(new, new.security)):
        yield Loosened(Kind.PANIC_GROUP, what="who", added=people)
    if new.drift_every > old.drift_every:
        yield Loosened(
            Kind.DRIFT, what="every ", before=limit_words(old.drift_every), after=limit_words(new.drift_every)
        )
    if new.panic_block < old.panic_block:
        yield Loosened(Kind.BLOCK, before=limit_words(old.panic_block), after=limit_words(new.panic_block))
    if _STRICT.index(new.on_mover) > _STRICT.index(old.on_mover):
        yield Loosened(Kind.ON_MOVER, before=old.on_mover, after=new.on_mover)


def where_it_leads(old: Policy, new: Policy, places: tuple[Environment, ...]) -> Iterator[Loosened]:
    """What these environments name, and stands elsewhere."""
    yield from _groups(old, new, places)
    yield from _connections(old, new, places)


# The strictest first.
_STRICT = (OnMover.END, OnMover.TELL, OnMover.KEEP)


def _changes(old: Policy, new: Policy) -> Iterator[Loosened]:
    """Each old place needs a new one of its own, for no more people."""
    places, offered = _places(old), _places(new)
    fits = {
        str(number): tuple(PersonId(str(other)) for other, people in enumerate(offered) if people <= mine)
        for number, mine in enumerate(places)
    }
    if len(match_people(list(fits), fits)) == len(places):
        return
    people = came(crowd(old, old.policy_changes), crowd(new, new.policy_changes))
    before, after = _counts(old), _counts(new)
    yield Loosened(Kind.POLICY_CHANGES, added=people if before == after else (), before=before, after=after)


def _places(policy: Policy) -> list[Crowd]:
    return [crowd(policy, (name,)) for name, count in policy.policy_changes.items() for _ in range(count)]


def _counts(policy: Policy) -> str:
    return ", ".join(f"{count} of {name}" for name, count in policy.policy_changes.items()) or "nobody"


def _people(old: Policy, new: Policy) -> Iterator[Loosened]:
    """Whose accounts are ours, who counts as whom, and who vouches for them."""
    if vouch := tuple(one for one in new.identity_accounts if one not in old.identity_accounts):
        yield Loosened(Kind.PEOPLE, what="identity_accounts", added=vouch)
    lists = (
        ("email_domains", old.email_domains, new.email_domains),
        ("home_workspaces", old.home_workspaces, new.home_workspaces),
        (
            "former_domains",
            tuple(f"{one}: {other}" for one, other in old.former_domains.items()),
            tuple(f"{one}: {other}" for one, other in new.former_domains.items()),
        ),
    )
    for key, before, after in lists:
        if added := tuple(one for one in after if one not in before):
            yield Loosened(Kind.PEOPLE, what=key, added=added)


def _groups(old: Policy, new: Policy, places: tuple[Environment, ...]) -> Iterator[Loosened]:
    needed = {name for place in places for name in groups_needed(new, place)}
    for name in sorted(needed):
        before, after = old.groups.get(name), new.groups.get(name)
        if before is not None and after is not None and after.trusted and before.may_be_edited:
            yield Loosened(Kind.TRUSTED, what=name)


def _incidents(old: Policy, new: Policy) -> Iterator[Loosened]:
    for key in ("names", "created_by", "teams"):
        before, after = getattr(old.incident_channels, key), getattr(new.incident_channels, key)
        if added := tuple(one for one in after if one not in before):
            yield Loosened(Kind.INCIDENTS, what=key, added=added)


def _connections(old: Policy, new: Policy, places: tuple[Environment, ...]) -> Iterator[Loosened]:
    """Another region, or another way to find people: somebody else may be meant."""
    used = {role.connection.name for place in places for role in place.roles.values()}
    for name, after in new.connections.items():
        before = old.connections.get(name)
        if before is not None and before != after and name in used:
            yield Loosened(Kind.CONNECTION, what=name, before=before.phrase(), after=after.phrase())


def _told(old: Policy, new: Policy, places: tuple[Environment, ...]) -> Iterator[Loosened]:
    known = {hook.name: hook for hook in old.webhooks}
    for hook in new.webhooks:
        where = tuple(place.name for place in places if hook.hears_of(place.name))
        if where and not _heard_all(known.get(hook.name), hook):
            yield Loosened(Kind.WEBHOOK, what=hook.name, added=where)
    if not set(old.receipts_channels) <= set(new.receipts_channels):
        before, after = one_or_all(old.receipts_channels), one_or_all(new.receipts_channels)
        yield Loosened(Kind.RECEIPTS, before=_listed(before), after=_listed(after))


def _heard_all(before: Webhook | None, after: Webhook) -> bool:
    """Whether this address was told all of it before."""
    if before is None or before.url_env != after.url_env or not after.kinds <= before.kinds:
        return False
    # Whoever is named is no outsider, and reads who and why: that is more than hearing of everything.
    return before.environments == after.environments or (
        before.environments is not None
        and after.environments is not None
        and set(after.environments) <= set(before.environments)
    )


def _listed(places: str | list[str] | None) -> str:
    return ", ".join(places) if isinstance(places, list) else places or "nowhere"


def _has_hours(place: Environment) -> bool:
    return any(
        role.hours is not None or any(rule.hours is not None for rule in role.auto_approve) for role in place.decided
    )
