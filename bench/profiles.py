"""Where the processor time goes of what misses its goal.

    python -m bench.profiles [NAME ...] [--json FILE]

Each profile is a run of its own, after the measurement and never during it, because being looked at costs time, too. A sampler
(py-spy) asks a process of ours some hundred times a second what holds its interpreter. A sample counts for the innermost function
of ours on its stack, with the library that it called there; and for that library, or the part of ours where it called none.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from bench.filled import developers_for, fill
from bench.load import Body, send
from bench.place import Place, running, until
from bench.tuned import NO_QUOTA
from tests.support.installation import ROOT

ENDS, COMMANDS, PRESSES, REPORT = "ends", "commands", "presses", "report"
HERTZ = 100
# Where all of it is a second or two.
SHORT_HERTZ = 400
OURS = ("bot", "workflows")
PYTHON = "Python"
PARTS_MAX, FUNCTIONS_MAX = 12, 12
# Below that a share is chance.
SAMPLES_MIN = 50


@dataclass(frozen=True, slots=True)
class Profile:
    """`parts`, `functions`: share of the samples by name, the largest first.

    `problem`: why there is none.
    """

    name: str
    of: str
    samples: int = 0
    parts: Sequence[tuple[str, float]] = ()
    functions: Sequence[tuple[str, float]] = ()
    problem: str = ""

    def words(self) -> str:
        if self.problem:
            return f"{self.name}: no profile: {self.problem}"
        lines = [f"{self.name}: processor time of {self.of} ({self.samples:,} samples)"]
        lines += [f"  {share:4.0%}  {part}" for part, share in self.parts]
        lines += ["  by function of ours, with what it calls of others:"]
        lines += [f"  {share:4.0%}  {function}" for function, share in self.functions]
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(found: Mapping[str, Any]) -> Profile:
    pairs = {name: [(str(part), float(share)) for part, share in found[name]] for name in ("parts", "functions")}
    return Profile(found["name"], found["of"], found["samples"], problem=found["problem"], **pairs)


# ---------------------------------------------------------------- of samples


def profile_of(name: str, of: str, stacks: Iterable[str]) -> Profile:
    """`stacks`: lines as py-spy writes them raw: the frames from the outermost on, with semicolons between, and how often."""
    parts, functions, samples = Counter[str](), Counter[str](), 0
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        if not count.strip().isdigit():
            continue
        frames, times = stack.split(";"), int(count)
        samples += times
        part, function = _place(frames)
        parts[part] += times
        if function:
            functions[function] += times
    if samples < SAMPLES_MIN:
        return Profile(name, of, problem=f"{samples} samples are too few to say anything")
    return Profile(name, of, samples, _shares(parts, samples, PARTS_MAX), _shares(functions, samples, FUNCTIONS_MAX))


def _shares(counted: Counter[str], of: int, most: int) -> list[tuple[str, float]]:
    return [(name, times / of) for name, times in counted.most_common(most)]


def _place(frames: Sequence[str]) -> tuple[str, str]:
    """The library that the innermost function of ours has called, or which part of ours that is; and the function, if any."""
    last = max((number for number, frame in enumerate(frames) if _owner(frame) in OURS), default=-1)
    called = next((owner for owner in map(_owner, frames[last + 1 :]) if owner != PYTHON), "")
    if last < 0:
        return called or PYTHON, ""
    function = f"{frames[last].partition(' (')[0]} ({_file(frames[last])})"
    return called or "/".join(_file(frames[last]).split("/")[:2]), function


def _owner(frame: str) -> str:
    first = _file(frame).split("/")[0].removesuffix(".py")
    return PYTHON if not first or first in sys.stdlib_module_names or first.startswith("<") else first


def _file(frame: str) -> str:
    """`name (file.py:12)`; the file as from its place in the module path."""
    return frame.rpartition("(")[2].rpartition(":")[0].removesuffix(")")


# ---------------------------------------------------------------- taking them


class NoSampler(Exception):
    """Says why nobody may look."""


@contextmanager
def sampled(pid: int, hertz: int = HERTZ) -> Iterator[Callable[[], list[str]]]:
    """While it is open, the process is looked at. The function gives what was seen, and ends it. Raises NoSampler."""
    program = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    if program is None:
        raise NoSampler("py-spy is not installed")
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as folder:
        file = Path(folder) / "stacks"
        argv = [program, "record", "--pid", str(pid), "--rate", str(hertz), "--gil", "--format", "raw", "-o", str(file)]
        sampler = subprocess.Popen([*argv, "-d", "600"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        def stacks() -> list[str]:
            if sampler.poll() is None:
                sampler.send_signal(signal.SIGINT)
            said, _ = sampler.communicate(timeout=60)
            if not file.exists():
                raise NoSampler(_first(said))
            return file.read_text("utf-8", "replace").splitlines()

        try:
            yield stacks
        finally:
            if sampler.poll() is None:
                sampler.kill()
                sampler.wait()


def _first(said: str) -> str:
    return next((line.strip() for line in said.splitlines() if line.strip()), "py-spy said nothing")[:200]


def _ends() -> Profile:
    from bench.ends import lateness  # noqa: PLC0415  # it takes its profile's name from here

    count = 300
    with running(*NO_QUOTA, developers=developers_for(count)) as place:
        first = place.ledger().now() + timedelta(seconds=8 + count * 0.03)
        found = fill(place, count, lambda n: first + timedelta(seconds=n / count))
        until(lambda: place.ledger().now() >= first, "the first deadline", 60)
        with sampled(_pid(place, "worker")) as stacks:
            lateness(place, found, 120)
            return profile_of(ENDS, f"the worker, {count} ends in the same second", stacks())


def _commands() -> Profile:
    with _door() as (place, bodies):
        return _of_web(place, COMMANDS, bodies)


def _presses() -> Profile:
    from bench.acks import buttons_of, press  # noqa: PLC0415  # as above

    with _door() as (place, bodies):
        _sent(place, bodies)
        shown = until(lambda: buttons_of(place, len(bodies)), "a button for each request", 120, 1)
        place.warm()
        presses = [press(place, message, value, number % 8) for number, (value, message) in enumerate(shown.items())]
        return _of_web(place, PRESSES, presses)


@contextmanager
def _door() -> Iterator[tuple[Place, list[Body]]]:
    """With everybody bound, and commands that ask."""
    from bench.acks import ASKS_EACH, bind_everybody, command, lines_of  # noqa: PLC0415  # as above

    count = 250
    developers = count // ASKS_EACH + 1
    with running(*NO_QUOTA, developers=developers, owners=8, unlimited=True) as place:
        bind_everybody(place, developers)
        yield place, [command(place, *line) for line in islice(lines_of(developers), count)]


def _of_web(place: Place, name: str, bodies: list[Body]) -> Profile:
    """With workers and clock stopped meanwhile."""
    for other in ("worker", "clock"):
        place.processes[other].freeze()
    try:
        # The first ones load what all need.
        _sent(place, bodies[:20])
        with sampled(_pid(place, "web"), SHORT_HERTZ) as stacks:
            _sent(place, bodies[20:])
            return profile_of(name, f"web, {len(bodies) - 20} {name}, four at a time", stacks())
    finally:
        for other in ("worker", "clock"):
            place.processes[other].thaw()


def _sent(place: Place, bodies: list[Body]) -> None:
    app = place.slack.app
    answers = send(bodies, str(app.request_url), app.signing_secret, at_once=4)
    if answers.failed:
        raise SystemExit(f"{answers.failed} were not answered: {answers.said}")


def _report() -> Profile:
    from bench.growth import REPORT as WORDS  # noqa: PLC0415  # as above

    count = 10_000
    with running(developers=developers_for(count)) as place:
        later = place.ledger().now() + timedelta(hours=2)
        fill(place, count, lambda n: later + timedelta(milliseconds=n), at_aws=False)
        argv = [sys.executable, "-m", "bot", *WORDS.split()]
        process = subprocess.Popen(argv, cwd=ROOT, env=place.environment("web"), stdout=subprocess.DEVNULL)
        with sampled(process.pid) as stacks:
            process.wait()
            return profile_of(REPORT, f"`{WORDS}` with {count:,} grants", stacks())


def _pid(place: Place, name: str) -> int:
    return place.processes[name].popen.pid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*TAKEN, []], metavar="NAME", help=f"some of: {', '.join(TAKEN)}")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    found = [_taken(name) for name in asked.names or TAKEN]
    if asked.json is not None:
        asked.json.write_text(json.dumps([one.json() for one in found], indent=2) + "\n")
    print("\n\n".join(one.words() for one in found))


def _taken(name: str) -> Profile:
    try:
        return TAKEN[name]()
    except NoSampler as problem:
        return Profile(name, "", problem=str(problem))


TAKEN: Mapping[str, Callable[[], Profile]] = {ENDS: _ends, COMMANDS: _commands, PRESSES: _presses, REPORT: _report}


if __name__ == "__main__":
    main()
