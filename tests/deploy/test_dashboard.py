"""The dashboard: a real Prometheus scrapes a running installation, and every panel's query finds something there."""

from __future__ import annotations

import json
import math
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from bot.observability.calls import Calls
from tests.deploy.test_monitoring import ALERTS, ROOT, metrics_there_are
from tests.support.deploy_tools import prometheus
from tests.support.installation import SHORT, Installation, free_port
from tests.support.waiting import eventually
from workflows.core.calls import Call

pytestmark = pytest.mark.deploy

DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "prodaccess.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
# What Grafana puts in place of its variables.
VARIABLES = {"$__rate_interval": "1m", "$environment": ".*", "$job": "prodaccess"}


def as_sent(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query, query
    return query


# ---------------------------------------------------------------- what needs no server


def test_each_panel_says_what_it_is_in_its_own_place() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) == 23
    for panel in PANELS:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"


def test_each_metric_of_the_dashboard_is_there() -> None:
    used = {name for _, query in QUERIES for name in re.findall(r"\bprodaccess_\w+", query)}
    assert used <= metrics_there_are()


# ---------------------------------------------------------------- a running installation


def answer(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as found:
        return json.load(found)["data"]


class Server:
    """A real Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str) -> list[float]:
        found = answer(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
        return [float(one["value"][1]) for one in found["result"]]

    def is_there(self) -> bool:
        try:
            return bool(self.ask("vector(1)"))
        except OSError:
            return False


@contextmanager
def running_prometheus(folder: Path, target: int) -> Iterator[Server]:
    """Scrapes a port of this machine once a second, and goes by our alarms."""
    config = folder / "prometheus.yaml"
    scrape = {"job_name": "prodaccess", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config.write_text(yaml.safe_dump({"global": every, "scrape_configs": [scrape], "rule_files": [str(ALERTS)]}))
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                prometheus(),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            server = Server(f"http://127.0.0.1:{port}")
            eventually(server.is_there)
            yield server
        finally:
            process.terminate()
            process.wait(10)


def fresh_rise(server: Server, query: str, act: Callable[[], object]) -> None:
    """Do it once the figure was seen, and wait until Prometheus has seen it rise."""
    eventually(lambda: bool(server.ask(query)))
    before = server.ask(query)[0]
    act()
    eventually(lambda: server.ask(query)[0] > before)


def test_every_query_finds_something_and_a_well_installation_alarms_nobody(tmp_path: Path) -> None:
    with (
        Installation(tmp_path / "at", numbers=range(355, 358)) as at,
        running_prometheus(tmp_path, at.port) as server,
    ):
        decided = 'sum(prodaccess_grants_closed_total{cause="time"})'
        case = at.case()
        fresh_rise(server, decided, lambda: case.active(rest=SHORT))
        # What worker and web really called, by its own names.
        for method in ("sso-admin CreateAccountAssignment", "sso-admin DeleteAccountAssignment", "chat.postMessage"):
            query = f'prodaccess_calls_total{{method="{method}",error="ok"}}'
            eventually(lambda query=query: bool(server.ask(query)))
        called = Calls(redis.Redis.from_url(at.redis.url))

        def calls() -> None:
            for service in ("aws", "slack"):
                called.heard(Call(service, "method", "", 0.1))
                called.heard(Call(service, "method", "its_word", 0.1))
            called.flush()

        calls()
        fresh_rise(server, 'prodaccess_calls_total{service="aws",error="its_word"}', calls)
        wrong = {}
        for title, query in QUERIES:
            found = server.ask(as_sent(query))
            if not found or any(map(math.isnan, found)):
                wrong[title] = (query, found)
        assert not wrong
        alarms = answer(f"{server.url}/api/v1/rules")["groups"]
        assert {rule["health"] for group in alarms for rule in group["rules"]} == {"ok"}
        loud = [rule["name"] for group in alarms for rule in group["rules"] if rule["state"] == "firing"]
        assert loud == []
