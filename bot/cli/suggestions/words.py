"""Suggestions and findings in sentences; the numbers that each rests on stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.chat.wording.labels import people
from workflows.core.durations import format_duration
from workflows.core.suggestions.limits import ASK_DAYS_MIN, ASKS_MIN, MINUTES, RECORD_DAYS_MIN, UNUSED_DAYS_MIN
from workflows.core.suggestions.model import (
    AnswersAlone,
    Because,
    CouldApprove,
    CouldGo,
    Finding,
    Found,
    NeedsSecond,
    OneApprover,
    Pair,
    Quick,
    Withheld,
)
from workflows.policy_file.phrases import hours_words

_LIMIT = format_duration(MINUTES)
BECAUSE: Mapping[Because, str] = {
    Because.PRODUCTION: "it changes production, and a person answers for that",
    Because.ADMIN: "it is an admin role, and a person answers for that",
    Because.GIVES_MORE: "another role gives the same, and the policy calls that one a greater risk",
    Because.DANGER: "the policy calls it dangerous",
    Because.OUTLIVES: "its holder may keep access after the end",
    Because.SEVERAL: "the policy wants more than one approver for it, or none",
    Because.TAKEN_AWAY: "the policy says auto_approve: [] for it",
    Because.INHERITED: "it has rules from prodaccess.yaml, which would be gone once it has some of its own",
    Because.UNREAD: "something that may be about it cannot be read",
    Because.DENIED: "an ask was denied",
    Because.UNANSWERED: "an ask expired unanswered",
    Because.SLOW: f"an answer took more than {_LIMIT}",
    Because.LESSENED: "somebody was given less than they asked for",
    Because.MORE_TIME: "an ask for more time was not granted",
    Because.REVOKED: "somebody took access back before its end",
    Because.BREAK_GLASS: "somebody broke the glass for it",
    Because.FLAGGED: "a review was flagged",
    Because.DRIFT: "access was found beside the record",
    Because.REFUSED: "somebody was refused on a request for it",
    Because.UNPROVED: "the chat had not signed a vote",
    Because.ONE_APPROVER: "one person gave over half of the answers",
    Because.QUICK: "somebody who answered it does so within seconds",
    Because.PAIR: "two who mostly serve one another are among those who asked and answered",
    Because.YOUNG: f"the record has fewer than {RECORD_DAYS_MIN} days",
    Because.FEW_DAYS: f"it was asked for on fewer than {ASK_DAYS_MIN} days",
    Because.FEW_PEOPLE: "too few of the asks were made by people of one group",
    Because.GROUP_UNKNOWN: "who is in the groups that may ask is not known",
    Because.GROUP_SHARE: "of no group that may ask have half of the people asked, and two at least",
}


def heading(found: Found, environment: str) -> str:
    """`Suggestions from the record: 29 Aug 2026 to 27 Nov 2026, 90 days, all environments`"""
    where = environment or "all environments"
    return (
        f"Suggestions from the record: {_day(found.since)} to {_day(found.until)}, {_count(found.days, 'day')}, {where}"
    )


def rule_words(one: CouldApprove) -> tuple[str, str, str]:
    """What is proposed, what it rests on, and how far it reaches."""
    crowds = people(f"{each.group} ({each.asked} of {each.members} members asked)" for each in one.crowds)
    return f"{one.role} in {one.environment}: a rule could approve it for {crowds}.", _rests_on(one), _reach(one)


def _rests_on(one: CouldApprove) -> str:
    n = one.numbers
    asked = (
        f"{n.asks} of {n.asks} asks by {_count(n.people, 'person', 'people')} on {_count(n.days, 'day')} were approved"
    )
    took = f"in {format_duration(n.median)} at the median and {format_duration(n.slowest)} at most"
    by = f"by {_count(n.approvers, 'person', 'people')}, of whom nobody gave more than {n.share} of {n.answers} answers"
    return f"{asked}, {took}, {by}; from {_day(n.first)} to {_day(n.last)} nothing was flagged."


def _reach(one: CouldApprove) -> str:
    """No further than what people have approved."""
    times = "once" if one.max_uses_per_day == 1 else f"{one.max_uses_per_day} times"
    parts = [
        f"up to {format_duration(one.max_duration)}",
        f"{times} a day each",
        hours_words(one.hours) or "at any hour",
    ]
    if one.in_incident_channel:
        parts.append("in an incident's channel")
    return f"It reaches as far as they did: {', '.join(parts)}."


def gone_words(one: CouldGo) -> str:
    return f"{one.role} in {one.environment}: nobody asked for it or had it in {one.days} days: take the role out."


def made_words(one: CouldApprove | CouldGo) -> tuple[str, ...]:
    """Sentences."""
    return rule_words(one) if isinstance(one, CouldApprove) else (gone_words(one),)


def second_words(one: NeedsSecond, place: str, line: str) -> str:
    """`place`: file and line; `line`: what stands there."""
    gave = f"{one.environment}: {one.name} gave all of {one.answers} answers and is its only owner"
    missed = f", and {_count(one.unanswered, 'ask')} expired unanswered" if one.unanswered else ""
    where = f"{place} has `{line}`" if place else f"the group {people(one.groups)} is kept elsewhere"
    return f"{gave}{missed}. Add a second person whom you choose: {where}."


def finding_words(one: Finding) -> str:
    if isinstance(one, Quick):
        where = f"{one.role} in {one.environment}" if one.role else "everything together"
        times = f"{_count(one.answers, 'time')}, in {format_duration(one.median)} at the median"
        return f"rubber-stamping? {one.name} agreed to {where} {times}: ask what is read first"
    if isinstance(one, OneApprover):
        return (
            f"rubber-stamping? {one.name} gave {one.answers} of {one.of} answers for {one.role} in {one.environment}:"
            " nobody else looked at most of it"
        )
    if isinstance(one, Pair):
        return (
            f"{one.first} and {one.second} mostly serve one another: {one.first_for_second} answers of the first for the"
            f" second, {one.second_for_first} the other way: let others answer, too"
        )
    return _alone_words(one)


def _alone_words(one: AnswersAlone) -> str:
    others = (
        "who else is an owner is not known"
        if one.others is None
        else f"{_count(one.others, 'other owner', 'other owners')} answered nothing"
    )
    missed = f", {_count(one.unanswered, 'ask')} expired unanswered" if one.unanswered else ""
    return f"{one.environment}: {one.name} gave all of {one.answers} answers; {others}{missed}"


def withheld_words(one: Withheld) -> str:
    why = "; ".join(BECAUSE[each] for each in one.because)
    return f"{one.role} in {one.environment}, approved {one.asks} times: {why}"


def short_words(found: Found) -> str:
    """Empty where there is none."""
    if not found.short:
        return ""
    return f"{_count(found.short, 'role')} approved fewer than {ASKS_MIN} times: not enough to propose a rule"


def too_young(found: Found) -> str:
    """Empty where the period is long enough for everything."""
    if found.days >= UNUSED_DAYS_MIN:
        return ""
    rules = f"a rule takes {RECORD_DAYS_MIN} days, and " if found.days < RECORD_DAYS_MIN else ""
    return f"not enough record: {rules}whether a role is used takes {UNUSED_DAYS_MIN} days; this has {found.days}"


def pressing_words(looser: int, asks: Mapping[str, int] | None, panic_group: str | None) -> str:
    """Who must press before it is in force, beside whoever reviews the change of the folder."""
    if not looser:
        return "nobody in chat: nothing is looser in production. Who reviews the policy's folder decides"
    if asks:
        groups = people(f"{count} of {name}" for name, count in asks.items())
        return f"{groups}, in chat, once the folder has it; until then the policy in force stays"
    told = f"; {panic_group} is told when it is in force" if panic_group else ""
    return f"nobody in chat: the policy has no policy_changes. Who reviews the policy's folder decides{told}"


def _day(moment: datetime) -> str:
    return f"{moment:%d %b %Y}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
