"""Makes what a release consists of: `.venv/bin/python .ci/dist.py dist [--sbom PATH/TO/cyclonedx-py]`.

A source distribution, a wheel, the list of what it runs on (CycloneDX) and SHA256SUMS. They are made from the last commit,
not from the folder, and two who make them from the same commit get the same bytes: times are the commit's, modes and order
are fixed, and the build backend is the one that the lock file names. Exit code 0, else 1 after a sentence.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
BACKEND = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
PROJECT = '[project]\nname = "prodaccess"\nversion = "{}"\nlicense = "Apache-2.0"\n'


class NotMadeError(Exception):
    """The message is one sentence."""


def main(out: Path, cyclonedx: Path | None) -> int:
    os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory(prefix="prodaccess-dist-") as folder:
            made = make(Path(folder), cyclonedx)
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            for path in made:
                shutil.copyfile(path, out / path.name)
    except NotMadeError as problem:
        print(problem, file=sys.stderr)
        return 1
    (out / "SHA256SUMS").write_text(sums(out), encoding="utf-8")
    for path in sorted(out.iterdir()):
        print(f"{out.name}/{path.name}  {path.stat().st_size:,} bytes")
    return 0


def make(folder: Path, cyclonedx: Path | None) -> list[Path]:
    epoch = int(git("show", "-s", "--format=%ct", "HEAD"))
    if git("status", "--porcelain", "--untracked-files=no").strip():
        print("What is not committed is not in it.", file=sys.stderr)
    source = folder / "source"
    unpack(git("archive", "--format=tar", "HEAD"), source)
    sdist = repacked(build(source, "build_sdist", folder, epoch), epoch)
    unpack(gzip.decompress(sdist.read_bytes()), folder)
    # From the sdist, as everybody else would: what is missing in it is missing here, too.
    wheel = build(folder / sdist.name.removesuffix(".tar.gz"), "build_wheel", folder, epoch)
    listed = [] if cyclonedx is None else [sbom(cyclonedx, source / LOCK, wheel, epoch)]
    return [sdist, wheel, *listed]


def git(*words: str) -> bytes:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise NotMadeError("A release is made from a commit: run it in a git checkout.") from None


def unpack(tar: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        for member in opened.getmembers():
            member.mode = mode(member)
            opened.extract(member, folder, filter="data")


def mode(member: tarfile.TarInfo) -> int:
    return 0o755 if member.isdir() or member.mode & 0o100 else 0o644


def build(source: Path, hook: str, out: Path, epoch: int) -> Path:
    """The file that setuptools made."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", BACKEND, hook, str(out)]
    done = subprocess.run(command, cwd=source, env=environ, text=True, capture_output=True, check=False)
    if done.returncode:
        raise NotMadeError(f"{done.stderr[-2000:]}\nsetuptools did not make it: {hook}.")
    return out / done.stdout.split()[-1]


def repacked(sdist: Path, epoch: int) -> Path:
    """The same files without who packed them, when, and in which order they lay on the disk."""
    with tarfile.open(sdist) as old:
        members = sorted(old.getmembers(), key=lambda member: member.name)
        contents = [old.extractfile(member) for member in members]
        text = io.BytesIO()
        with tarfile.open(fileobj=text, mode="w", format=tarfile.PAX_FORMAT) as new:
            for member, content in zip(members, contents, strict=True):
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.mtime, member.mode, member.pax_headers = epoch, mode(member), {}
                new.addfile(member, content)
    sdist.write_bytes(gzip.compress(text.getvalue(), 9, mtime=epoch))
    return sdist


def sbom(cyclonedx: Path, lock: Path, wheel: Path, epoch: int) -> Path:
    """Every package that runs beside ours, with its version and the hashes that an installation insists on."""
    version = wheel.name.split("-")[1]
    out, project = wheel.parent / f"prodaccess-{version}.cdx.json", wheel.parent / "pyproject.toml"
    project.write_text(PROJECT.format(version), encoding="utf-8")
    command = [str(cyclonedx), "requirements", str(lock), "--pyproject", str(project), "--output-reproducible"]
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([*command, "-o", str(out)], env=environ, text=True, capture_output=True, check=False)
    if done.returncode:
        raise NotMadeError(f"{done.stderr[-2000:]}\ncyclonedx-py did not make the list.")
    bom = json.loads(out.read_text(encoding="utf-8"))
    ours = bom["metadata"]["component"]
    ours["purl"] = f"pkg:pypi/prodaccess@{version}"
    ours["hashes"] = [{"alg": "SHA-256", "content": digest(wheel)}]
    needed = sorted(component["bom-ref"] for component in bom["components"])
    for each in bom["dependencies"]:
        if each["ref"] == ours["bom-ref"]:
            each["dependsOn"] = needed
    out.write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return out


def sums(folder: Path) -> str:
    """As `sha256sum --check` reads it."""
    return "".join(f"{digest(path)}  {path.name}\n" for path in sorted(folder.iterdir()))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sbom", type=Path, help="cyclonedx-py, which lists what it runs on")
    options = parser.parse_args()
    sys.exit(main(options.out, options.sbom))
