"""What targets hold and the record does not know, or the other way round: what is told of it, and what is asked first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.chat.message import Button, Confirm, Line, Listing, Message, Small, buttons, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import NOTHING, Rich, Time, lines, ours, say, short
from bot.chat.views.overviews import DriftLine
from workflows.core.audit import AuditEntry, Event
from workflows.core.records.drift import DriftKind

REMOVE, LEAVE = "remove_drift", "leave_drift"
_LINES_MAX = 8000
_ALARMS = (DriftKind.UNKNOWN, DriftKind.ENDED, DriftKind.MISSING)
# So many are named in the digest, an environment.
_NAMED_MAX = 5

# What each kind means, after whose it is and what.
_SAID: Mapping[str, str] = {
    DriftKind.UNKNOWN: "it carries my mark, and I never gave it",
    DriftKind.ENDED: "I gave it and took it away, and it is there again",
    DriftKind.STANDING: "it stands for good, and could be asked for instead",
    DriftKind.MISSING: "it should be there, and it is not",
    DriftKind.FOREIGN: "it is named like mine, and I did not give it: I leave it alone",
}
_OVER: Mapping[str, str] = {
    "absence_read_back": "it is not there any more",
    "there_again": "it is there again",
    "grant_over": "its time is over",
    "not_managed": "the policy does not give it any more, so I look no longer",
}


def is_alarm(entry: AuditEntry) -> bool:
    """Whether somebody has to look at it soon: standing access can wait."""
    return entry.facts.get("kind") in _ALARMS


def drift_found(
    entries: Sequence[AuditEntry],
    titles: Mapping[str, str],
    hidden: frozenset[str],
    command: str,
    called: Rich = NOTHING,
) -> Message:
    """`titles`: of environments, as people call them. `hidden`: those of which who and what is not told here. `called`: who
    should look, in this chat."""
    alarms = [entry for entry in entries if is_alarm(entry)]
    head = _head(len(entries), len(alarms))
    whom = say("{}: please look at it.", called) if called and alarms else NOTHING
    told = [_line(entry, titles, hidden, _SAID.get(entry.facts.get("kind", ""), "")) for entry in entries]
    means = "Find out who gave it" if alarms else "Whoever needs it can ask for it with `{}`, so that it ends by itself"
    small = Small(say(f"{means} · {{}}", *((command,) if not alarms else ()), _when(entries)))
    parts = (Line(head), Line(whom) if whom else None, Listing(told, room=_LINES_MAX), small)
    return message(lines((head, *told)), *parts)


def drift_lines(found: Sequence[DriftLine]) -> list[Rich]:
    """For the digest: a line for each that somebody should look at, and one an environment for what stands for good."""
    alarms = [
        say(
            "• ⚠️ {} · {} in {}: {}",
            short(one.who, 80),
            short(one.role, 60),
            short(one.title, 80),
            ours(_SAID[one.kind]),
        )
        for one in found
        if one.kind in _ALARMS and not one.hidden
    ]
    return [*alarms, *_grouped([one for one in found if one.hidden or one.kind not in _ALARMS])]


def _grouped(found: Sequence[DriftLine]) -> list[Rich]:
    places: dict[str, list[DriftLine]] = {}
    for one in found:
        places.setdefault(one.title, []).append(one)
    return [_place(title, lines_) for title, lines_ in places.items()]


def _place(title: str, found: Sequence[DriftLine]) -> Rich:
    names = list(dict.fromkeys(one.who for one in found if not one.hidden))
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    who = say(": {}{}", short(", ".join(names[:_NAMED_MAX]), 200), ours(more)) if names else NOTHING
    return say("• 👀 {} not given through me in {}{}", len(found), short(title, 80), who)


def _head(count: int, alarms: int) -> Rich:
    if alarms:
        return say("⚠️ *Access does not match my record*: {}", count)
    return say("👀 *Standing access that nobody asked me for*: {}", count)


def drift_over(entries: Sequence[AuditEntry], titles: Mapping[str, str], hidden: frozenset[str]) -> Message:
    """What agrees with the record again, and what was taken away for it."""
    removed = sum(entry.event is Event.DRIFT_REMOVED for entry in entries)
    head = (
        say("✂️ *Taken away*: {}", removed)
        if removed == len(entries)
        else say("✅ *As on my record again*: {}", len(entries))
    )
    told = [_line(entry, titles, hidden, _why_over(entry)) for entry in entries]
    return message(lines((head, *told)), Line(head), Listing(told, room=_LINES_MAX), Small(say("{}", _when(entries))))


def _why_over(entry: AuditEntry) -> str:
    if entry.event is Event.DRIFT_REMOVED:
        return "I took it away, and saw that it is gone"
    return _OVER.get(entry.facts.get("proof", ""), "")


def _line(entry: AuditEntry, titles: Mapping[str, str], hidden: frozenset[str], why: str) -> Rich:
    """Whose, what, where, and what is wrong with it; then what makes the channel a witness."""
    roles = [line.partition(" ")[::2] for line in entry.facts.get("roles", "").splitlines()]
    places = list(dict.fromkeys(environment for environment, _ in roles))
    where = ", ".join(titles.get(name, name) for name in places)
    proof = mark(entry.number, entry.digest)
    if hidden.intersection(places):
        return say("• {} · {} · {}", short(where, 120), ours(why), proof)
    who, title = entry.private.get("who", ""), entry.private.get("title", "")
    role = ", ".join(dict.fromkeys(name for _, name in roles))
    grant = say(" · {}", entry.facts["grant"]) if entry.facts.get("grant") else NOTHING
    return say(
        "• {} · {} in {}: {} · {}{} · {}",
        short(who, 80) or ours("somebody"),
        short(role, 80),
        short(where, 120),
        ours(why),
        short(title, 160),
        grant,
        proof,
    )


def _when(entries: Sequence[AuditEntry]) -> Rich:
    return (Time(entries[0].at, entries[0].at),)


def missed(entry: AuditEntry, title: str, command: str) -> Message:
    """To the holder: what they have is gone at the target."""
    grant = entry.facts.get("grant", "")
    role = entry.facts.get("roles", "").partition("\n")[0].partition(" ")[2]
    line = say("⚠️ Your access to *{}* in *{}* is not there any more", short(role, 80), short(title, 80))
    then = say(
        "Somebody took it away past me, and I do not give it again by myself. `{} end {}` ends it on the record; then you can "
        "ask again.",
        command,
        grant,
    )
    return message(say("{}. {}", line, then), Line(line), Line(then), Small(say("{} · {}", _when([entry]), grant)))


# ---------------------------------------------------------------- what waits for people

_WHY: Mapping[str, str] = {
    "epoch": "the record is another one than when I last took something away: it was made anew, or an older one was accepted",
    "clock": "the record's clock was set since I last took something away",
    "ahead": "it carries numbers that I have not given out yet: the record may be an older one than it should be",
    "many": "it is more than I take away by myself in one go",
}
_ENDED: Mapping[str, str] = {
    "remove": "✂️ {} said that it goes: each is looked at once more, and then taken away",
    "leave": "↩︎ {} said that it stays. It goes on standing in the digest",
    "over": "↪️ Nobody has to decide this any more: what waits is another thing now, or nothing",
}


def drift_held(entries: Sequence[AuditEntry], called: Rich = NOTHING, reader: str = "") -> Message:
    """Drawn from the audit log alone. `entries`: the one that says that it waits, and what came after it. `reader`: the id of the
    only one who reads it: nobody is offered to leave what is their own."""
    waits = entries[0]
    end = next((one for one in entries[1:] if one.event is Event.DRIFT_DECIDED), None)
    if end is not None:
        who = short(end.private.get("actor_name", ""), 100) or ours("Somebody")
        template = _ENDED.get(end.facts.get("decision", ""), "{}")
        line = say(template, who) if "{}" in template else ours(template)
        return message(line, Line(line), Small(_proof(end)))
    count = waits.facts.get("count", "")
    own = bool(reader) and reader in waits.private.get("people", "").split()
    choices = _choices(waits, count)[: 1 if own else 2]
    line = say("✋ *Shall I take {} away?*", ours(_these(count)))
    whom = say("{}: please look at it.", called) if called else ours("Please look at it.")
    why = say("It is told mine by its name, and my record does not have it. I ask because {}. {}", _why(waits), whom)
    return message(
        say("{}. {}", line, whom),
        Line(line),
        Line(why),
        _listing(waits),
        buttons(*choices),
        Small(_proof(waits)),
    )


def _these(count: str) -> str:
    return "this access" if count == "1" else f"these {count} accesses"


def _why(waits: AuditEntry) -> Rich:
    return ours(_WHY.get(waits.facts.get("why", ""), "I cannot be sure"))


def _listing(waits: AuditEntry) -> Listing:
    found = [say("• {}", short(line, 300)) for line in waits.private.get("lines", "").splitlines() if line.strip()]
    left = int(waits.facts.get("count") or 0) - len(found)
    more = [say("… and {} more: `prodaccess drift` lists all", left)] if left > 0 else []
    return Listing([*found, *more], room=_LINES_MAX)


def _choices(waits: AuditEntry, count: str) -> tuple[Button, Button]:
    hold = waits.facts.get("hold", "")
    return (
        Button(
            "Remove",
            REMOVE,
            hold,
            said=f"Remove {_these(count)}",
            style="danger",
            confirm=Confirm(
                f"Take {_these(count)} away?",
                f"{'It' if count == '1' else 'Each'} is looked at once more first. Your name stands on the record.",
                "Remove",
                "Go back",
                dangerous=True,
            ),
        ),
        Button(
            "Leave it",
            LEAVE,
            hold,
            said=f"Leave {_these(count)} as {'it is' if count == '1' else 'they are'}",
        ),
    )


def _proof(entry: AuditEntry) -> Rich:
    return say("{} · {}", Time(entry.at, entry.at), mark(entry.number, entry.digest))
