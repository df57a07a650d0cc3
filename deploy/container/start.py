"""Starts a process in a root that replay.py has made: `python3 deploy/container/start.py FOLDER [-e NAME=VALUE] [-v OUT:IN] web`.

As an engine would with --read-only, --cap-drop ALL and --security-opt no-new-privileges: as the image's user, as process 1 of
its own, with /tmp in memory. SIGTERM and SIGINT go to it. The network is this machine's. Ends with its exit code.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Arguments: the root; then (outside, inside, ro or rw) for each mount; then --, and what is started.
READ_ONLY = """
set -e; root=$1; shift
mount --bind "$root" "$root"; mount -t tmpfs -o size=16m,mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"; [ "$3" = rw ] || mount -o remount,bind,ro "$1" "$root$2"
    shift 3
done; shift
mount -o remount,bind,ro "$root" "$root"
exec "$@"
"""
OWN = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", READ_ONLY, "sh")
LOWERED = ("--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")


def image(folder: Path) -> dict[str, Any]:
    """What replay.py has noted: environ, user, workdir, entrypoint, command, health, labels."""
    found: dict[str, Any] = json.loads((folder / "image.json").read_text(encoding="utf-8"))
    return found


def command(
    folder: Path, words: Sequence[str], environ: Mapping[str, str], mounts: Mapping[Path, str] | None = None
) -> tuple[str, ...]:
    """`words` come after the entrypoint. `mounts`: place of this machine -> place inside, read-only, or `place:rw`."""
    what, root = image(folder), folder / "root"
    bound = [word for outside, place in (mounts or {}).items() for word in mount(root, outside, place)]
    user, _, group = what["user"].partition(":")
    given = (f"{name}={value}" for name, value in {**what["environ"], **environ}.items())
    into = ("chroot", str(root), "setpriv", f"--reuid={user}", f"--regid={group}", *LOWERED)
    clean = ("env", "-i", f"--chdir={what['workdir']}", *given)
    return (*OWN, str(root), *bound, "--", *into, *clean, *what["entrypoint"], *words)


def first(starter: int) -> int:
    """The process that is number 1 inside, by its number here."""
    return int(Path(f"/proc/{starter}/task/{starter}/children").read_text(encoding="ascii").split()[0])


def beside(folder: Path, starter: int, words: Sequence[str]) -> tuple[str, ...]:
    """What runs `words` (without the entrypoint) beside that process, as a health check is run."""
    what, root = image(folder), folder / "root"
    user, _, group = what["user"].partition(":")
    given = (f"{name}={value}" for name, value in what["environ"].items())
    into = ("nsenter", f"--target={first(starter)}", "--mount", "--pid", "chroot", str(root))
    return (*into, "setpriv", f"--reuid={user}", f"--regid={group}", *LOWERED, "env", "-i", *given, *words)


def mount(root: Path, outside: Path, place: str) -> tuple[str, str, str]:
    """A place to mount on has to be there: an engine makes it, too."""
    inside, _, how = place.partition(":")
    target = root / inside.lstrip("/")
    if outside.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    return str(outside), inside, how or "ro"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-e", action="append", default=[], metavar="NAME=VALUE", dest="environ")
    parser.add_argument("-v", action="append", default=[], metavar="OUTSIDE:INSIDE[:rw]", dest="mounts")
    parser.add_argument("folder", type=Path)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    environ = dict(each.split("=", 1) for each in options.environ)
    mounts = {Path(outside): inside for outside, _, inside in (each.partition(":") for each in options.mounts)}
    with subprocess.Popen(command(options.folder.resolve(), options.words, environ, mounts)) as starter:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _frame: os.kill(first(starter.pid), number))
        code = starter.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
