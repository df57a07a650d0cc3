"""Versions before this one, from git history."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]


def unpacked(folder: Path, *names: str) -> Path:
    """The files of the first of these tags or commits that there is, in `folder`. Raises LookupError where none is at hand."""
    for name in names if shutil.which("git") else ():
        done = subprocess.run(["git", "archive", name], cwd=ROOT, check=False, capture_output=True)
        if done.returncode == 0:
            with tarfile.open(fileobj=BytesIO(done.stdout)) as tar:
                tar.extractall(folder, filter="data")
            return folder
    raise LookupError(names)
