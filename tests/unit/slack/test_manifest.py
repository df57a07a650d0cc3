"""The Slack app's manifest: one text, for Socket Mode and for HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.slack.manifest import manifest, problem, text

ROOT = Path(__file__).parents[3]


def test_for_socket_mode_it_is_what_stands_in_deploy() -> None:
    assert manifest() == text() == (ROOT / "deploy" / "slack" / "manifest.yaml").read_text(encoding="utf-8")


def test_over_http_every_address_is_there_and_nothing_else_is_different() -> None:
    found, plain = (yaml.safe_load(each) for each in (manifest(url="https://a.example/"), text()))
    address = "https://a.example/slack/events"
    assert found["features"]["slash_commands"][0].pop("url") == address
    assert found["settings"]["event_subscriptions"].pop("request_url") == address
    assert found["settings"]["interactivity"].pop("request_url") == address
    assert found["settings"].pop("socket_mode_enabled") is False
    assert plain["settings"].pop("socket_mode_enabled") is True
    assert found == plain


@pytest.mark.parametrize("url", ["", "https://a.example"])
def test_another_command(url: str) -> None:
    found = yaml.safe_load(manifest(url=url, command="/access"))
    assert [each["command"] for each in found["features"]["slash_commands"]] == ["/access"]


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("http://a.example", "/a"),
        ("https://a.example/path", "/a"),
        ("https://a\nb", "/a"),
        ("", "access"),
        ("", "/A b"),
    ],
)
def test_what_would_not_be_taken_is_one_sentence(url: str, command: str) -> None:
    assert problem(url, command).endswith(".")
    assert problem("https://a.example:8443", "/access-2") == ""
