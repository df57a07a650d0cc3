"""The Slack app as its manifest describes it: deploy/slack/manifest.yaml, for Socket Mode or for HTTP."""

from __future__ import annotations

import re

from bot.shipped import slack_manifest

COMMAND = "/prodaccess"
_PATH = "/slack/events"
_SOCKET_MODE = "socket_mode_enabled: true "


def text() -> str:
    """As it stands in the file: Socket Mode, `/prodaccess`."""
    return slack_manifest().read_text(encoding="utf-8")


def problem(url: str, command: str) -> str:
    """What is wrong with these as one sentence; empty where nothing is."""
    if url and not re.fullmatch(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/?", url):
        return "--url must be an https:// address with a host alone, such as https://access.example.com."
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", command):
        return "--command must be a slash and 1 to 31 of a-z, 0-9, _ and -, such as /prodaccess."
    return ""


def manifest(*, url: str = "", command: str = COMMAND) -> str:
    """`url`: https://HOST where Slack reaches web; empty for Socket Mode. Both are what `problem` finds nothing wrong with."""
    found = text().replace(f"- command: {COMMAND} ", f"- command: {command} ")
    if not url:
        return found
    address = f"{url.rstrip('/')}{_PATH}"
    found = found.replace(f"- command: {command} ", f"- command: {command}\n      url: {address}\n      #", 1)
    found = re.sub(r"( +)is_enabled: true .*\n", rf"\g<0>\1request_url: {address}\n", found, count=1)
    found = found.replace("  event_subscriptions:\n", f"  event_subscriptions:\n    request_url: {address}\n", 1)
    return re.sub(rf"{_SOCKET_MODE}.*", "socket_mode_enabled: false", found)
