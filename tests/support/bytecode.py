"""Bytecode of the test files, made once for all of xdist's workers.

Each worker would rewrite the assertions of every test file by itself, which takes fifteen seconds of a processor. So each
begins with a share of the files, and finds those of the others done. Nothing happens where the bytecode is there already,
where none may be written (PYTHONDONTWRITEBYTECODE), or without workers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

# pytest offers no way to do this alone. Where it renames one of these, a worker fails at once, and says which.
from _pytest.assertion.rewrite import PYC_TAIL, assertstate_key, get_cache_dir


def write_share(config: pytest.Config) -> None:
    """Writes what is missing of this worker's share of the test files that it was asked to run."""
    worker = getattr(config, "workerinput", None)
    if worker is None or sys.dont_write_bytecode:
        return
    number, count = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
    files = sorted(set(_test_files(config)), key=lambda file: (-file.stat().st_size, file))
    for file in files[number::count]:
        _write(file, config)


def _test_files(config: pytest.Config) -> Iterator[Path]:
    for given in config.args:
        path = Path(config.invocation_params.dir, given.partition("::")[0])
        yield from path.rglob("test_*.py") if path.is_dir() else [path]


def _write(file: Path, config: pytest.Config) -> None:
    folder = get_cache_dir(file)
    pyc = folder / f"{file.stem}{PYC_TAIL}"
    if rewrite._read_pyc(file, pyc) is None and rewrite.try_makedirs(folder):
        digest, code = rewrite._rewrite_test(file, config)
        rewrite._write_pyc(config.stash[assertstate_key], code, digest, pyc)
