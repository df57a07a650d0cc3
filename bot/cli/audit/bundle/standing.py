"""What stands when the bundle is made: the policy in force, groups, open drift, and what is signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bot.cli.audit.bundle.folder import About, Folder
from bot.cli.audit.exported import LogState
from bot.wiring import Common
from workflows.core import keys
from workflows.core.people import GroupFacts
from workflows.core.policy import Group, Policy
from workflows.core.records.drift import Drift
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, PolicySummary
from workflows.core.seal.public_key import Seal
from workflows.core.seal.statement import BadSeal, head_in, key_change_in
from workflows.ports import Archive, Ledger, Snapshot
from workflows.usecases.drift.standing import called, open_of_all
from workflows.usecases.sealing.archived import archived_heads

_PREFIX = "policy/"
ROLES = About(
    "policy-in-force.csv",
    "The policy in force in words: who may ask for what, and who agrees.",
    "the record of the policy in force in Redis",
    ("about", "words"),
)
GROUPS = About(
    "groups.csv",
    "Who is in each group of the policy, as was last read, and when. Whom a decision counted for is in requests.csv.",
    "the policy, or the chat or directory that keeps the group",
    ("group", "kept_by", "read_at", "problem", "member"),
)
OPEN = About(
    "drift-open.csv",
    "What targets hold now and the record does not know of, or the other way round; since when.",
    "the last comparison of targets with the record",
    ("id", "kind", "role", "environment", "who", "target", "request", "first_seen", "last_seen", "left_by"),
)
SEALS = About(
    "seals.csv",
    "Signed heads of the audit log, and changes of the key that signs.",
    "the ledger's seal; heads of the period from the archive, where one was given",
    ("from", "kind", "head", "size", "root", "at", "epoch", "key", "next_key"),
)
# What Redis says is a file's name is somebody's word: no way out of the folder.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,4}\.(?:yaml|yml)")


def policy_records(ledger: Ledger) -> Snapshot:
    return ledger.read(keys.ACTIVE_POLICY, keys.POLICY_SUMMARY, keys.POLICY_FILES)


def write_policy(folder: Folder, records: Snapshot) -> Sequence[str]:
    """The policy in force: in words, and its files. `records`: as `policy_records` read them. Returns sentences on what is not
    there.
    """
    active = records.readable(keys.ACTIVE_POLICY, ActivePolicy)
    summary = records.readable(keys.POLICY_SUMMARY, PolicySummary)
    kept = records.readable(keys.POLICY_FILES, PolicyFiles)
    with folder.table(ROLES) as write:
        for about, words in summary.lines.items() if summary and active and summary.hash == active.hash else ():
            write((about, words))
    if active is None or kept is None or kept.hash != active.hash or not kept.files:
        return ("The files of the policy in force are not on record: policy-in-force.csv has it in words.",)
    odd = [name for name in kept.files if not _SAFE.fullmatch(name)]
    for name in sorted(set(kept.files) - set(odd)):
        with folder.text(About(f"{_PREFIX}{name}", "A file of the policy in force.", "the record in Redis")) as output:
            output.write(kept.files[name])
    return tuple(f"A file of the policy is left out, because of its name: {name!r}." for name in odd)


def write_groups(folder: Folder, parts: Common, policy: Policy) -> None:
    facts = parts.context.directory.groups(policy, policy.groups)
    with folder.table(GROUPS) as write:
        for name, group in sorted(policy.groups.items()):
            for row in _members(group, facts):
                write((name, *row))


def _members(group: Group, facts: GroupFacts) -> Iterator[Sequence[object]]:
    if group.members is not None:
        yield from (("the policy", "", "", who) for who in sorted(group.members) or ("",))
        return
    found = facts.by_name.get(group.name)
    as_of = found.as_of.isoformat() if found and found.as_of else ""
    problem = (found.problem or "") if found else "nobody has looked yet"
    people = sorted(found.members) if found else []
    yield from ((group.source, as_of, problem, who) for who in people or ("",))


def write_drift(folder: Folder, parts: Common) -> int:
    """Returns how many are open."""
    found = open_of_all(parts.context).values()
    with folder.table(OPEN) as write:
        for one in found:
            for row in _drift(one):
                write(row)
    return len(found)


def _drift(one: Drift) -> Iterator[Sequence[object]]:
    times = (one.first_seen.isoformat(), one.last_seen.isoformat())
    for environment, role in one.roles or (("", ""),):
        yield (
            one.id,
            one.kind.value,
            role,
            environment,
            called(one),
            one.resource.title,
            one.grant,
            *times,
            one.left_by,
        )


def write_seals(
    folder: Folder, state: LogState, archive: Archive | None, of: str, since: datetime, until: datetime
) -> None:
    """`of`: the log's folder in the archive. Raises ArchiveUnavailable."""
    with folder.table(SEALS) as write:
        own = (state.seal.seal, *state.seal.key_changes) if state.seal else ()
        for row in _rows("the ledger", own, None, None):
            write(row)
        for row in _rows("the archive", archived_heads(archive, of) if archive else (), since, until):
            write(row)


def _rows(
    source: str, seals: Iterable[Seal], since: datetime | None, until: datetime | None
) -> Iterator[Sequence[object]]:
    for seal in seals:
        try:
            head = head_in(seal.statement)
        except BadSeal:
            yield from _change(source, seal)
            continue
        if (since is None or head.at >= since) and (until is None or head.at <= until):
            rest = (head.size, head.root, head.at.isoformat(), head.epoch, seal.key)
            yield (source, "head", head.shown, *rest, "")


def _change(source: str, seal: Seal) -> Iterator[Sequence[object]]:
    try:
        said = key_change_in(seal.statement)
    except BadSeal:
        yield (source, "cannot be read", *[""] * 7)
        return
    yield (source, "key change", "", said.size, "", said.at.isoformat(), "", said.old, said.new)
