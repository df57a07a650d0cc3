"""The models of the files with what the providers add to them: the keys of a connection, and those of a role's target."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, create_model

from workflows.core.provider import Provider, providers
from workflows.policy_file.raw import EnvironmentFile, Gate, Role, RolesFile, WorkspaceFile
from workflows.policy_file.values import Name

_KIND = "kind"


def workspace_file() -> type[WorkspaceFile]:
    """prodaccess.yaml, with the connections of the providers that are registered."""
    return _workspace_file(providers())


def roles_file() -> type[RolesFile]:
    """roles.yaml, with the targets of the providers that are registered."""
    return _roles_file(providers())


def environment_file() -> type[EnvironmentFile]:
    """environments/NAME.yaml, with what the providers that are registered can give a pipeline."""
    return _environment_file(providers())


@cache
def _environment_file(offered: tuple[Provider, ...]) -> type[EnvironmentFile]:
    models = [model for provider in offered for model in provider.gate_targets]
    if not models:
        return EnvironmentFile
    own: Any = EnvironmentFile.model_fields["gates"]
    target: Any = _target(models)
    said = Field(None, description=Gate.model_fields["target"].description)
    gate = create_model("Gate", __base__=Gate, __doc__=Gate.__doc__, target=(target | None, said))
    gates: Any = Annotated[_named(gate), Field(min_length=1)]
    return create_model(
        "EnvironmentFile",
        __base__=EnvironmentFile,
        __doc__=EnvironmentFile.__doc__,
        gates=(gates | None, Field(None, description=own.description)),
    )


@cache
def _workspace_file(offered: tuple[Provider, ...]) -> type[WorkspaceFile]:
    connection = _by_kind([provider.connection for provider in offered])
    return create_model(
        "WorkspaceFile",
        __base__=WorkspaceFile,
        __doc__=WorkspaceFile.__doc__,
        connections=(_named(connection), Field(min_length=1)),
    )


@cache
def _roles_file(offered: tuple[Provider, ...]) -> type[RolesFile]:
    target = _target([model for provider in offered for model in provider.targets])
    role = create_model("Role", __base__=Role, __doc__=Role.__doc__, target=(target, ...))
    return create_model(
        "RolesFile",
        __base__=RolesFile,
        __doc__=RolesFile.__doc__,
        roles=(_named(role), Field(min_length=1)),
    )


def _named(model: Any) -> Any:
    return dict[Name, model]


def _by_kind(models: Sequence[Any]) -> Any:
    """One of these, as its `kind` says."""
    together = reduce(or_, models)
    return Annotated[together, Field(discriminator=_KIND)] if len(models) > 1 else together


def _target(models: Sequence[Any]) -> Any:
    """One of these: by `kind`, or by a key of its own for models that have no kind."""
    of_kinds = [model for model in models if _KIND in model.model_fields]
    by_key = {next(iter(model.model_fields)): model for model in models if model not in of_kinds}
    if not by_key:
        return _by_kind(of_kinds)
    tagged = [Annotated[model, Tag(key)] for key, model in by_key.items()]
    if of_kinds:
        tagged.insert(0, Annotated[_by_kind(of_kinds), Tag(_KIND)])

    def key_of(value: object) -> str:
        found = value if isinstance(value, dict) else {}
        return next((key for key in by_key if key in found and _KIND not in found), _KIND)

    return Annotated[reduce(or_, tagged), Discriminator(key_of)]
