"""The app as its manifest would describe it. One app, one bot, one workspace."""

import secrets
from dataclasses import dataclass, field

DEFAULT_EVENTS = frozenset({"app_home_opened", "user_change", "team_join", "subteam_updated", "subteam_created"})


# What the manifest asks for: an app that was installed with all of it.
ALL_SCOPES = frozenset(
    {
        "commands",
        "chat:write",
        "chat:write.public",
        "im:write",
        "users:read",
        "users:read.email",
        "dnd:read",
        "usergroups:read",
        "channels:read",
        "channels:join",
        "groups:read",
        "channels:history",
        "groups:history",
        "im:history",
    }
)


def _token(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(16)}"


@dataclass
class AppSettings:
    """`request_url` set: payloads are POSTed there, signed. Not set: they travel over Socket Mode. `enterprise_id` set: the
    workspace stands in an organisation (Enterprise Grid).

    `should_escape` and `chat_write_public` are what the manifest's `should_escape` and the scope `chat:write.public` are;
    `scopes` are those of the token. `ack_timeout_s` and `trigger_life_s` are Slack's three seconds (docs: "Handling user
    interaction", views.open).
    """

    request_url: str | None = None
    app_id: str = "A0PRODACC"
    bot_id: str = "B0PRODACC"
    bot_user_id: str = "U0PRODBOT"
    bot_name: str = "prodaccess"
    team_id: str = "T0EXAMPLE"
    team_name: str = "Example"
    team_domain: str = "example"
    enterprise_id: str | None = None
    enterprise_name: str = "Example Group"
    bot_token: str = field(default_factory=lambda: _token("xoxb"))
    app_token: str = field(default_factory=lambda: _token("xapp-1"))
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    commands: tuple[str, ...] = ("/prodaccess",)
    should_escape: bool = True
    chat_write_public: bool = False
    scopes: frozenset[str] = ALL_SCOPES
    events: frozenset[str] = DEFAULT_EVENTS
    ack_timeout_s: float = 3.0
    trigger_life_s: float = 3.0
