"""Whether anything that we run on has a known fault, by pip-audit: `make advisories`.

It asks a service on the internet, which not every machine reaches, and it is in none of our lock files. So it says in one
sentence when nothing was looked at, and fails for what was found alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 120
_NOT = "Known advisories were not looked at:"


def main(lock: str, *folders: str) -> int:
    """Exit code 1 where there is an advisory for a pinned version. `folders`: where pip-audit is looked for, before PATH."""
    program = next((found for folder in folders if (found := shutil.which("pip-audit", path=folder))), None)
    program = program or shutil.which("pip-audit")
    if program is None:
        print(f"{_NOT} pip-audit is not installed. `pip install pip-audit` beside, and run it again.")
        return 0
    found = asked(program, lock)
    known = [one for one in found if "vulns" in one]
    if not known:
        print(f"{_NOT} no service that knows them answers from here.")
        return 0
    bad = [(one, fault) for one in known for fault in one["vulns"]]
    for one, fault in bad:
        better = ", ".join(fault.get("fix_versions") or ()) or "none yet"
        print(f"{one['name']} {one['version']}: {fault['id']}; mended in {better}")
    print(f"{len(known)} of {len(found)} packages of {Path(lock).name} were looked at, {len(bad)} advisories.")
    return int(bool(bad))


def asked(program: str, lock: str) -> list[dict[str, object]]:
    """pip-audit's list of packages; empty where it could not make one."""
    options = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", "--timeout", "10")
    try:
        done = subprocess.run(
            [program, "--requirement", lock, *options], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        said = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, LookupError, TypeError):
        return []
    return said if isinstance(said, list) else []


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
