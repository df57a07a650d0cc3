"""How a process hears that it is to end."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]
# Its main thread waits as a worker's does, and the signal goes to another thread.
ASKED = """
import os, signal, threading
from bot.runtime.stopping import stop_when_asked
stop = stop_when_asked()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.kill(os.getpid(), signal.SIGTERM)
stop.wait()
print("ends", flush=True)
os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of this kind")
def test_a_process_ends_whichever_of_its_threads_takes_the_signal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert done.stdout.endswith("ends\n")
