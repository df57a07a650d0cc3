"""REDIS_URL where sentinels say which server is the primary: `redis+sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/NAME/0`.

There is no standard for it; kombu, Traefik and others read what looks like this. USER and PASSWORD are the servers' own; the
sentinels' stand behind the question mark. `rediss+sentinel://` is TLS to all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

PORT = 26_379
"""Where a sentinel listens unless said."""

_FORM = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<auth>.*)@)?(?P<hosts>[^@/?#\s]+)/(?P<name>[A-Za-z0-9._-]+)(?:/(?P<db>[0-9]*))?"
    r"(?:\?(?P<query>[^#\s]*))?"
)
# Users that need no password, as we or Redis call them: words of every log.
_NAME = re.compile(r"default|web|worker|clock|operator|prodaccess[\w-]*")
_OPTIONS = ("sentinel_username", "sentinel_password", "ssl_ca_certs")


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """`name`: of the primary, as the sentinels have it. `ca_certs`: the path of a file with the authorities that TLS trusts."""

    sentinels: tuple[tuple[str, int], ...]
    name: str
    db: int
    tls: bool
    username: str | None = None
    password: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    ca_certs: str | None = None


def is_sentinel(url: str) -> bool:
    return url.startswith(("redis+sentinel://", "rediss+sentinel://"))


def sentinel_url(url: str) -> SentinelUrl:
    """Raises ValueError, whose words go on after "REDIS_URL" and hold no value."""
    found = _FORM.fullmatch(url)
    hosts = tuple(_host(each) for each in found["hosts"].split(",")) if found else ()
    if found is None or None in hosts:
        raise ValueError(
            "must look like redis+sentinel://USER:PASSWORD@HOST:26379,HOST:26379/NAME/0, where NAME is what the sentinels call "
            "the primary"
        )
    options = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    if options.keys() - set(_OPTIONS):
        raise ValueError(f"has an option that is not known behind the question mark; there are {', '.join(_OPTIONS)}")
    user, _, password = (found["auth"] or "").partition(":")
    return SentinelUrl(
        tuple(host for host in hosts if host is not None),
        found["name"],
        int(found["db"] or 0),
        found["scheme"] == "rediss",
        unquote(user) or None,
        unquote(password) or None,
        options.get("sentinel_username") or None,
        options.get("sentinel_password") or None,
        options.get("ssl_ca_certs") or None,
    )


def passwords(url: str) -> tuple[str, ...]:
    """What of this address is secret, as it is written there and as it is meant: for the log, to look for.

    A word without a colon is a user's name to Redis's clients, and to whoever forgot the colon their password.
    """
    if not is_sentinel(url):
        found = urlsplit(url)
        written = _secret_of(found.netloc.rpartition("@")[0])
        return (written, unquote(written)) if written else ()
    form, meant = _FORM.fullmatch(url), sentinel_url(url)
    written = _secret_of(form["auth"] or "") if form else ""
    behind = re.search(r"[?&]sentinel_password=([^&]*)", url)
    return tuple(filter(None, (written, unquote(written), behind and behind[1], meant.sentinel_password)))


def _secret_of(auth: str) -> str:
    user, colon, password = auth.partition(":")
    return password if colon or _NAME.fullmatch(user) else user


def _host(text: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(f"//{text}")
        return (parts.hostname, parts.port or PORT) if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None
