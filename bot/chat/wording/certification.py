"""Words of a certification: what is asked of one item, and what somebody has to do for what goes."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.certification.removal import Step, Where
from workflows.core.records.certification import Against, Item

AGAINST = {
    Against.UNUSED: "not used",
    Against.STANDING: "stands for good",
    Against.GONE: "their account is gone",
}
_KEPT_BY = {
    "slack": "the Slack user group",
    "entra": "the Entra group",
    "identity-center": "the Identity Center group",
    "pagerduty": "the PagerDuty schedule",
    "https": "the list at",
}


def may_words(item: Item) -> str:
    """`may ask (developers), owns it (platform)`."""
    return ", ".join(_may(item))


def _may(item: Item) -> Iterator[str]:
    for word, groups in (
        ("may ask", item.asks),
        ("owns it", item.owns),
        ("may approve", item.approves),
        ("may break the glass", item.breaks),
    ):
        if groups:
            yield f"{word} ({', '.join(groups)})"


def used_words(item: Item) -> str:
    """Without when: that is a time of the reader's own clock."""
    if not item.times:
        return ""
    times = {1: "once", 2: "twice"}.get(item.times, f"{item.times} times")
    return f"used {times}" + (f" by {item.people} people" if item.people > 1 else "")


def step_words(step: Step) -> str:
    """What to do, and by whom where that is nobody who changes the policy."""
    if step.where is Where.ROLE:
        return f"take the role {step.name} out of {step.environment} in the policy"
    if step.where is Where.TARGET:
        return f"somebody who administers the target takes it away by hand: {step.title}"
    also = f" (it counts in {', '.join(step.also)}, too)" if step.also else ""
    if step.where is Where.MEMBER:
        return f"take them out of the group {step.name} in the policy{also}"
    return f"whoever keeps {_kept(step)} takes them out{also}"


def _kept(step: Step) -> str:
    kind, _, id_ = step.source.partition(":")
    return (
        f"{_KEPT_BY.get(kind, 'the list of')} {id_.rpartition(':')[2] if kind == 'identity-center' else id_}".strip()
        + (f" (group {step.name})")
    )
