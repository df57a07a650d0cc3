"""Files of a checkout -> nodes, read by a process of its own that is ended when one of them takes too long."""

from __future__ import annotations

import importlib.util
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from bot.boundaries.limits import ANSWER_BYTES_MAX, CHILDREN_MAX, FILE_S_MAX, PARSE_S_MAX
from bot.boundaries.reading.node import Block, Node, block_from_json, from_json
from bot.monotonic import monotonic_s

NEEDED = ("hcl2", "yaml", "lark", "regex")
_ROOT = Path(__file__).resolve().parents[3]
# The folder that one stands in may be the checkout itself, with a `bot` of its own in it: nothing is imported from there.
_START = (
    "import json, sys; sys.path[1:1] = json.loads(sys.argv[1]); from bot.boundaries.reading.child import main; main()"
)


class NotInstalled(Exception):
    """Its words are the whole sentence."""


class Unread(Exception):
    """Its words end the sentence `FILE ...`."""


def look_for_parsers() -> None:
    """Raises NotInstalled where Terraform cannot be read."""
    if importlib.util.find_spec("hcl2") is None:
        raise NotInstalled(
            "boundaries reads Terraform with python-hcl2: install it with pip install 'prodaccess[boundaries]'."
        )
    if importlib.util.find_spec("hcl2.rules") is None:
        raise NotInstalled(
            "Another package has put its own hcl2 in place of python-hcl2 8 (bc-python-hcl2 of checkov does): "
            "install prodaccess[boundaries] in an environment of its own."
        )


class Parser(Protocol):
    def hcl(self, text: str) -> Block: ...

    def yaml(self, text: str) -> tuple[Node, ...]: ...


class ChildParser:
    """Context manager. `hcl` and `yaml` raise Unread; after `PARSE_S_MAX` they do so at once."""

    def __init__(self, *, file_s: float = FILE_S_MAX, all_s: float = PARSE_S_MAX) -> None:
        self._file_s = file_s
        self._until_s = monotonic_s() + all_s
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0

    def __enter__(self) -> ChildParser:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def hcl(self, text: str) -> Block:
        try:
            return block_from_json(self._asked("hcl", text))
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            raise Unread("cannot be understood") from None

    def yaml(self, text: str) -> tuple[Node, ...]:
        try:
            return tuple(from_json(each) for each in self._asked("yaml", text))
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            raise Unread("cannot be understood") from None

    def _asked(self, kind: str, text: str) -> Any:
        child = self._running()
        line = json.dumps({"kind": kind, "text": text}).encode() + b"\n"
        answer = self._answer(child, line)
        if answer is None:
            self._end()
            raise Unread("took too long, or too much, to read")
        found = json.loads(answer)
        if "no" in found:
            raise Unread(str(found["no"]))
        return found["ok"]

    def _running(self) -> subprocess.Popen[bytes]:
        if monotonic_s() > self._until_s:
            raise Unread("was not read: reading had taken its time")
        if self._child is None:
            if self._started >= CHILDREN_MAX:
                raise Unread("was not read: others before it took too long")
            self._started += 1
            self._child = _start()
        return self._child

    def _answer(self, child: subprocess.Popen[bytes], line: bytes) -> bytes | None:
        """One line of it; None where it died, or took longer than it may."""
        until_s = min(monotonic_s() + self._file_s, self._until_s)
        if child.stdin is None or child.stdout is None:  # pipes, as `_start` says
            return None
        return _exchange(child.stdin.fileno(), child.stdout.fileno(), line, until_s)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()


def _start() -> subprocess.Popen[bytes]:
    # `-I`: no variable, and not the folder that one stands in. Of variables Windows needs one to start anything.
    environ: Mapping[str, str] = {"SYSTEMROOT": "C:\\Windows"} if sys.platform == "win32" else {}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-I", "-c", _START, json.dumps(_paths())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
        cwd=_ROOT.anchor,
        bufsize=0,
    )


def _paths() -> list[str]:
    """Where this program and its parsers are, wherever they were installed."""
    found = [str(_ROOT)]
    for name in NEEDED:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            found.append(str(Path(spec.origin).resolve().parent.parent))
    return list(dict.fromkeys(found))


def _exchange(out: int, back: int, line: bytes, until_s: float) -> bytes | None:
    """Writes and reads at once, so that neither waits for the other with a full pipe."""
    got = bytearray()
    os.set_blocking(out, False)
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_WRITE)
        selector.register(back, selectors.EVENT_READ)
        while not got.endswith(b"\n"):
            events = selector.select(max(0.0, until_s - monotonic_s()))
            if not events or len(got) > ANSWER_BYTES_MAX + 1024:
                return None
            for key, _ in events:
                if key.fd == back:
                    piece = os.read(back, 1 << 16)
                    if not piece:
                        return None
                    got += piece
                    continue
                line = _written(out, line)
                if not line:
                    selector.unregister(out)
    return bytes(got)


def _written(out: int, line: bytes) -> bytes:
    """What is left of it."""
    try:
        return line[os.write(out, line[: 1 << 16]) :]
    except BrokenPipeError:
        return b""
