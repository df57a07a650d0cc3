"""Names that point at something: each must be there. Works on what was read, so that a fault elsewhere hides nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from workflows.core.policy import OWNERS, REQUESTERS
from workflows.core.provider import Provider, providers
from workflows.policy_file.folder import TEMPLATES
from workflows.policy_file.problem import Problem, nearest, quote
from workflows.policy_file.yaml_reader import Block, Document, Path

_RESERVED = frozenset({OWNERS, REQUESTERS})
# Shapes of paths: `#` stands for a place in a list, `*` for any key, `@` for a key that is itself the name.
_GROUPS = ("owners/#", "requesters/#", "roles/*/owners/#", "roles/*/requesters/#")
_SETTINGS_WHO = ("approve/@", "auto_approve/#/who/#")
_ENVIRONMENT_WHO = (
    *_SETTINGS_WHO,
    *(f"roles/*/{shape}" for shape in _SETTINGS_WHO),
    "break_glass/who/#",
    "escalate/to/#",
    "gates/*/approve/@",
)
_WORKSPACE_WHO = (*_SETTINGS_WHO, *(f"rules/*/*/{shape}" for shape in _SETTINGS_WHO), "escalate/to/#")
_BRACED = re.compile(r"\{([^{}]*)\}")

Check = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Documents:
    """What could be read, of all files."""

    workspace: Document | None
    roles: Document | None
    environments: tuple[Document, ...]
    templates: Mapping[str, str]
    # Also of those that could not be read, so that nothing is held against what names them.
    environment_names: frozenset[str] = frozenset()

    def keys(self, document: Document | None, *path: str) -> frozenset[str] | None:
        """The names defined at `path`; None where that cannot be known, so nothing is held against anybody."""
        found = document.get(path) if document else None
        return frozenset(found) if isinstance(found, Block) else None


def check_names(documents: Documents) -> Iterator[Problem]:
    """Every name that points at nothing."""
    if documents.workspace:
        yield from _workspace(documents, documents.workspace)
    if documents.roles:
        for provider in providers():
            yield from _targets(documents, documents.roles, provider)
    for document in documents.environments:
        yield from _environment(documents, document)


def _targets(documents: Documents, document: Document, provider: Provider) -> Iterator[Problem]:
    yield from checked(document, _in_targets(provider.templates), _template(documents.templates))
    yield from checked(document, _in_targets(provider.worded), _placeholders(provider.placeholders))


def _in_targets(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"roles/*/target/{key}" for key in keys)


def _workspace(documents: Documents, document: Document) -> Iterator[Problem]:
    groups = documents.keys(document, "groups")
    yield from checked(document, _WORKSPACE_WHO, known_name("group", groups, reserved=True))
    yield from checked(document, ("panic_group", "policy_changes/approve/@"), known_name("group", groups))
    yield from checked(
        document, ("groups/*/connection",), known_name("connection", documents.keys(document, "connections"))
    )
    environments = documents.environment_names | {str(item.get(("environment",))) for item in documents.environments}
    of_environments = ("digests/#/environments/#", "webhooks/#/environments/#", "pipelines/#/environments/#")
    yield from checked(document, of_environments, known_name("environment", environments))
    domains = document.get(("email_domains",))
    if isinstance(domains, list):
        known, former = [str(item) for item in domains], documents.keys(document, "former_domains") or frozenset()
        yield from checked(document, ("groups/*/members/#", "people/@"), _domain([*known, *former]))
        yield from checked(document, ("former_domains/*",), _renamed_to(known))
        yield from checked(document, ("former_domains/@",), _gone(known))


def _environment(documents: Documents, document: Document) -> Iterator[Problem]:
    groups = documents.keys(documents.workspace, "groups")
    yield from checked(document, _GROUPS, known_name("group", groups))
    yield from checked(document, _ENVIRONMENT_WHO, known_name("group", groups, reserved=True))
    yield from checked(
        document, ("connection",), known_name("connection", documents.keys(documents.workspace, "connections"))
    )
    yield from checked(document, ("roles/@",), known_name("role", documents.keys(documents.roles, "roles")))
    here = documents.keys(document, "roles")
    in_here = known_name("role", here, where=" in this environment")
    yield from checked(document, ("break_glass/roles/#", "break_glass/when_chat_is_down/#"), in_here)
    for provider in providers():
        paths = tuple(f"gates/*/target/{key}" for key in provider.templates)
        yield from checked(document, paths, _template(documents.templates))


def known_name(what: str, names: frozenset[str] | None, *, reserved: bool = False, where: str = "") -> Check:
    def check(name: str) -> tuple[str, str] | None:
        if names is None or name in names or (reserved and name in _RESERVED):
            return None
        if name in _RESERVED:
            return f"{quote(name)} cannot stand here", "name a group"
        if what == "group" and "@" in name:
            return f"{quote(name)} is a person, and a group is meant", "put the address into a group of prodaccess.yaml"
        return f"no {what} {quote(name)}{where}", nearest(name, names | _RESERVED if reserved else names)

    return check


def _domain(domains: Iterable[str]) -> Check:
    known = frozenset(domains)

    def check(address: str) -> tuple[str, str] | None:
        domain = address.rpartition("@")[2].lower()
        if "@" not in address or domain in known:
            return None
        return f"{quote(address)} is outside of email_domains", nearest(domain, known)

    return check


def _renamed_to(known: list[str]) -> Check:
    def check(domain: str) -> tuple[str, str] | None:
        if domain in known:
            return None
        return f"{quote(domain)} is not one of email_domains", nearest(domain, known)

    return check


def _gone(known: list[str]) -> Check:
    def check(domain: str) -> tuple[str, str] | None:
        if domain not in known:
            return None
        return f"{quote(domain)} is one of email_domains and a former one", "take it out of one of the two"

    return check


def _template(templates: Mapping[str, str]) -> Check:
    def check(path: str) -> tuple[str, str] | None:
        if path in templates or not path.startswith(f"{TEMPLATES}/"):
            return None
        return f"no template {quote(path)}", nearest(path, templates)

    return check


def _placeholders(known: Iterable[str]) -> Check:
    def check(words: str) -> tuple[str, str] | None:
        unknown = next((name for name in _BRACED.findall(words) if name not in known), None)
        if unknown is not None:
            return f"no placeholder {quote('{' + unknown + '}')}", nearest(unknown, known)
        if re.search(r"[{}]", _BRACED.sub("", words)):
            return f"a brace stands alone in {quote(words)}", "placeholders look like {environment}"
        return None

    return check


def checked(document: Document, shapes: Iterable[str], check: Check) -> Iterator[Problem]:
    patterns = [tuple(shape.split("/")) for shape in shapes]
    for path in document.lines:
        for pattern in patterns:
            name = _name_at(document, path, pattern)
            if name is not None and (said := check(name)):
                yield Problem(document.file, document.line(path), *said)


def _name_at(document: Document, path: Path, pattern: tuple[str, ...]) -> str | None:
    """The name that stands at `path`, where the path is of that shape and holds one."""
    if len(path) != len(pattern) or not all(map(_fits, path, pattern)):
        return None
    name = path[-1] if pattern[-1] == "@" else document.get(path)
    return name if isinstance(name, str) else None


def _fits(step: str | int, shape: str) -> bool:
    if isinstance(step, int):
        return shape == "#"
    return shape in ("*", "@", step)
