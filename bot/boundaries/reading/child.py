"""The process that reads files of strangers as HCL and YAML: with little memory, no variables, no credentials.

It is handed one file a line as JSON, `{"kind": "hcl", "text": ...}`, and answers one line each: `{"ok": ...}` or `{"no": why}`.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from bot.boundaries.limits import ANSWER_BYTES_MAX, CHILD_CPU_S, CHILD_MEMORY_BYTES
from bot.boundaries.reading.budget import TooMuch
from bot.boundaries.reading.hcl_nodes import block_of
from bot.boundaries.reading.yaml_nodes import documents_of


def main() -> None:
    _less()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _less() -> None:
    """What the system lets it have. Where a limit cannot be set, the parent's deadline still holds."""
    try:
        import resource  # noqa: PLC0415 - no such thing on Windows
    except ImportError:
        return
    for name, most in (
        (resource.RLIMIT_AS, CHILD_MEMORY_BYTES),
        (resource.RLIMIT_CPU, CHILD_CPU_S),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(name, (most, most))


_READERS: Mapping[str, Callable[[str], Any]] = {"hcl": block_of, "yaml": documents_of}


def _answer(asked: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        found = _READERS[asked["kind"]](asked["text"])
    except TooMuch as much:
        return {"no": str(much)}
    except (RecursionError, MemoryError):
        return {"no": "is nested too deeply, or too large"}
    except Exception as problem:  # whatever a parser says of text of a stranger
        line = getattr(problem, "line", None) or getattr(getattr(problem, "problem_mark", None), "line", None)
        where = f" near line {line}" if isinstance(line, int) and line > 0 else ""
        return {"no": f"cannot be understood{where}"}
    if len(json.dumps(found)) > ANSWER_BYTES_MAX:
        return {"no": "says too much"}
    return {"ok": found}
