"""What a decision's entry says of the resource, so that access can be taken away by the log alone.

Ids, and how the target is reached by its connection's name; no secrets, no documents, nothing that is only needed to give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workflows.core.canonical_json import canonical_json
from workflows.core.provider import TargetTerms
from workflows.core.records.target import Resource

_ID = "id."


def facts_of(resource: Resource) -> dict[str, str]:
    """For the entry. `target`: the terms as canonical JSON."""
    return {
        "holding": resource.holding,
        "kind": resource.kind,
        "title": resource.title,
        "target": canonical_json(resource.target.kept()).decode(),
        **({"ends_by_itself": "true"} if resource.enforces_end else {}),
        **{f"{_ID}{name}": value for name, value in resource.ids.items()},
    }


def resource_in(facts: Mapping[str, str], target: Callable[[str], TargetTerms]) -> Resource | None:
    """The other way round; None where an entry of an earlier version says too little. `target` reads the terms, and raises
    ValueError for what it cannot read.
    """
    try:
        terms = target(facts["target"])
    except (KeyError, ValueError):
        return None
    ids = {name.removeprefix(_ID): value for name, value in facts.items() if name.startswith(_ID)}
    found = Resource(
        facts["kind"], terms, ids, facts.get("title", ""), enforces_end=facts.get("ends_by_itself") == "true"
    )
    return found if found.holding == facts["holding"] else None
