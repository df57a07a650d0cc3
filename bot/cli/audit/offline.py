"""Checks a bundle on any machine: python3 verify.py --key FINGERPRINT

Needs Python 3.11 and the package `cryptography`, no network and no Redis. Exit code 0: all of it is whole; 1: something is not,
and a sentence says what; 2: it was typed wrongly.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.cli.audit.candidates import NoKey
from bot.cli.audit.checking import Checking
from bot.cli.audit.exported import BadExport, pages
from bot.cli.audit.of_export import OfExport
from workflows.core.audit_check import StoredEntry
from workflows.core.seal.statement import shown_head

MANIFEST, LOG, POLICY = "manifest.json", "audit.jsonl", "policy"
GOOD, PROBLEMS, USAGE = 0, 1, 2
_CHUNK = 1 << 20


class FolderOfFiles:
    """A copy of the archive on this machine, read only."""

    def __init__(self, root: Path) -> None:
        self._root = root
        if not root.is_dir():
            raise OSError(f"{root} is no folder")

    def get(self, name: str) -> bytes | None:
        file = self._root / name
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        found = (file.relative_to(self._root).as_posix() for file in self._root.rglob("*") if file.is_file())
        yield from sorted(name for name in found if name.startswith(prefix) and name > after)


def main(typed: Sequence[str], here: Path) -> int:
    """`here`: the bundle, unless another folder is named."""
    asked = _asked(typed, here)
    try:
        manifest = json.loads((asked.bundle / MANIFEST).read_text(encoding="utf-8"))
        named = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _stop(f"{asked.bundle} is no bundle: it has no {MANIFEST} that can be read.")
    faults = [*_files(asked.bundle, named)]
    try:
        archive = FolderOfFiles(Path(asked.archive)) if asked.archive else None
        heads = tuple(shown_head(each) for each in asked.expect_head)
        checking = Checking(OfExport(asked.bundle / LOG), asked.key, heads, archive, OSError)
        _say(*faults)
        verdict = checking.verdict(print)
        tables = list(_tables(asked.bundle, manifest))
    except NoKey as problem:
        return _stop(str(problem), USAGE if problem.typed_wrongly else PROBLEMS)
    except (BadExport, OSError, ValueError) as problem:
        return _stop(str(problem))
    _say(*tables, *verdict.lines())
    if not faults and not tables:
        _say(f"{len(named)} files are those of the manifest, and the tables have the log's entries.")
    return PROBLEMS if faults or tables or verdict.count else GOOD


def _asked(typed: Sequence[str], here: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="verify.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "bundle", nargs="?", type=Path, default=here, help="The folder; the one of this file unless said."
    )
    key = "Your own copy of the public key, or its fingerprint: never the one that came with the bundle."
    parser.add_argument("--key", default="", metavar="FILE|FINGERPRINT", help=key)
    parser.add_argument(
        "--archive", default="", metavar="FOLDER", help="A copy of the archive, which you fetched yourself."
    )
    head = "A head that must be in it, as a digest in chat shows it. May be given several times."
    parser.add_argument("--expect-head", action="append", default=[], metavar="N:HEX", help=head)
    return parser.parse_args(typed)


# ---------------------------------------------------------------- files


def _files(bundle: Path, named: dict[str, Any]) -> Iterator[str]:
    """What is not as the manifest has it, a sentence each."""
    there = {file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if not file.is_dir()} - {MANIFEST}
    for name in sorted(there | set(named)):
        if name not in named:
            yield f"{name} is not in the manifest: somebody put it in."
        elif name not in there:
            yield f"{name} is missing: the manifest has it."
        elif sha256_of(bundle / name) != named[name].get("sha256"):
            yield f"{name} was changed: it is not the file of the manifest."


def sha256_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while part := source.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest()


# ---------------------------------------------------------------- tables against the log


def _tables(bundle: Path, manifest: dict[str, Any]) -> Iterator[str]:
    for check in (_events, _requests, _policy):
        try:
            yield from check(bundle, manifest)
        except OSError as problem:
            yield f"{problem.filename} cannot be read, and is compared with nothing: {problem.strerror}."
        except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
            yield f"A table, or what {MANIFEST} says of it, cannot be read, and is compared with nothing."


def _events(bundle: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Whether events.csv has the entries of the period, all of them and no other."""
    with (bundle / "events.csv").open(encoding="utf-8", newline="") as source:
        rows = csv.DictReader(source)
        for entry, said in _entries(bundle, manifest):
            row = next(rows, None)
            wanted = (str(entry.number), said["at"], said["event"], said["subject"], entry.digest)
            if row is None or tuple(row.get(name) for name in ("number", "at", "event", "subject", "digest")) != wanted:
                yield f"events.csv is not what the log has from #{entry.number} on."
                return
        if next(rows, None) is not None:
            yield "events.csv has more lines than the log has entries of the period."


def _requests(bundle: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Whether each request that the log has of the period is in requests.csv, or is said to have no record."""
    with (bundle / "requests.csv").open(encoding="utf-8", newline="") as source:
        known = {row["id"] for row in csv.DictReader(source)} | set(manifest.get("without_record", ()))
    for entry, said in _entries(bundle, manifest):
        if said["event"] == "request.made" and said["subject"] not in known:
            yield f"requests.csv lacks {said['subject']}, which was asked for in #{entry.number}."


def _policy(bundle: Path, _manifest: dict[str, Any]) -> Iterator[str]:
    """Whether the policy's files are those of a version that the log says came into force."""
    names = sorted(file.relative_to(bundle / POLICY).as_posix() for file in (bundle / POLICY).rglob("*.y*ml"))
    digest = hashlib.sha256()
    for name in names:
        for part in (name.encode(), (bundle / POLICY / name).read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    known = {said["facts"].get("policy") for _, said in _readable(bundle) if said["event"] == "policy.activated"}
    if names and digest.hexdigest() not in known:
        yield f"The files in {POLICY} are no policy that the log says came into force."


def _entries(bundle: Path, manifest: dict[str, Any]) -> Iterator[tuple[StoredEntry, dict[str, Any]]]:
    """Entries of the period that can be read."""
    since, until = (datetime.fromisoformat(manifest[name]) for name in ("from", "until"))
    for entry, said in _readable(bundle):
        if since <= datetime.fromisoformat(said["at"]) <= until and entry.number <= manifest["upto"]:
            yield entry, said


def _readable(bundle: Path) -> Iterator[tuple[StoredEntry, dict[str, Any]]]:
    for page in pages(bundle / LOG):
        for entry in page:
            try:
                said = json.loads(entry.body)
                datetime.fromisoformat(said["at"])
                said["facts"].items()
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
            yield entry, said


# ---------------------------------------------------------------- words


def _say(*lines: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(line.encode(encoding, "backslashreplace").decode(encoding))


def _stop(sentence: str, code: int = PROBLEMS) -> int:
    print(sentence, file=sys.stderr)
    return code
