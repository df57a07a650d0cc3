"""The answers, whoever gave them: their shape, and the file in which a machine gives all of them at once.

`connections`, `groups` and `roles` are written as in the policy itself, so everything that the policy knows can stand there. What
is wrong comes back all at once, each with its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from bot.setup.values import Guid
from workflows.policy_file.channels import Channels
from workflows.policy_file.provided import roles_file, workspace_file
from workflows.policy_file.raw import Group, Names, Ticket, Tier
from workflows.policy_file.strict_model import Raw
from workflows.policy_file.values import (
    Account,
    Domain,
    EnvironmentName,
    GroupName,
    TemplatePath,
    Text,
    TimeZone,
)
from workflows.policy_file.yaml_reader import Document

Chat = Literal["slack", "teams"]
SLACK, TEAMS = "slack", "teams"
# What every ticket system with a project and a number has.
ANY_TICKET = "[A-Z][A-Z0-9]+-[0-9]+"


class TeamsApp(Raw):
    """What is no secret of a Teams app; the client secret belongs into `.env`."""

    app_id: Guid | None = Field(None, description="the Microsoft App ID of the Azure Bot")
    tenant_id: Guid | None = Field(None, description="the tenant whose people may use it")


class EnvironmentAnswer(Raw):
    title: Text | None = Field(None, description="as people call it; the name unless said")
    tier: Tier
    connection: str | None = Field(None, description="not needed where there is one connection only")
    account: Account | None = Field(None, description="12 digits, in quotes")
    owners: Names = Field(description="groups that may approve; two people at least")
    requesters: Names = Field(description="groups that may ask; somebody who is no owner among them")
    on_call: Names | None = Field(None, description="groups that may break glass; nobody unless said")
    approvals_channel: Channels | None = Field(None, description="direct messages to the owners unless said")
    roles: Names | None = Field(None, description="all roles unless said")


class AnswersFile(Raw):
    """The file of `prodaccess init --answers`."""

    version: Literal[1]
    chats: Annotated[tuple[Chat, ...], Field(strict=False, min_length=1)] = Field(description="slack, teams, or both")
    slack: Literal["socket-mode", "http"] = Field("socket-mode", description="how Slack reaches us")
    teams: TeamsApp = TeamsApp()
    timezone: TimeZone = "UTC"
    email_domains: Annotated[tuple[Domain, ...], Field(strict=False, min_length=1)]
    groups: dict[GroupName, Group] = Field(min_length=1)
    security: str | None = Field(None, description="the group that may revoke everywhere, and agrees to admin roles")
    environments: dict[EnvironmentName, EnvironmentAnswer] = Field(min_length=1)
    receipts_channel: Channels
    ticket: Ticket = Field(ANY_TICKET, description="as in the policy; asked for by what changes production")
    templates: dict[TemplatePath, str] = Field(default_factory=dict, description="policies/NAME.json -> its text")


@dataclass(frozen=True, slots=True)
class Answers:
    """`given`: checked, with names that exist. `document`: the same as it was written, with its lines."""

    given: AnswersFile
    document: Document

    def as_written(self, *path: str) -> Any:
        """What stands at `path`, as the policy files are to have it; None where nothing does."""
        return self.document.get(path)


def answers_file() -> type[AnswersFile]:
    """With the connections and the roles of the providers that are registered."""
    return _answers_file(workspace_file(), roles_file())


@cache
def _answers_file(workspace: type[Any], roles: type[Any]) -> type[AnswersFile]:
    return create_model(
        "AnswersFile",
        __base__=AnswersFile,
        __doc__=AnswersFile.__doc__,
        connections=(workspace.model_fields["connections"].annotation, Field(min_length=1)),
        roles=(roles.model_fields["roles"].annotation, Field(min_length=1)),
    )


def roles_of(answers: Answers) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(answers.given, "roles")  # noqa: B009 - made above
    return found
