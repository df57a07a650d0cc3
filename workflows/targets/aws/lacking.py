"""What the policy names and AWS has not."""

from __future__ import annotations

from workflows.core.refusal import Code, Refused


def missing(thing: str, where: str) -> Refused:
    """Something that the policy names is not there, or not one of a kind. `thing`: "permission set ReadOnlyAccess"."""
    return Refused(Code.TARGET_THING_MISSING, {"thing": thing, "where": where})
