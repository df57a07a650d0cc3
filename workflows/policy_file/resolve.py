"""The files -> the policy: precedence applied, each value with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from workflows.core import policy as core
from workflows.core.identity import Address, address_of
from workflows.core.provider import Connection, TargetSpec
from workflows.policy_file import convert, gate_targets, gates, outlives
from workflows.policy_file.drift import cannot_be_removed
from workflows.policy_file.identity_accounts import cannot_vouch
from workflows.policy_file.layers import Found, Layer, find, layers_of, resolve_menu
from workflows.policy_file.pipelines import pipelines
from workflows.policy_file.problem import Problem
from workflows.policy_file.raw import EnvironmentFile, Role, RoleHere, RolesFile, WorkspaceFile
from workflows.policy_file.trust import unfit_for_changes, untrusted
from workflows.policy_file.yaml_reader import Document

_PANIC_BLOCK = timedelta(hours=1)
_EXPIRES = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Files:
    """The files that have the right shape, with their lines."""

    workspace: tuple[WorkspaceFile, Document]
    roles: tuple[RolesFile, Document]
    environments: tuple[tuple[EnvironmentFile, Document], ...]
    templates: Mapping[str, str]


@dataclass(slots=True)
class Resolver:
    """Collects problems while it resolves; names that point at nothing have been reported before, and are skipped."""

    files: Files
    hash: str
    problems: list[Problem] = field(default_factory=list)

    def policy(self) -> core.Policy:
        workspace = self.files.workspace[0]
        connections = {name: raw.connection(name) for name, raw in workspace.connections.items()}
        groups = {name: self._group(name, connections) for name in workspace.groups}
        environments = (self._environment(file, place, connections) for file, place in self.files.environments)
        found = core.Policy(
            hash=self.hash,
            timezone=workspace.timezone,
            email_domains=workspace.email_domains,
            former_domains=workspace.former_domains,
            home_workspaces=workspace.home_workspaces,
            connections=connections,
            receipts_channels=workspace.receipts_channel,
            groups=groups,
            environments={item.name: item for item in environments if item},
            incident_channels=convert.incident_channels(workspace.incident_channels),
            request_expires_after=workspace.request_expires_after or _EXPIRES,
            panic_group=workspace.panic_group,
            panic_block=workspace.panic_block or _PANIC_BLOCK,
            digests=tuple(convert.digest(raw) for raw in workspace.digests),
            webhooks=tuple(convert.webhook(raw) for raw in workspace.webhooks),
            on_mover=core.OnMover(workspace.on_mover or core.OnMover.TELL),
            policy_changes=workspace.policy_changes.approve if workspace.policy_changes else {},
            drift_every=workspace.drift.every if workspace.drift else core.DRIFT_EVERY,
            pipelines=pipelines(workspace.pipelines),
            forge_ids=self._forge_ids(),
            identity_accounts=tuple(dict.fromkeys(workspace.identity_accounts)),
            retention=workspace.retention,
            certify=core.CertifyPlan(workspace.certify.every, workspace.certify.due) if workspace.certify else None,
        )
        self.problems.extend(unfit_for_changes(found, self.files.workspace[1]))
        self.problems.extend(untrusted(found, self.files.environments))
        self.problems.extend(cannot_be_removed(found, self.files.environments))
        self.problems.extend(gates.undecidable(found))
        self.problems.extend(gates.never_opened(found))
        self.problems.extend(gates.rules_without_gates(found, self.files.workspace[1]))
        self.problems.extend(cannot_vouch(found, self.files.workspace[1]))
        return found

    def _members(self, raw: tuple[str, ...] | None) -> frozenset[Address] | None:
        former = self.files.workspace[0].former_domains
        found = (address_of(item, former) for item in raw or ())
        return frozenset(filter(None, found)) if raw is not None else None

    def _forge_ids(self) -> dict[Address, Mapping[str, int]]:
        workspace = self.files.workspace[0]
        found = ((address_of(item, workspace.former_domains), ids.named) for item, ids in workspace.people.items())
        return {address: named for address, named in found if address is not None}

    def _group(self, name: str, connections: Mapping[str, Connection]) -> core.Group:
        raw = self.files.workspace[0].groups[name]
        connection = raw.connection
        if raw.identity_center_group and connection is None:
            if len(connections) == 1:
                connection = next(iter(connections))
            else:
                self._workspace_problem(name, f"there are several connections, and {name} does not say which")
        return core.Group(
            name=name,
            members=self._members(raw.members),
            slack_usergroup=raw.slack_usergroup,
            entra_group=raw.entra_group.lower() if raw.entra_group else None,
            identity_center_group=raw.identity_center_group,
            connection=connection,
            pagerduty_schedule=raw.pagerduty_schedule,
            https=raw.https,
            token_env=raw.token.env if raw.token else None,
            trusted=raw.trusted,
        )

    def _workspace_problem(self, group: str, message: str) -> None:
        document = self.files.workspace[1]
        self.problems.append(Problem(document.file, document.line(("groups", group)), message, "add connection: NAME"))

    def _environment(
        self, file: EnvironmentFile, document: Document, connections: Mapping[str, Connection]
    ) -> core.Environment | None:
        connection = self._connection(file, document, connections)
        if connection is None:
            return None
        workspace = self.files.workspace[0]
        roles = {name: self._entitlement(file, document, name, connection) for name in file.roles}
        escalate = file.escalate or workspace.escalate
        return core.Environment(
            name=file.environment,
            title=file.title or file.environment,
            tier=core.Tier(file.tier),
            owners=file.owners,
            requesters=file.requesters,
            roles={name: found for name, found in roles.items() if found},
            approvals_channels=file.approvals_channel or (),
            visibility=core.Visibility(file.visibility or workspace.visibility or "open"),
            break_glass=convert.break_glass(file.break_glass, self._risks(file)),
            escalate=convert.escalation(escalate),
            freezes=convert.freezes(file.freezes if file.freezes is not None else workspace.freezes),
            drift=core.OnDrift(file.drift or "alert"),
            activity=bool(file.activity),
            gates=self._gates(file, document, connection),
        )

    def _risks(self, file: EnvironmentFile) -> dict[str, str]:
        known = self.files.roles[0].roles
        return {name: known[name].risk for name in file.roles if name in known}

    def _gates(self, file: EnvironmentFile, document: Document, connection: Connection) -> Mapping[str, core.Gate]:
        expires_after = self.files.workspace[0].request_expires_after or _EXPIRES
        found = gates.resolved(file, document, expires_after, connection, self.files.templates)
        self.problems.extend(gate_targets.errors(found.values()))
        return found

    def _connection(
        self, file: EnvironmentFile, document: Document, connections: Mapping[str, Connection]
    ) -> Connection | None:
        if file.connection is not None:
            return connections.get(file.connection)
        if len(connections) == 1:
            return next(iter(connections.values()))
        words = "there are several connections, and this environment does not say which"
        self.problems.append(Problem(document.file, document.line(("environment",)), words, "add connection: NAME"))
        return None

    def _entitlement(
        self, file: EnvironmentFile, document: Document, name: str, connection: Connection
    ) -> core.Entitlement | None:
        role, here = self.files.roles[0].roles.get(name), file.roles[name]
        if role is None:
            return None
        layers = layers_of((here, name), (file, document), self.files.workspace, role.risk)
        target: TargetSpec = role.target.spec(self.files.templates)
        self.problems.extend(_target_problems(target, file, document, name, connection))
        menu = resolve_menu(layers, f"{file.environment} {name}")
        if isinstance(menu, Problem):
            self.problems.append(menu)
            return None
        ticket, hours = _value(layers, "ticket"), _value(layers, "hours")
        found = core.Entitlement(
            environment=file.environment,
            role=name,
            tier=core.Tier(file.tier),
            risk=core.Risk(role.risk),
            allows=here.allows or role.allows,
            target=target,
            connection=connection,
            account=file.account,
            requesters=here.requesters or file.requesters,
            owners=here.owners or file.owners,
            approve=dict(_value(layers, "approve") or {}),
            durations=menu.durations,
            default_duration=menu.default,
            max_duration=menu.longest,
            max_total=_value(layers, "max_total"),
            ticket=convert.ticket(ticket, core.Tier(file.tier)),
            auto_approve=tuple(convert.auto_approval(raw) for raw in _value(layers, "auto_approve") or ()),
            hours=convert.hours(hours),
            danger=here.danger or role.danger,
            how_to=here.how_to or role.how_to,
            outlives=here.outlives or role.outlives,
            end_sessions=bool(role.end_sessions if here.end_sessions is None else here.end_sessions),
            expires_after=_value(layers, "request_expires_after") or _EXPIRES,
            origins={**self._origins(role, here, document, name), **_places(layers), **menu.origins},
        )
        self.problems.extend((*outlives.errors(found), *outlives.of_sessions(found)))
        return found

    def _origins(self, role: Role, here: RoleHere, document: Document, name: str) -> dict[str, str]:
        """Where the values came from that do not go through all levels."""
        places = {}
        roles_document = self.files.roles[1]
        for key in ("risk", "target", "allows", "danger", "how_to", "outlives", "end_sessions"):
            if getattr(here, key, None) is not None:
                places[key] = document.place("roles", name, key)
            elif getattr(role, key) is not None:
                places[key] = roles_document.place("roles", name, key)
        for key in ("owners", "requesters"):
            path = ("roles", name, key) if getattr(here, key) is not None else (key,)
            places[key] = document.place(*path)
        for key in ("tier", "account", "connection"):
            if (key,) in document.lines:
                places[key] = document.place(key)
        return places


_LAYERED = ("approve", "max_total", "ticket", "hours", "auto_approve")


def _value(layers: tuple[Layer, ...], key: str) -> Any:
    found = find(layers, key)
    return found.value if found else None


def _places(layers: tuple[Layer, ...]) -> dict[str, str]:
    found: dict[str, Found | None] = {key: find(layers, key) for key in _LAYERED}
    found["expires_after"] = find(layers, "request_expires_after")
    return {key: item.place for key, item in found.items() if item}


def _target_problems(
    target: TargetSpec, file: EnvironmentFile, document: Document, name: str, connection: Connection
) -> Iterator[Problem]:
    """What the environment must say so that the role's target can be filled in and reached."""
    line = document.line(("roles", name))
    if target.provider != connection.provider:
        where = f"the connection {connection.name} leads to {connection.provider}"
        message = f"the role {name} is given in {target.provider}, and {where}"
        yield Problem(document.file, line, message, "name another connection, or give the role another target")
    elif lacking := target.lacks(file.account):
        what, example = lacking
        yield Problem(
            document.file, line, f"the role {name} needs {what}, and the environment has none", f"add {example}"
        )
