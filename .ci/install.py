"""Puts the packages of a lock file into a virtual environment: `python3 .ci/install.py .venv requirements.lock`.

This package itself comes with them, where the lock file stands beside pyproject.toml; tools that only look at it stand elsewhere.

With uv where it is there and can, in seconds; else with pip, which every Python has. Each file's hash is checked either way.
Says on standard error how far it is. Exit code 0 once all is there, else 1, after a sentence that says what to do.
"""

import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
_FROM = (
    "Packages come from pypi.org, or from the index that pip is told of (pip config set global.index-url ADDRESS). "
    "What was fetched is kept: run make again."
)
NOT_FETCHED = f"The packages could not be fetched. {_FROM}"
NO_NETWORK = f"The index of Python packages cannot be reached: is there a network? {_FROM}"
# What pip says of a connection, once for each try.
NO_CONNECTION = re.compile(r"connection broken by '\w*(Connect|Connection|NameResolution|Protocol|Proxy|Timeout)\w*\(")
OURSELVES = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
NO_VENV = "A virtual environment could not be made in {}. On Debian and Ubuntu: apt install python3-venv."


def main(folder: Path, lock: Path) -> int:
    if sys.version_info < NEEDED:
        return fail("prodaccess needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")
    count = len(re.findall(r"^[a-z0-9][^=\s]*==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    with Progress(f"Setting up {folder}, once: {count} packages of {lock.name}") as progress:
        problem = install(folder, lock, progress)
    return fail(problem) if problem else 0


def install(folder: Path, lock: Path, progress: "Progress") -> str:
    """What stands in the way, or nothing."""
    uv, python = shutil.which("uv"), folder / "bin" / "python"
    with_pip = [] if uv is None else ["--without-pip"]
    if not python.exists() and not run([sys.executable, "-m", "venv", *with_pip, str(folder)], progress.keep):
        return progress.last_words() + NO_VENV.format(folder)
    if uv is not None and installed_by_uv(uv, python, lock):
        return ""
    return "" if installed_by_pip(python, lock, progress) else progress.not_fetched()


def installed_by_uv(uv: str, python: Path, lock: Path) -> bool:
    """False where it cannot: it knows nothing of pip's configuration, a company's own index say."""
    command = [uv, "pip", "install", "--quiet", "--python", str(python)]
    return run([*command, "--require-hashes", "-r", str(lock)]) and (tools_alone(lock) or run([*command, *OURSELVES]))


def installed_by_pip(python: Path, lock: Path, progress: "Progress") -> bool:
    pip = [str(python), "-u", "-m", "pip"]
    if not run([*pip, "--version"]) and not run([str(python), "-m", "ensurepip"], progress.keep):
        return False
    command = [*pip, "install", "--disable-pip-version-check", "--progress-bar", "off"]
    fetched = run([*command, "--require-hashes", "-r", str(lock)], progress.pip_said)
    return fetched and (tools_alone(lock) or run([*command, *OURSELVES], progress.keep))


def tools_alone(lock: Path) -> bool:
    return lock.resolve().parent != ROOT


def run(command, watch=None) -> bool:
    """Whether it succeeded. `watch` gets what it says, errors too, line by line; nothing of it is shown here."""
    out = subprocess.PIPE if watch else subprocess.DEVNULL
    with subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout or ():
            watch(line)
    return process.returncode == 0


class Progress:
    """One line that is rewritten on a terminal; elsewhere the first and the last of it."""

    def __init__(self, what: str) -> None:
        self.what, self.step, self.fetched = what, "", 0
        self.said = deque(maxlen=12)
        self.over = threading.Event()
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self.tick, daemon=True)

    def __enter__(self) -> "Progress":
        print(f"{self.what} ...", file=sys.stderr, end="" if sys.stderr.isatty() else "\n", flush=True)
        if sys.stderr.isatty():
            self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()
        self.step = ""
        print(f"\r\033[K{self.line()}" if sys.stderr.isatty() else self.line(), file=sys.stderr)

    def keep(self, line: str) -> None:
        self.said.append(line)

    def pip_said(self, line: str) -> None:
        self.keep(line)
        self.fetched += line.startswith(("Collecting ", "Processing "))
        self.step = "unpacking, " if line.startswith("Installing ") else f"{self.fetched} fetched, "

    def last_words(self) -> str:
        """Without what is no reason: warnings, and packages that other machines need."""
        return "".join(line for line in self.said if line.strip() and not line.startswith(("WARNING: ", "Ignoring ")))

    def not_fetched(self) -> str:
        return NO_NETWORK if any(map(NO_CONNECTION.search, self.said)) else self.last_words() + NOT_FETCHED

    def tick(self) -> None:
        while not self.over.wait(0.5):
            print(f"\r\033[K{self.line()}", file=sys.stderr, end="", flush=True)

    def line(self) -> str:
        return f"{self.what}, {self.step}{time.monotonic() - self.began:.0f} s"


def fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
