"""The tools of `make check-deploy`: Helm, hadolint and the like in a virtual environment of their own, others from Debian.

Who asks for one that is not there has a test that fails, with what to do: a check that is left out promises nothing.
The folder is what PRODACCESS_DEPLOY_TOOLS says, else `.venv-deploy`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def folder() -> Path:
    return ROOT / os.environ.get("PRODACCESS_DEPLOY_TOOLS", ".venv-deploy")


def tool(name: str) -> Path:
    """A program of the virtual environment: hadolint, shellcheck, cyclonedx-py, pyproject-build."""
    found = folder() / "bin" / name
    if not found.exists():
        pytest.fail(f"{name} is not in {folder()}: make check-deploy puts it there")
    return found


def deploy_python() -> Path:
    """The Python that can import helm_python, hcl2, kubernetes_validate."""
    return tool("python")


def in_tools(code: str, data: Any = None) -> Any:
    """What Python code of the tools' environment answers: it is given `data`, from JSON, and sets `answer`, for JSON."""
    frame = f"import json, sys\ndata = json.load(sys.stdin)\n{code}\njson.dump(answer, sys.stdout)"
    command, given = (deploy_python(), "-c", frame), json.dumps(data)
    done = subprocess.run(command, check=False, input=given, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def promtool() -> Path:
    return of_the_machine("promtool", package="prometheus")


def prometheus() -> Path:
    return of_the_machine("prometheus", package="prometheus")


def systemd_analyze() -> Path:
    return of_the_machine("systemd-analyze", package="systemd")


def of_the_machine(name: str, *, package: str) -> Path:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not on the PATH. On Debian and Ubuntu: apt install {package}")
    return Path(found)
