"""What a gate gives the pipeline's own role: from the file to the policy, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from workflows.core import policy as core
from workflows.core.provider import Connection, TargetSpec, TemplateRefused
from workflows.policy_file.problem import Problem
from workflows.policy_file.raw import Gate as GateFile

_NAMED_MAX = 3


def given(
    raw: GateFile, connection: Connection, account: str | None, templates: Mapping[str, str]
) -> core.GateTarget | None:
    if raw.target is None or raw.lasts is None:
        return None
    target: TargetSpec = raw.target.spec(templates)
    return core.GateTarget(target, connection, account, raw.lasts, raw.outlives)


def errors(gates: Iterable[core.Gate]) -> Iterator[Problem]:
    """What cannot be given, or must not be in production."""
    for gate in gates:
        if gate.gives is not None:
            yield from _unusable(gate, gate.gives)
            if gate.entitlement.tier is core.Tier.PRODUCTION:
                yield from _outliving(gate, gate.gives)


def warnings(place: core.Environment) -> Iterator[Problem]:
    """What is allowed and yet unwise."""
    for gate in place.gates.values():
        if gate.gives is not None and place.tier is not core.Tier.PRODUCTION:
            yield from _outliving(gate, gate.gives)
        if gate.gives is not None and gate.gives.outlives and gate.gives.target.outliving() is None:
            message = f"the gate {_name(gate)} says why it outlives its end, and nothing that it gives does"
            yield _at(gate, "outlives", message, "take outlives out")


def _unusable(gate: core.Gate, gives: core.GateTarget) -> Iterator[Problem]:
    target, connection = gives.target, gives.connection
    if target.provider != connection.provider:
        where = f"the connection {connection.name} leads to {connection.provider}"
        message = f"the gate {_name(gate)} gives something in {target.provider}, and {where}"
        yield _at(gate, "target", message, "name another connection, or take target out")
        return
    if lacking := target.lacks(gives.account):
        what, example = lacking
        message = f"the gate {_name(gate)} needs {what}, and the environment has none"
        yield _at(gate, "target", message, f"add {example}")
        return
    try:
        target.terms(connection, gate.entitlement.environment, gives.account, None)
    except TemplateRefused as refused:
        # What is wrong with a template itself is said at the template.
        own = [one for one in refused.problems if "local_part" in one or "own role" in one]
        for one in own:
            yield _at(
                gate, "target", f"the gate {_name(gate)}: {one.rstrip('.')}", "a pipeline is nobody; name its role"
            )


def _outliving(gate: core.Gate, gives: core.GateTarget) -> Iterator[Problem]:
    found = gives.target.outliving()
    if found is None or gives.outlives:
        return
    rest = f" and {len(found.actions) - _NAMED_MAX} more" if len(found.actions) > _NAMED_MAX else ""
    named = ", ".join(found.actions[:_NAMED_MAX]) + rest
    message = f"what the gate {_name(gate)} gives can outlive its end: {found.source} allows {named}"
    yield _at(gate, "target", message, 'take it out, or say why it has to be: outlives: "..." in the gate')


def _name(gate: core.Gate) -> str:
    return f"{gate.name} of {gate.entitlement.environment}"


def _at(gate: core.Gate, key: str, message: str, suggestion: str) -> Problem:
    origins = gate.entitlement.origins
    file, _, line = origins.get(key, origins["approve"]).rpartition(":")
    return Problem(file, int(line), message, suggestion)
