"""Workflows of GitHub -> jobs. A workflow of this repository that another one calls is read with what it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.boundaries.model import Place
from bot.boundaries.pipelines.held import held_of, keys_of, may_write, roles_of, strong_of
from bot.boundaries.pipelines.job import Job, Named, Role, gates_in, led_elsewhere_in, paths_in, unlocked_in
from bot.boundaries.pipelines.matrix import in_text, known, of_matrix
from bot.boundaries.pipelines.yaml_look import below, listed, pairs, text, texts
from bot.boundaries.pipelines.yaml_look import field as at
from bot.boundaries.production import Production
from bot.boundaries.reading.node import Fields, Node

GITHUB = "GitHub"
_DEPTH_MAX = 4
_JOBS_MAX = 2_000
_ONE_NAME = re.compile(r"\$\{\{\s*(matrix|inputs|github\.event\.inputs)\.([\w-]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Workflow:
    file: str
    root: Fields

    @property
    def events(self) -> Mapping[str, Node | None]:
        on = self.root.fields.get("on")
        if isinstance(on, Fields):
            return dict(on.fields)
        return dict.fromkeys(texts(on))

    @property
    def jobs(self) -> Mapping[str, Node]:
        found = self.root.fields.get("jobs")
        return found.fields if isinstance(found, Fields) else {}


@dataclass(slots=True)
class Workflows:
    """`jobs`: each with what starts it. `remote`: what is called from elsewhere. `not_called`: nothing here starts it.

    `cut`: there are more jobs than are read.
    """

    found: Mapping[str, Workflow]
    production: Production
    jobs: list[Job] = field(default_factory=list)
    remote: list[Named] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    cut: bool = False
    # Jobs that were looked at, with those that call others: a few files that call each other can have millions.
    _looked: int = 0
    # Whether a workflow asks for a gate anywhere.
    _gated: dict[str, bool] = field(default_factory=dict)

    def read(self) -> Workflows:
        for workflow in self.found.values():
            events = {name: node for name, node in workflow.events.items() if name != "workflow_call"}
            if events:
                self._workflow(workflow, _Start(tuple(events), _branches(events), {}, None), 0)
        return self

    @property
    def not_called(self) -> tuple[str, ...]:
        return tuple(
            sorted(
                file
                for file, workflow in self.found.items()
                if set(workflow.events) == {"workflow_call"} and file not in self.called
            )
        )

    def _workflow(self, workflow: Workflow, start: _Start, depth: int) -> None:
        for id_, node in workflow.jobs.items():
            self._looked += 1
            if self._looked > _JOBS_MAX:
                self.cut = True
                return
            uses = text(at(node, "uses"))
            if uses is None:
                self.jobs.append(self._job(workflow, id_, node, start))
                continue
            called = re.fullmatch(r"\./(\.github/workflows/[^/@]+)", uses)
            other = self.found.get(called[1]) if called else None
            if other is None or depth >= _DEPTH_MAX:
                self.remote.append(Named(uses, Place(workflow.file, node.line)))
                self.jobs.append(self._job(workflow, id_, node, start))
                continue
            self.called.add(other.file)
            self._workflow(other, self._handed_on(workflow, node, start), depth + 1)

    def _handed_on(self, workflow: Workflow, node: Node, start: _Start) -> _Start:
        given = at(node, "with")
        inputs = {
            name: _several(workflow, node, value, start)
            for name, value in (given.fields if isinstance(given, Fields) else {}).items()
        }
        condition = _both(start.condition, text(at(node, "if")))
        permissions = at(node, "permissions") or workflow.root.fields.get("permissions") or start.permissions
        before = (*start.before, *self._gates_before(workflow, node))
        return _Start(start.events, start.branches, inputs, permissions, condition, before, called=True)

    def _job(self, workflow: Workflow, id_: str, node: Node, start: _Start) -> Job:
        file, place = workflow.file, Place(workflow.file, node.line)
        permissions = at(node, "permissions") or workflow.root.fields.get("permissions") or start.permissions
        environment = at(node, "environment")
        name = at(environment, "name") if isinstance(environment, Fields) else environment
        environments = _several(workflow, node, name, start) if environment is not None else ()
        keyed = (*pairs(file, node), *pairs(file, workflow.root.fields.get("env"), "env"))
        everything = tuple(one for _, one in keyed)
        held = held_of(file, node, everything, permissions, environment)
        strong = tuple(strong_of(file, node))
        several = tuple(Named(value, one.place) for one in strong for value in in_text(node, one.text))
        named = (Named(id_, place), *(Named(each, place) for each in environments or ()), *strong, *several)
        inputs = tuple(Named(value, place) for values in start.inputs.values() for value in values or ())
        scripts = tuple(each for step in listed(at(node, "steps")) for each in below(file, at(step, "run")))
        return Job(
            forge=GITHUB,
            id=id_,
            place=place,
            events=start.events,
            role=self._role(
                file, held, (*named, *inputs), environments, everything, writes=_writes_for_sure(permissions)
            ),
            environments=environments,
            environment_place=Place(file, environment.line) if environment is not None else None,
            condition=_both(start.condition, text(at(node, "if"))),
            held=held,
            roles=roles_of(file, node),
            keys=keys_of(keyed),
            gates=(*gates_in(scripts), *self._gates_before(workflow, node), *start.before),
            branches=start.branches,
            unlocked=unlocked_in(everything),
            led_elsewhere=led_elsewhere_in((*everything, *(Named(key, one.place) for key, one in keyed))),
            paths=paths_in((*scripts, *(one for key, one in keyed if key == "uses"))),
            writes=may_write(permissions),
        )

    def _role(
        self,
        file: str,
        held: object,
        named: tuple[Named, ...],
        environments: tuple[str, ...] | None,
        everything: tuple[Named, ...],
        *,
        writes: bool,
    ) -> Role:
        speaks = any(self.production.says(one.text) for one in named) or self.production.says(file.rpartition("/")[2])
        if not held:
            # What it deploys by may be a push to here.
            return Role.UNCLEAR if speaks and writes else Role.BARE
        if speaks:
            return Role.PRODUCTION
        if environments and not any(self.production.says(one.text) for one in everything):
            return Role.OTHER
        return Role.UNCLEAR

    def _gates_before(self, workflow: Workflow, node: Node) -> tuple[Named, ...]:
        """Of the jobs that it waits for."""
        if workflow.file not in self._gated:
            self._gated[workflow.file] = any(_gates_of(workflow, each) for each in workflow.jobs.values())
        if not self._gated[workflow.file]:
            return ()
        found: list[Named] = []
        pending, seen = list(texts(at(node, "needs"))), set[str]()
        while pending:
            id_ = pending.pop()
            if id_ in seen:
                continue
            seen.add(id_)
            other = workflow.jobs.get(id_)
            found += _gates_of(workflow, other)
            pending += texts(at(other, "needs"))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Start:
    """What a workflow is started with. `inputs`: name -> what it may be; None: worked out by a run."""

    events: tuple[str, ...]
    branches: tuple[str, ...] | None
    inputs: Mapping[str, tuple[str, ...] | None]
    permissions: Node | None
    condition: str = ""
    before: tuple[Named, ...] = ()
    # By another workflow, with `inputs`: what it does not give is as the called one says.
    called: bool = False


def _gates_of(workflow: Workflow, job: Node | None) -> tuple[Named, ...]:
    steps = listed(at(job, "steps"))
    return gates_in(each for step in steps for each in below(workflow.file, at(step, "run")))


def _writes_for_sure(permissions: Node | None) -> bool:
    """Whoever can write here can change what is deployed from here. Where nothing is said, nothing is told by that."""
    return permissions is not None and may_write(permissions)


def _both(before: str, own: str | None) -> str:
    """Of the job that calls, and of the one that is called: both hold."""
    return " && ".join(each for each in (before, own) if each)


def _branches(events: Mapping[str, Node | None]) -> tuple[str, ...] | None:
    """Which a push starts it from; None: any, or something else than a push can start it from any."""
    if set(events) - {"push"} - {"schedule"}:
        return None
    push = events.get("push")
    if "push" not in events:
        return ()
    found = texts(at(push, "branches"))
    return found if found and at(push, "tags") is None else None


def _several(workflow: Workflow, job: Node, node: Node | None, start: _Start) -> tuple[str, ...] | None:
    """All that a text may be; None where a run works it out."""
    words = text(node)
    if words is None:
        return None
    if "${{" not in words:
        return (words,)
    found = _ONE_NAME.fullmatch(words.strip())
    if found is None:
        return None
    if found[1] == "matrix":
        return of_matrix(job, found[2])
    if found[2] in start.inputs:
        return start.inputs[found[2]]
    if start.called:
        return known([text(at(workflow.events.get("workflow_call"), "inputs", found[2], "default"))])
    return _of_inputs(workflow, found[2])


def _of_inputs(workflow: Workflow, name: str) -> tuple[str, ...] | None:
    """Of a run that is started by hand: what can be chosen."""
    dispatch = workflow.events.get("workflow_dispatch")
    options = at(dispatch, "inputs", name, "options")
    if text(at(dispatch, "inputs", name, "type")) != "choice" or len(set(workflow.events) - {"workflow_call"}) != 1:
        return None
    return known([text(each) for each in listed(options)])


def workflows_of(files: Iterator[tuple[str, Node]], production: Production) -> Workflows:
    found = {file: Workflow(file, node) for file, node in files if isinstance(node, Fields)}
    return Workflows(found, production).read()


__all__ = ["GITHUB", "Workflow", "Workflows", "workflows_of"]
