"""Where the states of a checkout's root modules stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.boundaries.model import Place
from bot.boundaries.production import Production
from bot.boundaries.reading.node import Block
from bot.boundaries.terraform.files import Stanza, Terraform

LOCAL, S3, CLOUD = "local", "s3", "cloud"
# What a backend of S3 cannot do without. https://developer.hashicorp.com/terraform/language/backend/s3
_S3_NEEDS = ("bucket", "key")


@dataclass(frozen=True, slots=True)
class State:
    """`kind`: of its backend. `values`: its arguments that are known. `partial`: the rest comes at `terraform init`."""

    folder: str
    kind: str
    place: Place
    values: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False
    # All arguments that stand there, known or not.
    named: frozenset[str] = frozenset()
    # One configuration for several states: which one it is, the run says.
    workspaced: bool = False

    @property
    def bucket(self) -> str | None:
        return self.values.get("bucket") if self.kind == S3 else None

    @property
    def key(self) -> str | None:
        return self.values.get("key")

    @property
    def title(self) -> str:
        where = self.values.get("bucket") or self.values.get("name") or f"{self.kind} of {self.folder or '.'}"
        return f"{where}/{self.key}" if self.key else where

    @property
    def identity(self) -> tuple[str, ...] | None:
        """The same for two that are one and the same; None where that cannot be told."""
        if self.partial:
            return None
        names = {
            S3: ("bucket", "key"),
            CLOUD: ("organization", "name"),
            "gcs": ("bucket", "prefix"),
            "azurerm": ("storage_account_name", "container_name", "key"),
        }.get(self.kind)
        if names is None or any(name not in self.values for name in names if name != "prefix"):
            return None
        return (self.kind, *(self.values.get(name, "") for name in names))

    def is_production(self, production: Production) -> bool:
        """By its folder, key or workspace; by its bucket only where those do not name another environment."""
        own = (self.folder, self.values.get("key", ""), self.values.get("name", ""), self.values.get("prefix", ""))
        if any(map(production.says, own)):
            return True
        return not any(map(production.says_another, own)) and any(map(production.says, self.values.values()))


def states_of(terraform: Terraform) -> tuple[State, ...]:
    return tuple(_states(terraform))


def _states(terraform: Terraform) -> Iterator[State]:
    for stanza in terraform.all("terraform"):
        for block in stanza.block.blocks:
            if block.labels[:1] == ("backend",):
                yield _state(terraform, stanza, block)
            elif block.labels[:1] == ("cloud",):
                yield _cloud(terraform, stanza, block)


def _state(terraform: Terraform, stanza: Stanza, block: Block) -> State:
    kind = block.labels[1] if len(block.labels) > 1 else ""
    if kind == "remote":
        return _cloud(terraform, stanza, block)
    values = _values(terraform, stanza, block)
    needs = _S3_NEEDS if kind == S3 else {"gcs": ("bucket",), "azurerm": ("container_name", "key")}.get(kind, ())
    return State(
        stanza.folder,
        kind,
        Place(stanza.file, block.line),
        values,
        partial=any(name not in values for name in needs),
        named=frozenset(block.fields),
        workspaced="workspace_key_prefix" in block.fields or stanza.folder in terraform.workspaced,
    )


def _cloud(terraform: Terraform, stanza: Stanza, block: Block) -> State:
    """`cloud { workspaces { name = ... } }` and the older `backend "remote"`."""
    values = _values(terraform, stanza, block)
    inner = block.one("workspaces")
    if inner is not None:
        values |= _values(terraform, stanza, inner)
    named = "name" in values
    place = Place(stanza.file, block.line)
    known = frozenset(values)
    return State(
        stanza.folder, CLOUD, place, values, partial="organization" not in values, named=known, workspaced=not named
    )


def _values(terraform: Terraform, stanza: Stanza, block: Block) -> dict[str, str]:
    found = {name: terraform.exact(stanza.folder, node) for name, node in block.fields.items()}
    return {name: value for name, value in found.items() if value}


def without_backend(terraform: Terraform, production: Production) -> tuple[Stanza, ...]:
    """Of each root module that speaks of production by its folder and names no backend, one block: its state is a local file.

    A root module is one that configures a provider itself.
    """
    with_one = {state.folder for state in states_of(terraform)}
    found: dict[str, Stanza] = {}
    for stanza in terraform.all("provider"):
        if stanza.folder not in with_one and production.says(stanza.folder):
            found.setdefault(stanza.folder, stanza)
    return tuple(found.values())


def regions_of(terraform: Terraform, folder: str) -> tuple[tuple[str | None, Place], ...]:
    """The region of each `provider "aws"` of a root module; None where it is not known."""
    return tuple(
        (terraform.exact(folder, stanza.block.get("region")), stanza.at("region"))
        for stanza in terraform.all("provider", "aws")
        if stanza.folder == folder
    )
