"""Which pipelines can ask for a production environment that could not, and who is no longer known to have started one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflows.core.loosening.model import Kind, Loosened
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.policy import Environment, Policy


def of_pipelines(old: Policy, new: Policy, places: Iterable[Environment]) -> Iterator[Loosened]:
    """`places`: production, as `new` has it."""
    names = tuple(place.name for place in places)
    known = {one.name for one in old.pipelines}
    for pipeline in new.pipelines:
        reached = (name for name in names if pipeline.may_ask_for(name))
        came = tuple(name for name in reached if not any(_covers(one, pipeline, name) for one in old.pipelines))
        if came:
            yield Loosened(
                Kind.PIPELINE, what=pipeline.name, added=came, before="wider" if pipeline.name in known else "new"
            )
    yield from _forge_ids(old, new)


def _covers(before: Pipeline, after: Pipeline, environment: str) -> bool:
    """Whether every run that may ask for this environment now could before."""
    same = ("forge", "issuer", "repository_id", "owner_id", "key")
    return (
        all(getattr(before, key) == getattr(after, key) for key in same)
        and before.may_ask_for(environment)
        and set(after.events) <= set(before.events)
        and (after.ref_protected or not before.ref_protected)
        and all(getattr(before, key) in (None, getattr(after, key)) for key in ("ref", "environment", "workflow"))
        # Where the forge itself had held it back at a gate, it does so no more, or at another one.
        and before.rule in ("", after.rule)
    )


def _forge_ids(old: Policy, new: Policy) -> Iterator[Loosened]:
    """Whoever is not known any more to have started a run may approve it."""
    for address, ids in sorted(old.forge_ids.items()):
        after = new.forge_ids.get(address, {})
        for forge, number in sorted(ids.items()):
            if after.get(forge) != number:
                now = f"{forge} {after[forge]}" if forge in after else ""
                yield Loosened(Kind.FORGE_ID, what=address, before=f"{forge} {number}", after=now)
