"""The help: one screen, and a sentence for each command."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.message import Message
from bot.chat.messages.notices import answer

_LINES = {
    "request": (
        "{c}` – opens the form",
        "{c} ENV ROLE [DURATION] [at TIME] REASON` – asks in one line: `{c} {e} 1h INC-42 checkout errors`; several at "
        "once: `ROLE,ROLE` or `ENV,ENV`",
        "{c} again [REASON]` · `for WHO ENV ROLE [DURATION] REASON` – asks for the last one once more; for somebody else",
    ),
    "break-glass": (
        "{c} break-glass ENV ROLE [DURATION] REASON` · `break-glass ID REASON` – 🚨 emergency access, at once, or opens the gate "
        "at which a pipeline waits; everybody sees it, an owner reviews it",
    ),
    "acknowledge": (
        "{c} acknowledge ID [NOTE]` · `flag ID NOTE` – reviews a break-glass; `lift WHO REASON` lets somebody ask again "
        "after a flag or a revoke-all; `person confirm WHO REASON` says whose an account on hold is; "
        "`certify CARD keep NUMBERS REASON` (or `remove`) answers in a certification",
    ),
    "approve": (
        "{c} approve ID` · `less ID [ROLE] [DURATION]` · `deny ID REASON` – decides a request; the buttons do the same",
    ),
    "withdraw": (
        "{c} withdraw ID` · `decline ID` · `extend ID DURATION REASON` – cancels a request; says no to one made for "
        "you; asks for more time",
    ),
    "end": (
        "{c} end ID [REASON]` · `revoke-all person WHO REASON` · `revoke-all env ENV REASON` – gives back your "
        "access; revokes access",
    ),
    "delegate": (
        "{c} delegate @NAME until fri` · `delegate` · `delegate off` – who decides in your place while you are away",
    ),
    "show": ("{c} show ID` – one request with its receipts",),
    "list": ("{c} list [ENV]` · `mine` · `pending` – who has access now, what is yours, what waits",),
    "history": ("{c} history [ENV or WHO]` – the last requests, and what became of them",),
    "envs": ("{c} envs` · `who ENV` – what there is to ask for, and who owns it",),
    "explain": ("{c} explain ENV ROLE [WHO]` – who may ask, who could approve, and why",),
}
_TOPICS = {
    "again": "request",
    "for": "request",
    "decline": "withdraw",
    "certify": "acknowledge",
    "deny": "approve",
    "less": "approve",
    "flag": "acknowledge",
    "lift": "acknowledge",
    "person": "acknowledge",
    "revoke": "end",
    "revoke-all": "end",
    "extend": "withdraw",
    "mine": "list",
    "pending": "list",
    "who": "envs",
}


def help_text(
    topic: str | None = None,
    command: str = "/prodaccess",
    example: str = "payments-prod read-only",
    *,
    break_glass: bool = True,
) -> str:
    """All of it, or what belongs to one command. `example`: an environment and a role that there are.

    `break_glass`: whether the reader may break the glass anywhere; who may not has no use for the line about it.
    """
    chosen = _LINES.get(_TOPICS.get(topic or "", topic or ""))
    if chosen:
        return "\n".join("`" + line.format(c=command, e=example) for line in chosen)
    head = "Temporary access that somebody else approves and that ends automatically."
    lines = [
        "• `" + line.format(c=command, e=example)
        for name, lines in _LINES.items()
        if break_glass or name != "break-glass"
        for line in lines
    ]
    tail = "Durations: `45s`, `90m`, `1 h 30 min`, `2d`; none means the role's default. Ids look like `PA-1042`."
    return "\n".join([head, *lines, tail])


@dataclass(frozen=True, slots=True)
class Usage:
    """One way to type the command: `approve ID`. `verb` is its first word, empty where an environment comes first."""

    usage: str
    verb: str
    says: str


def usages(command: str = "/prodaccess", example: str = "payments-prod read-only") -> tuple[Usage, ...]:
    """The lines of the help one by one, for who offers them as a list."""
    found = []
    for line in (line for lines in _LINES.values() for line in lines):
        forms, _, says = line.partition("` – ")
        for form in forms.split("` · `"):
            usage = form.removeprefix("{c}").strip()
            first = usage.partition(" ")[0]
            verb = first if first.islower() else ""
            found.append(Usage(usage, verb, says.format(c=command, e=example).replace("`", "")))
    return tuple(found)


def help_message(
    topic: str | None = None,
    command: str = "/prodaccess",
    example: str = "payments-prod read-only",
    *,
    break_glass: bool = True,
) -> Message:
    return answer(help_text(topic, command, example, break_glass=break_glass))
