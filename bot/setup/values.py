"""Kinds of value that the answers have and the policy has not."""

from __future__ import annotations

from workflows.policy_file.values import shape

Guid = shape(
    "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "an id of Microsoft's",
    "it is on the overview page; it looks like 01234567-89ab-cdef-0123-456789abcdef",
)
