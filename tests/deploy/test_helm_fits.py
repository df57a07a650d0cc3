"""What the chart makes fits together, and fits the processes: variables, commands, paths, labels, files, and who reaches what."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot import settings
from bot.__main__ import app
from bot.providers import know_providers
from tests.support.chart import PROCESSES, ROOT, Object, Release, cases, container, releases, selects, variables
from workflows.policy_file import PolicyFolder
from workflows.policy_file.folder import read_folder

pytestmark = pytest.mark.deploy

ALL = pytest.mark.parametrize("release", [pytest.param(name, id=name) for name in cases()])
EACH = pytest.mark.parametrize("process", PROCESSES)

# Each in a form that the settings take.
SECRET_VALUES = {
    "REDIS_URL": "redis://:secret@redis:6379/0",
    "SLACK_BOT_TOKEN": "xoxb-1-2-abc",
    "SLACK_APP_TOKEN": "xapp-1-A-2-abc",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
    "TEAMS_APP_PASSWORD": "secret",
    "TEAMS_WEBHOOK_URL": "https://example.com/hook",
    "GITHUB_WEBHOOK_SECRET": "0123456789abcdef0123456789abcdef",
    "GITHUB_APP_KEY": "a file that is read when GitHub is told",
}
# Of other programs that run in the process, and of AWS's SDK; the worker's alone.
OTHERS, OF_AWS = (
    {"HOME", "FORWARDED_ALLOW_IPS", "HTTPS_PROXY"},
    {"AWS_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"},
)


def files_of_secrets(pod: Object) -> dict[str, tuple[str, str]]:
    """The path at which a process finds it -> the Secret and the key."""
    (volume,) = [each for each in pod["spec"]["volumes"] if each["name"] == "secrets"]
    sources = [source["secret"] for source in volume["projected"]["sources"]]
    return {
        f"/run/secrets/prodaccess/{item['path']}": (secret["name"], item["key"])
        for secret in sources
        for item in secret["items"]
    }


@ALL
@EACH
def test_a_process_starts_with_the_variables_and_files_that_it_is_given(release: str, process: Any, tmp_path: Path):
    pod = releases()[release].pod(process)
    given = variables(pod, process)
    for name in (name for name in given if name.endswith("_FILE") and name not in OF_AWS):
        assert given[name] in files_of_secrets(pod), name
        file = tmp_path / name
        file.write_text(SECRET_VALUES.get(name.removesuffix("_FILE"), "secret"))
        given[name] = str(file)
    assert given["HOME"] == "/tmp"  # OpenShift's users are nobody's
    found = settings.for_process(process, given)
    assert isinstance(found, settings.Settings), found


@ALL
@EACH
def test_each_variable_is_one_that_somebody_reads(release: str, process: str):
    known = {settings.variable(field) for field in settings.Settings.model_fields}
    known |= {f"{settings.variable(field)}_FILE" for field in settings.SECRETS} | OTHERS
    known |= {f"{name}_FILE" for name in ("PAGERDUTY_TOKEN", "SHOP_TEAMS_WEBHOOK", "GITHUB_APP_KEY")}
    assert set(variables(releases()[release].pod(process), process)) <= known | (
        OF_AWS if process == "worker" else set()
    )


@ALL
@EACH
def test_a_process_has_no_secret_that_it_does_not_use(release: str, process: str):
    pod = releases()[release].pod(process)
    used = {value for name, value in variables(pod, process).items() if name.endswith("_FILE")}
    assert set(files_of_secrets(pod)) == used - {"/run/secrets/aws/token"}
    if process == "clock":
        assert set(files_of_secrets(pod)) == {"/run/secrets/prodaccess/redis-url"}


def commands() -> set[str]:
    group = typer.main.get_command(app)
    return set(group.commands)  # type: ignore[attr-defined]


@ALL
@EACH
def test_what_is_run_is_a_command_and_what_is_probed_is_a_path(release: str, process: str):
    own = container(releases()[release].pod(process), process)
    assert own["args"] == [process]
    probes = [own[each] for each in ("startupProbe", "livenessProbe", "readinessProbe") if each in own]
    assert len(probes) == (3 if process == "web" else 1)
    for probe in probes:
        if process == "web":
            assert probe["httpGet"] == {"path": "/healthz", "port": "http"}
        else:
            program, command, name = probe["exec"]["command"]
            assert (program, name) == ("prodaccess", process)
            assert command in commands()


def test_ports_have_the_numbers_that_web_listens_at():
    pod = releases()["default"].pod("web")
    ports = {each["name"]: str(each["containerPort"]) for each in container(pod, "web")["ports"]}
    given = variables(pod, "web")
    assert ports == {"http": given["PORT"], "ops": given["PRODACCESS_OPS_PORT"]}


@ALL
def test_every_selector_finds_the_pods_that_it_is_meant_for(release: str):
    found = releases()[release]
    labels = {name: pod["metadata"]["labels"] for name, pod in found.pods()}
    for each in (*found.of("Deployment"), *found.of("StatefulSet"), *found.of("PodDisruptionBudget")):
        name = each["metadata"]["name"]
        assert [other for other in labels if selects(each["spec"]["selector"], labels[other])] == [name]
    for each in found.of("Service"):
        name = each["metadata"]["name"].replace("-ops", "-web")
        assert [other for other in labels if selects({"matchLabels": each["spec"]["selector"]}, labels[other])] == [
            name
        ]
    for name, pod in found.pods():
        for spread in pod["spec"].get("topologySpreadConstraints", []):
            assert [other for other in labels if selects(spread["labelSelector"], labels[other])] == [name]


@ALL
def test_what_prometheus_looks_for_is_the_service_for_the_inside(release: str):
    found = releases()[release]
    for monitor in found.of("ServiceMonitor"):
        services = [
            each for each in found.of("Service") if selects(monitor["spec"]["selector"], each["metadata"]["labels"])
        ]
        assert [each["metadata"]["name"] for each in services] == ["prodaccess-ops"]
        assert [each["port"] for each in monitor["spec"]["endpoints"]] == [services[0]["spec"]["ports"][0]["name"]]
        assert monitor["spec"]["endpoints"][0]["relabelings"] == [{"targetLabel": "job", "replacement": "prodaccess"}]


def test_the_alarms_are_those_that_stand_beside_the_chart():
    (rule,) = releases()["everything"].of("PrometheusRule")
    own = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    found = rule["spec"]["groups"]
    links = [alarm["annotations"].pop("runbook_url") for group in found for alarm in group["rules"]]
    wanted = [alarm["annotations"].pop("runbook_url") for group in own for alarm in group["rules"]]
    assert found == own
    assert links == [f"https://git.example.com/prodaccess/{each}" for each in wanted]
    assert len(links) > 5


@ALL
def test_a_machine_can_always_be_drained_and_one_pod_of_each_stays(release: str):
    found = releases()[release]
    budgets = {each["metadata"]["name"]: each["spec"] for each in found.of("PodDisruptionBudget")}
    for each in found.of("Deployment"):
        name, replicas = each["metadata"]["name"], each["spec"]["replicas"]
        assert (name in budgets) == (replicas > 1)
        assert replicas == 1 or budgets[name]["maxUnavailable"] < replicas


@ALL
def test_every_pod_is_nobody_and_can_write_nowhere(release: str):
    for _, pod in releases()[release].pods():
        spec = pod["spec"]
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for each in (*spec["containers"], *spec.get("initContainers", [])):
            own = each["securityContext"]
            assert (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"]) == (False, True)
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert each["resources"]["requests"]
            assert each["resources"]["limits"]["memory"]
            assert ":" in each["image"].rpartition("/")[2]
            assert not each["image"].endswith(":latest")


@ALL
def test_only_the_worker_has_anything_of_aws(release: str):
    found = releases()[release]
    accounts = {process: found.pod(process)["spec"]["serviceAccountName"] for process in PROCESSES}
    assert len(set(accounts.values())) == 3
    for process in ("web", "clock"):
        account = found.named("ServiceAccount", accounts[process])
        assert "eks.amazonaws.com/role-arn" not in account["metadata"].get("annotations", {})
        assert not [name for name in variables(found.pod(process), process) if name.startswith("AWS_")]
        assert "serviceAccountToken" not in str(found.pod(process)["spec"]["volumes"])
        walls = [each for each in found.of("NetworkPolicy") if each["metadata"]["name"].endswith(process)]
        assert "169.254.170.23" not in str(walls)
    assert all(each["automountServiceAccountToken"] is False for each in found.of("ServiceAccount"))


def test_who_seals_has_the_key_and_nothing_of_a_chat():
    found = releases()["sealed"]
    sealer = variables(found.pod("sealer"), "sealer")
    assert container(found.pod("sealer"), "sealer")["args"] == ["worker", "--queue", "seal"]
    assert sealer["PRODACCESS_AUDIT_KEY_FILE"] == "/run/secrets/prodaccess/prodaccess-audit-key"
    assert sealer["PRODACCESS_AUDIT_BUCKET"] == "s3://acme-audit/prodaccess"
    assert not [name for name in sealer if name.startswith(("SLACK", "TEAMS"))]
    for process in PROCESSES:
        assert not [name for name in variables(found.pod(process), process) if "AUDIT" in name]


def test_each_way_to_the_role_leads_there():
    annotated = releases()["everything"].named("ServiceAccount", "prodaccess-worker")["metadata"]["annotations"]
    assert annotated["eks.amazonaws.com/role-arn"] == "arn:aws:iam::111122223333:role/prodaccess-worker"
    projected = releases()["http"].pod("worker")
    given = variables(projected, "worker")
    (mount,) = [each for each in container(projected, "worker")["volumeMounts"] if each["name"] == "aws-token"]
    (volume,) = [each for each in projected["spec"]["volumes"] if each["name"] == "aws-token"]
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    assert given["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{mount['mountPath']}/{token['path']}"
    assert (token["audience"], given["AWS_REGION"]) == ("sts.amazonaws.com", "eu-central-1")
    egress = releases()["teams"].named("NetworkPolicy", "prodaccess-worker")["spec"]["egress"]
    assert any("169.254.170.23/32" in str(rule) for rule in egress)


@ALL
def test_each_mount_has_its_volume_and_each_volume_is_mounted(release: str):
    for name, pod in releases()[release].pods():
        spec = pod["spec"]
        volumes = {each["name"] for each in spec.get("volumes", [])}
        claims = {"data"} if name == "prodaccess-valkey" else set()
        containers = (*spec["containers"], *spec.get("initContainers", []))
        mounted = {mount["name"] for each in containers for mount in each["volumeMounts"]}
        assert mounted == volumes | claims, name
        for each in spec["containers"]:
            assert not [mount for mount in each["volumeMounts"] if "subPath" in mount]


def laid_out(folder: Path, release: Release, version: str) -> None:
    """As a kubelet puts a ConfigMap into a volume: a folder with a time in its name, behind `..data`, all at once."""
    (policy,) = [each for each in release.pod("web")["spec"]["volumes"] if each["name"] == "policy"]
    data = release.named("ConfigMap", policy["configMap"]["name"])["data"]
    hidden = folder / f"..{version}"
    for item in policy["configMap"]["items"]:
        path = hidden / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data[item["key"]], encoding="utf-8")
    (folder / "..data_tmp").symlink_to(hidden.name)
    (folder / "..data_tmp").replace(folder / "..data")
    for name in {item["path"].split("/")[0] for item in policy["configMap"]["items"]}:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")


def test_the_policy_arrives_whole_and_a_change_of_it_is_seen(tmp_path: Path):
    know_providers()
    now = [0.0]
    laid_out(tmp_path, releases()["default"], "one")
    assert read_folder(tmp_path).hash == read_folder(without_schema(tmp_path.parent / "plain")).hash
    watched = PolicyFolder(tmp_path, monotonic=lambda: now[0])
    before = watched.current()
    changed = Release(tuple(slower(each) for each in releases()["default"].objects), "")
    laid_out(tmp_path, changed, "two")
    shutil.rmtree(tmp_path / "..one")
    for _ in range(2):
        now[0] += 1.5
        after = watched.current()
    assert (before.hash != after.hash, watched.problems) == (True, ())


def without_schema(folder: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("schema")))


def slower(each: Object) -> Object:
    if each["kind"] != "ConfigMap":
        return each
    data = {
        name: text.replace("request_expires_after: 45m", "request_expires_after: 50m")
        for name, text in each["data"].items()
    }
    return {**each, "data": data}


def arguments(release: str, name: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for process in PROCESSES:
        spec = releases()[release].pod(process)["spec"]
        (found,) = [each for each in (*spec["initContainers"], *spec["containers"]) if each["name"] == name]
        yield process, dict(each.removeprefix("--").partition("=")[::2] for each in found["args"])


def test_git_brings_the_folder_that_the_process_reads():
    for process, given in arguments("everything", "policy"):
        assert (given["root"], given["link"], given["submodules"]) == ("/git", "current", "off")
        pod = releases()["everything"].pod(process)
        mounts = {each["name"]: each["mountPath"] for each in container(pod, process)["volumeMounts"]}
        assert variables(pod, process)["PRODACCESS_CONFIG"] == f"{mounts['policy']}/{given['link']}/policy/prod"
    for _, given in arguments("everything", "policy-first"):
        assert "one-time" in given
        assert "period" not in given


def test_valkey_has_every_write_on_disk_before_it_answers():
    found = releases()["everything"].named("StatefulSet", "prodaccess-valkey")
    (own,) = found["spec"]["template"]["spec"]["containers"]
    given = dict(zip(own["args"][1::2], own["args"][2::2], strict=True))
    assert (given["--appendonly"], given["--appendfsync"], given["--maxmemory-policy"]) == (
        "yes",
        "always",
        "noeviction",
    )
    assert given["--aclfile"] == "/run/secrets/valkey/users.acl"
    assert found["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def test_an_upgrade_can_go_one_process_at_a_time():
    found = releases()["everything"]
    images = {
        process: container(found.pod(process), process)["image"].partition("/platform/")[2] for process in PROCESSES
    }
    assert images["worker"] == "prodaccess:0.0.9"
    assert images["web"] == images["clock"]
    assert images["web"].startswith("prodaccess@sha256:")
