"""Pipelines that ask for a gate, in a world in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support import build
from tests.support.world import World
from workflows.core import keys
from workflows.core.gates.terms import GATE_SPEC, NO_CONNECTION
from workflows.core.identity import Address
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import Forge, Part, PipelineRun, StarterId
from workflows.core.policy import Entitlement, Environment, Gate, GateTarget, Policy, Risk, UnknownStarter, gate_role
from workflows.core.refusal import Refused
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.gates.ask import Asked, Words, ask
from workflows.usecases.gates.redeem import Redeemed, redeem
from workflows.usecases.gates.state import State, standing

ISSUER = "https://token.actions.githubusercontent.com"
COMMIT = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
TICKET = "5" * 64
NOTHING = timedelta(0)
# Numeric ids at GitHub.
FORGE_IDS: Mapping[Address, Mapping[str, int]] = {
    Address(build.DANA): {"github": 1001},
    Address(build.OLU): {"github": 1002},
}
PIPELINE = Pipeline(
    "orders",
    Forge.GITHUB,
    ISSUER,
    "1296269",
    "583231",
    ("push", "schedule"),
    "refs/heads/main",
    environment="production",
)


def starter(number: int | None = 1001, name: str = "dana-gh", part: Part = Part.STARTED) -> StarterId:
    return StarterId(Forge.GITHUB, number, name, part)


def pipeline_run(**changes: Any) -> PipelineRun:
    """Of a push to main, by Dana unless somebody else is said."""
    own = PipelineRun(
        issuer=ISSUER,
        forge=Forge.GITHUB,
        repository="acme/orders",
        repository_id="1296269",
        owner_id="583231",
        ref="refs/heads/main",
        ref_protected=True,
        commit=COMMIT,
        run="22259804324",
        attempt="1",
        job="90000001",
        environment="production",
        workflow="acme/orders/.github/workflows/deploy.yml@refs/heads/main",
        event="push",
        actor_id="1001",
        starters=(starter(), starter(part=Part.PUSHED)),
        server="https://github.com",
    )
    return replace(own, **changes)


def gate(
    name: str = "deploy",
    unknown_starter: UnknownStarter = UnknownStarter.ONE_MORE,
    gives: GateTarget | None = None,
    **changes: Any,
) -> Gate:
    own = Entitlement(
        environment="payments-prod",
        role=gate_role(name),
        tier=build.entitlement().tier,
        risk=Risk.CHANGE,
        allows="The pipeline goes on, once",
        target=GATE_SPEC,
        connection=NO_CONNECTION,
        account=None,
        requesters=(),
        owners=("platform",),
        approve={"owners": 1},
        durations=(NOTHING,),
        default_duration=NOTHING,
        max_duration=NOTHING,
        expires_after=timedelta(minutes=30),
    )
    return Gate(name, replace(own, **changes), unknown_starter, gives)


TEMPLATE = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::shop/*"}]}'
)


def role_target(duration: timedelta = timedelta(minutes=30), **changes: Any) -> GateTarget:
    """What the pipeline's role is given; `changes` are of its spec."""
    own: dict[str, Any] = {"role": "orders-deploy", "policy_template": TEMPLATE, "policy_path": "policies/deploy.json"}
    return GateTarget(AwsSpec(AwsKind.IAM_ROLE_POLICY, **(own | changes)), build.MAIN, "111122223333", duration)


def with_gate(found: Gate | None = None, **changes: Any) -> Environment:
    one = found or gate()
    return build.environment(gates={one.name: one}, **changes)


def gated(found: Gate | None = None, *, place: Mapping[str, Any] | None = None, **changes: Any) -> Policy:
    """A policy with one gate in payments-prod, and Dana and Olu in its `people`."""
    own: dict[str, Any] = {"pipelines": (PIPELINE,), "forge_ids": FORGE_IDS, **changes}
    return build.policy(with_gate(found, **(place or {})), **own)


def wants(
    world: World, run: PipelineRun | None = None, token: str = "", ticket: str = TICKET, nonce: str = "", **words: str
) -> Asked | Refused:
    """A pipeline asks. `token`: another one each time unless it is said; `nonce`: of the command that shows it."""
    found = Words(**{"environment": "payments-prod", "gate": "deploy", "change": "Faster checkout", **words})
    number = token or world.press_id()
    once = {keys.token_once(ISSUER, number): world.clock.now() + timedelta(minutes=10)}
    return ask(world.ctx, run or pipeline_run(), found, ticket, once, f"gate:{number}{nonce}")


def waits(world: World, **changes: Any) -> str:
    """Ask, and let a worker look at it. Returns the id."""
    answer = wants(world, **changes)
    assert isinstance(answer, Asked), answer
    world.work()
    return answer.id


class Gates(World):
    """`run`: the pipeline's, and Dana pushed it."""

    def __init__(self, policy: Policy | None = None, run: PipelineRun | None = None) -> None:
        super().__init__(policy or gated())
        self.pipeline = run or pipeline_run()
        self.knows(build.DANA, build.OLU, build.PAT, build.SUE, build.NIA)

    def wants(
        self, run: PipelineRun | None = None, token: str = "", ticket: str = TICKET, **words: str
    ) -> Asked | Refused:
        return wants(self, run or self.pipeline, token, ticket, **words)

    def waits(self, **changes: Any) -> str:
        return waits(self, **{"run": self.pipeline, **changes})

    def goes_on(self, id_: str, run: PipelineRun | None = None, press: str = "") -> Redeemed | Refused:
        return redeem(self.ctx, id_, run, press or self.press_id())

    def state(self, id_: str) -> State:
        found = standing(self.ctx, id_)
        assert found is not None
        return found.state
