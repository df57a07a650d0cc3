#!/usr/bin/env python3
"""The policy folder as values of the chart:

    python3 deploy/helm/policy_values.py config > policy.json
    helm upgrade --install prodaccess deploy/helm/prodaccess -f policy.json

Needs nothing but Python. Takes what the bot reads (*.yaml, environments/*.yaml, policies/*.json) and leaves out the rest.
"""

import json
import sys
from pathlib import Path

PATTERNS = ("*.yaml", "environments/*.yaml", "policies/*.json")
# Of a ConfigMap, by Kubernetes; a little of it is for names.
BYTES_MAX = 1_000_000


def main() -> int:
    """Returns the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else Path("config")
    paths = sorted(path for pattern in PATTERNS for path in folder.glob(pattern))
    if folder / "prodaccess.yaml" not in paths:
        return fail(f"{folder} holds no prodaccess.yaml: name the policy folder.")
    files = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    if sum(len(text.encode()) for text in files.values()) > BYTES_MAX:
        return fail(f"{folder} is larger than a ConfigMap may be: use policy.source=git.")
    sys.stdout.write(json.dumps({"policy": {"files": files}}, indent=2) + "\n")
    return 0


def fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
