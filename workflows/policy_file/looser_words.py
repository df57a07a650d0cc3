"""What a change makes looser, or narrower, a line each, in the words of the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from workflows.core.loosening import Kind, Loosened, leaves, loosened
from workflows.core.policy import GATE, Policy
from workflows.policy_file.folder import Snapshot
from workflows.policy_file.load import understand


def looser(found: Iterable[Loosened]) -> tuple[str, ...]:
    """`orders-prod admin: approve 1 of owners, 1 of security -> 1 of owners`."""
    return tuple(_line(one, _Way(one, "+", came=True)) for one in found)


def narrower(found: Iterable[Loosened]) -> tuple[str, ...]:
    """The same for what was found on the way back: of `new` against `old`."""
    return tuple(_line(one, _Way(one, "-", came=False)) for one in found)


# Where a policy of the last 30 days is none for this version, nobody can tell what comes back.
_NOT_UNDERSTOOD = (
    "everywhere: a policy of the last 30 days, from which something of production went, cannot be read by this version"
)


def compared(
    before: Mapping[str, str], after: Mapping[str, str], now: datetime, lately: Sequence[Mapping[str, str]] = ()
) -> tuple[tuple[str, ...], tuple[str, ...], Mapping[str, int], bool] | None:
    """Two policies by their files: what is looser, a line each; who watched before and does not now; and of which groups how
    many must agree before that comes into force, as the first of the two says; whether something of production goes. None where
    one of them cannot be read as a policy, by this version. `lately`: as `loosened` has it.
    """
    old, new = (_understood(one) for one in (before, after))
    if old is None or new is None:
        return None
    gone = [_understood(one) for one in lately]
    lines = looser(loosened(old, new, now, [one for one in gone if one is not None]))
    unknown = (_NOT_UNDERSTOOD,) * (None in gone)
    watching = tuple(sorted(_watching(old) - _watching(new)))
    return (*unknown, *lines), watching, old.policy_changes, leaves(old, new)


def _understood(files: Mapping[str, str]) -> Policy | None:
    return understand(Snapshot("", files)).policy


def _watching(policy: Policy) -> frozenset[str]:
    """The addresses that its panic group lists."""
    group = policy.groups.get(policy.panic_group or "")
    return frozenset(group.members or ()) if group is not None else frozenset()


class _Way:
    """One finding, read forwards or backwards."""

    def __init__(self, one: Loosened, sign: str, *, came: bool) -> None:
        self.one, self.came = one, came
        first, second = (one.before, one.after) if came else (one.after, one.before)
        self.change = f"{first or 'nothing'} -> {second or 'nothing'}"
        self.people = ", ".join(f"{sign}{name}" for name in one.added) or f"{sign}others"

    def either(self, came: str, went: str) -> str:
        return came if self.came else went


def _line(one: Loosened, way: _Way) -> str:
    roles = ", ".join(role.replace(GATE, "gate ") for role in one.roles)
    where = f"{one.environment} {roles}".strip() if one.environment else "everywhere"
    return f"{where}: {_WORDS[one.kind](way)}"


def _thing(one: Loosened) -> str:
    return "gate" if any(role.startswith(GATE) for role in one.roles) else "role"


def _auto_approval(way: _Way) -> str:
    new, people = way.one.before == "new", f" ({way.people})" if way.one.added else ""
    if new:
        return way.either(f"rule {way.one.what!r} approves by itself", f"rule {way.one.what!r} approves no more")
    return way.either(f"rule {way.one.what!r} approves more", f"rule {way.one.what!r} approves less") + people


def _break_glass(way: _Way) -> str:
    what = way.one.what
    if what == "new":
        return way.either("break-glass added", "break-glass removed") + f" ({way.people})"
    if what == "gate":
        return way.either("break-glass opens it", "break-glass does not open it any more")
    return f"break-glass {what} {way.people if way.one.added else way.change}"


def _ticket(way: _Way) -> str:
    return {
        "removed": way.either("no ticket any more", "wants a ticket"),
        "required": way.either("the ticket may be left out", "the ticket must be there"),
        "verify": way.either("the ticket is verified otherwise, or not", "the ticket is verified otherwise"),
    }.get(way.one.what, f"ticket {way.one.what} {way.change}")


def _pipeline(way: _Way) -> str:
    """`added`: the production environments for which it can ask and could not, or with less ado."""
    for_what = f" ({way.people})" if way.one.added else ""
    if way.one.before == "new":
        return f"pipeline {way.one.what} {way.either('may ask', 'may ask no more')}{for_what}"
    return f"pipeline {way.one.what} may ask {way.either('more', 'less')} freely{for_what}"


_CAME = {"": "added", "back": "comes back"}
_REACHED = {"": "what is in production", "lately": "what was in production in the last 30 days"}

_WORDS: Mapping[Kind, Callable[[_Way], str]] = {
    Kind.TIER: lambda way: f"tier {way.change}",
    Kind.REACH: lambda way: way.either(
        f"gives {_REACHED[way.one.what]}", "gives nothing that is in production any more"
    ),
    Kind.PANIC_GROUP: lambda way: f"panic_group {way.people if way.one.added else way.change}",
    Kind.POLICY_CHANGES: lambda way: f"policy_changes {way.people if way.one.added else way.change}",
    Kind.AUTO_APPROVAL: _auto_approval,
    Kind.BREAK_GLASS: _break_glass,
    Kind.FEWER: lambda way: f"approve {way.change}",
    Kind.OWNERS: lambda way: f"owners {way.people}",
    Kind.APPROVERS: lambda way: f"who can agree {way.people}",
    Kind.ESCALATION: lambda way: (
        f"escalation after {way.change}"
        if way.one.what == "after"
        else f"who can agree once nobody has answered {way.people}"
    ),
    Kind.TRUSTED: lambda way: f"group {way.one.what} is {way.either('trusted', 'trusted no more')}",
    Kind.REQUESTERS: lambda way: f"who may ask {way.people}",
    Kind.PIPELINE: _pipeline,
    Kind.FORGE_ID: lambda way: f"people {way.one.what} {way.change}",
    Kind.ENVIRONMENT: lambda way: f"environment {way.either(_CAME[way.one.what], 'removed')} ({way.people})",
    Kind.ROLE: lambda way: f"{_thing(way.one)} {way.either(_CAME[way.one.what], 'removed')}",
    Kind.STARTER: lambda way: f"unknown_starter {way.change}",
    Kind.TARGET: lambda way: f"gives {way.change}",
    Kind.SESSIONS: lambda way: way.either(
        "a revocation ends no open sessions any more", "a revocation ends open sessions"
    ),
    Kind.CONNECTION: lambda way: f"connection {way.one.what} {way.change}",
    Kind.PEOPLE: lambda way: f"{way.one.what} {way.people}",
    Kind.INCIDENTS: lambda way: f"incident_channels {way.one.what} {way.people}",
    Kind.REVIEW: lambda way: f"break-glass review_within {way.change}",
    Kind.TICKET: _ticket,
    Kind.FREEZE: lambda way: (
        f"{way.either('not frozen any more', 'frozen')} {way.one.before} to {way.one.after}: {way.one.what}"
    ),
    Kind.HOURS: lambda way: f"{way.one.what or 'hours'} {way.change}",
    Kind.DURATION: lambda way: f"{way.one.what} {way.change}",
    Kind.BLOCK: lambda way: f"panic_block {way.change}",
    Kind.ON_MOVER: lambda way: f"on_mover {way.change}",
    Kind.EXPIRY: lambda way: f"request_expires_after {way.change}",
    Kind.WEBHOOK: lambda way: f"webhook {way.one.what} {way.either('is told of', 'is told less of')} {way.people}",
    Kind.DRIFT: lambda way: f"drift: {way.one.what}{way.change}",
    Kind.RECEIPTS: lambda way: f"receipts_channel {way.change}",
    Kind.VISIBILITY: lambda way: f"visibility {way.either('members -> open', 'open -> members')}",
}
