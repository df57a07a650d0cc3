"""What our own policy folder in a checkout says of production: owners, gates, pipelines, and what is given for a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.boundaries.model import Place
from bot.boundaries.reading.checkout import Checkout, folder_of
from bot.boundaries.reading.kinds import Kind, kind_of
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.policy import Environment, Gate, Policy, Tier
from workflows.policy_file import read_policy

FOLDERS_MAX = 5


@dataclass(frozen=True, slots=True)
class Gated:
    """A gate of an environment. `gives_to`: the pipeline's role that its approval gives what it needs; empty: it gives nothing.

    `by_rule`: the pipelines whose environment at the forge asks at this gate, by the policy.
    """

    environment: str
    gate: str
    place: Place
    gives_to: str
    by_rule: tuple[Pipeline, ...]


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    """`folder`: from the checkout's root. `policy`: None where it is not in order, and `problem` is the first one."""

    folder: str
    policy: Policy | None
    problem: str = ""

    def file(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name

    @property
    def production(self) -> tuple[Environment, ...]:
        found = self.policy.environments.values() if self.policy else ()
        return tuple(each for each in found if each.tier is Tier.PRODUCTION)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.policy.environments) if self.policy else ()

    def place(self, environment: str) -> Place:
        return Place(self.file(f"environments/{environment}.yaml"), 1)

    @property
    def files(self) -> tuple[str, ...]:
        """Those that say who may do what in production."""
        own = [self.file(f"environments/{each.name}.yaml") for each in self.production]
        return (self.file("prodaccess.yaml"), self.file("roles.yaml"), *own)

    @property
    def permission_sets(self) -> frozenset[str]:
        """Those that are given for a time in production."""
        targets = (role.target for each in self.production for role in each.roles.values())
        return frozenset(name for target in targets if (name := getattr(target, "permission_set", "")))

    def named_by(self, forges_environment: str) -> Environment | None:
        """Ours that is called like one of a forge, or that the policy's pipelines say it stands for."""
        if self.policy is None:
            return None
        for pipeline in self.policy.pipelines:
            if pipeline.environment == forges_environment and pipeline.environments and len(pipeline.environments) == 1:
                return self.policy.environments.get(pipeline.environments[0])
        return self.policy.environments.get(forges_environment)

    def gates(self, environment: str) -> tuple[Gated, ...]:
        found = self.policy.environments.get(environment) if self.policy else None
        if found is None or self.policy is None:
            return ()
        rules = tuple(each for each in self.policy.pipelines if each.rule and each.environments == (environment,))
        return tuple(
            Gated(
                environment,
                name,
                self.place(environment),
                gives_to=_given(gate),
                by_rule=tuple(each for each in rules if each.rule == name),
            )
            for name, gate in found.gates.items()
        )


def _given(gate: Gate) -> str:
    """The role's name; empty where its approval gives nothing."""
    return str(getattr(gate.gives.target, "role", "")) if gate.gives is not None else ""


def policy_files(checkout: Checkout, shows: Callable[[str], bool]) -> list[str]:
    return sorted(name for name in checkout.names if kind_of(name) is Kind.POLICY and not shows(name))


def own_policies(checkout: Checkout, shows: Callable[[str], bool]) -> tuple[OwnPolicy, ...]:
    """Each folder with a prodaccess.yaml, the first few of them; not those of examples (`shows`), which are in force nowhere."""
    found = []
    for folder in map(folder_of, policy_files(checkout, shows)[:FOLDERS_MAX]):
        reading = read_policy(checkout.root / folder)
        problem = str(reading.problems[0]) if reading.problems else ""
        found.append(OwnPolicy(folder, reading.policy, problem))
    return tuple(found)
