"""What becomes of text on its way from a person's keyboard into a command's payload."""

import html
import re

from bot.sandbox.slack.workspace import Workspace

_SPOKEN_TO = re.compile(r"(?<![\w<])([@#])([A-Za-z0-9._-]*[A-Za-z0-9])")
_LINK = re.compile(r"(?<![<\w])(https?://[^\s<>|]+)")
_SPECIAL = {"channel": "!channel", "here": "!here", "everyone": "!everyone"}


def escaped(ws: Workspace, text: str) -> str:
    """As the app gets it with `should_escape` on: `@dana` is `<@U0DANA|dana>`, `#ops` is `<#C0OPS|ops>`, links in `<>`.

    Names that nobody bears stay as they are typed.
    """
    return _SPOKEN_TO.sub(lambda m: _entity(ws, m), _LINK.sub(r"<\1>", html.escape(text, quote=False)))


def _entity(ws: Workspace, match: re.Match[str]) -> str:
    sign, name = match.groups()
    if sign == "#":
        found = next((c.id for c in ws.channels.values() if c.name == name), None)
        return f"<#{found}|{name}>" if found else match[0]
    user = next((u.id for u in ws.users.values() if u.name == name and not u.deleted), None)
    group = next((g.id for g in ws.groups.values() if g.handle == name and not g.disabled), None)
    if name in _SPECIAL:
        return f"<{_SPECIAL[name]}>"
    if user:
        return f"<@{user}|{name}>"
    return f"<!subteam^{group}|@{name}>" if group else match[0]
