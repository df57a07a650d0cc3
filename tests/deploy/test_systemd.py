"""The units: systemd itself finds nothing wrong with them, they let little through, and they fit the processes."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from bot import settings
from bot.__main__ import app
from tests.support import deploy_tools

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]
FOLDER, PAGE = ROOT / "deploy" / "systemd", ROOT / "docs" / "vm.md"
UNITS = {"prodaccess-web.service": "web", "prodaccess-worker@.service": "worker", "prodaccess-clock.service": "clock"}
PARTS = sorted(path.name for path in FOLDER.glob("parts/*"))
# Of 10, where 10 is no protection at all; what is left is that it talks to the network.
EXPOSURE_MAX = 1.5
OF_WORKERS = {"AWS_SHARED_CREDENTIALS_FILE", "PRODACCESS_AUDIT_KEY_FILE", "GITHUB_APP_KEY_FILE", "GITLAB_TOKEN_FILE"}


def lines(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found[name].append(value)
    return found


def drop_ins(unit: str) -> Iterator[Path]:
    yield from sorted(FOLDER.glob(f"parts/*/{unit}.d/*.conf"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with systemd's own units, ours, and all drop-ins, as docs/vm.md puts them there."""
    root = tmp_path_factory.mktemp("machine")
    shutil.copytree("/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    own = root / "etc/systemd/system"
    own.mkdir(parents=True)
    for path in (*FOLDER.glob("*.service"), *FOLDER.glob("*.target")):
        shutil.copy(path, own)
    for part in ("slack-socket", "teams", "github", "gitlab", "aws-keys", "sealing", "sealer"):
        shutil.copytree(FOLDER / "parts" / part, own, dirs_exist_ok=True)
    program = root / "opt/prodaccess/bin/prodaccess"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    return root


def test_what_the_page_types_works_where_there_is_nothing_but_systemd(tmp_path: Path) -> None:
    """Debian 12 has no /etc/sysusers.d."""
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    section = PAGE.read_text().partition("## 3. ")[2]
    block = section.partition("```sh\n")[2].partition("```")[0]
    typed = [
        line.replace(" /etc/", f" {tmp_path}/etc/") for line in block.splitlines() if not line.startswith("systemd")
    ]
    assert "systemctl daemon-reload" in typed
    typed.remove("systemctl daemon-reload")
    subprocess.run(["bash", "-eo", "pipefail", "-c", "\n".join(typed)], cwd=ROOT, check=True)
    for name in ("sysusers.d/prodaccess.conf", "tmpfiles.d/prodaccess.conf", "prodaccess/prodaccess.env"):
        assert (tmp_path / "etc" / name).is_file()
    assert {*UNITS, "prodaccess.target"} <= {path.name for path in (tmp_path / "etc/systemd/system").iterdir()}


def analyzed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = (deploy_tools.systemd_analyze(), "--no-pager", *arguments)
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_systemd_finds_nothing_wrong(machine: Path) -> None:
    units = [machine / "etc/systemd/system" / name.replace("@", "@1") for name in (*UNITS, "prodaccess.target")]
    shutil.copy(machine / "etc/systemd/system/prodaccess-worker@.service", units[1])
    shutil.copytree(f"{machine}/etc/systemd/system/prodaccess-worker@.service.d", f"{units[1]}.d", dirs_exist_ok=True)
    done = analyzed("verify", f"--root={machine}", "--man=no", *units)
    assert [line for line in done.stderr.splitlines() if "prodaccess" in line] == []
    assert done.returncode == 0


def test_who_seals_alone_has_the_key_and_nothing_of_a_chat() -> None:
    (path,) = FOLDER.glob("parts/sealer/*/*.conf")
    own = lines(path)
    assert own["ExecStart"] == ["", "/opt/prodaccess/bin/prodaccess worker --queue seal"]
    assert own["LoadCredential"][0] == own["Environment"][0] == "", "what other parts gave is taken away first"
    assert {each.partition(":")[0] for each in own["LoadCredential"][1:]} == {"redis-url", "audit-key"}
    # Where the policy has a retention it trims the audit log, and no other process may.
    assert "redis-url:/etc/prodaccess/secrets/redis-url-keeper" in own["LoadCredential"]
    others = [one for one in FOLDER.rglob("*") if one.is_file() and one != path]
    assert not [one.name for one in others if "redis-url-keeper" in one.read_text()]
    assert path.name > "teams.conf"
    assert own["User"][0] in (FOLDER / "prodaccess.sysusers.conf").read_text()


def test_systemd_would_find_a_slip(machine: Path) -> None:
    wrong = machine / "etc/systemd/system/prodaccess-wrong.service"
    text = (FOLDER / "prodaccess-web.service").read_text().replace("ProtectSystem=strict", "ProtectSystem=very")
    wrong.write_text(text)
    done = analyzed("verify", f"--root={machine}", "--man=no", wrong)
    wrong.unlink()
    assert "protect system value" in done.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_lets_little_through(machine: Path, unit: str) -> None:
    done = analyzed("security", "--offline=yes", f"--root={machine}", unit.replace("@", "@1"))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSURE_MAX


@pytest.mark.parametrize(("unit", "process"), UNITS.items())
def test_a_unit_runs_a_command_as_its_own_user(unit: str, process: str) -> None:
    own = lines(FOLDER / unit)
    (command,) = own["ExecStart"]
    assert command == f"/opt/prodaccess/bin/prodaccess {process}"
    assert process in typer.main.get_command(app).commands  # type: ignore[attr-defined]
    users = re.findall(r"^u (\S+)", (FOLDER / "prodaccess.sysusers.conf").read_text(), re.MULTILINE)
    assert own["User"] == own["Group"] == [f"prodaccess-{process}"]
    assert own["User"][0] in users


@pytest.mark.parametrize(("unit", "process"), UNITS.items())
def test_a_process_finds_each_secret_by_its_file_and_none_that_it_does_not_use(unit: str, process: str) -> None:
    known = {f"{settings.variable(field)}_FILE" for field in settings.SECRETS}
    known |= OF_WORKERS if process == "worker" else set()
    for path in (FOLDER / unit, *drop_ins(unit)):
        own = lines(path)
        loaded = dict(each.split(":") for each in own["LoadCredential"])
        given = dict(each.split("=") for each in own["Environment"] if "%d" in each)
        assert {f"%d/{name}" for name in loaded} == set(given.values()), path
        assert set(given) <= known, path
        assert all(f"`{Path(file).name}`" in PAGE.read_text() for file in loaded.values()), path
    if process == "clock":
        assert not list(drop_ins(unit))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_told_and_belongs_to_a_unit(part: str) -> None:
    assert f"| `{part}` |" in PAGE.read_text()
    folders = [path.name for path in (FOLDER / "parts" / part).iterdir()]
    assert {re.sub(r"@\w+", "@", name.removesuffix(".d")) for name in folders} <= UNITS.keys()


def test_only_the_worker_reaches_credentials_of_the_machine() -> None:
    for unit, process in UNITS.items():
        denied = " ".join(lines(FOLDER / unit)["IPAddressDeny"])
        assert ("169.254.0.0/16" in denied and "fd00:ec2::/32" in denied) == (process != "worker")
        assert not [each for each in lines(FOLDER / unit)["Environment"] if each.startswith("AWS_")]


def test_the_units_differ_in_nothing_but_what_is_theirs() -> None:
    """What one of them may not do, none may."""
    own = {"ExecStart", "User", "Group", "LoadCredential", "Environment", "IPAddressDeny", "Description"}
    web, worker, clock = (lines(FOLDER / unit) for unit in UNITS)
    for name in (web.keys() | worker.keys() | clock.keys()) - own:
        assert web[name] == worker[name] == clock[name], name


def test_a_process_has_the_time_that_it_takes_to_end_and_tells_that_it_moves() -> None:
    own = lines(FOLDER / "prodaccess-worker@.service")
    assert own["TimeoutStopSec"] == ["15"]
    assert own["WatchdogSec"] == ["60"]
    assert "WATCHDOG=1" in (ROOT / "bot" / "runtime" / "life_sign.py").read_text()


def test_the_target_starts_two_workers_and_the_two_others() -> None:
    (wanted,) = lines(FOLDER / "prodaccess.target")["Wants"]
    instances = {re.sub(r"@\d", "@", name) for name in wanted.split()}
    assert (instances, len(wanted.split())) == (set(UNITS), 4)


def test_what_the_example_of_settings_names_are_settings() -> None:
    names = re.findall(r"^#?([A-Z][A-Z_]+)=", (FOLDER / "prodaccess.env.example").read_text(), re.MULTILINE)
    known = {settings.variable(field) for field in settings.Settings.model_fields}
    assert len(names) > 5
    assert set(names) <= known | {"AWS_REGION"}
    assert not {settings.variable(field) for field in settings.SECRETS} & set(names)


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [PAGE, ROOT / "docs" / "kubernetes.md"], ids=lambda page: page.name)
def test_what_the_pages_tell_people_to_type_is_right_for_a_shell_and_names_what_is_there(page: Path) -> None:
    assert len(blocks(page)) > 4
    for block in blocks(page):
        script = "#!/bin/bash\n" + block
        done = subprocess.run(
            (deploy_tools.tool("shellcheck"), "--severity=warning", "--exclude=SC2164", "-"),
            input=script, text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        for named in re.findall(r"\b(deploy/[\w./*-]+)", block):
            assert list(ROOT.glob(named.rstrip("/."))), named
