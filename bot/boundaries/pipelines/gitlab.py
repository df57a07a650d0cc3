"""GitLab's pipeline file -> jobs, with the files of this repository that it includes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.boundaries.model import Place
from bot.boundaries.pipelines.job import (
    Held,
    Job,
    Named,
    Role,
    What,
    deploying_in,
    gates_in,
    led_elsewhere_in,
    paths_in,
    unlocked_in,
)
from bot.boundaries.pipelines.yaml_look import below, listed, pairs, text, texts
from bot.boundaries.pipelines.yaml_look import field as at
from bot.boundaries.production import Production
from bot.boundaries.reading.node import Fields, Node, Scalar

GITLAB = "GitLab"
_FILE = ".gitlab-ci.yml"
_NO_JOBS = frozenset(
    {
        "default",
        "include",
        "stages",
        "variables",
        "workflow",
        "image",
        "services",
        "before_script",
        "after_script",
        "cache",
        "spec",
    }
)
# GitLab's own is 11: a longer row of `extends` is refused there.
_DEPTH_MAX = 12
_SCRIPTS = ("before_script", "script", "after_script")
# Of these what stands at the top, or under `default`, counts for each job that has none of its own.
_SHARED = ("before_script", "after_script")


@dataclass(slots=True)
class GitLab:
    """`remote`: what is included from elsewhere, or by a pattern."""

    files: Mapping[str, Node]
    production: Production
    jobs: list[Job] = field(default_factory=list)
    remote: list[Named] = field(default_factory=list)
    _found: dict[str, tuple[str, Fields]] = field(default_factory=dict)
    _wholes: dict[str, Fields] = field(default_factory=dict)
    # For all jobs: scripts round theirs, and variables.
    _shared: dict[str, Node] = field(default_factory=dict)
    _variables: list[tuple[str, Named]] = field(default_factory=list)

    def read(self) -> GitLab:
        if _FILE in self.files:
            self._file(_FILE, set())
            for id_, (file, node) in self._found.items():
                if not id_.startswith("."):
                    self.jobs.append(self._job(id_, file, node))
        return self

    def _file(self, file: str, seen: set[str]) -> None:
        root = self.files.get(file)
        if file in seen or not isinstance(root, Fields):
            return
        seen.add(file)
        for include in listed(root.fields.get("include")):
            self._include(file, include, seen)
        self._variables += pairs(file, root.fields.get("variables"))
        for name in _SHARED:
            for node in (root.fields.get(name), at(root.fields.get("default"), name)):
                if node is not None:
                    self._shared[name] = node
        for id_, node in root.fields.items():
            if id_ not in _NO_JOBS and isinstance(node, Fields):
                self._found[id_] = (file, node)

    def _include(self, file: str, node: Node, seen: set[str]) -> None:
        name = text(node) or text(at(node, "local"))
        alone = isinstance(node, Scalar) or (isinstance(node, Fields) and set(node.fields) <= {"local"})
        path = name.lstrip("/") if name and alone and "://" not in name else ""
        if path in self.files:
            self._file(path, seen)
        else:
            words = name or next((one.text for one in below(file, node)), "?")
            self.remote.append(Named(words, Place(file, node.line)))

    def _whole(self, node: Fields, depth: int = 0) -> Fields:
        """With what it extends."""
        fields: dict[str, Node] = {}
        for name in texts(node.fields.get("extends")) if depth < _DEPTH_MAX else ():
            if name in self._found:
                if name not in self._wholes:
                    # Each once, and what extends itself is itself.
                    self._wholes[name] = self._found[name][1]
                    self._wholes[name] = self._whole(self._found[name][1], depth + 1)
                fields |= self._wholes[name].fields
        return Fields(node.line, {**fields, **node.fields})

    def _job(self, id_: str, file: str, own: Fields) -> Job:
        node = self._whole(own)
        node = Fields(node.line, {**self._shared, **node.fields})
        environment = node.fields.get("environment")
        name = text(at(environment, "name")) if isinstance(environment, Fields) else text(environment)
        place = Place(file, own.line)
        if "trigger" in node.fields:
            started = " ".join(one.text for one in below(file, node.fields["trigger"]))
            self.remote.append(Named(f"the pipeline that {id_} starts ({started})", place))
        environments = () if environment is None else None if name is None or "$" in name else (name,)
        scripts = tuple(each for key in _SCRIPTS for each in below(file, node.fields.get(key)))
        variables = (*self._variables, *pairs(file, node.fields.get("variables")))
        said = (*scripts, *(Named(f"{key} {one.text}", one.place) for key, one in variables))
        named = (id_, *(environments or ()))
        return Job(
            forge=GITLAB,
            id=id_,
            place=place,
            events=tuple(_events(node)),
            role=self._role(named, environments, tuple(deploying_in(scripts))),
            environments=environments,
            environment_place=Place(file, environment.line) if environment is not None else None,
            held=(Held("what its environment holds", place, What.ENVIRONMENT),) if environment is not None else (),
            gates=gates_in(scripts),
            branches=_branches(node),
            paths=paths_in(scripts),
            unlocked=unlocked_in(said),
            led_elsewhere=led_elsewhere_in(said),
        )

    def _role(self, named: tuple[str, ...], environments: tuple[str, ...] | None, deploying: tuple[Named, ...]) -> Role:
        """Each job is given the project's variables: one that deploys, and names no environment, may reach anything."""
        if any(map(self.production.says, (*named, *(one.text for one in deploying)))):
            return Role.PRODUCTION
        if environments is None or (not environments and deploying):
            return Role.UNCLEAR
        return Role.OTHER if environments else Role.BARE


def _rules(node: Fields) -> Iterator[str]:
    """The conditions under which it runs; an empty one always holds."""
    for rule in listed(node.fields.get("rules")):
        if text(at(rule, "when")) != "never":
            yield text(at(rule, "if")) or ""


def _events(node: Fields) -> Iterator[str]:
    """`push` and `merge_request_event`, as far as rules tell."""
    conditions = list(_rules(node))
    only = texts(node.fields.get("only"))
    if any(map(_for_merge_requests, conditions)) or "merge_requests" in only:
        yield "merge_request_event"
    yield "push"


def _for_merge_requests(condition: str) -> bool:
    if "merge_request_event" in condition:
        return bool(re.search(r"==\s*[\"']merge_request_event", condition))
    # A variable that a merge request's pipeline does not have, or another source, keeps it out.
    return not re.search(r"CI_COMMIT_(?:BRANCH|TAG)|CI_PIPELINE_SOURCE\s*==", condition)


def _branches(node: Fields) -> tuple[str, ...] | None:
    """Which it runs for; None: any."""
    conditions = list(_rules(node))
    if conditions:
        found = [re.search(r"CI_COMMIT_(?:BRANCH|REF_NAME)\s*==\s*[\"']?(\$?[\w./-]+)", each) for each in conditions]
        return tuple(one[1] for one in found if one) if all(found) else None
    only = node.fields.get("only")
    return texts(only) or texts(at(only, "refs")) or None
