"""Reading the folder: which files belong to a policy, their content, and one hash over all of it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workflows.policy_file.problem import Problem, quote
from workflows.policy_file.secret import HELP, known_secret

# What helps where there is none.
NO_FOLDER = "name the policy folder, set PRODACCESS_CONFIG, or let `prodaccess init` write a first one"
WORKSPACE = "prodaccess.yaml"
ROLES = "roles.yaml"
ENVIRONMENTS = "environments"
TEMPLATES = "policies"

_SIZE_MAX = 256 * 1024
_FILES_MAX = 2_000
# A folder given by mistake (`/`) is not searched for long.
_ENTRIES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one reading saw. `files`: relative path -> text; a file that could not be read is a problem instead."""

    hash: str
    files: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Reading:
    root: Path
    files: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, name: str) -> None:
        content = self._bytes(name)
        if content is None:
            self.note(name, b"")
            return
        self.note(name, content)
        try:
            self.files[name] = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self.problems.append(Problem(name, line, "this is not UTF-8 text", "save the file as UTF-8"))
            return
        self._refuse_secrets(name)

    def note(self, name: str, content: bytes) -> None:
        # Lengths stand before the parts, so that no two folders have the same bytes.
        for part in (name.encode("utf-8", "surrogateescape"), content):
            self.digest.update(len(part).to_bytes(8, "big") + part)

    def _bytes(self, name: str) -> bytes | None:
        path = self.root / name
        try:
            if not path.resolve().is_relative_to(self.root):
                self._problem(name, "the file is a link that leads out of the folder", "put the file itself there")
                return None
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                self._problem(name, "this is not a file")
            elif status.st_size > _SIZE_MAX:
                self._problem(name, f"the file has {status.st_size:,} bytes", f"at most {_SIZE_MAX:,} are read")
            else:
                return path.read_bytes()[: _SIZE_MAX + 1]
        except FileNotFoundError:
            self._problem(name, "the file is missing")
        except (OSError, RuntimeError) as error:
            self._problem(name, f"the file cannot be read ({_why(error)})")
        return None

    def _refuse_secrets(self, name: str) -> None:
        """Comments and templates, too; values of YAML are looked at once more when they are parsed."""
        for number, line in enumerate(self.files[name].splitlines(), start=1):
            if kind := known_secret(line):
                self.problems.append(Problem(name, number, f"this looks like {kind}", HELP))

    def _problem(self, name: str, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(name, 0, message, suggestion))


def read_folder(folder: Path) -> Snapshot:
    """Read all files of the policy. Never raises: what cannot be read is a problem."""
    try:
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return _nothing(str(folder), "there is no such folder", NO_FOLDER)
    if not (root / WORKSPACE).exists():
        return _nothing(WORKSPACE, f"the file is missing in {quote(folder)}", NO_FOLDER)
    reading = _Reading(root)
    names = _names(root)
    for name in names[:_FILES_MAX]:
        reading.add(name)
    if len(names) > _FILES_MAX:
        reading.problems.append(
            Problem(ENVIRONMENTS, 0, f"there are {len(names):,} files", f"at most {_FILES_MAX:,} are read")
        )
    reading.problems.extend(_strangers(root, frozenset(names)))
    return Snapshot(reading.digest.hexdigest(), reading.files, tuple(reading.problems))


def hash_of(files: Mapping[str, str]) -> str:
    """What `read_folder` makes of these files, where none of them began with a byte order mark."""
    reading = _Reading(Path())
    for name in sorted(files):
        reading.note(name, files[name].encode())
    return reading.digest.hexdigest()


def text_of(path: Path) -> str | Problem:
    """One file outside of any policy, held to the same limits. The problem names the path as it was given."""
    name = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Problem(name, 0, "this is not a file")
        if path.stat().st_size > _SIZE_MAX:
            return Problem(name, 0, f"the file has {path.stat().st_size:,} bytes", f"at most {_SIZE_MAX:,} are read")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return Problem(name, 0, "this is not UTF-8 text", "save the file as UTF-8")
    except OSError as error:
        return Problem(name, 0, f"the file cannot be read ({_why(error)})")


def stamp(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What is cheap to know of the files: name, time of change, size and inode. Another stamp asks for another reading."""
    try:
        root = folder.resolve(strict=True)
        return tuple(_stamp_of(root, name) for name in _names(root))
    except (OSError, RuntimeError):
        return ()


def _stamp_of(root: Path, name: str) -> tuple[str, int, int, int]:
    try:
        status = (root / name).stat()
    except OSError:
        return name, 0, 0, 0
    return name, status.st_mtime_ns, status.st_size, status.st_ino


def _nothing(file: str, message: str, suggestion: str) -> Snapshot:
    return Snapshot("", {}, (Problem(file, 0, message, suggestion),))


def _names(root: Path) -> list[str]:
    """The files that belong to a policy, sorted; hidden ones (of editors, of git) do not."""
    found = [WORKSPACE, ROLES]
    for folder, ending in ((ENVIRONMENTS, ".yaml"), (TEMPLATES, ".json")):
        found.extend(f"{folder}/{name}" for name in _listed(root / folder) if name.endswith(ending))
    return sorted(found)


def _listed(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []


def _strangers(root: Path, known: frozenset[str]) -> Iterator[Problem]:
    """YAML that nobody reads is a slip: somebody believes that it holds."""
    for name in _walk(root):
        if name.lower().endswith((".yaml", ".yml")) and name not in known:
            renamed = name[: name.rindex(".")] + ".yaml"
            yield Problem(
                name,
                0,
                "nothing reads this file",
                f"rename it to {renamed}"
                if renamed != name and Path(renamed).parent.as_posix() in (".", ENVIRONMENTS)
                else f"environments stand in {ENVIRONMENTS}/NAME.yaml; take other YAML out of the folder",
            )


def _walk(root: Path) -> Iterator[str]:
    count = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            count += 1
            if count > _ENTRIES_MAX:
                return
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(root).as_posix()


def _why(error: Exception) -> str:
    return error.strerror or "the system refused" if isinstance(error, OSError) else "its links go in a circle"
