"""The Dockerfile and compose.yaml say what we mean: read by hadolint, by the schema of compose files, and beside our settings."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import typer
import yaml

import bot
from bot.__main__ import app
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.settings import SECRETS, Settings, variable
from bot.settings.names import PATHS
from tests.support.deploy_tools import tool
from tests.support.loading import loaded

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("prodaccess")}
OF_AWS = ("AWS_REGION", "AWS_SHARED_CREDENTIALS_FILE")
replay = loaded(ROOT / "deploy" / "container" / "replay.py")


def words(name: str) -> list[str]:
    return [rest for found, rest in replay.instructions(DOCKERFILE) if found == name]


# ---------------------------------------------------------------- the Dockerfile


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run((tool("hadolint"), ROOT / "Dockerfile"), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_each_instruction_is_one_that_is_replayed() -> None:
    for name, _ in replay.instructions(DOCKERFILE):
        assert hasattr(replay.Replay, f"do_{name.lower()}"), name


def test_what_runs_has_our_version_and_a_user_by_number() -> None:
    labels = replay.pairs(" ".join(words("LABEL")), {})
    assert labels["org.opencontainers.image.version"] == bot.__version__
    assert {service["image"] for service in OURS.values()} == {f"prodaccess:{bot.__version__}"}
    assert words("USER") == ["10001:10001"]


def test_every_package_is_held_to_its_hash() -> None:
    (installing,) = [run for run in words("RUN") if "requirements.lock" in run]
    assert {"--require-hashes", "--only-binary"} <= set(installing.split())


@pytest.mark.parametrize(
    "path",
    [".env", "secrets/redis-url", ".git/config", "config/.env", "data/redis/appendonly.aof", "tests/conftest.py",
     "bot/__pycache__/web.pyc", "docs/images/life.svg", "deploy/helm/prodaccess/values.yaml", "key.pem"],
)  # fmt: skip
def test_an_image_is_sent_nothing_that_is_not_for_it(path: str) -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert replay.ignored(rules, path)


def test_an_image_is_sent_all_that_a_wheel_is_made_of() -> None:
    found = {str(path) for path in replay.sent(ROOT)}
    tracked = subprocess.check_output(("git", "ls-files", "bot", "workflows", "config"), cwd=ROOT, text=True)
    assert set(tracked.split()) <= found
    assert {"setup.py", "pyproject.toml", "requirements.lock", "README.md", "LICENSE", "docs/policy.md"} <= found
    assert "deploy/slack/manifest.yaml" in found


# ---------------------------------------------------------------- compose.yaml


def test_it_is_a_compose_file() -> None:
    command = (tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml")
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_services_are_our_processes_and_a_valkey() -> None:
    assert SERVICES.keys() == {"web", "worker", "sealer", "clock", "valkey"}
    commands: Any = typer.main.get_command(app)
    for name, service in OURS.items():
        process, *more = service["command"]
        assert more == (["--queue", "seal"] if name == "sealer" else [])
        assert process == ("worker" if name == "sealer" else name)
        asked = service["healthcheck"]["test"]
        assert asked == ["CMD", "prodaccess", "health", process]
        assert {process, "health"} <= commands.commands.keys()


def test_who_seals_has_the_key_alone_and_is_started_when_there_is_one() -> None:
    assert [name for name, service in SERVICES.items() if "audit-key" in service["secrets"]] == ["sealer"]
    assert SERVICES["sealer"]["profiles"] == ["sealed"]
    # It alone trims the audit log, where the policy has a retention.
    assert [name for name, service in SERVICES.items() if "redis-url-keeper" in service["secrets"]] == ["sealer"]
    assert set(SERVICES["sealer"]["secrets"]) == {"audit-key", "redis-url-keeper"}
    assert SERVICES["sealer"]["environment"]["REDIS_URL_FILE"] == "/run/secrets/redis-url-keeper"
    assert not [name for name, service in SERVICES.items() if "profiles" in service and name != "sealer"]


def test_with_a_bucket_the_sealer_alone_is_given_keys_for_it_and_a_way_out() -> None:
    more: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose" / "bucket.yaml").read_text())
    assert more["services"].keys() == {"sealer"}
    sealer = more["services"]["sealer"]
    assert set(sealer) == {"networks", "environment", "secrets"}
    assert set(sealer["networks"]) <= COMPOSE["networks"].keys()
    assert set(sealer["environment"]) == {*OF_AWS, "PRODACCESS_AUDIT_BUCKET"}
    assert sealer["environment"]["AWS_SHARED_CREDENTIALS_FILE"] == f"/run/secrets/{sealer['secrets'][0]}"
    assert set(sealer["secrets"]) == more["secrets"].keys()
    assert not set(sealer["secrets"]) & COMPOSE["secrets"].keys(), "the worker's keys are not the sealer's"


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_setting_and_each_secret_a_file_that_we_read(name: str) -> None:
    settings = {variable(field) for field in Settings.model_fields}
    secrets = {f"{variable(field)}_FILE" for field in (*SECRETS, *PATHS)}
    service = OURS[name]
    environment: Mapping[str, str] = service["environment"]
    for each, value in environment.items():
        assert each in settings | secrets or (name == "worker" and each in OF_AWS), each
        if value.startswith("/run/secrets/"):
            assert value.removeprefix("/run/secrets/") in service["secrets"], value
        else:
            assert each not in {variable(field) for field in SECRETS}, f"{each} stands in the file itself"
    named = {value.removeprefix("/run/secrets/") for value in environment.values() if value.startswith("/run/")}
    assert named == set(service["secrets"]) <= COMPOSE["secrets"].keys()


def test_nobody_but_the_worker_is_given_anything_of_aws() -> None:
    for name, service in SERVICES.items():
        if name != "worker":
            assert "aws" not in json.dumps(service).lower()


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_kept_small(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert "privileged" not in service
    assert int(service["stop_grace_period"].removesuffix("s")) >= 15
    assert {"test", "timeout", "retries"} <= service["healthcheck"].keys()


def test_the_record_is_reached_by_those_beside_it_and_the_clock_reaches_nothing_else() -> None:
    assert COMPOSE["networks"]["record"] == {"internal": True}
    assert {name: set(service["networks"]) for name, service in SERVICES.items()} == {
        "web": {"record", "outside"},
        "worker": {"record", "outside"},
        "sealer": {"record"},
        "clock": {"record"},
        "valkey": {"record"},
    }
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:3000:3000"]


def test_its_places_are_those_of_the_image() -> None:
    environ = replay.pairs(" ".join(words("ENV")), {})
    for name, service in OURS.items():
        mounted, *more = service["volumes"]
        assert mounted == f"./config:{environ['PRODACCESS_CONFIG']}:ro"
        assert more == (["archive:/var/lib/prodaccess"] if name == "sealer" else [])
    assert words("EXPOSE") == [str(Settings.model_fields["port"].default)]


# ---------------------------------------------------------------- its Valkey, by what it is started with


def as_documented(folder: Path) -> Path:
    """The secrets, made by the very lines of docs/install.md."""
    page = (ROOT / "docs" / "install.md").read_text()
    (typed,) = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "mkdir -m 700 secrets" in block]
    (folder / "deploy").symlink_to(ROOT / "deploy")
    subprocess.run(("bash", "-euo", "pipefail", "-c", typed), cwd=folder, check=True, umask=0o077)
    return folder / "secrets"


def test_the_documented_lines_make_each_secret_a_container_can_read_and_nobody_else_reach(tmp_path: Path) -> None:
    secrets = as_documented(tmp_path)
    by_hand = {"redis-url-operator"}  # whoever looks into the record mounts it
    later = {"audit-key"}
    assert {path.name for path in secrets.iterdir()} == (
        by_hand | {Path(each["file"]).name for each in COMPOSE["secrets"].values()} - later
    )
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o644}


def test_its_valkey_is_durable_and_lets_in_who_it_should(tmp_path: Path) -> None:
    """Started with the very words of compose.yaml; only the places are others."""
    secrets = as_documented(tmp_path)
    users = ["keeper" if name == "sealer" else name for name in OURS]
    addresses = {name: (secrets / f"redis-url-{name}").read_text() for name in users}
    _, *options = SERVICES["valkey"]["command"]
    places = {"/data": str(tmp_path), "/run/secrets/redis-users": str(secrets / "redis-users")}
    own = ["--port", "0", "--unixsocket", str(tmp_path / "socket"), "--save", ""]
    given = [places.get(option, option) for option in options]
    with subprocess.Popen((server(tmp_path), *given, *own), stdout=subprocess.DEVNULL) as process:
        try:
            web, *_ = [connected(addresses[name], tmp_path / "socket", process) for name in users]
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(unix_socket_path=str(tmp_path / "socket")).ping()
            found = web.config_get("append*", "maxmemory-policy")
            assert (found["appendonly"], found["appendfsync"], found["maxmemory-policy"]) == (
                "yes",
                "always",
                "noeviction",
            )
            with pytest.raises(redis.exceptions.NoPermissionError):
                web.config_set("appendonly", "no")
        finally:
            process.terminate()
            process.wait(10)


def server(folder: Path) -> str:
    """The path of a server that runs here."""
    with EmbeddedValkey(folder / "looked-for") as running:
        return str(Path(f"/proc/{running.pid}/exe").resolve())


def connected(address: str, socket: Path, process: subprocess.Popen[bytes]) -> Any:
    """By the user and password of the address, wherever that leads."""
    who = urlsplit(address)
    assert (who.hostname, who.port) == ("valkey", 6379)
    known = {"username": who.username, "password": who.password}
    client = redis.Redis(unix_socket_path=str(socket), decode_responses=True, **known)
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            assert process.poll() is None, "the server does not start"
            time.sleep(0.05)
        else:
            return client
