"""What /readyz says, and how long it takes to say it while the ledger hangs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.settings import Settings
from bot.wiring import build_web
from tests.support.installation import ROOT
from workflows.ports import LedgerUnreachable

WORDS = "Redis did not answer in time (redis.example:6379)."


class Hanging:
    """A ledger of which every question takes seconds, and is not answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*_: object, **__: object) -> Any:
            self.asked.append(name)
            raise LedgerUnreachable(WORDS)

        return ask


def test_a_ledger_that_hangs_is_asked_once_and_all_else_is_said(tmp_path: Path) -> None:
    """Each look waited for it: sixteen seconds, and whoever probes had gone by then."""
    (tmp_path / "prodaccess.yaml").write_text("version: 2\n")
    for folder, wrong in ((ROOT / "config", ""), (tmp_path, "policy")):
        built = build_web(Settings.model_validate({"redis_url": "redis://redis.example:6379/0", "config": folder}))
        hanging: Any = Hanging()
        parts = replace(built, ledger=hanging, context=replace(built.context, ledger=hanging))
        built.obstacles.stands("socket mode", "Slack's Socket Mode is not connected yet.", say=False)
        found, attention = parts.told()
        assert found[0] == f"{WORDS} It is tried again automatically."
        assert "Slack's Socket Mode is not connected yet." in found
        assert any(wrong in sentence for sentence in found[1:])
        assert hanging.asked == ["read"]
        assert attention == []
        parts.close()
