"""What a value may be: checks of its text. What is wrong is said without the value, which may be a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from bot.cloud_credentials import is_loopback
from bot.settings.redis_url import is_sentinel, sentinel_url


def _checked(check: Callable[[str], str | int | timedelta | tuple[str, ...]]) -> BeforeValidator:
    """Checks text only: what is not text was made by our own code."""
    return BeforeValidator(lambda value: check(value) if isinstance(value, str) else value)


def _matching(pattern: str, problem: str) -> BeforeValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(problem)
        return value

    return _checked(check)


def one_of(*words: str) -> BeforeValidator:
    def check(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value.lower()

    return _checked(check)


def _port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65_535:
        raise ValueError("must be a number from 1 to 65535, or 0 for a free port")
    return int(value)


def _redis_url(value: str) -> str:
    if is_sentinel(value):
        sentinel_url(value)
        return value
    # A password may hold anything, so only the end of the authority says whether several servers are named.
    if value.startswith(("redis+cluster://", "rediss+cluster://")) or "," in value.rpartition("@")[2]:
        raise ValueError(
            "names a cluster or several servers, which is not supported: give one redis:// address, or sentinels as redis+sentinel://"
        )
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
        # The client takes database 0 for a path that it cannot read.
        usable = usable and bool(re.fullmatch(r"/?|/[0-9]+", parts.path)) and not re.search(r"\s", value)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must look like redis://HOST:PORT/0 or rediss://USER:PASSWORD@HOST:PORT/0")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(value))):
        raise ValueError("must be an https:// address (http:// only on this machine), because secrets travel on it")
    return value


def _slack_api_url(value: str) -> str:
    return _web_address(value).rstrip("/") + "/"


def bare_address(value: str) -> str:
    """A web address with nothing but a host and a path, without the last slash."""
    _web_address(value)
    if re.search(r"[^\x21-\x7e]|[\\@?#]", value):
        raise ValueError("must be an address alone: without a user name, a question mark or a number sign")
    return value.rstrip("/")


def _service_addresses(value: str) -> tuple[str, ...]:
    """Each ends with one slash, so that what begins with it goes on at a folder's edge."""
    found = tuple(f"{bare_address(each.strip())}/" for each in value.split(","))
    return tuple(dict.fromkeys(found))


def _guid(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise ValueError("must be a GUID: 8, 4, 4, 4 and 12 of 0-9 and a-f, with hyphens between them")
    return value.lower()


def _audit_key(value: str) -> str:
    if "-----BEGIN" in value:
        raise ValueError("is the path of a PEM file or awskms:ARN, never the key itself")
    if value.startswith("awskms:") and not re.fullmatch(r"awskms:arn:aws[a-z-]*:kms:[^:\s]+:[0-9]{12}:\S+", value):
        raise ValueError("must be awskms: followed by the key's whole ARN")
    return value


def _key_file(value: str) -> str:
    if "-----BEGIN" in value:
        raise ValueError("is the path of the App's PEM file, never the key itself")
    return value


def _archive(value: str) -> str:
    if re.match(r"\.{0,2}/", value):
        return value
    if not re.fullmatch(
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[0-9A-Za-z._-]+)*/?|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value
    ):
        raise ValueError(
            "must be s3://BUCKET/PREFIX, the name of an S3 bucket, or a folder's path that begins with / or ./"
        )
    return value


def _retention(value: str) -> timedelta:
    """A hundred years are the most that S3 takes (API reference, DefaultRetention)."""
    if not re.fullmatch(r"[0-9]{1,5}d", value) or not 1 <= int(value[:-1]) <= 36_500:
        raise ValueError("must be a number of days from 1d to 36500d, such as 2555d")
    return timedelta(days=int(value[:-1]))


BOT_TOKEN = _matching(r"xoxb-[\x21-\x7e]+", "must start with xoxb-: the bot token of the app's OAuth page")
APP_TOKEN = _matching(r"xapp-[\x21-\x7e]+", "must start with xapp-: an app-level token, for Socket Mode")
WORD = _matching(r"[\x21-\x7e]+", "must be one word without blanks")
# Whoever has it speaks for Slack, so a word that can be guessed is none: half a line that is being written, say.
SIGNING_SECRET = _matching(
    r"[\x21-\x7e]{16,}", "must be one word of 16 characters or more: the signing secret of the app, which has 32"
)
# Whoever has it speaks for GitHub.
WEBHOOK_SECRET = _matching(
    r"[\x21-\x7e]{32,}", "must be one word of 32 characters or more: make one with `openssl rand -hex 32`"
)
APP_ID = _matching(r"[1-9][0-9]{0,18}|Iv[0-9A-Za-z.]{6,40}", "must be the App's id, a number, or its client id")
COMMAND = _matching(r"/[a-z0-9_-]{1,31}", "must be a slash and 1 to 31 of a-z, 0-9, _ and -, such as /prodaccess")
ARCHIVE = _checked(_archive)
RETENTION = _checked(_retention)
PORT = _checked(_port)
REDIS_URL = _checked(_redis_url)
WEB_ADDRESS = _checked(_web_address)
SLACK_API_URL = _checked(_slack_api_url)
BARE_ADDRESS = _checked(bare_address)
SERVICE_ADDRESSES = _checked(_service_addresses)
GUID = _checked(_guid)
AUDIT_KEY = _checked(_audit_key)
KEY_FILE = _checked(_key_file)
