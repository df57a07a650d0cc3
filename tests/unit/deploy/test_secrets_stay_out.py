"""What the pages have somebody put beside the sources goes into no commit and no image."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def test_secrets_of_compose_go_into_no_commit_and_no_image() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    folders = {Path(one["file"]).parts[0] for one in compose["secrets"].values()}
    assert folders == {"secrets"}
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/secrets/", ".env"} <= set(ignored)
    docker = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in docker
    assert not [line for line in docker if line.startswith("!") and "secret" in line]
