"""A folder -> a policy, or everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import BaseModel

from workflows.core.policy import Policy
from workflows.core.provider import providers
from workflows.policy_file.folder import ENVIRONMENTS, ROLES, TEMPLATES, WORKSPACE, Snapshot, read_folder
from workflows.policy_file.lint import lint
from workflows.policy_file.names import Documents, check_names
from workflows.policy_file.problem import Problem, quote
from workflows.policy_file.provided import environment_file, roles_file, workspace_file
from workflows.policy_file.resolve import Files, Resolver
from workflows.policy_file.secret import HIDDEN
from workflows.policy_file.words import validated
from workflows.policy_file.yaml_reader import Document, read_yaml

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a folder says. `policy` is None where there are problems; `warnings` are the lints of a valid one."""

    hash: str
    policy: Policy | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def load_policy(folder: Path) -> Policy | tuple[Problem, ...]:
    """The policy of the folder, or all of its problems."""
    reading = read_policy(folder)
    return reading.policy or reading.problems


def read_policy(folder: Path) -> Reading:
    """The policy of the folder with its lints, or all of its problems."""
    return understand(read_folder(folder))


def understand(snapshot: Snapshot) -> Reading:
    """As `read_policy`, for what has been read already."""
    problems = [*snapshot.problems, *_missing_files(snapshot)]
    documents = _documents(snapshot.files, problems)
    problems.extend(check_names(documents))
    problems.extend(_templates(documents.templates))
    policy = _policy(documents, snapshot.hash, problems)
    if problems or policy is None:
        # What was refused as a secret cannot be judged as a value, too.
        said = {problem for problem in problems if HIDDEN not in problem.message}
        return Reading(snapshot.hash, None, tuple(sorted(said)))
    return Reading(snapshot.hash, policy, (), lint(policy, documents))


def _missing_files(snapshot: Snapshot) -> Iterator[Problem]:
    read = {*snapshot.files, *(problem.file for problem in snapshot.problems)}
    if WORKSPACE not in read:
        return
    if not any(name.startswith(f"{ENVIRONMENTS}/") for name in read):
        yield Problem(ENVIRONMENTS, 0, "there is no environment", f"add {ENVIRONMENTS}/NAME.yaml")


def _documents(files: Mapping[str, str], problems: list[Problem]) -> Documents:
    found: dict[str, Document] = {}
    for name, text in files.items():
        if name.endswith(".yaml"):
            document, said = read_yaml(name, text)
            problems.extend(said)
            if document:
                found[name] = document
    environments = tuple(document for name, document in found.items() if name.startswith(f"{ENVIRONMENTS}/"))
    templates = {name: text for name, text in files.items() if name.startswith(f"{TEMPLATES}/")}
    stems = frozenset(PurePosixPath(name).stem for name in files if name.startswith(f"{ENVIRONMENTS}/"))
    return Documents(found.get(WORKSPACE), found.get(ROLES), environments, templates, stems)


def _policy(documents: Documents, hash_: str, problems: list[Problem]) -> Policy | None:
    workspace = _shaped(workspace_file(), documents.workspace, problems)
    roles = _shaped(roles_file(), documents.roles, problems)
    environments = [_shaped(environment_file(), document, problems) for document in documents.environments]
    for document in documents.environments:
        problems.extend(_misnamed(document))
    if workspace is None or roles is None:
        return None
    files = Files(workspace, roles, tuple(item for item in environments if item), documents.templates)
    resolver = Resolver(files, hash_, problems)
    return resolver.policy()


def _shaped(model: type[M], document: Document | None, problems: list[Problem]) -> tuple[M, Document] | None:
    if document is None:
        return None
    found, said = validated(model, document)
    problems.extend(said)
    return (found, document) if found else None


def _misnamed(document: Document) -> Iterator[Problem]:
    """Code owners guard files by name, so a file must not speak for another environment."""
    name, stem = document.get(("environment",)), PurePosixPath(document.file).stem
    if isinstance(name, str) and name != stem:
        message = f"the environment is called {quote(name)}, and the file {quote(stem)}"
        yield Problem(
            document.file,
            document.line(("environment",)),
            message,
            f"rename the file to {name}.yaml, or the environment",
        )


def _templates(templates: Mapping[str, str]) -> Iterator[Problem]:
    for name, text in templates.items():
        try:
            sentences = tuple(said for provider in providers() for said in provider.check_template(text))
        except ValueError:  # numbers of thousands of digits
            sentences = ("It cannot be read as JSON.",)
        for sentence in sentences:
            place = re.search(r"in line ([0-9]+)", sentence)
            yield Problem(name, int(place[1]) if place else 0, sentence.rstrip("."))
