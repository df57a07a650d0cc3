"""What has been answered so far: the content of an answers file, and the values of `.env`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.setup.aws import Seen
from workflows.core.identity import address_of

IDENTITY_CENTER, IAM = "identity-center", "iam"


@dataclass(slots=True)
class Draft:
    """`data`: as the answers file has it. `values`: variable -> what was given. `seen`: what was read of AWS."""

    data: dict[str, Any] = field(default_factory=lambda: {"version": 1, "groups": {}, "roles": {}, "environments": {}})
    values: dict[str, str] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    aws: str = IDENTITY_CENTER

    @property
    def groups(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.data["groups"]
        return found

    @property
    def chats(self) -> list[str]:
        return list(self.data.get("chats", ()))

    def people(self, names: Iterable[str]) -> frozenset[str] | None:
        """Everybody in the groups; None where one of them is kept elsewhere."""
        found: set[str] = set()
        for name in names:
            members = self.groups[name].get("members")
            if members is None:
                return None
            found |= {address_of(each) or each for each in members}
        return frozenset(found)

    def may_decide(self, name: str) -> bool:
        """Whether nobody can let themselves in, as far as anybody knows (`policy_file.trust`)."""
        group = self.groups[name]
        return bool(group.get("trusted")) or not {"slack_usergroup", "entra_group"} & group.keys()
