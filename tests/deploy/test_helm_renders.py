"""The chart, by Helm itself: it is in order, what it makes is what Kubernetes takes, and a slip in the values is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import chart, deploy_tools
from tests.support.chart import CHART, ROOT, asked, cases, merged, releases

pytestmark = pytest.mark.deploy

CUSTOM = {"ServiceMonitor", "PrometheusRule"}
NAMED = {"existingConfigMap": {"name": "p", "keys": ["prodaccess.yaml"]}}

_LINT = """
import helm_python as helm
answer = [helm.lint(data["chart"], values, strict=True) for values in data["values"]]
"""
# It reads a megabyte of definitions for each object, which are the same.
_VALIDATE = """
import functools
from kubernetes_validate import utils
utils.schema_contents = functools.cache(utils.schema_contents)
answer = []
for version in data["versions"]:
    for each in data["objects"]:
        try:
            utils.validate(each, version, strict=True)
        except Exception as error:
            answer.append([version, each["kind"], each["metadata"]["name"], str(error)[:500]])
"""
_PACKAGE = """
import helm_python as helm
answer = helm.package(data["chart"], destination=data["to"])
"""


def test_helm_finds_nothing_to_say_but_that_there_is_no_picture() -> None:
    for report in deploy_tools.in_tools(_LINT, {"chart": str(CHART), "values": list(cases().values())}):
        assert report["errors"] == []
        assert [each["error"] for each in report["messages"]] == ["icon is recommended"]


def test_each_object_is_one_that_kubernetes_takes() -> None:
    objects = [each for release in releases().values() for each in release.objects if each["kind"] not in CUSTOM]
    assert len(objects) > 50
    versions = ["1.25.0", "1.37.0"]  # the oldest that the chart allows, and the newest that is known here
    assert deploy_tools.in_tools(_VALIDATE, {"objects": objects, "versions": versions}) == []


def test_an_object_that_kubernetes_would_not_take_is_found() -> None:
    wrong = merged(releases()["default"].named("Service", "prodaccess-ops"), {"spec": {"port": 80}})
    assert deploy_tools.in_tools(_VALIDATE, {"objects": [wrong], "versions": ["1.31.0"]})


def test_no_two_objects_have_one_name_and_each_carries_the_labels() -> None:
    for release in releases().values():
        names = [(each["kind"], each["metadata"]["name"]) for each in release.objects]
        assert len(set(names)) == len(names)
        for each in release.objects:
            assert {"app.kubernetes.io/instance", "helm.sh/chart"} <= each["metadata"]["labels"].keys()


def test_the_chart_deploys_the_version_that_it_stands_beside() -> None:
    said = subprocess.run(
        (sys.executable, "-m", "bot", "--version"), capture_output=True, text=True, check=True, cwd=ROOT
    )
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert said.stdout.split() == ["prodaccess", about["appVersion"]]


def test_what_is_packed_is_the_chart_without_the_values_of_its_tests(tmp_path: Path) -> None:
    packed = deploy_tools.in_tools(_PACKAGE, {"chart": str(CHART), "to": str(tmp_path)})
    with tarfile.open(packed) as archive:
        names = set(archive.getnames())
        # A link in the checkout, and the file itself in what is shipped.
        assert archive.getmember("prodaccess/files/alerts.yaml").isfile()
    assert {"prodaccess/README.md", "prodaccess/values.schema.json", "prodaccess/templates/_pod.tpl"} <= names
    assert not [name for name in names if "/ci/" in name]


def closed(schema: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all groups of values that name what they may hold."""
    own = schema.get("properties", {})
    found = [path] if own else []
    for key, below in own.items():
        found += closed(below, (*path, key))
    return found


def test_a_slip_is_refused_wherever_it_is_made() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    paths = closed(schema)
    assert len(paths) > 25
    tried = [merged({"policy": NAMED}, nested(path, {"replcias": 3})) for path in paths]
    for path, (_, refused) in zip(paths, asked(tried), strict=True):
        assert "replcias" in refused, path


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return value


WRONG = {
    "a count of none": {"worker": {"replicas": 0}},
    "a mode that is none": {"slack": {"mode": "https"}},
    "credentials for web": {"web": {"extraEnv": [{"name": "AWS_PROFILE", "value": "x"}]}},
    "credentials for the clock": {"clock": {"extraEnv": [{"name": "AWS_ROLE_ARN", "value": "x"}]}},
    "a role for web": {"web": {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "x"}}}},
    "a role for the clock": {"clock": {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "x"}}}},
    "a secret of the cloud by name": {"secrets": {"named": {"AWS_SECRET_ACCESS_KEY": "x"}}},
    "a role that is none": {"worker": {"aws": {"roleArn": "prodaccess-worker"}}},
    "a ledger that forgets": {"redis": {"durability": "volatile"}},
    "everybody's word about the sender": {"web": {"forwardedAllowIps": "*"}},
    "a folder above the repository": {"policy": {"git": {"path": "../config"}}},
    "a password in the address": {"policy": {"git": {"repository": "https://u:secret@git.example.com/p"}}},
    "a file that nobody reads": {"policy": {"files": {"environments/sub/x.yaml": "a"}}},
    "an app that is none": {"teams": {"appId": "123"}},
}


def test_what_must_not_be_is_refused() -> None:
    tried = [merged({"policy": NAMED}, each) for each in WRONG.values()]
    for why, (_, refused) in zip(WRONG, asked(tried), strict=True):
        assert "don't meet the specifications" in refused, why


SAID = (
    ({}, "There is no policy: give policy.files"),
    ({"policy": {"existingConfigMap": {"name": "p"}}}, "policy.existingConfigMap.keys is empty"),
    ({"policy": {"source": "git"}}, "set policy.git.repository"),
    ({"policy": NAMED, "slack": {"enabled": False}}, "No chat is on"),
    ({"policy": NAMED, "teams": {"enabled": True}}, "set teams.appId and teams.tenantId"),
    ({"policy": NAMED, "valkey": {"enabled": True}}, "set valkey.existingSecret"),
    ({"policy": NAMED, "worker": {"aws": {"identity": "projected"}}}, "set worker.aws.roleArn"),
    ({"policy": NAMED, "ingress": {"enabled": True, "host": "a.example.com"}}, "Nothing has to be reachable"),
    ({"policy": NAMED, "slack": {"mode": "http"}, "ingress": {"enabled": True}}, "set ingress.host"),
)


def test_what_cannot_work_is_said_with_what_to_do() -> None:
    for (values, sentence), (_, refused) in zip(SAID, asked([values for values, _ in SAID]), strict=True):
        assert sentence in refused, values


def test_the_next_step_is_said_and_each_key_of_each_secret() -> None:
    for name, release in releases().items():
        asked = set(
            re.findall(
                r"deploy/prodaccess-(\w+) -c \1 -- prodaccess doctor --process (\w+)$", release.notes, re.MULTILINE
            )
        )
        assert asked == {("web", "web"), ("worker", "worker")}, name
        for process in chart.PROCESSES:
            for source in volume(release.pod(process), "secrets")["projected"]["sources"]:
                secret = source["secret"]
                assert f"{secret['items'][0]['key']} in {secret['name']}" in release.notes


def volume(pod: chart.Object, name: str) -> chart.Object:
    (found,) = [each for each in pod["spec"]["volumes"] if each["name"] == name]
    return found
