"""The Dockerfile, done step by step in a fresh root, and what runs in it: as root on Linux, with debootstrap.

`make test-image`. PRODACCESS_IMAGE names a root that replay.py has made before.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

import bot
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.runtime.supervisor import Program
from bot.sandbox.installation import installation as installations
from bot.sandbox.installation.interrupts import CONFIG, example_policy
from bot.sandbox.installation.people import aws_world, slack_world
from bot.sandbox.tour.render import Names
from bot.sandbox.tour.scenario import Scenario
from bot.sandbox.tour.terminal import Terminal, console_for
from tests.support.loading import loaded

pytestmark = pytest.mark.image

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "deploy" / "container"
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = ("web", "worker", "clock")
STOPPED_S_MAX = 10.0
start = loaded(TOOLS / "start.py")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if made_before := os.environ.get("PRODACCESS_IMAGE"):
        return Path(made_before)
    folder = tmp_path_factory.mktemp("image") / "made"
    done = subprocess.run((sys.executable, TOOLS / "replay.py", folder), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Secrets:
    """The files of compose.yaml's secrets, and each service's variables: those that compose.yaml gives it, and no other."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def command(self, image: Path, service: str, given: Mapping[str, str], config: Path) -> tuple[str, ...]:
        """As compose starts it. Of `given` it gets what is no secret as it is; AWS the worker alone."""
        environ = {name: value for name, value in given.items() if name in {"PORT", "PRODACCESS_HOST", "SLACK_API_URL"}}
        if service == "worker":
            environ |= {name: value for name, value in given.items() if name.startswith("AWS_")}
        mounts = {config: "/etc/prodaccess/config"}
        for name, place in SERVICES[service]["environment"].items():
            if name.endswith("_FILE") and (secret := given.get(name.removesuffix("_FILE"))):
                file = self.folder / Path(place).name
                file.write_text(secret)
                environ[name], mounts[file] = place, place
        options = [f"-e{name}={value}" for name, value in environ.items()]
        options += [f"-v{outside}:{place}" for outside, place in mounts.items()]
        return (sys.executable, str(TOOLS / "start.py"), *options, str(image), *SERVICES[service]["command"])


# ---------------------------------------------------------------- what is in it


@pytest.fixture
def inside(image: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs something in it; `sh` in place of the entrypoint."""

    def run(*words: str, entrypoint: Sequence[str] | None = None) -> subprocess.CompletedProcess[str]:
        command = list(start.command(image, words, {}))
        if entrypoint is not None:
            at = len(command) - len(words) - len(start.image(image)["entrypoint"])
            command[at:] = [*entrypoint, *words]
        return subprocess.run(command, stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False)

    return run


def test_it_says_what_it_is(inside, image: Path) -> None:
    assert inside("--version").stdout == f"prodaccess {bot.__version__}\n"
    assert "Usage: prodaccess" in inside(*start.image(image)["command"]).stdout
    assert inside("docs", "operations").stdout.startswith("# Running it\n")


def test_nobody_in_it_is_root_or_can_write_but_to_memory(inside) -> None:
    said = inside(
        "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; "
        "for each in / /app /etc /tmp; do touch $each/x && echo wrote $each; done",
        entrypoint=("sh", "-c"),
    ).stdout.split("\n")
    assert said[0] == "10001"
    assert {line.split()[1] for line in said[1:4]} == {"0" * 16, "1"}
    assert said[4:] == ["wrote /tmp", ""]


def test_there_is_nothing_in_it_to_build_or_fetch_with(image: Path) -> None:
    places = [image / "root" / each for each in ("app/bin", "usr/bin", "usr/local/bin", "bin", "usr/sbin")]
    there = {path.name for place in places for path in place.iterdir()}
    assert not there & {"pip", "pip3", "gcc", "cc", "make", "curl", "wget", "git", "uv"}
    packages = {path.name for path in (image / "root/app/lib/python3.11/site-packages").iterdir()}
    assert not packages & {"pip", "setuptools", "wheel", "pytest", "moto", "_distutils_hack"}


def test_no_secret_and_nothing_of_the_checkout_is_in_it(image: Path) -> None:
    names = {path.name for path in (image / "root").rglob("*") if not path.is_symlink()}
    assert not names & {".env", ".git", "requirements.lock", ".authorities.pem", "conftest.py"}
    assert not (image / "root" / "src").exists()
    assert not [path for path in (image / "root" / "run").rglob("*") if path.is_file() and path.stat().st_size]


# ---------------------------------------------------------------- what runs in it


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "redis") as running:
        yield running


@pytest.mark.parametrize("name", OURS)
def test_each_is_well_as_process_1_and_gone_within_ten_seconds(
    image: Path, valkey: EmbeddedValkey, tmp_path: Path, name: str
) -> None:
    given = {
        "REDIS_URL": valkey.url,
        "SLACK_BOT_TOKEN": "xoxb-1-a",
        "SLACK_APP_TOKEN": "xapp-1-a",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "PRODACCESS_HOST": "127.0.0.1",
        "PORT": str(installations._free_port()),
    }
    command = Secrets(tmp_path / "secrets").command(image, name, given, CONFIG)
    check = SERVICES[name]["healthcheck"]["test"][1:]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            well_within(60.0, lambda: health(image, process.pid, check) == 0, process)
            assert health(image, process.pid, start.image(image)["health"]) == 0
            others = [other for other in OURS if other != name]
            assert all(health(image, process.pid, ("prodaccess", "health", other)) == 1 for other in others)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOPPED_S_MAX)
        finally:
            process.kill()
        said = process.stdout.read() if process.stdout else ""
    assert code in {0, 128 + signal.SIGTERM}, said
    assert time.monotonic() - began < STOPPED_S_MAX
    assert "xoxb-1-a" not in said


def health(image: Path, starter: int, words: Sequence[str]) -> int:
    """Of the process that is number 1 there; -1 while there is none."""
    try:
        command = start.beside(image, start.first(starter), words)
    except (IndexError, FileNotFoundError):
        return -1
    return subprocess.run(command, capture_output=True, check=False).returncode


def well_within(seconds: float, look: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_whole_life_of_a_request(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web, worker and clock in it, read-only, with secrets as files; Slack, AWS and a Valkey of this machine beside it."""
    secrets = Secrets(tmp_path / "secrets")

    def programs(given: Mapping[str, str], *, workers: int) -> list[Program]:
        assert workers == 1
        environ = {"PATH": os.environ["PATH"]}
        commands = {name: secrets.command(image, name, given, Path(given["PRODACCESS_CONFIG"])) for name in OURS}
        return [Program(name, command, environ) for name, command in commands.items()]

    monkeypatch.setattr(installations, "programs", programs)
    told = io.StringIO()
    with installations.Installation({}, CONFIG, slack_world(), aws_world()) as running:
        terminal = Terminal(console_for(told), Names.of(running.slack))
        Scenario(running, terminal, example_policy(CONFIG), seconds=3).run()
    assert "ended: time was up, removal verified" in told.getvalue()
    assert "Nothing needs a hand" in told.getvalue()
