"""Starting a process that does not outlive us, in whatever way we end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# Runs between fork and the program. A `preexec_fn` would run Python in a forked copy of a process with threads, which
# can deadlock; a fresh interpreter cannot. The look at the parent closes the gap before prctl took effect.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def dies_with_us(command: Sequence[str]) -> tuple[str, ...]:
    """The command that runs `command`, which begins with a path, and on Linux kills it when we end.

    Linux looks at the *thread* that forked: start it from one that lives as long as it should.
    """
    return (sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command)
