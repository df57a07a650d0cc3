"""The key and the bucket of the audit log: their form alone, because nothing uses them yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.doctor.context import Context
from workflows.core.finding import Finding, attention, ok

_YET = "nothing uses it yet"


def look(context: Context) -> Iterator[Finding]:
    key, bucket = context.settings.audit_key, context.settings.audit_bucket
    if key is not None:
        yield _key(key)
    if bucket is not None:
        yield ok("audit.bucket", "PRODACCESS_AUDIT_BUCKET", f"it is the name of a bucket; {_YET}")


def _key(key: str) -> Finding:
    what = "PRODACCESS_AUDIT_KEY"
    if key.startswith("awskms:"):
        return ok("audit.key", what, f"it names a key by its ARN; {_YET}")
    try:
        text = Path(key).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return attention("audit.key", what, f"{key} cannot be read; {_YET}", "let it name a PEM file, or awskms:ARN")
    if "PRIVATE KEY-----" not in text:
        return attention(
            "audit.key", what, f"{key} is no private key in PEM; {_YET}", "openssl genpkey -algorithm ed25519"
        )
    return ok("audit.key", what, f"{key} is a private key; {_YET}")
