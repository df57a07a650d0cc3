"""What comes along beside the code: the example policy, the pages of docs/, and of deploy/ what they point to. See docs/adr/0043.

In a checkout they stand at its top, where people look for them. In a wheel there is no top: `setup.py` puts copies into
this package, and whoever asks gets what is there.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_COPIES = _PACKAGE / "_shipped"
FOLDERS = ("aws", "grafana", "prometheus", "redis", "slack", "systemd")
"""Of deploy/. `setup.py` has the same; a test looks for all of it in a wheel."""


def example_policy() -> Path:
    """The folder of the policy that the demo plays."""
    return _place("config")


def slack_manifest() -> Path:
    """The manifest of the Slack app, YAML."""
    return _place("deploy") / "slack" / "manifest.yaml"


def pages() -> Path:
    """The folder of the pages (Markdown)."""
    return _place("docs")


def files() -> dict[str, Path]:
    """What is put in place or read beside the pages, by the name that messages have for it: `deploy/aws/README.md`."""
    folder = _place("deploy")
    found = (path for each in FOLDERS for path in sorted((folder / each).rglob("*")) if path.is_file())
    return {f"deploy/{path.relative_to(folder).as_posix()}": path for path in found}


def checkout() -> Path | None:
    """The folder of the sources where we run from them, None where we are installed."""
    return None if _COPIES.is_dir() else _PACKAGE.parent


def _place(name: str) -> Path:
    top = checkout()
    return (_COPIES if top is None else top) / name
