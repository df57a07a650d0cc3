"""Writes `deploy/teams` from the code that makes the app of an installation: `python -m tests.support.teams_app`."""

from __future__ import annotations

from pathlib import Path

from bot.teams.app_package import files

FOLDER = Path(__file__).parents[2] / "deploy" / "teams"
# Of no app: `prodaccess teams package` puts the id of one's own in its place.
NOBODY = "00000000-0000-0000-0000-000000000000"


def content() -> dict[str, bytes]:
    return files(NOBODY, name="prodaccess", website="https://example.com/prodaccess")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, data in content().items():
        (FOLDER / name).write_bytes(data)
