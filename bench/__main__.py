"""All measurements, each figure beside its goal.

    python -m bench [--quick] [--only NAME ...] [--json FILE] [--markdown FILE]

Each measurement is a process of its own, one after the other. A goal that is missed is a row with NO and by how much, and no
failure: the exit code is 0. Below the table stands where the processor time of these goes (`bench.profiles`). What could not be
measured is a row that says why, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from json import JSONDecodeError, loads
from pathlib import Path

from bench.figures import Broken, Figure, Reached, Row, from_json, markdown, table, write_json
from bench.machine import Machine, this_machine
from bench.profiles import Profile
from bench.profiles import from_json as from_profile_json

# In this order. The first are quick, the last fills a gigabyte or more.
NAMES = ("ledger", "acks", "crowded", "press", "calls", "ends", "lateness", "many", "seal", "verify", "growth")
WITHIN_S = 1200.0
STOP_S = 30.0
ROOT = Path(__file__).parents[1]


def main() -> None:
    asked = _asked(sys.argv[1:])
    machine, rows = this_machine(), list[Row]()
    for name in asked.only or NAMES:
        began = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += of_its_own(name, quick=asked.quick)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    machine = replace(machine, load_after=os.getloadavg()[0])
    _write(rows, profiles_of(rows), machine, asked)
    sys.exit(exit_code(rows))


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run; the figures mean little")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"some of them: {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and the machine there, too")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the table, as a page has it")
    asked = parser.parse_args(words)
    for name in asked.only or ():
        if name not in NAMES:
            sys.exit(unknown(name))
    return asked


def unknown(name: str) -> str:
    near = get_close_matches(name, NAMES, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"There is no measurement called {name!r}.{meant} There are: {', '.join(NAMES)}."


def exit_code(rows: Sequence[Row]) -> int:
    return int(any(isinstance(row, Broken) or row.reached is Reached.UNKNOWN for row in rows))


def of_its_own(name: str, *, quick: bool, module: str = "", within_s: float = WITHIN_S) -> Sequence[Row]:
    """Its figures, or why there are none. `module`: what is run, where that is another one than `bench.NAME`."""
    with tempfile.TemporaryDirectory(prefix="bench-figures-") as folder:
        file, said = Path(folder) / "figures.json", Path(folder) / "said"
        argv = [sys.executable, "-m", module or f"bench.{name}", "--json", str(file), *(["--quick"] if quick else [])]
        with said.open("wb") as out:
            process = subprocess.Popen(argv, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
        try:
            code = process.wait(within_s)
        except subprocess.TimeoutExpired:
            return [Broken(name, f"it took longer than {within_s:g} s")]
        finally:
            _stop(process)
        try:
            rows = [from_json(found) for found in loads(file.read_text())["figures"]]
        except (OSError, JSONDecodeError, KeyError, TypeError, ValueError):
            rows = []
        if code or not rows:
            return [Broken(name, _why(said) or f"exit code {code}")]
        return rows


def profiles_of(rows: Sequence[Row]) -> Sequence[Profile]:
    """Of what missed its goal, each in a process of its own."""
    missed = (row.profile for row in rows if isinstance(row, Figure) and row.reached is Reached.NO and row.profile)
    return [_profile(name) for name in dict.fromkeys(missed)]


def _profile(name: str) -> Profile:
    print(f"profile of {name} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as folder:
        file = Path(folder) / "profiles.json"
        argv = [sys.executable, "-m", "bench.profiles", name, "--json", str(file)]
        problem = ""
        try:
            done = subprocess.run(argv, check=False, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S)
            problem = _last(done.stderr)
            (found,) = loads(file.read_text())
            return from_profile_json(found)
        except (OSError, JSONDecodeError, KeyError, TypeError, ValueError, subprocess.TimeoutExpired) as failed:
            return Profile(name, "", problem=problem or str(failed)[:200])


def _last(said: str) -> str:
    return next((line.strip()[:200] for line in reversed(said.splitlines()) if line.strip()), "")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """What it has started goes with it: first as by Ctrl-C, so that it tidies up, then all of its session."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _why(file: Path) -> str:
    """The first line of the error of the last traceback, behind which an error's own text may go on; else what was said last."""
    lines = [line for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line.startswith("Traceback ")]
    told = [line for line in lines[starts[-1] + 1 :] if not line[0].isspace()] if starts else lines[-1:]
    return told[0].strip()[:300] if told else ""


def _write(rows: Sequence[Row], profiles: Sequence[Profile], machine: Machine, asked: argparse.Namespace) -> None:
    if asked.json is not None:
        more = {"machine": machine.json(), "profiles": [one.json() for one in profiles]}
        asked.json.write_text(write_json(rows, quick=asked.quick, **more))
    where = "".join(f"\n\n{one.words()}" for one in profiles)
    if asked.markdown is not None:
        asked.markdown.write_text(
            f"{markdown(rows)}\n\n{machine.words()}\n" + (f"\n```{where[1:]}\n```\n" if where else "")
        )
    print(table(rows))
    print(f"\n{machine.words()}{where}")


if __name__ == "__main__":
    main()
