"""Rich text as Slack accepts it: sections, quotes, lists and code, and the pieces of which they are made.

Fields are those of docs.slack.dev/reference/block-kit/blocks/rich-text-block, read in 2026.
"""

from bot.sandbox.slack.blockkit.schema import Check, array, boolean, by_type, integer, one_of, record, string

_STYLE = record(dict.fromkeys(("bold", "italic", "strike", "code", "highlight", "client_highlight", "unlink"), boolean))
_ID = string(255)


def _piece(kind: str, fields: dict[str, Check], *required: str) -> Check:
    return record({"type": one_of(kind), "style": _STYLE} | fields, ("type", *required))


PIECES: dict[str, Check] = {
    "text": _piece("text", {"text": string()}, "text"),
    "link": _piece("link", {"url": string(3000), "text": string(), "unsafe": boolean}, "url"),
    "user": _piece("user", {"user_id": _ID}, "user_id"),
    "usergroup": _piece("usergroup", {"usergroup_id": _ID}, "usergroup_id"),
    "channel": _piece("channel", {"channel_id": _ID}, "channel_id"),
    "broadcast": _piece("broadcast", {"range": one_of("here", "channel", "everyone")}, "range"),
    "emoji": _piece("emoji", {"name": string(255), "unicode": string(255), "skin_tone": integer(1, 6)}, "name"),
    "color": _piece("color", {"value": string(255)}, "value"),
    "date": _piece(
        "date",
        {"timestamp": integer(0, 9_999_999_999), "format": string(), "url": string(3000), "fallback": string()},
        "timestamp",
        "format",
    ),
}
_BORDER = integer(0, 1)


def _part(kind: str, fields: dict[str, Check]) -> Check:
    return record({"type": one_of(kind)} | fields, ("type", "elements"))


_PIECES = {"elements": array(by_type(PIECES), 1000, least=0)}
_SECTION = _part("rich_text_section", _PIECES)
RICH_PART = by_type(
    {
        "rich_text_section": _SECTION,
        "rich_text_quote": _part("rich_text_quote", _PIECES | {"border": _BORDER}),
        "rich_text_preformatted": _part(
            "rich_text_preformatted", _PIECES | {"border": _BORDER, "language": string(255)}
        ),
        "rich_text_list": record(
            {
                "type": one_of("rich_text_list"),
                "style": one_of("bullet", "ordered"),
                "elements": array(by_type({"rich_text_section": _SECTION}), 1000),
                "indent": integer(0, 8),
                "offset": integer(0, 1000),
                "border": _BORDER,
            },
            ("type", "style", "elements"),
        ),
    }
)
