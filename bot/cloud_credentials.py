"""Who may see cloud credentials, and whether the cloud is a real one. The environment comes as an argument."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from ipaddress import ip_address
from socket import inet_aton
from urllib.parse import urlsplit

# Everything else called AWS_* may lead an SDK to credentials: keys, profiles, files, web identities, containers.
_AWS_HARMLESS = re.compile(r"AWS_(?:ENDPOINT_URL(?:_\w+)?|IGNORE_CONFIGURED_ENDPOINT_URLS|REGION|DEFAULT_REGION)")
_AWS_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
# As /etc/hosts calls it.
_THIS_MACHINE = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
_AWS_NOTHING_TO_FIND = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
    "BOTO_CONFIG": os.devnull,
}


def scrub_cloud_credentials(environ: MutableMapping[str, str]) -> tuple[str, ...]:
    """Takes away all that leads to cloud credentials, and returns the names that were taken.

    Only the worker changes access, so a fault in web or clock must find nothing to do it with. What the kernel keeps of
    the environment at start (`/proc/PID/environ`) cannot be changed: give web and clock none in the first place.
    """
    taken = tuple(name for name in environ if name.startswith("AWS_") and not _AWS_HARMLESS.fullmatch(name))
    for name in taken:
        del environ[name]
    environ.update(_AWS_NOTHING_TO_FIND)
    return taken


def cloud_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of cloud credentials in plain text, for the log to look for."""
    return tuple(environ[name] for name in _AWS_SECRET if environ.get(name))


def aws_is_real(environ: Mapping[str, str]) -> bool:
    """False only where every call certainly stays on this machine."""
    ignored = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
    of_services = [url for name, url in environ.items() if name.startswith("AWS_ENDPOINT_URL_") and url]
    return ignored or not all(is_loopback(url) for url in (environ.get("AWS_ENDPOINT_URL", ""), *of_services))


def is_loopback(url: str) -> bool:
    """Certainly this machine, in the plainest spelling."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def may_be_this_machine(url: str) -> bool:
    """In whatever spelling a resolver takes: `127.1`, `0x7f.1`, `2130706433`, `localhost.`, `[::ffff:127.0.0.1]`."""
    try:
        host = (urlsplit(url.strip()).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host in _THIS_MACHINE or host.endswith(".localhost"):
        return True
    try:
        found = ip_address(host) if ":" in host else ip_address(inet_aton(host))
    except (OSError, ValueError):
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified
