"""The one file of somebody else's that the sandbox's page carries: Microsoft's renderer of Adaptive Cards, MIT.

`python -m tests.support.vendored` fetches it anew with `npm pack`, from whichever registry npm is set up for, and refuses what is
not what is pinned here. For a newer version change VERSION, INTEGRITY and the digests, and look at the page.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

PACKAGE, VERSION = "adaptivecards", "3.0.6"
# Of the package as npm names it, and of each file as it stands here.
INTEGRITY = "sha512-WDCIb2WXZ7cOHJ9HIHRNdhSt861HySVOdN2xPk2aKHAF3JvD8QGQ8/XcNFrDJxCteOog8MM7EBlXfSAR8JXKAg=="
FOLDER = Path(__file__).parents[2] / "bot" / "sandbox" / "page" / "static" / "vendor"
FILES: Mapping[str, tuple[str, str]] = {
    "adaptivecards.min.js": (
        "package/dist/adaptivecards.min.js",
        "5e7c13f3300ae7b89b34703501e08d709fbb6635f1c6755b92495577a77344f2",
    ),
    "adaptivecards.LICENSE": (
        "package/LICENSE",
        "c1d323149190282f97200b28737cfffa16b6990a574a1e8f9eeec663323de306",
    ),
}


def main() -> int:
    """Returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(("npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"), cwd=folder, check=True)
        packed = next(Path(folder).glob("*.tgz"))
        found = f"sha512-{base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()}"
        if found != INTEGRITY:
            sys.stderr.write(f"{PACKAGE} {VERSION} is {found}, and not what is pinned.\n")
            return 1
        with tarfile.open(packed) as archive:
            for name, (inside, _) in FILES.items():
                content = archive.extractfile(inside)
                if content is not None:
                    (FOLDER / name).write_bytes(content.read())
    wrong = differs()
    sys.stderr.writelines(f"{name} is not what is pinned.\n" for name in wrong)
    return 1 if wrong else 0


def differs() -> list[str]:
    """The files that are not what is pinned."""
    return [name for name, (_, digest) in FILES.items() if _digest(FOLDER / name) != digest]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
