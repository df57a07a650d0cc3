"""A policy in flat, readable lines, so that the next one can be compared with the one that was in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from workflows.core.durations import format_duration
from workflows.core.policy import DRIFT_EVERY, Entitlement, Environment, Group, OnDrift, Policy
from workflows.core.records.policy_in_force import POLICY_CHANGES_LINE
from workflows.policy_file.channels import in_words
from workflows.policy_file.phrases import (
    duration_words,
    entitlement_words,
    forge_words,
    gate_words,
    pipeline_words,
    webhook_words,
)

# Where several things stand behind one key, the change shows what came and what went.
_THINGS = ("environment ", "role ", "gate ")
_LISTS = ("owners", "requesters", "durations", "auto_approve", "freezes", "approve")


def summary(policy: Policy) -> Mapping[str, str]:
    """`payments-prod admin: max_duration` -> `30 min`. A key without a colon is the thing itself."""
    lines = dict(_workspace(policy))
    for name, group in policy.groups.items():
        lines[f"group {name}"] = _group(group)
    for environment in policy.environments.values():
        lines.update(
            _prefixed(f"environment {environment.name}", environment.name, environment.tier, _environment(environment))
        )
        for role in environment.roles.values():
            lines.update(_prefixed(f"role {role.name}", role.name, role.risk, _entitlement(role, environment)))
        for gate in environment.gates.values():
            thing = f"gate {environment.name} {gate.name}"
            lines.update(_prefixed(thing, _subject(thing), "gate", gate_words(gate)))
    return {key: value for key, value in lines.items() if value}


def difference(old: Mapping[str, str] | Policy, new: Policy) -> tuple[str, ...]:
    """What changed, a line each: `payments-prod admin: max_duration 1 h -> 30 min`."""
    before, after = (summary(old) if isinstance(old, Policy) else old), summary(new)
    came, went = _things(after) - _things(before), _things(before) - _things(after)
    lines = [*(f"{thing} added" for thing in _outermost(came)), *(f"{thing} removed" for thing in _outermost(went))]
    silent = tuple(f"{_subject(thing)}: " for thing in came | went)
    for key in sorted(before.keys() | after.keys()):
        if key.startswith((*_THINGS, *silent)) or key in came | went:
            continue
        if before.get(key) != after.get(key):
            lines.append(_changed(key, before.get(key, ""), after.get(key, "")))
    return tuple(lines)


def _things(lines: Mapping[str, str]) -> set[str]:
    return {key for key in lines if ": " not in key}


def _outermost(things: set[str]) -> list[str]:
    """Without the roles and gates of environments that came or went as a whole."""
    names = [thing.removeprefix("environment ") for thing in things if thing.startswith("environment ")]
    environments = tuple(f"{kind} {name} " for name in names for kind in ("role", "gate"))
    return sorted(thing for thing in things if not (environments and thing.startswith(environments)))


def _subject(thing: str) -> str:
    if thing.startswith("gate "):
        _, environment, gate = thing.split(" ", 2)
        return f"{environment} gate {gate}"
    return thing.split(" ", 1)[1] if thing.startswith(("environment ", "role ")) else thing


def _changed(key: str, before: str, after: str) -> str:
    start = key if ": " in key else f"{key}:"
    if key.startswith("group ") or key.endswith(_LISTS):
        old, new = before.split(", ") if before else [], after.split(", ") if after else []
        signs = [*(f"+{item}" for item in new if item not in old), *(f"-{item}" for item in old if item not in new)]
        return f"{start} {', '.join(signs) or f'now in the order {after}'}"
    return f"{start} {before or 'nothing'} -> {after or 'nothing'}"


def _prefixed(thing: str, name: str, kind: str, values: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield thing, kind
    for key, value in values:
        yield f"{name}: {key}", value


def _workspace(policy: Policy) -> Iterator[tuple[str, str]]:
    yield "workspace: timezone", policy.timezone
    yield "workspace: email_domains", ", ".join(policy.email_domains)
    yield "workspace: home_workspaces", ", ".join(policy.home_workspaces)
    for old, new in sorted(policy.former_domains.items()):
        yield f"workspace: former_domains {old}", new
    yield "workspace: receipts_channel", in_words(policy.receipts_channels)
    yield "workspace: request_expires_after", format_duration(policy.request_expires_after)
    yield "workspace: panic_group", policy.panic_group or ""
    yield "workspace: panic_block", duration_words(policy.panic_block)
    yield "workspace: on_mover", policy.on_mover
    yield POLICY_CHANGES_LINE, ", ".join(f"{count} of {name}" for name, count in policy.policy_changes.items())
    yield (
        "workspace: drift",
        "" if policy.drift_every == DRIFT_EVERY else f"every {format_duration(policy.drift_every)}",
    )
    yield "workspace: identity_accounts", ", ".join(policy.identity_accounts)
    yield "workspace: retention", duration_words(policy.retention)
    plan = policy.certify
    yield "workspace: certify", f"every {duration_words(plan.every)}, due in {duration_words(plan.due)}" if plan else ""
    yield "workspace: incident_channels", ", ".join(policy.incident_channels.names)
    yield "workspace: incident_channels created_by", ", ".join(policy.incident_channels.created_by)
    yield "workspace: incident_channels teams", ", ".join(policy.incident_channels.teams)
    for number, digest in enumerate(policy.digests, start=1):
        where = f" of {', '.join(digest.environments)}" if digest.environments else ""
        what = f" reporting on {format_duration(digest.report)}" if digest.report else ""
        yield (
            f"workspace: digest {number}",
            f"{digest.schedule} to {in_words(digest.channels)}{where}{what}" + " if active" * digest.only_if_active,
        )
    for hook in policy.webhooks:
        yield f"workspace: webhook {hook.name}", webhook_words(hook)
    for pipeline in policy.pipelines:
        yield f"workspace: pipeline {pipeline.name}", pipeline_words(pipeline)
    for address, ids in sorted(policy.forge_ids.items()):
        yield f"workspace: people {address}", forge_words(ids)
    for name, item in policy.connections.items():
        yield f"workspace: connection {name}", item.phrase()


def _group(group: Group) -> str:
    if group.members is not None:
        return ", ".join(sorted(group.members))
    return str(group.source) + " trusted" * group.trusted


def _environment(environment: Environment) -> Iterator[tuple[str, str]]:
    yield "title", environment.title
    yield "tier", environment.tier
    yield "owners", ", ".join(environment.owners)
    yield "requesters", ", ".join(environment.requesters)
    yield "approvals_channel", in_words(environment.approvals_channels)
    yield "visibility", environment.visibility
    yield "drift", "" if environment.drift is OnDrift.ALERT else environment.drift
    yield "activity", "looked up after each end" * environment.activity
    for role in list(environment.roles.values())[:1]:  # all have the same
        yield "account", role.account or ""
        yield "connection", role.connection.name
    if break_glass := environment.break_glass:
        yield "break_glass who", ", ".join(break_glass.who)
        yield "break_glass roles", ", ".join(break_glass.roles)
        yield "break_glass max_duration", format_duration(break_glass.max_duration)
        yield "break_glass max_per_day", str(break_glass.max_per_day or "")
        yield "break_glass max_total", duration_words(break_glass.max_total)
        yield "break_glass review_within", duration_words(break_glass.review_within)
        yield "break_glass when_chat_is_down", ", ".join(break_glass.when_chat_is_down)
    if escalate := environment.escalate:
        may = ", who may approve" * escalate.may_approve
        yield "escalate", f"after {format_duration(escalate.after)} to {', '.join(escalate.to)}{may}"
    yield (
        "freezes",
        ", ".join(f"{item.start:%Y-%m-%d %H:%M%z} to {item.until:%Y-%m-%d %H:%M%z}" for item in environment.freezes),
    )


def _entitlement(role: Entitlement, environment: Environment) -> Iterator[tuple[str, str]]:
    """What is the environment's own is said there, once."""
    same = {"owners": role.owners == environment.owners, "requesters": role.requesters == environment.requesters}
    return ((key, value) for key, value in entitlement_words(role) if not same.get(key))
