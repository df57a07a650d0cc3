"""Suggestions as a change of the policy's files: each as far as it can be made exactly, and checked after each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core.loosening import loosened
from workflows.core.policy import AutoApproval, Entitlement, Environment, Policy
from workflows.core.suggestions.model import CouldApprove, CouldGo, Found
from workflows.policy_file.adding import with_rule
from workflows.policy_file.difference import difference
from workflows.policy_file.folder import WORKSPACE, Snapshot
from workflows.policy_file.load import Reading, understand
from workflows.policy_file.looser_words import looser
from workflows.policy_file.taking_out import Files, diff_of, without_role
from workflows.policy_file.yaml_places import node_of

# What the files can be changed for.
Step = CouldApprove | CouldGo


@dataclass(frozen=True, slots=True)
class Proposed:
    """`made`: what the diff makes, in order. `by_hand`: what nobody could cut or write exactly, and why, a sentence. `looser`:
    what is looser in production then; `changes`: everything that changes. `warnings`: lints that were not there before. `asks`:
    of which groups how many must agree to a policy that is looser in production.
    """

    made: Sequence[Step] = ()
    by_hand: Sequence[tuple[Step, str]] = ()
    diff: Sequence[str] = ()
    looser: Sequence[str] = ()
    changes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    asks: Mapping[str, int] | None = None


def proposed(files: Files, found: Found, now: datetime) -> Proposed:
    """`files`: of the policy in force. What would not leave a valid policy, or change more than it says, is left out."""
    first = _read(files)
    steps: tuple[Step, ...] = (*found.rules, *found.gone)
    if first.policy is None:
        why = "the policy's files are no valid policy for this version"
        return Proposed(by_hand=[(one, why) for one in steps])
    after, last = files, first
    made: list[Step] = []
    by_hand: list[tuple[Step, str]] = []
    for one in steps:
        step = _step(after, last, one, found)
        if isinstance(step, str):
            by_hand.append((one, step))
        else:
            after, last = step
            made.append(one)
    if last.policy is None:
        raise AssertionError("each step has left a valid policy")
    wider = looser(loosened(first.policy, last.policy, now))
    return Proposed(
        made,
        by_hand,
        tuple(diff_of(files, after)),
        wider,
        difference(first.policy, last.policy) if made else (),
        _new_warnings(first, last),
        first.policy.policy_changes if wider else None,
    )


def _read(files: Files) -> Reading:
    return understand(Snapshot("", files))


def _step(files: Files, last: Reading, one: Step, found: Found) -> tuple[Files, Reading] | str:
    """The files with it, read again; or why not."""
    if isinstance(one, CouldApprove):
        rule = rule_of(one, found)
        changed = with_rule(files, one.environment, one.role, rule)
    else:
        rule, changed = None, without_role(files, one.environment, one.role)
    if changed is None:
        return "the file is written so that it cannot be changed exactly, or it is the only role there"
    reading = _read(changed)
    if reading.policy is None:
        return f"the policy would not be valid then: {reading.problems[0] if reading.problems else 'nobody knows why'}"
    if last.policy is None or not _is_just(last.policy, reading.policy, one, rule):
        return "the file is written so that more would change than this"
    return changed, reading


def rule_of(one: CouldApprove, found: Found) -> AutoApproval:
    """Named after what it rests on: the record of each use has the name."""
    numbers = one.numbers
    name = f"{numbers.asks} of {numbers.asks} approved until {found.until:%Y-%m-%d}"
    return AutoApproval(
        name, one.groups, one.in_incident_channel, one.max_duration, one.hours, max_uses_per_day=one.max_uses_per_day
    )


def _is_just(old: Policy, new: Policy, one: Step, rule: AutoApproval | None) -> bool:
    """Whether nothing but this has changed, wherever else it stands now."""
    place = old.environments[one.environment]
    roles = dict(place.roles)
    if rule is None:
        roles.pop(one.role)
    else:
        roles[one.role] = replace(roles[one.role], auto_approve=(*roles[one.role].auto_approve, rule))
    wanted = replace(old, environments={**old.environments, place.name: replace(place, roles=roles)})
    return _without_places(wanted) == _without_places(new)


def _without_places(policy: Policy) -> Policy:
    """Lines move, and the hash is another one."""

    def bare(role: Entitlement) -> Entitlement:
        return replace(role, origins={})

    def plain(place: Environment) -> Environment:
        gates = {name: replace(gate, entitlement=bare(gate.entitlement)) for name, gate in place.gates.items()}
        return replace(place, roles={name: bare(role) for name, role in place.roles.items()}, gates=gates)

    return replace(policy, hash="", environments={name: plain(place) for name, place in policy.environments.items()})


def _new_warnings(first: Reading, last: Reading) -> tuple[str, ...]:
    known = {(one.file, one.message) for one in first.warnings}
    return tuple(str(one) for one in last.warnings if (one.file, one.message) not in known)


def line_to_fill_in(files: Files, groups: Iterable[str]) -> tuple[str, str]:
    """Where a second person could stand: `prodaccess.yaml:37`, and what stands there. Empty where no group lists people."""
    text = files.get(WORKSPACE, "")
    for name in groups:
        node = node_of(text, ("groups", name, "members"))
        if node is not None:
            line = int(node.start_mark.line)
            return f"{WORKSPACE}:{line + 1}", text.split("\n")[line].strip()
    return "", ""
