"""`pipelines` and `people` of prodaccess.yaml: which pipelines may ask for a gate, and whose accounts at a forge are."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from workflows.core.pipelines.allowed import EVENTS, Pipeline
from workflows.core.pipelines.identity import Forge
from workflows.policy_file.problem import nearest, quote
from workflows.policy_file.strict_model import Raw
from workflows.policy_file.values import Address, ForgeNumber, GitRef, Name, Text, fault

# The DER of an Ed25519 public key is this head, and the 32 bytes of the key.
_KEY_HEAD = "MCowBQYDK2VwAyEA"
# What anybody can start who can open a pull request or write a comment, with content of their own.
_OUTSIDERS = frozenset({"pull_request", "pull_request_target", "workflow_run", "issue_comment", "merge_request_event"})
# Which keys make a pipeline one of a forge, and which it needs besides.
_OF_FORGE: Mapping[Forge, tuple[str, tuple[str, ...]]] = {
    Forge.GITHUB: ("repository_id", ("issuer", "repository_owner_id", "events", "workflow")),
    Forge.GITLAB: ("project_id", ("issuer", "namespace_id", "events")),
    Forge.KEY: ("key", ("name",)),
}
_MAYBE: Mapping[Forge, tuple[str, ...]] = {
    Forge.GITHUB: ("ref", "ref_protected", "environment", "protection_rule"),
    Forge.GITLAB: ("ref", "ref_protected", "environment", "workflow", "protection_rule"),
    Forge.KEY: (),
}
_EVERYWHERE = ("name", "environments")


def _issuer(value: str) -> str:
    """Plain HTTP reaches this machine alone: a stand-in, say."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
        local = host == "localhost" or (host[:1].isdigit() and ip_address(host).is_loopback)
    except ValueError:
        host, local = "", False
    bare = re.fullmatch(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?", value)
    if bare and host and (value.startswith("https://") or local):
        return value
    help_ = "write it as the token has it in 'iss', like https://token.actions.githubusercontent.com, without a slash at its end"
    raise fault(f"{quote(value)} is not the address of an issuer", help_)


def _event(value: str) -> str:
    known = {event for events in EVENTS.values() for event in events}
    if value in known:
        return value
    if value in _OUTSIDERS:
        why = "runs that it starts can hold what somebody wrote whom nobody has let in"
        raise fault(f"{quote(value)} can never ask for a gate: {why}", "take it out, and ask after the merge")
    raise fault(f"{quote(value)} is no event that may ask for a gate", nearest(value, known))


def _key(value: str) -> str:
    if re.fullmatch(rf"{_KEY_HEAD}[A-Za-z0-9+/]{{43}}=", value):
        return value
    help_ = "take the line between BEGIN and END of: openssl pkey -in KEY.pem -pubout"
    raise fault("key: this is no Ed25519 public key", help_)


ForgeId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class PipelineEntry(Raw):
    """One pipeline that may ask. At GitHub it has `repository_id`, at GitLab `project_id`; anywhere else `key`."""

    name: Name | None = Field(
        None, description="what the policy and its messages call it; the repository's id unless said"
    )
    issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        None, description="who signs the job's token, exactly as its `iss`"
    )
    repository_id: ForgeNumber | None = Field(None, description="GitHub: the repository, by its id")
    repository_owner_id: ForgeNumber | None = Field(None, description="GitHub: its owner, by id")
    project_id: ForgeNumber | None = Field(None, description="GitLab: the project, by its id")
    namespace_id: ForgeNumber | None = Field(None, description="GitLab: its group or user, by the namespace's id")
    events: Annotated[tuple[Annotated[str, AfterValidator(_event)], ...] | None, Field(strict=False, min_length=1)] = (
        Field(None, description="what may start a run that asks")
    )
    workflow: Text | None = Field(
        None,
        description="file and ref that define the job: `job_workflow_ref` at GitHub, `ci_config_ref_uri` at GitLab",
    )
    ref: GitRef | None = Field(None, description="what is deployed; any protected ref unless said")
    ref_protected: bool | None = Field(None, description="false: a branch that nobody protects may ask, too")
    environment: Text | None = Field(None, description="the environment of the job at the forge, exactly")
    environments: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = Field(
        None, description="for which of ours it may ask; all that have gates unless said"
    )
    protection_rule: Name | None = Field(
        None,
        description="the gate at which the forge's `environment` waits, by a rule of its own, for the one of `environments`",
    )
    key: Annotated[str, AfterValidator(_key)] | None = Field(
        None, description="the Ed25519 public key of a pipeline that has no issuer, in base64"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> PipelineEntry:
        kinds = [forge for forge, (mark, _) in _OF_FORGE.items() if getattr(self, mark) is not None]
        if len(kinds) != 1:
            marks = ", ".join(mark for mark, _ in _OF_FORGE.values())
            found = "several of these stand together" if kinds else "nothing says which pipeline this is"
            raise fault(found, f"a pipeline has one of {marks}")
        self._belongs(kinds[0])
        self._events_of(kinds[0])
        if self.protection_rule is not None and (self.environment is None or len(self.environments or ()) != 1):
            raise fault(
                f"'protection_rule' says at which gate of which of our environments {self.forge.label}'s waits",
                f"write environment as {self.forge.label} calls it, and in environments the one of ours",
            )
        if self.protection_rule is not None and self.forge is Forge.GITLAB and self.workflow is not None:
            raise fault(
                "'workflow' cannot be proved beside 'protection_rule': GitLab does not tell which file defines a job",
                "take workflow out, and protect the branch and the file",
            )
        return self

    def _belongs(self, forge: Forge) -> None:
        mark, needed = _OF_FORGE[forge]
        allowed = {mark, *needed, *_MAYBE[forge], *_EVERYWHERE}
        if missing := [key for key in needed if getattr(self, key) is None]:
            raise fault(
                f"a pipeline with {quote(mark)} needs {quote(missing[0])}, too", "see docs/gate.md for where to find it"
            )
        if odd := sorted(key for key in self.model_fields_set if key not in allowed and getattr(self, key) is not None):
            raise fault(f"{quote(odd[0])} means nothing beside {quote(mark)}", "take it out")

    def _events_of(self, forge: Forge) -> None:
        for event in self.events or ():
            if event not in EVENTS[forge]:
                raise fault(f"{quote(event)} is no event of {forge.label}", nearest(event, EVENTS[forge]))

    @property
    def forge(self) -> Forge:
        return next(forge for forge, (mark, _) in _OF_FORGE.items() if getattr(self, mark) is not None)

    @property
    def called(self) -> str:
        return self.name or self.repository_id or self.project_id or ""


def _fit_together(entries: tuple[PipelineEntry, ...]) -> tuple[PipelineEntry, ...]:
    names = [entry.called for entry in entries]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise fault(f"two pipelines are called {quote(twice)}", "give each a name of its own")
    keys = [entry.key for entry in entries if entry.key]
    if len(set(keys)) < len(keys):
        raise fault("two pipelines have the same key", "make a key for each")
    rules = [_rule_of(entry) for entry in entries if entry.protection_rule]
    if twice_ruled := next((rule for rule in rules if rules.count(rule) > 1), None):
        where = twice_ruled[0].label
        raise fault(f"two pipelines have a protection_rule for the same environment of {where}", "one entry has it")
    forges: dict[str, Forge] = {}
    for entry in entries:
        if entry.issuer and forges.setdefault(entry.issuer, entry.forge) is not entry.forge:
            raise fault(
                f"{entry.issuer} cannot be GitHub's and GitLab's", "name repository_id or project_id for all of it"
            )
    return entries


def _rule_of(entry: PipelineEntry) -> tuple[Forge, str, str]:
    """GitHub does not tell environments apart by their case."""
    return entry.forge, entry.repository_id or entry.project_id or "", (entry.environment or "").lower()


class ForgeIds(Raw):
    """The accounts of one person, by the numeric ids that stay when they rename themselves."""

    github: ForgeId | None = Field(None, description="api.github.com/users/NAME has it as id")
    gitlab: ForgeId | None = Field(None, description="/api/v4/users?username=NAME has it as id")

    @property
    def named(self) -> Mapping[str, int]:
        found = {Forge.GITHUB.value: self.github, Forge.GITLAB.value: self.gitlab}
        return {forge: number for forge, number in found.items() if number is not None}


def _one_person_each(people: dict[str, ForgeIds]) -> dict[str, ForgeIds]:
    seen: dict[tuple[str, int], str] = {}
    for address, ids in people.items():
        for forge, number in ids.named.items():
            other = seen.setdefault((forge, number), address)
            if other != address:
                raise fault(
                    f"{forge} {number} is of {quote(other)} and of {quote(address)}", "an account is one person's"
                )
    return people


Pipelines = Annotated[tuple[PipelineEntry, ...], Field(strict=False), AfterValidator(_fit_together)]
People = Annotated[dict[Address, ForgeIds], AfterValidator(_one_person_each)]


def pipelines(entries: Iterable[PipelineEntry]) -> tuple[Pipeline, ...]:
    return tuple(
        Pipeline(
            name=entry.called,
            forge=entry.forge,
            issuer=entry.issuer or "",
            repository_id=entry.repository_id or entry.project_id or _fingerprint(entry.key),
            owner_id=entry.repository_owner_id or entry.namespace_id or "",
            events=entry.events or (),
            ref=entry.ref,
            ref_protected=entry.forge is not Forge.KEY and entry.ref_protected is not False,
            environment=entry.environment,
            workflow=entry.workflow,
            environments=entry.environments,
            key=_raw_key(entry.key).hex(),
            rule=entry.protection_rule or "",
        )
        for entry in entries
    )


def _raw_key(key: str | None) -> bytes:
    return b64decode(key)[-32:] if key else b""


def _fingerprint(key: str | None) -> str:
    """What stands for a pipeline that is known by its key alone."""
    return f"key:{_raw_key(key).hex()[:16]}"
