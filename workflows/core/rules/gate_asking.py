"""What a pipeline's ask comes to under the policy, whoever wants to know: a worker, or a case of the policy's tests."""

from __future__ import annotations

from workflows.core.canonical_json import digest
from workflows.core.gates.ask import GateAsk, pipeline_person
from workflows.core.gates.terms import KIND, KIND_GIVING, GateTerms, GivingTerms
from workflows.core.policy import Entitlement, Gate, UnknownStarter
from workflows.core.provider import TemplateRefused
from workflows.core.records.gate import Giving
from workflows.core.records.request import Terms
from workflows.core.refusal import Code, Refused


def starter_refused(gate: Gate, found: GateAsk) -> Refused | None:
    """Where the policy wants to know everybody who began it."""
    if gate.unknown_starter is UnknownStarter.ONE_MORE or not found.unknown:
        return None
    parts = ", ".join(dict.fromkeys(one.part.value for one in found.unknown))
    return Refused(Code.GATE_STARTER_UNKNOWN, {"gate": gate.name, "parts": parts}, rules=("unknown_starter",))


def gate_terms(asked: Entitlement, ask: GateAsk, gives: Giving | None = None) -> Terms:
    """What approvers agree to: this run, by these rules, and what its pipeline's role is given."""
    run = ask.run
    target = GateTerms(KIND, "", ask.gate, run.repository, run.commit, run.key)
    if gives is not None:
        given = digest(gives.target.agreed())
        target = GivingTerms(KIND_GIVING, "", ask.gate, run.repository, run.commit, run.key, given)
    return Terms(
        environment=asked.environment,
        role=asked.role,
        tier=asked.tier,
        risk=asked.risk,
        holder=pipeline_person(run),
        duration_s=gives.duration_s if gives is not None else 0,
        target=target,
        allows=asked.allows,
    )


def giving(gate: Gate, known: Giving | None = None) -> Giving | Refused | None:
    """What this gate gives now; with the resource that is known of it where it still is the same."""
    found = gate.gives
    if found is None:
        return None
    try:
        target = found.target.terms(found.connection, gate.entitlement.environment, found.account, None)
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    same = known is not None and known.target == target
    return Giving(target, int(found.duration.total_seconds()), known.resource if known is not None and same else None)
