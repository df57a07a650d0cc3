"""Known faults of what we run on: found ones fail, and a machine that cannot ask says so and goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / ".ci" / "advisories.py"
SAFE = {"name": "requests", "version": "2.34.2", "vulns": []}
BAD = {"name": "redis", "version": "8.1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["8.1.1"]}]}
UNKNOWN = {"name": "requests", "skip_reason": "Dependency not found"}


def run(folder: Path, answer: Any = None) -> tuple[int, str]:
    """With a pip-audit that gives this answer; with none at all where it is None."""
    if answer is not None:
        program = folder / "pip-audit"
        program.write_text(
            f"#!/bin/sh\ncat <<'END'\n{answer if isinstance(answer, str) else json.dumps(answer)}\nEND\n"
        )
        program.chmod(0o755)
    command = [sys.executable, str(SCRIPT), "requirements.lock", str(folder)]
    done = subprocess.run(command, env={"PATH": "/bin"}, check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (None, 0, "not looked at: pip-audit is not installed"),
        ("no service", 0, "not looked at: no service"),
        ({"dependencies": [UNKNOWN]}, 0, "not looked at: no service"),
        ({"dependencies": [SAFE, UNKNOWN]}, 0, "1 of 2 packages of requirements.lock were looked at, 0 advisories"),
        ({"dependencies": [SAFE, BAD]}, 1, "redis 8.1.0: PYSEC-2026-1; mended in 8.1.1"),
    ],
)
def test_what_was_found_fails_and_what_was_not_looked_at_is_said(
    tmp_path: Path, answer: Any, code: int, words: str
) -> None:
    found, said = run(tmp_path, answer)
    assert (found, words in said) == (code, True), said
