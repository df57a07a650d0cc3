"""The policy folder: YAML -> `core.policy.Policy`, every problem at once with file and line."""

from __future__ import annotations

from workflows.policy_file.difference import difference, summary
from workflows.policy_file.load import Reading, load_policy, read_policy
from workflows.policy_file.problem import Problem
from workflows.policy_file.watch import PolicyFolder

__all__ = ["PolicyFolder", "Problem", "Reading", "difference", "load_policy", "read_policy", "summary"]
