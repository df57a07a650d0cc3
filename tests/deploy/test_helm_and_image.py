"""The chart, the image and the compose file are about one image, one user and one Valkey."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.support.chart import PROCESSES, ROOT, container, releases

pytestmark = pytest.mark.deploy

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("process", PROCESSES)
def test_a_pod_runs_as_the_images_user_and_hands_its_entry_point_a_process(process: str) -> None:
    pod = releases()["default"].pod(process)
    found = pod["spec"]["securityContext"]
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == [f"{found['runAsUser']}:{found['runAsGroup']}"]
    assert re.findall(r"^ENTRYPOINT (.+)", DOCKERFILE, re.MULTILINE) == ['["prodaccess"]']
    assert "command" not in container(pod, process)


def test_the_policy_is_where_the_image_looks_for_it() -> None:
    pod = releases()["default"].pod("web")
    mounts = {each["name"]: each["mountPath"] for each in container(pod, "web")["volumeMounts"]}
    assert f"PRODACCESS_CONFIG={mounts['policy']}" in DOCKERFILE


def test_the_valkey_of_the_chart_is_that_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    own = releases()["everything"].named("StatefulSet", "prodaccess-valkey")["spec"]["template"]
    assert container(own, "valkey")["image"] == services["valkey"]["image"]
