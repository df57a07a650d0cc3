"""A worker in which some constants have other values: `python -m bench.tuned workflows.targets.aws.connections:SSO_RATE=1000`.

For two things only: to take our own quota of AWS calls away where the measurement says "without a quota", and to shorten
the later looks in `--quick`.
"""

from __future__ import annotations

import ast
import importlib
import sys
from datetime import timedelta

NO_QUOTA = tuple(
    f"workflows.targets.aws.connections:{name}=100000.0" for name in ("SSO_RATE", "SSO_BURST", "IAM_RATE", "IAM_BURST")
)
SOON_LOOKS = ("workflows.core.convergence.outcomes:LATER_LOOKS=(1, 2)",)


def main() -> None:
    for assignment in sys.argv[1:]:
        where, _, value = assignment.partition("=")
        module, _, name = where.partition(":")
        found = ast.literal_eval(value)
        seconds = isinstance(found, tuple)
        holder = importlib.import_module(module)
        if not hasattr(holder, name):
            raise SystemExit(f"{where} is not there any more")
        setattr(holder, name, tuple(timedelta(seconds=item) for item in found) if seconds else found)
    from bot.__main__ import main as prodaccess  # noqa: PLC0415  # after the constants are set

    sys.argv[1:] = ["worker"]
    prodaccess()


if __name__ == "__main__":
    main()
