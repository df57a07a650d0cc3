"""The Helm chart, rendered by Helm itself, and what the tests ask of the result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support import deploy_tools

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "prodaccess"
PROCESSES = ("web", "worker", "clock")
Object = Mapping[str, Any]

_RENDER = """
import helm_python as helm
answer = []
with helm.Chart.load(data["chart"]) as chart:
    for values in data["values"]:
        try:
            rendered, refused = chart.render(values, name="prodaccess", namespace="tools"), ""
        except helm.HelmError as error:
            rendered, refused = {}, str(error)
        answer.append([rendered, refused])
"""


def merged(*parts: Object) -> dict[str, Any]:
    """As Helm lays value files over each other."""
    found: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            below = found.get(key)
            found[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found


def policy_files() -> dict[str, str]:
    """The example policy, as `policy.files` takes it."""
    folder = ROOT / "config"
    paths = (*folder.glob("*.yaml"), *folder.glob("environments/*.yaml"), *folder.glob("policies/*.json"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}


def cases() -> dict[str, dict[str, Any]]:
    """Name -> values: the defaults with the example policy, and each file in `ci/`."""
    default = {"policy": {"files": policy_files()}}
    files = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(CHART.glob("ci/*.yaml"))}
    with_policy = {
        name: merged(default, values) if "policy" not in values else values for name, values in files.items()
    }
    return {"default": default, **with_policy}


def asked(values: list[Any], chart: Path = CHART) -> list[tuple[dict[str, str], str]]:
    """For each: what was rendered, by file; or what Helm said against it."""
    found = deploy_tools.in_tools(_RENDER, {"chart": str(chart), "values": values})
    return [(rendered, refused) for rendered, refused in found]


@dataclass(frozen=True, slots=True)
class Release:
    """One rendered installation."""

    objects: tuple[Object, ...]
    notes: str

    def of(self, kind: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] == kind]

    def named(self, kind: str, name: str) -> Object:
        (found,) = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def pod(self, process: str) -> Object:
        """The template of one process's pods."""
        found: Object = self.named("Deployment", f"prodaccess-{process}")["spec"]["template"]
        return found

    def pods(self) -> Iterator[tuple[str, Object]]:
        """Every template of pods, by the name of what makes it."""
        for each in (*self.of("Deployment"), *self.of("StatefulSet")):
            yield each["metadata"]["name"], each["spec"]["template"]


def container(pod: Object, name: str) -> Object:
    (found,) = [each for each in pod["spec"]["containers"] if each["name"] == name]
    return found


def variables(pod: Object, name: str) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container(pod, name)["env"]}


def selects(selector: Object, labels: Object) -> bool:
    """A selector of Kubernetes with labels and `In`."""
    terms = [(each["key"], each["values"]) for each in selector.get("matchExpressions", [])]
    terms += [(key, [value]) for key, value in selector.get("matchLabels", {}).items()]
    return all(labels.get(key) in wanted for key, wanted in terms)


@cache
def releases() -> Mapping[str, Release]:
    found = {}
    for name, (rendered, refused) in zip(cases(), asked(list(cases().values())), strict=True):
        assert not refused, f"{name}: {refused}"
        found[name] = _release(rendered)
    return found


def _release(rendered: Mapping[str, str]) -> Release:
    notes = next(text for file, text in rendered.items() if file.endswith("NOTES.txt"))
    texts = [text for file, text in sorted(rendered.items()) if file.endswith(".yaml")]
    objects = [each for text in texts for each in yaml.safe_load_all(text) if each]
    return Release(tuple(json.loads(json.dumps(objects))), notes)
