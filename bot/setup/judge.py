"""Whether what would be written passes the strict check, and where in the answers that begins which does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from bot.setup.answers import Answers
from bot.setup.files import policy_files
from workflows.policy_file.folder import ENVIRONMENTS, ROLES, TEMPLATES, WORKSPACE, Snapshot
from workflows.policy_file.load import understand
from workflows.policy_file.problem import Problem
from workflows.policy_file.yaml_reader import Document, Path, read_yaml

# What the files call differently from the answers: the beginning of a path there -> here.
_WORKSPACE: Mapping[str, Path] = {"panic_group": ("security",), "rules": ("ticket",), "digests": ("receipts_channel",)}
_ENVIRONMENT: Mapping[str, Path] = {"break_glass": ("on_call",), "escalate": ("owners",)}


def slips(answers: Answers) -> Iterator[Problem]:
    """Everything for which `prodaccess check --strict` would refuse the files, each at its line of the answers."""
    files = policy_files(answers)
    reading = understand(Snapshot("", files))
    for problem in (*reading.problems, *reading.warnings):
        line = answers.document.line(_origin(problem, files))
        yield Problem(answers.document.file, line, problem.message, problem.suggestion)


def _origin(problem: Problem, files: Mapping[str, str]) -> Path:
    """Where the answers say what stands in that line of a file."""
    path = _path_at(problem, files)
    name = PurePosixPath(problem.file).stem
    if problem.file == WORKSPACE:
        return (*_WORKSPACE.get(str(path[0]), path[:1]), *path[1:]) if path else ()
    if problem.file == ROLES:
        return path
    if problem.file.startswith(f"{ENVIRONMENTS}/"):
        return ("environments", name, *_ENVIRONMENT.get(str(path[0]), path)) if path else ("environments", name)
    return ("templates", problem.file) if problem.file.startswith(f"{TEMPLATES}/") else ()


def _path_at(problem: Problem, files: Mapping[str, str]) -> Path:
    """The outermost key that stands in the line."""
    document: Document | None = None
    if problem.file in files and problem.file.endswith(".yaml"):
        document, _ = read_yaml(problem.file, files[problem.file])
    found = [path for path, line in document.lines.items() if line == problem.line and path] if document else []
    return min(found, key=len, default=())
