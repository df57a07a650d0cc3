"""Builds the image's root without an engine: `python3 deploy/container/replay.py FOLDER [--cache FOLDER]`, as root on Linux.

Reads the Dockerfile and does what it says, instruction by instruction: a base from Debian's packages (debootstrap), each RUN
as it is written, in a chroot of its own, each COPY through .dockerignore. FOLDER/root is the last stage, FOLDER/image.json
what an engine would know of it. Where a step fails, or an instruction is not understood, it says so and ends with 1.
start.py beside this starts a command in it as an engine would.

It is a check, no way to make images: there are no layers, and no registry takes a folder.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

CONTEXT = Path(__file__).resolve().parents[2]
MIRROR = "http://deb.debian.org/debian"
# A network that looks into TLS has an authority of its own, and every step has to know it. Not kept in the root.
AUTHORITIES, INSIDE = Path("/etc/ssl/certs/ca-certificates.crt"), "/.authorities.pem"
TRUST = ("PIP_CERT", "SSL_CERT_FILE")
PASSED_ON = ("PIP_INDEX_URL", "http_proxy", "https_proxy", "no_proxy")
PLAIN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IN_ROOT = 'set -e; root=$1; shift; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; exec "$@"'


class NotReplayedError(Exception):
    """The message says which step, and what it said."""


@dataclass(slots=True)
class Stage:
    """A root and what its instructions said about it. Paths in `environ` and `workdir` are the root's."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"

    def known(self) -> dict[str, str]:
        return {**self.arguments, **self.environ}


# ---------------------------------------------------------------- reading


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """`RUN`, `apt-get update && ...`: comments gone, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.split(r"(?<!\\)\n", "\n".join(lines)):
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), re.sub(r"\\\n\s*", " ", rest.strip())


def filled(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: known.get(found[1] or found[2], ""), text)


def pairs(text: str, known: Mapping[str, str]) -> dict[str, str]:
    return {name: filled(value, known) for name, _, value in (word.partition("=") for word in shlex.split(text))}


def form(text: str) -> list[str]:
    """Of ENTRYPOINT and CMD: a list, or a line for the shell."""
    return list(json.loads(text)) if text.startswith("[") else ["/bin/sh", "-c", text]


def ignored(rules: Sequence[str], path: str) -> bool:
    """As .dockerignore has it: the last rule that fits the path, or a folder above it, decides."""
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    verdict = False
    for rule in rules:
        pattern = rule.removeprefix("!").strip("/")
        if any(fits(each.split("/"), pattern.split("/")) for each in above):
            verdict = not rule.startswith("!")
    return verdict


def fits(path: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern or not path:
        return not pattern and not path
    if pattern[0] == "**":
        return any(fits(path[skipped:], pattern[1:]) for skipped in range(len(path)))
    return fnmatch.fnmatchcase(path[0], pattern[0]) and fits(path[1:], pattern[1:])


def sent(context: Path) -> list[Path]:
    """Every file that an engine would be sent, relative to the context."""
    lines = (line.strip() for line in (context / ".dockerignore").read_text(encoding="utf-8").splitlines())
    rules = [line for line in lines if line and not line.startswith("#")]
    top = {entry.name for entry in context.iterdir() if entry.name not in {".git", ".venv", ".venv-deploy"}}
    files = (path for name in sorted(top) for path in walk(context / name))
    return [path for each in files if not ignored(rules, str(path := each.relative_to(context)))]


def walk(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        for entry in sorted(path.iterdir()):
            yield from walk(entry)
    else:
        yield path


def slim(root: Path) -> None:
    """As the slim images are: no manuals, no translations, and apt keeps nothing that it has fetched."""
    unwanted = (
        "usr/share/doc",
        "usr/share/locale",
        "usr/share/man",
        "usr/share/info",
        "var/cache/apt",
        "var/lib/apt/lists",
    )
    for folder in unwanted:
        shutil.rmtree(root / folder, ignore_errors=True)
    excluded = "".join(f"path-exclude /{folder}/*\n" for folder in unwanted[:4])
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(excluded, encoding="utf-8")
    apt = 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nAPT::Keep-Downloaded-Packages "false";\n'
    (root / "etc/apt/apt.conf.d/keep-nothing").write_text(apt, encoding="utf-8")


# ---------------------------------------------------------------- doing


class Replay:
    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache
        self.stages: dict[str, Stage] = {}
        self.arguments: dict[str, str] = {}
        self.stage: Stage | None = None

    def all(self, text: str) -> Stage:
        for name, rest in instructions(text):
            began = time.monotonic()
            self.do(name, rest)
            print(f"{time.monotonic() - began:6.1f} s  {name} {rest[:100]}", flush=True)
        return self.now()

    def now(self) -> Stage:
        if self.stage is None:
            raise NotReplayedError("The Dockerfile has no FROM.")
        return self.stage

    def do(self, name: str, rest: str) -> None:
        step = getattr(self, f"do_{name.lower()}", None)
        if step is None:
            raise NotReplayedError(f"{name} is not understood here: teach it to replay.py.")
        step(rest)

    def do_arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        value = filled(shlex.split(default)[0] if default else "", self.arguments)
        (self.arguments if self.stage is None else self.stage.arguments)[name] = value

    def do_from(self, rest: str) -> None:
        image, _, name = filled(rest, self.arguments).partition(" AS ")
        root = self.folder / f"stage-{len(self.stages)}"
        copied = self.stages[image].root if image in self.stages else self.base(image)
        subprocess.run(["cp", "-a", "--reflink=auto", str(copied), str(root)], check=True)
        self.stage = self.stages[name or str(len(self.stages))] = Stage(root)

    def base(self, image: str) -> Path:
        """`debian:bookworm-slim` from Debian's packages: what is essential, and apt."""
        found = re.fullmatch(r"debian:([a-z]+)-slim(@sha256:[0-9a-f]+)?", image)
        if found is None:
            raise NotReplayedError(
                f"The base {image} is not one of Debian's slim ones: there is no way to make it here."
            )
        root = self.cache / f"debian-{found[1]}"
        if not root.exists():
            half_done = root.with_suffix(".half-done")
            shutil.rmtree(half_done, ignore_errors=True)
            self.cache.mkdir(parents=True, exist_ok=True)
            command = ["debootstrap", "--variant=minbase", found[1], str(half_done), MIRROR]
            said = subprocess.run(command, text=True, capture_output=True, check=False)
            if said.returncode:
                raise NotReplayedError(f"{said.stdout[-2000:]}\ndebootstrap did not make the base.")
            slim(half_done)
            half_done.rename(root)
        return root

    def do_run(self, rest: str) -> None:
        stage = self.now()
        if rest.startswith("--"):
            raise NotReplayedError("Options of RUN are not understood here: teach them to replay.py.")
        command = form(rest)
        with Trusted(stage.root) as trusted:
            environ = {"PATH": PLAIN_PATH, "DEBIAN_FRONTEND": "noninteractive"}
            environ |= {name: value for name in PASSED_ON if (value := os.environ.get(name))}
            environ |= trusted | stage.known()
            inside = ["env", "-i", *(f"{name}={value}" for name, value in environ.items())]
            where = ["sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", stage.workdir]
            chroot = ["chroot", f"--userspec={stage.user}", str(stage.root), *inside, *where, *command]
            done = subprocess.run(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", IN_ROOT, "sh", str(stage.root), *chroot],
                stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False,
            )  # fmt: skip
        if done.returncode:
            raise NotReplayedError(
                f"{done.stdout[-2000:]}{done.stderr[-2000:]}\nRUN {rest}\nended with {done.returncode}."
            )

    def do_copy(self, rest: str) -> None:
        stage, words = self.now(), shlex.split(filled(rest, self.now().known()))
        options = dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--"))
        *sources, target = (word for word in words if not word.startswith("--"))
        if unknown := options.keys() - {"from"}:
            raise NotReplayedError(f"COPY --{min(unknown)} is not understood here: teach it to replay.py.")
        where = stage.root / (Path(stage.workdir) / target).relative_to("/")
        for source in sources:
            if "from" in options:
                where.parent.mkdir(parents=True, exist_ok=True)
                original = self.stages[options["from"]].root / source.lstrip("/")
                subprocess.run(["cp", "-a", str(original), str(where)], check=True)
            else:
                self.from_context(source, where, into=target.endswith("/") or source == ".")

    @staticmethod
    def from_context(source: str, where: Path, *, into: bool) -> None:
        if source != ".":
            found = {CONTEXT / source: where / Path(source).name if into else where}
        else:
            found = {CONTEXT / path: where / path for path in sent(CONTEXT)}
        for original, copy in found.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(original, copy)

    def do_env(self, rest: str) -> None:
        self.now().environ |= pairs(rest, self.now().known())

    def do_label(self, rest: str) -> None:
        self.now().labels |= pairs(rest, self.now().known())

    def do_workdir(self, rest: str) -> None:
        stage = self.now()
        stage.workdir = str(Path(stage.workdir) / filled(rest, stage.known()))
        (stage.root / stage.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def do_user(self, rest: str) -> None:
        self.now().user = rest

    def do_expose(self, rest: str) -> None:
        self.now().ports += rest.split()

    def do_stopsignal(self, rest: str) -> None:
        self.now().stop_signal = rest

    def do_entrypoint(self, rest: str) -> None:
        self.now().entrypoint = form(rest)

    def do_cmd(self, rest: str) -> None:
        self.now().command = form(rest)

    def do_healthcheck(self, rest: str) -> None:
        self.now().health = form(rest.partition("CMD ")[2])


class Trusted:
    """Names and authorities of this machine's network, for as long as a step runs."""

    def __init__(self, root: Path) -> None:
        self.resolver, self.authorities = root / "etc" / "resolv.conf", root / INSIDE.lstrip("/")

    def __enter__(self) -> dict[str, str]:
        shutil.copyfile("/etc/resolv.conf", self.resolver)
        if not AUTHORITIES.exists():
            return {}
        shutil.copyfile(AUTHORITIES, self.authorities)
        return dict.fromkeys(TRUST, INSIDE)

    def __exit__(self, *_: object) -> None:
        self.authorities.unlink(missing_ok=True)
        self.resolver.write_text("")


def replay(folder: Path, cache: Path) -> Stage:
    """The last stage; its root has been moved to `folder`/root."""
    if folder.exists():
        raise NotReplayedError(f"{folder} exists: name a folder that does not.")
    folder.mkdir(parents=True)
    stage = Replay(folder, cache).all((CONTEXT / "Dockerfile").read_text(encoding="utf-8"))
    stage.root = stage.root.rename(folder / "root")
    (folder / "image.json").write_text(json.dumps(asdict(stage), indent=1, default=str) + "\n", encoding="utf-8")
    return stage


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--cache", type=Path, default=Path("/var/cache/prodaccess-replay"), help="where the base is kept"
    )
    options = parser.parse_args()
    try:
        stage = replay(options.folder.resolve(), options.cache.resolve())
    except NotReplayedError as problem:
        print(problem, file=sys.stderr)
        return 1
    size = subprocess.run(["du", "-sm", str(stage.root)], text=True, capture_output=True, check=False).stdout.split()[0]
    print(f"{stage.root}: {size} MB, runs as {stage.user}: {shlex.join([*stage.entrypoint, *stage.command])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
