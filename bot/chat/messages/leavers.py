"""So many are gone from the chat at once that people are asked: the card, drawn from the audit log alone."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.message import Button, Confirm, Line, Listing, Message, Small, buttons, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import NOTHING, Rich, Time, ours, say, short
from workflows.core.audit import AuditEntry, Event

END_ALL, STILL_HERE = "leavers_end", "leavers_here"
OF_LEAVERS = frozenset({Event.LEAVERS_HELD, Event.LEAVERS_DECIDED})


def is_open(entries: Sequence[AuditEntry]) -> bool:
    """Whether people are still asked."""
    return entries[-1].event is Event.LEAVERS_HELD


def leavers(entries: Sequence[AuditEntry], called: Rich = NOTHING, by_hand: str = "") -> Message:
    """`entries`: the newest of them. `called`: who is asked, where it stands. `by_hand`: the bot's command, where the policy
    names nobody who could say so."""
    return _open(entries[-1], called, by_hand) if is_open(entries) else _over(entries[-1])


def _open(held: AuditEntry, called: Rich, by_hand: str) -> Message:
    line = _first_line(held)
    whom = say("{}: are they gone?", called) if called else ours("Are they gone?")
    why = say("{} It may be a mistake in the directory, so I end nothing before somebody has said so.", whom)
    return message(
        say("{} Are they gone?", line),
        Line(line),
        Line(why),
        _names(held),
        Line(say(_BY_HAND, by_hand)) if by_hand else buttons(*_choices(held)),
        Small(say("{} · {}", Time(held.at, held.at), mark(held.number, held.digest))),
    )


def _first_line(held: AuditEntry) -> Rich:
    people, holders, lately, within = (short(held.facts.get(name, "")) for name in _COUNTS)
    if not held.facts.get("lately"):
        many = "🚨 The chat says that {} of {} people with access are gone, all at once. Nothing was ended."
        return say(many, people, holders)
    more = "1 more person is gone{}" if held.facts.get("people") == "1" else "{} more people are gone"
    return say(
        f"🚨 The chat says that {more}, of {{}} with access, after {{}} within {{}}. Nothing more was ended.",
        "" if held.facts.get("people") == "1" else people,
        holders,
        lately,
        within,
    )


_COUNTS = ("people", "holders", "lately", "within")


def _these(people: str) -> str:
    return "this person is" if people == "1" else f"these {people} people are"


_BY_HAND = "The policy names no panic group, so it is ended by hand: `{} revoke-all person WHO REASON`."


def _names(held: AuditEntry) -> Listing:
    found = [say("• {}", short(line, 300)) for line in held.private.get("names", "").splitlines() if line.strip()]
    more = int(held.facts.get("people", "0")) - len(found)
    return Listing([*found, *([say("• and {} more", str(more))] if more > 0 else [])] or [NOTHING], room=6000)


def _choices(held: AuditEntry) -> tuple[Button, Button]:
    value, people = held.facts["finding"], held.facts.get("people", "")
    return (
        Button(
            "End all",
            END_ALL,
            value,
            said=f"End all access: {_these(people)} gone from the chat",
            style="danger",
            confirm=Confirm(
                "End all their access?",
                "I look at each of them once more. Whoever is still gone loses what they hold. Your name stands on the record.",
                "End all",
                "Go back",
                dangerous=True,
            ),
        ),
        Button(
            "They are still here",
            STILL_HERE,
            value,
            said=f"Still here, though the chat says that {_these(people)} gone",
            confirm=Confirm(
                "Are all of them still here?",
                "They keep what they hold until its end, and I ask no more about them. Your name stands on the record.",
                "They are here",
                "Go back",
            ),
        ),
    )


def _back(people: str) -> tuple[str, str]:
    if people == "1":
        return "The person who was gone from the chat is there", "holds"
    return f"The {people} people who were gone from the chat are there", "hold"


def _over(end: AuditEntry) -> Message:
    who, people = (
        short(end.private.get("actor_name", ""), 100) or "somebody",
        _these(short(end.facts.get("people", ""))),
    )
    line = {
        "end": say("✂️ {} said that {} gone: whoever still is loses their access now.", who, people),
        "here": say("✅ {} said that {} still here: nothing was ended.", who, people),
    }.get(
        end.facts.get("said", ""),
        say("↩️ {} again, or {} nothing any more. Nothing was ended.", *_back(end.facts.get("people", ""))),
    )
    return message(line, Line(line), Small(say("{} · {}", Time(end.at, end.at), mark(end.number, end.digest))))
