"""The line that says how it stands: state word with its mark, until when, by whom. The same on every surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.chat.views.gate_lines import run_by_hand
from bot.chat.views.request_view import Need, RequestView
from bot.chat.wording.labels import Asked, Stage, Words, joined, number, people, rounded
from bot.chat.wording.refusals import about, refusal, window_of
from workflows.core.durations import format_duration
from workflows.core.records.grant import EndCause
from workflows.core.refusal import Code, Refused

_NOT_DENIED_MAX = 200
_WHY_LENGTH_MAX = 300


def state_line(view: RequestView, *, left: bool = False) -> Words:
    """`✅ Active until 04:20 · approved by Olu Owner at 03:20`. Outsiders see the state's word alone.

    `left`: with the time that is left, for an answer that is read now. What stays says when, because minutes tick away.
    """
    if view.hidden:
        return (view.state,)
    more = (expiry(view), _begins(view), extends(view)) if view.stage is Stage.WAITING else (sessions(view),)
    return joined([state_alone(view, left=left), *more])


def state_alone(view: RequestView, *, left: bool = False) -> Words:
    """The same without what a card has in its small print: until when it waits, until when a session may go on."""
    if view.hidden:
        return (view.state,)
    return _active(view, left=left) if view.stage is Stage.ACTIVE else _LINES[view.stage](view)


def expiry(view: RequestView) -> Words:
    return ("expires ", view.expires)


def sessions(view: RequestView) -> Words:
    """Of what is over: until when a session may go on that was open at the end, or that it was ended, too."""
    if view.stage not in (Stage.ENDED, Stage.REVOKED):
        return ()
    if view.denied_before:
        return ("sessions begun before ", view.denied_before, " are denied")
    if view.not_denied:
        return (f"sessions begun before may go on: {short(stop(view.not_denied), _NOT_DENIED_MAX)}",)
    if view.session_until is None:
        return ()
    sooner = (f"; to end them now: prodaccess sessions {view.id}",) if view.sessions_by_hand else ()
    return ("sessions end by ", view.session_until, *sooner)


def short(text: str | None, length_max: int = _WHY_LENGTH_MAX) -> str:
    one_line = " ".join((text or "").split())
    return one_line if len(one_line) <= length_max else one_line[: length_max - 1] + "…"


def stop(text: str) -> str:
    return text if text[-1:] in tuple(".!?…") else f"{text}."


# ---------------------------------------------------------------- before there is access


def _waiting(s: RequestView) -> Words:
    if not s.resolved:
        return (s.state,) if s.pipeline else (f"{s.state} in {s.provider}",)
    if not s.in_policy and s.pipeline:
        return (f"{s.state} · the policy no longer has this gate, so nobody can approve it",)
    if not s.in_policy:
        return (f"{s.state} · the policy no longer has this role, so nobody can approve it",)
    whom = _for_whom(s)
    if not (s.can_approve or s.can_approve_less):
        # Nobody is called who can do nothing about it.
        whom = tuple(part.label if isinstance(part, Asked) else part for part in whom)
    return joined([(s.state, *whom), *_in_the_way(s)])


def _begins(s: RequestView) -> Words:
    return ("to begin ", s.start_at) if s.start_at else ()


def _in_the_way(s: RequestView) -> list[Words]:
    """What keeps it from being approved: a freeze, closed hours, a rule that has been used as often as it may."""
    spent: list[Words] = [(f"the rule '{name}' has been used {_times(uses)} today",) for name, uses in s.used_up]
    found = [*spent, *([_no_more(s.no_more)] if s.no_more else [])]
    return [*found, _shut(s.shut, pipeline=s.pipeline)] if s.shut else found


def _no_more(refused: Refused) -> Words:
    if refused.code is Code.LONGER_THAN_ALLOWED:
        most = format_duration(timedelta(seconds=int(refused.params["max_s"])))
        return (f"by now the policy gives it for {most} at most: it can be approved for less",)
    return (f"{refused.params.get('name') or 'Who asked'} may no longer ask for this: cannot be approved",)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shut(refused: Refused, *, pipeline: bool = False) -> Words:
    params = refused.params
    if refused.code is Code.FREEZE:
        reason = short(params.get("reason"), 120).rstrip(".") or "Changes are frozen"
        return (f"{reason} until ", datetime.fromisoformat(params["until"]), ": cannot be approved before")
    if refused.code is Code.PARTY_ON_HOLD:
        return (
            f"{params.get('name') or 'Somebody'}'s account is on hold: cannot be approved before security has said whose it is",
        )
    opens = params.get("opens")
    until: Words = ("before ", datetime.fromisoformat(opens)) if opens else ("now",)
    word = "open" if pipeline else "given"
    return (f"{word} {window_of(params)} only: cannot be approved ", *until)


def reduced_words(s: RequestView) -> str:
    """`Asked for admin for 30 min; approved for less: read-only for 20 s by Olu`; empty where nothing was cut."""
    if s.asked_duration is None or s.hidden:
        return ""
    given = f"{s.role} for {format_duration(s.duration)} by {s.lessened_by or 'an approver'}"
    return f"Asked for {s.asked_role} for {format_duration(s.asked_duration)}; approved for less: {given}"


def _for_whom(s: RequestView) -> Words:
    """Who is missing. Only they are called; who has agreed stands by name."""
    total, done = sum(need.count for need in s.needs), sum(need.agreed for need in s.needs)
    if not s.needs:
        return (" by a rule of the policy: nobody can approve it by hand",)
    if not done:
        return (" from ", *_and([_one_of(need) for need in s.needs]))
    if any(need.helps and not need.open for need in s.needs):
        # Somebody who speaks for two groups agreed: a person of either completes it.
        either = tuple(group for need in s.needs if need.helps for group in need.groups)
        missing = Asked(either, as_rule=True)
        return (f" · {done} of {total}: {people(s.agreed_by)} agreed, one more of ", missing, " missing")
    return (f" · {done} of {total}: ", *_listed([_part(need) for need in s.needs]))


def _part(need: Need) -> Words:
    agreed = f"{need.label} agreed ({people(need.by)})"
    if not need.open:
        return (agreed,)
    missing: Words = (*_one_of(need), " missing")
    return missing if not need.agreed else (f"{agreed}, ", *missing)


def _one_of(need: Need) -> Words:
    """`one of platform`, `one more of platform`."""
    more = " more" if need.agreed else ""
    return (f"{number(need.open)}{more} of ", Asked(need.groups, as_rule=True))


def _and(parts: Sequence[Words]) -> Words:
    return tuple(item for number, part in enumerate(parts) for item in ((" and ",) if number else ()) + part)


def _listed(parts: Sequence[Words]) -> Words:
    return tuple(item for number, part in enumerate(parts) for item in ((", ",) if number else ()) + part)


def _denied(s: RequestView) -> Words:
    why = f": {short(s.why)}" if s.why else ""
    return (f"{s.state} by {s.ended_by or 'somebody'}{why}",)


def _withdrawn(s: RequestView) -> Words:
    if s.declined:
        return (f"↩︎ Declined by {s.ended_by or s.holder}",)
    if s.pipeline:
        return (f"{s.state}: the run is over",)
    return (f"{s.state} by {s.ended_by or s.requester}",)


def _expired(s: RequestView) -> Words:
    if s.approved_by:
        # A pipeline alone: access that is approved is given.
        return joined([(f"{s.state} ", s.expires), (s.approved_by,), ("the run did not go on in time",)])
    waited = rounded(s.expires_at - s.created_at)
    # Who has agreed has answered.
    why = f"not enough people agreed in {waited}" if s.agreed_by else f"nobody answered in {waited}"
    return (f"{s.state} ", s.expires, f" · {why}")


# ---------------------------------------------------------------- while there is access


def _decided(s: RequestView) -> Words:
    if not s.approved_by:
        return ()
    by: Words = (f"{s.approved_by} at ", s.decided_at) if s.decided_at else (s.approved_by,)
    return joined([by, *((part,) for part in _rule_why(s))])


def _rule_why(s: RequestView) -> list[str]:
    """What the rule rested on: `asked in #inc-42, an incident's channel`, `use 2 of 3 today`."""
    facts = s.rule_facts
    where = f"asked in #{facts['channel_name']}, an incident's channel" if facts.get("channel_name") else ""
    use = f"use {facts['use']} of {facts['of']} today" if facts.get("use") and facts.get("of") else ""
    return [part for part in (where, use) if part]


def _setting_up(s: RequestView) -> Words:
    trouble = (f"{stop(short(s.error, 200))} I try again automatically",) if s.error else ()
    return joined([(s.state,), trouble, _decided(s)])


def _active(s: RequestView, *, left: bool = False) -> Words:
    if s.until is None or s.time_left is None:
        return (s.state,)
    still = f", {rounded(s.time_left)} left" if left else ""
    longer = (f"extended by {s.extended_by}",) if s.extended_by else ()
    more = (f"more time asked: {s.more_asked}",) if s.more_asked else ()
    return joined([(f"{s.state} until ", s.until, *((still,) if still else ())), longer, _decided(s), more])


def _agreed(s: RequestView) -> Words:
    starts: Words = (f"{s.state}, starts ", s.start_at) if s.start_at else (s.state,)
    return joined([starts, _decided(s), ("the run has not gone on yet",) if s.pipeline else ()])


def _used(s: RequestView) -> Words:
    """A pipeline's run took its approval."""
    at = (s.gate.let_on_at or s.gate.redeemed_at) if s.gate is not None else None
    more = ("whoever may deploy presses Run at GitLab",) if s.gate is not None and run_by_hand(s.gate) else ()
    return joined([(f"{s.state} ", at) if at else (s.state,), _decided(s), more])


def _extended(s: RequestView) -> Words:
    until: Words = (f"{s.state} until ", s.extended_until) if s.extended_until else (s.state,)
    return joined([until, _decided(s), (f"extends {s.extends}",)])


def extends(s: RequestView) -> Words:
    """The grant that an ask for more time is for, and its end as it stands."""
    return (f"extends {s.extends}, which ends ", s.present_end) if s.extends and s.present_end else ()


def _removing(s: RequestView) -> Words:
    trouble = (f"{stop(short(s.error, 200))} I try again automatically",) if s.error else ()
    return joined([(f"{s.state}: {_cause(s)}",), trouble, _approved(s)])


def _approved(s: RequestView) -> Words:
    """Who approved stays to the end."""
    return (s.approved_by,) if s.approved_by else ()


def _cause(s: RequestView) -> str:
    by, why = s.ended_by or "somebody", f": {short(s.why, 200)}" if s.why else ""
    if s.end_cause is EndCause.RETURNED:
        return f"given back by {by}"
    if s.end_cause is EndCause.REVOKED:
        return f"revoked by {by}{why}"
    if s.end_cause is EndCause.FAILED:
        return f"it could not be set up{why}"
    return "held permanently already" if s.end_cause is EndCause.STANDING else "time is up"


def _stuck(s: RequestView) -> Words:
    error = stop(short(s.error or f"{s.provider} did not say why"))
    due = ("it should have ended ", s.deadline) if s.deadline and s.end_cause is EndCause.TIME else ()
    return joined([(f"{s.state}: {error} It may still be open. I keep trying.",), due, _approved(s)])


# ---------------------------------------------------------------- after it


def _ended(s: RequestView) -> Words:
    used = f"used {rounded(s.used)}" if s.used is not None else ""
    if s.end_cause is EndCause.RETURNED:
        used = f"given back by {s.ended_by or s.holder}" + (f" after {rounded(s.used)}" if s.used is not None else "")
    return joined([_at(s), (used,) if used else (), _approved(s), _proof(s)])


def _at(s: RequestView) -> Words:
    return (f"{s.state} ", s.closed_at) if s.closed_at else (s.state,)


def _proof(s: RequestView) -> Words:
    """What is certain about the access itself."""
    if s.covered_by:
        until: Words = (f"access goes on under {s.covered_by}",)
        return (*until, " until ", s.covered_until) if s.covered_until else until
    return ("nothing had been given",) if s.nothing_given else ("removal verified",)


def _revoked(s: RequestView) -> Words:
    why = f": {short(s.why)}" if s.why else ""
    by = f" by {s.ended_by or 'somebody'}{why}"
    before = ("before it was active",) if s.activated_at is None and not s.nothing_given else ()
    return joined([(*_at(s), by), before, _approved(s), _proof(s)])


def _not_given(s: RequestView) -> Words:
    if s.pipeline:
        return (f"{s.state}: {stop(why_not(s))} The run does not go on.",)
    return (f"{s.state}: {stop(why_not(s))} ", *_nothing_open(s))


def why_not(s: RequestView, command: str = "/prodaccess", *, to_holder: bool = False) -> str:
    """Why it was not given, in the words of the refusal where the bot closed it, else of the target.

    `to_holder`: in a message to the holder alone; everywhere else others read it, and it says whom it is about.
    """
    if s.refused:
        told = s.refused if to_holder else about(s.refused, s.holder)
        return refusal(told, command=command).removesuffix(" Nothing was given.")
    return short(s.why or s.error or f"{s.provider} did not say why")


def _nothing_open(s: RequestView) -> Words:
    """Never claimed while another grant keeps the same access open."""
    if s.extends:
        return (f"{s.extends} ends as it would have.",)
    if s.covered_by:
        return ("Access goes on under " + s.covered_by, *((" until ", s.covered_until) if s.covered_until else ()), ".")
    return ("Nothing is open.",)


def how(s: RequestView) -> str:
    """` (through group admins)`, where the target said so."""
    detail = short(s.closing.params.get("how"), 120) if s.closing else ""
    return f" ({detail})" if detail else ""


def _standing(s: RequestView) -> Words:
    return (
        f"{s.state}: {s.holder} has this permanently already{how(s)}. Nothing was given and nothing will be taken.",
    )


_LINES: dict[Stage, Callable[[RequestView], Words]] = {
    Stage.WAITING: _waiting,
    Stage.AGREED: _agreed,
    Stage.SETTING_UP: _setting_up,
    Stage.ACTIVE: _active,
    Stage.EXTENDED: _extended,
    Stage.REMOVING: _removing,
    Stage.STUCK: _stuck,
    Stage.ENDED: _ended,
    Stage.REVOKED: _revoked,
    Stage.DENIED: _denied,
    Stage.WITHDRAWN: _withdrawn,
    Stage.EXPIRED: _expired,
    Stage.USED: _used,
    Stage.NOT_GIVEN: _not_given,
    Stage.STANDING: _standing,
}
