"""Tables of cases that hold a policy to what its writers mean: who asks what when, and what should happen.

The rules that decide are `workflows.core.rules`, and no others.
"""

from __future__ import annotations

from workflows.policy_file.cases.coverage import rules_of
from workflows.policy_file.cases.judge import Verdict
from workflows.policy_file.cases.run import Result, Table, read_table, run_table, understand_table

__all__ = ["Result", "Table", "Verdict", "read_table", "rules_of", "run_table", "understand_table"]
