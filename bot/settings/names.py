"""What the variables are called, and which of them belong together."""

from __future__ import annotations

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
)
"""Fields that `NAME_FILE` may give, too, and that no log line may show."""

PREFIXED = frozenset(
    {"command", "redis_durability", "config", "policy", "data", "audit_key", "audit_bucket", "host", "ops_port"}
)
SLACK_APP = ("slack_bot_token", "slack_app_token", "slack_signing_secret")
TEAMS_APP = ("teams_app_id", "teams_app_password", "teams_tenant_id")
# Where Microsoft's keys, tokens and answers come from: whoever answers there can speak for anybody.
MICROSOFT = ("teams_openid_url", "teams_login_url", "teams_service_url", "graph_api_url")


def variable(field: str) -> str:
    """`redis_durability` -> `PRODACCESS_REDIS_DURABILITY`."""
    return f"PRODACCESS_{field}".upper() if field in PREFIXED else field.upper()
