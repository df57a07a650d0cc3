"""What is typed after `/prodaccess`: from a line to one frozen value that says what is meant, or why it cannot be read.

Forgiving where nothing can be mistaken (case, blanks, a phone's dashes and quotes), strict where something could: ids are
ASCII, and a slip in a duration is named rather than read as the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.chat.commands.model import (
    Acknowledge,
    Again,
    Approve,
    Ask,
    AskFor,
    AskSeveral,
    BreakGlass,
    BreakOpen,
    Certify,
    Command,
    Confirm,
    Decline,
    Delegate,
    Deny,
    End,
    Envs,
    Explain,
    Extend,
    Flag,
    Help,
    History,
    Less,
    Lift,
    List,
    Mine,
    OpenForm,
    Pending,
    RevokeAll,
    Show,
    Who,
    Whom,
    Withdraw,
)
from bot.chat.commands.start_time import read_begin
from bot.chat.commands.typed import typed
from bot.chat.text import straight
from workflows.core.durations import parse_duration
from workflows.core.identity import NO_DOMAINS, Address, address_of
from workflows.core.records.request import ID_PATTERN
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import nearest
from workflows.core.slips import duration_slip


@dataclass(frozen=True, slots=True)
class _Line:
    """The words after the verb: `raw` as the chat handed them in (see `typed`), `words` folded for names, ids and durations."""

    raw: tuple[str, ...]
    environments: tuple[str, ...] = ()
    words: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.raw)

    def word(self, number: int) -> str:
        return self.words[number] if number < len(self.words) else ""

    def rest(self, start: int) -> str:
        """From word `start` on, as typed."""
        return typed(" ".join(self.raw[start:]))

    def after(self, count: int) -> _Line:
        return _Line(self.raw[count:], self.environments, self.words[count:])


def _line(text: str, environments: Sequence[str]) -> _Line:
    raw = tuple(_WORD.findall(text))
    return _Line(raw, tuple(environments), tuple(_folded(word) for word in raw))


# A mention of somebody with blanks in the name is one word.
_WORD = re.compile(r"(?:<[@#!][^<>]*>|\S)+")


def _folded(word: str) -> str:
    return straight(typed(word)).strip("`\"'").lower()


def parse(text: str, environments: Sequence[str]) -> Command | Refused:
    """Read what stands after the command's name. `environments`: the names there are, all in lower case."""
    line = _line(text, environments)
    if not len(line):
        return OpenForm()
    if line.words[:2] == ("break", "glass"):
        return _break_glass(line.after(2))
    verb = _ALIASES.get(line.word(0), line.word(0))
    if verb in _VERBS:
        return _VERBS[verb](line.after(1))
    if len(line) == 1 and isinstance(id_ := read_id(line.raw[0]), str):
        return Show(id_)
    line = _with_lists(line)
    return _ask(line) if _plausible(line) else _unreadable(line)


# ---------------------------------------------------------------- asking


def _plausible(line: _Line) -> bool:
    """Whether the first word means an environment: one that there is, or a near miss of one with a role behind it."""
    names = _listed(line.word(0))
    if any(name in line.environments for name in names):
        return True
    name = names[0]
    near_verb = nearest(name, VERBS)
    near_environment = nearest(name, line.environments)
    return len(line) > 1 and bool(near_environment or (len(line) > 2 and not near_verb and "-" in name))


def _unreadable(line: _Line) -> Refused:
    near = nearest(line.word(0), VERBS + line.environments)
    params = {"word": typed(line.raw[0])[:60], "near": ", ".join(near)}
    return Refused(Code.COMMAND_UNREADABLE, params, audited=False)


def _ask(line: _Line) -> Command | Refused:
    if len(line) == 1:
        return OpenForm(_listed(line.word(0))[0])
    duration, used = _duration(line.after(2))
    if isinstance(duration, Refused):
        return duration
    begin, more = read_begin(line.after(2 + used).words)
    if isinstance(begin, Refused):
        return begin
    environments, roles, reason = _listed(line.word(0)), _listed(line.word(1)), line.rest(2 + used + more)
    if len(environments) == len(roles) == 1:
        return Ask(environments[0], roles[0], duration, reason, begin)
    if len(environments) > 1 and len(roles) > 1:
        return Refused(Code.SEVERAL_BOTH, audited=False)
    places = tuple((place, role) for place in environments for role in roles)
    return AskSeveral(places, duration, reason, begin)


def _request(line: _Line) -> Command | Refused:
    return _ask(_with_lists(line)) if len(line) else OpenForm()


def _on_behalf(line: _Line) -> Command | Refused:
    who = whom(line, 0)
    found = _ask(_with_lists(line.after(1))) if who is not None and len(line) > 2 else None
    if who is None or not isinstance(found, Ask | Refused):
        return _missing("for WHO ENV ROLE [DURATION] REASON")
    return AskFor(who, found) if isinstance(found, Ask) else found


def _listed(word: str) -> tuple[str, ...]:
    """`a,b` as its names."""
    return tuple(dict.fromkeys(name for name in word.split(",") if name)) or (word,)


def _with_lists(line: _Line) -> _Line:
    """Where environment or role is a list with blanks in it (`a, b`), its words are one."""
    raw, words = list(line.raw), list(line.words)
    for place in (0, 1):
        while place + 1 < len(words) and (words[place].endswith(",") or words[place + 1].startswith(",")):
            raw[place : place + 2] = ["".join(raw[place : place + 2])]
            words[place : place + 2] = ["".join(words[place : place + 2])]
    return _Line(tuple(raw), line.environments, tuple(words))


def _break_glass(line: _Line) -> Command | Refused:
    if len(line) and isinstance(read_id(line.raw[0]), str):
        return _by_id_why(BreakOpen, "break-glass ID REASON")(line)
    if len(line) < 2:
        return _missing("break-glass ENV ROLE REASON")
    found = _terms(line)
    return found if isinstance(found, Refused) else BreakGlass(*found)


def _terms(line: _Line) -> tuple[str, str, timedelta | None, str] | Refused:
    duration, used = _duration(line.after(2))
    if isinstance(duration, Refused):
        return duration
    return line.word(0), line.word(1), duration, line.rest(2 + used)


def _duration(line: _Line) -> tuple[timedelta | Refused | None, int]:
    """The duration at the beginning, over as many words as it takes (`1 h 30 min`), and how many these are."""
    skip = 1 if line.word(0) == "for" and (_reads(line.after(1)) or duration_slip(line.words[1:4])) else 0
    rest = line.after(skip)
    for count in range(min(6, len(rest)), 0, -1):
        found = parse_duration(" ".join(rest.words[:count]).strip("().,:;!"))
        if found is not None and rest.word(count) != "ago":
            # More of it, or another one: `1 h 30 INC-42`, `1h 1h`.
            slip = duration_slip(rest.words[count : count + 3])
            return (_no_duration(" ".join((*rest.words[:count], slip))) if slip else found), skip + count
    slip = duration_slip(rest.words[:3])
    return (_no_duration(slip) if slip else None), 0


def _reads(line: _Line) -> bool:
    return any(parse_duration(" ".join(line.words[:count])) is not None for count in (1, 2))


def _no_duration(text: str) -> Refused:
    return Refused(Code.DURATION_UNREADABLE, {"text": text[:40]}, audited=False)


# ---------------------------------------------------------------- by id


def read_id(word: str) -> str | Refused:
    """`PA-1042`, `pa-1042`, `#PA-1042`; a phone's dash is forgiven. ASCII digits only: what looks like an id is not one."""
    folded = straight(typed(word)).strip("`\"'.,;:()[]").removeprefix("#").upper()
    if ID_PATTERN.fullmatch(folded):
        return folded
    return Refused(Code.ID_UNREADABLE, {"text": typed(word)[:40]}, audited=False)


def _by_id(make: Callable[[str], Command], usage: str) -> Callable[[_Line], Command | Refused]:
    def read(line: _Line) -> Command | Refused:
        if not len(line):
            return _missing(usage)
        id_ = read_id(line.raw[0])
        return id_ if isinstance(id_, Refused) else make(id_)

    return read


def _by_id_why(make: Callable[[str, str], Command], usage: str) -> Callable[[_Line], Command | Refused]:
    def read(line: _Line) -> Command | Refused:
        return _by_id(lambda id_: make(id_, line.rest(1)), usage)(line)

    return read


def _extend(line: _Line) -> Command | Refused:
    duration, used = _duration(line.after(1))
    if isinstance(duration, Refused):
        return duration
    return _by_id(lambda id_: Extend(id_, duration, line.rest(1 + used)), "extend ID DURATION REASON")(line)


def _reduced_approval(line: _Line) -> Command | Refused:
    usage = "less ID [ROLE] [DURATION]"
    duration, used = _duration(line.after(1))
    role = None
    if duration is None and len(line) > 1:
        role = line.word(1)
        duration, used = _duration(line.after(2))
        used += 1
    if isinstance(duration, Refused):
        return duration
    if len(line) < 2 or len(line) > 1 + used:
        return _missing(usage)
    return _by_id(lambda id_: Less(id_, role, duration), usage)(line)


# ---------------------------------------------------------------- the others


def _missing(usage: str) -> Refused:
    return Refused(Code.COMMAND_UNREADABLE, {"usage": usage}, audited=False)


# Ids of people as chats have them: `U0DANA`, or a GUID.
_PERSON = re.compile(r"<@([UW][A-Z0-9]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\|[^<>]*)?>")


MENTIONED_MAX = 3


def addresses(text: str, former_domains: Mapping[str, str] = NO_DOMAINS) -> tuple[Address, ...]:
    """The e-mail addresses in a line, a few of them."""
    words = (typed(word).strip("<>,;") for word in text.split())
    found = (address_of(word, former_domains) for word in words)
    return tuple(dict.fromkeys(address for address in found if address is not None))[:3]


def mentioned(text: str) -> tuple[str, ...]:
    """The chat's ids of the people whom a typed line names; it has put them there itself."""
    return tuple(dict.fromkeys(_PERSON.findall(text)))[:MENTIONED_MAX]


def whom(line: _Line, number: int) -> Whom | None:
    if number >= len(line):
        return None
    match = _PERSON.fullmatch(line.raw[number])
    return Whom(match[1] if match else None, typed(line.raw[number]))


def _revoke_all(line: _Line) -> Command | Refused:
    usage = "revoke-all person WHO REASON, or revoke-all env ENV REASON"
    if len(line) < 2 or line.word(0) not in ("person", "env"):
        return _missing(usage)
    if line.word(0) == "env":
        return RevokeAll(line.word(1), None, line.rest(2))
    return RevokeAll(None, whom(line, 1), line.rest(2))


def _delegate(line: _Line) -> Command | Refused:
    if not len(line):
        return Delegate()
    if line.words in (("off",), ("stop",), ("end",)):
        return Delegate(off=True)
    skip = 2 if line.word(1) in ("until", "till", "to") else 1
    return Delegate(whom(line, 0), " ".join(line.words[skip:]))


def _unblock(line: _Line) -> Command | Refused:
    who = whom(line, 0)
    return Lift(who, line.rest(1)) if who is not None else _missing("lift WHO REASON")


def _person(line: _Line) -> Command | Refused:
    who = whom(line, 1)
    if line.word(0) != "confirm" or who is None:
        return _missing("person confirm WHO [same or another] REASON")
    said = {"same": True, "another": False}.get(line.word(2))
    return Confirm(who, said, line.rest(2 if said is None else 3))


def _certify(line: _Line) -> Command | Refused:
    """Numbers may have blanks between them: `1, 4 REASON`."""
    keeps = {"keep": True, "keeps": True, "stays": True, "remove": False, "goes": False}.get(line.word(1))
    rest = _with_lists(line.after(2))
    if keeps is None or not len(rest):
        return _missing("certify CARD keep NUMBER,NUMBER REASON, or certify CARD remove NUMBER REASON")
    return Certify(line.word(0), keeps, rest.word(0), rest.rest(1))


def _explain(line: _Line) -> Command | Refused:
    if len(line) < 2:
        return _missing("explain ENV ROLE [WHO]")
    return Explain(line.word(0), line.word(1), whom(line, 2))


def _who(line: _Line) -> Command | Refused:
    return Who(line.word(0)) if len(line) else _missing("who ENV")


_VERBS: dict[str, Callable[[_Line], Command | Refused]] = {
    "request": _request,
    "for": _on_behalf,
    "decline": _by_id(Decline, "decline ID"),
    "again": lambda line: Again(line.rest(0)),
    "break-glass": _break_glass,
    "approve": _by_id(Approve, "approve ID"),
    "less": _reduced_approval,
    "deny": _by_id_why(Deny, "deny ID REASON"),
    "acknowledge": _by_id_why(Acknowledge, "acknowledge ID [NOTE]"),
    "flag": _by_id_why(Flag, "flag ID NOTE"),
    "lift": _unblock,
    "person": _person,
    "certify": _certify,
    "withdraw": _by_id(Withdraw, "withdraw ID"),
    "show": _by_id(Show, "show ID"),
    "end": _by_id_why(End, "end ID [REASON]"),
    "revoke": _by_id_why(End, "revoke ID REASON"),
    "revoke-all": _revoke_all,
    "extend": _extend,
    "delegate": _delegate,
    "list": lambda line: List(line.word(0) or None),
    "mine": lambda _: Mine(),
    "pending": lambda _: Pending(),
    "envs": lambda _: Envs(),
    "who": _who,
    "history": lambda line: History(whom(line, 0)),
    "help": lambda line: Help(line.word(0) or None),
    "explain": _explain,
}
# Reserved: no environment is called by one of these.
VERBS = tuple(_VERBS)
_ALIASES = {
    "?": "help",
    "-h": "help",
    "--help": "help",
    "-help": "help",
    "breakglass": "break-glass",
    "revokeall": "revoke-all",
    "environments": "envs",
    "cancel": "withdraw",
}
