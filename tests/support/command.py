"""A command of ours as a process, and whether anything is left of it afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Command:
    """`python -m MODULE ...` in a home and a temporary folder that nobody else uses. `more`: of its environment."""

    def __init__(self, folder: Path, module: str, *arguments: str, stdout: int = subprocess.PIPE, **more: str) -> None:
        self.mark = uuid.uuid4().hex
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        environ = {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(self.temporary), "TEST_MARK": self.mark}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**environ, **more},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def nothing_is_left(self) -> bool:
        return not list(self.temporary.iterdir()) and not self.processes()

    def processes(self, words: str = "") -> list[int]:
        """Whoever inherited our mark, and has these words in its command line. Elsewhere than on Linux nobody can be asked."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                ours = f"TEST_MARK={self.mark}".encode() in (entry / "environ").read_bytes()
                if ours and words in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found
