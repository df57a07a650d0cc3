"""What fuzzers share: payloads that are nearly right, and a run of all of them for so long.

    python -m tests.support.fuzz --minutes 10          # `make fuzz`
    python -m tests.support.fuzz --guided --minutes 2  # by coverage, where atheris is installed

Each round draws a new seed and says it. What fails prints its example; it belongs into the test as an `@example`.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[1] / "fuzz"
# What programs stumble over: other types, what is too long or too deep, halves of characters, what means something elsewhere.
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        10**30,
        1e308,
        "",
        " ",
        "\x00",
        "\ud83d",
        "x" * 4000,
        [],
        {},
        [None],
        [[]],
        {"id": {}},
    ),
    *(
        "PA-1",
        "PA-1:0123456789abcdef",
        "PA-99999999999",
        "<@UOLU|olu>",
        "<!channel>",
        "{}",
        "[",
        "null",
        "../../etc/passwd",
    ),
    *(
        "payments-prod",
        "approve",
        "approve PA-1",
        "＠prodaccess",
        "\u202e",
        "1e999",
        "NaN",
        {"value": "PA-1"},
        ["x"] * 300,
    ),
)


def few(examples: int) -> settings:
    """So many in `make test`, always the same ones; what the profile says in `make fuzz`."""
    default = settings.default
    if default is None:
        raise AssertionError("a profile is loaded in tests/conftest.py")
    return settings(max_examples=examples if default.derandomize else default.max_examples)


@contextmanager
def quickly(seconds: float = 2.0) -> Iterator[None]:
    """Processor time of this thread, which no load on the machine adds to."""
    began_s = time.thread_time()
    yield
    assert time.thread_time() - began_s < seconds


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """To every part of it that has a place in another."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        yield from paths(part, (*path, name))


@st.composite
def nearly(draw: st.DrawFn, whole: Any, kept: tuple[str, ...] = ()) -> Any:
    """The same with one to three of its parts exchanged, taken out, or put in twice. `kept`: names that stay as they are."""
    found = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        places = [path for path in paths(found) if not any(name in kept for name in path)]
        if places:
            _change(draw, found, draw(st.sampled_from(places)))
    return found


def _change(draw: st.DrawFn, found: Any, path: tuple[Any, ...]) -> None:
    at = found
    for name in path[:-1]:
        at = at[name]
    match draw(st.sampled_from(("odd", "text", "gone", "more"))):
        case "gone":
            del at[path[-1]]
        case "text":
            at[path[-1]] = draw(st.text(max_size=40))
        case "more" if isinstance(at, list):
            at.append(copy.deepcopy(at[path[-1]]))
        case _:
            at[path[-1]] = copy.deepcopy(draw(st.sampled_from(ODD)))


def as_json(payload: Any) -> str:
    return json.dumps(payload, allow_nan=True)


# ---------------------------------------------------------------- for so long


def _rounds(minutes: float) -> int:
    until, number = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < until:
        number += 1
        seed = random.randrange(10**9)
        sys.stdout.write(f"round {number}, seed {seed}\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", "pytest", "-q", "-x", str(FOLDER)]
        done = subprocess.run([*command, "--hypothesis-profile=fuzz", f"--hypothesis-seed={seed}"], check=False)
        if done.returncode:
            return done.returncode
    sys.stdout.write(f"{number} rounds, clean\n")
    return 0


def _targets() -> list[Callable[[bytes], object]]:
    """Each test's own body, fed by bytes."""
    modules = [importlib.import_module(f"tests.fuzz.{path.stem}") for path in sorted(FOLDER.glob("test_*.py"))]
    found = [value for module in modules for value in vars(module).values() if hasattr(value, "hypothesis")]
    return [test.hypothesis.fuzz_one_input for test in found]


def _guided(minutes: float) -> int:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["bot", "workflows"]):
        targets = _targets()

    def one(data: bytes) -> None:
        if data:
            targets[data[0] % len(targets)](data[1:])

    atheris.Setup([sys.argv[0], f"-max_total_time={int(60 * minutes)}", "-max_len=4096"], one)
    atheris.Fuzz()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--guided", action="store_true", help="by coverage; needs atheris")
    given = parser.parse_args()
    return _guided(given.minutes) if given.guided else _rounds(given.minutes)


if __name__ == "__main__":
    sys.exit(main())
