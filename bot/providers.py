"""Which providers of targets there are. A new one is a folder in `workflows/targets/` and a name in this line."""

from __future__ import annotations

from workflows.core.provider import register
from workflows.targets.aws.provider import AWS

PROVIDERS = (AWS,)


def know_providers() -> None:
    """Before a policy or a record is read. Once a process is enough."""
    register(*PROVIDERS)
