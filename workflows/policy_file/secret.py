"""Finding what looks like a secret, so that it is refused before anything repeats it."""

from __future__ import annotations

import math
import re
from collections import Counter

HIDDEN = "(hidden)"
HELP = "take it out of the folder and renew it; where a secret is meant, write {env: NAME}"

_KNOWN = (
    ("a Slack token", re.compile(r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9]")),
    ("a Slack webhook", re.compile(r"hooks\.slack\.com/(?:services|workflows|triggers)/")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a private key", re.compile(r"-----BEGIN|\bMC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{8}|github_pat_)")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{8}")),
    ("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}")),
    ("an address with a password in it", re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,200}:[^\s/@]{1,200}@")),
    ("an address with a secret in it", re.compile(r"[?&](?:token|key|secret|sig|signature|password)=", re.IGNORECASE)),
)
_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
# The head of its DER says that it is the public half of an Ed25519 key.
_PUBLIC = re.compile(r"MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
# Bits a character; words joined by dashes stay below, random base64 is well above.
_ENTROPY_MIN = 4.2


def known_secret(text: str) -> str | None:
    """What kind of secret stands in `text`, by its shape."""
    return next((kind for kind, pattern in _KNOWN if pattern.search(text)), None)


def secret_kind(value: str) -> str | None:
    """What kind of secret the whole value seems to be, by shape or by being random."""
    if kind := known_secret(value):
        return kind
    if _PUBLIC.fullmatch(value):
        return None
    if _HEX.fullmatch(value) or (_TOKEN.fullmatch(value) and _mixed(value) and _entropy(value) >= _ENTROPY_MIN):
        return "a random token"
    return None


def _mixed(value: str) -> bool:
    return all(any(test(char) for char in value) for test in (str.isdigit, str.isupper, str.islower))


def _entropy(value: str) -> float:
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
