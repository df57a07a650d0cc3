"""Where a webhook's address comes from: its variable or file, each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.chat.message import Message
from bot.chat.rich import ours
from bot.chat.surface import NotDone
from bot.settings import Settings
from bot.wiring import OWN_WEBHOOK, build_webhooks, own_webhooks
from tests.support.webhook import Answer, workflow
from tests.unit.policy_file.policy_folder import WORKSPACE, write
from workflows.core.destination import read_destination
from workflows.policy_file import PolicyFolder

HOOKS = "webhooks: [{name: ops, url: {env: OPS_HOOK}}]\ndigests:"


def folder(where: Path, settings: Settings) -> PolicyFolder:
    write(where, (WORKSPACE, "digests:", HOOKS))
    return PolicyFolder(where, monotonic=lambda: 0.0, webhooks=own_webhooks(settings))


def test_the_variable_is_one_more_webhook_of_all_that_there_is_and_the_policys_hash_stays(tmp_path: Path) -> None:
    found = folder(tmp_path, Settings(teams_webhook_url=SecretStr("https://example.com/hook"))).current()
    assert [hook.place for hook in found.webhooks] == ["webhook:channel:ops", f"webhook:channel:{OWN_WEBHOOK}"]
    own = found.webhooks[1]
    assert (own.environments, own.kinds) == (None, found.webhooks[0].kinds)
    assert found.hash == folder(tmp_path, Settings()).current().hash
    assert [hook.name for hook in folder(tmp_path, Settings()).current().webhooks] == ["ops"]


def test_addresses_are_read_each_time_and_nobody_elses_secret_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    with workflow() as flow:
        settings = Settings(teams_webhook_url=SecretStr(flow.url))
        source = folder(tmp_path, settings)
        hooks = build_webhooks(settings, source)
        told = Message(ours("x"))
        hooks.post(read_destination(f"webhook:channel:{OWN_WEBHOOK}"), told)
        with pytest.raises(NotDone, match="no_address"):
            hooks.post(read_destination("webhook:channel:ops"), told)
        source.current()
        secret = tmp_path / "hook"
        secret.write_text(flow.url + "\n")
        monkeypatch.setenv("OPS_HOOK_FILE", str(secret))
        hooks.post(read_destination("webhook:channel:ops"), told)
        # While somebody writes into it, it is empty: what it held counts.
        secret.write_text("")
        hooks.post(read_destination("webhook:channel:ops"), told)
        # An address that is refused makes room for the one below it.
        flow.answers.append(Answer(status=404))
        secret.write_text(f"{flow.url}&new=1\n{flow.url}\n")
        hooks.post(read_destination("webhook:channel:ops"), told)
        assert ["OPS_HOOK" in each for each in settings.secrets.attention()] == [True]
        monkeypatch.delenv("OPS_HOOK_FILE")
        with pytest.raises(NotDone, match="no_address"):
            hooks.post(read_destination("webhook:channel:ops"), told)
        with pytest.raises(NotDone, match="no_address"):
            hooks.post(read_destination("webhook:channel:nobodys"), told)
        assert len(flow.cards) == 4
