"""What the variables are called, and which of them belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Process = Literal["web", "worker", "clock"]

PROCESSES: tuple[Process, ...] = get_args(Process)

SECRETS = (
    "slack_bot_token",
    "slack_signing_secret",
    "slack_app_token",
    "redis_url",
    "teams_webhook_url",
    "teams_app_password",
    "github_webhook_secret",
    "gitlab_token",
)
"""Fields that `NAME_FILE` may give, too, and that no log line may show."""

PATHS = ("audit_key", "github_app_key")
"""Fields whose value is a file's path, so that `NAME_FILE` says the same."""

PREFIXED = frozenset(
    {
        "command",
        "redis_durability",
        "config",
        "policy",
        "data",
        "audit_key",
        "audit_bucket",
        "audit_retention",
        "host",
        "ops_port",
        "url",
    }
)
SLACK_APP = ("slack_bot_token", "slack_app_token", "slack_signing_secret")
TEAMS_APP = ("teams_app_id", "teams_app_password", "teams_tenant_id")
# Where Microsoft's keys, tokens and answers come from: whoever answers there can speak for anybody.
MICROSOFT = ("teams_openid_url", "teams_login_url", "teams_service_url", "graph_api_url")


GITHUB_APP = ("github_app_id", "github_app_key")
# What workers alone may have: with the one, what never happened could be signed; with the others, any pipeline be let on.
WORKERS_KEYS = (
    "PRODACCESS_AUDIT_KEY",
    "PRODACCESS_AUDIT_KEY_FILE",
    "GITHUB_APP_KEY",
    "GITHUB_APP_KEY_FILE",
    "GITLAB_TOKEN",
    "GITLAB_TOKEN_FILE",
)


def without_workers_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """The same, as web and clock may have it: whoever takes them over shall find nothing to sign with."""
    return {name: value for name, value in environ.items() if name not in WORKERS_KEYS}


def variable(field: str) -> str:
    """`redis_durability` -> `PRODACCESS_REDIS_DURABILITY`."""
    return f"PRODACCESS_{field}".upper() if field in PREFIXED else field.upper()
