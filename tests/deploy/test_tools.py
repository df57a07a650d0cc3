"""The tools that the other tests here ask for are there, and are what they are taken for."""

from __future__ import annotations

import subprocess

import pytest

from tests.support import deploy_tools

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize("name", ["hadolint", "shellcheck", "cyclonedx-py"])
def test_a_program_of_the_tools_runs(name: str) -> None:
    done = subprocess.run((deploy_tools.tool(name), "--version"), check=False, capture_output=True, text=True)
    assert (done.returncode, bool(done.stdout)) == (0, True)


@pytest.mark.parametrize("found", [deploy_tools.promtool, deploy_tools.prometheus, deploy_tools.systemd_analyze])
def test_a_program_of_the_machine_runs(found) -> None:
    assert subprocess.run((found(), "--version"), check=False, capture_output=True).returncode == 0


def test_helm_hcl_and_the_schemas_of_kubernetes_can_be_asked() -> None:
    asked = "import hcl2, helm_python, kubernetes_validate\nanswer = [helm_python.helm_sdk_version(), data]"
    version, echoed = deploy_tools.in_tools(asked, data="told")
    assert (version[:3], echoed) == ("v4.", "told")


def test_a_tool_that_is_missing_fails_the_test_and_does_not_skip_it() -> None:
    with pytest.raises(pytest.fail.Exception, match="make check-deploy"):
        deploy_tools.tool("not-a-tool")
