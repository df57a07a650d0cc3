"""Who reaches whom in the chart: each process what it needs, and from outside three paths at most."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chart import Release, cases, releases, selects

pytestmark = pytest.mark.deploy


def ports_out(found: Release, process: str) -> set[int]:
    rules = found.named("NetworkPolicy", f"prodaccess-{process}")["spec"]["egress"]
    return {port["port"] for rule in rules for port in rule["ports"]}


def test_each_process_reaches_what_it_needs_and_no_more():
    found = releases()["default"]
    assert ports_out(found, "clock") == {53, 6379}
    assert ports_out(found, "worker") == ports_out(found, "web") == {53, 6379, 443}
    assert ports_out(releases()["teams"], "clock") == {53, 6379, 443}  # its policy comes from git
    assert ports_out(releases()["everything"], "clock") == {53, 6379, 26379, 22, 4318}
    for process in ("web", "worker", "clock"):
        rules = str(found.named("NetworkPolicy", f"prodaccess-{process}")["spec"]["egress"])
        assert ("'except': ['169.254.0.0/16']" in rules) == (process != "clock")


@pytest.mark.parametrize("release", [name for name in cases() if name != "minimal"])
def test_every_pod_stands_behind_a_wall_with_doors_of_its_own(release: str):
    found = releases()[release]
    walls = {each["metadata"]["name"]: each["spec"] for each in found.of("NetworkPolicy")}
    nothing = walls.pop("prodaccess-nothing")
    assert (nothing["policyTypes"], nothing.keys() & {"ingress", "egress"}) == (["Ingress", "Egress"], set())
    for name, pod in found.pods():
        labels = pod["metadata"]["labels"]
        assert selects(nothing["podSelector"], labels)
        assert [other for other, wall in walls.items() if selects(wall["podSelector"], labels)] == [name]


def test_who_comes_in():
    def doors(release: str) -> dict[Any, Any]:
        rules = releases()[release].named("NetworkPolicy", "prodaccess-web")["spec"].get("ingress", [])
        return {rule["ports"][0]["port"]: rule.get("from") for rule in rules}

    assert doors("default").keys() == {"ops"}
    assert doors("teams")["http"] is None
    assert doors("http")["http"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    ]
    assert all(doors(release)["ops"] for release in ("default", "teams", "http", "everything"))
    valkey = releases()["everything"].named("NetworkPolicy", "prodaccess-valkey")["spec"]["ingress"]
    labels = {name: pod["metadata"]["labels"] for name, pod in releases()["everything"].pods()}
    let_in = [name for name in labels if selects(valkey[0]["from"][0]["podSelector"], labels[name])]
    assert sorted(let_in) == ["prodaccess-clock", "prodaccess-web", "prodaccess-worker"]


def test_outside_reach_four_paths_at_most():
    def paths(release: str) -> list[str]:
        (ingress,) = releases()[release].of("Ingress")
        return [each["path"] for rule in ingress["spec"]["rules"] for each in rule["http"]["paths"]]

    assert paths("http") == ["/slack/events"]
    assert paths("teams") == ["/api/messages"]
    assert paths("everything") == ["/slack/events", "/api/messages", "/github/events", "/gate/v1", "/terminal/v1"]
    assert releases()["default"].of("Ingress") == []
    assert [each["metadata"]["name"] for each in releases()["default"].of("Service")] == ["prodaccess-ops"]
