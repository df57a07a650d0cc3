"""What somebody typed -> what is meant, or a slip. The kinds of value are the policy's own, so both say the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import chain, count
from typing import Any
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError

from bot.setup.questions.asker import Slip
from workflows.core.identity import TEAMS
from workflows.policy_file.channels import TEAMS_CHANNEL
from workflows.policy_file.problem import nearest, quote
from workflows.policy_file.secret import secret_kind
from workflows.policy_file.values import OURS

Read = Callable[[str], str]

_NAME_MAX = 58  # with a dash and a number below the 63 that a name may have
_SLACK_LINK = re.compile(r"https://[a-z0-9.-]+\.slack\.com/(?:archives|client/[A-Z0-9]+)/([CG][A-Z0-9]+).*")
_TEAMS_LINK = re.compile(r"https://teams\.[a-z0-9.-]+/l/channel/([^/?]+).*")


def words(text: str) -> str:
    """Any text of one line that is no secret."""
    if not text:
        raise Slip("Something has to be said here.")
    if not text.isprintable() or not _encodable(text):
        raise Slip("There is a character in it that cannot be shown: type it again.")
    if kind := secret_kind(text):
        raise Slip(f"This looks like {kind}, which must not stand in the policy. It was not kept.")
    return text


def _encodable(text: str) -> bool:
    """Bytes that are no UTF-8 come from a terminal as halves of characters."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def value(kind: Any, *, optional: bool = False, help_: str = "") -> Read:
    """One value of a kind of the policy's. `help_`: in place of the policy's own help, which speaks of YAML."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def read(text: str) -> str:
        if not text and optional:
            return ""
        words(text)
        try:
            adapter.validate_python(text)
        except ValidationError as error:
            raise Slip(_sentence(error, help_)) from None
        return text

    return read


def _sentence(error: ValidationError, help_: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    if first["type"] != OURS:
        return "This cannot be used here."
    said, suggestion = str(context["words"]), help_ or str(context["suggestion"])
    text = f"{said}; {suggestion}" if suggestion else said
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if not text.endswith("?") else f"{text[:1].upper()}{text[1:]}"


def several(read: Read) -> Callable[[str], list[str]]:
    """Parts with commas between them, each once."""

    def read_all(text: str) -> list[str]:
        parts = [part.strip() for part in text.split(",")]
        return list(dict.fromkeys(read(part) for part in parts if part or len(parts) == 1))

    return read_all


def one_of(names: Sequence[str], what: str) -> Read:
    def read(text: str) -> str:
        if text not in names:
            help_ = nearest(text, names)
            raise Slip(f"There is no {what} {quote(text)}{f'; {help_}' if help_ else ''}.".replace("?.", "?"))
        return text

    return read


def channel(chats: Sequence[str]) -> Read:
    """An id, or the link that chats give for a channel."""

    def read(text: str) -> str:
        found = _channel(words(text))
        surface = TEAMS if found.startswith(f"{TEAMS}:") else "slack"
        if surface not in chats:
            raise Slip(f"This is a channel of {surface.capitalize()}, which you do not use here.")
        return found

    return read


def _channel(text: str) -> str:
    if link := _SLACK_LINK.fullmatch(text):
        return link[1]
    id_ = unquote(link[1]) if (link := _TEAMS_LINK.fullmatch(text)) else text.removeprefix(f"{TEAMS}:")
    if re.fullmatch(TEAMS_CHANNEL, id_):
        return f"{TEAMS}:{id_}"
    if re.fullmatch("[CG][A-Z0-9]+", text):
        return text
    raise Slip(
        f"{quote(text)} is no channel; in Slack copy the id (C...) at the bottom of the channel's details,"
        " in Teams the link of Get link to channel."
    )


def ticket(text: str) -> str:
    """Examples of tickets -> the pattern of all of them: `INC-42, OPS-7` -> `(?:INC|OPS)-[0-9]+`."""
    patterns = list(dict.fromkeys(_pattern(words(part.strip())) for part in text.split(",")))
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"


def _pattern(example: str) -> str:
    if re.search(r"\s", example) or not re.search(r"[0-9]", example) or len(example) > 40:
        raise Slip(f"{quote(example)} is no ticket: write one as people do, a word with a number in it, like OPS-123.")
    return "".join("[0-9]+" if part.isdigit() else re.escape(part) for part in re.split(r"([0-9]+)", example) if part)


def called(text: str) -> str:
    """A name of the policy made of somebody else's: `ReadOnlyAccess` -> `read-only`, `Sales Readers` -> `sales-readers`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", re.sub(r"\{[a-z_]*\}", "", text))
    found = re.sub(r"[^a-z0-9]+", "-", apart.lower()).strip("-")
    return (found.removesuffix("-access") or found)[:63].strip("-")


def unused(name: str, otherwise: str, taken: Collection[str], kind: Any) -> str:
    """`name` where it is a name of that kind, else `otherwise`; with a number where that is taken."""
    try:
        value(kind)(name)
    except Slip:
        name = otherwise
    numbered = (f"{name[:_NAME_MAX].rstrip('-')}-{number}" for number in count(2))
    return next(each for each in chain((name,), numbered) if each not in taken)
