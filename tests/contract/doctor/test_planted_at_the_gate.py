"""Faults of what a pipeline needs: web's address, and the keys of whoever vouches for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.contract.directory import test_outside_groups as groups
from tests.contract.directory.test_outside_groups import Answer, Outside
from tests.contract.doctor.rig import Fault, Rig
from tests.support.issuer import Issuer, issuing
from workflows.core.finding import State

# The fixture, which pytest looks for here.
outside = groups.outside

PIPELINE = """pipelines:
  - {name: orders, issuer: "%s", repository_id: "1296269", repository_owner_id: "583231", events: [push],
     workflow: acme/orders/.github/workflows/deploy.yml@refs/heads/main}
digests:"""
NO_SUCH_ASK = {"error": "unknown", "sentence": "There is no such ask, or this is not its wait ticket."}
FAULTS = (
    Fault("no address", lambda rig: rig.environ.pop("PRODACCESS_URL"), "pipelines.url", "none can ask", "reach web"),
    Fault(
        "an address of something else",
        lambda rig: setattr(rig.outside, "answer", lambda _path, _query: Answer([], 404)),
        "pipelines.url",
        "is not the gate of a web that has it (404)",
        "look at the address",
    ),
    Fault(
        "an address at which nothing is",
        lambda rig: rig.environ.update(PRODACCESS_URL="http://127.0.0.1:1"),
        "pipelines.url",
        "could not be reached from here",
        "start web",
        State.ATTENTION,
    ),
    Fault(
        "an issuer that lists nothing",
        lambda rig: rig.issuer.keys.clear(),
        "pipelines.issuer",
        "answered a list without keys: orders cannot ask",
        "let web reach it",
    ),
    Fault(
        "an issuer on this machine beside the real AWS",
        lambda rig: rig.environ.pop("AWS_ENDPOINT_URL"),
        "pipelines.issuer",
        "it is not believed beside a real cloud: orders cannot ask",
        "the forge's own issuer",
    ),
)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(time.time) as found:
        yield found


@pytest.fixture
def asked_by_pipelines(rig: Rig, outside: Outside, issuer: Issuer) -> Rig:
    rig.outside, rig.issuer = outside, issuer
    outside.answer = lambda _path, _query: Answer(NO_SUCH_ASK, 404)
    rig.edit("prodaccess.yaml", "digests:", PIPELINE % issuer.url)
    rig.environ |= {"PRODACCESS_URL": outside.url, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    return rig


def test_a_gate_that_pipelines_can_reach_is_ok(asked_by_pipelines: Rig):
    found = asked_by_pipelines.found("pipelines")

    assert [(one.check, one.state) for one in found] == [
        ("pipelines.url", State.OK),
        ("pipelines.issuer", State.OK),
    ], found
    assert [path for path, _, _ in asked_by_pipelines.outside.seen] == ["/gate/v1/asks/PA-0"]


def test_where_no_pipeline_is_named_nothing_is_asked(rig: Rig):
    assert rig.found("pipelines") == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_at_the_gate_is_found_and_its_mend_is_named(asked_by_pipelines: Rig, fault: Fault):
    fault.plant(asked_by_pipelines)

    fault.told_by(asked_by_pipelines.found("pipelines"))


def test_on_an_operators_machine_the_address_is_no_fault(asked_by_pipelines: Rig):
    del asked_by_pipelines.environ["PRODACCESS_URL"]
    asked_by_pipelines.whom = None

    found = asked_by_pipelines.found("pipelines")

    assert [one.state for one in found] == [State.SKIPPED, State.OK], found
    assert "prodaccess doctor --process web" in found[0].mend
